//! Random devices: the built-in one with another size, another mix, other chain probabilities and policies.

use nandseq_generate::{RandomNumbers, TableStream};
use nandseq_profile::model::{
    ArrayWork, Base, Chain, ChainStep, DeviceState, Effect, ExclusionGroup, FollowUp, OverrideOf, StepAddress,
};
use nandseq_profile::{BaseId, OpId, Profile, Ticks};

/// Weights for one field of a varied profile come from a stream of their own.
struct Dice(TableStream);

impl Dice {
    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.0.below(choices.len() as u64) as usize]
    }

    fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.below(high - low + 1)
    }

    /// A heavy-tailed mass in [0, 1]: most are small, one in five is zero.
    fn mass(&mut self) -> f64 {
        if self.0.below(5) == 0 { 0.0 } else { self.0.unit().powi(4) }
    }
}

/// The `number`-th variation of a profile.
pub(crate) fn vary(profile: &Profile, number: u64) -> Profile {
    let mut dice = Dice(TableStream::new([0x7661_7279, 0], number));
    let mut varied = profile.clone();
    varied.name = format!("variation {number}");
    resize(&mut varied, &mut dice);
    let policies = &mut varied.policies;
    policies.admission_window = Ticks(dice.between(0, 4) * 500_000);
    policies.queue_refill_period = Ticks(dice.pick(&[2, 7, 20, 100, 333]) * 1_000_000);
    policies.max_planes = dice.between(1, u64::from(varied.topology.planes)) as u32;
    policies.max_tries = dice.between(1, 8) as u32;
    policies.sequence_gap = Ticks(dice.pick(&[0, 10_000, 995_000, 1_000_000, 3_000_000]));
    policies.post_hook_window = Ticks(dice.pick(&[0, 50_000, 1_000_000, 20_000_000]));
    policies.time_resolution = Ticks(dice.pick(&[1_000, 5_000, 10_000, 25_000]));
    policies.refill_uses_end_key = dice.0.below(2) == 0;
    varied.offset_guard = dice.pick(&[0, 0, 0, 1, 3]);
    for at in 0..varied.bases.len() {
        let base = &mut varied.bases[BaseId::from(at)];
        base.follow_ups.iter_mut().for_each(|follow| follow.weight = dice.mass());
        if base.follow_ups.iter().all(|follow| follow.weight == 0.0) {
            base.follow_ups.iter_mut().for_each(|follow| follow.weight = 1.0);
        }
    }
    if number % 3 == 2 {
        add_chains(&mut varied, &mut dice);
    }
    mix(&mut varied, &mut dice);
    if number % 5 == 4 {
        protect(&mut varied);
    }
    varied
}

/// Turns the commands of on-die termination into those of write protect, which forbids erases and programs.
pub(crate) fn protect(profile: &mut Profile) {
    let changes_array = |base: &Base| {
        base.effects
            .iter()
            .filter_map(|effect| effect.properties().array_work)
            .any(|work| matches!(work, ArrayWork::Erase | ArrayWork::Commit | ArrayWork::Load))
    };
    let forbids = profile.bases.iter_ids().filter(|(_, base)| changes_array(base)).map(|(id, _)| id).collect();
    let group = profile.exclusions.groups.len().into();
    profile.exclusions.groups.push(ExclusionGroup { name: "protected".to_owned(), forbids });
    profile.exclusions.by_state.push((DeviceState::WriteProtect, vec![group]));
    for effect in profile.bases.iter_mut().flat_map(|base| &mut base.effects) {
        if *effect == Effect::OdtDisable {
            *effect = Effect::WriteProtectOn;
        } else if *effect == Effect::OdtEnable {
            *effect = Effect::WriteProtectOff;
        }
    }
}

/// Gives some bases follow-ups that nobody would think of: most can never complete and must never begin.
fn add_chains(varied: &mut Profile, dice: &mut Dice) {
    let bases: Vec<BaseId> = varied.bases.ids().collect();
    for _ in 0..dice.between(1, 12) {
        let steps = (0..dice.between(1, 4)).map(|_| ChainStep {
            base: dice.pick(&bases),
            address: dice.pick(&[
                StepAddress::Sampled,
                StepAddress::SamePage,
                StepAddress::IncPage,
                StepAddress::ProgramSamePage,
                StepAddress::SuspendedProgram,
                StepAddress::PreviousPage,
                StepAddress::SameRegister,
            ]),
            same_cell_type: dice.0.below(2) == 0,
            multi: dice.0.below(2) == 0,
            same_plane: false,
        });
        let steps: Vec<ChainStep> = steps.collect();
        let chain = varied.chains.len();
        varied.chains.push(Chain { name: format!("VARIED_{chain}.SEQ"), steps, name_weights: Vec::new() });
        let head = dice.pick(&bases);
        let follow_ups = &mut varied.bases[head].follow_ups;
        if follow_ups.is_empty() {
            follow_ups.push(FollowUp { weight: 1.0, chain: None });
        }
        follow_ups.push(FollowUp { weight: 1.0, chain: Some(chain) });
    }
}

fn resize(varied: &mut Profile, dice: &mut Dice) {
    let topology = &mut varied.topology;
    topology.dies = dice.pick(&[1, 1, 2, 3, 5]);
    topology.planes = dice.pick(&[1, 2, 3, 4, 6]);
    let groups = dice.pick(&[1, 2, 3, 9, 40]);
    // Some devices have an incomplete last block group.
    let missing = if groups > 1 { dice.0.below(u64::from(topology.planes)) as u32 } else { 0 };
    topology.blocks_per_die = groups * topology.planes - missing;
    topology.pages_per_block = dice.pick(&[1, 2, 3, 5, 17, 200]);
}

/// Gives every base a mass of its own and some names too, under the global key and under a few others.
fn mix(varied: &mut Profile, dice: &mut Dice) {
    let bases: Vec<_> = varied.bases.ids().collect();
    let ops = varied.ops.len() as u64;
    let mut list: Vec<(OverrideOf, f64)> =
        bases.iter().map(|&base| (OverrideOf::Base(base), dice.mass() / 4.0)).collect();
    for _ in 0..20 {
        list.push((OverrideOf::Op(OpId(dice.0.below(ops) as u16)), dice.mass() / 50.0));
    }
    let mut seen = Vec::new();
    list.retain(|(what, _)| {
        let new = !seen.contains(what);
        seen.push(*what);
        new
    });
    varied.probabilities.phase_conditional.clear();
    varied.probabilities.global = list;
    if dice.0.below(2) == 0 {
        varied.probabilities.by_key.clear();
    }
}
