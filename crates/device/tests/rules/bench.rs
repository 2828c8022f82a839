//! A small device for tests: operations by name, ends applied in the order of time, judgements asserted.

use std::collections::BTreeSet;

use nandseq_device::{Device, FlightId, Place, Rule, SeenStatus, Tables};
use nandseq_profile::model::{Expectations, Topology};
use nandseq_profile::{BaseId, Block, CellTypeId, Die, OpId, Page, Plane, PlaneSet, Profile, Ticks, builtin};

use crate::followed_data::FollowedData;

/// The shortest time there is.
pub(crate) const TICK: Ticks = Ticks(1);
/// No cell type stated: the bench puts in the operation's own.
const NONE: CellTypeId = CellTypeId(0);
pub(crate) const SLC: CellTypeId = CellTypeId(2);
pub(crate) const AESLC: CellTypeId = CellTypeId(3);
pub(crate) const A0SLC: CellTypeId = CellTypeId(4);
pub(crate) const ACSLC: CellTypeId = CellTypeId(5);
pub(crate) const TLC: CellTypeId = CellTypeId(6);
/// Sets of planes.
pub(crate) const P0: u8 = 0b01;
pub(crate) const P1: u8 = 0b10;
pub(crate) const BOTH: u8 = 0b11;

/// Block group `group` and page `page` on the planes of `planes`, as the operation's own cell type.
pub(crate) fn spot(die: u8, planes: u8, group: u32, page: u16) -> Place {
    Place { die: Die(die), planes: PlaneSet(planes), group, page: Page(page), cell_type: NONE }
}

/// The same place with a cell type in the payload.
pub(crate) fn celled(place: Place, cell_type: CellTypeId) -> Place {
    Place { cell_type, ..place }
}

/// No more than a die.
pub(crate) fn die(die: u8) -> Place {
    Place::die(Die(die))
}

/// When the phases of an operation that started end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) start: Ticks,
    pub(crate) issue_end: Ticks,
    /// The end of CORE_BUSY, of ISSUE if there is none.
    pub(crate) busy_end: Ticks,
    /// The end of the last phase.
    pub(crate) end: Ticks,
}

/// A device and the time.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) profile: Profile,
    pub(crate) tables: Tables,
    pub(crate) device: Device,
    pub(crate) now: Ticks,
    flights: Vec<FlightId>,
    data: Option<FollowedData>,
}

impl Bench {
    /// The built-in device with 2 dies × 2 planes × 4 blocks × 4 pages.
    pub(crate) fn new() -> Self {
        Self::of(|_| ())
    }

    /// The same, varied.
    pub(crate) fn of(vary: impl FnOnce(&mut Profile)) -> Self {
        Self::with_bad(vary, &[])
    }

    pub(crate) fn with_bad(vary: impl FnOnce(&mut Profile), bad: &[(Die, Block)]) -> Self {
        let mut profile = builtin::profile();
        profile.topology = Topology { dies: 2, planes: 2, blocks_per_die: 8, pages_per_block: 4 };
        vary(&mut profile);
        let names: Vec<&str> = profile.cell_types.iter().map(|cell| cell.name.as_str()).collect();
        assert_eq!(names, ["NONE", "FWSLC", "SLC", "AESLC", "A0SLC", "ACSLC", "TLC"], "the constants above");
        let tables = Tables::new(&profile);
        let device = Device::new(&tables, bad);
        let data = FollowedData::new(&profile, &tables);
        Self { profile, tables, device, now: Ticks::ZERO, flights: Vec::new(), data }
    }

    /// The same, with payloads that name data.
    pub(crate) fn with_data() -> Self {
        Self::of(|profile| profile.expect(Expectations { data: true, full_status: true }))
    }

    /// Starts an operation, waits for its last phase to end, and returns its uid.
    #[track_caller]
    pub(crate) fn uid(&mut self, name: &str, place: Place) -> u64 {
        self.run(name, place);
        self.last()
    }

    /// The uid of the last operation that started.
    pub(crate) fn last(&self) -> u64 {
        self.data.as_ref().unwrap().last
    }

    /// The data that the last operation passed on the bus.
    pub(crate) fn passed(&self) -> &[Option<u64>] {
        &self.data.as_ref().unwrap().passed
    }

    /// The data that an output of a place passes.
    #[track_caller]
    pub(crate) fn put_out(&mut self, place: Place) -> Vec<Option<u64>> {
        self.run("Enhanced_Random_Data_Output_Primary", place);
        self.passed().to_vec()
    }

    pub(crate) fn op(&self, name: &str) -> OpId {
        let found = self.profile.ops.iter_ids().find(|(_, op)| op.name == name);
        found.unwrap_or_else(|| panic!("there is no operation {name}")).0
    }

    pub(crate) fn base(&self, name: &str) -> BaseId {
        base_of(&self.profile, name)
    }

    /// Puts the operation's own cell type where none is stated.
    pub(crate) fn filled(&self, op: OpId, place: Place) -> Place {
        let info = self.tables.op(op);
        let own = self.tables.base(info.base).has_block && place.cell_type == NONE;
        if own { celled(place, info.stated_cell_type) } else { place }
    }

    /// Lets time pass: applies every end up to and at `time`, in the order of time, then of start.
    pub(crate) fn at(&mut self, time: Ticks) {
        assert!(self.now <= time, "time does not run backwards");
        // What was cut by a SUSPEND or a reset has no end any more.
        self.flights.retain(|&id| self.device.flight(id).is_some());
        let end_of = |device: &Device, id| device.flight(id).map_or(Ticks(u64::MAX), |flight| flight.end);
        while let Some(at) = (0..self.flights.len())
            .filter(|&at| end_of(&self.device, self.flights[at]) <= time)
            .min_by_key(|&at| end_of(&self.device, self.flights[at]))
        {
            let id = self.flights.remove(at);
            let ended = end_of(&self.device, id);
            let flight = self.device.finish(&self.tables, id);
            let die = flight.place.die;
            if let Some(data) = &mut self.data {
                data.ended(&self.tables, id, &flight);
            }
            let info = self.tables.base_of(flight.op);
            if let Some(axis) = info.effects.resume {
                let resumed = self.device.resume(&self.tables, die, axis, ended);
                self.flights.push(resumed);
                if let Some(data) = &mut self.data {
                    data.resumed((die, axis), resumed);
                }
            }
        }
        let slots = |ids: &mut dyn Iterator<Item = FlightId>| ids.map(|id| id.slot).collect::<BTreeSet<u32>>();
        let known = slots(&mut self.flights.iter().copied());
        assert_eq!(known, slots(&mut self.device.flights().map(|(id, _)| id)), "the device knows the same flights");
        self.now = time;
    }

    pub(crate) fn judge(&self, name: &str, place: Place) -> Result<(), Rule> {
        let op = self.op(name);
        self.device.judge(&self.tables, op, &self.filled(op, place), self.now)
    }

    #[track_caller]
    pub(crate) fn refused(&self, name: &str, place: Place, rule: Rule) {
        assert_eq!(self.judge(name, place), Err(rule), "{name} at {place:?}, {}", self.now);
    }

    #[track_caller]
    pub(crate) fn allowed(&self, name: &str, place: Place) {
        assert_eq!(self.judge(name, place), Ok(()), "{name} at {place:?}, {}", self.now);
    }

    /// Refused under `rule` one tick before `when`, and allowed at `when`.
    #[track_caller]
    pub(crate) fn only_from(&mut self, when: Ticks, name: &str, place: Place, rule: Rule) {
        self.at(when - TICK);
        self.refused(name, place, rule);
        self.at(when);
        self.allowed(name, place);
    }

    /// Starts an operation now.
    #[track_caller]
    pub(crate) fn start(&mut self, name: &str, place: Place) -> Times {
        let op = self.op(name);
        let place = self.filled(op, place);
        self.allowed(name, place);
        if let Some(data) = &mut self.data {
            data.start(&self.tables, &self.device, op, &place);
        }
        let flight = self.device.start(&self.tables, op, &place, self.now);
        self.flights.extend(flight);
        if let Some(data) = &mut self.data {
            data.started(&self.tables, &self.device, (op, place.die), flight);
        }
        let (info, start) = (self.tables.op(op), self.now);
        let times =
            Times { start, issue_end: start + info.issue, busy_end: start + info.occupied, end: start + info.total };
        self.at(start);
        times
    }

    /// Starts an operation and waits for its last phase to end.
    #[track_caller]
    pub(crate) fn run(&mut self, name: &str, place: Place) -> Times {
        let times = self.start(name, place);
        self.at(times.end);
        times
    }

    /// Erases the blocks of a place as a cell type (SLC, AESLC or TLC).
    #[track_caller]
    pub(crate) fn erase(&mut self, place: Place, cell: &str) {
        let name = if place.planes.len() > 1 { "Block_Erase_Multi_Plane_ONFI" } else { "Block_Erase" };
        self.run(&format!("{name}_{cell}"), Place { page: Page(0), ..place });
    }

    /// Programs the pages up to and with that of a place, on blocks erased before, as one of the SLC modes.
    #[track_caller]
    pub(crate) fn program(&mut self, place: Place, cell: &str) {
        let name = if place.planes.len() > 1 { "Page_Program_Multi_Plane_ONFI" } else { "Page_Program" };
        for page in 0..=place.page.0 {
            self.run(&format!("{name}_{cell}"), Place { page: Page(page), ..place });
        }
    }

    /// Erases and programs the blocks of a place up to and with its page.
    #[track_caller]
    pub(crate) fn fill(&mut self, place: Place) {
        self.erase(place, "SLC");
        self.program(place, "SLC");
    }

    pub(crate) fn status(&self, die: u8) -> SeenStatus {
        self.device.status(Die(die), self.now)
    }

    /// The name of the phase key of a plane now.
    pub(crate) fn key(&self, die: u8, plane: u8) -> &str {
        &self.profile.phase_keys[self.device.phase_key(Die(die), Plane(plane), self.now)].name
    }
}

pub(crate) fn base_of(profile: &Profile, name: &str) -> BaseId {
    let found = profile.bases.iter_ids().find(|(_, base)| base.name == name);
    found.unwrap_or_else(|| panic!("there is no base {name}")).0
}

/// Lets a base issue its command without the bus.
pub(crate) fn without_bus(profile: &mut Profile, base: &str) {
    let id = base_of(profile, base);
    for phase in &mut profile.bases[id].phases {
        phase.bus = false;
    }
}

/// Adds an exclusion group that forbids these bases.
pub(crate) fn forbid(profile: &mut Profile, bases: &[&str]) -> nandseq_profile::GroupId {
    let forbids = bases.iter().map(|name| base_of(profile, name)).collect();
    profile.exclusions.groups.push(nandseq_profile::model::ExclusionGroup { name: "test".to_owned(), forbids })
}
