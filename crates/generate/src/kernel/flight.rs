//! The record of an operation that has started and not ended: where it comes from, and the chain that it is a step of.

use nandseq_device::PlanePhase;
use nandseq_profile::PhaseKey;
use nandseq_profile::model::PhaseKind;
use nandseq_trace::{OpState, Proposal};
use serde::{Deserialize, Serialize};

use super::chain::ChainId;

/// An op_state without its bounds. It is told to the sink again when a suspended operation is resumed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct StateName {
    pub(crate) of: PhaseKey,
    pub(crate) phase: Option<PhaseKind>,
}

/// Where an operation comes from.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct OperationOrigin {
    pub(crate) uid: u64,
    pub(crate) proposal: Proposal,
    pub(crate) is_first: bool,
    /// The op_states of its targets before it started.
    pub(crate) states: [StateName; 8],
}

/// The record of an operation in flight or suspended. The device keeps the operation itself and its remainder.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Started {
    pub(crate) origin: OperationOrigin,
    /// The chain whose next step is due at its end.
    pub(crate) chain: Option<ChainId>,
}

/// A plane's phase in the form of the trace.
pub(crate) const fn op_state(phase: PlanePhase) -> OpState {
    OpState { of: phase.of, phase: phase.phase, start: phase.start, end: phase.end }
}
