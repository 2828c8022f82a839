//! Adversarial mixes: weights and devices that strain the engine.

use nandseq_profile::model::{Base, Effect, OverrideOf};
use nandseq_profile::{BaseId, OpId, Profile};

/// How many there are.
pub(crate) const COUNT: u64 = 7;

/// The `number`-th adversary (modulo [`COUNT`]) made of a profile, and what it is called.
pub(crate) fn adversary(profile: &Profile, number: u64) -> Profile {
    let mut adverse = profile.clone();
    let name = match number % COUNT {
        0 => suspend_storm(&mut adverse),
        1 => reset_rain(&mut adverse),
        2 => cache_and_copyback(&mut adverse),
        3 => multi_plane_only(&mut adverse),
        4 => resized(&mut adverse, [1, 1, 2, 2], "one die, one plane, two blocks, two pages"),
        5 => resized(&mut adverse, [16, 4, 512, 64], "16 dies, 4 planes, 512 blocks"),
        _ => rarest_branches(&mut adverse),
    };
    adverse.name = format!("adversary {number}: {name}");
    adverse
}

/// Gives each base a mass, the same under every phase key.
fn mix(profile: &mut Profile, mass: impl Fn(&Base) -> f64) {
    let global = profile.bases.iter_ids().map(|(id, base)| (OverrideOf::Base(id), mass(base))).collect();
    profile.probabilities.phase_conditional.clear();
    profile.probabilities.by_key.clear();
    profile.probabilities.global = global;
}

fn has(base: &Base, wanted: impl Fn(&Effect) -> bool) -> bool {
    base.effects.iter().any(wanted)
}

fn suspend_storm(profile: &mut Profile) -> &'static str {
    mix(profile, |base| {
        let storm = has(base, |effect| matches!(effect, Effect::Suspend(_) | Effect::Resume(_)));
        let suspend_target =
            has(base, |effect| matches!(effect, Effect::Erase | Effect::Program | Effect::LoadLatch { .. }));
        match (storm, suspend_target) {
            (true, _) => 1.0,
            (false, true) => 0.2,
            (false, false) => 0.01,
        }
    });
    "suspend storm"
}

fn reset_rain(profile: &mut Profile) -> &'static str {
    mix(profile, |base| {
        let resets = has(base, |effect| matches!(effect, Effect::ResetDie | Effect::ResetTarget));
        if resets { 0.4 } else { 0.02 }
    });
    "reset rain"
}

fn cache_and_copyback(profile: &mut Profile) -> &'static str {
    mix(profile, |base| {
        let needed =
            has(base, |effect| matches!(effect, Effect::Erase | Effect::FillRegisters { .. } | Effect::DataOut));
        let wanted = has(base, |effect| {
            matches!(
                effect,
                Effect::CacheRead(_)
                    | Effect::CacheReadEnd(_)
                    | Effect::CacheProgramStart(_)
                    | Effect::CacheProgramEnd(_)
                    | Effect::CopybackSource
                    | Effect::FillRegisters { copyback: true }
                    | Effect::LoadLatch { .. }
                    | Effect::ConsumeLatch { .. }
            )
        });
        match (wanted, needed) {
            (true, _) => 1.0,
            (false, true) => 0.1,
            (false, false) => 0.0,
        }
    });
    "cache and copyback only"
}

fn multi_plane_only(profile: &mut Profile) -> &'static str {
    resized(profile, [2, 3, 90, 40], "");
    mix(profile, |_| 0.05);
    let has_multi = |base: BaseId| profile.ops.iter().any(|op| op.base == base && op.multi);
    let single: Vec<OpId> =
        profile.ops.iter_ids().filter(|(_, op)| !op.multi && has_multi(op.base)).map(|(id, _)| id).collect();
    profile.probabilities.global.extend(single.into_iter().map(|op| (OverrideOf::Op(op), 0.0)));
    "multi-plane only, 3 planes"
}

fn resized(profile: &mut Profile, [dies, planes, blocks, pages]: [u32; 4], name: &'static str) -> &'static str {
    let topology = &mut profile.topology;
    (topology.dies, topology.planes) = (dies, planes);
    (topology.blocks_per_die, topology.pages_per_block) = (blocks, pages);
    profile.policies.max_planes = profile.policies.max_planes.min(planes);
    name
}

/// Each base goes on as it hardly ever does.
fn rarest_branches(profile: &mut Profile) -> &'static str {
    for base in profile.bases.iter_mut() {
        let chosen = base.follow_ups.iter().map(|follow| follow.weight).filter(|weight| *weight > 0.0);
        let rarest = chosen.fold(f64::INFINITY, f64::min);
        base.follow_ups.iter_mut().filter(|follow| follow.weight > rarest).for_each(|follow| follow.weight = 0.0);
    }
    "rarest branches"
}
