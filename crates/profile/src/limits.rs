//! The limits of a profile.
//!
//! Every limit is far above any part on the market. With limits, a mistyped number is an error instead of an allocation of many
//! gigabytes.

/// The longest time that a profile may state, in µs: one day. It is far above any phase of any part, and far below the range of
/// [`Ticks`](crate::Ticks).
pub const MAX_PROFILE_TIME_US: u64 = 86_400_000_000;
/// The most dies of a target. Up to eight dies share a channel today.
pub const MAX_DIES: u64 = 64;
/// The most planes of a die, one bit each in a [`PlaneSet`](crate::PlaneSet). Six-plane parts exist.
pub const MAX_PLANES: u64 = 8;
/// The most blocks of a die.
pub const MAX_BLOCKS_PER_DIE: u64 = 1 << 20;
/// The most blocks of the whole target. Each has about 50 bytes of state.
pub const MAX_BLOCKS: u64 = 1 << 24;
/// The most pages of a block: the number of a page fits 16 bits.
pub const MAX_PAGES_PER_BLOCK: u64 = 65_535;
/// The most bases, one bit each in a [`BaseSet`](crate::BaseSet).
pub const MAX_BASES: usize = 128;
/// The most op names.
pub const MAX_OPS: usize = 16_384;
/// The most bytes of a name that a profile defines (operations, bases, cell types, classes, chains, exclusion groups, latencies).
/// Rows with several targets stay far below the longest line that is read.
pub const MAX_NAME_BYTES: usize = 1_000;
/// The most cell types, one bit each in an 8-bit set.
pub const MAX_CELL_TYPES: usize = 8;
/// The most steps of a chain.
pub const MAX_CHAIN_STEPS: usize = 16;
/// The most exclusion groups.
pub const MAX_GROUPS: usize = 4_096;
/// The largest relative weight or probability mass. Sums of many stay finite and exact enough.
pub const MAX_WEIGHT: f64 = 1e12;
