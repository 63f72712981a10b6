//! Planted anomalies of single reads.

use crate::notation::expect;
use isobar_history::{Class, Kind, Order};

#[test]
fn nothing_and_little_are_clean() {
    expect("", &[]);
    let report = expect(
        "0 1-2 a1:1
         0 3-4 r1:1 a1:2 r1:1,2
         1 5-6 r1:1,2 r2:",
        &[],
    );
    assert_eq!((report.summary.committed, report.summary.appends, report.summary.reads), (3, 2, 4));
    assert!(report.to_string().contains("no anomaly"));
}

#[test]
fn garbage() {
    expect("0 1-2 r1:7", &[Kind::GarbageRead]);
}

#[test]
fn duplicate() {
    expect(
        "0 1-2 a1:7
         1 1-2 r1:7,7",
        &[Kind::DuplicateRead],
    );
}

#[test]
fn aborted_read() {
    let report = expect(
        "0 1-9 a1:7 aborted
         1 1-9 r1:7",
        &[Kind::AbortedRead],
    );
    assert_eq!(report.findings[0].transactions, [0, 1]);
    // Under another's append as well.
    expect(
        "0 1-9 a1:7 aborted
         1 1-9 a1:8
         2 1-9 r1:7,8",
        &[Kind::AbortedRead],
    );
}

#[test]
fn what_aborted_transactions_read_is_not_judged() {
    expect("0 1-9 r1:7 aborted", &[]);
}

#[test]
fn intermediate_read() {
    let cycle = Kind::Cycle(Class::GSingle, Order::Data);
    expect(
        "0 1-9 a1:1 a1:2
         1 1-9 r1:1",
        &[Kind::IntermediateRead, cycle],
    );
    // Its writer may see it.
    expect("0 1-9 a1:1 r1:1 a1:2 r1:1,2", &[]);
}

#[test]
fn own_writes_are_missing() {
    expect("0 1-9 a1:1 r1:", &[Kind::Internal]);
    expect(
        "0 1-2 a1:1
         0 3-4 a1:2 r1:2,1
         0 5-6 r1:1,2",
        &[Kind::Internal],
    );
}

#[test]
fn own_writes_come_too_early() {
    expect("0 1-9 r1:1 a1:1", &[Kind::Internal]);
}

#[test]
fn one_key_is_read_twice_and_differently() {
    expect(
        "0 1-9 a1:1
         1 1-9 r1: r1:1",
        &[Kind::Internal],
    );
}

#[test]
fn incompatible_orders() {
    let report = expect(
        "0 1-9 a1:1
         1 1-9 a1:2
         2 1-9 r1:1,2
         3 1-9 r1:2",
        &[Kind::IncompatibleOrder],
    );
    assert_eq!(report.findings[0].transactions, [2, 3]);
}

#[test]
fn one_transaction_appends_in_another_order() {
    expect(
        "0 1-9 a1:1 a1:2
         1 1-9 a1:3
         2 1-9 r1:2,1,3",
        &[Kind::IncompatibleOrder],
    );
}

#[test]
fn lost_append() {
    let report = expect(
        "0 1-2 a1:1
         1 3-4 a1:2
         2 5-6 r1:1",
        &[Kind::LostAppend],
    );
    assert_eq!(report.findings[0].transactions, [1, 2]);
    // Nobody had to see it: acknowledged only when or after the last read began.
    expect(
        "0 1-2 a1:1
         1 3-5 a1:2
         2 5-6 r1:1",
        &[],
    );
    expect(
        "0 1-2 a1:1
         1 3-9 a1:2
         2 5-6 r1:1",
        &[],
    );
}

#[test]
fn stale_read() {
    let report = expect(
        "0 1-2 a1:1
         1 3-4 r1:
         2 5-6 r1:1",
        &[Kind::StaleRead, Kind::Cycle(Class::GSingle, Order::RealTime)],
    );
    assert_eq!(report.findings[0].transactions, [0, 1]);
    // Concurrent.
    expect(
        "0 1-3 a1:1
         1 3-4 r1:
         2 5-6 r1:1",
        &[],
    );
}

#[test]
fn bounded_staleness() {
    expect(
        "0 11-12 a1:1
         1 15-16 r1: ~5
         2 15-16 r1:1",
        &[],
    );
    expect(
        "0 11-12 a1:1
         1 18-19 r1: ~5
         2 15-16 r1:1",
        &[Kind::StaleRead, Kind::Cycle(Class::GSingle, Order::RealTime)],
    );
    // Old, but not of one moment.
    expect(
        "0 11-12 a1:1 a2:1
         1 15-16 r1: r2:1 ~5",
        &[Kind::Cycle(Class::GSingle, Order::Data)],
    );
    // It may be older than what its own session has done.
    expect(
        "0 11-12 a1:1
         0 13-14 r1: ~5
         1 15-16 r1:1",
        &[],
    );
}

#[test]
fn unknown_outcomes() {
    // Not seen by anybody: not done.
    expect(
        "0 1-2 a1:1 unknown
         1 3-4 r1:",
        &[],
    );
    // Done, and later than the client believed.
    let report = expect(
        "0 1-2 a1:1 unknown
         1 3-4 r1:
         2 5-6 r1:1",
        &[],
    );
    assert_eq!((report.summary.unknown, report.summary.unknown_seen), (1, 1));
    // Once done it is judged: T0 was seen, so T1, which T0 saw, was committed as well, and read rubbish.
    expect(
        "0 1-2 a1:1 r2:1 unknown
         1 1-2 a2:1 r3:9 unknown
         2 5-6 r1:1",
        &[Kind::GarbageRead],
    );
    // Its session's next transaction may come before it.
    expect(
        "0 1-2 a1:1 unknown
         0 2-4 r1:
         2 5-6 r1:1",
        &[],
    );
    // But it cannot come before what its session did earlier.
    expect(
        "0 1-2 r1:1
         0 2-4 a1:1 unknown",
        &[Kind::Cycle(Class::G1c, Order::Process)],
    );
}

#[test]
fn lost_update() {
    let expected = [Kind::LostUpdate, Kind::Cycle(Class::GSingle, Order::Data)];
    // Seen by a third.
    expect(
        "0 1-9 r1: a1:1
         1 1-9 r1: a1:2
         2 1-9 r1:1,2",
        &expected,
    );
    // Seen by nobody.
    expect(
        "0 1-9 r1: a1:1
         1 1-9 r1: a1:2",
        &expected,
    );
    // One of them saw the other's.
    expect(
        "0 1-9 r1: a1:1
         1 1-9 r1:1 a1:2",
        &[],
    );
    // It does not help to append before reading.
    expect(
        "0 1-9 a1:1 r1:1
         1 1-9 a1:2 r1:2
         2 1-9 r1:1,2",
        &expected,
    );
}

#[test]
fn malformed() {
    expect("0 9-1 a1:1", &[Kind::Malformed]);
    expect(
        "0 1-5 a1:1
         0 3-6 a1:2",
        &[Kind::Malformed],
    );
    expect(
        "0 1-2 a1:1
         0 3-4 a1:1",
        &[Kind::Malformed],
    );
}
