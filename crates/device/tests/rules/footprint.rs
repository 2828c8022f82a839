//! The footprint of a step is all that it looks at and all that it changes.

use nandseq_device::{
    CacheProgram, DieLogic, Footprint, Loaded, Parts, Place, PlaneLogic, Register, Suspended, Tables,
};
use nandseq_profile::model::{Axis, CacheProgramKind, CacheReadKind, LatchLevel};
use nandseq_profile::{BaseId, CellTypeId, Die, Page, Plane, PlaneSet, builtin};
use proptest::prelude::*;

const PLANES: u8 = 2;

/// Few addresses, so that they meet.
fn any_place() -> impl Strategy<Value = Place> {
    (1u8..1 << PLANES, 0u32..2, 0u16..2, 0u8..2).prop_map(|(planes, group, page, cell)| Place {
        die: Die(0),
        planes: PlaneSet(planes),
        group,
        page: Page(page),
        cell_type: CellTypeId(cell),
    })
}

fn any_register() -> impl Strategy<Value = Register> {
    (0u32..2, 0u16..2, 0u8..2, any::<bool>()).prop_map(|(group, page, cell, copyback)| Register {
        group,
        page: Page(page),
        cell_type: CellTypeId(cell),
        copyback,
    })
}

fn any_plane() -> impl Strategy<Value = PlaneLogic> {
    let kind = prop_oneof![Just(CacheReadKind::Cache), Just(CacheReadKind::PlaneCache)];
    let registers = (proptest::option::of(any_register()), proptest::option::of(any_register()));
    (registers, any::<bool>(), proptest::option::of(kind)).prop_map(|((page, output), unread, cache_read)| PlaneLogic {
        page,
        output,
        unread,
        cache_read,
    })
}

fn any_loaded() -> impl Strategy<Value = Loaded> {
    let level = prop_oneof![Just(LatchLevel::Lsb), Just(LatchLevel::Csb), Just(LatchLevel::Msb)];
    (level, any_place()).prop_map(|(level, place)| Loaded { level, place })
}

fn any_logic() -> impl Strategy<Value = DieLogic> {
    let kind = prop_oneof![Just(CacheProgramKind::Slc), Just(CacheProgramKind::OneShot)];
    let cache = (kind, any_place()).prop_map(|(kind, place)| CacheProgram { kind, place });
    let suspended = || proptest::option::of(any_place().prop_map(|place| Suspended { place, base: BaseId(0) }));
    let latches = (proptest::option::of(any_loaded()), proptest::option::of(any_loaded()));
    let planes = [any_plane(), any_plane()];
    (latches, proptest::option::of(cache), suspended(), suspended(), [any::<bool>(), any::<bool>()], planes).prop_map(
        |((one_shot, copyback), cache_program, erase, program, [odt_disabled, write_protected], planes)| {
            let mut logic = DieLogic::default();
            (logic.one_shot, logic.copyback, logic.cache_program) = (one_shot, copyback, cache_program);
            (logic.erase, logic.program) = (erase, program);
            (logic.odt_disabled, logic.write_protected) = (odt_disabled, write_protected);
            logic.note_states();
            (0..).map(Plane).zip(planes).for_each(|(plane, held)| logic.planes.set_plane(plane, held));
            logic
        },
    )
}

/// The parts of a state in the order of the bits of [`nandseq_device::Parts`], written out.
fn parts(logic: &DieLogic) -> Vec<String> {
    let planes = || (0..8).map(|at| logic.planes.plane(Plane(at)));
    let contents = planes().map(|held| format!("{:?}", (held.page, held.output)));
    let unread = planes().map(|held| held.unread.to_string());
    let cache_read = planes().map(|held| format!("{:?}", held.cache_read));
    let latches = [format!("{:?}", logic.one_shot), format!("{:?}", logic.copyback)];
    let cache = format!("{:?}", logic.cache_program);
    let suspended = Axis::ALL.map(|axis| format!("{:?}", logic.suspended(axis)));
    contents
        .chain(unread)
        .chain(cache_read)
        .chain(latches)
        .chain([cache])
        .chain(suspended)
        .chain([logic.odt_disabled, logic.write_protected].map(|on| on.to_string()))
        .collect()
}

/// `first` with the parts of `second` outside of `kept`.
fn mixed(first: &DieLogic, second: &DieLogic, kept: Parts) -> DieLogic {
    let mut mixed = *second;
    for plane in (0..8).map(Plane) {
        let (own, mut held) = (first.planes.plane(plane), second.planes.plane(plane));
        if kept >> plane.0 & 1 == 1 {
            (held.page, held.output) = (own.page, own.output);
        }
        if kept >> 8 >> plane.0 & 1 == 1 {
            held.unread = own.unread;
        }
        if kept >> 16 >> plane.0 & 1 == 1 {
            held.cache_read = own.cache_read;
        }
        mixed.planes.set_plane(plane, held);
    }
    let keeps = |bit: u32| kept >> bit & 1 == 1;
    if keeps(24) {
        mixed.one_shot = first.one_shot;
    }
    if keeps(25) {
        mixed.copyback = first.copyback;
    }
    if keeps(26) {
        mixed.cache_program = first.cache_program;
    }
    if keeps(27) {
        mixed.erase = first.erase;
    }
    if keeps(28) {
        mixed.program = first.program;
    }
    if keeps(29) {
        mixed.odt_disabled = first.odt_disabled;
    }
    if keeps(30) {
        mixed.write_protected = first.write_protected;
    }
    mixed.note_states();
    mixed
}

/// A step of any base, on the built-in device's rules.
struct Stepper {
    tables: Tables,
    all: PlaneSet,
}

impl Stepper {
    fn new() -> Self {
        let mut profile = builtin::profile();
        profile.topology.planes = u32::from(PLANES);
        profile.topology.blocks_per_die = 4;
        profile.topology.dies = 1;
        Self { tables: Tables::new(&profile), all: PlaneSet::first(u32::from(PLANES)) }
    }

    fn bases(&self) -> impl Iterator<Item = BaseId> + '_ {
        self.tables.bases().map(|(id, _)| id)
    }

    fn footprint(&self, base: BaseId, place: &Place) -> Footprint {
        self.tables.base(base).footprint(place, self.all)
    }

    fn allows(&self, logic: &DieLogic, base: BaseId, place: &Place) -> bool {
        logic.judge(&self.tables, base, place, self.all).is_ok()
    }

    /// Carries out those of some steps that may start in turn: the state after them, and these steps.
    fn run(&self, logic: &DieLogic, steps: &[(u16, Place)]) -> (DieLogic, Vec<(BaseId, Place)>) {
        let count = self.bases().count() as u16;
        let (mut state, mut done) = (*logic, Vec::new());
        for (number, place) in steps {
            let base = BaseId(number % count);
            if self.allows(&state, base, place) {
                state = self.after(&state, base, place);
                done.push((base, *place));
            }
        }
        (state, done)
    }

    fn after(&self, logic: &DieLogic, base: BaseId, place: &Place) -> DieLogic {
        let (info, mut after) = (self.tables.base(base), *logic);
        after.start(info, place);
        after.finish(info, place);
        after
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_step_looks_at_nothing_else_and_changes_nothing_else(
        first in any_logic(), second in any_logic(), place in any_place()
    ) {
        let stepper = Stepper::new();
        for base in stepper.bases() {
            let touch = stepper.footprint(base, &place);
            let other = mixed(&first, &second, touch.looks);
            let allowed = stepper.allows(&first, base, &place);
            prop_assert_eq!(allowed, stepper.allows(&other, base, &place), "{:?}", base);
            if !allowed {
                continue;
            }
            let [here, there] = [&first, &other].map(|logic| stepper.after(logic, base, &place));
            for (at, (before, after)) in parts(&first).iter().zip(&parts(&here)).enumerate() {
                if before != after {
                    prop_assert!(touch.changes >> at & 1 == 1, "{:?} changes part {}", base, at);
                }
            }
            for (at, (here, there)) in parts(&here).iter().zip(&parts(&there)).enumerate() {
                if (touch.changes & touch.looks) >> at & 1 == 1 {
                    prop_assert_eq!(here, there, "{:?} leaves part {} otherwise", base, at);
                }
            }
        }
    }

    #[test]
    fn steps_apart_from_one_another_may_come_in_either_order(
        logic in any_logic(), place in any_place(), other_place in any_place()
    ) {
        let stepper = Stepper::new();
        for one in stepper.bases().filter(|&base| stepper.allows(&logic, base, &place)) {
            for other in stepper.bases() {
                let [first, second] = [(one, &place), (other, &other_place)];
                if !stepper.footprint(first.0, first.1).is_apart_from(stepper.footprint(second.0, second.1)) {
                    continue;
                }
                let after = stepper.after(&logic, first.0, first.1);
                let allowed = stepper.allows(&logic, second.0, second.1);
                prop_assert_eq!(allowed, stepper.allows(&after, second.0, second.1));
                if allowed {
                    let swapped = stepper.after(&stepper.after(&logic, second.0, second.1), first.0, first.1);
                    prop_assert_eq!(stepper.after(&after, second.0, second.1), swapped);
                }
            }
        }
    }

    #[test]
    fn what_a_step_does_not_hinder_may_still_start_after_it_and_all_that_follows_too(
        logic in any_logic(), place in any_place(), steps in proptest::collection::vec((any::<u16>(), any_place()), 1..5)
    ) {
        let stepper = Stepper::new();
        let count = stepper.bases().count() as u16;
        for first in stepper.bases().filter(|&base| stepper.allows(&logic, base, &place)) {
            let hinders = stepper.footprint(first, &place).hinders;
            let (mut before, mut after) = (logic, stepper.after(&logic, first, &place));
            for (number, at) in &steps {
                let base = BaseId(number % count);
                if stepper.footprint(base, at).looks & hinders != 0 || !stepper.allows(&before, base, at) {
                    continue;
                }
                prop_assert!(stepper.allows(&after, base, at), "{:?} is hindered by {:?}", base, first);
                before = stepper.after(&before, base, at);
                after = stepper.after(&after, base, at);
            }
        }
    }

    #[test]
    fn a_sequence_may_follow_another_that_hinders_nothing_it_looks_at(
        logic in any_logic(),
        earlier in proptest::collection::vec((any::<u16>(), any_place()), 1..4),
        later in proptest::collection::vec((any::<u16>(), any_place()), 1..4),
    ) {
        let stepper = Stepper::new();
        let (before, earlier) = stepper.run(&logic, &earlier);
        let (_, later) = stepper.run(&logic, &later);
        let all = |steps: &[(BaseId, Place)]| {
            let each = steps.iter().rev().map(|(base, place)| stepper.footprint(*base, place));
            each.fold(Footprint::default(), |after, own| own.then(after))
        };
        if all(&later).looks & all(&earlier).hinders == 0 {
            let mut after = before;
            for (base, place) in &later {
                prop_assert!(stepper.allows(&after, *base, place), "{:?} is hindered by {:?}", later, earlier);
                after = stepper.after(&after, *base, place);
            }
        }
    }

    #[test]
    fn a_step_that_may_come_before_others_does_not_keep_them_from_starting_and_leaves_the_same_state(
        logic in any_logic(), place in any_place(), steps in proptest::collection::vec((any::<u16>(), any_place()), 1..4)
    ) {
        let stepper = Stepper::new();
        let (last, others) = stepper.run(&logic, &steps);
        let together = others.iter().fold(Footprint::default(), |all, (base, at)| all.and(stepper.footprint(*base, at)));
        for own in stepper.bases() {
            let may = stepper.footprint(own, &place).may_come_before(together);
            if !may || !stepper.allows(&logic, own, &place) || !stepper.allows(&last, own, &place) {
                continue;
            }
            let mut after = stepper.after(&logic, own, &place);
            for (base, at) in &others {
                prop_assert!(stepper.allows(&after, *base, at), "{:?} keeps {:?} from starting", own, base);
                after = stepper.after(&after, *base, at);
            }
            prop_assert_eq!(after, stepper.after(&last, own, &place), "{:?} before {:?}", own, others);
        }
    }
}
