//! Operations in time on a device: the ends of those in flight, what is suspended, and who is who.
//!
//! A [`Player`] finishes what ends before it judges what starts, and lets a suspended operation go on at the end of its RESUME. It starts
//! an operation at the earliest legal instant at or after a wanted one. Operations have numbers that the caller gives them. What happens
//! between two starts is kept in [`Player::happened`], until the caller clears it. It draws nothing and repairs nothing.

use nandseq_device::{BaseInfo, Device, Flight, FlightId, Place, Reach, Rule, Tables};
use nandseq_profile::model::{AddressSource, Axis, ByAxis, LatchKind};
use nandseq_profile::{Block, Die, OpId, Ticks};
use nandseq_trace::Cut;

/// Something that happened to an operation after its start.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Happened {
    /// Its end was applied. `suspended` is the program that is suspended on its die.
    Ended { item: u32, flight: Flight, suspended: Option<u32> },
    /// It was cut. `occupied`: whether it occupied planes.
    Cut { item: u32, at: Ticks, cut: Cut, occupied: bool },
    /// It goes on after a suspension.
    Resumed { item: u32, at: Ticks, flight: Flight },
}

/// A device in time.
#[derive(Clone, Debug)]
pub(crate) struct Player<'t> {
    tables: &'t Tables,
    pub(crate) device: Device,
    /// Ends to come, the next one last.
    ends: Vec<(Ticks, u64, FlightId)>,
    flights: u64,
    /// The operation of each slot of flights.
    items: Vec<u32>,
    /// The suspended operations of each die.
    pub(crate) suspended: Vec<ByAxis<Option<u32>>>,
    now: Ticks,
    pub(crate) happened: Vec<Happened>,
}

impl<'t> Player<'t> {
    /// A fresh device with these bad blocks.
    pub(crate) fn new(tables: &'t Tables, bad_blocks: &[(Die, Block)]) -> Self {
        Self::of(tables, Device::new(tables, bad_blocks))
    }

    /// A device on which nothing has started.
    pub(crate) fn of(tables: &'t Tables, device: Device) -> Self {
        let suspended = vec![ByAxis::default(); usize::from(tables.size.dies)];
        let (ends, items, happened) = (Vec::new(), Vec::new(), Vec::new());
        Self { tables, device, ends, flights: 0, items, suspended, now: Ticks::ZERO, happened }
    }

    /// Applies every end up to `now`.
    pub(crate) fn advance(&mut self, now: Ticks) {
        while let Some(&(time, _, id)) = self.ends.last().filter(|(time, ..)| *time <= now) {
            self.ends.pop();
            if self.device.flight(id).is_some() {
                self.end(id, time);
            }
        }
        self.now = self.now.max(now);
    }

    /// Applies every end.
    pub(crate) fn complete(&mut self) {
        self.advance(Ticks(u64::MAX));
    }

    fn end(&mut self, id: FlightId, time: Ticks) {
        let flight = self.device.finish(self.tables, id);
        let die = flight.place.die;
        let suspended = self.suspended[die.index()][Axis::Program];
        self.happened.push(Happened::Ended { item: self.items[id.slot as usize], flight, suspended });
        let Some(axis) = self.tables.base(self.tables.op(flight.op).base).effects.resume else { return };
        let id = self.device.resume(self.tables, die, axis, time);
        let (item, flight) = (self.suspended[die.index()][axis].take(), self.device.flight(id).copied());
        if let (Some(item), Some(flight)) = (item, flight) {
            self.follow(id, item, flight.end);
            self.happened.push(Happened::Resumed { item, at: time, flight });
        }
    }

    fn follow(&mut self, id: FlightId, item: u32, end: Ticks) {
        self.flights += 1;
        let entry = (end, self.flights);
        let at = self.ends.partition_point(|&(time, number, _)| (time, number) > entry);
        self.ends.insert(at, (end, self.flights, id));
        let slot = id.slot as usize;
        if self.items.len() <= slot {
            self.items.resize(slot + 1, 0);
        }
        self.items[slot] = item;
    }

    /// Starts an operation at exactly this instant, which is not before the last start.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub(crate) fn start_at(&mut self, item: u32, (op, place): (OpId, &Place), now: Ticks) -> Result<(), Rule> {
        self.advance(now);
        self.device.judge(self.tables, op, place, now)?;
        self.start(item, op, place, now);
        Ok(())
    }

    /// Starts an operation at the earliest legal instant at or after `wanted`, with the address that it has then. Returns both.
    ///
    /// # Errors
    /// The rule that forbids it still when nothing is in flight any more.
    pub(crate) fn start_from(
        &mut self,
        item: u32,
        (op, place): (OpId, &Place),
        wanted: Ticks,
    ) -> Result<(Ticks, Place), Rule> {
        let info = self.tables.base(self.tables.op(op).base);
        let mut now = wanted.max(self.now).ceil_to(self.tables.grid);
        loop {
            self.advance(now);
            let place = self.derived(info, place);
            match self.device.judge(self.tables, op, &place, now) {
                Ok(()) => {
                    self.start(item, op, &place, now);
                    return Ok((now, place));
                }
                Err(Rule::Bus) => now = self.device.bus_free().ceil_to(self.tables.grid),
                Err(rule) => now = self.next_change(info, place.die, now).ok_or(rule)?.ceil_to(self.tables.grid),
            }
        }
    }

    fn start(&mut self, item: u32, op: OpId, place: &Place, now: Ticks) {
        let info = self.tables.base(self.tables.op(op).base);
        let occupies = |op| self.tables.base(self.tables.op(op).base).occupies;
        let before: Vec<(FlightId, bool)> = if info.effects.cuts() {
            self.device.flights().map(|(id, flight)| (id, occupies(flight.op))).collect()
        } else {
            Vec::new()
        };
        let flight = self.device.start(self.tables, op, place, now);
        for (id, occupied) in before {
            if self.device.flight(id).is_none() {
                let item = self.items[id.slot as usize];
                let cut = match info.effects.suspend {
                    Some(axis) => {
                        self.suspended[place.die.index()][axis] = Some(item);
                        Cut::Suspended
                    }
                    None => Cut::Reset,
                };
                self.happened.push(Happened::Cut { item, at: now, cut, occupied });
            }
        }
        if info.effects.resets() {
            self.forget_suspended(now);
        }
        if let Some(id) = flight {
            self.follow(id, item, now + self.tables.op(op).ends_after());
        }
    }

    /// A reset has ended suspended operations.
    fn forget_suspended(&mut self, now: Ticks) {
        for (die, suspended) in (0..).map(Die).zip(&mut self.suspended) {
            for axis in Axis::ALL {
                if self.device.suspended(die, axis).is_none()
                    && let Some(item) = suspended[axis].take()
                {
                    self.happened.push(Happened::Cut { item, at: now, cut: Cut::Reset, occupied: true });
                }
            }
        }
    }

    /// The next instant at which something changes that may forbid an operation; `None` if nothing is in flight and no phase is open.
    fn next_change(&self, info: &BaseInfo, die: Die, now: Ticks) -> Option<Ticks> {
        let dies = match info.reach {
            Reach::Planes | Reach::Die => die.0..die.0 + 1,
            Reach::Target => 0..self.tables.size.dies,
        };
        let phases = dies.map(|die| self.device.op_states(Die(die), now, |_, _| {}));
        let ends = self.ends.last().map(|&(time, ..)| time);
        let bus = Some(self.device.bus_free()).filter(|&free| free > now);
        phases.filter(|&until| until < Ticks(u64::MAX)).chain(ends).chain(bus).min()
    }

    /// The address of an operation that takes it from registers, latches or what is suspended.
    fn derived(&self, info: &BaseInfo, place: &Place) -> Place {
        if place.die.0 >= self.tables.size.dies {
            return *place;
        }
        let logic = self.device.logic(place.die);
        let held = |register: Option<nandseq_device::Register>| {
            register.map(|held| Place { group: held.group, page: held.page, cell_type: held.cell_type, ..*place })
        };
        let loaded = |latch| logic.latch(latch).map(|loaded| Place { cell_type: place.cell_type, ..loaded.place });
        let first = place.planes.iter().next().unwrap_or_default();
        let found = match info.address {
            AddressSource::OutputRegister => held(logic.planes.output(first)),
            AddressSource::PageRegister => held(logic.planes.page(first)),
            AddressSource::SuspendedProgram => logic.program.map(|suspended| suspended.place),
            AddressSource::OneShotLatch => loaded(LatchKind::OneShot),
            AddressSource::CopybackLatch => loaded(LatchKind::Copyback),
            AddressSource::None | AddressSource::Hook | AddressSource::AnyBlock => None,
            AddressSource::NextPage | AddressSource::ReadablePage => None,
        };
        found.unwrap_or(*place)
    }
}
