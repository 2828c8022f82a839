//! Folders that are made for outputs.
//!
//! Promises that a folder that was made, with those above it, has a name that survives a loss of power once [`NewFolders::sync`] has
//! returned. Leaves out what is put into them.

use nandseq_trace::recorded::shown;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nandseq_output::new_file::NewFile;
use nandseq_output::pending::{folder_of, sync_folder};
use nandseq_trace::inside::{InsideName, leads_out};
use nandseq_trace::manifest;
use nandseq_trace::run_name::RunName;

use crate::failure::{Failure, Problem};
use crate::ledger;
use crate::plan::{Batch, Plan};

/// Folders with names in them that are not yet known to last.
#[derive(Default, Debug)]
pub(crate) struct NewFolders {
    changed: BTreeSet<PathBuf>,
}

impl NewFolders {
    /// Makes a folder and those above it, as far as they are missing.
    pub(crate) fn make(&mut self, folder: &Path) -> io::Result<()> {
        let missing = folder.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        self.changed.extend(missing.map(|folder| folder_of(folder).to_owned()));
        fs::create_dir_all(folder)
    }

    /// A file of this folder has got its name.
    pub(crate) fn add(&mut self, folder: &Path) {
        self.changed.insert(folder.to_owned());
    }

    /// Makes all names last.
    pub(crate) fn sync(self) -> Result<(), (PathBuf, io::Error)> {
        self.changed.into_iter().try_for_each(|folder| sync_folder(&folder).map_err(|reason| (folder, reason)))
    }
}

/// Whether folders are there or can be made, and files put into them. Nothing stays of the attempt.
pub(crate) fn check(folders: impl IntoIterator<Item = PathBuf>) -> Result<(), Failure> {
    let mut tried = BTreeSet::new();
    for folder in folders {
        let there = folder.ancestors().map(|above| if above.as_os_str().is_empty() { Path::new(".") } else { above });
        let Some(there) = there.into_iter().find(|above| above.symlink_metadata().is_ok()) else { continue };
        if tried.insert(there.to_owned()) {
            NewFile::create(there, manifest::FILE_NAME).map_err(|reason| Failure::cannot_write(&folder, reason))?;
        }
    }
    Ok(())
}

/// Whether the folders of sites, and those of files in them, lie where their names say: what is written, read or removed through a link
/// that leads out of the output folder would be somebody else's, and every reader refuses it.
pub(super) fn lead_nowhere_else(plan: &Plan) -> Result<(), Failure> {
    let resume = plan.resume.iter().filter(|resume| resume.is_dir());
    for root in resume.chain([&plan.out_dir]) {
        for site in plan.sites.iter().filter(|site| !site.folder.is_empty()) {
            leads_nowhere_else(root, &site.folder)?;
        }
        for site in &plan.sites {
            let folder = if site.folder.is_empty() { root.clone() } else { root.join(&site.folder) };
            for entry in folder.read_dir().into_iter().flatten().flatten() {
                let name = entry.file_name();
                if let Some(name) = name.to_str().filter(|name| RunName::is_folder(name)) {
                    leads_nowhere_else(&folder, name)?;
                }
            }
        }
    }
    Ok(())
}

/// Whether what has the name of a manifest or a ledger, where a plan reads and replaces them, is a file. A pipe there would never be
/// read to its end, and is nobody's to remove.
pub(super) fn lists_are_files(plan: &Plan) -> Result<(), Failure> {
    let own_name = plan.batch.as_ref().map_or_else(|| manifest::FILE_NAME.to_owned(), Batch::manifest_name);
    for root in plan.resume.iter().chain([&plan.out_dir]) {
        let of_sites = plan.sites.iter().map(|site| root.join(&site.folder));
        for folder in std::iter::once(root.clone()).chain(of_sites) {
            for name in [manifest::FILE_NAME, ledger::FILE_NAME, &own_name] {
                let path = folder.join(name);
                if path.metadata().is_ok_and(|found| !found.is_file()) {
                    let problem = Problem::new(format!("`{}` is in the way: it is no regular file", shown(&path)));
                    return Err(problem.help("move it away, or choose another folder").into());
                }
            }
        }
    }
    Ok(())
}

fn leads_nowhere_else(root: &Path, name: &str) -> Result<(), Failure> {
    let inside = InsideName::try_from(name.to_owned()).map_err(io::Error::other);
    let Err(reason) = inside.and_then(|name| name.under(root)) else { return Ok(()) };
    if !leads_out(&reason) {
        // Whoever writes there says what is in the way.
        return Ok(());
    }
    let message = format!("`{}` is a link to a place outside `{}`", shown(root.join(name)), shown(root));
    let help = "no reader follows it: put the folder itself there, or name another one with --out-dir";
    Err(Problem::new(message).help(help).into())
}

/// Whether two paths lead to one place that is there.
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
}
