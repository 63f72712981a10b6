//! Right histories, changed in one place in a way that is never right.

use crate::simulator::{Random, Settings, simulate};
use isobar_history::{History, Kind, Operation, Outcome, check};

const SEEDS: u64 = 200;

/// A read: transaction, place of the operation, key, values.
type Read = (usize, usize, u64, Vec<u64>);

fn reads(history: &History) -> Vec<Read> {
    let mut reads = vec![];
    for (place, transaction) in history.transactions.iter().enumerate() {
        let is_judged = matches!(transaction.outcome, Outcome::Committed { .. });
        for (number, operation) in transaction.operations.iter().enumerate().filter(|_| is_judged) {
            if let Operation::Read { key, values } = operation {
                reads.push((place, number, *key, values.clone()));
            }
        }
    }
    reads
}

fn appender(history: &History, key: u64, value: u64) -> Option<usize> {
    let append = Operation::Append { key, value };
    history.transactions.iter().position(|transaction| transaction.operations.contains(&append))
}

fn replace(history: &mut History, read: &Read, values: Vec<u64>) {
    history.transactions[read.0].operations[read.1] = Operation::Read { key: read.2, values };
}

/// Applies a change at a random read where it can be applied (it says whether), and requires one of the kinds.
fn caught(change: impl Fn(&mut History, &Read, &[Read]) -> bool, expected: impl Fn(Kind) -> bool) {
    let mut changed = 0;
    for seed in 0..SEEDS {
        let settings = Settings { serializable_percent: 30, transactions: 150, ..Settings::of_seed(seed) };
        let mut history = simulate(&settings);
        let reads = reads(&history);
        let mut random = Random(seed);
        for _ in 0..200 {
            let read = &reads[random.below(reads.len() as u64) as usize];
            if change(&mut history, read, &reads) {
                changed += 1;
                let report = check(&history);
                let is_caught = report.kinds().into_iter().any(&expected);
                assert!(is_caught, "seed {seed}, T{} changed: {report}", read.0);
                break;
            }
        }
    }
    assert!(changed > SEEDS / 2, "only {changed} of {SEEDS} histories were changed");
}

/// Whether a read of the key by neither the same transaction nor the writer has the value.
fn is_seen_by_another(history: &History, read: &Read, value: u64, reads: &[Read]) -> bool {
    let writer = appender(history, read.2, value);
    let is_third = |other: &Read| other.0 != read.0 && Some(other.0) != writer;
    reads.iter().any(|other| is_third(other) && other.2 == read.2 && other.3.contains(&value))
}

fn has_own_last(history: &History, read: &Read) -> bool {
    read.3.last().is_some_and(|value| appender(history, read.2, *value) == Some(read.0))
}

#[test]
fn a_value_is_dropped_from_within_a_read() {
    caught(
        |history, read, reads| {
            let mut values = read.3.clone();
            let is_right = |value| is_seen_by_another(history, read, value, reads) && !has_own_last(history, read);
            if values.len() < 2 || !is_right(values[values.len() - 2]) {
                return false;
            }
            values.remove(values.len() - 2);
            replace(history, read, values);
            true
        },
        |kind| matches!(kind, Kind::IncompatibleOrder | Kind::Internal),
    );
}

#[test]
fn the_last_value_is_dropped_from_a_read() {
    caught(
        |history, read, _| {
            let Some(last) = read.3.last() else { return false };
            let Some(writer) = appender(history, read.2, *last) else { return false };
            let writer = &history.transactions[writer];
            let is_acknowledged = matches!(writer.outcome, Outcome::Committed { .. });
            if !is_acknowledged || writer.end >= history.transactions[read.0].begin {
                return false;
            }
            let mut values = read.3.clone();
            values.pop();
            replace(history, read, values);
            true
        },
        |kind| matches!(kind, Kind::StaleRead | Kind::LostAppend | Kind::Internal),
    );
}

#[test]
fn two_versions_are_swapped() {
    caught(
        |history, read, reads| {
            let mut values = read.3.clone();
            let length = values.len();
            let is_right = |value: &u64| is_seen_by_another(history, read, *value, reads);
            if length < 2 || !values[length - 2..].iter().all(is_right) {
                return false;
            }
            values.swap(length - 2, length - 1);
            replace(history, read, values);
            true
        },
        |kind| matches!(kind, Kind::IncompatibleOrder | Kind::Internal),
    );
}

#[test]
fn a_writer_is_said_to_be_aborted() {
    caught(
        |history, read, _| {
            let Some(last) = read.3.last() else { return false };
            let Some(writer) = appender(history, read.2, *last).filter(|writer| *writer != read.0) else {
                return false;
            };
            history.transactions[writer].outcome = Outcome::Aborted;
            true
        },
        |kind| kind == Kind::AbortedRead,
    );
}

#[test]
fn an_append_was_never_made() {
    caught(
        |history, read, _| {
            let Some(last) = read.3.last() else { return false };
            let Some(writer) = appender(history, read.2, *last).filter(|writer| *writer != read.0) else {
                return false;
            };
            let append = Operation::Append { key: read.2, value: *last };
            history.transactions[writer].operations.retain(|operation| *operation != append);
            true
        },
        |kind| matches!(kind, Kind::GarbageRead | Kind::Internal),
    );
}

/// Somebody who was not seen by a transaction is acknowledged before that began.
#[test]
fn an_acknowledgement_is_moved_before_a_reader_began() {
    caught(
        |history, read, reads| {
            let begin = history.transactions[read.0].begin;
            let longest = reads.iter().filter(|other| other.2 == read.2).max_by_key(|other| other.3.len());
            let unseen = longest.and_then(|longest| longest.3.get(read.3.len()).copied());
            let Some(writer) = unseen.and_then(|value| appender(history, read.2, value)) else { return false };
            let writer = &mut history.transactions[writer];
            let is_movable = matches!(writer.outcome, Outcome::Committed { .. }) && writer.begin + 1 < begin;
            if is_movable {
                writer.end = begin - 1;
            }
            is_movable
        },
        |kind| kind == Kind::StaleRead,
    );
}

/// And the other way round: who did not see an append begins after its acknowledgement.
#[test]
fn a_reader_is_moved_after_an_acknowledgement() {
    caught(
        |history, read, reads| {
            let longest = reads.iter().filter(|other| other.2 == read.2).max_by_key(|other| other.3.len());
            let unseen = longest.and_then(|longest| longest.3.get(read.3.len()).copied());
            let Some(writer) = unseen.and_then(|value| appender(history, read.2, value)) else { return false };
            let writer = &history.transactions[writer];
            let (end, is_acknowledged) = (writer.end, matches!(writer.outcome, Outcome::Committed { .. }));
            let reader = &mut history.transactions[read.0];
            let is_movable = is_acknowledged && end + 1 < reader.end;
            if is_movable {
                reader.begin = end + 1;
            }
            is_movable
        },
        |kind| kind == Kind::StaleRead,
    );
}

#[test]
fn timestamps_are_exchanged() {
    caught(
        |history, read, _| {
            let Some(first) = read.3.first().and_then(|value| appender(history, read.2, *value)) else { return false };
            let Some(last) = read.3.last().and_then(|value| appender(history, read.2, *value)) else { return false };
            let (one, other) = (history.transactions[first].outcome, history.transactions[last].outcome);
            let are_known =
                [one, other].iter().all(|outcome| matches!(outcome, Outcome::Committed { timestamp: Some(_) }));
            if first == last || !are_known {
                return false;
            }
            history.transactions[first].outcome = other;
            history.transactions[last].outcome = one;
            true
        },
        |kind| kind == Kind::TimestampOrder,
    );
}
