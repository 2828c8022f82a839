//! Dies on which nothing can ever start again.
//!
//! A die is *at rest* when nothing is in flight there, no phase is open, no chain or proposal waits for it, and no hook is to
//! come. Then only refills propose there, always in the same state. A die at rest is *dead* when no name class with a weight is
//! eligible under any key that a refill can have there, and nothing that could start on another die would change it. This is a
//! proof, and holds for ever. When all dies are dead, the rest of the run is known: refills that draw nothing. They are counted
//! at once, and the site is left as if they had come.
//!
//! Names may also be eligible and never be accepted, because no address or no chain fits. Only trying shows that. A look comes
//! every two rounds of refills. After `PATIENCE` looks at a device at rest on which nothing has started, `TRIES` plans are made
//! for each class. If all fail, a run that is limited by operations or coverage ends. A run that is limited by time alone goes
//! on. This is no proof: the next run begins anew.

mod describe;
mod detector;
mod facts;
mod look;

pub(crate) use describe::lasting_state;
pub(crate) use detector::DeadDieDetector;
pub(crate) use facts::Rest;
pub use facts::{BlockCounts, Blocked, DeadDie, LastStart, LastingState};
pub(crate) use look::Look;
