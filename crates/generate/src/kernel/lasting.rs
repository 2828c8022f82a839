//! The lasting state of a die after everything in flight has ended, and after further operations. Searches and plans work on it.

use nandseq_device::{Device, DieLogic, FlightId, Place, Suspended, Tables};
use nandseq_profile::model::Axis;
use nandseq_profile::{BaseId, Die, OpId, Ticks};

use super::chain::Step;

/// Puts the lasting state of a die once everything in flight there has ended into `logic`; what a RESUME in flight resumes has ended
/// too. If `head` is a SUSPEND, the operation that it stops is suspended instead.
pub(crate) fn settle(logic: &mut DieLogic, (device, tables): (&Device, &Tables), die: Die, head: &Step, now: Ticks) {
    let suspends = tables.base_of(head.op).effects.suspend;
    let suspend_target = suspends.and_then(|axis| Some((axis, device.suspend_target(tables, die, axis, now)?)));
    settle_with(logic, device, tables, die, suspend_target);
}

/// The lasting state that [`settle`] puts.
pub(crate) fn settled(device: &Device, tables: &Tables, die: Die, head: &Step, now: Ticks) -> DieLogic {
    let mut logic = DieLogic::default();
    settle(&mut logic, (device, tables), die, head, now);
    logic
}

/// The lasting state of a die after everything in flight there has ended, if nothing starts now.
pub(crate) fn settled_by_itself(device: &Device, tables: &Tables, die: Die) -> DieLogic {
    let mut logic = DieLogic::default();
    settle_with(&mut logic, device, tables, die, None);
    logic
}

fn settle_with(
    logic: &mut DieLogic,
    device: &Device,
    tables: &Tables,
    die: Die,
    suspend_target: Option<(Axis, FlightId)>,
) {
    logic.clone_from(device.logic(die));
    if !device.flies_on(die) {
        return;
    }
    let mut resumed = None;
    let (mut outputs, mut moves) = (false, false);
    for (id, flight) in device.flights_on(die) {
        let base = tables.op(flight.op).base;
        match suspend_target {
            Some((axis, cut)) if cut == id => logic.suspend(axis, Suspended { place: flight.place, base }),
            _ => logic.finish(tables.base(base), &flight.place),
        }
        let effects = &tables.base(base).effects;
        resumed = effects.resume.or(resumed);
        outputs |= effects.data_out;
        moves |= effects.moves_page();
    }
    if outputs && moves {
        // Which of them ends first does not matter: the page that is moved counts as unread.
        device.flights_on(die).for_each(|(_, flight)| {
            let info = tables.base_of(flight.op);
            if info.effects.moves_page() {
                logic.planes.mark_unread(flight.place.planes);
            }
        });
    }
    if let Some(target) = resumed.and_then(|axis| device.suspended(die, axis)) {
        logic.finish(tables.base_of(target.op), &target.place);
    }
}

/// Whether a step puts out data of a plane on which a page is being moved from one register to the other. The moved page counts
/// as unread afterwards, although it was put out before.
pub(crate) fn outputs_what_moves(device: &Device, tables: &Tables, step: &Step) -> bool {
    let effects = |op: OpId| &tables.base_of(op).effects;
    effects(step.op).data_out
        && device.flights_on(step.place.die).any(|(_, flight)| {
            effects(flight.op).moves_page() && !flight.place.planes.and(step.place.planes).is_empty()
        })
}

/// Carries an operation out on a lasting state, and the operation that it resumes, which is returned.
#[inline]
pub(crate) fn carry_out(logic: &mut DieLogic, tables: &Tables, base: BaseId, place: &Place) -> Option<Suspended> {
    let info = tables.base(base);
    let resumed = info.effects.resume.and_then(|axis| logic.suspended(axis));
    logic.carry_out(info, place);
    if let Some(target) = resumed {
        logic.finish(tables.base(target.base), &target.place);
    }
    resumed
}
