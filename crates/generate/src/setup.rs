//! Everything the generator looks up, compiled once from a profile and a probability table.
//!
//! Names with the same base, cell type and plane count are eligible together, so distributions are kept by such classes. CompiledSetup
//! weights are integers. A run reads [`Setup`] and never changes it. What follows from the profile and the table alone is shared by the setups
//! of all phases that have this table ([`CompiledSetup`]). It has a field for each policy of the profile that generation obeys, which is why it has
//! more than 15.

mod across_dies;
mod addresses;
mod bootstrap_stages;
mod chain_templates;
mod classes;
pub(crate) mod consequences;
pub(crate) mod coverage_model;
mod distribution;
mod error;
pub(crate) mod groups;
mod mix;
mod scenarios;

use std::ops::Deref;
use std::sync::Arc;

use nandseq_device::{DataRules, Tables};
use nandseq_plan::model::{AddressEntry, MixShare, Scenario};
use nandseq_profile::model::{Axis, ByAxis, StatusField};
use nandseq_profile::{Block, Die, OpId, PhaseKey, Profile, Ticks};

pub(crate) use across_dies::AcrossDies;
#[cfg(test)]
pub(crate) use across_dies::changes_other_dies;
pub(crate) use addresses::Addresses;
pub(crate) use bootstrap_stages::{BootstrapStages, Stage};
pub(crate) use chain_templates::{FollowUps, StepInfo, StepSource};
use chain_templates::{compile_chain, exists, follow_ups};
pub(crate) use classes::{CHUNK, Class, ClassId, ClassSet, Classes, places};
use coverage_model::CoverageModel;
pub(crate) use distribution::{Begins, Distribution, SIXTEENS, UNITS};
pub use error::SetupError;
use groups::Groups;
pub(crate) use mix::Mix;
pub use scenarios::ScenarioValue;
pub(crate) use scenarios::{CompiledScenario, ScenarioSet, is_wanted};

/// A profile, its probability table and its bad blocks, ready to generate from, with what a phase of a plan asks for. A clone shares what is
/// compiled.
#[derive(Clone, Debug)]
pub struct Setup {
    pub(crate) compiled: Arc<CompiledSetup>,
    /// The shares of what starts, if they are stated.
    pub(crate) mix: Option<Mix>,
    /// Where addresses are drawn.
    pub(crate) addresses: Addresses,
    /// What must happen, if anything.
    pub(crate) scenarios: Option<ScenarioSet>,
    /// By axis: a name that resumes and that some phase key can propose, here or in another phase of the plan.
    pub(crate) resuming: ByAxis<Option<OpId>>,
}

impl Deref for Setup {
    type Target = CompiledSetup;

    #[inline]
    fn deref(&self) -> &CompiledSetup {
        &self.compiled
    }
}

/// What follows from a profile, a probability table and bad blocks alone.
#[derive(Clone, Debug)]
pub struct CompiledSetup {
    pub(crate) tables: Tables,
    pub(crate) classes: Classes,
    pub(crate) groups: Groups,
    /// Names of operations, for messages.
    names: Vec<String>,
    pub(crate) bad_blocks: Vec<(Die, Block)>,
    pub(crate) distributions: Vec<Distribution>,
    /// By phase key: the index of its distribution.
    pub(crate) by_key: Vec<u16>,
    pub(crate) bootstrap: BootstrapStages,
    pub(crate) follow_ups: Vec<FollowUps>,
    pub(crate) chains: Vec<Vec<StepInfo>>,
    pub(crate) admission_window: Ticks,
    /// The time from one refill to the next, a multiple of the grid: refills are on the grid.
    pub(crate) refill_period: Ticks,
    pub(crate) max_planes: u32,
    pub(crate) max_tries: u32,
    pub(crate) gap: Ticks,
    pub(crate) post_hook_window: Ticks,
    pub(crate) refill_uses_end_key: bool,
    /// The coverage model, if there is one.
    pub(crate) coverage_model: Option<CoverageModel>,
    /// The operations that concern another die than that of their hook: see [`crate::dead`].
    pub(crate) across_dies: AcrossDies,
    /// What decides whose data is where, if payloads name it.
    pub(crate) data: Option<DataRules>,
    /// Whether an expected status says what is suspended.
    pub(crate) sees_suspension: bool,
}

impl Setup {
    /// Compiles a profile and its table. No operation on a block of `bad_blocks` is ever proposed.
    ///
    /// # Errors
    /// [`SetupError`] when no operation could ever be proposed.
    pub fn new(
        profile: &Profile,
        table: &[(PhaseKey, Vec<(OpId, f64)>)],
        bad_blocks: &[(Die, Block)],
    ) -> Result<Self, SetupError> {
        let tables = Tables::new(profile);
        let classes = Classes::new(&tables);
        let policies = &profile.policies;
        let resuming = resuming(&tables, table);
        let resumable = |axis: Option<Axis>| axis.is_none_or(|axis| resuming[axis].is_some());
        let usable =
            |op: OpId| is_usable(&tables, policies.max_planes, op) && resumable(tables.base_of(op).effects.suspend);
        let mut distributions = Vec::new();
        let mut by_key = vec![u16::MAX; profile.phase_keys.len()];
        for (key, entries) in table {
            by_key[key.index()] = distributions.len() as u16;
            distributions.push(Distribution::new(&tables, &classes, entries, usable));
        }
        let default = match by_key[PhaseKey::DEFAULT.index()] {
            u16::MAX => {
                distributions.push(Distribution::new(&tables, &classes, &[], usable));
                distributions.len() as u16 - 1
            }
            known => known,
        };
        let groups = Groups::new(&tables, &classes, profile.phase_keys.len());
        distributions.iter_mut().for_each(|distribution| distribution.note_idling(|chunk| groups.idling(chunk)));
        by_key.iter_mut().filter(|slot| **slot == u16::MAX).for_each(|slot| *slot = default);
        if distributions.iter().all(Distribution::is_empty) {
            return Err(SetupError::NothingToPropose);
        }
        let chains: Vec<_> = profile.chains.iter().map(|chain| compile_chain(profile, &tables, chain)).collect();
        let compiled = CompiledSetup {
            names: profile.ops.iter().map(|op| op.name.clone()).collect(),
            bad_blocks: bad_blocks.to_vec(),
            bootstrap: BootstrapStages::new(profile, &tables, &classes, usable),
            by_key,
            follow_ups: profile.bases.iter().map(follow_ups).collect(),
            across_dies: AcrossDies::new(&tables, &classes, &distributions, &chains),
            chains,
            admission_window: policies.admission_window,
            refill_period: policies.queue_refill_period.ceil_to(tables.grid),
            max_planes: policies.max_planes,
            max_tries: policies.max_tries,
            gap: policies.sequence_gap,
            post_hook_window: policies.post_hook_window,
            refill_uses_end_key: policies.refill_uses_end_key,
            coverage_model: None,
            data: DataRules::new(profile, &tables),
            sees_suspension: profile.export.status.iter().any(|field| *field != StatusField::Ready),
            distributions,
            groups,
            classes,
            tables,
        };
        let addresses = Addresses::default();
        Ok(Self { compiled: Arc::new(compiled), mix: None, addresses, scenarios: None, resuming })
    }

    /// The same setup with a coverage model: sites count its hits, and draw uncovered bins more often if it is directed.
    #[must_use]
    pub fn with_coverage_model(mut self, profile: &Profile, model: CoverageModel) -> Self {
        let model = model.compiled(profile, &self.tables, &self.classes);
        Arc::make_mut(&mut self.compiled).coverage_model = Some(model);
        self
    }

    /// The same setup for a phase of a plan. `all` is a table that gives weight to what the table of any phase does. What another
    /// phase has suspended can be resumed once more, so that its chain forbids nothing else here.
    #[must_use]
    pub fn among_phases(mut self, all: &[(PhaseKey, Vec<(OpId, f64)>)]) -> Self {
        let anywhere = resuming(&self.tables, all);
        self.resuming = ByAxis::new(|axis| self.resuming[axis].or(anywhere[axis]));
        self
    }

    /// The same setup with shares of what starts: sites steer the weights towards them. Without shares the table alone decides.
    #[must_use]
    pub fn with_mix(mut self, shares: &[MixShare]) -> Self {
        self.mix = (!shares.is_empty()).then(|| Mix::new(&self.tables, &self.distributions, shares));
        self
    }

    /// The same setup with the entries of a plan's addresses, of which some are in force, by their place among all: addresses are drawn from
    /// their regions and within their limits. What limits count is counted in every phase of the plan.
    #[must_use]
    pub fn with_addresses(mut self, entries: &[AddressEntry], in_force: &[usize]) -> Self {
        self.addresses = Addresses::new(&self.tables.size, entries, in_force);
        self
    }

    /// The same setup with scenarios that sites bring about, beside what the table says.
    ///
    /// # Errors
    /// [`SetupError::TooManyValues`] when a scenario has too many values of `each`.
    pub fn with_scenarios(mut self, scenarios: &[Scenario]) -> Result<Self, SetupError> {
        if !scenarios.is_empty() {
            let compiled = &*self.compiled;
            let tables = &compiled.tables;
            let (names, chains) = ((tables, &compiled.classes), (&*compiled.follow_ups, &*compiled.chains));
            self.scenarios = Some(ScenarioSet::new(names, chains, scenarios, |op| compiled.is_usable(op))?);
            let ops = || scenarios.iter().flat_map(|scenario| &scenario.steps).flat_map(|step| &step.ops).copied();
            let resumes =
                |axis| ops().find(|&op| compiled.is_usable(op) && tables.base_of(op).effects.resume == Some(axis));
            self.resuming = ByAxis::new(|axis| self.resuming[axis].or_else(|| resumes(axis)));
        }
        Ok(self)
    }
}

impl CompiledSetup {
    /// The name of an operation.
    pub(crate) fn name(&self, op: OpId) -> &str {
        &self.names[op.index()]
    }

    /// The distribution of a phase key, outside a bootstrap.
    pub(crate) fn distribution(&self, key: PhaseKey) -> &Distribution {
        &self.distributions[usize::from(self.by_key[key.index()])]
    }

    /// Whether the device has the LUN and planes that a name addresses, and proposals may address that many planes.
    pub(crate) fn is_usable(&self, op: OpId) -> bool {
        is_usable(&self.tables, self.max_planes, op)
    }

    /// All dies, a bit each.
    pub(crate) fn all_dies(&self) -> u64 {
        u64::MAX >> (64 - u32::from(self.tables.size.dies))
    }

    /// How many phase keys the profile has.
    pub(crate) fn phase_keys(&self) -> usize {
        self.by_key.len()
    }

    /// The device's compiled tables.
    #[must_use]
    pub const fn tables(&self) -> &Tables {
        &self.tables
    }
}

/// By axis: a name that resumes and to which some phase key gives weight.
fn resuming(tables: &Tables, table: &[(PhaseKey, Vec<(OpId, f64)>)]) -> ByAxis<Option<OpId>> {
    ByAxis::new(|axis| {
        let resumes = |op: &OpId| tables.base_of(*op).effects.resume == Some(axis);
        let entries = table.iter().flat_map(|(_, entries)| entries);
        entries.filter(|(_, mass)| *mass > 0.0).map(|&(op, _)| op).find(resumes)
    })
}

/// Whether the device has the LUN and planes that a name addresses, and proposals may address that many planes.
fn is_usable(tables: &Tables, max_planes: u32, op: OpId) -> bool {
    let info = tables.op(op);
    exists(tables, info) && (!info.multi || max_planes > 1)
}
