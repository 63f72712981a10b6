//! Who appended what, and which transactions of unknown outcome must have been committed.

use crate::graph::{Graph, Reason};
use crate::history::{History, Operation, Outcome};
use crate::report::{Kind, Report, Summary};
use foldhash::{HashMap, HashMapExt};

pub struct Append {
    pub transaction: u32,
    /// Its place among its transaction's operations.
    pub number: u32,
    /// The last one of its transaction to its key.
    pub is_last: bool,
    /// Whether a read has it that the order of versions was taken from.
    pub is_observed: bool,
}

pub struct Appends {
    /// By key and value.
    by_value: HashMap<(u64, u64), Append>,
    /// Whether each transaction counts as committed.
    happened: Vec<bool>,
}

impl Appends {
    pub fn of(history: &History, report: &mut Report) -> Appends {
        let happened = history.transactions.iter().map(|transaction| transaction.is_committed()).collect();
        let mut appends = Appends { by_value: HashMap::new(), happened };
        for place in 0..history.transactions.len() as u32 {
            appends.add(history, place, report);
        }
        check_sessions(history, report);
        appends.observe(history);
        appends
    }

    fn add(&mut self, history: &History, place: u32, report: &mut Report) {
        let transaction = &history.transactions[place as usize];
        if transaction.begin > transaction.end && transaction.outcome != Outcome::Unknown {
            report.add(Kind::Malformed, &[place], || format!("T{place} ended before it began"));
        }
        let mut last: HashMap<u64, u64> = HashMap::new();
        for (number, operation) in (0u32..).zip(&transaction.operations) {
            let Operation::Append { key, value } = operation else { continue };
            let append = Append { transaction: place, number, is_last: true, is_observed: false };
            if let Some(other) = self.by_value.insert((*key, *value), append) {
                let other = other.transaction;
                report.add(Kind::Malformed, &[other, place], || {
                    format!("T{other} and T{place} both append {value} to key {key}: values must be unique")
                });
            }
            if let Some(earlier) = last.insert(*key, *value).filter(|earlier| earlier != value)
                && let Some(earlier) = self.by_value.get_mut(&(*key, earlier))
            {
                earlier.is_last = false;
            }
        }
    }

    /// Whoever saw an append of a transaction of unknown outcome proves that it was committed, and then its own reads
    /// count as well.
    fn observe(&mut self, history: &History) {
        let is_unknown = |place: u32| history.transactions[place as usize].outcome == Outcome::Unknown;
        if !(0..history.transactions.len() as u32).any(is_unknown) {
            return;
        }
        let mut readers: Vec<u32> =
            (0..history.transactions.len() as u32).filter(|place| self.happened(*place)).collect();
        while let Some(reader) = readers.pop() {
            for operation in &history.transactions[reader as usize].operations {
                let Operation::Read { key, values } = operation else { continue };
                for value in values {
                    let Some(Append { transaction: writer, .. }) = self.by_value.get(&(*key, *value)) else { continue };
                    if is_unknown(*writer) && !self.happened[*writer as usize] {
                        self.happened[*writer as usize] = true;
                        readers.push(*writer);
                    }
                }
            }
        }
    }

    pub fn happened(&self, transaction: u32) -> bool {
        self.happened[transaction as usize]
    }

    pub fn get(&self, key: u64, value: u64) -> Option<&Append> {
        self.by_value.get(&(key, value))
    }

    /// Notes that a read has the value; the writer if it counts as committed.
    pub fn note_observed(&mut self, key: u64, value: u64) -> Option<u32> {
        let append = self.by_value.get_mut(&(key, value))?;
        append.is_observed = true;
        Some(append.transaction).filter(|writer| self.happened[*writer as usize])
    }

    pub fn summary(&self, history: &History, graph: &Graph) -> Summary {
        let mut summary = Summary { transactions: history.transactions.len(), ..Summary::default() };
        for (transaction, happened) in history.transactions.iter().zip(&self.happened) {
            match transaction.outcome {
                Outcome::Committed { .. } => summary.committed += 1,
                Outcome::Aborted => summary.aborted += 1,
                Outcome::Unknown => {
                    summary.unknown += 1;
                    summary.unknown_seen += usize::from(*happened);
                }
            }
            for operation in transaction.operations.iter().filter(|_| *happened) {
                match operation {
                    Operation::Append { .. } => summary.appends += 1,
                    Operation::Read { .. } => summary.reads += 1,
                }
            }
        }
        summary.write_write = graph.count(Reason::WriteWrite);
        summary.write_read = graph.count(Reason::WriteRead);
        summary.read_write = graph.count(Reason::ReadWrite);
        summary
    }
}

/// A session has one transaction at a time.
fn check_sessions(history: &History, report: &mut Report) {
    let transactions = &history.transactions;
    for pair in by_session(history).windows(2) {
        let (first, second) = (&transactions[pair[0] as usize], &transactions[pair[1] as usize]);
        let overlap = first.end > second.begin && first.outcome != Outcome::Unknown;
        if first.session == second.session && overlap {
            report.add(Kind::Malformed, pair, || {
                format!("T{} began in session {} before T{} ended", pair[1], first.session, pair[0])
            });
        }
    }
}

/// All transactions, each session's one after the other.
pub fn by_session(history: &History) -> Vec<u32> {
    let mut places: Vec<u32> = (0..history.transactions.len() as u32).collect();
    places.sort_by_key(|place| {
        let transaction = &history.transactions[*place as usize];
        (transaction.session, transaction.begin, transaction.end)
    });
    places
}
