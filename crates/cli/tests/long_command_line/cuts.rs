//! `report` and `export` of a part of the runs: some sites, some runs, some time.

use std::collections::BTreeSet;
use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use crate::runner::Folder;

/// Three sites of three runs of 2 ms.
fn made(form: &str) -> Folder {
    let folder = Folder::new();
    let flags = ["-t", "2000", "-n", "3", "--site-count", "3", "--seed", "3", "--stamp", "261122", "--quiet"];
    folder.succeed(&[&flags[..], &["--site-dir-pattern", "site={site_id:02d}", "--format", form]].concat());
    folder
}

/// The data of the page of a part.
fn page(folder: &Folder, part: &[&str]) -> Value {
    folder.succeed(&[&["report", "out", "-o", "page.html"], part].concat());
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    let (_, data) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap()
}

/// The names of sites, their runs, and the operations of each.
fn runs(data: &Value) -> Vec<(String, u64, u64)> {
    let of_site = |site: &Value| {
        let name = site["name"].as_str().unwrap().to_owned();
        let runs = site["runs"].as_array().unwrap().clone();
        runs.into_iter()
            .map(move |run| (name.clone(), run["run"].as_u64().unwrap(), run["operations"].as_u64().unwrap()))
    };
    data["sites"].as_array().unwrap().iter().flat_map(of_site).collect()
}

/// The built-in device with times in the sequence that are a thousandth.
fn scaled() -> String {
    let text = nandseq_profile::builtin::text();
    let (scale, decimals) = ("time_scale: 1", "round_decimals: 3");
    assert!(text.contains(scale) && text.contains(decimals));
    text.replace(scale, "time_scale: 0.001").replace(decimals, "round_decimals: 6")
}

#[test]
fn a_part_of_a_time_is_the_same_in_sequences_of_any_scale() {
    let plain = made("csv");
    let folder = Folder::new().with("device.yaml", scaled());
    let flags = ["-t", "2000", "-n", "3", "--site-count", "3", "--seed", "3", "--stamp", "261122", "--quiet"];
    let pattern = ["--site-dir-pattern", "site={site_id:02d}", "--config", "device.yaml"];
    folder.succeed(&[&flags[..], &pattern].concat());
    let part = ["--from", "2500", "--to", "3500"];
    let (plain, scaled) = (runs(&page(&plain, &part)), runs(&page(&folder, &part)));
    assert!(plain == scaled && plain.iter().any(|(_, _, operations)| *operations > 0), "{plain:?} {scaled:?}");
}

/// Operations of a site's run whose time is in a range, in ns.
fn started(folder: &Folder, run: u64, from: f64, to: f64) -> u64 {
    let name = format!("out/site=02/operation_sequence_261122_{run:07}.csv");
    let mut table = csv::Reader::from_path(folder.path().join(name)).unwrap();
    let times = table.records().map(|row| row.unwrap()[1].parse::<f64>().unwrap());
    times.filter(|time| (from..to).contains(time)).count() as u64
}

#[test]
fn a_page_of_some_sites_and_runs_holds_these() {
    let folder = made("csv");
    let all = page(&folder, &[]);
    assert_eq!((runs(&all).len(), all["cut"].as_str()), (9, Some("")));
    let some = page(&folder, &["--site", "2-3", "--run", "1,3"]);
    let names: Vec<(String, u64)> = runs(&some).into_iter().map(|(site, run, _)| (site, run)).collect();
    let expected = ["site=02", "site=03"].map(|site| [1, 3].map(|run| (site.to_owned(), run)));
    assert_eq!(names, expected.concat());
    assert_eq!(some["cut"], "This is a part: sites 2-3, runs 1,3.");
    let whole: BTreeSet<_> = runs(&all).into_iter().collect();
    assert!(runs(&some).into_iter().all(|run| whole.contains(&run)));
    // What counts of coverage are those of the part.
    assert_ne!(some["figures"], all["figures"]);
}

#[test]
fn a_page_of_some_time_holds_what_goes_on_in_it() {
    let folder = made("csv");
    let window = ["--site", "2", "--from", "500", "--to", "1500.5"];
    let some = page(&folder, &window);
    let expected = started(&folder, 1, 500.0, 1500.5);
    assert!(expected > 0 && expected < started(&folder, 1, 0.0, 1e9));
    assert_eq!(runs(&some), [("site=02".to_owned(), 1, expected)]);
    let cut = some["cut"].as_str().unwrap();
    assert!(cut.starts_with("This is a part: site 2, what goes on from 500 µs and before 1500.5 µs. "), "{cut}");
    // Half of it each.
    let halves = ["--to", "--from"].map(|end| {
        let data = page(&folder, &["--site", "2", end, "1200"]);
        runs(&data).into_iter().map(|(_, _, operations)| operations).sum::<u64>()
    });
    let all = (1..=3).map(|run| started(&folder, run, 0.0, 1e9)).sum::<u64>();
    assert_eq!(halves.iter().sum::<u64>(), all);
    assert!(halves.iter().all(|&half| half > 0));
}

#[test]
fn exports_of_a_part_hold_its_rows_alone() {
    let folder = made("csv");
    let vcd = |part: &[&str]| {
        folder.succeed(&[&["export", "out", "--format", "vcd", "-o", "t.vcd"], part].concat());
        let text = fs::read_to_string(folder.path().join("t.vcd")).unwrap();
        let times = text.lines().filter_map(|line| line.strip_prefix('#')?.parse::<u64>().ok()).collect::<Vec<_>>();
        (text, times)
    };
    let (all, _) = vcd(&[]);
    assert_eq!(all.matches("$scope").count(), 3);
    let (one, times) = vcd(&["--site", "3", "--from", "1000", "--to", "1400"]);
    assert!(one.matches("$scope").count() == 1 && one.contains("site_03"), "{one}");
    let spans = ["operation_timeline", "op_state_timeline"].map(|table| {
        let table = folder.path().join(format!("out/site=03/{table}_261122_0000001.csv"));
        let rows: Vec<csv::StringRecord> =
            csv::Reader::from_path(table).unwrap().into_records().map(Result::unwrap).collect();
        rows.iter().map(|row| [0, 1].map(|at| row[at].parse::<f64>().unwrap())).collect::<Vec<_>>()
    });
    let spans: Vec<[f64; 2]> =
        spans.concat().into_iter().filter(|[start, end]| *start < 1400.0 && *end > 1000.0).collect();
    let first = spans.iter().map(|[start, _]| *start).fold(f64::MAX, f64::min);
    let last = spans.iter().map(|[_, end]| *end).fold(0.0, f64::max);
    let in_us: Vec<f64> = times.iter().map(|&time| time as f64 / 1e6).filter(|&time| time > 0.0).collect();
    assert!((in_us[0] - first).abs() < 1e-3, "{in_us:?} {first}");
    assert!(in_us.len() > 2 && in_us.iter().all(|&time| time <= last + 1e-3), "{in_us:?} {last}");
    // The form may be named as before.
    folder.succeed(&["export", "out", "--to", "vcd", "--to", "1_400", "--from", "1_000", "--site", "3", "-o", "u.vcd"]);
    assert!(fs::read_to_string(folder.path().join("u.vcd")).unwrap() == one);
    folder.succeed(&["export", "out", "--to", "perfetto", "-o", "all.pftrace"]);
    folder.succeed(&["export", "out", "--format", "perfetto", "--to", "1400", "-o", "part.pftrace"]);
    let size = |name: &str| fs::metadata(folder.path().join(name)).unwrap().len();
    assert!(size("part.pftrace") * 2 < size("all.pftrace") && size("part.pftrace") > 1000);
}

#[test]
fn parts_are_taken_anywhere_without_a_crash() {
    let folder = made("csv");
    for from in (0..6000).step_by(797) {
        let (from, to) = (from.to_string(), (from + 250).to_string());
        for arguments in [&["report"][..], &["export", "--format", "perfetto"], &["export", "--format", "vcd"]] {
            let output = folder.run(&[arguments, &["out", "-o", "any", "--from", &from, "--to", &to]].concat());
            assert!(output.status.success(), "{arguments:?} {from}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

#[cfg(feature = "parquet")]
#[test]
fn a_part_of_a_dataset_is_that_of_the_csv_files() {
    let (parquet, csv) = (made("parquet"), made("csv"));
    let part = ["--site", "1,3", "--run", "2", "--from", "2500", "--to", "3100.25"];
    for (arguments, file) in [
        (&["report", "out", "-o", "page.html"][..], "page.html"),
        (&["export", "out", "--format", "perfetto", "-o", "t.pftrace"], "t.pftrace"),
        (&["export", "out", "--format", "vcd", "-o", "t.vcd"], "t.vcd"),
    ] {
        let written = [&parquet, &csv].map(|folder| {
            folder.succeed(&[arguments, &part].concat());
            fs::read(folder.path().join(file)).unwrap()
        });
        assert!(written[0] == written[1], "{arguments:?}");
    }
}

#[test]
fn a_part_with_nothing_in_it_is_refused_with_what_there_is() {
    let folder = made("csv");
    let refused = |arguments: &[&str]| folder.refuse(arguments);
    let mut text = String::new();
    for part in [
        &["--site", "2,4"][..],
        &["--site", "0-99999999"],
        &["--run", "3-4"],
        &["--site", "1,,2"],
        &["--run", "x"],
        &["--run", "2,1-3"],
        &["--from", "100", "--to", "100"],
        &["--from", "1e6"],
        &["--site", "2", "--run", "1", "--from", "700000"],
        &["--site", "2", "--run", "2", "--to", "100"],
    ] {
        text += &format!("$ report out {}\n{}\n", part.join(" "), refused(&[&["report", "out"], part].concat()));
    }
    for flags in [&[][..], &["--to", "5"], &["--to", "vcd", "--format", "vcd"], &["--to", "svg"]] {
        text += &format!("$ export out {}\n{}\n", flags.join(" "), refused(&[&["export", "out"], flags].concat()));
    }
    assert_snapshot!(text);
    // A device without a number has no sites to choose among.
    let single = Folder::new();
    single.succeed(&["-t", "500", "--quiet"]);
    let text = single.refuse(&["report", "out", "--site", "1"]);
    assert!(text.contains("--site chooses among numbered sites, and there is none"), "{text}");
}
