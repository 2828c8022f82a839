//! The address of a name that was drawn at a hook.

use nandseq_device::{Device, Place, Reach, Register};
use nandseq_profile::model::{AddressSource, LatchKind, StatusOf};
use nandseq_profile::{Die, OpId, Plane, PlaneSet};

use super::view::View;
use crate::random::{RandomNumbers, Stream};
use crate::reporting::RefusalReason;
use crate::setup::{ClassId, Setup};

/// Draws the targets of a name at a hook, on some of `allowed`.
pub(crate) fn draw_place(
    (setup, device): (&Setup, &Device),
    view: &View,
    (op, id): (OpId, ClassId),
    allowed: PlaneSet,
    stream: &mut Stream,
) -> Result<Place, RefusalReason> {
    let class = setup.classes.get(id);
    let info = setup.tables.base(class.base);
    let (die, cell, most) = (view.die, class.cell, setup.max_planes);
    let addresses = device.book.on(die);
    let logic = device.logic(die);
    let below = &mut |bound| stream.below(bound);
    let held = |register: Option<Register>| register.map(|held| register_place(die, view.plane, held));
    let place = match info.address {
        AddressSource::None => Some(Place::die(die)),
        AddressSource::Hook if info.reach == Reach::Planes => Some(Place::plane(die, view.plane)),
        AddressSource::Hook => Some(Place::die(die)),
        AddressSource::AnyBlock if class.multi => addresses.sample_any_together(allowed, most, below),
        AddressSource::AnyBlock => addresses.sample_any(allowed, below),
        AddressSource::NextPage if info.effects.is_program() && logic.cache_program.is_some() => {
            view.next_of_cache_program(device)
        }
        AddressSource::NextPage if class.multi => addresses.sample_next_together(cell, allowed, most, below),
        AddressSource::NextPage if info.effects.is_program() => addresses.sample_next(cell, allowed, below),
        AddressSource::NextPage => addresses.sample_any_next(allowed, below),
        AddressSource::ReadablePage if class.multi => addresses.sample_read_together(cell, allowed, most, below),
        AddressSource::ReadablePage => addresses.sample_read(cell, allowed, below),
        AddressSource::OutputRegister => held(logic.planes.output(view.plane)),
        AddressSource::PageRegister => held(logic.planes.page(view.plane)),
        AddressSource::SuspendedProgram => logic.program.map(|suspended| suspended.place),
        AddressSource::OneShotLatch => logic.latch(LatchKind::OneShot).map(|loaded| loaded.place),
        AddressSource::CopybackLatch => logic.latch(LatchKind::Copyback).map(|loaded| loaded.place),
    };
    let mut place = place.ok_or(RefusalReason::NoAddress)?;
    if info.address == AddressSource::AnyBlock {
        place.cell_type = cell;
    }
    if let Some(StatusOf::Lun(lun)) = setup.tables.op(op).status_of {
        place = Place::die(Die(lun));
    }
    Ok(place)
}

/// What a register of a plane holds, as an address.
pub(crate) fn register_place(die: Die, plane: Plane, held: Register) -> Place {
    Place { die, planes: PlaneSet::one(plane), group: held.group, page: held.page, cell_type: held.cell_type }
}
