//! Weights at the hooks of real runs.

use std::collections::BTreeSet;
use std::io;

use nandseq_profile::{OpId, builtin};
use nandseq_trace::{Operation, Sink};

use super::*;
use crate::probability::of_profile;
use crate::propose::HookKind;
use crate::setup::Setup;
use crate::{RunLimits, probability};

struct Nothing;

impl Sink for Nothing {
    fn operation(&mut self, _: &Operation<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// Every name under every key counts.
fn everything(profile: &Profile, directed: bool) -> Goal {
    let keys = || profile.phase_keys.ids();
    let cells = keys().flat_map(|key| profile.ops.ids().map(move |op| Cell { key, op, bin: 0 }));
    Goal::new(profile, cells, |_| 1, directed)
}

#[test]
fn at_a_hook_of_plain_generation_every_name_it_can_draw_keeps_a_weight() {
    let profile = builtin::profile();
    let table = of_profile(&profile, probability::DEFAULT_TABLE_SEED);
    let setup = Setup::new(&profile, &table, &[]).expect("something to propose");
    let setup = setup.with_goal(&profile, everything(&profile, true));
    let mut site = Site::new(&setup, 3);
    let mut compared = 0;
    for _ in 0..40 {
        let limits = RunLimits { run_until: Ticks::from_us(2_000), ..RunLimits::default() };
        site.run(&limits, &mut Nothing).expect("memory does not fail");
        // The lottery still holds what was eligible at the last hook.
        let eligible: Vec<_> = site.lottery.eligible().collect();
        let mut tally = site.tally.take().expect("a goal");
        for key in profile.phase_keys.ids() {
            let distribution = &setup.distributions[usize::from(setup.by_key[key.index()])];
            let proposal = Proposal { time: site.quiet, key_used: key, ..Proposal::default() };
            for kind in [HookKind::Phase, HookKind::Refill] {
                site.weigh(&mut tally, &proposal, kind, distribution);
                let wanted: BTreeSet<OpId> =
                    eligible.iter().flat_map(|&class| distribution.names_of(class)).map(|&(op, _)| op).collect();
                let weighed: BTreeSet<OpId> =
                    tally.ballot.weights().filter(|(_, weight)| *weight > 0).map(|(op, _)| op).collect();
                assert_eq!(weighed, wanted);
                compared += wanted.len();
            }
        }
        site.tally = Some(tally);
    }
    assert!(compared > 10_000, "only {compared} weights");
}

#[test]
fn hits_read_back_from_their_text() {
    let profile = builtin::profile();
    let table = of_profile(&profile, probability::DEFAULT_TABLE_SEED);
    let setup = Setup::new(&profile, &table, &[]).expect("something to propose");
    let setup = setup.with_goal(&profile, everything(&profile, false));
    let goal = setup.goal.as_ref().expect("it was given");
    let mut tally = Tally::new(goal);
    for op in [3, 3, 9, 200] {
        tally.count(goal, &Proposal::default(), OpId(op), Ticks::ZERO);
    }
    let text = tally.to_text();
    assert!(text.starts_with("3*0 2 5*0 1 190*0 1 "), "{text}");
    let back = Tally::of_text(goal, &text).expect("its own text");
    assert_eq!((back.hits(), back.reached()), (tally.hits(), tally.reached()));
    for wrong in ["", "1", "0 ", "x", "*", "4294967296", &format!("{text} 0"), "99999999999999999999*0"] {
        assert!(Tally::of_text(goal, wrong).is_none(), "{wrong}");
    }
}

#[test]
fn goals_of_as_many_other_cells_have_other_digests() {
    let profile = builtin::profile();
    let digest = |bin| Goal::new(&profile, [Cell { key: PhaseKey::DEFAULT, op: OpId(3), bin }], |_| 10, false).digest();
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
}

#[test]
fn a_directed_site_with_nothing_to_go_for_starts_as_much_as_a_plain_one() {
    let profile = builtin::profile();
    let table = of_profile(&profile, probability::DEFAULT_TABLE_SEED);
    let operations = |directed| {
        let setup = Setup::new(&profile, &table, &[]).expect("something to propose");
        let setup = setup.with_goal(&profile, everything(&profile, directed));
        let goal = setup.goal.as_ref().expect("it was given");
        let mut site = Site::new(&setup, 5);
        // Every cell has been hit far above the level.
        site.tally = Tally::of_text(goal, &format!("{}*1000", goal.cells()));
        let limits = RunLimits { run_until: Ticks::from_us(300_000), ..RunLimits::default() };
        site.run(&limits, &mut Nothing).expect("memory does not fail").ops
    };
    let (plain, directed) = (operations(false), operations(true));
    assert!(directed > plain / 2 && directed < plain * 2, "{directed} operations against {plain}");
}
