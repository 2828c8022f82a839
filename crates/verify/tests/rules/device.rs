//! A small device with one base of every behaviour: two dies, four planes, sixteen blocks per die, eight pages.
//!
//! Every ISSUE takes 1 µs and holds the bus. Erase 100 µs, program 20, load 5, read 10 and a window of 4, suspend and
//! resume 3 each, reset 2.

use nandseq_profile::model::{
    AddressSource, Axis, Base, Bootstrap, CacheProgramKind, CacheReadKind, CellType, DeviceState, Effect,
    ExclusionGroup, Exclusions, Export, LatchKind, LatchLevel, LatchNeed, Op, PayloadField, Phase, PhaseKind, Policies,
    Probabilities, Scope, StatusOf, Topology,
};
use nandseq_profile::{BaseId, BaseSet, CellTypeId, GroupId, IdVec, OpId, Profile, Ticks};

pub(crate) const SLC: CellTypeId = CellTypeId(1);

const NONE: CellTypeId = CellTypeId(0);
const A0SLC: CellTypeId = CellTypeId(2);
const TLC: CellTypeId = CellTypeId(3);

const BLOCK_ADDRESS: [PayloadField; 5] =
    [PayloadField::Die, PayloadField::Plane, PayloadField::Block, PayloadField::Page, PayloadField::CellType];
const NO_NEED: LatchNeed = LatchNeed { lsb: false, csb: false, msb: false };
const AFTER_LSB: LatchNeed = LatchNeed { lsb: true, csb: false, msb: false };
const AFTER_CSB: LatchNeed = LatchNeed { lsb: false, csb: true, msb: false };
const AFTER_CSB_OR_MSB: LatchNeed = LatchNeed { lsb: false, csb: true, msb: true };

struct Builder {
    bases: IdVec<BaseId, Base>,
    ops: IdVec<OpId, Op>,
}

/// What most bases of a kind have in common.
struct Form {
    scope: Scope,
    affects_state: bool,
    instant: bool,
    address: AddressSource,
    payload: Vec<PayloadField>,
    /// µs after the 1 µs of ISSUE.
    phases: Vec<(PhaseKind, u64)>,
}

impl Form {
    fn array(scope: Scope, address: AddressSource, phases: &[(PhaseKind, u64)]) -> Self {
        let (payload, phases) = (BLOCK_ADDRESS.to_vec(), phases.to_vec());
        Self { scope, affects_state: true, instant: false, address, payload, phases }
    }

    fn command(payload: &[PayloadField]) -> Self {
        Self {
            scope: Scope::None,
            affects_state: false,
            instant: false,
            address: AddressSource::Hook,
            payload: payload.to_vec(),
            phases: Vec::new(),
        }
    }

    fn control(instant: bool, scope: Scope, core: u64) -> Self {
        let phases = vec![(PhaseKind::CoreBusy, core)];
        Self { affects_state: true, instant, scope, phases, ..Self::command(&[PayloadField::Die]) }
    }
}

impl Builder {
    /// Adds a base and its operations.
    fn base(&mut self, name: &str, form: Form, effects: &[Effect], ops: &[(&str, CellTypeId)]) {
        let issue = Phase { kind: PhaseKind::Issue, bus: true, default_duration: None };
        let phase = |&(kind, _): &(PhaseKind, u64)| Phase { kind, bus: false, default_duration: None };
        let mut durations = vec![Ticks::from_us(1)];
        durations.extend(form.phases.iter().map(|&(_, us)| Ticks::from_us(us)));
        let base = self.bases.push(Base {
            name: name.to_owned(),
            scope: form.scope,
            affects_state: form.affects_state,
            instant: form.instant,
            phases: std::iter::once(issue).chain(form.phases.iter().map(phase)).collect(),
            address: form.address,
            effects: effects.to_vec(),
            payload: form.payload,
            follow_ups: Vec::new(),
        });
        for &(name, cell_type) in ops {
            self.ops.push(Op {
                name: name.to_owned(),
                base,
                multi: name.ends_with("_Multi"),
                cell_type,
                durations: durations.clone(),
                status_of: None,
                opcode: 0,
            });
        }
    }

    fn id(&self, name: &str) -> BaseId {
        self.bases.iter_ids().find(|(_, base)| base.name == name).unwrap().0
    }

    fn all_except(&self, names: &[&str]) -> BaseSet {
        let spared: BaseSet = names.iter().map(|name| self.id(name)).collect();
        self.bases.ids().collect::<BaseSet>().minus(spared)
    }

    fn only(&self, names: &[&str]) -> BaseSet {
        names.iter().map(|name| self.id(name)).collect()
    }
}

/// Always allowed: status, resets, and the command that needs nothing.
const FREE: [&str; 4] = ["STATUS", "STATUS_PLANE", "RESET_DIE", "RESET_ALL"];

pub(crate) fn profile() -> Profile {
    let mut builder = Builder { bases: IdVec::new(), ops: IdVec::new() };
    add_programs(&mut builder);
    add_oneshot(&mut builder);
    add_reads(&mut builder);
    add_copyback(&mut builder);
    add_control(&mut builder);
    add_status(&mut builder);
    let exclusions = exclusions(&builder);
    let phase_keys = Profile::derive_phase_keys(&builder.bases);
    let mut exclusions = exclusions;
    for (name, kind, group) in op_state_entries() {
        let base = builder.id(name);
        let key = phase_keys.iter_ids().find(|(_, info)| info.base == Some(base) && info.phase == Some(kind));
        exclusions.by_op_state.push((key.unwrap().0, vec![group]));
    }
    // Entries of END are no rules of the device; this one would forbid everything after an erase.
    let end = phase_keys.iter_ids().find(|(_, info)| info.name == "ERASE.END").unwrap().0;
    exclusions.by_op_state.push((end, vec![GroupId(0)]));
    let cell_type = |name: &str, programs| CellType { name: name.to_owned(), programs };
    Profile {
        name: "Rulebook device".to_owned(),
        topology: Topology { dies: 2, planes: 4, blocks_per_die: 16, pages_per_block: 8 },
        cell_types: [
            cell_type("NONE", 0),
            cell_type("SLC", 0b0110),
            cell_type("A0SLC", 0b0100),
            cell_type("TLC", 0b1000),
        ]
        .into_iter()
        .collect(),
        policies: Policies {
            admission_window: Ticks::ZERO,
            queue_refill_period: Ticks::from_us(100),
            max_planes: 4,
            max_tries: 4,
            sequence_gap: Ticks::from_us(1),
            split_dout_per_plane: true,
            time_resolution: Ticks(10_000),
            post_hook_window: Ticks::from_us(1),
            refill_uses_end_key: false,
        },
        latencies: Vec::new(),
        interleaved: builder.only(&["PLANE_READ"]),
        bases: builder.bases,
        ops: builder.ops,
        exclusions,
        offset_guard: 1,
        chains: Vec::new(),
        phase_keys,
        probabilities: Probabilities::default(),
        export: Export { time_scale: 1.0, round_decimals: 3, skip_resume_chained_ops: true },
        bootstrap: Bootstrap {
            enabled: false,
            erase_blocks: 0,
            program_blocks: 0,
            read_blocks: 0,
            read_coverage: 0.0,
            cell_type_weights: Vec::new(),
        },
    }
}

fn add_programs(builder: &mut Builder) {
    use PhaseKind::{CoreBusy, DataIn};
    let next = AddressSource::NextPage;
    let erase = || Form::array(Scope::Die, AddressSource::AnyBlock, &[(CoreBusy, 100)]);
    let program = || Form::array(Scope::Die, next, &[(CoreBusy, 20)]);
    let names = [("Erase_SLC", SLC), ("Erase_TLC", TLC), ("Erase_SLC_Multi", SLC)];
    builder.base("ERASE", erase(), &[Effect::Erase], &names);
    builder.base("CHECK", erase(), &[], &[("Check_SLC", SLC)]);
    let slc_end = Effect::CacheProgramEnd(CacheProgramKind::Slc);
    let names = [("Program_SLC", SLC), ("Program_A0SLC", A0SLC), ("Program_TLC", TLC), ("Program_SLC_Multi", SLC)];
    builder.base("PROGRAM", program(), &[Effect::Program, slc_end], &names);
    builder.base("CLOSE", program(), &[Effect::CloseBlock], &[("Close_SLC", SLC)]);
    let cached = Form::array(Scope::Die, next, &[(CoreBusy, 20), (DataIn, 4)]);
    let start = Effect::CacheProgramStart(CacheProgramKind::Slc);
    let names = [("Cache_Program_SLC", SLC), ("Cache_Program_SLC_Multi", SLC)];
    builder.base("CACHE_PROGRAM", cached, &[Effect::Program, start], &names);
    let aim = Form { phases: Vec::new(), address: next, ..Form::command(&BLOCK_ADDRESS) };
    builder.base("AIM", aim, &[], &[("Aim", NONE)]);
}

fn add_oneshot(builder: &mut Builder) {
    use PhaseKind::{CoreBusy, DataIn};
    let latch = LatchKind::OneShot;
    let load = |address| Form::array(Scope::Die, address, &[(CoreBusy, 5)]);
    let held = AddressSource::OneShotLatch;
    let loads = |level, needs| Effect::LoadLatch { latch, level, needs };
    let consume = |needs| Effect::ConsumeLatch { latch, needs };
    let names = [("Load_LSB", TLC), ("Load_LSB_Multi", TLC)];
    builder.base("LOAD_LSB", load(AddressSource::NextPage), &[loads(LatchLevel::Lsb, NO_NEED)], &names);
    let names = [("Load_CSB", TLC), ("Load_CSB_Multi", TLC)];
    builder.base("LOAD_CSB", load(held), &[loads(LatchLevel::Csb, AFTER_LSB)], &names);
    builder.base("LOAD_MSB", load(held), &[loads(LatchLevel::Msb, AFTER_CSB)], &[("Load_MSB", TLC)]);
    let ends = Effect::CacheProgramEnd(CacheProgramKind::OneShot);
    let program = || Form::array(Scope::Die, held, &[(CoreBusy, 20)]);
    let names = [("Program_MSB", TLC), ("Program_MSB_Multi", TLC)];
    builder.base("PROGRAM_MSB", program(), &[Effect::Program, consume(AFTER_CSB), ends], &names);
    let effects = [Effect::Program, consume(AFTER_CSB_OR_MSB), ends];
    builder.base("EXECUTE_MSB", program(), &effects, &[("Execute_MSB", TLC)]);
    let cached = Form::array(Scope::Die, held, &[(CoreBusy, 20), (DataIn, 4)]);
    let start = Effect::CacheProgramStart(CacheProgramKind::OneShot);
    let effects = [Effect::Program, consume(AFTER_CSB), start];
    builder.base("CACHE_PROGRAM_MSB", cached, &effects, &[("Cache_Program_MSB", TLC)]);
}

fn add_reads(builder: &mut Builder) {
    use PhaseKind::{CoreBusy, DataOut};
    let window = [(CoreBusy, 10), (DataOut, 4)];
    let read = |address| Form::array(Scope::PlaneSet, address, &window);
    let readable = AddressSource::ReadablePage;
    let fill = Effect::FillRegisters { copyback: false };
    let names = [("Read_SLC", SLC), ("Read_TLC", TLC), ("Read_SLC_Multi", SLC)];
    builder.base("READ", read(readable), &[fill], &names);
    let names = [("Plane_Read_SLC", SLC), ("Plane_Read_SLC_Multi", SLC)];
    builder.base("PLANE_READ", read(readable), &[fill], &names);
    let names = [("Cache_Read_SLC", SLC), ("Cache_Read_TLC", TLC), ("Cache_Read_SLC_Multi", SLC)];
    builder.base("CACHE_READ", read(readable), &[Effect::CacheRead(CacheReadKind::Cache)], &names);
    let end = Form::array(Scope::PlaneSet, AddressSource::PageRegister, &[(CoreBusy, 10)]);
    builder.base("CACHE_READ_END", end, &[Effect::CacheReadEnd(CacheReadKind::Cache)], &[("Cache_Read_End", NONE)]);
    let names = [("Recover_SLC", SLC), ("Recover_TLC", TLC)];
    builder.base("RECOVER", read(AddressSource::SuspendedProgram), &[fill], &names);
    let output = Form { address: AddressSource::OutputRegister, ..Form::command(&BLOCK_ADDRESS) };
    builder.base("OUTPUT", output, &[Effect::DataOut], &[("Output", NONE)]);
    let window_on_bus = read(readable);
    builder.base("READ_BUS", window_on_bus, &[fill], &[("Read_Bus_SLC", SLC)]);
    let last = builder.id("READ_BUS");
    builder.bases[last].phases[2].bus = true;
}

fn add_copyback(builder: &mut Builder) {
    use PhaseKind::{CoreBusy, DataOut};
    let latch = LatchKind::Copyback;
    let read = Form::array(Scope::PlaneSet, AddressSource::ReadablePage, &[(CoreBusy, 10), (DataOut, 4)]);
    let names = [("Copyback_Read_SLC", SLC), ("Copyback_Read_SLC_Multi", SLC)];
    builder.base("COPYBACK_READ", read, &[Effect::FillRegisters { copyback: true }], &names);
    let program = |address, us| Form::array(Scope::Die, address, &[(CoreBusy, us)]);
    let source = Effect::CopybackSource;
    let names = [("Copyback_Program_SLC", SLC), ("Copyback_Program_SLC_Multi", SLC)];
    builder.base("COPYBACK_PROGRAM", program(AddressSource::NextPage, 20), &[Effect::Program, source], &names);
    let load = |level, needs| [Effect::LoadLatch { latch, level, needs }, source];
    let form = program(AddressSource::NextPage, 5);
    builder.base("COPYBACK_LSB", form, &load(LatchLevel::Lsb, NO_NEED), &[("Copyback_LSB", TLC)]);
    let held = AddressSource::CopybackLatch;
    let effects = load(LatchLevel::Csb, AFTER_LSB);
    builder.base("COPYBACK_CSB", program(held, 5), &effects, &[("Copyback_CSB", TLC)]);
    let effects = [Effect::Program, Effect::ConsumeLatch { latch, needs: AFTER_CSB_OR_MSB }, source];
    builder.base("COPYBACK_EXECUTE", program(held, 20), &effects, &[("Copyback_Execute", TLC)]);
}

fn add_control(builder: &mut Builder) {
    let suspend = || Form::control(true, Scope::Die, 3);
    let resume = || Form::control(false, Scope::Die, 3);
    builder.base("SUSPEND_ERASE", suspend(), &[Effect::Suspend(Axis::Erase)], &[("Suspend_Erase", NONE)]);
    builder.base("RESUME_ERASE", resume(), &[Effect::Resume(Axis::Erase)], &[("Resume_Erase", NONE)]);
    builder.base("SUSPEND_PROGRAM", suspend(), &[Effect::Suspend(Axis::Program)], &[("Suspend_Program", NONE)]);
    builder.base("RESUME_PROGRAM", resume(), &[Effect::Resume(Axis::Program)], &[("Resume_Program", NONE)]);
    let reset = || Form::control(true, Scope::None, 2);
    builder.base("RESET_DIE", reset(), &[Effect::ResetDie], &[("Reset_Die", NONE)]);
    builder.base("RESET_ALL", reset(), &[Effect::ResetTarget], &[("Reset_All", NONE)]);
    builder.base("ODT_OFF", Form::command(&[PayloadField::Die]), &[Effect::OdtDisable], &[("Odt_Off", NONE)]);
    builder.base("ODT_ON", Form::command(&[PayloadField::Die]), &[Effect::OdtEnable], &[("Odt_On", NONE)]);
    builder.base("FEATURE", Form::command(&[PayloadField::Die]), &[], &[("Feature", NONE)]);
    let planes = Form { scope: Scope::PlaneSet, ..Form::command(&[PayloadField::Die, PayloadField::Plane]) };
    builder.base("PLANE_FEATURE", planes, &[], &[("Plane_Feature", NONE)]);
    let target = Form { scope: Scope::Target, payload: Vec::new(), ..Form::control(false, Scope::Target, 10) };
    builder.base("IDENTIFY", target, &[], &[("Identify", NONE)]);
    let instant = Form { instant: true, ..Form::command(&[]) };
    builder.base("CALIBRATE", instant, &[], &[("Calibrate", NONE)]);
}

fn add_status(builder: &mut Builder) {
    use PayloadField::{Die, ExpectedStatus, Plane};
    let instant = |fields: &[PayloadField]| Form { instant: true, ..Form::command(fields) };
    let names = [("Status", NONE), ("Status_Lun1", NONE), ("Status_Lun2", NONE)];
    builder.base("STATUS", instant(&[Die, ExpectedStatus]), &[Effect::StatusRead], &names);
    let names = [("Status_Plane", NONE)];
    builder.base("STATUS_PLANE", instant(&[Die, Plane, ExpectedStatus]), &[Effect::StatusRead], &names);
    for op in builder.ops.iter_mut() {
        op.status_of = match op.name.as_str() {
            "Status" => Some(StatusOf::Die),
            "Status_Lun1" => Some(StatusOf::Lun(1)),
            "Status_Lun2" => Some(StatusOf::Lun(2)),
            "Status_Plane" => Some(StatusOf::Plane),
            _ => None,
        };
    }
}

/// Groups by number: 0 busy, 1 erasing, 2 programming, 3 output window, 4 program window.
fn op_state_entries() -> Vec<(&'static str, PhaseKind, GroupId)> {
    use PhaseKind::{CoreBusy, DataIn, DataOut};
    let mut entries = vec![
        ("ERASE", CoreBusy, GroupId(1)),
        ("PROGRAM", CoreBusy, GroupId(2)),
        ("CACHE_PROGRAM", CoreBusy, GroupId(2)),
        ("PROGRAM_MSB", CoreBusy, GroupId(2)),
        ("CACHE_PROGRAM", DataIn, GroupId(4)),
    ];
    let busy = [
        "READ",
        "PLANE_READ",
        "CACHE_READ",
        "LOAD_LSB",
        "LOAD_CSB",
        "SUSPEND_ERASE",
        "RESUME_ERASE",
        "SUSPEND_PROGRAM",
        "RESUME_PROGRAM",
        "IDENTIFY",
    ];
    entries.extend(busy.map(|base| (base, CoreBusy, GroupId(0))));
    entries.push(("READ", DataOut, GroupId(3)));
    entries
}

fn exclusions(builder: &Builder) -> Exclusions {
    let with = |names: &[&'static str]| builder.all_except(&[&FREE[..], &["CALIBRATE"], names].concat());
    let lists = [
        ("busy", with(&[])),
        ("erasing", with(&["SUSPEND_ERASE"])),
        ("programming", with(&["SUSPEND_PROGRAM"])),
        ("output_window", with(&["OUTPUT", "CACHE_READ", "READ"])),
        ("program_window", with(&["CACHE_PROGRAM", "PROGRAM"])),
        ("odt_off", with(&["ODT_ON"])),
        ("unread", builder.only(&["FEATURE"])),
        ("after_lsb", with(&["LOAD_CSB"])),
        ("after_csb", with(&["LOAD_MSB", "PROGRAM_MSB", "EXECUTE_MSB", "CACHE_PROGRAM_MSB"])),
        ("after_msb", with(&["EXECUTE_MSB"])),
        ("erase_suspended", builder.only(&["ERASE", "SUSPEND_ERASE", "CHECK"])),
        ("program_suspended", builder.only(&["ERASE", "PROGRAM", "SUSPEND_PROGRAM", "SUSPEND_ERASE", "RESUME_ERASE"])),
        ("not_erase_suspended", builder.only(&["RESUME_ERASE"])),
        ("not_program_suspended", builder.only(&["RESUME_PROGRAM"])),
        ("cache_programming", builder.only(&["ERASE", "READ", "FEATURE"])),
        ("oneshot_cache_programming", builder.only(&["ERASE", "READ", "FEATURE"])),
        ("cache_reading", builder.only(&["READ", "ERASE", "PLANE_FEATURE"])),
    ];
    let groups: IdVec<GroupId, ExclusionGroup> =
        lists.into_iter().map(|(name, forbids)| ExclusionGroup { name: name.to_owned(), forbids }).collect();
    let states = [
        (DeviceState::OdtDisabled, 5),
        (DeviceState::LatchOnRead, 6),
        (DeviceState::LatchOn(LatchLevel::Lsb), 7),
        (DeviceState::LatchOn(LatchLevel::Csb), 8),
        (DeviceState::LatchOn(LatchLevel::Msb), 9),
        (DeviceState::Suspended(Axis::Erase), 10),
        (DeviceState::Suspended(Axis::Program), 11),
        (DeviceState::NotSuspended(Axis::Erase), 12),
        (DeviceState::NotSuspended(Axis::Program), 13),
        (DeviceState::CacheProgram(CacheProgramKind::Slc), 14),
        (DeviceState::CacheProgram(CacheProgramKind::OneShot), 15),
        (DeviceState::CacheRead(CacheReadKind::Cache), 16),
    ];
    let by_state = states.map(|(state, group)| (state, vec![GroupId(group)])).to_vec();
    Exclusions { groups, by_op_state: Vec::new(), by_state }
}
