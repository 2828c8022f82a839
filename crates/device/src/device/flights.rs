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

    /// Frees the planes of an operation, if it occupies some, without a branch.
    #[inline]
    pub(super) const fn leave_if(&mut self, occupies: bool, planes: PlaneSet) {
        self.occupied.0 &= !(planes.0 * occupies as u8);
        self.occupants -= occupies as u8;
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
            self.stamps[die] += 1;
            self.dies[die].enter(planes, op.may_join);
        }
    }

    /// Frees the planes of an operation.
    pub(super) fn leave(&mut self, info: &BaseInfo, place: &Place) {
        if !info.occupies {
            return;
        }
        let planes = self.planes_of(info, place);
        for die in self.dies_of(info, place) {
            self.stamps[die] += 1;
            self.dies[die].leave_if(true, planes);
        }
    }

    pub(super) fn keep(&mut self, flight: Flight) -> FlightId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.flights.push((0, None));
            self.flights.len() as u32 - 1
        });
        let on = &mut self.on[usize::from(flight.place.die.0)];
        on.push(slot);
        // Few flights are on a die: moving them one by one is faster than finding a position.
        let mut at = on.len() - 1;
        while at > 0 && on[at - 1] > slot {
            on.swap(at - 1, at);
            at -= 1;
        }
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
        let on = &mut self.on[usize::from(flight.place.die.0)];
        let mut after = id.slot;
        for slot in on.iter_mut().rev() {
            std::mem::swap(slot, &mut after);
            if after == id.slot {
                break;
            }
        }
        on.pop();
        flight
    }
}

#[cfg(test)]
mod tests {
    use nandseq_profile::{Die, OpId, Ticks, builtin};

    use super::*;
    use crate::tables::Tables;

    #[test]
    fn the_flights_of_a_die_are_in_the_order_of_their_ids_whichever_end_first() {
        let mut device = Device::new(&Tables::new(&builtin::profile()), &[]);
        let never = Ticks::ZERO;
        let flight = |die: u8| Flight {
            op: OpId(0),
            place: Place::die(Die(die)),
            busy_from: never,
            end: never,
            window_end: never,
        };
        let slots = |device: &Device, die: u8| device.flights_on(Die(die)).map(|(id, _)| id.slot).collect::<Vec<_>>();
        let ids: Vec<FlightId> = [0, 1, 0, 0, 1, 0].into_iter().map(|die| device.keep(flight(die))).collect();
        assert_eq!((slots(&device, 0), slots(&device, 1)), (vec![0, 2, 3, 5], vec![1, 4]));
        for at in [2, 5, 1, 0] {
            device.remove(ids[at]);
        }
        assert_eq!((slots(&device, 0), slots(&device, 1)), (vec![3], vec![4]));
        // Slots are used again, the last one that became free first.
        for _ in 0..3 {
            device.keep(flight(0));
        }
        assert_eq!((slots(&device, 0), slots(&device, 1)), (vec![0, 1, 3, 5], vec![4]));
    }
}
