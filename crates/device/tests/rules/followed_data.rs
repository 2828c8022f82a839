//! The data of a device that a test drives, followed as a site follows it.

use std::collections::HashMap;

use nandseq_device::{DataContents, DataRules, Device, Flight, FlightId, Place, Tables};
use nandseq_profile::model::{Axis, ByAxis};
use nandseq_profile::{Die, OpId, Profile};

#[derive(Debug)]
pub(crate) struct FollowedData {
    rules: DataRules,
    contents: DataContents,
    /// The uids of flights, and of the suspended operations of each die.
    uids: HashMap<FlightId, u64>,
    suspended: Vec<ByAxis<Option<u64>>>,
    /// The uid of the last operation that started, and the data that it passed.
    pub(crate) last: u64,
    pub(crate) passed: Vec<Option<u64>>,
}

impl FollowedData {
    /// That of a fresh device; `None` if no payload has data.
    pub(crate) fn new(profile: &Profile, tables: &Tables) -> Option<Self> {
        Some(Self {
            rules: DataRules::new(profile, tables)?,
            contents: DataContents::new(&tables.size),
            uids: HashMap::new(),
            suspended: vec![ByAxis::default(); usize::from(tables.size.dies)],
            last: 0,
            passed: Vec::new(),
        })
    }

    /// An operation is about to start.
    pub(crate) fn start(&mut self, tables: &Tables, device: &Device, op: OpId, place: &Place) {
        self.last += 1;
        let mut passed = [None; 8];
        let count = self.contents.start((&self.rules, tables, device), (op, place), self.last, &mut passed);
        self.passed = passed[..count].to_vec();
    }

    /// The operation has started: notes its flight, and what it has cut.
    pub(crate) fn started(
        &mut self,
        tables: &Tables,
        device: &Device,
        (op, die): (OpId, Die),
        flight: Option<FlightId>,
    ) {
        let suspends = tables.base_of(op).effects.suspend;
        for (_, uid) in self.uids.extract_if(|&id, _| device.flight(id).is_none()) {
            match suspends {
                Some(axis) => self.suspended[die.index()][axis] = Some(uid),
                None => self.contents.reset(uid),
            }
        }
        for (die, suspended) in (0..).map(Die).zip(&mut self.suspended) {
            for axis in Axis::ALL {
                if device.suspended(die, axis).is_none()
                    && let Some(uid) = suspended[axis].take()
                {
                    self.contents.reset(uid);
                }
            }
        }
        self.uids.extend(flight.map(|id| (id, self.last)));
    }

    /// A flight has ended.
    pub(crate) fn ended(&mut self, tables: &Tables, id: FlightId, flight: &Flight) {
        if let Some(uid) = self.uids.remove(&id) {
            let suspended = self.suspended[flight.place.die.index()][Axis::Program];
            self.contents.end((&self.rules, tables), flight, (uid, suspended));
        }
    }

    /// The suspended operation of a die and axis goes on.
    pub(crate) fn resumed(&mut self, (die, axis): (Die, Axis), flight: FlightId) {
        self.uids.extend(self.suspended[die.index()][axis].take().map(|uid| (flight, uid)));
    }
}
