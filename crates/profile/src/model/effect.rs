//! What operations do to the device, as data: the kinds of effect that engine and verifier interpret.

use serde::{Deserialize, Serialize};

use super::Axis;

/// The page of a one-shot program that a latch holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum LatchLevel {
    /// Lower page.
    Lsb,
    /// Central page.
    Csb,
    /// Upper page.
    Msb,
}

/// Which latch of the die.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LatchKind {
    /// The latch that `exclusions_by_latch_state` looks at.
    OneShot,
    /// The copyback latch, which no exclusion table looks at.
    Copyback,
}

/// The latch levels at which an operation may start. All false: no latch is needed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct LatchNeed {
    /// After the LSB load.
    pub lsb: bool,
    /// After the CSB load.
    pub csb: bool,
    /// After the MSB load.
    pub msb: bool,
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

/// What an operation does to the device, beyond occupying it. A base lists its effects; the engine interprets kinds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Effect {
    /// When the array is done: the target blocks are erased with the operation's cell type.
    Erase,
    /// When the array is done: the target page is the block's last page, its cell type the operation's.
    Program,
    /// When the array is done: the block is closed (last page = pages_per_block − 1).
    CloseBlock,
    /// Loads a page of a one-shot program into a latch. The rules of registers, flights and addresses treat the load as a program, but the
    /// array stays as it is. Before, the latch must be as `needs` says, for the same address; at the end of the load it holds `level`.
    LoadLatch {
        /// Which latch.
        latch: LatchKind,
        /// What it holds afterwards.
        level: LatchLevel,
        /// What it must hold before.
        needs: LatchNeed,
    },
    /// Needs the latch as `needs` says, for the same address, and clears it at its end.
    ConsumeLatch {
        /// Which latch.
        latch: LatchKind,
        /// What it must hold before (all false: it may hold anything, or nothing).
        needs: LatchNeed,
    },
    /// When the array is done: both registers of each target plane hold the target page, unread.
    FillRegisters {
        /// Whether the page register may feed a copyback program.
        copyback: bool,
    },
    /// Sets cache-read on its planes at its start; when the array is done the page register moves to the output
    /// register and the target page into the page register.
    CacheRead(CacheReadKind),
    /// When the array is done: the page register moves to the output register, cache-read is cleared.
    CacheReadEnd(CacheReadKind),
    /// Sets the die's cache-program state at its start.
    CacheProgramStart(CacheProgramKind),
    /// Clears the die's cache-program state of this kind at its end.
    CacheProgramEnd(CacheProgramKind),
    /// Puts out the output register of each of its planes. At its end the data counts as read.
    DataOut,
    /// Needs, on every target plane, a page register filled by a copyback read.
    CopybackSource,
    /// Suspends the operation of this axis that is in CORE_BUSY on the die.
    Suspend(Axis),
    /// Resumes the suspended operation of this axis at its end.
    Resume(Axis),
    /// Ends everything in flight on the die at its start, and the die's lasting state, except on-die termination and write protect.
    ResetDie,
    /// The same on every die.
    ResetTarget,
    /// Switches on-die termination off at its start.
    OdtDisable,
    /// Switches on-die termination on at its end.
    OdtEnable,
    /// Switches write protect of the target on at its start. It needs that nothing is in flight on any die.
    WriteProtectOn,
    /// Switches write protect of the target off at its end.
    WriteProtectOff,
    /// Reads the status of the die; the payload carries what is expected.
    StatusRead,
    /// Asks the proposer to propose nothing at this hook.
    Delay,
}

/// What an operation does with pages or blocks of the array.
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

    /// Whether an operation with this effect occupies planes even if its base is instant or has scope `none`: SUSPEND, RESUME, resets.
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

    /// Whether this effect ends a state (suspension, unread data, cache read) and needs what comes with that state: a suspended operation,
    /// a page in the output register, a page in the page register.
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

    /// The effect that ends what this effect begins: termination off, write protect, a cache program or a suspension. `None` for all
    /// others, latches and cache reads included.
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
