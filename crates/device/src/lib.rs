//! What a NAND device does.
//!
//! Compiled tables, the state of a device, its address book and registers; "may this start now, and why not" and "start it".
//! No randomness, no clock, no input or output, no names.

mod book;
mod device;
mod effects;
mod footprint;
mod logic;
mod place;
mod rule;
mod tables;

pub use book::{AddressBook, BlockRecord, BlockStage};
pub use device::{Device, Flight, FlightId, PlanePhase, QuiescentDie, Status, SuspendedOperation};
pub use effects::{Effects, Precondition, StateChange};
pub use footprint::{Footprint, Parts};
pub use logic::{CacheProgram, DieLogic, Loaded, PlaneLogic, Register, Suspended};
pub use place::Place;
pub use rule::Rule;
pub use tables::{BaseInfo, OpInfo, Reach, Size, Tables};
