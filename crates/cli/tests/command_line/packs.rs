//! `--pack`: the files of runs in archives are the files of runs, for whatever writes, resumes, judges or joins them, in every form of the
//! tables.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use nandseq_input::archive;
use nandseq_trace::{manifest, pack};
use rawzip::ZipArchiveWriter;

use crate::runner::{Folder, checked_manifest, forms};

const FIRST: &str = "out/pack_261121_0000001.zip";
const SECOND: &str = "out/pack_261121_0000004.zip";

fn with<'a>(runs: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["-t", "700", "--seed", "9", "--stamp", "261121", "--quiet", "-n", runs][..], more].concat()
}

fn made(runs: &str, more: &[&str]) -> Folder {
    let folder = Folder::new();
    folder.succeed(&with(runs, more));
    folder
}

fn made_with_seed(seed: &str, runs: &str) -> Folder {
    let folder = Folder::new();
    folder.succeed(&["-t", "700", "--seed", seed, "--stamp", "261121", "--quiet", "-n", runs]);
    folder
}

/// The members of an archive by their names.
fn members(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let member = |name: String| {
        let mut bytes = Vec::new();
        archive::open(&path.join(&name)).unwrap().read_to_end(&mut bytes).unwrap();
        (name, bytes)
    };
    archive::members(path).unwrap().into_iter().map(member).collect()
}

/// The flags for each form of the tables.
fn each_form() -> impl Iterator<Item = Vec<String>> {
    forms().into_iter().map(|form| vec!["--format".to_owned(), form])
}

fn strings(flags: &[String]) -> Vec<&str> {
    flags.iter().map(String::as_str).collect()
}

/// The files of a folder without manifests, with the members of archives in their places.
fn unpacked(folder: &Folder) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for (name, bytes) in folder.files() {
        if pack::is_archive(Path::new(&name)) {
            let place = pack::site_folder(Path::new(&name)).to_str().unwrap().to_owned();
            let members = members(&folder.path().join(&name)).into_iter();
            all.extend(members.map(|(member, bytes)| (format!("{place}/{member}"), bytes)));
        } else if !name.ends_with(manifest::FILE_NAME) {
            all.insert(name, bytes);
        }
    }
    all
}

/// Writes an archive of these members, as they are.
fn write(path: &Path, members: &BTreeMap<String, Vec<u8>>) {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (name, bytes) in members {
        // A name that leads out of the archive is written as other tools would write it.
        let (mut entry, config) = archive.new_file(name.replace("..", "xx")).start().unwrap();
        let mut data = config.wrap(&mut entry);
        std::io::Write::write_all(&mut data, bytes).unwrap();
        let (_, about) = data.finish().unwrap();
        entry.finish(about).unwrap();
    }
    let bytes = archive.finish().unwrap();
    let named = String::from_utf8_lossy(&bytes).contains("xx/");
    let text: Vec<u8> = if named { replaced(&bytes, b"xx/", b"../") } else { bytes };
    fs::write(path, text).unwrap();
}

fn replaced(bytes: &[u8], from: &[u8; 3], to: &[u8; 3]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    while let Some(at) = bytes.windows(3).position(|part| part == from) {
        bytes[at..at + 3].copy_from_slice(to);
    }
    bytes
}

/// What the program says of `out`, and its exit code.
fn said(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String) {
    let output = folder.run(arguments);
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn the_members_of_packs_are_the_files_that_runs_have_without_them() {
    for form in each_form() {
        for more in [&[][..], &["--site-count", "2"], &["--outputs", "operation_sequence,snapshot"]] {
            let more = [&strings(&form), more].concat();
            let plain = made("7", &more);
            for size in ["1", "3", "7", "100"] {
                let packed = made("7", &[&more[..], &["--pack", size]].concat());
                assert!(unpacked(&plain) == unpacked(&packed), "{more:?} {size}");
            }
        }
    }
    let packed = made("7", &["--pack", "3"]);
    let names: Vec<String> = packed.files().into_keys().collect();
    assert_eq!(names, ["out/manifest.json", FIRST, SECOND, "out/pack_261121_0000007.zip"]);
    let manifest = checked_manifest(&packed.path().join("out"));
    let packs: Vec<_> = manifest.runs.iter().map(|run| run.pack.first().map(|pack| pack.file.as_str())).collect();
    let [one, two, three] = [FIRST, SECOND, &*names[3]].map(|name| name.strip_prefix("out/"));
    assert_eq!(packs, [None, None, one, None, None, two, three]);
}

#[test]
fn python_reads_the_members_of_packs() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/check-packs");
    let flags = ["--site-count", "2", "--expect", "data"];
    let (plain, packed) = (made("5", &flags), made("5", &[&flags[..], &["--pack", "2"]].concat()));
    let folders = [&packed, &plain].map(|folder| folder.path().join("out"));
    let Ok(output) = Command::new("python3").arg(script).args(folders).output() else {
        #[expect(clippy::print_stderr, reason = "says that nothing was tested")]
        {
            eprintln!("skipped: there is no python3");
        }
        return;
    };
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    assert_eq!(String::from_utf8(said).unwrap(), "80 members are the files\n");
}

#[test]
fn packs_are_the_same_with_any_number_of_jobs_and_in_shards() {
    let batch = ["--site-count", "3", "--pack", "2"];
    let damaged = ["one/site_01/pack_261121_0000003.zip", "one/site=01/pack=0000003/op_state_timeline.parquet"];
    for (form, damaged) in each_form().zip(damaged) {
        let batch = [&batch[..], &strings(&form)].concat();
        let whole = made("5", &batch).files();
        for jobs in ["1", "2", "7"] {
            assert!(made("5", &[&batch[..], &["--jobs", jobs]].concat()).files() == whole, "{jobs}");
        }
        let folder = Folder::new();
        for (shard, out) in [("1/2", "one"), ("2/2", "two")] {
            folder.succeed(&with("5", &[&batch[..], &["--shard", shard, "--out-dir", out]].concat()));
        }
        folder.succeed(&["merge", "one", "two", "--into", "out"]);
        let joined: BTreeMap<_, _> = folder.files().into_iter().filter(|(name, _)| name.starts_with("out/")).collect();
        assert!(joined == whole);
        // A damaged pack is not joined.
        fs::write(folder.path().join(damaged), "cut").unwrap();
        fs::remove_dir_all(folder.path().join("out")).unwrap();
        let text = folder.refuse(&["merge", "one", "two", "--into", "out"]);
        assert!(text.contains(&format!("`{damaged}` was changed since it was written")), "{text}");
    }
    // Nor are packs of other sizes, or runs without packs.
    for other in [&["--pack", "3"][..], &[]] {
        let folder = Folder::new();
        folder.succeed(&with("5", &[&batch[..], &["--shard", "1/2", "--out-dir", "one"]].concat()));
        let two = [&["--site-count", "3", "--shard", "2/2", "--out-dir", "two"][..], other].concat();
        folder.succeed(&with("5", &two));
        let text = folder.refuse(&["merge", "one", "two", "--into", "out"]);
        assert!(text.contains("are of different batches"), "{text}");
    }
}

#[test]
fn stopped_anywhere_the_packs_are_those_of_one_execution() {
    for form in each_form() {
        for size in ["1", "2", "3", "5"] {
            let pack = [&["--pack", size], &strings(&form)[..]].concat();
            let whole = made("7", &pack).files();
            let split = Folder::new();
            for runs in 1..=7 {
                split.succeed(&with(&runs.to_string(), &[&pack[..], &["--resume", "out"]].concat()));
            }
            assert!(split.files() == whole, "{form:?} {size}");
        }
    }
    let folder = made("5", &["--pack", "3"]);
    let (_, text) = said(&folder, &with("8", &["--pack", "3", "--resume", "out"]));
    assert!(text.contains("runs 4 to 5 are made again in `out`: more runs go into the same pack"), "{text}");
    assert!(folder.files() == made("8", &["--pack", "3"]).files());
}

#[test]
fn a_pack_that_is_gone_is_made_again() {
    for (gone, name) in [(FIRST, "pack_261121_0000001.zip"), (SECOND, "pack_261121_0000004.zip")] {
        let folder = made("7", &["--pack", "3"]);
        let whole = folder.files();
        fs::remove_file(folder.path().join(gone)).unwrap();
        let (code, text) = said(&folder, &with("7", &["--pack", "3", "--resume", "out"]));
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains(&format!("lacks `{name}` of what its manifest lists: runs ")), "{text}");
        assert!(folder.files() == whole, "{gone}");
    }
}

#[test]
fn packs_of_another_size_or_form_are_another_campaign() {
    let folder = made("5", &["--pack", "3"]);
    for (other, said) in [
        (&["--pack", "2"][..], "they were made with `--pack 3`, and this command makes runs with `--pack 2`"),
        (&[], "they were made with `--pack 3`, and this command makes runs without --pack"),
    ] {
        let text = folder.refuse(&with("7", &[other, &["--resume", "out"]].concat()));
        assert!(text.contains(said), "{text}");
    }
    let text = folder.refuse(&with("7", &["--pack", "0"]));
    assert!(text.contains("'0' for '--pack <N>': not a whole number from 1 to 9999999"), "{text}");
    if cfg!(feature = "parquet") {
        let text = folder.refuse(&with("7", &["--pack", "3", "--format", "parquet", "--resume", "out"]));
        assert!(text.contains("--format"), "{text}");
    }
}

#[test]
fn packs_are_read_as_the_files_in_them() {
    let (plain, packed) = (made("5", &[]), made("5", &["--pack", "2"]));
    for arguments in [
        &["verify", "out"][..],
        &["verify", "out", "--format", "json"],
        &["coverage", "report", "out"],
        &["coverage", "report", "out", "--format", "json"],
        &["export", "out", "--to", "vcd", "-o", "out.vcd"],
        &["report", "out", "-o", "out.html"],
        &["replay", "out"],
        &["replay", "out", "--run", "4"],
    ] {
        let [(code, expected), (same, text)] = [&plain, &packed].map(|folder| said(folder, arguments));
        let without_packs = ["1", "3", "5"]
            .into_iter()
            .fold(text, |text, first| text.replace(&format!("pack_261121_000000{first}.zip/"), ""));
        if arguments[0] != "report" {
            assert_eq!(without_packs, expected, "{arguments:?}");
        }
        assert_eq!((same, code), (Some(0), Some(0)), "{arguments:?}: {expected}");
    }
    let files = [plain.files(), packed.files()];
    assert!(files[0]["out.vcd"] == files[1]["out.vcd"]);
    // By the archive, and by a member.
    let (_, text) = said(&packed, &["verify", "out/pack_261121_0000001.zip"]);
    assert!(text.contains("in 2 files of 1 site: no rule broken."), "{text}");
    let second = "out/pack_261121_0000001.zip/operation_sequence_261121_0000002.csv";
    let (code, text) = said(&packed, &["verify", second]);
    assert_eq!(code, Some(0), "{text}");
    // From a snapshot in a pack.
    let snapshot = "out/pack_261121_0000003.zip/snapshots/state_snapshot_20261121_000000_0000004.json";
    packed.succeed(&with("5", &["--resume", snapshot, "--out-dir", "on", "--pack", "2"]));
    let on = members(&packed.path().join("on/pack_261121_0000005.zip"));
    assert!(on == members(&packed.path().join("out/pack_261121_0000005.zip")));
}

#[test]
fn damage_in_a_pack_is_found_with_its_member_and_row() {
    let folder = made("5", &["--pack", "3"]);
    let path = folder.path().join(SECOND);
    let whole = fs::read(&path).unwrap();
    let member = "operation_sequence_261121_0000005.csv";
    // A row is missing, in an archive that is sound.
    let mut changed = members(&path);
    let rows = String::from_utf8(changed[member].clone()).unwrap();
    let without: Vec<&str> = rows.lines().enumerate().filter(|(line, _)| *line != 4).map(|(_, row)| row).collect();
    changed.insert(member.to_owned(), (without.join("\n") + "\n").into_bytes());
    write(&path, &changed);
    let (code, text) = said(&folder, &["verify", "out"]);
    assert_eq!(code, Some(1));
    assert!(text.contains(&format!("{SECOND}/{member}:5  ")), "{text}");
    assert!(text.contains(&format!("{SECOND}/{member}: changed since it was written")), "{text}");
    assert!(text.contains(&format!("{SECOND}: changed since it was written")), "{text}");
    let (code, text) = said(&folder, &["replay", "out"]);
    assert_eq!(code, Some(1));
    assert!(text.contains(&format!("`{SECOND}/{member}` was changed: row 4 is `5,")), "{text}");
    let (_, text) = said(&folder, &["report", "out", "-o", "out.html"]);
    assert!(text.contains(&format!("`{SECOND}/{member}`: changed since it was written")), "{text}");
    // Bytes are damaged.
    let mut noisy = whole.clone();
    let at = noisy.windows(member.len()).position(|part| part == member.as_bytes()).unwrap() + member.len() + 40;
    noisy[at] ^= 0x55;
    fs::write(&path, &noisy).unwrap();
    let (code, text) = said(&folder, &["verify", "out"]);
    assert_eq!(code, Some(1));
    assert!(text.contains(&format!("{SECOND}/{member}: cannot be read: it is damaged: ")), "{text}");
    // It is cut: said once, of the archive.
    for length in [0, 1, 100, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let (code, text) = said(&folder, &["verify", "out"]);
        assert_eq!(code, Some(1), "{length}: {text}");
        let expected = format!("{SECOND}: cannot be read: it is no ZIP archive, or it was cut or damaged");
        assert_eq!((text.matches(&expected).count(), text.contains("0000004.zip/")), (1, false), "{length}: {text}");
    }
    fs::remove_file(&path).unwrap();
    let (code, text) = said(&folder, &["verify", "out"]);
    assert_eq!((code, text.matches("listed in the manifest, but not there").count()), (Some(1), 1), "{text}");
}

#[test]
fn names_that_lead_out_of_a_pack_and_members_of_others_are_not_read() {
    let folder = made("3", &["--pack", "3"]);
    let path = folder.path().join(FIRST);
    let sound = members(&path);
    for name in ["../evil.csv", "a/../../evil.csv"] {
        let mut bad = sound.clone();
        bad.insert(name.to_owned(), b"seq\n".to_vec());
        write(&path, &bad);
        let (code, text) = said(&folder, &["verify", "out"]);
        assert_eq!(code, Some(1));
        let expected =
            format!("a member of the archive has a name that leads out of it, so nothing of it is read: `{name}`");
        assert!(text.contains(&expected), "{text}");
        assert!(folder.files().keys().all(|name| !name.contains("evil")));
    }
    // A run of another campaign is left out, as a file in the folder would be.
    let mut more = sound;
    let other = made_with_seed("10", "4").files();
    let name = "operation_sequence_261121_0000004.csv";
    more.insert(name.to_owned(), other[&format!("out/{name}")].clone());
    write(&path, &more);
    let (code, text) = said(&folder, &["verify", "out"]);
    assert_eq!(code, Some(1));
    assert!(text.contains(&format!("`{FIRST}/{name}` is not in the manifest and was left out")), "{text}");
    // Without a manifest, the pack is what it holds.
    fs::remove_file(folder.path().join("out/manifest.json")).unwrap();
    let (_, text) = said(&folder, &["verify", "out"]);
    assert!(text.contains(" in 4 files of 1 site"), "{text}");
}

#[test]
fn packs_of_earlier_campaigns_are_named_and_removed_with_clean() {
    let folder = made("5", &["--pack", "2"]);
    let (_, text) = said(&folder, &["-t", "700", "--seed", "8", "--stamp", "261121", "-n", "3", "--pack", "2"]);
    assert!(text.contains("pack_261121_0000005.zip"), "{text}");
    assert!(
        text.contains("will be replaced: pack_261121_0000001.zip") || text.contains("`pack_261121_0000001.zip`"),
        "{text}"
    );
    folder.succeed(&with("3", &["--clean"]));
    assert!(folder.files() == made("3", &[]).files());
}

#[test]
fn a_dry_run_counts_packs() {
    let folder = Folder::new();
    let output = folder.succeed(&with("7", &["--site-count", "2", "--pack", "3", "--dry-run"]));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("8 files of each run") && text.contains(", in 6 packs, and 3 manifests"), "{text}");
    assert!(folder.files().is_empty());
    folder.succeed(&with("4", &["--pack", "3"]));
    let output = folder.succeed(&with("7", &["--pack", "3", "--dry-run", "--resume", "out"]));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("3 runs are there already, 4 to make") || text.contains("3 runs  are there"), "{text}");
    assert!(text.contains(", in 2 packs, and 1 manifest"), "{text}");
    if cfg!(feature = "parquet") {
        let output = Folder::new().succeed(&with("7", &["--pack", "3", "--dry-run", "--format", "parquet"]));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(", in 3 packs of 7 files each, and 1 manifest"), "{text}");
    }
}
