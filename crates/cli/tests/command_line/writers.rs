//! One writer at a time: a folder that another program is writing into is named and refused, and nothing is changed.
#![cfg(unix)]

use std::fs::{self, File};

use crate::runner::{Folder, files_below};

fn batch<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let flags = ["-t", "300", "-n", "2", "--site-count", "3", "--stamp", "261121", "--out-dir", out];
    [&flags[..], more].concat()
}

/// What another program at work would hold.
fn held(folder: &Folder, path: &str) -> File {
    let file = File::open(folder.path().join(path)).unwrap();
    file.lock().unwrap();
    file
}

/// Runs the program, which must find a folder busy and change nothing.
fn busy(folder: &Folder, arguments: &[&str], code: i32, expected: &str) {
    let text = folder.refuse(arguments);
    assert!(text.starts_with(&format!("exit code {code}\n")) && text.contains(expected), "{arguments:?}: {text}");
}

#[test]
fn a_later_site_that_is_busy_costs_earlier_ones_nothing() {
    let folder = Folder::new();
    folder.succeed(&batch("out", &[]));
    // What sweeping would take away.
    let folder = folder.with("out/site_01/.manifest.json.nandseqgen-abcdef", "half");
    let _held = held(&folder, "out/site_03");
    let expected = "cannot write `out/site_03`: another nandseqgen is writing into it\n  help: wait until the other program is done, or choose another folder with --out-dir\n";
    for more in [&[][..], &["--resume", "out"], &["--sites", "1-3"], &["--shard", "1/1"], &["--jobs", "1"]] {
        busy(&folder, &batch("out", more), 3, expected);
    }
    // Sites that are free can be made.
    folder.succeed(&batch("out", &["--sites", "1-2"]));
}

/// Two halves of a batch in folders of their own.
fn halves() -> Folder {
    let folder = Folder::new();
    folder.succeed(&batch("a", &["--sites", "1-2"]));
    folder.succeed(&batch("b", &["--sites", "3"]));
    folder
}

#[test]
fn parts_are_not_joined_while_somebody_writes_into_them() {
    let folder = halves();
    let merge = ["merge", "a", "b", "--into", "joint"];
    for place in ["b", "a/site_02", "b/site_03"] {
        let other = held(&folder, place);
        let expected = format!(
            "cannot read the folder `{place}`: another nandseqgen is writing into it\n  help: wait until it is done, and merge then\n"
        );
        busy(&folder, &merge, 2, &expected);
        drop(other);
    }
    // A shard shares its folder with other shards, not with who joins them.
    let shard = File::open(folder.path().join("a")).unwrap();
    shard.lock_shared().unwrap();
    busy(&folder, &merge, 2, "cannot read the folder `a`: another nandseqgen is writing into it\n");
    assert!(!folder.path().join("joint").exists());
    drop(shard);
    folder.succeed(&merge);
}

#[test]
fn what_is_joined_is_not_written_where_somebody_else_writes() {
    let folder = halves();
    for place in ["joint", "joint/site_01", "joint/site_03"] {
        fs::create_dir_all(folder.path().join(place)).unwrap();
        let _held = held(&folder, place);
        let expected = format!(
            "cannot write `{place}`: another nandseqgen is writing into it\n  help: wait until the other program is done, or choose another folder with --into\n"
        );
        busy(&folder, &["merge", "a", "b", "--into", "joint"], 3, &expected);
    }
    // Into one of the parts, and into a folder that is not there yet, nor those above it.
    let whole = Folder::new();
    whole.succeed(&batch("out", &[]));
    for place in ["new/folders/joint", "b"] {
        folder.succeed(&["merge", "a", "b", "--into", place]);
        assert!(files_below(&folder.path().join(place)) == files_below(&whole.path().join("out")), "{place}");
    }
}

#[test]
fn the_flag_that_chooses_another_place_is_named() {
    let folder = halves().with("taken", "");
    folder.succeed(&batch("b", &["--sites", "1-3"]));
    for (arguments, place) in [
        (&["--out-dir", "taken/out", "-t", "300"][..], "folder with --out-dir"),
        (&["merge", "b", "--into", "taken/joint"], "folder with --into"),
        (&["replay", "b", "--work-dir", "taken", "--quiet"], "folder with --work-dir"),
        (&["export", "b", "--to", "vcd", "--output", "taken/t.vcd"], "file with --output"),
    ] {
        let text = folder.refuse(arguments);
        let expected = format!("help: a file is where a folder is needed; choose another {place}\n");
        assert!(text.starts_with("exit code 3\n") && text.ends_with(&expected), "{text}");
    }
}
