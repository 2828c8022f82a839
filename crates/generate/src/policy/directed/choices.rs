//! Drawing among names of which some are wished for: wishes together weigh as much as all names.

use nandseq_profile::OpId;

use crate::random::Stream;
use crate::setup::{ClassId, Distribution};

/// A name that may be drawn, or nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) name: Option<(OpId, ClassId)>,
    /// Its weight at least, in the units of distributions.
    pub(super) floor: u64,
    /// Its share of what all wishes weigh together.
    pub(super) wish: u64,
}

/// The choices of a proposal. Kept, so that drawing allocates nothing.
#[derive(Clone, Default, Debug)]
pub(super) struct WeightedChoices {
    choices: Vec<Choice>,
    /// What all eligible names weigh together.
    mass: u64,
}

impl WeightedChoices {
    /// Starts again.
    pub(super) fn clear(&mut self) {
        self.choices.clear();
        self.mass = 0;
    }

    /// Puts a name in, with its own weight; names are put in by class.
    pub(super) fn put(&mut self, choice: Choice, weight: u64) {
        self.choices.push(choice);
        self.mass += weight;
    }

    /// Puts in that nothing is drawn.
    pub(super) fn put_nothing(&mut self, floor: u64, wish: u64) {
        self.choices.push(Choice { name: None, floor, wish });
    }

    /// What the names that were put in weigh together.
    pub(super) const fn mass(&self) -> u64 {
        self.mass
    }

    /// What may be drawn, with its weight.
    #[cfg(test)]
    pub(super) fn weights(&self) -> impl Iterator<Item = (OpId, u64)> + '_ {
        let name = |choice: &Choice| Some((choice.name?.0, choice.floor.max(choice.wish)));
        self.choices.iter().filter_map(name)
    }

    /// Gives every name its own weight again; the choices are in the order of classes, each with all its names.
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

    /// Draws and takes out; wishes together weigh as much as all names.
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
