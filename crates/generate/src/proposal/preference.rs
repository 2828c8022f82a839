//! What a policy prefers when a name is planned.

use nandseq_device::Place;

/// The preferences of a policy for the plan of a name.
#[derive(Clone, Copy)]
pub(crate) struct Preference<'a> {
    /// The factor on the weight of standing alone, if the operation may.
    pub(crate) alone: u64,
    /// Whether an address is preferred; `None`: all addresses are equal.
    pub(crate) is_fresh: Option<&'a dyn Fn(&Place) -> bool>,
    /// The choice of what follows, by its index; `None`: it is drawn.
    pub(crate) chain: Option<usize>,
}

impl Preference<'_> {
    /// No preferences: the weights of the profile.
    pub(crate) const NONE: Self = Self { alone: 1, is_fresh: None, chain: None };
}
