//! The axes of suspension, and values by axis.

use std::ops::{Index, IndexMut};

use serde::{Deserialize, Serialize};

/// An axis of suspension: erase or program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Axis {
    /// Suspend and resume of erases.
    Erase,
    /// Suspend and resume of programs.
    Program,
}

impl Axis {
    /// Both axes, in the order of [`ByAxis`].
    pub const ALL: [Self; 2] = [Self::Erase, Self::Program];
}

/// A value for each axis. It is serialised as a list of two, erase first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ByAxis<T>([T; 2]);

impl<T> ByAxis<T> {
    /// The value that `of` gives for each axis.
    pub fn new(of: impl FnMut(Axis) -> T) -> Self {
        Self(Axis::ALL.map(of))
    }

    /// Both values, with their axes.
    pub fn iter(&self) -> impl Iterator<Item = (Axis, &T)> {
        Axis::ALL.into_iter().zip(&self.0)
    }

    /// Both values.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// Both values, mutable.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut()
    }
}

impl<T> Index<Axis> for ByAxis<T> {
    type Output = T;

    fn index(&self, axis: Axis) -> &T {
        let [erase, program] = &self.0;
        match axis {
            Axis::Erase => erase,
            Axis::Program => program,
        }
    }
}

impl<T> IndexMut<Axis> for ByAxis<T> {
    fn index_mut(&mut self, axis: Axis) -> &mut T {
        let [erase, program] = &mut self.0;
        match axis {
            Axis::Erase => erase,
            Axis::Program => program,
        }
    }
}
