//! Plain generation: names are drawn by the weights of the distribution, without replacement, until one starts. Hooks fall inside
//! and after CORE_BUSY.

use nandseq_device::FlightId;
use nandseq_profile::{Die, Plane, PlaneSet, Ticks};

use super::at_hook::{AtHook, WhenToStart};
use crate::kernel::{Hook, Kernel, Step};
use crate::proposal::Preference;
use crate::random::{RandomNumbers, Stream};
use crate::setup::Setup;

/// Draws names until one starts, waits for the bus or proposes nothing, or until the tries are used up. Returns whether the
/// proposer's plan is to start now.
pub(super) fn propose(at: &mut AtHook<'_, '_>, preference: Preference<'_>) -> bool {
    let setup = at.setup;
    for _ in 0..setup.max_tries {
        let Some(name) = at.draw() else { return false };
        let (op, class) = name.0;
        if setup.tables.base(setup.classes.get(class).base).effects.delay {
            return false;
        }
        match at.plan_on(name, preference).and_then(|verdict| at.hand_in(verdict)) {
            Ok(WhenToStart::Now) => return true,
            Ok(WhenToStart::WhenBusIsFree) => return false,
            Err(reason) => at.refuse(op, reason),
        }
    }
    false
}

/// Places one hook inside the CORE_BUSY of an operation that starts or is resumed, and one shortly after its end, each on one of
/// the operation's planes.
pub(super) fn place_hooks(
    (setup, kernel): (&Setup, &mut Kernel<'_>),
    (step, of, busy): (Step, FlightId, (Ticks, Ticks)),
    stream: &mut Stream,
) {
    let info = setup.tables.base(setup.tables.op(step.op).base);
    let grid = setup.tables.grid;
    let occupied = kernel.device.occupied_by(info, &step.place);
    let draw = |stream: &mut Stream, after| {
        let (die, plane) = draw_plane(step, occupied, stream);
        Hook { die, plane, of: Some(of), after }
    };
    let inside = draw(stream, None);
    let length = busy.1.0 - busy.0.0;
    if length > 1 {
        let at = Ticks(busy.0.0 + 1 + stream.below(length - 1)).ceil_to(grid);
        kernel.queue.push_hook(at, inside);
    }
    let after = draw(stream, Some(busy.1));
    let distance = 1 + stream.below(setup.post_hook_window.0.max(1));
    kernel.queue.push_hook(Ticks(busy.1.0 + distance).ceil_to(grid), after);
}

/// Draws one of the planes that an operation occupies. `dies`: how many dies it occupies, 1 (its own) or all.
#[inline]
pub(super) fn draw_plane(step: Step, (dies, planes): (u64, PlaneSet), stream: &mut Stream) -> (Die, Plane) {
    let die = if dies == 1 { step.place.die } else { Die(stream.below(dies) as u8) };
    let index = stream.below(u64::from(planes.len())) as usize;
    (die, planes.iter().nth(index).unwrap_or_default())
}
