//! `isobar start`: runs one node until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

#[derive(Args)]
pub struct Arguments {
    /// Where the node keeps its data [default: ./isobar-data]
    #[arg(long, value_name = "DIRECTORY")]
    pub data: Option<PathBuf>,
    /// Address of the HTTP endpoint [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub http: Option<SocketAddr>,
    /// Name of the region that this node serves [default: local]
    #[arg(long, value_name = "NAME")]
    pub region: Option<String>,
    /// TOML file with further settings; the command line wins over it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Listen beyond this machine although nothing is encrypted and nobody is asked who they are
    #[arg(long)]
    pub insecure: bool,
}

/// Runs the node until SIGTERM or Ctrl-C.
pub async fn run(_arguments: Arguments) -> ExitCode {
    eprintln!("isobar start: not available in this build");
    ExitCode::FAILURE
}
