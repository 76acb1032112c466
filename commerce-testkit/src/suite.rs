//! Tests of the contracts of the ports, for the doubles and all adapters.

pub mod processor;
pub mod store;
