//! `nandseqgen verify`: judges written sequences and shows what breaks which rule.
//!
//! Sites are judged in parallel; what is printed does not depend on it. A sequence alone is enough; where a manifest lies
//! beside it, the profile and the bad blocks must be those it names.

use nandseq_input::ReadError;
use nandseq_input::folder::{self, FindError, SiteFiles};
use nandseq_profile::Profile;
use nandseq_trace::manifest::{Origin, ProfileInput};
use nandseq_trace::recorded::{path_of, shell_word};
use nandseq_verify::{Options, Report, SiteReport, Unusable, judge_site};
use rayon::prelude::*;

use crate::arguments::{ReportFormat, VerifyArgs};
use crate::bad_blocks::{BadBlocks, Lists};
use crate::execute::threads;
use crate::failure::{Failure, Problem};
use crate::json::Of;
use crate::plan::Plan;
use crate::{bad_blocks, console, inputs, json, ledger, profiles, unfinished, written};

/// Judges everything the arguments name.
pub(crate) fn run(arguments: &VerifyArgs) -> Result<(), Failure> {
    let mut sites = folder::find_all(&arguments.paths, written::FORMS).map_err(nothing_to_judge)?;
    written::given_once(&sites)?;
    let (read, _) = written::profile(arguments.config.as_deref(), arguments.lenient, &sites)?;
    let source = written::source(&read.profile, &sites)?;
    match (arguments.format, sites.first_mut()) {
        (ReportFormat::Json, Some(_)) => {
            let unfinished = unfinished::campaigns(&arguments.paths, &sites);
            sites[0].notes.extend(unfinished);
        }
        (ReportFormat::Json | ReportFormat::Text, _) => unfinished::warn(&arguments.paths, &sites),
    }
    let mut lists = Lists::new(arguments.badlist.as_deref(), &read.profile)?;
    let sites = sites.into_iter().map(|site| with_bad_blocks(site, &mut lists, &read.profile));
    let sites: Vec<(SiteFiles, BadBlocks)> = sites.collect::<Result<_, _>>()?;
    let max_findings = arguments.max_findings;
    let options = Options { bad_blocks: &[], source: &*source, max_findings, progress: None };
    let report = judge(&read.profile, sites, &options, arguments.jobs)?;
    match arguments.format {
        // Findings are what the program is for; that there are none is said by the exit code too.
        ReportFormat::Text if console::is_quiet() && report.is_clean() => {}
        ReportFormat::Text => profiles::print(&report.to_string())?,
        ReportFormat::Json => json::print(&Of::command("verify", &report.json()))?,
    }
    if report.is_clean() { Ok(()) } else { Err(Failure::Found) }
}

/// A site with the bad blocks it is judged by; its profile must be the one that its manifest names.
fn with_bad_blocks(
    mut site: SiteFiles,
    lists: &mut Lists<'_>,
    profile: &Profile,
) -> Result<(SiteFiles, BadBlocks), Failure> {
    let origin = origin(&site);
    if let Some(origin) = &origin {
        same_profile(origin, profile)?;
    }
    let beside = if origin.is_none() && lists.are_recorded() { bad_blocks::beside(&site) } else { None };
    let beside = beside.and_then(|origin| origin.badlist);
    if let Some(list) = &beside {
        let list = path_of(&list.source);
        site.notes.push(format!("the bad blocks are those of `{}`, as the manifest beside it says", list.display()));
    }
    let recorded = origin.and_then(|origin| origin.badlist).or(beside);
    let blocks = lists.of(recorded.as_ref())?;
    Ok((site, blocks))
}

/// Findings of each rule that are shown in full when what was generated is judged at once.
const SHOWN: usize = 5;

/// Judges what a plan has just written, and nothing else that may lie in its folders.
pub(crate) fn judge_written(plan: &Plan) -> Result<Report, Failure> {
    let mut sites = Vec::new();
    for site in &plan.sites {
        let folder = plan.folder_of(site);
        let found = folder::find_forms(&folder, written::FORMS).map_err(nothing_to_judge)?;
        sites.extend(found.into_iter().filter(|site| site.folder == folder));
    }
    let source = written::source(&plan.profile, &sites)?;
    let bad_blocks = BadBlocks::from(&*plan.bad_blocks);
    let sites = sites.into_iter().map(|site| (site, bad_blocks.clone())).collect();
    let options = Options { bad_blocks: &[], source: &*source, max_findings: SHOWN, progress: None };
    judge(&plan.profile, sites, &options, plan.jobs)
}

/// Judges sites in parallel, each by its own bad blocks.
fn judge(
    profile: &Profile,
    sites: Vec<(SiteFiles, BadBlocks)>,
    options: &Options<'_>,
    jobs: Option<u64>,
) -> Result<Report, Failure> {
    let one = |(site, bad_blocks): (SiteFiles, BadBlocks)| {
        judge_site(profile, site, &Options { bad_blocks: &bad_blocks, ..*options })
    };
    let judged: Vec<Result<SiteReport, Unusable>> =
        threads(jobs)?.install(|| sites.into_par_iter().with_max_len(1).map(one).collect());
    let sites = judged.into_iter().collect::<Result<Vec<_>, _>>().map_err(unusable)?;
    Ok(Report { profile: profile.name.clone(), max_findings: options.max_findings, sites })
}

/// What to do about a manifest of another form.
pub(crate) const OTHER_VERSION: &str = "use the version that wrote it";

pub(crate) fn nothing_to_judge(error: FindError) -> Failure {
    match error {
        FindError::Io { path, error } => Problem::unreadable("the sequences in", &path, &error),
        error @ FindError::Nothing { .. } => {
            Problem::new(error.to_string()).help("name a sequence file, the folder of a site, or that of a batch")
        }
        error @ FindError::Refused { other_version: true, .. } => Problem::new(error.to_string()).help(OTHER_VERSION),
        error @ FindError::Refused { .. } => {
            Problem::new(error.to_string()).help("nothing of it was read: somebody changed this manifest")
        }
        error @ FindError::Twice(_) => Problem::new(error.to_string()).help(written::ONCE),
        error @ FindError::TwoFiles { .. } => {
            Problem::new(error.to_string()).help("a manifest.json beside them would say which one counts")
        }
    }
    .into()
}

fn unusable(error: Unusable) -> Failure {
    match error {
        Unusable::Find(error) => nothing_to_judge(error),
        Unusable::Read { path, error: ReadError::Io(reason) } => Problem::unreadable("the file", &path, &reason).into(),
        error @ Unusable::Read { error: ReadError::Header(_), .. } => Problem::new(error.to_string()).into(),
    }
}

/// Where a site's manifest, or the ledger of one that is not finished, says it comes from. One that cannot be understood is part of the
/// verdict; sequences that were named one by one are judged without.
pub(crate) fn origin(site: &SiteFiles) -> Option<Origin> {
    if site.listed.is_empty() && !site.is_unfinished {
        return None;
    }
    ledger::read(&site.folder).ok().flatten().map(|known| known.manifest.origin)
}

/// A sequence can only be judged by the profile it was made for.
pub(crate) fn same_profile(origin: &Origin, profile: &Profile) -> Result<(), Failure> {
    if profile.has_hash(&origin.profile.resolved_sha256, &origin.profile.name) {
        return Ok(());
    }
    let message = format!("the manifest says that this was made for another profile, `{}`", origin.profile.name);
    Err(Problem::new(message).help(which_profile(&origin.profile)).into())
}

/// What to do where it was the built-in device.
pub(crate) const LEAVE_CONFIG_OUT: &str = "it was the built-in device: leave --config out";

/// How to name the profile that a manifest names.
pub(crate) fn which_profile(profile: &ProfileInput) -> String {
    if profile.source == inputs::BUILT_IN {
        return LEAVE_CONFIG_OUT.to_owned();
    }
    let (sha256, path, named) = (profile.sha256, path_of(&profile.source), shell_word(&profile.source));
    if !path.is_file() {
        format!("{named}, as the manifest calls it, is not there: --config says where it is now (SHA-256 {sha256})")
    } else if folder::digest_of(&path).is_ok_and(|digest| digest != sha256) {
        format!("{named} has changed since: --config names it as it was then (SHA-256 {sha256})")
    } else {
        format!("name that profile, as it was then (SHA-256 {sha256}): --config {named}")
    }
}
