//! The state of a site between runs, as data. A site that goes on from it writes the same bytes as one that was not interrupted.
//!
//! Nothing is in flight between runs. The state consists of latches, registers, suspended operations with their remainders and
//! chains, blocks, hooks to come, and counters. Indices are those of the profile. A state that is read back is checked before it
//! is used.

mod blocks;
mod check;
mod data;
mod error;
mod file;
mod state;
mod uses;

use std::borrow::Cow;

use nandseq_device::{BlockRecord, Device, Place, QuiescentDie, Tables, UseCounts};
use nandseq_profile::model::{Axis, ByAxis};
use nandseq_profile::{Die, Ticks};

use data::{DataEntry, SuspendedUid};
pub use error::StateError;
pub use file::{CoverageIdentity, Identity, IdentityPart, Snapshot, SnapshotError};
pub use state::SiteState;
use state::{DieEntry, HookEntry, SuspendedEntry};
use uses::UsesEntry;

use crate::kernel::{Event, Kernel, Queue, Started, counts_on_blocks};
use crate::policy::CoverageCounts;
use crate::policy::scripted::ScenarioDirector;
use crate::random::SeedPlan;
use crate::refills::Refills;
use crate::setup::Setup;
use crate::shares::MixController;
use crate::site::Site;

impl<'s> Site<'s> {
    /// Simulated time since the start of the site's first run; between runs, the end of the last run and the start of the next.
    #[must_use]
    pub const fn clock(&self) -> Ticks {
        self.kernel.quiet
    }

    /// The site's state. It is complete only between runs, when nothing is in flight.
    #[must_use]
    pub fn state(&self) -> SiteState {
        let quiescent = self.kernel.device.quiescent(&self.setup.tables);
        let mut hooks = Vec::new();
        let mut next_refill = None;
        for (time, event) in self.kernel.queue.in_order() {
            match event {
                Event::Hook(hook) => hooks.push(HookEntry::new(time, hook)),
                Event::Refill => next_refill = Some(time),
                Event::End(_) | Event::Due(_) | Event::Wake | Event::Extra(..) => {}
            }
        }
        let uses = self.started_uses();
        let dies = quiescent.into_iter().enumerate().map(|(at, quiescent)| {
            let die = Die(at as u8);
            let blocks = self.setup.tables.size.blocks as usize;
            DieEntry {
                quiescent,
                suspended: ByAxis::new(|axis| suspended_entry(&self.kernel, die, axis)),
                blocks: blocks::write(&self.kernel.device.book.records()[at * blocks..][..blocks]),
                uses: uses.as_deref().map(|uses| UsesEntry::new(&self.setup.tables.size, uses, die)),
                dead: self.detector.rest_of(die),
                data: self.data.as_ref().map(|data| {
                    let parts = (&self.setup.tables.size, &self.kernel.device);
                    DataEntry::new(parts, &data.contents, die, suspended_program(&self.kernel, die))
                }),
            }
        });
        SiteState {
            run: self.run,
            time: self.kernel.quiet,
            operations: self.kernel.operations,
            refills: self.refills.count,
            resumptions: self.kernel.resumes,
            next_refill,
            hits: self.counts.as_ref().map(CoverageCounts::to_text),
            until_reached: self.until_reached,
            mix: self.mix.as_ref().map(|controller| controller.state.clone()),
            scenarios: self.scenarios.as_ref().map(|director| director.state.clone()),
            hooks,
            dies: dies.collect(),
        }
    }

    /// How often blocks and pages were used by what has started, if that is counted. The book counts the steps to come of suspended chains
    /// too.
    pub(crate) fn started_uses(&self) -> Option<Cow<'_, UseCounts>> {
        let mut uses = Cow::Borrowed(self.kernel.device.book.use_counts()?);
        let tables = &self.setup.tables;
        for step in self.kernel.chains.live().flat_map(|(_, chain)| chain.rest()) {
            let info = tables.base_of(step.op);
            if info.effects.erase || info.reads_page {
                uses.to_mut().change(&tables.size, info, &step.place, false);
            }
        }
        Some(uses)
    }

    /// The site of a state. `seeds` are those that the site began with. `setup` is that of the last run; [`Site::enter`] follows if the
    /// next run is of another phase.
    ///
    /// # Errors
    /// [`StateError`] when the state cannot be that of a site of this setup.
    pub fn from_state(setup: &'s Setup, seeds: impl Into<SeedPlan>, state: &SiteState) -> Result<Self, StateError> {
        check::state(setup, state)?;
        let mut site = Site::new(setup, seeds);
        site.counts = match (&setup.coverage_model, &state.hits) {
            (None, None) => None,
            (Some(model), Some(hits)) => {
                let counts = CoverageCounts::of_text(model, hits);
                Some(counts.ok_or_else(|| StateError::new("hits of other bins than those that count"))?)
            }
            (Some(_), None) => return Err(StateError::new("no hits of the bins that count")),
            (None, Some(_)) => return Err(StateError::new("hits of bins, and none count")),
        };
        site.mix = match (&setup.mix, &state.mix) {
            (None, None) => None,
            (Some(mix), Some(state)) if state.fits(mix.wanted.len()) => {
                Some(Box::new(MixController::from_state(setup, state.clone())))
            }
            (Some(_), _) | (None, Some(_)) => {
                return Err(StateError::new("counts of other shares than those of the mix"));
            }
        };
        site.scenarios = scenarios_of(setup, state)?;
        let size = setup.tables.size;
        let mut records = Vec::with_capacity(usize::from(size.dies) * size.blocks as usize);
        for die in &state.dies {
            records.extend(blocks::read(&die.blocks, size.blocks as usize, &setup.tables)?);
        }
        check::bad_blocks(setup, &records)?;
        for (at, entry) in state.dies.iter().enumerate() {
            for axis in Axis::ALL {
                take_up(&mut site.kernel, &setup.tables, (Die(at as u8), axis), entry, &mut records);
            }
        }
        let quiescent: Vec<QuiescentDie> = state.dies.iter().map(|die| die.quiescent.clone()).collect();
        site.kernel.device = Device::from_quiescent(&setup.tables, &quiescent, records, state.time);
        if let Some(counted) = &setup.addresses.counted {
            let mut counts = UseCounts::new(&size, counted);
            for (die, entry) in (0..).map(Die).zip(&state.dies) {
                let uses = entry.uses.as_ref().ok_or_else(|| StateError::new("no counts of uses"))?;
                uses.put_into(&size, &mut counts, die)?;
            }
            site.kernel.count_uses(counts);
        } else if state.dies.iter().any(|entry| entry.uses.is_some()) {
            return Err(StateError::new("counts of uses, and none are counted"));
        }
        restore_data(&mut site, state)?;
        site.draw_addresses(false);
        site.begin_at(state.run);
        site.until_reached = state.until_reached;
        site.kernel.quiet = state.time;
        site.kernel.operations = state.operations;
        site.kernel.resumes = state.resumptions;
        site.detector.is_continued = state.operations > 0;
        (0..).map(Die).zip(&state.dies).for_each(|(die, entry)| site.detector.continue_from(die, entry.dead));
        site.refills = Refills::new(size, state.refills);
        site.kernel.queue = Queue::default();
        let hooks = state.hooks.iter().map(|hook| (hook.time, Event::Hook(hook.hook())));
        for (time, event) in hooks.chain(state.next_refill.map(|time| (time, Event::Refill))) {
            site.kernel.queue.push(time, event);
        }
        Ok(site)
    }
}

/// The director of the scenarios in a state.
fn scenarios_of(setup: &Setup, state: &SiteState) -> Result<Option<Box<ScenarioDirector>>, StateError> {
    match (&setup.scenarios, &state.scenarios) {
        (None, None) => Ok(None),
        (Some(set), Some(state))
            if state.fits(set.all.iter().map(|scenario| scenario.values.len()), setup.tables.ops().count()) =>
        {
            Ok(Some(Box::new(ScenarioDirector::from_state(set, state.clone()))))
        }
        (Some(_), _) | (None, Some(_)) => Err(StateError::new("counts of other scenarios than those of the phase")),
    }
}

/// The program or load that is suspended on a die, with its uid.
fn suspended_program<'k>(kernel: &'k Kernel<'_>, die: Die) -> SuspendedUid<'k> {
    let started = kernel.suspended[usize::from(die.0)][Axis::Program]?;
    Some((started.origin.uid, kernel.device.suspended(die, Axis::Program)?))
}

/// Restores whose data registers, latches and pages hold.
fn restore_data(site: &mut Site<'_>, state: &SiteState) -> Result<(), StateError> {
    let Site { data, setup, kernel, .. } = site;
    match data {
        Some(data) => {
            let parts = (&setup.tables, &kernel.device);
            for (die, entry) in (0..).map(Die).zip(&state.dies) {
                let entry = entry.data.as_ref().ok_or_else(|| StateError::new("no data of pages"))?;
                let last = state.operations;
                entry.put_into(&mut data.contents, parts, (die, last), suspended_program(kernel, die))?;
            }
            Ok(())
        }
        None if state.has_data() => Err(StateError::new("data of pages, and no payload has data")),
        None => Ok(()),
    }
}

fn suspended_entry(kernel: &Kernel<'_>, die: Die, axis: Axis) -> Option<SuspendedEntry> {
    let Started { origin, chain } = kernel.suspended[usize::from(die.0)][axis]?;
    let chain = chain.map_or_else(Vec::new, |id| kernel.chains.get(id).rest().to_vec());
    Some(SuspendedEntry { origin, chain })
}

/// Restores what belongs to a suspended operation: its origin, its chain, and its marks on blocks.
fn take_up(
    kernel: &mut Kernel<'_>,
    tables: &Tables,
    (die, axis): (Die, Axis),
    entry: &DieEntry,
    records: &mut [BlockRecord],
) {
    let held = entry.quiescent.suspended[axis];
    let (Some(held), Some(suspended)) = (held, &entry.suspended[axis]) else { return };
    let (size, first) = (tables.size, usize::from(die.0) * tables.size.blocks as usize);
    let mut change = |place: &Place, change: &dyn Fn(&mut BlockRecord)| {
        for plane in place.planes.iter() {
            change(&mut records[first + place.block(&size, plane).0 as usize]);
        }
    };
    if tables.base_of(held.op).changes_block {
        change(&held.place, &|record| record.in_flight = true);
    }
    for step in &suspended.chain {
        match counts_on_blocks(tables, step) {
            Some(true) => change(&step.place, &|record| record.held_to_change += 1),
            Some(false) => change(&step.place, &|record| record.held_to_read += 1),
            None => {}
        }
    }
    let origin = suspended.origin;
    let chain =
        (!suspended.chain.is_empty()).then(|| kernel.chains.begin(tables, die, origin.proposal, &suspended.chain));
    kernel.suspended[usize::from(die.0)][axis] = Some(Started { origin, chain });
}
