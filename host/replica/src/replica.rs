//! The public face: open, begin, commit.

use crate::apply::{self, Applier, Workplace};
use crate::cluster::{Cluster, ClusterStatus, Inbox, Network, PAUSE, Parts, Request, Response, Service};
use crate::error::{Error, Result};
use crate::failure::Failure;
use crate::journal::{Decision, Desk, GroupCommit, Journal, Opening, Progress, RaftJournal, StoredEntry};
use crate::options::{Clock, ClusterOptions, Limits, Options, Role, Storage};
use crate::store::{Directory, DiskSpace, Place, SnapshotReader, Store, unpanicked};
use crate::transaction::{Proposal, Snapshots, Transaction, TransactionOptions};
use crate::transport::{Member, Peer};
use crate::visibility::{Rules, Visibility};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use ulid::Ulid;

/// A commit that is durable, applied and visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    pub id: Ulid,
    /// Microseconds since the Unix epoch, unique and growing in commit order. Of a transaction that wrote nothing:
    /// its snapshot.
    pub timestamp: u64,
}

/// What became of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    Committed { timestamp: u64 },
    Refused { error: Error },
}

/// Counters since the start, and gauges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Transactions open now.
    pub transactions: u64,
    /// Commits that wrote.
    pub committed: u64,
    /// Commits refused by the certifier.
    pub refused: u64,
    /// Journal entries written; `committed / entries` is the size of the average group.
    pub entries: u64,
    /// Durable writes of the journal file.
    pub journal_syncs: u64,
    /// Timestamp of the newest commit that readers see.
    pub visible: u64,
    /// Journal index applied, and the one that is durable in the store.
    pub applied_index: u64,
    pub durable_index: u64,
    /// Superseded versions and outcomes collected.
    pub collected: u64,
    /// Keys that the certifier remembers.
    pub certifier_keys: u64,
    /// Reads answered from here, and those that had to ask the leader.
    pub local_reads: u64,
    pub remote_reads: u64,
    /// Commits that a leader elsewhere decided about.
    pub remote_commits: u64,
}

/// One node's copy of the data and the right to decide about it. Cheap to clone.
#[derive(Clone)]
pub struct Replica(Arc<Inner>);

struct Inner {
    store: Arc<Store>,
    snapshots: Snapshots,
    clock: Arc<dyn Clock>,
    limits: Arc<Limits>,
    applier: Applier,
    cluster: Arc<Cluster>,
    space: DiskSpace,
    failure: Failure,
    /// None once shut down, or where there is none.
    directory: Mutex<Option<Directory>>,
}

impl Replica {
    /// Opens or creates, and recovers. A directory that is open elsewhere is refused with 55006. A node that is to join
    /// others, or that has peers, is not [`ready`](Replica::ready) yet: they must be able to reach it first.
    pub async fn open(options: Options) -> Result<Replica> {
        let Options { storage, limits, clock, node_id, execution, cluster } = options;
        let limits = Arc::new(limits);
        let (directory, paths, spool, free);
        let (store_place, journal_place) = match storage {
            Storage::Directory(path) => {
                let locked = Directory::lock(&path)?;
                paths = (locked.file("store.redb"), locked.file("journal.redb"));
                spool = Some(locked.file("snapshot.arriving"));
                free = Some(locked.free());
                directory = Some(locked);
                (Place::Path(&paths.0), Place::Path(&paths.1))
            }
            Storage::Backends { store, journal, free: known } => {
                (directory, spool, free) = (None, None, known);
                (Place::Backend(store), Place::Backend(journal))
            }
        };
        let whose = cluster.as_ref().map(|cluster| format!("node {node_id} in {}", cluster.member.region));
        let space = DiskSpace { free, reserve_bytes: limits.disk_reserve_bytes, whose };
        let failure = Failure::default();
        let (store, applied) = unpanicked("the store", || Store::open(store_place, &limits))?;
        let store = Arc::new(store);
        let snapshots = Snapshots::default();
        let rules = Rules::new(&limits);
        let visible = apply::visible(&applied);
        let visibility = Visibility::new(snapshots.clone(), clock.clone(), rules, applied.index, visible);
        let visibility = Arc::new(visibility);
        let place = Workplace {
            store: store.clone(),
            snapshots: snapshots.clone(),
            visibility: visibility.clone(),
            clock: clock.clone(),
            limits: limits.clone(),
            failure: failure.clone(),
        };
        let applier = Applier::start(place, applied.clone(), execution)?;
        let (member, role, transport, join, version) = match cluster {
            Some(ClusterOptions { member, transport, role, join, version }) => {
                (member, role, Some(transport), join, version)
            }
            None => (Member::default(), Role::Voter, None, Vec::new(), String::new()),
        };
        let member = Member { witness: role == Role::Witness, ..member };
        let opening = Opening {
            node_id,
            member: member.clone(),
            place: journal_place,
            applied: &applied,
            applier: applier.clone(),
            clock: clock.clone(),
            limits: limits.clone(),
            execution,
            failure: failure.clone(),
            founds: join.is_empty() && role == Role::Voter,
            sockets: transport.is_some(),
        };
        let network = Network::new(transport.clone(), clock.clone());
        let journal = Arc::new(RaftJournal::open(opening, network.clone()).await?);
        let desk = Desk {
            journal: journal.clone(),
            store: store.clone(),
            visibility: visibility.clone(),
            clock: clock.clone(),
            limits: limits.clone(),
            failure: failure.clone(),
            has_peers: transport.is_some(),
        };
        let commits = GroupCommit::start(journal.handle(), desk);
        let has_peers = transport.is_some();
        let (clock_here, limits_here) = (clock.clone(), limits.clone());
        let cluster = Cluster::start(Parts {
            id: node_id,
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
            inbox: Inbox::new(spool, space.clone()),
            space: space.clone(),
        });
        let replica = Replica(Arc::new(Inner {
            store,
            snapshots,
            clock: clock_here,
            limits: limits_here,
            applier,
            cluster: cluster.clone(),
            space,
            failure,
            directory: Mutex::new(directory),
        }));
        if has_peers {
            // Also tells the others where this node is now.
            let handle = cluster.journal.handle().clone();
            handle.spawn(cluster.join(join));
        } else {
            replica.ready().await?;
        }
        Ok(replica)
    }

    /// Waits until this node is a member of its cluster and can serve reads.
    pub async fn ready(&self) -> Result<()> {
        let cluster = &self.0.cluster;
        cluster.wait_for_membership().await?;
        if cluster.role == Role::Witness {
            return Ok(());
        }
        loop {
            match cluster.read_barrier(None).await {
                Ok(()) => return Ok(()),
                Err(error) if error.sqlstate == "57P03" => {
                    tracing::warn!(%error, "not ready yet");
                    tokio::time::sleep(NOT_READY).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What this replica does for its peers.
    pub fn peer(&self) -> Arc<dyn Peer> {
        Arc::new(Service(Arc::downgrade(&self.0.cluster)))
    }

    /// A transaction that sees everything acknowledged so far, anywhere.
    pub async fn begin(&self, options: TransactionOptions) -> Result<Transaction> {
        let inner = &self.0;
        if inner.cluster.role == Role::Witness {
            return Err(Error::no_data());
        }
        loop {
            let transaction = self.try_begin(options).await?;
            // The store may have been replaced after the wait: then there is more to wait for.
            if inner.cluster.visibility.visible() >= inner.cluster.visibility.floor() {
                return Ok(transaction);
            }
        }
    }

    async fn try_begin(&self, options: TransactionOptions) -> Result<Transaction> {
        let inner = &self.0;
        let on_their_way = if options.overtakes { inner.cluster.overtake()? } else { None };
        if on_their_way.is_none() {
            inner.cluster.read_barrier(options.staleness).await?;
        }
        let snapshot = inner.snapshots.open(inner.limits.transactions)?;
        let (store, clock, limits) = (inner.store.clone(), inner.clock.clone(), inner.limits.clone());
        Ok(Transaction::new(store, clock, limits, options, snapshot, on_their_way.unwrap_or_default()))
    }

    /// Returns when the commit is durable on a majority, and visible wherever reads are local; at once when nothing was
    /// written. The same `id` again answers the first outcome.
    pub async fn commit(&self, transaction: Transaction, id: Ulid) -> Result<Commit> {
        if !transaction.has_writes() {
            return Ok(Commit { id, timestamp: transaction.snapshot() });
        }
        transaction.check_age()?;
        self.0.space.check(0)?;
        let proposal = Arc::new(transaction.into_proposal()?);
        self.decide(id, proposal).await
    }

    /// Hands a commit to whoever leads, and to the next one when that one is lost on the way: the identifier makes it
    /// one commit.
    async fn decide(&self, id: Ulid, proposal: Arc<Proposal>) -> Result<Commit> {
        let cluster = &self.0.cluster;
        let limit = Duration::from_millis(self.0.limits.commit_milliseconds);
        let reach = Duration::from_millis(self.0.limits.reach_milliseconds);
        // Whether somebody may have decided about it.
        let mut handed_in = false;
        let decide = async {
            let mut request = None;
            loop {
                if let Some(failure) = cluster.journal.failure() {
                    return Err(if handed_in { Error::unknown_outcome(failure.to_string()) } else { failure });
                }
                let leader = match cluster.leader() {
                    Some(leader) => leader,
                    None => {
                        let found = tokio::time::timeout(reach, cluster.wait_for_leader()).await;
                        match found {
                            Ok(leader) => leader?,
                            Err(_) if handed_in => return Err(Error::unknown_outcome(NO_LEADER)),
                            Err(_) => return Err(cluster.unreachable()),
                        }
                    }
                };
                // An earlier attempt may have been decided about.
                let refused = |error: Error| {
                    let open = handed_in && !["40001", "08007"].contains(&error.sqlstate);
                    if open { Error::unknown_outcome(error.to_string()) } else { error }
                };
                if leader.0 == cluster.id {
                    match cluster.commits.commit(id, proposal.clone()).await {
                        Decision::Committed(commit, entry) => return Ok((commit, entry)),
                        Decision::Refused(error) => return Err(refused(error)),
                        Decision::NotLeading => {}
                        Decision::Lost => handed_in = true,
                    }
                } else {
                    let request = request
                        .get_or_insert_with(|| Request::Commit { id: id.to_bytes(), proposal: proposal.clone() });
                    let answer = cluster.ask_while_it_leads(leader, request, limit).await;
                    match answer {
                        Ok(Response::Committed { timestamp, entry }) => {
                            cluster.counters.remote_commits.fetch_add(1, Ordering::Relaxed);
                            return Ok((Commit { id, timestamp }, entry));
                        }
                        Ok(Response::Refused(error)) => return Err(refused(error)),
                        Ok(_) => handed_in = true,
                        Err(error) => {
                            handed_in = true;
                            tracing::info!(%error, "a leader does not answer");
                        }
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        let decided = tokio::time::timeout(limit, decide).await;
        let (commit, entry) = decided.unwrap_or_else(|_| Err(Error::unknown_outcome(NO_LEADER)))?;
        // Whoever reads here next sees it; should this node lag, he waits there.
        let _ = tokio::time::timeout(reach, cluster.visibility.wait(entry)).await;
        Ok(commit)
    }

    /// What became of a commit; none: unknown, or too long ago.
    pub async fn outcome(&self, id: Ulid) -> Result<Option<Outcome>> {
        let cluster = &self.0.cluster;
        // Everything decided before is visible here afterwards.
        cluster.read_barrier(None).await?;
        let limit = Duration::from_millis(self.0.limits.reach_milliseconds);
        let known = tokio::time::timeout(limit, cluster.commits.outcome(id)).await;
        if let Some(outcome) = known.unwrap_or_else(|_| Err(cluster.unreachable()))? {
            return Ok(Some(outcome));
        }
        let Some((leader, _)) = cluster.leader() else { return Ok(None) };
        if leader == cluster.id {
            return Ok(None);
        }
        match cluster.ask_leader(|| Request::Outcome { id: id.to_bytes() }, &[]).await? {
            Response::Outcome(outcome) => Ok(outcome),
            _ => Ok(None),
        }
    }

    /// Whether this replica can do nothing more until it is opened anew: its disk has failed.
    pub fn has_failed(&self) -> bool {
        self.failure().is_some()
    }

    /// What has failed for good, such as the disk; none: it works.
    pub fn failure(&self) -> Option<Error> {
        self.0.failure.get()
    }

    /// Waits for what fails for good, maybe for ever.
    pub async fn wait_for_failure(&self) -> Error {
        self.0.failure.wait().await
    }

    pub fn metrics(&self) -> Metrics {
        let inner = &self.0;
        let cluster = &inner.cluster;
        let counters = cluster.commits.counters();
        Metrics {
            transactions: inner.snapshots.count() as u64,
            committed: counters.committed.load(Ordering::Relaxed),
            refused: counters.refused.load(Ordering::Relaxed),
            entries: counters.entries.load(Ordering::Relaxed),
            journal_syncs: cluster.journal.progress().syncs,
            visible: inner.snapshots.visible().timestamp,
            applied_index: inner.applier.progress.applied_index.load(Ordering::Relaxed),
            durable_index: inner.applier.progress.durable_index.load(Ordering::Relaxed),
            collected: inner.applier.progress.collected.load(Ordering::Relaxed),
            certifier_keys: counters.certifier_keys.load(Ordering::Relaxed),
            local_reads: cluster.counters.local_reads.load(Ordering::Relaxed),
            remote_reads: cluster.counters.remote_reads.load(Ordering::Relaxed),
            remote_commits: cluster.counters.remote_commits.load(Ordering::Relaxed),
        }
    }

    /// Waits until everything that was acknowledged anywhere before the call is visible here.
    pub async fn read_barrier(&self) -> Result<()> {
        self.0.cluster.read_barrier(None).await
    }

    /// Who has what of the journal.
    pub fn progress(&self) -> Progress {
        self.0.cluster.journal.progress()
    }

    /// The journal's entries that are kept here, for comparing nodes.
    pub fn journal_entries(&self) -> Result<Vec<StoredEntry>> {
        self.0.cluster.journal.kept_entries()
    }

    /// The whole store as of now, chunk after chunk, which another replica can be made from.
    pub async fn snapshot(&self) -> Result<SnapshotReader> {
        self.0.cluster.journal.snapshot().await
    }

    /// Every node of the cluster, as far as it answers.
    pub async fn cluster_status(&self) -> Result<ClusterStatus> {
        self.0.cluster.status().await
    }

    /// Removes a node for good, after its last lease has ended.
    pub async fn remove_member(&self, id: u64) -> Result<()> {
        self.0.cluster.ask_leader(|| Request::Remove { id }, &[]).await.map(|_| ())
    }

    /// Has another voter lead.
    pub async fn transfer_leader(&self, id: u64) -> Result<()> {
        self.0.cluster.ask_leader(|| Request::TransferTo { id }, &[]).await.map(|_| ())
    }

    /// Whether this node leads, as far as it knows.
    pub fn leads(&self) -> bool {
        self.0.cluster.visibility.leading().is_some()
    }

    /// Hands leadership on, if this node has it and another voter can take it, and waits until that one leads: before
    /// the node is stopped, so that nobody has to wait for an election.
    pub async fn step_down(&self) {
        let cluster = &self.0.cluster;
        let limit = Duration::from_millis(self.0.limits.election_milliseconds);
        let handed_on = tokio::time::timeout(limit, cluster.step_down()).await;
        if let Ok(Err(error)) = handed_on {
            tracing::warn!(%error, "leadership is not handed on");
        }
    }

    /// Ends the tasks; everything applied is durable after it.
    pub async fn shutdown(&self) -> Result<()> {
        let journal = self.0.cluster.journal.shutdown().await;
        let applier = self.0.applier.stop().await;
        self.0.directory.lock().take();
        applier.and(journal)
    }
}

/// Between two looks at whether a node can serve that could not.
const NOT_READY: Duration = Duration::from_secs(1);
const NO_LEADER: &str = "no leader has answered in time";
