//! Why a setup cannot be made.

/// Why nothing can be generated.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SetupError {
    /// The table gives no weight to an operation that could be proposed.
    #[error("no phase key gives a weight above 0 to any operation that could be proposed")]
    NothingToPropose,
    /// A scenario wants hits for too many values.
    #[error("the axes of `each` of the scenario `{scenario}` have more than {most} combinations")]
    TooManyValues {
        /// Its name.
        scenario: String,
        /// The most that there may be.
        most: usize,
    },
}
