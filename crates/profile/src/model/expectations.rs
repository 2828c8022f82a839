//! What payloads say of what a tester should see: the fields of an expected status, and the data that passes on the bus.
//!
//! A profile states it, and the flags `--expect` and `--status` add to it. Leaves out how they add.

crate::named! {
    /// A field of an expected status.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    pub enum StatusField {
        /// `busy`, `extrdy` or `ready`.
        Ready = "ready",
        /// Whether an erase is suspended: `erasus` or `no_erasus`.
        EraseSuspend = "erase_suspend",
        /// Whether a program is suspended: `pgmsus` or `no_pgmsus`.
        ProgramSuspend = "program_suspend",
    }
    /// All fields in their usual order.
    pub const ALL;
    /// The name in profiles.
    pub const fn name;
}

/// What flags add to the payloads of a profile.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Expectations {
    /// `--expect data`: every operation that passes data on the bus says whose data it is.
    pub data: bool,
    /// `--status full`: an expected status has all fields.
    pub full_status: bool,
}

impl Expectations {
    /// What both add.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { data: self.data || other.data, full_status: self.full_status || other.full_status }
    }
}
