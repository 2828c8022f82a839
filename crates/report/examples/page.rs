//! Writes the page of runs of the built-in device: `page DIR OUTPUT [VERDICT]`, with the time it took.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use nandseq_generate::probability;
use nandseq_input::CsvFiles;
use nandseq_input::folder;
use nandseq_profile::builtin;
use nandseq_report::load::{self, Wanted};
use nandseq_report::page::{self, PageSubject, VerifierVerdict};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, output, verdict @ ..] = arguments.as_slice() else { return Err("page DIR OUTPUT [VERDICT]".into()) };
    let profile = builtin::profile();
    let begin = Instant::now();
    let files = folder::find(Path::new(folder))?;
    let sites =
        files.iter().map(|site| load::site(&profile, &CsvFiles, site, Wanted::ALL)).collect::<Result<Vec<_>, _>>()?;
    let read = begin.elapsed();
    let table = probability::of_profile(&profile, probability::DEFAULT_TABLE_SEED);
    let verdict =
        verdict.first().map(|path| Ok::<_, Box<dyn Error>>(VerifierVerdict::read(&fs::read(path)?)?)).transpose()?;
    let subject = PageSubject {
        profile: &profile,
        sites: &sites,
        table: Some(&table),
        verdict: verdict.as_ref(),
        fails: None,
        tool: "nandseqgen",
        figures: &[],
        cut: "",
        plan: None,
        suspects: None,
    };
    let mut out = BufWriter::new(File::create(output)?);
    page::write(&subject, &mut out)?;
    out.flush()?;
    let (bytes, rows) = (fs::metadata(output)?.len(), sites.iter().map(|site| site.operations.len()).sum::<usize>());
    writeln!(std::io::stderr(), "{rows} operations, {bytes} bytes: read in {read:?}, all in {:?}", begin.elapsed())?;
    Ok(())
}
