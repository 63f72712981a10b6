//! Some replicas, each with its disk and clock, on one network.

use super::network::Network;
use crate::disk::{Disk, Fault, Random};
use isobar_replica::{Clock, ClusterOptions, Execution, Limits, Member, Options, Replica, Role, Storage};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// What clocks may be off by in their rate, in parts per thousand: less than `Limits::drift_percent` allows.
const DRIFT: u64 = 40;

/// Runs on simulated time at its own rate, and jumps when told to.
pub struct NodeClock {
    start: Instant,
    /// Parts per thousand.
    rate: u64,
    offset: AtomicI64,
    /// What the monotonic clock begins with: another one after each start.
    boot: u64,
}

impl NodeClock {
    fn elapsed(&self) -> u64 {
        self.start.elapsed().as_micros() as u64 * self.rate / 1000
    }

    pub fn jump(&self, micros: i64) {
        self.offset.fetch_add(micros, Ordering::Relaxed);
    }
}

impl Clock for NodeClock {
    fn now_micros(&self) -> u64 {
        let offset = self.offset.load(Ordering::Relaxed);
        (1_700_000_000_000_000 + self.elapsed()).saturating_add_signed(offset)
    }

    fn monotonic_micros(&self) -> u64 {
        self.boot + self.elapsed()
    }
}

pub struct Node {
    pub id: u64,
    pub address: String,
    pub role: Role,
    pub replica: Option<Replica>,
    pub disk: Disk,
    pub clock: Arc<NodeClock>,
}

pub struct World {
    pub network: Network,
    pub nodes: BTreeMap<u64, Node>,
    pub random: Random,
    /// Nodes that somebody has asked to be removed, without an answer.
    pub leaving: BTreeSet<u64>,
    start: Instant,
    next_id: u64,
}

pub fn limits() -> Limits {
    Limits {
        durable_milliseconds: 300,
        journal_entries_kept: 40,
        journal_entries_behind: 200,
        journal_cache_bytes: 100_000,
        retention_seconds: 100_000,
        outcome_seconds: 100_000,
        store_cache_bytes: 1 << 20,
        journal_file_cache_bytes: 1 << 20,
        segment_bytes: 1 << 20,
        read_ahead_threads: 0,
        ..Limits::default()
    }
}

impl World {
    /// `delay`: one way, in microseconds.
    pub fn new(seed: u64, delay: u64) -> World {
        let mut random = Random(seed);
        let network = Network::new(Random(random.next()), delay);
        let leaving = BTreeSet::new();
        World { network, nodes: BTreeMap::new(), random, leaving, start: Instant::now(), next_id: 1 }
    }

    /// A cluster of so many voters, all of them ready.
    pub async fn cluster(seed: u64, delay: u64, voters: u64) -> World {
        let mut world = World::new(seed, delay);
        for _ in 0..voters {
            world.add(Role::Voter).await;
        }
        world.all_ready(Duration::from_secs(60)).await;
        world.all_vote(Duration::from_secs(60)).await;
        world
    }

    /// Waits until every node that is to vote does.
    pub async fn all_vote(&self, limit: Duration) {
        let voters: Vec<u64> =
            self.nodes.values().filter(|node| node.role != Role::Learner).map(|node| node.id).collect();
        let all = async {
            while !self.nodes.values().all(|node| self.running(node.id).progress().voters == voters) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(limit, all).await.expect("all vote in time");
    }

    /// Adds a new node, which asks the others to be taken in.
    pub async fn add(&mut self, role: Role) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let disk = Disk::new(Random(self.random.next()));
        let clock = self.clock();
        let address = format!("node-{id}");
        self.nodes.insert(id, Node { id, address, role, replica: None, disk, clock });
        self.start(id).await;
        id
    }

    fn clock(&mut self) -> Arc<NodeClock> {
        let rate = 1000 - DRIFT + self.random.below(2 * DRIFT + 1);
        let offset = self.random.below(2_000_000) as i64 - 1_000_000;
        let boot = self.random.below(1 << 40);
        Arc::new(NodeClock { start: self.start, rate, offset: AtomicI64::new(offset), boot })
    }

    /// Starts a node on what its disk has. Whether it came up: a disk that fails may keep it from that.
    pub async fn start(&mut self, id: u64) -> bool {
        let others = self.nodes.values().filter(|other| other.id != id);
        let others: Vec<String> = others.map(|other| other.address.clone()).collect();
        let node = self.nodes.get_mut(&id).expect("a node");
        let first = id == 1;
        let options = Options {
            storage: Storage::Backends {
                store: node.disk.file("store"),
                journal: node.disk.file("journal"),
                free: Some(node.disk.free()),
            },
            limits: limits(),
            clock: node.clock.clone(),
            node_id: id,
            execution: Execution::Tasks,
            cluster: Some(ClusterOptions {
                member: Member { region: format!("region-{id}"), address: node.address.clone(), witness: false },
                transport: self.network.transport(id),
                role: node.role,
                join: if first { Vec::new() } else { others },
                version: "simulated".into(),
            }),
        };
        match Replica::open(options).await {
            Ok(replica) => {
                self.network.attach(id, node.address.clone(), replica.peer());
                node.replica = Some(replica);
                true
            }
            Err(_) => false,
        }
    }

    /// Ends a node at once; `power`: what was not synced may be lost.
    pub fn crash(&mut self, id: u64, power: bool) {
        self.network.detach(id);
        let clock = self.clock();
        let node = self.nodes.get_mut(&id).expect("a node");
        node.disk = if power { node.disk.after_power_loss() } else { node.disk.after_kill() };
        // Another boot of the same machine: the same rate.
        node.clock = Arc::new(NodeClock { rate: node.clock.rate, ..Arc::into_inner(clock).expect("a new one") });
        if let Some(replica) = node.replica.take() {
            // What still runs of it has no disk and no network; it only has to come to an end.
            tokio::spawn(async move { replica.shutdown().await });
        }
    }

    /// Forgets a node for good.
    pub fn discard(&mut self, id: u64) {
        self.crash(id, false);
        self.nodes.remove(&id);
    }

    /// Removes for certain what may have been removed.
    pub async fn finish_removals(&mut self) {
        for id in std::mem::take(&mut self.leaving) {
            let Some(other) = self.ids().into_iter().find(|other| *other != id) else { continue };
            if !self.nodes.contains_key(&id) {
                continue;
            }
            let until = Instant::now() + Duration::from_secs(60);
            loop {
                match self.running(other).remove_member(id).await {
                    Ok(()) => break,
                    Err(error) if error.message.ends_with(&format!("has no node {id}")) => break,
                    Err(error) => assert!(Instant::now() < until, "node {id} cannot be removed: {error}"),
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            self.discard(id);
        }
    }

    pub fn replica(&self, id: u64) -> Option<Replica> {
        self.nodes.get(&id)?.replica.clone()
    }

    pub fn ids(&self) -> Vec<u64> {
        self.nodes.keys().copied().collect()
    }

    pub fn any_id(&mut self) -> u64 {
        let ids = self.ids();
        ids[self.random.below(ids.len() as u64) as usize]
    }

    /// A node that is known to run.
    pub fn running(&self, id: u64) -> Replica {
        self.replica(id).unwrap_or_else(|| panic!("node {id} does not run"))
    }

    /// Who leads, by the word of whoever knows of the newest term.
    pub fn leader(&self) -> Option<u64> {
        let replicas = self.nodes.values().filter_map(|node| node.replica.as_ref());
        let newest = replicas.map(Replica::progress).filter(|progress| progress.leader.is_some());
        newest.max_by_key(|progress| progress.term)?.leader
    }

    /// Ends all faults and starts what is down.
    pub async fn repair(&mut self) {
        self.network.heal();
        for id in self.ids() {
            // A disk that has failed once is of no use to the process that it failed.
            if self.nodes[&id].disk.fault_has_happened() {
                self.crash(id, false);
            }
            self.nodes[&id].disk.plan(Fault::PowerLoss, u64::MAX);
            if self.replica(id).is_none() {
                assert!(self.start(id).await, "node {id} does not come up on a sound disk");
            }
        }
    }

    /// Waits until every node serves; fails when that takes longer than `limit`.
    pub async fn all_ready(&self, limit: Duration) {
        for node in self.nodes.values() {
            let replica = node.replica.clone().expect("a running node");
            let ready = tokio::time::timeout(limit, replica.ready()).await;
            match ready {
                Ok(Ok(())) => {}
                Ok(Err(error)) => panic!("node {} is not ready: {error}", node.id),
                Err(_) => {
                    let all = self.nodes.values().filter_map(|node| node.replica.as_ref());
                    let all: Vec<_> = all.map(|replica| (replica.progress(), replica.metrics())).collect();
                    panic!("node {} is not ready after {limit:?}: {all:#?}", node.id)
                }
            }
        }
    }

    /// Every node with data has the same versions and the same outcomes, and journals that overlap agree.
    pub async fn converged(&self) {
        let mut first: Option<(u64, Vec<Vec<u8>>)> = None;
        let mut journal: BTreeMap<u64, (u64, u64, Vec<u8>)> = BTreeMap::new();
        for (id, node) in &self.nodes {
            let replica = node.replica.as_ref().expect("it runs");
            for entry in replica.journal_entries().expect("a journal") {
                let (other, term, bytes) =
                    journal.entry(entry.index).or_insert_with(|| (*id, entry.term, entry.bytes.clone()));
                let same = (*term, &*bytes) == (entry.term, &entry.bytes);
                assert!(same, "nodes {other} and {id} have different entries {}", entry.index);
            }
            if node.role == Role::Witness {
                continue;
            }
            let chunks = replica.snapshot().await.expect("a snapshot").map(|chunk| chunk.expect("read"));
            // Latest versions, history, what superseded what, outcomes in both orders, counts: all but the journal's own
            // state.
            let chunks: Vec<Vec<u8>> = chunks.filter(|chunk| chunk[0] != 6).collect();
            match &first {
                None => first = Some((*id, chunks)),
                Some((other, expected)) => assert!(*expected == chunks, "nodes {other} and {id} differ"),
            }
        }
    }
}
