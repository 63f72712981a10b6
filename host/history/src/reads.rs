//! What each transaction saw of the others' work, once its own is taken off; and whether it contradicts itself, or saw
//! what it cannot have seen.

use crate::appends::Appends;
use crate::history::{History, List, Operation, Outcome};
use crate::report::{Kind, Report};
use foldhash::{HashMap, HashMapExt};
use std::collections::BTreeMap;

/// A transaction's first read of a key, without the values that it had appended itself before.
pub struct ExternalRead<'a> {
    pub transaction: u32,
    pub key: u64,
    pub values: &'a [u64],
}

/// What one transaction did with one key so far.
#[derive(Default)]
struct Seen<'a> {
    external: Option<&'a [u64]>,
    own: Vec<u64>,
}

/// Of all transactions that count as committed, one per transaction and key. What aborted transactions read is not
/// judged: nobody was promised anything about it.
pub fn external_reads<'a>(history: &'a History, appends: &Appends, report: &mut Report) -> Vec<ExternalRead<'a>> {
    let mut reads = vec![];
    for (place, transaction) in (0u32..).zip(&history.transactions) {
        if !appends.happened(place) {
            continue;
        }
        let mut keys: BTreeMap<u64, Seen> = BTreeMap::new();
        for operation in &transaction.operations {
            match operation {
                Operation::Append { key, value } => keys.entry(*key).or_default().own.push(*value),
                Operation::Read { key, values } => {
                    let seen = keys.entry(*key).or_default();
                    if let Some(read) = seen.read(place, *key, values, report) {
                        check_values(history, appends, &read, report);
                        reads.push(read);
                    }
                }
            }
        }
    }
    reads
}

impl<'a> Seen<'a> {
    fn read(&mut self, transaction: u32, key: u64, values: &'a [u64], report: &mut Report) -> Option<ExternalRead<'a>> {
        let Some(external) = values.strip_suffix(self.own.as_slice()) else {
            report.add(Kind::Internal, &[transaction], || {
                let own = List(&self.own);
                format!("T{transaction} read key {key} as {} after it had itself appended {own}", List(values))
            });
            return None;
        };
        match self.external {
            None => {
                self.external = Some(external);
                Some(ExternalRead { transaction, key, values: external })
            }
            Some(first) => {
                if first != external {
                    report.add(Kind::Internal, &[transaction], || {
                        let (first, second) = (List(first), List(external));
                        format!(
                            "T{transaction} read key {key} first as {first} and then, without own values, as {second}"
                        )
                    });
                }
                None
            }
        }
    }
}

fn check_values(history: &History, appends: &Appends, read: &ExternalRead, report: &mut Report) {
    let ExternalRead { transaction: reader, key, values } = *read;
    for (place, value) in values.iter().enumerate() {
        let Some(append) = appends.get(key, *value) else {
            report.add(Kind::GarbageRead, &[reader], || {
                format!("T{reader} read key {key} as {}, but nobody appended {value}", List(&values[..=place]))
            });
            continue;
        };
        let writer = append.transaction;
        if writer == reader {
            report.add(Kind::Internal, &[reader], || {
                format!("T{reader} read its own append of {value} to key {key} where it cannot be")
            });
        } else if history.transactions[writer as usize].outcome == Outcome::Aborted {
            report.add(Kind::AbortedRead, &[writer, reader], || {
                format!(
                    "T{reader} read value {value} of key {key}, but T{writer}, which appended it, was aborted\n{}\n{}",
                    history.describe(writer),
                    history.describe(reader)
                )
            });
        } else if place + 1 == values.len() && !append.is_last {
            report.add(Kind::IntermediateRead, &[writer, reader], || {
                format!(
                    "T{reader} read key {key} up to {value}, but T{writer} appended more after that\n{}\n{}",
                    history.describe(writer),
                    history.describe(reader)
                )
            });
        }
    }
}

/// The first value that is in a list twice.
pub fn duplicate(values: &[u64]) -> Option<u64> {
    let mut places = HashMap::with_capacity(values.len());
    values.iter().enumerate().find(|(place, value)| places.insert(**value, *place).is_some()).map(|(_, value)| *value)
}
