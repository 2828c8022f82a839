//! Runs that go on in another folder than their first ones, and output folders that are links.

use std::fs;

use crate::runner::Folder;

/// A batch in `a` whose later runs are in `b`.
fn gone_on() -> Folder {
    let folder = Folder::new();
    let batch = ["--ops", "60", "--site-count", "2", "--stamp", "261121", "-q"];
    folder.succeed(&[&batch[..], &["-n", "2", "--out-dir", "a"]].concat());
    folder.succeed(&[&batch[..], &["-n", "4", "--resume", "a", "--out-dir", "b"]].concat());
    folder
}

#[test]
fn a_batch_that_goes_on_in_another_folder_is_finished_there() {
    let folder = gone_on();
    for reader in [
        &["report", "b"][..],
        &["export", "b", "--to", "vcd"],
        &["coverage", "report", "b"],
        &["verify", "a", "b"],
        &["replay", "b"],
    ] {
        let told = String::from_utf8(folder.succeed(reader).stderr).unwrap();
        assert!(!told.contains("not finished"), "{reader:?}: {told}");
    }
    let told = folder.run(&["verify", "b"]);
    assert_eq!(told.status.code(), Some(2));
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(told.starts_with("error: run 3 in `b/site_01` goes on from a state that is not there: "), "{told}");
}

#[test]
fn a_batch_that_lacks_later_runs_is_unfinished_wherever_it_goes_on() {
    let folder = gone_on();
    let path = folder.path().join("b/manifest.json");
    let longer =
        fs::read_to_string(&path).unwrap().replace("\"--num-runs\",\n      \"4\"", "\"--num-runs\",\n      \"5\"");
    assert!(longer.contains("\"5\""), "{longer}");
    let folder = folder.with("b/manifest.json", longer);
    let told = String::from_utf8(folder.succeed(&["report", "b"]).stderr).unwrap();
    assert!(told.contains("warning: `b` is not finished: sites 1-2 lack runs; to go on"), "{told}");
}

#[test]
fn a_merge_of_runs_without_their_first_ones_is_refused() {
    let folder = gone_on();
    for merge in [&["merge", "b"][..], &["merge", "a", "b", "--into", "c"], &["merge", "b", "--into", "c"]] {
        assert_eq!(
            folder.refuse(merge),
            "exit code 2\n\
             error: the runs before run 3 of sites 1-2 are not in `b`: they are in the folder that it goes on from\n  \
             help: a merge joins whole sites: make the later runs in that folder too, with --resume and --out-dir both naming it\n",
            "{merge:?}"
        );
    }
}

#[test]
fn the_first_runs_and_later_ones_in_one_folder_are_what_the_message_of_merge_advises() {
    let folder = gone_on();
    let batch = ["--ops", "60", "--site-count", "2", "--stamp", "261121", "-q", "-n", "4"];
    folder.succeed(&[&batch[..], &["--resume", "a", "--out-dir", "a"]].concat());
    folder.succeed(&["merge", "a", "--into", "c"]);
    folder.succeed(&["verify", "c"]);
}

#[cfg(unix)]
#[test]
fn an_output_folder_may_be_a_link_to_a_folder_that_is_not_there_yet() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    let path = |name: &str| folder.path().join(name);
    symlink("disk/new", path("out")).unwrap();
    let list = "campaigns:\n  - {ops: 20, out_dir: out/listed}\n";
    folder.succeed(&["--ops", "20", "--site-count", "2", "-q", "--out-dir", "out"]);
    assert!(path("out").is_symlink() && path("disk/new/site_02/manifest.json").is_file());
    folder.succeed(&["verify", "out"]);
    symlink("disk/joined", path("joined")).unwrap();
    folder.succeed(&["merge", "out", "--into", "joined"]);
    assert!(path("disk/joined/manifest.json").is_file());
    fs::remove_file(path("out")).unwrap();
    symlink("disk/other", path("out")).unwrap();
    fs::write(path("list.yaml"), list).unwrap();
    folder.succeed(&["run-list", "list.yaml"]);
    assert!(path("disk/other/listed/manifest.json").is_file());
}

#[cfg(unix)]
#[test]
fn a_link_in_a_circle_and_a_link_of_a_site_to_nothing_are_refused() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    let path = |name: &str| folder.path().join(name);
    let refused = |arguments: &[&str]| {
        let output = folder.run(arguments);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    symlink("circle", path("circle")).unwrap();
    let (code, told) = refused(&["--ops", "20", "--out-dir", "circle"]);
    assert_eq!(code, Some(3), "{told}");
    assert!(told.starts_with("error: cannot write `circle`: its links lead in a circle, or are too many\n  help: choose another folder with --out-dir\n"), "{told}");
    fs::create_dir(path("out")).unwrap();
    symlink("../elsewhere", path("out/site_02")).unwrap();
    let told = "error: `out/site_02` is a link to nothing\n  help: remove the link, or choose another folder\n";
    let batch = ["--ops", "20", "--site-count", "2", "--out-dir", "out"];
    assert_eq!(refused(&batch), (Some(2), told.to_owned()));
    assert!(!path("elsewhere").exists());
}
