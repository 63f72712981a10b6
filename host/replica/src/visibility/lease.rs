//! The holder's side of the roster: until when it may read locally, and how fresh what it sees is.

use super::Rules;
use std::collections::VecDeque;

/// Answers of the leader that are kept until what they speak of is visible here.
const PENDING: usize = 16;

/// What a node holds that does not lead.
#[derive(Debug, Default)]
pub struct Lease {
    /// By the holder's own clock.
    until: u64,
    /// Everything acknowledged before this moment of the holder's clock is visible here.
    fresh_as_of: Option<u64>,
    /// (moment, entry): everything acknowledged before the moment is seen with the entry.
    pending: VecDeque<(u64, u64)>,
}

impl Lease {
    /// The leader has granted what was asked for at `asked`.
    pub fn granted(&mut self, asked: u64, rules: &Rules) {
        self.until = self.until.max(asked + rules.held_for());
    }

    pub fn is_valid(&self, now: u64) -> bool {
        now < self.until
    }

    /// What is left of it, in microseconds.
    pub fn left(&self, now: u64) -> u64 {
        self.until.saturating_sub(now)
    }

    /// Whoever asked the leader at `asked` has heard that `visible` covers all that was acknowledged before.
    pub fn heard(&mut self, asked: u64, visible: u64) {
        if self.pending.len() == PENDING {
            self.pending.pop_front();
        }
        self.pending.push_back((asked, visible));
    }

    /// Entries up to `visible` are seen here now.
    pub fn advance(&mut self, visible: u64) {
        while let Some((moment, entry)) = self.pending.front().copied()
            && entry <= visible
        {
            self.fresh_as_of = self.fresh_as_of.max(Some(moment));
            self.pending.pop_front();
        }
    }

    /// How old what is seen here may be, in microseconds.
    pub fn staleness(&self, now: u64) -> Option<u64> {
        self.fresh_as_of.map(|moment| now.saturating_sub(moment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { lease_micros: 1000, drift_percent: 10, leader_lease_micros: 2000 };

    #[test]
    fn a_lease_counts_from_when_it_was_asked_for() {
        let mut lease = Lease::default();
        assert!(!lease.is_valid(0));
        lease.granted(5000, &RULES);
        assert!(lease.is_valid(5899));
        assert!(!lease.is_valid(5900));
        lease.granted(4000, &RULES);
        assert_eq!(lease.left(5800), 100, "a late answer takes nothing away");
    }

    #[test]
    fn freshness_waits_for_what_it_speaks_of() {
        let mut lease = Lease::default();
        lease.heard(100, 7);
        lease.heard(200, 9);
        assert_eq!(lease.staleness(300), None);
        lease.advance(8);
        assert_eq!(lease.staleness(300), Some(200));
        lease.advance(9);
        assert_eq!(lease.staleness(300), Some(100));
    }
}
