//! Follows who leads: when this node does, it keeps the roster; a witness hands leadership on.

use super::Cluster;
use crate::journal::Consensus;
use crate::transport::Member;
use openraft::ServerState;
use openraft::async_runtime::watch::WatchReceiver;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How often the clock is looked at while a lease may hold entries back.
const TICK: Duration = Duration::from_millis(5);
/// … and otherwise.
const IDLE: Duration = Duration::from_secs(1);
/// Moments that are remembered for saying how late followers are.
const MOMENTS: usize = 4096;
/// The least time between two of them, in microseconds.
const MOMENT: u64 = 5000;

/// Runs until the journal stops or the cluster is dropped.
pub async fn run(cluster: Weak<Cluster>) {
    let Some(mut metrics) = cluster.upgrade().map(|cluster| cluster.journal.raft.metrics()) else { return };
    loop {
        let again = {
            let Some(cluster) = cluster.upgrade() else { return };
            look(&cluster).await;
            if cluster.visibility.tick() { TICK } else { IDLE }
        };
        if let Ok(Err(_)) = tokio::time::timeout(again, metrics.changed()).await {
            // The journal has stopped: somebody else leads, or nobody.
            if let Some(cluster) = cluster.upgrade()
                && cluster.transport.is_some()
            {
                cluster.visibility.follow();
            }
            return;
        }
    }
}

struct View {
    leads: bool,
    term: u64,
    /// Last entry applied, where it is of this term.
    applied: Option<u64>,
    last: u64,
    matched: BTreeMap<u64, u64>,
    voters: BTreeSet<u64>,
    nodes: BTreeSet<u64>,
    members: BTreeMap<u64, Member>,
}

fn view(cluster: &Cluster) -> View {
    let metrics = cluster.journal.raft.metrics();
    let metrics = metrics.borrow_watched();
    let applied = metrics.last_applied.filter(|applied| applied.leader_id.term == metrics.current_term);
    let configs = [&metrics.membership_config, &metrics.committed_membership_config];
    View {
        leads: metrics.state == ServerState::Leader,
        term: metrics.current_term,
        applied: applied.map(|applied| applied.index),
        last: metrics.last_log_index.unwrap_or(0),
        matched: metrics
            .replication
            .iter()
            .flatten()
            .map(|(node, id)| (*node, id.as_ref().map_or(0, |id| id.index)))
            .collect(),
        voters: configs.iter().flat_map(|config| config.voter_ids()).collect(),
        nodes: configs.iter().flat_map(|config| config.nodes().map(|(id, _)| *id)).collect(),
        members: metrics.membership_config.nodes().map(|(id, member)| (*id, member.clone())).collect(),
    }
}

async fn look(cluster: &Arc<Cluster>) {
    let view = view(cluster);
    cluster.network.set_members(view.members.clone());
    if !view.leads {
        cluster.visibility.follow();
        cluster.proposed.lock().clear();
        return;
    }
    if cluster.member.witness {
        hand_on(cluster, &view).await;
        return;
    }
    let Some(applied) = view.applied else {
        // It may have led before, and what others have done since is not applied yet.
        if cluster.visibility.leading() != Some(view.term) {
            cluster.visibility.follow();
        }
        return;
    };
    let alone = view.voters.iter().eq([&cluster.id]);
    let others = view.nodes.iter().copied().filter(|node| *node != cluster.id).collect();
    cluster.visibility.lead(view.term, applied, others, alone);
    note_proposed(cluster, view.last);
    cluster.visibility.progress(view.term, view.matched);
}

fn note_proposed(cluster: &Cluster, last: u64) {
    let now = cluster.clock.monotonic_micros();
    let mut proposed = cluster.proposed.lock();
    if proposed.back().is_some_and(|(entry, at)| *entry == last || now < at + MOMENT) {
        return;
    }
    if proposed.len() == MOMENTS {
        proposed.pop_front();
    }
    proposed.push_back((last, now));
}

/// A witness has no data to decide with: whoever has all that it has leads instead. It has never been sure of its
/// leadership and has granted no lease, so it may be replaced at any time.
async fn hand_on(cluster: &Cluster, view: &View) {
    let progress = crate::journal::Journal::progress(&*cluster.journal);
    let heir = view.voters.iter().find(|voter| {
        progress.keeps_data(**voter) && view.matched.get(voter).is_some_and(|matched| *matched >= view.last)
    });
    if let Some(heir) = heir
        && let Err(error) = transfer(&cluster.journal.raft, *heir).await
    {
        tracing::warn!(%error, "a witness cannot hand its leadership on");
    }
    // The request changes the metrics, which is what brings us here.
    tokio::time::sleep(Duration::from_millis(cluster.limits.heartbeat_milliseconds)).await;
}

async fn transfer(raft: &Consensus, to: u64) -> crate::Result<()> {
    raft.trigger().transfer_leader(to).await.map_err(crate::journal::failed)
}

impl Cluster {
    /// Hands leadership on to a voter, which is elected at once: so all leases have to have ended before. From then on
    /// this node proposes nothing and reads nothing in this term; should that voter not take over, another one will.
    pub async fn hand_over(&self, to: u64) -> crate::Result<()> {
        let Some(term) = self.journal.as_leader(|term, _| term) else { return Ok(()) };
        let Some(lease) = self.visibility.retire() else { return Ok(()) };
        tokio::time::sleep(Duration::from_micros(lease)).await;
        if self.visibility.leading() != Some(term) {
            return Ok(());
        }
        self.handing_over.store(term, Ordering::SeqCst);
        transfer(&self.journal.raft, to).await
    }

    /// How late a node is that has this entry, in milliseconds.
    pub fn lag_milliseconds(&self, entry: u64) -> u64 {
        let now = self.clock.monotonic_micros();
        let proposed = self.proposed.lock();
        let first = proposed.iter().find(|(newest, _)| *newest > entry);
        first.map_or(0, |(_, at)| now.saturating_sub(*at) / 1000)
    }
}
