//! All results of a draw with their exact probabilities: every value of the caller's randomness is tried.

use std::collections::BTreeMap;

/// The answers of a source of randomness, walked through like an odometer.
#[derive(Debug)]
pub(crate) struct Source {
    /// Value and bound of each answer that is varied.
    answers: Vec<(u64, u64)>,
    at: usize,
    /// How many answers are varied; later ones are 0.
    varied: usize,
}

impl Source {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a draw below nothing");
        self.at += 1;
        if self.at > self.varied {
            return 0;
        }
        if self.answers.len() < self.at {
            self.answers.push((0, bound));
        }
        let (value, known) = self.answers[self.at - 1];
        assert_eq!(known, bound, "the same answers lead to the same questions");
        value
    }

    /// Whether more was asked than is varied.
    fn overdrawn(&self) -> bool {
        self.at > self.varied
    }

    fn probability(&self) -> f64 {
        self.answers.iter().map(|&(_, bound)| 1.0 / bound as f64).product()
    }

    /// Moves on to the next sequence of answers; false after the last.
    fn advance(&mut self) -> bool {
        while let Some((value, bound)) = self.answers.pop() {
            if value + 1 < bound {
                self.answers.push((value + 1, bound));
                return true;
            }
        }
        false
    }
}

/// Which answers count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Redraws {
    /// All.
    Count,
    /// Those after more questions than are varied do not: they are redraws, and the rest is scaled up.
    Discard,
}

/// The distribution of `draw` over the first `varied` answers.
pub(crate) fn outcomes<T: Ord>(
    varied: usize,
    redraws: Redraws,
    draw: impl Fn(&mut Source) -> Option<T>,
) -> BTreeMap<T, f64> {
    let mut source = Source { answers: Vec::new(), at: 0, varied };
    let mut found = BTreeMap::new();
    let mut kept = 0.0;
    loop {
        source.at = 0;
        let drawn = draw(&mut source);
        if redraws == Redraws::Count || !source.overdrawn() {
            kept += source.probability();
            if let Some(drawn) = drawn {
                *found.entry(drawn).or_insert(0.0) += source.probability();
            }
        }
        if !source.advance() {
            break;
        }
    }
    found.values_mut().for_each(|probability| *probability /= kept);
    found
}

/// Whether both distributions are the same up to rounding.
pub(crate) fn alike<T: Ord>(one: &BTreeMap<T, f64>, other: &BTreeMap<T, f64>) -> bool {
    one.len() == other.len() && one.iter().all(|(key, p)| other.get(key).is_some_and(|q| (p - q).abs() < 1e-9))
}

/// The same probability for each.
pub(crate) fn evenly<T: Ord>(all: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>) -> BTreeMap<T, f64> {
    let all = all.into_iter();
    let share = 1.0 / all.len() as f64;
    all.map(|one| (one, share)).collect()
}
