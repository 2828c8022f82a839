//! `nandseqgen replay`: makes again what a manifest lists, and compares the files.
//!
//! Existing files are not changed. At most one run of each site is on the disk twice: a run that was made again is removed as
//! soon as it is compared. The rest is removed when the program ends, unless it is killed. A difference is shown with its file
//! and first row.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use nandseq_input::folder::digest_of;
use nandseq_input::{CsvFiles, Source};
use nandseq_output::pending::folder_of;
use nandseq_profile::diagnostic::{counted, printable};
use nandseq_trace::file_form::{FileForm, Numbering};
use nandseq_trace::files::Digest;
use nandseq_trace::inside;
use nandseq_trace::manifest::{self, BatchManifest, Fault, FileRecord, ManifestKind, Origin, RunRecord, SiteManifest};
use nandseq_trace::plain_reason;
use nandseq_trace::recorded::{path_of, recorded as recorded_path, shown};
use serde::Serialize;

use crate::absent::Absences;
use crate::arguments::{GenerateArgs, OF_SHRINK, ReplayArgs, ReportFormat, flags_of_manifest};
use crate::campaign::{Campaign, CampaignSite, resolve};
use crate::failure::{Failure, Problem, note_text, warning_text};
use crate::hint::Hint;
use crate::interrupt::{WorkFolder, stop_on_signals};
use crate::origins::{self, OTHER_VERSION, OtherInput, inputs_of};
use crate::progress::Progress;
use crate::site_list::{SiteList, is_of_batch, lists_in};
use crate::{console, execute, extended, inputs, json, shrunk, tell, terminal, unfinished};

/// Number of characters of a row that are shown.
const SHOWN: usize = 160;
/// Number of bytes of a row that are compared at once.
const LONGEST: u64 = 1 << 16;
/// Number of differences that are shown; all are counted.
const MOST: usize = 50;

/// The recorded runs to compare with.
struct Recorded {
    origin: Origin,
    /// The folder and the runs of each site, by number; a single device has none.
    sites: BTreeMap<Option<u64>, (PathBuf, Vec<RunRecord>)>,
    /// The name that each of them gives the profile: parts of a batch may have been made from files of different names.
    profile_names: BTreeMap<Option<u64>, String>,
    /// Differences that are found before anything is made.
    differences: Vec<String>,
}

/// Runs `nandseqgen replay`.
pub(crate) fn run(arguments: &ReplayArgs) -> Result<(), Failure> {
    make_again(arguments).map_err(|failure| failure.placed_by("--work-dir"))
}

fn make_again(arguments: &ReplayArgs) -> Result<(), Failure> {
    let recorded = Recorded::read(&arguments.manifest, arguments)?;
    recorded.lies_inside()?;
    recorded.lists_runs(&arguments.manifest)?;
    unfinished_beside(&file_of(&arguments.manifest)).iter().for_each(|unfinished| tell(&warning_text(unfinished)));
    // The handler is set before the folder exists, so that an interruption removes the folder.
    let stop = stop_on_signals()?;
    let work = temporary(arguments.work_dir.as_deref())?;
    let campaign = campaign(arguments, &recorded, work.path())?;
    let progress = Progress::new(&campaign);
    let absences = Absences::new(&campaign);
    let comparison = ReplayComparison {
        recorded: &recorded,
        only: arguments.run,
        files: AtomicU64::new(0),
        compared: Mutex::new(BTreeMap::new()),
    };
    let done = execute::execute(
        &campaign,
        &progress,
        &stop,
        Some(&|site, folder, run| comparison.run(site, folder, run)),
        &absences,
    );
    progress.close();
    let place = work.path().parent().unwrap_or(Path::new("."));
    done.map_err(|stopped| stopped.failure.without_going_on().in_folder(place))?;
    conclude(arguments, &recorded, comparison)
}

/// Prints the result.
fn conclude(arguments: &ReplayArgs, recorded: &Recorded, comparison: ReplayComparison<'_>) -> Result<(), Failure> {
    let files = comparison.files.into_inner();
    let mut compared = comparison.compared.into_inner().unwrap_or_else(PoisonError::into_inner);
    let runs = compared.len() as u64;
    for (site, (folder, listed)) in &recorded.sites {
        for run in listed.iter().map(|run| run.run).filter(|run| arguments.run.is_none_or(|only| only == *run)) {
            let missing = || vec![format!("run {run} in `{}` was not made again", shown(folder))];
            compared.entry((*site, run)).or_insert_with(missing);
        }
    }
    let differences: Vec<&String> = recorded.differences.iter().chain(compared.values().flatten()).collect();
    match arguments.format {
        ReportFormat::Text => terminal::print(&text(&differences, files, runs))?,
        ReportFormat::Json => {
            let result = Comparing {
                schema: 1,
                command: "replay",
                version: env!("CARGO_PKG_VERSION"),
                manifest: recorded_path(&arguments.manifest),
                files,
                runs,
                equal: differences.is_empty(),
                differences: &differences,
            };
            json::print(&result)?;
        }
    }
    if differences.is_empty() { Ok(()) } else { Err(Failure::Found) }
}

/// The result as JSON.
#[derive(Serialize)]
struct Comparing<'d> {
    schema: u32,
    command: &'static str,
    version: &'static str,
    /// The manifest that was replayed.
    manifest: String,
    /// Number of files that were compared.
    files: u64,
    /// Number of runs that were compared.
    runs: u64,
    equal: bool,
    /// All differences, in order of sites and runs.
    differences: &'d [&'d String],
}

/// The result as text; empty if nothing differs and the user asked for quiet.
fn text(differences: &[&String], files: u64, runs: u64) -> String {
    let made = format!("{} of {} made again: ", counted(files, "file"), counted(runs, "run"));
    if differences.is_empty() {
        return if console::is_quiet() { String::new() } else { made + "all as the manifest says\n" };
    }
    let most = if console::is_verbose() { usize::MAX } else { MOST };
    let mut text: String = differences.iter().take(most).map(|difference| format!("{difference}\n")).collect();
    let count = differences.len();
    if count > most {
        text.push_str(&format!("and {} more: -v shows all\n", count - most));
    }
    text + &format!("{made}{}\n", counted(count as u64, "difference"))
}

/// A folder that is removed when the work is done.
fn temporary(place: Option<&Path>) -> Result<WorkFolder, Failure> {
    let place = place.map_or_else(std::env::temp_dir, Path::to_owned);
    WorkFolder::new(&place).map_err(|reason| Failure::cannot_write(&place, reason))
}

/// The campaign that makes the recorded runs again.
fn campaign(arguments: &ReplayArgs, recorded: &Recorded, work: &Path) -> Result<Campaign, Failure> {
    let is_shrunk = recorded.origin.arguments.first().is_some_and(|first| first == OF_SHRINK);
    let mut flags = flags_of_manifest(&recorded.origin.arguments).map_err(|error| {
        let problem =
            Problem::new(format!("the arguments in `{}` cannot be used: {error}", shown(&arguments.manifest)));
        problem.help(if is_shrunk {
            shrunk::instead_of_replay(&arguments.manifest)
        } else {
            "replay it with the version that wrote it".to_owned()
        })
    })?;
    flags.output.out_dir = work.to_owned();
    // The manifest decides which runs are made. It must not decide which other files are written, read or removed.
    flags.table.autofill_pc |= std::mem::take(&mut flags.table_file.refresh_op_state_probs);
    // No file is read for a table that is built. A file that was once written need not exist any more.
    flags.table.op_state_probs = flags.table.op_state_probs.filter(|_| !flags.table.autofill_pc);
    flags.start.resume = None;
    (flags.output.clean, flags.output.pack) = (false, None);
    flags.sites.jobs = arguments.jobs;
    if arguments.config.is_some() {
        flags.device.config.clone_from(&arguments.config);
        // The profile is compared with that of the manifest, in whatever form it is.
        flags.device.lenient = true;
    }
    if arguments.sites.is_some() {
        if flags.sites.site_count == 0 && flags.sites.sites.is_none() {
            return Err(Problem::new("--sites chooses from a batch, and this manifest is of one device").into());
        }
        flags.sites.sites.clone_from(&arguments.sites);
        flags.sites.shard = None;
    }
    recorded_inputs_are_files(&flags, arguments)?;
    let profile = path_of(&recorded.origin.profile.source);
    if arguments.config.is_none() && recorded.origin.profile.source != inputs::BUILT_IN && !profile.exists() {
        let message = format!("the profile `{}` that the manifest names is not there", shown(&profile));
        return Err(Problem::new(message).help("say with --config PATH where it is now").into());
    }
    let mut remarks = String::new();
    let campaign = resolve(&flags, &mut remarks);
    let mut campaign = campaign.map_err(|failure| without_contents(failure, &recorded.origin, arguments))?;
    // The number of runs is not set by a flag: the bootstrap depends on the number that was asked for.
    campaign.num_runs = runs(arguments, recorded)?;
    same_inputs(&recorded.origin, &campaign)?;
    tell(&remarks);
    campaign.call_profile_as(&recorded.origin.profile);
    for site in &mut campaign.sites {
        site.profile_name = recorded.profile_names.get(&site.site).cloned();
    }
    let version = &recorded.origin.tool.version;
    if version != env!("CARGO_PKG_VERSION") {
        tell(&warning_text(&format!("version {version} wrote this; another version may write other bytes")));
    }
    Ok(campaign)
}

/// Checks that no input that the manifest names has become a folder, pipe or device.
fn recorded_inputs_are_files(flags: &GenerateArgs, arguments: &ReplayArgs) -> Result<(), Failure> {
    const BACK: &str = "put the file of that time back in its place";
    let config = flags.device.config.as_ref().filter(|_| arguments.config.is_none());
    for (what, path, help) in [
        ("profile", config, "say with --config PATH where it is now"),
        ("probability table", flags.table.op_state_probs.as_ref(), BACK),
        ("list of bad blocks", flags.device.badlist.as_ref(), BACK),
        ("test plan", flags.extent.plan.as_ref(), BACK),
    ] {
        if let Some(path) = path.filter(|path| path.exists() && !path.is_file()) {
            let message = format!("the {what} `{}` {}", shown(path), origins::NOT_A_FILE);
            return Err(Problem::new(message).help(help).into());
        }
    }
    Ok(())
}

/// Hides the text of a faulty file if its digest has changed and a manifest names it, not the user: a manifest may name any file.
fn without_contents(failure: Failure, origin: &Origin, arguments: &ReplayArgs) -> Failure {
    if let Failure::Several(all) = failure {
        return Failure::Several(all.into_iter().map(|one| without_contents(one, origin, arguments)).collect());
    }
    let Failure::Faulty(faulty) = failure else { return failure };
    let digest = Digest::of(faulty.0.text.as_bytes());
    let inputs = inputs_of(origin).into_iter().flatten();
    let is_known = inputs.map(|input| input.sha256).chain([origin.profile.sha256]).any(|known| known == digest);
    let named = arguments.config.as_ref().is_some_and(|path| shown(path) == faulty.0.name);
    if is_known || named {
        return Failure::Faulty(faulty);
    }
    let message = format!("`{}` is not what it was when the manifest was written, and cannot be used", faulty.0.name);
    Problem::new(message).help("put the file of that time back in its place, or name a profile with --config").into()
}

/// Number of runs of each site that are made: up to the last listed one, or up to the one that is compared.
fn runs(arguments: &ReplayArgs, recorded: &Recorded) -> Result<u64, Failure> {
    let listed: BTreeSet<u64> = recorded.sites.values().flat_map(|(_, runs)| runs).map(|run| run.run).collect();
    let last = listed.last().copied().unwrap_or(0);
    match arguments.run {
        Some(run) if !listed.contains(&run) => {
            let message = format!("there is no run {run}: `{}` lists {}", shown(&arguments.manifest), listed.len());
            Err(Problem::new(message).help("leave --run out to compare all of them").into())
        }
        run => Ok(run.unwrap_or(last)),
    }
}

/// Checks that the inputs still have the digests in the manifest.
fn same_inputs(origin: &Origin, campaign: &Campaign) -> Result<(), Failure> {
    let changed = |what: &str, source: &str, help: &str| -> Result<(), Failure> {
        let message = format!("the {what} `{source}` is not what it was when the manifest was written");
        Err(Problem::new(message).help(help).into())
    };
    if !campaign.is_of(origin) {
        return changed("profile", &origin.profile.source, "name the profile of that time with --config");
    }
    // A file that the manifest does not name is not read either.
    let plan = campaign.plan.as_ref().map(|plan| plan.input.clone());
    match origins::other_input(inputs_of(origin), [&campaign.table.input, &campaign.badlist_input, &plan]) {
        Some(OtherInput { what, then: Some(then), .. }) => {
            changed(what, &then.source, "put the file of that time back in its place")
        }
        Some(_) | None => Ok(()),
    }
}

impl Recorded {
    fn read(path: &Path, arguments: &ReplayArgs) -> Result<Self, Failure> {
        let path = file_of(path);
        let text = manifest::bytes(&path).map_err(|reason| no_manifest(&path, &reason))?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let kind = ManifestKind::of(&text);
        if kind != ManifestKind::Batch {
            let site: SiteManifest = manifest::parse(&text).map_err(|fault| faulty(&path, kind, &fault))?;
            let sites = BTreeMap::from([(site.site, (folder, site.runs))]);
            return Ok(Self { origin: site.origin, sites, profile_names: BTreeMap::new(), differences: Vec::new() });
        }
        let batch: BatchManifest = manifest::parse(&text).map_err(|fault| faulty(&path, kind, &fault))?;
        let listed: BTreeSet<u64> = batch.sites.iter().map(|record| record.site).collect();
        if let Some(site) = arguments.sites.iter().flat_map(SiteList::sites).find(|site| !listed.contains(site)) {
            let problem = Problem::new(format!("there is no site {site}: `{}` does not list it", shown(&path)));
            return Err(problem.help("leave --sites out to compare all that it lists").into());
        }
        let (sites, profile_names, mut shards) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        let mut recorded = Self { origin: batch.origin, sites, profile_names, differences: Vec::new() };
        for record in batch.sites {
            if arguments.sites.as_ref().is_some_and(|chosen| !chosen.contains(record.site)) {
                continue;
            }
            let (root, folder) = (folder_of(&path), record.folder.under(&folder));
            let folder = folder.map_err(|reason| Problem::unreadable("a site of", &path, &reason))?;
            let path = folder.join(manifest::FILE_NAME);
            let text = manifest::bytes(&path).map_err(|reason| Problem::unreadable("the manifest", &path, &reason))?;
            if !extended::is_listed(root, &record, Digest::of(&text), &mut shards) {
                let path = shown(&path);
                recorded.differences.push(format!("`{path}` is not the one that the manifest of its batch lists"));
            }
            let site: SiteManifest =
                manifest::parse(&text).map_err(|fault| faulty(&path, ManifestKind::Site, &fault))?;
            recorded.profile_names.insert(Some(record.site), site.origin.profile.name);
            recorded.sites.insert(Some(record.site), (folder, site.runs));
        }
        extended::note(folder_of(&path), &shards).iter().for_each(|note| tell(&note_text(note)));
        Ok(recorded)
    }

    /// Checks that there is a run to make again: a campaign that was stopped in its first run has none.
    fn lists_runs(&self, path: &Path) -> Result<(), Failure> {
        if self.sites.values().any(|(_, runs)| !runs.is_empty()) {
            return Ok(());
        }
        let problem = Problem::new(format!("`{}` lists no finished run, so there is nothing to compare", shown(path)));
        let unfinished = unfinished_beside(&file_of(path));
        Err(unfinished.into_iter().fold(problem, Problem::help).into())
    }

    /// Checks that every listed file lies in the folder of its manifest.
    fn lies_inside(&self) -> Result<(), Failure> {
        for (folder, runs) in self.sites.values() {
            for file in runs.iter().flat_map(|run| &run.files) {
                if let Err(error) = file.file.under_or_packed(folder)
                    && inside::leads_out(&error)
                {
                    let manifest = folder.join(manifest::FILE_NAME);
                    return Err(Problem::new(format!("`{}`: {error}", shown(&manifest))).into());
                }
            }
        }
        Ok(())
    }
}

/// The manifest that a path names: the file itself, or the manifest in the folder.
fn file_of(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(manifest::FILE_NAME) } else { path.to_owned() }
}

/// The text about an unfinished campaign in the folder of a manifest; `None` if the file does not have the name of a batch's
/// manifest.
fn unfinished_beside(manifest: &Path) -> Option<String> {
    let is_of_folder = manifest.file_name().and_then(|name| name.to_str()).is_some_and(is_of_batch);
    is_of_folder.then(|| unfinished::in_folder(folder_of(manifest))).flatten()
}

/// The problem of a faulty manifest.
fn faulty(path: &Path, kind: ManifestKind, fault: &Fault) -> Problem {
    let problem = Problem::new(fault.sentence(path, kind));
    match fault.is_refusal() {
        true if fault.is_of_another_schema() => problem.help(OTHER_VERSION),
        true => problem,
        false if path.file_name().and_then(|name| name.to_str()).is_some_and(is_of_batch) => {
            let verify = Hint::new("verify").operand(folder_of(path));
            problem.help(format!("put it back from a copy; without it `{verify}` judges the files that are there"))
        }
        false => problem.help("name a manifest.json, or the folder it is in"),
    }
}

/// The problem of a manifest that cannot be read. The folder may hold manifests of shards, or a site that is not finished.
fn no_manifest(path: &Path, reason: &io::Error) -> Problem {
    let problem = Problem::unreadable("the manifest", path, reason);
    if let Some(unfinished) = unfinished_beside(path) {
        return problem.help(unfinished);
    }
    let lists = lists_in(folder_of(path)).unwrap_or_default();
    match lists.iter().find(|(_, shard)| shard.is_some()) {
        Some((path, _)) => problem.help(format!("name the manifest of a shard, as `{}`, or merge them", shown(path))),
        None => problem,
    }
}

/// Differences by site and run.
type ByRun = BTreeMap<(Option<u64>, u64), Vec<String>>;

/// The comparison so far, shared between the sites.
struct ReplayComparison<'r> {
    recorded: &'r Recorded,
    only: Option<u64>,
    files: AtomicU64,
    /// The differences of each run that was compared; by site and run, so that the order does not depend on threads.
    compared: Mutex<ByRun>,
}

impl ReplayComparison<'_> {
    /// Compares a run that was made again, and removes its files.
    fn run(&self, site: &CampaignSite, folder: &Path, made: &RunRecord) -> Result<(), Failure> {
        let wanted = self.only.is_none_or(|only| only == made.run);
        if let Some((original, runs)) = self.recorded.sites.get(&site.site).filter(|_| wanted)
            && let Some(recorded) = runs.iter().find(|run| run.run == made.run)
        {
            let mut differences = Vec::new();
            for file in &recorded.files {
                self.files.fetch_add(1, Ordering::Relaxed);
                let again = made.files.iter().find(|again| again.kind == file.kind);
                differences.extend(difference(original, file, folder, again));
            }
            if (recorded.seed, recorded.operations) != (made.seed, made.operations) {
                differences.push(format!(
                    "run {} in `{}`: seed {} and {} in the manifest, {} and {} made again",
                    made.run,
                    shown(original),
                    recorded.seed,
                    counted(recorded.operations, "operation"),
                    made.seed,
                    made.operations
                ));
            }
            let mut compared = self.compared.lock().unwrap_or_else(PoisonError::into_inner);
            compared.insert((site.site, made.run), differences);
        }
        for file in &made.files {
            let path = file.file.to_write_in(folder);
            fs::remove_file(&path).map_err(|reason| Failure::cannot_write(&path, reason))?;
        }
        Ok(())
    }
}

/// The difference between a file, its record in the manifest and the file that was made again; `None` if all three agree.
fn difference(folder: &Path, file: &FileRecord, made_in: &Path, made: Option<&FileRecord>) -> Option<String> {
    let path = file.file.to_write_in(folder);
    let Some(made) = made else { return Some(format!("`{}`: no such file was made again", shown(&path))) };
    let made_file = made.file.to_write_in(made_in);
    // A file that was packed since then counts as the same.
    let read = file.file.under_or_packed(folder).and_then(|path| Ok((digest_of(&path)?, path)));
    let (on_disk, path) = match read {
        Ok(read) => read,
        Err(reason) => return Some(format!("`{}` cannot be read: {}", shown(&path), plain_reason(&reason))),
    };
    match (on_disk == file.sha256, made.sha256 == file.sha256) {
        (true, true) => None,
        (false, true) => Some(format!("`{}` was changed: {}", shown(&path), place(&path, &made_file))),
        (true, false) => Some(format!("`{}` is made otherwise now: {}", shown(&path), place(&path, &made_file))),
        (false, false) => Some(format!(
            "`{}` differs from the manifest, and so does the file made again: {}",
            shown(&path),
            place(&path, &made_file)
        )),
    }
}

/// The first difference between two files, in words.
fn place(there: &Path, made: &Path) -> String {
    first_difference(there, made).unwrap_or_else(|reason| format!("it cannot be read: {}", plain_reason(&reason)))
}

fn first_difference(there: &Path, made: &Path) -> io::Result<String> {
    let Numbering::Lines { header } = FileForm::of(made).numbering else {
        return Ok("its rows cannot be compared one by one; `nandseqgen` writes the same tables as CSV".to_owned());
    };
    let (mut there, mut made) = (CsvFiles.open(there)?, BufReader::new(File::open(made)?));
    let (mut one, mut other) = (Vec::new(), Vec::new());
    let mut line = 0u64;
    loop {
        one.clear();
        other.clear();
        // A file that has no line breaks is compared part by part.
        there.by_ref().take(LONGEST).read_until(b'\n', &mut one)?;
        made.by_ref().take(LONGEST).read_until(b'\n', &mut other)?;
        if one != other {
            let place = match line.checked_sub(header) {
                Some(row) => format!("row {}", row + 1),
                None => "the header, or first line,".to_owned(),
            };
            return Ok(format!("{place} is {}, made again it is {}", shown_row(&one), shown_row(&other)));
        }
        if one.is_empty() {
            break;
        }
        line += u64::from(one.ends_with(b"\n"));
    }
    Ok("the contents are equal".to_owned())
}

/// The beginning of a row as text; `missing` for no row.
fn shown_row(row: &[u8]) -> String {
    if row.is_empty() {
        return "missing".to_owned();
    }
    let text = printable(row.strip_suffix(b"\n").unwrap_or(row));
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}
