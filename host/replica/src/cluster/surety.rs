//! How old a majority's word is that this node leads. openraft has such a figure, too; it may tell of a message that
//! was sent after the one that was answered, by a clock that stands still while the machine is suspended.

use super::Cluster;
use crate::options::Clock;
use crate::visibility::Sure;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// When the messages were sent that peers have answered last.
pub struct Answered {
    clock: Arc<dyn Clock>,
    /// Peer → the term that it has answered in, and when the answered message was sent, by the monotonic clock.
    peers: Mutex<BTreeMap<u64, (u64, u64)>>,
}

/// Messages on a stream to one peer, whose answers come in their order.
pub struct Sent {
    peer: u64,
    answered: Arc<Answered>,
    /// Term and time of each that is not answered yet.
    waiting: Mutex<VecDeque<(u64, u64)>>,
}

impl Answered {
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Answered> {
        Arc::new(Answered { clock, peers: Mutex::default() })
    }

    pub fn stream(self: &Arc<Self>, peer: u64) -> Arc<Sent> {
        Arc::new(Sent { peer, answered: self.clone(), waiting: Mutex::default() })
    }

    /// Microseconds since the newest moment for which a majority of each of these sets of voters has promised the
    /// leader of `term`, `leader` itself, not to vote for another one for a while; none: it has not yet.
    fn age(&self, term: u64, leader: u64, voters: &[BTreeSet<u64>]) -> Option<u64> {
        let now = self.clock.monotonic_micros();
        let peers = self.peers.lock();
        let promised = |voter: &u64| match peers.get(voter) {
            _ if *voter == leader => Some(now),
            Some((of, at)) if *of == term => Some(*at),
            _ => None,
        };
        let majority = |voters: &BTreeSet<u64>| {
            let mut moments: Vec<u64> = voters.iter().filter_map(promised).collect();
            moments.sort_unstable_by(|one, other| other.cmp(one));
            moments.get(voters.len() / 2).copied()
        };
        let moments: Option<Vec<u64>> = voters.iter().map(majority).collect();
        moments?.into_iter().min().map(|moment| now.saturating_sub(moment))
    }
}

impl Sent {
    /// A message of the leader of `term` is about to be sent.
    pub fn sends(&self, term: u64) {
        let now = self.answered.clock.monotonic_micros();
        self.waiting.lock().push_back((term, now));
    }

    /// The next answer has come. `accepted`: the peer knows of no later leader.
    pub fn is_answered(&self, accepted: bool) {
        let Some(newest) = self.waiting.lock().pop_front() else { return };
        if accepted {
            let mut peers = self.answered.peers.lock();
            let known = peers.entry(self.peer).or_default();
            *known = newest.max(*known);
        }
    }
}

impl Cluster {
    /// Whether no other node can have been elected yet, as far as messages that a majority has answered prove.
    pub fn leads_for_sure(&self) -> Option<Sure> {
        let answered = &self.network.answered;
        let (term, age) =
            self.journal.as_leader(|term, voters| answered.age(term, self.id, voters).map(|age| (term, age)))??;
        let sure = age < self.visibility.rules.leads_for() && term != self.handing_over.load(Ordering::SeqCst);
        sure.then_some(Sure { term, age })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    #[derive(Default)]
    struct Hand(AtomicU64);

    impl Clock for Hand {
        fn now_micros(&self) -> u64 {
            0
        }

        fn monotonic_micros(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn a_majority_counts_from_what_it_has_answered_and_not_from_what_was_sent_since() {
        let clock = Arc::new(Hand::default());
        let answered = Answered::new(clock.clone());
        let voters = [BTreeSet::from([1, 2, 3])];
        let to_two = answered.stream(2);
        assert_eq!(answered.age(7, 1, &voters), None);
        for at in [100, 200] {
            clock.0.store(at, Ordering::Relaxed);
            to_two.sends(7);
        }
        clock.0.store(300, Ordering::Relaxed);
        to_two.is_answered(true);
        assert_eq!(answered.age(7, 1, &voters), Some(200), "the second message is not answered");
        to_two.is_answered(false);
        assert_eq!(answered.age(7, 1, &voters), Some(200), "it knows of another leader");
        assert_eq!(answered.age(8, 1, &voters), None, "another term");
        let joint = [BTreeSet::from([1, 2, 3]), BTreeSet::from([1, 3, 4])];
        assert_eq!(answered.age(7, 1, &joint), None, "both majorities are needed");
        assert_eq!(answered.age(7, 1, &[BTreeSet::from([1])]), Some(0), "it votes alone");
        assert_eq!(answered.age(7, 1, &[BTreeSet::from([2, 3])]), None, "it has no vote");
    }
}
