//! The leader's side of the roster: who may be reading locally, and so must have an entry before anybody sees it.
//!
//! Roster leases after Bodega (arXiv 2509.07158). Clocks need not agree, only their rates, to within
//! `drift_percent`. Pure: time and progress come in.

use super::{Rules, Sure};
use std::collections::BTreeMap;

/// What the leader of one term knows of the nodes that serve local reads.
#[derive(Clone, Debug)]
pub struct Roster {
    pub term: u64,
    /// An entry of this term that is committed: nothing is granted or read before it.
    pub first: u64,
    /// Whether no other node can become leader: this one is the only voter.
    pub alone: bool,
    /// Until then every node of the cluster counts as a holder: a leader before may have granted leases.
    everyone_until: u64,
    everyone: Vec<u64>,
    /// Holder → when its lease has certainly ended, by the leader's clock.
    grants: BTreeMap<u64, u64>,
    /// Nodes that get no lease any more.
    excluded: Vec<u64>,
    /// Nobody gets one any more.
    retired: bool,
    /// Node → the last entry that it is known to have.
    matched: BTreeMap<u64, u64>,
    /// What had been committed half a lease ago, and the entry and moment that it is replaced by.
    due: u64,
    mark: (u64, u64),
}

impl Roster {
    /// The roster of a leader that has just been elected. `others`: all nodes that may have been granted a lease
    /// before; `until`: those leases have ended then. Those of other leaders ended before a majority voted for this
    /// one. What remains is what it has granted itself in an earlier term; and where it alone votes, which nobody keeps
    /// waiting, before it was started anew.
    pub fn new(term: u64, first: u64, others: Vec<u64>, alone: bool, until: u64) -> Roster {
        Roster {
            term,
            first,
            alone,
            everyone_until: if others.is_empty() { 0 } else { until },
            everyone: others,
            grants: BTreeMap::new(),
            excluded: Vec::new(),
            retired: false,
            matched: BTreeMap::new(),
            due: 0,
            mark: (0, 0),
        }
    }

    /// Whether no other node can have been elected.
    pub fn leads(&self, sure: Option<Sure>) -> bool {
        self.alone || sure.is_some_and(|sure| sure.term == self.term)
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
        if self.retired || self.excluded.contains(&node) || self.matched(node) < visible.max(self.first).max(self.due) {
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

    /// Grants nothing from now on, and answers when the last lease has ended.
    pub fn retire(&mut self) -> u64 {
        self.retired = true;
        self.grants.values().copied().fold(self.everyone_until, u64::max)
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
        let mut roster = Roster::new(3, 10, vec![2, 3], false, 0);
        roster.set_matched(BTreeMap::from([(2, 20), (3, 12)]));
        roster
    }

    #[test]
    fn everyone_counts_until_the_leases_before_have_ended() {
        let mut roster = Roster::new(3, 10, vec![2, 3], true, 1100);
        assert_eq!(roster.covered(5), Some(0), "nothing heard");
        roster.set_matched(BTreeMap::from([(2, 20), (3, 12)]));
        assert_eq!(roster.covered(1099), Some(12));
        assert_eq!(roster.covered(1100), None);
        let mut elected = Roster::new(3, 10, vec![2, 3], false, 0);
        assert_eq!(elected.covered(5), None, "its voters have waited");
    }

    #[test]
    fn what_proves_one_term_proves_no_other() {
        let sure = |term| Some(Sure { term, age: 0 });
        assert!(roster().leads(sure(3)));
        assert!(!roster().leads(sure(5)) && !roster().leads(None));
    }

    #[test]
    fn who_retires_says_when_the_last_lease_has_ended() {
        let mut roster = roster();
        assert!(roster.grant(2, 12, 12, 2000, &RULES));
        assert!(roster.grant(3, 12, 12, 2500, &RULES));
        assert_eq!(roster.retire(), 3600);
        assert!(!roster.grant(2, 12, 12, 2600, &RULES));
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
