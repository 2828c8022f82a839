//! Pages, timelines and coverage of runs of the built-in device.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod generated;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use generated::{Generated, generate, table};
use nandseq_input::CsvFiles;
use nandseq_profile::model::Expectations;
use nandseq_profile::{Block, Die, Profile, builtin};
use nandseq_report::coverage::{
    self, Conditions, Coverage, CoverageComparison, CoverageParts, CoverageUniverse, Figures, Standing, TableInForce,
};
use nandseq_report::load::{self, Wanted};
use nandseq_report::page::{self, PageSubject, VerifierVerdict};
use nandseq_report::{LoadError, SiteTables, chains, perfetto, vcd};
use serde_json::Value;

static PROFILE: LazyLock<Profile> = LazyLock::new(builtin::profile);
static RUNS: LazyLock<Generated> = LazyLock::new(|| generate(&PROFILE, 2, 2, 150_000));

fn page_of(sites: &[SiteTables], verdict: Option<&VerifierVerdict>) -> String {
    page_on(&PROFILE, sites, verdict)
}

fn page_on(profile: &Profile, sites: &[SiteTables], verdict: Option<&VerifierVerdict>) -> String {
    let table = table(profile);
    let subject = PageSubject {
        profile,
        sites,
        table: Some(&table),
        verdict,
        fails: None,
        tool: "nandseqgen",
        figures: &[],
        cut: "",
        plan: None,
        suspects: None,
    };
    let mut page = Vec::new();
    page::write(&subject, &mut page).unwrap();
    String::from_utf8(page).unwrap()
}

fn data_of(page: &str) -> Value {
    let (_, data) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn a_page_asks_for_nothing_that_is_not_in_it() {
    let page = page_of(&RUNS.tables(&PROFILE), None);
    for way in ["://", "src=", "url(", "import", "fetch(", "XMLHttpRequest", "<link", "{{"] {
        assert!(!page.contains(way), "the page contains {way}");
    }
    assert!(page.contains("default-src 'none'"));
    assert_eq!(page, page_of(&RUNS.tables(&PROFILE), None), "the same runs give another page");
}

#[test]
fn no_name_ends_the_data_of_a_page() {
    let mut profile = builtin::profile();
    profile.name = "</script><script>alert(1)</script>".to_owned();
    let subject = PageSubject {
        profile: &profile,
        sites: &[],
        table: None,
        verdict: None,
        fails: None,
        tool: "<!--",
        figures: &[],
        cut: "",
        plan: None,
        suspects: None,
    };
    let mut page = Vec::new();
    page::write(&subject, &mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert_eq!(data_of(&page)["device"]["name"], *profile.name);
}

#[test]
fn a_page_counts_what_the_files_count() {
    let sites = RUNS.tables(&PROFILE);
    let data = data_of(&page_of(&sites, None));
    for (site, shown) in sites.iter().zip(data["sites"].as_array().unwrap()) {
        let operations: u64 = shown["operations"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(operations, site.operations.len() as u64);
        let timelines = &shown["timelines"];
        assert_eq!(timelines["stretches"]["rows"], site.stretches.len());
        assert_eq!(timelines["segments"]["rows"], site.segments.len());
        let rows: u64 =
            timelines["tracks"].as_array().unwrap().iter().map(|track| track["count"].as_u64().unwrap()).sum();
        assert_eq!(rows, (site.stretches.len() + site.segments.len()) as u64);
    }
}

/// The numbers of a packed column.
fn column(columns: &Value, name: &str) -> Vec<u64> {
    let (mut numbers, mut number, mut shift) = (Vec::new(), 0, 0);
    for byte in STANDARD.decode(columns[name].as_str().unwrap()).unwrap() {
        number |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            numbers.push(number);
            (number, shift) = (0, 0);
        }
    }
    numbers
}

/// The number whose unsigned form is in a column.
fn signed(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[test]
fn a_page_has_the_operation_that_brought_in_the_data_of_each_row() {
    let mut profile = builtin::profile();
    profile.expect(Expectations { data: true, full_status: true });
    let runs = generate(&profile, 1, 1, 60_000);
    let sites = runs.tables(&profile);
    let text = fs::read_to_string(&sites[0].runs[0].sequence).unwrap();
    let mut written = BTreeSet::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.splitn(6, ',').collect();
        let payload = fields[5].trim_matches('"').replace("\"\"", "\"");
        let targets: Vec<Value> = serde_json::from_str(&payload).unwrap();
        let of =
            |target: &Value| Some((fields[4].parse().unwrap(), target["plane"].as_u64()?, target["data"].as_u64()?));
        written.extend(targets.iter().filter_map(of));
    }
    let others = written.iter().filter(|(uid, _, data)| uid != data).count();
    assert!(others > 50, "{others} outputs of {} operations", written.len());

    let page = data_of(&page_on(&profile, &sites, None));
    assert_eq!(page["status_fields"].as_array().unwrap().len(), 3);
    let timelines = &page["sites"][0]["timelines"];
    let [uids, planes, data] = ["uid", "plane", "data"].map(|name| column(&timelines["stretches"], name));
    let mut shown = BTreeSet::new();
    for track in timelines["tracks"].as_array().unwrap().iter().filter(|track| track["sort"] != "state") {
        let [first, count] = ["first", "count"].map(|name| track[name].as_u64().unwrap() as usize);
        let mut uid = 0;
        for at in first..first + count {
            uid += signed(uids[at]);
            if data[at] > 0 {
                shown.insert((uid.cast_unsigned(), planes[at], (uid - signed(data[at] - 1)).cast_unsigned()));
            }
        }
    }
    assert!(shown == written, "{:?}", shown.symmetric_difference(&written).take(5).collect::<Vec<_>>());
    let plain = data_of(&page_of(&RUNS.tables(&PROFILE), None));
    assert_eq!(plain["sites"][0]["timelines"]["stretches"]["data"], Value::Null, "nothing without data");
}

#[test]
fn violations_find_their_sites_however_the_paths_are_spelled() {
    let verdict = r#"{"schema":1,"clean":false,"profile":"x","operations":2,"sites":[],"rules":[{"rule":"bus",
        "sentence":"One at a time.","findings":4,"followers":0,"first":[
        {"file":"elsewhere/site_02/operation_sequence_261122_0000001.csv","row":4,"line":5,"time_ps":3000000,"op_uid":4,
         "op_name":"Read","targets":[],"message":"held","other":null},
        {"file":"other/site_09/operation_sequence_261122_0000001.csv","row":4,"line":5,"time_ps":null,"op_uid":null,
         "op_name":null,"targets":[],"message":"held","other":null},
        {"file":"elsewhere/site_02/run=0000001/operation_sequence.parquet","row":4,"line":null,"time_ps":null,"op_uid":4,
         "op_name":"Read","targets":[],"message":"held","other":null}]}]}"#;
    let verdict = VerifierVerdict::read(verdict.as_bytes()).unwrap();
    let violations = &data_of(&page_of(&RUNS.tables(&PROFILE), Some(&verdict)))["violations"];
    assert_eq!(violations["total"], 4);
    assert_eq!(violations["list"][0]["site"], 1);
    assert_eq!(violations["list"][0]["uid"], 4);
    assert_eq!(violations["list"][1]["site"], Value::Null);
    assert_eq!(violations["list"][2]["site"], 1);
    let places = [0, 2].map(|at| violations["list"][at]["place"].as_str().unwrap());
    assert_eq!(places, [":5", ", row 4"]);
    assert!(VerifierVerdict::read(b"{}").is_err());
}

#[test]
fn rows_beyond_the_limit_are_counted_not_shown() {
    let files = RUNS.files();
    let all = load::site(&PROFILE, &CsvFiles, &files[0], Wanted::ALL).unwrap();
    let some = load::site(&PROFILE, &CsvFiles, &files[0], Wanted { most_rows: 100, ..Wanted::ALL }).unwrap();
    assert_eq!(some.stretches.len() + some.segments.len(), 100);
    assert_eq!(some.left_out, (all.stretches.len() + all.segments.len() - 100) as u64);
}

#[test]
fn a_row_that_makes_no_sense_is_named_by_file_and_line() {
    let runs = generate(&PROFILE, 1, 1, 1_000);
    let files = runs.files();
    let path = &files[0].runs[0].tables[0].path;
    let text = fs::read_to_string(path).unwrap();
    let broken = text.lines().enumerate().map(|(at, line)| if at == 2 { "7,8,9" } else { line });
    fs::write(path, broken.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    let error = load::site(&PROFILE, &CsvFiles, &files[0], Wanted::ALL).unwrap_err();
    assert!(matches!(&error, LoadError::Row { row: 2, path: of, .. } if of == path), "{error}");
}

#[test]
fn chains_are_those_of_the_generator() {
    let mut steps = 0;
    let mut wrong = 0;
    for (site, proposals) in RUNS.tables(&PROFILE).iter().zip(&RUNS.proposals) {
        let mut members: BTreeMap<_, BTreeSet<u64>> = BTreeMap::new();
        for (&uid, proposal) in proposals {
            members.entry(proposal).or_default().insert(uid);
        }
        let truth: BTreeMap<u64, u64> = members
            .values()
            .filter(|uids| uids.len() > 1)
            .flat_map(|uids| uids.iter().map(|&uid| (uid, *uids.first().unwrap())))
            .collect();
        let found = chains::of(&PROFILE, site);
        steps += truth.len();
        wrong += truth.iter().filter(|(uid, head)| found.get(uid) != Some(head)).count();
        wrong += found.keys().filter(|uid| !truth.contains_key(uid)).count();
    }
    assert!(steps > 1_000, "only {steps} operations in chains");
    assert!(wrong * 20 <= steps, "{wrong} of {steps} operations are in the wrong chain");
}

#[test]
fn timelines_are_the_same_bytes_every_time() {
    let sites = RUNS.tables(&PROFILE);
    let bytes = |write: fn(&Profile, &[SiteTables], &mut Vec<u8>) -> std::io::Result<()>| {
        let mut all = [Vec::new(), Vec::new()];
        all.iter_mut().for_each(|bytes| write(&PROFILE, &sites, bytes).unwrap());
        assert!(!all[0].is_empty() && all[0] == all[1]);
    };
    bytes(|profile, sites, out| perfetto::write(profile, sites, out));
    bytes(|profile, sites, out| vcd::write(profile, sites, out));
}

fn counted() -> Vec<Coverage> {
    let of_site = |site: nandseq_input::folder::SiteFiles| {
        let name = site.folder.display().to_string();
        site.runs
            .into_iter()
            .map(move |run| Coverage::of_run(&PROFILE, &CsvFiles, &name, &run).unwrap())
            .collect::<Vec<_>>()
    };
    RUNS.files().into_iter().flat_map(of_site).collect()
}

fn sum<'a>(parts: impl Iterator<Item = &'a Coverage>) -> Coverage {
    let mut sum = Coverage::default();
    parts.for_each(|part| sum.add(part));
    sum
}

#[test]
fn coverage_adds_up_in_any_order() {
    let parts = counted();
    let merged = sum(parts.iter());
    assert_eq!(merged, sum(parts.iter().rev()));
    let (first, rest) = parts.split_at(1);
    let rest = sum(rest.iter());
    assert_eq!(merged, sum([&rest, &first[0]].into_iter()));
    assert_eq!(merged.operations, RUNS.proposals.iter().map(|site| site.len() as u64).sum::<u64>());
}

#[test]
fn coverage_reads_back_from_a_file_for_its_own_profile_only() {
    let merged = sum(counted().iter());
    let text = coverage::write(&PROFILE, &merged, &Conditions::UNKNOWN);
    let read = |profile: &Profile, text: &str| coverage::read(profile, text.as_bytes(), "counts.json");
    assert_eq!(read(&PROFILE, &text).unwrap(), (merged.clone(), Conditions::UNKNOWN));
    let bad = vec![(Die(0), Block(7)), (Die(1), Block(1019))];
    for (table, bad_blocks) in [
        (TableInForce::OfProfile, Some(Vec::new())),
        (TableInForce::Given(table(&PROFILE)), Some(bad.clone())),
        (TableInForce::Unknown, Some(bad)),
    ] {
        let conditions = Conditions { table, bad_blocks, bootstrap: false };
        let text = coverage::write(&PROFILE, &merged, &conditions);
        assert_eq!(read(&PROFILE, &text).unwrap(), (merged.clone(), conditions));
        let strange = text.replacen("1019]]", "1020]]", 1);
        assert!(strange == text || read(&PROFILE, &strange).unwrap_err().to_string().contains("no block `1,1020`"));
    }
    let mut other = builtin::profile();
    other.offset_guard += 1;
    let error = read(&other, &text).unwrap_err().to_string();
    assert!(error.starts_with("counted for another profile"), "{error}");
    let newer = text.replacen("\"schema\":2", "\"schema\":3", 1);
    let error = read(&PROFILE, &newer).unwrap_err().to_string();
    assert_eq!(error, "coverage of version 3; this program reads versions 1 and 2");
    let altered = text.replacen("\"operations\":", "\"operations\":1", 1);
    assert_eq!(read(&PROFILE, &altered).unwrap_err().to_string(), "its parts do not add up to its sums");
    assert!(read(&PROFILE, "[]").is_err());
}

#[test]
fn a_file_that_knows_sums_only_is_a_single_part() {
    let merged = sum(counted().iter());
    let of_profile = Conditions { table: TableInForce::OfProfile, bad_blocks: Some(Vec::new()), bootstrap: false };
    let mut file: Value = serde_json::from_str(&coverage::write(&PROFILE, &merged, &of_profile)).unwrap();
    let fields = file.as_object_mut().unwrap();
    fields.insert("schema".to_owned(), 1.into());
    assert!(fields.remove("parts").is_some() && fields.remove("table").is_some());
    let (read, conditions) = coverage::read(&PROFILE, file.to_string().as_bytes(), "old.json").unwrap();
    assert_eq!((&read.bins, read.operations, conditions), (&merged.bins, merged.operations, Conditions::UNKNOWN));
    let names: Vec<String> = read.parts.keys().map(|name| format!("{}{}", name.site, name.run_text())).collect();
    assert_eq!(names, ["old.json"]);
    assert_eq!(read.parts.values().next().map(|part| &part.bins), Some(&merged.bins));
}

#[test]
fn a_report_of_stored_counts_is_that_of_the_runs() {
    let table = table(&PROFILE);
    let universe = CoverageUniverse::of_table(&PROFILE, &table);
    let counted = counted();
    let mut parts = CoverageParts::default();
    for coverage in &counted {
        let name = coverage.parts.keys().next().unwrap();
        parts.add(&universe, &name.site, &name.run_text(), coverage);
    }
    // In whatever order they were stored.
    let text = coverage::write(&PROFILE, &sum(counted.iter().rev()), &Conditions::UNKNOWN);
    let (stored, _) = coverage::read(&PROFILE, text.as_bytes(), "counts.json").unwrap();
    let mut again = CoverageParts::default();
    again.add_stored(&universe, &stored);
    let [report, again] = [parts, again].map(|parts| parts.report(&PROFILE, &universe, Some(&table)));
    assert_eq!((again.sites.len(), again.runs.len()), (2, 4));
    assert_eq!(again, report);
}

#[test]
fn what_is_started_is_what_the_table_proposes() {
    let merged = sum(counted().iter());
    let universe = CoverageUniverse::of_table(&PROFILE, &table(&PROFILE));
    let figures = Figures::new(&merged, &universe);
    // Bootstrap starts what it needs, wherever that is proposed; nothing else may lie outside.
    assert!(figures.hits > 5 * figures.outside.1, "{figures:?}");
    assert!(figures.hit > 500 && figures.hit <= figures.bins, "{figures:?}");
    assert!(figures.hit_ten < figures.hit && figures.unseen > 0.0 && figures.unseen < 1.0, "{figures:?}");
    assert!((0.0..=1.0).contains(&figures.evenness) && (0.0..=1.0).contains(&figures.gini), "{figures:?}");
}

#[test]
fn parts_add_up_to_the_whole_and_holes_are_the_rest() {
    let table = table(&PROFILE);
    let universe = CoverageUniverse::of_table(&PROFILE, &table);
    let mut parts = CoverageParts::default();
    for (at, coverage) in counted().iter().enumerate() {
        parts.add(&universe, &format!("site {}", at / 2), &format!(" run {}", at % 2), coverage);
    }
    let report = parts.report(&PROFILE, &universe, Some(&table));
    assert_eq!((report.sites.len(), report.runs.len()), (2, 4));
    for parts in [&report.sites, &report.runs] {
        assert_eq!(parts.iter().map(|part| part.added).sum::<u64>(), report.merged.hit);
    }
    let missing: usize = report.uncovered_bins.iter().map(|uncovered| uncovered.time_bins.len()).sum();
    assert_eq!(missing as u64, report.merged.bins - report.merged.hit);
    // Nearest first: what was hit at other moments comes before what was never hit.
    let never = report.uncovered_bins.iter().position(|uncovered| uncovered.hits == 0).unwrap();
    assert!(never > 0 && report.uncovered_bins[never..].iter().all(|uncovered| uncovered.hits == 0));
    let text = report.to_text(3);
    assert!(text.contains("Uncovered bins, nearest first") && text.contains("Good and Turing"), "{text}");
}

#[test]
fn a_universe_may_be_handed_in_by_who_knows_better() {
    let merged = sum(counted().iter());
    let (&bin, _) = merged.bins.iter().find(|(_, count)| **count > 1).unwrap();
    let universe = CoverageUniverse::new(&PROFILE, "one pair", |key, op| {
        if (key, op) == (bin.key, bin.op) { Standing::Counts } else { Standing::Never("not wanted".to_owned()) }
    });
    assert_eq!(universe.bins().count(), usize::from(universe.time_bin_count(bin.key)));
    let figures = Figures::new(&merged, &universe);
    assert!(figures.hit >= 1 && figures.outside.0 > 0, "{figures:?}");
    assert_eq!(figures.outside.1 + figures.hits, merged.bins.values().sum::<u64>());
}

#[test]
fn counts_as_great_as_numbers_go_are_added_without_overflow() {
    let all = CoverageUniverse::of_table(&PROFILE, &table(&PROFILE));
    let bins: Vec<_> = all.bins().take(2).map(|bin| (bin, u64::MAX)).collect();
    let (&(bin, _), (page, touch)) = (&bins[0], counted()[0].touches.pop_first().map(|(at, _)| (at.page, at)).unwrap());
    let name = coverage::PartName { site: "a".to_owned(), run: Some(1) };
    let coverage = Coverage {
        bins: bins.iter().copied().collect(),
        touches: BTreeMap::from([(touch, u64::MAX), (coverage::Touched { page: page + 1, ..touch }, u64::MAX)]),
        refusals: BTreeMap::from([((bin.key, bin.op, "why".to_owned()), u64::MAX)]),
        parts: BTreeMap::from([(
            name,
            coverage::PartCounts { bins: bins.iter().copied().collect(), ..Default::default() },
        )]),
        ..Coverage::default()
    };
    // A file that lists everything twice.
    let mut file: Value = serde_json::from_str(&coverage::write(&PROFILE, &coverage, &Conditions::UNKNOWN)).unwrap();
    for part in ["cells", "touches", "refusals"] {
        let rows = file[part].as_array_mut().unwrap();
        rows.extend_from_within(..);
    }
    let (read, _) = coverage::read(&PROFILE, file.to_string().as_bytes(), "counts.json").unwrap();
    assert_eq!(read, coverage);
    let merged = sum([&read, &coverage].into_iter());
    assert_eq!(merged, coverage);
    let figures = Figures::new(&merged, &all);
    assert_eq!((figures.hits, figures.hit, figures.effective_bins, figures.unseen), (u64::MAX, 2, 2.0, 0.0));
    assert!((0.0..=1.0).contains(&figures.gini) && (0.0..=1.0).contains(&figures.evenness), "{figures:?}");
    let nothing = CoverageUniverse::new(&PROFILE, "nothing", |_, _| Standing::Chance);
    assert_eq!(Figures::new(&merged, &nothing).outside, (2, u64::MAX));
    let mut parts = CoverageParts::default();
    parts.add(&all, "a", "", &merged);
    let report = parts.report(&PROFILE, &all, Some(&table(&PROFILE)));
    assert!(report.uncovered_bins.iter().all(|uncovered| uncovered.expected.is_some_and(f64::is_finite)));
    assert!(report.to_text(9).contains("18,446,744,073,709,551,615 proposals counted"), "{}", report.to_text(9));
}

#[test]
fn figures_hold_at_the_edges() {
    let nothing = Coverage::default();
    let all = CoverageUniverse::of_table(&PROFILE, &table(&PROFILE));
    let figures = Figures::new(&nothing, &all);
    assert_eq!((figures.hits, figures.hit, figures.outside), (0, 0, (0, 0)));
    assert_eq!(
        [figures.closure, figures.evenness, figures.effective_bins, figures.gini, figures.unseen],
        [0.0, 0.0, 0.0, 0.0, 1.0]
    );
    let merged = sum(counted().iter());
    let under = |key| all.time_bin_count(key) == 1;
    let (&bin, &count) = merged.bins.iter().find(|(bin, _)| under(bin.key)).unwrap();
    let one = CoverageUniverse::new(&PROFILE, "one bin", |key, op| {
        if (key, op) == (bin.key, bin.op) { Standing::Counts } else { Standing::Never("not wanted".to_owned()) }
    });
    let figures = Figures::new(&merged, &one);
    assert_eq!((figures.bins, figures.hits, figures.hit), (1, count, 1));
    assert_eq!([figures.closure, figures.evenness, figures.effective_bins, figures.gini], [100.0, 1.0, 1.0, 0.0]);
    let none = CoverageUniverse::new(&PROFILE, "nothing", |_, _| Standing::Chance);
    let figures = Figures::new(&merged, &none);
    assert_eq!((figures.bins, figures.closure, figures.unseen), (0, 0.0, 1.0));
    let report = CoverageParts::default().report(&PROFILE, &none, None);
    assert!(report.to_text(9).contains("No uncovered bins."), "{}", report.to_text(9));
}

#[test]
fn a_comparison_names_what_was_gained_and_lost() {
    let parts = counted();
    let universe = CoverageUniverse::of_table(&PROFILE, &table(&PROFILE));
    let merged = sum(parts.iter());
    let comparison = CoverageComparison::new(&PROFILE, &universe, &parts[0], &merged);
    assert!(comparison.lost.is_empty());
    let [first, second] = &comparison.figures;
    assert_eq!(comparison.gained.len() as u64, second.hit - first.hit);
    let back = CoverageComparison::new(&PROFILE, &universe, &merged, &parts[0]);
    assert_eq!((back.lost, back.gained), (comparison.gained, comparison.lost));
}
