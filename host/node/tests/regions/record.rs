//! What clients did and heard, told by one clock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use isobar_history::{Balances, Outcome, RegisterOperation, Transaction, Transfer};
use isobar_replica::Ulid;
use parking_lot::Mutex;
use serde::Serialize;

pub struct Record {
    start: Instant,
    next: AtomicU64,
    pub told: Mutex<Told>,
}

/// All histories of one run.
#[derive(Clone, Default)]
pub struct Told {
    pub lists: Vec<Transaction>,
    pub transfers: Vec<Transfer>,
    pub balances: Vec<Balances>,
    pub registers: Vec<RegisterOperation>,
    pub entries: Vec<Entry>,
    /// Whose outcomes have to be asked for.
    pub open: Vec<Open>,
    /// Answers by their codes.
    pub codes: BTreeMap<String, u64>,
    /// How many outcomes were asked for.
    resolved: u64,
    /// What no client should ever hear.
    pub surprises: BTreeMap<String, u64>,
}

/// A row that one request adds to the log, once.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    pub node: String,
    pub begin: u64,
    pub end: u64,
    pub request: u64,
    pub outcome: Outcome,
    /// How many rows there are in the end, at each node; none were counted yet.
    pub found: Vec<u64>,
}

/// Where in the histories an outcome is missing.
#[derive(Clone, Copy)]
pub enum Missing {
    List(usize),
    Transfer(usize),
    Register(usize),
    Entry(usize),
}

/// A commit, or the idempotency key of a request, that nobody has heard about.
#[derive(Clone)]
pub struct Open {
    pub missing: Missing,
    pub id: Ulid,
}

impl Record {
    pub fn new() -> Record {
        Record { start: Instant::now(), next: AtomicU64::new(0), told: Mutex::default() }
    }

    /// Nanoseconds.
    pub fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// A number that nobody else has.
    pub fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub fn surprise(&self, what: String) {
        *self.told.lock().surprises.entry(what).or_default() += 1;
    }

    pub fn count(&self, code: &str) {
        *self.told.lock().codes.entry(code.into()).or_default() += 1;
    }
}

impl Told {
    fn outcome(&self, missing: Missing) -> Outcome {
        match missing {
            Missing::List(place) => self.lists[place].outcome,
            Missing::Transfer(place) => self.transfers[place].outcome,
            Missing::Register(place) => self.registers[place].outcome,
            Missing::Entry(place) => self.entries[place].outcome,
        }
    }

    /// Notes that an outcome is to be asked for under this name, where it is unknown.
    pub fn leave_open(&mut self, missing: Missing, id: Option<Ulid>) {
        if self.outcome(missing) == Outcome::Unknown
            && let Some(id) = id
        {
            self.open.push(Open { missing, id });
        }
    }

    /// An outcome has been asked for, and told at `now`: nothing was acknowledged before. The client of it has long
    /// gone on with something else, so it is a session of its own.
    pub fn resolve(&mut self, missing: Missing, outcome: Outcome, now: u64) {
        let session = RESOLVED_SESSIONS + self.resolved;
        self.resolved += 1;
        match missing {
            Missing::List(place) => {
                let list = &mut self.lists[place];
                (list.session, list.end, list.outcome) = (session, now, outcome);
            }
            Missing::Transfer(place) => {
                let transfer = &mut self.transfers[place];
                (transfer.session, transfer.end, transfer.outcome) = (session, now, outcome);
            }
            Missing::Register(place) => {
                let register = &mut self.registers[place];
                (register.session, register.end, register.outcome) = (session, now, outcome);
            }
            Missing::Entry(place) => {
                let entry = &mut self.entries[place];
                (entry.end, entry.outcome) = (now, outcome);
            }
        }
    }
}

/// Sessions of what was asked for begin here.
const RESOLVED_SESSIONS: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use isobar_history::Isolation;

    #[test]
    fn what_was_asked_for_was_acknowledged_when_the_answer_came() {
        let list = Transaction {
            session: 3,
            node: "oregon".into(),
            isolation: Isolation::Snapshot,
            staleness: None,
            begin: 5,
            end: 8,
            operations: vec![],
            outcome: Outcome::Unknown,
        };
        let mut told = Told { lists: vec![list], ..Told::default() };
        told.leave_open(Missing::List(0), Some(Ulid::nil()));
        assert_eq!(told.open.len(), 1);
        told.resolve(Missing::List(0), Outcome::Committed { timestamp: Some(6) }, 100);
        let list = &told.lists[0];
        assert_eq!((list.begin, list.end), (5, 100));
        assert_ne!(list.session, 3);
    }
}
