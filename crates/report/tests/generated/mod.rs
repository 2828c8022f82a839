//! Runs made for tests.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_input::CsvFiles;
use nandseq_input::folder::{self, SiteFiles};
use nandseq_output::csv_tables::CsvTables;
use nandseq_output::run_files::RunFiles;
use nandseq_profile::{OpId, PhaseKey, Profile, Ticks};
use nandseq_report::load::{self, SiteTables, Wanted};
use nandseq_trace::files::{Outputs, Stamp};
use nandseq_trace::{Cut, Operation, Proposal, Sink};
use tempfile::TempDir;

/// Sites of runs, in a folder that vanishes.
pub(crate) struct Generated {
    pub(crate) folder: TempDir,
    /// For each site and operation the proposal it comes from: time, die, plane.
    pub(crate) proposals: Vec<BTreeMap<u64, (Ticks, u8, u8)>>,
}

/// A sink that also notes where operations come from.
struct Noted<'n, S> {
    inner: S,
    proposals: &'n mut BTreeMap<u64, (Ticks, u8, u8)>,
}

impl<S: Sink> Sink for Noted<'_, S> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let Proposal { time, die, plane, .. } = *operation.proposal;
        self.proposals.insert(operation.uid, (time, die.0, plane.0));
        self.inner.operation(operation)
    }

    fn still_suspended(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.inner.still_suspended(operation)
    }

    fn cut(&mut self, uid: u64, at: Ticks, cut: Cut) -> io::Result<()> {
        self.inner.cut(uid, at, cut)
    }

    fn resumed(&mut self, uid: u64, from: Ticks, busy_end: Ticks, end: Ticks) -> io::Result<()> {
        self.inner.resumed(uid, from, busy_end, end)
    }
}

/// The table of a profile.
pub(crate) fn table(profile: &Profile) -> Vec<(PhaseKey, Vec<(OpId, f64)>)> {
    probability::of_profile(profile, probability::DEFAULT_TABLE_SEED)
}

/// Makes sites of runs of so many µs.
pub(crate) fn generate(profile: &Profile, sites: u64, runs: u64, us: u64) -> Generated {
    let setup = Setup::new(profile, &table(profile), &[]).unwrap();
    let format = CsvTables::new(profile).unwrap();
    let stamp: Stamp = "2026-11-22".parse().unwrap();
    let limits = RunLimits { run_until: Ticks::from_us(us), bootstrap: true, ..RunLimits::default() };
    let mut generated = Generated { folder: TempDir::new().unwrap(), proposals: Vec::new() };
    for number in 1..=sites {
        let folder = generated.folder.path().join(format!("site_{number:02}"));
        fs::create_dir_all(&folder).unwrap();
        let mut site = Site::new(&setup, 100 + number);
        let mut proposals = BTreeMap::new();
        for run in 1..=runs {
            let inner = RunFiles::create(&folder, &format, Outputs::ALL, stamp, run).unwrap();
            let mut sink = Noted { inner, proposals: &mut proposals };
            site.run(&limits, &mut sink).unwrap();
            sink.inner.finish().unwrap();
        }
        generated.proposals.push(proposals);
    }
    generated
}

impl Generated {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn files(&self) -> Vec<SiteFiles> {
        folder::find(self.path()).unwrap()
    }

    pub(crate) fn tables(&self, profile: &Profile) -> Vec<SiteTables> {
        self.files().iter().map(|site| load::site(profile, &CsvFiles, site, Wanted::ALL).unwrap()).collect()
    }
}
