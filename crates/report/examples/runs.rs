//! Writes runs of the built-in device for trying reports on: `runs DIR SITES RUNS MICROSECONDS`.

use std::error::Error;
use std::fs;
use std::path::Path;

use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_output::csv_tables::CsvTables;
use nandseq_output::run_files::RunFiles;
use nandseq_profile::{Ticks, builtin};
use nandseq_trace::files::{Outputs, Stamp};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, sites, runs, us] = arguments.as_slice() else { return Err("runs DIR SITES RUNS MICROSECONDS".into()) };
    let profile = builtin::profile();
    let table = probability::of_profile(&profile, probability::DEFAULT_TABLE_SEED);
    let setup = Setup::new(&profile, &table, &[])?;
    let format = CsvTables::new(&profile)?;
    let stamp: Stamp = "2026-11-22".parse()?;
    let limits = RunLimits { run_until: Ticks::from_us(us.parse()?), bootstrap: true, ..RunLimits::default() };
    for site_id in 1..=sites.parse::<u64>()? {
        let folder = Path::new(folder).join(format!("site_{site_id:02}"));
        fs::create_dir_all(&folder)?;
        let mut site = Site::new(&setup, 41 + site_id);
        for run in 1..=runs.parse::<u64>()? {
            let mut files = RunFiles::create(&folder, &format, Outputs::ALL, stamp, run)?;
            site.run(&limits, &mut files)?;
            files.finish()?;
        }
    }
    Ok(())
}
