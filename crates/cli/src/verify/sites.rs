//! Which sequence files are to be judged, and which of them are one history.

use std::fs;
use std::path::{Path, PathBuf};

use nandseq_trace::files::FileKind;
use nandseq_trace::manifest::{self, BatchManifest, FileRecord, Origin, SiteManifest};

use crate::failure::{Failure, Problem};
use crate::inputs;

/// How deep sites are looked for below a folder without a manifest.
const MAX_DEPTH: usize = 4;

/// The files of a site, in the order of their runs.
pub(super) struct SiteFiles {
    /// What the user knows it as.
    pub(super) shown: String,
    pub(super) files: Vec<SequenceFile>,
    /// Where its manifest says it comes from.
    pub(super) origin: Option<Origin>,
}

/// A sequence file.
pub(super) struct SequenceFile {
    pub(super) path: PathBuf,
    pub(super) name: String,
    /// What the manifest says of it.
    pub(super) record: Option<FileRecord>,
}

impl SiteFiles {
    /// The name of the file of a place.
    pub(super) fn file_name(&self, file: u32) -> &str {
        self.files.get(file as usize).map_or("?", |file| &file.name)
    }
}

/// The sites that some paths lead to: sequence files, site folders, output folders.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<SiteFiles>, Failure> {
    let mut sites = Vec::new();
    for path in paths {
        let before = sites.len();
        if path.is_dir() {
            add_folder(path, 0, &mut sites)?;
        } else {
            let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            let file = SequenceFile { path: path.clone(), name, record: None };
            sites.push(SiteFiles { shown: path.display().to_string(), files: vec![file], origin: None });
        }
        if sites.len() == before {
            let problem = Problem::new(format!("there is no operation sequence in `{}`", path.display()));
            return Err(problem.help("name a file, a site's folder, or the folder of a batch").into());
        }
    }
    Ok(sites)
}

fn add_folder(folder: &Path, depth: usize, sites: &mut Vec<SiteFiles>) -> Result<(), Failure> {
    let manifest = folder.join(manifest::FILE_NAME);
    if manifest.is_file() {
        return add_listed(folder, &manifest, depth, sites);
    }
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    let unreadable = |reason| Failure::from(Problem::unreadable("the folder", folder, &reason));
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
        if path.is_dir() {
            folders.push(path);
        } else if let Some(run) = run_of(&name) {
            files.push((run, SequenceFile { path, name, record: None }));
        }
    }
    files.sort_by(|(run, file), (other_run, other)| (run, &file.name).cmp(&(other_run, &other.name)));
    if let Some(twice) = files.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let (one, other) = (&twice[0].1.name, &twice[1].1.name);
        let message = format!("`{}` holds two sequences of one run: {one}, {other}", folder.display());
        return Err(Problem::new(message).help("name the files of one execution, or keep its manifest.json").into());
    }
    if !files.is_empty() {
        let files = files.into_iter().map(|(_, file)| file).collect();
        sites.push(SiteFiles { shown: folder.display().to_string(), files, origin: None });
    }
    folders.sort();
    folders.iter().filter(|_| depth < MAX_DEPTH).try_for_each(|folder| add_folder(folder, depth + 1, sites))
}

/// The run number in the name of a sequence file.
fn run_of(name: &str) -> Option<u64> {
    let rest = name.strip_prefix(FileKind::OperationSequence.name())?.strip_suffix(".csv")?;
    rest.rsplit_once('_')?.1.parse().ok()
}

/// What a manifest lists: the files of a site, or the sites of a batch.
fn add_listed(folder: &Path, path: &Path, depth: usize, sites: &mut Vec<SiteFiles>) -> Result<(), Failure> {
    let (source, _) = inputs::text("the manifest", path)?;
    if let Ok(batch) = serde_json::from_str::<BatchManifest>(&source.text) {
        let mut within = batch.sites.iter().filter(|_| depth < MAX_DEPTH);
        return within.try_for_each(|site| add_folder(&folder.join(&site.folder), depth + 1, sites));
    }
    let site: SiteManifest = serde_json::from_str(&source.text).map_err(|error| {
        let problem = Problem::new(format!("`{}` is no manifest that this version knows: {error}", path.display()));
        problem.help("take it away to judge the sequences without it")
    })?;
    let records = site.runs.into_iter().flat_map(|run| run.files);
    let files = records.filter(|record| record.kind == FileKind::OperationSequence);
    let files = files.map(|record| SequenceFile {
        path: folder.join(&record.file),
        name: record.file.clone(),
        record: Some(record),
    });
    let shown = folder.display().to_string();
    sites.push(SiteFiles { shown, files: files.collect(), origin: Some(site.origin) });
    Ok(())
}
