//! The command `modgate`.

use std::process::ExitCode;

fn main() -> ExitCode {
    host_sim::cli::run()
}
