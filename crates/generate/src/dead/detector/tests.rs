//! Dead dies against the same sites walked through to the end.

use std::io;

use nandseq_device::Tables;
use nandseq_profile::model::{Effect, PhaseKind, StatusOf, Topology};
use nandseq_profile::{BaseId, Profile, builtin};
use nandseq_trace::{Operation, Sink};

use super::*;
use crate::closure::CoverageModel;
use crate::probability::Distributions;
use crate::random::{RandomNumbers, TableStream};
use crate::reporting::Rejections;
use crate::setup::{Setup, changes_other_dies};
use crate::site::Site;
use crate::{RunLimits, RunSummary, SiteState};
use nandseq_profile::input_time::Bin;

/// What started where and when, and what was refused when.
#[derive(Default)]
struct Starts(Vec<(OpId, Ticks, u8)>, Vec<(OpId, Ticks)>);

impl Sink for Starts {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.0.push((operation.op, operation.start, operation.targets.first().map_or(0, |target| target.die.0)));
        Ok(())
    }

    fn wants_refusals(&self) -> bool {
        true
    }

    fn refused(&mut self, proposal: &nandseq_trace::Proposal, op: OpId, _: &'static str) -> io::Result<()> {
        self.1.push((op, proposal.time));
        Ok(())
    }
}

/// A small device.
fn small(dies: u32, planes: u32, blocks_per_die: u32) -> Profile {
    let mut profile = builtin::profile();
    profile.topology = Topology { dies, planes, blocks_per_die, pages_per_block: 3 };
    profile.policies.max_planes = planes;
    profile
}

/// Lets a name read the status of die 0, whatever die its hook is on.
fn read_status_of_die_0(profile: &mut Profile) -> OpId {
    let reads_status = |op: OpId| profile.bases[profile.ops[op].base].has(Effect::StatusRead);
    let name = profile.ops.ids().find(|&op| reads_status(op)).expect("a status read");
    profile.ops[name].status_of = Some(StatusOf::Lun(0));
    name
}

/// A table of few names, so that many devices die.
fn poor_table(profile: &Profile, number: u64) -> Distributions {
    let mut stream = TableStream::new([number, 77], 0);
    let ops = profile.ops.len() as u64;
    let mut names = |count: u64| -> Vec<(OpId, f64)> {
        let mut names: Vec<OpId> = (0..count).map(|_| OpId(stream.below(ops) as u16)).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(|op| (op, 0.1)).collect()
    };
    let erase = profile.ops.iter_ids().find(|(_, op)| profile.bases[op.base].has(Effect::Erase));
    let mut table: Distributions = profile.phase_keys.ids().map(|key| (key, names(4))).collect();
    // Most that can be drawn needs erased blocks.
    table[0].1 = names(1 + number % 6);
    table[0].1.extend(erase.map(|(op, _)| (op, 0.1)));
    table
}

/// Runs a site of a setup for some runs, its dead time skipped or walked through; returns also the refusals of all runs and the
/// summary of the last.
fn runs(setup: &Setup, seed: u64, walked: bool, us: u64) -> (Starts, SiteState, Vec<Rejections>, RunSummary) {
    runs_with(setup, seed, (walked, false), us)
}

/// The same, perhaps with the bootstrap first.
fn runs_with(
    setup: &Setup,
    seed: u64,
    (walked, bootstrap): (bool, bool),
    us: u64,
) -> (Starts, SiteState, Vec<Rejections>, RunSummary) {
    let mut site = Site::new(setup, seed);
    let mut starts = Starts::default();
    let mut last = RunSummary::default();
    let mut refused = Vec::new();
    site.detector.walks_on = walked;
    for _ in 0..2 {
        let limits = RunLimits { run_until: Ticks::from_us(us), bootstrap, ..RunLimits::default() };
        last = site.run(&limits, &mut starts).expect("memory does not fail");
        refused.push(last.rejections.clone());
    }
    let state = site.state();
    (starts, state, refused, last)
}

#[test]
fn a_site_whose_dead_time_is_skipped_does_and_leaves_what_one_that_walks_through_it_does() {
    let (mut died, mut partly, mut directed_died) = (0, 0, 0);
    for number in 0..150 {
        let mut profile = small(1 + number as u32 % 3, 1 + number as u32 % 4, 12);
        profile.policies.refill_uses_end_key = number % 5 == 0;
        profile.policies.queue_refill_period = Ticks(7_333_333 + number * 1_010_101);
        let mut table = poor_table(&profile, number);
        if number % 7 == 0 {
            let status = read_status_of_die_0(&mut profile);
            table.iter_mut().skip(1).step_by(3).for_each(|(_, names)| names.push((status, 0.1)));
        }
        let bad: Vec<_> = (0..12).map(|block| (Die(0), nandseq_profile::Block(block))).collect();
        let bad = if number % 2 == 0 && profile.topology.dies > 1 { &bad[..] } else { &[] };
        if !bad.is_empty() {
            // One die alone can die where no name changes all.
            let tables = Tables::new(&profile);
            let stays = |&(op, _): &(OpId, f64)| !changes_other_dies(tables.base_of(op));
            table.iter_mut().for_each(|(_, names)| names.retain(stays));
        }
        let Ok(setup) = Setup::new(&profile, &table, bad) else { continue };
        let is_directed = number % 4 == 3;
        let setup = if is_directed {
            let keys = || profile.phase_keys.ids();
            let bins = keys().flat_map(|key| profile.ops.ids().map(move |op| Bin { key, op, time_bin: 0 }));
            setup.with_coverage_model(&profile, CoverageModel::new(&profile, bins, |_| 1, true))
        } else {
            setup
        };
        let (walked, state, refused, _) = runs(&setup, number, true, 40_000);
        let (skipped, other, also_refused, summary) = runs(&setup, number, false, 40_000);
        assert_eq!((walked.0, walked.1, state), (skipped.0.clone(), skipped.1, other), "device {number}");
        assert_eq!(refused, also_refused, "device {number}");
        // A die that is called dead is dead: nothing starts there afterwards.
        for dead in &summary.dead {
            let names_die = |op: OpId| setup.tables.base_of(op).reach != Reach::Target;
            let since = dead.since.expect("the site began afresh");
            let late = |&&(op, at, die): &&(OpId, Ticks, u8)| die == dead.die.0 && at > since && names_die(op);
            assert_eq!(skipped.0.iter().filter(late).count(), 0, "device {number}");
        }
        let all = summary.dead.len() == profile.topology.dies as usize;
        died += u32::from(all);
        partly += u32::from(!all && !summary.dead.is_empty());
        directed_died += u32::from(all && is_directed);
    }
    assert!(died > 10 && partly > 2 && directed_died > 2, "{died} died, {partly} partly, {directed_died} directed");
}

/// A device whose erases, programs and reads take `busy`, and a table of these alone.
fn slow(number: u64, busy: Ticks) -> (Profile, Distributions) {
    let mut profile = small(1 + number as u32 % 2, 1 + number as u32 % 4, 12);
    profile.policies.refill_uses_end_key = number.is_multiple_of(3);
    profile.policies.queue_refill_period = Ticks(7_333_333 + number * 1_010_101);
    let position = |base: BaseId| profile.bases[base].phases.iter().position(|phase| phase.kind == PhaseKind::CoreBusy);
    let busy_at: Vec<Option<usize>> = profile.bases.ids().map(position).collect();
    let mut table: Distributions = profile.phase_keys.ids().map(|key| (key, Vec::new())).collect();
    for op in profile.ops.ids().collect::<Vec<_>>() {
        let base = profile.ops[op].base;
        let works = [Effect::Erase, Effect::Program, Effect::FillRegisters { copyback: false }]
            .iter()
            .any(|&one| profile.bases[base].has(one));
        let Some(at) = busy_at[base.index()].filter(|_| works) else { continue };
        profile.ops[op].durations[at] = busy;
        table.iter_mut().for_each(|(_, names)| names.push((op, 0.1)));
    }
    (profile, table)
}

#[test]
fn a_site_that_skips_what_nothing_can_start_in_does_and_leaves_what_one_that_walks_through_it_does() {
    let mut started = 0;
    for number in 0..12 {
        let (profile, table) = slow(number, Ticks::from_us(60_000 + 40_000 * (number % 5)));
        let Ok(setup) = Setup::new(&profile, &table, &[]) else { continue };
        let bootstrap = number % 3 == 1;
        let (walked, state, refused, summary) = runs_with(&setup, number, (true, bootstrap), 900_000);
        let (skipped, other, also_refused, also) = runs_with(&setup, number, (false, bootstrap), 900_000);
        assert_eq!((&walked.0, &walked.1, state), (&skipped.0, &skipped.1, other), "device {number}");
        assert_eq!((refused, summary.by_op), (also_refused, also.by_op), "device {number}");
        started += skipped.0.len();
    }
    assert!(started > 100, "{started}");
}

#[test]
fn days_in_which_nothing_can_start_take_no_time() {
    let (profile, table) = slow(2, Ticks::from_us(86_400_000_000));
    let setup = Setup::new(&profile, &table, &[]).expect("something to propose");
    let (starts, ..) = runs(&setup, 1, false, 30 * 86_400_000_000);
    assert!(starts.0.len() > 30, "{}", starts.0.len());
}

#[test]
fn a_die_without_a_good_block_is_dead_while_the_other_lives_on() {
    let profile = small(2, 1, 4);
    let is_erase = |op: OpId| profile.bases[profile.ops[op].base].has(Effect::Erase);
    let erases = || profile.ops.ids().filter(|&op| is_erase(op) && !profile.ops[op].multi);
    let table = vec![(PhaseKey::DEFAULT, erases().map(|op| (op, 0.5)).collect())];
    let bad: Vec<_> = (0..4).map(|block| (Die(0), nandseq_profile::Block(block))).collect();
    let setup = Setup::new(&profile, &table, &bad).expect("something to propose");
    let (starts, .., summary) = runs(&setup, 1, false, 100_000);
    assert!(starts.0.iter().all(|&(.., die)| die == 1) && starts.0.len() > 10, "{} operations", starts.0.len());
    let [dead] = &summary.dead[..] else { panic!("{:?}", summary.dead) };
    assert_eq!((dead.die, dead.last, dead.since, dead.in_vain), (Die(0), None, Some(Ticks::ZERO), false));
    assert_eq!((dead.state.blocks.bad, dead.freed_by.len()), (4, 0));
    assert_eq!(dead.blocked.len(), erases().count());
    assert!(dead.blocked.iter().all(|blocked| blocked.reason == RefusalReason::NoAddress && blocked.share > 0.0));
}

#[test]
fn a_die_whose_status_another_die_can_have_read_is_not_dead_while_that_one_lives() {
    let mut profile = small(2, 1, 4);
    let status = read_status_of_die_0(&mut profile);
    let is_erase = |op: OpId| profile.bases[profile.ops[op].base].has(Effect::Erase);
    let erase = profile.ops.ids().find(|&op| is_erase(op) && !profile.ops[op].multi).expect("an erase");
    let busy = profile.phase_key(profile.ops[erase].base, Some(PhaseKind::CoreBusy)).expect("an erase is busy");
    let bad: Vec<_> = (0..4).map(|block| (Die(0), nandseq_profile::Block(block))).collect();
    let died = |weight| {
        let table = vec![(PhaseKey::DEFAULT, vec![(erase, 1.0)]), (busy, vec![(status, weight)])];
        let setup = Setup::new(&profile, &table, &bad).expect("something to propose");
        let (starts, .., summary) = runs(&setup, 1, false, 100_000);
        (starts.0.iter().any(|&(.., die)| die == 0), summary.dead.iter().map(|dead| dead.die).collect::<Vec<_>>())
    };
    assert_eq!(died(1.0), (true, vec![]));
    assert_eq!(died(0.0), (false, vec![Die(0)]));
}
