//! What several benchmarks measure with.

pub mod cpu;
pub mod numbers;
