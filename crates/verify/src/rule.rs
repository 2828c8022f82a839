//! The codes of the rules, and each rule in a sentence.

use nandseq_trace::table::TableKind;

/// A rule that a sequence can break.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum RuleCode {
    /// `bus`
    Bus,
    /// `plane_busy`
    PlaneBusy,
    /// `multi_plane_exclusive`
    MultiPlaneExclusive,
    /// `op_state`
    OpState,
    /// `latch`
    Latch,
    /// `suspend`
    Suspend,
    /// `odt`
    Odt,
    /// `write_protect`
    WriteProtect,
    /// `cache`
    Cache,
    /// `bounds`
    Bounds,
    /// `bad_block`
    BadBlock,
    /// `program_before_erase`
    ProgramBeforeErase,
    /// `program_order`
    ProgramOrder,
    /// `program_celltype`
    ProgramCellType,
    /// `read_before_program`
    ReadBeforeProgram,
    /// `read_celltype`
    ReadCellType,
    /// `in_flight`
    InFlight,
    /// `multi_plane_group`
    MultiPlaneGroup,
    /// `dout_source`
    DoutSource,
    /// `unread_data`
    UnreadData,
    /// `oneshot_order`
    OneShotOrder,
    /// `cache_sequence`
    CacheSequence,
    /// `copyback_source`
    CopybackSource,
    /// `recovery_target`
    RecoveryTarget,
    /// `suspend_target`
    SuspendTarget,
    /// `resume_target`
    ResumeTarget,
    /// `status_value`
    StatusValue,
    /// `row_format`
    RowFormat,
    /// `unknown_op`
    UnknownOp,
    /// `time_order`
    TimeOrder,
    /// `payload_fields`
    PayloadFields,
    /// `seq_order`
    SeqOrder,
    /// `timeline_row`
    TimelineRow,
    /// `op_state_segment`
    OpStateSegment,
    /// `touch_count`
    TouchCount,
    /// `input_time_count`
    InputTimeCount,
    /// `proposal_count`
    ProposalCount,
}

impl RuleCode {
    /// How many rules there are.
    pub const COUNT: usize = Self::ALL.len();

    /// All rules in the order of the rulebook: those of the device, of the written form, and of the tables.
    pub const ALL: [Self; 37] = [
        Self::Bus,
        Self::PlaneBusy,
        Self::MultiPlaneExclusive,
        Self::OpState,
        Self::Latch,
        Self::Suspend,
        Self::Odt,
        Self::WriteProtect,
        Self::Cache,
        Self::Bounds,
        Self::BadBlock,
        Self::ProgramBeforeErase,
        Self::ProgramOrder,
        Self::ProgramCellType,
        Self::ReadBeforeProgram,
        Self::ReadCellType,
        Self::InFlight,
        Self::MultiPlaneGroup,
        Self::DoutSource,
        Self::UnreadData,
        Self::OneShotOrder,
        Self::CacheSequence,
        Self::CopybackSource,
        Self::RecoveryTarget,
        Self::SuspendTarget,
        Self::ResumeTarget,
        Self::StatusValue,
        Self::RowFormat,
        Self::UnknownOp,
        Self::TimeOrder,
        Self::PayloadFields,
        Self::SeqOrder,
        Self::TimelineRow,
        Self::OpStateSegment,
        Self::TouchCount,
        Self::InputTimeCount,
        Self::ProposalCount,
    ];

    /// The rules of the tables beside a sequence.
    pub const TABLES: [Self; 5] =
        [Self::TimelineRow, Self::OpStateSegment, Self::TouchCount, Self::InputTimeCount, Self::ProposalCount];

    /// The code in reports and the name of its page in the rulebook.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bus => "bus",
            Self::PlaneBusy => "plane_busy",
            Self::MultiPlaneExclusive => "multi_plane_exclusive",
            Self::OpState => "op_state",
            Self::Latch => "latch",
            Self::Suspend => "suspend",
            Self::Odt => "odt",
            Self::WriteProtect => "write_protect",
            Self::Cache => "cache",
            Self::Bounds => "bounds",
            Self::BadBlock => "bad_block",
            Self::ProgramBeforeErase => "program_before_erase",
            Self::ProgramOrder => "program_order",
            Self::ProgramCellType => "program_celltype",
            Self::ReadBeforeProgram => "read_before_program",
            Self::ReadCellType => "read_celltype",
            Self::InFlight => "in_flight",
            Self::MultiPlaneGroup => "multi_plane_group",
            Self::DoutSource => "dout_source",
            Self::UnreadData => "unread_data",
            Self::OneShotOrder => "oneshot_order",
            Self::CacheSequence => "cache_sequence",
            Self::CopybackSource => "copyback_source",
            Self::RecoveryTarget => "recovery_target",
            Self::SuspendTarget => "suspend_target",
            Self::ResumeTarget => "resume_target",
            Self::StatusValue => "status_value",
            Self::RowFormat => "row_format",
            Self::UnknownOp => "unknown_op",
            Self::TimeOrder => "time_order",
            Self::PayloadFields => "payload_fields",
            Self::SeqOrder => "seq_order",
            Self::TimelineRow => "timeline_row",
            Self::OpStateSegment => "op_state_segment",
            Self::TouchCount => "touch_count",
            Self::InputTimeCount => "input_time_count",
            Self::ProposalCount => "proposal_count",
        }
    }

    /// The rule that a table breaks when it disagrees with its sequence.
    pub(crate) const fn of_table(table: TableKind) -> Self {
        match table {
            TableKind::OperationTimeline => Self::TimelineRow,
            TableKind::OpStateTimeline => Self::OpStateSegment,
            TableKind::AddressTouchCount => Self::TouchCount,
            TableKind::InputTimeCount => Self::InputTimeCount,
            TableKind::ProposalCounts => Self::ProposalCount,
        }
    }

    /// The rule of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// The rule in a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Bus => "Phases that hold the IO bus never overlap, on any die of the site.",
            Self::PlaneBusy => "Operations that occupy a plane never overlap on it.",
            Self::MultiPlaneExclusive => {
                "On one die a multi-plane operation overlaps no other, and two single-plane ones only if both may interleave."
            }
            Self::OpState => "An operation does not start while the op_state of one of its planes excludes it.",
            Self::Latch => "An operation does not start while a loaded latch or unread data excludes it.",
            Self::Suspend => "An operation does not start while the suspend state of its die excludes it.",
            Self::Odt => "An operation does not start while on-die termination is off and excludes it.",
            Self::WriteProtect => {
                "An operation does not start while write protect is on and excludes it; write protect is switched on only while nothing is in flight."
            }
            Self::Cache => "An operation does not start while a cache program or cache read excludes it.",
            Self::Bounds => "Die, plane, block and page exist, and the block lies on its plane.",
            Self::BadBlock => "No array operation touches a bad block.",
            Self::ProgramBeforeErase => "A program needs an erased or open block.",
            Self::ProgramOrder => "The pages of a block are programmed in order, each once per erase.",
            Self::ProgramCellType => "A program's cell type suits the erase and the earlier pages of its block.",
            Self::ReadBeforeProgram => {
                "A read addresses a programmed page that is at least the read guard behind the last one programmed."
            }
            Self::ReadCellType => "A page is read with the cell type it was programmed with.",
            Self::InFlight => "No array operation touches a block whose erase or program is not finished.",
            Self::MultiPlaneGroup => {
                "A multi-plane operation has two or more ascending planes of one die, one page and one block group; any other has one target."
            }
            Self::DoutSource => "A data output carries the address that the output register of its plane holds.",
            Self::UnreadData => "Nothing overwrites the data of a read before it has been output.",
            Self::OneShotOrder => "The loads of a one-shot program come in order and for one address.",
            Self::CacheSequence => "Cache programs and cache reads continue what is in the cache.",
            Self::CopybackSource => "A copyback program needs a page register filled by a copyback read on each plane.",
            Self::RecoveryTarget => "A recovery read takes the address of the program suspended on its die.",
            Self::SuspendTarget => "A suspend needs an operation of its axis in CORE_BUSY on its die.",
            Self::ResumeTarget => {
                "A resume needs its axis suspended; a suspended program is resumed before a suspended erase."
            }
            Self::StatusValue => "A status read expects the status that the device has.",
            Self::RowFormat => "A row has the documented columns and form.",
            Self::UnknownOp => "The profile has the operation.",
            Self::TimeOrder => "Rows are in order of start.",
            Self::PayloadFields => "The payload has exactly the fields of the operation's base.",
            Self::SeqOrder => "Rows of a file are numbered 1, 2, 3, …, and no op_uid occurs twice.",
            Self::TimelineRow => "operation_timeline has the rows that follow from the sequence, and no others.",
            Self::OpStateSegment => "op_state_timeline has the phases that follow from the sequence, and no others.",
            Self::TouchCount => "address_touch_count has the programs and reads of every page.",
            Self::InputTimeCount => {
                "op_state_name_input_time_count is in order, possible, and counts no more than the sequence has."
            }
            Self::ProposalCount => {
                "phase_proposal_counts is in order, possible, and counts no more than the sequence has."
            }
        }
    }
}
