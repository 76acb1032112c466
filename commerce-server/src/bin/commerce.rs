//! The program `commerce`; see `commerce --help`.

use std::process::ExitCode;

/// Half the time of the system's allocator for what a request takes and gives back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    commerce_server::cli::run(std::env::args_os())
}
