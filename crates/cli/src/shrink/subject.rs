//! What is shrunk: a run of a site, with everything that happened to the device before.

use std::path::PathBuf;

use nandseq_device::Tables;
use nandseq_input::folder::{SiteFiles, number_of};
use nandseq_input::{ReadError, SequenceReader};
use nandseq_profile::builtin;
use nandseq_shrink::{HistoryError, HistoryReader, SequenceHistory};
use nandseq_trace::files::{Digest, Stamp};
use nandseq_trace::manifest::{Origin, ProfileInput, SCHEMA, SEQUENTIAL, SiteManifest, Tool};
use nandseq_trace::recorded::{recorded, shown};
use nandseq_trace::run_name::RunName;

use crate::arguments::OF_SHRINK;
use crate::arguments::shrink::ShrinkArgs;
use crate::bad_blocks::{BadBlocks, Lists};
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::site_list::SiteList;
use crate::written::WrittenRuns;
use crate::{bad_blocks, beginnings, inputs, ledger, origins};

/// A run that failed.
pub(super) struct ShrinkSubject {
    pub(super) found: WrittenRuns,
    pub(super) bad_blocks: BadBlocks,
    /// The runs of its site up to it.
    site: SiteFiles,
    /// The number of its site, if sites are numbered.
    number: Option<u64>,
    pub(super) run: u64,
}

impl ShrinkSubject {
    /// Finds the run that the flags name.
    pub(super) fn find(arguments: &ShrinkArgs) -> Result<Self, Failure> {
        let mut found = WrittenRuns::find(std::slice::from_ref(&arguments.path), &arguments.device, None)?;
        let site = site_of(&mut found, arguments.site)?;
        let number = number_of(&site);
        let mut site = beginnings::found(vec![site], &[])?.remove(0);
        let there: Vec<u64> = site.runs.iter().map(|run| run.run).collect();
        let run = arguments.run.or(there.last().copied()).unwrap_or(1);
        if !there.contains(&run) {
            let problem = Problem::new(format!("there is no run {run} in `{}`", shown(&site.folder)));
            return Err(problem.help(format!("the runs are {}", SiteList::of(&there))).into());
        }
        site.runs.retain(|one| one.run <= run);
        if !site.runs.iter().map(|one| one.run).eq(1..=run) {
            let message =
                format!("runs before run {run} are missing in `{}`: it goes on from them", shown(&site.folder));
            return Err(Problem::new(message).help("name the folder that has all runs of the site").into());
        }
        let origin = origins::of_site(&site).or_else(|| bad_blocks::beside(&site));
        let mut lists = Lists::new(None, &found.stated)?;
        let bad_blocks = lists.of(origin.and_then(|origin| origin.badlist).as_ref())?;
        Ok(Self { found, bad_blocks, site, number, run })
    }

    /// The operations of the site up to the end of the run.
    pub(super) fn history<'t>(&'t self, tables: &'t Tables) -> Result<SequenceHistory<'t>, Failure> {
        let profile = &self.found.profile;
        let mut reader = HistoryReader::new(profile, tables, &self.bad_blocks);
        for run in &self.site.runs {
            let unreadable = |reason| Failure::from(Problem::unreadable("the sequence", &run.path, &reason));
            let input = self.found.source.open(&run.path).map_err(unreadable)?;
            let mut rows = SequenceReader::new(profile, input).map_err(|error| match error {
                ReadError::Io(reason) => unreadable(reason),
                ReadError::Header(header) => {
                    Problem::new(format!("`{}` is no sequence: {header}", shown(&run.path))).into()
                }
            })?;
            while let Some(row) = rows.next_row().map_err(unreadable)? {
                let taken = match row {
                    Ok(row) => reader.row(run.run, &row),
                    Err(bad) => Err(HistoryError::Row { run: run.run, row: bad.row, what: bad.fault.to_string() }),
                };
                taken.map_err(|error| {
                    let verify = Hint::new("verify").flags(&self.found.flags).operand(&self.site.folder);
                    Problem::new(format!("`{}` cannot be shrunk: {error}", shown(&run.path)))
                        .help(format!("`{verify}` says everything that is wrong with it"))
                })?;
            }
        }
        Ok(reader.finish())
    }

    /// The date in the names of the run's files.
    pub(super) fn stamp(&self) -> Stamp {
        let last = self.site.runs.last().and_then(|run| RunName::parse(run.path.file_name()?.to_str()?));
        last.and_then(|name| name.stamp).unwrap_or_else(|| Stamp::from_days_since_1970(0))
    }

    /// The manifest of a sequence that was made from the run, without its runs. `site` is its number in a batch.
    pub(super) fn manifest(&self, site: Option<u64>) -> SiteManifest {
        let known = ledger::read(&self.site.folder).ok().flatten().map(|known| known.manifest);
        let stated = known.as_ref().map(|known| known.origin.clone()).or_else(|| bad_blocks::beside(&self.site));
        let flags = Origin::arguments_of(self.found.expectations);
        let tool = Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        let (profile, badlist) = match stated {
            Some(origin) => (origin.profile, origin.badlist),
            None => (self.profile_input(), None),
        };
        SiteManifest {
            schema: SCHEMA,
            origin: Origin {
                tool,
                profile,
                probabilities: None,
                badlist,
                plan: None,
                phase_runs: None,
                arguments: std::iter::once(OF_SHRINK.to_owned()).chain(flags).collect(),
            },
            site,
            seed_formula: known.as_ref().map_or_else(|| SEQUENTIAL.to_owned(), |known| known.seed_formula.clone()),
            site_seed: known.map_or(0, |known| known.site_seed),
            runs: Vec::new(),
        }
    }

    fn profile_input(&self) -> ProfileInput {
        let text = &self.found.profile_text;
        let is_built_in = text.name == builtin::NAME;
        let source = if is_built_in { inputs::BUILT_IN.to_owned() } else { recorded(&PathBuf::from(&text.name)) };
        let name = self.found.stated.name.clone();
        let sha256 = Digest::of(text.text.as_bytes());
        let resolved_sha256 = self.found.stated.hash_expecting(self.found.expectations);
        ProfileInput { name, source, sha256, resolved_sha256 }
    }

    /// The failure that the run itself passes.
    pub(super) fn never_fails(&self, why: &str) -> Failure {
        let site = self.number.map_or_else(String::new, |number| format!("site {number}, "));
        let problem = Problem::new(format!("{site}run {} does not fail: {why}", self.run));
        let help = "what is shrunk must fail when it is tried again; an intermittent fault needs --repeat. Nothing is kept of this \
                    answer: the same command asks again";
        problem.help(help).into()
    }
}

/// The site that a flag names, or the only one.
fn site_of(found: &mut WrittenRuns, wanted: Option<u64>) -> Result<SiteFiles, Failure> {
    let numbers: Vec<Option<u64>> = found.sites.iter().map(number_of).collect();
    let there = || SiteList::of(&numbers.iter().flatten().copied().collect::<Vec<_>>());
    let at = match wanted {
        Some(site) => numbers.iter().position(|number| *number == Some(site)).ok_or_else(|| {
            Problem::new(format!("there is no site {site}")).help(format!("the sites are {}", there()))
        })?,
        None if numbers.len() == 1 => 0,
        None => {
            let problem = Problem::new("there are several sites, and one is shrunk");
            return Err(problem.help(format!("choose one with --site: {}", there())).into());
        }
    };
    Ok(found.sites.swap_remove(at))
}
