//! The operations that concern another die than that of their hook.

use nandseq_device::{BaseInfo, Reach, Tables};
use nandseq_profile::model::StatusOf;

use super::chain_templates::StepInfo;
use super::classes::{ClassSet, Classes};
use super::distribution::Distribution;

/// The operations that may concern a die from hooks on another.
#[derive(Clone, Default, Debug)]
pub(crate) struct AcrossDies {
    /// By chunk: the classes that may start somewhere and change every die.
    pub(crate) changing_all: Vec<ClassSet>,
    /// The dies that a name with a weight addresses from any die, a bit each.
    pub(crate) named: u64,
}

impl AcrossDies {
    /// Collects the names that a distribution or a chain may draw.
    pub(super) fn new(
        tables: &Tables,
        classes: &Classes,
        distributions: &[Distribution],
        chains: &[Vec<StepInfo>],
    ) -> Self {
        let mut changing_all: Vec<ClassSet> = (0..classes.chunks())
            .map(|chunk| distributions.iter().fold(ClassSet::NONE, |all, distribution| all | distribution.set(chunk)))
            .collect();
        for name in chains.iter().flatten().flat_map(|step| &step.names) {
            let id = classes.of(tables.op(name.op));
            changing_all[id.chunk()] |= id.bit();
        }
        for (chunk, all) in changing_all.iter_mut().enumerate() {
            *all &= classes.bits(chunk, |class| changes_other_dies(tables.base(class.base)));
        }
        let names = distributions.iter().flat_map(Distribution::names);
        let named = names.fold(0, |all, &(op, _)| match tables.op(op).status_of {
            Some(StatusOf::Lun(lun)) => all | 1 << lun,
            Some(StatusOf::Die | StatusOf::Plane) | None => all,
        });
        Self { changing_all, named }
    }
}

/// Whether an operation of a base may change a die that its address does not name.
pub(crate) const fn changes_other_dies(info: &BaseInfo) -> bool {
    let effects = &info.effects;
    let shows = info.affects_state && info.occupies;
    effects.changes_target || matches!(info.reach, Reach::Target) && (shows || !info.is_inert())
}
