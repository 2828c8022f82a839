//! Plans that are admitted beside chains of other dies. Every chain that has begun ends or is reset.

use std::collections::BTreeMap;
use std::io;

use nandseq_device::Place;
use nandseq_profile::{Page, Plane, PlaneSet, Profile, builtin};
use nandseq_trace::{Nowhere, Operation, Sink};

use super::*;
use crate::adversaries;
use crate::probability::of_profile;
use crate::setup::Setup;
use crate::site::Site;

fn setup_of(profile: &Profile) -> Setup {
    Setup::new(profile, &of_profile(profile, 1729), &[]).expect("something to propose")
}

fn step(profile: &Profile, name: &str, place: Place) -> Step {
    let (op, _) = profile.ops.iter_ids().find(|(_, op)| op.name == name).expect("an operation of the built-in device");
    Step { op, place }
}

fn page(die: u8, group: u32) -> Place {
    let cell_type = nandseq_profile::CellTypeId::default();
    Place { die: Die(die), planes: PlaneSet::one(Plane(0)), group, page: Page(0), cell_type }
}

/// A site whose second die has a chain with a step to come that looks at every die.
fn with_a_guest<'s>(setup: &'s Setup, profile: &Profile) -> Site<'s> {
    let mut site = Site::new(setup, 1);
    let step = step(profile, "VPP_Parameter_Read_Target_Level", Place::die(Die(1)));
    site.kernel.chains.begin(&setup.tables, Die(1), Proposal::default(), &[step]);
    site
}

#[test]
fn a_reset_with_a_chain_leaves_its_die_fit_for_steps_of_other_dies() {
    let profile = builtin::profile();
    let setup = setup_of(&profile);
    let mut site = with_a_guest(&setup, &profile);
    let reset = step(&profile, "Reset_LUN", Place::die(Die(0)));
    // A latch that waits for its other pages forbids the CAM read for good.
    let load = step(&profile, "One_Shot_PGM_LSB", page(0, 0));
    assert_eq!(site.kernel.admit(&[reset, load], Ticks::ZERO), Err(NotAdmitted::ChainUnderWay));
    // Without the load, or without the other die's step, nothing is in the way.
    assert_eq!(site.kernel.admit(&[reset], Ticks::ZERO), Ok(()));
    assert_eq!(Site::new(&setup, 1).kernel.admit(&[reset, load], Ticks::ZERO), Ok(()));
}

#[test]
fn what_changes_nothing_is_not_let_in_with_a_chain_that_shuts_out_steps_of_other_dies() {
    let profile = builtin::profile();
    let setup = setup_of(&profile);
    let mut site = with_a_guest(&setup, &profile);
    let look = step(&profile, "Read_ID_JEDEC", Place::die(Die(0)));
    let load = step(&profile, "One_Shot_PGM_LSB", page(0, 0));
    assert_eq!(site.kernel.admit(&[look, load], Ticks::ZERO), Err(NotAdmitted::ChainUnderWay));
    assert_eq!(site.kernel.admit(&[look], Ticks::ZERO), Ok(()));
}

#[test]
fn a_reset_of_the_target_ends_the_chains_that_would_look_at_its_die() {
    let mut profile = builtin::profile();
    let (reset_base, _) = profile.bases.iter_ids().find(|(_, base)| base.name == "RESET").expect("a base");
    for effect in &mut profile.bases[reset_base].effects {
        if *effect == nandseq_profile::model::Effect::ResetDie {
            *effect = nandseq_profile::model::Effect::ResetTarget;
        }
    }
    let setup = setup_of(&profile);
    let mut site = with_a_guest(&setup, &profile);
    let reset = step(&profile, "Super_Reset", Place::die(Die(0)));
    let load = step(&profile, "One_Shot_PGM_LSB", page(0, 0));
    assert_eq!(site.kernel.admit(&[reset, load], Ticks::ZERO), Ok(()));
}

#[test]
fn a_chain_that_looks_at_every_die_voids_the_orders_kept_for_the_others() {
    let profile = builtin::profile();
    let setup = setup_of(&profile);
    let mut site = Site::new(&setup, 1);
    site.reporter.begin_run(Ticks::ZERO, setup.tables.ops().count());
    let read = step(&profile, "Read_ID_JEDEC", Place::die(Die(1)));
    let [first, second] =
        [(); 2].map(|()| site.kernel.chains.begin(&setup.tables, Die(1), Proposal::default(), &[read, read]));
    let known = vec![Some(first), Some(second), Some(first), Some(second)];
    site.kernel.orders.of_dies[1].clone_from(&known);
    let look = step(&profile, "Read_ID_JEDEC", Place::die(Die(0)));
    let begin = |site: &mut Site<'_>, plan: &[Step], now: Ticks| {
        site.kernel.admit(plan, now).expect("it may start");
        site.proposer.plan = plan.to_vec();
        site.begin(&Proposal::default(), now, &mut Nowhere);
    };
    begin(&mut site, &[look, look], Ticks::ZERO);
    assert_eq!(site.kernel.orders.of_dies[1], known, "a chain of its own die changes nothing for the others");
    let everywhere = step(&profile, "VPP_Parameter_Read_Target_Level", Place::die(Die(0)));
    // Once the bus is free again.
    begin(&mut site, &[look, everywhere], Ticks::from_us(10));
    assert_eq!(
        site.kernel.orders.of_dies[1],
        [],
        "found before the second die had to leave a state that lets the CAM read start"
    );
}

/// The steps of chains that start, by proposal, and the dies that are reset.
#[derive(Default)]
struct Steps {
    resets: Vec<(bool, bool)>,
    started: BTreeMap<(Ticks, u8, u8), usize>,
    reset: u64,
}

/// Tells chains apart, whatever slot they are in.
fn origin(proposal: &Proposal) -> (Ticks, u8, u8) {
    (proposal.time, proposal.die.0, proposal.plane.0)
}

impl Sink for Steps {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        if !operation.is_first {
            *self.started.entry(origin(operation.proposal)).or_default() += 1;
        }
        let (die, target) = self.resets[operation.op.index()];
        if target {
            self.reset = u64::MAX;
        } else if die {
            self.reset |= 1 << operation.targets[0].die.0;
        }
        Ok(())
    }
}

/// Runs a device for a number of operations, then lets everything come to rest. Returns how many steps of chains started, and how
/// many a reset took away.
fn follow_chains(profile: &Profile, seed: u64, operations: u64) -> (usize, usize) {
    let setup = setup_of(profile);
    let mut site = Site::new(&setup, seed);
    site.proposing = true;
    site.reporter.begin_run(Ticks::ZERO, setup.tables.ops().count());
    let resets = setup.tables.ops().map(|(_, op)| &setup.tables.base(op.base).effects);
    let resets = resets.map(|effects| (effects.reset_die, effects.reset_target)).collect();
    let mut steps = Steps { resets, ..Steps::default() };
    let remaining = |site: &Site<'_>| -> BTreeMap<ChainId, (Proposal, Die, usize)> {
        site.kernel.chains.live().map(|(id, chain)| (id, (chain.proposal, chain.die, chain.rest().len()))).collect()
    };
    let (mut carried, mut before) = (Vec::new(), remaining(&site));
    let (mut all, mut dropped) = (0, 0);
    loop {
        if site.proposing && site.reporter.summary.ops >= operations {
            site.proposing = false;
            site.kernel.waiting.drop_waiters();
            site.kernel.queue.take_proposals();
        }
        let Some(next) = site.kernel.queue.next() else { break };
        steps.started.clear();
        steps.reset = 0;
        site.step(next, &mut steps, &mut carried);
        let after = remaining(&site);
        for (id, &(proposal, die, length)) in &before {
            let still = after.get(id).filter(|(own, _, now)| *own == proposal && *now <= length);
            let gone = length - still.map_or(0, |&(_, _, now)| now);
            let started = steps.started.get(&origin(&proposal)).copied().unwrap_or(0);
            if steps.reset >> die.0 & 1 == 1 {
                dropped += gone - started.min(gone);
            } else {
                assert_eq!(gone, started, "{}, seed {seed}: a step went without starting", profile.name);
            }
        }
        all += steps.started.values().sum::<usize>();
        before = after;
    }
    assert_eq!(site.kernel.stuck_chain(), None, "{}, seed {seed}: a chain is left half done", profile.name);
    (all, dropped)
}

#[test]
fn every_chain_ends_or_is_reset_whatever_the_mix() {
    let device = builtin::profile();
    let mut totals = (0, 0);
    for number in 0..2 * adversaries::COUNT {
        let (started, dropped) = follow_chains(&adversaries::adversary(&device, number), number, 3_000);
        totals = (totals.0 + started, totals.1 + dropped);
    }
    let (started, dropped) = follow_chains(&device, 99, 20_000);
    totals = (totals.0 + started, totals.1 + dropped);
    assert!(totals.0 > 10_000 && totals.1 > 100, "steps started and taken away: {totals:?}");
}
