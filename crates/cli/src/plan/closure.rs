//! What a plan is to cover, and when that is enough.

use std::fmt;
use std::str::FromStr;

use nandseq_generate::CoverageIdentity;
use nandseq_generate::closure::{Cell, Goal};

use crate::arguments::GenerateArgs;
use crate::explain::{Trial, Words};
use crate::failure::{Failure, Problem, warning_text};
use crate::in_force::InForce;
use crate::{coverage, not_reached, tell};

/// Operations of a run for each cell where --until-coverage alone limits it.
const OPS_OF_CELL: u64 = 100;
/// Operations of the trial that shows whether anything starts.
const TRIAL_OPS: u64 = 100;
/// Thousandths of a percent in a whole.
const WHOLE: u32 = 100_000;

/// A share of cells, in thousandths of a percent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Share(u32);

impl Share {
    /// The least number of so many cells that is this share.
    pub(crate) fn of(self, cells: u64) -> u64 {
        (u128::from(cells) * u128::from(self.0)).div_ceil(u128::from(WHOLE)) as u64
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "not a percentage above 0 and up to 100, with at most three decimals".to_owned();
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || whole.len() > 3 || decimals.len() > 3 {
            return Err(form());
        }
        let thousandths = format!("{whole}{decimals:0<3}").parse::<u32>().map_err(|_| form())?;
        if (1..=WHOLE).contains(&thousandths) { Ok(Self(thousandths)) } else { Err(form()) }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:03}", self.0 / 1000, self.0 % 1000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// What each site is to cover.
#[derive(Debug)]
pub(crate) struct Closure {
    pub(crate) goal: Goal,
    /// Whether proposals go for what lacks hits.
    pub(crate) directed: bool,
    /// The share at which a site ends.
    pub(crate) share: Option<Share>,
    /// Why nothing can be covered, with the state of every die, where nothing can ever start.
    pub(crate) nothing_starts: Option<String>,
}

impl Closure {
    /// What the flags ask for, if they do.
    ///
    /// # Errors
    /// When no cell counts, unless a share of them is to be reached and nothing can ever start: that is said when generating.
    pub(super) fn new(arguments: &GenerateArgs, in_force: &InForce) -> Result<Option<Self>, Failure> {
        let (directed, share) = (arguments.extent.closure, arguments.extent.until_coverage);
        if !directed && share.is_none() {
            return Ok(None);
        }
        let profile = &in_force.profile;
        let universe = coverage::universe(profile, Some(&in_force.table.distributions), in_force.start());
        let cells = universe.cells().map(|cell| Cell { key: cell.key, op: cell.op, bin: cell.bin });
        let goal = Goal::new(profile, cells, |key| universe.bins(key), directed);
        let flag = if directed { "--closure" } else { "--until-coverage" };
        let nothing_starts = if goal.cells() == 0 { Some(nothing_to_cover(flag, share, in_force)?) } else { None };
        Ok(Some(Self { goal, directed, share, nothing_starts }))
    }

    /// Covered cells that end a site.
    pub(crate) fn until(&self) -> Option<u64> {
        self.share.map(|share| share.of(self.goal.cells()))
    }

    /// What limits a run where neither time nor operations are said.
    pub(super) fn most_ops(&self) -> Option<u64> {
        self.share.map(|_| self.goal.cells().max(1).saturating_mul(OPS_OF_CELL))
    }

    /// What a snapshot belongs to.
    pub(super) fn identity(&self) -> CoverageIdentity {
        let goal = &self.goal;
        let (cells, cells_sha256) = (goal.cells(), goal.digest());
        CoverageIdentity { directed: self.directed, cells, cells_sha256, until: self.until() }
    }
}

/// Why no cell counts, and what to change. Where nothing can ever start, the state of every die is told.
///
/// # Errors
/// Unless a share is to be reached and nothing can ever start.
fn nothing_to_cover(flag: &str, share: Option<Share>, in_force: &InForce) -> Result<String, Failure> {
    let (words, start) = (Words::of(in_force), in_force.start());
    let trial = Trial::new(&in_force.profile, &in_force.table.distributions, start, TRIAL_OPS);
    if let Some(problem) = &trial.problem {
        return Err(Problem::new(problem).help(words.how_to_propose(&in_force.flags)).into());
    }
    let message = format!("{flag} has nothing to cover: no operation of the table can ever be proposed");
    let dead = not_reached::of_trial(&words, &trial, start.bootstrap).filter(|_| trial.is_over);
    if let (Some(dead), Some(_)) = (&dead, share) {
        return Ok(format!("{message}: {dead}"));
    }
    dead.iter().for_each(|dead| tell(&warning_text(dead)));
    let says_why = format!("`{}` says why", in_force.flags.check().flag("--pairs"));
    // Where nothing ever starts, nothing is gained without the flag.
    let help = if dead.is_some() { says_why } else { format!("{says_why}, or generate without the flag") };
    Err(Problem::new(message).help(help).into())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    #[test]
    fn a_share_has_one_form_and_rounds_up() {
        for (text, form, of_1000) in [
            ("99", "99", 990),
            ("99.9", "99.9", 999),
            ("100", "100", 1000),
            ("0.001", "0.001", 1),
            ("050.50", "50.5", 505),
        ] {
            let share: Share = text.parse().unwrap();
            assert_eq!((share.to_string().as_str(), share.of(1000)), (form, of_1000), "{text}");
        }
        assert_eq!("99.99".parse::<Share>().unwrap().of(1000), 1000);
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for text in ["", "0", "0.000", "100.001", "101", "-1", "1e1", "nan", "99.", ".5", "99.1234", "+5", "99 "] {
            assert!(text.parse::<Share>().unwrap_err().contains("not a percentage"), "{text}");
        }
    }
}
