//! Hashing for sets that are asked millions of times about a few dozen bytes of our own making.
//!
//! A multiplication for each field instead of a keyed function against hostile keys: states follow from the profile, so that a
//! profile made to let them collide could cost its own user time, and nothing else. Nothing may depend on the order of these sets.

use std::hash::{BuildHasherDefault, Hasher};

/// A set.
pub(crate) type Set<T> = std::collections::HashSet<T, BuildHasherDefault<Quick>>;
/// A map.
pub(crate) type Map<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<Quick>>;

/// Adds each field and multiplies; the high digits are the good ones.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Quick(u64);

impl Quick {
    const fn add(&mut self, field: u64) {
        // An odd number with its digits well spread: 2^64 divided by the golden ratio.
        self.0 = self.0.wrapping_add(field).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.add(byte.into()));
    }

    fn write_u8(&mut self, field: u8) {
        self.add(field.into());
    }

    fn write_u16(&mut self, field: u16) {
        self.add(field.into());
    }

    fn write_u32(&mut self, field: u32) {
        self.add(field.into());
    }

    fn write_u64(&mut self, field: u64) {
        self.add(field);
    }

    fn write_usize(&mut self, field: usize) {
        self.add(field as u64);
    }

    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}
