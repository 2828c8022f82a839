//! The name classes for which the address book has an address, cached until that changes.
//!
//! The book changes with every erase and program, but the planes on which it has an address change rarely.

use nandseq_device::Device;
use nandseq_profile::{Die, PlaneSet};

use crate::setup::groups::{AddressKind, Group};
use crate::setup::{ClassSet, Setup, places};

/// Room for the 28 pairs of 8 planes: the next power of two.
const PAIRS: usize = 32;

/// The classes of a chunk for which the address book has an address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AvailableClasses {
    /// Classes that address one plane, by plane.
    pub(crate) single: [ClassSet; 8],
    /// Classes that address several planes, by pair of planes: (0, 1), (0, 2), (1, 2), (0, 3), ...
    paired: [ClassSet; PAIRS],
}

impl AvailableClasses {
    /// The classes for which some plane or pair has an address.
    pub(crate) fn anywhere(&self) -> ClassSet {
        self.single.iter().chain(&self.paired).fold(ClassSet::NONE, |all, some| all | *some)
    }

    /// The classes that address several planes and for which a pair of planes, given by its number, has an address.
    pub(crate) const fn paired(&self, pair: usize) -> ClassSet {
        self.paired[pair % PAIRS]
    }
}

/// The classes that have an address on a die.
#[derive(Clone, Debug)]
pub(crate) struct AddressAvailability {
    /// The book's stamp of the die when this was made.
    pub(super) stamp: u64,
    pub(crate) chunks: Vec<AvailableClasses>,
    /// The kinds of address that each plane and each pair has.
    single: [Kinds; 8],
    paired: [Kinds; PAIRS],
}

impl AddressAvailability {
    pub(crate) fn new(setup: &Setup) -> Self {
        let nothing = AvailableClasses { single: [ClassSet::NONE; 8], paired: [ClassSet::NONE; PAIRS] };
        Self {
            stamp: 0,
            chunks: vec![nothing; setup.classes.chunks()],
            single: [Kinds::default(); 8],
            paired: [Kinds::default(); PAIRS],
        }
    }

    /// Brings the availability of addresses on a die up to date.
    #[inline]
    pub(crate) fn refresh(&mut self, device: &Device, setup: &Setup, die: Die) {
        let stamp = device.book.stamp(die);
        if self.stamp != stamp {
            self.stamp = stamp;
            self.make(device, setup, die);
        }
    }

    fn make(&mut self, device: &Device, setup: &Setup, die: Die) {
        let planes = usize::from(setup.tables.size.planes).min(8);
        let groups = setup.groups.chunks();
        let mut pair = 0;
        for second in 0..planes {
            let kinds = Kinds::single(device, die, PlaneSet(1 << second));
            if kinds != self.single[second] {
                self.single[second] = kinds;
                for (available, group) in self.chunks.iter_mut().zip(groups) {
                    available.single[second] = kinds.classes(group) & !group.multi;
                }
            }
            for first in 0..second {
                let kinds = Kinds::together(device, die, PlaneSet(1 << first | 1 << second));
                if kinds != self.paired[pair % PAIRS] {
                    self.paired[pair % PAIRS] = kinds;
                    for (available, group) in self.chunks.iter_mut().zip(groups) {
                        available.paired[pair % PAIRS] = kinds.classes(group) & group.multi;
                    }
                }
                pair += 1;
            }
        }
    }
}

/// The kinds of address that a plane or a pair of planes has.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Kinds {
    /// A block to erase.
    any: bool,
    /// The cell types with which a page may be programmed, one bit each.
    next: u8,
    /// Whether a class whose base takes a next page of any cell type has one.
    any_next: bool,
    /// The cell types as which a page may be read, one bit each.
    read: u8,
}

impl Kinds {
    fn single(device: &Device, die: Die, plane: PlaneSet) -> Self {
        let addresses = device.book.on(die);
        let next = addresses.next_cells(plane);
        let any = !addresses.any_planes(plane).is_empty();
        Self { any, next, any_next: next != 0, read: addresses.read_cells(plane) }
    }

    fn together(device: &Device, die: Die, planes: PlaneSet) -> Self {
        let addresses = device.book.on(die);
        Self {
            any: addresses.any_together(planes),
            next: addresses.next_cells_together(planes),
            any_next: false,
            read: addresses.read_cells_together(planes),
        }
    }

    /// The classes that can use an address of these kinds.
    fn classes(&self, group: &Group) -> ClassSet {
        let asking = |source: AddressKind| group.asking[source as usize];
        let of_cells =
            |cells: u8| places(u64::from(cells)).fold(ClassSet::NONE, |all, cell| all | group.cells[cell % 8]);
        let any_next = if self.any_next { ClassSet::ALL } else { of_cells(self.next) };
        asking(AddressKind::AnyBlock).given(self.any)
            | of_cells(self.next) & asking(AddressKind::NextPageOf)
            | any_next & asking(AddressKind::AnyNextPage)
            | of_cells(self.read) & asking(AddressKind::ReadablePage)
    }
}
