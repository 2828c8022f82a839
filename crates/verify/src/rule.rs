//! The codes of the rules, and each rule in a sentence.

use nandseq_trace::table::TableKind;

macro_rules! rules {
    ($($rule:ident $name:literal $sentence:literal)+) => {
        /// A rule that a sequence can break.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum RuleCode {
            $(#[doc = $sentence] $rule,)+
        }

        impl RuleCode {
            /// All rules in the order of the rulebook: those of the device, of the written form, and of the tables.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$rule),+];

            /// The code in reports and the name of its page in the rulebook.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)+
                }
            }

            /// The rule in a sentence.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$rule => $sentence,)+
                }
            }
        }
    };
}

rules! {
    Bus "bus"
        "Phases that hold the IO bus never overlap, on any die of the site."
    PlaneBusy "plane_busy"
        "Operations that occupy a plane never overlap on it."
    MultiPlaneExclusive "multi_plane_exclusive"
        "On one die a multi-plane operation overlaps no other, and two single-plane ones only if both may interleave."
    OpState "op_state"
        "An operation does not start while the op_state of one of its planes excludes it."
    Latch "latch"
        "An operation does not start while a loaded latch or unread data excludes it."
    Suspend "suspend"
        "An operation does not start while the suspend state of its die excludes it."
    Odt "odt"
        "An operation does not start while on-die termination is off and excludes it."
    WriteProtect "write_protect"
        "An operation does not start while write protect is on and excludes it; write protect is switched on only while nothing is in flight."
    Cache "cache"
        "An operation does not start while a cache program or cache read excludes it."
    Bounds "bounds"
        "Die, plane, block and page exist, and the block lies on its plane."
    BadBlock "bad_block"
        "No array operation touches a bad block."
    ProgramBeforeErase "program_before_erase"
        "A program needs an erased or open block."
    ProgramOrder "program_order"
        "The pages of a block are programmed in order, each once per erase."
    ProgramCellType "program_celltype"
        "A program's cell type suits the erase and the earlier pages of its block."
    ReadBeforeProgram "read_before_program"
        "A read addresses a programmed page that is at least the read guard behind the last one programmed."
    ReadCellType "read_celltype"
        "A page is read with the cell type it was programmed with."
    InFlight "in_flight"
        "No array operation touches a block whose erase or program is not finished."
    MultiPlaneGroup "multi_plane_group"
        "A multi-plane operation has two or more ascending planes of one die, one page and one block group; any other has one target."
    DoutSource "dout_source"
        "A data output carries the address that the output register of its plane holds."
    UnreadData "unread_data"
        "Nothing overwrites the data of a read before it has been output."
    OneShotOrder "oneshot_order"
        "The loads of a one-shot program come in order and for one address."
    CacheSequence "cache_sequence"
        "Cache programs and cache reads continue what is in the cache."
    CopybackSource "copyback_source"
        "A copyback program needs a page register filled by a copyback read on each plane."
    RecoveryTarget "recovery_target"
        "A recovery read takes the address of the program suspended on its die."
    SuspendTarget "suspend_target"
        "A suspend needs an operation of its axis in CORE_BUSY on its die."
    ResumeTarget "resume_target"
        "A resume needs its axis suspended; a suspended program is resumed before a suspended erase."
    StatusValue "status_value"
        "A status read expects the status that the device has."
    DataValue "data_value"
        "An operation carries the data that it brings in, or that the output register holds."
    RowFormat "row_format"
        "A row has the documented columns and form."
    UnknownOp "unknown_op"
        "The profile has the operation."
    TimeOrder "time_order"
        "Rows are in order of start."
    PayloadFields "payload_fields"
        "The payload has exactly the fields of the operation's base."
    SeqOrder "seq_order"
        "Rows of a file are numbered 1, 2, 3, …, and no op_uid occurs twice."
    TimelineRow "timeline_row"
        "operation_timeline has the rows that follow from the sequence, and no others."
    OpStateSegment "op_state_segment"
        "op_state_timeline has the phases that follow from the sequence, and no others."
    TouchCount "touch_count"
        "address_touch_count has the programs and reads of every page."
    InputTimeCount "input_time_count"
        "op_state_name_input_time_count is in order, possible, and counts no more than the sequence has."
    ProposalCount "proposal_count"
        "phase_proposal_counts is in order, possible, and counts no more than the sequence has."
}

impl RuleCode {
    /// How many rules there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The rules of the tables beside a sequence.
    pub const TABLES: [Self; 5] =
        [Self::TimelineRow, Self::OpStateSegment, Self::TouchCount, Self::InputTimeCount, Self::ProposalCount];

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
}
