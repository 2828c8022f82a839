//! The generators of random numbers: Philox, which is counter-based.
//!
//! Source: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11. For each key it is a
//! bijection of counters, so streams with different counters or keys never share a block by construction. Known answers of the
//! authors are tests below.
//!
//! What a run draws comes from Philox2x64 with 7 rounds: one more than the fewest that pass BigCrush. A block costs a third of what one of
//! Philox4x64 costs, and most hooks need one number. The weights of built tables come from Philox4x64 with 10 rounds.
//!
//! This crate maps numbers to ranges itself, so that the same seed gives the same bytes with any version of any library.

/// 2⁶⁴/φ and 2⁶⁴(√3 − 1): what a key grows by each round.
const WEYL: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xBB67_AE85_84CA_A73B];

/// A block of two numbers.
#[inline]
const fn block_of_two(mut key: u64, counter: [u64; 2]) -> [u64; 2] {
    let [mut left, mut right] = counter;
    let mut round = 0;
    while round < 7 {
        let product = 0xD2B7_4407_B1CE_6E93 * left as u128;
        left = (product >> 64) as u64 ^ key ^ right;
        right = product as u64;
        key = key.wrapping_add(WEYL[0]);
        round += 1;
    }
    [left, right]
}

/// A block of two numbers and the one after it.
#[inline]
const fn two_blocks(key: u64, [low, high]: [u64; 2]) -> [u64; 4] {
    let ([a, b], [c, d]) = (block_of_two(key, [low, high]), block_of_two(key, [low + 1, high]));
    [a, b, c, d]
}

/// The same for the draws of a stream: these are many, and each is small without it.
#[inline(never)]
const fn next_two_blocks(key: u64, counter: [u64; 2]) -> [u64; 4] {
    two_blocks(key, counter)
}

/// A block of four numbers.
fn block_of_four(mut key: [u64; 2], counter: [u64; 4]) -> [u64; 4] {
    let mut state = counter;
    for _ in 0..10 {
        let first = 0xD2E7_470E_E14C_6C93 * u128::from(state[0]);
        let second = 0xCA5A_8263_9512_1157 * u128::from(state[2]);
        state = [
            (second >> 64) as u64 ^ state[1] ^ key[0],
            second as u64,
            (first >> 64) as u64 ^ state[3] ^ key[1],
            first as u64,
        ];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    state
}

/// Uniform random numbers, and what is drawn with them.
pub trait RandomNumbers {
    /// The next number, uniform over all of `u64`.
    fn draw(&mut self) -> u64;

    /// A number uniform in `0..bound` (`bound` > 0), by multiplication with rejection (Lemire 2019): exactly uniform.
    #[inline]
    fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.draw()) * u128::from(bound);
        if (product as u64) < bound { self.below_after(product, bound) } else { (product >> 64) as u64 }
    }

    /// The end of a draw below a bound whose first product may have to be rejected: one draw in 2⁶⁴ ÷ `bound`.
    #[cold]
    #[inline(never)]
    fn below_after(&mut self, mut product: u128, bound: u64) -> u64 {
        let threshold = bound.wrapping_neg() % bound;
        while (product as u64) < threshold {
            product = u128::from(self.draw()) * u128::from(bound);
        }
        (product >> 64) as u64
    }

    /// A number uniform in (0, 1], a multiple of 2⁻⁵³.
    fn unit(&mut self) -> f64 {
        ((self.draw() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }
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
    /// Plans that are only tried, numbered by the try: see [`crate::dead`].
    Trial,
    /// What attempts at scenarios draw, numbered within the run.
    Scenario,
}

/// How many bits of a counter tell the blocks of one stream apart, and how many the streams of one kind.
const BLOCK_BITS: u32 = 20;
const NUMBER_BITS: u32 = 40;

/// A stream of random numbers of a run.
///
/// The key of its blocks is the run's seed; the counter is the run's index, and in one word the stream's kind (4 bits), its number (40) and
/// the block (20). So no two streams of any runs share a block.
#[derive(Clone, Debug)]
pub struct Stream {
    key: u64,
    counter: [u64; 2],
    /// The numbers of the last two blocks, and how many of them were drawn.
    numbers: [u64; 4],
    drawn: usize,
}

impl Stream {
    /// The stream of a kind and number (below 2⁴⁰) of the run with this seed and index.
    #[must_use]
    pub const fn new([seed, run]: [u64; 2], kind: StreamKind, number: u64) -> Self {
        debug_assert!(number < 1 << NUMBER_BITS);
        let kind = match kind {
            StreamKind::Hook => 0,
            StreamKind::Operation => 1,
            StreamKind::Resume => 2,
            StreamKind::Trial => 3,
            StreamKind::Scenario => 4,
        };
        let counter = [kind << (NUMBER_BITS + BLOCK_BITS) | number << BLOCK_BITS, run];
        Self { key: seed, counter, numbers: [0; 4], drawn: 4 }
    }

    /// The same stream, of which nothing was drawn, with its first block made.
    #[inline]
    #[must_use]
    pub const fn begun(self) -> Self {
        let ([low, high], [first, second]) = (self.counter, block_of_two(self.key, self.counter));
        Self { counter: [low + 1, high], numbers: [0, 0, first, second], drawn: 2, ..self }
    }

    /// The first number of a stream that has begun, and of which nothing was drawn; it is still to be drawn.
    #[inline]
    pub(crate) const fn first(&self) -> u64 {
        self.numbers[2]
    }

    /// Four numbers, each below its bound, of a stream of which nothing was drawn.
    #[inline]
    pub(crate) fn four_below(&mut self, bounds: [u64; 4]) -> [u64; 4] {
        debug_assert_eq!(self.drawn, 4, "a block begins");
        let [low, high] = self.counter;
        let numbers = two_blocks(self.key, [low, high]);
        let products: [u128; 4] = std::array::from_fn(|at| u128::from(numbers[at]) * u128::from(bounds[at]));
        let may_be_rejected = |at: usize| (products[at] as u64) < bounds[at];
        if may_be_rejected(0) | may_be_rejected(1) | may_be_rejected(2) | may_be_rejected(3) {
            return self.four_one_by_one(bounds);
        }
        self.counter[0] = low + 2;
        products.map(|product| (product >> 64) as u64)
    }

    #[cold]
    #[inline(never)]
    fn four_one_by_one(&mut self, bounds: [u64; 4]) -> [u64; 4] {
        bounds.map(|bound| self.below(bound))
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
}

impl RandomNumbers for Stream {
    #[inline]
    fn draw(&mut self) -> u64 {
        // Two blocks at once: it is asked half as often whether one is needed.
        if self.drawn == 4 {
            self.numbers = next_two_blocks(self.key, self.counter);
            self.counter[0] += 2;
            self.drawn = 0;
        }
        self.drawn += 1;
        self.numbers[(self.drawn - 1) % 4]
    }
}

/// The stream of random numbers of which a built table's weights are made: its values belong to the table's seed for ever.
#[derive(Clone, Debug)]
pub struct TableStream {
    key: [u64; 2],
    counter: [u64; 4],
    block: [u64; 4],
    used: usize,
}

impl TableStream {
    /// The stream of a number, such as that of a phase key, under a key.
    #[must_use]
    pub const fn new(key: [u64; 2], number: u64) -> Self {
        Self { key, counter: [0, number, 2, 0], block: [0; 4], used: 4 }
    }
}

impl RandomNumbers for TableStream {
    fn draw(&mut self) -> u64 {
        if self.used == 4 {
            self.block = block_of_four(self.key, self.counter);
            self.counter[0] += 1;
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_numbers_at_once_are_those_that_come_one_by_one() {
        // Below the last bounds one number in two or four is rejected.
        for bounds in [[1, 7, 4, 1000], [3, 1, 1 << 40, u64::MAX], [1 << 63 | 1, 5, 3 << 62, 9]] {
            for number in 0..200 {
                let mut streams = [(); 2].map(|()| Stream::new([3, 4], StreamKind::Operation, number));
                assert_eq!(streams[0].four_below(bounds), bounds.map(|bound| streams[1].below(bound)));
                assert_eq!(streams[0].draw(), streams[1].draw());
            }
        }
    }

    #[test]
    fn blocks_equal_the_authors_known_answers() {
        assert_eq!(block_of_two(0, [0; 2]), [0xb41d_a69f_bfef_c666, 0x511e_9ce1_a553_4056]);
        assert_eq!(block_of_two(u64::MAX, [u64::MAX; 2]), [0xa469_6cc0_4462_015d, 0x7247_82da_e171_69e9]);
        assert_eq!(
            block_of_two(0xa409_3822_299f_31d0, [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344]),
            [0x98ed_1534_392b_f372, 0x6752_8b15_6888_2fd5]
        );
        assert_eq!(
            block_of_four([0; 2], [0; 4]),
            [0x1655_4d9e_ca36_314c, 0xdb20_fe9d_672d_0fdc, 0xd7e7_72ce_e186_176b, 0x7e68_b68a_ec7b_a23b]
        );
        assert_eq!(
            block_of_four([u64::MAX; 2], [u64::MAX; 4]),
            [0x87b0_92c3_013f_e90b, 0x438c_3c67_be8d_0224, 0x9cc7_d7c6_9cd7_77b6, 0xa09c_aebf_594f_0ba0]
        );
        assert_eq!(
            block_of_four(
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
            draw([1, 0], StreamKind::Resume, 7),
            draw([1, 0], StreamKind::Trial, 7),
            draw([1, 0], StreamKind::Scenario, 7),
        ] {
            assert!(one.iter().all(|number| !other.contains(number)));
        }
    }

    #[test]
    fn a_stream_that_has_begun_draws_what_it_would_have_drawn() {
        for number in [0, 7] {
            let mut stream = Stream::new([5, 6], StreamKind::Hook, number);
            let mut begun = stream.clone().begun();
            assert_eq!(begun.first(), stream.clone().draw());
            for _ in 0..5 {
                assert_eq!(begun.draw(), stream.draw());
            }
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

    /// The first numbers of neighbouring streams are what most hooks are decided by.
    #[test]
    fn first_draws_of_neighbouring_streams_are_uniform_by_chi_square() {
        for key in [[1000, 0], [1000, 1], [1001, 0]] {
            let mut counts = [[0u64; 16]; 16];
            let mut last = 0;
            for number in 0..256_000 {
                let first = Stream::new(key, StreamKind::Hook, number).below(16) as usize;
                counts[last][first] += 1;
                last = first;
            }
            let chi: f64 = counts.iter().flatten().map(|&count| (count as f64 - 1e3).powi(2) / 1e3).sum();
            assert!(chi < 330.6, "chi-square {chi} of pairs with 255 degrees of freedom; 330.6 is the 0.1 % point");
        }
    }
}
