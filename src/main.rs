//! The `mesosim` program: everything it does is in [`mesosim::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    mesosim::cli::main()
}
