//! Answers by site, run and part, checked against the runs of a campaign.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::answer::{Answer, FailRecord, FailsError, PartResult};
use crate::campaign::CampaignRuns;
use crate::field_map::FieldMap;
use crate::read::read_fails;

/// How many failing operations of a run are kept, the first ones. The others are counted.
pub const MOST_OPS: usize = 1_000;

/// A part in a run of its site.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RunOfPart {
    /// The site.
    pub site: u32,
    /// The run.
    pub run: u32,
    /// The part among those of the site, from 1.
    pub part: u32,
}

/// The result of a part in a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RunResult {
    /// The part passed.
    Passed,
    /// The part failed.
    Failed(FailedAt),
}

/// Where a run failed.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FailedAt {
    ops: BTreeSet<u64>,
    /// The number of fails that the tester reported.
    pub fails: u64,
}

impl FailedAt {
    /// The first failing operation; `None` if the tester names none.
    #[must_use]
    pub fn first(&self) -> Option<u64> {
        self.ops.first().copied()
    }

    /// The failing operations in order, at most [`MOST_OPS`].
    pub fn ops(&self) -> impl Iterator<Item = u64> {
        self.ops.iter().copied()
    }

    fn add(&mut self, op_uid: Option<u64>) {
        self.fails = self.fails.saturating_add(1);
        self.ops.extend(op_uid);
        if self.ops.len() > MOST_OPS {
            self.ops.pop_last();
        }
    }
}

/// What runs count as that a file says nothing of.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum OtherRuns {
    /// They passed: `--others passed`.
    Passed,
    /// Nothing is known of them.
    #[default]
    Unknown,
}

/// The answers of a tester to the runs of a campaign.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Fails {
    /// The results, each with where the first answer stands; `None` for runs that count as passed.
    runs: BTreeMap<RunOfPart, (Option<FailRecord>, RunResult)>,
}

impl Fails {
    /// Reads a file of fails of a campaign.
    ///
    /// # Errors
    /// If the file cannot be read, names a site, run or operation that the campaign does not have, or says that a run passed and failed.
    pub fn read(path: &Path, map: &FieldMap, campaign: &CampaignRuns, others: OtherRuns) -> Result<Self, FailsError> {
        let mut fails = Self::default();
        read_fails(path, map, &mut |answer| fails.add(answer, campaign))?;
        match others {
            OtherRuns::Passed => fails.others_passed(campaign),
            OtherRuns::Unknown => {}
        }
        Ok(fails)
    }

    /// Adds an answer.
    ///
    /// # Errors
    /// As [`Fails::read`].
    pub fn add(&mut self, answer: Answer, campaign: &CampaignRuns) -> Result<(), FailsError> {
        let Answer { site, part, run, result, record } = answer;
        check(&answer, campaign)?;
        let first = || match result {
            PartResult::Passed => RunResult::Passed,
            PartResult::Failed { .. } => RunResult::Failed(FailedAt::default()),
        };
        let of = RunOfPart { site, run, part };
        let (at, known) = self.runs.entry(of).or_insert_with(|| (Some(record), first()));
        match (known, result) {
            (RunResult::Passed, PartResult::Passed) => Ok(()),
            (RunResult::Failed(failed), PartResult::Failed { op_uid }) => {
                failed.add(op_uid);
                Ok(())
            }
            (RunResult::Passed, PartResult::Failed { .. }) => Err(contradiction(of, record, ("failed", "passed"), *at)),
            (RunResult::Failed(_), PartResult::Passed) => Err(contradiction(of, record, ("passed", "failed"), *at)),
        }
    }

    /// Lets every run without an answer pass, for each part of its site.
    fn others_passed(&mut self, campaign: &CampaignRuns) {
        let mut parts: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for of in self.runs.keys() {
            parts.entry(of.site).or_default().insert(of.part);
        }
        for (site, run) in campaign.iter() {
            for &part in parts.entry(site).or_insert_with(|| BTreeSet::from([1])).iter() {
                self.runs.entry(RunOfPart { site, run, part }).or_insert((None, RunResult::Passed));
            }
        }
    }

    /// The results, by site, run and part.
    pub fn iter(&self) -> impl Iterator<Item = (RunOfPart, &RunResult)> {
        self.runs.iter().map(|(of, (_, result))| (*of, result))
    }

    /// The results of a run, with the part of each.
    pub fn of(&self, site: u32, run: u32) -> impl Iterator<Item = (u32, &RunResult)> {
        let part = |part| RunOfPart { site, run, part };
        self.runs.range(part(0)..=part(u32::MAX)).map(|(of, (_, result))| (of.part, result))
    }
}

/// Checks that a campaign has what an answer names.
fn check(answer: &Answer, campaign: &CampaignRuns) -> Result<(), FailsError> {
    const OTHER: &str = "these are fails of another campaign, or --map must say which fields are meant";
    let &Answer { site, run, result, record, .. } = answer;
    let wrong = |what: String| Err(FailsError::at(record, what).with_help(OTHER));
    if !campaign.has_site(site) {
        return wrong(format!("there is no site {site}"));
    }
    let Some(uids) = campaign.uids(site, run) else {
        return wrong(format!("site {site} has no run {run}"));
    };
    match (result, uids) {
        (PartResult::Passed | PartResult::Failed { op_uid: None }, _) => Ok(()),
        (PartResult::Failed { op_uid: Some(uid) }, None) => {
            wrong(format!("run {run} of site {site} has no op_uid {uid}: it has no operations"))
        }
        (PartResult::Failed { op_uid: Some(uid) }, Some((first, last))) if !(first..=last).contains(&uid) => {
            wrong(format!("run {run} of site {site} has no op_uid {uid}, only {first} to {last}"))
        }
        (PartResult::Failed { op_uid: Some(_) }, Some(_)) => Ok(()),
    }
}

fn contradiction(of: RunOfPart, record: FailRecord, (now, before): (&str, &str), at: Option<FailRecord>) -> FailsError {
    let RunOfPart { site, run, part } = of;
    let part = if part == 1 { String::new() } else { format!(" of part {part}") };
    let before_at = at.map(|at| format!(" in {at}")).unwrap_or_default();
    FailsError::at(record, format!("run {run} of site {site}{part} {now} here and {before}{before_at}"))
        .with_help("a run has either fails, or one answer that says that it passed")
}
