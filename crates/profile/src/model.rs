//! The resolved device profile: everything the engine, the verifier and the exporters may know of a device.
//!
//! All names are resolved to indices and all times to [`Ticks`]; behaviour is data ([`Effect`], [`AddressSource`]), so that
//! no reader of a [`Profile`] ever compares the name of a base or an operation. Reading and writing profiles happens in the
//! other modules of this crate; this one only says what a profile *is*.

mod axis;
mod effect;
mod exclusion;

pub use axis::{Axis, ByAxis};
pub use effect::{ArrayWork, CacheProgramKind, CacheReadKind, Effect, LatchKind, LatchLevel, LatchNeed};
pub use exclusion::{DeviceState, ExclusionGroup, Exclusions};

use crate::ids::{BaseId, BaseSet, CellTypeId, IdVec, OpId, PhaseKey};
use crate::units::Ticks;
use serde::{Deserialize, Serialize};

/// A device, completely described.
#[derive(Clone, PartialEq, Debug)]
pub struct Profile {
    /// What the device is called, free text of one line.
    pub name: String,
    /// How many of everything there are.
    pub topology: Topology,
    /// The cell types, in the order of the file.
    pub cell_types: IdVec<CellTypeId, CellType>,
    /// How proposals are made.
    pub policies: Policies,
    /// Named latencies, in the order of the file.
    pub latencies: Vec<(String, Ticks)>,
    /// Classes of behaviour.
    pub bases: IdVec<BaseId, Base>,
    /// Concrete commands.
    pub ops: IdVec<OpId, Op>,
    /// The exclusion tables.
    pub exclusions: Exclusions,
    /// Bases whose single-plane operations may overlap one another on one die (plane-interleaved reads).
    pub interleaved: BaseSet,
    /// A read needs `page ≤ last programmed page − offset_guard`.
    pub offset_guard: u32,
    /// Named chains, referred to by [`FollowUp::chain`].
    pub chains: Vec<Chain>,
    /// Phase keys: [`PhaseKey::DEFAULT`], then for each base its phases other than ISSUE and its END.
    pub phase_keys: IdVec<PhaseKey, PhaseKeyInfo>,
    /// What the profile says of probabilities.
    pub probabilities: Probabilities,
    /// How sequences are written.
    pub export: Export,
    /// How bootstrap prepares a device.
    pub bootstrap: Bootstrap,
}

/// The size of the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Topology {
    /// Dies (LUNs), 1..=64.
    pub dies: u32,
    /// Planes of a die, 1..=8.
    pub planes: u32,
    /// Blocks of a die over all its planes, 1..=2^20 and at least one for each plane.
    pub blocks_per_die: u32,
    /// Pages of a block, 1..=65535.
    pub pages_per_block: u32,
}

/// How a block is erased, programmed, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CellType {
    /// The name in payloads (`SLC`, `TLC`, …).
    pub name: String,
    /// The cell types that may be programmed on a block erased as this one (bit per [`CellTypeId`]; itself included).
    pub programs: u8,
}

/// How proposals are made (spec "Generating sequences").
#[derive(Clone, PartialEq, Debug)]
pub struct Policies {
    /// How long a proposal may wait for the bus.
    pub admission_window: Ticks,
    /// The period of the refill hooks, > 0.
    pub queue_refill_period: Ticks,
    /// The most planes of a multi-plane operation, ≥ 1.
    pub max_planes: u32,
    /// How many names a hook draws before it gives up, ≥ 1.
    pub max_tries: u32,
    /// From the end of a chain step to the due time of the next.
    pub sequence_gap: Ticks,
    /// Whether a DOUT after a multi-plane read becomes one DOUT per plane.
    pub split_dout_per_plane: bool,
    /// Operations start on multiples of this, > 0.
    pub time_resolution: Ticks,
    /// A hook after a phase falls within this of its end.
    pub post_hook_window: Ticks,
    /// Whether a refill hook on an idle plane uses `BASE.END` instead of `DEFAULT`.
    pub refill_uses_end_key: bool,
}

/// What an operation occupies from its start to the end of its last phase other than DATA_IN and DATA_OUT.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scope {
    /// Nothing but the bus.
    None,
    /// Its target planes.
    PlaneSet,
    /// Every plane of its die.
    Die,
    /// Every plane of every die: a command without a die address.
    Target,
}

/// One stage of an operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum PhaseKind {
    /// Command, address and data cycles.
    Issue,
    /// The array works.
    CoreBusy,
    /// A window after the array is done in which the next program may be loaded.
    DataIn,
    /// A window after the array is done in which data may be put out.
    DataOut,
}

impl PhaseKind {
    /// All kinds, in the order in which they may follow one another.
    pub const ALL: [Self; 4] = [Self::Issue, Self::CoreBusy, Self::DataIn, Self::DataOut];

    /// The name in profiles and outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issue => "ISSUE",
            Self::CoreBusy => "CORE_BUSY",
            Self::DataIn => "DATA_IN",
            Self::DataOut => "DATA_OUT",
        }
    }

    /// Whether this is a window for pipelining, during which the operation no longer occupies its planes.
    #[must_use]
    pub const fn is_window(self) -> bool {
        match self {
            Self::Issue | Self::CoreBusy => false,
            Self::DataIn | Self::DataOut => true,
        }
    }
}

/// A phase of a base.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Phase {
    /// Which stage it is.
    pub kind: PhaseKind,
    /// Whether it holds the IO bus of the site.
    pub bus: bool,
    /// The duration of operations that state none of their own (legacy files; unused otherwise).
    pub default_duration: Option<Ticks>,
}

/// A field of a payload object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PayloadField {
    /// `die`
    Die,
    /// `plane`
    Plane,
    /// `block`
    Block,
    /// `page`
    Page,
    /// `celltype`
    CellType,
    /// `exp_val`, the expected status
    ExpectedStatus,
}

impl PayloadField {
    /// All fields in their usual order.
    pub const ALL: [Self; 6] = [Self::Die, Self::Plane, Self::Block, Self::Page, Self::CellType, Self::ExpectedStatus];

    /// The JSON key.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Die => "die",
            Self::Plane => "plane",
            Self::Block => "block",
            Self::Page => "page",
            Self::CellType => "celltype",
            Self::ExpectedStatus => "exp_val",
        }
    }
}

/// Where an operation's address comes from when it is proposed by itself, outside a chain.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AddressSource {
    /// No address: the payload names no plane, block or page (it may name the die of the hook).
    None,
    /// The die and plane of the hook.
    Hook,
    /// Sampled: any good block not in flight, page 0 (erase, threshold check).
    AnyBlock,
    /// Sampled: the next page of a block that may be programmed with the operation's cell type.
    NextPage,
    /// Sampled: a readable page of the operation's cell type.
    ReadablePage,
    /// What the output register of the plane holds (data output).
    OutputRegister,
    /// What the page register of the plane holds (end of a cache read).
    PageRegister,
    /// The address of the program suspended on the die (recovery read).
    SuspendedProgram,
    /// The address the one-shot latch of the die is loaded for.
    OneShotLatch,
    /// The address the copyback latch of the die is loaded for.
    CopybackLatch,
}

/// A class of behaviour.
#[derive(Clone, PartialEq, Debug)]
pub struct Base {
    /// The name (`PROGRAM_SLC`).
    pub name: String,
    /// What it occupies.
    pub scope: Scope,
    /// Whether its phases are op_states of its planes.
    pub affects_state: bool,
    /// Needs only the bus; may be issued while its planes are busy.
    pub instant: bool,
    /// ISSUE first, then at most CORE_BUSY, then at most one window.
    pub phases: Vec<Phase>,
    /// Where the address of a proposal comes from.
    pub address: AddressSource,
    /// What it does.
    pub effects: Vec<Effect>,
    /// The fields of each payload object, in order.
    pub payload: Vec<PayloadField>,
    /// What may follow it; the weights need not sum to 1. Empty: it stands alone.
    pub follow_ups: Vec<FollowUp>,
}

impl Base {
    /// Whether the base lists an effect.
    #[must_use]
    pub fn has(&self, effect: Effect) -> bool {
        self.effects.contains(&effect)
    }

    /// Whether the payload has a field.
    #[must_use]
    pub fn payload_has(&self, field: PayloadField) -> bool {
        self.payload.contains(&field)
    }

    /// Whether the base has a phase of this kind.
    #[must_use]
    pub fn has_phase(&self, kind: PhaseKind) -> bool {
        self.phases.iter().any(|phase| phase.kind == kind)
    }
}

/// One possible continuation of a base.
#[derive(Clone, PartialEq, Debug)]
pub struct FollowUp {
    /// The relative weight, finite and ≥ 0.
    pub weight: f64,
    /// Index into [`Profile::chains`]; `None` means "no follow-up".
    pub chain: Option<usize>,
}

/// Operations that follow a first one; all must run, in order.
#[derive(Clone, PartialEq, Debug)]
pub struct Chain {
    /// The name (`CACHE_READ.SEQ`); for a chain of one further base, that base's name, and then not unique:
    /// each base that continues so has its own entry with its own inheritance.
    pub name: String,
    /// The steps after the first operation.
    pub steps: Vec<ChainStep>,
    /// Weights of op names for the steps of a base; bases not listed draw uniformly among the names that fit.
    pub name_weights: Vec<(BaseId, Vec<(OpId, f64)>)>,
}

/// One step of a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChainStep {
    /// Its base.
    pub base: BaseId,
    /// Where its address comes from.
    pub address: StepAddress,
    /// Whether its cell type is that of the step before it (names of a cell type called NONE fit always).
    pub same_cell_type: bool,
    /// Whether it is multi-plane exactly when the first operation is.
    pub multi: bool,
    /// Whether it uses the same planes as the step before it (implied by every page inheritance).
    pub same_plane: bool,
}

/// Where the address of a chain step comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StepAddress {
    /// Sampled anew, on the planes of the first operation where registers demand it.
    Sampled,
    /// The block and page of the step before.
    SamePage,
    /// The block of the step before, its page + 1.
    IncPage,
    /// The block and page of the last program of the chain; before the first one, sampled anew.
    ProgramSamePage,
    /// The address of the suspended program.
    SuspendedProgram,
    /// What the output register will hold.
    PreviousPage,
    /// The register (parameter, feature) of the step before; it has no address in the payload.
    SameRegister,
}

/// Whose status a status read asks for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StatusOf {
    /// The die of the payload.
    Die,
    /// The plane of the payload first (plane-level reads), then its die.
    Plane,
    /// This die, whatever the hook.
    Lun(u8),
}

/// A concrete command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Op {
    /// The name (`Block_Erase_SLC`).
    pub name: String,
    /// Its class of behaviour.
    pub base: BaseId,
    /// Whether it addresses two or more planes at once.
    pub multi: bool,
    /// Its cell type; the one called NONE fits every address.
    pub cell_type: CellTypeId,
    /// The duration of each phase of the base, in the order of [`Base::phases`].
    pub durations: Vec<Ticks>,
    /// For status reads: whose status.
    pub status_of: Option<StatusOf>,
    /// The number in the `op_id` column, 0 unless mapped.
    pub opcode: u32,
}

/// What a phase key stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhaseKeyInfo {
    /// The name: `DEFAULT`, `READ.CORE_BUSY`, `READ.END`.
    pub name: String,
    /// The base; `None` for `DEFAULT`.
    pub base: Option<BaseId>,
    /// The phase; `None` for `DEFAULT` and for `BASE.END`.
    pub phase: Option<PhaseKind>,
}

/// Whose probability an override states.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OverrideOf {
    /// A mass shared evenly among the base's candidates that have no entry of their own.
    Base(BaseId),
    /// One name's mass.
    Op(OpId),
}

/// What a profile says of probabilities.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Probabilities {
    /// Explicit distributions: phase key → (name, weight). Non-empty: used instead of a built table.
    pub phase_conditional: Vec<(PhaseKey, Vec<(OpId, f64)>)>,
    /// Final masses for every key.
    pub global: Vec<(OverrideOf, f64)>,
    /// Final masses for one key; they replace the global ones of the same base or name.
    pub by_key: Vec<(PhaseKey, Vec<(OverrideOf, f64)>)>,
}

/// How sequences are written.
#[derive(Clone, PartialEq, Debug)]
pub struct Export {
    /// `time` column = start in µs × scale.
    pub time_scale: f64,
    /// Decimals of the `time` column, 0..=9.
    pub round_decimals: u32,
    /// Whether what a RESUME resumes is left out of the sequence (always so; kept for the record).
    pub skip_resume_chained_ops: bool,
}

/// How bootstrap prepares a device.
#[derive(Clone, PartialEq, Debug)]
pub struct Bootstrap {
    /// Whether it runs when no flag says otherwise.
    pub enabled: bool,
    /// Distinct blocks to erase.
    pub erase_blocks: u32,
    /// Distinct blocks to program.
    pub program_blocks: u32,
    /// Distinct blocks to read.
    pub read_blocks: u32,
    /// Share of all blocks to read, 0..=1.
    pub read_coverage: f64,
    /// Relative weights of cell types.
    pub cell_type_weights: Vec<(CellTypeId, f64)>,
}

impl Profile {
    /// The phase key `BASE.PHASE` (`phase` given) or `BASE.END`; `None` for ISSUE and for phases the base lacks.
    #[must_use]
    pub fn phase_key(&self, base: BaseId, phase: Option<PhaseKind>) -> Option<PhaseKey> {
        self.phase_keys.iter_ids().find(|(_, info)| info.base == Some(base) && info.phase == phase).map(|(key, _)| key)
    }

    /// Builds the phase keys that follow from the bases, in their documented order.
    #[must_use]
    pub fn derive_phase_keys(bases: &IdVec<BaseId, Base>) -> IdVec<PhaseKey, PhaseKeyInfo> {
        let mut keys = IdVec::new();
        keys.push(PhaseKeyInfo { name: "DEFAULT".to_owned(), base: None, phase: None });
        for (id, base) in bases.iter_ids() {
            for phase in base.phases.iter().filter(|phase| phase.kind != PhaseKind::Issue) {
                let name = format!("{}.{}", base.name, phase.kind.name());
                keys.push(PhaseKeyInfo { name, base: Some(id), phase: Some(phase.kind) });
            }
            let name = format!("{}.END", base.name);
            keys.push(PhaseKeyInfo { name, base: Some(id), phase: None });
        }
        keys
    }
}
