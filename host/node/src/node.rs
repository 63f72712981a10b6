//! A running node: what its sessions share.

use std::sync::{Arc, LazyLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use isobar_replica::{Clock, Execution, Options, Replica, Storage};

use crate::config::Configuration;
use crate::error::{Error, Result};
use crate::metrics::Metrics;
use crate::policy::{Authority, InForce, Principal};
use crate::sandbox::{Sandbox, procedure};

pub struct Node {
    pub configuration: Configuration,
    pub replica: Replica,
    pub sandbox: Sandbox,
    pub policies: Arc<InForce>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Metrics,
}

/// The machine's clock.
struct SystemClock;

impl Clock for SystemClock {
    fn now_micros(&self) -> u64 {
        // Before 1970 the clock is wrong, and zero is as wrong.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| u64::try_from(now.as_micros()).unwrap_or(u64::MAX))
    }

    fn monotonic_micros(&self) -> u64 {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed().as_micros() as u64
    }
}

impl Node {
    /// Opens the data directory, which is created when missing, and loads the engine.
    pub async fn open(configuration: Configuration) -> Result<Node> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let policies = Arc::new(InForce::new()?);
        let replica = Replica::open(Options {
            storage: Storage::Directory(configuration.data.clone()),
            limits: configuration.store.limits(),
            clock: clock.clone(),
            node_id: 1,
            execution: Execution::Threads,
            cluster: None,
        })
        .await?;
        // After the replica, which owns the data directory from here on.
        let procedures = procedure::Options {
            limits: configuration.procedures.clone(),
            folder: Some(configuration.data.join("procedures")),
        };
        let sandbox = Sandbox::new(&configuration.sandbox, procedures)
            .map_err(|error| Error::internal("the SQL engine does not load").detail(format!("{error:#}")))?;
        Ok(Node { configuration, replica, sandbox, policies, clock, metrics: Metrics::default() })
    }

    /// In whose name a session's statements run.
    pub fn authority(&self, login: Principal) -> Authority {
        Authority::new(self.policies.clone(), login)
    }
}
