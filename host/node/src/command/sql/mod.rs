//! `isobar sql`: a shell for people, and a runner of scripts.

mod connection;
mod describe;
pub(super) mod failure;
mod names;
pub(super) mod output;
mod runner;
mod scan;
mod shell;
pub(super) mod table;

use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::command::client::{Client, DEFAULT_URL};
use output::{Format, Style};
use runner::{Runner, Stop};

#[derive(Args)]
pub struct Arguments {
    /// The node to talk to; several of one cluster with commas between them: the next one when one is gone
    #[arg(long, value_name = "URL", env = "ISOBAR_URL", default_value = DEFAULT_URL)]
    pub url: String,
    /// The user to be [default: isobar]
    #[arg(long, value_name = "NAME", env = "ISOBAR_USER")]
    pub user: Option<String>,
    /// Run these statements and end; may be given several times
    #[arg(short = 'c', long = "command", value_name = "SQL")]
    pub commands: Vec<String>,
    /// Run the statements of this file and end; `-` is standard input
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How results are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// Exit code of a script in which a statement failed.
const STATEMENT_FAILED: u8 = 1;
/// Exit code when there was no node to ask, or no script to read.
const NOTHING_RUN: u8 = 2;

/// Runs the command and answers the process's exit code.
pub async fn run(arguments: Arguments) -> ExitCode {
    let client = match Client::new(&arguments.url) {
        Ok(client) => match &arguments.user {
            Some(user) => client.with_user(user),
            None => client,
        },
        Err(message) => {
            eprintln!("isobar: {message}");
            return ExitCode::from(NOTHING_RUN);
        }
    };
    let style = Style { format: arguments.format, expanded: false };
    let mut runner = Runner::new(client, style);
    let interactive = arguments.commands.is_empty() && arguments.files.is_empty() && std::io::stdin().is_terminal();
    let result = if interactive { shell::run(&mut runner).await } else { run_scripts(&mut runner, &arguments).await };
    runner.close().await;
    match result {
        Ok(()) | Err(Stop::Quit) | Err(Stop::Closed) => ExitCode::SUCCESS,
        Err(Stop::Failed) => ExitCode::from(STATEMENT_FAILED),
        Err(Stop::NothingRun) => ExitCode::from(NOTHING_RUN),
    }
}

/// Commands first, then files; standard input when neither is given. Stops at the first statement that fails.
async fn run_scripts(runner: &mut Runner, arguments: &Arguments) -> Result<(), Stop> {
    for command in &arguments.commands {
        runner.run_script(command, None).await?;
    }
    for file in &arguments.files {
        if file.as_os_str() == "-" {
            run_standard_input(runner).await?;
        } else {
            runner.run_file(file).await?;
        }
    }
    if arguments.commands.is_empty() && arguments.files.is_empty() {
        run_standard_input(runner).await?;
    }
    Ok(())
}

async fn run_standard_input(runner: &mut Runner) -> Result<(), Stop> {
    let mut script = String::new();
    if let Err(error) = std::io::stdin().read_to_string(&mut script) {
        eprintln!("isobar: cannot read standard input: {error}");
        return Err(Stop::NothingRun);
    }
    runner.run_script(&script, Some("standard input")).await
}
