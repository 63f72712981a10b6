//! The commands of the `isobar` binary, one module each.

use std::process::ExitCode;

use clap::Subcommand;

mod client;
pub mod cluster;
pub mod load;
pub mod policy;
pub mod procedure;
pub mod sql;
pub mod start;

#[derive(Subcommand)]
pub enum Command {
    /// Run a node
    Start(start::Arguments),
    /// Form a cluster, and see how it is
    Cluster(cluster::Arguments),
    /// Send SQL to a node: one statement, a file, or an interactive shell
    Sql(sql::Arguments),
    /// Load CSV or generated data into a node
    Load(load::Arguments),
    /// Deploy, list, try and remove stored procedures
    Procedure(procedure::Arguments),
    /// Check, test and apply policies: who may do what
    Policy(policy::Arguments),
}

impl Command {
    /// Runs the command; errors are printed to standard error and become the exit code.
    pub async fn run(self) -> ExitCode {
        match self {
            Command::Start(arguments) => start::run(arguments).await,
            Command::Cluster(arguments) => cluster::run(arguments).await,
            Command::Sql(arguments) => sql::run(arguments).await,
            Command::Load(arguments) => load::run(arguments).await,
            Command::Procedure(arguments) => procedure::run(arguments).await,
            Command::Policy(arguments) => policy::run(arguments).await,
        }
    }
}
