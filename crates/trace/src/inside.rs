//! Names of files and folders as manifests and ledgers list them.
//!
//! An [`InsideName`] lies inside the folder that it is joined to, so a manifest cannot make the program open a file elsewhere.
//! The text of the name is checked when it is read. Links are checked when the name becomes a path to read, which only
//! [`InsideName::under`] and [`InsideName::under_or_packed`] do. Leaves out inputs (profiles, probability tables, lists of bad
//! blocks), which may lie anywhere.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files::PACKED;
use crate::pack;

/// The part of the message by which [`NotInside::is_quoted_in`] recognizes a refused name.
const LEADS_OUT: &str = "is not a name inside the folder of the manifest";

/// A relative path: plain names of folders and a file, with `/` between them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct InsideName(String);

/// Why a name is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotInside {
    /// The name has an [unfit part](unfit_part): it is absolute or empty, for example.
    #[error("`{}` {LEADS_OUT}", .0.escape_debug())]
    Name(String),
    /// A link on the path leads out of the folder.
    #[error("`{0}` is a link to a place outside the folder of the manifest")]
    Link(String),
}

impl NotInside {
    /// Whether a message contains the text of a [`NotInside::Name`]. A JSON parser passes on only the text of an error.
    pub(crate) fn is_quoted_in(message: &str) -> bool {
        message.contains(LEADS_OUT)
    }
}

/// The first part of a path (between `/`) that is not a plain name of a file or folder. Such a part is empty, `.` or `..`,
/// contains `\`, `:` or a control character, or ends with a space. A path without such a part is relative and stays below its
/// folder.
#[must_use]
pub fn unfit_part(path: &str) -> Option<&str> {
    path.split('/').find(|part| {
        let unfit = part.contains(|c: char| c == '\\' || c == ':' || c.is_control()) || part.ends_with(' ');
        part.is_empty() || *part == "." || *part == ".." || unfit
    })
}

impl InsideName {
    /// The name as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The file that holds this one: the archive of a member, otherwise the file itself.
    #[must_use]
    pub fn on_disk(&self) -> Self {
        pack::split_name(&self.0).map_or_else(|| self.clone(), |(archive, _)| Self(archive.to_owned()))
    }

    /// The name of a member in its archive; of a file, its whole name.
    #[must_use]
    pub fn member(&self) -> &str {
        pack::split_name(&self.0).map_or(&self.0, |(_, member)| member)
    }

    /// The path to write to in `folder`. Links are not checked: the folder belongs to this program.
    #[must_use]
    pub fn to_write_in(&self, folder: &Path) -> PathBuf {
        folder.join(&self.0)
    }

    /// The path to read from in `folder`. A file that is missing is no error here.
    ///
    /// # Errors
    /// A [`NotInside`] if a link on the path leads out of the folder; an error of the system if the path cannot be resolved.
    pub fn under(&self, folder: &Path) -> io::Result<PathBuf> {
        let path = folder.join(&self.0);
        if let Some((archive, _)) = pack::split(&path)
            && let Some((name, member)) = pack::split_name(&self.0)
            && archive == folder.join(name)
        {
            return Ok(Self(name.to_owned()).under(folder)?.join(member));
        }
        let root = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        match fs::canonicalize(&path) {
            Ok(real) if real.starts_with(fs::canonicalize(root)?) => Ok(path),
            Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidInput, NotInside::Link(self.0.clone()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path),
            Err(error) => Err(error),
        }
    }

    /// The path to read from in `folder`: the file itself or, if only that exists, the file with [`PACKED`] after its name.
    ///
    /// # Errors
    /// As [`Self::under`], for the file that exists.
    pub fn under_or_packed(&self, folder: &Path) -> io::Result<PathBuf> {
        let path = self.under(folder)?;
        if path.exists() || pack::split(&path).is_some() {
            return Ok(path);
        }
        let packed = Self(format!("{}{PACKED}", self.0));
        if packed.to_write_in(folder).is_file() { packed.under(folder) } else { Ok(path) }
    }
}

/// Whether an error is a [`NotInside`].
#[must_use]
pub fn leads_out(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<NotInside>()).is_some()
}

impl TryFrom<String> for InsideName {
    type Error = NotInside;

    fn try_from(name: String) -> Result<Self, NotInside> {
        if unfit_part(&name).is_some() { Err(NotInside::Name(name)) } else { Ok(Self(name)) }
    }
}

impl From<InsideName> for String {
    fn from(name: InsideName) -> Self {
        name.0
    }
}

impl fmt::Display for InsideName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    fn name(text: &str) -> InsideName {
        InsideName::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn only_plain_names_below_the_folder_are_taken() {
        for good in ["a.csv", "snapshots/a.json", "rack {1}/a b", "run=0000001/a.parquet", "..a", "a..", "…"] {
            assert_eq!(name(good).as_str(), good);
        }
        let bad = [
            "",
            ".",
            "..",
            "/etc/passwd",
            "../a",
            "a/../../b",
            "a/..",
            "a//b",
            "a/",
            "./a",
            "a/./b",
            "C:a",
            "C:\\a",
            "\\a",
            "a\\..\\b",
            "a\nb",
            "a\0b",
            "a ",
        ];
        for bad in bad {
            let refused = InsideName::try_from(bad.to_owned()).unwrap_err();
            assert!(NotInside::is_quoted_in(&refused.to_string()), "{bad:?}: {refused}");
            let json = serde_json::to_string(bad).unwrap();
            let refused = serde_json::from_str::<InsideName>(&json).unwrap_err().to_string();
            assert!(NotInside::is_quoted_in(&refused), "{bad:?}: {refused}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_may_lead_where_it_wants_inside_the_folder_and_nowhere_else() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("out");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("a.csv"), "a").unwrap();
        fs::write(root.path().join("secret"), "s").unwrap();
        symlink("a.csv", folder.join("inside")).unwrap();
        symlink("../secret", folder.join("outside")).unwrap();
        symlink("..", folder.join("up")).unwrap();
        symlink("../nothing", folder.join("dangling")).unwrap();
        for good in ["a.csv", "inside", "dangling", "missing/a.csv"] {
            assert_eq!(name(good).under(&folder).unwrap(), folder.join(good));
        }
        for bad in ["outside", "up/secret", "up"] {
            assert!(leads_out(&name(bad).under(&folder).unwrap_err()), "{bad}");
        }
        // The same holds for a packed file in place of the file.
        fs::write(folder.join("b.csv.gz"), "b").unwrap();
        symlink("../secret", folder.join("c.csv.gz")).unwrap();
        assert_eq!(name("a.csv").under_or_packed(&folder).unwrap(), folder.join("a.csv"));
        assert_eq!(name("b.csv").under_or_packed(&folder).unwrap(), folder.join("b.csv.gz"));
        assert_eq!(name("d.csv").under_or_packed(&folder).unwrap(), folder.join("d.csv"));
        assert!(leads_out(&name("c.csv").under_or_packed(&folder).unwrap_err()));
        // A member lies where its archive lies.
        fs::write(folder.join("p.zip"), "p").unwrap();
        symlink("../secret", folder.join("q.zip")).unwrap();
        assert_eq!(name("p.zip/a/b.csv").under_or_packed(&folder).unwrap(), folder.join("p.zip/a/b.csv"));
        assert_eq!(name("gone.zip/a.csv").under(&folder).unwrap(), folder.join("gone.zip/a.csv"));
        assert!(leads_out(&name("q.zip/a.csv").under(&folder).unwrap_err()));
        assert_eq!((name("p.zip/a/b.csv").on_disk(), name("a.csv").on_disk()), (name("p.zip"), name("a.csv")));
        // The folder itself may be a link.
        symlink("out", root.path().join("link")).unwrap();
        assert!(name("a.csv").under(&root.path().join("link")).is_ok());
        assert!(!leads_out(&io::Error::other("full")));
    }
}
