//! Tests that the predecessor's real files load unchanged, with the right meaning. They are skipped if the files are absent.

#![expect(clippy::print_stderr, reason = "a skipped test says so")]
#![expect(clippy::unwrap_used, reason = "a profile that lacks what is looked up fails the test")]

use nandseq_profile::diagnostic::Styling;
use nandseq_profile::model::{
    AddressSource, Axis, Base, CacheProgramKind, CacheReadKind, DeviceState, Effect, LatchKind, LatchLevel, LatchNeed,
    Op, OverrideOf, PayloadField, PhaseKind, Scope, StatusOf, StepAddress,
};
use nandseq_profile::{BaseId, Diagnostics, OpId, Profile, ReadOptions, Severity, SourceFile, Ticks, read, table};

const SEPTEMBER: &str = "config-2025-09.yaml";
const OCTOBER: &str = "config-2025-10.yaml";

fn legacy(file: &str) -> Option<SourceFile> {
    let path = format!("{}/../../../shared/legacy/{file}", env!("CARGO_MANIFEST_DIR"));
    match std::fs::read(&path) {
        Ok(bytes) => Some(SourceFile::from_bytes(file, bytes).expect("UTF-8")),
        Err(_) => {
            eprintln!("skipped: {file} is not here");
            None
        }
    }
}

fn september() -> Option<Profile> {
    let source = legacy(SEPTEMBER)?;
    let (profile, diagnostics) = read(&source, ReadOptions::default());
    assert!(!diagnostics.has_errors(), "{}", diagnostics.render(&source, Styling::Plain));
    Some(profile.expect("a profile without errors"))
}

fn base_id(profile: &Profile, name: &str) -> BaseId {
    profile.bases.iter_ids().find(|(_, base)| base.name == name).unwrap().0
}

fn base<'p>(profile: &'p Profile, name: &str) -> &'p Base {
    &profile.bases[base_id(profile, name)]
}

fn op<'p>(profile: &'p Profile, name: &str) -> &'p Op {
    profile.ops.iter().find(|op| op.name == name).unwrap()
}

fn us(text: &str) -> Ticks {
    Ticks::parse_us(text).unwrap()
}

fn codes(diagnostics: &Diagnostics, severity: Severity) -> Vec<&'static str> {
    diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn september_holds_the_whole_device() {
    let Some(profile) = september() else { return };
    assert_eq!(profile.name, "config-2025-09");
    assert_eq!((profile.bases.len(), profile.ops.len(), profile.cell_types.len()), (57, 294, 7));
    let topology = profile.topology;
    assert_eq!((topology.dies, topology.planes, topology.blocks_per_die, topology.pages_per_block), (1, 4, 4, 2564));
    assert_eq!(profile.ops.iter().filter(|op| op.multi).count(), 90);
    assert_eq!(profile.latencies.len(), 56);
    assert_eq!(profile.exclusions.groups.len(), 27);
    // The file has 77, two of them for phases that RESET and RESET_LUN do not have.
    assert_eq!(profile.exclusions.by_op_state.len(), 75);
    // There are 4 of latches, 4 of suspension, 1 of termination and 3 of caches; that of cache reads counts for both kinds.
    assert_eq!(profile.exclusions.by_state.len(), 13);
    assert_eq!(profile.phase_keys.len(), 103);
    assert_eq!(profile.probabilities.global.len(), 227);
    assert_eq!(profile.probabilities.by_key.len(), 3);
    assert!(profile.probabilities.phase_conditional.is_empty());
}

#[test]
fn september_says_what_it_leaves_to_nobody() {
    let Some(source) = legacy(SEPTEMBER) else { return };
    let (_, diagnostics) = read(&source, ReadOptions::default());
    assert_eq!(codes(&diagnostics, Severity::Error), [""; 0]);
    assert_eq!(codes(&diagnostics, Severity::Warning), ["state-never-reached"; 2]);
    let notes = codes(&diagnostics, Severity::Note);
    let count = |code: &str| notes.iter().filter(|note| **note == code).count();
    assert_eq!((count("unlisted-phase"), count("missing-duration"), count("no-effect")), (3, 16, 1));
    assert_eq!(notes.len(), 20);
}

#[test]
fn policies_and_the_rest_are_taken_over() {
    let Some(profile) = september() else { return };
    let policies = &profile.policies;
    assert_eq!((policies.admission_window, policies.queue_refill_period), (us("0.5"), us("100")));
    assert_eq!((policies.max_planes, policies.max_tries, policies.sequence_gap), (4, 4, us("1")));
    assert_eq!((policies.time_resolution, policies.post_hook_window), (us("0.01"), us("1")));
    assert!(policies.split_dout_per_plane && !policies.refill_uses_end_key);
    assert_eq!(profile.offset_guard, 0);
    let interleaved: Vec<&str> = profile.interleaved.iter().map(|base| profile.bases[base].name.as_str()).collect();
    assert_eq!(interleaved, ["PLANE_READ", "PLANE_READ4K", "PLANE_CACHE_READ"]);
    // The file asks for 100 blocks of each; the device has 4.
    let bootstrap = &profile.bootstrap;
    assert_eq!((bootstrap.erase_blocks, bootstrap.program_blocks, bootstrap.read_blocks), (4, 4, 4));
    assert!(!bootstrap.enabled && (bootstrap.read_coverage - 0.1).abs() < f64::EPSILON);
    assert_eq!(bootstrap.cell_type_weights.len(), 2);
    assert_eq!((profile.export.time_scale, profile.export.round_decimals), (1.0, 3));
    assert!(profile.latencies.contains(&("oneshot_program.tlc.busy".to_owned(), us("2000"))));
    let on_erase = profile.probabilities.by_key.first().unwrap();
    assert_eq!(profile.phase_keys[on_erase.0].name, "ERASE.CORE_BUSY");
    assert_eq!(on_erase.1, [(OverrideOf::Base(base_id(&profile, "NOP")), 0.5)]);
}

#[test]
fn cell_types_say_what_may_be_programmed_on_them() {
    let Some(profile) = september() else { return };
    let programs = |name: &str| -> Vec<&str> {
        let bits = profile.cell_types.iter().find(|cell_type| cell_type.name == name).unwrap().programs;
        profile.cell_types.iter_ids().filter(|(id, _)| bits >> id.0 & 1 == 1).map(|(_, c)| c.name.as_str()).collect()
    };
    assert_eq!(programs("SLC"), ["SLC", "A0SLC", "ACSLC"]);
    for name in ["FWSLC", "AESLC", "A0SLC", "ACSLC", "TLC"] {
        assert_eq!(programs(name), [name]);
    }
}

#[test]
fn durations_are_those_of_the_names_with_every_spelling() {
    let Some(profile) = september() else { return };
    let durations = |name: &str| op(&profile, name).durations.clone();
    assert_eq!(durations("Read_SLC"), [us("0.12"), us("25"), us("6")]);
    assert_eq!(durations("4KB_Page_Read_confirm_FWSLC"), [us("0.12"), us("20"), us("2")]);
    // The phase is spelled DATAIN in the operation, DATA_IN in the base.
    assert_eq!(durations("Cache_Program_SLC").get(1..), Some([us("300"), us("10")].as_slice()));
    // The operation states no CORE_BUSY and DATA_OUT, so they take no time.
    let column = op(&profile, "Plane_Level_Read_Column_Enhanced");
    assert_eq!(column.durations.get(1..), Some([Ticks::ZERO, Ticks::ZERO].as_slice()));
    // A duration for CORE_BUSY, which RESET does not list, is ignored.
    assert_eq!(durations("Synchronous_Reset").len(), 1);
    for op in profile.ops.iter() {
        assert_eq!(op.durations.len(), profile.bases[op.base].phases.len(), "{}", op.name);
    }
}

#[test]
fn names_of_bases_give_effects_and_addresses() {
    let Some(profile) = september() else { return };
    let none = LatchNeed::default();
    let csb = LatchNeed { csb: true, ..none };
    let expected: [(&str, AddressSource, &[Effect]); 14] = [
        ("NOP", AddressSource::None, &[Effect::Delay]),
        ("ERASE", AddressSource::AnyBlock, &[Effect::Erase]),
        ("DSL_VTH_CHECK", AddressSource::AnyBlock, &[]),
        ("DATAIN", AddressSource::NextPage, &[]),
        ("ALLWL_PROGRAM", AddressSource::NextPage, &[Effect::CloseBlock]),
        ("PROGRAM_SLC", AddressSource::NextPage, &[Effect::Program, Effect::CacheProgramEnd(CacheProgramKind::Slc)]),
        (
            "ONESHOT_PROGRAM_LSB",
            AddressSource::NextPage,
            &[Effect::LoadLatch {
                latch: LatchKind::OneShot,
                level: LatchLevel::Lsb,
                needs: LatchNeed { lsb: false, csb: false, msb: false },
            }],
        ),
        (
            "ONESHOT_CACHE_PROGRAM",
            AddressSource::OneShotLatch,
            &[
                Effect::Program,
                Effect::ConsumeLatch {
                    latch: LatchKind::OneShot,
                    needs: LatchNeed { lsb: false, csb: true, msb: false },
                },
                Effect::CacheProgramStart(CacheProgramKind::OneShot),
            ],
        ),
        ("RECOVERY_RD", AddressSource::SuspendedProgram, &[Effect::FillRegisters { copyback: false }]),
        ("COPYBACK_READ", AddressSource::ReadablePage, &[Effect::FillRegisters { copyback: true }]),
        ("PLANE_CACHE_READ_END", AddressSource::PageRegister, &[Effect::CacheReadEnd(CacheReadKind::PlaneCache)]),
        ("DOUT4K", AddressSource::OutputRegister, &[Effect::DataOut]),
        ("SR_ADD", AddressSource::Hook, &[Effect::StatusRead]),
        ("RESET_LUN", AddressSource::None, &[Effect::ResetDie]),
    ];
    for (name, address, effects) in expected {
        assert_eq!(
            (base(&profile, name).address, base(&profile, name).effects.as_slice()),
            (address, effects),
            "{name}"
        );
    }
    assert!(base(&profile, "PROGRAM_SUSPEND").has(Effect::Suspend(Axis::Program)));
    assert!(base(&profile, "ERASE_RESUME").has(Effect::Resume(Axis::Erase)));
    assert!(base(&profile, "ONESHOT_PROGRAM_MSB").has(Effect::LoadLatch {
        latch: LatchKind::OneShot,
        level: LatchLevel::Msb,
        needs: csb
    }));
    let committing = profile.bases.iter().filter(|base| base.has(Effect::Program)).count();
    assert_eq!(committing, 7);
}

#[test]
fn scopes_phases_and_payloads_are_read() {
    let Some(profile) = september() else { return };
    let scope = |name: &str| base(&profile, name).scope;
    assert_eq!((scope("ERASE"), scope("READ"), scope("SR")), (Scope::Die, Scope::PlaneSet, Scope::None));
    // DIE_WIDE without a die in the payload means the target.
    assert_eq!(
        (scope("CAMREAD"), scope("ETC"), scope("NOP"), scope("CAMREAD_LUN")),
        (Scope::Target, Scope::Target, Scope::Target, Scope::Die)
    );
    let read = base(&profile, "READ");
    let phases: Vec<(PhaseKind, bool)> = read.phases.iter().map(|phase| (phase.kind, phase.bus)).collect();
    assert_eq!(phases, [(PhaseKind::Issue, true), (PhaseKind::CoreBusy, false), (PhaseKind::DataOut, false)]);
    assert!(read.affects_state && !read.instant);
    assert_eq!(
        base(&profile, "SR_ADD").payload,
        [PayloadField::Die, PayloadField::Plane, PayloadField::ExpectedStatus]
    );
    assert!(base(&profile, "ERASE_SUSPEND").instant);
}

#[test]
fn status_reads_know_whose_status_they_ask_for() {
    let Some(profile) = september() else { return };
    let status = |name: &str| op(&profile, name).status_of;
    assert_eq!(status("LUN_Status_Read_for_LUN3"), Some(StatusOf::Lun(3)));
    assert_eq!(status("Read_Status_Enhanced_72h"), Some(StatusOf::Plane));
    assert_eq!(status("Read_Status_Enhanced_7Ch"), Some(StatusOf::Plane));
    assert_eq!(status("Read_Status_Enhanced_78h"), Some(StatusOf::Die));
    assert_eq!(status("Read_Status_Enhanced_70h"), Some(StatusOf::Die));
    assert_eq!(status("Read_SLC"), None);
    assert_eq!(profile.ops.iter().filter(|op| op.status_of.is_some()).count(), 13);
}

#[test]
fn chains_are_resolved() {
    let Some(profile) = september() else { return };
    // There are 7 lists, and a chain for each follow-up of a single operation.
    let (listed, single): (Vec<_>, Vec<_>) = profile.chains.iter().partition(|chain| chain.name.ends_with(".SEQ"));
    assert_eq!((listed.len(), single.len()), (7, 9));
    let follow_ups = |name: &str| -> Vec<(f64, Option<&str>)> {
        let base = base(&profile, name);
        base.follow_ups.iter().map(|f| (f.weight, f.chain.map(|chain| profile.chains[chain].name.as_str()))).collect()
    };
    assert_eq!(follow_ups("CACHE_PROGRAM_SLC"), [(0.0, None), (1.0, Some("CACHE_PROGRAM_SLC.SEQ"))]);
    assert_eq!(follow_ups("READ"), [(1.0, Some("DOUT")), (0.0, Some("CACHE_READ.SEQ"))]);
    assert_eq!(follow_ups("SETPARA"), [(0.9, None), (0.1, Some("GETPARA"))]);
    assert!(follow_ups("DOUT").is_empty());
    let steps = |name: &str| -> Vec<(&str, StepAddress)> {
        let chain = profile.chains.iter().find(|chain| chain.name == name).unwrap();
        chain.steps.iter().map(|step| (profile.bases[step.base].name.as_str(), step.address)).collect()
    };
    assert_eq!(
        steps("CACHE_READ.SEQ"),
        [
            ("CACHE_READ", StepAddress::SamePage),
            ("DOUT", StepAddress::PreviousPage),
            ("CACHE_READ_END", StepAddress::PreviousPage),
            ("DOUT", StepAddress::PreviousPage),
        ]
    );
    assert_eq!(steps("ONESHOT_PROGRAM_CSB_CACHE.SEQ").len(), 5);
    assert_eq!(steps("RECOVERY_RD.SEQ").first(), Some(&("COPYBACK_READ", StepAddress::SuspendedProgram)));
    assert_eq!(steps("GETPARA"), [("GETPARA", StepAddress::SameRegister)]);
    assert_eq!(steps("ONESHOT_COPYBACK_PROGRAM_LSB.SEQ").last().unwrap().1, StepAddress::ProgramSamePage);
    let program = &profile.chains.iter().find(|chain| chain.name == "CACHE_PROGRAM_SLC.SEQ").unwrap().steps[1];
    assert_eq!((program.address, program.same_cell_type, program.multi), (StepAddress::IncPage, true, true));
}

#[test]
fn exclusions_are_resolved() {
    let Some(profile) = september() else { return };
    let forbidden =
        |state: DeviceState, name: &str| profile.exclusions.in_state(state).contains(base_id(&profile, name));
    assert!(forbidden(DeviceState::NotSuspended(Axis::Erase), "ERASE_RESUME"));
    assert!(!forbidden(DeviceState::Suspended(Axis::Erase), "ERASE_RESUME"));
    assert!(forbidden(DeviceState::LatchOn(LatchLevel::Lsb), "ERASE"));
    assert!(!forbidden(DeviceState::LatchOn(LatchLevel::Lsb), "ONESHOT_PROGRAM_CSB"));
    // `after_read` is an empty group.
    assert!(profile.exclusions.in_state(DeviceState::LatchOnRead).is_empty());
    let both = [CacheReadKind::Cache, CacheReadKind::PlaneCache]
        .map(|kind| profile.exclusions.in_state(DeviceState::CacheRead(kind)));
    assert!(both[0] == both[1] && !both[0].is_empty());
    let busy = profile.phase_key(base_id(&profile, "DSL_VTH_CHECK"), Some(PhaseKind::CoreBusy)).unwrap();
    let on_busy = profile.exclusions.in_op_state(busy);
    assert!(on_busy.contains(base_id(&profile, "READ")) && !on_busy.contains(base_id(&profile, "SR")));
    // All 57 bases but NOP, SR, SR_ADD, RESET and RESET_LUN.
    assert_eq!(on_busy.len(), 52);
}

#[test]
fn october_fails_at_its_typing_error_and_loads_when_lenient() {
    let Some(source) = legacy(OCTOBER) else { return };
    let (profile, diagnostics) = read(&source, ReadOptions::default());
    assert!(profile.is_none());
    assert_eq!(codes(&diagnostics, Severity::Error), ["bad-time"]);
    let error = diagnostics.iter().find(|diagnostic| diagnostic.severity == Severity::Error).unwrap();
    let place = error.primary.as_ref().unwrap().span;
    assert_eq!((place.line, place.column), (3588, 14));
    assert_eq!(source.text.get(place.start..place.end), Some("400.6036˝"));
    let rendered = diagnostics.render(&source, Styling::Plain);
    assert!(rendered.contains("config-2025-10.yaml:3588:14"), "{rendered}");

    let (profile, diagnostics) = read(&source, ReadOptions { lenient: true });
    let profile = profile.expect("it loads without the one name");
    assert_eq!((profile.bases.len(), profile.ops.len()), (57, 293));
    assert!(codes(&diagnostics, Severity::Warning).contains(&"op-left-out"));
    assert!(!diagnostics.has_errors());
    assert_eq!(base(&profile, "ETC").scope, Scope::Die);
}

#[test]
fn the_real_table_reads_and_writes_back_to_the_same_numbers() {
    let Some(profile) = september() else { return };
    let Some(source) = legacy("op_state_probs-2025-09.yaml") else { return };
    let (read_table, diagnostics) = table::read(&source, &profile);
    assert_eq!(codes(&diagnostics, Severity::Error), [""; 0]);
    assert_eq!(codes(&diagnostics, Severity::Note), ["empty-key"; 2]);
    let read_table = read_table.expect("a table");
    assert_eq!(read_table.entries.len(), 103);
    let first = &read_table.entries[0];
    assert_eq!(profile.phase_keys[first.0].name, "NOP.END");
    let (op, mass): (OpId, f64) = first.1[0];
    assert_eq!((profile.ops[op].name.as_str(), mass), ("Block_Erase_TLC", 0.044_879_762_647_840_09));
    let text = table::write(&read_table, &profile);
    let (again, diagnostics) = table::read(&SourceFile::new("again.yaml", text), &profile);
    assert_eq!(codes(&diagnostics, Severity::Error), [""; 0]);
    assert_eq!(again, Some(read_table));
}

#[test]
fn a_file_cut_anywhere_never_panics() {
    let Some(source) = legacy(SEPTEMBER) else { return };
    let text = &source.text;
    // The cuts are at every 1,009th byte, and closer together around the shorter sections.
    let coarse = (0..text.len()).step_by(1_009);
    let start = text.find("\nlatencies:").expect("a section");
    let fine = (start - 1_500..start + 300).step_by(7);
    for at in coarse.chain(fine).chain(0..200) {
        let Some(cut) = text.get(..at) else { continue };
        let cut = SourceFile::new("cut.yaml", cut);
        let (profile, diagnostics) = read(&cut, ReadOptions { lenient: at % 2 == 0 });
        assert_eq!(profile.is_some(), !diagnostics.has_errors(), "cut at {at}");
        assert!(profile.is_none() || at > text.find("op_names:").unwrap(), "cut at {at}");
        assert!(diagnostics.is_empty() || !diagnostics.render(&cut, Styling::Plain).is_empty());
    }
}
