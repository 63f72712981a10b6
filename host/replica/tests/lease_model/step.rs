//! What can happen next, and what must hold whatever has happened.

use crate::rules::{Bounds, Checked, Clocks, FAST, Lead, Property, Rules, SLOW, Timers};
use crate::state::{LOG_MAX, Log, NODES, Node, Peer, Read, Role, Sent, Stage, State, slot};

pub struct Model {
    pub rules: Rules,
    pub timers: Timers,
    pub bounds: Bounds,
    pub properties: &'static [Property],
}

#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// What each clock counts; nothing is said of clocks at the worst rates.
    Tick(Option<[u8; NODES]>),
    Append {
        leader: usize,
    },
    Replicate {
        leader: usize,
        to: usize,
        length: u8,
    },
    Grant {
        leader: usize,
        to: usize,
    },
    Transfer {
        leader: usize,
    },
    Advance {
        leader: usize,
    },
    AcknowledgeAtCommit {
        leader: usize,
    },
    Stand {
        node: usize,
    },
    Vote {
        voter: usize,
        candidate: usize,
    },
    Win {
        node: usize,
    },
    Restart {
        node: usize,
    },
    Deliver {
        from: usize,
        to: usize,
        length: u8,
    },
    LocalRead {
        node: usize,
    },
    NoteFirst {
        node: usize,
    },
    ThenCheck {
        node: usize,
    },
    CheckFirst {
        node: usize,
    },
    ThenNote {
        node: usize,
    },
    AskForRead {
        node: usize,
        leader: usize,
    },
}

type Steps = Vec<(Action, State)>;

impl Model {
    /// Node 0 has just been elected by all, and nobody holds an older lease.
    pub fn start(&self) -> State {
        let Timers { refuses, heard, lease, granted } = self.timers;
        assert!(refuses.max(heard).max(granted) < 8 && lease < 4, "timers too long for packed states");
        let longest = usize::from(self.bounds.log + self.bounds.terms - 1);
        assert!(longest <= LOG_MAX && self.bounds.terms < 4, "bounds too wide for packed states");
        let follower = Node {
            term: 1,
            voted: true,
            log: Log::default(),
            role: Role::Follower,
            votes: 0,
            visible: 0,
            refuses: 0,
            is_fresh: false,
            lease: 0,
            blank: 0,
            wait: 0,
            peers: [Peer::default(); NODES - 1],
        };
        let mut leader = follower;
        leader.role = Role::Leader;
        leader.log.push(1);
        leader.blank = 1;
        State {
            nodes: [leader, follower, follower],
            shown: Log::default(),
            shown_in: 0,
            read: None,
            sent: [Sent::default(); NODES],
        }
    }

    pub fn steps(&self, state: &State, steps: &mut Steps) {
        for node in 0..NODES {
            if state.nodes[node].is_leader() {
                self.lead(state, node, steps);
            } else {
                self.elect(state, node, steps);
            }
            self.restart(state, node, steps);
            self.read(state, node, steps);
        }
        self.deliver(state, steps);
        self.tick(state, steps);
    }

    fn lead(&self, state: &State, leader: usize, steps: &mut Steps) {
        let node = &state.nodes[leader];
        if node.log.length < self.bounds.log {
            let mut next = *state;
            next.nodes[leader].log.push(node.term);
            steps.push((Action::Append { leader }, next));
        }
        if node.visible < node.committed().min(node.covered()) {
            let mut next = *state;
            next.nodes[leader].visible += 1;
            show(&mut next, node.log.prefix(node.visible + 1), node.term);
            steps.push((Action::Advance { leader }, next));
        }
        if !self.rules.acknowledge_when_visible && node.committed() > state.shown.length {
            let mut next = *state;
            show(&mut next, node.log.prefix(node.committed()), node.term);
            steps.push((Action::AcknowledgeAtCommit { leader }, next));
        }
        let may_retire = !node.remembers_grants() || !self.rules.transfer_waits;
        if self.bounds.transfers && node.role == Role::Leader && may_retire {
            let mut next = *state;
            next.nodes[leader].role = Role::Retired;
            let of_its_term = next.nodes.iter_mut().filter(|other| other.term == node.term);
            of_its_term.for_each(|other| other.refuses = 0);
            steps.push((Action::Transfer { leader }, next));
        }
        for to in (0..NODES).filter(|to| *to != leader) {
            let peer = node.peers[slot(leader, to)];
            for length in peer.matched..=node.log.length {
                let sent = Sent { term: node.term, log: node.log.prefix(length), visible: node.visible };
                let mut next = *state;
                if self.receive(&mut next, to, sent) {
                    let peer = &mut next.nodes[leader].peers[slot(leader, to)];
                    peer.matched = length;
                    peer.heard = self.timers.heard;
                    steps.push((Action::Replicate { leader, to, length }, next));
                }
            }
            if self.grants(node, peer) && !state.nodes[to].is_leader() {
                let mut next = *state;
                if self.rules.grant_is_remembered {
                    next.nodes[leader].peers[slot(leader, to)].granted = self.timers.granted;
                }
                next.nodes[to].lease = self.timers.lease;
                steps.push((Action::Grant { leader, to }, next));
            }
        }
    }

    fn grants(&self, leader: &Node, peer: Peer) -> bool {
        let rules = &self.rules;
        let sure = match rules.grant_needs_lead {
            Lead::NotAtAll => true,
            Lead::AtThatMoment => leader.leads_surely(),
            Lead::ForTheLease => leader.leads_surely_for(self.timers.granted),
        };
        sure && leader.role != Role::Retired
            && (!rules.grant_needs_committed_blank || leader.committed() >= leader.blank)
            && (!rules.grant_needs_visible || peer.matched >= leader.visible)
            && (!rules.grant_needs_blank || peer.matched >= leader.blank)
    }

    /// Whether the receiver takes the message; if so, it has.
    fn receive(&self, state: &mut State, to: usize, sent: Sent) -> bool {
        if sent.term < state.nodes[to].term {
            return false;
        }
        self.stop_leading(state, to);
        let node = &mut state.nodes[to];
        node.term = sent.term;
        node.voted = true;
        node.is_fresh = false;
        node.refuses = if self.rules.voters_are_sticky { self.timers.refuses } else { 0 };
        if !node.log.holds(sent.log) {
            node.log = sent.log;
        }
        if self.bounds.clocks == Clocks::Drifting {
            node.visible = node.visible.max(sent.visible.min(sent.log.length));
        }
        true
    }

    /// What a node sent as a leader arrives after it has stopped leading.
    fn deliver(&self, state: &State, steps: &mut Steps) {
        for (from, sent) in state.sent.iter().enumerate().filter(|(_, sent)| sent.term > 0) {
            for to in (0..NODES).filter(|to| *to != from && !state.nodes[*to].is_leader()) {
                for length in 0..=sent.log.length {
                    let mut next = *state;
                    if self.receive(&mut next, to, Sent { log: sent.log.prefix(length), ..*sent }) {
                        steps.push((Action::Deliver { from, to, length }, next));
                    }
                }
            }
        }
    }

    fn elect(&self, state: &State, at: usize, steps: &mut Steps) {
        let node = &state.nodes[at];
        let stands_early = node.is_fresh && node.refuses <= self.timers.refuses / 2;
        if (node.refuses == 0 || stands_early) && node.term < self.bounds.terms {
            let mut next = *state;
            let candidate = &mut next.nodes[at];
            candidate.role = Role::Candidate;
            candidate.term += 1;
            candidate.voted = true;
            candidate.votes = 1 << at;
            steps.push((Action::Stand { node: at }, next));
        }
        if node.role != Role::Candidate {
            return;
        }
        for voter in (0..NODES).filter(|voter| *voter != at && node.votes & 1 << *voter == 0) {
            let other = &state.nodes[voter];
            let is_free = other.term < node.term || other.term == node.term && !other.voted;
            let has_newer = (other.log.last_term(), other.log.length) > (node.log.last_term(), node.log.length);
            let is_bound = self.rules.grantor_is_sticky && other.remembers_grants();
            if is_free && other.refuses == 0 && !is_bound && !has_newer {
                let mut next = *state;
                next.nodes[at].votes |= 1 << voter;
                self.stop_leading(&mut next, voter);
                let other = &mut next.nodes[voter];
                other.term = node.term;
                other.voted = true;
                steps.push((Action::Vote { voter, candidate: at }, next));
            }
        }
        if node.votes.count_ones() as usize > NODES / 2 {
            let mut next = *state;
            let leader = &mut next.nodes[at];
            leader.role = Role::Leader;
            leader.votes = 0;
            leader.log.push(leader.term);
            leader.blank = leader.log.length;
            leader.wait = if self.rules.new_leader_waits { self.timers.granted } else { 0 };
            steps.push((Action::Win { node: at }, next));
        }
    }

    /// What it sent stays on its way, if messages may be so late.
    fn stop_leading(&self, state: &mut State, at: usize) {
        let node = &mut state.nodes[at];
        if node.is_leader() && self.bounds.delayed {
            let visible = if self.bounds.clocks == Clocks::Drifting { node.visible } else { 0 };
            state.sent[at] = Sent { term: node.term, log: node.log, visible };
        }
        state.nodes[at].follow();
        if !self.rules.grantor_is_sticky {
            state.nodes[at].peers = [Peer::default(); NODES - 1];
        }
    }

    /// Disk kept, memory lost. A node that is down for long is one that does nothing for long and then restarts.
    fn restart(&self, state: &State, at: usize, steps: &mut Steps) {
        let mut next = *state;
        let (was_leader, blank) = (state.nodes[at].role == Role::Leader, state.nodes[at].blank);
        self.stop_leading(&mut next, at);
        let node = &mut next.nodes[at];
        node.peers = [Peer::default(); NODES - 1];
        node.visible = 0;
        node.lease = 0;
        node.refuses = if self.rules.restart_waits { self.timers.refuses } else { 0 };
        node.is_fresh = !self.rules.restart_stands_late;
        if was_leader && !self.rules.restarted_leader_follows {
            node.role = Role::Leader;
            node.wait = self.timers.granted;
            node.blank = blank;
        }
        next.read = next.read.filter(|read| usize::from(read.node) != at);
        steps.push((Action::Restart { node: at }, next));
    }

    /// Reads that answer at once are looked at by `check`; those that have all they must see are not followed.
    fn read(&self, state: &State, at: usize, steps: &mut Steps) {
        let node = &state.nodes[at];
        let (floor, last) = (state.shown.length, node.log.length);
        let mut push = |action, stage, floor| {
            let read = Some(Read { node: at as u8, stage, floor });
            steps.push((action, State { read, ..*state }));
        };
        if let Some(read) = state.read {
            match read.stage {
                _ if usize::from(read.node) != at => {}
                Stage::Noted(noted) if node.lease > 0 => {
                    push(Action::ThenCheck { node: at }, Stage::Waits(noted), read.floor);
                }
                Stage::Checked if last < read.floor => {
                    push(Action::ThenNote { node: at }, Stage::Waits(last), read.floor);
                }
                _ => {}
            }
            return;
        }
        match self.rules.lease_checked {
            Checked::Together if node.lease > 0 && last < floor => {
                push(Action::LocalRead { node: at }, Stage::Waits(last), floor);
            }
            Checked::After if last < floor => push(Action::NoteFirst { node: at }, Stage::Noted(last), floor),
            Checked::Before if node.lease > 0 => push(Action::CheckFirst { node: at }, Stage::Checked, floor),
            _ => {}
        }
        for leader in 0..NODES {
            if let Some(wanted) = self.read_index(&state.nodes[leader]).filter(|wanted| *wanted < floor) {
                push(Action::AskForRead { node: at, leader }, Stage::Waits(wanted), floor);
            }
        }
    }

    /// What a leader answers that is asked which entry a read has to wait for.
    fn read_index(&self, leader: &Node) -> Option<u8> {
        let answers = leader.is_leader() && (!self.rules.read_needs_sure_lead || leader.leads_surely());
        let blank = if self.rules.read_needs_blank { leader.blank } else { 0 };
        answers.then_some(leader.visible.max(blank))
    }

    fn tick(&self, state: &State, steps: &mut Steps) {
        if self.bounds.clocks == Clocks::Worst {
            let mut next = *state;
            next.nodes.iter_mut().for_each(Node::pass_at_worst);
            steps.push((Action::Tick(None), next));
            return;
        }
        // A clock with no timer that the difference matters to need not run at two rates.
        let rates = |node: &Node| match node.timers().max() {
            Some(0) | None => 0..=0,
            Some(1) => SLOW..=SLOW,
            Some(_) => SLOW..=FAST,
        };
        for first in rates(&state.nodes[0]) {
            for second in rates(&state.nodes[1]) {
                for third in rates(&state.nodes[2]) {
                    let mut next = *state;
                    let units = [first, second, third];
                    for (node, units) in next.nodes.iter_mut().zip(units) {
                        node.pass(units);
                    }
                    steps.push((Action::Tick(Some(units)), next));
                }
            }
        }
    }

    /// What is broken in this state.
    pub fn check(&self, state: &State) -> Result<(), String> {
        for (at, node) in state.nodes.iter().enumerate() {
            if !state.shown.holds(node.log.prefix(node.visible)) || node.log.length < node.visible {
                return Err(format!("node {at} shows entries that are not those acknowledged"));
            }
            if node.is_leader() && state.shown_in <= node.term && !node.log.holds(state.shown) {
                return Err(format!("node {at} leads without entries that were acknowledged"));
            }
            let is_deposed = state.nodes.iter().any(|other| other.is_leader() && other.term > node.term);
            if self.properties.contains(&Property::SoleLeader) && node.leads_surely() && is_deposed {
                return Err(format!("node {at} is sure that it leads, and a later leader has been elected"));
            }
        }
        if let Some(Read { node, stage: Stage::Waits(noted), floor }) = state.read
            && self.properties.contains(&Property::StrictReads)
        {
            // At the worst the follower learns of a V just so far and no further.
            let worst = self.bounds.clocks == Clocks::Worst;
            let visible = if worst { noted } else { state.nodes[usize::from(node)].visible };
            if (noted..floor).contains(&visible) {
                return Err(format!(
                    "a read at node {node} answers at {visible}; entry {floor} was acknowledged before it began"
                ));
            }
        }
        Ok(())
    }
}

/// What it is, and whether a state shows it.
type Sight = (&'static str, fn(&State) -> bool);

/// What an exploration must have come across, so that a model in which nothing happens does not pass.
pub const SIGHTS: [Sight; 4] = [
    ("a lease holder that can read the newest of two entries at once", |state| {
        state.nodes.iter().any(|node| node.lease > 0 && node.log == state.shown && node.log.length >= 2)
    }),
    ("a later leader that has acknowledged an entry of its own and remembers a lease", |state| {
        let granted = |node: &Node| node.peers.iter().any(|peer| peer.granted > 0);
        state.nodes.iter().any(|node| node.term > 1 && node.is_leader() && node.visible >= node.blank && granted(node))
    }),
    ("a deposed leader that still leads while the new one acknowledges", |state| {
        let leads = |term: u8| state.nodes.iter().any(|node| node.is_leader() && node.term == term);
        leads(1) && state.shown_in > 1
    }),
    ("a lease that is held while nobody leads", |state| {
        !state.nodes.iter().any(Node::is_leader) && state.nodes.iter().any(|node| node.lease > 0)
    }),
];

fn show(state: &mut State, log: Log, term: u8) {
    state.shown_in = state.shown_in.max(term);
    // A log that contradicts what was shown is left for `check` to find.
    if log.holds(state.shown) {
        state.shown = log;
    }
}
