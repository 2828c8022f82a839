//! What manifests, and the ledgers of sites that are not finished, list; and whether it is still there.

use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use nandseq_trace::files::{Digest, PACKED};
use nandseq_trace::inside::{self, InsideName};
use nandseq_trace::manifest::{self, BatchManifest, Fault, FileRecord, ManifestKind, RunRecord, SiteManifest};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::site_files::{Damage, DamageKind, FindError, ListedFile};
use crate::source::unpack;

/// What is known of a folder.
pub(super) enum Known<T> {
    /// It has no such manifest.
    Nothing,
    /// What its manifest says.
    Says(T),
    /// Its manifest has a fault.
    Faulty(Damage),
}

/// A manifest that cannot be used; one that names what lies elsewhere, or is of another form, is not even part of a verdict.
fn faulty<T>(path: PathBuf, kind: ManifestKind, fault: Fault) -> Result<Known<T>, FindError> {
    if fault.is_refusal() {
        let other_version = fault.is_of_another_schema();
        return Err(FindError::Refused { what: fault.sentence(&path, kind), other_version });
    }
    Ok(Known::Faulty(Damage { file: path, what: DamageKind::Manifest { kind, fault } }))
}

/// Where a file or folder lies that the manifest in `folder` names.
pub(super) fn inside(name: &InsideName, folder: &Path) -> Result<PathBuf, FindError> {
    name.under_or_packed(folder).map_err(|error| {
        if inside::leads_out(&error) {
            let what = format!("`{}`: {error}", folder.join(manifest::FILE_NAME).display());
            FindError::Refused { what, other_version: false }
        } else {
            FindError::io(folder, error)
        }
    })
}

/// The text of a file, if it is there.
fn text_of(path: &Path) -> Result<Option<Vec<u8>>, FindError> {
    match manifest::bytes(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FindError::io(path, error)),
    }
}

/// The manifest of a batch in a folder. Where the folder is that of a site, its manifest is another's affair.
pub(super) fn batch(folder: &Path, is_site: bool) -> Result<Known<BatchManifest>, FindError> {
    let path = folder.join(manifest::FILE_NAME);
    let Some(text) = text_of(&path)? else { return Ok(Known::Nothing) };
    let kind = ManifestKind::of(&text);
    // A site's may be without sequences, beside folders with some.
    if kind != ManifestKind::Batch && (is_site || manifest::parse::<SiteManifest>(&text).is_ok()) {
        return Ok(Known::Nothing);
    }
    manifest::parse(&text).map_or_else(|fault| faulty(path, kind, fault), |batch| Ok(Known::Says(batch)))
}

/// A file that a site's manifest, or its ledger, lists.
pub(super) struct Listed {
    pub(super) file: ListedFile,
    pub(super) rows: u64,
}

/// The files that the manifest of a folder lists; of a site that is not finished, those of its finished runs, and how many these are.
pub(super) struct Listing {
    pub(super) files: Vec<Listed>,
    pub(super) unfinished: Option<u64>,
}

/// What the manifest of a site says, or the ledger in its place.
pub(super) fn site(folder: &Path) -> Result<Known<Listing>, FindError> {
    let path = folder.join(manifest::FILE_NAME);
    let Some(text) = text_of(&path)? else { return partial(folder) };
    match manifest::parse::<SiteManifest>(&text) {
        Ok(manifest) => listing(folder, manifest.runs, false).map(Known::Says),
        Err(fault) => faulty(path, ManifestKind::Site, fault),
    }
}

fn listing(folder: &Path, runs: Vec<RunRecord>, is_partial: bool) -> Result<Listing, FindError> {
    let unfinished = is_partial.then_some(runs.len() as u64);
    let listed = |file: FileRecord| {
        let path = inside(&file.file, folder)?;
        Ok(Listed { file: ListedFile { path, sha256: file.sha256 }, rows: file.rows })
    };
    let files = runs.into_iter().flat_map(|run| run.files).map(listed).collect::<Result<_, _>>()?;
    Ok(Listing { files, unfinished })
}

/// The first line of a ledger, as far as it is needed.
#[derive(Deserialize)]
struct LedgerHead {
    #[serde(rename = "manifest")]
    _manifest: SiteManifest,
}

/// What the ledger of a site says; a line that is torn, and what follows it, does not count.
fn partial(folder: &Path) -> Result<Known<Listing>, FindError> {
    let path = folder.join(manifest::PARTIAL_NAME);
    let file = match manifest::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Known::Nothing),
        Err(error) => return Err(FindError::io(&path, error)),
    };
    let runs = manifest::read_partial::<LedgerHead, RunRecord>(BufReader::new(file)).map_err(|error| {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Fault>()) {
            Some(fault) => {
                let other_version = fault.is_of_another_schema();
                FindError::Refused { what: format!("`{}`: {error}", path.display()), other_version }
            }
            None => FindError::io(&path, error),
        }
    })?;
    // A ledger without its first line lists nothing yet.
    let runs = runs.map_or_else(Vec::new, |(_, runs)| runs);
    listing(folder, runs, true).map(Known::Says)
}

/// Which files differ from what the manifest says of them, in their order; rows are counted when they are read.
///
/// # Errors
/// [`FindError::Io`] when a file cannot be read.
pub fn compare(listed: &[ListedFile]) -> Result<Vec<Damage>, FindError> {
    let mut damage = Vec::new();
    for file in listed {
        let what = difference(file).map_err(|error| FindError::io(&file.path, error))?;
        damage.extend(what.map(|what| Damage { file: file.path.clone(), what }));
    }
    Ok(damage)
}

/// How a file differs from what the manifest says; of a file that was packed since, what it holds.
fn difference(listed: &ListedFile) -> io::Result<Option<DamageKind>> {
    let found = match digest_of(&listed.path) {
        Ok(found) => found,
        Err(_) if listed.path.metadata().is_ok_and(|found| !found.is_file()) => {
            return Ok(Some(DamageKind::NotRegular));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(DamageKind::Missing)),
        Err(error) => return Err(error),
    };
    Ok((found != listed.sha256).then_some(DamageKind::Changed { listed: listed.sha256, found }))
}

/// The digest of a file; of one that is packed, by its name, of what it holds.
///
/// # Errors
/// When it cannot be read, or unpacked.
pub fn digest_of(path: &Path) -> io::Result<Digest> {
    let file = manifest::open(path)?;
    let is_packed = path.as_os_str().as_encoded_bytes().ends_with(PACKED.as_bytes());
    if is_packed { hash(unpack(BufReader::new(file))) } else { hash(file) }
}

fn hash(mut input: impl Read) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match input.read(&mut buffer)? {
            0 => return Ok(Digest(hash.finalize().into())),
            read => hash.update(&buffer[..read]),
        }
    }
}
