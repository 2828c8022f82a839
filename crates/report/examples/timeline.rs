//! Writes the timeline of runs of the built-in device: `timeline perfetto|vcd DIR OUTPUT`.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use nandseq_input::CsvFiles;
use nandseq_input::folder;
use nandseq_profile::builtin;
use nandseq_report::load::{self, Wanted};
use nandseq_report::{perfetto, vcd};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [form, folder, output] = arguments.as_slice() else { return Err("timeline perfetto|vcd DIR OUTPUT".into()) };
    let profile = builtin::profile();
    let files = folder::find(Path::new(folder))?;
    let sites =
        files.iter().map(|site| load::site(&profile, &CsvFiles, site, Wanted::ALL)).collect::<Result<Vec<_>, _>>()?;
    let out = BufWriter::new(File::create(output)?);
    match form.as_str() {
        "perfetto" => perfetto::write(&profile, &sites, out)?,
        "vcd" => vcd::write(&profile, &sites, out)?,
        _ => return Err("perfetto or vcd".into()),
    }
    Ok(())
}
