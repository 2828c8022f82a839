//! The facts about a die on which nothing can ever start again.

use nandseq_profile::model::{Axis, ByAxis, CacheProgramKind, CacheReadKind, DeviceState, LatchLevel};
use nandseq_profile::{CellTypeId, Die, OpId, PhaseKey, PlaneSet, Ticks};
use serde::{Deserialize, Serialize};

use crate::reporting::RefusalReason;

/// An operation that started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastStart {
    /// The operation.
    pub op: OpId,
    /// When it started, since the start of the site.
    pub at: Ticks,
}

/// Since when a die was at rest when it was found dead, and what came before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rest {
    /// When the last phase, or the last operation, ended.
    pub(crate) since: Ticks,
    /// What started last; `None`: nothing ever did.
    pub(crate) last: Option<LastStart>,
}

/// A die on which nothing can ever start again.
#[derive(Clone, PartialEq, Debug)]
pub struct DeadDie {
    /// The die.
    pub die: Die,
    /// When the last phase, or the last operation, on it ended, since the start of the site; `None`: before the snapshot from which
    /// this site object was made, which does not say it.
    pub since: Option<Ticks>,
    /// The last operation that started there, as far as this site object has seen, or its snapshot says; `None`: there was none.
    pub last: Option<LastStart>,
    /// The state that it stays in.
    pub state: LastingState,
    /// The keys under which refills propose there, ascending.
    pub keys: Vec<PhaseKey>,
    /// Every name with a weight under one of these keys, and why it cannot start.
    pub blocked: Vec<Blocked>,
    /// One name of each single-plane class that could start there now, has no weight under these keys, and would let a name that
    /// has one start again. Empty where names are eligible, but none is accepted.
    pub freed_by: Vec<OpId>,
    /// One name of each single-plane class that could start there now if it had a weight under these keys; only if `freed_by` is
    /// empty.
    pub possible: Vec<OpId>,
    /// Whether names are eligible, but none was accepted however often it was tried.
    pub in_vain: bool,
}

/// A name with a weight that cannot start.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Blocked {
    /// The name.
    pub op: OpId,
    /// The key that gives it the weight.
    pub key: PhaseKey,
    /// Its share of what the key's distribution gives all names, 0..=1.
    pub share: f64,
    /// Why it cannot start.
    pub reason: RefusalReason,
}

/// The lasting state of a die.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LastingState {
    /// The suspended erase, and the suspended program.
    pub suspended: ByAxis<Option<OpId>>,
    /// The level last loaded into the one-shot latch, and into the copyback latch.
    pub latches: [Option<LatchLevel>; 2],
    /// The cache program under way.
    pub cache_program: Option<CacheProgramKind>,
    /// Whether on-die termination is off.
    pub odt_disabled: bool,
    /// Whether write protect is on.
    pub write_protected: bool,
    /// Planes with data that has not been put out.
    pub unread: PlaneSet,
    /// The planes in each cache-read state.
    pub cache_reads: Vec<(CacheReadKind, PlaneSet)>,
    /// The number of blocks at each stage.
    pub blocks: BlockCounts,
}

impl LastingState {
    /// The states, of the die or of some of its planes, that exclusions may be stated for.
    #[must_use]
    pub fn device_states(&self) -> Vec<DeviceState> {
        let of_axis = |axis| match self.suspended[axis] {
            Some(_) => DeviceState::Suspended(axis),
            None => DeviceState::NotSuspended(axis),
        };
        let mut states = Axis::ALL.map(of_axis).to_vec();
        states.extend(self.latches[0].map(DeviceState::LatchOn));
        states.extend(self.cache_program.map(DeviceState::CacheProgram));
        states.extend(self.odt_disabled.then_some(DeviceState::OdtDisabled));
        states.extend(self.write_protected.then_some(DeviceState::WriteProtect));
        states.extend((!self.unread.is_empty()).then_some(DeviceState::LatchOnRead));
        states.extend(self.cache_reads.iter().map(|&(kind, _)| DeviceState::CacheRead(kind)));
        states
    }
}

/// Blocks of a die; each is counted once.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct BlockCounts {
    /// Never usable.
    pub bad: u32,
    /// Must be erased before anything else.
    pub not_erased: u32,
    /// Erased, nothing programmed, by cell type.
    pub erased: Vec<(CellTypeId, u32)>,
    /// Programmed, with pages left, by cell type.
    pub open: Vec<(CellTypeId, u32)>,
    /// Programmed to the last page, by cell type.
    pub full: Vec<(CellTypeId, u32)>,
    /// Suspended while they were erased or programmed.
    pub in_flight: u32,
}
