//! Tests that reading any text, also one that is not a profile, ends with diagnostics and never with a panic.

use std::fmt::Write as _;
use std::fs;

use nandseq_profile::diagnostic::Styling;
use nandseq_profile::{OpId, PhaseKey, Profile, ReadOptions, SourceFile, limits, read, table};
use proptest::prelude::*;

fn good_text() -> String {
    fs::read_to_string(format!("{}/testdata/legacy/good.yaml", env!("CARGO_MANIFEST_DIR"))).expect("the good profile")
}

fn good() -> Profile {
    read(&SourceFile::new("good.yaml", good_text()), ReadOptions::default()).0.expect("a good profile")
}

/// Reads bytes as a profile and as a table, and renders the diagnostics.
fn read_all(bytes: &[u8], profile: &Profile) {
    let source = match SourceFile::from_bytes("noise.yaml", bytes.to_vec()) {
        Ok(source) => source,
        Err((source, diagnostics)) => {
            assert!(diagnostics.has_errors());
            assert!(!diagnostics.render(&source, Styling::Coloured).is_empty());
            return;
        }
    };
    for lenient in [false, true] {
        let (read, diagnostics) = read(&source, ReadOptions { lenient });
        assert_eq!(read.is_some(), !diagnostics.has_errors());
        assert!(diagnostics.is_empty() || !diagnostics.render(&source, Styling::Coloured).is_empty());
    }
    let (table, diagnostics) = table::read(&source, profile);
    assert_eq!(table.is_some(), !diagnostics.has_errors());
    assert!(diagnostics.is_empty() || !diagnostics.render(&source, Styling::Plain).is_empty());
}

/// Texts of pieces that have a meaning in YAML or in the importer.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        ": ",
        ":\n",
        "\n",
        "\n  ",
        "\n    ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "&a ",
        "*a ",
        "*b ",
        "<<: ",
        "!t ",
        "|\n",
        ">\n",
        "'",
        "\"",
        "\\",
        "#",
        "%",
        "---\n",
        "...\n",
        "?",
        "~",
        "null",
        "true",
        "0",
        "-3",
        "1e9",
        "1e999",
        ".nan",
        "\t",
        "\r\n",
        "\u{feff}",
        "\u{85}",
        "é",
        "op_names",
        "op_bases",
        "topology",
        "celltypes",
        "states",
        "ISSUE",
        "schema",
        "phase_conditional",
        "DEFAULT",
        "ERASE.CORE_BUSY",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_all(&bytes, &good());
    }

    #[test]
    fn random_yaml_never_panics(text in pieces()) {
        read_all(text.as_bytes(), &good());
    }

    #[test]
    fn a_good_profile_with_random_damage_never_panics(
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, pieces()), 1..4),
    ) {
        let mut bytes = good_text().into_bytes();
        for (at, length, instead) in damage {
            let at = at.index(bytes.len() + 1);
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, instead.bytes().take(20));
        }
        read_all(&bytes, &good());
    }

    #[test]
    fn a_written_table_reads_back_bit_for_bit(
        entries in prop::collection::btree_map(
            0_u16..7,
            prop::collection::btree_map(0_u16..3, (any::<u64>(), 0.0..1.0_f64), 0..3),
            0..7,
        ),
    ) {
        let profile = good();
        // Some masses come from arbitrary bits, so that there are subnormal masses and masses with 17 digits.
        let mass = |(bits, plain): (u64, f64)| {
            let wild = f64::from_bits(bits);
            if wild.is_finite() && (0.0..=limits::MAX_WEIGHT).contains(&wild) { wild } else { plain }
        };
        let table = table::ProbabilityTable {
            entries: entries
                .into_iter()
                .map(|(key, names)| (PhaseKey(key), names.into_iter().map(|(op, m)| (OpId(op), mass(m))).collect()))
                .collect(),
        };
        let text = table::write(&table, &profile);
        let (again, _) = table::read(&SourceFile::new("written.yaml", text.as_str()), &profile);
        let again = again.expect("a written table is good");
        let bits = |table: &table::ProbabilityTable| -> Vec<(PhaseKey, Vec<(OpId, u64)>)> {
            let bits = |masses: &[(OpId, f64)]| masses.iter().map(|(op, mass)| (*op, mass.to_bits())).collect();
            table.entries.iter().map(|(key, masses)| (*key, bits(masses))).collect()
        };
        prop_assert_eq!(bits(&again), bits(&table));
    }
}

/// The good profile with a section replaced.
fn with_section(section: &str, content: &str) -> SourceFile {
    let mut text = String::new();
    let mut inside = false;
    for line in good_text().lines() {
        if !line.starts_with(' ') && !line.is_empty() {
            inside = line.starts_with(&format!("{section}:"));
        }
        if !inside {
            let _ = writeln!(text, "{line}");
        }
    }
    let _ = writeln!(text, "{section}:\n{content}");
    SourceFile::new("large.yaml", text)
}

fn codes(source: &SourceFile) -> Vec<&'static str> {
    read(source, ReadOptions::default()).1.iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn more_of_anything_than_a_profile_holds_is_an_error() {
    let mut bases = String::new();
    for number in 0..=limits::MAX_BASES {
        let _ = writeln!(
            bases,
            "  B{number}: {{scope: NONE, affect_state: false, instant_resv: false, states: [ISSUE: ]}}"
        );
    }
    assert!(codes(&with_section("op_bases", &bases)).contains(&"too-many-bases"));
    let mut groups = String::from("  on_busy: [ERASE, READ]\n  nothing:\n");
    for number in 0..limits::MAX_GROUPS {
        let _ = writeln!(groups, "  g{number}: []");
    }
    assert_eq!(codes(&with_section("exclusion_groups", &groups)), ["too-many-groups"]);
    let mut ops =
        String::from("  Read_SLC: &r {base: READ, celltype: SLC, durations: {ISSUE: 1, CORE_BUSY: 1, DOUT: 1}}\n");
    ops.push_str("  Data_Out: *r\n");
    for number in 0..limits::MAX_OPS {
        let _ = writeln!(ops, "  o{number}: *r");
    }
    assert_eq!(codes(&with_section("op_names", &ops)), ["too-many-ops"]);
}

#[test]
fn names_that_need_quotes_survive_in_a_written_table() {
    let odd = "\"- a: [b] # \\\"c\\\" é\"";
    let source = with_section("op_names", &format!("  {odd}: {{base: DOUT, celltype: NONE, durations: {{ISSUE: 1}}}}"));
    let text: String = source
        .text
        .replace("    name_weights: {DOUT: {Data_Out: 1}}\n", "")
        .replace("  opcode_map: {Read_SLC: 17}\n", "")
        .replace(", Read_SLC: 0.2", "");
    let profile = read(&SourceFile::new("odd.yaml", text), ReadOptions::default()).0.expect("a good profile");
    let table = table::ProbabilityTable {
        entries: vec![(PhaseKey::DEFAULT, vec![(OpId(0), 0.25)]), (PhaseKey(1), Vec::new())],
    };
    let text = table::write(&table, &profile);
    assert_eq!(table::read(&SourceFile::new("t.yaml", text), &profile).0, Some(table));
}

#[test]
fn a_file_of_nothing_but_mistakes_is_read_in_linear_time() {
    let mut probs = String::from("  READ:\n    sequence:\n      probs:\n");
    for number in 0..200_000 {
        let _ = writeln!(probs, "        - nonsense_{number}: 1");
    }
    let started = std::time::Instant::now();
    let (profile, diagnostics) = read(&with_section("op_bases", &probs), ReadOptions::default());
    assert!(profile.is_none() && diagnostics.len() > 200_000);
    // A quadratic reader takes minutes.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
