//! Small campaigns in folders that vanish, and faults that are planted in them.
//!
//! A fault is a predicate on the rows before an operation. What it needs of them it reads for itself.

use std::collections::HashMap;
use std::fs;

use nandseq_diagnose::{DiagnoseOptions, Diagnosis, Metric, RunOutcome, TestedRuns, diagnose};
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_input::CsvFiles;
use nandseq_input::folder::{self, SiteFiles};
use nandseq_output::csv_tables::CsvTables;
use nandseq_output::run_files::RunFiles;
use nandseq_profile::model::{PayloadField, PhaseKind, Scope};
use nandseq_profile::{BaseId, Block, Die, OpId, Profile, Ticks, builtin};
use nandseq_report::load;
use nandseq_trace::files::{FileKind, Outputs, Stamp};
use tempfile::TempDir;

/// A row of a sequence, as a fault looks at it.
#[derive(Clone, Debug)]
pub(crate) struct PlantedRow {
    pub(crate) uid: u64,
    pub(crate) time: u64,
    pub(crate) op: OpId,
    pub(crate) base: BaseId,
    pub(crate) die: i64,
    pub(crate) planes: Vec<i64>,
    pub(crate) blocks: Vec<i64>,
    /// The most erases of one of its blocks before it.
    pub(crate) erases: usize,
    /// For each of its planes in a phase: the phase, and how much of it has passed, in percent.
    pub(crate) phases: Vec<(BaseId, PhaseKind, u64)>,
}

/// Sites of runs.
pub(crate) struct PlantedCampaign {
    pub(crate) profile: Profile,
    pub(crate) _folder: TempDir,
    pub(crate) sites: Vec<SiteFiles>,
    pub(crate) names: Vec<String>,
    pub(crate) numbers: Vec<u32>,
    /// By site and run.
    pub(crate) rows: Vec<Vec<Vec<PlantedRow>>>,
}

/// What sites and runs a campaign has.
#[derive(Clone, Copy)]
pub(crate) struct CampaignShape {
    pub(crate) sites: u64,
    pub(crate) runs: u64,
    pub(crate) us: u64,
    /// Good blocks of each die.
    pub(crate) blocks: u32,
}

impl PlantedCampaign {
    pub(crate) fn new(shape: CampaignShape) -> Self {
        let profile = builtin::profile();
        let folder = TempDir::new().unwrap();
        let blocks = profile.topology.blocks_per_die;
        let bad = |die: u32| (shape.blocks..blocks).map(move |block| (Die(die as u8), Block(block)));
        let bad: Vec<_> = (0..profile.topology.dies).flat_map(bad).collect();
        let table = probability::of_profile(&profile, probability::DEFAULT_TABLE_SEED);
        let setup = Setup::new(&profile, &table, &bad).unwrap();
        let format = CsvTables::new(&profile).unwrap();
        let stamp: Stamp = "2026-11-22".parse().unwrap();
        let limits = RunLimits { run_until: Ticks::from_us(shape.us), ..RunLimits::default() };
        for number in 1..=shape.sites {
            let path = folder.path().join(format!("site_{number:02}"));
            fs::create_dir_all(&path).unwrap();
            let mut site = Site::new(&setup, 700 + number);
            for run in 1..=shape.runs {
                let mut files =
                    RunFiles::create(&path, &format, Outputs::NONE.with(FileKind::OperationSequence), stamp, run)
                        .unwrap();
                site.run(&limits, &mut files).unwrap();
                files.finish().unwrap();
            }
        }
        let sites = folder::find(folder.path()).unwrap();
        let rows = sites.iter().map(|site| rows_of(&profile, site)).collect();
        let names = (1..=shape.sites).map(|number| format!("site {number}")).collect();
        let numbers = (1..=shape.sites as u32).collect();
        Self { profile, _folder: folder, sites, names, numbers, rows }
    }

    pub(crate) fn base(&self, name: &str) -> BaseId {
        self.profile.bases.iter_ids().find(|(_, base)| base.name == name).unwrap().0
    }

    /// The outcomes of the runs under a fault, by site and run. The tester names every operation that fails.
    pub(crate) fn play(&self, fault: &PlantedFault<'_>) -> Vec<Vec<RunOutcome>> {
        let mut draws = Draws(fault.seed);
        let mut of_run = |site: usize, rows: &[PlantedRow]| {
            let noise = draws.below(1_000_000) < fault.noise;
            let at = draws.below(rows.len() as u64) as usize;
            let hits = |row: &usize| {
                (fault.is_hit)(site, rows, *row) && draws.below(1_000_000) < fault.probability || noise && *row == at
            };
            let uids: Vec<u64> = (0..rows.len()).filter(hits).map(|row| rows[row].uid).collect();
            if uids.is_empty() { RunOutcome::Passed } else { RunOutcome::Failed(uids) }
        };
        self.rows.iter().enumerate().map(|(site, runs)| runs.iter().map(|rows| of_run(site, rows)).collect()).collect()
    }

    pub(crate) fn diagnose(&self, outcomes: &[Vec<RunOutcome>], metric: Metric) -> Diagnosis {
        let outcome = |site: usize, run: u64| outcomes[site][run as usize - 1].clone();
        let runs = self.tested(&outcome);
        diagnose(&runs, DiagnoseOptions { metric, seed: 1 }).unwrap()
    }

    pub(crate) fn tested<'a>(&'a self, outcome: &'a (dyn Fn(usize, u64) -> RunOutcome + Sync)) -> TestedRuns<'a> {
        TestedRuns {
            profile: &self.profile,
            classes: &[],
            source: &CsvFiles,
            sites: &self.sites,
            site_numbers: &self.numbers,
            site_names: &self.names,
            parts: &[],
            outcome,
        }
    }
}

fn rows_of(profile: &Profile, site: &SiteFiles) -> Vec<Vec<PlantedRow>> {
    let mut erased: HashMap<(i64, i64), usize> = HashMap::new();
    let mut shown: HashMap<(i64, i64), (OpId, u64)> = HashMap::new();
    let of_run = |run: &folder::RunFile| {
        let mut rows = Vec::new();
        load::sequence_rows(profile, &CsvFiles, &run.path, |row| {
            let of = |field| row.targets.iter().filter(move |at| at.fields.contains(field));
            let base = profile.ops[row.op].base;
            let die = row.targets.first().map_or(0, |at| at.die);
            let blocks: Vec<i64> = of(PayloadField::Block).map(|at| at.block).collect();
            let named: Vec<i64> = of(PayloadField::Plane).map(|at| at.plane).collect();
            let all = || (0..i64::from(profile.topology.planes)).collect();
            let planes: Vec<i64> = if named.is_empty() { all() } else { named.clone() };
            let phase = |plane: &i64| shown.get(&(die, *plane)).and_then(|of| phase_at(profile, *of, row.time.0));
            let phases = planes.iter().filter_map(phase).collect();
            let erases = blocks.iter().map(|&block| erased.get(&(die, block)).copied().unwrap_or_default());
            let erases = erases.max().unwrap_or_default();
            if profile.bases[base].name == "ERASE" {
                blocks.iter().for_each(|&block| *erased.entry((die, block)).or_default() += 1);
            }
            if profile.bases[base].affects_state {
                let planes = if profile.bases[base].scope == Scope::PlaneSet { planes } else { all() };
                shown.extend(planes.iter().map(|&plane| ((die, plane), (row.op, row.time.0))));
            }
            let (uid, time, op) = (row.uid, row.time.0, row.op);
            rows.push(PlantedRow { uid, time, op, base, die, planes: named, blocks, erases, phases });
        })
        .unwrap();
        rows
    };
    site.runs.iter().map(of_run).collect()
}

/// The phase of an operation at a time, and how much of it has passed.
fn phase_at(profile: &Profile, (op, start): (OpId, u64), now: u64) -> Option<(BaseId, PhaseKind, u64)> {
    let base = profile.ops[op].base;
    let mut begin = start;
    for (phase, length) in profile.bases[base].phases.iter().zip(&profile.ops[op].durations) {
        if (begin..begin + length.0).contains(&now) {
            return Some((base, phase.kind, (now - begin) * 100 / length.0));
        }
        begin += length.0;
    }
    None
}

/// A fault: an operation that it hits fails with a probability, in millionths, and so does any operation of some runs.
pub(crate) struct PlantedFault<'a> {
    pub(crate) is_hit: &'a dyn Fn(usize, &[PlantedRow], usize) -> bool,
    pub(crate) probability: u64,
    pub(crate) noise: u64,
    pub(crate) seed: u64,
}

/// Numbers that only look random.
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 >> 29) ^ self.0;
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % end
    }
}

/// The last row before `at` of a base on the same die, no longer ago than `gap`.
pub(crate) fn before(rows: &[PlantedRow], at: usize, base: BaseId, gap: u64) -> Option<usize> {
    let own = &rows[at];
    let near = rows[..at].iter().enumerate().rev().take_while(|(_, row)| own.time - row.time <= gap);
    near.into_iter().find(|(_, row)| row.base == base && row.die == own.die).map(|(at, _)| at)
}
