//! The command `modgate`.

use std::process::ExitCode;

fn main() -> ExitCode {
    modgate::run()
}
