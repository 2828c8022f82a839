//! The bad blocks of written runs: those of the list that a flag names, otherwise those of the list that the manifest of each
//! site names.
//!
//! Each list is read once. A list that a manifest names is used only if its digest is still the one in the manifest. Otherwise
//! nothing of its text is shown, because a manifest may name any file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nandseq_input::folder::SiteFiles;
use nandseq_profile::{Block, Die, Profile};
use nandseq_trace::file_form::FileForm;
use nandseq_trace::files::Digest;
use nandseq_trace::manifest::{self, Input, ManifestKind, Origin};
use nandseq_trace::recorded::{path_of, shown};

use crate::failure::{Failure, Problem};
use crate::{badlist, inputs, ledger, origins};

/// Bad blocks in ascending order.
pub(crate) type BadBlocks = Arc<[(Die, Block)]>;

/// The lists of bad blocks of some sites.
pub(crate) struct Lists<'p> {
    profile: &'p Profile,
    /// The blocks of the list that a flag names. They hold for every site.
    named: Option<BadBlocks>,
    /// The lists named by manifests that were read so far.
    recorded: Vec<(Input, BadBlocks)>,
}

impl<'p> Lists<'p> {
    /// Reads the list that a flag names, if there is one.
    ///
    /// # Errors
    /// When the list cannot be read or has mistakes.
    pub(crate) fn new(named: Option<&Path>, profile: &'p Profile) -> Result<Self, Failure> {
        let named = named.map(|path| read(path, profile).map(|(blocks, _)| blocks)).transpose()?;
        Ok(Self { profile, named, recorded: Vec::new() })
    }

    /// Whether the lists of the manifests count, because no flag names a list.
    pub(crate) const fn are_recorded(&self) -> bool {
        self.named.is_none()
    }

    /// The bad blocks of a site whose manifest names the list `recorded`. A list that a flag names goes before it; without any
    /// list there are none.
    ///
    /// # Errors
    /// When the list is gone or is no longer what the manifest says.
    pub(crate) fn of(&mut self, recorded: Option<&Input>) -> Result<BadBlocks, Failure> {
        let Some(recorded) = recorded.filter(|_| self.named.is_none()) else {
            return Ok(self.named.clone().unwrap_or_default());
        };
        if let Some((_, blocks)) = self.recorded.iter().find(|(known, _)| known == recorded) {
            return Ok(blocks.clone());
        }
        let path = path_of(&recorded.source);
        if path.exists() && !path.is_file() {
            let message = format!("the list of bad blocks `{}` {}", shown(&path), origins::NOT_A_FILE);
            return Err(Problem::new(message).help("put the list back in its place, or name it with --badlist").into());
        }
        let changed = || {
            let problem = Problem::new(format!("`{}` is no longer what the manifest says it was", shown(&path)));
            Failure::from(problem.help("name the list of bad blocks with --badlist"))
        };
        let (blocks, digest) = match read(&path, self.profile) {
            Err(Failure::Faulty(_)) => return Err(changed()),
            Err(_) if !path.exists() => {
                let message = format!("the list of bad blocks `{}` that the manifest names is not there", shown(&path));
                let help = "go to the folder in which it was generated, or put the list back in its place; `verify` takes it with --badlist, too";
                return Err(Problem::new(message).help(help).into());
            }
            read => read?,
        };
        if digest != recorded.sha256 {
            return Err(changed());
        }
        self.recorded.push((recorded.clone(), blocks.clone()));
        Ok(blocks)
    }
}

fn read(path: &Path, profile: &Profile) -> Result<(BadBlocks, Digest), Failure> {
    let (source, digest) = inputs::text("the list of bad blocks", path)?;
    match badlist::read(&source, profile.topology) {
        Ok(blocks) => Ok((blocks.into(), digest)),
        Err(wrong) => Err(Failure::Faulty(Box::new((source, wrong)))),
    }
}

/// The origin of sequence files that were named one by one, from the manifest beside them; `None` unless it lists all of them.
pub(crate) fn beside(site: &SiteFiles) -> Option<Origin> {
    let folder = folder_of(site)?;
    let manifest = ledger::read(folder).ok().flatten()?.manifest;
    let listed = manifest.runs.iter().flat_map(|run| &run.files);
    let listed: Vec<PathBuf> = listed.filter_map(|file| file.file.under_or_packed(folder).ok()).collect();
    let is_listed =
        |path: &Path| listed.iter().any(|listed| folder.join(path.strip_prefix(folder).unwrap_or(path)) == *listed);
    site.runs.iter().all(|run| is_listed(&run.path)).then_some(manifest.origin)
}

/// The fault of the manifest beside sequence files that were named one by one.
pub(crate) fn fault_beside(site: &SiteFiles) -> Option<String> {
    let folder = folder_of(site).filter(|_| site.listed.is_empty())?;
    let text = manifest::bytes(&folder.join(manifest::FILE_NAME)).unwrap_or_default();
    if ManifestKind::of(&text) == ManifestKind::Batch { None } else { ledger::fault(folder) }
}

/// The folder of the site that the first file of a site lies in, by its name.
fn folder_of(site: &SiteFiles) -> Option<&Path> {
    let first = &site.runs.first()?.path;
    let folder = FileForm::of(first).site_folder(first)?;
    Some(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
}
