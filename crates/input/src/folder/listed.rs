//! The files that manifests and ledgers list, and whether they are still there unchanged.

use nandseq_trace::recorded::shown;
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use nandseq_trace::files::{Digest, FileKind, PACKED};
use nandseq_trace::inside::{self, InsideName};
use nandseq_trace::manifest::{self, BatchManifest, Fault, FileRecord, ManifestKind, RunRecord, SiteManifest};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::site_files::{Damage, DamageKind, FindError, ListedFile, SiteFiles};
use crate::archive;
use crate::source::{FileDigests, unpack};

/// What the manifest of a folder tells.
pub(super) enum Known<T> {
    /// The folder has no such manifest.
    Nothing,
    /// The contents of its manifest.
    Says(T),
    /// The manifest has a fault.
    Faulty(Damage),
}

/// The damage of a manifest with a fault. A manifest whose fault [is a refusal](Fault::is_refusal) is an error instead.
fn faulty<T>(path: PathBuf, kind: ManifestKind, fault: Fault) -> Result<Known<T>, FindError> {
    if fault.is_refusal() {
        let other_version = fault.is_of_another_schema();
        return Err(FindError::Refused { what: fault.sentence(&path, kind), other_version });
    }
    Ok(Known::Faulty(Damage { file: path, what: DamageKind::Manifest { kind, fault } }))
}

/// The path of a file or folder that the manifest in `folder` names.
pub(super) fn inside(name: &InsideName, folder: &Path) -> Result<PathBuf, FindError> {
    name.under_or_packed(folder).map_err(|error| {
        if inside::leads_out(&error) {
            let what = format!("`{}`: {error}", shown(folder.join(manifest::FILE_NAME)));
            FindError::Refused { what, other_version: false }
        } else {
            FindError::io(folder, error)
        }
    })
}

/// The bytes of a manifest.
fn text_of(path: &Path) -> Known<Vec<u8>> {
    match manifest::bytes(path) {
        Ok(text) => Known::Says(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Known::Nothing,
        Err(error) => Known::Faulty(Damage::unreadable(path, &error)),
    }
}

/// The manifest of a batch in a folder. `Known::Nothing` if the manifest is that of a site; [`site`] reads it then.
pub(super) fn batch(folder: &Path, is_site: bool) -> Result<Known<BatchManifest>, FindError> {
    let path = folder.join(manifest::FILE_NAME);
    let text = match text_of(&path) {
        Known::Says(text) => text,
        // [`site`] reports it.
        Known::Faulty(_) if is_site => return Ok(Known::Nothing),
        Known::Faulty(damage) => return Ok(Known::Faulty(damage)),
        Known::Nothing => return Ok(Known::Nothing),
    };
    let kind = ManifestKind::of(&text);
    // A site may have no sequences although folders below it have some.
    if kind != ManifestKind::Batch && (is_site || manifest::parse::<SiteManifest>(&text).is_ok()) {
        return Ok(Known::Nothing);
    }
    manifest::parse(&text).map_or_else(|fault| faulty(path, kind, fault), |batch| Ok(Known::Says(batch)))
}

/// A file that a site's manifest or ledger lists, with its number of rows.
pub(super) struct Listed {
    pub(super) file: ListedFile,
    pub(super) rows: u64,
}

/// The files that the manifest or ledger of a site lists.
pub(super) struct Listing {
    pub(super) files: Vec<Listed>,
    /// For a ledger, the number of finished runs; `None` for a manifest.
    pub(super) unfinished: Option<u64>,
    /// The listed files of which it is not known where they lie, because their folder cannot be read.
    pub(super) damage: Vec<Damage>,
}

/// Whether a folder has the manifest of a site that lists a sequence.
pub(super) fn lists_sequences(folder: &Path) -> bool {
    let text = manifest::bytes(&folder.join(manifest::FILE_NAME)).ok();
    let known = text.and_then(|text| manifest::parse::<SiteManifest>(&text).ok());
    let mut files = known.iter().flat_map(|known| &known.runs).flat_map(|run| &run.files);
    files.any(|file| file.kind == FileKind::OperationSequence)
}

/// The files that the manifest of a site lists, or else its ledger.
pub(super) fn site(folder: &Path) -> Result<Known<Listing>, FindError> {
    let path = folder.join(manifest::FILE_NAME);
    let text = match text_of(&path) {
        Known::Says(text) => text,
        Known::Faulty(damage) => return Ok(Known::Faulty(damage)),
        Known::Nothing => return partial(folder),
    };
    match manifest::parse::<SiteManifest>(&text) {
        Ok(manifest) => listing(folder, manifest.runs, false).map(Known::Says),
        Err(fault) => faulty(path, ManifestKind::Site, fault),
    }
}

fn listing(folder: &Path, runs: Vec<RunRecord>, is_partial: bool) -> Result<Listing, FindError> {
    let unfinished = is_partial.then_some(runs.len() as u64);
    let mut listing = Listing { files: Vec::new(), unfinished, damage: Vec::new() };
    let mut archives = BTreeMap::new();
    for RunRecord { files, pack, .. } in runs {
        let files = files.into_iter().map(|FileRecord { file, rows, sha256, .. }| (file, rows, sha256));
        for (file, rows, sha256) in files.chain(pack.into_iter().map(|pack| (pack.file, 0, pack.sha256))) {
            let path = match archive_of((&file, folder), &mut archives, &mut listing)? {
                Some(Some(archive)) => Ok(archive.join(file.member())),
                Some(None) => continue,
                None => inside(&file, folder),
            };
            match path {
                Ok(path) => listing.files.push(Listed { file: ListedFile { path, sha256 }, rows }),
                Err(FindError::Io { error, .. }) => {
                    listing.damage.push(Damage::unreadable(&folder.join(file.as_str()), &error));
                }
                Err(refused) => return Err(refused),
            }
        }
    }
    Ok(listing)
}

/// The path of the archive that a file is in. `None` for a file that is in none, `Some(None)` for an archive that cannot be read, and what is in
/// it: that is damage of the archive, said once. `known` has the archives that came before.
fn archive_of(
    (file, folder): (&InsideName, &Path),
    known: &mut BTreeMap<InsideName, Option<PathBuf>>,
    listing: &mut Listing,
) -> Result<Option<Option<PathBuf>>, FindError> {
    let archive = file.on_disk();
    if archive == *file {
        // The members of a pack come before it.
        return Ok(known.get(&archive).filter(|path| path.is_none()).cloned());
    }
    if let Some(path) = known.get(&archive) {
        return Ok(Some(path.clone()));
    }
    let path = match inside(&archive, folder) {
        Ok(path) => path,
        Err(FindError::Io { .. }) => folder.join(archive.as_str()),
        Err(refused) => return Err(refused),
    };
    let what = match archive::members(&path) {
        Ok(_) => None,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(DamageKind::Missing),
        Err(error) => Some(Damage::unreadable(&path, &error).what),
    };
    let found = what.is_none().then(|| path.clone());
    known.insert(archive, found.clone());
    listing.damage.extend(what.map(|what| Damage { file: path, what }));
    Ok(Some(found))
}

/// The first line of a ledger.
#[derive(Deserialize)]
struct LedgerHead {
    manifest: SiteManifest,
}

/// The files that the ledger of a site lists, up to the first line that is cut.
fn partial(folder: &Path) -> Result<Known<Listing>, FindError> {
    let path = folder.join(manifest::PARTIAL_NAME);
    let file = match manifest::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Known::Nothing),
        Err(error) => return Ok(Known::Faulty(Damage::unreadable(&path, &error))),
    };
    match manifest::read_partial::<LedgerHead, RunRecord>(BufReader::new(file)) {
        // A ledger without its first line lists nothing yet.
        Ok(runs) => listing(folder, runs.map_or_else(Vec::new, |(_, runs)| runs), true).map(Known::Says),
        Err(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<Fault>()) {
            Some(fault) => {
                let other_version = fault.is_of_another_schema();
                Err(FindError::Refused { what: format!("`{}`: {error}", shown(&path)), other_version })
            }
            None => Ok(Known::Faulty(Damage::unreadable(&path, &error))),
        },
    }
}

/// The number of a site: the one in its manifest or ledger, otherwise the digits at the end of its folder's name.
#[must_use]
pub fn number_of(site: &SiteFiles) -> Option<u64> {
    let of_manifest = |text: Vec<u8>| manifest::parse::<SiteManifest>(&text).ok();
    let of_ledger = |file| manifest::read_partial::<LedgerHead, RunRecord>(BufReader::new(file)).ok().flatten();
    let known = match manifest::bytes(&site.folder.join(manifest::FILE_NAME)) {
        Ok(text) => of_manifest(text),
        Err(_) => {
            let ledger = manifest::open(&site.folder.join(manifest::PARTIAL_NAME)).ok();
            ledger.and_then(of_ledger).map(|(head, _)| head.manifest)
        }
    };
    if let Some(known) = known {
        return known.site;
    }
    let name = site.folder.file_name()?.to_str()?;
    let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    name[name.len() - digits..].parse().ok()
}

/// The listed files that cannot be read or whose contents differ from the manifest, in their order. Rows are not counted here.
pub fn compare<'a>(listed: impl IntoIterator<Item = &'a ListedFile>) -> Vec<Damage> {
    compare_known(listed, &FileDigests::default())
}

/// As [`compare`]. A file with a known digest is not read once more.
pub fn compare_known<'a>(listed: impl IntoIterator<Item = &'a ListedFile>, known: &FileDigests) -> Vec<Damage> {
    listed.into_iter().filter_map(|file| difference(file, known)).collect()
}

/// How a file differs from the manifest. For a packed file the unpacked contents count.
fn difference(listed: &ListedFile, known: &FileDigests) -> Option<Damage> {
    let damage = |what| Some(Damage { file: listed.path.clone(), what });
    match known.of(&listed.path).map_or_else(|| digest_of(&listed.path), Ok) {
        Ok(found) if found == listed.sha256 => None,
        Ok(found) => damage(DamageKind::Changed { listed: listed.sha256, found }),
        Err(_) if listed.path.metadata().is_ok_and(|found| !found.is_file()) => damage(DamageKind::NotRegular),
        Err(error) if error.kind() == io::ErrorKind::NotFound => damage(DamageKind::Missing),
        Err(error) => Some(Damage::unreadable(&listed.path, &error)),
    }
}

/// The digest of a file. For a file whose name ends with [`PACKED`] it is the digest of the unpacked contents.
///
/// # Errors
/// If the file cannot be read or unpacked, or is not a regular file.
pub fn digest_of(path: &Path) -> io::Result<Digest> {
    let file = archive::open(path)?;
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
