//! The scripted policy: brings about the scenarios of a phase, beside what plain generation proposes.
//!
//! An attempt goes through the steps of a scenario on the dies that were drawn for it. Its operations are planned, admitted and judged like
//! those of any policy: nothing can start by it that may not start. What it draws comes from streams of its own.

mod act;
mod attempt;
mod conditions;
mod director;
mod draw;
mod prepare;
mod reached;
mod search;
mod state;

pub(crate) use director::{PhaseExtent, ScenarioDirector, StartedStep};
pub use reached::{ScenarioHit, ScenarioReached, ValueReached};
pub(crate) use search::StepSearch;
pub(crate) use state::ScenariosState;
