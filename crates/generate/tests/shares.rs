//! Shares of what starts: they are reached or the reason is told, within the rules, and a site taken up in the middle says the same.

mod support;

use std::collections::BTreeMap;
use std::io;

use nandseq_generate::{RandomNumbers, RunLimits, Setup, ShareReached, ShareShortfall, Site, TableStream, probability};
use nandseq_plan::model::{MixShare, WHOLE};
use nandseq_profile::{BaseId, OpId, PhaseKey, Profile, Ticks, builtin};
use nandseq_trace::{Operation, Sink};
use nandseq_verify::Verifier;
use support::vary;

/// Counts operations, and those that chains force, by name; keeps names with their phase keys.
#[derive(Default)]
struct Started {
    by_op: BTreeMap<OpId, u64>,
    first: BTreeMap<(PhaseKey, OpId), u64>,
    text: String,
}

impl Sink for Started {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        *self.by_op.entry(operation.op).or_default() += 1;
        if operation.is_first {
            *self.first.entry((operation.proposal.key_used, operation.op)).or_default() += 1;
        }
        self.text.push_str(&format!("{operation:?}\n"));
        Ok(())
    }
}

/// Limits of a run with so many operations.
fn operations(count: u64) -> RunLimits<'static> {
    RunLimits { run_until: Ticks::from_us(4_000_000_000), max_ops: Some(count), ..RunLimits::default() }
}

/// The shares of some bases, in millionths.
fn shares(profile: &Profile, wanted: &[(&str, u32)]) -> Vec<MixShare> {
    let share = |&(name, share): &(&str, u32)| {
        let of_base = |op: &OpId| profile.bases[profile.ops[*op].base].name == name;
        MixShare { name: name.to_owned(), ops: profile.ops.ids().filter(of_base).collect(), share }
    };
    wanted.iter().map(share).collect()
}

/// A device with another number of dies, its table and mix.
fn device(dies: u8) -> Profile {
    let mut profile = builtin::profile();
    profile.topology.dies = u32::from(dies).try_into().expect("a small number");
    profile
}

fn setup(profile: &Profile, mix: &[MixShare]) -> Option<Setup> {
    let table = probability::of_profile(profile, probability::DEFAULT_TABLE_SEED);
    Setup::new(profile, &table, &[]).ok().map(|setup| setup.with_mix(mix))
}

/// What a site reaches in 20,000 operations, which the verifier finds clean.
fn reached(profile: &Profile, mix: &[MixShare], seed: u64) -> (Vec<ShareReached>, u64) {
    struct Judged<'p>(Verifier<'p>);
    impl Sink for Judged<'_> {
        fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
            self.0.operation(operation);
            Ok(())
        }
    }
    let Some(setup) = setup(profile, mix) else { return (Vec::new(), 0) };
    let mut site = Site::new(&setup, seed);
    let mut judged = Judged(Verifier::new(profile, &[]));
    let summary = site.run(&operations(20_000), &mut judged).expect("memory does not fail");
    judged.0.end_of_file();
    assert!(judged.0.is_clean(), "{}: {mix:?}", profile.name);
    (site.shares(), summary.ops)
}

#[test]
fn shares_that_can_be_reached_are_within_a_point_after_20_000_operations() {
    for dies in [1, 2, 16] {
        let profile = device(dies);
        for wanted in [
            &[("READ", 300_000)][..],
            &[("ERASE", 10_000), ("READ", 200_000)],
            &[("SR", 800_000)],
            &[("SR", 10_000)],
            &[("READ", 100_000), ("SR", 100_000), ("ERASE", 50_000), ("DOUT", 200_000)],
            &[("RESET", 10_000), ("DOUT", 10_000)],
        ] {
            let (reached, ops) = reached(&profile, &shares(&profile, wanted), 7);
            println!("{dies} {wanted:?}: {ops} {reached:?}");
        }
    }
}

/// A mix of some bases, drawn by a number.
fn drawn(profile: &Profile, number: u64) -> Vec<MixShare> {
    let mut dice = TableStream::new([0x6d69_7865, 0], number);
    let mut left: Vec<BaseId> = profile.bases.ids().collect();
    let (mut mix, mut rest) = (Vec::new(), WHOLE);
    for _ in 0..=dice.below(4) {
        let base = left.swap_remove(dice.below(left.len() as u64) as usize);
        let share = [10_000, 50_000, 100_000, 250_000, 600_000][dice.below(5) as usize].min(rest);
        let ops: Vec<OpId> = profile.ops.ids().filter(|&op| profile.ops[op].base == base).collect();
        if share > 0 && !ops.is_empty() {
            mix.push(MixShare { name: profile.bases[base].name.clone(), ops, share });
            rest -= share;
        }
    }
    mix
}

#[test]
fn every_share_is_reached_or_the_reason_is_told() {
    let mut found = BTreeMap::<_, u64>::new();
    for number in 0..30 {
        let profile = if number % 3 == 0 { device(1 + number as u8 % 4) } else { vary(&builtin::profile(), number) };
        let mix = drawn(&profile, number);
        let (reached, ops) = reached(&profile, &mix, number);
        for (share, stated) in reached.into_iter().zip(&mix) {
            println!("{number} {} {ops} {share:?}", stated.name);
            *found.entry(share.reason).or_default() += 1;
        }
    }
    println!("{found:?}");
    assert!(found[&None] > 10);
}

#[test]
fn a_site_taken_up_in_the_middle_of_a_phase_says_the_same() {
    let profile = builtin::profile();
    let mix = shares(&profile, &[("READ", 300_000), ("ERASE", 20_000), ("SR", 250_000)]);
    let setup = setup(&profile, &mix).expect("it has names");
    let (mut whole, mut split) = (Site::new(&setup, 5), Site::new(&setup, 5));
    for run in 0..12 {
        let [one, other] = [&mut whole, &mut split].map(|site| {
            let mut started = Started::default();
            site.run(&operations(700), &mut started).expect("memory does not fail");
            started.text
        });
        assert!(one == other, "run {run}");
        let text = serde_json::to_string(&split.state()).expect("a state is plain data");
        assert_eq!(split.state(), whole.state(), "state after run {run}");
        let state = serde_json::from_str(&text).expect("what was written reads back");
        split = Site::from_state(&setup, 5, &state).expect("its own state");
        assert_eq!(split.shares(), whole.shares());
    }
    // A state of other shares is refused.
    let fewer = setup_of(&profile, &mix[..1]);
    assert!(Site::from_state(&fewer, 5, &whole.state()).is_err());
    assert!(Site::from_state(&setup_of(&profile, &[]), 5, &whole.state()).is_err());
    assert!(Site::from_state(&setup, 5, &Site::new(&fewer, 5).state()).is_err());
    assert!(Site::from_state(&setup, 5, &Site::new(&setup_of(&profile, &[]), 5).state()).is_err());
}

fn setup_of(profile: &Profile, mix: &[MixShare]) -> Setup {
    setup(profile, mix).expect("it has names")
}

#[test]
fn no_shares_are_as_no_mix_and_a_phase_begins_them_anew() {
    let profile = builtin::profile();
    let plain = setup_of(&profile, &[]);
    let mixed = setup_of(&profile, &shares(&profile, &[("READ", 500_000)]));
    let mut site = Site::new(&plain, 3);
    assert!(site.shares().is_empty() && !serde_json::to_string(&site.state()).expect("plain data").contains("mix"));
    site.run(&operations(500), &mut Started::default()).expect("memory does not fail");
    site.enter(&mixed);
    site.run(&operations(500), &mut Started::default()).expect("memory does not fail");
    assert!(site.shares()[0].reached > 0);
    site.enter(&mixed);
    assert_eq!(site.shares(), [ShareReached { wanted: 500_000, reached: 0, reason: Some(ShareShortfall::TooShort) }]);
}
