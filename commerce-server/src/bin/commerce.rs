//! The program `commerce`; see `commerce --help`.

use std::process::ExitCode;

/// It takes half the time of the system's allocator for the allocations of a request.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    commerce_server::cli::run(std::env::args_os())
}
