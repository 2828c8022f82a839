//! The reason codes: why an operation may not start.
//!
//! There is one code for each rule of the device (see the rulebook). [`judge`](crate::Device::judge) judges in this order: the
//! shape of the address, blocks, occupation, op_states and the lasting state of each die, operations in flight, and the bus last.

/// A rule of the device; its code says which rule an operation would break.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rule {
    /// Die, plane, block or page does not exist.
    Bounds,
    /// A multi-plane operation needs ≥ 2 planes of one group, a single-plane one exactly 1.
    MultiPlaneGroup,
    /// The bus is held.
    Bus,
    /// A plane it would occupy is occupied.
    PlaneBusy,
    /// It would overlap an operation of its die, and the two may not interleave.
    MultiPlaneExclusive,
    /// Forbidden by the op_state of a relevant plane.
    OpState,
    /// Forbidden by a latch, or by unread data.
    Latch,
    /// Forbidden by the state of suspension.
    Suspend,
    /// Forbidden while on-die termination is off.
    Odt,
    /// Forbidden while write protect is on; or switching it on while something is in flight.
    WriteProtect,
    /// Forbidden by a cache state.
    Cache,
    /// The block is bad.
    BadBlock,
    /// The block is being erased or programmed, or is suspended in it.
    InFlight,
    /// The block is not erased.
    ProgramBeforeErase,
    /// Not the next page of the block.
    ProgramOrder,
    /// Not a cell type the block may be programmed with, or not that of the operation (an erase included).
    ProgramCellType,
    /// The page is not programmed, or too close to the last programmed one.
    ReadBeforeProgram,
    /// Not the block's program cell type, or not that of the operation.
    ReadCellType,
    /// The output register is empty, or holds another page.
    DoutSource,
    /// Data of a read would be overwritten before it has been put out.
    UnreadData,
    /// The latch does not hold what this step needs, for this address.
    OneshotOrder,
    /// Not the program, or read, that a cache sequence needs next.
    CacheSequence,
    /// A page register was not filled by a copyback read.
    CopybackSource,
    /// No program is suspended on the die, or not at this address.
    RecoveryTarget,
    /// There is no operation to suspend.
    SuspendTarget,
    /// There is no operation to resume, or the suspended program must be resumed first.
    ResumeTarget,
    /// A status read of a fixed LUN names another die. (What the payload must expect of the status itself is
    /// [`Device::expected_status`](crate::Device::expected_status).)
    StatusValue,
}

impl Rule {
    /// All rules.
    pub const ALL: [Self; 27] = [
        Self::Bounds,
        Self::MultiPlaneGroup,
        Self::Bus,
        Self::PlaneBusy,
        Self::MultiPlaneExclusive,
        Self::OpState,
        Self::Latch,
        Self::Suspend,
        Self::Odt,
        Self::WriteProtect,
        Self::Cache,
        Self::BadBlock,
        Self::InFlight,
        Self::ProgramBeforeErase,
        Self::ProgramOrder,
        Self::ProgramCellType,
        Self::ReadBeforeProgram,
        Self::ReadCellType,
        Self::DoutSource,
        Self::UnreadData,
        Self::OneshotOrder,
        Self::CacheSequence,
        Self::CopybackSource,
        Self::RecoveryTarget,
        Self::SuspendTarget,
        Self::ResumeTarget,
        Self::StatusValue,
    ];

    /// The reason code as the rulebook names it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Bounds => "bounds",
            Self::MultiPlaneGroup => "multi_plane_group",
            Self::Bus => "bus",
            Self::PlaneBusy => "plane_busy",
            Self::MultiPlaneExclusive => "multi_plane_exclusive",
            Self::OpState => "op_state",
            Self::Latch => "latch",
            Self::Suspend => "suspend",
            Self::Odt => "odt",
            Self::WriteProtect => "write_protect",
            Self::Cache => "cache",
            Self::BadBlock => "bad_block",
            Self::InFlight => "in_flight",
            Self::ProgramBeforeErase => "program_before_erase",
            Self::ProgramOrder => "program_order",
            Self::ProgramCellType => "program_celltype",
            Self::ReadBeforeProgram => "read_before_program",
            Self::ReadCellType => "read_celltype",
            Self::DoutSource => "dout_source",
            Self::UnreadData => "unread_data",
            Self::OneshotOrder => "oneshot_order",
            Self::CacheSequence => "cache_sequence",
            Self::CopybackSource => "copyback_source",
            Self::RecoveryTarget => "recovery_target",
            Self::SuspendTarget => "suspend_target",
            Self::ResumeTarget => "resume_target",
            Self::StatusValue => "status_value",
        }
    }
}
