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

/// Data that passes on the bus.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DataTransfer {
    /// Into the device, to be programmed.
    In,
    /// Out of an output register.
    Out,
}

/// The part of an operation's address that an effect needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AddressNeed {
    /// Nothing.
    Nothing,
    /// A die. The scope may be the target nevertheless.
    NamedDie,
    /// A die. The scope must not be the target.
    Die,
    /// A page. The scope must not be the target.
    Page,
}

/// What is known of an effect without its interpretation by an engine.
#[derive(Clone, Copy, Debug)]
pub struct EffectProperties {
    /// Its array work, if it does any.
    pub array_work: Option<ArrayWork>,
    /// It keeps the array of its planes busy, so that no other operation can use it at the same time.
    pub(crate) keeps_array_busy: bool,
    /// The part of the address that it needs.
    pub(crate) address: AddressNeed,
    /// An operation with it occupies planes even if its base is instant or has scope `none`: SUSPEND, RESUME, resets.
    pub always_occupies: bool,
    /// It ends a state and needs what only this state provides: RESUME a suspended operation, data output a page in the output
    /// register, the end of a cache read a page in the page register.
    pub needs_what_it_ends: bool,
    /// The effect that ends the state that it begins: termination off, write protect, a cache program or a suspension. `None` for
    /// all other effects, also for those of latches and cache reads.
    pub ended_by: Option<Effect>,
    /// The data that passes on the bus, unless a copyback read has brought it into the registers.
    pub data: Option<DataTransfer>,
    /// It loads one level of a page.
    pub loads_level: bool,
}

impl Effect {
    /// The properties of this effect.
    #[must_use]
    pub const fn properties(self) -> EffectProperties {
        const NOTHING: EffectProperties = EffectProperties {
            array_work: None,
            keeps_array_busy: false,
            address: AddressNeed::Nothing,
            always_occupies: false,
            needs_what_it_ends: false,
            ended_by: None,
            data: None,
            loads_level: false,
        };
        const DIE: EffectProperties = EffectProperties { address: AddressNeed::Die, ..NOTHING };
        const NAMED_DIE: EffectProperties = EffectProperties { address: AddressNeed::NamedDie, ..NOTHING };
        const PAGE: EffectProperties = EffectProperties { address: AddressNeed::Page, ..NOTHING };
        const BUSY: EffectProperties = EffectProperties { keeps_array_busy: true, ..PAGE };
        match self {
            Self::Erase => EffectProperties { array_work: Some(ArrayWork::Erase), ..BUSY },
            Self::Program | Self::CloseBlock => {
                EffectProperties { array_work: Some(ArrayWork::Commit), data: Some(DataTransfer::In), ..BUSY }
            }
            Self::LoadLatch { .. } => EffectProperties {
                array_work: Some(ArrayWork::Load),
                data: Some(DataTransfer::In),
                loads_level: true,
                ..BUSY
            },
            Self::FillRegisters { .. } | Self::CacheRead(_) => {
                EffectProperties { array_work: Some(ArrayWork::Read), ..BUSY }
            }
            Self::CacheReadEnd(_) => EffectProperties { needs_what_it_ends: true, ..BUSY },
            Self::DataOut => EffectProperties { needs_what_it_ends: true, data: Some(DataTransfer::Out), ..PAGE },
            Self::ConsumeLatch { .. } => EffectProperties { data: Some(DataTransfer::In), ..PAGE },
            Self::CopybackSource => PAGE,
            Self::CacheProgramStart(kind) => EffectProperties { ended_by: Some(Self::CacheProgramEnd(kind)), ..DIE },
            Self::CacheProgramEnd(_) => DIE,
            Self::Suspend(axis) => {
                EffectProperties { always_occupies: true, ended_by: Some(Self::Resume(axis)), ..DIE }
            }
            Self::Resume(_) => EffectProperties { always_occupies: true, needs_what_it_ends: true, ..DIE },
            Self::ResetDie => EffectProperties { always_occupies: true, ..NAMED_DIE },
            Self::ResetTarget => EffectProperties { always_occupies: true, ..NOTHING },
            Self::StatusRead => NAMED_DIE,
            Self::OdtDisable => EffectProperties { ended_by: Some(Self::OdtEnable), ..NOTHING },
            Self::WriteProtectOn => EffectProperties { ended_by: Some(Self::WriteProtectOff), ..NOTHING },
            Self::OdtEnable | Self::WriteProtectOff | Self::Delay => NOTHING,
        }
    }
}
