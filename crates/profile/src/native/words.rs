//! The words of the native format for the values of the model's enumerations. Reader, writer and schema take them from here.

use crate::model::{
    AddressSource, Axis, CacheProgramKind, CacheReadKind, Effect, LatchKind, LatchLevel, PayloadField, PhaseKind,
    Scope, StatusField, StepAddress,
};

/// An enumeration whose values have words.
pub(super) trait Word: Copy + PartialEq + 'static {
    /// The kind of value, for messages: "phase".
    const KIND: &'static str;
    /// Every value with its word.
    const WORDS: &'static [(&'static str, Self)];

    /// The word of a value.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }

    /// The value of a word.
    fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
    }
}

impl Word for Scope {
    const KIND: &'static str = "scope";
    const WORDS: &'static [(&'static str, Self)] =
        &[("none", Self::None), ("plane_set", Self::PlaneSet), ("die", Self::Die), ("target", Self::Target)];
}

impl Word for PhaseKind {
    const KIND: &'static str = "phase";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("ISSUE", Self::Issue),
        ("CORE_BUSY", Self::CoreBusy),
        ("DATA_IN", Self::DataIn),
        ("DATA_OUT", Self::DataOut),
    ];
}

impl Word for PayloadField {
    const KIND: &'static str = "payload field";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("die", Self::Die),
        ("plane", Self::Plane),
        ("block", Self::Block),
        ("page", Self::Page),
        ("celltype", Self::CellType),
        ("exp_val", Self::ExpectedStatus),
        ("data", Self::Data),
    ];
}

impl Word for StatusField {
    const KIND: &'static str = "status field";
    const WORDS: &'static [(&'static str, Self)] =
        &[("ready", Self::Ready), ("erase_suspend", Self::EraseSuspend), ("program_suspend", Self::ProgramSuspend)];
}

impl Word for AddressSource {
    const KIND: &'static str = "address source";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("none", Self::None),
        ("hook", Self::Hook),
        ("any_block", Self::AnyBlock),
        ("next_page", Self::NextPage),
        ("readable_page", Self::ReadablePage),
        ("output_register", Self::OutputRegister),
        ("page_register", Self::PageRegister),
        ("suspended_program", Self::SuspendedProgram),
        ("one_shot_latch", Self::OneShotLatch),
        ("copyback_latch", Self::CopybackLatch),
    ];
}

impl Word for Axis {
    const KIND: &'static str = "axis of suspension";
    const WORDS: &'static [(&'static str, Self)] = &[("erase", Self::Erase), ("program", Self::Program)];
}

impl Word for LatchLevel {
    const KIND: &'static str = "latch level";
    const WORDS: &'static [(&'static str, Self)] = &[("lsb", Self::Lsb), ("csb", Self::Csb), ("msb", Self::Msb)];
}

impl Word for LatchKind {
    const KIND: &'static str = "latch";
    const WORDS: &'static [(&'static str, Self)] = &[("one_shot", Self::OneShot), ("copyback", Self::Copyback)];
}

impl Word for CacheReadKind {
    const KIND: &'static str = "kind of cache read";
    const WORDS: &'static [(&'static str, Self)] = &[("cache", Self::Cache), ("plane_cache", Self::PlaneCache)];
}

impl Word for CacheProgramKind {
    const KIND: &'static str = "kind of cache program";
    const WORDS: &'static [(&'static str, Self)] = &[("slc", Self::Slc), ("one_shot", Self::OneShot)];
}

impl Word for StepAddress {
    const KIND: &'static str = "inheritance";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("none", Self::Sampled),
        ("same_page", Self::SamePage),
        ("inc_page", Self::IncPage),
        ("pgm_same_page", Self::ProgramSamePage),
        ("same_page_from_program_suspend", Self::SuspendedProgram),
        ("prev_page", Self::PreviousPage),
        ("same_reg", Self::SameRegister),
    ];
}

/// The effects without a parameter.
impl Word for Effect {
    const KIND: &'static str = "effect";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("erase", Self::Erase),
        ("program", Self::Program),
        ("close_block", Self::CloseBlock),
        ("fill_registers", Self::FillRegisters { copyback: false }),
        ("data_out", Self::DataOut),
        ("copyback_source", Self::CopybackSource),
        ("reset_die", Self::ResetDie),
        ("reset_target", Self::ResetTarget),
        ("odt_disable", Self::OdtDisable),
        ("odt_enable", Self::OdtEnable),
        ("write_protect_on", Self::WriteProtectOn),
        ("write_protect_off", Self::WriteProtectOff),
        ("status_read", Self::StatusRead),
        ("delay", Self::Delay),
    ];
}

/// The words of effects with a parameter, `word: parameter`.
pub(super) const EFFECTS_WITH_PARAMETER: [&str; 9] = [
    "load_latch",
    "consume_latch",
    "fill_registers",
    "cache_read",
    "cache_read_end",
    "cache_program_start",
    "cache_program_end",
    "suspend",
    "resume",
];

/// Inheritance of a chain step: the cell type of the step before.
pub(super) const SAME_CELL_TYPE: &str = "same_celltype";
/// Inheritance of a chain step: multi-plane exactly if the first operation is.
pub(super) const MULTI: &str = "multi";
/// Inheritance of a chain step: the planes of the step before.
pub(super) const SAME_PLANE: &str = "same_plane";
/// The word for no follow-up.
pub(super) const NO_FOLLOW_UP: &str = "NONE";
