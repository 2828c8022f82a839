//! Packs: archives of the files of consecutive runs, and paths into them.
//!
//! An archive is a ZIP file, or a Parquet file with the same table of all runs, which lies in a folder `pack=<first run>`. A *path into a
//! pack* is the path of the archive, `/`, and the name of a member: `out/pack_261121_0000001.zip/operation_sequence_261121_0000007.csv`,
//! `out/pack=0000001/operation_sequence.parquet/run=0000007/operation_sequence.parquet`. Manifests name members in this way, and readers
//! take such a path wherever they take that of a file. [`TableIndex`] says what a Parquet file has of each run. Leaves out how archives
//! are read and written.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files::Stamp;

/// The end of the name of a ZIP archive.
const ENDING: &str = ".zip";
/// The end of the name of an archive of one table.
const TABLE_ENDING: &str = ".parquet";
/// The beginning of the name of a pack.
const PACK: &str = "pack_";
/// The beginning of the name of a folder of archives of one table each.
const FOLDER: &str = "pack=";

/// The key under which the metadata of an archive of one table have its [`TableIndex`], as JSON.
pub const INDEX_KEY: &str = "nandseqgen.runs";

/// What an archive of one table has of each run: the bytes of the run's own file, apart from a few at its beginning.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct TableIndex {
    /// The place of the ends of all files (what follows the values) one after another, deflated, and their number of bytes there.
    pub ends: (u64, u64),
    /// The runs, in order.
    pub runs: Vec<TableOfRun>,
}

/// What an archive of one table has of a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TableOfRun {
    /// The number of the run, from 1.
    pub run: u64,
    /// The place of each part with values, and its number of bytes.
    pub values: Vec<(u64, u64)>,
    /// The number of bytes of the end of its file.
    pub end: u64,
}

/// The name of the pack that begins with a run, numbered from 1, in the folder of its site: `pack_261121_0000001.zip`.
#[must_use]
pub fn pack_name(stamp: Stamp, first: u64) -> String {
    format!("{PACK}{stamp}_{first:07}{ENDING}")
}

/// The date and the first run in the name of a pack; `None` for another name.
#[must_use]
pub fn parse_pack_name(name: &str) -> Option<(Stamp, u64)> {
    let (stamp, first) = name.strip_prefix(PACK)?.strip_suffix(ENDING)?.split_once('_')?;
    let (stamp, first) = (stamp.parse().ok()?, first.parse().ok()?);
    (first > 0 && pack_name(stamp, first) == name).then_some((stamp, first))
}

/// The name of the folder with the archives of a pack that begins with a run, numbered from 1, in the folder of its site: `pack=0000001`.
#[must_use]
pub fn pack_folder(first: u64) -> String {
    format!("{FOLDER}{first:07}")
}

/// The first run in the name of such a folder; `None` for another name.
#[must_use]
pub fn parse_pack_folder(name: &str) -> Option<u64> {
    let first = name.strip_prefix(FOLDER)?.parse().ok()?;
    (first > 0 && pack_folder(first) == name).then_some(first)
}

/// Whether a path has the name of an archive and is no folder.
#[must_use]
pub fn is_archive(path: &Path) -> bool {
    (ends_with(path, ENDING) || (ends_with(path, TABLE_ENDING) && is_in_pack_folder(path))) && !path.is_dir()
}

/// Whether a path has the name of an archive of one table.
#[must_use]
pub fn is_of_table(archive: &Path) -> bool {
    ends_with(archive, TABLE_ENDING)
}

fn ends_with(path: &Path, ending: &str) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().ends_with(ending.as_bytes()))
}

fn is_in_pack_folder(path: &Path) -> bool {
    first_in_folder(path).is_some()
}

/// The first run of the pack in whose folder an archive lies.
#[must_use]
pub fn first_in_folder(archive: &Path) -> Option<u64> {
    parse_pack_folder(archive.parent()?.file_name()?.to_str()?)
}

/// The archive that a path leads into, and the name of the member; `None` for a path that leads into none.
#[must_use]
pub fn split(path: &Path) -> Option<(&Path, String)> {
    let holds_members = |above: &&Path| (ends_with(above, ENDING) || is_of_table(above)) && !above.is_dir();
    let archive = path.ancestors().skip(1).find(holds_members)?;
    let member = path.strip_prefix(archive).ok()?;
    let parts = member.components().map(|part| part.as_os_str().to_str()).collect::<Option<Vec<_>>>()?;
    Some((archive, parts.join("/")))
}

/// The name of an archive and that of a member in it, of a name as manifests have it; `None` for the name of a file.
#[must_use]
pub fn split_name(name: &str) -> Option<(&str, &str)> {
    let end = name.match_indices('/').map(|(at, _)| at).find(|&at| {
        let before = &name[..at];
        before.ends_with(ENDING) || before.ends_with(TABLE_ENDING)
    })?;
    Some((&name[..end], &name[end + 1..]))
}

/// The folder of the site that an archive belongs to.
#[must_use]
pub fn site_folder(archive: &Path) -> &Path {
    let folder = archive.parent().unwrap_or(archive);
    if is_in_pack_folder(archive) { folder.parent().unwrap_or(folder) } else { folder }
}

/// The path of another file of the run that a sequence is of, in the same place; `name` is that of the file.
#[must_use]
pub fn beside(sequence: &Path, name: &str) -> PathBuf {
    match split(sequence) {
        // Each table has an archive of its own.
        Some((archive, member)) if is_of_table(archive) => {
            archive.with_file_name(name).join(Path::new(&member).with_file_name(name))
        }
        Some(_) | None => sequence.with_file_name(name),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    #[test]
    fn a_pack_is_called_by_its_date_and_first_run() {
        let stamp: Stamp = "261121".parse().unwrap();
        assert_eq!(pack_name(stamp.at_second(7), 101), "pack_261121_0000101.zip");
        for first in [1, 101, 9_999_999] {
            assert_eq!(parse_pack_name(&pack_name(stamp, first)), Some((stamp, first)));
        }
        for name in [
            "pack_261121_1.zip",
            "pack_261321_0000001.zip",
            "pack_261121_0000000.zip",
            "pack_261121_0000001.zip.gz",
            "pack.zip",
            "",
        ] {
            assert_eq!(parse_pack_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_path_into_an_archive_is_taken_apart_and_one_through_a_folder_is_not() {
        let root = tempfile::tempdir().unwrap();
        let (archive, folder) = (root.path().join("a.zip"), root.path().join("b.zip"));
        std::fs::write(&archive, "").unwrap();
        std::fs::create_dir(&folder).unwrap();
        let member = archive.join("snapshots").join("s.json");
        assert_eq!(split(&member), Some((&*archive, "snapshots/s.json".to_owned())));
        assert_eq!((split(&archive), split(&folder.join("s.json"))), (None, None));
        // An archive that is gone was one all the same.
        assert_eq!(split(Path::new("gone.zip/a.csv")).unwrap().1, "a.csv");
        assert_eq!(split_name("a.zip/snapshots/s.json"), Some(("a.zip", "snapshots/s.json")));
        assert_eq!((split_name("a.zip"), split_name("run=0000001/a.parquet")), (None, None));
        assert_eq!(site_folder(&archive), root.path());
    }
    #[test]
    fn an_archive_of_one_table_lies_in_the_folder_of_its_pack_and_its_members_in_it() {
        for first in [1, 101, 12_345_678] {
            assert_eq!(parse_pack_folder(&pack_folder(first)), Some(first));
        }
        for name in ["pack=1", "pack=00000001", "pack=", "pack=+000001", "pack_0000001", "run=0000001"] {
            assert_eq!(parse_pack_folder(name), None, "{name}");
        }
        let archive = Path::new("out/pack=0000001/operation_sequence.parquet");
        let member = archive.join("run=0000007/operation_sequence.parquet");
        assert!(is_archive(archive) && !is_archive(Path::new("out/run=0000001/operation_sequence.parquet")));
        assert_eq!(split(&member), Some((archive, "run=0000007/operation_sequence.parquet".to_owned())));
        assert_eq!((split(archive), site_folder(archive), first_in_folder(archive)), (None, Path::new("out"), Some(1)));
        let name = "pack=0000001/a.parquet/run=0000007/a.parquet";
        assert_eq!(split_name(name), Some(("pack=0000001/a.parquet", "run=0000007/a.parquet")));
        assert_eq!(beside(&member, "a.parquet"), Path::new("out").join(name));
        assert_eq!(beside(Path::new("a.zip/b.csv"), "c.csv"), Path::new("a.zip/c.csv"));
        // A dataset of another tool, in folders with names of files, is none.
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a.parquet");
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(split(&folder.join("part-0.parquet")), None);
    }
}
