//! What of a die's state suspects may name beside suspensions: cache operations under way, a loaded latch.

use nandseq_profile::model::{Base, Effect};

/// What the operations of a base do to it.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct StateEffect {
    cache: Option<bool>,
    latch: Option<bool>,
    resets: bool,
}

impl StateEffect {
    /// Whether a cache operation is under way from then on.
    pub(crate) fn begins_cache(self) -> bool {
        self.cache == Some(true)
    }

    pub(crate) fn of(base: &Base) -> Self {
        let mut all = Self::default();
        for effect in &base.effects {
            match *effect {
                Effect::CacheRead(_) | Effect::CacheProgramStart(_) => all.cache = Some(true),
                Effect::CacheReadEnd(_) | Effect::CacheProgramEnd(_) => all.cache = Some(false),
                Effect::LoadLatch { .. } => all.latch = Some(true),
                Effect::ConsumeLatch { .. } => all.latch = Some(false),
                Effect::ResetDie | Effect::ResetTarget => all.resets = true,
                Effect::Erase
                | Effect::Program
                | Effect::CloseBlock
                | Effect::FillRegisters { .. }
                | Effect::DataOut
                | Effect::CopybackSource
                | Effect::Suspend(_)
                | Effect::Resume(_)
                | Effect::OdtDisable
                | Effect::OdtEnable
                | Effect::WriteProtectOn
                | Effect::WriteProtectOff
                | Effect::StatusRead
                | Effect::Delay => {}
            }
        }
        all
    }
}

/// The state of a die.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct DieFlags {
    pub(crate) cache: bool,
    pub(crate) latch: bool,
}

impl DieFlags {
    /// The state after the start of an operation.
    pub(crate) fn start(&mut self, effect: StateEffect) {
        if effect.resets {
            *self = Self::default();
        }
        self.cache = effect.cache.unwrap_or(self.cache);
        self.latch = effect.latch.unwrap_or(self.latch);
    }
}
