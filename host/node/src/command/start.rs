//! `isobar start`: runs one node until it is told to stop.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;
use tokio::task::JoinHandle;
use tracing_subscriber::EnvFilter;

use crate::config::Configuration;
use crate::node::{Membership, Node};
use crate::peers::{Invitation, Place, Role};
use crate::protocol::http::Server;
use crate::session::{Session, Settings, once};

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
    /// File that makes this node a member of a cluster (isobar cluster invite); needed once
    #[arg(long, value_name = "FILE", help_heading = CLUSTER)]
    pub invitation: Option<PathBuf>,
    /// Address where the cluster's other nodes reach this one [default: 127.0.0.1:7100]
    #[arg(long, value_name = "ADDRESS", help_heading = CLUSTER)]
    pub listen_peers: Option<SocketAddr>,
    /// Address that the other nodes are told [default: as --listen-peers]
    #[arg(long, value_name = "HOST:PORT", help_heading = CLUSTER)]
    pub advertise: Option<String>,
    /// Peer address of a member, of which a node without data asks to be let in; may be given again
    #[arg(long, value_name = "HOST:PORT", help_heading = CLUSTER)]
    pub join: Vec<String>,
    /// The same, several at once; this node's own may be among them
    #[arg(long, value_name = "HOST:PORT", num_args = 1.., value_delimiter = ',', help_heading = CLUSTER)]
    pub peers: Vec<String>,
    /// Reach a region, or the node with a number, at another address than it advertises; may be given again
    #[arg(long, value_name = "REGION=HOST:PORT", value_parser = address_override, help_heading = CLUSTER)]
    pub peer: Vec<(String, String)>,
    /// Join to keep the data and serve reads, without a vote
    #[arg(long, conflicts_with = "witness", help_heading = CLUSTER)]
    pub learner: bool,
    /// Join to vote and to keep the journal, without data
    #[arg(long, help_heading = CLUSTER)]
    pub witness: bool,
    /// TOML file with further settings; the command line wins over it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Listen beyond this machine although nothing is encrypted and nobody is asked who they are
    #[arg(long)]
    pub insecure: bool,
}

/// Heading of the options about clusters in --help.
const CLUSTER: &str = "A node of a cluster";

fn address_override(text: &str) -> Result<(String, String), String> {
    let (whom, address) = text.split_once('=').ok_or("it looks like oregon=127.0.0.1:7102")?;
    Ok((whom.into(), address.into()))
}

/// What is logged unless `ISOBAR_LOG` says otherwise. openraft warns of every attempt to reach a node that is away.
const LOG: &str = "warn,openraft=error";

/// Runs the node until SIGTERM or Ctrl-C, or until it can do nothing more.
pub async fn run(arguments: Arguments) -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("ISOBAR_LOG").unwrap_or_else(|_| EnvFilter::new(LOG)))
        .with_writer(std::io::stderr)
        .init();
    match start(arguments).await {
        Ok(code) => code,
        Err(message) => {
            eprintln!("isobar: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The file's settings with the command line's over them.
fn configuration(arguments: Arguments) -> Result<Configuration, String> {
    let mut configuration = match &arguments.config {
        Some(path) => Configuration::read(path)?,
        None => Configuration::default(),
    };
    if let Some(data) = arguments.data {
        configuration.data = data;
    }
    if let Some(http) = arguments.http {
        configuration.http.listen = http;
    }
    if let Some(region) = arguments.region {
        configuration.region = region;
    }
    configuration.insecure |= arguments.insecure;
    let peers = &mut configuration.peers;
    if let Some(listen) = arguments.listen_peers {
        peers.listen = listen;
    }
    if let Some(advertise) = arguments.advertise {
        peers.advertise = advertise;
    }
    if !(arguments.join.is_empty() && arguments.peers.is_empty()) {
        peers.join = arguments.join.into_iter().chain(arguments.peers).collect();
    }
    peers.addresses.extend(arguments.peer);
    match (arguments.learner, arguments.witness) {
        (true, _) => peers.role = Role::Learner,
        (_, true) => peers.role = Role::Witness,
        _ => {}
    }
    configuration.check()?;
    Ok(configuration)
}

async fn start(arguments: Arguments) -> Result<ExitCode, String> {
    let invitation = arguments.invitation.as_deref().map(Invitation::read).transpose()?;
    let mut configuration = configuration(arguments)?;
    // Before anything is opened, so that an early signal is not lost.
    let mut signals = Signals::new().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let listen = configuration.http.listen;
    if !listen.ip().is_loopback() {
        eprintln!(
            "WARNING: {listen} is reachable from other machines. Nothing is encrypted and nobody is asked who they \
             are: whoever reaches this address can read and change all data."
        );
    }
    let place = Place::take(&mut configuration, invitation.as_ref()).await?;
    let node = Node::open_member(configuration, place).await.map_err(|error| error.to_string())?;
    let node = Arc::new(node);
    let server = Server::start(node.clone()).await.map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    let mut tasks = vec![];
    let serve = async {
        if let Err(error) = ready(&node, &server).await {
            return error;
        }
        tasks = background(&node);
        std::future::pending().await
    };
    let end = tokio::select! {
        biased;
        error = node.replica.wait_for_failure() => End::Failed(error),
        () = signals.next() => End::Told,
        refused = serve => End::Refused(refused),
    };
    match &end {
        End::Told => {
            eprintln!("isobar: stopping");
            node.replica.step_down().await;
        }
        End::Failed(error) => {
            eprintln!("isobar: {}", last_words(&node, error));
            tokio::select! {
                () = tokio::time::sleep(LAST_ANSWERS) => {}
                () = signals.next() => {}
            }
        }
        End::Refused(_) => {}
    }
    tokio::select! {
        () = server.stop() => {}
        () = signals.next() => eprintln!("isobar: not waiting for running requests"),
    }
    tasks.iter().for_each(JoinHandle::abort);
    // What still waits for a disk that has failed may wait for ever.
    let limit = if matches!(end, End::Failed(_)) { LAST_ANSWERS } else { Duration::MAX };
    let shut_down = tokio::time::timeout(limit, node.replica.shutdown()).await.unwrap_or(Ok(()));
    match end {
        End::Told => shut_down.map(|()| ExitCode::SUCCESS).map_err(|error| error.to_string()),
        End::Failed(_) => Ok(ExitCode::FAILURE),
        End::Refused(error) => Err(error.to_string()),
    }
}

/// Why a node ends.
enum End {
    /// By a signal.
    Told,
    /// It can do nothing more until it is started anew.
    Failed(isobar_replica::Error),
    /// It cannot serve.
    Refused(isobar_replica::Error),
}

/// How long a node that has failed still answers, with errors and with why (`GET /health`).
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// What has failed, and who must act.
fn last_words(node: &Node, error: &isobar_replica::Error) -> String {
    let data = node.configuration.data.display();
    format!(
        "this node has failed and stops: {error}. Whoever runs it must see to the disk of {data}, and start it again."
    )
}

/// How long a node waits for its cluster before it says so.
const QUIET_WAIT: Duration = Duration::from_secs(2);

/// Waits until the node can serve reads, and says where it is.
async fn ready(node: &Node, server: &Server) -> Result<(), isobar_replica::Error> {
    let mut ready = std::pin::pin!(node.replica.ready());
    let outcome = match tokio::time::timeout(QUIET_WAIT, &mut ready).await {
        Ok(outcome) => outcome,
        Err(_) => {
            let address = server.address;
            eprintln!(
                "isobar: waiting for a majority of the cluster; isobar cluster status --url http://{address} shows it"
            );
            ready.await
        }
    };
    outcome?;
    node.serving.store(true, Ordering::Relaxed);
    announce(node, server);
    Ok(())
}

/// What goes on beside the clients.
fn background(node: &Arc<Node>) -> Vec<JoinHandle<()>> {
    // A witness has no data to look after.
    if node.membership.as_ref().is_some_and(|membership| membership.role == Role::Witness) {
        return vec![];
    }
    vec![tokio::spawn(forget_old_answers(node.clone())), tokio::spawn(resume_schema_changes(node.clone()))]
}

/// Says where the node is and what to try next.
fn announce(node: &Node, server: &Server) {
    let address = server.address;
    let region = &node.configuration.region;
    let data = node.configuration.data.display();
    let mut text = format!("isobar is ready at http://{address} (region {region}, data in {data})\n\n");
    if let Some(Membership { cluster, number, role, peers, .. }) = &node.membership {
        text.push_str(&format!(
            "  {} {number} of the cluster {cluster}, for peers at {}\n  isobar cluster status --url http://{address}\n",
            if *role == Role::Voter { "node" } else { role.name() },
            peers.address
        ));
    }
    if node.membership.as_ref().is_none_or(|membership| membership.role != Role::Witness) {
        text.push_str(&format!(
            "  isobar sql --url http://{address}\n  \
             curl -s http://{address}/sql -d '{{\"query\": \"SELECT version()\"}}'\n  \
             neonConfig.fetchEndpoint = 'http://{address}/sql'  // @neondatabase/serverless\n"
        ));
    }
    // A node whose standard output is closed runs all the same.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Index builds and removals go on beside the clients, where the last process left them.
async fn resume_schema_changes(node: Arc<Node>) {
    let mut session = Session::of_node(node, Settings::default());
    if let Err(error) = session.resume_schema_changes().await {
        tracing::warn!(%error, "a schema change that was interrupted could not be finished");
    }
}

const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Deletes stored answers that nobody may ask for any more.
async fn forget_old_answers(node: Arc<Node>) {
    loop {
        tokio::time::sleep(FORGET_EVERY).await;
        // One node is enough.
        if !node.replica.leads() {
            continue;
        }
        let now_ms = node.clock.now_micros() / 1000;
        let before_ms = now_ms.saturating_sub(node.configuration.store.outcome_seconds.saturating_mul(1000));
        if let Err(error) = once::forget_old_answers(&node, before_ms).await {
            tracing::warn!(%error, "old answers could not be deleted");
        }
    }
}

/// SIGTERM and Ctrl-C.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        Ok(Signals {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}
