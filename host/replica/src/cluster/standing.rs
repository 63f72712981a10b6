//! When to stand for election. openraft would wait at random, for up to as long again as voters keep to a silent
//! leader; here voters stand one after the other, and the first one is mostly elected before the second one's turn.

use super::Cluster;
use crate::journal::Journal;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Between two voters' turns, in microseconds: time for an election.
const TURN: u64 = 200_000;
/// Between two looks at the clock.
const LOOK: Duration = Duration::from_millis(20);

/// Runs until the cluster is dropped.
pub async fn run(cluster: Weak<Cluster>) {
    // When this node stood last, by its own clock.
    let mut stood = 0;
    loop {
        let Some(strong) = cluster.upgrade() else { return };
        let now = strong.clock.monotonic_micros();
        if strong.stands_at(now, stood).is_some_and(|due| now >= due) {
            stood = now;
            // Others are asked first whether they have heard of a leader: standing in vain disturbs nobody.
            if let Err(error) = strong.journal.raft.trigger().elect(true).await {
                tracing::debug!(%error, "this node cannot stand for election");
                return;
            }
        }
        drop(strong);
        tokio::time::sleep(LOOK).await;
    }
}

impl Cluster {
    /// A leader has spoken, or this node has voted for one, or led itself.
    pub fn be_patient(&self) {
        self.patient_since.store(self.clock.monotonic_micros(), Ordering::Relaxed);
    }

    /// When this node's turn to stand comes; none: a leader has spoken not long before `now`, or it leads itself, or
    /// has no vote.
    fn stands_at(&self, now: u64, stood: u64) -> Option<u64> {
        // It may have heard of a leader just before it was started.
        let patience = self.visibility.rules.abstains_for();
        let heard = self.patient_since.load(Ordering::Relaxed).max(self.started) + patience;
        if now < heard || self.is_twin() {
            return None;
        }
        let progress = self.journal.progress();
        if progress.leader == Some(self.id) {
            self.be_patient();
            return None;
        }
        if progress.voters.len() < 2 {
            return None;
        }
        // Who keeps no data would only hand leadership on.
        let silent = |id: &&u64| Some(**id) != progress.leader;
        let (mut voters, witnesses): (Vec<u64>, Vec<u64>) =
            progress.voters.iter().filter(silent).partition(|id| progress.keeps_data(**id));
        voters.extend(witnesses);
        let place = voters.iter().position(|id| *id == self.id)? as u64;
        let again = stood + patience / 2;
        Some(if stood > heard { again } else { heard } + place * TURN)
    }
}
