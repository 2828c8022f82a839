//! A value for each axis of suspension.

use std::ops::{Index, IndexMut};

use nandseq_profile::model::Axis;
use serde::{Deserialize, Serialize};

/// Both axes, in the order of [`ByAxis`].
pub(crate) const AXES: [Axis; 2] = [Axis::Erase, Axis::Program];

/// A value for the erase axis and one for the program axis; as data an array in this order.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ByAxis<T>(pub(crate) [T; 2]);

impl<T> ByAxis<T> {
    /// The values of a function of the axis.
    pub(crate) fn of(value: impl FnMut(Axis) -> T) -> Self {
        Self(AXES.map(value))
    }
}

impl<T> Index<Axis> for ByAxis<T> {
    type Output = T;

    #[inline]
    fn index(&self, axis: Axis) -> &T {
        match axis {
            Axis::Erase => &self.0[0],
            Axis::Program => &self.0[1],
        }
    }
}

impl<T> IndexMut<Axis> for ByAxis<T> {
    #[inline]
    fn index_mut(&mut self, axis: Axis) -> &mut T {
        match axis {
            Axis::Erase => &mut self.0[0],
            Axis::Program => &mut self.0[1],
        }
    }
}
