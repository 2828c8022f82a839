//! The meanings that the predecessor's code gave to names of bases, as one table.

use crate::model::{AddressSource, Axis, CacheProgramKind, CacheReadKind, Effect, LatchKind, LatchLevel, LatchNeed};

use AddressSource::{
    AnyBlock, CopybackLatch, NextPage, OneShotLatch, OutputRegister, PageRegister, ReadablePage, SuspendedProgram,
};
use Effect::{
    CacheProgramEnd, CacheProgramStart, CacheRead, CacheReadEnd, CloseBlock, ConsumeLatch, CopybackSource, DataOut,
    Delay, Erase, FillRegisters, LoadLatch, OdtDisable, OdtEnable, Program, ResetDie, Resume, StatusRead, Suspend,
};

/// The meaning of a name.
pub(super) struct Meaning {
    pub(super) name: &'static str,
    /// The address source; `None` for the hook's die and plane, as far as the payload names them.
    pub(super) address: Option<AddressSource>,
    pub(super) effects: &'static [Effect],
}

const fn row(name: &'static str, address: Option<AddressSource>, effects: &'static [Effect]) -> Meaning {
    Meaning { name, address, effects }
}

const NO_LATCH: LatchNeed = LatchNeed { lsb: false, csb: false, msb: false };
const LSB: LatchNeed = LatchNeed { lsb: true, csb: false, msb: false };
const CSB: LatchNeed = LatchNeed { lsb: false, csb: true, msb: false };
const CSB_OR_MSB: LatchNeed = LatchNeed { lsb: false, csb: true, msb: true };

const fn load(level: LatchLevel, needs: LatchNeed) -> Effect {
    LoadLatch { latch: LatchKind::OneShot, level, needs }
}

const fn copyback_load(level: LatchLevel, needs: LatchNeed) -> Effect {
    LoadLatch { latch: LatchKind::Copyback, level, needs }
}

const fn consume(latch: LatchKind, needs: LatchNeed) -> Effect {
    ConsumeLatch { latch, needs }
}

const READ: Effect = FillRegisters { copyback: false };
const SLC: CacheProgramKind = CacheProgramKind::Slc;
const ONE_SHOT: CacheProgramKind = CacheProgramKind::OneShot;
const CACHE: CacheReadKind = CacheReadKind::Cache;
const PLANE_CACHE: CacheReadKind = CacheReadKind::PlaneCache;

/// Every name of a base that the predecessor knew. RESET and RESET_LUN reset the whole target if their payload names no die.
#[rustfmt::skip]
pub(super) const MEANINGS: &[Meaning] = &[
    row("NOP",                               None,                   &[Delay]),
    row("ETC",                               None,                   &[]),
    row("ERASE",                             Some(AnyBlock),         &[Erase]),
    row("DSL_VTH_CHECK",                     Some(AnyBlock),         &[]),
    row("PROGRAM_SLC",                       Some(NextPage),         &[Program, CacheProgramEnd(SLC)]),
    row("ALLWL_PROGRAM",                     Some(NextPage),         &[CloseBlock]),
    row("CACHE_PROGRAM_SLC",                 Some(NextPage),         &[Program, CacheProgramStart(SLC)]),
    row("ONESHOT_PROGRAM_LSB",               Some(NextPage),         &[load(LatchLevel::Lsb, NO_LATCH)]),
    row("ONESHOT_PROGRAM_CSB",               Some(OneShotLatch),     &[load(LatchLevel::Csb, LSB)]),
    row("ONESHOT_PROGRAM_MSB",               Some(OneShotLatch),     &[load(LatchLevel::Msb, CSB)]),
    row("ONESHOT_PROGRAM_MSB_23H",           Some(OneShotLatch),     &[Program, consume(LatchKind::OneShot, CSB), CacheProgramEnd(ONE_SHOT)]),
    row("ONESHOT_PROGRAM_EXEC_MSB",          Some(OneShotLatch),     &[Program, consume(LatchKind::OneShot, CSB_OR_MSB), CacheProgramEnd(ONE_SHOT)]),
    row("ONESHOT_CACHE_PROGRAM",             Some(OneShotLatch),     &[Program, consume(LatchKind::OneShot, CSB), CacheProgramStart(ONE_SHOT)]),
    row("TRANSFER_TO_CACHE_LSB",             None,                   &[]),
    row("TRANSFER_TO_CACHE_CSB",             None,                   &[]),
    row("TRANSFER_TO_CACHE_MSB",             None,                   &[]),
    row("READ",                              Some(ReadablePage),     &[READ]),
    row("RECOVERY_RD",                       Some(SuspendedProgram), &[READ]),
    row("READ4K",                            Some(ReadablePage),     &[READ]),
    row("CACHE_READ",                        Some(ReadablePage),     &[CacheRead(CACHE)]),
    row("CACHE_READ_END",                    Some(PageRegister),     &[CacheReadEnd(CACHE)]),
    row("PLANE_READ",                        Some(ReadablePage),     &[READ]),
    row("PLANE_READ4K",                      Some(ReadablePage),     &[READ]),
    row("PLANE_CACHE_READ",                  Some(ReadablePage),     &[CacheRead(PLANE_CACHE)]),
    row("PLANE_CACHE_READ_END",              Some(PageRegister),     &[CacheReadEnd(PLANE_CACHE)]),
    row("COPYBACK_READ",                     Some(ReadablePage),     &[FillRegisters { copyback: true }]),
    row("COPYBACK_PROGRAM_SLC",              Some(NextPage),         &[Program, CopybackSource]),
    row("ONESHOT_COPYBACK_PROGRAM_LSB",      Some(NextPage),         &[copyback_load(LatchLevel::Lsb, NO_LATCH), CopybackSource]),
    row("ONESHOT_COPYBACK_PROGRAM_CSB",      Some(CopybackLatch),    &[copyback_load(LatchLevel::Csb, LSB), CopybackSource]),
    row("ONESHOT_COPYBACK_PROGRAM_MSB",      Some(CopybackLatch),    &[copyback_load(LatchLevel::Msb, CSB), CopybackSource]),
    row("ONESHOT_COPYBACK_PROGRAM_EXEC_MSB", Some(CopybackLatch),    &[Program, consume(LatchKind::Copyback, CSB_OR_MSB), CopybackSource]),
    row("DOUT",                              Some(OutputRegister),   &[DataOut]),
    row("DOUT4K",                            Some(OutputRegister),   &[DataOut]),
    row("DATAIN",                            Some(NextPage),         &[]),
    row("SR",                                None,                   &[StatusRead]),
    row("SR_ADD",                            None,                   &[StatusRead]),
    row("CAMREAD",                           None,                   &[]),
    row("CAMREAD_LUN",                       None,                   &[]),
    row("ERASE_SUSPEND",                     None,                   &[Suspend(Axis::Erase)]),
    row("ERASE_RESUME",                      None,                   &[Resume(Axis::Erase)]),
    row("PROGRAM_SUSPEND",                   None,                   &[Suspend(Axis::Program)]),
    row("PROGRAM_RESUME",                    None,                   &[Resume(Axis::Program)]),
    row("TRAINING",                          None,                   &[]),
    row("READID",                            None,                   &[]),
    row("SETPARA",                           None,                   &[]),
    row("GETPARA",                           None,                   &[]),
    row("PLANE_SETPARA",                     None,                   &[]),
    row("SETFEATURE",                        None,                   &[]),
    row("GETFEATURE",                        None,                   &[]),
    row("SETFEATURE_LUN",                    None,                   &[]),
    row("GETFEATURE_LUN",                    None,                   &[]),
    row("RESET",                             None,                   &[ResetDie]),
    row("RESET_LUN",                         None,                   &[ResetDie]),
    row("TEMPSENSOR",                        None,                   &[]),
    row("ZQCAL",                             None,                   &[]),
    row("ODTDISABLE",                        None,                   &[OdtDisable]),
    row("ODTENABLE",                         None,                   &[OdtEnable]),
];

/// The bases whose single-plane operations may overlap if a file does not list such bases.
pub(super) const INTERLEAVED: &[&str] = &["PLANE_READ", "PLANE_READ4K", "PLANE_CACHE_READ"];

/// The base whose operations read the status of an addressed plane or die, and the ends of the names of those that read the
/// status of the plane.
pub(super) const ADDRESSED_STATUS: (&str, [&str; 2]) = ("SR_ADD", ["72h", "7Ch"]);

/// The words in the names of operations that say which level of a page they read.
pub(super) const LEVELS: [(&str, LatchLevel); 3] =
    [("LSB", LatchLevel::Lsb), ("CSB", LatchLevel::Csb), ("MSB", LatchLevel::Msb)];

/// The beginning of the name of an operation that reads the status of a die with a fixed number.
pub(super) const LUN_STATUS: &str = "LUN_Status_Read_for_LUN";

/// A cell type, and the cell types that may also be programmed on a block that was erased with it.
pub(super) const SHARED_ERASE: (&str, [&str; 2]) = ("SLC", ["A0SLC", "ACSLC"]);

/// The meaning of a name; `None` for a base that the predecessor did not know.
pub(super) fn meaning(name: &str) -> Option<&'static Meaning> {
    MEANINGS.iter().find(|meaning| meaning.name == name)
}
