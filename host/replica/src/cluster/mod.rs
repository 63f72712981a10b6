//! What replicas do for each other: who leads, what may be seen, who takes part.

mod feed;
mod inbox;
mod leadership;
mod members;
mod message;
mod network;
mod overtake;
mod removed;
mod room;
mod service;
mod snapshot;
mod standing;
mod status;
mod surety;

pub use inbox::Inbox;
pub use message::{Request, Response, decode, encode};
pub use network::Network;
pub use overtake::OnTheirWay;
pub use service::Service;
pub use status::{ClusterStatus, NodeReport, NodeStatus};

use crate::error::{Error, Result};
use crate::journal::{GroupCommit, Journal, RaftJournal};
use crate::options::{Clock, Limits, Role};
use crate::store::DiskSpace;
use crate::transport::{Member, Transport};
use crate::visibility::{Sample, Visibility};
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Counters of what crosses regions.
#[derive(Debug, Default)]
pub struct Counters {
    /// Reads that had to ask the leader.
    pub remote_reads: AtomicU64,
    /// Reads that were answered from here.
    pub local_reads: AtomicU64,
    /// Commits handed to a leader elsewhere.
    pub remote_commits: AtomicU64,
}

/// What is known of a node that asks for leases here.
#[derive(Clone, Copy, Debug)]
struct Heard {
    applied_index: u64,
    /// By this node's monotonic clock.
    at: u64,
}

/// One node among others.
pub struct Cluster {
    pub id: u64,
    pub member: Member,
    pub role: Role,
    version: String,
    transport: Option<Arc<dyn Transport>>,
    network: Network,
    pub journal: Arc<RaftJournal>,
    pub visibility: Arc<Visibility>,
    pub commits: GroupCommit,
    pub clock: Arc<dyn Clock>,
    pub limits: Arc<Limits>,
    pub counters: Counters,
    inbox: Inbox,
    space: DiskSpace,
    /// On the leader: nodes whose disks are below the reserve, and when they have said so last.
    short: Mutex<BTreeMap<u64, u64>>,
    remembered: overtake::Remembered,
    /// When this node was started, by the monotonic clock.
    started: u64,
    /// Tells this process from another one of the same number: the time of day at which it was started.
    process: u64,
    /// The leader has taken this process for a member.
    joined: AtomicBool,
    /// The leader has said that another process of this number answers it.
    is_twin: AtomicBool,
    /// When this node last had reason to wait for a leader, by the monotonic clock.
    patient_since: AtomicU64,
    /// The term of its own that this node is handing on: from then on another one may be elected at any time.
    handing_over: AtomicU64,
    heard: Mutex<BTreeMap<u64, Heard>>,
    /// On the leader: when which entry was the newest.
    proposed: Mutex<VecDeque<(u64, u64)>>,
    /// Why this node is not taken in, and never will be as it is.
    refused: OnceLock<Error>,
    /// One change of the membership at a time.
    changing: tokio::sync::Mutex<()>,
}

/// What a cluster is made of.
pub struct Parts {
    pub id: u64,
    pub member: Member,
    pub role: Role,
    pub version: String,
    pub transport: Option<Arc<dyn Transport>>,
    pub network: Network,
    pub journal: Arc<RaftJournal>,
    pub visibility: Arc<Visibility>,
    pub commits: GroupCommit,
    pub clock: Arc<dyn Clock>,
    pub limits: Arc<Limits>,
    pub inbox: Inbox,
    pub space: DiskSpace,
}

impl Cluster {
    /// Starts following the leadership, on the journal's runtime.
    pub fn start(parts: Parts) -> Arc<Cluster> {
        let Parts { id, member, role, version, transport, network, .. } = parts;
        let Parts { journal, visibility, commits, clock, limits, inbox, space, .. } = parts;
        let (started, process) = (clock.monotonic_micros(), clock.now_micros());
        let cluster = Arc::new(Cluster {
            id,
            member,
            role,
            version,
            transport,
            network,
            journal,
            visibility,
            commits,
            clock,
            limits,
            counters: Counters::default(),
            inbox,
            space,
            short: Mutex::default(),
            remembered: overtake::Remembered::default(),
            started,
            process,
            joined: AtomicBool::new(false),
            is_twin: AtomicBool::new(false),
            patient_since: AtomicU64::new(started),
            handing_over: AtomicU64::new(0),
            heard: Mutex::default(),
            proposed: Mutex::default(),
            refused: OnceLock::new(),
            changing: tokio::sync::Mutex::default(),
        });
        let handle = cluster.journal.handle().clone();
        handle.spawn(leadership::run(Arc::downgrade(&cluster)));
        if cluster.transport.is_some() {
            handle.spawn(feed::run(Arc::downgrade(&cluster)));
            handle.spawn(standing::run(Arc::downgrade(&cluster)));
            handle.spawn(room::run(Arc::downgrade(&cluster)));
        }
        cluster
    }

    /// One request to a peer, with a time limit.
    pub async fn ask(&self, to: u64, member: &Member, request: &Request, limit: Duration) -> io::Result<Response> {
        let transport = self.transport.as_ref().ok_or_else(|| io::Error::other("this node has no network"))?;
        let answer = tokio::time::timeout(limit, transport.call(to, member, encode(request))).await;
        let answer = answer.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no answer in time"))??;
        decode(&answer)
    }

    /// One request to the leader, given up when another one is known of: the old one may never answer.
    pub async fn ask_while_it_leads(
        &self,
        (leader, member): (u64, Member),
        request: &Request,
        limit: Duration,
    ) -> io::Result<Response> {
        tokio::select! {
            biased;
            answer = self.ask(leader, &member, request, limit) => answer,
            () = self.wait_for_other_than(leader) => Err(io::Error::other(format!("node {leader} does not lead any more"))),
        }
    }

    /// Waits until another leader than this one is known.
    pub async fn wait_for_other_than(&self, node: u64) {
        while self.leader().is_none_or(|(leader, _)| leader == node) {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The leader; none while there is none, or none is known.
    pub fn leader(&self) -> Option<(u64, Member)> {
        self.journal.leader()
    }

    /// What a read that begins now has to beware of when it does not wait: see `overtake`. None: it has to wait.
    pub fn overtake(&self) -> Result<Option<OnTheirWay>> {
        let Sample::At(entry) = self.sample() else { return Ok(None) };
        let visible = self.visibility.visible();
        if visible >= entry {
            self.counters.local_reads.fetch_add(1, Ordering::Relaxed);
            return Ok(Some(OnTheirWay::default()));
        }
        // No state can be read yet.
        if visible < self.visibility.floor() {
            return Ok(None);
        }
        let writes = self.remembered.between(&self.journal, visible, entry)?;
        if writes.is_some() {
            self.counters.local_reads.fetch_add(1, Ordering::Relaxed);
        }
        Ok(writes)
    }

    fn sample(&self) -> Sample {
        self.visibility.sample(|| self.leads_for_sure(), || self.journal.last_index())
    }

    /// Waits for reads that begin now: everything acknowledged before is visible here afterwards. `staleness`: unless
    /// what is visible is known to be no older than that.
    pub async fn read_barrier(&self, staleness: Option<Duration>) -> Result<()> {
        if let Some(allowed) = staleness
            && self.visibility.staleness().is_some_and(|age| u128::from(age) <= allowed.as_micros())
        {
            return Ok(());
        }
        if let Sample::At(entry) = self.sample()
            && self.visibility.is_visible(entry)
        {
            self.counters.local_reads.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let limit = Duration::from_millis(self.limits.reach_milliseconds);
        let answer = tokio::time::timeout(limit, async {
            let mut seen = self.visibility.subscribe();
            loop {
                match self.sample() {
                    Sample::At(entry) => {
                        if self.seen_in_time(entry).await {
                            self.counters.local_reads.fetch_add(1, Ordering::Relaxed);
                            return Ok(());
                        }
                    }
                    Sample::Ask => {
                        if let Some(failure) = self.journal.failure() {
                            return Err(failure);
                        }
                        if let Some(entry) = self.ask_read_index(limit).await?
                            && self.seen_in_time(entry).await
                        {
                            self.counters.remote_reads.fetch_add(1, Ordering::Relaxed);
                            return Ok(());
                        }
                    }
                }
                // What changes who may read mostly changes what is visible, too.
                let _ = tokio::time::timeout(PAUSE, seen.changed()).await;
            }
        });
        answer.await.unwrap_or_else(|_| Err(self.unreachable()))
    }

    /// Whether an entry becomes visible before there may be another leader, which may have another entry in its place.
    async fn seen_in_time(&self, entry: u64) -> bool {
        let limit = Duration::from_millis(self.limits.election_milliseconds);
        tokio::time::timeout(limit, self.visibility.wait(entry)).await.is_ok()
    }

    /// What a read must see, by the leader's word; none: nobody answers for it now.
    async fn ask_read_index(&self, limit: Duration) -> Result<Option<u64>> {
        let Some(leader) = self.leader().filter(|(leader, _)| *leader != self.id) else { return Ok(None) };
        match self.ask_while_it_leads(leader, &Request::ReadIndex, limit).await {
            Ok(Response::ReadIndex { visible, entry }) => {
                self.visibility.told(visible);
                Ok(Some(entry.max(self.visibility.floor())))
            }
            Ok(Response::Refused(error)) => Err(error),
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// Why neither reads nor writes are served now.
    pub fn unreachable(&self) -> Error {
        if let Some(refused) = self.refused.get() {
            return refused.clone();
        }
        let why = match self.leader() {
            Some((leader, member)) if leader != self.id => {
                format!(
                    "node {leader} ({member}) leads, and does not answer node {} in {}",
                    self.id, self.member.region
                )
            }
            _ => format!("node {} in {} knows of no leader", self.id, self.member.region),
        };
        Error::no_majority(why)
    }
}

/// Between two looks at who leads.
pub const PAUSE: Duration = Duration::from_millis(20);
