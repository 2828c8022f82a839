//! Notes about operations that draw an address and that no region in force can give one.
//!
//! A region serves erases whatever its pages. It serves programs and reads of pages that can come to be programmed: the pages before them are
//! in regions of the same phase or of earlier ones. It serves operations of several planes if two of its blocks are in one group. Leaves out
//! cell types, bad blocks and limits, so that an operation without a note may still find no address.

use nandseq_profile::diagnostic::{counted, quoted};
use nandseq_profile::model::AddressSource;
use nandseq_profile::yaml::Entry;
use nandseq_profile::{Diagnostic, Diagnostics, OpId, Profile};

use crate::model::{NumberRanges, Region, TestPlan};

/// The number of operations and phases that a note names.
const NAMED: usize = 3;

/// What the regions of a phase serve.
#[derive(Clone, Copy, Default)]
struct Served {
    /// Operations of several planes, if those of one are served.
    together: bool,
    programs: bool,
    reads: bool,
}

/// Adds a note for each list of operations that the regions of some phases do not serve. `entries` are those of `addresses`.
pub(super) fn note(plan: &TestPlan, entries: &[Entry], profile: &Profile, diagnostics: &mut Diagnostics) {
    let phases: Vec<(Option<&str>, Vec<usize>)> = if plan.phases.is_empty() {
        vec![(None, (0..plan.addresses.len()).collect())]
    } else {
        plan.phases.iter().map(|phase| (Some(&*phase.name), phase.addresses.clone())).collect()
    };
    let regions: Vec<Vec<&Region>> = phases
        .iter()
        .map(|(_, in_force)| in_force.iter().flat_map(|&at| &plan.addresses[at].regions).collect())
        .collect();
    let mut found: Vec<(Vec<OpId>, Vec<&str>, usize)> = Vec::new();
    for (at, (name, in_force)) in phases.iter().enumerate() {
        let Some(&entry) = in_force.iter().find(|&&entry| !plan.addresses[entry].regions.is_empty()) else { continue };
        let ops = unserved(profile, served(profile, &regions[..=at]));
        match found.iter_mut().find(|(other, ..)| *other == ops) {
            _ if ops.is_empty() => {}
            Some((_, names, _)) => names.extend(*name),
            None => found.push((ops, name.iter().copied().collect(), entry)),
        }
    }
    for (ops, names, entry) in found {
        let names: Vec<String> = names.into_iter().map(quoted).collect();
        let of = match names.as_slice() {
            [] => String::new(),
            [one] => format!("in the phase {one} "),
            several => format!("in the phases {} ", shortened(several)),
        };
        let named: Vec<String> = ops.iter().map(|&op| quoted(&profile.ops[op].name)).collect();
        let count = counted(ops.len() as u64, "operation");
        let message = format!("{of}no region has an address for {count}: {}", shortened(&named));
        let help = if ops.iter().all(|&op| profile.ops[op].multi) {
            format!("several planes need blocks of one group, such as blocks 0-{}", profile.topology.planes - 1)
        } else {
            "a page is programmed after those before it: have them in a region of this phase or of an earlier one"
                .into()
        };
        let note = Diagnostic::note("no-address", message).help(help);
        diagnostics.push(match entries.get(entry) {
            Some(entry) => note.at(entry.key_span, ""),
            None => note,
        });
    }
}

/// The first of some texts, and how many more there are.
fn shortened(texts: &[String]) -> String {
    let more = texts.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    texts[..texts.len() - more].join(", ") + &rest
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

/// What the regions of the last of some phases serve; a phase without regions has the whole device.
fn served(profile: &Profile, phases: &[Vec<&Region>]) -> Served {
    let mut served = Served::default();
    for region in phases.last().into_iter().flatten() {
        served.together |= has_two_of_a_group(profile, region);
        let first = region.pages.0.first().map_or(0, |range| *range.start());
        for (die, plane) in dies_and_planes(region) {
            for block in first_blocks(profile, region, plane, phases) {
                let pages = programmed(profile, phases, (die, plane, block));
                served.programs |= first <= pages && first < profile.topology.pages_per_block;
                served.reads |= first.saturating_add(profile.offset_guard) < pages;
                if served.programs && served.reads {
                    break;
                }
            }
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

fn dies_and_planes(region: &Region) -> impl Iterator<Item = (u32, u32)> + '_ {
    numbers(&region.dies).flat_map(|die| numbers(&region.planes).map(move |plane| (die, plane)))
}

fn numbers(ranges: &NumberRanges) -> impl Iterator<Item = u32> + '_ {
    ranges.0.iter().cloned().flatten()
}

/// Blocks of a region on a plane such that each of its blocks there is in the same regions as one of them: the first from each place on at
/// which a range of blocks begins or has ended.
fn first_blocks<'a>(
    profile: &Profile,
    region: &'a Region,
    plane: u32,
    phases: &'a [Vec<&Region>],
) -> impl Iterator<Item = u32> + 'a {
    let planes = profile.topology.planes;
    let ranges = phases.iter().flatten().flat_map(|other| &other.blocks.0);
    let places = ranges.flat_map(|range| [*range.start(), range.end() + 1]);
    let on_plane = move |block: u32| block + (plane + planes - block % planes) % planes;
    places.map(on_plane).filter(|&block| region.blocks.contains(block))
}

/// How many pages of a block can be programmed at most up to the end of the last phase.
fn programmed(profile: &Profile, phases: &[Vec<&Region>], (die, plane, block): (u32, u32, u32)) -> u32 {
    let all = profile.topology.pages_per_block;
    let mut pages = if profile.bootstrap.enabled { all } else { 0 };
    for regions in phases {
        let own = || {
            let has = |region: &&&Region| {
                region.dies.contains(die) && region.planes.contains(plane) && region.blocks.contains(block)
            };
            regions.iter().filter(has)
        };
        let end_of = |page: u32| {
            let ranges = own().flat_map(|region| &region.pages.0).filter(|range| range.contains(&page));
            ranges.map(|range| range.end() + 1).max()
        };
        loop {
            let end = if regions.is_empty() { all } else { end_of(pages).unwrap_or(pages) };
            if end <= pages {
                break;
            }
            pages = end;
        }
    }
    pages
}
