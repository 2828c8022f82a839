//! Snapshots: a site taken up from its state goes on as if it had never stopped, and nothing else is taken up.

use std::fmt::Write as _;
use std::io;

use crate::vary::vary;
use nandseq_generate::{RunLimits, Setup, Site, SiteState, probability};
use nandseq_plan::model::PhaseUntil;
use nandseq_profile::model::Expectations;
use nandseq_profile::{Block, Die, Profile, Ticks, builtin};
use nandseq_trace::{Cut, Nowhere, Operation, Proposal, Sink};
use serde_json::Value;

/// Everything a site says, as text.
#[derive(Default)]
struct Record(String);

impl Sink for Record {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        writeln!(self.0, "{operation:?}").map_err(io::Error::other)
    }

    fn still_suspended(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        writeln!(self.0, "suspended {operation:?}").map_err(io::Error::other)
    }

    fn cut(&mut self, uid: u64, at: Ticks, cut: Cut) -> io::Result<()> {
        writeln!(self.0, "{uid} {at} {cut:?}").map_err(io::Error::other)
    }

    fn resumed(&mut self, uid: u64, from: Ticks, busy_end: Ticks, end: Ticks) -> io::Result<()> {
        writeln!(self.0, "{uid} resumed {from} {busy_end} {end}").map_err(io::Error::other)
    }

    fn wants_refusals(&self) -> bool {
        true
    }

    fn refused(&mut self, proposal: &Proposal, op: nandseq_profile::OpId, reason: &'static str) -> io::Result<()> {
        writeln!(self.0, "{proposal:?} {op:?} {reason}").map_err(io::Error::other)
    }
}

/// Whether every operation names data of its own or of an earlier operation.
struct Uids {
    are_earlier: bool,
}

impl Default for Uids {
    fn default() -> Self {
        Self { are_earlier: true }
    }
}

impl Sink for Uids {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.are_earlier &= operation.data.iter().flatten().all(|data| *data <= operation.uid);
        Ok(())
    }
}

/// What the next run of a site says.
fn next_run(site: &mut Site<'_>, run_us: u64) -> String {
    let mut record = Record::default();
    let limits = RunLimits { run_until: Ticks::from_us(run_us), max_ops: Some(3_000), ..RunLimits::default() };
    site.run(&limits, &mut record).expect("memory does not fail");
    record.0
}

fn through_text(state: &SiteState) -> SiteState {
    let text = serde_json::to_string(state).expect("a state is plain data");
    serde_json::from_str(&text).expect("what was written reads back")
}

/// Runs a site twice, once taken up anew at every boundary; both must say the same. Returns how many states had something
/// suspended.
fn same_when_split(profile: &Profile, seed: u64, runs: u64, run_us: u64, bad: &[(Die, Block)]) -> u64 {
    let table = probability::of_profile(profile, seed);
    let Ok(setup) = Setup::new(profile, &table, bad) else { return 0 };
    let mut whole = Site::new(&setup, seed);
    let mut split = Site::new(&setup, seed);
    let mut suspended = 0;
    for run in 0..runs {
        let (one, other) = (next_run(&mut whole, run_us), next_run(&mut split, run_us));
        assert_eq!(one, other, "{} seed {seed}: run {run}", profile.name);
        suspended += u64::from(one.contains("suspended "));
        let state = through_text(&split.state());
        assert_eq!(state, whole.state(), "{} seed {seed}: state after run {run}", profile.name);
        split = Site::from_state(&setup, seed, &state).expect("its own state");
    }
    suspended
}

#[test]
fn a_site_split_at_every_run_boundary_says_the_same() {
    let profile = builtin::profile();
    let suspended = same_when_split(&profile, 6, 50, 20_000, &[(Die(0), Block(7))]);
    assert!(suspended > 10, "only {suspended} runs began with something suspended");
}

#[test]
fn varied_profiles_split_at_every_run_boundary_say_the_same() {
    let profile = builtin::profile();
    let suspended: u64 = (0..40).map(|number| same_when_split(&vary(&profile, number), number, 12, 3_000, &[])).sum();
    assert!(suspended > 10, "only {suspended} runs began with something suspended");
}

/// The profile with everything that flags add to payloads.
fn expecting(mut profile: Profile) -> Profile {
    profile.expect(Expectations { data: true, full_status: true });
    profile
}

#[test]
fn data_goes_on_at_every_run_boundary() {
    let profile = expecting(builtin::profile());
    let suspended = same_when_split(&profile, 6, 50, 20_000, &[(Die(0), Block(7))]);
    assert!(suspended > 10, "only {suspended} runs began with something suspended");
    for number in 0..40 {
        same_when_split(&expecting(vary(&profile, number)), number, 12, 3_000, &[]);
    }
}

#[test]
fn data_changes_nothing_else() {
    for number in 0..10 {
        let plain = vary(&builtin::profile(), number);
        let table = probability::of_profile(&plain, number);
        let said = |profile: &Profile| {
            let Ok(setup) = Setup::new(profile, &table, &[]) else { return String::new() };
            let mut site = Site::new(&setup, number);
            let mut without = String::new();
            for line in (0..3).flat_map(|_| next_run(&mut site, 5_000).lines().map(str::to_owned).collect::<Vec<_>>()) {
                let (before, behind) = line.split_once(", suspended: ").unwrap_or((&line, ""));
                without += before;
                without += behind.split_once(", proposal: ").map_or("", |(_, behind)| behind);
            }
            without
        };
        assert_eq!(said(&plain), said(&expecting(plain.clone())), "{}", plain.name);
    }
}

#[test]
fn a_state_with_other_data_is_refused() {
    let (plain, profile) = (builtin::profile(), expecting(builtin::profile()));
    let table = probability::of_profile(&profile, 1729);
    let [without, with] =
        [plain, profile].map(|profile| Setup::new(&profile, &table, &[]).expect("something to propose"));
    let mut site = Site::new(&with, 3);
    next_run(&mut site, 50_000);
    let text = serde_json::to_string(&site.state()).expect("a state is plain data");
    let taken_up = |setup, text: &str| {
        let state = serde_json::from_str(text).expect("a state");
        Site::from_state(setup, 3, &state).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(taken_up(&with, &text), Ok(()));
    assert_eq!(taken_up(&without, &text), Err("data of pages, and no payload has data".to_owned()));
    let plain = serde_json::to_string(&Site::new(&without, 3).state()).expect("a state is plain data");
    assert_eq!(taken_up(&with, &plain), Err("no data of pages".to_owned()));
    let (before, pages) = text.split_once("\"pages\":{\"").expect("a block with data");
    let other = format!("{before}\"pages\":{{\"1019\":\"1 1 1\",\"{pages}");
    assert_eq!(taken_up(&with, &other), Err("data of other pages than those that are programmed".to_owned()));
    let (block, behind) = pages.split_once("\",").or_else(|| pages.split_once("\"}")).expect("an entry");
    let fewer = format!(
        "{before}\"pages\":{{{}",
        if behind.starts_with('"') { behind.to_owned() } else { format!("}}{behind}") }
    );
    assert_eq!(taken_up(&with, &fewer), Err("programmed pages without data".to_owned()), "{block}");
}

/// Every number and text below a value, by its path.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Array(all) => (0..).map(|at: usize| at.to_string()).zip(all).collect(),
        Value::Object(all) => all.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return found.push(path.to_owned()),
    };
    below.into_iter().for_each(|(key, value)| leaves(value, &format!("{path}/{key}"), found));
}

#[test]
fn forged_data_is_refused_or_names_operations_that_were() {
    let profile = expecting(builtin::profile());
    let setup = Setup::new(&profile, &probability::of_profile(&profile, 1729), &[]).expect("something to propose");
    let (state, die) = suspended_state(&setup, 1, false);
    let mut paths = Vec::new();
    leaves(&state["dies"][die]["data"], &format!("/dies/{die}/data"), &mut paths);
    assert!(paths.len() > 20 && paths.iter().any(|path| path.contains("/suspended/")), "{paths:?}");
    let last = state["operations"].as_u64().expect("a number");
    let forged = [0.into(), 1.into(), last.into(), (last + 1).into(), u64::MAX.into(), (-1).into()];
    let texts = ["", "1 1", "|1", "?,?,?", "9223372036854775807 9223372036854775807", "1,-1,1"];
    let forged = forged.into_iter().chain([Value::Null]).chain(texts.map(Into::into));
    let (mut taken_up, mut refused) = (0, 0);
    for (at, value) in forged.enumerate() {
        // One place in seven for each value.
        for path in paths.iter().skip(at % 7).step_by(7) {
            let mut changed = state.clone();
            *changed.pointer_mut(path).expect("a leaf") = value.clone();
            let Ok(changed) = serde_json::from_value::<SiteState>(changed) else { continue };
            match Site::from_state(&setup, 3, &changed) {
                Ok(mut site) => {
                    let mut uids = Uids::default();
                    let limits = RunLimits { run_until: Ticks::from_us(500), ..RunLimits::default() };
                    site.run(&limits, &mut uids).expect("memory does not fail");
                    assert!(uids.are_earlier, "{path}: {value}");
                    taken_up += 1;
                }
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    refused += 1;
                }
            }
        }
    }
    assert!(taken_up > 5 && refused > 20, "{taken_up} {refused}");
}

#[test]
fn a_site_that_enters_phases_says_the_same_when_it_is_split() {
    let profile = builtin::profile();
    let tables = [7, 8, 9].map(|seed| probability::build(&profile, seed));
    let setups = tables.map(|table| Setup::new(&profile, &table, &[(Die(1), Block(3))]).expect("something to propose"));
    let mut whole = Site::new(&setups[0], 4);
    let mut state = None;
    let mut suspended = 0;
    for run in 0..12 {
        let setup = |run: usize| &setups[run / 4];
        let mut split = match &state {
            None => Site::new(setup(0), 4),
            Some(state) => Site::from_state(setup(run - 1), 4, state).expect("its own state"),
        };
        if run > 0 && run % 4 == 0 {
            whole.enter(setup(run));
            split.enter(setup(run));
        }
        let (one, other) = (next_run(&mut whole, 20_000), next_run(&mut split, 20_000));
        assert_eq!(one, other, "run {run}");
        suspended += u64::from(run % 4 == 0 && one.contains("suspended "));
        state = Some(through_text(&split.state()));
        assert_eq!(state, Some(whole.state()), "state after run {run}");
    }
    assert!(suspended > 0, "nothing was suspended over a boundary of phases");
}

#[test]
fn a_phase_ends_at_its_until_and_its_further_runs_are_empty() {
    let profile = builtin::profile();
    let setup = Setup::new(&profile, &probability::of_profile(&profile, 1729), &[]).expect("something to propose");
    for (until, us) in [(PhaseUntil::Erased(4_000), 500_000), (PhaseUntil::Programmed(2), 1_000_000)] {
        let limits = RunLimits { run_until: Ticks::from_us(us), until: Some(until), ..RunLimits::default() };
        let mut site = Site::new(&setup, 5);
        let first = site.run(&limits, &mut Nowhere).expect("nothing fails");
        assert!(site.until_reached() && first.ops > 0 && first.end < Ticks::from_us(us), "{until:?}");
        // Without `until` the run goes on.
        let longer =
            Site::new(&setup, 5).run(&RunLimits { until: None, ..limits }, &mut Nowhere).expect("nothing fails");
        assert!(longer.ops > first.ops, "{until:?}");
        let mut site = Site::from_state(&setup, 5, &through_text(&site.state())).expect("its own state");
        let second = site.run(&limits, &mut Nowhere).expect("nothing fails");
        assert_eq!(second.ops, 0, "{until:?}");
        site.enter(&setup);
        assert!(!site.until_reached());
        let next = site.run(&RunLimits { until: None, ..limits }, &mut Nowhere).expect("nothing fails");
        assert!(next.ops > 0, "{until:?}");
    }
}

#[test]
fn a_state_that_cannot_be_is_refused() {
    let profile = builtin::profile();
    let table = probability::of_profile(&profile, 1729);
    let setup = Setup::new(&profile, &table, &[]).expect("something to propose");
    let mut site = Site::new(&setup, 3);
    next_run(&mut site, 50_000);
    let text = serde_json::to_string(&site.state()).expect("a state is plain data");
    let refusal = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "`{from}` is not in the state");
        let state: SiteState = serde_json::from_str(&changed).expect("still a state in form");
        Site::from_state(&setup, 3, &state).expect_err("refused").to_string()
    };
    assert_eq!(refusal("*N", "*B"), "other bad blocks");
    assert_eq!(refusal("*N", "*X"), refusal_of_word(&text, "*N", "*X"));
    assert_eq!(refusal("\"operations\":", "\"operations\":99999999999999"), "a count that no run reaches");
    assert_eq!(refusal("\"plane\":", "\"plane\":7"), "a die or plane that does not exist");
    assert_eq!(refusal("\"time\":", "\"time\":9"), "a hook before the start of the next run");
    let blocks = text.split("\"blocks\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("blocks");
    assert!(refusal(blocks, "3*N").contains("instead of"), "too few blocks");
    assert!(refusal(blocks, "99999999*N").contains("more than"), "too many blocks");
    let other = Setup::new(&vary(&profile, 1), &table[..1], &[]);
    if let Ok(other) = other {
        assert!(Site::from_state(&other, 3, &site.state()).is_err(), "another device");
    }
}

/// The message about a damaged word of the blocks.
fn refusal_of_word(text: &str, from: &str, to: &str) -> String {
    let changed = text.replacen(from, to, 1);
    let at = changed.find(to).expect("it was put there");
    let start = changed[..at].rfind([' ', '"']).map_or(0, |space| space + 1);
    let end = changed[at..].find([' ', '"']).map_or(changed.len(), |space| at + space);
    format!("`{}` says nothing of blocks", &changed[start..end])
}

/// A state of a site, as JSON, in which an erase or a program is suspended with or without a chain to follow.
fn suspended_state(setup: &Setup, axis: usize, chained: bool) -> (Value, usize) {
    let mut site = Site::new(setup, 3);
    for _ in 0..400 {
        next_run(&mut site, 5_000);
        let state = serde_json::to_value(site.state()).expect("a state is plain data");
        let dies = state["dies"].as_array().expect("dies");
        let is_wanted = |die: &Value| {
            let chain = die["suspended"][axis]["chain"].as_array();
            chain.is_some_and(|chain| !chained || !chain.is_empty())
        };
        if let Some(die) = dies.iter().position(is_wanted) {
            return (state, die);
        }
    }
    panic!("nothing was suspended");
}

/// Why a site does not go on from a state that was changed.
fn refusal_of(setup: &Setup, state: &Value, change: impl FnOnce(&mut Value)) -> String {
    let mut changed = state.clone();
    change(&mut changed);
    let state: SiteState = serde_json::from_value(changed).expect("still a state in form");
    Site::from_state(setup, 3, &state).expect_err("refused").to_string()
}

/// Some name with these effects and so many planes.
fn name_with(setup: &Setup, multi: bool, wanted: fn(&nandseq_device::Effects) -> bool) -> (u64, u64) {
    let tables = setup.tables();
    let mut ops = tables.ops().filter(|(_, op)| op.multi == multi && wanted(&tables.base(op.base).effects));
    let (op, info) = ops.next().expect("the built-in device has one");
    (op.index() as u64, info.base.index() as u64)
}

#[test]
fn what_would_only_fail_later_is_refused() {
    let profile = builtin::profile();
    let table = probability::of_profile(&profile, 1729);
    let setup = Setup::new(&profile, &table, &[]).expect("something to propose");
    for (axis, name) in [(0, "erase"), (1, "program")] {
        let (state, die) = suspended_state(&setup, axis, false);
        let multi = state["dies"][die]["still"]["parked"][axis]["place"]["planes"].as_u64().expect("planes");
        let multi = multi.count_ones() > 1;
        let park = |(op, base): (u64, u64)| {
            refusal_of(&setup, &state, |state| {
                let still = &mut state["dies"][die]["still"];
                still["parked"][axis]["op"] = op.into();
                still["logic"][name]["base"] = base.into();
            })
        };
        let other =
            if axis == 0 { name_with(&setup, multi, |e| e.program) } else { name_with(&setup, multi, |e| e.erase) };
        assert_eq!(park(other), "a suspended operation that is of another axis");
        let other =
            if axis == 0 { name_with(&setup, !multi, |e| e.erase) } else { name_with(&setup, !multi, |e| e.program) };
        assert_eq!(park(other), "an operation on a wrong number of planes");
    }
    let (state, die) = suspended_state(&setup, 1, true);
    let refusal = |change: &dyn Fn(&mut Value)| refusal_of(&setup, &state, change);
    for wanted in [(|e| e.suspend.is_some()) as fn(&nandseq_device::Effects) -> bool, |e| e.holds_target] {
        let (op, _) = name_with(&setup, false, wanted);
        let said = refusal(&|state| {
            let step = &mut state["dies"][die]["suspended"][1]["chain"][0];
            step["op"] = op.into();
        });
        assert_eq!(said, "a chain with a step that chains cannot have");
    }
    let beyond = profile.topology.planes as usize;
    let said = refusal(&|state| state["dies"][die]["still"]["logic"]["planes"][beyond]["unread"] = true.into());
    assert_eq!(said, "something on a plane that does not exist");
    let said = refusal(&|state| {
        let odt = &mut state["dies"][0]["still"]["logic"]["odt_disabled"];
        *odt = (!odt.as_bool().expect("on or off")).into();
    });
    assert_eq!(said, "a state of the target that is not the same on all dies");
    let said = refusal(&|state| state["dies"][0]["still"]["logic"]["write_protected"] = true.into());
    assert_eq!(said, "a state of the target that is not the same on all dies");
    for path in ["/next_refill", "/hooks/0/time"] {
        let said = refusal(&|state| {
            let time = state.pointer_mut(path).expect("a time");
            *time = (time.as_u64().expect("picoseconds") + 1).into();
        });
        assert_eq!(said, "a time off the grid of start times", "{path}");
    }
}
