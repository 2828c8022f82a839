//! Traps, and the supply of refills.
//!
//! A trap is a lasting state that a device can enter and never leave. It is certain: the search allows more than the device does,
//! and still finds no way out. The supply is what refills, which always come, can propose without an address but a good block. In a
//! lasting state where it is 0, and nothing that a refill proposes changes the state either, the device may starve: that is a
//! warning only.

use nandseq_device::{BaseInfo, Tables};
use nandseq_profile::model::{AddressSource, DeviceState};
use nandseq_profile::{BaseId, OpId, PhaseKey, Profile};

use crate::explore::Graph;
use crate::judge::{HookContext, PlaneRun};
use crate::lasting::Lasting;
use crate::model::{Model, NameClassId, Start};
use crate::search::Search;
use crate::state::{Die, Plane};

/// A state that the device can enter and that no operation of the table ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trap {
    /// The state.
    pub state: Lasting,
    /// The bases whose operations would end it, by their own effect or as a reset: none of them can run there.
    pub freed_by: Vec<BaseId>,
    /// Whether nothing leads out of it wherever the device enters it; otherwise only where other states forbid all that would.
    pub is_always: bool,
}

/// The traps of a device, and the lasting state in which its refills bring nothing, found by a search that carries out at most
/// `most` operations. None if the device has more states than that.
#[must_use]
pub fn dead_ends(
    profile: &Profile,
    table: &[(PhaseKey, Vec<(OpId, f64)>)],
    start: Start<'_>,
    most: u64,
) -> (Vec<Trap>, Option<StarvedState>) {
    let Search { model, graph, .. } = Search::within(Model::new(profile, table, start), most);
    (traps(&model, &graph), supply(&model, &graph, table).starved)
}

/// Finds the traps. A state out of which nothing leads only in the course of another trap is none of its own.
pub(crate) fn traps(model: &Model<'_>, graph: &Graph) -> Vec<Trap> {
    let mut found: Vec<(Trap, Vec<bool>)> = Vec::new();
    for state in Lasting::all() {
        let inside: Vec<bool> = graph.states().map(|node| state.holds(&node)).collect();
        // The nodes from which a way leads out of the state, found backwards from the nodes outside it.
        let mut leaves: Vec<bool> = inside.iter().map(|inside| !inside).collect();
        loop {
            let can = |node: usize| graph.after.of(node as u32).iter().any(|&next| leaves[next as usize]);
            let more: Vec<usize> = (0..leaves.len()).filter(|&node| !leaves[node] && can(node)).collect();
            if more.is_empty() {
                break;
            }
            more.into_iter().for_each(|node| leaves[node] = true);
        }
        if leaves.contains(&false) {
            let is_always = inside.iter().zip(&leaves).all(|(inside, leaves)| inside != leaves);
            let stuck = leaves.into_iter().map(|leaves| !leaves).collect();
            found.push((Trap { state, freed_by: freeing(&model.tables, state), is_always }, stuck));
        }
    }
    let in_always = |node: usize| found.iter().any(|(trap, stuck)| trap.is_always && stuck[node]);
    let is_own = |(trap, stuck): &&(Trap, Vec<bool>)| {
        trap.is_always || stuck.iter().enumerate().any(|(node, stuck)| *stuck && !in_always(node))
    };
    found.iter().filter(is_own).map(|(trap, _)| trap.clone()).collect()
}

/// Of some lasting states of dies, those that nothing ends: each operation that could either never starts (`starts`), or is
/// forbidden by the exclusions of the very state. States of planes are left out.
#[must_use]
pub fn kept(profile: &Profile, states: &[DeviceState], starts: impl Fn(OpId) -> bool) -> Vec<DeviceState> {
    let lasts = |state: &DeviceState| match state {
        DeviceState::LatchOnRead | DeviceState::NotSuspended(_) | DeviceState::CacheRead(_) => false,
        DeviceState::LatchOn(_)
        | DeviceState::Suspended(_)
        | DeviceState::OdtDisabled
        | DeviceState::WriteProtect
        | DeviceState::CacheProgram(_) => true,
    };
    let lasting: Vec<DeviceState> = states.iter().copied().filter(lasts).collect();
    // Most runs end without any, and the tables take a while.
    if lasting.is_empty() {
        return lasting;
    }
    let tables = Tables::new(profile);
    let is_ended = |state: DeviceState| {
        let forbidden = tables.forbidden_by(state);
        let mut ops = profile.ops.iter_ids().filter(|(_, info)| {
            !forbidden.contains(info.base) && Lasting::Of(state).may_be_ended_by(tables.base(info.base))
        });
        ops.any(|(op, _)| starts(op))
    };
    lasting.into_iter().filter(|state| !is_ended(*state)).collect()
}

/// The bases whose operations end a state, by their own effect or as a reset.
#[must_use]
pub fn ending(profile: &Profile, state: DeviceState) -> Vec<BaseId> {
    freeing(&Tables::new(profile), Lasting::Of(state))
}

fn freeing(tables: &Tables, state: Lasting) -> Vec<BaseId> {
    let frees = |info: &BaseInfo| state.ended_by(info) || state.reset_by(info);
    tables.bases().filter(|(_, info)| frees(info)).map(|(base, _)| base).collect()
}

/// The operations that refills can propose in every lasting state, as far as they need no address but a good block.
#[derive(Clone, PartialEq, Debug)]
pub struct Supply {
    /// In the poorest lasting state, the share of the proposals of a refill that are operations which show in the op_state
    /// and need no address but a good block; 0 when there is a state without any.
    pub least: f64,
    /// The names of such operations, whether or not every state allows them.
    pub names: Vec<OpId>,
    /// A lasting state in which a die may starve.
    pub starved: Option<StarvedState>,
}

/// A lasting state in which nothing that a refill proposes is sure to be possible, and the key of the refill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StarvedState {
    /// What lasts of the die and of one of its planes; empty if nothing does.
    pub states: Vec<Lasting>,
    /// The key.
    pub key: PhaseKey,
}

impl Supply {
    /// Searches the states of the device; `table` is the probability table in force. [`crate::Universe::supply`] has the same,
    /// and takes longer.
    #[must_use]
    pub fn of(profile: &Profile, table: &[(PhaseKey, Vec<(OpId, f64)>)]) -> Self {
        let Search { model, graph, .. } = Search::new(profile, table, Start::default());
        supply(&model, &graph, table)
    }
}

/// Finds the poorest lasting state.
pub(crate) fn supply(model: &Model<'_>, graph: &Graph, table: &[(PhaseKey, Vec<(OpId, f64)>)]) -> Supply {
    let classes = || 0..model.classes.len() as NameClassId;
    // Without a complete search nothing is known of the states, so nothing is warned of.
    if !graph.is_complete() {
        return Supply { least: 1.0, names: Vec::new(), starved: None };
    }
    let sure: Vec<NameClassId> = classes().filter(|&class| is_sure(model, class)).collect();
    let ending: Vec<NameClassId> = classes().filter(|&class| may_end_state(model, class)).collect();
    let ends = model.profile.policies.refill_uses_end_key;
    let mut starved = None;
    let mut least = f64::INFINITY;
    for (key, entries) in table {
        let info = &model.profile.phase_keys[*key];
        let seen = info.base.is_some_and(|base| {
            model.of_base[base.index()].iter().any(|&class| !graph.ends[usize::from(class)].items.is_empty())
        });
        let refills = *key == PhaseKey::DEFAULT || (ends && info.phase.is_none() && seen);
        let total: f64 = entries.iter().map(|(_, mass)| mass).sum();
        if !refills || total <= 0.0 {
            continue;
        }
        let mut masses = vec![0.0; model.classes.len()];
        for &(op, mass) in entries {
            masses[usize::from(model.of_op[op.index()])] += mass / total;
        }
        for node in graph.states().filter(|(die, _)| die.chain.is_none() || die.program.is_some() || die.erase) {
            let context = HookContext { fresh: true, ..HookContext::at(node, PlaneRun::Idle) };
            let here = |class| !model.has_targets(class) || model.plane_allows(&node.1, class).is_ok();
            let is_possible = |&&class: &&NameClassId| {
                masses[usize::from(class)] > 0.0 && here(class) && model.judge(graph, &context, class).is_ok()
            };
            let supplied = sure.iter().filter(is_possible).map(|&class| masses[usize::from(class)]).sum();
            least = least.min(supplied);
            if supplied <= 0.0 && starved.is_none() && !ending.iter().any(|class| is_possible(&class)) {
                starved = Some(StarvedState { states: lasting_in(&node), key: *key });
            }
        }
    }
    let names = model.profile.ops.ids().filter(|op| sure.contains(&model.of_op[op.index()])).collect();
    Supply { least: if least.is_finite() { least } else { 0.0 }, names, starved }
}

/// What lasts in a node.
fn lasting_in((die, plane): &(Die, Plane)) -> Vec<Lasting> {
    let lasts = |state: &DeviceState| !matches!(state, DeviceState::NotSuspended(_));
    let states = die.states().chain(plane.states()).filter(lasts).map(Lasting::Of);
    states.chain(die.copyback.map(|_| Lasting::CopybackLatch)).collect()
}

/// Whether operations of a class change the lasting state, and work where that state says: on what a register or latch holds, on
/// what is suspended, or on the whole die.
fn may_end_state(model: &Model<'_>, class: NameClassId) -> bool {
    let (own, info) = (model.class(class), model.base(class));
    let follows_from_state = match info.address {
        AddressSource::None
        | AddressSource::Hook
        | AddressSource::OutputRegister
        | AddressSource::PageRegister
        | AddressSource::SuspendedProgram
        | AddressSource::OneShotLatch
        | AddressSource::CopybackLatch => true,
        AddressSource::AnyBlock | AddressSource::NextPage | AddressSource::ReadablePage => false,
    };
    follows_from_state && own.exists && info.effects.changes().next().is_some()
}

/// Whether operations of a class show in the op_state and need no address but a good block.
fn is_sure(model: &Model<'_>, class: NameClassId) -> bool {
    let (own, info) = (model.class(class), model.base(class));
    let any_address = match info.address {
        AddressSource::None | AddressSource::AnyBlock => !own.multi,
        AddressSource::Hook
        | AddressSource::NextPage
        | AddressSource::ReadablePage
        | AddressSource::OutputRegister
        | AddressSource::PageRegister
        | AddressSource::SuspendedProgram
        | AddressSource::OneShotLatch
        | AddressSource::CopybackLatch => false,
    };
    any_address && own.exists && info.becomes_op_state()
}

#[cfg(test)]
mod tests {
    use nandseq_profile::BaseSet;
    use nandseq_profile::model::{Axis, ExclusionGroup};

    use nandseq_device::StateChange;

    use super::*;
    use crate::MOST_TRIED;
    use crate::sample::{device, op, table};

    fn starved(weights: &str, sections: &str) -> Option<(Vec<&'static str>, PhaseKey)> {
        let profile = device(weights, sections);
        let starved = Supply::of(&profile, table(&profile)).starved;
        starved.map(|starved| (starved.states.iter().map(|state| state.name()).collect(), starved.key))
    }

    #[test]
    fn a_die_with_unread_data_starves_unless_a_refill_may_put_it_out() {
        let unread = Some((vec!["LATCH_ON_READ"], PhaseKey::DEFAULT));
        assert_eq!(starved("EraseA: 0.4, Program: 0.2, Read: 0.2, Status: 0.2", ""), unread);
        assert_eq!(starved("EraseA: 0.4, Program: 0.2, Read: 0.2, Out: 0.2", ""), None);
        // Nothing is ever unread.
        assert_eq!(starved("EraseA: 0.4, Program: 0.4, Status: 0.2", ""), None);
        // The bound on silence counts only what shows, and a data output does not.
        let profile = device("EraseA: 0.4, Program: 0.2, Read: 0.2, Out: 0.2", "");
        let supply = Supply::of(&profile, table(&profile));
        assert_eq!((supply.least, supply.names.contains(&op(&profile, "Out"))), (0.0, false));
    }

    #[test]
    fn a_die_at_rest_starves_where_all_that_may_start_needs_a_page() {
        assert_eq!(starved("EraseA: 0, Program: 1", ""), Some((Vec::new(), PhaseKey::DEFAULT)));
    }

    #[test]
    fn a_trap_names_the_resets_that_would_end_it() {
        let mut profile = nandseq_profile::builtin::profile();
        let tables = Tables::new(&profile);
        let with = |wanted: fn(&BaseInfo) -> bool| -> BaseSet {
            tables.bases().filter(|(_, info)| wanted(info)).map(|(base, _)| base).collect()
        };
        let resumes = with(|info| info.effects.resume == Some(Axis::Erase));
        let resets = with(|info| info.effects.resets());
        let group = profile.exclusions.groups.len().into();
        profile.exclusions.groups.push(ExclusionGroup { name: "kept".to_owned(), forbids: resumes });
        profile.exclusions.by_state.push((DeviceState::Suspended(Axis::Erase), vec![group]));
        let names = profile.ops.iter_ids().filter(|(_, op)| !resets.contains(op.base)).map(|(op, _)| (op, 1.0));
        let table = [(PhaseKey::DEFAULT, names.collect())];
        let (traps, _) = dead_ends(&profile, &table, Start::default(), MOST_TRIED);
        let trap = traps.iter().find(|trap| trap.state == Lasting::Of(DeviceState::Suspended(Axis::Erase)));
        let freed_by = &trap.expect("nothing resumes the erase").freed_by;
        assert!(
            profile
                .bases
                .ids()
                .all(|base| { freed_by.contains(&base) == (resumes.contains(base) || resets.contains(base)) }),
            "{freed_by:?}"
        );
    }

    #[test]
    fn a_trap_has_the_states_that_only_it_keeps_a_device_in() {
        let profile = nandseq_profile::builtin::profile();
        let tables = Tables::new(&profile);
        // Nothing switches the termination on again, and what it forbids cannot end other states: only it is a trap.
        let is_left_out = |op: OpId| {
            let effects = &tables.base(tables.op(op).base).effects;
            effects.resets() || effects.changes().any(|change| change == StateChange::SwitchOdt { off: false })
        };
        let mut profile = profile.clone();
        let off = tables.bases().filter(|(_, info)| info.effects.suspend.is_some() || info.effects.resume.is_some());
        let group = profile.exclusions.groups.len().into();
        profile
            .exclusions
            .groups
            .push(ExclusionGroup { name: "off".to_owned(), forbids: off.map(|(base, _)| base).collect() });
        profile.exclusions.by_state.push((DeviceState::OdtDisabled, vec![group]));
        let names = profile.ops.ids().filter(|op| !is_left_out(*op)).map(|op| (op, 1.0)).collect();
        let (traps, _) = dead_ends(&profile, &[(PhaseKey::DEFAULT, names)], Start::default(), MOST_TRIED);
        let named: Vec<(&str, bool)> = traps.iter().map(|trap| (trap.state.name(), trap.is_always)).collect();
        assert_eq!(named, [("ODT_DISABLE", true)]);
    }

    #[test]
    fn a_reset_ends_what_is_suspended_but_not_what_the_target_keeps() {
        let profile = nandseq_profile::builtin::profile();
        let ending = |state| -> Vec<String> {
            ending(&profile, state).into_iter().map(|base| profile.bases[base].name.clone()).collect()
        };
        assert_eq!(ending(DeviceState::OdtDisabled), ["ODTENABLE"]);
        let of_suspended = ending(DeviceState::Suspended(Axis::Erase));
        assert!(of_suspended.iter().any(|name| name == "RESET"), "{of_suspended:?}");
    }
}
