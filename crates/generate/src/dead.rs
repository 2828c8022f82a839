//! Dies on which nothing can ever start again.
//!
//! A die is *at rest* when nothing is in flight there, no phase is open, no chain or proposal waits for it and no hook is to come: then
//! only refills ask it, always in the same state. It is *dead* when, besides, no class of names with a weight is eligible under any key
//! that a refill can have there, and nothing that could start on another die would change it. That is a proof, not a matter of luck, and
//! holds for ever. When all dies are dead the rest of the run is known: refills that draw nothing. They are counted, not walked
//! through, so that the site is left as if they had come.
//!
//! Names may also be eligible and never be accepted, because no address or no chain fits. Only trying shows that: after `PATIENCE`
//! looks, each two rounds of refills after the one before, at a device at rest on which nothing starts, `TRIES` plans are made for each
//! class. If all fail, a run that is limited by operations or coverage goes no further; one that is limited by time alone goes on, as
//! it always did. That is no proof: the next run begins anew.

mod describe;
mod detector;
mod facts;
mod look;

pub(crate) use detector::DeadDieDetector;
pub(crate) use facts::Rest;
pub use facts::{BlockCounts, Blocked, DeadDie, LastStart, LastingState};
pub(crate) use look::Look;
