//! Where addresses are drawn and how often they are used, compiled: regions and limits of a test plan in the form of the address book.

use std::ops::RangeInclusive;

use nandseq_device::{AddressRegion, BaseInfo, CountedUses, Place, RegionSet, Size, UseLimit, UseLimits};
use nandseq_plan::model::{AddressEntry, AddressLimits, NumberRanges, Region};
use nandseq_profile::PlaneSet;

/// Where the addresses of a phase are drawn, and how often they may be used.
#[derive(Clone, Default, Debug)]
pub(crate) struct Addresses {
    /// The regions, those of [`RegionSet::PLAIN`] first. Without one of these, draws come from the whole device.
    pub(crate) regions: Vec<AddressRegion>,
    /// The number of sets beside [`RegionSet::PLAIN`].
    sets: u16,
    /// The limits in force, by entry in force.
    pub(crate) limits: UseLimits,
    /// By entry in force: the limits that it states.
    pub(crate) stated: Vec<AddressLimits>,
    /// What is counted in every phase; `None` if the plan has no entries.
    pub(crate) counted: Option<CountedUses>,
}

impl Addresses {
    /// Compiles the entries of a plan, of which some are in force. Entries without regions restrict nothing.
    pub(super) fn new(size: &Size, entries: &[AddressEntry], in_force: &[usize]) -> Self {
        let in_force = || in_force.iter().filter_map(|&at| entries.get(at));
        let regions_of = |entry: &AddressEntry| -> Vec<AddressRegion> {
            entry.regions.iter().map(|region| compile(region, RegionSet::PLAIN)).collect()
        };
        let limit = |entry: &AddressEntry| UseLimit {
            regions: regions_of(entry),
            erases: entry.limits.erases_per_block,
            reads: entry.limits.reads_per_block,
            page_reads: entry.limits.reads_per_page,
        };
        let states_some = |entry: &AddressEntry| entry.limits != AddressLimits::default();
        let by_page = entries.iter().filter(|entry| entry.limits.reads_per_page.is_some());
        let pages_of = |entry: &AddressEntry| match regions_of(entry) {
            regions if regions.is_empty() => vec![AddressRegion::whole(size, RegionSet::PLAIN)],
            regions => regions,
        };
        let counted = CountedUses {
            block_reads: entries.iter().any(|entry| entry.limits.reads_per_block.is_some()),
            page_reads: by_page.flat_map(pages_of).collect(),
        };
        Self {
            regions: in_force().flat_map(regions_of).collect(),
            sets: 0,
            limits: UseLimits {
                each: if in_force().any(states_some) { in_force().map(limit).collect() } else { Vec::new() },
                open_blocks: in_force().filter_map(|entry| entry.limits.open_blocks).min(),
            },
            stated: in_force().map(|entry| entry.limits).collect(),
            counted: (!entries.is_empty()).then_some(counted),
        }
    }

    /// The limits that an entry in force states, with its regions.
    pub(crate) fn limit_of(&self, entry: usize) -> Option<&UseLimit> {
        self.limits.each.get(entry)
    }

    /// Whether draws come from the whole device without limits.
    pub(crate) fn restrict_nothing(&self) -> bool {
        self.regions.is_empty() && self.limits.is_empty()
    }

    /// The regions that draws choose among where no set is named.
    pub(crate) fn plain(&self) -> impl Iterator<Item = &AddressRegion> {
        self.regions.iter().filter(|region| region.set == RegionSet::PLAIN)
    }

    /// Adds a set: the part of each region in force that is in `region`, or all of `region` without regions in force.
    pub(super) fn add_set(&mut self, region: &Region) -> RegionSet {
        self.sets += 1;
        let set = RegionSet(self.sets);
        let own = compile(region, set);
        let parts: Vec<AddressRegion> = self.plain().filter_map(|of_plan| common(of_plan, &own)).collect();
        if self.plain().next().is_none() {
            self.regions.push(own);
        } else {
            self.regions.extend(parts);
        }
        set
    }

    /// Whether a step of a chain may work at a place that follows from the steps before it: it erases, programs and reads only in the
    /// regions in force.
    pub(crate) fn let_in(&self, size: &Size, info: &BaseInfo, place: &Place) -> bool {
        self.regions.is_empty()
            || !(info.changes_block | info.reads_page)
            || self.plain().next().is_none()
            || self.plain().any(|region| region.has(size, place, info.effects.erase))
    }
}

fn compile(region: &Region, set: RegionSet) -> AddressRegion {
    let bits = |ranges: &NumberRanges| (0..64).filter(|&at| ranges.contains(at)).fold(0, |all, at| all | 1 << at);
    AddressRegion {
        set,
        weight: region.weight,
        dies: bits(&region.dies),
        planes: PlaneSet(bits(&region.planes) as u8),
        blocks: region.blocks.0.clone(),
        pages: region.pages.0.clone(),
    }
}

/// What two regions have in common, with the weight of the first and the set of the second.
fn common(one: &AddressRegion, other: &AddressRegion) -> Option<AddressRegion> {
    let both = AddressRegion {
        set: other.set,
        weight: one.weight,
        dies: one.dies & other.dies,
        planes: one.planes.and(other.planes),
        blocks: in_both(&one.blocks, &other.blocks),
        pages: in_both(&one.pages, &other.pages),
    };
    let is_empty = both.dies == 0 || both.planes.is_empty() || both.blocks.is_empty() || both.pages.is_empty();
    (!is_empty).then_some(both)
}

/// The numbers in both of two lists of ascending ranges.
fn in_both(one: &[RangeInclusive<u32>], other: &[RangeInclusive<u32>]) -> Vec<RangeInclusive<u32>> {
    let pairs = one.iter().flat_map(|a| other.iter().map(move |b| *a.start().max(b.start())..=*a.end().min(b.end())));
    pairs.filter(|range| !range.is_empty()).collect()
}
