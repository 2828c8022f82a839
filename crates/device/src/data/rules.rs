//! What of a profile decides whose data is where.

use nandseq_profile::model::{DataTransfer, LatchKind, LatchLevel, LatchNeed, PayloadField, Profile};
use nandseq_profile::{BaseId, CellTypeId, IdVec, OpId};

use crate::effects::{Effects, Precondition, StateChange};
use crate::tables::Tables;

/// What of a profile decides whose data is where, compiled.
#[derive(Clone, Debug)]
pub struct DataRules {
    ops: IdVec<OpId, Option<LatchLevel>>,
    bases: IdVec<BaseId, BaseRules>,
    /// Whether pages of a cell type are loaded level by level.
    has_levels: IdVec<CellTypeId, bool>,
}

/// What a base does with data, beside its state changes.
#[derive(Clone, Copy, Debug)]
struct BaseRules {
    /// The data that its payload names.
    passes: Option<DataTransfer>,
    /// The latch whose levels it programs.
    consumes: Option<LatchKind>,
    loads: Option<Loads>,
}

/// What a load puts into a latch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Loads {
    pub(super) latch: LatchKind,
    pub(super) level: LatchLevel,
    /// Whether the levels below stay as they are loaded. A load that needs no level starts anew.
    pub(super) keeps_below: bool,
}

impl DataRules {
    /// The rules of a profile; `None` if no payload has data.
    #[must_use]
    pub fn new(profile: &Profile, tables: &Tables) -> Option<Self> {
        let base = |id| {
            let base = &profile.bases[id];
            let passes = base.data_transfer().filter(|_| base.payload_has(PayloadField::Data));
            let effects = &tables.base(id).effects;
            let mut rules = BaseRules { passes, consumes: None, loads: None };
            effects.at_end.iter().for_each(|change| rules.note(effects, *change));
            rules
        };
        profile.expects_data().then(|| Self {
            ops: profile.ops.iter().map(|op| op.reads).collect(),
            bases: profile.bases.ids().map(base).collect(),
            has_levels: profile.cell_types.ids().map(|cell_type| profile.has_levels(cell_type)).collect(),
        })
    }

    /// The data that the payload of a base names.
    pub(super) fn passes(&self, base: BaseId) -> Option<DataTransfer> {
        self.bases[base].passes
    }

    /// What a base puts into a latch.
    pub(super) fn loads(&self, base: BaseId) -> Option<Loads> {
        self.bases[base].loads
    }

    /// The latch whose levels a base programs.
    pub(super) fn consumes(&self, base: BaseId) -> Option<LatchKind> {
        self.bases[base].consumes
    }

    /// The level of a page of a cell type that an operation reads; `None` if nobody can tell. Of a page with one level it is any.
    pub(super) fn level(&self, op: OpId, cell_type: CellTypeId) -> Option<LatchLevel> {
        self.ops[op].or_else(|| (!self.has_levels[cell_type]).then_some(LatchLevel::Lsb))
    }
}

impl BaseRules {
    /// Notes what a change at the end does to latches.
    fn note(&mut self, effects: &Effects, change: StateChange) {
        match change {
            StateChange::Load(latch, level) => {
                let names_level = |need| match need {
                    Precondition::Latch(of, needs) => of == latch && needs != LatchNeed::default(),
                    Precondition::CopybackPage
                    | Precondition::NothingUnread
                    | Precondition::PageToReadOn
                    | Precondition::PageToPutOut
                    | Precondition::Output
                    | Precondition::NextOfCacheProgram
                    | Precondition::Suspended(_)
                    | Precondition::InCoreBusy(_)
                    | Precondition::NothingInFlight(_) => false,
                };
                self.loads = Some(Loads { latch, level, keeps_below: effects.needs().any(names_level) });
            }
            StateChange::Clear(latch) => self.consumes = Some(latch),
            StateChange::EmptyRegisters
            | StateChange::EmptyResumed(_)
            | StateChange::Fill { .. }
            | StateChange::EnterCacheRead(_)
            | StateChange::ReadOn
            | StateChange::EndCacheRead(_)
            | StateChange::PutOut
            | StateChange::EnterCacheProgram(_)
            | StateChange::EndCacheProgram(_)
            | StateChange::EndSuspension(_)
            | StateChange::Reset
            | StateChange::SwitchOdt { .. }
            | StateChange::SwitchWriteProtect { .. } => {}
        }
    }
}
