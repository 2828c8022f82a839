//! Judges whether an operation may start.

use nandseq_profile::model::StatusOf;
use nandseq_profile::{Die, OpId, Ticks};

use super::state::{Device, Flight};
use crate::place::Place;
use crate::rule::Rule;
use crate::tables::{BaseInfo, OpInfo, Reach, Tables};

impl Device {
    /// Judges whether `op` may start at `place` now. The bus is judged last: [`Rule::Bus`] means that no other rule forbids it.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn judge(&self, tables: &Tables, op: OpId, place: &Place, now: Ticks) -> Result<(), Rule> {
        let op = tables.op(op);
        let info = tables.base(op.base);
        let has_shape = op.is_ordinary & self.has_shape(op, info, place);
        let judge = || {
            if has_shape {
                self.judge_ordinary(tables, (op, info), place, now)
            } else {
                self.judge_in_order(tables, op, info, place, now)
            }
        };
        debug_assert_eq!(judge(), self.judge_in_order(tables, op, info, place, now), "as the rules in their order say");
        judge()?;
        if op.bus > Ticks::ZERO && now < self.bus_free { Err(Rule::Bus) } else { Ok(()) }
    }

    /// Whether an ordinary operation has the planes and the cell type that it must have.
    #[inline]
    fn has_shape(&self, op: &OpInfo, info: &BaseInfo, place: &Place) -> bool {
        let planes = place.planes.0;
        let is_counted = (planes != 0) & ((planes & planes.wrapping_sub(1) != 0) == op.multi);
        let is_of_cell = !info.has_block | op.cell_type.is_none_or(|own| own == place.cell_type);
        (usize::from(place.die.0) < self.dies.len())
            & place.planes.is_subset(self.all)
            & (!info.counts_planes | is_counted)
            & is_of_cell
    }

    /// Judges an ordinary operation that has its shape, by every rule but that of the bus: all of them are about its die.
    #[inline]
    fn judge_ordinary(
        &self,
        tables: &Tables,
        (op, info): (&OpInfo, &BaseInfo),
        place: &Place,
        now: Ticks,
    ) -> Result<(), Rule> {
        self.book.judge(info, place, place.cell_type)?;
        let die = &self.dies[usize::from(place.die.0)];
        let planes = info.planes_of(place, self.all);
        let is_busy = info.occupies & !die.occupied.and(planes).is_empty();
        let is_exclusive = info.occupies & (die.occupants != 0) & !(die.tolerant & op.may_join);
        if is_busy | is_exclusive | self.is_forbidden(tables, (place.die, planes), op.base, now) {
            return Err(match (is_busy, is_exclusive) {
                (true, _) => Rule::PlaneBusy,
                (false, true) => Rule::MultiPlaneExclusive,
                (false, false) => Rule::OpState,
            });
        }
        die.logic.judge_by(tables, info, place, self.all)
    }

    /// Judges every rule but that of the bus, in its order.
    #[inline(never)]
    fn judge_in_order(
        &self,
        tables: &Tables,
        op: &OpInfo,
        info: &BaseInfo,
        place: &Place,
        now: Ticks,
    ) -> Result<(), Rule> {
        self.judge_shape(tables, op, info, place)?;
        judge_cell_type(op, info, place)?;
        self.book.judge(info, place, place.cell_type)?;
        self.judge_occupation(tables, op, info, place)?;
        for die in self.dies_of(info, place) {
            let die = Die(die as u8);
            if !self.forbidding(tables, (die, self.planes_of(info, place)), op.base, now).is_empty() {
                return Err(Rule::OpState);
            }
            self.logic(die).judge(tables, op.base, place, self.all)?;
        }
        if let Some(axis) = info.effects.suspend {
            let free = self.logic(place.die).suspended(axis).is_none();
            if !free || self.suspend_target(tables, place.die, axis, now).is_none() {
                return Err(Rule::SuspendTarget);
            }
        }
        if let Some(rule) = info.effects.needs_nothing_in_flight
            && self.on.iter().any(|on| !on.is_empty())
        {
            return Err(rule);
        }
        Ok(())
    }

    fn judge_shape(&self, tables: &Tables, op: &OpInfo, info: &BaseInfo, place: &Place) -> Result<(), Rule> {
        if place.die.0 >= tables.size.dies || !place.planes.is_subset(self.all) {
            return Err(Rule::Bounds);
        }
        if let Some(StatusOf::Lun(lun)) = op.status_of {
            if lun >= tables.size.dies {
                return Err(Rule::Bounds);
            }
            if place.die != Die(lun) {
                return Err(Rule::StatusValue);
            }
        }
        if info.reach == Reach::Planes || info.has_block {
            let right = if op.multi { place.planes.len() >= 2 } else { place.planes.len() == 1 };
            return if right { Ok(()) } else { Err(Rule::MultiPlaneGroup) };
        }
        Ok(())
    }

    fn judge_occupation(&self, tables: &Tables, op: &OpInfo, info: &BaseInfo, place: &Place) -> Result<(), Rule> {
        let effects = &info.effects;
        if effects.reset_die && !effects.reset_target && self.is_shared(tables) {
            return Err(Rule::PlaneBusy);
        }
        if effects.suspend.is_some() {
            // The operation that it suspends is cut; no other operation may occupy the die.
            let alone = self.dies[usize::from(place.die.0)].occupants <= 1;
            return if alone { Ok(()) } else { Err(Rule::PlaneBusy) };
        }
        if !info.occupies || effects.resets() {
            return Ok(());
        }
        let planes = self.planes_of(info, place);
        for die in self.dies_of(info, place) {
            if !self.dies[die].occupied.and(planes).is_empty() {
                return Err(Rule::PlaneBusy);
            }
            if !self.tolerates(Die(die as u8), info, op.multi) {
                return Err(Rule::MultiPlaneExclusive);
            }
        }
        Ok(())
    }

    /// Whether an operation occupies every die of several: a reset of one die does not end it (rulebook, question 24).
    fn is_shared(&self, tables: &Tables) -> bool {
        let shared = |flight: &Flight| {
            let info = tables.base_of(flight.op);
            info.occupies && info.reach == Reach::Target
        };
        self.dies.len() > 1 && self.flights().any(|(_, flight)| shared(flight))
    }
}

/// The cell type of the payload is that of the operation, if the operation has one of its own.
fn judge_cell_type(op: &OpInfo, info: &BaseInfo, place: &Place) -> Result<(), Rule> {
    let effects = &info.effects;
    if !info.has_block || op.cell_type.is_none_or(|own| own == place.cell_type) {
        return Ok(());
    }
    Err(if effects.reads_array() {
        Rule::ReadCellType
    } else if effects.data_out {
        Rule::DoutSource
    } else if effects.cache_read_end {
        Rule::CacheSequence
    } else {
        Rule::ProgramCellType
    })
}
