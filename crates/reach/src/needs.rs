//! The needs of operations, and the operations that meet them.

use std::collections::BTreeSet;

use nandseq_device::{BaseInfo, Precondition, StateChange};
use nandseq_profile::model::{AddressSource, Axis, DeviceState, LatchKind};
use nandseq_profile::{BaseId, CellTypeId, PhaseKey};

use crate::lasting::Lasting;
use crate::model::{Model, NameClassId};
use crate::reason::Reason;

/// A need of an operation that another operation can meet. Where a need has a cell type, `None` stands for any.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// A phase or the END of an operation of this base: the operation with the need has a weight only under those phase keys.
    PhaseOf(BaseId),
    /// A block whose erase allows programs of this cell type.
    ErasedBlock(Option<CellTypeId>),
    /// A page that is programmed with this cell type; with any for `None`.
    ProgrammedPage(Option<CellTypeId>),
    /// An operation of this axis in CORE_BUSY.
    Busy(Axis),
    /// A RESUME of this axis: a SUSPEND starts only if a name with a weight resumes its axis.
    Resume(Axis),
    /// An operation of this axis that is suspended.
    Suspended(Axis),
    /// The end of a state that forbids the operation.
    EndOf(DeviceState),
    /// A loaded latch.
    Latch(LatchKind),
    /// A page register that holds a page of this cell type.
    PageRegister(Option<CellTypeId>),
    /// A page register that a copyback read filled.
    CopybackRegister,
    /// An output register that holds a page of this cell type.
    OutputRegister(Option<CellTypeId>),
    /// A data output: without it the operation would overwrite unread data.
    DataOutput,
    /// An operation of this base: a step without which a chain of the operation cannot run.
    Step(BaseId),
    /// An operation that begins a chain in which this operation is a step. No phase key gives this operation a weight.
    Head,
}

impl Model<'_> {
    /// Whether a phase key can come up if only the classes in `runs` run: it is DEFAULT, or one of them becomes the op_state of
    /// planes, and has this base.
    pub(crate) fn key_comes_up(&self, key: PhaseKey, runs: &[bool]) -> bool {
        let of_base = |base: BaseId| {
            let is_shown = self.tables.base(base).becomes_op_state();
            is_shown && self.of_base[base.index()].iter().any(|&class| runs[usize::from(class)])
        };
        self.profile.phase_keys[key].base.is_none_or(of_base)
    }

    /// The reason why a class cannot run if only the classes in `runs` run; `None` if it can.
    pub(crate) fn reason_against(&self, class: NameClassId, runs: &[bool]) -> Option<Reason> {
        let (own, info) = (self.class(class), self.base(class));
        let keys = &self.proposed_under[usize::from(class)];
        let comes_up = |base: BaseId| self.of_base[base.index()].iter().any(|&class| runs[usize::from(class)]);
        let is_drawn = || keys.iter().any(|key| key.is_none_or(comes_up));
        if !own.exists {
            return Some(Reason::Missing);
        }
        let is_in_chain = || !self.heads_of(class, |head| runs[usize::from(head)]).is_empty();
        if info.effects.delay && !is_in_chain() {
            return Some(Reason::Delay);
        }
        if !is_drawn() && !is_in_chain() {
            let is_step = || !self.heads_of(class, |_| true).is_empty();
            return Some(match own.proposed {
                true => Reason::NoHook,
                false if is_step() => Reason::NoHead,
                false => Reason::NoWeight,
            });
        }
        if let Err(reason @ (Reason::BadBlocks | Reason::NoRegion)) = self.address_exists(class) {
            return Some(reason);
        }
        let met = |(_, providers): (Need, Vec<NameClassId>)| providers.iter().any(|&class| runs[usize::from(class)]);
        // A SUSPEND needs a RESUME and a RESUME needs a SUSPEND. The need of the SUSPEND is left out, so that neither rules out the other.
        let waits = |reason: &Reason| !matches!(reason, Reason::NoResume(_));
        self.constant_needs(class)
            .into_iter()
            .filter(waits)
            .find(|&reason| !self.needs(class, reason, &[]).into_iter().all(met))
    }

    /// The needs that a class has in every state. Each is given as the reason of the refusal when the need is not met.
    pub(crate) fn constant_needs(&self, class: NameClassId) -> Vec<Reason> {
        let info = self.base(class);
        let mut reasons = match info.address {
            AddressSource::NextPage | AddressSource::ReadablePage => vec![Reason::CellType],
            AddressSource::OutputRegister => vec![Reason::OutputRegister],
            AddressSource::PageRegister => vec![Reason::PageRegister],
            AddressSource::SuspendedProgram => vec![Reason::SuspendedProgram],
            AddressSource::OneShotLatch => vec![Reason::Latch(LatchKind::OneShot)],
            AddressSource::CopybackLatch => vec![Reason::Latch(LatchKind::Copyback)],
            AddressSource::None | AddressSource::Hook | AddressSource::AnyBlock => Vec::new(),
        };
        for need in info.effects.needs() {
            match need {
                Precondition::InCoreBusy(axis) => {
                    reasons.extend([Reason::NoSuspendTarget(axis), Reason::NoResume(axis)]);
                }
                Precondition::Suspended(axis) => reasons.push(Reason::NotSuspended(axis)),
                Precondition::CopybackPage => reasons.push(Reason::CopybackRegister),
                // These hold on an idle device, follow from the address or the chain, or are left to the search (`PageToReadOn`).
                Precondition::NothingUnread
                | Precondition::PageToReadOn
                | Precondition::PageToPutOut
                | Precondition::Output
                | Precondition::Latch(..)
                | Precondition::NextOfCacheProgram
                | Precondition::NothingInFlight(_) => {}
            }
        }
        reasons
    }

    /// The needs that may be unmet where `reason` blocks a class, each with the classes that would meet it.
    pub(crate) fn needs(&self, class: NameClassId, reason: Reason, keys: &[PhaseKey]) -> Vec<(Need, Vec<NameClassId>)> {
        let own = self.class(class);
        let cell = own.cell;
        let fits = |other: NameClassId| cell.is_none() || self.class(other).cell.is_none_or(|held| Some(held) == cell);
        let with = |wanted: &dyn Fn(&BaseInfo) -> bool| self.classes_that(|class| wanted(self.base(class)));
        match reason {
            Reason::NoHook => self.bases_of(keys),
            Reason::CellType => self.address_needs(class),
            Reason::NoSuspendTarget(axis) => vec![self.busy(axis)],
            Reason::NoResume(axis) => vec![(Need::Resume(axis), with(&|info| info.effects.resume == Some(axis)))],
            Reason::NotSuspended(axis) | Reason::State(DeviceState::NotSuspended(axis)) => self.suspended(axis),
            Reason::SuspendedProgram => self.suspended(Axis::Program),
            Reason::State(state) => {
                vec![(Need::EndOf(state), with(&|info| Lasting::Of(state).ended_by(info)))]
            }
            Reason::Latch(kind) => {
                let loads = |info: &BaseInfo| {
                    let loaded = |change: &StateChange| matches!(change, StateChange::Load(latch, _) if *latch == kind);
                    info.effects.at_end.iter().any(loaded)
                };
                // An operation that takes its address from a latch has the plane count of the load.
                let there =
                    matches!(self.base(class).address, AddressSource::OneShotLatch | AddressSource::CopybackLatch);
                let shape = |other: NameClassId| !there || self.class(other).multi == own.multi;
                let loads =
                    |other: NameClassId| other != class && fits(other) && shape(other) && loads(self.base(other));
                vec![(Need::Latch(kind), self.classes_that(loads))]
            }
            Reason::PageRegister => {
                let fills = |info: &BaseInfo| info.effects.reads_array();
                let others = self.classes_that(|other| other != class && fits(other) && fills(self.base(other)));
                vec![(Need::PageRegister(cell), others)]
            }
            Reason::CopybackRegister => {
                vec![(Need::CopybackRegister, with(&|info| info.effects.fill == Some(true)))]
            }
            Reason::OutputRegister => {
                let fills = |info: &BaseInfo| info.effects.reads_array() || info.effects.cache_read_end;
                let others = self.classes_that(|other| fits(other) && fills(self.base(other)));
                vec![(Need::OutputRegister(cell), others)]
            }
            Reason::UnreadData => vec![(Need::DataOutput, with(&|info| info.effects.data_out))],
            Reason::Excluded
            | Reason::NoWeight
            | Reason::NoHead
            | Reason::Delay
            | Reason::Missing
            | Reason::OnePlane
            | Reason::BadBlocks
            | Reason::NoRegion
            | Reason::OpState(_)
            | Reason::Occupied(_)
            | Reason::ProgramFirst
            | Reason::ChainUnderWay
            | Reason::NoChain => Vec::new(),
        }
    }

    /// The bases of the phase keys, each once, with their classes.
    fn bases_of(&self, keys: &[PhaseKey]) -> Vec<(Need, Vec<NameClassId>)> {
        self.each_base(keys.iter().filter_map(|&key| self.profile.phase_keys[key].base), Need::PhaseOf)
    }

    /// A need for each of some bases, met by the classes of the base.
    pub(crate) fn each_base(
        &self,
        bases: impl Iterator<Item = BaseId>,
        need: fn(BaseId) -> Need,
    ) -> Vec<(Need, Vec<NameClassId>)> {
        let bases: BTreeSet<BaseId> = bases.collect();
        bases.into_iter().map(|base| (need(base), self.of_base[base.index()].clone())).collect()
    }

    /// The erased block or programmed page that the address of a class needs, with the classes that make one.
    fn address_needs(&self, class: NameClassId) -> Vec<(Need, Vec<NameClassId>)> {
        let (own, info) = (self.class(class), self.base(class));
        let reads = info.address == AddressSource::ReadablePage;
        let cell = own.cell.filter(|_| reads || info.effects.is_program());
        let suits =
            |wanted: Option<CellTypeId>, held: Option<CellTypeId>| wanted.is_none() || held.is_none() || wanted == held;
        if reads {
            let programs = self.classes_that(|other| {
                let effects = &self.base(other).effects;
                (effects.program || effects.close) && suits(cell, self.class(other).cell)
            });
            return vec![(Need::ProgrammedPage(cell), programs)];
        }
        let programs = &self.tables.programs;
        let erases = self.classes_that(|other| {
            let erased = self.class(other).cell;
            let allows =
                |cell: CellTypeId| erased.is_none_or(|erased| programs[usize::from(erased.0)] >> cell.0 & 1 == 1);
            self.base(other).effects.erase && cell.is_none_or(allows)
        });
        vec![(Need::ErasedBlock(cell), erases)]
    }

    /// The needs of a suspended operation: a SUSPEND of the axis, and an operation in CORE_BUSY that it stops.
    fn suspended(&self, axis: Axis) -> Vec<(Need, Vec<NameClassId>)> {
        let suspends = self.classes_that(|class| self.base(class).effects.suspend == Some(axis));
        vec![(Need::Suspended(axis), suspends), self.busy(axis)]
    }

    /// The need of an operation in CORE_BUSY.
    fn busy(&self, axis: Axis) -> (Need, Vec<NameClassId>) {
        let is_busy = |class| self.class(class).busy && self.base(class).effects.is_of(axis);
        (Need::Busy(axis), self.classes_that(is_busy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Start;
    use crate::sample::{device, op, table};

    #[test]
    fn a_need_names_the_operations_that_meet_it() {
        let profile = device("EraseA: 0.5, Program: 0.1, Read: 0.4", "");
        let model = Model::new(&profile, table(&profile), Start::default());
        let class = |name| model.of_op[op(&profile, name).index()];
        let slc = model.class(class("Program")).cell;
        let needs = |name, reason| model.needs(class(name), reason, &[]);
        assert_eq!(needs("Program", Reason::CellType), [(Need::ErasedBlock(slc), vec![class("EraseA")])]);
        assert_eq!(needs("Read", Reason::CellType), [(Need::ProgrammedPage(slc), vec![class("Program")])]);
        assert_eq!(needs("Program", Reason::UnreadData), [(Need::DataOutput, vec![class("Out")])]);
        let suspended = needs("EraseA", Reason::State(DeviceState::NotSuspended(Axis::Erase)));
        assert_eq!(
            suspended,
            [(Need::Suspended(Axis::Erase), Vec::new()), (Need::Busy(Axis::Erase), vec![class("EraseA")])]
        );
        let keys: Vec<PhaseKey> = profile.phase_keys.ids().collect();
        let bases = model.needs(class("Read"), Reason::NoHook, &keys);
        assert_eq!(bases.len(), profile.bases.len(), "each base once: {bases:?}");
    }
}
