//! For each rule of the device at least one change that switches it off, and only it as far as that is possible.

use nandseq_profile::model::{
    AddressSource, Axis, CacheProgramKind, DeviceState, Effect, ExclusionGroup, Expectations, LatchKind, LatchLevel,
    LatchNeed, PhaseKind, Scope, StatusOf,
};
use nandseq_profile::{BaseSet, Profile};
use nandseq_verify::RuleCode;

use crate::change::{Change, base, cell, effects, no_op_state_table, no_table, share, stretch, without};
use crate::vary::protect;

fn as_it_is(_: &mut Profile) {}

/// All changes, in the order of the rules.
pub(crate) fn all() -> Vec<Change> {
    [occupation(), tables(), addresses(), groups_and_registers(), chains_and_suspension()]
        .into_iter()
        .flatten()
        .collect()
}

fn change(rule: RuleCode, what: &'static str, truth: fn(&mut Profile), belief: fn(&mut Profile)) -> Change {
    Change { rule, what, truth, belief }
}

fn occupation() -> Vec<Change> {
    vec![
        change(RuleCode::Bus, "no phase holds the bus", as_it_is, |belief| {
            belief.bases.iter_mut().flat_map(|base| &mut base.phases).for_each(|phase| phase.bus = false);
        }),
        change(RuleCode::PlaneBusy, "reads occupy nothing (op_states exclude nothing)", only_planes_count, |belief| {
            for base in belief.bases.iter_mut().filter(|base| is_read(&base.effects)) {
                base.scope = Scope::None;
            }
        }),
        change(RuleCode::MultiPlaneExclusive, "all single-plane operations may interleave", as_it_is, |belief| {
            belief.interleaved = belief.bases.ids().collect();
        }),
    ]
}

/// Payloads name the data that passes on the bus.
fn with_data(truth: &mut Profile) {
    truth.expect(Expectations { data: true, full_status: false });
}

/// Nothing but occupied planes keeps two operations apart.
fn only_planes_count(truth: &mut Profile) {
    no_op_state_table(truth);
    truth.policies.max_planes = 1;
    truth.interleaved = truth.bases.ids().collect();
}

fn is_read(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::FillRegisters { .. }))
}

/// Programs a page at once, without loads.
fn is_page_program(effects: &[Effect]) -> bool {
    let loaded = |effect: &Effect| matches!(effect, Effect::ConsumeLatch { .. } | Effect::CopybackSource);
    effects.contains(&Effect::Program) && !effects.iter().any(loaded)
}

fn tables() -> Vec<Change> {
    vec![
        change(RuleCode::OpState, "op_states exclude nothing", as_it_is, no_op_state_table),
        change(RuleCode::Latch, "loaded latches exclude nothing", as_it_is, |belief| {
            no_table(belief, |state| matches!(state, DeviceState::LatchOn(_)));
        }),
        change(RuleCode::Latch, "unread data excludes nothing (it excludes commands)", unread_excludes, |belief| {
            no_table(belief, |state| state == DeviceState::LatchOnRead);
        }),
        change(RuleCode::Suspend, "suspension excludes nothing", as_it_is, |belief| {
            no_table(belief, is_suspension);
        }),
        change(RuleCode::Odt, "termination off excludes nothing", as_it_is, |belief| {
            no_table(belief, |state| state == DeviceState::OdtDisabled);
        }),
        change(RuleCode::WriteProtect, "write protect excludes nothing", protect, |belief| {
            no_table(belief, |state| state == DeviceState::WriteProtect);
        }),
        change(RuleCode::WriteProtect, "write protect is a plain command", protect, |belief| {
            effects(belief, "ODTDISABLE", &[]);
        }),
        change(RuleCode::Cache, "cache programs exclude nothing", as_it_is, |belief| {
            no_table(belief, |state| matches!(state, DeviceState::CacheProgram(_)));
        }),
        change(RuleCode::Cache, "cache reads exclude nothing", as_it_is, |belief| {
            no_table(belief, |state| matches!(state, DeviceState::CacheRead(_)));
        }),
    ]
}

fn is_suspension(state: DeviceState) -> bool {
    matches!(state, DeviceState::Suspended(_) | DeviceState::NotSuspended(_))
}

/// While data is unread, commands that change no data are excluded.
fn unread_excludes(truth: &mut Profile) {
    let commands = ["READID", "SETFEATURE", "GETFEATURE", "TRAINING", "PLANE_SETPARA"];
    let forbids: BaseSet = commands.into_iter().map(|name| base(truth, name)).collect();
    let group = truth.exclusions.groups.len().into();
    truth.exclusions.groups.push(ExclusionGroup { name: "unread".to_owned(), forbids });
    truth.exclusions.by_state.retain(|(state, _)| *state != DeviceState::LatchOnRead);
    truth.exclusions.by_state.push((DeviceState::LatchOnRead, vec![group]));
}

fn addresses() -> Vec<Change> {
    vec![
        change(RuleCode::Bounds, "there is one die more", as_it_is, |belief| belief.topology.dies += 1),
        change(RuleCode::Bounds, "there is one group of blocks more", as_it_is, |belief| {
            belief.topology.blocks_per_die += belief.topology.planes;
        }),
        change(RuleCode::Bounds, "there is one page more", as_it_is, |belief| belief.topology.pages_per_block += 1),
        change(RuleCode::Bounds, "a die has one plane more", as_it_is, |belief| belief.topology.planes += 1),
        change(RuleCode::BadBlock, "no block is bad", as_it_is, as_it_is),
        change(RuleCode::ProgramBeforeErase, "only threshold checks erase", as_it_is, |belief| {
            effects(belief, "DSL_VTH_CHECK", &[Effect::Erase]);
            share(belief, "DSL_VTH_CHECK", 0.05);
            share(belief, "ERASE", 0.0);
        }),
        change(RuleCode::ProgramOrder, "closing a block programs one page", as_it_is, |belief| {
            effects(belief, "ALLWL_PROGRAM", &[Effect::Program]);
            share(belief, "ALLWL_PROGRAM", 0.05);
        }),
        change(RuleCode::ProgramCellType, "every cell type fits every erased block", as_it_is, |belief| {
            let all = (1u16 << belief.cell_types.len()) - 1;
            belief.cell_types.iter_mut().for_each(|cell| cell.programs = all as u8);
        }),
        change(
            RuleCode::ReadBeforeProgram,
            "no page lies between reads and programs (two must)",
            |truth| truth.offset_guard = 2,
            |belief| belief.offset_guard = 0,
        ),
        change(RuleCode::ReadCellType, "4 KB reads as SLC read as AESLC", as_it_is, |belief| {
            let (reads, slc, other) = (base(belief, "READ4K"), cell(belief, "SLC"), cell(belief, "AESLC"));
            for op in belief.ops.iter_mut().filter(|op| op.base == reads && op.cell_type == slc) {
                op.cell_type = other;
            }
        }),
        change(
            RuleCode::InFlight,
            "page programs take half as long (they occupy nothing)",
            blocks_alone_count,
            |belief| {
                stretch(belief, PhaseKind::CoreBusy, 50, is_page_program);
            },
        ),
    ]
}

/// Nothing but their block keeps a program and another operation apart; so several may be under way, and which of them a
/// SUSPEND would suspend is a question without an answer.
fn blocks_alone_count(truth: &mut Profile) {
    no_op_state_table(truth);
    share(truth, "PROGRAM_SUSPEND", 0.0);
    for base in truth.bases.iter_mut().filter(|base| is_page_program(&base.effects)) {
        base.scope = Scope::None;
        base.affects_state = false;
    }
}

fn groups_and_registers() -> Vec<Change> {
    vec![
        change(RuleCode::MultiPlaneGroup, "no read of several planes is one", as_it_is, |belief| {
            let reads = base(belief, "READ");
            belief.ops.iter_mut().filter(|op| op.base == reads).for_each(|op| op.multi = false);
        }),
        change(RuleCode::MultiPlaneGroup, "every read is one of several planes", as_it_is, |belief| {
            let reads = base(belief, "READ");
            belief.ops.iter_mut().filter(|op| op.base == reads).for_each(|op| op.multi = true);
        }),
        change(RuleCode::DoutSource, "threshold checks fill the registers", as_it_is, |belief| {
            let (check, read) = (base(belief, "DSL_VTH_CHECK"), base(belief, "READ4K"));
            belief.bases[check].effects = belief.bases[read].effects.clone();
            belief.bases[check].follow_ups = belief.bases[read].follow_ups.clone();
            share(belief, "DSL_VTH_CHECK", 0.2);
        }),
        change(RuleCode::UnreadData, "4 KB reads leave the registers alone", as_it_is, |belief| {
            let reads = base(belief, "READ4K");
            belief.bases[reads].effects.clear();
            belief.bases[reads].follow_ups.clear();
        }),
        change(
            RuleCode::OneShotOrder,
            "23h needs no CSB load (latches exclude nothing)",
            |truth| no_table(truth, |state| matches!(state, DeviceState::LatchOn(_))),
            |belief| {
                let program = base(belief, "ONESHOT_PROGRAM_MSB_23H");
                let load = base(belief, "ONESHOT_PROGRAM_CSB");
                for effect in &mut belief.bases[program].effects {
                    if let Effect::ConsumeLatch { latch: LatchKind::OneShot, needs } = effect {
                        *needs = LatchNeed { lsb: true, csb: true, msb: false };
                    }
                }
                for chain in belief.chains.iter_mut().filter(|chain| chain.steps.len() == 2) {
                    if chain.steps[0].base == load && chain.steps[1].base == program {
                        chain.steps.remove(0);
                    }
                }
            },
        ),
        change(
            RuleCode::CacheSequence,
            "a cache program leaves no state behind (the state excludes nothing)",
            |truth| no_table(truth, |state| matches!(state, DeviceState::CacheProgram(_))),
            |belief| {
                let starts = |effect: &Effect| *effect == Effect::CacheProgramStart(CacheProgramKind::Slc);
                without(belief, "CACHE_PROGRAM_SLC", starts);
                share(belief, "CACHE_PROGRAM_SLC", 0.3);
            },
        ),
    ]
}

fn chains_and_suspension() -> Vec<Change> {
    vec![
        change(RuleCode::CopybackSource, "every read is a copyback read", as_it_is, |belief| {
            for effect in belief.bases.iter_mut().flat_map(|base| &mut base.effects) {
                if let Effect::FillRegisters { copyback } = effect {
                    *copyback = true;
                }
            }
        }),
        change(RuleCode::RecoveryTarget, "a recovery read takes any readable page", as_it_is, |belief| {
            let recovery = base(belief, "RECOVERY_RD");
            belief.bases[recovery].address = AddressSource::ReadablePage;
        }),
        change(RuleCode::SuspendTarget, "erases take half as long again", as_it_is, |belief| {
            stretch(belief, PhaseKind::CoreBusy, 150, |effects| effects.contains(&Effect::Erase));
            share(belief, "ERASE_SUSPEND", 0.05);
        }),
        change(
            RuleCode::ResumeTarget,
            "each RESUME resumes the other axis (suspension excludes nothing)",
            |truth| no_table(truth, is_suspension),
            |belief| {
                effects(belief, "ERASE_RESUME", &[Effect::Resume(Axis::Program)]);
                effects(belief, "PROGRAM_RESUME", &[Effect::Resume(Axis::Erase)]);
            },
        ),
        change(RuleCode::StatusValue, "status reads of LUN 0 and 1 look at the other", as_it_is, |belief| {
            for op in belief.ops.iter_mut() {
                op.status_of = match op.status_of {
                    Some(StatusOf::Lun(0)) => Some(StatusOf::Lun(1)),
                    Some(StatusOf::Lun(1)) => Some(StatusOf::Lun(0)),
                    other => other,
                };
            }
        }),
        change(RuleCode::StatusValue, "data output windows stay open twice as long", as_it_is, |belief| {
            stretch(belief, PhaseKind::DataOut, 200, |_| true);
        }),
        change(RuleCode::DataValue, "reads of LSB pages read CSB pages", with_data, |belief| {
            for op in belief.ops.iter_mut().filter(|op| op.reads == Some(LatchLevel::Lsb)) {
                op.reads = Some(LatchLevel::Csb);
            }
        }),
    ]
}
