//! The chains of a profile, with all that does not depend on the state made ready.

use std::collections::HashSet;

use nandseq_device::{DieLogic, Place, Reach, Tables};
use nandseq_profile::model::{AddressSource, StepAddress};
use nandseq_profile::{CellTypeId, OpId, PlaneSet, Profile};

/// Where the address of a step comes from.
#[derive(Clone, Copy)]
pub(super) enum Source {
    Die,
    Same,
    Next,
    AnyBlock,
    NextPage,
    ReadablePage,
}

pub(super) struct TemplateStep {
    pub(super) source: Source,
    pub(super) per_plane: bool,
    pub(super) has_multi: bool,
    /// The names by plane count and cell type.
    names: Vec<Vec<OpId>>,
}

pub(super) struct Template {
    pub(super) id: u16,
    pub(super) steps: Vec<TemplateStep>,
}

impl TemplateStep {
    #[inline]
    pub(super) fn fitting(&self, multi: bool, cell: CellTypeId) -> &[OpId] {
        &self.names[usize::from(multi) * 8 + cell.index() % 8]
    }
}

impl Template {
    /// Whether the chain can run after its first operation, as far as the lasting state decides.
    pub(super) fn may_run(
        &self,
        tables: &Tables,
        logic: &DieLogic,
        (head, place): (OpId, Place),
        all: PlaneSet,
    ) -> bool {
        let mut logic = *logic;
        logic.carry_out(tables.base_of(head), &place);
        self.steps.iter().all(|step| {
            let multi = place.planes.len() > 1 && step.has_multi;
            let Some(&op) = step.fitting(multi, place.cell_type).first() else { return false };
            let info = tables.base_of(op);
            let allows = logic.allows(tables, info, &place, all);
            logic.carry_out(info, &place);
            allows
        })
    }
}

/// By base: each chain that may follow, with the sum of the weights up to it.
pub(super) fn templates(profile: &Profile, tables: &Tables) -> Vec<Vec<(u64, Option<Template>)>> {
    let mut ids = HashSet::new();
    let mut of_base = |base: &nandseq_profile::model::Base| {
        let mut until = 0;
        base.follow_ups
            .iter()
            .filter(|follow| follow.weight > 0.0)
            .map(|follow| {
                until += (follow.weight * (1u64 << 44) as f64) as u64;
                let template = follow.chain.map(|chain| {
                    ids.insert((base.name.clone(), chain));
                    template(profile, tables, chain, ids.len() as u16)
                });
                (until, template)
            })
            .collect()
    };
    profile.bases.iter().map(&mut of_base).collect()
}

fn template(profile: &Profile, tables: &Tables, chain: usize, id: u16) -> Template {
    let steps = profile.chains[chain].steps.iter().map(|step| {
        let info = tables.base(step.base);
        let names = [false, true].into_iter().flat_map(|multi| (0..8).map(move |cell| (multi, CellTypeId(cell))));
        let fitting = |(multi, cell): (bool, CellTypeId)| {
            let ops = tables.ops().filter(|(_, op)| op.base == step.base && op.multi == multi);
            ops.filter(|(_, op)| op.cell_type.is_none_or(|own| own == cell)).map(|(op, _)| op).collect()
        };
        let has_multi = tables.ops().any(|(_, op)| op.base == step.base && op.multi);
        let source = match (info.address, step.address) {
            (AddressSource::None | AddressSource::Hook, _) if info.reach != Reach::Planes => Source::Die,
            (_, StepAddress::IncPage) => Source::Next,
            (AddressSource::AnyBlock, StepAddress::Sampled) => Source::AnyBlock,
            (AddressSource::NextPage, StepAddress::Sampled) => Source::NextPage,
            (AddressSource::ReadablePage, StepAddress::Sampled) => Source::ReadablePage,
            _ => Source::Same,
        };
        let per_plane = info.reach == Reach::Planes || info.has_block;
        TemplateStep { source, per_plane, has_multi, names: names.map(fitting).collect() }
    });
    Template { id, steps: steps.collect() }
}
