//! Scores of suspects, and how sure they are.
//!
//! Floating-point numbers only order and show what was counted; they are rounded before they are compared or written.

use serde::Serialize;

nandseq_profile::named! {
    /// How suspects are scored. With `ef` and `ep` the failing and passing units that have a feature, `nf` and `np` those that do
    /// not:
    #[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
    #[serde(rename_all = "lowercase")]
    pub enum Metric {
        /// `ef ÷ √((ef + nf)(ef + ep))`
        #[default]
        Ochiai = "ochiai",
        /// `ef² ÷ (ep + nf)`; the divisor is at least 1.
        Dstar = "dstar",
        /// `ef ÷ (ef + nf)`, divided by itself plus `ep ÷ (ep + np)`
        Tarantula = "tarantula",
    }
    /// All of them.
    pub const ALL;
    /// Its name.
    pub const fn name;
}

/// Units that were counted: operations, or runs.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct UnitCount {
    /// Those that fail.
    pub fails: u64,
    /// All of them.
    pub all: u64,
}

impl UnitCount {
    /// Adds a unit.
    pub fn add(&mut self, fails: bool) {
        self.fails += u64::from(fails);
        self.all += 1;
    }

    /// Both together.
    pub(crate) const fn with(self, other: Self) -> Self {
        Self { fails: self.fails + other.fails, all: self.all + other.all }
    }

    /// Whether a part of it is most of it: nine of ten of all, and of those that fail.
    pub(crate) const fn is_about(self, part: Self) -> bool {
        part.fails * 10 >= self.fails * 9 && part.all * 10 >= self.all * 9
    }

    /// The units of this that are not in a part of it.
    pub(crate) const fn without(self, part: Self) -> Self {
        Self { fails: self.fails.saturating_sub(part.fails), all: self.all.saturating_sub(part.all) }
    }

    /// The logarithm of the likelihood that its fails have a rate of their own.
    fn likelihood(self) -> f64 {
        let (fails, all) = (self.fails as f64, self.all as f64);
        let term = |count: f64| if count > 0.0 { count * (count / all).ln() } else { 0.0 };
        term(fails) + term(all - fails)
    }

    /// How much more likely the fails are if a part has a rate of its own than with one rate, as a logarithm; 0 unless the rate of the part is
    /// the greater one. By Chernoff's bound, chance alone exceeds `x` with a probability of at most about `e^−x`.
    pub(crate) fn gain(self, part: Self) -> f64 {
        let rest = self.without(part);
        let is_more = u128::from(part.fails) * u128::from(rest.all) > u128::from(rest.fails) * u128::from(part.all);
        if part.all == 0 || rest.all == 0 || !is_more {
            return 0.0;
        }
        rounded(part.likelihood() + rest.likelihood() - self.likelihood())
    }
}

impl Metric {
    /// The score of a part of all units, rounded to nine decimals.
    #[must_use]
    pub fn score(self, part: UnitCount, whole: UnitCount) -> f64 {
        let [ef, ep] = [part.fails, part.all.saturating_sub(part.fails)].map(|count| count as f64);
        let [fails, passes] = [whole.fails, whole.all.saturating_sub(whole.fails)].map(|count| count as f64);
        rounded(self.of(ef, ep, fails, passes))
    }

    /// The score of counts that may be weighted.
    pub(crate) fn of(self, ef: f64, ep: f64, fails: f64, passes: f64) -> f64 {
        let quotient = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        match self {
            Self::Ochiai => quotient(ef, (fails * (ef + ep)).sqrt()),
            Self::Dstar => ef * ef / (ep + fails - ef).max(1.0),
            Self::Tarantula => {
                let (failing, passing) = (quotient(ef, fails), quotient(ep, passes));
                quotient(failing, failing + passing)
            }
        }
    }
}

/// Rounds to nine decimals.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

/// The probability that at least `hits` of `tries` fall into a share of all, by chance: the tail of the binomial distribution.
pub(crate) fn chance(hits: u64, tries: u64, share: f64) -> f64 {
    if hits == 0 || share >= 1.0 {
        return 1.0;
    }
    if share <= 0.0 {
        return 0.0;
    }
    // The logarithm of the number of choices grows step by step; terms beyond the peak are what counts.
    let (mut choices, mut tail) = (0.0f64, 0.0f64);
    for count in 1..=tries {
        choices += ((tries - count + 1) as f64 / count as f64).ln();
        if count >= hits {
            tail += (choices + count as f64 * share.ln() + (tries - count) as f64 * (1.0 - share).ln()).exp();
        }
    }
    tail.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: UnitCount = UnitCount { fails: 20, all: 1_000 };

    #[test]
    fn scores_are_those_of_their_formulas() {
        let part = UnitCount { fails: 15, all: 60 };
        assert_eq!(Metric::Ochiai.score(part, WHOLE), 0.433_012_702);
        assert_eq!(Metric::Dstar.score(part, WHOLE), 4.5);
        assert_eq!(Metric::Tarantula.score(part, WHOLE), rounded(0.75 / (0.75 + 45.0 / 980.0)));
        let perfect = UnitCount { fails: 20, all: 20 };
        assert_eq!(Metric::ALL.map(|metric| metric.score(perfect, WHOLE)), [1.0, 400.0, 1.0]);
        assert_eq!(Metric::ALL.map(|metric| metric.score(UnitCount::default(), WHOLE)), [0.0; 3]);
    }

    /// Of 6 fails among 16: one part fails always but misses four fails, one has all of them and four passes, one has five and one pass.
    #[test]
    fn measures_rank_differently_as_computed_by_hand() {
        let whole = UnitCount { fails: 6, all: 16 };
        let parts = [(2, 2), (6, 10), (5, 6)].map(|(fails, all)| UnitCount { fails, all });
        let scores = |metric: Metric| parts.map(|part| metric.score(part, whole));
        // 2 ÷ √(6 · 2), 6 ÷ √(6 · 10), 5 ÷ √(6 · 6)
        assert_eq!(scores(Metric::Ochiai), [0.577_350_269, 0.774_596_669, 0.833_333_333]);
        // 4 ÷ (0 + 4), 36 ÷ (4 + 0), 25 ÷ (1 + 1)
        assert_eq!(scores(Metric::Dstar), [1.0, 9.0, 12.5]);
        // ⅓ ÷ (⅓ + 0), 1 ÷ (1 + 4/10), ⅚ ÷ (⅚ + 1/10)
        assert_eq!(scores(Metric::Tarantula), [1.0, 0.714_285_714, 0.892_857_143]);
    }

    #[test]
    fn a_part_with_the_rate_of_the_whole_gains_nothing() {
        assert_eq!(WHOLE.gain(UnitCount { fails: 2, all: 100 }), 0.0);
        assert_eq!(WHOLE.gain(UnitCount { fails: 1, all: 100 }), 0.0);
        assert!(WHOLE.gain(UnitCount { fails: 3, all: 100 }) > 0.0);
        assert!(WHOLE.gain(UnitCount { fails: 20, all: 20 }) > 90.0);
    }

    #[test]
    fn a_part_is_about_the_whole_from_nine_of_ten_on() {
        let about = |fails: u64, all: u64| WHOLE.is_about(UnitCount { fails, all });
        assert!(about(18, 900) && about(20, 1_000));
        assert!(!about(17, 900) && !about(18, 899));
    }

    #[test]
    fn the_chance_is_the_tail_of_the_binomial_distribution() {
        assert_eq!(chance(0, 10, 0.5), 1.0);
        assert!((chance(10, 10, 0.5) - 1.0 / 1024.0).abs() < 1e-12);
        assert!((chance(9, 10, 0.5) - 11.0 / 1024.0).abs() < 1e-12);
        assert!((chance(1, 3, 0.25) - (1.0 - 0.75f64.powi(3))).abs() < 1e-12);
    }
}
