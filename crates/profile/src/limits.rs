//! The largest device a profile may describe, and why.
//!
//! Every bound is far above any part on the market; it exists so that a mistyped number is an error and not an
//! allocation of many gigabytes.

/// The longest time a profile may state, µs (one day): far above any phase of any part, far below the clock's end.
pub const MAX_PROFILE_TIME_US: u64 = 86_400_000_000;
/// Dies of one target. Eight-die stacks share a channel today; 64 leaves room.
pub const MAX_DIES: u64 = 64;
/// Planes of a die: one bit each in a [`PlaneSet`](crate::PlaneSet). Six-plane parts exist.
pub const MAX_PLANES: u64 = 8;
/// Blocks of a die.
pub const MAX_BLOCKS_PER_DIE: u64 = 1 << 20;
/// Blocks of the whole target: about 50 bytes of state each.
pub const MAX_BLOCKS: u64 = 1 << 24;
/// Pages of a block: a page number fits 16 bits.
pub const MAX_PAGES_PER_BLOCK: u64 = 65_535;
/// Operation bases: one bit each in a [`BaseSet`](crate::BaseSet).
pub const MAX_BASES: usize = 128;
/// Operation names.
pub const MAX_OPS: usize = 16_384;
/// Bytes of a name that a profile defines (operations, bases, cell types, classes, chains, exclusion groups, latencies): rows with several
/// targets stay far below the longest line that is read.
pub const MAX_NAME_BYTES: usize = 1_000;
/// Cell types, one bit each in an 8-bit set.
pub const MAX_CELL_TYPES: usize = 8;
/// Steps of one chain as a profile lists them.
pub const MAX_CHAIN_STEPS: usize = 16;
/// Exclusion groups.
pub const MAX_GROUPS: usize = 4_096;
/// A relative weight or probability mass: sums of many stay finite and exact enough.
pub const MAX_WEIGHT: f64 = 1e12;
