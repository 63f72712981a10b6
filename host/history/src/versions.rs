//! The order of each key's versions, as reads show it.
//!
//! All reads of a key are prefixes of the longest one, if the database is right; so the longest one is the order.
//! Committed appends that no read has come after it, for otherwise it would have had them; which of them is first is
//! only known when it is by the writer of the last value seen, or by a transaction that read all that was seen.

use crate::appends::Appends;
use crate::history::{History, List, Operation};
use crate::reads::{ExternalRead, duplicate};
use crate::report::{Kind, Report};
use crate::strict::take_lost;
use foldhash::{HashMap, HashMapExt};
use std::cmp::Reverse;

/// One append in the order of a key.
#[derive(Clone, Copy)]
pub struct Version {
    pub value: u64,
    /// None when the writer does not count as committed.
    pub writer: Option<u32>,
}

/// A read that agrees with the order of versions: it has the first `seen` of them.
pub struct OrderedRead {
    pub transaction: u32,
    pub seen: usize,
}

#[derive(Default)]
pub struct Key {
    pub name: u64,
    pub order: Vec<Version>,
    /// How many of `order` a read has.
    pub observed: usize,
    /// Appends known to come after all of `order`, in an unknown order: (writer, value).
    pub unordered: Vec<(u32, u64)>,
    pub reads: Vec<OrderedRead>,
}

/// What is known of one key, before its order is.
#[derive(Default)]
struct Material<'a> {
    name: u64,
    reads: Vec<ExternalRead<'a>>,
    /// All appends of transactions that count as committed: (writer, value).
    appended: Vec<(u32, u64)>,
}

/// One [`Key`] for each that was read or appended to, in the order in which the history names them.
pub fn orders(history: &History, appends: &mut Appends, reads: Vec<ExternalRead>, report: &mut Report) -> Vec<Key> {
    let mut places: HashMap<u64, usize> = HashMap::new();
    let mut materials: Vec<Material> = vec![];
    let mut place_of = |name: u64, materials: &mut Vec<Material>| {
        *places.entry(name).or_insert_with(|| {
            materials.push(Material { name, ..Material::default() });
            materials.len() - 1
        })
    };
    for read in reads {
        let place = place_of(read.key, &mut materials);
        materials[place].reads.push(read);
    }
    for (writer, transaction) in (0u32..).zip(&history.transactions) {
        for operation in transaction.operations.iter().filter(|_| appends.happened(writer)) {
            if let Operation::Append { key, value } = operation {
                let place = place_of(*key, &mut materials);
                materials[place].appended.push((writer, *value));
            }
        }
    }
    materials.into_iter().map(|material| material.order(history, appends, report)).collect()
}

impl Material<'_> {
    fn order(mut self, history: &History, appends: &mut Appends, report: &mut Report) -> Key {
        let name = self.name;
        self.reads.sort_by_key(|read| Reverse(read.values.len()));
        let longest = self.reads.iter().find(|read| duplicate(read.values).is_none());
        let values = longest.map_or(&[][..], |read| read.values);
        let longest = longest.map_or(0, |read| read.transaction);
        let version = |value: &u64| Version { value: *value, writer: appends.note_observed(name, *value) };
        let order: Vec<Version> = values.iter().map(version).collect();
        let mut key = Key { name, observed: order.len(), order, ..Key::default() };
        for read in &self.reads {
            let reader = read.transaction;
            if values.starts_with(read.values) {
                key.reads.push(OrderedRead { transaction: reader, seen: read.values.len() });
            } else if let Some(value) = duplicate(read.values) {
                report.add(Kind::DuplicateRead, &[reader], || {
                    format!("T{reader} read key {name} as {}, with {value} twice", List(read.values))
                });
            } else {
                report.add(Kind::IncompatibleOrder, &[reader, longest], || {
                    let same = values.iter().zip(read.values).take_while(|(one, other)| one == other).count();
                    format!(
                        "T{reader} and T{longest} saw key {name} grow in different ways: {} and {} differ after {same} \
                         values, where T{reader} has {} and T{longest} has {}\n{}\n{}",
                        List(read.values),
                        List(values),
                        read.values[same],
                        values.get(same).map_or("nothing".to_owned(), u64::to_string),
                        history.describe(reader),
                        history.describe(longest)
                    )
                });
            }
        }
        key.check_writers(history, appends, report);
        let unseen = |(_, value): &&(u32, u64)| appends.get(name, *value).is_some_and(|append| !append.is_observed);
        let mut unseen: Vec<(u32, u64)> = self.appended.iter().filter(unseen).copied().collect();
        take_lost(history, &key, &mut unseen, report);
        key.add_unseen(unseen);
        key
    }
}

impl Key {
    /// A transaction's appends come in the order in which it made them. (That nothing comes between them is a matter
    /// of cycles.)
    fn check_writers(&self, history: &History, appends: &Appends, report: &mut Report) {
        for pair in self.order.windows(2) {
            let (first, second) = (pair[0].value, pair[1].value);
            let (Some(one), Some(other)) = (appends.get(self.name, first), appends.get(self.name, second)) else {
                continue;
            };
            if one.transaction == other.transaction && one.number > other.number {
                let writer = one.transaction;
                report.add(Kind::IncompatibleOrder, &[writer], || {
                    format!(
                        "key {} was read with {first} before {second}, but T{writer} appended them the other way round\n{}",
                        self.name,
                        history.describe(writer)
                    )
                });
            }
        }
    }

    /// Appends that no read has: those of the writer that is certainly next go into the order.
    fn add_unseen(&mut self, unseen: Vec<(u32, u64)>) {
        let writers: std::collections::BTreeSet<u32> = unseen.iter().map(|(writer, _)| *writer).collect();
        let last_writer = self.order.last().and_then(|version| version.writer);
        let mut full_reads = self.reads.iter().filter(|read| read.seen == self.observed);
        let next = last_writer
            .filter(|writer| writers.contains(writer))
            .or_else(|| full_reads.find(|read| writers.contains(&read.transaction)).map(|read| read.transaction))
            .or_else(|| writers.iter().copied().next().filter(|_| writers.len() == 1));
        for (writer, value) in unseen {
            if next == Some(writer) {
                self.order.push(Version { value, writer: next });
            } else {
                self.unordered.push((writer, value));
            }
        }
    }

    /// The writer of the newest version among the first `seen`, and its value.
    pub fn writer_before(&self, seen: usize) -> Option<(u32, u64)> {
        self.order[..seen].iter().rev().find_map(|version| Some((version.writer?, version.value)))
    }

    /// The writer of the oldest version after the first `seen`, and its value.
    pub fn writer_after(&self, seen: usize) -> Option<(u32, u64)> {
        self.order[seen..].iter().find_map(|version| Some((version.writer?, version.value)))
    }
}
