//! Room on the disks. What a journal entry needs is room at the leader and at enough voters for a majority: where that
//! is gone, commits are refused while there still is some, so that no node has to stop for a full disk.
//!
//! A voter whose disk is below the reserve says so to the leader, and goes on appending: that is what the reserve is
//! for. A leader whose own disk is below it hands leadership to a voter with room.

use super::{Cluster, Request, Response};
use crate::error::Error;
use crate::journal::{Journal, Progress};
use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Between two looks at the disk.
const LOOK: Duration = Duration::from_secs(1);
/// How long the word of a voter counts: it says it again with every look.
const REMEMBERED: Duration = Duration::from_secs(4);
/// A new leader has heard of all full disks after so many looks.
const LOOKS_TO_HEAR: u32 = 3;

/// What a leader does.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    GoOn,
    /// One of these is to lead, the first one rather.
    HandOn(Vec<u64>),
    /// Nothing is committed until these have room.
    Refuse(BTreeSet<u64>),
}

/// `short`: whose disks are below the reserve. `patience`: milliseconds after which a silent node does not count.
fn judge(me: u64, progress: &Progress, short: &BTreeSet<u64>, patience: u64) -> Verdict {
    let is_here = |id: u64| id == me || progress.is_heard(id, patience);
    let has_room = |id: &&u64| is_here(**id) && !short.contains(id);
    let roomy: Vec<u64> = progress.voters.iter().filter(has_room).copied().collect();
    let missed: BTreeSet<u64> = progress.voters.iter().filter(|voter| short.contains(voter)).copied().collect();
    // Whoever is silent is not helped by refusing; whoever is short and needed is.
    if !missed.is_empty() && roomy.len() * 2 <= progress.voters.len() {
        return Verdict::Refuse(missed);
    }
    if !short.contains(&me) {
        return Verdict::GoOn;
    }
    let mut heirs: Vec<u64> = roomy.into_iter().filter(|id| progress.keeps_data(*id)).collect();
    heirs.sort_by_key(|heir| std::cmp::Reverse(progress.has(*heir)));
    if heirs.is_empty() { Verdict::Refuse(BTreeSet::from([me])) } else { Verdict::HandOn(heirs) }
}

/// What is remembered between two looks.
#[derive(Default)]
struct Watch {
    /// Looks since this node has begun to lead.
    looks: u32,
    /// Nobody has taken the leadership that was offered.
    kept: bool,
}

/// Runs until the cluster is dropped.
pub async fn run(cluster: Weak<Cluster>) {
    let mut watch = Watch::default();
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(cluster) = cluster.upgrade() else { return };
        cluster.look_for_room(&mut watch).await;
    }
}

impl Cluster {
    async fn look_for_room(self: &Arc<Self>, watch: &mut Watch) {
        let is_short = self.space.check(0).is_err_and(|error| error.sqlstate == "53100");
        if self.visibility.leading().is_none() {
            *watch = Watch::default();
            self.commits.refuse_all(None);
            if is_short && let Some((leader, member)) = self.leader().filter(|(leader, _)| *leader != self.id) {
                // Should it not be heard, it is said again.
                let _ = self.ask(leader, &member, &Request::ShortOfRoom, LOOK).await;
            }
            return;
        }
        watch.looks += 1;
        if watch.looks < LOOKS_TO_HEAR {
            return;
        }
        let mut short = self.short_of_room();
        short.extend(is_short.then_some(self.id));
        let progress = self.journal.progress();
        match judge(self.id, &progress, &short, self.limits.election_milliseconds) {
            Verdict::GoOn => {
                watch.kept = false;
                self.commits.refuse_all(None);
            }
            Verdict::Refuse(whose) => self.commits.refuse_all(Some(no_room(&progress, &whose))),
            Verdict::HandOn(heirs) => {
                if watch.kept {
                    self.commits.refuse_all(Some(no_room(&progress, &BTreeSet::from([self.id]))));
                }
                watch.kept = !self.offer_leadership(&heirs).await;
            }
        }
    }

    /// Whether another node leads now.
    async fn offer_leadership(self: &Arc<Self>, heirs: &[u64]) -> bool {
        for heir in heirs {
            match self.pass_leadership(*heir).await {
                Ok(_) => break,
                Err(error) => tracing::warn!(%error, heir, "a leader without room on its disk is kept"),
            }
        }
        // By then it has been taken, or this node leads in a new term.
        let patience = Duration::from_micros(self.visibility.rules.abstains_for()) + LOOK;
        tokio::time::timeout(patience, self.wait_for_other_than(self.id)).await.is_ok()
    }

    /// A node says that its disk is below the reserve.
    pub fn note_short_of_room(&self, node: u64) -> Response {
        self.short.lock().insert(node, self.clock.monotonic_micros());
        Response::Done
    }

    fn short_of_room(&self) -> BTreeSet<u64> {
        let now = self.clock.monotonic_micros();
        let mut short = self.short.lock();
        short.retain(|_, at| now.saturating_sub(*at) <= REMEMBERED.as_micros() as u64);
        short.keys().copied().collect()
    }
}

/// 53100, with the nodes that need room.
fn no_room(progress: &Progress, whose: &BTreeSet<u64>) -> Error {
    let name = |id: &u64| match progress.members.get(id) {
        Some(member) => format!("node {id} in {}", member.region),
        None => format!("node {id}"),
    };
    Error::disk_full().with_detail(whose.iter().map(name).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Member;

    const PATIENCE: u64 = 1500;

    /// Three voters, of which 1 leads and 3 has a little less than 2.
    fn progress(witness: Option<u64>, silent: Option<u64>) -> Progress {
        let member = |id| Member { region: format!("region-{id}"), witness: witness == Some(id), ..Member::default() };
        Progress {
            matched: [(1, 10), (2, 10), (3, 9)].into(),
            heard_ms: [2, 3].into_iter().filter(|id| silent != Some(*id)).map(|id| (id, 100)).collect(),
            voters: vec![1, 2, 3],
            members: [1, 2, 3].map(|id| (id, member(id))).into(),
            ..Progress::default()
        }
    }

    fn verdict(progress: &Progress, short: &[u64]) -> Verdict {
        judge(1, progress, &short.iter().copied().collect(), PATIENCE)
    }

    fn refuse(whose: &[u64]) -> Verdict {
        Verdict::Refuse(whose.iter().copied().collect())
    }

    #[test]
    fn commits_go_on_while_a_majority_has_room() {
        let all = progress(None, None);
        assert_eq!(verdict(&all, &[]), Verdict::GoOn);
        assert_eq!(verdict(&all, &[3]), Verdict::GoOn);
        assert_eq!(verdict(&all, &[2, 3]), refuse(&[2, 3]));
        assert_eq!(verdict(&all, &[9]), Verdict::GoOn, "no voter");
    }

    #[test]
    fn a_node_that_is_silent_counts_for_nothing_and_is_not_waited_for() {
        let without_3 = progress(None, Some(3));
        assert_eq!(verdict(&without_3, &[]), Verdict::GoOn);
        assert_eq!(verdict(&without_3, &[2]), refuse(&[2]));
        assert_eq!(verdict(&without_3, &[1]), refuse(&[1]));
    }

    #[test]
    fn a_leader_without_room_gives_way_to_a_voter_with_data_and_room() {
        assert_eq!(verdict(&progress(None, None), &[1]), Verdict::HandOn(vec![2, 3]));
        assert_eq!(verdict(&progress(Some(2), None), &[1]), Verdict::HandOn(vec![3]));
        assert_eq!(verdict(&progress(None, None), &[1, 2]), refuse(&[1, 2]));
        let mut alone = progress(None, None);
        alone.voters = vec![1];
        assert_eq!(verdict(&alone, &[1]), refuse(&[1]));
    }

    #[test]
    fn the_error_names_the_regions() {
        let error = no_room(&progress(None, None), &BTreeSet::from([2, 3]));
        assert_eq!(error.detail.as_deref(), Some("node 2 in region-2, node 3 in region-3"));
    }
}
