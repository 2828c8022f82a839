//! The size of a device.

/// The size of the device, in the types that fit it.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Dies, 1..=64.
    pub dies: u8,
    /// Planes of a die, 1..=8.
    pub planes: u8,
    /// Blocks of a die over all its planes, 1..=2²⁰.
    pub blocks: u32,
    /// Block groups of a die, the last one possibly incomplete.
    pub groups: u32,
    /// Pages of a block, 1..=65535.
    pub pages: u16,
}
