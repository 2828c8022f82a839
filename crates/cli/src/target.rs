//! Files that a command must not write, because it reads them or because a manifest lists them.
//!
//! A file is the same under every name: a link, or a second name of the same file, is no other file.

use std::path::{Path, PathBuf};

use nandseq_input::folder::SiteFiles;
use nandseq_output::named::STANDARD_OUTPUT;
use nandseq_trace::manifest::{self, ManifestKind};
use nandseq_trace::recorded::{path_of, shown};

use crate::failure::{Failure, Problem};
use crate::site_list::is_of_batch;
use crate::{ledger, origins};

/// Checks that a file that is about to be written is none of these inputs, and no manifest. `flag` chooses another file.
pub(crate) fn check(
    target: &Path,
    flag: &str,
    inputs: impl IntoIterator<Item = impl AsRef<Path>>,
) -> Result<(), Failure> {
    if target == Path::new(STANDARD_OUTPUT) {
        return Ok(());
    }
    if target.as_os_str().as_encoded_bytes().ends_with(b"/") || target.is_dir() {
        let problem = Problem::new(format!("`{}` names a folder, and a file is to be written", shown(target)));
        return Err(problem.help(format!("name a file with {flag}")).into());
    }
    let Some(same) = identity(target) else { return Ok(()) };
    let what = if inputs.into_iter().any(|input| identity(input.as_ref()).as_ref() == Some(&same)) {
        "is a file that this command reads, or that a manifest which it reads lists"
    } else if is_manifest(target) {
        "is a manifest of this program"
    } else {
        return Ok(());
    };
    let problem = Problem::new(format!("`{}` {what}: writing would replace it", shown(target)));
    Err(problem.help(format!("choose another file with {flag}")).into())
}

/// All files that are read of a site, that its manifest lists, or that its manifest names as inputs.
pub(crate) fn files_of(site: &SiteFiles) -> impl Iterator<Item = PathBuf> {
    let of_runs = site.runs.iter().flat_map(|run| {
        let tables = run.tables.iter().map(|table| &table.path);
        std::iter::once(&run.path).chain(tables).chain(&run.log).cloned()
    });
    let origin = origins::of_site(site);
    let inputs = origin.into_iter().flat_map(|origin| {
        let others = [origin.probabilities, origin.badlist, origin.plan].into_iter().flatten();
        std::iter::once(origin.profile.source).chain(others.map(|input| input.source)).map(|source| path_of(&source))
    });
    of_runs.chain(site.listed.iter().map(|listed| listed.path.clone())).chain(inputs)
}

/// Whether a file is a manifest or a ledger.
fn is_manifest(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else { return false };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_one = || manifest::bytes(&path).is_ok_and(|text| ManifestKind::of(&text) != ManifestKind::Unknown);
    name == ledger::FILE_NAME || (is_of_batch(name) && is_one())
}

/// What tells a regular file from all others; `None` if there is none.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    path.metadata().ok().filter(std::fs::Metadata::is_file).map(|about| (about.dev(), about.ino()))
}

/// What tells a regular file from all others; `None` if there is none.
#[cfg(not(unix))]
fn identity(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok().filter(|path| path.is_file())
}
