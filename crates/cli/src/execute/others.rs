//! Files of other campaigns in the folders of this one.
//!
//! Promises that what is counted, and taken away where the flags ask for it, was written by this program into this output folder: runs'
//! files under exactly the names it gives, manifests and ledgers that read as such, of sites that say themselves, or by the name of
//! their folder, that they were made here. No link is followed but that of a site's own folder, no folder with anything else in it goes, and what another site of the
//! same campaign needs stays. Leaves out files that are about to be replaced: those have the name that this campaign gives.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nandseq_trace::format::TableFormat;
use nandseq_trace::manifest::{self, BatchManifest};
use nandseq_trace::pending::folder_of;
use nandseq_trace::run_name::RunName;

use super::claim::Claims;
use super::{batch, origin, resume, site};
use crate::arguments::GenerateArgs;
use crate::ledger;
use crate::plan::{Batch, Part, Plan, Shard};
use crate::progress::plural;
use crate::site_folders::SiteFolders;

/// How far below the output folder sites are looked for: as far as readers look.
const DEPTH: usize = nandseq_trace::read::folder::DEPTH;
/// Files that are named; all are counted.
const SHOWN: usize = 3;
/// Patterns of folders of sites that need no flag.
const USUAL: [&str; 2] = ["site_{site_id:02d}", "site={site_id:02d}"];

/// What was found, and what became of it.
#[derive(Default, Debug)]
pub(crate) struct Others {
    /// By their paths; manifests and ledgers apart, since they go last.
    files: BTreeSet<PathBuf>,
    lists: BTreeSet<PathBuf>,
    /// Folders of sites that this campaign does not make.
    sites: Vec<PathBuf>,
}

impl Others {
    /// Looks for files of other campaigns where a plan is about to write. With `--clean` those to be replaced count as well: there may be
    /// fewer new ones.
    pub(super) fn find(plan: &Plan, format: &dyn TableFormat) -> io::Result<Self> {
        let mut found = Self::default();
        let folders: Vec<PathBuf> = plan.sites.iter().map(|site| plan.folder_of(site)).collect();
        for folder in &folders {
            found.in_own_site(plan, format, folder)?;
        }
        if let Some(batch) = &plan.batch {
            // A single device was made here.
            found.files.extend(files_of_runs(&plan.out_dir)?.into_iter().map(|(path, _)| path));
            found.lists.extend(ledger_in(&plan.out_dir));
            found.shards(plan, batch)?;
        }
        let own: BTreeSet<&PathBuf> = folders.iter().collect();
        let looking = Looking { plan, own: &own };
        looking.below(&plan.out_dir, "", DEPTH, &mut found)?;
        Ok(found)
    }

    fn in_own_site(&mut self, plan: &Plan, format: &dyn TableFormat, folder: &Path) -> io::Result<()> {
        let is_own = |name: &str, RunName { kind, run, .. }: RunName| {
            !plan.clean
                && plan.outputs.contains(kind)
                && run <= plan.num_runs
                && format.file_name(kind, plan.stamp, run) == name
        };
        let mut files: Vec<PathBuf> = files_of_runs(folder)?
            .into_iter()
            .filter(|(path, run)| !relative(folder, path).is_some_and(|name| is_own(&name, *run)))
            .map(|(path, _)| path)
            .collect();
        if plan.resume.is_some() && !files.is_empty() {
            // Earlier runs may have another stamp.
            let known = ledger::read(folder)?.map(|known| known.manifest.runs).unwrap_or_default();
            let listed: BTreeSet<PathBuf> =
                known.iter().flat_map(|run| &run.files).map(|file| file.file.to_write_in(folder)).collect();
            files.retain(|path| !listed.contains(path));
        }
        self.files.extend(files);
        Ok(())
    }

    /// Manifests of shards of another batch. Shards of as many parts may be at work, and replace their own.
    fn shards(&mut self, plan: &Plan, batch: &Batch) -> io::Result<()> {
        let ours = origin(plan, plan.arguments_of_batch(batch));
        let own = if let Part::Shard(shard) = batch.part { Some(shard) } else { None };
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
            let is_same =
                |found: &BatchManifest| found.base_seed == plan.base_seed && batch::is_same_batch(&found.origin, &ours);
            if manifest.is_ok_and(|found| !is_same(&found)) {
                self.lists.insert(path);
            }
        }
        Ok(())
    }

    /// How many files there are.
    pub(crate) fn count(&self) -> u64 {
        (self.files.len() + self.lists.len()) as u64
    }

    /// The first of them, by their names in the output folder, and how many more there are.
    fn named(&self, root: &Path) -> String {
        let all = self.files.iter().chain(&self.lists);
        let names: Vec<String> =
            all.take(SHOWN).map(|path| format!("`{}`", path.strip_prefix(root).unwrap_or(path).display())).collect();
        match self.count().saturating_sub(SHOWN as u64) {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    }

    /// What to say of files that stay.
    pub(crate) fn that_stay(&self, root: &Path) -> String {
        let (count, here, named) = (self.count(), root.display(), self.named(root));
        if count == 1 {
            format!("`{here}` holds a file of another campaign, which stays: {named}; `--clean` removes it first")
        } else {
            format!(
                "`{here}` holds {count} files of other campaigns, which stay: {named}; `--clean` removes them first"
            )
        }
    }

    /// What to say of files that went, or would go.
    pub(crate) fn that_went(&self, root: &Path, removed: &str) -> String {
        let count = self.count();
        format!(
            "{removed} {count} file{} of earlier campaigns from `{}`: {}",
            plural(count),
            root.display(),
            self.named(root)
        )
    }

    /// Takes them away, and the folders that are empty then; returns what went. Sites that somebody is writing stay.
    pub(super) fn remove(self, plan: &Plan, claims: &Claims) -> io::Result<Self> {
        let root = plan.out_dir.as_path();
        let own: BTreeSet<PathBuf> = plan.sites.iter().map(|site| plan.folder_of(site)).collect();
        let mut gone = Self::default();
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
        // What lists files goes after them: what is left by a kill is found again.
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
    own: &'p BTreeSet<&'p PathBuf>,
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
                let pattern = GenerateArgs::of_manifest(&known.origin.arguments).ok();
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
            found.files.extend(files.into_iter().map(|(path, _)| path));
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
            (Part::Shard(_), _) | (_, None) => true,
            (Part::Whole | Part::Sites(_), Some(known)) => {
                resume::is_same_campaign(self.plan, known, &site::head(self.plan, &plan))
            }
        }
    }
}

/// A path in a folder, with `/` between its parts.
fn relative(folder: &Path, path: &Path) -> Option<String> {
    let parts = path.strip_prefix(folder).ok()?.components().map(|part| part.as_os_str().to_str());
    Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
}

/// The files of runs in the folder of a site, and what their names say.
fn files_of_runs(folder: &Path) -> io::Result<Vec<(PathBuf, RunName)>> {
    let mut paths = plain_files(folder)?;
    for below in plain_folders(folder)? {
        if below.file_name().and_then(|name| name.to_str()).is_some_and(RunName::is_folder) {
            paths.extend(plain_files(&below)?);
        }
    }
    let named = |path: PathBuf| Some((RunName::parse(&relative(folder, &path)?)?, path));
    Ok(paths.into_iter().filter_map(named).map(|(name, path)| (path, name)).collect())
}

/// How many files of runs after the last that was made a site's folder has.
pub(super) fn after(folder: &Path, runs: u64) -> io::Result<u64> {
    Ok(files_of_runs(folder)?.iter().filter(|(_, name)| name.run > runs).count() as u64)
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

fn plain_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    entries(folder, fs::FileType::is_file)
}

fn plain_folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    entries(folder, fs::FileType::is_dir)
}

/// The entries of a folder that are of a type themselves: a link is neither a file nor a folder. A folder that may not be read, or is gone,
/// has none.
fn entries(folder: &Path, is_wanted: impl Fn(&fs::FileType) -> bool) -> io::Result<Vec<PathBuf>> {
    let entries = match folder.read_dir() {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if is_wanted(&entry.file_type()?) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}
