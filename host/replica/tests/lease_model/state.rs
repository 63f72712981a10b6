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
        self.role == Role::Leader
    }

    /// "Sole leader now": with itself, one of the two others is a majority.
    pub fn leads_surely(&self) -> bool {
        self.is_leader() && self.peers.iter().any(|peer| peer.heard > 0)
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

    /// Forgets what only a candidate or a leader knows.
    pub fn follow(&mut self) {
        self.role = Role::Follower;
        self.votes = 0;
        self.blank = 0;
        self.wait = 0;
        self.peers = [Peer::default(); NODES - 1];
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

struct Bits(u64, u32);

impl Bits {
    fn put(&mut self, value: u8, width: u32) {
        debug_assert!(u32::from(value) < 1 << width, "{value} does not fit {width} bits");
        self.0 |= u64::from(value) << self.1;
        self.1 += width;
    }

    fn take(&mut self, width: u32) -> u8 {
        let value = self.0 & ((1 << width) - 1);
        self.0 >>= width;
        value as u8
    }

    fn put_log(&mut self, log: Log) {
        self.put(log.length, 3);
        self.0 |= u64::from(log.terms) << self.1;
        self.1 += 2 * LOG_MAX as u32;
    }

    fn take_log(&mut self) -> Log {
        let length = self.take(3);
        let terms = (self.0 & ((1 << (2 * LOG_MAX)) - 1)) as u16;
        self.0 >>= 2 * LOG_MAX;
        Log { length, terms }
    }
}

impl State {
    pub fn pack(&self) -> Packed {
        let mut packed = [0; NODES + 2];
        for (place, node) in packed.iter_mut().zip(&self.nodes) {
            let mut bits = Bits(0, 0);
            bits.put(node.term, 2);
            bits.put(node.voted.into(), 1);
            bits.put_log(node.log);
            bits.put(node.role as u8, 2);
            bits.put(node.votes, 3);
            bits.put(node.visible, 3);
            bits.put(node.refuses, 3);
            bits.put(node.lease, 2);
            bits.put(node.blank, 3);
            bits.put(node.wait, 3);
            for peer in &node.peers {
                bits.put(peer.matched, 3);
                bits.put(peer.heard, 3);
                bits.put(peer.granted, 3);
            }
            *place = bits.0;
        }
        let mut bits = Bits(0, 0);
        bits.put_log(self.shown);
        bits.put(self.shown_in, 2);
        if let Some(read) = self.read {
            let (stage, noted) = match read.stage {
                Stage::Waits(noted) => (1, noted),
                Stage::Noted(noted) => (2, noted),
                Stage::Checked => (3, 0),
            };
            bits.put(stage, 2);
            bits.put(noted, 3);
            bits.put(read.node, 2);
            bits.put(read.floor, 3);
        } else {
            bits.put(0, 10 - 7);
            bits.put(0, 7);
        }
        packed[NODES] = bits.0;
        let mut bits = Bits(0, 0);
        for sent in &self.sent {
            bits.put(sent.term, 2);
            bits.put_log(sent.log);
            bits.put(sent.visible, 3);
        }
        packed[NODES + 1] = bits.0;
        packed
    }

    pub fn unpack(packed: &Packed) -> State {
        let node = |place: usize| {
            let mut bits = Bits(packed[place], 0);
            Node {
                term: bits.take(2),
                voted: bits.take(1) == 1,
                log: bits.take_log(),
                role: [Role::Follower, Role::Candidate, Role::Leader][usize::from(bits.take(2))],
                votes: bits.take(3),
                visible: bits.take(3),
                refuses: bits.take(3),
                lease: bits.take(2),
                blank: bits.take(3),
                wait: bits.take(3),
                peers: std::array::from_fn(|_| Peer {
                    matched: bits.take(3),
                    heard: bits.take(3),
                    granted: bits.take(3),
                }),
            }
        };
        let nodes = std::array::from_fn(node);
        let mut bits = Bits(packed[NODES], 0);
        let (shown, shown_in) = (bits.take_log(), bits.take(2));
        let (stage, noted, reader, floor) = (bits.take(2), bits.take(3), bits.take(2), bits.take(3));
        let stage = match stage {
            1 => Some(Stage::Waits(noted)),
            2 => Some(Stage::Noted(noted)),
            3 => Some(Stage::Checked),
            _ => None,
        };
        let read = stage.map(|stage| Read { node: reader, stage, floor });
        let mut bits = Bits(packed[NODES + 1], 0);
        let sent = std::array::from_fn(|_| Sent { term: bits.take(2), log: bits.take_log(), visible: bits.take(3) });
        State { nodes, shown, shown_in, read, sent }
    }
}
