//! What the model remembers: three nodes, and what the world outside knows. Clocks are not part of it, only what is
//! left of each timer on the clock of the node that runs it: states do not grow with time, so time needs no bound.

use crate::rules::{FAST, SLOW};

pub const NODES: usize = 3;
/// Entries that a log may hold at most; an index needs three bits.
pub const LOG_MAX: usize = 6;

/// A state in as few bits as it needs: 64 for each node, 64 for what is on its way and 64 for the rest.
pub type Packed = [u64; NODES + 2];

/// Index → term; index 0 is before the first entry. A term has one leader, which never rewrites its own log, so the
/// term and the index say which entry it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Log {
    pub length: u8,
    /// Two bits for each entry.
    terms: u16,
}

impl Log {
    pub fn term(self, index: u8) -> u8 {
        if index == 0 || index > self.length { 0 } else { (self.terms >> (2 * (index - 1)) & 3) as u8 }
    }

    pub fn last_term(self) -> u8 {
        self.term(self.length)
    }

    pub fn push(&mut self, term: u8) {
        self.terms |= u16::from(term) << (2 * self.length);
        self.length += 1;
    }

    pub fn prefix(self, length: u8) -> Log {
        let length = length.min(self.length);
        Log { length, terms: self.terms & ((1 << (2 * length)) - 1) }
    }

    pub fn holds(self, prefix: Log) -> bool {
        self.length >= prefix.length && self.prefix(prefix.length) == prefix
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Role {
    #[default]
    Follower,
    Candidate,
    Leader,
    /// A leader that has asked for another one: it is never sure of its lead again.
    Retired,
}

/// What a leader has of another node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Peer {
    /// The entries that it is known to hold, by its acknowledgements in the leader's term.
    pub matched: u8,
    /// How long its last acknowledgement still proves that it votes for nobody else; the leader's clock.
    pub heard: u8,
    /// How long the leader remembers a lease granted to it; the leader's clock.
    pub granted: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node {
    // On disk.
    pub term: u8,
    /// Whether it has voted in its term, or heard of the term's leader.
    pub voted: bool,
    pub log: Log,
    // In memory.
    pub role: Role,
    /// Candidates: who voted for it, a bit for each node.
    pub votes: u8,
    /// V: the last entry that may be shown.
    pub visible: u8,
    /// How long it votes for nobody; its own clock.
    pub refuses: u8,
    /// It refuses because it has started, not for a leader; kept only where that makes a difference.
    pub is_fresh: bool,
    /// How long it may read by its lease; its own clock.
    pub lease: u8,
    // Leaders.
    /// The first entry of its own term.
    pub blank: u8,
    /// How long it takes every node for one that holds a lease; its own clock.
    pub wait: u8,
    /// The next node and the one after it.
    pub peers: [Peer; NODES - 1],
}

impl Node {
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader | Role::Retired)
    }

    /// "Sole leader now": with itself, one of the two others is a majority.
    pub fn leads_surely(&self) -> bool {
        self.leads_surely_for(1)
    }

    /// For so many units of its own clock.
    pub fn leads_surely_for(&self, units: u8) -> bool {
        self.role == Role::Leader && self.peers.iter().any(|peer| peer.heard >= units)
    }

    /// A majority holds it, and its own term has an entry at least as late: it is there to stay.
    pub fn committed(&self) -> u8 {
        let held = self.peers.iter().map(|peer| peer.matched).max().unwrap_or(0).min(self.log.length);
        if held > 0 && self.log.term(held) == self.term { held } else { 0 }
    }

    /// min over the nodes with an unexpired grant of what they hold.
    pub fn covered(&self) -> u8 {
        let leased = self.peers.iter().filter(|peer| peer.granted > 0 || self.wait > 0);
        leased.map(|peer| peer.matched).min().unwrap_or(self.log.length)
    }

    /// Forgets what only a candidate or a leader knows, but for leases that it has granted.
    pub fn follow(&mut self) {
        self.role = Role::Follower;
        self.votes = 0;
        self.blank = 0;
        self.wait = 0;
        self.peers = self.peers.map(|peer| Peer { granted: peer.granted, ..Peer::default() });
    }

    pub fn remembers_grants(&self) -> bool {
        self.peers.iter().any(|peer| peer.granted > 0)
    }

    /// Lets a tick of true time pass that each timer counts as fast or slow as makes its end the more dangerous.
    pub fn pass_at_worst(&mut self) {
        self.refuses = self.refuses.saturating_sub(FAST);
        self.lease = self.lease.saturating_sub(SLOW);
        self.wait = self.wait.saturating_sub(FAST);
        for peer in &mut self.peers {
            peer.heard = peer.heard.saturating_sub(SLOW);
            peer.granted = peer.granted.saturating_sub(FAST);
        }
    }

    pub fn timers(&self) -> impl Iterator<Item = u8> {
        let peers = self.peers.iter().flat_map(|peer| [peer.heard, peer.granted]);
        [self.refuses, self.lease, self.wait].into_iter().chain(peers)
    }

    /// Lets `units` of its own clock pass.
    pub fn pass(&mut self, units: u8) {
        self.refuses = self.refuses.saturating_sub(units);
        self.lease = self.lease.saturating_sub(units);
        self.wait = self.wait.saturating_sub(units);
        for peer in &mut self.peers {
            peer.heard = peer.heard.saturating_sub(units);
            peer.granted = peer.granted.saturating_sub(units);
        }
    }
}

/// A read under way that is going to be wrong unless something newer comes in between; all others are left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Read {
    pub node: u8,
    pub stage: Stage,
    /// What had been acknowledged or shown when it began: what it must see.
    pub floor: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// It waits until V is that far.
    Waits(u8),
    /// It has noted that last entry, and has yet to look at its lease.
    Noted(u8),
    /// It has looked at its lease, and has yet to note the last entry.
    Checked,
}

/// What a node sent when it last led may still be on its way: any of it, any number of times, to anybody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sent {
    /// 0: nothing.
    pub term: u8,
    pub log: Log,
    pub visible: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct State {
    pub nodes: [Node; NODES],
    /// All that was ever acknowledged or shown, or may have been: the longest log that any leader's V covered.
    pub shown: Log,
    /// The latest term whose leader's V moved.
    pub shown_in: u8,
    pub read: Option<Read>,
    pub sent: [Sent; NODES],
}

/// Where `leader` keeps what it has of `node`.
pub fn slot(leader: usize, node: usize) -> usize {
    (node + NODES - leader) % NODES - 1
}

impl Log {
    fn pack(self) -> u64 {
        (self.terms as u64) << 3 | self.length as u64
    }

    fn take(word: &mut u64) -> Log {
        let length = take(word, 3);
        let terms = (*word & ((1 << (2 * LOG_MAX)) - 1)) as u16;
        *word >>= 2 * LOG_MAX;
        Log { length, terms }
    }
}

const LOG_BITS: usize = 3 + 2 * LOG_MAX;

/// Takes the lowest bits off.
fn take(word: &mut u64, width: u32) -> u8 {
    let value = (*word & ((1 << width) - 1)) as u8;
    *word >>= width;
    value
}

// Unoptimised builds spend most of their time here: shifts, and no calls. What is put in last is taken out first.
impl Node {
    fn pack(&self) -> u64 {
        let mut word = self.log.pack();
        word = word << 2 | self.term as u64;
        word = word << 1 | self.voted as u64;
        word = word << 2 | self.role as u64;
        word = word << 3 | self.votes as u64;
        word = word << 3 | self.visible as u64;
        word = word << 3 | self.refuses as u64;
        word = word << 1 | self.is_fresh as u64;
        word = word << 2 | self.lease as u64;
        word = word << 3 | self.blank as u64;
        word = word << 3 | self.wait as u64;
        let [next, after] = &self.peers;
        word = word << 9 | (next.matched as u64) << 6 | (next.heard as u64) << 3 | next.granted as u64;
        word << 9 | (after.matched as u64) << 6 | (after.heard as u64) << 3 | after.granted as u64
    }

    fn unpack(mut word: u64) -> Node {
        let word = &mut word;
        let mut peer = || Peer { granted: take(word, 3), heard: take(word, 3), matched: take(word, 3) };
        let (after, next) = (peer(), peer());
        Node {
            peers: [next, after],
            wait: take(word, 3),
            blank: take(word, 3),
            lease: take(word, 2),
            is_fresh: take(word, 1) == 1,
            refuses: take(word, 3),
            visible: take(word, 3),
            votes: take(word, 3),
            role: [Role::Follower, Role::Candidate, Role::Leader, Role::Retired][usize::from(take(word, 2))],
            voted: take(word, 1) == 1,
            term: take(word, 2),
            log: Log::take(word),
        }
    }
}

impl Sent {
    fn unpack(word: &mut u64) -> Sent {
        Sent { visible: take(word, 3), term: take(word, 2), log: Log::take(word) }
    }
}

impl Read {
    fn pack(self) -> u64 {
        let (stage, noted) = match self.stage {
            Stage::Waits(noted) => (1, noted),
            Stage::Noted(noted) => (2, noted),
            Stage::Checked => (3, 0),
        };
        (self.floor as u64) << 7 | (self.node as u64) << 5 | (noted as u64) << 2 | stage
    }

    fn take(word: &mut u64) -> Option<Read> {
        let (stage, noted, node, floor) = (take(word, 2), take(word, 3), take(word, 2), take(word, 3));
        let stage = match stage {
            1 => Stage::Waits(noted),
            2 => Stage::Noted(noted),
            3 => Stage::Checked,
            _ => return None,
        };
        Some(Read { node, stage, floor })
    }
}

impl State {
    pub fn pack(&self) -> Packed {
        let [first, second, third] = &self.nodes;
        let mut on_its_way = 0;
        let mut at = 0;
        while at < NODES {
            let sent = &self.sent[at];
            on_its_way = on_its_way << LOG_BITS | sent.log.pack();
            on_its_way = on_its_way << 5 | (sent.term as u64) << 3 | sent.visible as u64;
            at += 1;
        }
        let mut rest = (self.shown.pack()) << 2 | self.shown_in as u64;
        rest <<= 10;
        if let Some(read) = self.read {
            rest |= read.pack();
        }
        [first.pack(), second.pack(), third.pack(), on_its_way, rest]
    }

    pub fn unpack(packed: &Packed) -> State {
        let [first, second, third, mut on_its_way, mut rest] = *packed;
        let mut sent = [Sent::default(); NODES];
        for sent in sent.iter_mut().rev() {
            *sent = Sent::unpack(&mut on_its_way);
        }
        let read = Read::take(&mut rest);
        let shown_in = take(&mut rest, 2);
        let nodes = [Node::unpack(first), Node::unpack(second), Node::unpack(third)];
        State { nodes, shown: Log::take(&mut rest), shown_in, read, sent }
    }
}
