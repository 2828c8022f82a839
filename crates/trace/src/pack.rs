//! Packs: archives of the files of consecutive runs, and paths into them.
//!
//! A *path into a pack* is the path of the archive, `/`, and the name of a member: `out/pack_261121_0000001.zip/operation_sequence_261121_0000007.csv`.
//! Manifests name members in this way, and readers take such a path wherever they take that of a file. Leaves out what is in an
//! archive, and how it is read and written.

use std::path::Path;

use crate::files::Stamp;

/// The end of the name of an archive.
const ENDING: &str = ".zip";
/// The beginning of the name of a pack.
const PACK: &str = "pack_";

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
    (pack_name(stamp, first) == name).then_some((stamp, first))
}

/// The first run of the pack that a run, by index, belongs to if each pack has `size` runs; by index too.
#[must_use]
pub const fn first_of_pack(run_index: u64, size: u64) -> u64 {
    run_index - run_index % size
}

/// Whether a path has the name of an archive and is no folder.
#[must_use]
pub fn is_archive(path: &Path) -> bool {
    ends_as_archive(path) && !path.is_dir()
}

fn ends_as_archive(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().ends_with(ENDING.as_bytes()))
}

/// The archive that a path leads into, and the name of the member; `None` for a path that leads into none.
#[must_use]
pub fn split(path: &Path) -> Option<(&Path, String)> {
    let archive = path.ancestors().skip(1).find(|above| is_archive(above))?;
    let member = path.strip_prefix(archive).ok()?;
    let parts = member.components().map(|part| part.as_os_str().to_str()).collect::<Option<Vec<_>>>()?;
    Some((archive, parts.join("/")))
}

/// The name of an archive and that of a member in it, of a name as manifests have it; `None` for the name of a file.
#[must_use]
pub fn split_name(name: &str) -> Option<(&str, &str)> {
    let end = name.match_indices('/').map(|(at, _)| at).find(|&at| name[..at].ends_with(ENDING))?;
    Some((&name[..end], &name[end + 1..]))
}

/// The folder that a file lies in: for the member of an archive, that of the archive.
#[must_use]
pub fn outside(folder: &Path) -> &Path {
    if is_archive(folder) { folder.parent().unwrap_or(folder) } else { folder }
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
        for name in ["pack_261121_1.zip", "pack_261321_0000001.zip", "pack_261121_0000001.zip.gz", "pack.zip", ""] {
            assert_eq!(parse_pack_name(name), None, "{name}");
        }
    }

    #[test]
    fn every_run_belongs_to_one_pack() {
        let firsts = |size| (0..7).map(|run| first_of_pack(run, size)).collect::<Vec<_>>();
        assert_eq!(firsts(1), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(firsts(3), [0, 0, 0, 3, 3, 3, 6]);
        assert_eq!(firsts(9), [0; 7]);
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
        assert_eq!((outside(&archive), outside(&folder)), (root.path(), &*folder));
    }
}
