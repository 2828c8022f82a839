//! A check for chains that can never complete because of what their own steps do to the device.
//!
//! Each chain is run on an abstract state: latches, cache states, suspension, on-die termination, write protect and the two
//! registers of a plane, without addresses and without time. A chain that fails here fails in every state of the device.

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::ids::{BaseId, OpId};
use crate::model::{
    AddressSource, Axis, Base, CacheProgramKind, CacheReadKind, Chain, ChainStep, DeviceState, Effect, LatchKind,
    LatchLevel, LatchNeed, Profile,
};

/// The abstract state: the parts of the lasting state that a chain can change and that its steps depend on.
#[derive(Clone, Default)]
struct ChainState {
    one_shot: Option<LatchLevel>,
    copyback: Option<LatchLevel>,
    cache_reads: Vec<CacheReadKind>,
    cache_programs: Vec<CacheProgramKind>,
    suspended: Vec<Axis>,
    odt_off: bool,
    write_protected: bool,
    page_register: Option<RegisterContent>,
    output_register: Option<RegisterContent>,
    unread: bool,
    /// The number of pages read so far, which numbers the pages.
    pages: usize,
}

/// The content of a register: the number of a page, and whether a copyback read filled it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct RegisterContent {
    page: usize,
    copyback: bool,
}

/// Checks whether a chain after an operation of `base` can run to its end if the device is otherwise idle.
///
/// `chain` is an index into [`Profile::chains`].
///
/// # Errors
/// A sentence that names the step that cannot start, and the reason.
pub fn chain_can_complete(profile: &Profile, base: BaseId, chain: usize) -> Result<(), String> {
    let Some(chain) = profile.chains.get(chain) else { return Err("there is no such chain".to_owned()) };
    let mut why = None;
    let mut possible = false;
    for start in starts(&profile.bases[base]) {
        match run(profile, base, chain, start) {
            Ok(()) => possible = true,
            Err(reason) => {
                why.get_or_insert(reason);
            }
        }
    }
    if !possible {
        return Err(why.unwrap_or_default());
    }
    let firsts: Vec<OpId> = profile.ops.iter_ids().filter(|(_, op)| op.base == base).map(|(id, _)| id).collect();
    if firsts.is_empty() {
        return Ok(());
    }
    let mut missing = None;
    for first in firsts {
        match names_fit(profile, first, chain) {
            Ok(()) => return Ok(()),
            Err(reason) => {
                missing.get_or_insert(reason);
            }
        }
    }
    Err(missing.unwrap_or_default())
}

/// The states from which a chain is tried whose first operation has this base.
fn starts(base: &Base) -> Vec<ChainState> {
    let mut start = ChainState::default();
    let content = RegisterContent { page: 0, copyback: base.has(Effect::CopybackSource) };
    if base.address == AddressSource::SuspendedProgram {
        start.suspended.push(Axis::Program);
    }
    let mut needed = None;
    for effect in &base.effects {
        match effect {
            Effect::Resume(axis) => start.suspended.push(*axis),
            Effect::CacheRead(_) | Effect::CacheReadEnd(_) | Effect::CopybackSource => {
                start.page_register = Some(content);
            }
            Effect::DataOut => start.output_register = Some(content),
            Effect::OdtEnable => start.odt_off = true,
            Effect::WriteProtectOff => start.write_protected = true,
            Effect::LoadLatch { latch, needs, .. } | Effect::ConsumeLatch { latch, needs } => {
                needed.get_or_insert((*latch, levels(*needs)));
            }
            Effect::Erase
            | Effect::Program
            | Effect::CloseBlock
            | Effect::FillRegisters { .. }
            | Effect::CacheProgramStart(_)
            | Effect::CacheProgramEnd(_)
            | Effect::Suspend(_)
            | Effect::ResetDie
            | Effect::ResetTarget
            | Effect::OdtDisable
            | Effect::WriteProtectOn
            | Effect::StatusRead
            | Effect::Delay => {}
        }
    }
    match needed {
        Some((latch, levels)) if !levels.is_empty() => {
            let with = |level| {
                let mut start = start.clone();
                *start.latch(latch) = Some(level);
                start
            };
            levels.into_iter().map(with).collect()
        }
        Some(_) | None => vec![start],
    }
}

/// The latch levels that a need names.
fn levels(needs: LatchNeed) -> Vec<LatchLevel> {
    let all = [(needs.lsb, LatchLevel::Lsb), (needs.csb, LatchLevel::Csb), (needs.msb, LatchLevel::Msb)];
    all.into_iter().filter(|(needed, _)| *needed).map(|(_, level)| level).collect()
}

/// Runs the first operation and every step of a chain.
fn run(profile: &Profile, first: BaseId, chain: &Chain, start: ChainState) -> Result<(), String> {
    let mut state = start;
    state.step(profile, first).map_err(|why| format!("the first operation {why}"))?;
    for (at, step) in chain.steps.iter().enumerate() {
        let name = &profile.bases[step.base].name;
        state.step(profile, step.base).map_err(|why| format!("its step {} ({name}) {why}", at + 1))?;
    }
    Ok(())
}

impl ChainState {
    fn latch(&mut self, latch: LatchKind) -> &mut Option<LatchLevel> {
        match latch {
            LatchKind::OneShot => &mut self.one_shot,
            LatchKind::Copyback => &mut self.copyback,
        }
    }

    /// Runs an operation of a base. The error says why it may not start.
    fn step(&mut self, profile: &Profile, id: BaseId) -> Result<(), String> {
        for state in DeviceState::ALL.into_iter().filter(|state| self.is_in(*state)) {
            if profile.exclusions.in_state(state).contains(id) {
                return Err(format!("is forbidden in {}, which the chain is in by then", state.name()));
            }
        }
        let base = &profile.bases[id];
        if base.address == AddressSource::SuspendedProgram && !self.suspended.contains(&Axis::Program) {
            return Err("needs a suspended program".to_owned());
        }
        for effect in &base.effects {
            self.may(*effect, base)?;
        }
        for effect in &base.effects {
            self.apply(*effect);
        }
        Ok(())
    }

    fn is_in(&self, state: DeviceState) -> bool {
        match state {
            DeviceState::LatchOnRead => self.unread,
            DeviceState::LatchOn(level) => self.one_shot == Some(level),
            DeviceState::Suspended(axis) => self.suspended.contains(&axis),
            DeviceState::NotSuspended(axis) => !self.suspended.contains(&axis),
            DeviceState::OdtDisabled => self.odt_off,
            DeviceState::WriteProtect => self.write_protected,
            DeviceState::CacheRead(kind) => self.cache_reads.contains(&kind),
            DeviceState::CacheProgram(kind) => self.cache_programs.contains(&kind),
        }
    }

    /// Checks whether the registers and latches are as an effect needs them.
    fn may(&self, effect: Effect, base: &Base) -> Result<(), String> {
        let unread = || Err("would overwrite data that has not been put out".to_owned());
        match effect {
            Effect::LoadLatch { latch, needs, .. } | Effect::ConsumeLatch { latch, needs } => {
                let held = match latch {
                    LatchKind::OneShot => self.one_shot,
                    LatchKind::Copyback => self.copyback,
                };
                let needed = levels(needs);
                if !needed.is_empty() && !held.is_some_and(|held| needed.contains(&held)) {
                    return Err("needs a latch that is not loaded by then".to_owned());
                }
                if self.unread && !base.has(Effect::CopybackSource) { unread() } else { Ok(()) }
            }
            Effect::Erase | Effect::Program | Effect::CloseBlock | Effect::FillRegisters { .. } => {
                if self.unread && !base.has(Effect::CopybackSource) { unread() } else { Ok(()) }
            }
            Effect::CacheRead(_) | Effect::CacheReadEnd(_) => match self.page_register {
                None => Err("needs a page register that holds a page".to_owned()),
                Some(page) if self.unread && self.output_register != Some(page) => unread(),
                Some(_) => Ok(()),
            },
            Effect::DataOut if self.output_register.is_none() => {
                Err("needs an output register that holds a page".to_owned())
            }
            Effect::CopybackSource if !self.page_register.is_some_and(|content| content.copyback) => {
                Err("needs a page register filled by a copyback read".to_owned())
            }
            Effect::Resume(axis) if !self.suspended.contains(&axis) => Err("needs a suspended operation".to_owned()),
            Effect::DataOut
            | Effect::CopybackSource
            | Effect::Resume(_)
            | Effect::CacheProgramStart(_)
            | Effect::CacheProgramEnd(_)
            | Effect::Suspend(_)
            | Effect::ResetDie
            | Effect::ResetTarget
            | Effect::OdtDisable
            | Effect::OdtEnable
            | Effect::WriteProtectOn
            | Effect::WriteProtectOff
            | Effect::StatusRead
            | Effect::Delay => Ok(()),
        }
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Erase | Effect::Program | Effect::CloseBlock => self.invalidate(),
            Effect::LoadLatch { latch, level, .. } => {
                *self.latch(latch) = Some(level);
                self.invalidate();
            }
            Effect::ConsumeLatch { latch, .. } => *self.latch(latch) = None,
            Effect::FillRegisters { copyback } => {
                self.pages += 1;
                self.page_register = Some(RegisterContent { page: self.pages, copyback });
                self.output_register = self.page_register;
                self.unread = true;
            }
            Effect::CacheRead(kind) => {
                self.cache_reads.push(kind);
                self.pages += 1;
                self.output_register = self.page_register;
                self.page_register = Some(RegisterContent { page: self.pages, copyback: false });
                self.unread = true;
            }
            Effect::CacheReadEnd(kind) => {
                self.cache_reads.retain(|other| *other != kind);
                self.output_register = self.page_register;
                self.unread = true;
            }
            Effect::CacheProgramStart(kind) => self.cache_programs.push(kind),
            Effect::CacheProgramEnd(kind) => self.cache_programs.retain(|other| *other != kind),
            Effect::DataOut => self.unread = false,
            Effect::Suspend(axis) => self.suspended.push(axis),
            Effect::Resume(axis) => self.suspended.retain(|other| *other != axis),
            Effect::ResetDie | Effect::ResetTarget => {
                *self = Self {
                    one_shot: None,
                    copyback: None,
                    cache_reads: Vec::new(),
                    cache_programs: Vec::new(),
                    suspended: Vec::new(),
                    odt_off: self.odt_off,
                    write_protected: self.write_protected,
                    page_register: None,
                    output_register: None,
                    unread: false,
                    pages: self.pages,
                };
            }
            Effect::OdtDisable => self.odt_off = true,
            Effect::OdtEnable => self.odt_off = false,
            Effect::WriteProtectOn => self.write_protected = true,
            Effect::WriteProtectOff => self.write_protected = false,
            Effect::CopybackSource | Effect::StatusRead | Effect::Delay => {}
        }
    }

    fn invalidate(&mut self) {
        self.page_register = None;
        self.output_register = None;
        self.unread = false;
    }
}

/// Checks whether each step of a chain has an operation that fits the first one.
pub(super) fn names_fit(profile: &Profile, first: OpId, chain: &Chain) -> Result<(), String> {
    let mut cell_types = bit(profile, first);
    for (at, step) in chain.steps.iter().enumerate() {
        let fitting = fitting(profile, first, cell_types, step);
        if fitting.is_empty() {
            let multi = if profile.ops[first].multi { "multi-plane" } else { "single-plane" };
            let name = &profile.bases[step.base].name;
            let wanted = if step.same_cell_type { " of the cell type before it" } else { "" };
            return Err(format!("no {multi} operation{wanted} fits its step {} ({name})", at + 1));
        }
        let found = fitting.iter().fold(0, |set, op| set | bit(profile, *op));
        // An operation of the cell type NONE passes on the cell type of the step before it.
        let none = found & any_bit(profile) != 0;
        cell_types = if step.same_cell_type && none { cell_types | (found & !any_bit(profile)) } else { found };
    }
    Ok(())
}

/// The operations that fit a step. `cell_types` has a bit for each cell type that the step before it may have.
pub(super) fn fitting(profile: &Profile, first: OpId, cell_types: u8, step: &ChainStep) -> Vec<OpId> {
    let none = any_bit(profile);
    let of_base = || profile.ops.iter_ids().filter(|(_, op)| op.base == step.base);
    // A step whose base has only single-plane operations is run once for each plane.
    let only_single = of_base().all(|(_, op)| !op.multi);
    let fits = |(id, op): &(OpId, &crate::model::Op)| {
        let multi = !step.multi || only_single || op.multi == profile.ops[first].multi;
        let own = bit(profile, *id);
        let cell_type = !step.same_cell_type || own & (cell_types | none) != 0 || cell_types & none != 0;
        multi && cell_type
    };
    of_base().filter(fits).map(|(id, _)| id).collect()
}

/// The cell type of an operation as a bit.
pub(super) fn bit(profile: &Profile, op: OpId) -> u8 {
    1 << profile.ops[op].cell_type.0
}

/// The bit of the cell type that fits every address; 0 if there is none.
pub(super) fn any_bit(profile: &Profile) -> u8 {
    profile.any_cell_type().map_or(0, |id| 1 << id.0)
}

/// Reports follow-ups whose chain can never complete.
pub(super) fn check(profile: &Profile, diagnostics: &mut Diagnostics) {
    for (id, base) in profile.bases.iter_ids() {
        for follow_up in &base.follow_ups {
            let Some(chain) = follow_up.chain else { continue };
            let Err(why) = chain_can_complete(profile, id, chain) else { continue };
            let (chain, first) = (quoted(&profile.chains[chain].name), quoted(&base.name));
            let message = format!("the chain {chain} after {first} can never complete: {why}");
            let diagnostic = if follow_up.weight > 0.0 {
                Diagnostic::warning("chain-cannot-complete", message).help("it is never proposed")
            } else {
                Diagnostic::note("chain-cannot-complete", message).help("it has no weight either")
            };
            diagnostics.push(diagnostic);
        }
    }
}
