//! A hash that is the same everywhere and costs a few instructions, for tables in memory.
//!
//! Promises nothing about chosen keys: tables that it is used for hold names of the profile, or places of the device. Nothing
//! may depend on the order of such a table.

use std::hash::{BuildHasherDefault, Hasher};

/// Spreads what is written over 64 bits.
#[derive(Clone, Copy, Default, Debug)]
pub struct Spread(u64);

/// Makes [`Spread`]s: the third parameter of a hash map.
pub type Spreading = BuildHasherDefault<Spread>;

impl Hasher for Spread {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|&word| self.write_u64(u64::from_le_bytes(word)));
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        // A multiple of the golden ratio, folded: every bit of the result depends on every bit of the value.
        let product = u128::from(self.0.rotate_left(5) ^ value ^ 0x2545_f491_4f6c_dd1d) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    #[test]
    fn near_keys_get_far_hashes() {
        let hashes: HashSet<u64> = (0..100_000_u64).map(|key| Spreading::default().hash_one(key) >> 40).collect();
        assert!(hashes.len() > 99_000, "{}", hashes.len());
        let names: HashSet<u64> = (0..10_000).map(|at| Spreading::default().hash_one(format!("OP_{at}"))).collect();
        assert_eq!(names.len(), 10_000);
    }
}
