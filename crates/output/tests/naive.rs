//! Compares the tables of random streams of events with those of a simple model that keeps everything and sorts at the end. Some
//! budgets are so small that every table needs temporary files.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod story;
mod walk;

use std::collections::BTreeMap;
use std::fs;

use nandseq_output::Budget;
use nandseq_output::csv_tables::CsvTables;
use nandseq_output::format::TableFormat;
use nandseq_output::new_file::NewFile;
use nandseq_output::recorder::Recorder;
use nandseq_profile::model::{PayloadField, PhaseKind};
use nandseq_profile::{Die, OpId, PhaseKey, Plane, Profile, Target, Ticks};
use nandseq_trace::files::FileKind;
use nandseq_trace::{Cut, OpState};
use proptest::prelude::*;
use story::{Event, Op, device, durations, lines};

/// A stretch of an operation.
#[derive(Clone)]
struct Stretch {
    op: Op,
    resumed: bool,
    start: u64,
    issue_end: u64,
    busy_end: u64,
    end: u64,
    cut: Option<(u64, Cut)>,
}

/// All stretches, in the order in which they began.
fn stretches(profile: &Profile, events: &[Event]) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut known: BTreeMap<u64, Op> = BTreeMap::new();
    for event in events {
        match event {
            Event::Operation(op) => {
                let (issue, busy, total) = durations(profile, op.op);
                let start = op.start.0;
                known.insert(op.uid, op.clone());
                let (issue_end, busy_end, end) = (start + issue, start + busy, start + total);
                stretches.push(Stretch { op: op.clone(), resumed: false, start, issue_end, busy_end, end, cut: None });
            }
            Event::StillSuspended(op) => {
                known.insert(op.uid, op.clone());
            }
            Event::Cut(uid, at, cut) => {
                let last = stretches.iter_mut().rev().find(|stretch| stretch.op.uid == *uid);
                // A suspended operation has no stretch that could be cut.
                if let Some(stretch) = last.filter(|stretch| stretch.cut.is_none()) {
                    stretch.cut = Some((at.0, *cut));
                }
            }
            Event::Resumed { uid, from, busy_end, end } => {
                let (op, start, busy_end) = (known[uid].clone(), from.0, busy_end.0);
                let (issue_end, end) = (start, end.0);
                stretches.push(Stretch { op, resumed: true, start, issue_end, busy_end, end, cut: None });
            }
        }
    }
    stretches
}

/// Whether a stretch shows on a plane.
fn shows(stretch: &Stretch, die: u8, plane: u8) -> bool {
    stretch.op.die_planes.is_some_and(|die_planes| {
        (die_planes.die.0..die_planes.die.0 + die_planes.dies).contains(&die)
            && die_planes.planes.contains(Plane(plane))
    })
}

/// When the stretch with index `at` ends on a plane.
fn end_on(all: &[Stretch], at: usize, die: u8, plane: u8) -> u64 {
    let own = &all[at];
    let mut end = own.cut.map_or(own.end, |(cut, _)| cut.min(own.end));
    if shows(own, die, plane) {
        for later in all[at + 1..].iter().filter(|later| shows(later, die, plane)) {
            end = end.min(later.start);
        }
    }
    end
}

fn us(ticks: u64) -> String {
    let text = Ticks(ticks).to_us_text();
    if text.contains('.') { text } else { format!("{text}.0") }
}

fn state_name(profile: &Profile, state: &OpState) -> String {
    let Some(base) = profile.phase_keys[state.of].base else { return "DEFAULT".to_owned() };
    format!("{}.{}", profile.bases[base].name, state.phase.map_or("END", PhaseKind::name))
}

/// The page access that operations of a base count as.
fn touch(base: &str) -> Option<&'static str> {
    match base {
        "PROGRAM" | "CACHE_PROGRAM" | "CLOSE" => Some("PROGRAM"),
        "READ" | "CACHE_READ" => Some("READ"),
        _ => None,
    }
}

/// The target with 0 for every part that the payload does not name.
fn named(profile: &Profile, op: OpId, target: &Target) -> Target {
    let base = &profile.bases[profile.ops[op].base];
    let mut named = Target::default();
    for field in &base.payload {
        match field {
            PayloadField::Die => named.die = target.die,
            PayloadField::Plane => named.plane = target.plane,
            PayloadField::Block => named.block = target.block,
            PayloadField::Page => named.page = target.page,
            PayloadField::CellType | PayloadField::ExpectedStatus | PayloadField::Data => {}
        }
    }
    named
}

fn timeline(profile: &Profile, all: &[Stretch]) -> Vec<String> {
    let mut rows = Vec::new();
    let key = |key: PhaseKey| profile.phase_keys[key].name.clone();
    for (at, stretch) in all.iter().enumerate() {
        let name = &profile.ops[stretch.op.op];
        for (target, state) in stretch.op.targets.iter().zip(&stretch.op.states) {
            let target = named(profile, stretch.op.op, target);
            let end = end_on(all, at, target.die.0, target.plane.0);
            if stretch.resumed && end <= stretch.start {
                continue;
            }
            let row = format!(
                "{},{},{},{},{},{},{},{},{},{},{},{},{}",
                us(stretch.start),
                us(end),
                target.die.0,
                target.plane.0,
                target.block.0,
                target.page.0,
                name.name,
                profile.bases[name.base].name,
                if stretch.resumed { "RESUME_CHAIN" } else { "" },
                stretch.op.uid,
                state_name(profile, state),
                key(stretch.op.proposal.key_used),
                key(stretch.op.proposal.key_virtual),
            );
            rows.push(((stretch.op.uid, stretch.start, target.die, target.plane), row));
        }
    }
    rows.sort_by_key(|row| row.0);
    rows.into_iter().map(|row| row.1).collect()
}

fn op_states(profile: &Profile, all: &[Stretch]) -> Vec<String> {
    let mut rows = Vec::new();
    for (at, stretch) in all.iter().enumerate() {
        let base = &profile.bases[profile.ops[stretch.op.op].base];
        for die in 0..2 {
            for plane in (0..4).filter(|&plane| shows(stretch, die, plane)) {
                let last = end_on(all, at, die, plane);
                for phase in &base.phases {
                    let (start, end) = match phase.kind {
                        PhaseKind::Issue => (stretch.start, stretch.issue_end),
                        PhaseKind::CoreBusy => (stretch.issue_end, stretch.busy_end),
                        PhaseKind::DataIn | PhaseKind::DataOut => (stretch.busy_end, stretch.end),
                    };
                    let end = end.min(last);
                    if start < end {
                        let row = format!(
                            "{},{},{die},{plane},{}.{},d{die}-p{plane},{},{}",
                            us(start),
                            us(end),
                            base.name,
                            phase.kind.name(),
                            base.name,
                            us(end - start)
                        );
                        rows.push(((stretch.op.uid, start, Die(die), Plane(plane)), row));
                    }
                }
            }
        }
    }
    rows.sort_by_key(|row| row.0);
    rows.into_iter().map(|row| row.1).collect()
}

/// Rows of keys with their counts, in the order of the keys. `row` gives the text of a key.
fn counted<K: Ord>(keys: impl Iterator<Item = K>, row: impl Fn(&K) -> String) -> Vec<String> {
    let mut counts: BTreeMap<K, u64> = BTreeMap::new();
    keys.for_each(|key| *counts.entry(key).or_default() += 1);
    counts.iter().map(|(key, count)| format!("{},{count}", row(key))).collect()
}

fn touches(profile: &Profile, all: &[Stretch]) -> Vec<String> {
    let mut keys = Vec::new();
    for stretch in all {
        let op = &profile.ops[stretch.op.op];
        let done = if profile.bases[op.base].has_phase(PhaseKind::CoreBusy) { stretch.busy_end } else { stretch.end };
        if stretch.cut.is_some_and(|(at, _)| at < done) {
            continue;
        }
        let Some(kind) = touch(&profile.bases[op.base].name) else { continue };
        for target in &stretch.op.targets {
            let cell_type = profile.cell_types[target.cell_type].name.clone();
            keys.push((kind, cell_type, target.die.0, target.block.0, target.page.0));
        }
    }
    counted(keys.into_iter(), |(touch, cell, die, block, page)| format!("{touch},{cell},{die},{block},{page}"))
}

/// The first operations of proposals.
fn firsts(events: &[Event]) -> impl Iterator<Item = &Op> {
    events.iter().filter_map(|event| match event {
        Event::Operation(op) if op.is_first => Some(op),
        Event::Operation(_) | Event::StillSuspended(_) | Event::Cut(..) | Event::Resumed { .. } => None,
    })
}

fn input_times(profile: &Profile, events: &[Event]) -> Vec<String> {
    let key = |key: PhaseKey| profile.phase_keys[key].name.clone();
    let keys = firsts(events).map(|op| {
        let state = &op.proposal.state;
        let hundredths = if state.phase.is_none() {
            0
        } else {
            let passed = u128::from(op.start.0 - state.start.0);
            let length = u128::from(state.end.0 - state.start.0);
            let exact = (passed * 1000 / length).min(1000);
            (exact + 5) / 10
        };
        let name = profile.ops[op.op].name.clone();
        let (used, known) = (key(op.proposal.key_used), key(op.proposal.key_virtual));
        (state_name(profile, state), used, known, name, hundredths)
    });
    counted(keys, |(state, used, known, name, hundredths)| {
        let fraction = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        let fraction = fraction.strip_suffix('0').unwrap_or(&fraction);
        format!("{state},{used},{known},{name},{fraction}")
    })
}

fn proposals(profile: &Profile, events: &[Event]) -> Vec<String> {
    let key = |key: PhaseKey| profile.phase_keys[key].name.clone();
    let keys = firsts(events).map(|op| {
        let proposal = &op.proposal;
        let (used, known) = (key(proposal.key_used), key(proposal.key_virtual));
        (used, known, proposal.die.0, proposal.plane.0, proposal.time.0, profile.ops[op.op].name.clone())
    });
    counted(keys, |(used, known, die, plane, time, name)| format!("{used},{known},{die},{plane},{},{name}", us(*time)))
}

/// The rows of the five tables that the recorder writes.
fn recorded(profile: &Profile, events: &[Event], budget: Budget) -> Vec<(FileKind, Vec<String>)> {
    let folder = tempfile::tempdir().unwrap();
    let format = CsvTables::new(profile).unwrap();
    let file = |kind: FileKind| NewFile::create(folder.path(), kind.name()).unwrap();
    let writers = format.tables(&mut |kind| Ok(Some(file(kind)))).unwrap();
    let mut recorder = Recorder::new(format.model(), writers, folder.path(), budget);
    events.iter().for_each(|event| event.tell(&mut recorder).unwrap());
    let mut written = Vec::new();
    for (kind, table) in recorder.finish().unwrap() {
        table.file.commit().unwrap();
        written.push((kind, lines(&folder.path().join(kind.name()))));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5, "temporary files have no names");
    written
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn tables_are_what_sorting_everything_at_the_end_gives(
        seed in any::<u64>(),
        length in 1usize..400,
        rows in 1usize..40,
        fan_in in 2usize..5,
    ) {
        let profile = device();
        let events = walk::events(&profile, seed, length);
        let all = stretches(&profile, &events);
        let expected = [
            timeline(&profile, &all),
            op_states(&profile, &all),
            touches(&profile, &all),
            input_times(&profile, &events),
            proposals(&profile, &events),
        ];
        for budget in [Budget { rows, fan_in, read: 100 }, Budget::default()] {
            for ((kind, rows), expected) in recorded(&profile, &events, budget).into_iter().zip(&expected) {
                prop_assert_eq!(&rows, expected, "{} with {:?}", kind.name(), budget);
            }
        }
    }
}

#[test]
fn the_walk_reaches_what_matters() {
    let profile = device();
    let (mut suspended, mut resumed, mut reset, mut cut_windows, mut carried) = (0, 0, 0, 0, 0);
    for seed in 0..50 {
        let events = walk::events(&profile, seed, 400);
        let all = stretches(&profile, &events);
        for (at, stretch) in all.iter().enumerate() {
            suspended += u32::from(matches!(stretch.cut, Some((_, Cut::Suspended))));
            reset += u32::from(matches!(stretch.cut, Some((_, Cut::Reset))));
            resumed += u32::from(stretch.resumed);
            let cut = stretch.cut.is_none() && (0..4).any(|plane| end_on(&all, at, 0, plane) < stretch.end);
            cut_windows += u32::from(cut);
        }
        carried += events.iter().filter(|event| matches!(event, Event::StillSuspended(_))).count();
    }
    let reached = (suspended, resumed, reset, cut_windows, carried);
    assert!(suspended > 100 && resumed > 100 && reset > 20 && cut_windows > 100 && carried > 5, "{reached:?}");
}
