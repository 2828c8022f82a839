//! Progress on stderr: a bar on a terminal, plain lines otherwise, nothing if the user asked for quiet.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use nandseq_profile::diagnostic::counted;
use nandseq_profile::units::TICKS_PER_US;
use nandseq_profile::{OpId, Ticks};
use nandseq_trace::{Cut, Operation, Proposal, Sink};

use crate::campaign::{Campaign, CampaignPhase, CampaignSite};
use crate::failure::{note_text, warning_text};
use crate::simulated::simulated;
use crate::{captured, tell};

/// Units of progress in a run.
const UNITS_OF_RUN: u64 = 1_000;
/// Operations after which a run reports its progress.
const REPORT_EVERY: u64 = 4_096;
/// Least time between plain lines. The line at the end of a site comes at once.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// The progress of an execution, shared between the sites.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: Shown,
    started: Instant,
    sites: u64,
    runs: u64,
    sites_done: AtomicU64,
    runs_done: AtomicU64,
    ops: AtomicU64,
    /// Units of progress made in this execution.
    units: AtomicU64,
    /// Units of the runs that existed before it.
    skipped: AtomicU64,
}

#[derive(Debug)]
enum Shown {
    Nothing,
    Bar(ProgressBar),
    /// Plain lines; the time at which the last one was written.
    Lines(Mutex<Instant>),
}

/// Whether a terminal cannot move its cursor, so that nothing is drawn there.
fn is_dumb(term: Option<OsString>) -> bool {
    term.is_some_and(|term| term == "dumb")
}

impl Progress {
    /// The progress of a campaign, which starts now.
    pub(crate) fn new(campaign: &Campaign) -> Self {
        let (sites, runs) = (campaign.sites.len() as u64, campaign.num_runs);
        let shown = if campaign.quiet || captured::is_given_to_caller() {
            Shown::Nothing
        } else if io::stderr().is_terminal() && !is_dumb(std::env::var_os("TERM")) {
            let bar = ProgressBar::new(sites * runs * UNITS_OF_RUN);
            let style = ProgressStyle::with_template("[{bar:20}] {percent:>3} %  {eta} left  {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            Shown::Bar(bar)
        } else {
            Shown::Lines(Mutex::new(Instant::now()))
        };
        Self {
            shown,
            started: Instant::now(),
            sites,
            runs: sites * runs,
            sites_done: AtomicU64::new(0),
            runs_done: AtomicU64::new(0),
            ops: AtomicU64::new(0),
            units: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
        }
    }

    /// Writes a warning, even if progress is not shown.
    #[expect(clippy::unused_self, reason = "what is said goes where progress goes")]
    pub(crate) fn warn(&self, message: &str) {
        tell(&warning_text(message));
    }

    /// Writes a warning at once, on a terminal alone. The warnings at the end repeat it.
    pub(crate) fn at_once(&self, message: &str) {
        match &self.shown {
            Shown::Bar(bar) => bar.suspend(|| self.warn(message)),
            Shown::Lines(_) if io::stderr().is_terminal() => self.warn(message),
            Shown::Nothing | Shown::Lines(_) => {}
        }
    }

    /// Writes a note, if progress is shown.
    pub(crate) fn note(&self, message: &str) {
        self.say(&note_text(message));
    }

    fn say(&self, text: &str) {
        if !matches!(self.shown, Shown::Nothing) {
            tell(text);
        }
    }

    /// Counts runs of a site that existed already.
    pub(crate) fn skip(&self, runs: u64) {
        self.runs_done.fetch_add(runs, Ordering::Relaxed);
        self.skipped.fetch_add(runs * UNITS_OF_RUN, Ordering::Relaxed);
        if let Shown::Bar(bar) = &self.shown {
            bar.inc(runs * UNITS_OF_RUN);
            // They took no time and do not count for the estimate of the rest.
            bar.reset_eta();
        }
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Removes the bar, so that other text can be written.
    pub(crate) fn close(&self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }

    /// Counts a run that has been written.
    pub(crate) fn run_done(&self, site: &CampaignSite, run: u64) {
        let done = self.runs_done.fetch_add(1, Ordering::Relaxed) + 1;
        match &self.shown {
            Shown::Nothing => {}
            Shown::Bar(_) => self.show_bar(),
            Shown::Lines(last) => {
                if done < self.runs && is_due(last) {
                    line(&format!("{} run {run} done ({done} of {})", name(site), counted(self.runs, "run")));
                }
            }
        }
    }

    /// Counts a site that has been written.
    pub(crate) fn site_done(&self, site: &CampaignSite, runs: u64, ops: u64) {
        let done = self.sites_done.fetch_add(1, Ordering::Relaxed) + 1;
        match &self.shown {
            Shown::Nothing => {}
            Shown::Bar(_) => self.show_bar(),
            Shown::Lines(_) => {
                let of = if self.sites > 1 {
                    format!(" ({done} of {})", counted(self.sites, "site"))
                } else {
                    String::new()
                };
                line(&format!("{} done: {}, {}{of}", name(site), counted(runs, "run"), counted(ops, "operation")));
            }
        }
    }

    /// Counts operations that have been written, and the units of progress of their run. `waits`: since when nothing has started
    /// there, and the present time.
    fn advance(&self, ops: u64, units: u64, waits: Option<(Ticks, Ticks)>) {
        let ops = self.ops.fetch_add(ops, Ordering::Relaxed) + ops;
        self.units.fetch_add(units, Ordering::Relaxed);
        match &self.shown {
            Shown::Nothing => {}
            Shown::Bar(bar) => {
                bar.inc(units);
                match waits {
                    Some((since, now)) => bar.set_message(self.waiting(ops, since, now)),
                    None => self.show_bar(),
                }
            }
            Shown::Lines(last) => {
                if is_due(last) {
                    line(&waits.map_or_else(|| self.standing(ops), |(since, now)| self.waiting(ops, since, now)));
                }
            }
        }
    }

    /// The progress, in a line.
    fn standing(&self, ops: u64) -> String {
        let elapsed = self.elapsed();
        let (done, skipped) = (self.units.load(Ordering::Relaxed), self.skipped.load(Ordering::Relaxed));
        let rest = (self.runs * UNITS_OF_RUN).saturating_sub(done + skipped);
        // A time that is longer than a duration can be is as good as unknown.
        let left = Duration::try_from_secs_f64(elapsed.as_secs_f64() * rest as f64 / done.max(1) as f64);
        let left = left.map_or_else(|_| "ages".to_owned(), |left| HumanDuration(left).to_string());
        format!(
            "{}, {:.0} k/s; {} of {} and {} of {} done, about {left} left",
            counted(ops, "operation"),
            ops as f64 / elapsed.as_secs_f64().max(1e-3) / 1e3,
            self.sites_done.load(Ordering::Relaxed),
            counted(self.sites, "site"),
            self.runs_done.load(Ordering::Relaxed),
            counted(self.runs, "run"),
        )
    }

    /// The progress while a run has started nothing since `since`, in a line.
    fn waiting(&self, ops: u64, since: Ticks, now: Ticks) -> String {
        let of = if self.sites > 1 { format!(" on one of {}", counted(self.sites, "site")) } else { String::new() };
        let silence = simulated((now - since).0 as f64 / TICKS_PER_US as f64);
        format!("{}; no start for {silence} of simulated time{of}", counted(ops, "operation"))
    }

    fn show_bar(&self) {
        let Shown::Bar(bar) = &self.shown else { return };
        let ops = self.ops.load(Ordering::Relaxed);
        let per_second = ops as f64 / self.elapsed().as_secs_f64().max(1e-3);
        bar.set_message(format!(
            "{:.0} k ops/s  sites {}/{}  runs {}/{}  {ops} ops",
            per_second / 1e3,
            self.sites_done.load(Ordering::Relaxed),
            self.sites,
            self.runs_done.load(Ordering::Relaxed),
            self.runs,
        ));
    }
}

fn name(site: &CampaignSite) -> String {
    site.site.map_or_else(|| "device".to_owned(), |site| format!("site {site}"))
}

/// Whether it is time for another line. If it is, the wait for the next line begins.
fn is_due(last: &Mutex<Instant>) -> bool {
    // If another thread is about to write a line, its line is enough.
    let Ok(mut last) = last.try_lock() else { return false };
    let due = last.elapsed() >= LINE_EVERY;
    if due {
        *last = Instant::now();
    }
    due
}

/// Writes a line. Progress that cannot be shown is no reason to stop.
fn line(text: &str) {
    tell(&format!("{text}\n"));
}

/// A sink that reports the progress of its run.
#[derive(Debug)]
pub(crate) struct Watched<'p, S> {
    inner: S,
    progress: &'p Progress,
    limits: &'p CampaignPhase,
    run_start: Option<Ticks>,
    ops: u64,
    /// When the last operation started, or the run was first heard of.
    last: Ticks,
    /// The operations when the sink was last told the time.
    timed_ops: Option<u64>,
    reported_ops: u64,
    reported_units: u64,
}

impl<'p, S> Watched<'p, S> {
    /// A sink for one run with these limits.
    pub(crate) fn new(inner: S, progress: &'p Progress, limits: &'p CampaignPhase) -> Self {
        Self {
            inner,
            progress,
            limits,
            run_start: None,
            ops: 0,
            last: Ticks::ZERO,
            timed_ops: None,
            reported_ops: 0,
            reported_units: 0,
        }
    }

    /// Reports the rest of the run and returns the sink inside.
    pub(crate) fn finish(self) -> S {
        self.progress.advance(self.ops - self.reported_ops, UNITS_OF_RUN - self.reported_units, None);
        self.inner
    }

    #[cold]
    fn report(&mut self, now: Ticks, waits: bool) {
        let start = *self.run_start.get_or_insert(now);
        let share = |done: u64, of: u64| (UNITS_OF_RUN as f64 * done as f64 / of.max(1) as f64) as u64;
        let by_time = share((now - start).0, self.limits.run_until.0);
        let by_ops = self.limits.max_ops.map_or(0, |most| share(self.ops, most));
        let units = by_time.max(by_ops).clamp(self.reported_units, UNITS_OF_RUN);
        self.progress.advance(
            self.ops - self.reported_ops,
            units - self.reported_units,
            waits.then_some((self.last, now)),
        );
        self.reported_ops = self.ops;
        self.reported_units = units;
    }
}

impl<S: Sink> Sink for Watched<'_, S> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.inner.operation(operation)?;
        if self.ops.is_multiple_of(REPORT_EVERY) {
            self.report(operation.start, false);
        }
        self.ops += 1;
        self.last = operation.start;
        Ok(())
    }

    fn time(&mut self, now: Ticks) -> io::Result<()> {
        if self.timed_ops.replace(self.ops) == Some(self.ops) {
            self.report(now, true);
        }
        Ok(())
    }

    fn still_suspended(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.inner.still_suspended(operation)
    }

    fn cut(&mut self, uid: u64, at: Ticks, cut: Cut) -> io::Result<()> {
        self.inner.cut(uid, at, cut)
    }

    fn resumed(&mut self, uid: u64, from: Ticks, busy_end: Ticks, end: Ticks) -> io::Result<()> {
        self.inner.resumed(uid, from, busy_end, end)
    }

    fn wants_refusals(&self) -> bool {
        self.inner.wants_refusals()
    }

    fn refused(&mut self, proposal: &Proposal, op: OpId, reason: &'static str) -> io::Result<()> {
        self.inner.refused(proposal, op, reason)
    }
}
