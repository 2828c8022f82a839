//! The resolved profile: everything that the engine, the verifier and the writers know of a device.
//!
//! All names are resolved to indices and all times to [`Ticks`]. Behaviour is data ([`Effect`], [`AddressSource`]), so no reader
//! of a [`Profile`] compares names of bases or operations. Leaves out reading and writing profiles.

mod axis;
mod effect;
mod exclusion;
mod expectations;

pub use axis::{Axis, ByAxis};
pub(crate) use effect::AddressNeed;
pub use effect::{
    ArrayWork, CacheProgramKind, CacheReadKind, DataTransfer, Effect, EffectProperties, LatchKind, LatchLevel,
    LatchNeed,
};
pub use exclusion::{DeviceState, ExclusionGroup, Exclusions};
pub use expectations::{Expectations, StatusField};

use crate::ids::{BaseId, BaseSet, CellTypeId, IdVec, OpId, PhaseKey};
use crate::units::Ticks;
use serde::{Deserialize, Serialize};

/// The complete description of a device.
#[derive(Clone, PartialEq, Debug)]
pub struct Profile {
    /// The name of the device: one line of text.
    pub name: String,
    /// The size of the device.
    pub topology: Topology,
    /// The cell types, in the order of the file.
    pub cell_types: IdVec<CellTypeId, CellType>,
    /// The settings of generation.
    pub policies: Policies,
    /// Named latencies, in the order of the file.
    pub latencies: Vec<(String, Ticks)>,
    /// The bases: kinds of operations.
    pub bases: IdVec<BaseId, Base>,
    /// The operations.
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
    /// The probabilities that the profile states.
    pub probabilities: Probabilities,
    /// The form of written sequences.
    pub export: Export,
    /// The settings of bootstrap.
    pub bootstrap: Bootstrap,
}

/// The size of the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Topology {
    /// The number of dies (LUNs), 1..=64.
    pub dies: u32,
    /// The number of planes of a die, 1..=8.
    pub planes: u32,
    /// The number of blocks of a die over all its planes, 1..=2^20, and at least one for each plane.
    pub blocks_per_die: u32,
    /// The number of pages of a block, 1..=65535.
    pub pages_per_block: u32,
}

/// A cell type: the way in which a block is erased, programmed and read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CellType {
    /// The name in payloads (`SLC`, `TLC`, …).
    pub name: String,
    /// The cell types that may be programmed on a block that was erased with this one: one bit for each [`CellTypeId`], including
    /// its own.
    pub programs: u8,
}

impl CellType {
    /// The name of the cell type that fits every address.
    pub const ANY: &'static str = "NONE";
}

/// The settings of generation.
#[derive(Clone, PartialEq, Debug)]
pub struct Policies {
    /// How long a proposal may wait for the bus.
    pub admission_window: Ticks,
    /// The time between refill hooks, above 0.
    pub queue_refill_period: Ticks,
    /// The most planes of a multi-plane operation, at least 1.
    pub max_planes: u32,
    /// The most names that a hook draws before it gives up, at least 1.
    pub max_tries: u32,
    /// The time from the end of a chain step to the due time of the next.
    pub sequence_gap: Ticks,
    /// Whether the data output after a multi-plane read becomes one operation for each plane.
    pub split_dout_per_plane: bool,
    /// The time grid: operations start at its multiples. Above 0.
    pub time_resolution: Ticks,
    /// The longest time from the end of a phase to the hook after it.
    pub post_hook_window: Ticks,
    /// Whether a refill hook on an idle plane uses `BASE.END` instead of `DEFAULT`.
    pub refill_uses_end_key: bool,
}

impl Policies {
    /// The policies of a profile that states none.
    pub const DEFAULT: Self = Self {
        admission_window: Ticks(500_000),
        queue_refill_period: Ticks::from_us(100),
        max_planes: 4,
        max_tries: 4,
        sequence_gap: Ticks::from_us(1),
        split_dout_per_plane: true,
        time_resolution: Ticks(10_000),
        post_hook_window: Ticks::from_us(1),
        refill_uses_end_key: false,
    };
}

/// The planes that an operation occupies, from its start to the end of its last phase other than DATA_IN and DATA_OUT.
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

crate::named! {
    /// A kind of phase.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
    pub enum PhaseKind {
        /// Command, address and data cycles.
        Issue = "ISSUE",
        /// The array works.
        CoreBusy = "CORE_BUSY",
        /// A window after the array is done in which the next program may be loaded.
        DataIn = "DATA_IN",
        /// A window after the array is done in which data may be put out.
        DataOut = "DATA_OUT",
    }
    /// All kinds, in the order in which they may follow one another.
    pub const ALL;
    /// The name in profiles and outputs.
    pub const fn name;
}

impl PhaseKind {
    /// Whether the phase is a window for pipelining. During a window the operation no longer occupies its planes.
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
    /// The kind of phase.
    pub kind: PhaseKind,
    /// Whether it holds the bus of the site.
    pub bus: bool,
    /// The duration of operations that state none of their own; always `None` in profiles from legacy files.
    pub default_duration: Option<Ticks>,
}

crate::named! {
    /// A field of a payload object.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    pub enum PayloadField {
        /// `die`
        Die = "die",
        /// `plane`
        Plane = "plane",
        /// `block`
        Block = "block",
        /// `page`
        Page = "page",
        /// `celltype`
        CellType = "celltype",
        /// `exp_val`, the expected status
        ExpectedStatus = "exp_val",
        /// `data`, the operation whose data passes on the bus
        Data = "data",
    }
    /// All fields in their usual order.
    pub const ALL;
    /// The JSON key.
    pub const fn name;
}

/// Where the address of an operation comes from if it is the first operation of a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AddressSource {
    /// No address: the payload names no plane, block or page. It may name the die of the hook.
    None,
    /// The die and plane of the hook.
    Hook,
    /// Drawn: any good block that is not in flight, page 0 (erase, threshold check).
    AnyBlock,
    /// Drawn: the next page of a block that may be programmed with the operation's cell type.
    NextPage,
    /// Drawn: a readable page of the operation's cell type.
    ReadablePage,
    /// The page in the output register of the plane (data output).
    OutputRegister,
    /// The page in the page register of the plane (end of a cache read).
    PageRegister,
    /// The address of the program that is suspended on the die (recovery read).
    SuspendedProgram,
    /// The address that the one-shot latch of the die is loaded for.
    OneShotLatch,
    /// The address that the copyback latch of the die is loaded for.
    CopybackLatch,
}

/// A base: a kind of operation.
#[derive(Clone, PartialEq, Debug)]
pub struct Base {
    /// The name (`PROGRAM_SLC`).
    pub name: String,
    /// The planes that its operations occupy.
    pub scope: Scope,
    /// Whether its phases are op_states of its planes.
    pub affects_state: bool,
    /// Whether its operations need only the bus, so that they may start while their planes are busy.
    pub instant: bool,
    /// ISSUE first, then at most CORE_BUSY, then at most one window.
    pub phases: Vec<Phase>,
    /// Where the address of a proposal comes from.
    pub address: AddressSource,
    /// The effects of its operations.
    pub effects: Vec<Effect>,
    /// The fields of each payload object, in order.
    pub payload: Vec<PayloadField>,
    /// The chains that may follow its operations. The weights need not sum to 1. If there are none, no chain follows.
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

/// A possible continuation of the operations of a base.
#[derive(Clone, PartialEq, Debug)]
pub struct FollowUp {
    /// The relative weight, finite and ≥ 0.
    pub weight: f64,
    /// Index into [`Profile::chains`]; `None` if no chain follows.
    pub chain: Option<usize>,
}

/// The operations that follow a first one. All must run, in order.
#[derive(Clone, PartialEq, Debug)]
pub struct Chain {
    /// The name (`CACHE_READ.SEQ`). A chain of one step may have the name of the step's base. Such names are not unique, because
    /// every base with such a follow-up has a chain of its own.
    pub name: String,
    /// The steps after the first operation.
    pub steps: Vec<ChainStep>,
    /// Weights of op names for the steps of a base. The names of a base that is not listed have equal weights.
    pub name_weights: Vec<(BaseId, Vec<(OpId, f64)>)>,
}

/// A step of a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChainStep {
    /// The base of its operation.
    pub base: BaseId,
    /// Where its address comes from.
    pub address: StepAddress,
    /// Whether its cell type must be that of the step before it. Operations of the cell type NONE always fit.
    pub same_cell_type: bool,
    /// Whether it must be multi-plane exactly if the first operation is.
    pub multi: bool,
    /// Whether it uses the same planes as the step before it. An address that inherits a page implies it.
    pub same_plane: bool,
}

/// Where the address of a chain step comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StepAddress {
    /// Drawn anew, on the planes of the first operation if registers require it.
    Sampled,
    /// The block and page of the step before.
    SamePage,
    /// The block of the step before, and its page + 1.
    IncPage,
    /// The block and page of the last program of the chain. Before the first program, the address is drawn anew.
    ProgramSamePage,
    /// The address of the suspended program.
    SuspendedProgram,
    /// The page that the output register will hold.
    PreviousPage,
    /// The register (parameter, feature) of the step before. The payload does not name it.
    SameRegister,
}

/// Whose status a status read reads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StatusOf {
    /// The die of the payload.
    Die,
    /// The plane of the payload first (plane-level reads), then its die.
    Plane,
    /// This die, whatever the hook.
    Lun(u8),
}

/// An operation of the device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Op {
    /// The op name (`Block_Erase_SLC`).
    pub name: String,
    /// The base, which says how it behaves.
    pub base: BaseId,
    /// Whether it addresses two or more planes at once.
    pub multi: bool,
    /// Its cell type. The cell type NONE fits every address.
    pub cell_type: CellTypeId,
    /// The duration of each phase of the base, in the order of [`Base::phases`].
    pub durations: Vec<Ticks>,
    /// Whose status it reads; `None` unless it is a status read.
    pub status_of: Option<StatusOf>,
    /// The number in the `op_id` column, 0 if the profile gives none.
    pub opcode: u32,
    /// The level of a page that it reads; `None` unless the profile says it. Pages of cell types that are programmed at once have
    /// one level, which needs no name.
    pub reads: Option<LatchLevel>,
}

/// The meaning of a phase key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhaseKeyInfo {
    /// The name: `DEFAULT`, `READ.CORE_BUSY`, `READ.END`.
    pub name: String,
    /// The base; `None` for `DEFAULT`.
    pub base: Option<BaseId>,
    /// The phase; `None` for `DEFAULT` and for `BASE.END`.
    pub phase: Option<PhaseKind>,
}

/// The subject of a stated mass.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OverrideOf {
    /// A base. Its mass is shared evenly among its candidates that have no entry of their own.
    Base(BaseId),
    /// An operation.
    Op(OpId),
}

/// The probabilities that a profile states.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Probabilities {
    /// Explicit distributions: the weights of operations by phase key. If there are any, no table is built.
    pub phase_conditional: Vec<(PhaseKey, Vec<(OpId, f64)>)>,
    /// Masses under every phase key.
    pub global: Vec<(OverrideOf, f64)>,
    /// Masses under one phase key. They replace the global masses of the same base or operation.
    pub by_key: Vec<(PhaseKey, Vec<(OverrideOf, f64)>)>,
}

/// The form of written sequences.
#[derive(Clone, PartialEq, Debug)]
pub struct Export {
    /// The scale: the `time` column is the start in µs × the scale.
    pub time_scale: f64,
    /// The number of decimals of the `time` column, 0..=9.
    pub round_decimals: u32,
    /// Has no effect: a resumed operation never has a new row in the sequence. Kept so that files are read and written unchanged.
    pub skip_resume_chained_ops: bool,
    /// The fields of an expected status, which is then a list of words. If there are none, it is the word of
    /// [`StatusField::Ready`].
    pub status: Vec<StatusField>,
}

/// The settings of bootstrap.
#[derive(Clone, PartialEq, Debug)]
pub struct Bootstrap {
    /// Whether bootstrap runs if no flag says otherwise.
    pub enabled: bool,
    /// The number of distinct blocks to erase.
    pub erase_blocks: u32,
    /// The number of distinct blocks to program.
    pub program_blocks: u32,
    /// The number of distinct blocks to read.
    pub read_blocks: u32,
    /// The share of all blocks to read, 0..=1.
    pub read_coverage: f64,
    /// Relative weights of cell types.
    pub cell_type_weights: Vec<(CellTypeId, f64)>,
}

impl Profile {
    /// The cell type that fits every address, if the profile has one.
    #[must_use]
    pub fn any_cell_type(&self) -> Option<CellTypeId> {
        self.cell_types.iter_ids().find(|(_, cell_type)| cell_type.name == CellType::ANY).map(|(id, _)| id)
    }

    /// The phase key `BASE.PHASE`, or `BASE.END` if `phase` is `None`. `None` for ISSUE, and for a phase that the base does not
    /// have.
    #[must_use]
    pub fn phase_key(&self, base: BaseId, phase: Option<PhaseKind>) -> Option<PhaseKey> {
        self.phase_keys.iter_ids().find(|(_, info)| info.base == Some(base) && info.phase == phase).map(|(key, _)| key)
    }

    /// The phase keys of some bases, in the order of [`Profile::phase_keys`].
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
