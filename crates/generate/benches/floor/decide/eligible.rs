//! The classes that are eligible at a hook, from tables that were made by asking the judge.

use nandseq_device::{
    CacheProgram, Device, DieLogic, Loaded, Place, PlaneFact, PlaneLogic, Reach, Register, Suspended, Tables,
};
use nandseq_profile::model::{AddressSource, CacheProgramKind, CacheReadKind, LatchLevel};
use nandseq_profile::{BaseId, CellTypeId, Die, Page, Plane, PlaneSet, Profile, Ticks};

use super::weights::{Class, Classes};

/// The states of a die in which it is asked what it forbids.
const SHAPES: usize = 4 * 3 * 16;
/// The facts about the registers of a plane.
const FACTS: usize = PlaneFact::LosingByMove.bit() as usize;

/// What decides which classes are eligible.
pub(super) struct Eligibility {
    /// By the facts about a plane: the classes that may not work there, and those that may not start on its die.
    closed: Box<[Classes; FACTS]>,
    forbidden: Box<[Classes; FACTS]>,
    /// By the cell type in the page register: the classes that need another.
    of_another_cell: [Classes; 8],
    /// By op_state: the classes that it forbids.
    op_states: Vec<Classes>,
    /// By [`Eligibility::shape`]: the classes that it forbids.
    shapes: Box<[Classes; SHAPES]>,
    on_planes: Classes,
    occupying: Classes,
    joining: Classes,
    here: Classes,
    plain: Classes,
    everywhere: Classes,
    /// The classes with an address of their own by kind, and the classes of some cell types, a bit each.
    asking: [Classes; 3],
    cells: Box<[Classes; 256]>,
    multi: Classes,
    /// By die.
    dies: Vec<OfDie>,
    /// By plane of the last hook: the classes that may not work there.
    not_on: [Classes; 8],
}

/// What is kept of a die.
#[derive(Clone)]
struct OfDie {
    book: u64,
    single: [Classes; 8],
    paired: [Classes; 32],
    /// The stamp with which, and the time before which, `against` holds: what the die forbids of the classes that look at every die.
    stamp: u64,
    until: Ticks,
    against: Classes,
}

impl Eligibility {
    pub(super) fn new(profile: &Profile, tables: &Tables, classes: &[Class]) -> Self {
        let set = |holds: &dyn Fn(&Class) -> bool| {
            classes.iter().enumerate().fold(0, |all, (at, class)| all | Classes::from(holds(class)) << at)
        };
        let with = |holds: &dyn Fn(&nandseq_device::BaseInfo) -> bool| set(&|class| holds(tables.base(class.base)));
        let from = |source| with(&|info| info.address == source);
        let asked = Asked { tables, all: PlaneSet::first(u32::from(tables.size.planes)) };
        let on_planes = with(&|info| info.reach == Reach::Planes);
        // A class is asked about planes in a state of the die that lets it start.
        let home: Vec<Option<usize>> =
            classes.iter().map(|class| (0..SHAPES).find(|&shape| asked.in_shape(class, shape))).collect();
        let ok = |class: &Class, facts: usize| {
            let at = classes.binary_search(class).expect("one of them");
            home[at].is_none_or(|shape| asked.on_plane(class, shape, facts))
        };
        let wrong: Vec<Classes> = (0..FACTS).map(|facts| set(&|class| !ok(class, facts))).collect();
        let own =
            usize::from(PlaneFact::WithPage.bit() | PlaneFact::WithOutput.bit() | PlaneFact::WithTheSamePage.bit());
        let mismatched = |cell: u8| {
            set(&|class| {
                let at = classes.binary_search(class).expect("one of them");
                home[at].is_some_and(|shape| {
                    asked.on_plane(class, shape, own) && !asked.with_cell(class, shape, own, CellTypeId(cell))
                })
            })
        };
        let size = &tables.size;
        let fresh =
            OfDie { book: u64::MAX, single: [0; 8], paired: [0; 32], stamp: u64::MAX, until: Ticks::ZERO, against: 0 };
        Self {
            closed: Box::new(std::array::from_fn(|facts| wrong[facts] & on_planes)),
            forbidden: Box::new(std::array::from_fn(|facts| wrong[facts] & !on_planes)),
            of_another_cell: std::array::from_fn(|cell| mismatched(cell as u8)),
            op_states: profile
                .phase_keys
                .ids()
                .map(|key| set(&|class| tables.op_states_against(class.base).contains(key)))
                .chain([0])
                .collect(),
            shapes: Box::new(std::array::from_fn(|shape| set(&|class| !asked.in_shape(class, shape)))),
            on_planes,
            occupying: with(&|info| info.occupies && !info.effects.resets()),
            joining: set(&|class| tables.base(class.base).interleaved && !class.multi),
            here: from(AddressSource::OutputRegister)
                | from(AddressSource::PageRegister)
                | from(AddressSource::Hook) & on_planes,
            plain: !(from(AddressSource::AnyBlock) | from(AddressSource::NextPage) | from(AddressSource::ReadablePage)),
            everywhere: with(&|info| info.reach == Reach::Target),
            asking: [AddressSource::AnyBlock, AddressSource::NextPage, AddressSource::ReadablePage].map(from),
            cells: Box::new(std::array::from_fn(|cells| set(&|class| cells >> class.cell.index() & 1 == 1))),
            multi: set(&|class| class.multi),
            dies: vec![fresh; usize::from(size.dies)],
            not_on: [0; 8],
        }
    }

    /// A number of the states of a die that do not belong to its planes.
    #[inline]
    pub(super) fn shape(&self, logic: &DieLogic) -> usize {
        let latch = logic.one_shot.map_or(0, |loaded| 1 + loaded.level as usize);
        let cache = logic.cache_program.map_or(0, |state| 1 + state.kind as usize);
        let bits = usize::from(logic.erase.is_some())
            | usize::from(logic.program.is_some()) << 1
            | usize::from(logic.odt_disabled) << 2
            | usize::from(logic.write_protected) << 3;
        (latch * 3 + cache) * 16 + bits
    }

    /// The classes among some that are eligible at a hook.
    #[inline]
    pub(super) fn at(
        &mut self,
        (device, tables): (&Device, &Tables),
        (die, plane, now): (Die, Plane, Ticks),
        among: Classes,
    ) -> Classes {
        let own = usize::from(die.0);
        if self.dies[own].book != device.book.stamp(die) {
            self.look_at_book(device, die);
        }
        let (logic, occupied) = (device.logic(die), device.occupied(die));
        let (mut sampled, mut forbidden) = (0, 0);
        let Self { dies, not_on, op_states, of_another_cell, closed, .. } = self;
        let of_die = &dies[own];
        device.op_states(die, now, |own, key| {
            let (facts, at) = (usize::from(logic.planes.facts(own)) % FACTS, usize::from(own.0 % 8));
            let state = op_states[key.index().min(op_states.len() - 1)];
            let occupying = self.occupying & Classes::from(occupied.contains(own)).wrapping_neg();
            let other_cell = of_another_cell[logic.planes.page_cell(own).index() % 8];
            not_on[at] = closed[facts] | (state | occupying) & self.on_planes | other_cell;
            sampled |= of_die.single[at] & !not_on[at];
            forbidden |= self.forbidden[facts] | state & !self.on_planes;
        });
        let not_here = self.not_on[usize::from(plane.0 % 8)] & self.here;
        let beside = match device.occupants(die) {
            None => 0,
            Some(true) => self.occupying & !self.joining,
            Some(false) => self.occupying,
        };
        let may_start = among & !(self.shapes[self.shape(logic) % SHAPES] | forbidden | not_here | beside);
        if may_start & self.multi & !self.plain != 0 {
            let mut pair = 0;
            for second in 1..usize::from(tables.size.planes).min(8) {
                for first in 0..second {
                    sampled |= self.dies[own].paired[pair % 32] & !(self.not_on[first] | self.not_on[second]);
                    pair += 1;
                }
            }
        }
        let mut open = may_start & (self.plain | sampled);
        if open & self.everywhere != 0 && self.dies.len() > 1 {
            open &= !self.by_others(device, tables, die, now);
        }
        open
    }

    /// The planes of a die on which a class that is eligible at the last hook may work.
    #[inline]
    pub(super) fn allowed(&self, all: PlaneSet, class: usize) -> PlaneSet {
        let (word, bit) = (64 * (class / 64 % 2), class % 64);
        let not_on = self.not_on.iter().rev().fold(0, |all, not_on| all << 1 | (not_on >> word) as u64 >> bit & 1);
        all.minus(PlaneSet(not_on as u8))
    }

    /// What the other dies forbid of the classes that look at all of them.
    fn by_others(&mut self, device: &Device, tables: &Tables, own: Die, now: Ticks) -> Classes {
        let mut all = 0;
        for (die, &stamp) in (0..).map(Die).zip(device.state_stamps()) {
            if die == own {
                continue;
            }
            let of_die = &self.dies[usize::from(die.0)];
            if of_die.stamp != stamp || now >= of_die.until {
                let logic = device.logic(die);
                let mut keys = [Tables::NO_OP_STATE; 8];
                let until = device.op_states(die, now, |plane, key| keys[usize::from(plane.0 % 8)] = key);
                let planes = (0..tables.size.planes).map(Plane).zip(&keys);
                let forbidden = planes.fold(self.shapes[self.shape(logic)], |all, (plane, key)| {
                    let facts = usize::from(logic.planes.facts(plane)) % FACTS;
                    all | self.forbidden[facts] | self.op_states[key.index().min(self.op_states.len() - 1)]
                });
                let occupying = if device.occupants(die).is_some() { self.occupying } else { 0 };
                let of_die = &mut self.dies[usize::from(die.0)];
                (of_die.stamp, of_die.until, of_die.against) = (stamp, until, forbidden | occupying);
            }
            all |= self.dies[usize::from(die.0)].against;
        }
        all & self.everywhere
    }

    /// Finds the classes for which the book has an address, by plane and pair.
    #[inline(never)]
    fn look_at_book(&mut self, device: &Device, die: Die) {
        let addresses = device.book.on(die);
        let classes = |any: bool, next: u8, read: u8| {
            self.asking[0] & Classes::from(any).wrapping_neg()
                | self.cells[usize::from(next)] & self.asking[1]
                | self.cells[usize::from(read)] & self.asking[2]
        };
        let (mut single, mut paired, mut pair) = ([0; 8], [0; 32], 0);
        for second in 0..device.planes().len() as usize {
            let planes = PlaneSet(1 << second);
            let any = !addresses.any_planes(planes).is_empty();
            single[second % 8] = classes(any, addresses.next_cells(planes), addresses.read_cells(planes)) & !self.multi;
            for first in 0..second {
                let planes = PlaneSet(1 << first | 1 << second);
                let next = addresses.next_cells_together(planes);
                let read = addresses.read_cells_together(planes);
                paired[pair % 32] = classes(addresses.any_together(planes), next, read) & self.multi;
                pair += 1;
            }
        }
        let of_die = &mut self.dies[usize::from(die.0)];
        (of_die.book, of_die.single, of_die.paired) = (device.book.stamp(die), single, paired);
    }
}

/// Asks the judge of lasting states.
struct Asked<'a> {
    tables: &'a Tables,
    all: PlaneSet,
}

impl Asked<'_> {
    /// The page that everything holds which holds something.
    fn place(class: &Class) -> Place {
        Place { planes: PlaneSet(1), group: 9, page: Page(1), cell_type: class.cell, ..Place::default() }
    }

    fn logic(class: &Class, shape: usize) -> DieLogic {
        let place = Self::place(class);
        let level = [None, Some(LatchLevel::Lsb), Some(LatchLevel::Csb), Some(LatchLevel::Msb)][shape / 48];
        let kind = [None, Some(CacheProgramKind::Slc), Some(CacheProgramKind::OneShot)][shape / 16 % 3];
        let suspended = |bit: usize| (shape & bit != 0).then_some(Suspended { place, base: BaseId(0) });
        let mut logic = DieLogic::default();
        logic.one_shot = level.map(|level| Loaded { level, place });
        logic.cache_program = kind.map(|kind| CacheProgram { kind, place: Place { page: Page(0), ..place } });
        (logic.erase, logic.program) = (suspended(1), suspended(2));
        (logic.odt_disabled, logic.write_protected) = (shape & 4 != 0, shape & 8 != 0);
        logic.note_states();
        logic
    }

    fn registers(class: &Class, facts: usize, cell: CellTypeId) -> PlaneLogic {
        let is = |fact: PlaneFact| facts & usize::from(fact.bit()) != 0;
        let place = Self::place(class);
        let held = |group, copyback| Register { group, page: place.page, cell_type: cell, copyback };
        let output = if is(PlaneFact::WithTheSamePage) { place.group } else { place.group + 1 };
        PlaneLogic {
            page: is(PlaneFact::WithPage).then(|| held(place.group, is(PlaneFact::WithCopybackPage))),
            output: is(PlaneFact::WithOutput).then(|| held(output, false)),
            unread: is(PlaneFact::Unread),
            cache_read: if is(PlaneFact::Cache) {
                Some(CacheReadKind::Cache)
            } else {
                is(PlaneFact::PlaneCache).then_some(CacheReadKind::PlaneCache)
            },
        }
    }

    fn with_cell(&self, class: &Class, shape: usize, facts: usize, cell: CellTypeId) -> bool {
        let mut logic = Self::logic(class, shape);
        logic.planes.set_plane(Plane(0), Self::registers(class, facts, cell));
        let info = self.tables.base(class.base);
        let held = |register: Option<Register>| {
            register.map(|held| Place { group: held.group, page: held.page, ..Self::place(class) })
        };
        let place = if info.address == AddressSource::OutputRegister {
            held(logic.planes.output(Plane(0)))
        } else if info.address == AddressSource::PageRegister {
            held(logic.planes.page(Plane(0)))
        } else {
            Some(Self::place(class))
        };
        place.is_some_and(|place| logic.allows(self.tables, info, &place, self.all))
    }

    fn on_plane(&self, class: &Class, shape: usize, facts: usize) -> bool {
        self.with_cell(class, shape, facts, class.cell)
    }

    /// Whether a class may start in a state of the die, with some registers.
    fn in_shape(&self, class: &Class, shape: usize) -> bool {
        (0..FACTS).any(|facts| self.on_plane(class, shape, facts))
    }
}
