//! x
#[allow(dead_code)] mod philox;
