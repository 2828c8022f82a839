//! The generator of random numbers: Philox4x64-10, a counter-based generator.
//!
//! Source: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11. For each 128-bit key it
//! is a bijection of 256-bit counters, so streams with different counters or keys never share a block by construction. The key
//! is (seed, run index), the counter holds the stream's kind and number: no two (site, run) pairs share a stream. Golden
//! vectors of the authors are tests below.
//!
//! This crate maps numbers to ranges itself, so that the same seed gives the same bytes with any version of any library.

const MULTIPLIERS: [u64; 2] = [0xD2E7_470E_E14C_6C93, 0xCA5A_8263_9512_1157];
const WEYL: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xBB67_AE85_84CA_A73B];

/// Writes one block of four numbers in place: copying a block that has just been written would stall.
fn block(key: [u64; 2], counter: [u64; 4], out: &mut [u64; 4]) {
    let (mut key, mut state) = (key, counter);
    for round in 0..10 {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let first = u128::from(MULTIPLIERS[0]) * u128::from(state[0]);
        let second = u128::from(MULTIPLIERS[1]) * u128::from(state[2]);
        state = [
            (second >> 64) as u64 ^ state[1] ^ key[0],
            second as u64,
            (first >> 64) as u64 ^ state[3] ^ key[1],
            first as u64,
        ];
    }
    *out = state;
}

/// The purpose of a stream. Streams of different kinds share no block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StreamKind {
    /// Everything a proposal draws, numbered by the hook's counter in its run.
    Hook,
    /// The times and planes of the hooks of an operation that starts, numbered by its op_uid.
    Operation,
    /// The times and planes of the hooks of a resumed operation, numbered by the site's resumes.
    Resume,
    /// Weights of a probability table, numbered by phase key.
    Table,
    /// Plans that are only tried, numbered by the try: see [`crate::dead`].
    Trial,
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream {
    key: [u64; 2],
    counter: [u64; 4],
    block: [u64; 4],
    used: usize,
}

impl Stream {
    /// The stream of a kind and number under a key.
    #[must_use]
    pub const fn new(key: [u64; 2], kind: StreamKind, number: u64) -> Self {
        let kind = match kind {
            StreamKind::Hook => 0,
            StreamKind::Operation => 1,
            StreamKind::Table => 2,
            StreamKind::Resume => 3,
            StreamKind::Trial => 4,
        };
        Self { key, counter: [0, number, kind, 0], block: [0; 4], used: 4 }
    }

    /// The four numbers that the first draws will return. To be called before the first draw.
    #[inline]
    pub(crate) fn first_block(&mut self) -> &[u64; 4] {
        self.go_on();
        &self.block
    }

    /// Makes the next block when the present one is used up.
    #[inline]
    fn go_on(&mut self) {
        if self.used == 4 {
            block(self.key, self.counter, &mut self.block);
            self.counter[0] += 1;
            self.used = 0;
        }
    }

    /// The next number, uniform over all of `u64`.
    #[inline]
    pub fn draw(&mut self) -> u64 {
        self.go_on();
        self.used += 1;
        self.block[self.used - 1]
    }

    /// A number uniform in `0..bound` (`bound` > 0), by multiplication with rejection (Lemire 2019): exactly uniform.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        let mut product = u128::from(self.draw()) * u128::from(bound);
        if (product as u64) < bound {
            let threshold = bound.wrapping_neg() % bound;
            while (product as u64) < threshold {
                product = u128::from(self.draw()) * u128::from(bound);
            }
        }
        (product >> 64) as u64
    }

    /// One of some items, each as likely as its weight says; `None` if all weights are 0.
    #[inline]
    pub(crate) fn pick<T>(&mut self, items: impl Iterator<Item = (T, u64)> + Clone) -> Option<T> {
        let total: u64 = items.clone().map(|(_, weight)| weight).sum();
        if total == 0 {
            return None;
        }
        let mut at = self.below(total);
        for (item, weight) in items {
            if at < weight {
                return Some(item);
            }
            at -= weight;
        }
        None
    }

    /// A number uniform in (0, 1], a multiple of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        ((self.draw() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_of(key: [u64; 2], counter: [u64; 4]) -> [u64; 4] {
        let mut out = [0; 4];
        block(key, counter, &mut out);
        out
    }

    #[test]
    fn blocks_equal_the_authors_known_answers() {
        assert_eq!(
            block_of([0; 2], [0; 4]),
            [0x1655_4d9e_ca36_314c, 0xdb20_fe9d_672d_0fdc, 0xd7e7_72ce_e186_176b, 0x7e68_b68a_ec7b_a23b]
        );
        assert_eq!(
            block_of([u64::MAX; 2], [u64::MAX; 4]),
            [0x87b0_92c3_013f_e90b, 0x438c_3c67_be8d_0224, 0x9cc7_d7c6_9cd7_77b6, 0xa09c_aebf_594f_0ba0]
        );
        assert_eq!(
            block_of(
                [0x4528_21e6_38d0_1377, 0xbe54_66cf_34e9_0c6c],
                [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0, 0x082e_fa98_ec4e_6c89]
            ),
            [0xa528_f454_03e6_1d95, 0x38c7_2dbd_566e_9788, 0xa5a1_610e_72fd_18b5, 0x57bd_43b5_e52b_7fe6]
        );
    }

    #[test]
    fn a_stream_is_a_function_of_its_name() {
        let draw = |key, kind, number| {
            let mut stream = Stream::new(key, kind, number);
            [stream.draw(), stream.draw(), stream.draw(), stream.draw(), stream.draw()]
        };
        let one = draw([1, 0], StreamKind::Hook, 7);
        assert_eq!(one, draw([1, 0], StreamKind::Hook, 7));
        for other in [
            draw([1, 0], StreamKind::Hook, 8),
            draw([1, 1], StreamKind::Hook, 7),
            draw([2, 0], StreamKind::Hook, 7),
            draw([1, 0], StreamKind::Operation, 7),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn draws_below_a_bound_are_uniform_by_chi_square() {
        let mut stream = Stream::new([3, 4], StreamKind::Hook, 0);
        let mut counts = [0u64; 7];
        for _ in 0..700_000 {
            counts[stream.below(7) as usize] += 1;
        }
        let chi: f64 = counts.iter().map(|&count| (count as f64 - 1e5).powi(2) / 1e5).sum();
        assert!(chi < 22.5, "chi-square {chi} with 6 degrees of freedom; 22.5 is the 0.1 % point");
    }
}
