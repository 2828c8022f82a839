//! Bootstrap: the device that it leaves, and that nothing else is proposed before it is done.

use std::collections::BTreeSet;
use std::io;

use crate::vary::vary;
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_profile::model::{AddressSource, Effect};
use nandseq_profile::{BaseId, Profile, ReadOptions, SourceFile, Ticks, builtin};
use nandseq_trace::{Operation, Sink};
use nandseq_verify::Verifier;

/// Base, cell type by name and block of a target; the start only of what was proposed by itself.
type Seen = (BaseId, String, (u8, u32), Option<Ticks>);

/// Judges, and notes the targets in order.
struct Witness<'p> {
    profile: &'p Profile,
    verifier: Verifier<'p>,
    seen: Vec<Seen>,
}

impl Sink for Witness<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let op = &self.profile.ops[operation.op];
        let cell = self.profile.cell_types[op.cell_type].name.clone();
        for target in operation.targets {
            self.seen.push((
                op.base,
                cell.clone(),
                (target.die.0, target.block.0),
                operation.is_first.then_some(operation.start),
            ));
        }
        self.verifier.operation(operation);
        Ok(())
    }
}

/// The operations of the first run of `run_us`, and of a longer second one.
fn two_runs(profile: &Profile, run_us: u64) -> (Witness<'_>, usize) {
    two_runs_of(profile, 11, run_us)
}

fn two_runs_of(profile: &Profile, seed: u64, run_us: u64) -> (Witness<'_>, usize) {
    let setup = Setup::new(profile, &probability::of_profile(profile, 1729), &[]).expect("something to propose");
    let mut site = Site::new(&setup, seed);
    let mut witness = Witness { profile, verifier: Verifier::new(profile, &[]), seen: Vec::new() };
    let limits =
        RunLimits { run_until: Ticks::from_us(run_us), bootstrap: true, max_ops: Some(50_000), ..RunLimits::default() };
    site.run(&limits, &mut witness).expect("memory does not fail");
    let first = witness.seen.len();
    witness.verifier.end_of_file();
    let limits = RunLimits { run_until: Ticks::from_us(run_us.max(30_000)), ..limits };
    site.run(&limits, &mut witness).expect("memory does not fail");
    assert!(witness.verifier.is_clean(), "{}: {:?}", profile.name, witness.verifier.findings().first());
    (witness, first)
}

fn with(profile: &Profile, does: impl Fn(&Effect) -> bool) -> Vec<BaseId> {
    profile.bases.iter_ids().filter(|(_, base)| base.effects.iter().any(&does)).map(|(id, _)| id).collect()
}

#[test]
fn a_bootstrap_reaches_its_goals_in_order_and_by_its_cell_types() {
    let mut profile = builtin::profile();
    profile.topology.dies = 1;
    let asked = profile.bootstrap.clone();
    let (witness, first) = two_runs(&profile, 1);
    let erases = with(&profile, |effect| matches!(effect, Effect::Erase));
    let programs = with(&profile, |effect| matches!(effect, Effect::Program));
    let reads = with(&profile, |effect| matches!(effect, Effect::FillRegisters { .. }));
    let blocks = |bases: &[BaseId]| -> BTreeSet<(u8, u32)> {
        let run = witness.seen[..first].iter();
        run.filter(|(base, ..)| bases.contains(base)).map(|&(.., block, _)| block).collect()
    };
    let read_goal =
        asked.read_blocks.max((asked.read_coverage * f64::from(profile.topology.blocks_per_die)).ceil() as u32);
    let read_goal = read_goal.min(blocks(&programs).len() as u32);
    assert!(blocks(&erases).len() as u32 >= asked.erase_blocks, "{} blocks erased", blocks(&erases).len());
    assert!(blocks(&programs).len() as u32 >= asked.program_blocks, "{} blocks programmed", blocks(&programs).len());
    assert!(blocks(&reads).len() as u32 >= read_goal, "{} blocks read of {read_goal}", blocks(&reads).len());
    assert!(blocks(&programs).is_subset(&blocks(&erases)) && blocks(&reads).is_subset(&blocks(&programs)));
    let outputs = with(&profile, |effect| matches!(effect, Effect::DataOut));
    assert!(!blocks(&outputs).is_empty(), "reads with data output");
    // Nothing else is proposed before the bootstrap is done.
    let loads = with(&profile, |effect| matches!(effect, Effect::LoadLatch { .. }));
    let all = [&erases[..], &programs, &loads, &reads, &outputs].concat();
    let proposed = witness.seen[..first].iter().filter(|(.., start)| start.is_some());
    let others = proposed.filter(|(base, ..)| !all.contains(base)).map(|(base, ..)| profile.bases[*base].name.as_str());
    assert_eq!(others.collect::<BTreeSet<_>>(), BTreeSet::new());
    // In order: nothing is proposed of a stage before the last proposal of the one before.
    let times = |bases: &[BaseId]| -> Vec<Ticks> {
        let run = witness.seen[..first].iter();
        run.filter(|(base, ..)| bases.contains(base)).filter_map(|&(.., start)| start).collect()
    };
    assert!(times(&erases).last() < times(&programs).first() && times(&programs).last() < times(&reads).first());
    let share = |cell: &str| {
        let erased = witness.seen[..first].iter().filter(|(base, ..)| erases.contains(base));
        let all = erased.clone().count() as f64;
        erased.filter(|(_, name, ..)| name == cell).count() as f64 / all
    };
    assert!((share("SLC") - 0.2).abs() < 0.15 && (share("TLC") - 0.8).abs() < 0.15, "{} SLC", share("SLC"));
    // Free generation goes on with everything else.
    let bases: BTreeSet<BaseId> = witness.seen[first..].iter().map(|&(base, ..)| base).collect();
    let own: BTreeSet<BaseId> = witness.seen[..first].iter().map(|&(base, ..)| base).collect();
    assert!(bases.difference(&own).count() > 3, "the second run is free");
}

#[test]
fn a_bootstrap_that_asks_for_too_much_or_for_nothing_ends() {
    let mut profile = builtin::profile();
    profile.topology.dies = 1;
    profile.topology.blocks_per_die = 8;
    profile.topology.pages_per_block = 2;
    profile.bootstrap.erase_blocks = u32::MAX;
    profile.bootstrap.program_blocks = u32::MAX;
    profile.bootstrap.read_coverage = 1.0;
    let (witness, first) = two_runs(&profile, 1);
    let erased: BTreeSet<(u8, u32)> = witness.seen[..first].iter().map(|&(.., block, _)| block).collect();
    assert!(erased.len() >= 8, "every block is reached");
    profile.bootstrap.cell_type_weights.clear();
    profile.bootstrap.erase_blocks = 0;
    let (witness, _) = two_runs(&profile, 2_000);
    assert!(!witness.seen.is_empty(), "nothing to prepare: free generation at once");
}

#[test]
fn a_bootstrap_that_can_only_repeat_itself_ends() {
    let text = include_str!("../../../../rulebook/device.yaml");
    let (small, _) = nandseq_profile::read(&SourceFile::new("device.yaml", text), ReadOptions { lenient: false });
    // Two of its three blocks are programmed as a cell type that nothing reads.
    let profile = vary(&small.expect("the device of the rulebook is sound"), 10);
    let (witness, first) = two_runs_of(&profile, 10, 1);
    let blocks = |source: AddressSource| -> BTreeSet<(u8, u32)> {
        let of_run = witness.seen[..first].iter().filter(|&&(base, ..)| profile.bases[base].address == source);
        of_run.map(|&(.., block, _)| block).collect()
    };
    let (programmed, read) = (blocks(AddressSource::NextPage), blocks(AddressSource::ReadablePage));
    assert!(!read.is_empty() && read.len() < programmed.len(), "{programmed:?}, of these {read:?}");
}

#[test]
fn varied_profiles_bootstrap_without_a_broken_rule() {
    let profile = builtin::profile();
    for number in 0..20 {
        let varied = vary(&profile, number);
        if Setup::new(&varied, &probability::of_profile(&varied, 1729), &[]).is_ok() {
            two_runs(&varied, 1_000);
        }
    }
}
