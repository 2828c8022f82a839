//! The examples of CONTRIBUTING.md add operations to a profile. The operations are generated and judged.

use std::fs;
use std::path::Path;

use nandseq_profile::builtin;
use nandseq_profile::model::Effect;

use crate::runner::Folder;

/// The YAML examples of CONTRIBUTING.md, in order.
fn examples() -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../CONTRIBUTING.md");
    let text = fs::read_to_string(page).unwrap();
    text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// Generates from a profile, judges the result, and returns op names and payloads in order.
fn generated(profile: &str) -> Vec<(String, String)> {
    let (full, one_plane) = ("topology: {dies: 2, planes: 4,", "topology: {dies: 1, planes: 1,");
    assert!(profile.contains(full));
    let folder = Folder::new().with("device.yaml", profile).with("small.yaml", profile.replace(full, one_plane));
    // The check looks at all that a device can reach, which is least with one plane.
    folder.succeed(&["profile", "check", "small.yaml"]);
    folder.succeed(&["--config", "device.yaml", "--ops", "20000", "--stamp", "261121", "--quiet"]);
    folder.succeed(&["verify", "--config", "device.yaml", "out"]);
    let sequence = fs::read(folder.path().join("out/operation_sequence_261121_0000001.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(sequence.as_slice());
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| (row[3].to_owned(), row[5].to_owned())).collect()
}

fn does(op: &str, effect: Effect) -> bool {
    let profile = builtin::profile();
    profile.ops.iter().any(|known| known.name == op && profile.bases[known.base].has(effect))
}

#[test]
fn a_stranger_adds_an_operation_by_one_stanza() {
    let stanza = &examples()[0];
    let text = builtin::text();
    assert_eq!(text.matches("\nops:\n").count(), 1);
    let profile = text.replace("\nops:\n", &format!("\nops:\n{stanza}"));
    assert_eq!(profile.len(), text.len() + stanza.len());
    let rows = generated(&profile);
    for name in ["Read_Retry_SLC", "Read_Retry_LSB", "Read_Retry_CSB"] {
        let reads: Vec<usize> = (0..rows.len()).filter(|&at| rows[at].0 == name).collect();
        assert!(reads.len() >= 5, "{name} was generated {} times", reads.len());
        let mut put_out = 0;
        for &at in &reads {
            // A reset of the die is the only other end that a read's data may come to.
            let end = rows[at..].iter().find(|(op, payload)| {
                let die = payload.split(',').next().unwrap().trim_end_matches("}]");
                let reset = does(op, Effect::ResetDie) && rows[at].1.starts_with(die);
                reset || (does(op, Effect::DataOut) && *payload == rows[at].1)
            });
            let (op, _) = end.unwrap_or_else(|| panic!("the data of {} is never put out", rows[at].1));
            put_out += usize::from(does(op, Effect::DataOut));
        }
        assert!(put_out > reads.len() / 2, "only the data of {put_out} of {} reads was put out", reads.len());
    }
}

#[test]
fn a_stranger_adds_a_behaviour() {
    let mut profile = builtin::text().to_owned();
    let mut section = String::new();
    for line in examples()[1].lines() {
        if line.ends_with(':') {
            section = format!("\n{line}\n");
        } else {
            assert_eq!(profile.matches(&section).count(), 1, "{section}");
            profile = profile.replace(&section, &format!("{section}{line}\n"));
        }
    }
    let count = generated(&profile).iter().filter(|(op, _)| op == "Read_Unique_ID").count();
    assert!(count >= 20, "generated {count} times");
}
