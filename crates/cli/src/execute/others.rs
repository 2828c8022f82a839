//! Files of other campaigns in the folders of this one: finding and naming them and, with `--clean`, removing them.
//!
//! `--clean` removes only files that this program wrote into this output folder:
//! - files of runs with exactly the names that this program gives, if a manifest or ledger beside them lists them with their
//!   contents, or if it does not list them and their contents show who wrote them, as those of packs, snapshots, logs and Parquet
//!   tables do;
//! - tables of a run whose snapshot or log shows who wrote it;
//! - manifests and ledgers that can be read, of sites that were made here by what they say themselves or by the name of their
//!   folder.
//!
//! A name alone proves nothing, because the predecessor gives its tables the same names. No link is followed. A folder with
//! anything else in it stays, and so do files that another site of this campaign needs. Files that are about to be replaced have
//! the names that this campaign gives. They are left out, but those that are not known to be this program's are named.

use nandseq_trace::recorded::shown;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use nandseq_generate::{Snapshot, SnapshotError};
use nandseq_input::archive;
use nandseq_input::folder::digest_of;
use nandseq_output::pack::WRITTEN_BY;
use nandseq_output::pending::folder_of;
use nandseq_profile::diagnostic::counted;
use nandseq_trace::files::{FileKind, Stamp};
use nandseq_trace::manifest::{self, BatchManifest};
use nandseq_trace::run_name::RunName;

use super::claim::Claims;
use super::{batch, difference, proposer_log};
use crate::arguments::flags_of_manifest;
use crate::campaign::{Batch, BatchPart, Campaign, CampaignSite};
use crate::failure::{note_text, warning_text};
use crate::ledger;
use crate::site_files::{files_of_runs, plain_folders, relative};
use crate::site_folders::SiteFolders;
use crate::site_list::lists_in;

/// How far below the output folder sites are looked for: as far as readers look.
const DEPTH: usize = nandseq_input::folder::DEPTH;
/// Number of files that are named; all are counted.
const SHOWN: usize = 3;
/// The name of the writer in the footer of a Parquet table, with its length before it.
const CREATED_BY: &[u8] = b"\x0anandseqgen";

/// The files of other campaigns that were found or, after a removal, those that were removed and those that stay.
#[derive(Default, Debug)]
pub(crate) struct Others {
    /// Files of runs that this program wrote.
    files: BTreeSet<PathBuf>,
    /// Manifests and ledgers that this program wrote. They are removed last.
    lists: BTreeSet<PathBuf>,
    /// Files that may be this program's by their names alone. They stay.
    unlisted: BTreeSet<PathBuf>,
    /// Such files that this campaign is about to replace.
    overwritten: BTreeSet<PathBuf>,
    /// Files of another campaign that this campaign is about to replace.
    of_another: BTreeSet<PathBuf>,
    /// Snapshots of the same campaign and day. Those that replace them differ from them only in the time of day in their names.
    replaced: BTreeSet<PathBuf>,
    /// Folders of sites that this campaign does not make.
    sites: Vec<PathBuf>,
}

impl Others {
    /// Looks for files of other campaigns where this campaign is about to write. With `--clean` the files that would be replaced
    /// count as well, because the new campaign may have fewer.
    pub(super) fn find(campaign: &Campaign) -> io::Result<Self> {
        let mut found = Self::default();
        for site in &campaign.sites {
            found.in_own_site(campaign, site)?;
        }
        if let Some(batch) = &campaign.batch {
            // An earlier campaign may have made a single device here.
            found.add_all(campaign, &campaign.out_dir, files_of_runs(&campaign.out_dir)?);
            found.lists.extend(ledger_in(&campaign.out_dir));
            found.shards(campaign, batch)?;
        }
        let own: BTreeSet<PathBuf> = campaign.sites.iter().map(|site| campaign.folder_of(site)).collect();
        let looking = Looking { campaign, own: &own };
        looking.below(&campaign.out_dir, "", DEPTH, &mut found)?;
        Ok(found)
    }

    /// Adds all files of runs in a folder.
    fn add_all(&mut self, campaign: &Campaign, folder: &Path, files: Vec<(PathBuf, RunName)>) {
        let proven = ListedFiles::read(campaign, folder).proven(&files);
        self.add(files, &proven);
    }

    fn add(&mut self, files: Vec<(PathBuf, RunName)>, proven: &BTreeSet<PathBuf>) {
        let (ours, others): (Vec<_>, Vec<_>) =
            files.into_iter().map(|(path, _)| path).partition(|path| proven.contains(path));
        self.files.extend(ours);
        self.unlisted.extend(others);
    }

    fn in_own_site(&mut self, campaign: &Campaign, site: &CampaignSite) -> io::Result<()> {
        let folder = campaign.folder_of(site);
        let listed = ListedFiles::read(campaign, &folder);
        let mut files = files_of_runs(&folder)?;
        let proven = listed.proven(&files);
        let is_made_now = |(path, name): &(PathBuf, RunName)| {
            let own_name = campaign.file_name(name).filter(|_| name.run <= campaign.num_runs);
            own_name.is_some() && relative(&folder, path) == own_name
        };
        let overwritten = files.iter().filter(|file| is_made_now(file) && !proven.contains(&file.0));
        self.overwritten.extend(overwritten.map(|(path, _)| path.clone()));
        // Files of runs that this campaign keeps or replaces are left out. Earlier runs that are resumed may have another stamp.
        let is_left_out = |file: &(PathBuf, RunName)| match listed.contains(file) {
            true => campaign.resume.is_some() || (!campaign.clean && is_made_now(file)),
            false => is_made_now(file) && !(campaign.clean && proven.contains(&file.0)),
        };
        let known = ledger::read(&folder).ok().flatten().map(|known| known.manifest);
        let is_same = known.map(|known| difference::is_same_campaign(campaign, &known, &campaign.head(site)));
        if is_same == Some(false) && campaign.resume.is_none() && !campaign.clean {
            let replaced = files.iter().filter(|file| is_made_now(file) && listed.contains(file));
            self.of_another.extend(replaced.map(|(path, _)| path.clone()));
        }
        files.retain(|file| !is_left_out(file));
        let has_snapshots = campaign.outputs.contains(FileKind::Snapshot);
        if is_same == Some(true) && !campaign.clean && campaign.resume.is_none() && has_snapshots {
            let today = Some(campaign.stamp.at_second(0));
            let is_replaced = |file: &mut (PathBuf, RunName)| {
                let RunName { kind, run, stamp, .. } = file.1;
                let is_of_run = kind == Some(FileKind::Snapshot) && run <= campaign.num_runs;
                is_of_run && stamp.map(|stamp| stamp.at_second(0)) == today && listed.contains(file)
            };
            self.replaced.extend(files.extract_if(.., is_replaced).map(|(path, _)| path));
        }
        self.add(files, &proven);
        Ok(())
    }

    /// Adds the manifests of other batches. Those of shards of the same number of shards are left out: they may be at work, and
    /// replace their own.
    fn shards(&mut self, campaign: &Campaign, batch: &Batch) -> io::Result<()> {
        let ours = campaign.origin(campaign.arguments_of_batch(batch));
        let own = if let BatchPart::Shard(shard) = batch.part { Some(shard) } else { None };
        for (path, shard) in lists_in(&campaign.out_dir).unwrap_or_default() {
            let may_be_other = match shard {
                Some(shard) => !own.is_some_and(|own| own.is_of_same_number(shard)),
                // A shard replaces its own manifest. It does not replace that of a whole batch, which is written only when shards
                // are joined.
                None => own.is_some(),
            };
            if !may_be_other || !is_plain_file(&path) {
                continue;
            }
            let manifest = manifest::parse::<BatchManifest>(&manifest::bytes(&path)?);
            // The next merge replaces the manifest of an earlier merge of the shards that are resumed.
            let is_same_batch =
                if campaign.resume.is_some() { batch::is_same_batch_of_any_length } else { batch::is_same_batch };
            let is_same =
                |found: &BatchManifest| found.base_seed == campaign.base_seed && is_same_batch(&found.origin, &ours);
            if manifest.is_ok_and(|found| !is_same(&found)) {
                self.lists.insert(path);
            }
        }
        Ok(())
    }

    /// Number of files, without those that are about to be replaced.
    pub(crate) fn count(&self) -> u64 {
        (self.files.len() + self.lists.len() + self.unlisted.len()) as u64
    }

    /// The message about the files: that they stay or, with `--clean`, that they are removed. `removed` is the verb for the
    /// latter.
    pub(crate) fn text(&self, campaign: &Campaign, removed: &str) -> String {
        let (root, mut text) = (campaign.out_dir.as_path(), String::new());
        let (here, of_campaigns) = (shown(root), (self.files.len() + self.lists.len()) as u64);
        if of_campaigns > 0 {
            let named = named(self.files.iter().chain(&self.lists), root, of_campaigns);
            text += &if campaign.clean {
                let files = counted(of_campaigns, "file");
                note_text(&format!("{removed} {files} of earlier campaigns from `{here}`: {named}"))
            } else {
                let (files, stay) = match of_campaigns {
                    1 => ("a file of another campaign".to_owned(), "stays"),
                    count => (format!("{count} files of other campaigns"), "stay"),
                };
                // `--clean` and `--resume` exclude each other.
                let clean = "; `--clean` removes such files first, if a manifest lists them";
                let clean = if campaign.resume.is_some() { "" } else { clean };
                warning_text(&format!("`{here}` holds {files}, which {stay}: {named}{clean}"))
            };
        }
        let unlisted = self.unlisted.len() as u64;
        if unlisted > 0 {
            let named = named(self.unlisted.iter(), root, unlisted);
            let (files, as_it_is, stay) = match unlisted {
                1 => ("a file".to_owned(), "as it is", "stays"),
                count => (format!("{count} files"), "as they are", "stay"),
            };
            text += &warning_text(&format!(
                "`{here}` holds {files} named like this program's that no manifest lists {as_it_is}, which {stay}: {named}"
            ));
        }
        let of_another = self.of_another.len() as u64;
        if of_another > 0 {
            let named = named(self.of_another.iter(), root, of_another);
            let files = if of_another == 1 { "a file".to_owned() } else { format!("{of_another} files") };
            text += &warning_text(&format!("{files} of another campaign in `{here}` will be replaced: {named}"));
        }
        let overwritten = self.overwritten.len() as u64;
        if overwritten > 0 {
            let named = named(self.overwritten.iter(), root, overwritten);
            let (files, as_it_is) = match overwritten {
                1 => ("a file".to_owned(), "as it is"),
                count => (format!("{count} files"), "as they are"),
            };
            // With `--resume` it becomes known only later which runs are made again.
            let will = if campaign.resume.is_some() { "may" } else { "will" };
            text += &warning_text(&format!(
                "{files} in `{here}` that no manifest of this program lists {as_it_is} {will} be replaced: {named}"
            ));
        }
        text
    }

    /// Removes the snapshots that the same campaign is about to write with another time of day in their names.
    pub(super) fn remove_replaced(&self) -> io::Result<()> {
        self.replaced.iter().try_for_each(|path| ledger::remove(path))
    }

    /// Removes the files that this program wrote, and the folders that are empty then. Sites that another program is writing
    /// stay. Returns the removed files, and those that stay because no manifest lists them.
    pub(super) fn remove(self, campaign: &Campaign, claims: &Claims) -> io::Result<Self> {
        let root = campaign.out_dir.as_path();
        let own: BTreeSet<PathBuf> = campaign.sites.iter().map(|site| campaign.folder_of(site)).collect();
        let mut gone = Self { unlisted: self.unlisted, overwritten: self.overwritten, ..Self::default() };
        let sites: BTreeSet<&Path> = self.sites.iter().map(PathBuf::as_path).collect();
        let mut by_site: BTreeMap<Option<&Path>, Vec<(PathBuf, bool)>> = BTreeMap::new();
        // Manifests and ledgers are removed after the files that they list. Snapshots and logs come after tables, by the order of
        // names. So a later execution still recognises the files that a kill leaves.
        let files = self.files.into_iter().map(|path| (path, false));
        for (path, is_list) in files.chain(self.lists.into_iter().map(|path| (path, true))) {
            let site = path.ancestors().find_map(|above| sites.get(above).copied());
            by_site.entry(site).or_default().push((path, is_list));
        }
        // Each site is claimed only while its files are removed, because there may be more of them than a process may have files
        // open. Last are the files of no such site.
        for (site, files) in by_site.into_iter().rev() {
            let _claim = match site.map(|site| claims.during(site)).transpose() {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => continue,
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                claim => claim?,
            };
            let mut folders = BTreeSet::new();
            for (path, is_list) in files {
                let above =
                    folder_of(&path).ancestors().take_while(|folder| *folder != root && folder.starts_with(root));
                folders.extend(above.map(Path::to_owned));
                ledger::remove(&path)?;
                if is_list {
                    gone.lists.insert(path)
                } else {
                    gone.files.insert(path)
                };
            }
            for folder in folders.iter().rev().filter(|folder| !own.contains(*folder)) {
                // A folder that is not empty stays.
                let _ = fs::remove_dir(folder);
            }
        }
        Ok(gone)
    }
}

/// A search for sites that this campaign does not make.
struct Looking<'p> {
    campaign: &'p Campaign,
    own: &'p BTreeSet<PathBuf>,
}

impl Looking<'_> {
    /// Looks at the folders in `folder`, whose path in the output folder is `name`.
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
        // A manifest that cannot be used counts as none here.
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
            found.add_all(self.campaign, folder, files);
            let is_finished = ledger::finished(folder).is_ok_and(|manifest| manifest.is_some());
            let manifest = Some(folder.join(manifest::FILE_NAME)).filter(|path| is_finished && is_plain_file(path));
            found.lists.extend(manifest.into_iter().chain(ledger_in(folder)));
            found.sites.push(folder.to_owned());
        }
        Ok(())
    }

    /// The number of the site whose folder has this name, by the pattern of this campaign or by default.
    fn number(&self, name: &str) -> Option<u64> {
        let patterns = difference::USUAL.into_iter().chain([self.campaign.site_dir_pattern()]);
        let patterns: Vec<SiteFolders> = patterns.filter_map(|pattern| SiteFolders::parse(pattern).ok()).collect();
        let numbers = name.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok());
        numbers.into_iter().find(|&site| patterns.iter().any(|pattern| pattern.folder(site) == name))
    }

    /// Whether a site that is not made now is of this campaign, or may be.
    fn is_of_this_campaign(&self, name: &str, site: Option<u64>, known: Option<&manifest::SiteManifest>) -> bool {
        let (Some(batch), Some(number)) = (&self.campaign.batch, site) else { return false };
        // What is resumed may have had more sites.
        let is_of_any = batch.count == 0 || self.campaign.resume.is_some();
        let in_range = number >= batch.start && (is_of_any || number - batch.start < batch.count);
        let Some(campaign) = self.campaign.site_of_batch(number).filter(|campaign| in_range && campaign.folder == name)
        else {
            return false;
        };
        match (&batch.part, known) {
            // Another shard may be about to make it, and looks after its files.
            (BatchPart::Shard(_), _) | (_, None) => true,
            (BatchPart::Whole | BatchPart::Sites(_), Some(known)) => {
                difference::is_same_campaign(self.campaign, known, &self.campaign.head(&campaign))
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

/// The files that the manifest and the ledger in a folder list.
#[derive(Default)]
struct ListedFiles {
    files: BTreeSet<PathBuf>,
    /// The run that the ledger would have listed next, with its stamp. Its files may have got their names before a kill.
    next: Option<(u64, Stamp)>,
    /// Files that have other contents than the manifest lists: a user has replaced them. Without `--clean` nobody looks.
    changed: BTreeSet<PathBuf>,
}

impl ListedFiles {
    fn read(campaign: &Campaign, folder: &Path) -> Self {
        let finished = ledger::finished(folder).ok().flatten().map(|(manifest, _)| manifest);
        let unfinished = ledger::unfinished(folder).ok().flatten();
        let next = unfinished.as_ref().and_then(|known| {
            Some((known.manifest.runs.last().map_or(0, |run| run.run) + 1, known.stamp?.at_second(0)))
        });
        let runs =
            finished.into_iter().chain(unfinished.map(|known| known.manifest)).flat_map(|manifest| manifest.runs);
        let mut listed = Self { next, ..Self::default() };
        for (name, sha256) in runs.flat_map(|run| run.on_disk().collect::<Vec<_>>()) {
            let path = name.to_write_in(folder);
            let is_other = |sha256| is_plain_file(&path) && digest_of(&path).is_ok_and(|digest| digest != sha256);
            let is_changed = campaign.clean && sha256.is_some_and(is_other);
            let list = if is_changed { &mut listed.changed } else { &mut listed.files };
            list.insert(path);
        }
        // An archive is known from the last of its runs.
        listed.files.retain(|path| !listed.changed.contains(path));
        listed
    }

    fn contains(&self, (path, name): &(PathBuf, RunName)) -> bool {
        let is_of = |(run, date)| name.run == run && name.stamp.is_none_or(|stamp| stamp.at_second(0) == date);
        self.files.contains(path) || (self.next.is_some_and(is_of) && !self.changed.contains(path))
    }

    /// The files that this program wrote, among all files of runs in a folder: listed files, files whose contents show who wrote
    /// them, and tables with such a snapshot or log of the same run and day.
    fn proven(&self, files: &[(PathBuf, RunName)]) -> BTreeSet<PathBuf> {
        let run_of = |name: &RunName| (name.run, name.stamp.map(Stamp::yyyymmdd));
        let unlisted = files.iter().filter(|file| !self.contains(file) && !self.changed.contains(&file.0));
        let unlisted: BTreeSet<_> = unlisted.map(|(_, name)| run_of(name)).collect();
        let of_runs = files.iter().filter(|(_, name)| unlisted.contains(&run_of(name)));
        let is_changed = |path: &PathBuf| self.changed.contains(path);
        let say_so: Vec<_> = of_runs.filter(|(path, name)| !is_changed(path) && says_so(path, name.kind)).collect();
        // A table proves nothing about other files of its run.
        let is_table = |name: &RunName| name.kind.is_some_and(FileKind::is_table);
        let vouch = say_so.iter().filter(|(_, name)| !is_table(name));
        let vouched: BTreeSet<_> = vouch.map(|(_, name)| run_of(name)).collect();
        let is_proven = |file: &&(PathBuf, RunName)| {
            let is_vouched = is_table(&file.1) && vouched.contains(&run_of(&file.1));
            self.contains(file) || (is_vouched && !is_changed(&file.0))
        };
        files.iter().filter(is_proven).chain(say_so).map(|(path, _)| path.clone()).collect()
    }
}

/// Whether the contents of a file show that this program wrote it. Those of packs, snapshots, logs and Parquet tables do; other tables
/// have no room for that.
fn says_so(path: &Path, kind: Option<FileKind>) -> bool {
    let Some(kind) = kind else {
        return archive::comment(path).is_ok_and(|comment| comment == WRITTEN_BY.as_bytes());
    };
    if kind.is_table() {
        return is_own_parquet(path).unwrap_or(false);
    }
    if kind == FileKind::Snapshot {
        let read = fs::read(path).map(|bytes| Snapshot::from_bytes(&bytes));
        return read.is_ok_and(|read| !matches!(read, Err(SnapshotError::Foreign | SnapshotError::Cut(_))));
    }
    let mut line = String::new();
    let read = File::open(path).map(|file| BufReader::new(file.take(proposer_log::LONGEST_HEADER)));
    read.and_then(|mut file| file.read_line(&mut line)).is_ok_and(|_| proposer_log::is_header(&line))
}

/// Whether the footer of a Parquet file names this program as its writer. The footer is followed by its length and `PAR1`.
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
    Ok(footer.windows(CREATED_BY.len()).any(|part| part == CREATED_BY))
}

/// The ledger in a folder, if a file there can be read as one.
fn ledger_in(folder: &Path) -> Option<PathBuf> {
    let path = folder.join(ledger::FILE_NAME);
    let is_one = is_plain_file(&path) && ledger::unfinished(folder).is_ok_and(|known| known.is_some());
    is_one.then_some(path)
}

fn is_plain_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|about| about.is_file())
}
