//! What the subcommands that look at written runs have in common: the profile, the sites, the table in force.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use nandseq_generate::probability::Distributions;
use nandseq_profile::Profile;
use nandseq_reach::Start;
use nandseq_report::LoadError;
use nandseq_trace::named::NamedOutput;
use nandseq_trace::read::folder::{self, Forms, SiteFiles};
use nandseq_trace::read::table::TableKind;
use nandseq_trace::read::{STANDARD_INPUT, Source};

use crate::arguments::GenerateArgs;
use crate::arguments::reports::ReadDeviceArgs;
use crate::failure::{Failure, Problem, warning_text};
use crate::hint::{self, Hint, profile_flags};
use crate::plan::table::{Table, Wanted};
use crate::{inputs, tell, verify, warnings};

/// Runs that were written, and what they were made from.
pub(crate) struct Written {
    /// The flags that say which profile it is.
    flags: Vec<OsString>,
    pub(crate) profile: Profile,
    pub(crate) sites: Vec<SiteFiles>,
    /// What reads the tables, in whatever form they are.
    pub(crate) source: Box<dyn Source>,
    /// The probability table in force, if a manifest says how to get it.
    pub(crate) table: Option<Distributions>,
    /// Whether the bootstrap came first.
    bootstrap: bool,
}

impl Written {
    /// Finds the runs below `paths`; says on stderr what is not as their manifests say.
    pub(crate) fn find(paths: &[PathBuf], device: &ReadDeviceArgs) -> Result<Self, Failure> {
        let read = inputs::profile(device.config.as_deref(), device.lenient)?;
        tell(&warnings::of_profile(&read, &hint::check(device.config.as_deref(), device.lenient)));
        if paths.iter().any(|path| path == Path::new(STANDARD_INPUT)) {
            let problem = Problem::new("a sequence from standard input has no tables beside it");
            return Err(problem.help("name a folder or a file; `nandseqgen verify -` judges a sequence alone").into());
        }
        let sites = folder::find_all(paths, Forms::CsvAndParquet).map_err(verify::nothing_to_judge)?;
        given_once(&sites)?;
        let source = source(&read.profile, &sites)?;
        let mut made_with = None;
        for site in &sites {
            let changed = folder::compare(&site.listed).map_err(verify::nothing_to_judge)?;
            for damage in changed.iter().chain(&site.damage) {
                let text = format!("`{}`: {}", damage.file.display(), damage.what);
                tell(&warning_text(&text));
            }
            if let Some(origin) = verify::origin(site) {
                verify::same_profile(&origin, &read.profile)?;
                if made_with.is_none() {
                    made_with = made_with_of(&origin.arguments, device, &read.profile);
                }
            }
        }
        let (table, bootstrap) = made_with.map_or((None, false), |(table, bootstrap)| (Some(table), bootstrap));
        Ok(Self {
            flags: profile_flags(device.config.as_deref(), device.lenient),
            profile: read.profile,
            sites,
            source,
            table,
            bootstrap,
        })
    }
}

/// What to do about something that is given twice.
pub(crate) const ONCE: &str = "name each file or folder once; folders below one that is named are found";

/// Whether no site is there twice, under whatever paths: its runs would count twice.
pub(crate) fn given_once(sites: &[SiteFiles]) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    for site in sites {
        let folder = fs::canonicalize(&site.folder).unwrap_or_else(|_| site.folder.clone());
        if !seen.insert(folder) {
            let problem = Problem::new(format!("`{}` is given twice", site.folder.display()));
            return Err(problem.help(ONCE).into());
        }
    }
    Ok(())
}

/// What reads the tables of some sites.
#[cfg(feature = "parquet")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature it may fail")]
pub(crate) fn source(profile: &Profile, _: &[SiteFiles]) -> Result<Box<dyn Source>, Failure> {
    Ok(Box::new(nandseq_parquet::AnyFiles::new(profile)))
}

/// What reads the tables of some sites: those in CSV.
#[cfg(not(feature = "parquet"))]
pub(crate) fn source(_: &Profile, sites: &[SiteFiles]) -> Result<Box<dyn Source>, Failure> {
    let mut runs = sites.iter().flat_map(|site| &site.runs);
    match runs.find(|run| folder::is_parquet(&run.path)) {
        Some(run) => {
            let problem = Problem::new(format!("`{}`: this program was built without Parquet", run.path.display()));
            Err(problem.help("build it with its default features, or write the runs as CSV").into())
        }
        None => Ok(Box::new(nandseq_trace::read::CsvFiles)),
    }
}

impl Written {
    /// Whether every run has some tables; `what` cannot do without them.
    pub(crate) fn with_tables(&self, kinds: &[TableKind], what: &str) -> Result<(), Failure> {
        for run in self.sites.iter().flat_map(|site| &site.runs) {
            let lacks = |kind: &&TableKind| !run.tables.iter().any(|table| table.kind == **kind);
            if let Some(kind) = kinds.iter().find(lacks) {
                let name = kind.name();
                let problem = Problem::new(format!("no {name} lies beside `{}`", run.path.display()));
                return Err(problem.help(format!("{what} from that table: generate it too (--outputs)")).into());
            }
        }
        Ok(())
    }
}

/// The table that the arguments of a manifest give, unless a file it was read from is gone.
fn made_with_of(arguments: &[String], device: &ReadDeviceArgs, profile: &Profile) -> Option<(Distributions, bool)> {
    let mut arguments = GenerateArgs::of_manifest(arguments).ok()?;
    if device.config.is_some() {
        arguments.device.config.clone_from(&device.config);
    }
    let wanted = Wanted::of_generate(&arguments);
    let table = Table::resolve(&wanted, profile, &mut String::new()).ok()?;
    Some((table.distributions, wanted.bootstrap(profile)))
}

impl Written {
    /// What the devices started with, as far as it is known.
    pub(crate) fn start(&self) -> Start<'_> {
        Start { bootstrap: self.bootstrap, ..Start::default() }
    }

    /// What was written cannot be read.
    pub(crate) fn unreadable(&self, error: LoadError) -> Failure {
        let problem = Problem::new(error.to_string());
        match error {
            LoadError::Find(error) => verify::nothing_to_judge(error),
            LoadError::Io { path, error } => Problem::unreadable("the file", &path, &error).into(),
            LoadError::File { path, .. } | LoadError::Row { path, .. } => {
                let site = self.sites.iter().map(|site| &*site.folder).find(|folder| path.starts_with(folder));
                let verify = Hint::new("verify").flags(&self.flags).operand(site.unwrap_or(&path));
                problem.help(format!("`{verify}` says everything that is wrong with it")).into()
            }
        }
    }
}

/// Writes what the user named with a flag: [`NamedOutput`] says how. Returns its bytes, or `None` when it went to standard output, where
/// nothing else should be said then.
pub(crate) fn write(
    path: &Path,
    flag: &'static str,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<Option<u64>, Failure> {
    let written = || {
        let output = NamedOutput::create(path)?;
        let is_stdout = output.is_stdout();
        let mut out = BufWriter::new(output);
        fill(&mut out)?;
        let bytes = out.into_inner().map_err(io::IntoInnerError::into_error)?.commit()?;
        Ok((!is_stdout).then_some(bytes))
    };
    written().map_err(|reason| Failure::cannot_write(path, reason).placed_by(flag))
}
