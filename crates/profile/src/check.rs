//! Checks of a well-formed profile for what its author most likely did not mean.
//!
//! The checks look at the resolved profile only, so native and legacy files are judged alike. A finding has no line and names its
//! subject in words. No finding is an error: the profile can be used, but does not do what it says. Leaves out everything that
//! depends on addresses or time.

mod chains;
mod listed;
mod reach;

pub use chains::chain_can_complete;

use crate::diagnostic::{Diagnostic, Diagnostics, counted, quoted};
use crate::ids::{BaseId, OpId};
use crate::model::{AddressSource, ArrayWork, DeviceState, Effect, LatchKind, PhaseKind, Profile, StatusOf};
use listed::{all_names, listed, op_names};

/// The findings about a profile, as warnings and notes.
#[must_use]
pub fn check(profile: &Profile) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    levels(profile, &mut diagnostics);
    chains::check(profile, &mut diagnostics);
    reach::check(profile, &mut diagnostics);
    if !has_exclusions(profile) {
        let message = "no exclusions are stated: in every state any operation may start whose planes and bus are free";
        let diagnostic = Diagnostic::warning("no-exclusions-at-all", message);
        diagnostics.push(diagnostic.help("list the forbidden bases of each state under `exclusions`"));
    }
    states(profile, &mut diagnostics);
    durations(profile, &mut diagnostics);
    topology(profile, &mut diagnostics);
    cell_types(profile, &mut diagnostics);
    diagnostics
}

/// What an effect does to a state.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnState {
    Sets,
    Ends,
    /// Ends it as a reset.
    Resets,
    Nothing,
}

impl OnState {
    fn of(effect: Effect, state: DeviceState) -> Self {
        let sets = |is_set: bool| if is_set { Self::Sets } else { Self::Nothing };
        let ends = |is_ended: bool| if is_ended { Self::Ends } else { Self::Nothing };
        match effect {
            Effect::FillRegisters { .. } => sets(state == DeviceState::LatchOnRead),
            Effect::CacheRead(kind) => sets(state == DeviceState::LatchOnRead || state == DeviceState::CacheRead(kind)),
            Effect::CacheReadEnd(kind) if state == DeviceState::CacheRead(kind) => Self::Ends,
            Effect::CacheReadEnd(_) => sets(state == DeviceState::LatchOnRead),
            Effect::DataOut => ends(state == DeviceState::LatchOnRead),
            Effect::LoadLatch { latch: LatchKind::OneShot, level, .. } if state == DeviceState::LatchOn(level) => {
                Self::Sets
            }
            // A further load replaces the contents of the latch.
            Effect::LoadLatch { latch: LatchKind::OneShot, .. }
            | Effect::ConsumeLatch { latch: LatchKind::OneShot, .. } => ends(matches!(state, DeviceState::LatchOn(_))),
            Effect::CacheProgramStart(kind) => sets(state == DeviceState::CacheProgram(kind)),
            Effect::CacheProgramEnd(kind) => ends(state == DeviceState::CacheProgram(kind)),
            Effect::Suspend(axis) => sets(state == DeviceState::Suspended(axis)),
            Effect::Resume(axis) => ends(state == DeviceState::Suspended(axis)),
            Effect::OdtDisable => sets(state == DeviceState::OdtDisabled),
            Effect::OdtEnable => ends(state == DeviceState::OdtDisabled),
            Effect::WriteProtectOn => sets(state == DeviceState::WriteProtect),
            Effect::WriteProtectOff => ends(state == DeviceState::WriteProtect),
            Effect::ResetDie | Effect::ResetTarget if !state.survives_reset() => Self::Resets,
            Effect::LoadLatch { latch: LatchKind::Copyback, .. }
            | Effect::ConsumeLatch { latch: LatchKind::Copyback, .. }
            | Effect::Erase
            | Effect::Program
            | Effect::CloseBlock
            | Effect::CopybackSource
            | Effect::ResetDie
            | Effect::ResetTarget
            | Effect::StatusRead
            | Effect::Delay => Self::Nothing,
        }
    }
}

fn states(profile: &Profile, diagnostics: &mut Diagnostics) {
    let bases_with = |state: DeviceState, wanted: OnState| -> Vec<BaseId> {
        let does = |effect: &Effect| OnState::of(*effect, state) == wanted;
        let has = |(_, base): &(BaseId, &crate::model::Base)| base.effects.iter().any(does);
        profile.bases.iter_ids().filter(has).map(|(id, _)| id).collect()
    };
    for state in DeviceState::ALL {
        let permanent = matches!(state, DeviceState::NotSuspended(_));
        let reachable = permanent || !bases_with(state, OnState::Sets).is_empty();
        let has_table =
            profile.exclusions.by_state.iter().any(|(listed, groups)| *listed == state && !groups.is_empty());
        if has_table && !reachable {
            let message = format!("the exclusions of {} never apply: no base brings that state about", state.name());
            diagnostics.push(Diagnostic::warning("state-never-reached", message));
        }
        if !reachable || permanent {
            continue;
        }
        let forbidden = profile.exclusions.in_state(state);
        let ways_out = bases_with(state, OnState::Ends);
        if ways_out.iter().all(|base| forbidden.contains(*base)) {
            let names = |bases: &[BaseId]| listed(bases.iter().map(|base| profile.bases[*base].name.as_str()));
            let of_resets = bases_with(state, OnState::Resets).into_iter().filter(|base| !ways_out.contains(base));
            let (closed, open): (Vec<BaseId>, Vec<BaseId>) = of_resets.partition(|base| forbidden.contains(*base));
            let closed = [ways_out, closed].concat();
            let way = if open.is_empty() { "nothing".to_owned() } else { format!("only a reset ({})", names(&open)) };
            let message = format!("once in {}, {way} leads out of it", state.name());
            let help = match closed.as_slice() {
                [] => "no base has an effect that ends the state".to_owned(),
                bases => format!("its own exclusions forbid {}", names(bases)),
            };
            diagnostics.push(Diagnostic::warning("no-way-out", message).help(help));
        }
    }
    op_states(profile, diagnostics);
}

/// Whether any exclusion table forbids a base.
fn has_exclusions(profile: &Profile) -> bool {
    let exclusions = &profile.exclusions;
    let mut of_keys = exclusions.by_op_state.iter().map(|(_, groups)| groups);
    let mut of_states = exclusions.by_state.iter().map(|(_, groups)| groups);
    let forbids = |groups: &Vec<_>| !exclusions.forbidden(groups).is_empty();
    of_keys.any(forbids) || of_states.any(forbids)
}

fn op_states(profile: &Profile, diagnostics: &mut Diagnostics) {
    for (key, groups) in profile.exclusions.by_op_state.iter().filter(|(_, groups)| !groups.is_empty()) {
        let info = &profile.phase_keys[*key];
        if info.base.is_some_and(|base| !profile.bases[base].affects_state) {
            let groups = listed(groups.iter().map(|group| profile.exclusions.groups[*group].name.as_str()));
            let message = format!(
                "the exclusions {groups} of {} never apply: the base does not affect state",
                quoted(&info.name)
            );
            diagnostics.push(Diagnostic::warning("state-never-reached", message));
        }
    }
    let unguarded = profile.bases.iter_ids().filter(|(id, base)| {
        let key = profile.phase_key(*id, Some(PhaseKind::CoreBusy));
        let listed = |key| profile.exclusions.by_op_state.iter().any(|(listed, _)| *listed == key);
        base.affects_state && key.is_some_and(|key| !listed(key))
    });
    let unguarded: Vec<&str> = unguarded.map(|(_, base)| base.name.as_str()).collect();
    if !unguarded.is_empty() && has_exclusions(profile) {
        let message = format!("no exclusions say what may start during CORE_BUSY of {}", listed(unguarded));
        let diagnostic = Diagnostic::warning("no-exclusions", message);
        diagnostics.push(diagnostic.help("add `BASE.CORE_BUSY` to the exclusions by op_state"));
    }
}

/// Warns of phases without length, whose durations were most likely forgotten.
fn durations(profile: &Profile, diagnostics: &mut Diagnostics) {
    for (id, base) in profile.bases.iter_ids() {
        for (at, phase) in base.phases.iter().enumerate() {
            let missing = profile
                .ops
                .iter_ids()
                .filter(|(_, op)| op.base == id && op.durations.get(at).is_none_or(|duration| duration.0 == 0));
            let missing: Vec<OpId> = missing.map(|(id, _)| id).collect();
            if !missing.is_empty() {
                let names = op_names(profile, &missing);
                let message = format!("{} of {} takes no time for {names}", phase.kind.name(), quoted(&base.name));
                let diagnostic = Diagnostic::warning("missing-duration", message);
                diagnostics.push(diagnostic.naming(all_names(profile, &missing)));
            }
        }
    }
}

fn topology(profile: &Profile, diagnostics: &mut Diagnostics) {
    let most = profile.topology.planes.min(profile.policies.max_planes);
    if most < 2 {
        let multi: Vec<OpId> = profile.ops.iter_ids().filter(|(_, op)| op.multi).map(|(id, _)| id).collect();
        if !multi.is_empty() {
            let names = op_names(profile, &multi);
            let why = if profile.topology.planes < 2 { "the device has one plane" } else { "`max_planes` is 1" };
            let message = format!("multi-plane operations can never be issued, since {why}: {names}");
            diagnostics.push(Diagnostic::warning("one-plane", message).naming(all_names(profile, &multi)));
        }
    }
    let dies = profile.topology.dies;
    let beyond = profile.ops.iter_ids().filter(|(_, op)| match op.status_of {
        Some(StatusOf::Lun(lun)) => u32::from(lun) >= dies,
        Some(StatusOf::Die | StatusOf::Plane) | None => false,
    });
    let beyond: Vec<OpId> = beyond.map(|(id, _)| id).collect();
    if !beyond.is_empty() {
        let names = op_names(profile, &beyond);
        let message =
            format!("the topology has {}, so these can never be issued: {names}", counted(dies.into(), "die"));
        diagnostics.push(Diagnostic::warning("no-such-lun", message).naming(all_names(profile, &beyond)));
    }
}

/// Whether the operations of a base program pages.
fn programs(profile: &Profile, base: BaseId) -> bool {
    let base = &profile.bases[base];
    base.effects
        .iter()
        .any(|effect| matches!(effect.properties().array_work, Some(ArrayWork::Commit | ArrayWork::Load)))
}

/// Warns of operations that can never start because no operation erases for their cell type, or programs it.
fn cell_types(profile: &Profile, diagnostics: &mut Diagnostics) {
    let ops_of = |wanted: &dyn Fn(BaseId) -> bool| -> Vec<OpId> {
        profile.ops.iter_ids().filter(|(_, op)| wanted(op.base)).map(|(id, _)| id).collect()
    };
    let erases = ops_of(&|base| profile.bases[base].has(Effect::Erase));
    let erasable = erases.iter().fold(0u8, |set, op| set | profile.cell_types[profile.ops[*op].cell_type].programs);
    let programs = ops_of(&|base| programs(profile, base));
    let reads = ops_of(&|base| profile.bases[base].address == AddressSource::ReadablePage);
    let mut programmable = 0u8;
    for op in &programs {
        programmable |= 1 << profile.ops[*op].cell_type.0 & erasable;
    }
    let any = chains::any_bit(profile);
    let without = |ops: &[OpId], set: u8| -> Vec<OpId> {
        ops.iter().copied().filter(|op| (set | any) >> profile.ops[*op].cell_type.0 & 1 == 0).collect()
    };
    for (ops, set, why) in [
        (&programs, erasable, "no erase makes blocks of their cell type"),
        (&reads, programmable, "nothing programs pages of their cell type"),
    ] {
        let ops = without(ops, set);
        if !ops.is_empty() {
            let message = format!("these can never be issued, since {why}: {}", op_names(profile, &ops));
            diagnostics.push(Diagnostic::warning("unused-cell-type", message).naming(all_names(profile, &ops)));
        }
    }
}

/// Notes reads of pages with several levels that do not say which level they read. If data is expected, it warns of them.
fn levels(profile: &Profile, diagnostics: &mut Diagnostics) {
    let reads = |base: BaseId| {
        let mut effects = profile.bases[base].effects.iter();
        effects.any(|effect| effect.properties().array_work == Some(ArrayWork::Read))
    };
    let with_levels: Vec<bool> = profile.cell_types.ids().map(|cell_type| profile.has_levels(cell_type)).collect();
    let any = profile.any_cell_type().filter(|_| with_levels.contains(&true));
    let unknown = profile.ops.iter_ids().filter(|(_, op)| {
        let several = with_levels[op.cell_type.index()] || any == Some(op.cell_type);
        reads(op.base) && op.reads.is_none() && several
    });
    let unknown: Vec<OpId> = unknown.map(|(id, _)| id).collect();
    if !unknown.is_empty() {
        let message = format!("nobody can tell which level of a page these read: {}", op_names(profile, &unknown));
        let help = "add `reads: lsb`, `csb` or `msb`; until then the data that is put out after them is not known";
        let code = "unknown-level";
        let diagnostic = match profile.expects_data() {
            true => Diagnostic::warning(code, message),
            false => Diagnostic::note(code, message),
        };
        diagnostics.push(diagnostic.help(help).naming(all_names(profile, &unknown)));
    }
}
