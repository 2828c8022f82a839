//! A site whose part has a fault: it hears of every operation and says which fail.

use std::collections::BTreeSet;

use nandseq_input::Row;
use nandseq_profile::Profile;

use crate::draws::{DrawFor, draw, happens};
use crate::fault::{Detection, PlantedFault};
use crate::follow::Followed;
use crate::history::History;
use crate::occurred::{FaultOccurrences, FaultyEnd};
use crate::outputs::Unseen;

/// A site whose part has a fault.
///
/// Runs come in order, and the operations of each in the order of its sequence. Memory depends on the device and on the longest gap of
/// the fault, and grows by what fails in a run.
#[derive(Debug)]
pub struct FaultySite<'p> {
    profile: &'p Profile,
    fault: &'p PlantedFault,
    seed: u64,
    site: u32,
    run: u32,
    has_fault: bool,
    history: History,
    followed: Followed<'p>,
    unseen: Unseen,
    occurrences: FaultOccurrences,
    failed: BTreeSet<u64>,
    /// In a run with a false fail: the least number drawn for an operation so far, and that operation.
    noisy: Option<Option<(u64, u64)>>,
}

impl<'p> FaultySite<'p> {
    /// A site before its first run.
    #[must_use]
    pub fn new(profile: &'p Profile, fault: &'p PlantedFault, seed: u64, site: u32) -> Self {
        Self {
            profile,
            fault,
            seed,
            site,
            run: 0,
            has_fault: fault.sites.as_ref().is_none_or(|sites| sites.contains(site)),
            history: History::new(profile.topology.planes),
            followed: Followed::new(profile, site),
            unseen: Unseen::default(),
            occurrences: FaultOccurrences::default(),
            failed: BTreeSet::new(),
            noisy: None,
        }
    }

    /// Begins a run. What was under way in the one before is over.
    pub fn begin_run(&mut self, run: u32) {
        self.run = run;
        self.history.begin_run();
        self.followed.begin_run();
        self.unseen.clear();
        self.occurrences.begin_run();
        self.failed.clear();
        let is_noisy = happens(draw(self.seed, DrawFor::Noise, self.site, run, 0), self.fault.noise);
        self.noisy = is_noisy.then_some(None);
    }

    /// Takes in the next operation of the run.
    pub fn operation(&mut self, row: &Row<'_>) {
        let number = |of| draw(self.seed, of, self.site, self.run, row.uid);
        if let Some(least) = &mut self.noisy {
            let mine = (number(DrawFor::NoisyOp), row.uid);
            *least = Some(least.map_or(mine, |least| least.min(mine)));
        }
        if !self.has_fault {
            return;
        }
        self.occurrences.start(self.fault, row);
        let mut fails = false;
        if self.history.start(row, self.fault) {
            let (in_state, erases) = self.followed.near(&self.fault.condition, row);
            let held = self.followed.holds(&self.fault.condition, row);
            fails = held && happens(number(DrawFor::Fault), self.fault.probability);
            self.occurrences.end(FaultyEnd { in_state, erases, held, failed: fails });
        }
        self.followed.start(&self.fault.condition, row);
        let is_seen = match self.fault.detect {
            Detection::Operation => fails,
            Detection::Output => {
                if fails {
                    self.unseen.add(row, self.profile);
                }
                self.unseen.shows(row, self.profile)
            }
        };
        if is_seen {
            self.occurrences.seen();
            self.failed.insert(row.uid);
        }
    }

    /// What of the fault occurred in the runs so far; nothing on a site without it.
    #[must_use]
    pub const fn occurrences(&self) -> &FaultOccurrences {
        &self.occurrences
    }

    /// Ends the run. Returns the operations at which the tester sees a fail, in order; the part passed if there are none.
    pub fn end_run(&mut self) -> Vec<u64> {
        self.failed.extend(self.noisy.flatten().map(|(_, uid)| uid));
        std::mem::take(&mut self.failed).into_iter().collect()
    }
}
