//! `isobar cluster`: makes a cluster and its invitations, and shows and changes one that runs.

mod invite;
mod node;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::command::client::DEFAULT_URL;
use crate::peers::VALID_DAYS_MAX;

#[derive(Args)]
#[command(after_help = "\
Three regions, from nothing:

  isobar cluster init
  isobar cluster invite --region oregon
  isobar cluster invite --region frankfurt
  isobar cluster invite --region tokyo

Each invitation goes to the machine of its node, where it is used once:

  isobar cluster join node-1-oregon.invitation
  isobar start --listen-peers 0.0.0.0:7100 --advertise oregon.example:7100

  isobar cluster join node-2-frankfurt.invitation
  isobar start --listen-peers 0.0.0.0:7100 --advertise frankfurt.example:7100 --join oregon.example:7100")]
pub struct Arguments {
    #[command(subcommand)]
    command: ClusterCommand,
}

#[derive(Subcommand)]
enum ClusterCommand {
    /// Make the certificate authority of a new cluster, in a folder
    Init {
        #[command(flatten)]
        authority: Folder,
        /// The cluster's name, for people
        #[arg(long, value_name = "NAME", default_value = "isobar")]
        name: String,
    },
    /// Write an invitation: what makes a node a member of the cluster
    Invite {
        #[command(flatten)]
        authority: Folder,
        /// Region of the new node
        #[arg(long, value_name = "NAME", required_unless_present = "renew", conflicts_with = "renew")]
        region: Option<String>,
        /// Make a new certificate for the node with this number
        #[arg(long, value_name = "NUMBER")]
        renew: Option<u64>,
        /// How long the certificate is good
        #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=i64::from(VALID_DAYS_MAX)))]
        days: u32,
        /// Where to write it; - for standard output [default: node-NUMBER-REGION.invitation]
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Check an invitation and install it in a node's data directory
    Join {
        #[arg(value_name = "INVITATION")]
        invitation: PathBuf,
        /// Where the node keeps its data
        #[arg(long, value_name = "DIRECTORY", default_value = "./isobar-data")]
        data: PathBuf,
    },
    /// Show the nodes, and what would be lost with each region
    Status {
        #[command(flatten)]
        target: Target,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a node, dead or alive; commits go on meanwhile
    Remove {
        /// Its region or its number
        #[arg(value_name = "NODE")]
        node: String,
        #[command(flatten)]
        target: Target,
    },
    /// Have another node lead
    Transfer {
        /// Its region or its number
        #[arg(value_name = "NODE")]
        node: String,
        #[command(flatten)]
        target: Target,
    },
}

/// The node to talk to, and as whom.
#[derive(Args)]
struct Target {
    /// Any node of the cluster
    #[arg(long, value_name = "URL", env = "ISOBAR_URL", default_value = DEFAULT_URL)]
    url: String,
    /// The user to be, who has to be an administrator to change anything [default: isobar]
    #[arg(long, value_name = "NAME", env = "ISOBAR_USER")]
    user: Option<String>,
}

#[derive(Args)]
struct Folder {
    /// Folder of the cluster's authority: its key is in there, keep it safe and away from the nodes
    #[arg(long = "directory", value_name = "DIRECTORY", default_value = "./isobar-cluster")]
    path: PathBuf,
}

/// Runs the command; a failure is printed.
pub async fn run(arguments: Arguments) -> ExitCode {
    let done = match arguments.command {
        ClusterCommand::Init { authority, name } => invite::init(&authority.path, &name),
        ClusterCommand::Invite { authority, region, renew, days, output } => {
            let whom = match (region, renew) {
                (_, Some(number)) => invite::Whom::Known(number),
                (region, None) => invite::Whom::New(region.unwrap_or_default()),
            };
            invite::invite(&authority.path, &whom, days, output)
        }
        ClusterCommand::Join { invitation, data } => invite::join(&invitation, &data),
        ClusterCommand::Status { target, json } => node::status(&target, json).await,
        ClusterCommand::Remove { node, target } => node::remove(&target, &node).await,
        ClusterCommand::Transfer { node, target } => node::transfer(&target, &node).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("isobar: {message}");
            ExitCode::FAILURE
        }
    }
}
