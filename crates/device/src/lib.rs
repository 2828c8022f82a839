//! A model of a NAND device: compiled tables, the present state, the address book and registers.
//!
//! It answers whether an operation may start now and which rule forbids it, and it starts and finishes operations. It has no
//! randomness, no clock, no input or output, and no names.
//!
//! An operation is judged first, then started. It ends when the caller says so; the caller keeps the clock:
//!
//! ```
//! use nandseq_device::{Device, Place, Rule, Tables};
//! use nandseq_profile::{Die, Plane, Ticks, builtin};
//!
//! let profile = builtin::profile();
//! let tables = Tables::new(&profile);
//! let (op, erase) = tables.ops().find(|(_, op)| tables.base(op.base).effects.erase && !op.multi).expect("an erase");
//! let place = Place { cell_type: erase.stated_cell_type, ..Place::plane(Die(0), Plane(0)) };
//!
//! let mut device = Device::new(&tables, &[]);
//! assert_eq!(device.judge(&tables, op, &place, Ticks::ZERO), Ok(()));
//! let flight = device.start(&tables, op, &place, Ticks::ZERO).expect("an erase takes time");
//! assert_eq!(device.judge(&tables, op, &place, Ticks::from_us(10)), Err(Rule::InFlight));
//! device.finish(&tables, flight);
//! assert_eq!(device.judge(&tables, op, &place, erase.total), Ok(()));
//! ```

mod block_needs;
mod book;
mod data;
mod device;
mod effects;
mod footprint;
mod logic;
mod place;
mod rule;
mod size;
mod state_bits;
mod tables;

pub use book::{
    AddressBook, AddressRegion, BlockRecord, BlockStage, CountedUses, DieAddresses, UseCounts, UseLimit, UseLimits,
};
pub use data::{BlockData, DataContents, DataRules, Datum, HeldData, LevelData, NOT_LOADED, PlaneData};
pub use device::{Device, Flight, FlightId, PlanePhase, QuiescentDie, SeenStatus, SuspendedOperation};
pub use effects::{Effects, Precondition, StateChange};
pub use footprint::{Footprint, Parts};
pub use logic::{CacheProgram, DieLogic, DieRegisters, Loaded, PlaneFact, PlaneLogic, Register, Suspended};
pub use place::Place;
pub use rule::Rule;
pub use size::Size;
pub use tables::{BaseInfo, OpInfo, OpStates, Reach, Tables};
