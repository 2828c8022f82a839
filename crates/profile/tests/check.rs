//! Tests of the findings of `check` in the built-in device, in the predecessor's file, and in devices that are damaged on
//! purpose.
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use nandseq_profile::diagnostic::Styling;
use nandseq_profile::model::{DeviceState, Effect, Expectations, PhaseKind};
use nandseq_profile::{Profile, ReadOptions, Severity, SourceFile, Ticks, builtin, check, read};

/// The built-in device with one passage of its text replaced.
fn edited(from: &str, to: &str) -> Profile {
    assert_eq!(builtin::text().matches(from).count(), 1, "the passage {from:?} stands there once");
    let source = SourceFile::new("edited.yaml", builtin::text().replace(from, to));
    let (profile, diagnostics) = read(&source, ReadOptions::default());
    profile.unwrap_or_else(|| panic!("{}", diagnostics.render(&source, Styling::Plain)))
}

/// The findings that the built-in device does not have, as `code: message`.
fn new_findings(profile: &Profile) -> Vec<String> {
    let of = |profile: &Profile| -> Vec<String> {
        check::check(profile).iter().map(|finding| format!("{}: {}", finding.code, finding.message)).collect()
    };
    let known = of(&builtin::profile());
    of(profile).into_iter().filter(|finding| !known.contains(finding)).collect()
}

#[track_caller]
fn assert_finds(profile: &Profile, expected: &[&str]) {
    assert_eq!(new_findings(profile), expected);
}

#[test]
fn the_built_in_device_has_only_what_its_size_and_cell_types_leave_out() {
    let codes: Vec<&str> = check::check(&builtin::profile()).iter().map(|finding| finding.code).collect();
    // Status of LUN 2 and 3 on two dies; reads of FWSLC, which only the factory programs.
    assert_eq!(codes, ["no-such-lun", "unused-cell-type"]);
}

#[test]
fn every_chain_of_the_built_in_device_can_complete_and_has_a_share() {
    let profile = builtin::profile();
    for (id, base) in profile.bases.iter_ids() {
        for follow_up in &base.follow_ups {
            assert!(follow_up.weight > 0.0, "{}", base.name);
            if let Some(chain) = follow_up.chain {
                assert_eq!(check::chain_can_complete(&profile, id, chain), Ok(()), "{}", base.name);
            }
        }
    }
}

#[test]
fn reads_that_name_no_level_are_noted_and_if_data_is_expected_they_are_a_warning() {
    let mut profile = builtin::profile();
    let read = |profile: &Profile| profile.ops.iter().filter(|op| op.reads.is_some()).count();
    let reads = read(&profile);
    profile.ops.iter_mut().for_each(|op| op.reads = None);
    let found = |profile: &Profile| {
        let all = check::check(profile);
        all.iter().find(|finding| finding.code == "unknown-level").cloned().expect("it is found")
    };
    let noted = found(&profile);
    assert_eq!((noted.severity, noted.names.len()), (Severity::Note, reads));
    profile.expect(Expectations { data: true, full_status: false });
    let warned = found(&profile);
    assert_eq!((warned.severity, warned.message), (Severity::Warning, noted.message));
}

#[test]
fn the_predecessors_dead_chains_are_found() {
    let path = format!("{}/../../../shared/legacy/config-2025-09.yaml", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("skipped: the predecessor's file is not there");
        return;
    };
    let (profile, _) = read(&SourceFile::new("legacy", text), ReadOptions::default());
    let findings = check::check(&profile.expect("the file loads unchanged"));
    let dead: Vec<&str> = findings
        .iter()
        .filter(|finding| matches!(finding.code, "chain-cannot-complete" | "no-way-out" | "no-exclusions"))
        .map(|finding| finding.message.as_str())
        .collect();
    assert_eq!(
        dead,
        [
            "the chain `ONESHOT_PROGRAM_CSB_CACHE.SEQ` after `ONESHOT_PROGRAM_LSB` can never complete: its step 4 \
             (ONESHOT_PROGRAM_CSB) is forbidden in ON_ONESHOT_CACHE_PROGRAM, which the chain is in by then",
            "the chain `CACHE_READ.SEQ` after `RECOVERY_RD` can never complete: its step 1 (CACHE_READ) is forbidden in \
             PROGRAM_SUSPENDED, which the chain is in by then",
            "the chain `RECOVERY_RD.SEQ` after `PROGRAM_SUSPEND` can never complete: its step 1 (COPYBACK_READ) is \
             forbidden in PROGRAM_SUSPENDED, which the chain is in by then",
            "once in ON_PLANE_CACHE_READ, only a reset (`RESET`, `RESET_LUN`) leads out of it",
            "once in ON_ONESHOT_CACHE_PROGRAM, only a reset (`RESET`, `RESET_LUN`) leads out of it",
            "no exclusions say what may start during CORE_BUSY of `RECOVERY_RD`",
        ]
    );
}

#[test]
fn a_chain_whose_own_state_forbids_a_step_is_found() {
    let profile = edited(
        "all_except: [unobtrusive, oneshot_load, oneshot_program, PROGRAM_SUSPEND, PROGRAM_RESUME]",
        "all_except: [unobtrusive, ONESHOT_PROGRAM_LSB, ONESHOT_PROGRAM_MSB_23H]",
    );
    assert_finds(
        &profile,
        &["chain-cannot-complete: the chain `ONESHOT_PROGRAM_CSB_CACHE.SEQ` after `ONESHOT_PROGRAM_LSB` can never \
           complete: its step 4 (ONESHOT_PROGRAM_CSB) is forbidden in ON_ONESHOT_CACHE_PROGRAM, which the chain is in by then"],
    );
}

#[test]
fn a_chain_that_would_overwrite_unread_data_is_found() {
    let profile = edited(
        "      - PLANE_CACHE_READ: [same_page, same_celltype, multi]\n      - DOUT: [prev_page, same_celltype, multi]\n",
        "      - PLANE_CACHE_READ: [same_page, same_celltype, multi]\n",
    );
    assert_finds(
        &profile,
        &["chain-cannot-complete: the chain `PLANE_CACHE_READ.SEQ` after `PLANE_READ` can never complete: its step 2 \
           (PLANE_CACHE_READ_END) would overwrite data that has not been put out"],
    );
}

#[test]
fn a_chain_without_its_latch_or_its_names_is_found() {
    let profile = edited(
        "ONESHOT_PROGRAM_EXEC.SEQ:     # (own) executes without a separate MSB load\n    steps:\n      - ONESHOT_PROGRAM_CSB: [same_page, same_celltype, multi]\n",
        "ONESHOT_PROGRAM_EXEC.SEQ:\n    steps:\n",
    );
    assert_finds(
        &profile,
        &[
            "chain-cannot-complete: the chain `ONESHOT_PROGRAM_EXEC.SEQ` after `ONESHOT_PROGRAM_LSB` can never complete: \
           its step 1 (ONESHOT_PROGRAM_EXEC_MSB) is forbidden in LATCH_ON_LSB, which the chain is in by then",
        ],
    );
    let profile = edited(
        "- COPYBACK_READ: [none, multi]\n      - ONESHOT_COPYBACK_PROGRAM_CSB: [pgm_same_page, multi]\n      - COPYBACK_READ: \
         [none, multi]\n      - ONESHOT_COPYBACK_PROGRAM_EXEC_MSB: [pgm_same_page, multi]\n  RECOVERY_RD.SEQ:",
        "- COPYBACK_READ: [none, multi]\n      - ONESHOT_COPYBACK_PROGRAM_EXEC_MSB: [pgm_same_page, multi]\n  RECOVERY_RD.SEQ:",
    );
    let found = new_findings(&profile);
    assert!(
        found[0].ends_with("(ONESHOT_COPYBACK_PROGRAM_EXEC_MSB) needs a latch that is not loaded by then"),
        "{found:?}"
    );
    let profile = edited("- COPYBACK_PROGRAM_SLC: [none, same", "- ONESHOT_COPYBACK_PROGRAM_MSB: [none, same");
    let found = new_findings(&profile);
    assert!(found[0].contains("`COPYBACK_PROGRAM_SLC.SEQ` after `COPYBACK_READ` can never complete"), "{found:?}");
    let profile = edited(
        "- COPYBACK_PROGRAM_SLC: [none, same_celltype, multi]",
        "- COPYBACK_PROGRAM_SLC: [none]\n      - COPYBACK_READ\n      - ONESHOT_COPYBACK_PROGRAM_LSB\n      - COPYBACK_READ\n      - ONESHOT_COPYBACK_PROGRAM_CSB\n      - COPYBACK_READ\n      - ONESHOT_COPYBACK_PROGRAM_MSB",
    );
    assert_finds(
        &profile,
        &["chain-cannot-complete: the chain `COPYBACK_PROGRAM_SLC.SEQ` after `COPYBACK_READ` can never complete: no \
           single-plane operation fits its step 7 (ONESHOT_COPYBACK_PROGRAM_MSB)"],
    );
}

#[test]
fn names_without_mass_and_chain_are_found() {
    assert_finds(
        &edited("    READID: 0.01\n", "    READID: 0.005\n    Read_ID_JEDEC: 0\n"),
        &["never-proposed: of `READID`, these are never proposed: `Read_ID_JEDEC`"],
    );
    // An operation that is in a chain needs no mass of its own. A mass under one phase key is enough too.
    assert_finds(&edited("    GETPARA: 0.0024\n", "    GETPARA: 0\n"), &[]);
    let profile = edited("    DSL_VTH_CHECK: 0.019\n", "    DSL_VTH_CHECK: 0\n");
    assert_finds(
        &profile,
        &["never-proposed: of `DSL_VTH_CHECK`, these are never proposed: `DSL_Vth_Check`, `DSL_Vth_Check_Multi_Plane`"],
    );
    assert_finds(
        &edited(
            "    ERASE.CORE_BUSY:\n      {NOP",
            "    READ.END: {DSL_VTH_CHECK: 1}\n    ERASE.CORE_BUSY:\n      {NOP",
        ),
        &[],
    );
}

#[test]
fn states_that_do_not_exist_or_never_end_are_found() {
    assert_finds(
        &edited("ODTDISABLE: {class: command, effects: [odt_disable]}", "ODTDISABLE: {class: command}"),
        &["state-never-reached: the exclusions of ODT_DISABLE never apply: no base brings that state about"],
    );
    assert_finds(
        &edited("TEMPSENSOR, ZQCAL, ODTENABLE]}", "TEMPSENSOR, ZQCAL]}"),
        &["no-way-out: once in ODT_DISABLE, nothing leads out of it"],
    );
    assert_finds(
        &edited(
            "    ODT_DISABLE: [odt_disable]\n",
            "    ODT_DISABLE: [odt_disable]\n    WRITE_PROTECT: [odt_disable]\n",
        ),
        &["state-never-reached: the exclusions of WRITE_PROTECT never apply: no base brings that state about"],
    );
    assert_finds(
        &edited("effects: [odt_disable]}", "effects: [odt_disable, write_protect_on]}"),
        &["no-way-out: once in WRITE_PROTECT, nothing leads out of it"],
    );
    assert_finds(
        &edited("    reset.CORE_BUSY: [on_busy]\n", "    DOUT.END: [on_busy]\n"),
        &[
            "state-never-reached: the exclusions `on_busy` of `DOUT.END` never apply: the base does not affect state",
            "no-exclusions: no exclusions say what may start during CORE_BUSY of `RESET`, `RESET_LUN`",
        ],
    );
    let profile = builtin::profile();
    let listed = |state: &DeviceState| profile.exclusions.by_state.iter().any(|(listed, _)| listed == state);
    let unlisted: Vec<DeviceState> = DeviceState::ALL.into_iter().filter(|state| !listed(state)).collect();
    assert_eq!(unlisted, [DeviceState::WriteProtect]);
}

#[test]
fn phases_without_a_duration_are_found() {
    let mut profile = builtin::profile();
    let op = profile.ops.iter_mut().find(|op| op.name == "Read_SLC").expect("Read_SLC");
    op.durations[1] = Ticks::ZERO;
    assert_finds(&profile, &["missing-duration: CORE_BUSY of `READ` takes no time for `Read_SLC`"]);
}

#[test]
fn multi_plane_names_on_one_plane_are_found() {
    for (from, to, why) in [
        ("planes: 4, blocks", "planes: 1, blocks", "the device has one plane"),
        ("  max_planes: 4\n", "  max_planes: 1\n", "`max_planes` is 1"),
    ] {
        let found = new_findings(&edited(from, to));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("one-plane: ") && found[0].contains(why), "{found:?}");
    }
}

#[test]
fn status_of_missing_dies_and_cell_types_nothing_makes_are_found() {
    let found = new_findings(&edited("dies: 2, planes", "dies: 1, planes"));
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("`LUN_Status_Read_for_LUN1`"), "{found:?}");
    let found = new_findings(&edited("SLC: [A0SLC, ACSLC]", "SLC: [A0SLC]"));
    assert!(found[0].contains("no erase makes blocks of their cell type: `Page_Program_ACSLC`"), "{found:?}");
}

#[test]
fn effects_and_phases_that_check_knows_are_those_of_the_model() {
    // A read fills registers: without that effect its data output has no source.
    let mut profile = builtin::profile();
    for base in profile.bases.iter_mut() {
        base.effects.retain(|effect| !matches!(effect, Effect::FillRegisters { copyback: false }));
    }
    let found = new_findings(&profile);
    assert!(found.iter().any(|finding| finding.contains("needs an output register that holds a page")), "{found:?}");
    assert!(profile.bases.iter().all(|base| base.has_phase(PhaseKind::Issue)));
}
