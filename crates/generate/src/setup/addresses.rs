//! Where addresses are drawn and how often they are used, compiled: regions and limits of a test plan in the form of the address book.

use nandseq_device::{AddressRegion, BaseInfo, CountedUses, Place, Size, UseLimit, UseLimits};
use nandseq_plan::model::{AddressEntry, AddressLimits, NumberRanges, Region};
use nandseq_profile::PlaneSet;

/// Where the addresses of a phase are drawn, and how often they may be used.
#[derive(Clone, Default, Debug)]
pub(crate) struct Addresses {
    /// The regions. Without one, draws come from the whole device.
    pub(crate) regions: Vec<AddressRegion>,
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
        let regions_of = |entry: &AddressEntry| -> Vec<AddressRegion> { entry.regions.iter().map(compile).collect() };
        let limit = |entry: &AddressEntry| UseLimit {
            regions: regions_of(entry),
            erases: entry.limits.erases_per_block,
            reads: entry.limits.reads_per_block,
            page_reads: entry.limits.reads_per_page,
        };
        let states_some = |entry: &AddressEntry| entry.limits != AddressLimits::default();
        let by_page = entries.iter().filter(|entry| entry.limits.reads_per_page.is_some());
        let pages_of = |entry: &AddressEntry| match regions_of(entry) {
            regions if regions.is_empty() => vec![AddressRegion::whole(size)],
            regions => regions,
        };
        let counted = CountedUses {
            block_reads: entries.iter().any(|entry| entry.limits.reads_per_block.is_some()),
            page_reads: by_page.flat_map(pages_of).collect(),
        };
        Self {
            regions: in_force().flat_map(regions_of).collect(),
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

    /// Whether a step of a chain may work at a place that follows from the steps before it: it erases, programs and reads only in the
    /// regions in force.
    pub(crate) fn let_in(&self, size: &Size, info: &BaseInfo, place: &Place) -> bool {
        self.regions.is_empty()
            || !(info.changes_block | info.reads_page)
            || self.regions.iter().any(|region| region.has(size, place, info.effects.erase))
    }
}

fn compile(region: &Region) -> AddressRegion {
    let bits = |ranges: &NumberRanges| (0..64).filter(|&at| ranges.contains(at)).fold(0, |all, at| all | 1 << at);
    AddressRegion {
        weight: region.weight,
        dies: bits(&region.dies),
        planes: PlaneSet(bits(&region.planes) as u8),
        blocks: region.blocks.0.clone(),
        pages: region.pages.0.clone(),
    }
}
