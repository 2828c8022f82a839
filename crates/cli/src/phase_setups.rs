//! The setup of each phase of the inputs in force, for a campaign and for a trial.

use nandseq_generate::closure::CoverageModel;
use nandseq_generate::probability::Distributions;
use nandseq_generate::{Setup, SetupError};

use crate::in_force::InForce;

/// A phase for which no setup can be made.
pub(crate) struct FaultyPhase {
    /// Its place.
    pub(crate) phase: usize,
    pub(crate) error: SetupError,
}

/// The setup of each phase; without phases, one. Phases with the same table share what follows from it, which is most of a setup.
///
/// # Errors
/// When a phase gives no weight to any operation that could be proposed, or a scenario wants hits for too many values.
pub(crate) fn phase_setups(in_force: &InForce, model: Option<&CoverageModel>) -> Result<Vec<Setup>, FaultyPhase> {
    let plan = in_force.plan.as_ref();
    let mut of_tables: Vec<(&Distributions, Setup)> = Vec::new();
    let mut of_phases = Vec::new();
    for phase in 0..plan.map_or(0, |plan| plan.plan.phases.len()).max(1) {
        let faulty = |error| FaultyPhase { phase, error };
        let table = plan.and_then(|plan| plan.table(phase)).unwrap_or(&in_force.table.distributions);
        let known = of_tables.iter().find(|(known, _)| std::ptr::eq(*known, table));
        let setup = match known {
            Some((_, setup)) => setup.clone(),
            None => {
                let setup = Setup::new(&in_force.profile, table, &in_force.bad_blocks).map_err(faulty)?;
                let setup = match model {
                    Some(model) => setup.with_coverage_model(&in_force.profile, model.clone()),
                    None => setup,
                };
                of_tables.push((table, setup.clone()));
                setup
            }
        };
        let setup = setup.among_phases(&in_force.table.distributions);
        of_phases.push(match plan {
            None => setup,
            Some(plan) => {
                let setup = setup.with_mix(plan.mix(phase));
                let setup = setup.with_addresses(&plan.plan.addresses, &plan.addresses(phase));
                setup.with_scenarios(&plan.scenarios(phase)).map_err(faulty)?
            }
        });
    }
    Ok(of_phases)
}
