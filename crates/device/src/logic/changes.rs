//! The changes of the lasting state that a step makes at one moment, made ready for every place.

use super::register_change::RegisterChange;
use crate::effects::StateChange;

/// Some changes, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Changes {
    /// Those of registers, as one.
    pub(super) registers: RegisterChange,
    /// Whether there are such.
    pub(super) has_registers: bool,
    /// The others; all, if the order of some decides.
    pub(super) others: Vec<StateChange>,
}

impl Changes {
    pub(crate) fn new(list: impl Iterator<Item = StateChange> + Clone) -> Self {
        let order_decides = |change: StateChange| matches!(change, StateChange::Reset | StateChange::EmptyResumed(_));
        let registers = list.clone().filter_map(RegisterChange::of);
        let registers = registers.clone().try_fold(RegisterChange::NOTHING, RegisterChange::and);
        match registers.filter(|_| !list.clone().any(order_decides)) {
            Some(registers) => Self {
                registers,
                has_registers: registers != RegisterChange::NOTHING,
                others: list.filter(|change| RegisterChange::of(*change).is_none()).collect(),
            },
            None => Self { registers: RegisterChange::NOTHING, has_registers: false, others: list.collect() },
        }
    }
}

impl RegisterChange {
    /// A change of the registers of the planes of a place; `None` for any other.
    pub(super) const fn of(change: StateChange) -> Option<Self> {
        Some(match change {
            StateChange::EmptyRegisters => Self::EMPTY,
            StateChange::Fill { copyback } => Self::fill(copyback),
            StateChange::EnterCacheRead(kind) => Self::enter_cache_read(kind),
            StateChange::ReadOn => Self::READ_ON,
            StateChange::EndCacheRead(_) => Self::END_CACHE_READ,
            StateChange::PutOut => Self::PUT_OUT,
            StateChange::EmptyResumed(_)
            | StateChange::Load(..)
            | StateChange::Clear(_)
            | StateChange::EnterCacheProgram(_)
            | StateChange::EndCacheProgram(_)
            | StateChange::EndSuspension(_)
            | StateChange::Reset
            | StateChange::SwitchOdt { .. }
            | StateChange::SwitchWriteProtect { .. } => return None,
        })
    }
}
