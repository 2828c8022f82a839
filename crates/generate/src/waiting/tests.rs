//! What is admitted beside chains of other dies.

use std::io;

use nandseq_device::Place;
use nandseq_profile::{Page, Plane, PlaneSet, Profile, builtin};
use nandseq_trace::Operation;

use super::*;
use crate::probability::of_profile;
use crate::setup::Setup;

struct Nowhere;

impl Sink for Nowhere {
    fn operation(&mut self, _: &Operation<'_>) -> io::Result<()> {
        Ok(())
    }
}

fn setup_of(profile: &Profile) -> Setup {
    Setup::new(profile, &of_profile(profile, 1729), &[]).expect("something to propose")
}

fn step(profile: &Profile, name: &str, place: Place) -> Step {
    let (op, _) = profile.ops.iter_ids().find(|(_, op)| op.name == name).expect("an operation of the built-in device");
    Step { op, place }
}

fn page(die: u8, group: u32) -> Place {
    let cell_type = nandseq_profile::CellTypeId::default();
    Place { die: Die(die), planes: PlaneSet::one(Plane(0)), group, page: Page(0), cell_type }
}

/// The second die is yet to start an operation that looks at every die.
fn with_a_guest<'s>(setup: &'s Setup, profile: &Profile) -> Site<'s> {
    let mut site = Site::new(setup, 1);
    let guest = step(profile, "VPP_Parameter_Read_Target_Level", Place::die(Die(1)));
    site.chains.begin(Die(1), Proposal::default(), &[guest], |step| is_wide(&setup.tables, step));
    site
}

#[test]
fn a_reset_with_a_chain_leaves_its_die_fit_for_steps_of_other_dies() {
    let profile = builtin::profile();
    let setup = setup_of(&profile);
    let mut site = with_a_guest(&setup, &profile);
    let reset = step(&profile, "Reset_LUN", Place::die(Die(0)));
    // A latch that waits for its other pages forbids the CAM read for good.
    let load = step(&profile, "One_Shot_PGM_LSB", page(0, 0));
    assert_eq!(site.admit(&[reset, load], Ticks::ZERO), Err(Reason::ChainUnderWay));
    // Without the load, or without the other die's step, nothing is in the way.
    assert_eq!(site.admit(&[reset], Ticks::ZERO), Ok(()));
    assert_eq!(Site::new(&setup, 1).admit(&[reset, load], Ticks::ZERO), Ok(()));
}

#[test]
fn what_changes_nothing_is_not_let_in_with_a_chain_that_shuts_out_steps_of_other_dies() {
    let profile = builtin::profile();
    let setup = setup_of(&profile);
    let mut site = with_a_guest(&setup, &profile);
    let look = step(&profile, "Read_ID_JEDEC", Place::die(Die(0)));
    let load = step(&profile, "One_Shot_PGM_LSB", page(0, 0));
    assert_eq!(site.admit(&[look, load], Ticks::ZERO), Err(Reason::ChainUnderWay));
    assert_eq!(site.admit(&[look], Ticks::ZERO), Ok(()));
}

#[test]
fn a_reset_of_the_target_ends_the_chains_that_would_look_at_its_die() {
    let mut profile = builtin::profile();
    let (reset_base, _) = profile.bases.iter_ids().find(|(_, base)| base.name == "RESET").expect("a base");
    for effect in &mut profile.bases[reset_base].effects {
        if *effect == nandseq_profile::model::Effect::ResetDie {
            *effect = nandseq_profile::model::Effect::ResetTarget;
        }
    }
    let setup = setup_of(&profile);
    let mut site = with_a_guest(&setup, &profile);
    let reset = step(&profile, "Super_Reset", Place::die(Die(0)));
    let load = step(&profile, "One_Shot_PGM_LSB", page(0, 0));
    assert_eq!(site.admit(&[reset, load], Ticks::ZERO), Ok(()));
}

#[test]
fn a_chain_that_looks_at_every_die_voids_the_orders_kept_for_the_others() {
    let profile = builtin::profile();
    let setup = setup_of(&profile);
    let mut site = Site::new(&setup, 1);
    site.summary.by_op = vec![0; setup.tables.ops().count()];
    let read = step(&profile, "Read_ID_JEDEC", Place::die(Die(1)));
    let [first, second] = [(); 2]
        .map(|()| site.chains.begin(Die(1), Proposal::default(), &[read, read], |step| is_wide(&setup.tables, step)));
    let known = vec![Some(first), Some(second), Some(first), Some(second)];
    site.orders[1].clone_from(&known);
    let look = step(&profile, "Read_ID_JEDEC", Place::die(Die(0)));
    let begin = |site: &mut Site<'_>, plan: &[Step]| {
        site.admit(plan, Ticks::ZERO).expect("it may start");
        site.plan = plan.to_vec();
        site.begin(Proposal::default(), Ticks::ZERO, &mut Nowhere);
    };
    begin(&mut site, &[look, look]);
    assert_eq!(site.orders[1], known, "a chain of its own die changes nothing for the others");
    let everywhere = step(&profile, "VPP_Parameter_Read_Target_Level", Place::die(Die(0)));
    begin(&mut site, &[look, everywhere]);
    assert_eq!(site.orders[1], [], "found before the second die had to leave a state that lets the CAM read start");
}
