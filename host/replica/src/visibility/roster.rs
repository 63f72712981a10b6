//! The leader's side of the roster: who may be reading locally, and so must have an entry before anybody sees it.
//!
//! Roster leases after Bodega (arXiv 2509.07158). Clocks need not agree, only their rates, to within
//! `drift_percent`. Pure: time and progress come in.

use super::Rules;
use std::collections::BTreeMap;

/// What the leader of one term knows of the nodes that serve local reads.
#[derive(Clone, Debug)]
pub struct Roster {
    pub term: u64,
    /// An entry of this term that is committed: nothing is granted or read before it.
    pub first: u64,
    /// Whether no other node can become leader: this one is the only voter.
    pub alone: bool,
    /// Until then every node of the cluster counts as a holder: the leader before may have granted leases.
    everyone_until: u64,
    everyone: Vec<u64>,
    /// Holder → when its lease has certainly ended, by the leader's clock.
    grants: BTreeMap<u64, u64>,
    /// Nodes that get no lease any more.
    excluded: Vec<u64>,
    /// Node → the last entry that it is known to have.
    matched: BTreeMap<u64, u64>,
    /// What had been committed half a lease ago, and the entry and moment that it is replaced by.
    due: u64,
    mark: (u64, u64),
}

impl Roster {
    /// The roster of a leader that has just found itself elected, `now` by its own clock. `others`: all other nodes
    /// that any leader before it may have granted a lease to.
    pub fn new(term: u64, first: u64, others: Vec<u64>, alone: bool, now: u64, rules: &Rules) -> Roster {
        Roster {
            term,
            first,
            alone,
            everyone_until: if others.is_empty() { 0 } else { now + rules.granted_for() },
            everyone: others,
            grants: BTreeMap::new(),
            excluded: Vec::new(),
            matched: BTreeMap::new(),
            due: 0,
            mark: (0, now),
        }
    }

    /// What each node is known to have now.
    pub fn set_matched(&mut self, matched: BTreeMap<u64, u64>) {
        self.matched = matched;
    }

    pub fn matched(&self, node: u64) -> u64 {
        self.matched.get(&node).copied().unwrap_or(0)
    }

    /// The last entry that every node that may be reading locally has; none: nobody may.
    pub fn covered(&mut self, now: u64) -> Option<u64> {
        self.grants.retain(|_, until| now < *until);
        let everyone: &[u64] = if now < self.everyone_until { &self.everyone } else { &[] };
        everyone.iter().chain(self.grants.keys()).map(|node| self.matched(*node)).min()
    }

    /// Whether a lease that has not ended may be what holds entries back.
    pub fn waits_for_time(&self, now: u64) -> bool {
        now < self.everyone_until || !self.grants.is_empty()
    }

    /// Grants a lease to a node that has all that anybody may have seen, `visible`, and that does not lag: `committed`
    /// would have to wait for it.
    pub fn grant(&mut self, node: u64, visible: u64, committed: u64, now: u64, rules: &Rules) -> bool {
        if now >= self.mark.1 + rules.lease_micros / 2 {
            self.due = self.mark.0;
            self.mark = (committed, now);
        }
        if self.excluded.contains(&node) || self.matched(node) < visible.max(self.first).max(self.due) {
            return false;
        }
        self.grants.insert(node, now + rules.granted_for());
        true
    }

    /// Grants nothing to a node from now on, and answers when its last lease has ended.
    pub fn exclude(&mut self, node: u64) -> u64 {
        if !self.excluded.contains(&node) {
            self.excluded.push(node);
        }
        self.everyone_until.max(self.grants.get(&node).copied().unwrap_or(0))
    }

    /// Lets a node have leases again.
    pub fn readmit(&mut self, node: u64) {
        self.excluded.retain(|excluded| *excluded != node);
    }

    /// When the lease of a node ends, by the leader's clock.
    pub fn lease_end(&self, node: u64) -> Option<u64> {
        self.grants.get(&node).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { lease_micros: 1000, drift_percent: 10, leader_lease_micros: 2000 };

    fn roster() -> Roster {
        let mut roster = Roster::new(3, 10, vec![2, 3], false, 0, &RULES);
        roster.set_matched(BTreeMap::from([(2, 20), (3, 12)]));
        roster
    }

    #[test]
    fn a_new_leader_waits_for_leases_that_it_does_not_know() {
        let mut roster = roster();
        assert_eq!(roster.covered(1099), Some(12));
        assert_eq!(roster.covered(1100), None);
        let mut nothing_heard = Roster::new(3, 10, vec![2, 3], false, 0, &RULES);
        assert_eq!(nothing_heard.covered(5), Some(0));
    }

    #[test]
    fn holders_keep_entries_back_until_their_lease_has_ended() {
        let mut roster = roster();
        assert!(roster.grant(2, 12, 12, 2000, &RULES));
        assert_eq!(roster.covered(3099), Some(20));
        assert_eq!(roster.covered(3100), None);
    }

    #[test]
    fn nobody_gets_a_lease_who_lacks_what_others_may_have_seen() {
        let mut roster = roster();
        assert!(!roster.grant(3, 13, 13, 2000, &RULES));
        assert!(roster.grant(3, 12, 12, 2000, &RULES));
        roster.set_matched(BTreeMap::from([(2, 9), (3, 12)]));
        assert!(!roster.grant(2, 0, 0, 2000, &RULES), "it has not got this term's first entry");
    }

    #[test]
    fn a_node_that_stays_behind_falls_off() {
        let mut roster = roster();
        assert!(roster.grant(3, 12, 20, 2000, &RULES));
        assert!(roster.grant(3, 12, 20, 2400, &RULES), "what it lacks is young");
        assert!(!roster.grant(3, 12, 20, 2500, &RULES));
        assert!(roster.grant(2, 12, 20, 2500, &RULES));
        assert_eq!(roster.covered(3550), Some(20), "the last lease of the other has ended");
    }

    #[test]
    fn an_excluded_node_lives_its_lease_out() {
        let mut roster = roster();
        assert!(roster.grant(2, 12, 12, 2000, &RULES));
        assert_eq!(roster.exclude(2), 3100);
        assert!(!roster.grant(2, 12, 12, 2500, &RULES));
        assert_eq!(roster.covered(2500), Some(20));
        roster.readmit(2);
        assert!(roster.grant(2, 12, 12, 2500, &RULES));
    }
}
