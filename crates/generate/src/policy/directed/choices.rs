//! A weighted draw among names. The names with an uncovered bin are wished for: together they weigh as much as all names.

use nandseq_profile::OpId;

use crate::random::Stream;
use crate::setup::{ClassId, Distribution};

/// The floor of a name is its weight shifted right by this many bits.
const FLOOR: u32 = 10;

/// What a choice proposes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Proposed {
    Nothing,
    Name(OpId, ClassId),
    /// A name of a class, by weight. None of them has an uncovered bin.
    SomeOf(ClassId),
}

/// A choice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) proposed: Proposed,
    /// The least weight of the choice, in the units of distributions.
    floor: u64,
    /// Its share of the weight of all wishes; 0: it is not wished for.
    pub(super) wish: u64,
}

/// The choices of a proposal. They are kept, so that drawing allocates nothing.
#[derive(Clone, Default, Debug)]
pub(super) struct WeightedChoices {
    choices: Vec<Choice>,
    /// The sum of the own weights of all names.
    mass: u64,
    /// Whether names that are not wished for have a floor.
    has_floors: bool,
    /// By how many bits floors are less than own weights.
    floor_bits: u32,
    /// The weight with which each choice is drawn.
    weights: Vec<u64>,
}

impl WeightedChoices {
    /// Removes all choices. `has_floors`: whether names that are not wished for may be drawn.
    pub(super) fn clear(&mut self, has_floors: bool) {
        self.choices.clear();
        (self.mass, self.has_floors, self.floor_bits) = (0, has_floors, FLOOR);
    }

    fn floor(&self, weight: u64) -> u64 {
        if self.has_floors { (weight >> self.floor_bits).max(1) } else { 0 }
    }

    /// Adds a name with its own weight. Names are added in the order of classes.
    pub(super) fn put(&mut self, (op, class): (OpId, ClassId), weight: u64, wish: u64) {
        self.choices.push(Choice { proposed: Proposed::Name(op, class), floor: self.floor(weight), wish });
        self.mass += weight;
    }

    /// Adds a class without wishes, with the sum of the own weights of its names.
    pub(super) fn put_class(&mut self, class: ClassId, weight: u64) {
        if self.has_floors {
            self.choices.push(Choice { proposed: Proposed::SomeOf(class), floor: self.floor(weight), wish: 0 });
        }
        self.mass += weight;
    }

    /// Adds the choice to propose nothing.
    pub(super) fn put_nothing(&mut self, floor: u64, wish: u64) {
        self.choices.push(Choice { proposed: Proposed::Nothing, floor, wish });
    }

    /// The sum of the own weights of the names that were added.
    pub(super) const fn mass(&self) -> u64 {
        self.mass
    }

    /// Makes every name's own weight its floor; the choices are in the order of classes, each class with all its names.
    pub(super) fn restore_weights(&mut self, distribution: &Distribution) {
        self.floor_bits = 0;
        let class_of = |choice: &Choice| match choice.proposed {
            Proposed::Nothing => None,
            Proposed::Name(_, class) | Proposed::SomeOf(class) => Some(class),
        };
        for choices in self.choices.chunk_by_mut(|a, b| class_of(a) == class_of(b)) {
            let Some(class) = class_of(&choices[0]) else { continue };
            if let [Choice { proposed: Proposed::SomeOf(_), floor, .. }] = choices {
                *floor = distribution.mass(class);
                continue;
            }
            for (choice, &(_, weight)) in choices.iter_mut().zip(distribution.names_of(class)) {
                choice.floor = weight;
            }
        }
    }

    /// Draws a choice that was not drawn before, never a whole class. All wishes together weigh as much as all names.
    pub(super) fn draw(&mut self, distribution: &Distribution, stream: &mut Stream) -> Option<Choice> {
        self.weigh();
        let mut drawn = stream.pick(self.weights.iter().copied().enumerate())?;
        if let Proposed::SomeOf(class) = self.choices[drawn].proposed {
            // From now on each of its names is a choice of its own.
            self.choices[drawn].floor = 0;
            let first = self.choices.len();
            for &(op, weight) in distribution.names_of(class) {
                self.choices.push(Choice { proposed: Proposed::Name(op, class), floor: self.floor(weight), wish: 0 });
            }
            let names = self.choices.iter().enumerate().skip(first);
            drawn = stream.pick(names.map(|(at, choice)| (at, choice.floor)))?;
        }
        let choice = &mut self.choices[drawn];
        let found = *choice;
        (choice.floor, choice.wish) = (0, 0);
        Some(found)
    }

    /// Finds the weights of all choices.
    fn weigh(&mut self) {
        let wishes: u64 = self.choices.iter().map(|choice| choice.wish).sum();
        let mass = self.mass.max(1);
        let share = |wish: u64| match mass.checked_mul(wish) {
            Some(product) => product / wishes,
            None => (u128::from(mass) * u128::from(wish) / u128::from(wishes)) as u64,
        };
        // Most wishes are equal to the one before.
        let mut last = (0, 0);
        let weights = self.choices.iter().map(|choice| {
            if choice.wish == 0 {
                return choice.floor;
            }
            if choice.wish != last.0 {
                last = (choice.wish, share(choice.wish).max(1));
            }
            choice.floor.max(last.1)
        });
        self.weights.clear();
        self.weights.extend(weights);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nandseq_profile::{PhaseKey, builtin};

    use super::*;
    use crate::probability::{DEFAULT_TABLE_SEED, of_profile};
    use crate::random::StreamKind;
    use crate::setup::Setup;

    /// The classes of a distribution, with their weights.
    fn classes(setup: &Setup, distribution: &Distribution) -> Vec<(ClassId, u64)> {
        let all = distribution.names().iter().map(|&(op, _)| setup.classes.of(setup.tables.op(op)));
        let mut all: Vec<ClassId> = all.collect();
        all.dedup();
        all.into_iter().map(|class| (class, distribution.mass(class))).collect()
    }

    #[test]
    fn names_of_whole_classes_come_by_their_own_weights_and_each_once() {
        let profile = builtin::profile();
        let setup = Setup::new(&profile, &of_profile(&profile, DEFAULT_TABLE_SEED), &[]).expect("something to propose");
        let distribution = setup.distribution(PhaseKey::DEFAULT);
        let mut choices = WeightedChoices::default();
        let mut fill = |restored: bool| {
            choices.clear(true);
            for (at, (class, weight)) in classes(&setup, distribution).into_iter().enumerate() {
                // Whole classes and names by themselves, in turn.
                if at % 2 == 0 {
                    choices.put_class(class, weight);
                } else {
                    distribution.names_of(class).iter().for_each(|&(op, weight)| choices.put((op, class), weight, 0));
                }
            }
            if restored {
                choices.restore_weights(distribution);
            }
            choices.clone()
        };
        for restored in [false, true] {
            const DRAWS: u64 = 40_000;
            let full = fill(restored);
            let mut counts: BTreeMap<OpId, u64> = BTreeMap::new();
            for number in 0..DRAWS {
                let mut stream = Stream::new([7, 7], StreamKind::Trial, number);
                let drawn = full.clone().draw(distribution, &mut stream).expect("there are names");
                let Proposed::Name(op, _) = drawn.proposed else { panic!("a whole class was drawn") };
                *counts.entry(op).or_default() += 1;
            }
            for &(op, weight) in distribution.names() {
                let expected = ((u128::from(DRAWS) * u128::from(weight)) >> 44) as f64;
                let off = counts.get(&op).map_or(0.0, |&count| count as f64) - expected;
                assert!(off * off <= 30.0 * (expected + 1.0), "{op:?}: {expected} expected, {off} off, {restored}");
            }
        }
        let mut choices = fill(false);
        let mut stream = Stream::new([7, 8], StreamKind::Trial, 0);
        let mut drawn: Vec<OpId> = Vec::new();
        while let Some(Choice { proposed: Proposed::Name(op, _), .. }) = choices.draw(distribution, &mut stream) {
            drawn.push(op);
        }
        drawn.sort_unstable();
        let mut all: Vec<OpId> = distribution.names().iter().map(|&(op, _)| op).collect();
        all.sort_unstable();
        assert_eq!(drawn, all);
    }
}
