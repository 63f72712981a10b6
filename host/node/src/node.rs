//! A running node: what its sessions share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use isobar_replica::{Clock, ClusterOptions, Execution, Options, Replica, Storage};

use crate::clock::SystemClock;
use crate::config::Configuration;
use crate::error::{Error, Result};
use crate::metrics::Metrics;
use crate::peers;
use crate::policy::{Authority, InForce, Principal};
use crate::sandbox::{Sandbox, procedure};

pub struct Node {
    pub configuration: Configuration,
    pub replica: Replica,
    pub sandbox: Sandbox,
    pub policies: Arc<InForce>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Metrics,
    /// Its place in a cluster; none: it is alone.
    pub membership: Option<Membership>,
    /// It has been let into its cluster and can serve reads, or could when it was asked last.
    pub serving: AtomicBool,
}

/// A node of a cluster as it is known, and its listener for peers.
pub struct Membership {
    pub cluster: String,
    pub number: u64,
    pub role: peers::Role,
    pub peers: peers::Server,
    pub metrics: Arc<peers::Metrics>,
}

impl Node {
    /// Opens the data directory, which is created when missing, and loads the engine. The node is alone.
    pub async fn open(configuration: Configuration) -> Result<Node> {
        Node::open_member(configuration, None).await
    }

    /// The same for a node that may have a place in a cluster. Its peers are answered at once; whether it can serve
    /// reads, [`Replica::ready`] says.
    pub async fn open_member(configuration: Configuration, place: Option<peers::Place>) -> Result<Node> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let policies = Arc::new(InForce::new()?);
        let role = configuration.peers.role;
        let replica = Replica::open(Options {
            storage: Storage::Directory(configuration.data.clone()),
            limits: configuration.store.limits(),
            clock: clock.clone(),
            node_id: place.as_ref().map_or(1, |place| place.membership.identity.node),
            execution: Execution::Threads,
            cluster: place.as_ref().map(|place| ClusterOptions {
                member: place.member.clone(),
                transport: place.transport.clone(),
                role: role.into(),
                join: place.join.clone(),
                version: env!("CARGO_PKG_VERSION").into(),
            }),
        })
        .await?;
        let membership = place.map(|place| Membership {
            cluster: place.membership.name,
            number: place.membership.identity.node,
            role,
            peers: place.listener.serve(replica.peer()),
            metrics: place.metrics,
        });
        // After the replica, which owns the data directory from here on.
        let procedures = procedure::Options {
            limits: configuration.procedures.clone(),
            folder: Some(configuration.data.join("procedures")),
        };
        let sandbox = Sandbox::new(&configuration.sandbox, procedures)
            .map_err(|error| Error::internal("the SQL engine does not load").detail(format!("{error:#}")))?;
        let serving = AtomicBool::new(membership.is_none());
        let metrics = Metrics::default();
        Ok(Node { configuration, replica, sandbox, policies, clock, metrics, membership, serving })
    }

    /// In whose name a session's statements run.
    pub fn authority(&self, login: Principal) -> Authority {
        Authority::new(self.policies.clone(), login)
    }
}
