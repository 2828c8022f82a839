//! Small campaigns in folders that vanish, and faults that are planted in them.
//!
//! A fault is a predicate on the rows before an operation. What it needs of them it reads for itself.

use std::fs;

use nandseq_diagnose::{DiagnoseOptions, Diagnosis, Metric, RunOutcome, TestedRuns, diagnose};
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_input::CsvFiles;
use nandseq_input::folder::{self, SiteFiles};
use nandseq_output::csv_tables::CsvTables;
use nandseq_output::run_files::RunFiles;
use nandseq_profile::{BaseId, Block, Die, Profile, Ticks, builtin};
use nandseq_report::load;
use nandseq_trace::files::{FileKind, Outputs, Stamp};
use tempfile::TempDir;

/// A row of a sequence, as a fault looks at it.
#[derive(Clone, Debug)]
pub(crate) struct PlantedRow {
    pub(crate) uid: u64,
    pub(crate) time: u64,
    pub(crate) base: BaseId,
    pub(crate) die: i64,
    pub(crate) plane: i64,
    pub(crate) block: i64,
    /// Erases of the block before it.
    pub(crate) erases: usize,
}

/// Sites of runs.
pub(crate) struct PlantedCampaign {
    pub(crate) profile: Profile,
    pub(crate) _folder: TempDir,
    pub(crate) sites: Vec<SiteFiles>,
    pub(crate) names: Vec<String>,
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
        Self { profile, _folder: folder, sites, names, rows }
    }

    pub(crate) fn base(&self, name: &str) -> BaseId {
        self.profile.bases.iter_ids().find(|(_, base)| base.name == name).unwrap().0
    }

    /// The outcomes of the runs under a fault, by site and run.
    pub(crate) fn play(&self, fault: &PlantedFault<'_>) -> Vec<Vec<RunOutcome>> {
        let mut draws = Draws(fault.seed);
        let mut of_run = |site: usize, rows: &[PlantedRow]| {
            let noise = draws.below(1_000_000) < fault.noise;
            let at = draws.below(rows.len() as u64) as usize;
            let hits = |row: usize, draws: &mut Draws| {
                (fault.is_hit)(site, rows, row) && draws.below(1_000_000) < fault.probability
            };
            let first = (0..rows.len()).find(|&row| (noise && row == at) || hits(row, &mut draws));
            first.map_or(RunOutcome::Passed, |row| RunOutcome::Failed(Some(rows[row].uid)))
        };
        self.rows.iter().enumerate().map(|(site, runs)| runs.iter().map(|rows| of_run(site, rows)).collect()).collect()
    }

    pub(crate) fn diagnose(&self, outcomes: &[Vec<RunOutcome>], metric: Metric) -> Diagnosis {
        let outcome = |site: usize, run: u64| outcomes[site][run as usize - 1];
        let runs = self.tested(&outcome);
        diagnose(&runs, DiagnoseOptions { metric, seed: 1 }).unwrap()
    }

    pub(crate) fn tested<'a>(&'a self, outcome: &'a dyn Fn(usize, u64) -> RunOutcome) -> TestedRuns<'a> {
        TestedRuns {
            profile: &self.profile,
            classes: &[],
            source: &CsvFiles,
            sites: &self.sites,
            site_names: &self.names,
            outcome,
        }
    }
}

fn rows_of(profile: &Profile, site: &SiteFiles) -> Vec<Vec<PlantedRow>> {
    let erases = |base: BaseId| profile.bases[base].name == "ERASE";
    let mut erased: Vec<(i64, i64)> = Vec::new();
    let of_run = |run: &folder::RunFile| {
        let mut rows = Vec::new();
        load::sequence_rows(profile, &CsvFiles, &run.path, |row| {
            let at = row.targets.first().copied().unwrap_or_default();
            let base = profile.ops[row.op].base;
            let count = erased.iter().filter(|&&block| block == (at.die, at.block)).count();
            if erases(base) {
                erased.extend(row.targets.iter().map(|at| (at.die, at.block)));
            }
            rows.push(PlantedRow {
                uid: row.uid,
                time: row.time.0,
                base,
                die: at.die,
                plane: at.plane,
                block: at.block,
                erases: count,
            });
        })
        .unwrap();
        rows
    };
    site.runs.iter().map(of_run).collect()
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
