//! `nandseqgen merge`: joins the parts of a batch that shards or machines made.
//!
//! Nothing is written before every site is known to exist once and undamaged. No other program writes into the folders meanwhile.
//! The joint manifest is that of one execution. The files of the parts stay where they are: they are linked, or copied where
//! links are not possible.

mod replaced;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use nandseq_input::folder::digest_of;
use nandseq_output::manifest::write_manifest;
use nandseq_output::new_file::NewFile;
use nandseq_output::pending::folder_of;
use nandseq_trace::files::Digest;
use nandseq_trace::inside::InsideName;
use nandseq_trace::manifest::{self, BatchManifest, Fault, ManifestKind, RunRecord, SiteManifest, SiteRecord};
use nandseq_trace::plain_reason;
use nandseq_trace::recorded::{quoted, recorded, shown};
use rayon::prelude::*;
use serde::Serialize;

use nandseq_profile::diagnostic::counted;

use crate::arguments::{MergeArgs, ReportFormat};
use crate::execute::claim::{self, Claims, With};
use crate::execute::folders::{NewFolders, is_same_place};
use crate::execute::{self, batch, leftovers};
use crate::failure::{Failure, Problem, note_text};
use crate::hint::Hint;
use crate::ledger;
use crate::origins::OTHER_VERSION;
use crate::site_list::{MAX_SITES, SiteList, is_of_batch, lists_in};
use crate::thread_pool::threads;
use crate::{console, json, tell, terminal, unfinished};

/// Number of problems that are shown; a wrong folder has many.
const SHOWN: usize = 20;

/// What to do about a damaged manifest of a part.
const DAMAGED: &str =
    "put it back from a copy; or move it away, and write it anew with --resume and the flags of this part";

/// A part of a batch, with its manifest.
struct MergedPart {
    folder: PathBuf,
    path: PathBuf,
    manifest: BatchManifest,
}

impl MergedPart {
    /// How many runs of each site it was to have.
    fn runs(&self) -> u64 {
        batch::runs_of(&self.manifest.origin)
    }
}

/// A site and the folder of its part.
struct SiteOfPart<'p> {
    part: &'p MergedPart,
    record: &'p SiteRecord,
}

/// Runs `nandseqgen merge`.
pub(crate) fn run(arguments: &MergeArgs) -> Result<(), Failure> {
    join(arguments).map_err(|failure| failure.placed_by("--into"))
}

fn join(arguments: &MergeArgs) -> Result<(), Failure> {
    let target = match (&arguments.into, arguments.folders.as_slice()) {
        (Some(into), _) => into.clone(),
        (None, [only]) => only.clone(),
        (None, _) => {
            let problem = Problem::new("several folders are given, but not the folder to join them in");
            return Err(problem.help("name the place with --into DIR; it may be one of them").into());
        }
    };
    // A part, or the target, that another program is writing into is not finished.
    let claims = claim_all(&arguments.folders, std::slice::from_ref(&target))?;
    if let Some(folder) = claims.without_lock() {
        tell(&note_text(&claim::remark(folder)));
    }
    let mut parts = Vec::new();
    for folder in &arguments.folders {
        parts.extend(parts_in(folder)?);
    }
    parts.iter().try_for_each(numbers_fit)?;
    agree(&parts)?;
    parts.iter().try_for_each(begins_here)?;
    let sites = sites(&parts, &target)?;
    // For each site its folder in its part and in the target; then those that are not in the target yet.
    let places = sites.values().map(|site| {
        let SiteRecord { folder, .. } = site.record;
        (folder.to_write_in(&site.part.folder), folder.to_write_in(&target))
    });
    let places: Vec<(PathBuf, PathBuf)> = places.collect();
    let others: Vec<&(PathBuf, PathBuf)> = places.iter().filter(|(from, to)| !is_same_place(from, to)).collect();
    let from: Vec<PathBuf> = places.iter().map(|(from, _)| from.clone()).collect();
    let at_work = claim_all(&from, &others.iter().map(|(_, to)| to.clone()).collect::<Vec<_>>())?;
    threads(arguments.jobs)?.install(|| undamaged(&sites))?;
    replaced::check(&target, &parts[0].manifest)?;
    for site in sites.values() {
        replaced::check_site(&target, &site.record.folder, &site.record.folder.to_write_in(&site.part.folder))?;
    }
    let unwritable = |reason| Failure::cannot_write(&target, reason);
    let mut folders = NewFolders::default();
    folders.make_output(&target).map_err(unwritable)?;
    let _claim = claims.during(&target).map_err(unwritable)?;
    leftovers::sweep(&target, is_of_batch).map_err(unwritable)?;
    for (from, to) in others {
        let unwritable = |(path, reason): (PathBuf, io::Error)| Failure::cannot_write(&path, reason);
        folders.make(to).map_err(|reason| Failure::cannot_write(to, reason))?;
        let _claim = at_work.during(to).map_err(|reason| Failure::cannot_write(to, reason))?;
        bring(from, to, &mut folders).map_err(unwritable)?;
    }
    // The joint manifest is written only after the names of all files are synced.
    folders.sync().map_err(|(path, reason)| Failure::cannot_write(&path, reason))?;
    let joint = joint(&parts, &sites);
    let path = target.join(manifest::FILE_NAME);
    write_manifest(&target, manifest::FILE_NAME, &joint).map_err(|reason| Failure::cannot_write(&path, reason))?;
    // The joint manifest replaces those of parts in the target.
    for part in parts.iter().filter(|part| is_same_place(&part.folder, &target) && part.path != path) {
        ledger::remove(&part.path).map_err(|reason| Failure::cannot_write(&part.path, reason))?;
    }
    tell_of(arguments, &joint, &target)
}

/// The answer of `merge` as JSON.
#[derive(Serialize)]
struct Joined {
    schema: u32,
    command: &'static str,
    version: &'static str,
    /// The folders that the user named.
    parts: Vec<String>,
    /// The folder of the whole batch.
    folder: String,
    sites: u64,
    runs: u64,
    operations: u64,
    /// The warnings of the joint manifest.
    warnings: Vec<String>,
}

/// Tells the user what was joined.
fn tell_of(arguments: &MergeArgs, joint: &BatchManifest, target: &Path) -> Result<(), Failure> {
    let sum = |of: fn(&SiteRecord) -> u64| joint.sites.iter().map(of).fold(0, u64::saturating_add);
    let joined = Joined {
        schema: 1,
        command: "merge",
        version: env!("CARGO_PKG_VERSION"),
        parts: arguments.folders.iter().map(|folder| recorded(folder)).collect(),
        folder: recorded(target),
        sites: joint.sites.len() as u64,
        runs: sum(|site| site.runs),
        operations: sum(|site| site.operations),
        warnings: joint.warnings.clone(),
    };
    let Joined { sites, runs, .. } = &joined;
    match arguments.format {
        ReportFormat::Text if console::is_quiet() => Ok(()),
        ReportFormat::Text => terminal::print(&format!(
            "{}, {}: complete in {}\n",
            counted(*sites, "site"),
            counted(*runs, "run"),
            quoted(target.as_os_str())
        )),
        ReportFormat::Json => json::print(&joined),
    }
}

/// Claims the folders that are read and those that are written. Missing folders are skipped.
fn claim_all(read: &[PathBuf], written: &[PathBuf]) -> Result<Claims, Failure> {
    let all = read.iter().chain(written).map(|folder| (folder.clone(), With::Nobody));
    Claims::of(all).map_err(|(folder, reason)| {
        if written.contains(&folder) {
            return Failure::cannot_write(&folder, reason);
        }
        let problem = Problem::unreadable("the folder", &folder, &reason);
        let busy = reason.kind() == io::ErrorKind::ResourceBusy;
        if busy { problem.help("wait until it is done, and merge then") } else { problem }.into()
    })
}

/// Reads the manifests of a batch, or of its shards, in a folder.
fn parts_in(folder: &Path) -> Result<Vec<MergedPart>, Failure> {
    let unreadable = |reason| Problem::unreadable("the folder", folder, &reason);
    let lists = lists_in(folder).map_err(unreadable)?;
    if lists.is_empty() {
        let message = format!("there is no manifest of a batch in `{}`", shown(folder));
        let unfinished = unfinished::in_folder(folder).unwrap_or_else(|| "name output folders of a batch".to_owned());
        return Err(Problem::new(message).help(unfinished).into());
    }
    let read = |path: PathBuf| {
        let text = manifest::bytes(&path).map_err(|reason| Problem::unreadable("the manifest", &path, &reason))?;
        let manifest = manifest::parse(&text).map_err(|fault| {
            let problem = Problem::new(fault.sentence(&path, ManifestKind::Batch));
            match ManifestKind::of(&text) {
                _ if fault.is_of_another_schema() => problem.help(OTHER_VERSION),
                ManifestKind::Site => {
                    let message = format!("`{}` is the manifest of one site, not of a batch", path.display());
                    Problem::new(message).help("name the folder that holds the folders of the sites")
                }
                // A name that leads out of the folder is no damage.
                ManifestKind::Batch | ManifestKind::Unknown if fault.is_refusal() => problem,
                ManifestKind::Batch | ManifestKind::Unknown => problem.help(DAMAGED),
            }
        })?;
        Ok(MergedPart { folder: folder.to_owned(), path, manifest })
    };
    lists.into_iter().map(|(path, _)| read(path)).collect()
}

/// The sites that a part lists are of its batch, which has no more sites than there can be.
fn numbers_fit(part: &MergedPart) -> Result<(), Problem> {
    let origin = &part.manifest.origin;
    let (start, count) = (batch::number_of(&origin.arguments, "--site-start"), batch::count_of(origin));
    let stranger = |site: &&SiteRecord| site.site < start || (count > 0 && site.site - start >= count);
    let stranger = part.manifest.sites.iter().find(stranger);
    let what = match stranger {
        _ if count > MAX_SITES => format!("--site-count {count} is more than {MAX_SITES}"),
        Some(site) => format!("site {} is not of the batch that its arguments describe", site.site),
        None => return Ok(()),
    };
    let help = "it was altered: make this part again";
    Err(Problem::new(format!("`{}` cannot be used: {what}", shown(&part.path))).help(help))
}

/// The sites that a part lists begin in it, not in the folder that it was resumed from.
fn begins_here(part: &MergedPart) -> Result<(), Problem> {
    let first_run = |site: &SiteRecord| {
        let known = ledger::finished(&site.folder.under(&part.folder).ok()?).ok().flatten();
        known?.0.runs.first().map(|first| (site.site, first.run))
    };
    let is_short = |site: &&SiteRecord| site.runs < part.runs();
    let later = part.manifest.sites.iter().filter(is_short).filter_map(first_run).filter(|(_, first)| *first > 1);
    let later: Vec<(u64, u64)> = later.collect();
    let Some((_, first)) = later.first() else { return Ok(()) };
    let sites: Vec<u64> = later.iter().map(|(site, _)| *site).collect();
    let (sites, folder) = (SiteList::in_words(&sites), shown(&part.folder));
    let message = format!(
        "the runs before run {first} of {sites} are not in `{folder}`: they are in the folder that it goes on from"
    );
    let help =
        "a merge joins whole sites: make the later runs in that folder too, with --resume and --out-dir both naming it";
    Err(Problem::new(message).help(help))
}

/// All parts are of one batch, however many runs of each site they have.
fn agree(parts: &[MergedPart]) -> Result<(), Failure> {
    let Some((first, rest)) = parts.split_first() else { return Ok(()) };
    let count = |part: &MergedPart| batch::count_of(&part.manifest.origin);
    for part in rest {
        let (one, other) = (&first.manifest, &part.manifest);
        let same = batch::is_same_batch_of_any_length(&one.origin, &other.origin)
            && (one.base_seed, &one.seed_formula) == (other.base_seed, &other.seed_formula)
            && count(first) == count(part);
        if !same {
            let message = format!("`{}` and `{}` are of different batches", shown(&first.path), shown(&part.path));
            let help = "their manifests say under `origin` what each was made of; all must be made by one version with the same flags";
            return Err(Problem::new(message).help(help).into());
        }
    }
    Ok(())
}

/// The sites of the batch by number. A site that is missing, listed twice or short of runs is an error.
fn sites<'p>(parts: &'p [MergedPart], target: &Path) -> Result<BTreeMap<u64, SiteOfPart<'p>>, Failure> {
    let mut wrong = Vec::new();
    let mut sites: BTreeMap<u64, SiteOfPart<'_>> = BTreeMap::new();
    // A site that an earlier merge has joined is in the target and in its part.
    let is_target = |part: &MergedPart| is_same_place(&part.folder, target);
    for part in parts {
        for record in &part.manifest.sites {
            if let Some(earlier) = sites
                .get_mut(&record.site)
                .filter(|earlier| earlier.record == record && is_target(earlier.part) != is_target(part))
            {
                if is_target(part) {
                    *earlier = SiteOfPart { part, record };
                }
                continue;
            }
            if let Some(earlier) = sites.get(&record.site).filter(|earlier| earlier.part.runs() >= part.runs()) {
                // The manifests of parts that share a folder may both list a site that is there once; one that a shard was extended
                // after has fewer runs.
                let is_shorter = earlier.part.runs() > part.runs();
                if earlier.part.folder != part.folder || !(is_shorter || earlier.record == record) {
                    wrong.push(twice(record.site, earlier.part, part));
                }
                continue;
            }
            let earlier = sites.insert(record.site, SiteOfPart { part, record });
            let elsewhere = earlier.filter(|earlier| earlier.part.folder != part.folder);
            wrong.extend(elsewhere.map(|earlier| twice(record.site, earlier.part, part)));
        }
    }
    let Some(longest) = longest(parts) else { return Ok(sites) };
    let (origin, runs) = (&longest.manifest.origin, longest.runs());
    let mut extensions = lacking(&sites, runs, &mut wrong);
    let (start, count) = (batch::number_of(&origin.arguments, "--site-start"), batch::count_of(origin));
    let missing: Vec<u64> = (start..start.saturating_add(count)).filter(|site| !sites.contains_key(site)).collect();
    if !missing.is_empty() {
        let are = if missing.len() == 1 { "site is" } else { "sites are" };
        wrong.push(format!("{} {are} missing: {}", missing.len(), SiteList::of(&missing)));
    }
    if extensions.is_empty() {
        let folders: BTreeSet<&Path> = parts.iter().map(|part| &*part.folder).collect();
        extensions.extend(folders.into_iter().filter_map(unfinished::in_folder));
    }
    let help = match (extensions.as_slice(), missing.as_slice()) {
        ([], []) => "leave out a folder that lists it, or move one of the manifests away".to_owned(),
        ([], _) => format!("make what is missing, and merge then:\n  {}", making(longest, &missing)),
        _ => extensions.join(NEXT_HELP),
    };
    some_wrong(wrong, &help)?;
    Ok(sites)
}

/// What stands between two helps of one problem.
const NEXT_HELP: &str = "\n  help: ";

/// The command that makes some sites of a part's batch in the folder of the part.
fn making(part: &MergedPart, sites: &[u64]) -> Hint {
    let arguments = batch::arguments_of(&part.manifest.origin.arguments, Some(SiteList::of(sites)));
    let hint = Hint::of_arguments(&arguments).with("--out-dir", &part.folder);
    ledger::stamp_of_batch(&part.folder, &part.manifest)
        .into_iter()
        .fold(hint, |hint, stamp| hint.with("--stamp", stamp))
}

/// Checks that the files of all sites are as the manifests say.
fn undamaged(sites: &BTreeMap<u64, SiteOfPart<'_>>) -> Result<(), Failure> {
    let found: Vec<(&MergedPart, Vec<String>)> = sites.par_iter().map(|(_, site)| (site.part, damage(site))).collect();
    let parts: BTreeMap<&Path, &MergedPart> =
        found.iter().filter(|(_, wrong)| !wrong.is_empty()).map(|(part, _)| (&*part.path, *part)).collect();
    // Going on keeps the date in the names of files.
    let again = parts.into_values().map(|part| {
        let hint = Hint::of_arguments(&part.manifest.origin.arguments);
        let hint = hint.with("--out-dir", &part.folder).with("--resume", &part.folder);
        format!("remove these files, make them again, and merge then:\n  {hint}")
    });
    let again = again.collect::<Vec<_>>().join(NEXT_HELP);
    some_wrong(found.into_iter().flat_map(|(_, wrong)| wrong).collect(), &again)
}

fn twice(site: u64, one: &MergedPart, other: &MergedPart) -> String {
    let (one, other) = (shown(&one.path), shown(&other.path));
    format!("site {site} is there twice: `{one}` and `{other}` both list it")
}

/// The part with the most runs of each site.
fn longest(parts: &[MergedPart]) -> Option<&MergedPart> {
    parts.iter().rev().max_by_key(|part| part.runs())
}

/// Which part lacks which runs of which sites; returns the commands that extend parts that were made with fewer runs.
fn lacking(sites: &BTreeMap<u64, SiteOfPart<'_>>, runs: u64, wrong: &mut Vec<String>) -> Vec<String> {
    // A site that has covered what was asked for has no further runs.
    let lacks = |found: &SiteOfPart<'_>| {
        let SiteRecord { runs: made, covered, .. } = *found.record;
        made != runs && !(covered && made < runs)
    };
    let mut by_part: BTreeMap<(&Path, u64), (&MergedPart, Vec<u64>)> = BTreeMap::new();
    for (&site, found) in sites.iter().filter(|(_, found)| lacks(found)) {
        let key = (&*found.part.path, found.record.runs);
        by_part.entry(key).or_insert_with(|| (found.part, Vec::new())).1.push(site);
    }
    let mut commands = Vec::new();
    for ((_, made), (part, sites)) in by_part {
        let have = if sites.len() == 1 { "site {} has" } else { "sites {} have" };
        let have = have.replace("{}", &SiteList::of(&sites).to_string());
        let lacks = match runs.saturating_sub(made) {
            0 => String::new(),
            1 => format!(": run {runs} is missing"),
            _ => format!(": runs {}-{runs} are missing", made + 1),
        };
        wrong.push(format!("{have} {made} of {} in `{}`{lacks}", counted(runs, "run"), shown(&part.folder)));
        if part.runs() < runs {
            let mut arguments = part.manifest.origin.arguments.clone();
            arguments
                .iter_mut()
                .skip_while(|word| *word != "--num-runs")
                .skip(1)
                .take(1)
                .for_each(|value| *value = runs.to_string());
            let hint = Hint::of_arguments(&arguments).with("--out-dir", &part.folder).with("--resume", &part.folder);
            let command = format!("make them, and merge then:\n  {hint}");
            if !commands.contains(&command) {
                commands.push(command);
            }
        }
    }
    commands
}

fn some_wrong(mut wrong: Vec<String>, help: &str) -> Result<(), Failure> {
    if wrong.is_empty() {
        return Ok(());
    }
    if wrong.len() > SHOWN {
        let rest = wrong.len() - SHOWN;
        wrong.truncate(SHOWN);
        wrong.push(format!("{rest} more of the kind"));
    }
    let mut problems: Vec<Problem> = wrong.into_iter().map(Problem::new).collect();
    let last = problems.pop().map(|last| last.help(help));
    problems.extend(last);
    Err(Failure::Unusable(problems))
}

/// The files of a site that are not as the manifests say, a sentence for each.
fn damage(site: &SiteOfPart<'_>) -> Vec<String> {
    let folder = match site.record.folder.under(&site.part.folder) {
        Ok(folder) => folder,
        Err(reason) => return vec![format!("cannot read `{}`: {}", shown(&site.part.path), plain_reason(&reason))],
    };
    let path = folder.join(manifest::FILE_NAME);
    let text = match manifest::bytes(&path) {
        Ok(text) => text,
        Err(reason) => return vec![format!("cannot read `{}`: {}", shown(&path), plain_reason(&reason))],
    };
    if Digest::of(&text) != site.record.manifest_sha256 {
        return vec![format!("`{}` is not the one that the manifest of its batch lists", shown(&path))];
    }
    let manifest: SiteManifest = match manifest::parse(&text) {
        Ok(manifest) => manifest,
        Err(fault) => return vec![fault.sentence(&path, ManifestKind::Site)],
    };
    let files = manifest.runs.iter().flat_map(RunRecord::on_disk);
    // The files in an archive are the same if the archive is, which the last of its runs has the digest of.
    let wrong = files.filter_map(|(file, sha256)| {
        let (path, sha256) = (file.to_write_in(&folder), sha256?);
        match file.under(&folder).and_then(|path| digest_of(&path)) {
            Ok(digest) if digest == sha256 => None,
            Ok(_) => Some(format!("`{}` was changed since it was written", shown(&path))),
            Err(reason) => Some(format!("cannot read `{}`: {}", shown(&path), plain_reason(&reason))),
        }
    });
    wrong.collect()
}

/// Links or copies the files that a site's manifest lists into another folder, and the manifest after them.
fn bring(from: &Path, to: &Path, folders: &mut NewFolders) -> Result<(), (PathBuf, io::Error)> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |reason| (path, reason)
    };
    let text = manifest::bytes(&from.join(manifest::FILE_NAME)).map_err(failed(from))?;
    let damaged = |fault: Fault| io::Error::other(fault.to_string());
    let manifest: SiteManifest = manifest::parse(&text).map_err(damaged).map_err(failed(from))?;
    // Leftovers of a merge that was killed are removed.
    execute::clean(to, false).map_err(failed(to))?;
    // The folder itself may be left from such a merge, with a name that is not synced yet.
    folders.add(folder_of(to));
    let mut link = |source: PathBuf, name: &str, copy: PathBuf| {
        let folder = folder_of(&copy);
        folders.make(folder).map_err(failed(folder))?;
        folders.add(folder);
        ledger::remove(&copy).map_err(failed(&copy))?;
        if fs::hard_link(&source, &copy).is_err() {
            copy_whole(&source, to, name).map_err(failed(&copy))?;
        }
        Ok(())
    };
    let files: BTreeSet<InsideName> = manifest.runs.iter().flat_map(RunRecord::on_disk).map(|(file, _)| file).collect();
    for file in files {
        link(file.under(from).map_err(failed(from))?, file.as_str(), file.to_write_in(to))?;
    }
    link(from.join(manifest::FILE_NAME), manifest::FILE_NAME, to.join(manifest::FILE_NAME))
}

fn copy_whole(source: &Path, folder: &Path, name: &str) -> io::Result<()> {
    let mut file = NewFile::create(folder, name)?;
    io::copy(&mut manifest::open(source)?, &mut file)?;
    file.flush()?;
    file.commit().map(drop)
}

/// The manifest that one execution would have written.
fn joint(parts: &[MergedPart], sites: &BTreeMap<u64, SiteOfPart<'_>>) -> BatchManifest {
    let numbers: Vec<u64> = sites.keys().copied().collect();
    let records = sites.values().map(|site| site.record.clone()).collect();
    // There is at least one part: every folder has one.
    let mut joint = longest(parts).unwrap_or(&parts[0]).manifest.clone();
    let count = batch::count_of(&joint.origin);
    joint.origin.arguments = batch::arguments_of(&joint.origin.arguments, (count == 0).then(|| SiteList::of(&numbers)));
    let start = batch::number_of(&joint.origin.arguments, "--site-start");
    let reach = if count > 0 { count } else { numbers.last().map_or(0, |last| (last - start).saturating_add(1)) };
    joint.warnings = batch::warnings(joint.seed_formula == manifest::SEQUENTIAL, joint.base_seed, reach);
    BatchManifest { sites: records, ..joint }
}
