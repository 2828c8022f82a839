//! The verdict of the verifier, read from its JSON as far as a page shows it.

use std::path::{Path, PathBuf};

use nandseq_trace::file_form::FileForm;
use nandseq_trace::recorded::{path_of, shown};
use serde::{Deserialize, Serialize};

use crate::load::SiteTables;
use crate::sums::total;

/// A verdict in JSON, as `nandseqgen verify --format json` prints it.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct VerifierVerdict {
    clean: bool,
    sites: Vec<VerdictSite>,
    rules: Vec<VerdictRule>,
}

#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
struct VerdictSite {
    folder: String,
}

#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
struct VerdictRule {
    rule: String,
    sentence: String,
    findings: u64,
    first: Vec<VerdictFinding>,
}

#[derive(Deserialize, Clone, PartialEq, Eq, Debug)]
struct VerdictFinding {
    file: String,
    row: u64,
    time_ps: Option<u64>,
    op_uid: Option<u64>,
    op_name: Option<String>,
    message: String,
}

/// The verdict on the sites of a page.
#[derive(Serialize, Debug)]
pub(super) struct Violations {
    clean: bool,
    total: u64,
    list: Vec<Violation>,
}

#[derive(Serialize, Debug)]
struct Violation {
    rule: String,
    sentence: String,
    site: Option<usize>,
    uid: Option<u64>,
    /// In the time unit of the page.
    time: Option<u64>,
    op: Option<String>,
    message: String,
    file: String,
    /// What follows the name of the file: the line, or the row.
    place: String,
}

impl VerifierVerdict {
    /// Reads a verdict.
    ///
    /// # Errors
    /// When the text is not a verdict.
    pub fn read(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// The folders of the sites that were judged.
    pub fn folders(&self) -> impl Iterator<Item = PathBuf> {
        self.sites.iter().map(|site| path_of(&site.folder))
    }

    pub(super) fn of(&self, sites: &[SiteTables], unit: u64) -> Violations {
        let mut list = Vec::new();
        for rule in &self.rules {
            for finding in &rule.first {
                let path = &path_of(&finding.file);
                list.push(Violation {
                    rule: rule.rule.clone(),
                    sentence: rule.sentence.clone(),
                    site: site_of(path, sites),
                    uid: finding.op_uid,
                    time: finding.time_ps.map(|time| time / unit),
                    op: finding.op_name.clone(),
                    message: finding.message.clone(),
                    file: path.file_name().map_or_else(String::new, shown),
                    place: FileForm::of(path).place(finding.row),
                });
            }
        }
        let findings = total(self.rules.iter().map(|rule| rule.findings));
        Violations { clean: self.clean, total: findings, list }
    }
}

/// The site of a file: the one in whose folder it lies, else the only one whose folder has the same name. Paths may be spelled in
/// different ways.
fn site_of(file: &Path, sites: &[SiteTables]) -> Option<usize> {
    let folder = FileForm::of(file).site_folder(file)?;
    let same = |site: &SiteTables| site.folder == folder || site.folder == file;
    sites.iter().position(same).or_else(|| {
        let named = |site: &&SiteTables| folder.file_name().is_some_and(|name| shown(name) == *site.name);
        let mut of_name = sites.iter().enumerate().filter(|(_, site)| named(site));
        // A name that two sites share does not tell which one it is.
        of_name.next().filter(|_| of_name.next().is_none()).map(|(at, _)| at)
    })
}
