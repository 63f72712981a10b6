//! Which cycles are forbidden, and the graph in which exactly those are cycles.
//!
//! Between two transactions there are the edges of Adya's direct serialization graph: T1 -ww-> T2 (T2 wrote the version
//! after T1's), T1 -wr-> T2 (T2 read the version that T1 wrote), T1 -rw-> T2 (T1 read the version before T2's); and
//! T1 before T2 in a session or in real time.
//!
//! Each transaction has two moments: s, when its snapshot was taken, and c, when it was committed; s comes before c.
//! Of a database that keeps its promises, each edge says something about these moments:
//!
//! | edge | says | because |
//! |---|---|---|
//! | T1 -ww-> T2 | c1 < s2 | first committer wins: T2 would have been refused otherwise |
//! | T1 -wr-> T2 | c1 < s2 | a snapshot holds what was committed before it |
//! | T1 -rw-> T2, T1 at snapshot | s1 < c2 | T2 was not in T1's snapshot |
//! | T1 -rw-> T2, T1 serializable | c1 < c2 | T1's reads were certified: still true when it was committed |
//! | T1 before T2 | c1 < s2 | snapshots are current (not when T2 allowed a stale snapshot) |
//!
//! (A serializable transaction that only reads is not certified; its c is its s, for nothing reads or replaces what it
//! wrote, so that the fourth line holds as well.) So the graph has two nodes per transaction, an edge for each of
//! these, and s to c; time has no cycles, so each cycle here is a broken promise, and conversely, without a cycle there
//! is an assignment of moments that explains the history. Said of the serialization graph, a cycle there is forbidden
//! **unless some transaction in it that runs at snapshot isolation has an rw edge both coming in and going out**. It
//! follows that
//!
//! - where all transactions are at snapshot isolation, only cycles with two adjacent rw edges are allowed (Fekete,
//!   Liarokapis, O'Neil, O'Neil and Shasha, "Making Snapshot Isolation Serializable", 2005), and with the
//!   edges of real time that is strong snapshot isolation (Daudjee and Salem, 2006);
//! - where all are serializable, no cycle is allowed: strict serializability;
//! - in between, what is promised to serializable transactions is that their own reads are still true when they
//!   commit, not that others' are: write skew of two transactions is forbidden when both are serializable, and
//!   allowed when one of them is not. Also allowed is that a serializable transaction which only reads sees what two
//!   others at snapshot isolation have made of the database (Fekete, O'Neil and O'Neil, 2004).
//!
//! Real time is a line of nodes, one for each acknowledgement: an edge from the acknowledged transaction to its node,
//! one from each node to the next, and one from the last node before a transaction's begin to that transaction. So
//! there are as many edges as transactions, not as pairs of them.

use crate::appends::{Appends, by_session};
use crate::history::{History, Isolation};
use crate::versions::Key;
use std::ops::Range;

/// Why one moment is before the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    WriteWrite,
    WriteRead,
    ReadWrite,
    Process,
    RealTime,
    /// From a transaction's snapshot to its commit, or onwards from a node that stands for several transactions.
    Inner,
}

impl Reason {
    pub(crate) fn bit(self) -> u8 {
        1 << self as u8
    }
}

#[derive(Clone, Copy)]
pub struct Edge {
    pub to: u32,
    pub reason: Reason,
    /// Of ww, wr and rw: the key, and the value appended by T2, read of T1, or missed of T2.
    pub key: u64,
    pub value: u64,
}

/// Nodes are moments: 2 × T is the snapshot of transaction T, 2 × T + 1 its commit, and the rest stand for several.
pub struct Graph {
    transactions: u32,
    /// Where each node's edges start.
    starts: Vec<u32>,
    edges: Vec<Edge>,
}

/// Edges in the order in which they were thought of.
struct Builder<'a> {
    history: &'a History,
    edges: Vec<(u32, Edge)>,
    nodes: u32,
}

enum Event {
    Begin(u32),
    End(u32),
}

fn snapshot(transaction: u32) -> u32 {
    2 * transaction
}

fn commit(transaction: u32) -> u32 {
    2 * transaction + 1
}

impl Graph {
    pub(crate) fn of(history: &History, appends: &Appends, keys: &[Key]) -> Graph {
        let transactions = history.transactions.len() as u32;
        let mut builder = Builder { history, edges: vec![], nodes: 2 * transactions };
        for transaction in 0..transactions {
            builder.add(snapshot(transaction), commit(transaction), Reason::Inner, 0, 0);
        }
        for key in keys {
            builder.add_key(key);
        }
        let counts = |place: &u32| appends.happened(*place);
        builder.add_sessions(by_session(history).into_iter().filter(counts));
        let mut events = vec![];
        for place in (0..transactions).filter(counts) {
            let transaction = &history.transactions[place as usize];
            // Not before: acknowledgements at the very moment of the begin do not count.
            events.push((transaction.must_see_before(), 0, Event::Begin(place)));
            if transaction.is_committed() && transaction.begin <= transaction.end {
                events.push((transaction.end, 1, Event::End(place)));
            }
        }
        events.sort_by_key(|(time, kind, _)| (*time, *kind));
        builder.add_line(Reason::RealTime, events.into_iter().map(|(_, _, event)| event));
        builder.build(transactions)
    }

    pub fn nodes(&self) -> usize {
        self.starts.len() - 1
    }

    /// The transaction that a node is a moment of.
    pub fn transaction(&self, node: u32) -> Option<u32> {
        Some(node / 2).filter(|transaction| *transaction < self.transactions)
    }

    pub fn edges(&self, node: u32) -> Range<u32> {
        self.starts[node as usize]..self.starts[node as usize + 1]
    }

    pub fn edge(&self, edge: u32) -> Edge {
        self.edges[edge as usize]
    }

    pub fn count(&self, reason: Reason) -> usize {
        self.edges.iter().filter(|edge| edge.reason == reason).count()
    }
}

impl Builder<'_> {
    fn add(&mut self, from: u32, to: u32, reason: Reason, key: u64, value: u64) {
        self.edges.push((from, Edge { to, reason, key, value }));
    }

    fn add_node(&mut self) -> u32 {
        self.nodes += 1;
        self.nodes - 1
    }

    /// The moment until which what a transaction read was true.
    fn reads_hold_until(&self, transaction: u32) -> u32 {
        match self.history.transactions[transaction as usize].isolation {
            Isolation::Snapshot => snapshot(transaction),
            Isolation::Serializable => commit(transaction),
        }
    }

    fn add_key(&mut self, key: &Key) {
        let written = key.order.iter().filter_map(|version| Some((version.writer?, version.value)));
        let written: Vec<(u32, u64)> = written.collect();
        for pair in written.windows(2) {
            let ((first, _), (second, value)) = (pair[0], pair[1]);
            if first != second {
                self.add(commit(first), snapshot(second), Reason::WriteWrite, key.name, value);
            }
        }
        for read in &key.reads {
            let reader = read.transaction;
            if let Some((writer, value)) = key.writer_before(read.seen).filter(|(writer, _)| *writer != reader) {
                self.add(commit(writer), snapshot(reader), Reason::WriteRead, key.name, value);
            }
            if let Some((writer, value)) = key.writer_after(read.seen).filter(|(writer, _)| *writer != reader) {
                self.add(self.reads_hold_until(reader), commit(writer), Reason::ReadWrite, key.name, value);
            }
        }
        if !key.unordered.is_empty() {
            self.add_unordered(key, written.last().map(|(writer, _)| *writer));
        }
    }

    /// Appends after all versions whose order is known: one node for all ww edges to them and one for all rw edges.
    fn add_unordered(&mut self, key: &Key, last_writer: Option<u32>) {
        let (after_write, after_read) = (self.add_node(), self.add_node());
        if let Some(last_writer) = last_writer {
            self.add(commit(last_writer), after_write, Reason::WriteWrite, key.name, 0);
        }
        for read in key.reads.iter().filter(|read| key.writer_after(read.seen).is_none()) {
            self.add(self.reads_hold_until(read.transaction), after_read, Reason::ReadWrite, key.name, 0);
        }
        for (writer, value) in &key.unordered {
            self.add(after_write, snapshot(*writer), Reason::Inner, key.name, *value);
            self.add(after_read, commit(*writer), Reason::Inner, key.name, *value);
        }
    }

    /// A transaction of unknown outcome may have been committed after its session went on.
    fn add_sessions(&mut self, places: impl Iterator<Item = u32>) {
        let mut sessions: Vec<Vec<Event>> = vec![];
        let mut session = None;
        for place in places {
            let transaction = &self.history.transactions[place as usize];
            if session.replace(transaction.session) != Some(transaction.session) {
                sessions.push(vec![]);
            }
            let Some(events) = sessions.last_mut() else { continue };
            if transaction.staleness.is_none() {
                events.push(Event::Begin(place));
            }
            if transaction.is_committed() {
                events.push(Event::End(place));
            }
        }
        for events in sessions {
            self.add_line(Reason::Process, events.into_iter());
        }
    }

    fn add_line(&mut self, reason: Reason, events: impl Iterator<Item = Event>) {
        let mut last = None;
        for event in events {
            match (event, last) {
                (Event::Begin(transaction), Some(last)) => self.add(last, snapshot(transaction), Reason::Inner, 0, 0),
                (Event::Begin(_), None) => {}
                (Event::End(transaction), _) => {
                    let node = self.add_node();
                    self.add(commit(transaction), node, reason, 0, 0);
                    if let Some(last) = last.replace(node) {
                        self.add(last, node, Reason::Inner, 0, 0);
                    }
                }
            }
        }
    }

    fn build(self, transactions: u32) -> Graph {
        let mut starts = vec![0u32; self.nodes as usize + 1];
        for (from, _) in &self.edges {
            starts[*from as usize + 1] += 1;
        }
        for node in 0..self.nodes as usize {
            starts[node + 1] += starts[node];
        }
        let mut edges = self.edges;
        edges.sort_by_key(|(from, _)| *from);
        Graph { transactions, starts, edges: edges.into_iter().map(|(_, edge)| edge).collect() }
    }
}
