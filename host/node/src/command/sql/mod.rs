//! `isobar sql`.

use std::process::ExitCode;

use clap::Args;

#[derive(Args)]
pub struct Arguments {}

/// Runs the command and answers the process's exit code.
pub async fn run(_arguments: Arguments) -> ExitCode {
    eprintln!("isobar sql: not available in this build");
    ExitCode::FAILURE
}
