//! Output folders: making and checking them.
//!
//! Once [`NewFolders::sync`] has returned, the names of new folders, and of those above them, survive a loss of power. The files
//! in them are synced elsewhere.

use nandseq_trace::recorded::shown;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nandseq_output::new_file::NewFile;
use nandseq_output::pending::{folder_of, sync_folder};
use nandseq_trace::inside::{InsideName, leads_out};
use nandseq_trace::manifest;
use nandseq_trace::run_name::RunName;

use crate::campaign::{Batch, Campaign, CampaignSite};
use crate::failure::{Failure, Problem};
use crate::ledger;
use crate::site_files::{others_named_like_runs, relative};

/// Folders whose entries have changed and are not synced yet.
#[derive(Default, Debug)]
pub(crate) struct NewFolders {
    changed: BTreeSet<PathBuf>,
}

impl NewFolders {
    /// Makes an output folder. A link to a folder that is missing is followed, and stays.
    pub(crate) fn make_output(&mut self, folder: &Path) -> io::Result<()> {
        self.make(&through_links(folder)?)
    }

    /// Makes a folder and those above it, as far as they are missing.
    pub(crate) fn make(&mut self, folder: &Path) -> io::Result<()> {
        let missing = folder.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        self.changed.extend(missing.map(|folder| folder_of(folder).to_owned()));
        fs::create_dir_all(folder)
    }

    /// Notes that a file in this folder has got its name.
    pub(crate) fn add(&mut self, folder: &Path) {
        self.changed.insert(folder.to_owned());
    }

    /// Syncs all changed folders.
    ///
    /// # Errors
    /// The folder that cannot be synced, and the error of the system.
    pub(crate) fn sync(self) -> Result<(), (PathBuf, io::Error)> {
        self.changed.into_iter().try_for_each(|folder| sync_folder(&folder).map_err(|reason| (folder, reason)))
    }
}

/// The most links that are followed from one to the next, as in Linux.
const MOST_LINKS: usize = 40;

/// The place of a folder that may be missing, without the links on its path that lead to nothing.
fn through_links(folder: &Path) -> io::Result<PathBuf> {
    let mut folder = folder.to_owned();
    for _ in 0..MOST_LINKS {
        let there = folder.ancestors().find(|above| above.symlink_metadata().is_ok());
        let Some(link) = there.filter(|there| there.is_symlink() && !there.exists()) else { return Ok(folder) };
        let below = folder.strip_prefix(link).unwrap_or(Path::new(""));
        folder = folder_of(link).join(fs::read_link(link)?).components().chain(below.components()).collect();
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "its links lead in a circle, or are too many"))
}

/// Checks that folders exist or can be made, and that files can be written into them. No file stays.
pub(crate) fn check(folders: impl IntoIterator<Item = PathBuf>) -> Result<(), Failure> {
    let mut tried = BTreeSet::new();
    for asked in folders {
        let folder = through_links(&asked).map_err(|reason| Failure::cannot_write(&asked, reason))?;
        let there = folder.ancestors().map(|above| if above.as_os_str().is_empty() { Path::new(".") } else { above });
        let Some(there) = there.into_iter().find(|above| above.symlink_metadata().is_ok()) else { continue };
        if tried.insert(there.to_owned()) {
            NewFile::create(there, manifest::FILE_NAME).map_err(|reason| Failure::cannot_write(&asked, reason))?;
        }
    }
    Ok(())
}

/// Checks that no folder of a site, and no folder of files in it, is a link that leads out of the output folder. Files behind
/// such a link may be somebody else's, and every reader refuses them.
pub(super) fn lead_nowhere_else(campaign: &Campaign) -> Result<(), Failure> {
    are_different(campaign)?;
    let resume = campaign.resume.iter().filter(|resume| resume.is_dir());
    for root in resume.chain([&campaign.out_dir]) {
        campaign.sites.iter().try_for_each(|site| site_leads_nowhere_else(root, &site.folder))?;
    }
    Ok(())
}

/// Checks that the folder of a site, which is called `name` in `root`, is no link that leads out of `root`, and no folder of files
/// in it one that leads out of the site. `name` is empty for `root` itself.
pub(crate) fn site_leads_nowhere_else(root: &Path, name: &str) -> Result<(), Failure> {
    if !name.is_empty() {
        leads_nowhere_else(root, name)?;
    }
    let folder = if name.is_empty() { root.to_owned() } else { root.join(name) };
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let name = entry.file_name();
        if let Some(name) = name.to_str().filter(|name| RunName::is_folder(name)) {
            leads_nowhere_else(&folder, name)?;
        }
    }
    Ok(())
}

/// Checks that everything with the name of a manifest or ledger, in the folders that a campaign reads or writes, is a regular
/// file. Reading a pipe would never end, and removing it is not this program's business.
pub(super) fn lists_are_files(campaign: &Campaign) -> Result<(), Failure> {
    let own_name = campaign.batch.as_ref().map_or_else(|| manifest::FILE_NAME.to_owned(), Batch::manifest_name);
    for root in campaign.resume.iter().chain([&campaign.out_dir]) {
        let of_sites = campaign.sites.iter().map(|site| root.join(&site.folder));
        for folder in std::iter::once(root.clone()).chain(of_sites) {
            for name in [manifest::FILE_NAME, ledger::FILE_NAME, &own_name] {
                let path = folder.join(name);
                if path.metadata().is_ok_and(|found| !found.is_file()) {
                    return Err(in_the_way(&path));
                }
            }
        }
    }
    Ok(())
}

/// Checks that nothing but a file or a link has the name of a file that a site writes. `writes` says which runs and kinds of
/// file it writes.
pub(super) fn names_are_free(
    campaign: &Campaign,
    site: &CampaignSite,
    writes: impl Fn(&RunName) -> bool,
) -> Result<(), Failure> {
    let folder = campaign.folder_of(site);
    // Whether the folder can be read and written is checked elsewhere.
    let found = others_named_like_runs(&folder).unwrap_or_default();
    let is_in_the_way = |(path, name): &(PathBuf, RunName)| {
        let own_name = campaign.file_name(name).filter(|_| writes(name));
        own_name.is_some() && relative(&folder, path) == own_name
    };
    found.iter().find(|found| is_in_the_way(found)).map_or(Ok(()), |(path, _)| Err(in_the_way(path)))
}

fn in_the_way(path: &Path) -> Failure {
    let problem = Problem::new(format!("`{}` is in the way: it is not a regular file", shown(path)));
    problem.help("move it away, or choose another folder").into()
}

/// Checks that no two sites have one folder, as they have if one is a link to the other.
fn are_different(campaign: &Campaign) -> Result<(), Failure> {
    let mut seen: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    for folder in campaign.sites.iter().map(|site| campaign.folder_of(site)) {
        let Ok(place) = folder.canonicalize() else { continue };
        if let Some(other) = seen.insert(place, folder.clone()) {
            let message =
                format!("`{}` and `{}` are one folder, and each site needs its own", shown(other), shown(folder));
            return Err(Problem::new(message).help("remove the link, or choose another folder with --out-dir").into());
        }
    }
    Ok(())
}

fn leads_nowhere_else(root: &Path, name: &str) -> Result<(), Failure> {
    let place = root.join(name);
    let is_below = |above: &&Path| *above != root && above.starts_with(root);
    if let Some(link) = place.ancestors().filter(is_below).find(|above| above.is_symlink() && !above.exists()) {
        let problem = Problem::new(format!("`{}` is a link to nothing", shown(link)));
        return Err(problem.help("remove the link, or choose another folder").into());
    }
    let inside = InsideName::try_from(name.to_owned()).map_err(io::Error::other);
    let Err(reason) = inside.and_then(|name| name.under(root)) else { return Ok(()) };
    if !leads_out(&reason) {
        // Other errors are left to the code that writes there.
        return Ok(());
    }
    let message = format!("`{}` is a link to a place outside `{}`", shown(place), shown(root));
    let help = "no reader follows it: put the folder itself there, or choose another folder";
    Err(Problem::new(message).help(help).into())
}

/// Whether two paths lead to the same existing place.
pub(crate) fn is_same_place(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    #[test]
    fn every_folder_in_which_another_was_made_is_synced() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        let mut folders = NewFolders::default();
        folders.make(&path("a/b/c")).unwrap();
        assert!(path("a/b/c").is_dir());
        assert_eq!(
            folders.changed,
            BTreeSet::from([path("").join("."), path("a"), path("a/b")].map(|one| one.components().collect()))
        );
        folders.make(&path("a/b/d")).unwrap();
        folders.make(&path("a")).unwrap();
        assert_eq!(folders.changed.len(), 3);
        folders.sync().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_missing_folder_is_followed_and_stays() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        fs::create_dir(path("disk")).unwrap();
        symlink("disk/new", path("one")).unwrap();
        symlink(path("one"), path("two")).unwrap();
        symlink("loop", path("loop")).unwrap();
        check([path("two/below")]).unwrap();
        assert!(!path("disk/new").exists());
        NewFolders::default().make_output(&path("two/below")).unwrap();
        assert!(path("disk/new/below").is_dir() && path("two").is_symlink() && path("one").is_symlink());
        assert_eq!(through_links(&path("two/below")).unwrap(), path("two/below"));
        for refused in ["loop", "loop/below"] {
            assert_eq!(
                through_links(&path(refused)).unwrap_err().to_string(),
                "its links lead in a circle, or are too many"
            );
        }
    }
}
