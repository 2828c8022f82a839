//! Shares of what starts: steering towards them, and what was reached.
//!
//! A mix states shares of the operations that start, steps of chains included. The controller multiplies the weights of the operations
//! of a share by a factor, which follows from what has started in the phase. Rules, addresses and chains stay as they are. All
//! numbers are whole: the same state draws the same.

mod controller;
mod level;
mod reached;
mod state;

pub(crate) use controller::MixController;
pub(crate) use reached::Shares;
pub(crate) use state::MixState;

/// A share that missed what is wanted by more than so many millionths is reported with the reason.
const TOLERANCE: u64 = 10_000;

/// Operations after which a share that can be reached is reached.
const SETTLED: u64 = 20_000;

/// A share of a mix, and what was reached of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShareReached {
    /// The wanted share of all operations that started in the phase, in millionths.
    pub wanted: u32,
    /// The share that was reached, in millionths.
    pub reached: u32,
    /// The reason if the share missed what is wanted by more than one percentage point.
    pub reason: Option<ShareShortfall>,
}

/// Why a share was not reached.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ShareShortfall {
    /// No phase key gives a weight to any of its operations.
    NoWeight,
    /// Steps that chains force take more than their share, or are the share.
    ForcedSteps,
    /// Its operations were drawn and refused, most often for the reason with this code.
    Refused(String),
    /// Its operations are rarely eligible, and the dies are busy most of the time.
    DieTime,
    /// Its operations are rarely eligible, although the dies have time.
    NotEligible,
    /// It takes what other shares cannot reach.
    OthersShort,
    /// It takes what the operations that no share names cannot reach.
    RestShort,
    /// Too few operations started for the weights to settle.
    TooShort,
}
