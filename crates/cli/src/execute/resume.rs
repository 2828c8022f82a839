//! Going on from snapshots.
//!
//! Promises that a site goes on only from a state that is complete and its own: of the same profile, seeds and flags as far as they
//! decide bytes. Which runs are there is what the ledger or the manifest says, never what files lie around; a file that it lists and
//! that is gone is made again, or said to be gone.

mod missing;

use nandseq_trace::recorded::shown;
use std::io::{self, Read};
use std::path::Path;

use nandseq_generate::{Setup, Site, SiteState, Snapshot, SnapshotError};
use nandseq_input::{CsvFiles, Source as _};
use nandseq_trace::files::{FileKind, Outputs};
use nandseq_trace::manifest::{RunRecord, SiteManifest};

use nandseq_profile::diagnostic::counted;

use super::batch;
use super::difference::{self, is_same_campaign};
use super::folders::is_same_place;
use crate::failure::{Failure, Problem, plain};
use crate::ledger::{self, KnownRuns};
use crate::plan::{Plan, SitePlan};
use crate::site_files::{has_files, snapshots};

/// Where a site begins.
#[derive(Debug)]
pub(super) struct SiteStart {
    /// What its manifest says so far.
    pub(super) manifest: SiteManifest,
    /// Its state; `None` for a fresh device, or when no run is left.
    pub(super) state: Option<SiteState>,
    /// The index of the run that comes next.
    pub(super) next_run: u64,
    /// Runs that lack files: they are made again first, and then it is to be found out anew where to begin.
    pub(super) again: Option<Again>,
    /// What is worth saying.
    pub(super) remarks: Vec<String>,
    /// Why its folder must not be written into: files of runs are there, and nothing says of which campaign they are. Once the work has
    /// begun, and manifests have gone, it says nothing.
    unproven: Option<Problem>,
}

/// Runs that are made again.
#[derive(Debug)]
pub(super) struct Again {
    /// Which, by index, in order, and which files of theirs are gone.
    pub(super) runs: Vec<(u64, Outputs)>,
    /// All runs that the folder's manifest lists.
    pub(super) listed: Vec<RunRecord>,
}

impl Again {
    /// What the manifest lists of a run.
    pub(super) fn record(&self, run_index: u64) -> Option<&RunRecord> {
        let at = self.listed.partition_point(|run| run.run_index < run_index);
        self.listed.get(at).filter(|run| run.run_index == run_index)
    }
}

impl SiteStart {
    fn fresh(head: SiteManifest) -> Self {
        Self { manifest: head, state: None, next_run: 0, again: None, remarks: Vec::new(), unproven: None }
    }

    /// The start as it is found before anything is touched.
    pub(super) fn before_work(self) -> Result<Self, Failure> {
        self.unproven.map_or_else(|| Ok(Self { unproven: None, ..self }), |problem| Err(problem.into()))
    }
}

/// What a site goes on from.
struct ResumeSource {
    /// What it is called in messages.
    name: String,
    /// The runs that are done there.
    done: u64,
    /// `None`: no state can be used; its runs are made from the first.
    state: Option<SiteState>,
    remarks: Vec<String>,
    /// Its runs, if they lie where the site's files go.
    here: Option<Vec<RunRecord>>,
}

/// Finds where a site of a plan begins; `head` is its manifest without runs.
pub(super) fn find(plan: &Plan, site: &SitePlan, head: SiteManifest, setup: &Setup) -> Result<SiteStart, Failure> {
    let Some(resume) = &plan.resume else { return Ok(SiteStart::fresh(head)) };
    if resume.is_file() {
        let state = load(resume, plan, site, setup).map_err(|refusal| refusal.failure(resume))?;
        let name = format!("the snapshot `{}`", shown(resume));
        let source = ResumeSource { name, done: state.run, state: Some(state), remarks: Vec::new(), here: None };
        return begin_after(plan, site, head, source);
    }
    let folder = if site.folder.is_empty() { resume.clone() } else { resume.join(&site.folder) };
    let Some(known) = known_at(&folder)? else {
        return unlisted(plan, site, head, setup, &folder);
    };
    if let Some(difference) = difference::between(plan, &known.manifest, &head) {
        return Err(difference.failure(&folder).into());
    }
    let runs = &known.manifest.runs;
    let done = runs.last().map_or(0, |run| run.run_index + 1);
    let is_here = is_same_place(&folder, &plan.folder_of(site));
    let (mut state, mut remarks) = (None, Vec::new());
    if done < plan.num_runs {
        state = newest_good(plan, site, setup, (&folder, runs, is_here), &mut remarks)?;
    }
    let name = format!("`{}`", shown(&folder));
    let here = is_here.then_some(known.manifest.runs);
    begin_after(plan, site, head, ResumeSource { name, done, state, remarks, here })
}

/// Where a site begins that goes on from a source: what lies elsewhere is gone on from; the manifest here lists what is here,
/// and is not replaced if it is of another campaign.
fn begin_after(plan: &Plan, site: &SitePlan, head: SiteManifest, source: ResumeSource) -> Result<SiteStart, Failure> {
    let folder = plan.folder_of(site);
    let is_here = source.here.is_some();
    let here = match source.here {
        Some(here) => here,
        None => {
            let known = known_at(&folder)?.map(|known| known.manifest);
            match known.as_ref().and_then(|there| difference::between(plan, there, &head)) {
                Some(difference) if source.done < plan.num_runs => return Err(difference.failure(&folder).into()),
                Some(_) => Vec::new(),
                None => known.map_or_else(Vec::new, |there| there.runs),
            }
        }
    };
    let done_here = here.last().map_or(0, |run| run.run);
    for (name, done) in [(&source.name, source.done), (&format!("`{}`", shown(&folder)), done_here)] {
        if done > plan.num_runs {
            let message =
                format!("{name} has {} already, more than --num-runs {}", counted(done, "run"), plan.num_runs);
            return Err(Problem::new(message).help("ask for as many runs, or for more").into());
        }
    }
    let mut start = match source.state {
        _ if source.done == plan.num_runs && here.is_empty() => {
            return Err(nothing_left(plan, site, &source.name, source.done));
        }
        _ if source.done == plan.num_runs => {
            SiteStart { next_run: source.done, ..SiteStart::fresh(with_runs(head, here.clone())) }
        }
        Some(state) => go_on(&folder, head, here.clone(), state),
        None => SiteStart { remarks: made_again(&source.name, source.done), ..SiteStart::fresh(head) },
    };
    // Runs that come after a source elsewhere are made anyway.
    let needed = if is_here { &here } else { &start.manifest.runs };
    let unreadable = |reason| Problem::unreadable("what is known of the runs in", &folder, &reason);
    let missing = missing::of(&folder, needed).map_err(unreadable)?;
    start.remarks.extend(source.remarks);
    start.remarks.extend(missing.remark(&folder));
    start.again = (!missing.again.is_empty()).then_some(Again { runs: missing.again, listed: here });
    Ok(start)
}

/// What to say of finished runs that are made again for want of a snapshot.
fn made_again(place: &str, done: u64) -> Vec<String> {
    let runs = match done {
        0 => return Vec::new(),
        1 => "run 1 is".to_owned(),
        done => format!("runs 1 to {done} are"),
    };
    vec![format!("{place} has no snapshot to go on from: {runs} made again")]
}

/// Every run that a site is to have is somewhere else; a manifest that lists none of them helps nobody.
pub(super) fn nothing_left(plan: &Plan, site: &SitePlan, there: &str, done: u64) -> Failure {
    let all = if done == 1 { "the only run is".to_owned() } else { format!("all {done} runs are") };
    let here = plan.folder_of(site);
    let help = "ask for more runs with a larger --num-runs, or go on in that folder itself with --out-dir";
    let leave_out = if plan.sites.len() > 1 { "; --sites chooses sites that have runs left" } else { "" };
    let problem = Problem::new(format!("{all} in {there}; nothing is left to make in `{}`", shown(&here)));
    problem.help(format!("{help}{leave_out}")).into()
}

/// The newest good snapshot of the runs that a folder lists; those that are damaged are remarked on, and those that are gone, unless
/// `says_what_is_gone` promises that somebody else does that.
fn newest_good(
    plan: &Plan,
    site: &SitePlan,
    setup: &Setup,
    (folder, runs, says_what_is_gone): (&Path, &[RunRecord], bool),
    remarks: &mut Vec<String>,
) -> Result<Option<SiteState>, Failure> {
    for run in runs.iter().rev() {
        let Some(file) = run.files.iter().find(|file| file.kind == FileKind::Snapshot) else { continue };
        let path = file.file.under_or_packed(folder);
        let path = path.map_err(|reason| Problem::unreadable("what is known of the runs in", folder, &reason))?;
        match load(&path, plan, site, setup) {
            Ok(state) => return Ok(Some(state)),
            Err(refusal) if says_what_is_gone && refusal.is_gone() => {}
            Err(refusal) => remarks.push(refusal.passed_over(&path)?),
        }
    }
    Ok(None)
}

/// The state from which a run can be made again: that of the newest good snapshot before it, or a fresh device (`None`).
///
/// # Errors
/// When the manifest does not begin with the first run, and no snapshot before this one is good.
pub(super) fn before(
    plan: &Plan,
    site: &SitePlan,
    setup: &Setup,
    listed: &[RunRecord],
    run_index: u64,
) -> Result<Option<SiteState>, Failure> {
    let folder = plan.folder_of(site);
    let earlier = &listed[..listed.partition_point(|run| run.run_index < run_index)];
    let state = newest_good(plan, site, setup, (&folder, earlier, true), &mut Vec::new())?;
    if state.is_none() && listed.first().is_some_and(|first| first.run_index > 0) {
        let run = run_index + 1;
        let message = format!("run {run} in `{}` lacks files, and no snapshot before it is there", shown(&folder));
        return Err(Problem::new(message).help("name the snapshot that this folder began with: --resume FILE").into());
    }
    Ok(state)
}

/// Which of these runs, by index, lack files, so that they are to be made again.
pub(super) fn lacking_files(folder: &Path, runs: &[RunRecord]) -> Vec<u64> {
    let missing = missing::of(folder, runs).unwrap_or_default();
    missing.again.into_iter().map(|(run_index, _)| run_index).collect()
}

/// The state after the last of these runs, of a site that has no run left; `None` where no snapshot can be used.
pub(super) fn last_state(plan: &Plan, site: &SitePlan, runs: &[RunRecord], setup: &Setup) -> Option<SiteState> {
    let file = runs.last()?.files.iter().find(|file| file.kind == FileKind::Snapshot)?;
    load(&file.file.under_or_packed(&plan.folder_of(site)).ok()?, plan, site, setup).ok()
}

/// A folder whose runs nothing lists. In the output folder they are made again: what they wrote is not known. Elsewhere the newest
/// snapshot that is good is a place to go on from.
fn unlisted(
    plan: &Plan,
    site: &SitePlan,
    head: SiteManifest,
    setup: &Setup,
    folder: &Path,
) -> Result<SiteStart, Failure> {
    let found = snapshots(folder);
    if is_same_place(folder, &plan.folder_of(site)) && has_files(folder) {
        let remark = format!(
            "`{}` has no manifest that can be read: its runs are made again from the first; to go on from a snapshot, name it: \
             --resume FILE",
            shown(folder)
        );
        let unproven = unproven(plan, site, folder);
        return Ok(SiteStart { remarks: vec![remark], unproven, ..SiteStart::fresh(head) });
    }
    let mut remarks = Vec::new();
    for path in found.into_iter().rev() {
        match load(&path, plan, site, setup) {
            Ok(state) => {
                let name = format!("`{}`", shown(folder));
                let source = ResumeSource { name, done: state.run, state: Some(state), remarks, here: None };
                return begin_after(plan, site, head, source);
            }
            Err(refusal) => remarks.push(refusal.passed_over(&path)?),
        }
    }
    Ok(SiteStart { remarks, ..SiteStart::fresh(head) })
}

/// Why the files of runs in a folder without a manifest that can be read must not be replaced, unless they are of the plan's campaign: the
/// manifest of the batch lists the site, or another site of the batch has the ledger of an execution that was killed.
fn unproven(plan: &Plan, site: &SitePlan, folder: &Path) -> Option<Problem> {
    let fault = ledger::fault(folder);
    if let Some(batch) = &plan.batch {
        let is_killed = |other: &SitePlan| {
            let known = ledger::unfinished(&plan.folder_of(other)).ok().flatten();
            known.is_some_and(|known| is_same_campaign(plan, &known.manifest, &plan.head(other)))
        };
        if batch::lists(plan, batch, site) || (fault.is_none() && plan.sites.iter().any(is_killed)) {
            return None;
        }
    }
    let why = fault.unwrap_or_else(|| format!("`{}` has no manifest", shown(folder)));
    let message = format!("{why}; nothing says of which campaign the files of runs in `{}` are", shown(folder));
    let help = "put its manifest back, name a snapshot with --resume FILE, or choose another folder with --out-dir; \
                without --resume the files are replaced";
    Some(Problem::new(message).help(help))
}

fn known_at(folder: &Path) -> Result<Option<KnownRuns>, Failure> {
    let unreadable = |reason| Problem::unreadable("what is known of the runs in", folder, &reason);
    Ok(ledger::read(folder).map_err(unreadable)?)
}

/// The start from a state, with the runs before it that are in the site's folder.
fn go_on(folder: &Path, head: SiteManifest, mut runs: Vec<RunRecord>, state: SiteState) -> SiteStart {
    let mut remarks = Vec::new();
    runs.retain(|run| run.run_index < state.run);
    if let Some(last) = runs.last().filter(|last| last.run != state.run) {
        remarks.push(format!(
            "`{}` has the runs up to {} and those from {} on, and none between: its manifest lists the later ones alone",
            shown(folder),
            last.run,
            state.run + 1
        ));
        runs.clear();
    }
    SiteStart { next_run: state.run, state: Some(state), remarks, ..SiteStart::fresh(with_runs(head, runs)) }
}

fn with_runs(head: SiteManifest, runs: Vec<RunRecord>) -> SiteManifest {
    SiteManifest { runs, ..head }
}

/// Why a snapshot is not used.
enum Refusal {
    Unreadable(io::Error),
    Refused(SnapshotError),
    Impossible(String),
}

impl Refusal {
    fn is_gone(&self) -> bool {
        matches!(self, Self::Unreadable(reason) if reason.kind() == io::ErrorKind::NotFound)
    }

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
                    Self::Unreadable(reason) => format!("it cannot be read: {}", plain(&reason)),
                    Self::Refused(error) => error.to_string(),
                    Self::Impossible(what) => format!("it was altered: {what}"),
                };
                Ok(format!("the snapshot `{}` is passed over: {why}", shown(path)))
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
        SnapshotError::Other { .. } if error.is_of_limits() => difference::HELP_LIMITS,
        SnapshotError::Other { .. } => "use the flags and files that it was made with",
    }
}

fn refused(path: &Path, why: &str, help: &str) -> Failure {
    Problem::new(format!("cannot go on from the snapshot `{}`: {why}", shown(path))).help(help).into()
}

/// Reads a snapshot, which may have been packed since, and makes sure that the site can go on from it.
fn load(path: &Path, plan: &Plan, site: &SitePlan, setup: &Setup) -> Result<SiteState, Refusal> {
    let mut bytes = Vec::new();
    let text = CsvFiles.open(path);
    text.and_then(|mut text| text.read_to_end(&mut bytes)).map_err(Refusal::Unreadable)?;
    let mut snapshot = Snapshot::from_bytes(&bytes).map_err(Refusal::Refused)?;
    plan.in_present_form(&mut snapshot.identity);
    snapshot.check(&plan.identity(site)).map_err(Refusal::Refused)?;
    Site::from_state(setup, site.seeds, &snapshot.state).map_err(|error| Refusal::Impossible(error.to_string()))?;
    Ok(snapshot.state)
}
