//! `isobar policy`: checks, tests and applies a folder of policies, and shows those in force.

mod changes;
mod node;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::command::client::DEFAULT_URL;
use crate::policy::{Complaint, Directory, Outcome, Policies};

#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Subcommand)]
enum PolicyCommand {
    /// Parse and validate a folder of policies, without a node
    Check(Folder),
    /// Run the tests of a folder of policies, without a node
    Test(Folder),
    /// Check and test a folder of policies, and put them in force
    Apply {
        #[command(flatten)]
        folder: Folder,
        #[command(flatten)]
        target: Target,
    },
    /// Show the policies in force
    Show {
        #[command(flatten)]
        target: Target,
        /// Write them into this folder, which must not be there yet
        #[arg(long, value_name = "DIR")]
        write: Option<PathBuf>,
    },
}

#[derive(Args)]
struct Folder {
    /// Has *.cedar, entities.json and tests/*.toml
    #[arg(value_name = "DIR")]
    path: PathBuf,
}

/// The node to talk to, and as whom.
#[derive(Args)]
pub struct Target {
    /// The node to talk to
    #[arg(long, value_name = "URL", env = "ISOBAR_URL", default_value = DEFAULT_URL)]
    url: String,
    /// The user to be, who has to be an administrator [default: isobar]
    #[arg(long, value_name = "NAME", env = "ISOBAR_USER")]
    user: Option<String>,
}

/// Exit code for policies that are not sound, that fail a test, or that the node refuses.
const REFUSED: u8 = 1;
/// Exit code when there was nothing to look at, or no node to ask.
const NOTHING_DONE: u8 = 2;

/// Why a command has not done what it was asked for.
pub enum Failure {
    Refused,
    NothingDone(String),
}

/// Runs the command and answers the process's exit code.
pub async fn run(arguments: Arguments) -> ExitCode {
    let done = match arguments.command {
        PolicyCommand::Check(folder) => check(&folder.path),
        PolicyCommand::Test(folder) => test(&folder.path),
        PolicyCommand::Apply { folder, target } => match sound(&folder.path).and_then(tested) {
            Ok(policies) => node::apply(&target, &policies).await,
            Err(failure) => Err(failure),
        },
        PolicyCommand::Show { target, write } => node::show(&target, write.as_deref()).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Refused) => ExitCode::from(REFUSED),
        Err(Failure::NothingDone(message)) => {
            eprintln!("isobar: {message}");
            ExitCode::from(NOTHING_DONE)
        }
    }
}

fn check(path: &Path) -> Result<(), Failure> {
    let (directory, policies) = sound(path)?;
    let (files, count, tests) = (directory.source.files.len(), policies.texts().len(), directory.tests.len());
    println!("{count} policies in {files} files are sound; {tests} tests are there to be run");
    Ok(())
}

fn test(path: &Path) -> Result<(), Failure> {
    tested(sound(path)?).map(drop)
}

/// The folder's policies, parsed and validated. What is wrong with them is printed.
fn sound(path: &Path) -> Result<(Directory, Policies), Failure> {
    if !path.is_dir() {
        return Err(Failure::NothingDone(format!("{} is no folder", path.display())));
    }
    let parsed = Directory::read(path).and_then(|directory| {
        let policies = Policies::parse(directory.source.clone())?;
        Ok((directory, policies))
    });
    match parsed {
        Ok((directory, policies)) => {
            policies.warnings().iter().for_each(|warning| eprintln!("warning: {warning}"));
            Ok((directory, policies))
        }
        Err(complaints) => {
            print_complaints(&complaints);
            Err(Failure::Refused)
        }
    }
}

fn print_complaints(complaints: &[Complaint]) {
    for complaint in complaints {
        eprintln!("{complaint}\n");
    }
    let plural = if complaints.len() == 1 { "" } else { "s" };
    eprintln!("{} error{plural}", complaints.len());
}

/// Runs the folder's tests, and prints how each went. Answers the policies when all have passed.
fn tested((directory, policies): (Directory, Policies)) -> Result<Policies, Failure> {
    let width = directory.tests.iter().map(|(file, _)| file.chars().count()).max().unwrap_or_default();
    let mut failed = 0;
    for (file, test) in &directory.tests {
        match test.run(&policies) {
            Outcome::Passed => println!("ok    {file:<width$}  {}", test.name),
            Outcome::Failed(reason) => {
                failed += 1;
                println!("FAIL  {file:<width$}  {}: {reason}", test.name);
            }
        }
    }
    println!("{} passed, {failed} failed", directory.tests.len() - failed);
    if failed == 0 { Ok(policies) } else { Err(Failure::Refused) }
}
