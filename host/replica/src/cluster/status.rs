//! What is going on in the cluster, for people.

use super::{Cluster, Request, Response};
use crate::error::Result;
use crate::journal::Journal;
use crate::transport::Member;
use futures::future::join_all;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long a node may take to report.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What one node says of itself, and the leader of the others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeReport {
    pub id: u64,
    pub member: Member,
    pub version: String,
    /// Tells this process from another one of the same number.
    pub process: u64,
    pub leader: Option<u64>,
    pub term: u64,
    pub last_index: u64,
    pub applied_index: u64,
    pub visible_index: u64,
    /// Lease left for local reads, in milliseconds; the leader needs none.
    pub lease_ms: Option<u64>,
    pub local_reads: u64,
    pub remote_reads: u64,
    pub remote_commits: u64,
    pub voters: Vec<u64>,
    pub members: BTreeMap<u64, Member>,
    /// On the leader: what it knows of each other node.
    pub others: BTreeMap<u64, OtherReport>,
}

/// What the leader knows of another node.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OtherReport {
    /// Last entry that it is known to have.
    pub matched: u64,
    /// How late that is, in milliseconds.
    pub lag_ms: u64,
    /// Milliseconds since it was heard of last.
    pub heard_ms: Option<u64>,
    pub lease_ms: Option<u64>,
    /// What it has applied, by its own word.
    pub applied_index: Option<u64>,
}

/// One node of the cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeStatus {
    pub id: u64,
    pub region: String,
    pub address: String,
    /// `voter`, `learner` or `witness`.
    pub role: String,
    pub leader: bool,
    /// Whether it has reported just now.
    pub reachable: bool,
    pub version: Option<String>,
    pub applied_index: Option<u64>,
    pub visible_index: Option<u64>,
    /// Entries that it lacks, and how late it is with them in milliseconds; as far as the leader knows.
    pub lag_entries: Option<u64>,
    pub lag_ms: Option<u64>,
    /// What is left of its lease for local reads, in milliseconds.
    pub lease_ms: Option<u64>,
    /// Milliseconds since the leader has heard of it.
    pub heard_ms: Option<u64>,
    pub local_reads: Option<u64>,
    pub remote_reads: Option<u64>,
    pub remote_commits: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClusterStatus {
    /// The node that has been asked.
    pub node: u64,
    pub leader: Option<u64>,
    pub term: u64,
    pub last_index: u64,
    pub nodes: Vec<NodeStatus>,
}

impl Cluster {
    pub fn report(&self) -> NodeReport {
        let progress = self.journal.progress();
        let milliseconds = |lease: Option<u64>| lease.map(|micros| micros / 1000);
        let now = self.clock.monotonic_micros();
        let heard = self.heard.lock().clone();
        let others = progress.matched.iter().filter(|(id, _)| **id != self.id).map(|(id, matched)| {
            let fed = heard.get(id).map(|heard| now.saturating_sub(heard.at) / 1000);
            let heard_ms = [progress.heard_ms.get(id).copied(), fed].into_iter().flatten().min();
            let lease_ms = milliseconds(self.visibility.lease_left(Some(*id)));
            let lag_ms = self.lag_milliseconds(*matched);
            let applied_index = heard.get(id).map(|heard| heard.applied_index);
            (*id, OtherReport { matched: *matched, lag_ms, heard_ms, lease_ms, applied_index })
        });
        NodeReport {
            id: self.id,
            member: self.member.clone(),
            version: self.version.clone(),
            process: self.process,
            leader: progress.leader,
            term: progress.term,
            last_index: progress.last_index,
            applied_index: progress.applied_index,
            visible_index: self.visibility.visible(),
            lease_ms: milliseconds(self.visibility.lease_left(None)),
            local_reads: self.counters.local_reads.load(Ordering::Relaxed),
            remote_reads: self.counters.remote_reads.load(Ordering::Relaxed),
            remote_commits: self.counters.remote_commits.load(Ordering::Relaxed),
            others: others.collect(),
            voters: progress.voters,
            members: progress.members,
        }
    }

    /// Asks every node.
    pub async fn status(&self) -> Result<ClusterStatus> {
        let own = self.report();
        let asked = own.members.iter().filter(|(id, _)| **id != self.id).map(|(id, member)| async move {
            match self.ask(*id, member, &Request::Status, PATIENCE).await {
                Ok(Response::Status(report)) => Some((*id, report)),
                _ => None,
            }
        });
        let mut reports: BTreeMap<u64, NodeReport> = join_all(asked).await.into_iter().flatten().collect();
        reports.insert(self.id, own.clone());
        // Whoever leads knows most; a node that has been cut off may not have heard of a new leader.
        let leader = reports.values().filter(|report| report.leader == Some(report.id)).max_by_key(|r| r.term);
        let leader = leader.unwrap_or(&own);
        let nodes = leader.members.iter().map(|(id, member)| node_status(*id, member, leader, reports.get(id)));
        Ok(ClusterStatus {
            node: self.id,
            leader: leader.leader,
            term: leader.term,
            last_index: leader.last_index,
            nodes: nodes.collect(),
        })
    }
}

fn node_status(id: u64, member: &Member, leader: &NodeReport, report: Option<&NodeReport>) -> NodeStatus {
    let role = match (leader.voters.contains(&id), member.witness) {
        (_, true) => "witness",
        (true, false) => "voter",
        (false, false) => "learner",
    };
    let leads = leader.leader == Some(id);
    let other = leader.others.get(&id);
    NodeStatus {
        id,
        region: member.region.clone(),
        address: member.address.clone(),
        role: role.into(),
        leader: leads,
        reachable: report.is_some(),
        version: report.map(|report| report.version.clone()),
        applied_index: report.map(|report| report.applied_index).or(other.and_then(|other| other.applied_index)),
        visible_index: report.map(|report| report.visible_index),
        lag_entries: other.map(|other| leader.last_index.saturating_sub(other.matched)).or(leads.then_some(0)),
        lag_ms: other.map(|other| other.lag_ms).or(leads.then_some(0)),
        lease_ms: report.and_then(|report| report.lease_ms).or(other.and_then(|other| other.lease_ms)),
        heard_ms: other.and_then(|other| other.heard_ms),
        local_reads: report.map(|report| report.local_reads),
        remote_reads: report.map(|report| report.remote_reads),
        remote_commits: report.map(|report| report.remote_commits),
    }
}
