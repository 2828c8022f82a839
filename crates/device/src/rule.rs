//! The reason codes: why an operation may not start.
//!
//! There is one code for each rule of the device (see the rulebook). [`judge`](crate::Device::judge) judges in this order: the
//! shape of the address, blocks, occupation, op_states and the lasting state of each die, operations in flight, and the bus last.

nandseq_profile::named! {
    /// A rule of the device; its code says which rule an operation would break.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
    pub enum Rule {
        /// Die, plane, block or page does not exist.
        Bounds = "bounds",
        /// A multi-plane operation needs ≥ 2 planes of one group, a single-plane one exactly 1.
        MultiPlaneGroup = "multi_plane_group",
        /// The bus is held.
        Bus = "bus",
        /// A plane it would occupy is occupied.
        PlaneBusy = "plane_busy",
        /// It would overlap an operation of its die, and the two may not interleave.
        MultiPlaneExclusive = "multi_plane_exclusive",
        /// Forbidden by the op_state of a relevant plane.
        OpState = "op_state",
        /// Forbidden by a latch, or by unread data.
        Latch = "latch",
        /// Forbidden by the state of suspension.
        Suspend = "suspend",
        /// Forbidden while on-die termination is off.
        Odt = "odt",
        /// Forbidden while write protect is on; or switching it on while something is in flight.
        WriteProtect = "write_protect",
        /// Forbidden by a cache state.
        Cache = "cache",
        /// The block is bad.
        BadBlock = "bad_block",
        /// The block is being erased or programmed, or is suspended in it.
        InFlight = "in_flight",
        /// The block is not erased.
        ProgramBeforeErase = "program_before_erase",
        /// Not the next page of the block.
        ProgramOrder = "program_order",
        /// Not a cell type the block may be programmed with, or not that of the operation (an erase included).
        ProgramCellType = "program_celltype",
        /// The page is not programmed, or too close to the last programmed one.
        ReadBeforeProgram = "read_before_program",
        /// Not the block's program cell type, or not that of the operation.
        ReadCellType = "read_celltype",
        /// The output register is empty, or holds another page.
        DoutSource = "dout_source",
        /// Data of a read would be overwritten before it has been put out.
        UnreadData = "unread_data",
        /// The latch does not hold what this step needs, for this address.
        OneshotOrder = "oneshot_order",
        /// Not the program, or read, that a cache sequence needs next.
        CacheSequence = "cache_sequence",
        /// A page register was not filled by a copyback read.
        CopybackSource = "copyback_source",
        /// No program is suspended on the die, or not at this address.
        RecoveryTarget = "recovery_target",
        /// There is no operation to suspend.
        SuspendTarget = "suspend_target",
        /// There is no operation to resume, or the suspended program must be resumed first.
        ResumeTarget = "resume_target",
        /// A status read of a fixed LUN names another die. (What the payload must expect of the status itself is
        /// [`Device::expected_status`](crate::Device::expected_status).)
        StatusValue = "status_value",
    }
    /// All rules.
    pub const ALL;
    /// The reason code as the rulebook names it.
    pub const fn code;
}
