//! The tables of a run as data: the columns of each, in order, with the types of their values.
//!
//! Every writer and reader of tables takes them from here. What the values mean is in `docs/outputs.md`.

use crate::files::FileKind;

/// What the values of a column are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColumnType {
    /// A part of an address: a whole number below 2^31.
    Address,
    /// A count or a running number: a whole number below 2^63.
    Count,
    /// A time from the start of the site's first run, in µs with at most six decimals.
    Time,
    /// The same, scaled and rounded as the profile's `export` says.
    ScaledTime,
    /// A fraction of a phase, 0 to 1 with at most two decimals.
    Fraction,
    /// A text out of a few.
    Name,
    /// A text out of a few, or nothing.
    OptionalName,
    /// What is addressed, one object for each target.
    Payload,
}

/// The columns of a table, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Columns {
    /// What each is called.
    pub names: &'static [&'static str],
    /// What its values are.
    pub types: &'static [ColumnType],
}

impl Columns {
    /// The first line of a CSV file, with its end.
    #[must_use]
    pub fn header(self) -> String {
        self.names.join(",") + "\n"
    }
}

macro_rules! columns {
    ($($name:literal: $of:ident),*) => {
        Columns { names: &[$($name),*], types: &[$(ColumnType::$of),*] }
    };
}

/// The columns of `operation_sequence`.
pub const OPERATION_SEQUENCE: Columns =
    columns! {"seq": Count, "time": ScaledTime, "op_id": Count, "op_name": Name, "op_uid": Count, "payload": Payload};

impl FileKind {
    /// Its columns; none for a file that is no table.
    #[must_use]
    pub const fn columns(self) -> Columns {
        match self {
            Self::OperationSequence => OPERATION_SEQUENCE,
            Self::OperationTimeline => columns! {
                "start": Time, "end": Time, "die": Address, "plane": Address, "block": Address, "page": Address,
                "op_name": Name, "op_base": Name, "source": OptionalName, "op_uid": Count, "op_state": Name,
                "phase_key_used": Name, "phase_key_virtual": Name
            },
            Self::OpStateTimeline => columns! {
                "start": Time, "end": Time, "die": Address, "plane": Address, "op_state": Name, "lane": Name,
                "op_name": Name, "duration": Time
            },
            Self::AddressTouchCount => columns! {
                "op_base": Name, "cell_type": Name, "die": Address, "block": Address, "page": Address, "count": Count
            },
            Self::OpStateNameInputTimeCount => columns! {
                "op_state": Name, "phase_key_used": Name, "phase_key_virtual": Name, "op_name": Name,
                "input_time": Fraction, "count": Count
            },
            Self::PhaseProposalCounts => columns! {
                "phase_key_used": Name, "phase_key_virtual": Name, "die": Address, "plane": Address,
                "propose_time": Time, "op_name": Name, "count": Count
            },
            Self::Snapshot | Self::ProposerLog => columns! {},
        }
    }

    /// Whether it is a table, which has another name in another format.
    #[must_use]
    pub const fn is_table(self) -> bool {
        !self.columns().names.is_empty()
    }
}

/// A table of a run besides its sequence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TableKind {
    /// Operations on their targets.
    OperationTimeline,
    /// Segments of the planes' op_states.
    OpStateTimeline,
    /// How often pages were programmed and read.
    AddressTouchCount,
    /// Where in an op_state operations were proposed.
    InputTimeCount,
    /// Accepted proposals by phase key.
    ProposalCounts,
}

impl TableKind {
    /// All tables.
    pub const ALL: [Self; 5] = [
        Self::OperationTimeline,
        Self::OpStateTimeline,
        Self::AddressTouchCount,
        Self::InputTimeCount,
        Self::ProposalCounts,
    ];

    /// The kind of file it is.
    #[must_use]
    pub const fn file(self) -> FileKind {
        match self {
            Self::OperationTimeline => FileKind::OperationTimeline,
            Self::OpStateTimeline => FileKind::OpStateTimeline,
            Self::AddressTouchCount => FileKind::AddressTouchCount,
            Self::InputTimeCount => FileKind::OpStateNameInputTimeCount,
            Self::ProposalCounts => FileKind::PhaseProposalCounts,
        }
    }

    /// The first part of the file's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.file().name()
    }

    /// What its columns are called, in order.
    #[must_use]
    pub const fn columns(self) -> &'static [&'static str] {
        self.file().columns().names
    }
}
