//! What a state looks like as data.

use nandseq_device::QuiescentDie;
use nandseq_profile::model::ByAxis;
use nandseq_profile::{Die, Plane, Ticks};
use serde::{Deserialize, Serialize};

use crate::dead::Rest;
use crate::kernel::{Hook, Origin, Step};

/// The state of a site between runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteState {
    /// The index of the run that comes next: how many there were.
    pub run: u64,
    /// When it begins: everything before has ended, ps.
    pub time: Ticks,
    /// Operations so far: the last op_uid.
    pub operations: u64,
    /// Refills so far.
    pub refills: u64,
    /// Operations resumed so far.
    pub resumptions: u64,
    /// When the queue is filled again, ps.
    pub next_refill: Option<Ticks>,
    /// Hits by cell of the site's goal, if it has one: see [`crate::closure`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hits: Option<String>,
    /// Proposals to come, in order.
    pub(super) hooks: Vec<HookEntry>,
    /// Every die.
    pub(super) dies: Vec<DieEntry>,
}

impl SiteState {
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
    /// The end of the phase that it comes after.
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
    /// Latches, registers, cache states; what is suspended, with what remains of it.
    #[serde(rename = "still")]
    pub(super) quiescent: QuiescentDie,
    /// Origin and chain of the operations that `quiescent` has as suspended.
    pub(super) suspended: ByAxis<Option<SuspendedEntry>>,
    /// Every block: see [`super::blocks`].
    pub(super) blocks: String,
    /// Since when it is at rest, if it was found dead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dead: Option<Rest>,
}

/// Where a suspended operation comes from, and what is to follow it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SuspendedEntry {
    pub(super) origin: Origin,
    pub(super) chain: Vec<Step>,
}
