//! Families of bases: the few classes that pictures tell apart by colour.
//!
//! They follow from effects and addresses, never from names.

use nandseq_profile::model::{AddressSource, Base, Effect};

nandseq_profile::named! {
    /// A class of bases that share a colour.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
    pub enum Family {
        /// Erases blocks.
        Erase = "erase",
        /// Programs pages, loads or consumes the latches of a program.
        Program = "program",
        /// Reads the array.
        Read = "read",
        /// Puts data out.
        DataOut = "data out",
        /// Suspends or resumes.
        Suspension = "suspend, resume",
        /// Ends what is in flight.
        Reset = "reset",
        /// Asks for a status.
        Status = "status",
        /// Everything else: features, identification, termination.
        Other = "other",
    }
    /// All classes, in their order, which is that of a legend.
    pub const ALL;
    /// Its name in a legend.
    pub const fn name;
}

impl Family {
    /// The family of a base: the first in the order of [`Self::ALL`] that one of its effects has. A base without such an effect
    /// that addresses readable pages is a read.
    #[must_use]
    pub fn of(base: &Base) -> Self {
        let by_effect = base.effects.iter().map(|&effect| Self::of_effect(effect)).min();
        match by_effect {
            Some(Self::Other) | None if base.address == AddressSource::ReadablePage => Self::Read,
            Some(family) => family,
            None => Self::Other,
        }
    }

    const fn of_effect(effect: Effect) -> Self {
        match effect {
            Effect::Erase => Self::Erase,
            Effect::Program
            | Effect::CloseBlock
            | Effect::LoadLatch { .. }
            | Effect::ConsumeLatch { .. }
            | Effect::CopybackSource
            | Effect::CacheProgramStart(_)
            | Effect::CacheProgramEnd(_) => Self::Program,
            Effect::FillRegisters { .. } | Effect::CacheRead(_) | Effect::CacheReadEnd(_) => Self::Read,
            Effect::DataOut => Self::DataOut,
            Effect::Suspend(_) | Effect::Resume(_) => Self::Suspension,
            Effect::ResetDie | Effect::ResetTarget => Self::Reset,
            Effect::StatusRead => Self::Status,
            Effect::OdtDisable
            | Effect::OdtEnable
            | Effect::WriteProtectOn
            | Effect::WriteProtectOff
            | Effect::Delay => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nandseq_profile::builtin;

    #[test]
    fn the_built_in_device_has_operations_of_every_class() {
        let profile = builtin::profile();
        for family in Family::ALL {
            assert!(profile.bases.iter().any(|base| Family::of(base) == family), "{}", family.name());
        }
    }
}
