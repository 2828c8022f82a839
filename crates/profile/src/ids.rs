//! Types of indices and parts of addresses, and bit sets of bases and planes.
//!
//! Each has a type of its own, so a plane cannot be passed for a die. A value that may be absent is an `Option`, never −1.

use std::ops::{Index, IndexMut};

use serde::{Deserialize, Serialize};

macro_rules! index_type {
    ($(#[$doc:meta])* $name:ident($repr:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $repr);

        impl $name {
            /// The index as a position in an [`IdVec`].
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl From<usize> for $name {
            /// The index of a position. The limits of [`limits`](crate::limits) bound positions.
            fn from(position: usize) -> Self {
                Self(<$repr>::try_from(position).expect("position within the limits of a profile"))
            }
        }
    };
}

index_type!(/// A base: a kind of operation. Index into [`Profile::bases`](crate::Profile).
    BaseId(u16));
index_type!(/// An op name. Index into [`Profile::ops`](crate::Profile).
    OpId(u16));
index_type!(/// A cell type. Index into [`Profile::cell_types`](crate::Profile).
    CellTypeId(u8));
index_type!(/// A phase key: a key of probability tables. Index into [`Profile::phase_keys`](crate::Profile).
    PhaseKey(u16));
index_type!(/// An exclusion group. Index into [`Exclusions::groups`](crate::model::Exclusions).
    GroupId(u16));
index_type!(/// A die (LUN), from 0.
    Die(u8));
index_type!(/// A plane of a die, from 0.
    Plane(u8));
index_type!(/// A die-local block, from 0; block `b` lies on plane `b mod planes`.
    Block(u32));
index_type!(/// A page of a block, from 0.
    Page(u16));

impl PhaseKey {
    /// The key of a plane on which nothing ever ran.
    pub const DEFAULT: Self = Self(0);
}

/// A vector indexed by one of the index types.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdVec<I, T> {
    items: Vec<T>,
    index: std::marker::PhantomData<I>,
}

impl<I: From<usize> + Copy, T> IdVec<I, T> {
    /// An empty vector.
    #[must_use]
    pub const fn new() -> Self {
        Self { items: Vec::new(), index: std::marker::PhantomData }
    }

    /// Appends `item` and returns its index.
    pub fn push(&mut self, item: T) -> I {
        self.items.push(item);
        I::from(self.items.len() - 1)
    }

    /// The number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are no items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The items in order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }

    /// The items in order, mutable.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.items.iter_mut()
    }

    /// Index and item, in order.
    pub fn iter_ids(&self) -> impl Iterator<Item = (I, &T)> {
        self.items.iter().enumerate().map(|(at, item)| (I::from(at), item))
    }

    /// All indices, in order.
    pub fn ids(&self) -> impl Iterator<Item = I> + use<I, T> {
        (0..self.items.len()).map(I::from)
    }
}

impl<I: From<usize> + Copy, T> Default for IdVec<I, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I: From<usize> + Copy, T> FromIterator<T> for IdVec<I, T> {
    fn from_iter<S: IntoIterator<Item = T>>(items: S) -> Self {
        Self { items: items.into_iter().collect(), index: std::marker::PhantomData }
    }
}

macro_rules! indexed_by {
    ($($name:ident),*) => { $(
        impl<T> Index<$name> for IdVec<$name, T> {
            type Output = T;
            fn index(&self, id: $name) -> &T {
                &self.items[id.index()]
            }
        }
        impl<T> IndexMut<$name> for IdVec<$name, T> {
            fn index_mut(&mut self, id: $name) -> &mut T {
                &mut self.items[id.index()]
            }
        }
    )* };
}
indexed_by!(BaseId, OpId, CellTypeId, PhaseKey, GroupId);

macro_rules! set_of_bits {
    ($set:ident) => {
        impl $set {
            /// The set without members.
            pub const EMPTY: Self = Self(0);

            /// The members of either set.
            #[must_use]
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// The members of both sets.
            #[must_use]
            pub const fn and(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }

            /// The members of this set that are not in `other`.
            #[must_use]
            pub const fn minus(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }

            /// Whether the set has no member.
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }
        }
    };
}
set_of_bits!(BaseSet);
set_of_bits!(PlaneSet);

/// A set of bases, one bit each. A profile has at most 128 bases.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct BaseSet(pub u128);

impl BaseSet {
    /// Adds a base.
    pub const fn insert(&mut self, base: BaseId) {
        self.0 |= 1 << base.0;
    }

    /// Removes a base.
    pub const fn remove(&mut self, base: BaseId) {
        self.0 &= !(1 << base.0);
    }

    /// The number of members.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether the base is in the set.
    #[must_use]
    pub const fn contains(self, base: BaseId) -> bool {
        let word = if base.0 < 64 { self.0 as u64 } else { (self.0 >> 64) as u64 };
        base.0 < 128 && word >> (base.0 % 64) & 1 == 1
    }

    /// The bases, ascending.
    pub fn iter(self) -> impl Iterator<Item = BaseId> {
        // The two words are read one after the other, because operations on 128 bits cost several times as much.
        let (mut left, mut upper) = (self.0 as u64, (self.0 >> 64) as u64);
        let mut first = 0;
        std::iter::from_fn(move || {
            if left == 0 {
                (left, upper, first) = (upper, 0, 64);
                if left == 0 {
                    return None;
                }
            }
            let at = left.trailing_zeros();
            left &= left - 1;
            Some(BaseId((first + at) as u16))
        })
    }
}

impl FromIterator<BaseId> for BaseSet {
    fn from_iter<S: IntoIterator<Item = BaseId>>(bases: S) -> Self {
        let mut set = Self::EMPTY;
        for base in bases {
            set.insert(base);
        }
        set
    }
}

/// The number of members of each set of planes.
static COUNTS: [u8; 256] = {
    let mut counts = [0; 256];
    let mut set = 0;
    while set < 256 {
        counts[set] = (set as u8).count_ones() as u8;
        set += 1;
    }
    counts
};

/// A set of planes of a die, one bit each. A die has at most 8 planes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
pub struct PlaneSet(pub u8);

impl PlaneSet {
    /// The planes `0..count`; `count` is at most 8.
    #[must_use]
    pub const fn first(count: u32) -> Self {
        Self(((1u32 << count) - 1) as u8)
    }

    /// The set of one plane.
    #[must_use]
    pub const fn one(plane: Plane) -> Self {
        Self(1 << plane.0)
    }

    /// Adds a plane.
    pub const fn insert(&mut self, plane: Plane) {
        self.0 |= 1 << plane.0;
    }

    /// The number of members. It is asked for at every hook, and processors without an instruction for it are still aimed at.
    #[must_use]
    #[inline]
    pub const fn len(self) -> u32 {
        COUNTS[self.0 as usize] as u32
    }

    /// Whether the plane is in the set.
    #[must_use]
    pub const fn contains(self, plane: Plane) -> bool {
        self.0 >> plane.0 & 1 == 1
    }

    /// The planes that are not in the set, of the eight that a die can have.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(!self.0)
    }

    /// Whether every plane of this set is in `other`.
    #[must_use]
    pub const fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The planes, ascending.
    pub fn iter(self) -> impl Iterator<Item = Plane> {
        let mut bits = self.0;
        std::iter::from_fn(move || {
            if bits == 0 {
                return None;
            }
            let at = bits.trailing_zeros();
            bits &= bits - 1;
            Some(Plane(at as u8))
        })
    }
}

/// The address of one target of an operation.
///
/// Parts that the operation's payload does not name have no meaning.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Target {
    /// The die.
    pub die: Die,
    /// The plane of the die.
    pub plane: Plane,
    /// The die-local block.
    pub block: Block,
    /// The page of the block.
    pub page: Page,
    /// The cell type of the operation.
    pub cell_type: CellTypeId,
}
