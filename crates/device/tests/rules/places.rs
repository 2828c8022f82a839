//! Lists of targets and the places they make: `bounds` and `multi_plane_group` of addresses that come from outside.

use nandseq_device::{Place, Rule, Size};
use nandseq_profile::{Block, Die, Page, Plane, PlaneSet, Target};

use crate::bench::{Bench, SLC, TLC};

fn size() -> Size {
    Bench::of(|profile| {
        profile.topology.planes = 4;
        profile.topology.blocks_per_die = 14;
    })
    .tables
    .size
}

fn target(die: u8, plane: u8, block: u32, page: u16) -> Target {
    Target { die: Die(die), plane: Plane(plane), block: Block(block), page: Page(page), cell_type: SLC }
}

#[test]
fn targets_of_one_group_and_page_make_a_place_and_come_back() {
    let targets = [target(1, 0, 8, 3), target(1, 2, 10, 3), target(1, 3, 11, 3)];
    let place = Place::from_targets(&size(), &targets).unwrap();
    assert_eq!(place, Place { die: Die(1), planes: PlaneSet(0b1101), group: 2, page: Page(3), cell_type: SLC });
    let mut back = vec![target(0, 0, 0, 0); 9];
    place.targets(&size(), &mut back);
    assert_eq!(back, targets);
}

#[test]
fn every_single_address_makes_a_place_and_comes_back() {
    let size = size();
    let mut back = Vec::new();
    for block in 0..size.blocks {
        let one = target(0, (block % 4) as u8, block, 1);
        Place::from_targets(&size, &[one]).unwrap().targets(&size, &mut back);
        assert_eq!(back, [one]);
    }
}

#[test]
fn an_address_that_does_not_exist_is_out_of_bounds() {
    for wrong in [target(2, 0, 0, 0), target(0, 4, 4, 0), target(0, 2, 14, 0), target(0, 0, 0, 4)] {
        assert_eq!(Place::from_targets(&size(), &[wrong]), Err(Rule::Bounds), "{wrong:?}");
        assert_eq!(Place::from_targets(&size(), &[target(0, 0, 0, 0), wrong]), Err(Rule::Bounds), "{wrong:?}");
    }
}

#[test]
fn a_block_lies_on_its_plane() {
    assert_eq!(Place::from_targets(&size(), &[target(0, 1, 4, 0)]), Err(Rule::Bounds));
    assert!(Place::from_targets(&size(), &[target(0, 1, 5, 0)]).is_ok());
}

#[test]
fn targets_lie_on_one_die_in_one_group_at_one_page_on_ascending_planes() {
    let first = target(0, 1, 5, 2);
    assert!(Place::from_targets(&size(), &[first, target(0, 2, 6, 2)]).is_ok());
    for (second, why) in [
        (target(1, 2, 6, 2), "another die"),
        (target(0, 2, 6, 1), "another page"),
        (target(0, 2, 10, 2), "another group"),
        (target(0, 0, 4, 2), "descending planes"),
        (first, "the same plane twice"),
        (Target { cell_type: TLC, ..target(0, 2, 6, 2) }, "another cell type"),
    ] {
        assert_eq!(Place::from_targets(&size(), &[first, second]), Err(Rule::MultiPlaneGroup), "{why}");
    }
    assert_eq!(Place::from_targets(&size(), &[]), Err(Rule::MultiPlaneGroup));
}

#[test]
fn a_place_without_planes_is_one_target_that_names_its_die() {
    let mut targets = Vec::new();
    Place::die(Die(1)).targets(&size(), &mut targets);
    assert_eq!(targets, [Target { die: Die(1), ..Target::default() }]);
    Place::plane(Die(1), Plane(3)).targets(&size(), &mut targets);
    assert_eq!(targets.iter().map(|target| (target.die, target.plane)).collect::<Vec<_>>(), [(Die(1), Plane(3))]);
}

#[test]
fn an_address_is_the_same_whatever_the_cell_type() {
    let place = Place { die: Die(0), planes: PlaneSet(0b11), group: 1, page: Page(2), cell_type: SLC };
    assert!(place.same_address(&Place { cell_type: TLC, ..place }));
    for other in [
        Place { die: Die(1), ..place },
        place.only(Plane(1)),
        Place { group: 0, ..place },
        Place { page: Page(1), ..place },
    ] {
        assert!(!place.same_address(&other), "{other:?}");
    }
}
