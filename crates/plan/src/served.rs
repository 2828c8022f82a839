//! The operations that draw an address and that no region in force can give one.
//!
//! A region serves erases whatever its pages. It serves programs and reads of pages that can come to be programmed: the pages before them are
//! in regions of the same phase or of earlier ones; of a block that is closed there, all pages are programmed. It serves operations of several planes if two of its blocks are in one group. Leaves out
//! cell types, bad blocks and limits, so that an operation that is served may still find no address.

use std::collections::BTreeSet;

use nandseq_profile::model::{AddressSource, Effect};
use nandseq_profile::{OpId, Profile};

use crate::model::{NumberRanges, Region, TestPlan};

/// How often a place is compared with a region at most.
const MOST_COMPARED: usize = 8_000_000;

/// A die, a plane and a block, for all that are in the same regions.
struct Place {
    die: u32,
    plane: u32,
    block: u32,
    /// How many of its pages can be programmed at most up to the end of a phase.
    pages: u32,
}

/// What the regions of a phase serve.
#[derive(Clone, Copy, Default)]
struct Served {
    /// Operations of several planes, if those of one are served.
    together: bool,
    programs: bool,
    reads: bool,
}

/// For each phase the operations that draw an address and that its regions do not serve; of a plan without phases, those of all runs. A phase
/// without regions serves everything. `bootstrapped` says whether a bootstrap comes first, which may program every page. `None` if the
/// phases have too many regions to look at.
#[must_use]
pub fn unserved_by_phase(plan: &TestPlan, profile: &Profile, bootstrapped: bool) -> Option<Vec<Vec<OpId>>> {
    let phases = plan.addresses_in_force();
    let regions: Vec<Vec<&Region>> = phases
        .iter()
        .map(|(_, in_force)| in_force.iter().flat_map(|&at| &plan.addresses[at].regions).collect())
        .collect();
    let mut places = places(profile, &regions.concat(), bootstrapped);
    if places.len().saturating_mul(regions.iter().map(Vec::len).sum()) > MOST_COMPARED {
        return None;
    }
    let of_phase = |regions: &Vec<&Region>| {
        places.iter_mut().for_each(|place| place.program(profile, regions));
        if regions.is_empty() { Vec::new() } else { unserved(profile, served(profile, regions, &places)) }
    };
    Some(regions.iter().map(of_phase).collect())
}

/// The operations that no phase serves, which therefore never start after a bootstrap; `by_phase` is what [`unserved_by_phase`] gives.
#[must_use]
pub fn never_served(by_phase: &[Vec<OpId>]) -> Vec<OpId> {
    let Some((first, others)) = by_phase.split_first() else { return Vec::new() };
    first.iter().copied().filter(|op| others.iter().all(|ops| ops.binary_search(op).is_ok())).collect()
}

/// The operations that draw an address and are not served.
fn unserved(profile: &Profile, served: Served) -> Vec<OpId> {
    let lacks = |op: &OpId| {
        let op = &profile.ops[*op];
        let is_served = match profile.bases[op.base].address {
            AddressSource::AnyBlock => true,
            AddressSource::NextPage => served.programs,
            AddressSource::ReadablePage => served.reads,
            AddressSource::None
            | AddressSource::Hook
            | AddressSource::OutputRegister
            | AddressSource::PageRegister
            | AddressSource::SuspendedProgram
            | AddressSource::OneShotLatch
            | AddressSource::CopybackLatch => return false,
        };
        !is_served || op.multi && !served.together
    };
    profile.ops.ids().filter(lacks).collect()
}

/// What the regions of a phase serve, with what is programmed up to its end.
fn served(profile: &Profile, regions: &[&Region], places: &[Place]) -> Served {
    let mut served = Served::default();
    for region in regions {
        served.together |= !served.together && has_two_of_a_group(profile, region);
        let first = region.pages.0.first().map_or(0, |range| *range.start());
        for place in places.iter().filter(|place| place.is_in(region)) {
            served.programs |= first <= place.pages && first < profile.topology.pages_per_block;
            served.reads |= first.saturating_add(profile.offset_guard) < place.pages;
        }
    }
    served
}

/// Whether two blocks of a region are in one group.
fn has_two_of_a_group(profile: &Profile, region: &Region) -> bool {
    let planes = profile.topology.planes;
    let of_group = |group: u32| {
        let blocks = (0..planes).filter(|&plane| region.planes.contains(plane)).map(|plane| group * planes + plane);
        blocks.filter(|&block| region.blocks.contains(block)).count()
    };
    let groups = region.blocks.0.iter().flat_map(|range| range.start() / planes..=range.end() / planes);
    groups.into_iter().any(|group| of_group(group) > 1)
}

/// On each plane the first die and block of each part of a device at which a range of some regions begins or has ended. A range of blocks may
/// have blocks on some planes alone.
fn places(profile: &Profile, regions: &[&Region], bootstrapped: bool) -> Vec<Place> {
    let topology = &profile.topology;
    let begins = |ranges: fn(&Region) -> &NumberRanges| -> BTreeSet<u32> {
        let ranges = regions.iter().flat_map(|region| &ranges(region).0);
        ranges.flat_map(|range| [*range.start(), range.end() + 1]).collect()
    };
    let (dies, blocks) = (begins(|at| &at.dies), begins(|at| &at.blocks));
    let mut places = Vec::new();
    for plane in 0..topology.planes {
        let on_plane = |block: &u32| block + (plane + topology.planes - block % topology.planes) % topology.planes;
        let blocks: BTreeSet<u32> = blocks.iter().map(on_plane).collect();
        for &die in dies.iter().filter(|&&die| die < topology.dies) {
            let pages = if bootstrapped { topology.pages_per_block } else { 0 };
            places.extend(blocks.iter().map(|&block| Place { die, plane, block, pages }));
        }
    }
    places
}

impl Place {
    fn is_in(&self, region: &Region) -> bool {
        region.dies.contains(self.die) && region.planes.contains(self.plane) && region.blocks.contains(self.block)
    }

    /// Programs what a phase with these regions can program; one without regions has the whole device.
    fn program(&mut self, profile: &Profile, regions: &[&Region]) {
        if regions.is_empty() {
            self.pages = profile.topology.pages_per_block;
        }
        let own = regions.iter().filter(|region| self.is_in(region)).flat_map(|region| &region.pages.0);
        let mut ranges: Vec<_> = own.map(|range| (*range.start(), range.end() + 1)).collect();
        ranges.sort_unstable();
        let closes = profile.bases.iter().any(|base| base.has(Effect::CloseBlock));
        for (start, end) in ranges {
            if start <= self.pages {
                self.pages = if closes { profile.topology.pages_per_block } else { self.pages.max(end) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use nandseq_profile::builtin;

    use super::*;
    use crate::model::{AddressEntry, AddressLimits};

    /// The operations that are not served by regions of one entry, each of some blocks and pages.
    fn not_served(regions: &[(u32, u32)]) -> Vec<OpId> {
        let pages = builtin::profile().topology.pages_per_block;
        let regions: Vec<_> = regions.iter().map(|&(block, page)| (block, page..=pages - 1)).collect();
        not_served_on(&builtin::profile(), &regions)
    }

    fn not_served_on(profile: &Profile, regions: &[(u32, RangeInclusive<u32>)]) -> Vec<OpId> {
        let topology = profile.topology;
        let all = |count: u32| NumberRanges(vec![0..=count - 1]);
        let region = |(block, pages): &(u32, RangeInclusive<u32>)| Region {
            dies: all(topology.dies),
            planes: all(topology.planes),
            blocks: NumberRanges(vec![*block..=*block]),
            pages: NumberRanges(vec![pages.clone()]),
            weight: 1,
        };
        let regions = regions.iter().map(region).collect();
        let entry = AddressEntry { name: "a".to_owned(), regions, limits: AddressLimits::default() };
        let plan = TestPlan { addresses: vec![entry], ..TestPlan::default() };
        never_served(&unserved_by_phase(&plan, profile, false).expect("there are few regions"))
    }

    #[test]
    fn a_block_on_any_plane_serves_what_works_on_one() {
        let of_first = not_served(&[(8, 0)]);
        assert!(!of_first.is_empty());
        for block in 9..12 {
            assert_eq!(not_served(&[(block, 0)]), of_first, "{block}");
        }
        // Pages that come after others that no region has cannot be programmed.
        assert!(not_served(&[(9, 3)]).len() > of_first.len());
        assert_eq!(not_served(&[(9, 3), (9, 0)]), of_first);
    }

    #[test]
    fn a_closed_block_serves_reads_of_its_first_page_although_no_other_is_programmed() {
        let mut profile = builtin::profile();
        profile.offset_guard = 1;
        let reads = |profile: &Profile, ops: &[OpId]| {
            let is_read = |op: &&OpId| profile.bases[profile.ops[**op].base].address == AddressSource::ReadablePage;
            ops.iter().filter(is_read).filter(|op| !profile.ops[**op].multi).count()
        };
        assert_eq!(reads(&profile, &not_served_on(&profile, &[(9, 0..=0)])), 0);
        // Without what closes a block, a page needs others behind it.
        for base in profile.bases.iter_mut() {
            base.effects.retain(|effect| *effect != Effect::CloseBlock);
        }
        assert!(reads(&profile, &not_served_on(&profile, &[(9, 0..=0)])) > 0);
    }
}
