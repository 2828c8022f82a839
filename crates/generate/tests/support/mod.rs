//! What the tests of the generator share.

mod vary;

pub(crate) use vary::vary;
