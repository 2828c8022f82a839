//! Going on from snapshots.
//!
//! Promises that a site goes on only from a state that is complete and its own: of the same profile, seeds and flags as far as they
//! decide bytes. Which runs are there is what the ledger or the manifest says, never what files lie around.

use std::fs;
use std::path::{Path, PathBuf};

use nandseq_generate::{Setup, Site, SiteState, Snapshot, SnapshotError};
use nandseq_trace::files::FileKind;
use nandseq_trace::manifest::{Origin, ProfileInput, RunRecord, SiteManifest};

use nandseq_profile::diagnostic::counted;

use crate::failure::{Failure, Problem};
use crate::ledger::{self, Known};
use crate::plan::{Plan, SitePlan};

/// Flags whose values may differ: how far to go, and where inputs lie whose contents are compared.
const FREE_FLAGS: [&str; 4] = ["--num-runs", "--config", "--badlist", "--op-state-probs"];

/// Where a site begins.
#[derive(Debug)]
pub(super) struct Start {
    /// What its manifest says so far.
    pub(super) manifest: SiteManifest,
    /// Its state; `None` for a fresh device, or when no run is left.
    pub(super) state: Option<SiteState>,
    /// The index of the run that comes next.
    pub(super) next_run: u64,
    /// What is worth saying.
    pub(super) remarks: Vec<String>,
}

impl Start {
    fn fresh(head: SiteManifest) -> Self {
        Self { manifest: head, state: None, next_run: 0, remarks: Vec::new() }
    }
}

/// Finds where a site of a plan begins; `head` is its manifest without runs.
pub(super) fn find(plan: &Plan, site: &SitePlan, head: SiteManifest, setup: &Setup) -> Result<Start, Failure> {
    let Some(resume) = &plan.resume else { return Ok(Start::fresh(head)) };
    if resume.is_file() {
        let state = load(resume, plan, site, setup).map_err(|refusal| refusal.failure(resume))?;
        let known = known_at(&plan.folder_of(site))?.filter(|known| difference(plan, &known.manifest, &head).is_none());
        return Ok(go_on(head, known.map_or_else(Vec::new, |known| known.manifest.runs), state, Vec::new()));
    }
    let folder = resume.join(&site.folder);
    let Some(known) = known_at(&folder)? else {
        return unlisted(plan, site, head, setup, &folder);
    };
    if let Some(difference) = difference(plan, &known.manifest, &head) {
        let message = format!("`{}` holds runs of another campaign: {difference}", folder.display());
        return Err(Problem::new(message).help("use the flags of that campaign, or another folder").into());
    }
    let done = known.manifest.runs.last().map_or(0, |run| run.run_index + 1);
    if done > plan.num_runs {
        let message = format!(
            "`{}` has {} already, more than --num-runs {}",
            folder.display(),
            counted(done, "run"),
            plan.num_runs
        );
        return Err(Problem::new(message).help("ask for as many runs, or for more").into());
    }
    if done == plan.num_runs {
        return Ok(Start {
            manifest: with_runs(head, known.manifest.runs),
            state: None,
            next_run: done,
            remarks: Vec::new(),
        });
    }
    let mut remarks = Vec::new();
    for run in known.manifest.runs.iter().rev() {
        let Some(file) = run.files.iter().find(|file| file.kind == FileKind::Snapshot) else { continue };
        let path = file.file.under(&folder);
        let path = path.map_err(|reason| Problem::unreadable("what is known of the runs in", &folder, &reason))?;
        match load(&path, plan, site, setup) {
            Ok(state) => return Ok(go_on(head, known.manifest.runs, state, remarks)),
            Err(refusal) => remarks.push(refusal.passed_over(&path)?),
        }
    }
    Ok(Start { remarks, ..Start::fresh(head) })
}

/// The state after the last of these runs, of a site that has no run left; `None` where no snapshot can be used.
pub(super) fn last_state(plan: &Plan, site: &SitePlan, runs: &[RunRecord], setup: &Setup) -> Option<SiteState> {
    let file = runs.last()?.files.iter().find(|file| file.kind == FileKind::Snapshot)?;
    load(&file.file.under(&plan.folder_of(site)).ok()?, plan, site, setup).ok()
}

/// A folder without ledger and manifest: the newest snapshot that is good.
fn unlisted(plan: &Plan, site: &SitePlan, head: SiteManifest, setup: &Setup, folder: &Path) -> Result<Start, Failure> {
    let mut remarks = Vec::new();
    for path in snapshots(folder).into_iter().rev() {
        match load(&path, plan, site, setup) {
            Ok(state) => return Ok(go_on(head, Vec::new(), state, remarks)),
            Err(refusal) => remarks.push(refusal.passed_over(&path)?),
        }
    }
    Ok(Start { remarks, ..Start::fresh(head) })
}

/// The snapshots in a site's folder, in order of their runs.
fn snapshots(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = folder.join("snapshots").read_dir() else { return Vec::new() };
    let run = |path: &Path| {
        let name = path.file_name()?.to_str()?.strip_prefix("state_snapshot_")?.strip_suffix(".json")?.to_owned();
        name.rsplit_once('_')?.1.parse::<u64>().ok()
    };
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut found: Vec<(u64, PathBuf)> = paths.filter_map(|path| Some((run(&path)?, path))).collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

/// Whether there is anything of the plan's sites to go on from.
pub(crate) fn is_there(resume: &Path, sites: &[SitePlan]) -> bool {
    resume.is_file()
        || sites.iter().any(|site| {
            let folder = resume.join(&site.folder);
            matches!(ledger::read(&folder), Ok(Some(_))) || !snapshots(&folder).is_empty()
        })
}

/// The stamp of the files that are there, so that going on uses it too.
pub(crate) fn stamp(resume: &Path, sites: &[SitePlan]) -> Option<nandseq_trace::files::Stamp> {
    let in_name = |path: &Path| {
        let name = path.file_name()?.to_str()?.strip_prefix("state_snapshot_")?.to_owned();
        ledger::stamp(name.rsplit_once('_')?.0)
    };
    if resume.is_file() {
        return in_name(resume);
    }
    sites.iter().find_map(|site| {
        let folder = resume.join(&site.folder);
        let known = ledger::read(&folder).ok().flatten().and_then(|known| known.stamp);
        known.or_else(|| snapshots(&folder).last().and_then(|path| in_name(path)))
    })
}

/// What the runs that are there say of their profile, so that going on calls it the same.
pub(crate) fn profile(resume: &Path, sites: &[SitePlan]) -> Option<ProfileInput> {
    let known = |site: &SitePlan| ledger::read(&resume.join(&site.folder)).ok().flatten();
    sites.iter().find_map(known).map(|known| known.manifest.origin.profile)
}

fn known_at(folder: &Path) -> Result<Option<Known>, Failure> {
    let unreadable = |reason| Problem::unreadable("what is known of the runs in", folder, &reason);
    Ok(ledger::read(folder).map_err(unreadable)?)
}

/// The start from a state, with the runs before it as far as they are known.
fn go_on(head: SiteManifest, mut runs: Vec<RunRecord>, state: SiteState, remarks: Vec<String>) -> Start {
    runs.retain(|run| run.run_index < state.run);
    if runs.last().is_none_or(|last| last.run_index + 1 != state.run) {
        runs.clear();
    }
    Start { manifest: with_runs(head, runs), next_run: state.run, state: Some(state), remarks }
}

fn with_runs(head: SiteManifest, runs: Vec<RunRecord>) -> SiteManifest {
    SiteManifest { runs, ..head }
}

/// Why a snapshot is not used.
enum Refusal {
    Unreadable(std::io::Error),
    Refused(SnapshotError),
    Impossible(String),
}

impl Refusal {
    /// The user named this snapshot.
    fn failure(self, path: &Path) -> Failure {
        match self {
            Self::Unreadable(reason) => Problem::unreadable("the snapshot", path, &reason).into(),
            Self::Refused(error) => refused(path, &error.to_string(), help(&error)),
            Self::Impossible(what) => refused(path, &format!("it was altered: {what}"), HELP_DAMAGED),
        }
    }

    /// One of several: what is damaged is passed over, what belongs to something else is not.
    fn passed_over(self, path: &Path) -> Result<String, Failure> {
        match self {
            Self::Refused(SnapshotError::Cut(_) | SnapshotError::Altered(_) | SnapshotError::Foreign)
            | Self::Unreadable(_)
            | Self::Impossible(_) => {
                let why = match self {
                    Self::Unreadable(reason) => format!("it cannot be read: {reason}"),
                    Self::Refused(error) => error.to_string(),
                    Self::Impossible(what) => format!("it was altered: {what}"),
                };
                Ok(format!("the snapshot `{}` is passed over: {why}", path.display()))
            }
            Self::Refused(SnapshotError::Newer(_) | SnapshotError::Other { .. }) => Err(self.failure(path)),
        }
    }
}

const HELP_DAMAGED: &str = "name an earlier one, or the folder: its newest good snapshot is taken";

fn help(error: &SnapshotError) -> &'static str {
    match error {
        SnapshotError::Cut(_) | SnapshotError::Foreign | SnapshotError::Altered(_) => HELP_DAMAGED,
        SnapshotError::Newer(_) => "use that program",
        SnapshotError::Other { .. } => "use the flags and files that it was made with",
    }
}

fn refused(path: &Path, why: &str, help: &str) -> Failure {
    Problem::new(format!("cannot go on from the snapshot `{}`: {why}", path.display())).help(help).into()
}

/// Reads a snapshot and makes sure that the site can go on from it.
fn load(path: &Path, plan: &Plan, site: &SitePlan, setup: &Setup) -> Result<SiteState, Refusal> {
    let bytes = fs::read(path).map_err(Refusal::Unreadable)?;
    let mut snapshot = Snapshot::from_bytes(&bytes).map_err(Refusal::Refused)?;
    plan.in_present_form(&mut snapshot.identity);
    snapshot.check(&plan.identity(site)).map_err(Refusal::Refused)?;
    Site::from_state(setup, site.seeds, &snapshot.state).map_err(|error| Refusal::Impossible(error.to_string()))?;
    Ok(snapshot.state)
}

/// In what two manifests of a site are not of the same campaign.
pub(super) fn difference(plan: &Plan, there: &SiteManifest, here: &SiteManifest) -> Option<String> {
    if there.origin.tool.version != here.origin.tool.version {
        return Some(format!("it was made by version {} of the program", there.origin.tool.version));
    }
    if !plan.is_of(&there.origin.profile) {
        return Some(format!("it is of another profile, `{}`", there.origin.profile.name));
    }
    let digests = |origin: &Origin| {
        let inputs = [&origin.probabilities, &origin.badlist];
        inputs.map(|input| input.as_ref().map(|input| input.sha256))
    };
    if digests(&there.origin) != digests(&here.origin) {
        return Some("the table of probabilities or the list of bad blocks is another".to_owned());
    }
    let (theirs, ours) = (settings(&there.origin.arguments), settings(&here.origin.arguments));
    if theirs == ours {
        return None;
    }
    let only = |these: &[String], others: &[String]| {
        let list: Vec<&str> = these.iter().filter(|one| !others.contains(one)).map(String::as_str).collect();
        if list.is_empty() { "nothing of the kind".to_owned() } else { format!("`{}`", list.join(" ")) }
    };
    Some(format!("{} there, {} here", only(&theirs, &ours), only(&ours, &theirs)))
}

/// Flags with their values, but for those that may differ.
fn settings(arguments: &[String]) -> Vec<String> {
    let mut settings: Vec<String> = Vec::new();
    for argument in arguments {
        match settings.last_mut() {
            Some(flag) if !argument.starts_with("--") => {
                flag.push(' ');
                flag.push_str(argument);
            }
            Some(_) | None => settings.push(argument.clone()),
        }
    }
    let name = |setting: &str| setting.split(' ').next().unwrap_or_default().to_owned();
    settings.retain(|setting| !FREE_FLAGS.contains(&name(setting).as_str()));
    settings
}
