//! Resuming: the run and the state with which each site goes on.
//!
//! A site goes on only from a complete state of its own: of the same profile and seeds, and of the same flags as far as they
//! decide bytes. The ledger or the manifest says which runs exist; other files in the folder do not count. A listed file that is
//! gone is made again, or a remark says that it is gone.

mod missing;

use nandseq_trace::plain_reason;
use nandseq_trace::recorded::shown;
use std::io::{self, Read};
use std::path::Path;

use nandseq_generate::{IdentityPart, SiteState, Snapshot, SnapshotError};
use nandseq_input::{CsvFiles, Source as _, archive};
use nandseq_trace::files::{FileKind, Outputs};
use nandseq_trace::manifest::{self, Origin, RunRecord, SiteManifest};
use nandseq_trace::pack;
use nandseq_trace::run_name::RunName;

use nandseq_profile::diagnostic::counted;
use nandseq_profile::model::Expectations;

use super::batch;
use super::difference::{self, is_same_campaign};
use super::folders::is_same_place;
use super::packs;
use super::setups::Setups;
use crate::campaign::{Campaign, CampaignSite};
use crate::failure::{Failure, Problem};
use crate::ledger::{self, KnownRuns};
use crate::site_files::{has_files, snapshots};

/// Where a site begins.
#[derive(Debug)]
pub(super) struct SiteStart {
    /// Its manifest with the runs that stay.
    pub(super) manifest: SiteManifest,
    /// Its state; `None` for a fresh device, or when no run is left.
    pub(super) state: Option<SiteState>,
    /// The index of the run that comes next.
    pub(super) next_run: u64,
    /// Runs from that on that are there in a pack which is made again with more runs. They stay until it is.
    pub(super) replaced: Vec<RunRecord>,
    /// Runs that lack files. They are made again first; then [`find`] is called once more.
    pub(super) again: Option<Again>,
    /// Remarks for the user.
    pub(super) remarks: Vec<String>,
    /// Why its folder must not be written into: it has files of runs, and no manifest says of which campaign. This counts only
    /// before the work begins, because the work removes manifests.
    unproven: Option<Problem>,
}

/// Runs that are made again.
#[derive(Debug)]
pub(super) struct Again {
    /// The runs by index, in order, each with its missing files.
    pub(super) runs: Vec<(u64, Outputs)>,
    /// All runs that the folder's manifest lists.
    pub(super) listed: Vec<RunRecord>,
}

impl Again {
    /// The record of a run in the manifest.
    pub(super) fn record(&self, run_index: u64) -> Option<&RunRecord> {
        let at = self.listed.partition_point(|run| run.run_index < run_index);
        self.listed.get(at).filter(|run| run.run_index == run_index)
    }
}

impl SiteStart {
    fn fresh(head: SiteManifest) -> Self {
        Self {
            manifest: head,
            state: None,
            next_run: 0,
            replaced: Vec::new(),
            again: None,
            remarks: Vec::new(),
            unproven: None,
        }
    }

    /// Whether the site writes the file of this kind and run.
    pub(super) fn writes(&self, campaign: &Campaign, name: &RunName) -> bool {
        let is_of = |kinds: &Outputs| name.kind.is_none_or(|kind| kinds.contains(kind));
        let is_made_again = |(run, kinds): &(u64, Outputs)| run + 1 == name.run && is_of(kinds);
        let is_new = (self.next_run + 1..=campaign.num_runs).contains(&name.run);
        is_new || self.again.iter().flat_map(|again| &again.runs).any(is_made_again)
    }

    /// The start, if it was found before any file was changed.
    ///
    /// # Errors
    /// When the folder must not be written into.
    pub(super) fn before_work(self) -> Result<Self, Failure> {
        self.unproven.map_or_else(|| Ok(Self { unproven: None, ..self }), |problem| Err(problem.into()))
    }
}

/// The snapshot or folder that a site is resumed from.
struct ResumeSource {
    /// Its name in messages.
    name: String,
    /// Number of runs that are done there.
    done: u64,
    /// `None` if no snapshot can be used or none is needed.
    state: Option<SiteState>,
    remarks: Vec<String>,
    /// Its runs, if it is the folder that the site's files go into.
    here: Option<Vec<RunRecord>>,
}

/// Checks that a path is neither an archive nor leads to what its archive lacks.
fn is_no_archive(resume: &Path) -> Result<(), Failure> {
    if pack::is_archive(resume) {
        let problem = Problem::new(format!("`{}` is an archive, and no snapshot", shown(resume)));
        return Err(problem.help("name a snapshot in it, as the path of the archive, `/` and its name there").into());
    }
    if let (Some((packed, member)), false) = (pack::split(resume), archive::is_file(resume)) {
        let problem = Problem::new(format!("`{}` has no `{member}`", shown(packed)));
        return Err(problem.help("name a snapshot in it, or the folder, whose newest good snapshot is used").into());
    }
    Ok(())
}

/// Finds where a site of a campaign begins; `head` is its manifest without runs.
pub(super) fn find(
    campaign: &Campaign,
    site: &CampaignSite,
    head: SiteManifest,
    setups: &Setups,
) -> Result<SiteStart, Failure> {
    let Some(resume) = &campaign.resume else { return Ok(SiteStart::fresh(head)) };
    is_no_archive(resume)?;
    if archive::is_file(resume) {
        let state = load(resume, campaign, site, setups).map_err(|refusal| refusal.failure(resume))?;
        let name = format!("the snapshot `{}`", shown(resume));
        let source = ResumeSource { name, done: state.run, state: Some(state), remarks: Vec::new(), here: None };
        return begin_after(campaign, site, head, source);
    }
    let folder = if site.folder.is_empty() { resume.clone() } else { resume.join(&site.folder) };
    let Some(known) = known_at(&folder)? else {
        return unlisted(campaign, site, head, setups, &folder);
    };
    if let Some(difference) = difference::between(campaign, &known.manifest, &head) {
        return Err(difference.failure(&folder).into());
    }
    let is_here = is_same_place(&folder, &campaign.folder_of(site));
    let mut state = None;
    let mut remarks: Vec<String> = ledger::cut(&folder, &known.manifest).into_iter().collect();
    let mut runs = known.manifest.runs;
    let mut done = runs.last().map_or(0, |run| run.run_index + 1);
    let mut replaced = Vec::new();
    if done < campaign.num_runs {
        if is_here {
            (runs, replaced) = packs::whole(campaign, &folder, runs, &mut remarks)?;
            done = runs.last().map_or(0, |run| run.run_index + 1);
        }
        let of_packs: Vec<RunRecord>;
        let starts = match campaign.pack.filter(|_| is_here) {
            // The next pack begins where another has ended.
            Some(_) => {
                of_packs = runs.iter().filter(|run| !run.pack.is_empty()).cloned().collect();
                &of_packs
            }
            None => &runs,
        };
        state = newest_good(campaign, site, setups, (&folder, starts, is_here), &mut remarks)?;
    }
    let name = format!("`{}`", shown(&folder));
    let here = is_here.then_some(runs);
    let mut start = begin_after(campaign, site, head, ResumeSource { name, done, state, remarks, here })?;
    if start.next_run == done && lacking_files(&folder, &replaced).is_empty() {
        start.replaced = replaced;
    }
    Ok(start)
}

/// Where a site begins that goes on from a source: what lies elsewhere is gone on from; the manifest here lists what is here,
/// and is not replaced if it is of another campaign.
fn begin_after(
    campaign: &Campaign,
    site: &CampaignSite,
    head: SiteManifest,
    source: ResumeSource,
) -> Result<SiteStart, Failure> {
    let folder = campaign.folder_of(site);
    let is_here = source.here.is_some();
    let here = match source.here {
        Some(here) => here,
        None => {
            let known = known_at(&folder)?.map(|known| known.manifest);
            match known.as_ref().and_then(|there| difference::between(campaign, there, &head)) {
                Some(difference) if source.done < campaign.num_runs => return Err(difference.failure(&folder).into()),
                Some(_) => Vec::new(),
                None => known.map_or_else(Vec::new, |there| there.runs),
            }
        }
    };
    let done_here = here.last().map_or(0, |run| run.run);
    for (name, done) in [(&source.name, source.done), (&format!("`{}`", shown(&folder)), done_here)] {
        if done > campaign.num_runs {
            let (of, help) = if campaign.phases.are_named() {
                ("the phases of the plan have:", "name another folder with --out-dir")
            } else {
                ("--num-runs", "set --num-runs to this number or more")
            };
            let message = format!("{name} has {} already, more than {of} {}", counted(done, "run"), campaign.num_runs);
            return Err(Problem::new(message).help(help).into());
        }
    }
    let mut start = match source.state {
        _ if source.done == campaign.num_runs && here.is_empty() => {
            return Err(nothing_left(campaign, site, &source.name, source.done));
        }
        _ if source.done == campaign.num_runs => {
            SiteStart { next_run: source.done, ..SiteStart::fresh(with_runs(head, here.clone())) }
        }
        Some(state) => go_on(&folder, head, here.clone(), state),
        None => SiteStart { remarks: made_again(&source.name, source.done), ..SiteStart::fresh(head) },
    };
    // Runs that come after a source in another folder are made anyway, so their files are not needed.
    let needed = if is_here { &here } else { &start.manifest.runs };
    let unreadable = |reason| Problem::unreadable("the list of runs in", &folder, &reason);
    let missing = missing::of(&folder, needed).map_err(unreadable)?;
    start.remarks.extend(source.remarks);
    start.remarks.extend(missing.remark(&folder));
    start.again = (!missing.again.is_empty()).then_some(Again { runs: missing.again, listed: here });
    Ok(start)
}

/// The remark about finished runs that are made again because there is no snapshot to go on from.
fn made_again(place: &str, done: u64) -> Vec<String> {
    let runs = match done {
        0 => return Vec::new(),
        1 => "run 1 is".to_owned(),
        done => format!("runs 1 to {done} are"),
    };
    vec![format!("{place} has no snapshot to go on from: {runs} made again")]
}

/// The failure of a site whose runs all exist in another place, so that nothing is left to make.
pub(super) fn nothing_left(campaign: &Campaign, site: &CampaignSite, there: &str, done: u64) -> Failure {
    let all = if done == 1 { "the only run is".to_owned() } else { format!("all {done} runs are") };
    let here = campaign.folder_of(site);
    // The phases of a plan have exactly their runs.
    let help = if campaign.phases.are_named() {
        "go on in that folder itself with --out-dir"
    } else {
        "ask for more runs with a larger --num-runs, or go on in that folder itself with --out-dir"
    };
    let leave_out = if campaign.sites.len() > 1 { "; --sites chooses sites that have runs left" } else { "" };
    let problem = Problem::new(format!("{all} in {there}; nothing is left to make in `{}`", shown(&here)));
    problem.help(format!("{help}{leave_out}")).into()
}

/// The state of the newest good snapshot among the runs that a folder lists. Adds a remark for each damaged snapshot and for each
/// missing one. With `says_what_is_gone` the caller reports the missing ones.
fn newest_good(
    campaign: &Campaign,
    site: &CampaignSite,
    setups: &Setups,
    (folder, runs, says_what_is_gone): (&Path, &[RunRecord], bool),
    remarks: &mut Vec<String>,
) -> Result<Option<SiteState>, Failure> {
    for run in runs.iter().rev() {
        let Some(file) = run.files.iter().find(|file| file.kind == FileKind::Snapshot) else { continue };
        let path = file.file.under_or_packed(folder);
        let path = path.map_err(|reason| Problem::unreadable("the list of runs in", folder, &reason))?;
        match load(&path, campaign, site, setups) {
            Ok(state) => return Ok(Some(state)),
            Err(refusal) if says_what_is_gone && refusal.is_gone() => {}
            Err(refusal) => remarks.push(refusal.passed_over(&path)?),
        }
    }
    Ok(None)
}

/// The state from which a run can be made again: that of the newest good snapshot before it, or `None` for a fresh device.
///
/// # Errors
/// When the manifest does not begin with the first run and no snapshot before this run is good.
pub(super) fn before(
    campaign: &Campaign,
    site: &CampaignSite,
    setups: &Setups,
    listed: &[RunRecord],
    run_index: u64,
) -> Result<Option<SiteState>, Failure> {
    let folder = campaign.folder_of(site);
    let earlier = &listed[..listed.partition_point(|run| run.run_index < run_index)];
    let state = newest_good(campaign, site, setups, (&folder, earlier, true), &mut Vec::new())?;
    if state.is_none() && listed.first().is_some_and(|first| first.run_index > 0) {
        let run = run_index + 1;
        let message = format!("run {run} in `{}` lacks files, and no snapshot before it is there", shown(&folder));
        return Err(Problem::new(message).help("name the snapshot that this folder began with: --resume FILE").into());
    }
    Ok(state)
}

/// Which of these runs, by index, lack files and are to be made again.
pub(super) fn lacking_files(folder: &Path, runs: &[RunRecord]) -> Vec<u64> {
    let missing = missing::of(folder, runs).unwrap_or_default();
    missing.again.into_iter().map(|(run_index, _)| run_index).collect()
}

/// The state after the last of these runs, of a site that has no run left; `None` where no snapshot can be used.
pub(super) fn last_state(
    campaign: &Campaign,
    site: &CampaignSite,
    runs: &[RunRecord],
    setups: &Setups,
) -> Option<SiteState> {
    let file = runs.last()?.files.iter().find(|file| file.kind == FileKind::Snapshot)?;
    load(&file.file.under_or_packed(&campaign.folder_of(site)).ok()?, campaign, site, setups).ok()
}

/// Where a site begins if nothing lists the runs of `folder`. In the site's own folder they are made again, because their files
/// are not known. In another folder the newest good snapshot is the state to go on from.
fn unlisted(
    campaign: &Campaign,
    site: &CampaignSite,
    head: SiteManifest,
    setups: &Setups,
    folder: &Path,
) -> Result<SiteStart, Failure> {
    let found = snapshots(folder)?;
    if is_same_place(folder, &campaign.folder_of(site)) && has_files(folder)? {
        let remark = format!(
            "`{}` has no manifest: its runs are made again from the first; to go on from a snapshot, name it: --resume FILE",
            shown(folder)
        );
        let unproven = unproven(campaign, site, folder);
        return Ok(SiteStart { remarks: vec![remark], unproven, ..SiteStart::fresh(head) });
    }
    let fault = ledger::fault(folder).map(|fault| format!("{fault}; of this site only snapshots are looked at"));
    let mut remarks: Vec<String> = fault.into_iter().collect();
    for path in found.into_iter().rev() {
        match load(&path, campaign, site, setups) {
            Ok(state) => {
                let name = format!("`{}`", shown(folder));
                let source = ResumeSource { name, done: state.run, state: Some(state), remarks, here: None };
                return begin_after(campaign, site, head, source);
            }
            Err(refusal) => remarks.push(refusal.passed_over(&path)?),
        }
    }
    Ok(SiteStart { remarks, ..SiteStart::fresh(head) })
}

/// Why the files of runs in a folder without a manifest must not be replaced; `None` if they are of this campaign. They are if the
/// manifest of the batch lists the site, or another site has the ledger of a killed execution. A damaged manifest is refused
/// elsewhere.
fn unproven(campaign: &Campaign, site: &CampaignSite, folder: &Path) -> Option<Problem> {
    if let Some(batch) = &campaign.batch {
        let is_killed = |other: &CampaignSite| {
            let known = ledger::unfinished(&campaign.folder_of(other)).ok().flatten();
            known.is_some_and(|known| is_same_campaign(campaign, &known.manifest, &campaign.head(other)))
        };
        if batch::lists(campaign, batch, site) || campaign.sites.iter().any(is_killed) {
            return None;
        }
    }
    let folder = shown(folder);
    let message =
        format!("`{folder}` has no manifest; nothing says of which campaign the files of runs in `{folder}` are");
    let help = "put its manifest back, name a snapshot with --resume FILE, or choose another folder with --out-dir; \
                without --resume the files are replaced";
    Some(Problem::new(message).help(help))
}

fn known_at(folder: &Path) -> Result<Option<KnownRuns>, Failure> {
    let unreadable = |reason| Problem::unreadable("the list of runs in", folder, &reason);
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

/// The most bytes that are read of a snapshot: no device has so many blocks.
const LONGEST: u64 = 1 << 30;

/// Why a snapshot is not used.
enum Refusal {
    Unreadable(io::Error),
    Refused(SnapshotError),
    /// It is of the same profile with other expectations: theirs and ours.
    OtherFields([Expectations; 2]),
    Impossible(String),
}

impl Refusal {
    fn is_gone(&self) -> bool {
        matches!(self, Self::Unreadable(reason) if reason.kind() == io::ErrorKind::NotFound)
    }

    /// The failure, if the user named this snapshot.
    fn failure(self, path: &Path) -> Failure {
        match self {
            Self::Unreadable(reason) => Problem::unreadable("the snapshot", path, &reason).into(),
            Self::Refused(error) => refused(path, &error.to_string(), help(&error)),
            Self::OtherFields(of) => {
                let [theirs, ours] = of.map(|of| Origin::arguments_of(of).collect::<Vec<_>>().join(" "));
                let with = |flags: String| match flags.as_str() {
                    "" => "without --expect and --status".to_owned(),
                    flags => format!("with {flags}"),
                };
                let why = format!("it was made {}, and this command makes runs {}", with(theirs), with(ours));
                refused(path, &why, HELP_OTHER)
            }
            Self::Impossible(what) => refused(path, &format!("it was altered: {what}"), HELP_DAMAGED),
        }
    }

    /// The remark, if this is one of several snapshots. A damaged one is passed over; one of another campaign or version is a
    /// failure.
    fn passed_over(self, path: &Path) -> Result<String, Failure> {
        let why = match &self {
            Self::Unreadable(reason) => format!("it cannot be read: {}", plain_reason(reason)),
            Self::Impossible(what) => format!("it was altered: {what}"),
            Self::Refused(error @ (SnapshotError::Cut(_) | SnapshotError::Altered(_) | SnapshotError::Foreign)) => {
                error.to_string()
            }
            Self::Refused(SnapshotError::Newer(_) | SnapshotError::Other { .. }) | Self::OtherFields(_) => {
                return Err(self.failure(path));
            }
        };
        Ok(format!("the snapshot `{}` is passed over: {why}", shown(path)))
    }
}

const HELP_OTHER: &str = "use the flags and files that it was made with";
const HELP_DAMAGED: &str = "name an earlier snapshot, or the folder, whose newest good snapshot is used";

fn help(error: &SnapshotError) -> &'static str {
    match error {
        SnapshotError::Cut(_) | SnapshotError::Foreign | SnapshotError::Altered(_) => HELP_DAMAGED,
        SnapshotError::Newer(_) => "use that program",
        SnapshotError::Other { .. } if error.is_of_limits() => difference::HELP_LIMITS,
        SnapshotError::Other { .. } => HELP_OTHER,
    }
}

fn refused(path: &Path, why: &str, help: &str) -> Failure {
    Problem::new(format!("cannot go on from the snapshot `{}`: {why}", shown(path))).help(help).into()
}

/// Reads a snapshot, packed or not, and checks that the site can go on from it.
fn load(path: &Path, campaign: &Campaign, site: &CampaignSite, setups: &Setups) -> Result<SiteState, Refusal> {
    let mut bytes = Vec::new();
    let is_regular = if pack::split(path).is_some() { Ok(()) } else { manifest::regular(path) };
    let text = is_regular.and_then(|()| CsvFiles.open(path));
    text.and_then(|text| text.take(LONGEST).read_to_end(&mut bytes)).map_err(Refusal::Unreadable)?;
    let mut snapshot = Snapshot::from_bytes(&bytes).map_err(Refusal::Refused)?;
    campaign.in_present_form(&mut snapshot.identity);
    snapshot.check(&campaign.identity(site)).map_err(|error| {
        let is_of_profile = matches!(error, SnapshotError::Other { what: IdentityPart::Profile, .. });
        let theirs = if is_of_profile { campaign.expectations_of(&snapshot.identity) } else { None };
        let ours = campaign.head(site).origin.expectations();
        theirs.map_or(Refusal::Refused(error), |theirs| Refusal::OtherFields([theirs, ours]))
    })?;
    setups.site(site, Some(&snapshot.state)).map_err(|error| Refusal::Impossible(error.to_string()))?;
    Ok(snapshot.state)
}
