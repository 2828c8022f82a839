//! What written runs did of a test plan: which plan, which run belongs to which phase, and the counts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nandseq_input::folder::SiteFiles;
use nandseq_plan::TestPlan;
use nandseq_profile::Severity;
use nandseq_profile::diagnostic::counted;
use nandseq_report::load::SiteTables;
use nandseq_report::page::ListedMatches;
use nandseq_report::plan::{PlanCounts, PlanReport};
use nandseq_trace::files::Digest;
use nandseq_trace::manifest::Input;
use nandseq_trace::recorded::{path_of, shown};
use rayon::prelude::*;

use crate::failure::{Failure, Problem, note_text, remarks_text, warning_text};
use crate::inputs::{self, ReadPlan};
use crate::written::WrittenRuns;
use crate::{console, origins, tell};

/// The plan that written runs are compared with.
pub(crate) struct ComparedPlan {
    read: ReadPlan,
}

/// What the runs of the sites did of a plan.
pub(crate) struct CountedPlan {
    pub(crate) report: PlanReport,
    /// For each site its matches as a page lists them, in the order in which they are complete; none unless they are asked for.
    pub(crate) matches: Vec<ListedMatches>,
}

impl ComparedPlan {
    /// The plan that a flag names, otherwise the one that the first manifest with a plan names. `None` if there is neither.
    /// A plan of a manifest that is no longer there as it was then is warned of, and is none.
    ///
    /// # Errors
    /// When the plan that the flag names cannot be used.
    pub(crate) fn find(flag: Option<&Path>, found: &WrittenRuns) -> Result<Option<Self>, Failure> {
        if let Some(path) = flag {
            let mut read = inputs::plan(path, &found.profile, &found.profile_text)?;
            if console::is_quiet() {
                read.remarks.retain_at_least(Severity::Warning);
            }
            tell(&remarks_text(&read.source, &read.remarks));
            return Ok(Some(Self { read }));
        }
        let Some(recorded) = found.sites.iter().find_map(|site| origins::of_site(site)?.plan) else { return Ok(None) };
        let path = path_of(&recorded.source);
        // Whatever is no regular file is not opened: a pipe that nobody writes to would block for ever.
        let read = path.is_file().then(|| inputs::plan(&path, &found.profile, &found.profile_text));
        let state = match read {
            Some(Ok(read)) if read.input.sha256 == recorded.sha256 => return Ok(Some(Self { read })),
            Some(_) => "is no longer as it was then",
            None if path.exists() => "is not a regular file",
            None => "is not there",
        };
        let (path, sha256) = (shown(&path), recorded.sha256);
        tell(&warning_text(&format!(
            "the test plan of the runs, `{path}`, {state}: nothing is counted for it; --plan says where it is now (SHA-256 {sha256})"
        )));
        Ok(None)
    }

    /// Counts the runs. Lists the matches of which `shown` has operations, if it is given. Says on stderr which runs were made with
    /// another plan.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub(crate) fn count(&self, found: &WrittenRuns, shown: Option<&[SiteTables]>) -> Result<CountedPlan, Failure> {
        self.say_other_plans(found);
        let plan = &self.read.plan;
        let of_sites: Vec<_> = found
            .sites
            .par_iter()
            .enumerate()
            .map(|(at, site)| {
                let phases = phases_of_runs(site, self.read.input.sha256, plan);
                let phase_of = |run: u64| phases.get(&run).copied();
                let uids = |site: &SiteTables| {
                    ListedMatches::new(site.operations.iter().map(|row| row.uid), plan.scenarios.len())
                };
                let mut listed = shown.and_then(|sites| sites.get(at)).map(uids);
                let take = |one| {
                    if let Some(listed) = &mut listed {
                        listed.add(one);
                    }
                };
                let counts = PlanCounts::of_site(&found.profile, plan, &*found.source, site, phase_of, take);
                counts.map(|counts| (counts, listed))
            })
            .collect();
        let (mut sites, mut matches) = (Vec::new(), Vec::new());
        for site in of_sites {
            let (counts, of_site) = site.map_err(|error| found.unreadable(error))?;
            sites.push(counts);
            matches.extend(of_site);
        }
        let report = PlanReport::new(&found.profile, plan, &self.read.input.source, &sites);
        Ok(CountedPlan { report, matches })
    }

    fn say_other_plans(&self, found: &WrittenRuns) {
        let mut others: BTreeMap<String, (Input, usize)> = BTreeMap::new();
        let plans = found.sites.iter().filter_map(|site| origins::of_site(site)?.plan);
        for plan in plans.filter(|plan| plan.sha256 != self.read.input.sha256) {
            others.entry(plan.sha256.to_string()).or_insert((plan, 0)).1 += 1;
        }
        for (plan, sites) in others.into_values() {
            let (sites, path) = (counted(sites as u64, "folder"), path_of(&plan.source));
            tell(&note_text(&format!(
                "the runs in {sites} were made with another test plan, `{}` (SHA-256 {}): every scenario counts in all of them",
                shown(&path),
                plan.sha256
            )));
        }
    }
}

/// The phases of a site's runs, by their index in a plan. None for runs that were made with another plan.
fn phases_of_runs(site: &SiteFiles, plan: Digest, phases: &TestPlan) -> BTreeMap<u64, usize> {
    let is_same = origins::of_site(site).is_some_and(|origin| origin.plan.is_some_and(|own| own.sha256 == plan));
    let named = if is_same { origins::phases_of_runs(site) } else { BTreeMap::new() };
    let index = |name: &str| phases.phases.iter().position(|phase| phase.name == name);
    named.into_iter().filter_map(|(run, name)| Some((run, index(&name)?))).collect()
}

/// Checks that there are rows in which scenarios can be found. `files` are files of counts, which have none.
///
/// # Errors
/// When a plan is named and no runs are.
pub(crate) fn with_rows(plan: Option<&Path>, found: &WrittenRuns, files: &[PathBuf]) -> Result<(), Failure> {
    if plan.is_none() || files.is_empty() {
        return Ok(());
    }
    if found.sites.is_empty() {
        let problem = Problem::new("files of counts have no rows in which the scenarios of a plan could be found");
        return Err(problem.help("name the folders of the runs").into());
    }
    tell(&warning_text("for the plan, only runs in folders are counted: files of counts have no rows"));
    Ok(())
}
