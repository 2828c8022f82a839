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
    let info = setup.tables.base_of(step.op);
    let (dies, planes) = kernel.device.occupied_by(info, &step.place);
    let (length, window) = (busy.1.0 - busy.0.0, setup.post_hook_window.0.max(1));
    let [inside, after] = if (dies == 1) & (length > 1) {
        let own = |plane, distance| (step.place.die, plane_at(planes, plane), distance);
        let count = u64::from(planes.len());
        let [inside, distance, after, further] = stream.four_below([count, length - 1, count, window]);
        [own(inside, distance), own(after, further)]
    } else {
        [length.saturating_sub(1), window].map(|most| {
            let (die, plane) = draw_plane(step, (dies, planes), stream);
            (die, plane, if most > 0 { stream.below(most) } else { 0 })
        })
    };
    let mut push = |(die, plane, distance): (Die, Plane, u64), from: Ticks, after| {
        let at = Ticks(from.0 + 1 + distance).ceil_to(setup.tables.grid);
        kernel.queue.push_hook(at, Hook { die, plane, of: Some(of), after });
    };
    if length > 1 {
        push(inside, busy.0, None);
    }
    push(after, busy.1, Some(busy.1));
}

/// For each set of planes its planes in ascending order.
static PLANES: [[Plane; 8]; 256] = {
    let mut all = [[Plane(0); 8]; 256];
    let mut set = 0;
    while set < all.len() {
        let (mut left, mut at) = (set, 0);
        while left != 0 {
            all[set][at] = Plane(left.trailing_zeros() as u8);
            (left, at) = (left & (left - 1), at + 1);
        }
        set += 1;
    }
    all
};

/// The plane at a position among some planes.
#[inline]
fn plane_at(planes: PlaneSet, at: u64) -> Plane {
    PLANES[usize::from(planes.0)][at as usize % 8]
}

/// Draws one of the planes that an operation occupies. `dies`: how many dies it occupies, 1 (its own) or all.
#[inline]
pub(super) fn draw_plane(step: Step, (dies, planes): (u64, PlaneSet), stream: &mut Stream) -> (Die, Plane) {
    let die = if dies == 1 { step.place.die } else { Die(stream.below(dies) as u8) };
    (die, plane_at(planes, stream.below(u64::from(planes.len()))))
}
