//! Traps, and the supply of refills.
//!
//! A trap is a lasting state that a device can enter and never leave. It is certain: the search allows more than the device does,
//! and still finds no way out. The supply is what refills, which always come, can propose without an address but a good block. If
//! it is 0 in some lasting state, the device may starve: that is a warning only.

use nandseq_device::{BaseInfo, Tables};
use nandseq_profile::model::AddressSource;
use nandseq_profile::{BaseId, OpId, PhaseKey, Profile};

use crate::explore::Graph;
use crate::judge::{HookContext, PlaneRun};
use crate::lasting::Lasting;
use crate::model::{Model, NameClassId, Start};
use crate::search::Search;

/// A state that the device can enter and that no operation of the table ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trap {
    /// The state.
    pub state: Lasting,
    /// The bases whose operations would end it: none of them can run there.
    pub freed_by: Vec<BaseId>,
}

/// Finds the traps.
pub(crate) fn traps(model: &Model<'_>, graph: &Graph) -> Vec<Trap> {
    let mut found = Vec::new();
    for state in Lasting::all() {
        let inside: Vec<bool> = graph.nodes.iter().map(|node| state.holds(node)).collect();
        // The nodes from which a way leads out of the state, found backwards from the nodes outside it.
        let mut leaves: Vec<bool> = inside.iter().map(|inside| !inside).collect();
        loop {
            let can = |node: usize| graph.after[node].iter().any(|&next| leaves[next as usize]);
            let more: Vec<usize> = (0..leaves.len()).filter(|&node| !leaves[node] && can(node)).collect();
            if more.is_empty() {
                break;
            }
            more.into_iter().for_each(|node| leaves[node] = true);
        }
        if leaves.contains(&false) {
            found.push(Trap { state, freed_by: bases(&model.tables, |info| state.ended_by(info)) });
        }
    }
    found
}

fn bases(tables: &Tables, wanted: impl Fn(&BaseInfo) -> bool) -> Vec<BaseId> {
    tables.bases().filter(|(_, info)| wanted(info)).map(|(base, _)| base).collect()
}

/// The operations that refills can propose in every lasting state, as far as they need no address but a good block.
#[derive(Clone, PartialEq, Debug)]
pub struct Supply {
    /// In the poorest lasting state, the share of the proposals of a refill that are operations which show in the op_state
    /// and need no address but a good block; 0 when there is a state without any.
    pub least: f64,
    /// The names of such operations, whether or not every state allows them.
    pub names: Vec<OpId>,
}

impl Supply {
    /// Searches the states of the device; `table` is the probability table in force. [`crate::Universe::supply`] has the same,
    /// and takes longer.
    #[must_use]
    pub fn of(profile: &Profile, table: &[(PhaseKey, Vec<(OpId, f64)>)]) -> Self {
        let Search { model, graph } = Search::new(profile, table, Start::default());
        supply(&model, &graph, table)
    }
}

/// Finds the poorest lasting state.
pub(crate) fn supply(model: &Model<'_>, graph: &Graph, table: &[(PhaseKey, Vec<(OpId, f64)>)]) -> Supply {
    let classes = || 0..model.classes.len() as NameClassId;
    // Without a complete search nothing is known of the states, so nothing is warned of.
    if !graph.is_complete() {
        return Supply { least: 1.0, names: Vec::new() };
    }
    let sure: Vec<NameClassId> = classes().filter(|&class| is_sure(model, class)).collect();
    let ends = model.profile.policies.refill_uses_end_key;
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
        for &node in graph.nodes.iter().filter(|(die, _)| die.chain.is_none() || die.program.is_some() || die.erase) {
            let context = HookContext { fresh: true, ..HookContext::at(node, PlaneRun::Idle) };
            let here = |class| !model.has_targets(class) || model.plane_allows(&node.1, class).is_ok();
            let possible = sure.iter().filter(|&&class| {
                masses[usize::from(class)] > 0.0 && here(class) && model.judge(graph, &context, class).is_ok()
            });
            least = least.min(possible.map(|&class| masses[usize::from(class)]).sum());
        }
    }
    let names = model.profile.ops.ids().filter(|op| sure.contains(&model.of_op[op.index()])).collect();
    Supply { least: if least.is_finite() { least } else { 0.0 }, names }
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
