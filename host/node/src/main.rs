//! The `isobar` binary: reads the command line and runs the command.

use std::process::ExitCode;

use clap::Parser;
use isobar_node::command::Command;

/// A regional SQL database node: PostgreSQL's SQL over HTTP, optimistic concurrency, a sandboxed engine.
#[derive(Parser)]
#[command(name = "isobar", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("isobar: cannot start its threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(arguments.command.run())
}
