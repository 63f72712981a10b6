//! Registers: single writes and reads of one key each, judged for linearizability, which is local: a history of many
//! registers is linearizable when that of each is (Herlihy and Wing, 1990).
//!
//! As no value is written twice, it is known which write each read saw, and the question is easy (Gibbons and Korach,
//! "Testing Shared Memories", 1997). The operations of one value (its write and reads) must come in one piece. Let f be
//! when the first of them to end ended, and s when the last of them to begin began. If f1 < s2, something of value 1
//! ended before something of value 2 began, so value 1 comes first. Wrong is only a pair with f1 < s2 and f2 < s1.

use crate::history::{Outcome, Time};
use crate::report::{Kind, Report, Summary};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// A value that no other write to the key has.
    Write(u64),
    /// `None`: the key has never been written.
    Read(Option<u64>),
}

/// A transaction of one operation. Times are nanoseconds of one observer's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterOperation {
    pub session: u64,
    pub node: String,
    pub begin: u64,
    /// Without meaning when the outcome is unknown.
    pub end: u64,
    pub key: u64,
    pub access: Access,
    pub outcome: Outcome,
}

/// The operations of one value of one key.
struct Cluster {
    write: Option<u32>,
    has_reads: bool,
    /// When the first operation to end ended, and which it is; None: before all time.
    first_end: (Option<u64>, u32),
    /// When the last operation to begin began, and which it is.
    last_begin: (Option<u64>, u32),
}

/// Judges the operations, which reports call by their places.
pub fn check_registers(operations: &[RegisterOperation]) -> Report {
    let mut report = Report::default();
    let mut keys: BTreeMap<u64, BTreeMap<Option<u64>, Cluster>> = BTreeMap::new();
    for (place, operation) in (0u32..).zip(operations) {
        let is_write = matches!(operation.access, Access::Write(_));
        let ignored = operation.outcome == Outcome::Aborted || (operation.outcome == Outcome::Unknown && !is_write);
        if ignored {
            continue;
        }
        let value = match operation.access {
            Access::Write(value) => Some(value),
            Access::Read(value) => value,
        };
        let end = if operation.outcome == Outcome::Unknown { u64::MAX } else { operation.end };
        let cluster = keys.entry(operation.key).or_default().entry(value).or_insert(Cluster {
            write: None,
            has_reads: false,
            first_end: (Some(u64::MAX), place),
            last_begin: (None, place),
        });
        cluster.first_end = cluster.first_end.min((Some(end), place));
        cluster.last_begin = cluster.last_begin.max((Some(operation.begin), place));
        cluster.has_reads |= !is_write;
        if is_write && let Some(other) = cluster.write.replace(place) {
            report.add(Kind::Malformed, &[other, place], || {
                let key = operation.key;
                format!("operations {other} and {place} write one value to key {key}: values must be unique")
            });
        }
    }
    for clusters in keys.into_values() {
        check_key(operations, clusters, &mut report);
    }
    report.summary = summary(operations);
    report.sort();
    report
}

fn check_key(operations: &[RegisterOperation], clusters: BTreeMap<Option<u64>, Cluster>, report: &mut Report) {
    let mut sound = vec![];
    for (value, mut cluster) in clusters {
        match cluster.write.map(|write| &operations[write as usize]) {
            // The key is as if it had been written before all time.
            None if value.is_none() => cluster.first_end.0 = None,
            None => {
                let reader = cluster.last_begin.1;
                report.add(Kind::ImpossibleRead, &[reader], || {
                    format!(
                        "{}\nof a value that nobody has written, or whose writer was aborted",
                        describe(operations, reader)
                    )
                });
                continue;
            }
            Some(write) if write.outcome == Outcome::Unknown && !cluster.has_reads => continue,
            Some(write) => {
                let (end, reader) = cluster.first_end;
                if end < Some(write.begin) {
                    report.add(Kind::ImpossibleRead, &[reader], || {
                        format!(
                            "{}\nof a value whose writing began only at {}",
                            describe(operations, reader),
                            Time(write.begin)
                        )
                    });
                    continue;
                }
            }
        }
        sound.push(cluster);
    }
    // Sorted by f, the clusters with f1 < s2 are the first ones; whether one of them has f2 < s1 is a matter of the
    // largest s among them, or of the second largest when the largest is cluster 2 itself.
    sound.sort_by_key(|cluster| cluster.first_end);
    let mut largest: Vec<[Option<usize>; 2]> = vec![[None, None]];
    for (place, cluster) in sound.iter().enumerate() {
        let mut two = largest[place];
        let begin = |place: Option<usize>| place.map(|place| sound[place].last_begin.0);
        if Some(cluster.last_begin.0) > begin(two[0]) {
            two = [Some(place), two[0]];
        } else if Some(cluster.last_begin.0) > begin(two[1]) {
            two[1] = Some(place);
        }
        largest.push(two);
    }
    let mut pairs = BTreeSet::new();
    for (place, cluster) in sound.iter().enumerate() {
        let before = sound.partition_point(|other| other.first_end.0 < cluster.last_begin.0);
        let other = largest[before].into_iter().flatten().find(|other| *other != place);
        let Some(other) = other else { continue };
        let pair = (place.min(other), place.max(other));
        let other = &sound[other];
        if cluster.first_end.0 < other.last_begin.0 && pairs.insert(pair) {
            let involved = [cluster.first_end.1, cluster.last_begin.1, other.first_end.1, other.last_begin.1];
            report.add(Kind::NotLinearizable, &involved, || {
                format!(
                    "{}\nended before\n{}\nbegan, and\n{}\nended before\n{}\nbegan: neither value can come first",
                    cluster.describe_first(operations),
                    describe(operations, other.last_begin.1),
                    other.describe_first(operations),
                    describe(operations, cluster.last_begin.1)
                )
            });
        }
    }
}

impl Cluster {
    fn describe_first(&self, operations: &[RegisterOperation]) -> String {
        match self.write {
            Some(_) => describe(operations, self.first_end.1),
            None => "the time before all operations, when the key was unwritten,".to_owned(),
        }
    }
}

fn describe(operations: &[RegisterOperation], place: u32) -> String {
    let RegisterOperation { session, node, begin, end, key, access, .. } = &operations[place as usize];
    let access = match access {
        Access::Write(value) => format!("write of {value} to key {key}"),
        Access::Read(Some(value)) => format!("read of {value} from key {key}"),
        Access::Read(None) => format!("read of nothing from key {key}"),
    };
    format!("operation {place}, {access} (session {session} at {node}, {} to {})", Time(*begin), Time(*end))
}

fn summary(operations: &[RegisterOperation]) -> Summary {
    let count = |is: fn(&RegisterOperation) -> bool| operations.iter().filter(|operation| is(operation)).count();
    Summary {
        transactions: operations.len(),
        committed: count(|operation| matches!(operation.outcome, Outcome::Committed { .. })),
        aborted: count(|operation| operation.outcome == Outcome::Aborted),
        unknown: count(|operation| operation.outcome == Outcome::Unknown),
        appends: count(|operation| matches!(operation.access, Access::Write(_))),
        reads: count(|operation| matches!(operation.access, Access::Read(_))),
        ..Summary::default()
    }
}
