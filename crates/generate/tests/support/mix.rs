//! Mixes of the tests, and limits of their runs.

use nandseq_generate::{RunLimits, Setup, probability};
use nandseq_plan::model::MixShare;
use nandseq_profile::{OpId, Profile, Ticks};

/// Limits of a run with so many operations.
pub(crate) fn operations(count: u64) -> RunLimits<'static> {
    RunLimits { run_until: Ticks::from_us(400_000_000), max_ops: Some(count), ..RunLimits::default() }
}

/// The shares of some bases, in millionths.
pub(crate) fn shares(profile: &Profile, wanted: &[(&str, u32)]) -> Vec<MixShare> {
    let share = |&(name, share): &(&str, u32)| {
        let of_base = |op: &OpId| profile.bases[profile.ops[*op].base].name == name;
        MixShare { name: name.to_owned(), ops: profile.ops.ids().filter(of_base).collect(), share }
    };
    wanted.iter().map(share).collect()
}

/// A setup with a mix; `None` if it has nothing to propose.
pub(crate) fn setup(profile: &Profile, mix: &[MixShare]) -> Option<Setup> {
    let table = probability::of_profile(profile, probability::DEFAULT_TABLE_SEED);
    Setup::new(profile, &table, &[]).ok().map(|setup| setup.with_mix(mix))
}
