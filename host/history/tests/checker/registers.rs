//! Registers, right and wrong; and compared with trying all orders.

use crate::simulator::Random;
use isobar_history::{Access, Kind, Outcome, RegisterOperation, check_registers};

const COMMITTED: Outcome = Outcome::Committed { timestamp: None };

fn operation(begin: u64, end: u64, access: Access, outcome: Outcome) -> RegisterOperation {
    RegisterOperation { session: begin, node: "tokyo".to_owned(), begin, end, key: 1, access, outcome }
}

fn write(begin: u64, end: u64, value: u64) -> RegisterOperation {
    operation(begin, end, Access::Write(value), COMMITTED)
}

fn read(begin: u64, end: u64, value: u64) -> RegisterOperation {
    operation(begin, end, Access::Read(Some(value)), COMMITTED)
}

fn read_nothing(begin: u64, end: u64) -> RegisterOperation {
    operation(begin, end, Access::Read(None), COMMITTED)
}

fn expect(operations: &[RegisterOperation], kinds: &[Kind]) {
    let report = check_registers(operations);
    assert_eq!(report.kinds(), kinds, "{report}");
}

#[test]
fn right() {
    expect(&[], &[]);
    expect(&[read_nothing(1, 2), write(3, 4, 1), read(5, 6, 1), write(7, 8, 2), read(9, 10, 2)], &[]);
    // Concurrent: either order.
    expect(&[write(1, 9, 1), write(1, 9, 2), read(10, 11, 1)], &[]);
    expect(&[write(1, 9, 1), write(1, 9, 2), read(10, 11, 2)], &[]);
    expect(&[write(1, 9, 1), read_nothing(2, 3), read(4, 5, 1)], &[]);
}

#[test]
fn stale() {
    expect(&[write(1, 2, 1), write(3, 4, 2), read(5, 6, 1)], &[Kind::NotLinearizable]);
    expect(&[write(1, 2, 1), read_nothing(3, 4)], &[Kind::NotLinearizable]);
    // Once one has read it, it is there for all.
    expect(&[write(1, 2, 1), write(3, 9, 2), read(4, 5, 2), read(6, 7, 1)], &[Kind::NotLinearizable]);
    // Two writes in two orders.
    let orders = [read(10, 11, 1), read(12, 13, 2), read(14, 15, 1)];
    expect(&[&[write(1, 9, 1), write(1, 9, 2)], &orders[..]].concat(), &[Kind::NotLinearizable]);
}

#[test]
fn impossible() {
    expect(&[read(1, 2, 7)], &[Kind::ImpossibleRead]);
    expect(&[read(1, 2, 7), write(3, 4, 7)], &[Kind::ImpossibleRead]);
    expect(&[operation(1, 2, Access::Write(7), Outcome::Aborted), read(1, 2, 7)], &[Kind::ImpossibleRead]);
    expect(&[write(1, 2, 7), write(1, 2, 7)], &[Kind::Malformed]);
}

#[test]
fn unknown() {
    let unknown = operation(1, 2, Access::Write(2), Outcome::Unknown);
    expect(&[write(3, 4, 1), unknown.clone(), read(5, 6, 1)], &[]);
    expect(&[write(3, 4, 1), unknown.clone(), read(5, 6, 1), read(7, 8, 2)], &[]);
    expect(&[write(3, 4, 1), unknown, read(5, 6, 2), read(7, 8, 1)], &[Kind::NotLinearizable]);
}

/// Whether some order of the operations that respects real time has each read see the last write.
fn is_linearizable(left: &mut Vec<RegisterOperation>, value: Option<u64>) -> bool {
    if left.is_empty() {
        return true;
    }
    for place in 0..left.len() {
        if left.iter().any(|other| other.end < left[place].begin) {
            continue;
        }
        let next = match left[place].access {
            Access::Write(value) => Some(value),
            Access::Read(read) if read == value => value,
            Access::Read(_) => continue,
        };
        let operation = left.remove(place);
        let is_right = is_linearizable(left, next);
        left.insert(place, operation);
        if is_right {
            return true;
        }
    }
    false
}

#[test]
fn agrees_with_trying_all_orders() {
    let mut right = 0;
    for seed in 0..20_000 {
        let mut random = Random(seed);
        let mut operations = vec![];
        let writes = 1 + random.below(3);
        for place in 0..writes + random.below(5) {
            let begin = random.below(12);
            let end = begin + random.below(6);
            operations.push(match place < writes {
                true => write(begin, end, place),
                false if random.percent(10) => read_nothing(begin, end),
                false => read(begin, end, random.below(writes)),
            });
        }
        let report = check_registers(&operations);
        let expected = is_linearizable(&mut operations, None);
        assert_eq!(report.is_clean(), expected, "seed {seed}: {operations:?}\n{report}");
        right += u64::from(expected);
    }
    assert!((2_000..18_000).contains(&right), "{right} of 20000 are linearizable");
}
