//! Which drafts are drawn for a first operation, and how often, on one small device: shares are those that the profile states.
//!
//! A draft is written as its steps after the first: `Read_SLC 0+2 1.0 SLC` is that name on planes 0 and 2, page 0 of block group
//! 1; `Setup` names no plane. What is expected is worked out from the text of the profile.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use nandseq_profile::diagnostic::SourceFile;
use nandseq_profile::model::{FollowUp, StepAddress};
use nandseq_profile::{Die, Profile, ReadOptions};

use super::*;
use crate::probability::of_profile;
use crate::random::StreamKind;
use crate::setup::FollowUps;

/// Two dies of three planes with four block groups each.
const DEVICE: &str = include_str!("device.yaml");
/// How many drafts are drawn for each first operation.
const DRAWS: u32 = 6_000;

/// The device with its blocks as the tests want them, and what drafts are drawn on.
struct Model {
    profile: Profile,
    setup: Setup,
    device: Device,
    scratch: DraftScratch,
    now: Ticks,
}

impl Model {
    /// The base that each name begins with goes on by these chains (`""`: stands alone), with these weights.
    fn new(follow_ups: &[(&str, &[(f64, &str)])]) -> Self {
        Self::with(follow_ups, |_| ())
    }

    fn with(follow_ups: &[(&str, &[(f64, &str)])], change: impl Fn(&mut Profile)) -> Self {
        let (profile, problems) = nandseq_profile::read(&SourceFile::new("device", DEVICE), ReadOptions::default());
        let mut profile = profile.unwrap_or_else(|| panic!("{problems:?}"));
        for (base, choices) in follow_ups {
            let chain = |name: &str| profile.chains.iter().position(|chain| chain.name == name);
            let follow = |&(weight, name): &(f64, &str)| {
                assert!(name.is_empty() || chain(name).is_some(), "{name}");
                FollowUp { weight, chain: chain(name) }
            };
            let choices = choices.iter().map(follow).collect();
            profile.bases.iter_mut().find(|one| one.name == *base).expect("a base").follow_ups = choices;
        }
        change(&mut profile);
        let setup = Setup::new(&profile, &of_profile(&profile, 1), &[]).expect("something to propose");
        let device = Device::new(&setup.tables, &[]);
        let mut model = Self { profile, setup, device, scratch: DraftScratch::default(), now: Ticks::ZERO };
        for die in 0..2 {
            // Group 0 has two of three pages programmed as SLC, group 1 one page as TLC; group 2 is erased as SLC, group 3 not at
            // all.
            let place = |group, page| format!("{die}: 0+1+2 {group}.{page}");
            for (name, group, page) in [
                ("Erase_SLC", 0, 0),
                ("Erase_TLC", 1, 0),
                ("Erase_SLC", 2, 0),
                ("Program_SLC", 0, 0),
                ("Program_SLC", 0, 1),
                ("Program_TLC", 1, 0),
            ] {
                let step = model.step(&format!("{name} {}", place(group, page)));
                let base = model.setup.tables.base_of(step.op);
                model.device.book.finish(base, &step.place);
            }
        }
        model
    }

    /// An operation: `Read_SLC 1: 0+2 1.0` is on die 1, planes 0 and 2, group 1, page 0.
    fn step(&self, text: &str) -> Step {
        let mut words = text.split([' ', ':', '+', '.']).filter(|word| !word.is_empty());
        let name = words.next().expect("a name");
        let (op, of) = self.profile.ops.iter_ids().find(|(_, op)| op.name == name).expect("an operation");
        let mut numbers: Vec<u8> = words.map(|word| word.parse().expect("a number")).collect();
        let mut place = Place::die(Die(numbers.remove(0)));
        if !numbers.is_empty() {
            place.page = Page(u16::from(numbers.pop().expect("a page")));
            place.group = u32::from(numbers.pop().expect("a group"));
            place.cell_type = of.cell_type;
            numbers.iter().for_each(|&plane| place.planes.insert(Plane(plane)));
        }
        Step { op, place }
    }

    fn text(&self, step: &Step) -> String {
        let mut text = self.profile.ops[step.op].name.clone();
        let place = &step.place;
        let planes: Vec<String> = place.planes.iter().map(|plane| plane.0.to_string()).collect();
        if !planes.is_empty() {
            let cell = &self.profile.cell_types[place.cell_type].name;
            write!(text, " {} {}.{} {cell}", planes.join("+"), place.group, place.page.0).expect("memory");
        }
        text
    }

    /// How often each draft was drawn after a first operation; `refused`: none was found.
    fn draws(&mut self, head: &str, alone: u64) -> BTreeMap<String, f64> {
        let head = self.step(head);
        let mut counts = BTreeMap::new();
        for draw in 0..DRAWS {
            let mut stream = Stream::new([7, 7], StreamKind::Hook, u64::from(draw));
            let mut steps = vec![head];
            let of = (&mut steps, &mut self.scratch);
            let found = expand(
                &self.setup,
                &self.device,
                of,
                (self.now, Preference { alone, ..Preference::NONE }),
                &mut stream,
            );
            let shown = match found {
                Ok(()) => {
                    assert_eq!(steps[0], head);
                    assert!(steps.iter().all(|step| step.place.die == head.place.die), "{steps:?}");
                    steps[1..].iter().map(|step| self.text(step)).collect::<Vec<_>>().join(", ")
                }
                Err(RefusalReason::NoChain) => "refused".to_owned(),
                Err(other) => panic!("{other:?}"),
            };
            *counts.entry(shown).or_insert(0.0) += 1.0;
        }
        counts
    }

    /// Drafts after a first operation come with these shares, and no others come.
    fn expect(&mut self, head: &str, expected: &[(f64, String)]) {
        self.expect_alone(head, 1, expected);
    }

    fn expect_alone(&mut self, head: &str, alone: u64, expected: &[(f64, String)]) {
        let counts = self.draws(head, alone);
        let total: f64 = expected.iter().map(|(weight, _)| weight).sum();
        let mut shares = BTreeMap::new();
        for (weight, text) in expected {
            *shares.entry(text.clone()).or_insert(0.0) += weight / total;
        }
        let others: Vec<_> = counts.iter().filter(|(text, _)| !shares.contains_key(*text)).collect();
        assert!(others.is_empty(), "{head}: {others:#?} instead of {shares:#?}");
        let chi: f64 = shares
            .iter()
            .map(|(text, share)| {
                let due = share * f64::from(DRAWS);
                (counts.get(text).copied().unwrap_or(0.0) - due).powi(2) / due
            })
            .sum();
        let freedom = shares.len() as f64 - 1.0;
        // Five standard deviations of the chi-square distribution, and some for its tail at little freedom.
        let limit = freedom + 5.0 * (2.0 * freedom).sqrt() + 12.0;
        assert!(chi <= limit, "{head}: chi-square {chi} exceeds {limit}: {counts:#?} instead of {shares:#?}");
    }

    /// Every draft after a first operation is this one.
    fn always(&mut self, head: &str, text: &str) {
        self.expect(head, &[(1.0, text.to_owned())]);
    }
}

fn even(texts: impl IntoIterator<Item = String>) -> Vec<(f64, String)> {
    texts.into_iter().map(|text| (1.0, text)).collect()
}

#[test]
fn a_base_without_follow_ups_stands_alone_however_little_that_is_wanted() {
    let mut model = Model::new(&[]);
    model.expect_alone("Setup 0", 0, &[(1.0, String::new())]);
}

#[test]
fn follow_ups_come_with_their_weights_and_standing_alone_as_much_more_often_as_is_asked() {
    let mut model = Model::new(&[("SETUP", &[(2.0, ""), (5.0, "ANSWER.SEQ"), (1.0, "ANSWERS.SEQ")])]);
    let answer = |weight, count| (weight, vec!["Answer"; count].join(", "));
    for alone in [0, 1, 3] {
        let expected = [(2.0 * alone as f64, String::new()), answer(5.0, 1), answer(1.0, 2)];
        model.expect_alone("Setup 0", alone, &expected[usize::from(alone == 0)..]);
    }
}

#[test]
fn the_smallest_weights_are_drawn_exactly() {
    let mut model = Model::new(&[("SETUP", &[(1.0, ""), (1.0, "ANSWER.SEQ")])]);
    let setup = model.step("Setup 0");
    let base = model.setup.tables.op(setup.op).base;
    let mut choices = model.setup.follow_ups[base.index()].choices.clone();
    (choices[0].0, choices[1].0) = (1, 3);
    std::sync::Arc::make_mut(&mut model.setup.compiled).follow_ups[base.index()] = FollowUps::new(choices);
    model.expect("Setup 0", &[(1.0, String::new()), (3.0, "Answer".into())]);
}

#[test]
fn a_chain_that_cannot_run_leaves_its_share_to_the_others() {
    // The program would overwrite data that is unread, and no step of a chain suspends.
    let choices: &[(f64, &str)] =
        &[(4.0, "ANSWER_PROGRAM.SEQ"), (1.0, "DOUT.SEQ"), (2.0, "ANSWER.SEQ"), (6.0, "SUSPEND.SEQ")];
    let mut model = Model::new(&[("READ", choices)]);
    let others =
        [(1.0, "Dout_SLC 1 0.0 SLC".to_owned()), (1.0, "Dout 1 0.0 SLC".to_owned()), (4.0, "Answer".to_owned())];
    model.expect("Read_SLC 0: 1 0.0", &others);
    let mut model = Model::new(&[("READ", &[(4.0, "ANSWER_PROGRAM.SEQ"), (6.0, "SUSPEND.SEQ")])]);
    model.always("Read_SLC 0: 1 0.0", "refused");
}

#[test]
fn a_step_like_the_first_operation_is_judged_as_any_other() {
    let again = |profile: &mut Profile| {
        let chain = profile.chains.iter_mut().find(|chain| chain.name == "SAME_READ.SEQ").expect("a chain");
        chain.steps[0].address = StepAddress::SamePage;
    };
    // The data of the first read is unread.
    let mut model = Model::with(&[("READ", &[(1.0, "SAME_READ.SEQ")])], again);
    model.always("Read_SLC 0: 1 0.0", "refused");
}

#[test]
fn what_one_draft_left_out_is_there_for_the_next() {
    let mut model = Model::new(&[("PROGRAM", &[(1.0, "NEXT_PROGRAM.SEQ")])]);
    model.always("Program_SLC 0: 1 0.2", "refused");
    model.always("Program_SLC 0: 1 2.0", "Program_SLC 1 2.1 SLC");
}

#[test]
fn what_the_steps_of_one_draft_would_program_is_not_programmed_for_the_next() {
    let mut model = Model::new(&[("SETUP", &[(1.0, "PROGRAM.SEQ")])]);
    let places =
        ["0.2", "2.0"].into_iter().flat_map(|at| (0..3).map(move |plane| format!("Program_SLC {plane} {at} SLC")));
    let slc = places.map(|text| (1.0 / 12.0, text));
    let tlc = (0..3).map(|plane| (1.0 / 6.0, format!("Program_TLC {plane} 1.1 TLC")));
    model.expect("Setup 0", &slc.chain(tlc).collect::<Vec<_>>());
}

#[test]
fn steps_without_planes_before_them_are_sampled_on_one_plane_of_any() {
    let mut model = Model::new(&[("SETUP", &[(1.0, "READ.SEQ")])]);
    let read = |plane: u8, cell: &str, at: &str, share: f64| {
        let output = |name: &str| format!("Read_{cell} {plane} {at} {cell}, {name} {plane} {at} {cell}");
        [(share / 2.0, output("Dout")), (share / 2.0, output(&format!("Dout_{cell}")))]
    };
    let slc = (0..3).flat_map(|plane| [read(plane, "SLC", "0.0", 0.5), read(plane, "SLC", "0.1", 0.5)].concat());
    let tlc = (0..3).flat_map(|plane| read(plane, "TLC", "1.0", 1.0));
    model.expect("Setup 1", &slc.chain(tlc).collect::<Vec<_>>());
}

#[test]
fn a_step_that_needs_a_plane_takes_any_when_none_is_named_before_it() {
    let mut model = Model::new(&[("SETUP", &[(1.0, "PLANE_SETUP.SEQ")]), ("READ", &[(1.0, "PLANE_SETUP.SEQ")])]);
    model.expect("Setup 0", &even((0..3).map(|plane| format!("Plane_Setup {plane} 0.0 NONE"))));
    model.always("Read_SLC 0: 2 0.0", "Plane_Setup 2 0.0 NONE");
    model.always("Read_Multi_SLC 0: 0+2 0.0", "Plane_Setup 0 0.0 NONE, Plane_Setup 2 0.0 NONE");
}

#[test]
fn a_register_is_read_on_the_plane_that_is_drawn_if_it_is_filled_there() {
    let mut model = Model::new(&[("SETUP", &[(1.0, "DOUT.SEQ")])]);
    let read = model.step("Read_SLC 0: 1 0.0");
    let flight = model.device.start(&model.setup.tables, read.op, &read.place, Ticks::ZERO).expect("a flight");
    model.now = model.setup.tables.op(read.op).total;
    model.device.finish(&model.setup.tables, flight);
    let filled = ["Dout", "Dout_SLC"].map(|name| (1.0, format!("{name} 1 0.0 SLC")));
    model.expect("Setup 0", &[&filled[..], &[(4.0, "refused".into())]].concat());
}

#[test]
fn a_step_whose_payload_names_a_plane_needs_one() {
    for chain in ["DIE_COMMAND.SEQ", "DIE_CHECK.SEQ"] {
        let mut model = Model::new(&[("SETUP", &[(1.0, chain)])]);
        model.always("Setup 0", "refused");
    }
}

#[test]
fn data_of_several_planes_is_put_out_for_each_or_for_the_first() {
    let choices: &[(f64, &str)] = &[(1.0, "STATUS_DOUT.SEQ")];
    for (split, planes) in [(true, &[0, 2][..]), (false, &[0][..])] {
        let mut model = Model::with(&[("READ", choices)], |profile| profile.policies.split_dout_per_plane = split);
        let mut expected = vec![(1.0, "Status".to_owned()), (1.0, "Status_1".to_owned())];
        for plane in planes {
            let names = |(share, text): (f64, String)| {
                ["Dout", "Dout_TLC"].map(|name| (share / 2.0, format!("{text}, {name} {plane} 1.0 TLC")))
            };
            expected = expected.into_iter().flat_map(names).collect();
        }
        model.expect("Read_Multi_TLC 1: 0+2 1.0", &expected);
    }
}

#[test]
fn other_steps_with_single_plane_names_alone_come_for_each_plane() {
    for split in [true, false] {
        let choices: &[(f64, &str)] = &[(1.0, "PAGE_INFO.SEQ")];
        let mut model = Model::with(&[("READ", choices)], |profile| profile.policies.split_dout_per_plane = split);
        model.always("Read_Multi_SLC 0: 1+2 0.1", "Page_Info 1 0.1 SLC, Page_Info 2 0.1 SLC");
        model.always("Read_SLC 0: 1 0.1", "Page_Info 1 0.1 SLC");
    }
}

#[test]
fn a_step_is_multi_plane_exactly_when_the_first_operation_is() {
    let mut model = Model::new(&[("READ", &[(1.0, "CHECK.SEQ")])]);
    model.always("Read_SLC 0: 1 0.1", "Check_SLC 1 0.1 SLC");
    model.always("Read_Multi_SLC 0: 1+2 0.1", "Check_Multi_SLC 1+2 0.1 SLC");
}

#[test]
fn a_step_of_the_die_without_multi_plane_names_comes_once_for_all_planes() {
    let mut model = Model::new(&[("READ", &[(1.0, "ANSWER_DOUT.SEQ")])]);
    let names = ["Dout", "Dout_SLC"];
    let both = names.map(|one| names.map(|two| format!("Answer, {one} 1 0.1 SLC, {two} 2 0.1 SLC"))).concat();
    model.expect("Read_Multi_SLC 0: 1+2 0.1", &even(both));
}

#[test]
fn cell_types_are_those_of_the_step_before_only_where_the_chain_says_so() {
    let mut model = Model::new(&[("READ", &[(1.0, "TRANSFER.SEQ"), (1.0, "ANY_TRANSFER.SEQ")])]);
    let any = [(7.0, "Transfer_TLC".to_owned()), (1.0, "Transfer_SLC".to_owned())];
    model.expect("Read_TLC 0: 1 1.0", &any);
    let mut model = Model::new(&[("CHECK", &[(1.0, "SAME_READ.SEQ")])]);
    model.expect("Check_SLC 0: 1 3.0", &even(["0.0", "0.1"].map(|at| format!("Read_SLC 1 {at} SLC"))));
    model.always("Check_TLC 0: 1 3.0", "Read_TLC 1 1.0 TLC");
    let mut model = Model::new(&[("CHECK", &[(1.0, "ANY_READ.SEQ")])]);
    let slc = even(["0.0", "0.1"].map(|at| format!("Read_SLC 1 {at} SLC")));
    model.expect("Check_SLC 0: 1 3.0", &[&slc[..], &[(5.0, "Read_TLC 1 1.0 TLC".into())]].concat());
}

#[test]
fn sampled_steps_of_a_multi_plane_chain_take_its_planes_together_if_that_is_inherited_and_else_as_their_names_say() {
    let mut model = Model::new(&[("CHECK", &[(1.0, "MULTI_READ.SEQ")])]);
    model.expect("Check_Multi_SLC 0: 0+2 3.0", &even(["0.0", "0.1"].map(|at| format!("Read_Multi_SLC 0+2 {at} SLC"))));
    model.expect("Check_SLC 0: 2 3.0", &even(["0.0", "0.1"].map(|at| format!("Read_SLC 2 {at} SLC"))));
    let mut model = Model::new(&[("CHECK", &[(1.0, "SAME_READ.SEQ")])]);
    let at = ["0.0", "0.1"];
    let single = at.into_iter().flat_map(|at| [0, 2].map(|plane| (1.0, format!("Read_SLC {plane} {at} SLC"))));
    let multi = at.into_iter().map(|at| (2.0, format!("Read_Multi_SLC 0+2 {at} SLC")));
    model.expect("Check_Multi_SLC 0: 0+2 3.0", &single.chain(multi).collect::<Vec<_>>());
    let mut model = Model::new(&[("CHECK", &[(1.0, "MULTI_PROGRAM.SEQ")])]);
    model.expect(
        "Check_Multi_SLC 0: 0+2 3.0",
        &even(["0.2", "2.0"].map(|at| format!("Program_Multi_SLC 0+2 {at} SLC"))),
    );
    model.expect("Check_SLC 0: 2 3.0", &even(["0.2", "2.0"].map(|at| format!("Program_SLC 2 {at} SLC"))));
}

#[test]
fn any_block_is_sampled_with_the_cell_type_of_the_name_and_for_one_plane_alone() {
    let mut model = Model::new(&[("SETUP", &[(1.0, "ERASE.SEQ")]), ("READ", &[(1.0, "MULTI_CHECK.SEQ")])]);
    let places = || (0..3).flat_map(|plane| (0..4).map(move |group| format!("{plane} {group}.0")));
    let cells = ["SLC", "TLC"].into_iter();
    model.expect("Setup 0", &even(cells.flat_map(|cell| places().map(move |at| format!("Erase_{cell} {at} {cell}")))));
    model.expect("Read_TLC 0: 1 1.0", &even((0..4).map(|group| format!("Check_TLC 1 {group}.0 TLC"))));
    model.always("Read_Multi_TLC 0: 0+1 1.0", "refused");
}

#[test]
fn the_next_page_is_that_after_the_last_and_ends_with_the_block() {
    let mut model = Model::new(&[("CHECK", &[(1.0, "NEXT_CHECK.SEQ")])]);
    model.always("Check_SLC 0: 1 3.0", "Check_SLC 1 3.1 SLC");
    model.always("Check_SLC 0: 1 3.1", "Check_SLC 1 3.2 SLC");
    // A block has three pages.
    model.always("Check_SLC 0: 1 3.2", "refused");
}

#[test]
fn the_page_of_the_last_program_is_inherited_past_other_steps_and_sampled_where_there_is_none() {
    let mut model = Model::new(&[("LOAD", &[(1.0, "LOAD_NEXT.SEQ")])]);
    let check = |group| format!("Check_TLC 1 {group}.0 TLC, Load_Next_TLC 1 1.1 TLC");
    model.expect("Load_TLC 0: 1 1.1", &even((0..4).map(check)));
    let mut model = Model::new(&[("PROGRAM", &[(1.0, "PROGRAM_CHECK.SEQ")])]);
    model.always("Program_SLC 0: 1 2.0", "Program_SLC 1 2.1 SLC, Check_SLC 1 2.1 SLC");
    let mut model = Model::new(&[("SETUP", &[(1.0, "PROGRAM_PAGE_CHECK.SEQ")])]);
    model.expect(
        "Setup 0",
        &even((0..3).flat_map(|plane| {
            (0..4).flat_map(move |group| ["SLC", "TLC"].map(|cell| format!("Check_{cell} {plane} {group}.0 {cell}")))
        })),
    );
}

#[test]
fn other_addresses_are_those_of_the_output_register_and_of_the_die() {
    let mut model = Model::new(&[("READ", &[(1.0, "OUTPUT_CHECK.SEQ")])]);
    model.always("Read_TLC 0: 1 1.0", "Check_TLC 1 1.1 TLC, Check_TLC 1 1.0 TLC");
    let mut model = Model::new(&[("CHECK", &[(1.0, "DIE_TRANSFER.SEQ")])]);
    model.always("Check_TLC 1: 1 1.0", "Transfer_TLC");
    let mut model = Model::new(&[("READ", &[(1.0, "CACHE_READ.SEQ")])]);
    let draft = |name| format!("Cache_Read_SLC 1 0.1 SLC, {name} 1 0.0 SLC, Page_Info 1 0.1 SLC");
    model.expect("Read_SLC 0: 1 0.0", &even(["Dout", "Dout_SLC"].map(draft)));
}

#[test]
fn a_status_read_of_another_die_is_no_step() {
    let mut model = Model::new(&[("SETUP", &[(1.0, "STATUS.SEQ")])]);
    model.expect("Setup 0", &even(["Status", "Status_0"].map(str::to_owned)));
    model.expect("Setup 1", &even(["Status", "Status_1"].map(str::to_owned)));
}

#[test]
fn a_suspend_as_first_operation_gives_the_address_of_what_it_stops() {
    for (multi, places) in [("", "1 2.0"), ("_Multi", "0+2 2.0")] {
        let mut model = Model::new(&[("SUSPEND", &[(1.0, "RECOVERY.SEQ")])]);
        model.always("Suspend 0", "refused");
        let step = model.step(&format!("Program{multi}_SLC 0: {places}"));
        model.device.start(&model.setup.tables, step.op, &step.place, Ticks::ZERO);
        model.now = Ticks::from_us(100);
        model.always("Suspend 0", &format!("Recovery{multi}_SLC {places} SLC"));
    }
}

#[test]
fn a_recovery_read_leaves_the_block_of_the_suspended_program_to_that_program() {
    let mut model = Model::new(&[("SUSPEND", &[(1.0, "RECOVERY_CHECK.SEQ")])]);
    let step = model.step("Program_SLC 0: 1 2.0");
    model.device.start(&model.setup.tables, step.op, &step.place, Ticks::ZERO);
    model.now = Ticks::from_us(100);
    model.always("Suspend 0", "refused");
}

#[test]
fn nothing_is_suspended_and_no_termination_is_switched_off_by_a_later_step() {
    for chain in ["SUSPEND.SEQ", "ODT_OFF.SEQ"] {
        let mut model = Model::new(&[("SETUP", &[(1.0, chain)])]);
        let step = model.step("Program_SLC 0: 1 2.0");
        model.device.start(&model.setup.tables, step.op, &step.place, Ticks::ZERO);
        model.now = Ticks::from_us(100);
        model.always("Setup 0", "refused");
    }
}

#[test]
fn steps_are_judged_by_what_those_before_them_do_to_registers_and_blocks() {
    let mut model = Model::new(&[("READ", &[(1.0, "PROGRAM.SEQ")]), ("ERASE", &[(1.0, "SAME_PROGRAM.SEQ")])]);
    model.always("Read_SLC 0: 1 0.0", "refused");
    model.always("Erase_SLC 0: 1 3.0", "Program_SLC 1 3.0 SLC");
    model.always("Erase_Multi_SLC 0: 0+2 1.0", "Program_Multi_SLC 0+2 1.0 SLC");
    let mut model = Model::new(&[("PROGRAM", &[(1.0, "NEXT_PROGRAM.SEQ")]), ("CLOSE", &[(1.0, "SAME_PROGRAM.SEQ")])]);
    model.always("Program_Multi_SLC 0: 0+2 2.0", "Program_Multi_SLC 0+2 2.1 SLC");
    model.always("Close_SLC 0: 1 2.0", "refused");
    let mut model = Model::new(&[("CHECK", &[(1.0, "SAME_PROGRAM.SEQ")])]);
    model.always("Check_SLC 0: 1 2.0", "Program_SLC 1 2.0 SLC");
    model.always("Check_SLC 0: 1 2.1", "refused");
}

#[test]
fn a_draft_made_earlier_is_still_possible_exactly_when_all_of_its_steps_are() {
    let mut model = Model::new(&[]);
    let possible = |model: &mut Model, draft: &[&str]| {
        let steps: Vec<Step> = draft.iter().map(|text| model.step(text)).collect();
        still_possible(&model.setup, &model.device, &mut model.scratch, &steps, model.now).is_ok()
    };
    for (draft, is_possible) in [
        (&["Program_SLC 0: 1 0.2"][..], true),
        (&["Setup 0", "Program_SLC 0: 1 0.2"], true),
        (&["Program_SLC 0: 1 2.0", "Program_SLC 0: 1 2.1", "Program_SLC 0: 1 2.2"], true),
        (&["Program_SLC 0: 1 2.0", "Program_SLC 0: 1 2.1", "Program_SLC 0: 1 2.1"], false),
        (&["Setup 0", "Program_SLC 0: 1 0.1"], false),
        (&["Setup 0", "Suspend 0"], false),
        (&["Suspend 0", "Setup 0"], true),
        (&["Program_SLC 0: 1 2.0", "Program_SLC 0: 1 2.0"], false),
        (&["Setup 0", "Program_SLC 0: 1 0.2"], true),
    ] {
        assert_eq!(possible(&mut model, draft), is_possible, "{draft:?}");
    }
}
