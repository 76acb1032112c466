//! The contracts of the ports, as tests: one suite per port, run by the doubles and by every adapter.

pub mod store;
