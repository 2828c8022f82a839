//! The work of the commands for programs that call them, such as the Python package.
//!
//! What the program prints and tells is given to the caller. Nothing here ends the process or listens for signals: a caller passes a flag on
//! that abandons the work, where it can be abandoned. The variables of the environment that set flags do not count.

mod command;
mod counted;
mod device;
mod generation;

pub use self::command::{CommandAnswer, answer, shrink};
pub use self::counted::CountedCoverage;
pub use self::device::DeviceProfile;
pub use self::generation::{Generation, RunFacts};
pub use crate::failure::Refusal;
pub use crate::placed_problem::PlacedProblem;
