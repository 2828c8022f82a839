//! Scenarios that cannot happen, one for each rule, and scenarios beside them that can.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

use std::sync::LazyLock;

use nandseq_plan::TestPlan;
use nandseq_profile::places::Places;
use nandseq_profile::{Block, Die, Profile, ReadOptions, SourceFile, builtin};
use nandseq_reach::{ImpossibleStep, Start, impossible_steps};

/// A device and its text.
struct Device(Profile, SourceFile);

static BUILT_IN: LazyLock<Device> =
    LazyLock::new(|| Device(builtin::profile(), SourceFile::new(builtin::NAME, builtin::text())));

/// The rulebook's device, which has no chains, with one die.
static SMALL: LazyLock<Device> = LazyLock::new(|| small(&[("dies: 2", "dies: 1")]));

/// The rulebook's device with changes of its text.
fn small(changes: &[(&str, &str)]) -> Device {
    let mut text = include_str!("../../../rulebook/device.yaml").to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let source = SourceFile::new("device.yaml", text);
    let (profile, diagnostics) = nandseq_profile::read(&source, ReadOptions { lenient: false });
    Device(profile.unwrap_or_else(|| panic!("{diagnostics:?}")), source)
}

impl Device {
    fn plan(&self, text: &str) -> TestPlan {
        let Self(profile, text_of) = self;
        let source = SourceFile::new("plan.yaml", text);
        let (plan, diagnostics) = nandseq_plan::read(&source, profile, &Places::new(text_of, profile).classes());
        let plain = nandseq_profile::diagnostic::Styling::Plain;
        plan.unwrap_or_else(|| panic!("{}", diagnostics.render(&source, plain)))
    }

    fn steps(&self, fields: &str, steps: &[&str]) -> TestPlan {
        let steps: String = steps.iter().map(|step| format!("      - {step}\n")).collect();
        self.plan(&format!("schema: 1\nscenarios:\n  one:\n    {fields}\n    steps:\n{steps}"))
    }

    fn find(&self, plan: &TestPlan, start: Start<'_>) -> Option<ImpossibleStep> {
        let mut found = impossible_steps(&self.0, plan, start);
        assert!(found.len() <= 1, "{found:?}");
        found.pop()
    }

    /// The number of the step that is impossible, and the rule.
    fn impossible(&self, steps: &[&str]) -> Option<(usize, &'static str)> {
        let found = self.find(&self.steps("hits: 1", steps), Start::default()).filter(|found| !found.but_at_end);
        found.map(|found| (found.step + 1, found.rule))
    }

    /// The same if nothing else may start between the steps.
    fn impossible_alone(&self, steps: &[&str]) -> Option<(usize, &'static str)> {
        let found = self.find(&self.steps("between: nothing", steps), Start::default());
        found.map(|found| (found.step + 1, found.rule))
    }
}

#[test]
fn op_state_forbids_a_feature_command_while_its_die_reads() {
    let of = |base: &str, at: &str| {
        let step = format!("{{base: {base}, in: r.CORE_BUSY{at}}}");
        BUILT_IN.impossible(&["r: {base: READ}", &step])
    };
    assert_eq!(of("GETFEATURE", ", at: 0-90 %"), Some((2, "op_state")));
    assert_eq!(of("SR", ", at: 0-90 %"), None);
    // At the very end of the phase it is possible, and nothing but that is said.
    assert_eq!(of("GETFEATURE", ""), None);
    let plan = BUILT_IN.steps("hits: 1", &["r: {base: READ}", "{base: GETFEATURE, in: r.CORE_BUSY}"]);
    let found = BUILT_IN.find(&plan, Start::default()).unwrap();
    assert_eq!((found.step, found.rule, found.but_at_end), (1, "op_state", true));
}

#[test]
fn op_state_forbids_a_command_of_the_die_during_one_of_the_target_however_many_dies_there_are() {
    // On a device with one die a reset of it ends the command of the target, so that nothing starts in it afterwards.
    let steps =
        ["i: {base: IDENTIFY}", "{base: RESET_DIE, in: i.CORE_BUSY}", "{base: FEATURE, in: i.CORE_BUSY, at: 0-99 %}"];
    for dies in ["dies: 1", "dies: 2"] {
        let device = small(&[("dies: 2", dies)]);
        assert_eq!(device.impossible(&[steps[0], steps[2]]), Some((2, "op_state")), "{dies}");
        assert_eq!(device.impossible(&steps), Some((3, "op_state")), "{dies}");
    }
}

#[test]
fn plane_busy_forbids_a_read_while_its_die_erases() {
    let of = |places: &str| {
        let step = format!("{{base: READ, in: e.CORE_BUSY, at: 0-99 %{places}}}");
        BUILT_IN.impossible(&["e: {base: ERASE}", &step])
    };
    assert_eq!(of(""), Some((2, "plane_busy")));
    assert_eq!(of(", die: other than e"), None);
}

#[test]
fn plane_busy_forbids_a_read_just_after_the_start_of_another() {
    let of = |within: &str| {
        BUILT_IN.impossible(&["a: {base: READ}", &format!("{{base: READ, after: a.start, within: {within}}}")])
    };
    assert_eq!(of("0-5"), Some((2, "plane_busy")));
    assert_eq!(of("0-500"), None);
}

#[test]
fn multi_plane_exclusive_forbids_reads_that_may_not_overlap() {
    let of = |base: &str| {
        let first = format!("a: {{base: {base}, multi: false}}");
        let second = format!("{{base: {base}, multi: false, in: a.CORE_BUSY, at: 0-50 %, plane: other than a}}");
        BUILT_IN.impossible(&[&first, &second])
    };
    assert_eq!(of("READ"), Some((2, "multi_plane_exclusive")));
    assert_eq!(of("PLANE_READ"), None);
}

#[test]
fn in_flight_forbids_a_read_of_a_block_that_is_being_erased() {
    let steps = ["e: {base: ERASE}", "{base: READ, in: e.CORE_BUSY, at: 10-20 %, block: same as e}"];
    assert_eq!(BUILT_IN.impossible(&steps), Some((2, "in_flight")));
}

#[test]
fn bus_forbids_two_commands_at_once() {
    let of = |second: &str| BUILT_IN.impossible(&["a: {base: READ}", second]);
    assert_eq!(of("{base: READ, in: a.ISSUE, at: 0-50 %, die: other than a}"), Some((2, "bus")));
    assert_eq!(of("{base: READ, in: a.CORE_BUSY, at: 0-50 %, die: other than a}"), None);
}

#[test]
fn status_value_forbids_a_busy_die_that_is_ready() {
    let of = |expect: &str| {
        BUILT_IN
            .impossible(&["e: {base: ERASE}", &format!("{{base: SR, in: e.CORE_BUSY, at: 0-50 %, expect: {expect}}}")])
    };
    assert_eq!(of("ready"), Some((2, "status_value")));
    assert_eq!(of("busy"), None);
    let of = |die: &str| small(&[]).impossible(&[&format!("{{op: Status_Lun1, die: {die}}}")]);
    assert_eq!((of("0"), of("1")), (Some((1, "status_value")), None));
}

#[test]
fn write_protect_is_not_switched_on_while_something_is_in_flight() {
    let of = |when: &str| {
        small(&[]).impossible(&["e: {base: ERASE}", &format!("{{base: PROTECT, die: other than e, {when}}}")])
    };
    assert_eq!(of("in: e.CORE_BUSY, at: 0-50 %"), Some((2, "write_protect")));
    assert_eq!(of("after: e.end"), None);
}

#[test]
fn write_protect_forbids_a_program() {
    assert_eq!(SMALL.impossible_alone(&["{op: Protect}", "{base: PROGRAM}"]), Some((2, "write_protect")));
    assert_eq!(SMALL.impossible_alone(&["{op: Protect}", "{op: Unprotect}", "{base: PROGRAM}"]), None);
}

#[test]
fn suspend_forbids_an_erase_while_a_program_is_suspended() {
    let steps = ["p: {base: PROGRAM_SLC}", "{base: PROGRAM_SUSPEND, in: p.CORE_BUSY}", "{base: ERASE}"];
    assert_eq!(BUILT_IN.impossible_alone(&steps), Some((3, "suspend")));
    assert_eq!(BUILT_IN.impossible(&steps), None);
    let resumed = [steps[0], steps[1], "{base: PROGRAM_RESUME}", "{base: ERASE}"];
    assert_eq!(BUILT_IN.impossible_alone(&resumed), None);
}

#[test]
fn suspend_forbids_to_suspend_twice() {
    let of = |fields: &str| {
        let second = format!("{{base: PROGRAM_SUSPEND{fields}}}");
        BUILT_IN.impossible_alone(&["p: {base: PROGRAM_SLC}", &second])
    };
    assert_eq!(of(", repeat: 2"), Some((2, "suspend")));
    assert_eq!(of(""), None);
}

#[test]
fn latch_forbids_an_erase_between_the_loads_of_a_one_shot_program() {
    assert_eq!(SMALL.impossible_alone(&["{base: LOAD_LSB}", "{base: ERASE}"]), Some((2, "latch")));
    assert_eq!(SMALL.impossible(&["{base: LOAD_LSB}", "{base: ERASE}"]), None);
    assert_eq!(SMALL.impossible_alone(&["{base: LOAD_LSB}", "{base: RESET_DIE}", "{base: ERASE}"]), None);
}

#[test]
fn odt_forbids_a_read_while_termination_is_off() {
    let steps = ["{op: Odt_Off}", "{base: READ}"];
    assert_eq!(SMALL.impossible_alone(&steps), Some((2, "odt")));
    // A command to another die may switch it on.
    assert_eq!(small(&[]).impossible_alone(&steps), None);
}

#[test]
fn cache_forbids_a_read_during_a_cache_program() {
    assert_eq!(SMALL.impossible_alone(&["{base: CACHE_PROGRAM}", "{base: READ}"]), Some((2, "cache")));
    assert_eq!(SMALL.impossible_alone(&["{base: CACHE_PROGRAM}", "{op: Program_SLC}", "{base: READ}"]), None);
}

#[test]
fn cache_sequence_forbids_to_go_on_in_another_block() {
    let of = |which: &str| {
        SMALL.impossible_alone(&["c: {op: Cache_Program_SLC}", &format!("{{op: Program_SLC, block: {which} c}}")])
    };
    assert_eq!((of("other than"), of("same as")), (Some((2, "cache_sequence")), None));
    let steps = ["{base: RESET_DIE}", "{base: CACHE_READ}"];
    assert_eq!(SMALL.impossible_alone(&steps), Some((2, "cache_sequence")));
}

#[test]
fn bad_block_forbids_an_erase_of_bad_blocks() {
    let plan = BUILT_IN.steps("hits: 1", &["{base: ERASE, multi: false, blocks: 8}"]);
    let both = [(Die(0), Block(8)), (Die(1), Block(8))];
    let of = |bad: &[(Die, Block)]| BUILT_IN.find(&plan, Start::from(bad)).map(|found| (found.step + 1, found.rule));
    assert_eq!((of(&both), of(&both[..1])), (Some((1, "bad_block")), None));
}

#[test]
fn program_order_forbids_to_program_a_page_twice() {
    let of = |between: &[&str], page: &str| {
        let last = format!("{{base: PROGRAM_SLC, block: same as p, page: {page} p}}");
        BUILT_IN.impossible_alone(&[&["p: {base: PROGRAM_SLC}"], between, &[&last]].concat())
    };
    assert_eq!(of(&[], "same as"), Some((2, "program_order")));
    assert_eq!(of(&["{base: READ}"], "same as"), Some((3, "program_order")));
    assert_eq!(of(&["{base: ERASE}"], "same as"), None);
    assert_eq!(of(&[], "next to"), None);
    let steps = ["e: {base: ERASE}", "{base: PROGRAM, block: same as e, pages: 3-7}"];
    assert_eq!(SMALL.impossible_alone(&steps), Some((2, "program_order")));
}

#[test]
fn program_celltype_forbids_tlc_on_a_block_erased_as_slc() {
    let of = |cell: &str| {
        let first = format!("e: {{base: ERASE, celltype: {cell}}}");
        BUILT_IN.impossible_alone(&[&first, "{base: ONESHOT_PROGRAM_LSB, block: same as e}"])
    };
    assert_eq!((of("SLC"), of("TLC")), (Some((2, "program_celltype")), None));
}

#[test]
fn program_before_erase_forbids_programs_that_no_erase_prepares() {
    let no_erase =
        small(&[("SLC: {celltype: SLC}, TLC: {celltype: TLC}, SLC_Multi", "SLC: {celltype: SLC}, SLC_Multi")]);
    assert_eq!(no_erase.impossible(&["{op: Program_TLC}"]), Some((1, "program_before_erase")));
    assert_eq!(SMALL.impossible(&["{op: Program_TLC}"]), None);
}

#[test]
fn read_before_program_forbids_to_read_what_was_just_erased() {
    let steps = ["e: {op: Erase_SLC}", "{op: Read_SLC, block: same as e}"];
    assert_eq!(SMALL.impossible_alone(&steps), Some((2, "read_before_program")));
    let of = |page: u32| SMALL.impossible(&[&format!("{{op: Read_SLC, page: {page}}}")]);
    assert_eq!((of(7), of(6)), (Some((1, "read_before_program")), None));
}

#[test]
fn read_celltype_forbids_to_read_with_another_cell_type() {
    let of = |cell: &str| {
        let read = format!("{{base: READ, celltype: {cell}, block: same as p}}");
        BUILT_IN.impossible_alone(&["p: {base: PROGRAM_SLC, celltype: SLC}", &read])
    };
    assert_eq!((of("TLC"), of("SLC")), (Some((2, "read_celltype")), None));
}

#[test]
fn multi_plane_group_forbids_several_planes_where_there_is_one() {
    let of = |multi: bool| {
        let second = format!("{{base: READ, multi: {multi}, plane: same as r}}");
        BUILT_IN.impossible(&["r: {base: READ, multi: false}", &second])
    };
    assert_eq!((of(true), of(false)), (Some((2, "multi_plane_group")), None));
    let of = |blocks: &str| BUILT_IN.impossible(&[&format!("{{base: READ, multi: true, blocks: {blocks}}}")]);
    assert_eq!((of("3-4"), of("4-5")), (Some((1, "multi_plane_group")), None));
}

#[test]
fn dout_source_forbids_an_output_of_empty_registers() {
    assert_eq!(SMALL.impossible_alone(&["{base: RESET_DIE}", "{base: OUTPUT}"]), Some((2, "dout_source")));
    let of =
        |plane: &str| SMALL.impossible_alone(&["e: {base: ERASE}", &format!("{{base: OUTPUT, plane: {plane} e}}")]);
    assert_eq!((of("same as"), of("other than")), (Some((2, "dout_source")), None));
}

#[test]
fn unread_data_forbids_to_read_over_what_was_not_put_out() {
    for base in ["READ", "PLANE_READ"] {
        let first = format!("r: {{base: {base}}}");
        let second = format!("{{base: {base}, plane: same as r}}");
        assert_eq!(SMALL.impossible_alone(&[&first, &second]), Some((2, "unread_data")));
        assert_eq!(SMALL.impossible_alone(&[&first, "{base: OUTPUT}", &second]), None);
    }
}

#[test]
fn oneshot_order_forbids_a_load_that_nothing_goes_before() {
    assert_eq!(SMALL.impossible_alone(&["{base: RESET_DIE}", "{base: LOAD_CSB}"]), Some((2, "oneshot_order")));
    let steps = ["{base: COPYBACK_LSB}", "{base: COPYBACK_EXECUTE}"];
    assert_eq!(SMALL.impossible_alone(&steps), Some((2, "oneshot_order")));
    assert_eq!(SMALL.impossible_alone(&["{base: LOAD_LSB}", "{base: LOAD_CSB}"]), None);
}

#[test]
fn copyback_source_forbids_to_copy_what_was_not_read() {
    let of = |read: &str| {
        let first = format!("r: {{base: {read}, multi: false}}");
        SMALL.impossible_alone(&[&first, "{base: COPYBACK_PROGRAM, plane: same as r}"])
    };
    assert_eq!((of("READ"), of("COPYBACK_READ")), (Some((2, "copyback_source")), None));
}

#[test]
fn recovery_target_forbids_to_recover_where_nothing_is_suspended() {
    let of = |first: &str| SMALL.impossible_alone(&[&format!("{{base: {first}}}"), "{base: RECOVER}"]);
    assert_eq!((of("RESUME_PROGRAM"), of("SUSPEND_PROGRAM")), (Some((2, "recovery_target")), None));
}

#[test]
fn suspend_target_forbids_to_suspend_what_is_not_there() {
    let of = |first: &str| SMALL.impossible_alone(&[&format!("{{base: {first}}}"), "{base: SUSPEND_PROGRAM}"]);
    assert_eq!((of("READ"), of("PROGRAM")), (Some((2, "suspend_target")), None));
    let steps = ["e: {base: ERASE}", "{base: ERASE_SUSPEND, in: e.ISSUE, at: 0-50 %}"];
    assert_eq!(BUILT_IN.impossible(&steps), Some((2, "suspend_target")));
    // Not even at the end of the erase.
    let of = |base: &str| BUILT_IN.impossible(&["e: {class: erase}", &format!("{{base: {base}, in: e.CORE_BUSY}}")]);
    assert_eq!((of("PROGRAM_SUSPEND"), of("ERASE_SUSPEND")), (Some((2, "suspend_target")), None));
}

#[test]
fn resume_target_forbids_to_resume_twice() {
    let steps = ["{base: RESUME_PROGRAM}", "{base: RESUME_PROGRAM}"];
    let unstated = ("NOT_PROGRAM_SUSPENDED: [not_program_suspended]", "NOT_PROGRAM_SUSPENDED: []");
    assert_eq!(small(&[("dies: 2", "dies: 1"), unstated]).impossible_alone(&steps), Some((2, "resume_target")));
    assert_eq!(SMALL.impossible_alone(&steps), Some((2, "suspend")));
    assert_eq!(SMALL.impossible_alone(&[steps[0], "{base: SUSPEND_PROGRAM}", steps[0]]), None);
}

#[test]
fn bounds_forbid_what_does_not_exist() {
    assert_eq!(SMALL.impossible(&["{op: Status_Lun1}"]), Some((1, "bounds")));
    assert_eq!(small(&[]).impossible(&["{op: Status_Lun1}"]), None);
    let of = |plane: u32| BUILT_IN.impossible(&[&format!("{{base: ERASE, multi: false, plane: {plane}, block: 5}}")]);
    assert_eq!((of(0), of(1)), (Some((1, "bounds")), None));
}

#[test]
fn windows_that_leave_no_time_are_found() {
    let of = |within: &str| {
        let second = format!("{{base: SR, after: r.start, within: {within}}}");
        BUILT_IN.impossible(&["r: {base: READ}", &second, "{base: SR, in: r.CORE_BUSY, at: 0-50 %}"])
    };
    assert_eq!((of("500-600"), of("2-600")), (Some((3, "window_passed")), None));
    // A suspension may make a program as long as anyone likes.
    let program = |base: &str| {
        let first = format!("p: {{base: {base}}}");
        BUILT_IN.impossible(&[
            &first,
            "{base: SR, after: p.start, within: 9000-}",
            "{base: SR, in: p.CORE_BUSY, at: 0-50 %}",
        ])
    };
    assert_eq!((program("ALLWL_PROGRAM"), program("PROGRAM_SLC")), (Some((3, "window_passed")), None));
}

#[test]
fn windows_after_one_moment_can_leave_no_time_however_late_it_is() {
    // An erase may be suspended, so that its end has no latest time.
    let of = |moment: &str, first: &str, second: &str| {
        let after = |within| format!("{{base: SR, after: e.{moment}, within: {within}}}");
        BUILT_IN.impossible(&["e: {base: ERASE}", &after(first), &after(second)])
    };
    for moment in ["end", "CORE_BUSY"] {
        assert_eq!(of(moment, "100-200", "0-50"), Some((3, "window_passed")));
        assert_eq!(of(moment, "100-", "50"), Some((3, "window_passed")));
        assert_eq!((of(moment, "100-200", "0-100"), of(moment, "0-50", "100-200")), (None, None));
    }
    // The ends of two operations are apart.
    let two = ["e: {base: ERASE}", "f: {base: ERASE, after: e.end}", "{base: SR, after: e.end, within: 100-200}"];
    let last = |of: &str| format!("{{base: SR, after: {of}.end, within: 0-50}}");
    let of = |last: &str| BUILT_IN.impossible(&[&two[..], &[last]].concat());
    assert_eq!((of(&last("f")), of(&last("e"))), (None, Some((4, "window_passed"))));
}

#[test]
fn what_a_step_contradicts_has_no_address() {
    let of = |plane: &str| {
        let second = format!("{{base: READ, block: same as r, plane: {plane} r}}");
        BUILT_IN.impossible(&["r: {base: READ}", &second])
    };
    assert_eq!((of("other than"), of("same as")), (Some((2, "no_address")), None));
    assert_eq!(SMALL.impossible(&["r: {base: READ}", "{base: READ, die: other than r}"]), Some((2, "no_address")));
}

#[test]
fn regions_in_force_leave_no_address() {
    let of = |blocks: &str, addresses: &str, bootstrap: bool| {
        let plan = BUILT_IN.plan(&format!(
            "schema: 1\nphases:\n  - {{name: a, ops: 10, addresses: {addresses}}}\naddresses: {{low: {{regions: [{{blocks: 0-31}}]}}}}\n\
             scenarios: {{one: {{steps: [{{base: ERASE, blocks: {blocks}}}]}}}}"
        ));
        let found = BUILT_IN.find(&plan, Start { bootstrap, ..Start::default() });
        found.map(|found| (found.step + 1, found.rule))
    };
    assert_eq!(of("32-63", "low", false), Some((1, "no_address")));
    assert_eq!(of("31-63", "low", false), None);
    assert_eq!(of("32-63", "[]", false), None);
    // The bootstrap draws from the whole device.
    assert_eq!(of("32-63", "low", true), None);
}

#[test]
fn nothing_is_said_of_the_examples() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plans");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let plan = BUILT_IN.plan(&std::fs::read_to_string(&path).unwrap());
        for bootstrap in [false, true] {
            let found = impossible_steps(&BUILT_IN.0, &plan, Start { bootstrap, ..Start::default() });
            assert_eq!(found, [], "{}", path.display());
        }
        count += 1;
    }
    assert!(count >= 10, "{count} examples");
}
