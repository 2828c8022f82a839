//! The program that `scripts/instructions` counts: `instructions WHAT OPERATIONS [DIESxBLOCKS]`.
//!
//! It runs a site of the built-in device for the given number of operations. WHAT names the files that it writes: `engine`
//! (none), `sequence` or `tables`. DIESxBLOCKS gives the device another size. The counted part is [`measured`].
//!
//! `regions` is `engine` with addresses drawn from two regions, each half of the device. A test plan, `PATH.yaml`, is `engine` with the
//! shares, addresses and scenarios of the plan, in one phase.
//!
//! Two more are for the floor. `known` carries such a run out again with all decisions known, and counts [`measured_again`]. `hooks`
//! makes five hooks that decide nothing for each two operations, and counts [`measured_hooks`].
#![expect(clippy::print_stderr, reason = "it is a program")]

#[path = "../benches/floor/replay.rs"]
mod replay;

use std::io;
use std::path::Path;

use nandseq_device::Device;
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_output::csv_tables::CsvTables;
use nandseq_output::run_files::RunFiles;
use nandseq_plan::model::{AddressEntry, AddressLimits, NumberRanges, Region};
use nandseq_profile::diagnostic::Styling;
use nandseq_profile::model::Topology;
use nandseq_profile::places::Places;
use nandseq_profile::{Profile, SourceFile, Ticks, builtin};
use nandseq_trace::files::{FileKind, Outputs, Stamp};
use nandseq_trace::{Operation, Sink};
use replay::Known;

/// Takes operations and does nothing with them.
struct Nowhere;

impl Sink for Nowhere {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        std::hint::black_box(operation);
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (what, operations, size) = match &arguments[..] {
        [what, operations] => (what, operations, None),
        [what, operations, size] => (what, operations, Some(size)),
        _ => return Err("usage: instructions WHAT OPERATIONS [DIESxBLOCKS]".into()),
    };
    let mut profile = builtin::profile();
    if let Some(size) = size {
        let (dies, blocks) = size.split_once('x').ok_or("a size is DIESxBLOCKS")?;
        profile.topology.dies = dies.parse()?;
        profile.topology.blocks_per_die = blocks.parse()?;
    }
    let operations: u64 = operations.parse()?;
    let outputs = match what.as_str() {
        "known" | "hooks" => {
            let run = Known::new(&profile, operations);
            let hooks = match what.as_str() {
                "known" => measured_again(&run, run.device()),
                _ => measured_hooks(&run, run.device(), operations * 5 / 2),
            };
            eprintln!("{operations} operations, {hooks} hooks");
            return Ok(());
        }
        "engine" | "regions" => Outputs::NONE,
        path if path.ends_with(".yaml") => Outputs::NONE,
        "sequence" => Outputs::NONE.with(FileKind::OperationSequence),
        "tables" => Outputs::ALL.without(FileKind::Snapshot).without(FileKind::ProposerLog),
        other => {
            return Err(
                format!("`{other}` is none of engine, regions, sequence, tables, known, hooks, PATH.yaml").into()
            );
        }
    };
    let table = probability::of_profile(&profile, probability::DEFAULT_TABLE_SEED);
    let mut setup = Setup::new(&profile, &table, &[])?;
    if what == "regions" {
        setup = setup.with_addresses(&[two_regions(&profile)], &[0]);
    } else if what.ends_with(".yaml") {
        setup = with_plan(setup, &profile, Path::new(what))?;
    }
    let format = CsvTables::new(&profile)?;
    let limits =
        RunLimits { run_until: Ticks::from_us(100_000_000_000), max_ops: Some(operations), ..RunLimits::default() };
    let folder = tempfile::tempdir()?;
    let mut site = Site::new(&setup, 42);
    let done = measured(&mut site, &limits, outputs, &format, folder.path())?;
    eprintln!("{done} operations");
    let reached = site.scenarios();
    for value in reached.iter().flat_map(|scenario| &scenario.values) {
        eprintln!("{} hits in {} attempts; given up: {:?}", value.hits, value.attempts, value.given_up);
    }
    Ok(())
}

/// All blocks in two regions, as a test plan states them.
fn two_regions(profile: &Profile) -> AddressEntry {
    let Topology { dies, planes, blocks_per_die, pages_per_block } = profile.topology;
    let all = |count: u32| NumberRanges(vec![0..=count - 1]);
    let region = |blocks| Region {
        dies: all(dies),
        planes: all(planes),
        blocks: NumberRanges(vec![blocks]),
        pages: all(pages_per_block),
        weight: 1,
    };
    let regions = vec![region(0..=blocks_per_die / 2), region(blocks_per_die / 2 + 1..=blocks_per_die - 1)];
    AddressEntry { name: "two".to_owned(), regions, limits: AddressLimits::default() }
}

/// The setup with the shares, addresses and scenarios of a plan.
fn with_plan(setup: Setup, profile: &Profile, path: &Path) -> Result<Setup, Box<dyn std::error::Error>> {
    let classes = Places::new(&SourceFile::new(builtin::NAME, builtin::text()), profile).classes();
    let source = SourceFile::new(path.display().to_string(), std::fs::read_to_string(path)?);
    let (plan, diagnostics) = nandseq_plan::read(&source, profile, &classes);
    let plan = plan.ok_or_else(|| diagnostics.render(&source, Styling::Plain))?;
    let entries: Vec<usize> = (0..plan.addresses.len()).collect();
    Ok(setup.with_mix(&plan.mix).with_addresses(&plan.addresses, &entries).with_scenarios(&plan.scenarios)?)
}

/// A run from its first event to its last file.
#[inline(never)]
fn measured(
    site: &mut Site<'_>,
    limits: &RunLimits<'_>,
    outputs: Outputs,
    format: &CsvTables,
    folder: &Path,
) -> Result<u64, Box<dyn std::error::Error>> {
    if outputs == Outputs::NONE {
        return Ok(site.run(limits, &mut Nowhere)?.ops);
    }
    let stamp: Stamp = "2026-11-21".parse()?;
    let mut files = RunFiles::create(folder, format, outputs, stamp, 1)?;
    let done = site.run(limits, &mut files)?.ops;
    files.finish()?;
    Ok(done)
}

/// A run carried out again. Returns its hooks.
#[inline(never)]
fn measured_again(run: &Known, device: Device) -> u64 {
    run.carry_out(device)
}

/// Hooks that decide nothing. Returns how many.
#[inline(never)]
fn measured_hooks(run: &Known, device: Device, hooks: u64) -> u64 {
    run.make_hooks(device, hooks)
}
