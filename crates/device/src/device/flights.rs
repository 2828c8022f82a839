//! Keeps the flights of a device and the planes that they occupy.

use nandseq_profile::PlaneSet;

use super::state::{Device, DieState, Flight, FlightId};
use crate::place::Place;
use crate::tables::{BaseInfo, OpInfo};

impl DieState {
    /// Occupies some planes with one more operation.
    #[inline]
    pub(super) const fn enter(&mut self, planes: PlaneSet, may_be_joined: bool) {
        self.occupied = self.occupied.union(planes);
        self.occupants += 1;
        self.tolerant &= may_be_joined;
    }

    /// Frees the planes of an operation.
    #[inline]
    pub(super) const fn leave(&mut self, planes: PlaneSet) {
        self.occupied = self.occupied.minus(planes);
        self.occupants -= 1;
        self.tolerant |= self.occupants == 0;
    }
}

impl Device {
    /// Occupies the planes of an operation.
    pub(super) fn enter(&mut self, op: &OpInfo, info: &BaseInfo, place: &Place) {
        if !info.occupies {
            return;
        }
        let planes = self.planes_of(info, place);
        for die in self.dies_of(info, place) {
            let die = &mut self.dies[die];
            die.stamp += 1;
            die.enter(planes, op.may_join);
        }
    }

    /// Frees the planes of an operation.
    pub(super) fn leave(&mut self, info: &BaseInfo, place: &Place) {
        if !info.occupies {
            return;
        }
        let planes = self.planes_of(info, place);
        for die in self.dies_of(info, place) {
            let die = &mut self.dies[die];
            die.stamp += 1;
            die.leave(planes);
        }
    }

    pub(super) fn keep(&mut self, flight: Flight) -> FlightId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.flights.push((0, None));
            self.flights.len() as u32 - 1
        });
        let on = &mut self.on[usize::from(flight.place.die.0)];
        on.insert(on.partition_point(|&other| other < slot), slot);
        let kept = &mut self.flights[slot as usize];
        kept.1 = Some(flight);
        FlightId { slot, generation: kept.0 }
    }

    /// Takes a flight out of its slot. The next flight in the slot will have another id.
    pub(super) fn remove(&mut self, id: FlightId) -> Flight {
        let kept = &mut self.flights[id.slot as usize];
        assert_eq!(kept.0, id.generation, "a flight ends once");
        kept.0 = kept.0.wrapping_add(1);
        self.free.push(id.slot);
        let flight = kept.1.take().expect("a flight ends once");
        self.on[usize::from(flight.place.die.0)].retain(|&slot| slot != id.slot);
        flight
    }
}
