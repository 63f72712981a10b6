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
    pub fn outcome(&mut self, missing: Missing) -> &mut Outcome {
        match missing {
            Missing::List(place) => &mut self.lists[place].outcome,
            Missing::Transfer(place) => &mut self.transfers[place].outcome,
            Missing::Register(place) => &mut self.registers[place].outcome,
            Missing::Entry(place) => &mut self.entries[place].outcome,
        }
    }

    /// Notes that an outcome is to be asked for under this name, where it is unknown.
    pub fn leave_open(&mut self, missing: Missing, id: Option<Ulid>) {
        if *self.outcome(missing) == Outcome::Unknown
            && let Some(id) = id
        {
            self.open.push(Open { missing, id });
        }
    }
}
