//! What a tester reported, as far as a page shows it.

use nandseq_profile::Profile;
use serde::Serialize;

use crate::load::SiteTables;

/// The most fails that a page lists and marks.
pub const MOST_FAILS: usize = 10_000;

/// A fail of a part in a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageFail {
    /// The place of the site among those of the page.
    pub site: usize,
    /// The run.
    pub run: u64,
    /// The part, among those that were tested at the site.
    pub part: u32,
    /// The failing operation, if it is known.
    pub op_uid: Option<u64>,
}

/// What a tester reported of the runs of a page.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PageFails {
    /// The number of runs with an answer; a run counts for each part.
    pub runs: u64,
    /// The number of those that failed.
    pub failed: u64,
    /// The fails, in order.
    pub list: Vec<PageFail>,
}

/// The fails with what the page knows of their operations.
#[derive(Serialize, Debug)]
pub(super) struct ShownFails {
    runs: u64,
    failed: u64,
    total: usize,
    list: Vec<ShownFail>,
}

#[derive(Serialize, Debug)]
struct ShownFail {
    rule: &'static str,
    site: usize,
    uid: Option<u64>,
    /// In the time unit of the page.
    time: Option<u64>,
    op: Option<String>,
    message: String,
}

impl PageFails {
    pub(super) fn shown(&self, profile: &Profile, sites: &[SiteTables], unit: u64) -> ShownFails {
        let shown = |fail: &PageFail| {
            let operations = &sites[fail.site].operations;
            let at = fail.op_uid.and_then(|uid| operations.binary_search_by_key(&uid, |row| row.uid).ok());
            let row = at.map(|at| operations[at]);
            let part = if fail.part == 1 { String::new() } else { format!(", part {}", fail.part) };
            ShownFail {
                rule: "failed",
                site: fail.site,
                uid: fail.op_uid.filter(|_| row.is_some()),
                time: row.map(|row| row.time.0 / unit),
                op: row.map(|row| profile.ops[row.op].name.clone()),
                message: format!("in run {} of {}{part}, as the tester reports", fail.run, sites[fail.site].name),
            }
        };
        let list = self.list.iter().take(MOST_FAILS).map(shown).collect();
        ShownFails { runs: self.runs, failed: self.failed, total: self.list.len(), list }
    }
}
