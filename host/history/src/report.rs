//! What the checker found.

use std::collections::BTreeMap;
use std::fmt;

/// Cycles by what they consist of, the worst first. Names by Adya (1999); ww: wrote the next version, wr: read the
/// version written, rw: read a version that the other replaced (an antidependency).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Only ww.
    G0,
    /// ww and wr.
    G1c,
    /// Exactly one rw.
    GSingle,
    /// Several rw, no two of them adjacent.
    GNonadjacent,
    /// Two adjacent rw, as in write skew.
    G2Item,
}

/// Which orders a cycle needs besides what transactions read and wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Order {
    Data,
    /// The order of one session's transactions.
    Process,
    /// One transaction was acknowledged before the other began.
    RealTime,
}

/// Kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The history itself breaks the rules of recording: the test is wrong, not the database.
    Malformed,
    /// A value that nobody appended.
    GarbageRead,
    /// One value twice in a list.
    DuplicateRead,
    /// G1a: a value of an aborted transaction.
    AbortedRead,
    /// G1b: a list that ends between two appends of one transaction.
    IntermediateRead,
    /// A transaction contradicts itself: own writes missing, or one key read twice and differently.
    Internal,
    /// Two reads of one key, neither of which is a prefix of the other.
    IncompatibleOrder,
    /// An acknowledged append that no read has, though some began later.
    LostAppend,
    /// A read that lacks what had been acknowledged before its transaction began.
    StaleRead,
    /// Two transactions appended to one key, and one of them read it without the other's earlier append.
    LostUpdate,
    /// Two transactions with one commit timestamp.
    DuplicateTimestamp,
    /// Commit timestamps that contradict real time or dependencies.
    TimestampOrder,
    /// A cycle of dependencies that the isolation levels forbid.
    Cycle(Class, Order),
    /// Bank: a read whose balances do not add up, or that lacks an account.
    WrongTotal,
    /// Bank: a balance that no choice among the concurrent transfers explains.
    WrongBalance,
    /// Bank: an overdrawn account.
    NegativeBalance,
    /// Register: a value that nobody wrote, or that was read before its writing began.
    ImpossibleRead,
    /// Register: reads and writes of one key that no order in real time explains.
    NotLinearizable,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Kind::Malformed => "malformed history",
            Kind::GarbageRead => "garbage read",
            Kind::DuplicateRead => "duplicate in a read",
            Kind::AbortedRead => "G1a, aborted read",
            Kind::IntermediateRead => "G1b, intermediate read",
            Kind::Internal => "internal inconsistency",
            Kind::IncompatibleOrder => "incompatible version orders",
            Kind::LostAppend => "lost append",
            Kind::StaleRead => "stale read",
            Kind::LostUpdate => "lost update",
            Kind::DuplicateTimestamp => "duplicate timestamp",
            Kind::TimestampOrder => "timestamps out of order",
            Kind::WrongTotal => "wrong total",
            Kind::WrongBalance => "wrong balance",
            Kind::NegativeBalance => "negative balance",
            Kind::ImpossibleRead => "impossible read",
            Kind::NotLinearizable => "not linearizable",
            Kind::Cycle(class, order) => {
                let class = match class {
                    Class::G0 => "G0",
                    Class::G1c => "G1c",
                    Class::GSingle => "G-single",
                    Class::GNonadjacent => "G-nonadjacent",
                    Class::G2Item => "G2-item",
                };
                let order = match order {
                    Order::Data => "",
                    Order::Process => "-process",
                    Order::RealTime => "-realtime",
                };
                return write!(formatter, "{class}{order}");
            }
        };
        formatter.write_str(name)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub kind: Kind,
    /// Those concerned, by their places in the history.
    pub transactions: Vec<u32>,
    /// Sentences for the reader, on one or several lines.
    pub explanation: String,
}

/// What the history held: a test looks here whether it has tested anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub transactions: usize,
    pub committed: usize,
    pub aborted: usize,
    pub unknown: usize,
    /// Of those of unknown outcome: how many had certainly been committed.
    pub unknown_seen: usize,
    pub appends: usize,
    pub reads: usize,
    /// Dependencies, by kind.
    pub write_write: usize,
    pub write_read: usize,
    pub read_write: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub summary: Summary,
    /// The worst first; of each kind not more than [`Report::FINDINGS_KEPT`].
    pub findings: Vec<Finding>,
    found: BTreeMap<Kind, usize>,
}

impl Report {
    /// Findings of one kind that are kept with their explanations; the others are counted.
    pub const FINDINGS_KEPT: usize = 100;
    /// Findings of one kind that are shown.
    const FINDINGS_SHOWN: usize = 5;

    pub fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    /// How many findings of a kind there were, kept or not.
    pub fn count(&self, kind: Kind) -> usize {
        self.found.get(&kind).copied().unwrap_or(0)
    }

    /// The kinds found.
    pub fn kinds(&self) -> Vec<Kind> {
        self.found.keys().copied().collect()
    }

    /// The explanation is only made when it is kept.
    pub(crate) fn add(&mut self, kind: Kind, transactions: &[u32], explanation: impl FnOnce() -> String) {
        let found = self.found.entry(kind).or_default();
        *found += 1;
        if *found <= Report::FINDINGS_KEPT {
            let mut transactions = transactions.to_vec();
            transactions.sort_unstable();
            transactions.dedup();
            self.findings.push(Finding { kind, transactions, explanation: explanation() });
        }
    }

    pub(crate) fn sort(&mut self) {
        self.findings.sort_by_key(|finding| finding.kind);
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} transactions ({} committed, {} aborted, {} of unknown outcome, {} of those seen), {} appends, {} reads, \
             dependencies: {} ww, {} wr, {} rw",
            self.transactions,
            self.committed,
            self.aborted,
            self.unknown,
            self.unknown_seen,
            self.appends,
            self.reads,
            self.write_write,
            self.write_read,
            self.read_write
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.summary)?;
        if self.is_clean() {
            return writeln!(formatter, "no anomaly");
        }
        for (kind, count) in &self.found {
            writeln!(formatter, "\n{kind}: {count} found")?;
            let of_kind = self.findings.iter().filter(|finding| finding.kind == *kind);
            for finding in of_kind.take(Report::FINDINGS_SHOWN) {
                for (number, line) in finding.explanation.lines().enumerate() {
                    writeln!(formatter, "{}{line}", if number == 0 { "- " } else { "  " })?;
                }
            }
            if *count > Report::FINDINGS_SHOWN {
                writeln!(formatter, "- and {} more", count - Report::FINDINGS_SHOWN)?;
            }
        }
        Ok(())
    }
}
