//! Files of other campaigns in the folders of this one.
//!
//! Promises that what is taken away where the flags ask for it was written by this program into this output folder: runs' files under
//! exactly the names it gives that a manifest or ledger beside them lists, or that say themselves who wrote them, as snapshots, logs and
//! Parquet tables do, and tables of a run whose snapshot or log says so; manifests and ledgers that read as such, of sites that say
//! themselves, or by the name of their folder, that they were made here. A name alone proves nothing: the predecessor gives its tables the
//! same. No link is followed, no folder with anything else in it goes, and what another site of the same campaign needs stays. Leaves out
//! files that are about to be replaced, which have the name that this campaign gives; those not known to be this program's are named.

use nandseq_trace::recorded::shown;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use nandseq_generate::{Snapshot, SnapshotError};
use nandseq_output::format::TableFormat;
use nandseq_output::pending::folder_of;
use nandseq_profile::diagnostic::counted;
use nandseq_trace::files::{FileKind, Stamp};
use nandseq_trace::manifest::{self, BatchManifest};
use nandseq_trace::run_name::RunName;

use super::claim::Claims;
use super::{batch, difference, proposer_log};
use crate::arguments::flags_of_manifest;
use crate::failure::{remark_text, warning_text};
use crate::ledger;
use crate::plan::{Batch, BatchPart, Plan, SitePlan};
use crate::site_files::{files_of_runs, plain_files, plain_folders, relative};
use crate::site_folders::SiteFolders;
use crate::site_list::Shard;

/// How far below the output folder sites are looked for: as far as readers look.
const DEPTH: usize = nandseq_input::folder::DEPTH;
/// Files that are named; all are counted.
const SHOWN: usize = 3;
/// What Parquet tables say of who wrote them, as their footer has it.
const CREATED_BY: &[u8] = b"\x0anandseqgen";
/// Patterns of folders of sites that need no flag.
const USUAL: [&str; 2] = ["site_{site_id:02d}", "site={site_id:02d}"];

/// What was found, and what became of it.
#[derive(Default, Debug)]
pub(crate) struct Others {
    /// By their paths; manifests and ledgers apart, since they go last.
    files: BTreeSet<PathBuf>,
    lists: BTreeSet<PathBuf>,
    /// Files of which only the name says that this program may have written them. They stay.
    unlisted: BTreeSet<PathBuf>,
    /// The same of those that this campaign is about to replace.
    overwritten: BTreeSet<PathBuf>,
    /// Snapshots of the same campaign and day: they only have another time of day in their names than those that replace them.
    replaced: BTreeSet<PathBuf>,
    /// Folders of sites that this campaign does not make.
    sites: Vec<PathBuf>,
}

impl Others {
    /// Looks for files of other campaigns where a plan is about to write. With `--clean` those to be replaced count as well: there may be
    /// fewer new ones.
    pub(super) fn find(plan: &Plan, format: &dyn TableFormat) -> io::Result<Self> {
        let mut found = Self::default();
        for site in &plan.sites {
            found.in_own_site(plan, format, site)?;
        }
        if let Some(batch) = &plan.batch {
            // A single device was made here.
            found.add_all(&plan.out_dir, files_of_runs(&plan.out_dir)?);
            found.lists.extend(ledger_in(&plan.out_dir));
            found.shards(plan, batch)?;
        }
        let own: BTreeSet<PathBuf> = plan.sites.iter().map(|site| plan.folder_of(site)).collect();
        let looking = Looking { plan, own: &own };
        looking.below(&plan.out_dir, "", DEPTH, &mut found)?;
        Ok(found)
    }

    /// Adds all files of runs in a folder.
    fn add_all(&mut self, folder: &Path, files: Vec<(PathBuf, RunName)>) {
        let proven = ListedFiles::read(folder).proven(&files);
        self.add(files, &proven);
    }

    fn add(&mut self, files: Vec<(PathBuf, RunName)>, proven: &BTreeSet<PathBuf>) {
        let (ours, others): (Vec<_>, Vec<_>) =
            files.into_iter().map(|(path, _)| path).partition(|path| proven.contains(path));
        self.files.extend(ours);
        self.unlisted.extend(others);
    }

    fn in_own_site(&mut self, plan: &Plan, format: &dyn TableFormat, site: &SitePlan) -> io::Result<()> {
        let folder = plan.folder_of(site);
        let listed = ListedFiles::read(&folder);
        let mut files = files_of_runs(&folder)?;
        let proven = listed.proven(&files);
        let is_made_now = |(path, name): &(PathBuf, RunName)| {
            let RunName { kind, run, .. } = *name;
            let is_wanted = plan.outputs.contains(kind) && run <= plan.num_runs;
            is_wanted && relative(&folder, path).is_some_and(|name| name == format.file_name(kind, plan.stamp, run))
        };
        let overwritten = files.iter().filter(|file| is_made_now(file) && !proven.contains(&file.0));
        self.overwritten.extend(overwritten.map(|(path, _)| path.clone()));
        // What is there of the same runs goes, or stays, with their new files. Earlier runs that are gone on from may have another stamp.
        let is_left_out = |file: &(PathBuf, RunName)| match listed.contains(file) {
            true => plan.resume.is_some() || (!plan.clean && is_made_now(file)),
            false => is_made_now(file) && !(plan.clean && proven.contains(&file.0)),
        };
        files.retain(|file| !is_left_out(file));
        if !plan.clean && plan.resume.is_none() && plan.outputs.contains(FileKind::Snapshot) {
            let known = ledger::read(&folder).ok().flatten().map(|known| known.manifest);
            if known.is_some_and(|known| difference::is_same_campaign(plan, &known, &plan.head(site))) {
                let today = Some(plan.stamp.at_second(0));
                let is_replaced = |file: &mut (PathBuf, RunName)| {
                    let RunName { kind, run, stamp } = file.1;
                    let is_of_run = kind == FileKind::Snapshot && run <= plan.num_runs;
                    is_of_run && stamp.map(|stamp| stamp.at_second(0)) == today && listed.contains(file)
                };
                self.replaced.extend(files.extract_if(.., is_replaced).map(|(path, _)| path));
            }
        }
        self.add(files, &proven);
        Ok(())
    }

    /// Manifests of shards of another batch. Shards of as many parts may be at work, and replace their own.
    fn shards(&mut self, plan: &Plan, batch: &Batch) -> io::Result<()> {
        let ours = plan.origin(plan.arguments_of_batch(batch));
        let own = if let BatchPart::Shard(shard) = batch.part { Some(shard) } else { None };
        for path in plain_files(&plan.out_dir)? {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let may_be_other = match Shard::of_manifest(name) {
                Some(shard) => !own.is_some_and(|own| own.is_of_same_number(shard)),
                // A shard replaces its own manifest, not that of a whole batch, which nobody writes before shards are joined.
                None => name == manifest::FILE_NAME && own.is_some(),
            };
            if !may_be_other {
                continue;
            }
            let manifest = manifest::parse::<BatchManifest>(&fs::read(&path)?);
            // An earlier merge of the shards that are gone on with is replaced by the next.
            let is_same_batch =
                if plan.resume.is_some() { batch::is_same_batch_of_any_length } else { batch::is_same_batch };
            let is_same =
                |found: &BatchManifest| found.base_seed == plan.base_seed && is_same_batch(&found.origin, &ours);
            if manifest.is_ok_and(|found| !is_same(&found)) {
                self.lists.insert(path);
            }
        }
        Ok(())
    }

    /// How many files there are.
    pub(crate) fn count(&self) -> u64 {
        (self.files.len() + self.lists.len() + self.unlisted.len()) as u64
    }

    /// What to say of them: that they stay or, where the flags ask for it, that they went; `removed` says in which tense.
    pub(crate) fn text(&self, plan: &Plan, removed: &str) -> String {
        let (root, mut text) = (plan.out_dir.as_path(), String::new());
        let (here, of_campaigns) = (shown(root), (self.files.len() + self.lists.len()) as u64);
        if of_campaigns > 0 {
            let named = named(self.files.iter().chain(&self.lists), root, of_campaigns);
            text += &if plan.clean {
                // Said however little is wanted: it cannot be undone.
                let files = counted(of_campaigns, "file");
                remark_text(&format!("{removed} {files} of earlier campaigns from `{here}`: {named}"))
            } else {
                let (files, stay) = match of_campaigns {
                    1 => ("a file of another campaign".to_owned(), "stays"),
                    count => (format!("{count} files of other campaigns"), "stay"),
                };
                warning_text(&format!(
                    "`{here}` holds {files}, which {stay}: {named}; `--clean` removes such files first, while a manifest lists them"
                ))
            };
        }
        let unlisted = self.unlisted.len() as u64;
        if unlisted > 0 {
            let named = named(self.unlisted.iter(), root, unlisted);
            let (files, stay) =
                if unlisted == 1 { ("a file".to_owned(), "stays") } else { (format!("{unlisted} files"), "stay") };
            text += &warning_text(&format!(
                "`{here}` holds {files} named like this program's but listed by no manifest, which {stay}: {named}"
            ));
        }
        let overwritten = self.overwritten.len() as u64;
        if overwritten > 0 {
            let named = named(self.overwritten.iter(), root, overwritten);
            let files = if overwritten == 1 { "a file".to_owned() } else { format!("{overwritten} files") };
            // Which runs are made again is known later where a campaign goes on.
            let will = if plan.resume.is_some() { "may" } else { "will" };
            text += &warning_text(&format!(
                "{files} in `{here}` that no manifest of this program lists {will} be replaced: {named}"
            ));
        }
        text
    }

    /// Takes away what the same campaign is about to write under another time of day.
    pub(super) fn remove_replaced(&self) -> io::Result<()> {
        self.replaced.iter().try_for_each(|path| ledger::remove(path))
    }

    /// Takes away what this program wrote, and the folders that are empty then; returns what went, and what stays unlisted. Sites that somebody is writing stay.
    pub(super) fn remove(self, plan: &Plan, claims: &Claims) -> io::Result<Self> {
        let root = plan.out_dir.as_path();
        let own: BTreeSet<PathBuf> = plan.sites.iter().map(|site| plan.folder_of(site)).collect();
        let mut gone = Self { unlisted: self.unlisted, overwritten: self.overwritten, ..Self::default() };
        let mut held = Vec::new();
        let mut busy = Vec::new();
        for site in &self.sites {
            match claims.during(site) {
                Ok(claim) => held.push(claim),
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => busy.push(site),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let may_go = |path: &PathBuf| !busy.iter().any(|site| path.starts_with(site));
        let mut folders = BTreeSet::new();
        // What lists files goes after them, and snapshots and logs, by their names, after tables: what is left by a kill is found again.
        let files = self.files.into_iter().map(|path| (path, false));
        for (path, is_list) in files.chain(self.lists.into_iter().map(|path| (path, true))) {
            if !may_go(&path) {
                continue;
            }
            let above = folder_of(&path).ancestors().take_while(|folder| *folder != root && folder.starts_with(root));
            folders.extend(above.map(Path::to_owned));
            ledger::remove(&path)?;
            if is_list {
                gone.lists.insert(path)
            } else {
                gone.files.insert(path)
            };
        }
        for folder in folders.iter().rev().filter(|folder| !own.contains(*folder)) {
            // One that is not empty stays.
            let _ = fs::remove_dir(folder);
        }
        Ok(gone)
    }
}

/// A search for sites that a plan does not make.
struct Looking<'p> {
    plan: &'p Plan,
    own: &'p BTreeSet<PathBuf>,
}

impl Looking<'_> {
    /// Looks at the folders in one whose name in the output folder is `name`.
    fn below(&self, folder: &Path, name: &str, depth: usize, found: &mut Others) -> io::Result<()> {
        for path in plain_folders(folder)? {
            let Some(last) = path.file_name().and_then(|last| last.to_str()) else { continue };
            let name = if name.is_empty() { last.to_owned() } else { format!("{name}/{last}") };
            if !self.own.contains(&path) && !RunName::is_folder(last) {
                self.site(&path, &name, found)?;
                if depth > 1 {
                    self.below(&path, &name, depth - 1, found)?;
                }
            }
        }
        Ok(())
    }

    /// Looks at a folder that may be that of a site.
    fn site(&self, folder: &Path, name: &str, found: &mut Others) -> io::Result<()> {
        let files = files_of_runs(folder)?;
        // A manifest that cannot be used says nothing; what it is, is not for us to say.
        let known = ledger::read(folder).ok().flatten().map(|known| known.manifest);
        let is_other = match &known {
            Some(known) => {
                let pattern = flags_of_manifest(&known.origin.arguments).ok();
                let pattern = pattern.and_then(|flags| SiteFolders::parse(flags.site_dir_pattern()).ok());
                let made_here = known.site.zip(pattern).is_some_and(|(site, pattern)| pattern.folder(site) == name);
                made_here && !self.is_of_this_campaign(name, known.site, Some(known))
            }
            None if files.is_empty() => false,
            None => {
                let site = self.number(name);
                site.is_some() && !self.is_of_this_campaign(name, site, None)
            }
        };
        if is_other {
            found.add_all(folder, files);
            let is_finished = ledger::finished(folder).is_ok_and(|manifest| manifest.is_some());
            let manifest = Some(folder.join(manifest::FILE_NAME)).filter(|path| is_finished && is_plain_file(path));
            found.lists.extend(manifest.into_iter().chain(ledger_in(folder)));
            found.sites.push(folder.to_owned());
        }
        Ok(())
    }

    /// The number of the site whose folder is called so by this plan, or by default.
    fn number(&self, name: &str) -> Option<u64> {
        let patterns = USUAL.into_iter().chain([self.plan.site_dir_pattern()]);
        let patterns: Vec<SiteFolders> = patterns.filter_map(|pattern| SiteFolders::parse(pattern).ok()).collect();
        let numbers = name.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok());
        numbers.into_iter().find(|&site| patterns.iter().any(|pattern| pattern.folder(site) == name))
    }

    /// Whether a site that the plan does not make is another of its campaign, or must be taken for one.
    fn is_of_this_campaign(&self, name: &str, site: Option<u64>, known: Option<&manifest::SiteManifest>) -> bool {
        let (Some(batch), Some(number)) = (&self.plan.batch, site) else { return false };
        let in_range = number >= batch.start && (batch.count == 0 || number - batch.start < batch.count);
        let Some(plan) = self.plan.site_of_batch(number).filter(|plan| in_range && plan.folder == name) else {
            return false;
        };
        match (&batch.part, known) {
            // Another shard may be about to make it, and sees to it.
            (BatchPart::Shard(_), _) | (_, None) => true,
            (BatchPart::Whole | BatchPart::Sites(_), Some(known)) => {
                difference::is_same_campaign(self.plan, known, &self.plan.head(&plan))
            }
        }
    }
}

/// The first of some files, by their names in the output folder, and how many more there are.
fn named<'p>(files: impl Iterator<Item = &'p PathBuf>, root: &Path, count: u64) -> String {
    let name = |path: &PathBuf| format!("`{}`", shown(path.strip_prefix(root).unwrap_or(path)));
    let names = files.take(SHOWN).map(name).collect::<Vec<_>>().join(", ");
    match count.saturating_sub(SHOWN as u64) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

/// What a manifest or a ledger in a folder knows of.
#[derive(Default)]
struct ListedFiles {
    files: BTreeSet<PathBuf>,
    /// The run that a ledger would have listed next, and its stamp: its files may have got their names before a kill.
    next: Option<(u64, Stamp)>,
}

impl ListedFiles {
    fn read(folder: &Path) -> Self {
        let finished = ledger::finished(folder).ok().flatten().map(|(manifest, _)| manifest);
        let unfinished = ledger::unfinished(folder).ok().flatten();
        let next = unfinished.as_ref().and_then(|known| {
            Some((known.manifest.runs.last().map_or(0, |run| run.run) + 1, known.stamp?.at_second(0)))
        });
        let runs =
            finished.into_iter().chain(unfinished.map(|known| known.manifest)).flat_map(|manifest| manifest.runs);
        let files = runs.flat_map(|run| run.files).map(|file| file.file.to_write_in(folder)).collect();
        Self { files, next }
    }

    fn contains(&self, (path, name): &(PathBuf, RunName)) -> bool {
        let is_of = |(run, date)| name.run == run && name.stamp.is_none_or(|stamp| stamp.at_second(0) == date);
        self.files.contains(path) || self.next.is_some_and(is_of)
    }

    /// Those of a folder's files of runs, given all of them, that this program wrote: what is listed, what says so itself, and the tables
    /// beside a snapshot or log of their run and day that says so.
    fn proven(&self, files: &[(PathBuf, RunName)]) -> BTreeSet<PathBuf> {
        let run_of = |name: &RunName| (name.run, name.stamp.map(Stamp::yyyymmdd));
        let unlisted = files.iter().filter(|file| !self.contains(file));
        let unlisted: BTreeSet<_> = unlisted.map(|(_, name)| run_of(name)).collect();
        let of_runs = files.iter().filter(|(_, name)| unlisted.contains(&run_of(name)));
        let say_so: Vec<_> = of_runs.filter(|(path, name)| says_so(path, name.kind)).collect();
        // A table that says so speaks for itself alone.
        let vouch = say_so.iter().filter(|(_, name)| !name.kind.is_table());
        let vouched: BTreeSet<_> = vouch.map(|(_, name)| run_of(name)).collect();
        let is_proven = |file: &&(PathBuf, RunName)| {
            self.contains(file) || (file.1.kind.is_table() && vouched.contains(&run_of(&file.1)))
        };
        files.iter().filter(is_proven).chain(say_so).map(|(path, _)| path.clone()).collect()
    }
}

/// Whether a file says itself that this program wrote it, as snapshots, logs and Parquet do; CSV has no room for that.
fn says_so(path: &Path, kind: FileKind) -> bool {
    if kind.is_table() {
        return path.extension().is_some_and(|ending| ending == "parquet") && is_own_parquet(path).unwrap_or(false);
    }
    if kind == FileKind::Snapshot {
        let read = fs::read(path).map(|bytes| Snapshot::from_bytes(&bytes));
        return read.is_ok_and(|read| !matches!(read, Err(SnapshotError::Foreign | SnapshotError::Cut(_))));
    }
    let mut line = String::new();
    let read = File::open(path).map(|file| BufReader::new(file.take(proposer_log::LONGEST_HEADER)));
    read.and_then(|mut file| file.read_line(&mut line)).is_ok_and(|_| proposer_log::is_header(&line))
}

/// Whether the footer of a Parquet file names this program as its writer. It ends with its length and `PAR1`.
fn is_own_parquet(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let end = file.seek(SeekFrom::End(-8))?;
    let (mut length, mut magic) = ([0; 4], [0; 4]);
    file.read_exact(&mut length)?;
    file.read_exact(&mut magic)?;
    let length = u64::from(u32::from_le_bytes(length));
    if &magic != b"PAR1" || length > end {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(end - length))?;
    let mut footer = Vec::new();
    file.take(length).read_to_end(&mut footer)?;
    // A string has its length before it.
    Ok(footer.windows(CREATED_BY.len()).any(|part| part == CREATED_BY))
}

/// The ledger in a folder, if there is a file that is one.
fn ledger_in(folder: &Path) -> Option<PathBuf> {
    let path = folder.join(ledger::FILE_NAME);
    let is_one = is_plain_file(&path) && ledger::unfinished(folder).is_ok_and(|known| known.is_some());
    is_one.then_some(path)
}

fn is_plain_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|about| about.is_file())
}
