//! A tiny database in memory that promises what Isobar does, with clients; and its flaws, on demand.

use isobar_history::{History, Isolation, Operation, Outcome, Transaction};
use std::collections::BTreeMap;

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    None,
    /// Later committers win as well.
    NoFirstCommitter,
    /// What serializable transactions read is not certified.
    NoCertification,
    /// Snapshots lag behind.
    OldSnapshots,
    /// Each read has a snapshot of its own.
    TornSnapshots,
    /// Acknowledged before it is visible.
    EarlyAcknowledgement,
    /// An aborted transaction's appends stay.
    NoUndo,
    /// An acknowledged commit is forgotten.
    ForgottenCommit,
    /// Commit timestamps are not those of the commits' order.
    WrongTimestamps,
    /// Own writes are not seen.
    NoOwnWrites,
    /// Regions order concurrent commits differently.
    TwoOrders,
}

pub struct Settings {
    pub seed: u64,
    pub sessions: u64,
    pub transactions: u64,
    /// Keys in use at one time.
    pub keys: u64,
    pub serializable_percent: u64,
    pub unknown_percent: u64,
    pub staleness: bool,
    pub flaw: Flaw,
}

impl Settings {
    pub fn of_seed(seed: u64) -> Settings {
        Settings {
            seed,
            sessions: 1 + seed % 8,
            transactions: 300,
            keys: 2 + seed % 5,
            serializable_percent: 0,
            unknown_percent: seed % 7,
            staleness: false,
            flaw: Flaw::None,
        }
    }
}

/// A transaction under way.
struct Running {
    transaction: Transaction,
    snapshot: u64,
    operations_left: u64,
    /// Decided, and waiting for its answer.
    is_decided: bool,
}

struct Simulation<'a> {
    settings: &'a Settings,
    random: Random,
    now: u64,
    /// Each key's list: (when visible, value).
    lists: BTreeMap<u64, Vec<(u64, u64)>>,
    values: u64,
    started: u64,
    history: History,
    /// Those whose clients have given up, and which are yet to be decided.
    orphans: Vec<Running>,
}

/// Runs all sessions' transactions, one step of a random session after the other, and then reads every key.
pub fn simulate(settings: &Settings) -> History {
    let mut simulation = Simulation {
        settings,
        random: Random(settings.seed),
        now: 1_000_000,
        lists: BTreeMap::new(),
        values: 0,
        started: 0,
        history: History::default(),
        orphans: vec![],
    };
    let mut sessions: Vec<Option<Running>> = (0..settings.sessions).map(|_| None).collect();
    while simulation.started < settings.transactions || sessions.iter().any(Option::is_some) {
        let session = simulation.random.below(settings.sessions);
        simulation.now += 1 + simulation.random.below(1000);
        let running = sessions[session as usize].take();
        sessions[session as usize] = simulation.step(session, running);
    }
    simulation.now += 1_000_000;
    let keys: Vec<u64> = simulation.lists.keys().copied().collect();
    for keys in keys.chunks(10) {
        let mut last = simulation.begin(settings.sessions);
        last.transaction.staleness = None;
        last.snapshot = simulation.now;
        for key in keys {
            simulation.read(&mut last, *key);
        }
        simulation.now += 10;
        simulation.end(last, Outcome::Committed { timestamp: None });
        simulation.now += 10;
    }
    simulation.history
}

impl Simulation<'_> {
    fn has(&self, flaw: Flaw) -> bool {
        self.settings.flaw == flaw
    }

    fn step(&mut self, session: u64, running: Option<Running>) -> Option<Running> {
        if !self.orphans.is_empty() && self.random.percent(10) {
            let mut orphan = self.orphans.swap_remove(0);
            self.decide(&mut orphan);
        }
        let Some(mut running) = running else {
            if self.started == self.settings.transactions {
                return None;
            }
            self.started += 1;
            return Some(self.begin(session));
        };
        if running.snapshot == 0 {
            running.snapshot = self.snapshot(&running);
        } else if running.operations_left > 0 {
            running.operations_left -= 1;
            self.operate(&mut running);
        } else if running.is_decided {
            let outcome = running.transaction.outcome;
            self.end(running, outcome);
            return None;
        } else if self.random.percent(self.settings.unknown_percent) {
            self.end(running.copy(), Outcome::Unknown);
            if self.random.percent(50) {
                self.orphans.push(running);
            }
            return None;
        } else {
            self.decide(&mut running);
        }
        Some(running)
    }

    fn begin(&mut self, session: u64) -> Running {
        let is_serializable = self.random.percent(self.settings.serializable_percent);
        let is_stale = self.settings.staleness && self.random.percent(20);
        let transaction = Transaction {
            session,
            node: ["tokyo", "oregon", "paris"][session as usize % 3].to_owned(),
            isolation: if is_serializable { Isolation::Serializable } else { Isolation::Snapshot },
            staleness: is_stale.then(|| self.random.below(20_000)),
            begin: self.now,
            end: u64::MAX,
            operations: vec![],
            outcome: Outcome::Aborted,
        };
        Running { transaction, snapshot: 0, operations_left: 1 + self.random.below(6), is_decided: false }
    }

    fn snapshot(&mut self, running: &Running) -> u64 {
        match running.transaction.staleness {
            Some(staleness) => self.now - self.random.below(staleness + 1).min(self.now - 1),
            None if self.has(Flaw::OldSnapshots) => self.now - self.random.below(20_000),
            None => self.now,
        }
    }

    fn operate(&mut self, running: &mut Running) {
        // Keys go out of use, so that lists stay short.
        let age = self.started / (20 * self.settings.sessions);
        let key = age * self.settings.keys + self.random.below(self.settings.keys);
        if running.transaction.staleness.is_none() && self.random.percent(40) {
            self.values += 1;
            running.transaction.operations.push(Operation::Append { key, value: self.values });
        } else {
            self.read(running, key);
        }
    }

    fn read(&mut self, running: &mut Running, key: u64) {
        if self.has(Flaw::TornSnapshots) {
            running.snapshot = self.now;
        }
        let list = self.lists.entry(key).or_default();
        let visible = list.iter().filter(|(time, _)| *time <= running.snapshot);
        let mut values: Vec<u64> = visible.map(|(_, value)| *value).collect();
        if self.has(Flaw::TwoOrders) && running.transaction.session % 2 == 1 && values.len() > 1 {
            let last = values.len() - 1;
            values.swap(last - 1, last);
        }
        if !self.has(Flaw::NoOwnWrites) {
            values.extend(running.appended().filter(|(name, _)| *name == key).map(|(_, value)| value));
        }
        running.transaction.operations.push(Operation::Read { key, values });
    }

    fn decide(&mut self, running: &mut Running) {
        running.is_decided = true;
        let appended: Vec<(u64, u64)> = running.appended().collect();
        let is_serializable = running.transaction.isolation == Isolation::Serializable && !appended.is_empty();
        let changed = |key: &u64| {
            let list = self.lists.get(key).map_or(&[][..], Vec::as_slice);
            list.last().is_some_and(|(time, _)| *time > running.snapshot)
        };
        let conflict = running.transaction.operations.iter().any(|operation| match operation {
            Operation::Append { key, .. } => !self.has(Flaw::NoFirstCommitter) && changed(key),
            Operation::Read { key, .. } => is_serializable && !self.has(Flaw::NoCertification) && changed(key),
        });
        running.transaction.outcome =
            if conflict { Outcome::Aborted } else { Outcome::Committed { timestamp: Some(self.now) } };
        if self.has(Flaw::WrongTimestamps) && !conflict {
            let timestamp = self.now - self.random.below(100_000);
            running.transaction.outcome = Outcome::Committed { timestamp: Some(timestamp) };
        }
        let is_kept = match self.settings.flaw {
            Flaw::NoUndo => true,
            Flaw::ForgottenCommit => !conflict && !self.random.percent(5),
            _ => !conflict,
        };
        let delay = if self.has(Flaw::EarlyAcknowledgement) { self.random.below(10_000) } else { 0 };
        for (key, value) in appended.into_iter().filter(|_| is_kept) {
            let list = self.lists.entry(key).or_default();
            let last = list.last().map_or(0, |(time, _)| *time);
            list.push((last.max(self.now + delay), value));
        }
    }

    fn end(&mut self, mut running: Running, outcome: Outcome) {
        running.transaction.end = self.now;
        running.transaction.outcome = outcome;
        self.history.transactions.push(running.transaction);
    }
}

impl Running {
    fn copy(&self) -> Running {
        Running { transaction: self.transaction.clone(), ..*self }
    }

    fn appended(&self) -> impl Iterator<Item = (u64, u64)> {
        self.transaction.operations.iter().filter_map(|operation| match operation {
            Operation::Append { key, value } => Some((*key, *value)),
            Operation::Read { .. } => None,
        })
    }
}
