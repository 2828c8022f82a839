//! `--site`, `--run`, `--from`, `--to` of `report` and `export`: the part of the runs that is read.
//!
//! An empty part is refused, with what there is. Nothing outside of the part is kept in memory.

use std::collections::BTreeSet;

use nandseq_input::folder::number_of;
use nandseq_profile::Ticks;
use nandseq_report::SiteTables;
use nandseq_report::load::TimeRange;

use crate::arguments::reports::{NumberList, RunSelectionArgs};
use crate::failure::{Failure, Problem};
use crate::site_list::SiteList;
use crate::written::WrittenRuns;

/// A part of the runs.
pub(crate) struct RunSelection<'a> {
    flags: &'a RunSelectionArgs,
    to: Option<Ticks>,
    /// The time window; `None` for all time.
    pub(crate) window: Option<TimeRange>,
}

impl<'a> RunSelection<'a> {
    /// The part that flags ask for.
    pub(crate) fn new(flags: &'a RunSelectionArgs, to: Option<Ticks>) -> Result<Self, Failure> {
        let from = flags.from.unwrap_or(Ticks::ZERO);
        if to.is_some_and(|to| to <= from) {
            let message =
                format!("nothing goes on from {} µs to {} µs", from.to_us_text(), to.unwrap_or(from).to_us_text());
            return Err(Problem::new(message).help("--to must be later than --from").into());
        }
        let bounded = flags.from.is_some() || to.is_some();
        let window = bounded.then_some(TimeRange { from, to: to.unwrap_or(Ticks(u64::MAX)) });
        Ok(Self { flags, to, window })
    }

    /// Keeps only the sites and runs that are asked for.
    ///
    /// # Errors
    /// When one that is named does not exist.
    pub(crate) fn choose(&self, found: &mut WrittenRuns) -> Result<(), Failure> {
        if let Some(wanted) = &self.flags.site {
            let numbers: Vec<Option<u64>> = found.sites.iter().map(number_of).collect();
            let there: BTreeSet<u64> = numbers.iter().flatten().copied().collect();
            if there.is_empty() {
                let problem = Problem::new("--site chooses among numbered sites, and there is none");
                return Err(problem.help("leave --site out").into());
            }
            known("site", wanted, &there)?;
            let mut numbers = numbers.into_iter();
            found.sites.retain(|_| numbers.next().flatten().is_some_and(|number| wanted.contains(number)));
        }
        if let Some(wanted) = &self.flags.run {
            let there: BTreeSet<u64> = found.sites.iter().flat_map(|site| &site.runs).map(|run| run.run).collect();
            known("run", wanted, &there)?;
            for site in &mut found.sites {
                site.runs.retain(|run| wanted.contains(run.run));
            }
            found.sites.retain(|site| !site.runs.is_empty());
        }
        Ok(())
    }

    /// Keeps only the runs of which something was loaded.
    ///
    /// # Errors
    /// When nothing was loaded.
    pub(crate) fn keep(&self, found: &mut WrittenRuns, sites: &[SiteTables]) -> Result<(), Failure> {
        if self.window.is_none() {
            return Ok(());
        }
        for (site, loaded) in found.sites.iter_mut().zip(sites) {
            site.runs.retain(|run| loaded.runs.iter().any(|one| one.run == run.run));
        }
        if sites.iter().any(|site| !site.runs.is_empty()) {
            return Ok(());
        }
        let spans = || sites.iter().filter_map(|site| site.span);
        let help = match (spans().map(|(first, _)| first).min(), spans().map(|(_, last)| last).max()) {
            (Some(first), Some(last)) => {
                format!("operations go on from {} µs to {} µs there", first.to_us_text(), last.to_us_text())
            }
            _ => "choose another time, or leave --from and --to out".to_owned(),
        };
        Err(Problem::new(format!("nothing goes on {} in these runs", self.time())).help(help).into())
    }

    /// The sentence of a page about the part; empty if it is everything.
    pub(crate) fn sentence(&self) -> String {
        let list = |what: &str, list: &Option<NumberList>| {
            list.as_ref().map(|list| format!("{what}{} {}", if list.is_one() { "" } else { "s" }, list.text))
        };
        let time = self.window.map(|_| format!("what goes on {}", self.time()));
        let parts = [list("site", &self.flags.site), list("run", &self.flags.run), time];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() {
            return String::new();
        }
        let mut sentence = format!("This is a part: {}.", parts.join(", "));
        if self.window.is_some() {
            sentence +=
                " Page accesses, input times, refusals and coverage are those of the whole runs that reach into it.";
        }
        sentence
    }

    fn time(&self) -> String {
        let from = self.flags.from.map(|from| format!("from {} µs", from.to_us_text()));
        let to = self.to.map(|to| format!("before {} µs", to.to_us_text()));
        from.into_iter().chain(to).collect::<Vec<_>>().join(" and ")
    }
}

/// Checks that all numbers that are named exist.
fn known(what: &str, wanted: &NumberList, there: &BTreeSet<u64>) -> Result<(), Failure> {
    // Ranges may be long, so the existing numbers are looked at instead.
    let strange = wanted.ranges.iter().find_map(|range| {
        let mut next = *range.start();
        for &number in there.range(range.clone()) {
            if number != next {
                break;
            }
            if number == *range.end() {
                return None;
            }
            next += 1;
        }
        Some(next)
    });
    let Some(strange) = strange else { return Ok(()) };
    let are = if there.len() == 1 { format!("{what} is") } else { format!("{what}s are") };
    let problem = Problem::new(format!("there is no {what} {strange}"));
    Err(problem.help(format!("the {are} {}", SiteList::of(&there.iter().copied().collect::<Vec<_>>()))).into())
}
