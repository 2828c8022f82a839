//! `nandseqgen verify`: judges written sequences and shows what breaks which rule.
//!
//! Sites are judged in parallel; what is printed does not depend on it. A sequence alone is enough; where a manifest lies
//! beside it, the profile and the bad blocks must be those it names.

use std::path::{Path, PathBuf};

use nandseq_profile::{Block, Die, Profile};
use nandseq_trace::manifest::{Input, Origin, SiteManifest};
use nandseq_trace::read::ReadError;
use nandseq_trace::read::folder::{self, FindError, Forms, SiteFiles};
use nandseq_trace::recorded::{path_of, recorded, shell_word};
use nandseq_verify::{Options, Report, SiteReport, Unusable, judge_site};
use rayon::prelude::*;

use crate::arguments::{GenerateArgs, ReportFormat, VerifyArgs};
use crate::execute::threads;
use crate::failure::{Failure, Problem};
use crate::hint;
use crate::plan::Plan;
use crate::site_folders::SiteFolders;
use crate::{badlist, console, inputs, ledger, profiles, tell, warnings, written};

/// Judges everything the arguments name.
pub(crate) fn run(arguments: &VerifyArgs) -> Result<(), Failure> {
    let read = inputs::profile(arguments.config.as_deref(), arguments.lenient)?;
    tell(&warnings::of_profile(&read, &hint::check(arguments.config.as_deref(), arguments.lenient)));
    let mut sites = folder::find_all(&arguments.paths, Forms::CsvAndParquet).map_err(nothing_to_judge)?;
    written::given_once(&sites)?;
    for site in &mut sites {
        let note = going_on(site);
        site.notes.extend(note);
    }
    let origins: Vec<Origin> = sites.iter().filter_map(origin).collect();
    for origin in &origins {
        same_profile(origin, &read.profile)?;
    }
    let recorded = origins.first().and_then(|origin| origin.badlist.as_ref());
    let bad_blocks = bad_blocks(arguments, recorded, &read.profile)?;
    let source = written::source(&read.profile, &sites)?;
    let max_findings = arguments.max_findings;
    let options = Options { bad_blocks: &bad_blocks, source: &*source, max_findings, progress: None };
    let report = judge(&read.profile, sites, &options, arguments.jobs)?;
    match arguments.format {
        // Findings are what the program is for; that there are none is said by the exit code too.
        ReportFormat::Text if console::is_quiet() && report.is_clean() => {}
        ReportFormat::Text => profiles::print(&report.to_string())?,
        ReportFormat::Json => profiles::print(&(report.to_json() + "\n"))?,
    }
    if report.is_clean() { Ok(()) } else { Err(Failure::Found) }
}

/// Findings of each rule that are shown in full when what was generated is judged at once.
const SHOWN: usize = 5;

/// Judges what a plan has just written, and nothing else that may lie in its folders.
pub(crate) fn judge_written(plan: &Plan) -> Result<Report, Failure> {
    let mut sites = Vec::new();
    for site in &plan.sites {
        let folder = plan.folder_of(site);
        let found = folder::find_forms(&folder, Forms::CsvAndParquet).map_err(nothing_to_judge)?;
        sites.extend(found.into_iter().filter(|site| site.folder == folder));
    }
    let source = written::source(&plan.profile, &sites)?;
    let options = Options { bad_blocks: &plan.bad_blocks, source: &*source, max_findings: SHOWN, progress: None };
    judge(&plan.profile, sites, &options, plan.jobs)
}

/// Judges sites in parallel.
fn judge(
    profile: &Profile,
    sites: Vec<SiteFiles>,
    options: &Options<'_>,
    jobs: Option<u64>,
) -> Result<Report, Failure> {
    let judged: Vec<Result<SiteReport, Unusable>> = threads(jobs)?
        .install(|| sites.into_par_iter().with_max_len(1).map(|site| judge_site(profile, site, options)).collect());
    let sites = judged.into_iter().collect::<Result<Vec<_>, _>>().map_err(unusable)?;
    Ok(Report { profile: profile.name.clone(), max_findings: options.max_findings, sites })
}

pub(crate) fn nothing_to_judge(error: FindError) -> Failure {
    match error {
        FindError::Io { path, error } => Problem::unreadable("the sequences in", &path, &error),
        error @ FindError::Nothing { .. } => {
            Problem::new(error.to_string()).help("name a sequence file, the folder of a site, or that of a batch")
        }
        error @ FindError::Outside { .. } => {
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
        error @ Unusable::Read { error: ReadError::Header, .. } => Problem::new(error.to_string()).into(),
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

/// What to know of a site that was not finished.
fn going_on(site: &SiteFiles) -> Option<String> {
    let known = ledger::read(&site.folder).ok().flatten().filter(|_| site.is_unfinished)?;
    let folder =
        if known.manifest.site.is_some() { above(&site.folder, &known.manifest)? } else { site.folder.clone() };
    let folder = recorded(&folder);
    let mut words = vec![env!("CARGO_PKG_NAME").to_owned()];
    words.extend(known.manifest.origin.arguments);
    words.extend(["--out-dir".to_owned(), folder.clone(), "--resume".to_owned(), folder]);
    let command: Vec<_> = words.iter().map(|word| shell_word(word)).collect();
    Some(format!("to go on, unless it is being made now: {}", command.join(" ")))
}

/// The output folder of the batch that a site is of, if the site lies where its flags put it.
fn above(folder: &Path, manifest: &SiteManifest) -> Option<PathBuf> {
    let flags = GenerateArgs::of_manifest(&manifest.origin.arguments).ok()?;
    let own = PathBuf::from(SiteFolders::parse(flags.site_dir_pattern()).ok()?.folder(manifest.site?));
    let root = folder.ancestors().nth(own.components().count())?;
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    folder.ends_with(&own).then(|| root.to_owned())
}

/// A sequence can only be judged by the profile it was made for.
pub(crate) fn same_profile(origin: &Origin, profile: &Profile) -> Result<(), Failure> {
    if profile.has_hash(&origin.profile.resolved_sha256, &origin.profile.name) {
        return Ok(());
    }
    let message = format!("the manifest says that this was made for another profile, `{}`", origin.profile.name);
    let source = &origin.profile.source;
    let help = if source == inputs::BUILT_IN {
        "it was the built-in device: leave --config out".to_owned()
    } else {
        format!("name that profile, as it was then: --config {}", shell_word(source))
    };
    Err(Problem::new(message).help(help).into())
}

/// The bad blocks named, or those the manifest names.
fn bad_blocks(
    arguments: &VerifyArgs,
    recorded: Option<&Input>,
    profile: &Profile,
) -> Result<Vec<(Die, Block)>, Failure> {
    let path = match (&arguments.badlist, recorded) {
        (Some(path), _) => path.clone(),
        (None, Some(recorded)) => path_of(&recorded.source),
        (None, None) => return Ok(Vec::new()),
    };
    let changed = || {
        let problem = Problem::new(format!("`{}` is no longer what the manifest says it was", path.display()));
        Failure::from(problem.help("name the list of bad blocks with --badlist"))
    };
    let (source, digest) = inputs::text("the list of bad blocks", &path).map_err(|failure| {
        // A manifest may name any file: it is shown only if it is what it was.
        if matches!(failure, Failure::Faulty(_)) && arguments.badlist.is_none() { changed() } else { failure }
    })?;
    if arguments.badlist.is_none() && recorded.is_some_and(|recorded| recorded.sha256 != digest) {
        return Err(changed());
    }
    badlist::read(&source, profile.topology).map_err(|wrong| Failure::Faulty(Box::new((source, wrong))))
}
