//! What readers may see: entries are applied as soon as they are committed, and seen when every node that serves local
//! reads has them. Nothing is acknowledged or shown before.
//!
//! `visible = min(applied, what every unexpired lease holder has)`, computed at the leader and told to the others. A
//! read at a lease holder notes the last entry it has received, waits until that one is visible, and answers without
//! asking anybody. `tests/lease_model` explores the rule exhaustively.

mod lease;
mod roster;
#[cfg(test)]
mod tests;

use crate::options::{Clock, Limits};
use crate::transaction::{Snapshots, Visible};
use lease::Lease;
use parking_lot::Mutex;
use roster::Roster;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::sync::watch;

/// How long leases last. Microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub lease_micros: u64,
    /// What the rate of a clock may be off.
    pub drift_percent: u64,
    /// How long followers keep to a leader that they have heard of.
    pub leader_lease_micros: u64,
}

impl Rules {
    pub fn new(limits: &Limits) -> Rules {
        Rules {
            lease_micros: limits.lease_milliseconds * 1000,
            drift_percent: limits.drift_percent,
            leader_lease_micros: limits.election_milliseconds * 1000,
        }
    }

    /// A lease as its giver counts it: by a clock that may be fast.
    pub fn granted_for(&self) -> u64 {
        self.lease_micros + self.lease_micros * self.drift_percent / 100
    }

    /// A lease as its holder counts it: by a clock that may be slow.
    pub fn held_for(&self) -> u64 {
        self.lease_micros - self.lease_micros * self.drift_percent / 100
    }

    /// How long after a message that a majority has answered no other node can have been elected.
    pub fn leads_for(&self) -> u64 {
        self.leader_lease_micros - self.leader_lease_micros * self.drift_percent / 100
    }

    /// How old such a message may be for a lease that is granted now to end before another node can be elected.
    pub fn grants_for(&self) -> u64 {
        self.leads_for().saturating_sub(self.granted_for())
    }

    /// How long a node that has forgotten its leader keeps from voting.
    pub fn abstains_for(&self) -> u64 {
        self.leader_lease_micros + self.leader_lease_micros * self.drift_percent / 100
    }
}

enum Role {
    /// Sees what the leader says.
    Following,
    Leading(Roster),
}

/// What proves that no other node has been elected: a majority has answered messages that this leader sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sure {
    pub term: u64,
    /// Microseconds since they were sent; less than [`Rules::leads_for`].
    pub age: u64,
}

struct State {
    role: Role,
    /// The last entry applied here, and its term.
    applied: u64,
    applied_term: u64,
    /// Applied entries that are not visible yet, with what readers see from each on.
    waiting: VecDeque<(u64, Visible)>,
    /// What the leader has said.
    told: u64,
    visible: u64,
    /// The oldest entry whose state can be read: what the store had when it was opened or replaced.
    floor: u64,
    lease: Lease,
    /// When the last lease that this node has granted, in whatever term, has certainly ended.
    granted_until: u64,
    /// Terms in which this node is being asked to vote, and the latest in which it has.
    asked: Vec<u64>,
    voted: u64,
}

/// What a read has to do before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// Wait until this entry is visible, which it mostly is.
    At(u64),
    /// No lease: ask the leader.
    Ask,
}

/// What the leader answers a follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub term: u64,
    pub visible: u64,
    /// Whether `visible` covers all that was acknowledged before the question.
    pub fresh: bool,
    pub leased: bool,
}

pub struct Visibility {
    state: Mutex<State>,
    seen: watch::Sender<u64>,
    snapshots: Snapshots,
    clock: Arc<dyn Clock>,
    pub rules: Rules,
}

impl Visibility {
    /// The store has been applied up to `applied`, of which nothing may be seen yet.
    pub fn new(
        snapshots: Snapshots,
        clock: Arc<dyn Clock>,
        rules: Rules,
        applied: u64,
        visible: Visible,
    ) -> Visibility {
        let state = State {
            role: Role::Following,
            applied,
            applied_term: 0,
            waiting: VecDeque::from([(applied, visible)]),
            told: 0,
            visible: 0,
            floor: applied,
            lease: Lease::default(),
            granted_until: 0,
            asked: Vec::new(),
            voted: 0,
        };
        Visibility { state: Mutex::new(state), seen: watch::Sender::new(0), snapshots, clock, rules }
    }

    fn update(&self, change: impl FnOnce(&mut State, u64)) {
        let now = self.clock.monotonic_micros();
        let mut state = self.state.lock();
        change(&mut state, now);
        let State { role, applied, told, visible, .. } = &mut *state;
        let limit = match role {
            Role::Following => *told,
            Role::Leading(roster) => roster.covered(now).unwrap_or(u64::MAX),
        };
        let reached = limit.min(*applied);
        if reached <= *visible {
            return;
        }
        *visible = reached;
        while let Some((entry, seen)) = state.waiting.front().copied()
            && entry <= reached
        {
            self.snapshots.advance(seen);
            state.waiting.pop_front();
        }
        state.lease.advance(reached);
        drop(state);
        self.seen.send_replace(reached);
    }

    /// Entries have been applied, the last of them at `term`.
    pub fn applied(&self, entries: impl Iterator<Item = (u64, Visible)>, term: u64) {
        self.update(|state, _| {
            for (entry, visible) in entries {
                state.waiting.push_back((entry, visible));
                state.applied = state.applied.max(entry);
            }
            state.applied_term = state.applied_term.max(term);
            // Another node's entries: it leads, and knows who has to have them.
            if matches!(&state.role, Role::Leading(roster) if roster.term != term) {
                state.role = Role::Following;
                state.told = state.told.max(state.visible);
            }
        });
    }

    /// The store has been replaced by one that has got up to `entry`.
    pub fn replaced(&self, entry: u64, visible: Visible) {
        self.update(|state, _| {
            state.waiting.clear();
            state.waiting.push_back((entry, visible));
            state.applied = entry;
            state.floor = entry;
            // A snapshot comes from whoever leads.
            if matches!(state.role, Role::Leading(_)) {
                state.role = Role::Following;
                state.told = state.told.max(state.visible);
            }
        });
    }

    /// This node leads: see [`Roster::new`]. Nothing when it is known to have been deposed since.
    pub fn lead(&self, term: u64, first: u64, others: Vec<u64>, alone: bool) {
        self.update(|state, now| {
            if term >= state.applied_term && !matches!(&state.role, Role::Leading(roster) if roster.term == term) {
                let waits = if alone { now + self.rules.granted_for() } else { state.granted_until };
                state.role = Role::Leading(Roster::new(term, first, others, alone, waits));
            }
        });
    }

    /// This node does not lead.
    pub fn follow(&self) {
        self.update(|state, _| {
            if matches!(state.role, Role::Leading(_)) {
                state.role = Role::Following;
                state.told = state.told.max(state.visible);
            }
        });
    }

    /// Others may come to lead from now on.
    pub fn not_alone(&self) {
        self.update(|state, _| {
            if let Role::Leading(roster) = &mut state.role {
                roster.alone = false;
            }
        });
    }

    /// On the leader of `term`: what each node has.
    pub fn progress(&self, term: u64, matched: BTreeMap<u64, u64>) {
        self.update(|state, _| {
            if let Role::Leading(roster) = &mut state.role
                && roster.term == term
            {
                roster.set_matched(matched);
            }
        });
    }

    /// Looks at the clock again; answers whether it has to be asked again for what is held back to be seen.
    pub fn tick(&self) -> bool {
        self.update(|_, _| {});
        let now = self.clock.monotonic_micros();
        let state = self.state.lock();
        match &state.role {
            Role::Following => false,
            Role::Leading(roster) => state.visible < state.applied && roster.waits_for_time(now),
        }
    }

    /// The leader says that entries up to here may be seen.
    pub fn told(&self, visible: u64) {
        self.update(|state, _| state.told = state.told.max(visible));
    }

    /// The leader has answered what this node asked at `asked`.
    pub fn heard(&self, asked: u64, visible: u64, leased: bool) {
        self.update(|state, _| {
            state.told = state.told.max(visible);
            if leased {
                state.lease.granted(asked, &self.rules);
            }
            state.lease.heard(asked, visible);
            let reached = state.visible;
            state.lease.advance(reached);
        });
    }

    /// On the leader: answers a node that asks for a lease. `sure`: no other node can have been elected yet; `member`:
    /// every leader to come will know of the node.
    pub fn answer(&self, node: u64, member: bool, sure: Option<Sure>) -> Option<Answer> {
        let now = self.clock.monotonic_micros();
        let mut state = self.state.lock();
        let (visible, committed) = (state.visible, state.applied);
        let promised = state.asked.iter().copied().fold(state.voted, u64::max);
        let Role::Leading(roster) = &mut state.role else { return None };
        let fresh = roster.leads(sure) && visible >= roster.first;
        let lasts = roster.alone || sure.is_some_and(|sure| sure.age < self.rules.grants_for());
        let promised = promised > roster.term;
        let leased = fresh && member && lasts && !promised && roster.grant(node, visible, committed, now, &self.rules);
        let term = roster.term;
        if leased {
            state.granted_until = now + self.rules.granted_for();
        }
        Some(Answer { term, visible, fresh, leased })
    }

    /// Whether somebody may hold a lease by this node's word, though it may lead no more: until then it must not help
    /// another leader into office.
    pub fn is_bound(&self) -> bool {
        let now = self.clock.monotonic_micros();
        now < self.state.lock().granted_until
    }

    /// This node is asked to vote in `term`, and grants no lease of an earlier term until it has [`answered`]; it
    /// refuses while it is bound.
    ///
    /// [`answered`]: Visibility::has_voted
    pub fn may_vote(&self, term: u64) -> bool {
        let now = self.clock.monotonic_micros();
        let mut state = self.state.lock();
        let is_free = now >= state.granted_until;
        if is_free {
            state.asked.push(term);
        }
        is_free
    }

    /// What came of the question; a vote that is given stays.
    pub fn has_voted(&self, term: u64, granted: bool) {
        let mut state = self.state.lock();
        if let Some(place) = state.asked.iter().position(|asked| *asked == term) {
            state.asked.swap_remove(place);
        }
        if granted {
            state.voted = state.voted.max(term);
        }
    }

    /// On the leader: what a read that begins now has to see; none when another node may lead.
    pub fn read_index(&self, sure: Option<Sure>) -> Option<u64> {
        let state = self.state.lock();
        match &state.role {
            Role::Leading(roster) if roster.leads(sure) => Some(roster.first.max(state.visible)),
            _ => None,
        }
    }

    /// What a read that begins here now has to wait for. `sure`: no other node can have been elected; `received`: the
    /// last entry received. Both are asked after the lease.
    pub fn sample(&self, sure: impl FnOnce() -> Option<Sure>, received: impl FnOnce() -> u64) -> Sample {
        let now = self.clock.monotonic_micros();
        let state = self.state.lock();
        let entry = match &state.role {
            Role::Leading(roster) if roster.alone || roster.leads(sure()) => roster.first.max(state.visible),
            Role::Following if state.lease.is_valid(now) => received(),
            _ => return Sample::Ask,
        };
        Sample::At(entry.max(state.floor))
    }

    /// How old what is seen here may be, in microseconds; none: nobody knows.
    pub fn staleness(&self) -> Option<u64> {
        let now = self.clock.monotonic_micros();
        let state = self.state.lock();
        if state.visible < state.floor {
            return None;
        }
        state.lease.staleness(now)
    }

    /// Grants a node no lease from now on; answers the microseconds until its last one has ended. None when this node
    /// does not lead.
    pub fn exclude(&self, node: u64) -> Option<u64> {
        let now = self.clock.monotonic_micros();
        match &mut self.state.lock().role {
            Role::Leading(roster) => Some(roster.exclude(node).saturating_sub(now)),
            Role::Following => None,
        }
    }

    /// Grants no lease at all from now on; answers the microseconds until the last one has ended. None when this node
    /// does not lead.
    pub fn retire(&self) -> Option<u64> {
        let now = self.clock.monotonic_micros();
        match &mut self.state.lock().role {
            Role::Leading(roster) => Some(roster.retire().saturating_sub(now)),
            Role::Following => None,
        }
    }

    /// Lets a node have leases again.
    pub fn readmit(&self, node: u64) {
        if let Role::Leading(roster) = &mut self.state.lock().role {
            roster.readmit(node);
        }
    }

    /// The last visible entry.
    pub fn visible(&self) -> u64 {
        self.state.lock().visible
    }

    /// The state that can be read begins here.
    pub fn floor(&self) -> u64 {
        self.state.lock().floor
    }

    pub fn applied_index(&self) -> u64 {
        self.state.lock().applied
    }

    /// Term in which this node leads and decides.
    pub fn leading(&self) -> Option<u64> {
        match &self.state.lock().role {
            Role::Leading(roster) => Some(roster.term),
            Role::Following => None,
        }
    }

    /// Lease left, in microseconds: this node's own, or on the leader that of another one.
    pub fn lease_left(&self, of: Option<u64>) -> Option<u64> {
        let now = self.clock.monotonic_micros();
        let state = self.state.lock();
        match (&state.role, of) {
            (Role::Leading(roster), Some(node)) => roster.lease_end(node).map(|end| end.saturating_sub(now)),
            (Role::Following, None) => Some(state.lease.left(now)),
            _ => None,
        }
    }

    /// Notified of every change of what is visible.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.seen.subscribe()
    }

    /// Waits until an entry, and some state that can be read, is visible.
    pub async fn wait(&self, entry: u64) {
        if self.is_visible(entry) {
            return;
        }
        let mut seen = self.seen.subscribe();
        while !self.is_visible(entry) {
            // The sender lives as long as `self`.
            if seen.changed().await.is_err() {
                return;
            }
        }
    }

    /// Whether an entry, and some state that can be read, is visible.
    pub fn is_visible(&self, entry: u64) -> bool {
        let state = self.state.lock();
        state.visible >= entry.max(state.floor)
    }
}
