//! What the state of a die forbids, kept until the state changes.
//!
//! A hook asks about its own die and, for commands to the whole target, about every other. Most dies are as they were at the hook
//! before: nothing started or ended there and no phase has passed.

use nandseq_device::Device;
use nandseq_profile::{BaseSet, CellTypeId, Die, PlaneSet, Ticks};

use crate::setup::Setup;

/// What a die forbids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Face {
    /// The die's stamp when this was made; it holds while the die has it, and before `until`.
    stamp: u64,
    until: Ticks,
    /// Forbidden whatever the planes: latch, suspension, cache program.
    pub(crate) forbidden: BaseSet,
    /// Forbidden by some plane.
    pub(crate) on_any_plane: BaseSet,
    /// The bases that may work on no plane.
    pub(crate) closed_everywhere: BaseSet,
    /// For each plane the bases that may not work there.
    pub(crate) closed: [BaseSet; 8],
    /// The cell type of each page register that holds something.
    pub(crate) page_cell: [Option<CellTypeId>; 8],
    pub(crate) unread: PlaneSet,
}

impl Face {
    /// The face of no die: it holds at no time.
    pub(crate) const NONE: Self = Self {
        stamp: 0,
        until: Ticks::ZERO,
        forbidden: BaseSet::EMPTY,
        on_any_plane: BaseSet::EMPTY,
        closed_everywhere: BaseSet::EMPTY,
        closed: [BaseSet::EMPTY; 8],
        page_cell: [None; 8],
        unread: PlaneSet::EMPTY,
    };

    /// Brings the face of a die up to date.
    pub(crate) fn refresh(&mut self, device: &Device, setup: &Setup, die: Die, now: Ticks) {
        if self.stamp != device.stamp(die) || now >= self.until {
            self.make(device, setup, die, now);
        }
    }

    fn make(&mut self, device: &Device, setup: &Setup, die: Die, now: Ticks) {
        let (tables, groups) = (&setup.tables, &setup.groups);
        let logic = device.logic(die);
        let busy = device.occupied(die);
        self.stamp = device.stamp(die);
        self.until = Ticks(u64::MAX);
        self.forbidden = logic
            .forbidden_by_latch(tables)
            .union(logic.forbidden_by_suspension(tables))
            .union(logic.forbidden_by_cache_program(tables));
        self.on_any_plane = BaseSet::EMPTY;
        self.closed_everywhere = BaseSet(u128::MAX);
        self.unread = PlaneSet::EMPTY;
        for plane in device.planes().iter() {
            let at = usize::from(plane.0);
            let registers = &logic.planes[at];
            let gate = groups.gate(registers);
            let (key, until) = device.state_key(die, plane, now);
            let state = key.map_or(BaseSet::EMPTY, |key| tables.forbidden_in(key));
            self.until = self.until.min(until);
            self.on_any_plane = self.on_any_plane.union(gate.forbidden).union(state);
            let occupied = if busy.contains(plane) { groups.occupying_planes } else { BaseSet::EMPTY };
            self.closed[at] = gate.closed.union(state.and(groups.on_planes)).union(occupied);
            self.closed_everywhere = self.closed_everywhere.and(self.closed[at]);
            self.page_cell[at] = registers.page.map(|page| page.cell_type);
            if registers.unread {
                self.unread.insert(plane);
            }
        }
    }
}
