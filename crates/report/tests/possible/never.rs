//! What starts in runs of a plan is not called impossible: neither by the weights, to which scenarios add, nor by the regions.

use std::collections::BTreeSet;
use std::io;

use nandseq_generate::{RunLimits, Setup, Site, TableStream, probability};
use nandseq_plan::model::{PlanPhase, Scenario, ScenarioStep};
use nandseq_plan::{TestPlan, never_served, unserved_by_phase};
use nandseq_profile::{OpId, PhaseKey, Profile, Ticks};
use nandseq_reach::{ScenarioStarts, Start, Verdict, can_start, impossible_steps, never_provided};
use nandseq_trace::{Operation, Sink};

use crate::cut::Dice;
use crate::drawn;

/// Operations of a run, and runs of a phase.
const OPS: u64 = 400;
const RUNS: u64 = 2;
/// The most operations that a search of states carries out.
const MOST_TRIED: u64 = 300_000;

/// What was tried.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Tried {
    /// Plans.
    pub(crate) plans: usize,
    /// Operations that started, each once for each plan, and those of them that had no weight.
    pub(crate) started: usize,
    pub(crate) weightless: usize,
    /// Operations that no region ever serves, and all that are called impossible.
    pub(crate) unserved: usize,
    pub(crate) impossible: usize,
}

/// A sink that keeps the names of what starts.
#[derive(Default)]
struct Started(BTreeSet<OpId>);

impl Sink for Started {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.0.insert(operation.op);
        Ok(())
    }
}

type Table = Vec<(PhaseKey, Vec<(OpId, f64)>)>;

/// The table of a profile without the weights of some operations and of all of some bases.
fn table(profile: &Profile, dice: &mut Dice) -> Table {
    let mut table = probability::of_profile(profile, probability::DEFAULT_TABLE_SEED);
    let bases: Vec<bool> = profile.bases.ids().map(|_| dice.one_in(4)).collect();
    let ops: Vec<bool> = profile.ops.ids().map(|op| bases[profile.ops[op].base.index()] || dice.one_in(5)).collect();
    table.iter_mut().flat_map(|(_, entries)| entries).filter(|(op, _)| ops[op.index()]).for_each(|entry| entry.1 = 0.0);
    table
}

/// A drawn plan, at times with two phases that have half of the scenarios each, and regions of their own.
fn plan(profile: &Profile, number: u64, dice: &mut Dice) -> TestPlan {
    let mut plan = drawn::plan(profile, number);
    if dice.one_in(2) {
        plan.addresses = vec![drawn::addresses(profile, dice), drawn::addresses(profile, dice)];
        let phase = |at: usize| PlanPhase {
            name: format!("phase {at}"),
            runs: RUNS,
            run_until: None,
            ops: Some(OPS),
            until: None,
            global: Vec::new(),
            by_key: Vec::new(),
            mix: Vec::new(),
            addresses: vec![at],
            scenarios: (4 * at..4 * at + 4).collect(),
        };
        plan.phases = vec![phase(0), phase(1)];
    }
    plan
}

/// The operations that start in runs of a plan, after a bootstrap if there is one; `None` if nothing can be proposed.
fn started(
    profile: &Profile,
    table: &Table,
    plan: &TestPlan,
    (seed, bootstrap): (u64, bool),
) -> Option<BTreeSet<OpId>> {
    let everything: Vec<usize> = (0..plan.addresses.len()).collect();
    let phases: Vec<(Vec<usize>, Vec<Scenario>)> = if plan.phases.is_empty() {
        vec![(everything, plan.scenarios.clone())]
    } else {
        let scenarios = |phase: &PlanPhase| phase.scenarios.iter().map(|&at| plan.scenarios[at].clone()).collect();
        plan.phases.iter().map(|phase| (phase.addresses.clone(), scenarios(phase))).collect()
    };
    let setups: Vec<Setup> = phases
        .iter()
        .map(|(addresses, scenarios)| {
            let setup = Setup::new(profile, table, &[]).ok()?.among_phases(table);
            Some(setup.with_addresses(&plan.addresses, addresses).with_scenarios(scenarios).unwrap())
        })
        .collect::<Option<_>>()?;
    let (mut site, mut started) = (Site::new(&setups[0], seed), Started::default());
    // A bootstrap draws by weights of its own: what is said is about what follows it.
    if bootstrap {
        let first = RunLimits { run_until: Ticks::ZERO, bootstrap, ..RunLimits::default() };
        site.run(&first, &mut Started::default()).unwrap();
    }
    for (at, setup) in setups.iter().enumerate() {
        if at > 0 {
            site.enter(setup);
        }
        for run in 0..RUNS {
            let run_until = Ticks::from_us(1_000_000);
            let of_phase = (run, RUNS);
            let limits = RunLimits { run_until, max_ops: Some(OPS), of_phase, ..RunLimits::default() };
            site.run(&limits, &mut started).unwrap();
        }
    }
    Some(started.0)
}

/// The scenarios of a plan, for a message.
fn in_words(profile: &Profile, plan: &TestPlan, start: Start<'_>) -> String {
    let step = |step: &ScenarioStep| {
        let names: Vec<&str> = step.ops.iter().map(|op| &*profile.ops[*op].name).collect();
        format!("  {names:?} {:?} {:?} {}\n", step.when, step.places, step.repeat)
    };
    let scenario = |scenario: &Scenario| {
        format!("others between: {}\n{}", scenario.others_between, scenario.steps.iter().map(step).collect::<String>())
    };
    let scenarios: String = plan.scenarios.iter().map(scenario).collect();
    format!("{scenarios}{:#?}", impossible_steps(profile, plan, start))
}

/// Checks a plan on a device.
pub(crate) fn check(profile: &Profile, number: u64, tried: &mut Tried) {
    let mut dice = Dice(TableStream::new([0x6e65_7665, 0], number));
    let (table, bootstrap) = (table(profile, &mut dice), dice.one_in(4));
    let plan = plan(profile, number, &mut dice);
    let Some(started) = started(profile, &table, &plan, (number, bootstrap)) else { return };
    let plain = Start { bootstrap, ..Start::default() };
    let scripted = ScenarioStarts::new(profile, &plan, plain).ops();
    let unserved = never_served(&unserved_by_phase(&plan, profile, bootstrap).unwrap());
    let start = Start { scripted: &scripted, unserved: &unserved, ..plain };
    let provided = never_provided(profile, &table, start);
    let ops: Vec<OpId> = started.iter().copied().collect();
    for (&op, verdict) in ops.iter().zip(can_start(profile, &table, start, &ops, MOST_TRIED)) {
        let name = &profile.ops[op].name;
        let which = format!("{name} started on {} with plan {number}", profile.name);
        assert_eq!(provided[op.index()], None, "{which}\n{}", in_words(profile, &plan, plain));
        let is_possible = !matches!(verdict, Verdict::Unreachable(_));
        assert!(is_possible, "{which}: {verdict:?}\n{}", in_words(profile, &plan, plain));
    }
    let has_weight = |op: OpId| table.iter().flat_map(|(_, entries)| entries).any(|&(of, mass)| of == op && mass > 0.0);
    tried.plans += 1;
    tried.started += ops.len();
    tried.weightless += ops.iter().filter(|op| !has_weight(**op)).count();
    tried.unserved += unserved.len();
    tried.impossible += provided.iter().filter(|reason| reason.is_some()).count();
}
