//! The state of a site as data.

use nandseq_device::QuiescentDie;
use nandseq_profile::model::ByAxis;
use nandseq_profile::{Die, Plane, Ticks};
use serde::{Deserialize, Serialize};

use super::data::DataEntry;
use super::uses::UsesEntry;
use crate::dead::Rest;
use crate::kernel::{Hook, OperationOrigin, Step};
use crate::policy::scripted::ScenariosState;
use crate::shares::MixState;

/// The state of a site between runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteState {
    /// How many runs there were: the index of the next.
    pub run: u64,
    /// When the next run begins, ps: everything before has ended.
    pub time: Ticks,
    /// Operations so far: the last op_uid.
    pub operations: u64,
    /// Refills so far.
    pub refills: u64,
    /// Operations resumed so far.
    pub resumptions: u64,
    /// When the next refill comes, ps.
    pub next_refill: Option<Ticks>,
    /// Hits by bin of the coverage model, if there is one: see [`crate::closure`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hits: Option<String>,
    /// Whether the `until` of the last run's phase was reached.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) until_reached: bool,
    /// The counts and factors of the phase's shares of what starts, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mix: Option<MixState>,
    /// The counts of the phase's scenarios, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) scenarios: Option<ScenariosState>,
    /// The hooks to come, in the order of time.
    pub(super) hooks: Vec<HookEntry>,
    /// Every die.
    pub(super) dies: Vec<DieEntry>,
}

impl SiteState {
    /// Whether it says whose data pages hold.
    pub(super) fn has_data(&self) -> bool {
        self.dies.iter().any(|die| die.data.is_some())
    }

    /// Whether it says of a die since when it is dead.
    pub(super) fn has_dead_dies(&self) -> bool {
        self.dies.iter().any(|die| die.dead.is_some())
    }
}

/// A proposal to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HookEntry {
    pub(super) time: Ticks,
    pub(super) die: Die,
    pub(super) plane: Plane,
    /// The end of the phase that the hook comes after; `None`: it falls inside a phase.
    pub(super) after: Option<Ticks>,
}

impl HookEntry {
    pub(super) const fn new(time: Ticks, hook: Hook) -> Self {
        Self { time, die: hook.die, plane: hook.plane, after: hook.after }
    }

    pub(super) const fn hook(&self) -> Hook {
        Hook { die: self.die, plane: self.plane, of: None, after: self.after }
    }
}

/// A die.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DieEntry {
    /// Latches, registers, cache states, and suspended operations with their remainders.
    #[serde(rename = "still")]
    pub(super) quiescent: QuiescentDie,
    /// Origin and chain of the operations that `quiescent` has as suspended.
    pub(super) suspended: ByAxis<Option<SuspendedEntry>>,
    /// Every block: see [`super::blocks`].
    pub(super) blocks: String,
    /// How often its blocks were used, if that is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) uses: Option<UsesEntry>,
    /// Since when it is at rest, if it was found dead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dead: Option<Rest>,
    /// Whose data its registers, latches and pages hold, if payloads name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<DataEntry>,
}

/// The origin of a suspended operation, and the steps that are to follow it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SuspendedEntry {
    pub(super) origin: OperationOrigin,
    pub(super) chain: Vec<Step>,
}
