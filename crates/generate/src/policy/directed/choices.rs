//! A weighted draw among names. The names with an uncovered bin are wished for: together they weigh as much as all names.

use nandseq_profile::OpId;

use crate::random::Stream;
use crate::setup::{ClassId, Distribution};

/// A name that may be drawn, or the choice to propose nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    /// `None`: nothing is proposed.
    pub(super) name: Option<(OpId, ClassId)>,
    /// The least weight of the choice, in the units of distributions.
    pub(super) floor: u64,
    /// Its share of the weight of all wishes; 0: it is not wished for.
    pub(super) wish: u64,
}

/// The choices of a proposal. They are kept, so that drawing allocates nothing.
#[derive(Clone, Default, Debug)]
pub(super) struct WeightedChoices {
    choices: Vec<Choice>,
    /// The sum of the own weights of all names.
    mass: u64,
}

impl WeightedChoices {
    /// Removes all choices.
    pub(super) fn clear(&mut self) {
        self.choices.clear();
        self.mass = 0;
    }

    /// Adds a name with its own weight. Names are added in the order of classes.
    pub(super) fn put(&mut self, choice: Choice, weight: u64) {
        self.choices.push(choice);
        self.mass += weight;
    }

    /// Adds the choice to propose nothing.
    pub(super) fn put_nothing(&mut self, floor: u64, wish: u64) {
        self.choices.push(Choice { name: None, floor, wish });
    }

    /// The sum of the own weights of the names that were added.
    pub(super) const fn mass(&self) -> u64 {
        self.mass
    }

    /// The names that may be drawn, with the larger of floor and wish.
    #[cfg(test)]
    pub(super) fn weights(&self) -> impl Iterator<Item = (OpId, u64)> + '_ {
        let name = |choice: &Choice| Some((choice.name?.0, choice.floor.max(choice.wish)));
        self.choices.iter().filter_map(name)
    }

    /// Makes every name's own weight its floor; the choices are in the order of classes, each class with all its names.
    pub(super) fn restore_weights(&mut self, distribution: &Distribution) {
        for choices in
            self.choices.chunk_by_mut(|a, b| a.name.map(|(_, class)| class) == b.name.map(|(_, class)| class))
        {
            let Some((_, class)) = choices[0].name else { continue };
            for (choice, &(_, weight)) in choices.iter_mut().zip(distribution.names_of(class)) {
                choice.floor = weight;
            }
        }
    }

    /// Draws a choice and removes it. All wishes together weigh as much as all names.
    pub(super) fn draw(&mut self, stream: &mut Stream) -> Option<Choice> {
        let wishes: u128 = self.choices.iter().map(|choice| u128::from(choice.wish)).sum();
        let mass = u128::from(self.mass.max(1));
        let weight = |choice: &Choice| match choice.wish {
            0 => choice.floor,
            wish => choice.floor.max((mass * u128::from(wish) / wishes).max(1) as u64),
        };
        let drawn = stream.pick(self.choices.iter().map(weight).enumerate())?;
        Some(self.choices.swap_remove(drawn))
    }
}
