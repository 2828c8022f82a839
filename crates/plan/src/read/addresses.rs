//! Reading an entry of `addresses`: regions and limits.

use nandseq_profile::diagnostic::quoted;
use nandseq_profile::model::Topology;
use nandseq_profile::yaml::{Entry, Fields, Node};
use nandseq_profile::{Diagnostic, Diagnostics, Profile};

use super::lists::{MAX_ENTRIES, finish_with_ranges, items};
use super::values::ranges;
use crate::model::{AddressEntry, AddressLimits, NumberRanges, Region, TestPlan};

/// The largest weight of a region. Sums of many stay far below the range of their type.
const MAX_REGION_WEIGHT: u32 = 1_000_000;

/// The most regions in force at the same time, and the most blocks that they have together: what they need of memory grows with both.
const MAX_REGIONS: usize = 1_024;
const MAX_REGION_BLOCKS: u64 = 4_194_304;

/// Reports the first phase whose regions are too many or have too many blocks. `entries` are those of `addresses`.
pub(super) fn check_size(plan: &TestPlan, entries: &[Entry], topology: Topology, diagnostics: &mut Diagnostics) {
    let blocks = |region: &Region| {
        let dies: u32 = region.dies.0.iter().map(|range| range.end() - range.start() + 1).sum();
        u64::from(dies) * u64::from(region.blocks_of_die(topology.planes))
    };
    for (name, in_force) in plan.addresses_in_force() {
        let regions = || in_force.iter().flat_map(|&at| &plan.addresses[at].regions);
        let (count, blocks) = (regions().count(), regions().map(blocks).sum::<u64>());
        let of = name.map_or_else(String::new, |name| format!(" of the phase {}", quoted(name)));
        let (message, help) = if count > MAX_REGIONS {
            let help = format!("at most {MAX_REGIONS} may be in force at the same time: name fewer entries in a phase");
            (format!("the regions{of} are {count}"), help)
        } else if blocks > MAX_REGION_BLOCKS {
            let help = format!(
                "at most {MAX_REGION_BLOCKS} may be; a block in two regions counts twice: state smaller regions, or fewer"
            );
            (format!("the regions{of} have {blocks} blocks together"), help)
        } else {
            continue;
        };
        let at = in_force.iter().find(|&&at| !plan.addresses[at].regions.is_empty()).and_then(|&at| entries.get(at));
        let error = Diagnostic::error("too-many", message).help(help);
        return diagnostics.push(match at {
            Some(entry) => error.at(entry.key_span, ""),
            None => error,
        });
    }
}

/// Reads an entry. Returns `None` if it is no mapping.
pub(super) fn read(entry: &Entry, profile: &Profile, diagnostics: &mut Diagnostics) -> Option<AddressEntry> {
    let mut fields = Fields::of(entry, diagnostics)?;
    let (regions, limits) = (fields.take("regions"), fields.take("limits"));
    if regions.is_none() && limits.is_none() {
        let message = format!("{} has neither `regions` nor `limits`", quoted(&entry.key));
        diagnostics.push(Diagnostic::error("missing-field", message).at(entry.key_span, ""));
    }
    let listed = regions.map_or(&[][..], |node| items(node, "regions", MAX_ENTRIES, diagnostics));
    let regions = listed.iter().filter_map(|node| read_region(node, profile, diagnostics)).collect();
    let limits = limits.map(|node| read_limits(node, diagnostics)).unwrap_or_default();
    fields.finish(diagnostics);
    Some(AddressEntry { name: entry.key.to_string(), regions, limits })
}

fn read_region(node: &Node, profile: &Profile, diagnostics: &mut Diagnostics) -> Option<Region> {
    let topology = profile.topology;
    let mut fields = Fields::new(node, "the region", diagnostics)?;
    let mut numbers = |what, noun, count| match fields.take(what) {
        Some(node) => ranges(node, (what, noun), count, diagnostics),
        None => Some(NumberRanges(vec![0..=count.saturating_sub(1)])),
    };
    let dies = numbers("dies", "die", topology.dies);
    let planes = numbers("planes", "plane", topology.planes);
    let blocks = numbers("blocks", "block", topology.blocks_per_die);
    let pages = numbers("pages", "page", topology.pages_per_block);
    let weight =
        fields.take("weight").map_or(Some(1), |node| node.expect_u32("weight", 1..=MAX_REGION_WEIGHT, diagnostics));
    finish_with_ranges(fields, node, diagnostics);
    let region = Region { dies: dies?, planes: planes?, blocks: blocks?, pages: pages?, weight: weight? };
    if region.blocks_of_die(topology.planes) == 0 {
        let message = format!("no block of the region is on its planes: block b is on plane b mod {}", topology.planes);
        diagnostics.push(Diagnostic::error("empty-region", message).at(node.span, ""));
        return None;
    }
    Some(region)
}

fn read_limits(node: &Node, diagnostics: &mut Diagnostics) -> AddressLimits {
    let mark = diagnostics.mark();
    let Some(mut fields) = Fields::new(node, "limits", diagnostics) else { return AddressLimits::default() };
    let mut limit = |what| fields.take(what).and_then(|node| node.expect_u32(what, 1..=u32::MAX, diagnostics));
    let limits = AddressLimits {
        erases_per_block: limit("erases_per_block"),
        reads_per_block: limit("reads_per_block"),
        reads_per_page: limit("reads_per_page"),
        open_blocks: limit("open_blocks"),
    };
    fields.finish(diagnostics);
    if limits == AddressLimits::default() && !diagnostics.errors_since(mark) {
        diagnostics.push(Diagnostic::error("empty-list", "`limits` states no limit").at(node.span, ""));
    }
    limits
}
