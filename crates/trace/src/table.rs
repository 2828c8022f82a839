//! The tables of a run as data: the columns of each table, in order, with the types of their values.
//!
//! Every writer and reader of tables takes the columns from here. `docs/outputs.md` describes the values.

use crate::files::FileKind;

/// The type of the values of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColumnType {
    /// A part of an address: a whole number below 2^31.
    Address,
    /// A count or a running number: a whole number below 2^63.
    Count,
    /// A time from the start of the site's first run, in µs with at most six decimals.
    Time,
    /// A time from the start of the site's first run, scaled and rounded as the profile's `export` says.
    ScaledTime,
    /// A fraction of a phase, 0 to 1 with at most two decimals.
    Fraction,
    /// A text out of a small set.
    Name,
    /// A text out of a small set, or nothing.
    OptionalName,
    /// The addresses of an operation, one object for each target.
    Payload,
}

/// The columns of a table, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Columns {
    /// The names of the columns.
    pub names: &'static [&'static str],
    /// The types of their values; as many as `names`.
    pub types: &'static [ColumnType],
}

impl Columns {
    /// The first line of a CSV file, with its line feed.
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
    /// The columns of the table; none for a file that is not a table.
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

    /// Whether the file is a table. Only tables exist in several formats.
    #[must_use]
    pub const fn is_table(self) -> bool {
        !self.columns().names.is_empty()
    }
}

/// A table of a run other than its sequence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TableKind {
    /// [`FileKind::OperationTimeline`]
    OperationTimeline,
    /// [`FileKind::OpStateTimeline`]
    OpStateTimeline,
    /// [`FileKind::AddressTouchCount`]
    AddressTouchCount,
    /// [`FileKind::OpStateNameInputTimeCount`]
    InputTimeCount,
    /// [`FileKind::PhaseProposalCounts`]
    ProposalCounts,
}

impl TableKind {
    /// All these tables.
    pub const ALL: [Self; 5] = [
        Self::OperationTimeline,
        Self::OpStateTimeline,
        Self::AddressTouchCount,
        Self::InputTimeCount,
        Self::ProposalCounts,
    ];

    /// The kind of the table's file.
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

    /// The names of its columns, in order.
    #[must_use]
    pub const fn columns(self) -> &'static [&'static str] {
        self.file().columns().names
    }
}
