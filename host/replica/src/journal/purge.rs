//! Purges the journal behind the durable store. What followers may still need stays for a while: a follower that has
//! been away for longer gets a snapshot.

use super::log::LogStore;
use super::machine::Machine;
use super::raft::Consensus;
use crate::options::Limits;
use openraft::async_runtime::watch::WatchReceiver;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How often kept snapshots are looked after when nothing else happens.
const IDLE: Duration = Duration::from_secs(30);

/// Runs until the journal stops.
pub async fn run(raft: Consensus, machine: Machine, log: LogStore, limits: Arc<Limits>) {
    // Up to which entry the store was durable at each earlier purge, and the bytes of entries since the one before.
    let mut marks: VecDeque<(u64, u64)> = VecDeque::new();
    loop {
        let growth = tokio::time::timeout(IDLE, machine.growth.enough.notified()).await;
        machine.forget_old_snapshot();
        if growth.is_err() {
            continue;
        }
        let bytes = machine.growth.take();
        let Some(durable) = snapshot(&raft).await else { return };
        marks.push_back((durable, bytes));
        let peers = raft.metrics().borrow_watched().membership_config.nodes().count() > 1;
        let upto = if peers { kept_from(&mut marks, &limits) } else { durable };
        // Whoever is receiving a snapshot goes on from there: without the entries behind it he would need another one,
        // and under load never come back.
        let upto = upto.min(machine.kept_index().unwrap_or(u64::MAX));
        if upto > log.purged_index() && raft.trigger().purge_log(upto).await.is_err() {
            return;
        }
    }
}

/// Makes the store durable and answers up to which entry it is.
async fn snapshot(raft: &Consensus) -> Option<u64> {
    let mut metrics = raft.metrics();
    let before = metrics.borrow_watched().snapshot;
    raft.trigger().snapshot().await.ok()?;
    loop {
        let now = metrics.borrow_watched().snapshot;
        if now > before {
            return now.map(|id| id.index);
        }
        metrics.changed().await.ok()?;
    }
}

/// The last entry that followers need no more.
fn kept_from(marks: &mut VecDeque<(u64, u64)>, limits: &Limits) -> u64 {
    let newest = marks.back().map_or(0, |(index, _)| *index);
    let mut bytes: u64 = marks.iter().map(|(_, bytes)| bytes).sum();
    let mut upto = 0;
    while let Some((index, first_bytes)) = marks.front().copied()
        && (bytes > limits.journal_bytes_behind || newest - index > limits.journal_entries_behind)
        && marks.len() > 1
    {
        bytes -= first_bytes;
        upto = index;
        marks.pop_front();
    }
    upto
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_followers_may_need_stays() {
        let limits = Limits { journal_entries_behind: 25, journal_bytes_behind: 100, ..Limits::default() };
        let mut marks = VecDeque::from([(10, 30), (20, 30), (30, 30)]);
        assert_eq!(kept_from(&mut marks, &limits), 0);
        marks.push_back((40, 5));
        assert_eq!(kept_from(&mut marks, &limits), 10, "too many entries");
        marks.push_back((45, 60));
        assert_eq!(kept_from(&mut marks, &limits), 20, "too many bytes");
    }
}
