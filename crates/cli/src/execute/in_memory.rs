//! The runs of a campaign into sinks, without files.
//!
//! Sites are simulated in parallel, and their runs are handed over in one order, whatever the number of threads: the first run of every site,
//! then the second of every site, and so on. A run that is complete waits until it is taken, and few do, so that memory does not grow with the
//! number of runs. The state of every site stays in memory. What was not
//! reached is said at the end. Leaves out folders, manifests and snapshots.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};
use std::time::Duration;

use nandseq_generate::{RunSummary, Site};
use nandseq_output::threaded_sink::ThreadedSink;
use nandseq_profile::Ticks;
use nandseq_trace::Sink;

use super::one_run::OneRun;
use super::setups::Setups;
use super::site::{failed, is_covered, site_in};
use super::totals::Totals;
use crate::absent::Absences;
use crate::campaign::{Campaign, CampaignSite};
use crate::failure::{Failure, Problem};
use crate::not_reached;

/// How long a thread waits before it looks at the stop flag again.
const LOOK: Duration = Duration::from_millis(50);

/// What is made of the runs.
pub(crate) struct Making<'m, S, T> {
    /// Begins the sink of a run.
    pub(crate) begin: &'m (dyn Fn() -> S + Sync),
    /// Ends it.
    pub(crate) finish: &'m (dyn Fn(S) -> io::Result<T> + Sync),
}

/// A run that is complete.
pub(crate) struct MadeRun<T> {
    /// The index of the site in the campaign, and of the run in the site.
    pub(crate) at: (usize, u64),
    pub(crate) ops: u64,
    /// When the last operation has ended.
    pub(crate) end: Ticks,
    /// The dies on which nothing can ever start again.
    pub(crate) dead: Vec<u8>,
    pub(crate) made: T,
}

/// Makes the runs of a campaign. `take` gets each in order, and says whether more are wanted; otherwise `stop` is set. Returns
/// warnings about what was not reached; none if the work ended early.
///
/// # Errors
/// When a run cannot be made; the runs before it have been taken.
pub(crate) fn carry_out<S: Sink + Send, T: Send>(
    campaign: &Campaign,
    stop: &AtomicBool,
    making: &Making<'_, S, T>,
    take: &mut dyn FnMut(MadeRun<T>) -> bool,
) -> Result<Vec<String>, Failure> {
    if let Some(message) = campaign.nothing_starts() {
        return Err(Failure::NothingStarts(message.to_owned()));
    }
    let setups = Setups::new(campaign)?;
    let absences = Absences::new(campaign);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = campaign.jobs.and_then(|jobs| usize::try_from(jobs).ok()).unwrap_or(cores);
    let sites = campaign.sites.len();
    let board = Board {
        sites,
        total: (sites as u64).saturating_mul(campaign.num_runs),
        window: threads as u64 + 1,
        stop,
        tasks: Mutex::new(Tasks {
            next: 0,
            taken: 0,
            places: campaign.sites.iter().map(|_| Place::Fresh).collect(),
            covered: 0,
            totals: Totals::new(campaign),
            ended: 0,
            done: BTreeMap::new(),
            is_over: false,
        }),
        changed: Condvar::new(),
    };
    let worker =
        Worker { absences: &absences, setups: &setups, board: &board, making, tables_threaded: threads > sites };
    thread::scope(|scope| {
        for _ in 0..threads.min(sites) {
            let begun = thread::Builder::new().spawn_scoped(scope, || worker.work());
            if begun.is_err() {
                board.end();
                let problem = Problem::new("the system does not let so many threads start").help("try fewer `jobs`");
                return Err(problem.into());
            }
        }
        let end = board.hand_over(take);
        board.end();
        end
    })?;
    let tasks = board.tasks.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(if tasks.ended == sites { not_reached::warnings(&absences, &tasks.totals) } else { Vec::new() })
}

/// Where a site is.
enum Place<'p> {
    /// It has not begun.
    Fresh,
    Here(Box<BegunSite<'p>>),
    /// A thread makes a run of it.
    Away,
    /// It has covered enough, and has no further runs.
    Covered,
}

/// A site that has begun, and the sums over its runs.
struct BegunSite<'p> {
    site: Site<'p>,
    totals: Totals,
}

/// The runs that are made, by their numbers in the order in which they are handed over.
struct Board<'b, 'p, T> {
    sites: usize,
    /// Number of runs of all sites.
    total: u64,
    /// So many runs may be under way or wait to be taken.
    window: u64,
    stop: &'b AtomicBool,
    tasks: Mutex<Tasks<'p, T>>,
    changed: Condvar,
}

struct Tasks<'p, T> {
    /// The next run to make, and the next to hand over.
    next: u64,
    taken: u64,
    places: Vec<Place<'p>>,
    /// Number of sites that have covered enough.
    covered: usize,
    /// The sums over the sites that have made all their runs, and the number of these sites.
    totals: Totals,
    ended: usize,
    /// Runs that are complete; `None` for one that a covered site does not have.
    done: BTreeMap<u64, Result<Option<MadeRun<T>>, Failure>>,
    is_over: bool,
}

impl<'p, T> Board<'_, 'p, T> {
    fn tasks(&self) -> MutexGuard<'_, Tasks<'p, T>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, tasks: MutexGuard<'g, Tasks<'p, T>>) -> MutexGuard<'g, Tasks<'p, T>> {
        self.changed.wait_timeout(tasks, LOOK).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Ends the work: no further run begins, and those under way are abandoned.
    fn end(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks().is_over = true;
        self.changed.notify_all();
    }

    /// The next run to make, with its site; `None` when there is no more.
    fn next(&self) -> Option<(u64, Place<'p>)> {
        let mut tasks = self.tasks();
        loop {
            let is_done = tasks.next == self.total || tasks.covered == self.sites;
            if tasks.is_over || is_done || self.stop.load(Ordering::Relaxed) {
                return None;
            }
            let number = tasks.next;
            let site = (number % self.sites as u64) as usize;
            if matches!(tasks.places[site], Place::Covered) {
                tasks.done.insert(number, Ok(None));
                tasks.next += 1;
                self.changed.notify_all();
            } else if number < tasks.taken + self.window && !matches!(tasks.places[site], Place::Away) {
                tasks.next += 1;
                return Some((number, std::mem::replace(&mut tasks.places[site], Place::Away)));
            } else {
                tasks = self.wait(tasks);
            }
        }
    }

    fn put(&self, number: u64, place: Place<'p>, made: Result<Option<MadeRun<T>>, Failure>) {
        let mut tasks = self.tasks();
        tasks.covered += usize::from(matches!(place, Place::Covered));
        let site = (number % self.sites as u64) as usize;
        tasks.places[site] = place;
        tasks.done.insert(number, made);
        self.changed.notify_all();
    }

    /// Adds the sums over a site that has made all its runs.
    fn add(&self, of_site: Totals) {
        let mut tasks = self.tasks();
        tasks.totals.add(of_site);
        tasks.ended += 1;
    }

    /// Hands the runs over in order.
    fn hand_over(&self, take: &mut dyn FnMut(MadeRun<T>) -> bool) -> Result<(), Failure> {
        loop {
            let mut tasks = self.tasks();
            let made = loop {
                let number = tasks.taken;
                if let Some(made) = tasks.done.remove(&number) {
                    tasks.taken += 1;
                    break made?;
                }
                if number == self.total || (tasks.covered == self.sites && number == tasks.next) {
                    return Ok(());
                }
                if tasks.is_over || self.stop.load(Ordering::Relaxed) {
                    return Err(Failure::INTERRUPTED);
                }
                tasks = self.wait(tasks);
            };
            drop(tasks);
            self.changed.notify_all();
            if made.is_some_and(|made| !take(made)) {
                return Ok(());
            }
        }
    }
}

/// What the threads share.
struct Worker<'w, 'p, S, T> {
    absences: &'w Absences<'p>,
    setups: &'p Setups,
    board: &'w Board<'w, 'p, T>,
    making: &'w Making<'w, S, T>,
    /// Whether the tables of a run are made in a thread of their own.
    tables_threaded: bool,
}

/// Ends the work if its thread panics, so that nobody waits for it.
struct OnPanic<'w, 'p, T>(&'w Board<'w, 'p, T>);

impl<T> Drop for OnPanic<'_, '_, T> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end();
        }
    }
}

impl<'p, S: Sink + Send, T: Send> Worker<'_, 'p, S, T> {
    fn work(&self) {
        let _guard = OnPanic(self.board);
        while let Some((number, place)) = self.board.next() {
            let (site, run) = ((number % self.board.sites as u64) as usize, number / self.board.sites as u64);
            let (place, made) = match self.next(site, run, place) {
                Ok((place, made)) => (place, Ok(made)),
                Err(failure) => (Place::Away, Err(failure)),
            };
            self.board.put(number, place, made);
        }
    }

    /// Makes the next run of a site, unless it has covered enough.
    fn next(&self, at: usize, run: u64, place: Place<'p>) -> Result<(Place<'p>, Option<MadeRun<T>>), Failure> {
        let campaign = self.absences.campaign;
        let campaign_site = &campaign.sites[at];
        let mut begun = match place {
            Place::Here(begun) => begun,
            Place::Fresh | Place::Away | Place::Covered => {
                let site = site_in(self.setups, campaign_site, None)?;
                Box::new(BegunSite { site, totals: Totals::new(campaign) })
            }
        };
        if is_covered(campaign, &begun.site) {
            self.ended(campaign_site, *begun);
            return Ok((Place::Covered, None));
        }
        let BegunSite { site, totals } = &mut *begun;
        let (summary, made) = thread::scope(|scope| self.make(scope, site, run))?;
        let dead = summary.dead.iter().map(|dead| dead.die.0).collect();
        let made = MadeRun { at: (at, run), ops: summary.ops, end: summary.end, dead, made };
        totals.note_operations(campaign, run, summary.ops);
        totals.note_run(campaign, run, (summary.ops, false), site);
        totals.note_trap(site, campaign.phases.of_run(run), self.absences);
        let phase = campaign.phases.limits(run);
        totals.note_dead((campaign_site, phase), (run + 1, summary.ops), summary.dead.clone());
        totals.add_run(summary, 0, 0);
        totals.runs += 1;
        if run + 1 == campaign.num_runs {
            self.ended(campaign_site, *begun);
            return Ok((Place::Away, Some(made)));
        }
        Ok((Place::Here(begun), Some(made)))
    }

    /// Adds the sums over a site that has no further runs.
    fn ended(&self, campaign_site: &CampaignSite, begun: BegunSite<'p>) {
        let BegunSite { site, mut totals } = begun;
        totals.note_coverage(campaign_site, &site, self.absences);
        self.board.add(totals);
    }

    fn make<'scope>(
        &self,
        scope: &'scope Scope<'scope, '_>,
        site: &mut Site<'p>,
        run_index: u64,
    ) -> Result<(RunSummary, T), Failure>
    where
        S: 'scope,
    {
        let unmade = |reason: io::Error| {
            Failure::from(Problem::new(format!("a table of run {} cannot be made: {reason}", run_index + 1)))
        };
        let one = OneRun {
            absences: self.absences,
            setups: self.setups,
            stop: self.board.stop,
            run_index,
            on_dead: &|_| {},
            on_trap: &|_| {},
        };
        let mut sink = ThreadedSink::new(self.tables_threaded.then_some(scope), (self.making.begin)());
        let summary = one.make(site, &mut sink).map_err(|error| failed(error, self.absences.campaign, unmade))?;
        let made = sink.finish().and_then(self.making.finish).map_err(unmade)?;
        Ok((summary, made))
    }
}
