//! Support for the tests of the generator.

mod vary;

pub(crate) use vary::vary;
