//! How often sequences failed, and what that says: an intermittent fault does not show in every try, and now and then a try fails without it.
//!
//! The tries of a sequence are weighed as in Wald's sequential test: [`RepeatRule::evidence`] is the logarithm of how many times more probable
//! they are if the sequence fails at a rate than if it fails at a quarter of it. Whole numbers only, so that every machine comes to the
//! same answer. docs/shrinking.md has the arithmetic.

use serde::{Deserialize, Serialize};

/// One in thousand millionths.
const ONE: u64 = 1_000_000_000;
/// What a fail says for a rate against a quarter of it: ln 4, in thousand millionths.
const OF_A_FAIL: i64 = 1_386_294_361;
/// A sequence fails for certain if that is 1,000 times more probable: ln 1,000, in thousand millionths.
const CERTAIN: i64 = 6_907_755_279;
/// A reduction is given up if it is 100 times more probable that it does not fail: -ln 100, in thousand millionths.
const GIVEN_UP: i64 = -4_605_170_186;
/// Fails that are expected of a reduction that is asked about, in tenths.
const WANTED_TENTHS: u64 = 20;
/// The most times that a sequence is asked about in a round before it has shown anything.
const MOST_AT_A_TIME: usize = 4;
/// The highest rate that is asked for, in thousand millionths.
const HIGHEST_RATE: u64 = ONE / 2;

/// How often a sequence was tried, and how often it failed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct TryCounts {
    /// Tries.
    pub tries: u64,
    /// Those that failed.
    pub fails: u64,
}

impl TryCounts {
    pub(crate) const fn add(&mut self, other: Self) {
        self.tries = self.tries.saturating_add(other.tries);
        self.fails = self.fails.saturating_add(other.fails);
    }
}

/// A rate of fails among tries, in thousand millionths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct FailRate(u64);

/// How often each sequence is tried when it is asked about, and how many of these tries must fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RepeatRule {
    /// Tries; at least 1.
    pub repeat: u64,
    /// Fails; at least 1, and at most `repeat`.
    pub fails_at_least: u64,
}

impl RepeatRule {
    /// Each sequence is tried once, and that is the answer.
    pub const ONCE: Self = Self { repeat: 1, fails_at_least: 1 };

    /// Whether answers are a matter of chance.
    pub(crate) const fn is_of_chance(self) -> bool {
        self.repeat > 1
    }

    /// The lowest rate at which a fault is looked for: a quarter of what the flags ask for.
    pub(crate) fn lowest_rate(self) -> FailRate {
        FailRate((self.fails_at_least * ONE / (4 * self.repeat)).clamp(1, HIGHEST_RATE))
    }

    /// The rate at which reductions of a sequence are looked for: half of its own, as far as that is known. Where two operations show a fault, one alone
    /// fails at least half as often.
    pub(crate) fn rate_of_reductions(self, best: TryCounts) -> FailRate {
        let TryCounts { tries, fails } = best;
        let half = (2 * u128::from(fails) + 1) * u128::from(ONE) / (4 * u128::from(tries) + 4);
        FailRate(u64::try_from(half).unwrap_or(ONE)).clamp(self.lowest_rate(), FailRate(HIGHEST_RATE))
    }

    /// How often one asks about a reduction at a time, so that it shows that it fails if it fails as often as its sequence: two fails are expected then.
    pub(crate) fn asks_at_a_time(self, best: TryCounts) -> usize {
        let TryCounts { tries, fails } = best;
        if !self.is_of_chance() || fails == 0 {
            return 1;
        }
        let wanted = u128::from(WANTED_TENTHS) * u128::from(tries);
        let asks = wanted.div_ceil(10 * u128::from(fails) * u128::from(self.repeat));
        usize::try_from(asks).unwrap_or(MOST_AT_A_TIME).min(MOST_AT_A_TIME)
    }

    const fn has_failed(self, counts: TryCounts) -> bool {
        counts.fails >= self.fails_at_least
    }

    /// Whether it may be that a sequence fails, and it has failed.
    pub(crate) fn seems_to_fail(self, counts: TryCounts, rate: FailRate) -> bool {
        self.has_failed(counts) && (!self.is_of_chance() || evidence(counts, rate) > 0)
    }

    /// Whether a sequence fails for certain.
    pub(crate) fn fails(self, counts: TryCounts, rate: FailRate) -> bool {
        self.has_failed(counts) && (!self.is_of_chance() || evidence(counts, rate) >= CERTAIN)
    }

    /// Whether nobody needs to ask about a sequence again, as it does not fail.
    pub(crate) fn passes(self, counts: TryCounts, rate: FailRate) -> bool {
        if self.is_of_chance() { evidence(counts, rate) <= GIVEN_UP } else { !self.has_failed(counts) }
    }

    /// How often one has to ask about a sequence until it passes for certain, if no further try fails.
    pub(crate) fn asks_until_it_passes(self, counts: TryCounts, rate: FailRate) -> usize {
        let left = evidence(counts, rate) - GIVEN_UP;
        let of_an_ask = of_a_pass(rate).saturating_mul(i64::try_from(self.repeat).unwrap_or(i64::MAX)).max(1);
        usize::try_from(left.max(0) / of_an_ask).unwrap_or(usize::MAX) + 1
    }
}

/// How many times more probable tries are at a rate than at a quarter of it: the natural logarithm in thousand millionths.
fn evidence(counts: TryCounts, rate: FailRate) -> i64 {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let (fails, passes) = (number(counts.fails), number(counts.tries.saturating_sub(counts.fails)));
    fails.saturating_mul(OF_A_FAIL).saturating_sub(passes.saturating_mul(of_a_pass(rate)))
}

/// What a pass says against a rate r: ln((1 - r/4) / (1 - r)), in thousand millionths. It is 2 artanh(z) with z = 3r / (8 - 5r).
fn of_a_pass(FailRate(rate): FailRate) -> i64 {
    let (one, rate) = (i128::from(ONE), i128::from(rate));
    let z = 3 * rate * one / (8 * one - 5 * rate);
    let square = z * z / one;
    let (mut power, mut sum) = (z, 0);
    for odd in [1, 3, 5, 7, 9] {
        sum += power / odd;
        power = power * square / one;
    }
    i64::try_from(2 * sum).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(fails: u64, tries: u64) -> TryCounts {
        TryCounts { tries, fails }
    }

    #[test]
    fn a_pass_says_what_the_logarithm_says() {
        for per_mille in [1, 12, 50, 150, 300, 500] {
            let r = per_mille as f64 / 1e3;
            let exact = ((1.0 - r / 4.0) / (1.0 - r)).ln() * 1e9;
            assert!((of_a_pass(FailRate(per_mille * ONE / 1000)) as f64 - exact).abs() < 1e4, "{per_mille} ‰: {exact}");
        }
    }

    #[test]
    fn five_fails_in_five_tries_are_certain_and_four_are_not() {
        let rule = RepeatRule { repeat: 5, fails_at_least: 1 };
        let rate = rule.lowest_rate();
        assert_eq!(rate, FailRate(50_000_000));
        assert!(rule.fails(counts(5, 5), rate));
        assert!(!rule.fails(counts(4, 4), rate));
        assert!(rule.seems_to_fail(counts(1, 5), rate));
        assert!(!rule.seems_to_fail(counts(0, 5), rate));
    }

    #[test]
    fn a_reduction_is_given_up_after_the_more_tries_the_less_often_the_best_fails() {
        let rule = RepeatRule { repeat: 5, fails_at_least: 1 };
        let asks = |fails, tries| {
            let rate = rule.rate_of_reductions(counts(fails, tries));
            let asks = rule.asks_until_it_passes(TryCounts::default(), rate) as u64;
            assert!(rule.passes(counts(0, 5 * asks), rate));
            assert!(!rule.passes(counts(0, 5 * (asks - 1)), rate));
            asks
        };
        assert_eq!([asks(50, 50), asks(25, 50), asks(15, 50), asks(6, 50)], [2, 5, 8, 19]);
    }

    #[test]
    fn one_try_is_the_answer_where_there_is_but_one() {
        let rule = RepeatRule::ONCE;
        let rate = rule.lowest_rate();
        assert!(rule.fails(counts(1, 1), rate) && !rule.passes(counts(1, 1), rate));
        assert!(!rule.fails(counts(0, 1), rate) && rule.passes(counts(0, 1), rate));
    }

    #[test]
    fn as_many_tries_as_can_be_counted_are_weighed_too() {
        let rule = RepeatRule { repeat: 1_000_000, fails_at_least: 1 };
        assert!(rule.passes(counts(0, u64::MAX), rule.lowest_rate()));
        assert!(rule.fails(counts(u64::MAX, u64::MAX), rule.lowest_rate()));
    }
}
