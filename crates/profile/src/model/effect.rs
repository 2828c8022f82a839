//! The effects of operations on the device, as data that engine and verifier interpret.

use serde::{Deserialize, Serialize};

use super::Axis;

/// The page of a one-shot program that a latch holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum LatchLevel {
    /// The lower page.
    Lsb,
    /// The central page.
    Csb,
    /// The upper page.
    Msb,
}

/// A latch of the die.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LatchKind {
    /// The latch that `exclusions_by_latch_state` looks at.
    OneShot,
    /// The copyback latch, which no exclusion table looks at.
    Copyback,
}

/// The latch levels at which an operation may start. If all are false, the operation needs no latch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct LatchNeed {
    /// After the LSB load.
    pub lsb: bool,
    /// After the CSB load.
    pub csb: bool,
    /// After the MSB load.
    pub msb: bool,
}

impl LatchNeed {
    /// Whether an operation with this need may start at a level; `None` is an empty latch.
    #[must_use]
    pub fn accepts(self, level: Option<LatchLevel>) -> bool {
        match level {
            Some(LatchLevel::Lsb) if self.lsb => true,
            Some(LatchLevel::Csb) if self.csb => true,
            Some(LatchLevel::Msb) if self.msb => true,
            Some(LatchLevel::Lsb | LatchLevel::Csb | LatchLevel::Msb) | None => self == Self::default(),
        }
    }
}

/// The kind of cache read, each with its own exclusion table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum CacheReadKind {
    /// Cache read of the die (`ON_CACHE_READ`).
    Cache,
    /// Plane-level cache read (`ON_PLANE_CACHE_READ`).
    PlaneCache,
}

/// The kind of cache program, each with its own exclusion table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum CacheProgramKind {
    /// One page at a time (`ON_CACHE_PROGRAM`).
    Slc,
    /// One-shot (`ON_ONESHOT_CACHE_PROGRAM`).
    OneShot,
}

/// An effect of an operation on the device, beside occupying planes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Effect {
    /// When the array is done: the target blocks are erased, with the operation's cell type.
    Erase,
    /// When the array is done: the target page is the last programmed page of its block, and the block has the operation's cell
    /// type.
    Program,
    /// When the array is done: the block is closed (last page = pages_per_block − 1).
    CloseBlock,
    /// Loads a page of a one-shot program into a latch. The rules of registers, flights and addresses treat the load as a
    /// program, but the array does not change. At the start, the latch must have a level that `needs` names, for the same
    /// address. At the end it has `level`.
    LoadLatch {
        /// The latch.
        latch: LatchKind,
        /// The level at the end.
        level: LatchLevel,
        /// The levels at which the operation may start.
        needs: LatchNeed,
    },
    /// Clears a latch at its end. At the start, the latch must have a level that `needs` names, for the same address.
    ConsumeLatch {
        /// The latch.
        latch: LatchKind,
        /// The levels at which the operation may start. If all are false, it may start at any level, and with an empty latch.
        needs: LatchNeed,
    },
    /// When the array is done: both registers of each target plane hold the target page, unread.
    FillRegisters {
        /// Whether the page register may feed a copyback program.
        copyback: bool,
    },
    /// Sets the cache-read state of its planes at its start. When the array is done, the page register moves to the output
    /// register, and the target page to the page register.
    CacheRead(CacheReadKind),
    /// When the array is done: the page register moves to the output register, and the cache-read state is cleared.
    CacheReadEnd(CacheReadKind),
    /// Sets the die's cache-program state at its start.
    CacheProgramStart(CacheProgramKind),
    /// Clears the die's cache-program state of this kind at its end.
    CacheProgramEnd(CacheProgramKind),
    /// Puts out the output register of each of its planes. At its end the data counts as put out.
    DataOut,
    /// Needs, on every target plane, a page register that a copyback read has filled.
    CopybackSource,
    /// Suspends the operation of this axis that is in CORE_BUSY on the die.
    Suspend(Axis),
    /// Resumes the suspended operation of this axis, at its own end.
    Resume(Axis),
    /// Ends everything in flight on the die at its start, and clears the die's lasting state, except on-die termination and write
    /// protect.
    ResetDie,
    /// Does the same as [`Self::ResetDie`] on every die.
    ResetTarget,
    /// Switches on-die termination off at its start.
    OdtDisable,
    /// Switches on-die termination on at its end.
    OdtEnable,
    /// Switches write protect of the target on at its start. It needs that nothing is in flight on any die.
    WriteProtectOn,
    /// Switches write protect of the target off at its end.
    WriteProtectOff,
    /// Reads the status of the die. The payload has the expected status.
    StatusRead,
    /// A hook that draws such an operation proposes nothing. The operation itself never starts.
    Delay,
}

/// The work of an operation on pages or blocks of the array.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ArrayWork {
    /// Erases blocks.
    Erase,
    /// Programs pages, or closes blocks.
    Commit,
    /// Loads a page that a later operation programs.
    Load,
    /// Reads pages.
    Read,
}

impl Effect {
    /// The array work of this effect; `None` for every effect that does none.
    #[must_use]
    pub const fn array_work(self) -> Option<ArrayWork> {
        match self {
            Self::Erase => Some(ArrayWork::Erase),
            Self::Program | Self::CloseBlock => Some(ArrayWork::Commit),
            Self::LoadLatch { .. } => Some(ArrayWork::Load),
            Self::FillRegisters { .. } | Self::CacheRead(_) => Some(ArrayWork::Read),
            Self::ConsumeLatch { .. }
            | Self::CacheReadEnd(_)
            | Self::CacheProgramStart(_)
            | Self::CacheProgramEnd(_)
            | Self::DataOut
            | Self::CopybackSource
            | Self::Suspend(_)
            | Self::Resume(_)
            | Self::ResetDie
            | Self::ResetTarget
            | Self::OdtDisable
            | Self::OdtEnable
            | Self::WriteProtectOn
            | Self::WriteProtectOff
            | Self::StatusRead
            | Self::Delay => None,
        }
    }

    /// Whether an operation with this effect occupies planes even if its base is instant or has scope `none`: SUSPEND, RESUME,
    /// resets.
    #[must_use]
    pub const fn always_occupies(self) -> bool {
        match self {
            Self::Suspend(_) | Self::Resume(_) | Self::ResetDie | Self::ResetTarget => true,
            Self::Erase
            | Self::Program
            | Self::CloseBlock
            | Self::LoadLatch { .. }
            | Self::ConsumeLatch { .. }
            | Self::FillRegisters { .. }
            | Self::CacheRead(_)
            | Self::CacheReadEnd(_)
            | Self::CacheProgramStart(_)
            | Self::CacheProgramEnd(_)
            | Self::DataOut
            | Self::CopybackSource
            | Self::OdtDisable
            | Self::OdtEnable
            | Self::WriteProtectOn
            | Self::WriteProtectOff
            | Self::StatusRead
            | Self::Delay => false,
        }
    }

    /// Whether this effect ends a state and needs what only this state provides: RESUME a suspended operation, data output a page
    /// in the output register, the end of a cache read a page in the page register.
    #[must_use]
    pub const fn needs_what_it_ends(self) -> bool {
        match self {
            Self::Resume(_) | Self::DataOut | Self::CacheReadEnd(_) => true,
            Self::Erase
            | Self::Program
            | Self::CloseBlock
            | Self::LoadLatch { .. }
            | Self::ConsumeLatch { .. }
            | Self::FillRegisters { .. }
            | Self::CacheRead(_)
            | Self::CacheProgramStart(_)
            | Self::CacheProgramEnd(_)
            | Self::CopybackSource
            | Self::Suspend(_)
            | Self::ResetDie
            | Self::ResetTarget
            | Self::OdtDisable
            | Self::OdtEnable
            | Self::WriteProtectOn
            | Self::WriteProtectOff
            | Self::StatusRead
            | Self::Delay => false,
        }
    }

    /// The effect that ends the state that this effect begins: termination off, write protect, a cache program or a suspension.
    /// `None` for all other effects, also for those of latches and cache reads.
    #[must_use]
    pub const fn ended_by(self) -> Option<Self> {
        match self {
            Self::OdtDisable => Some(Self::OdtEnable),
            Self::WriteProtectOn => Some(Self::WriteProtectOff),
            Self::CacheProgramStart(kind) => Some(Self::CacheProgramEnd(kind)),
            Self::Suspend(axis) => Some(Self::Resume(axis)),
            Self::Erase
            | Self::Program
            | Self::CloseBlock
            | Self::LoadLatch { .. }
            | Self::ConsumeLatch { .. }
            | Self::FillRegisters { .. }
            | Self::CacheRead(_)
            | Self::CacheReadEnd(_)
            | Self::CacheProgramEnd(_)
            | Self::DataOut
            | Self::CopybackSource
            | Self::Resume(_)
            | Self::ResetDie
            | Self::ResetTarget
            | Self::OdtEnable
            | Self::WriteProtectOff
            | Self::StatusRead
            | Self::Delay => None,
        }
    }
}
