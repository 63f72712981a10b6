//! Banks, right and wrong.

use crate::simulator::Random;
use isobar_history::{Balances, Bank, Kind, Outcome, Transfer, check_bank};
use std::collections::BTreeMap;

const COMMITTED: Outcome = Outcome::Committed { timestamp: None };

fn transfer(begin: u64, end: u64, from: u64, to: u64, amount: i64, outcome: Outcome) -> Transfer {
    Transfer { session: 0, node: "tokyo".to_owned(), begin, end, from, to, amount, outcome }
}

fn read(begin: u64, end: u64, balances: &[i64]) -> Balances {
    let balances = (0..).zip(balances.iter().copied()).collect();
    Balances { session: 1, node: "paris".to_owned(), begin, end, staleness: None, balances }
}

fn expect(transfers: &[Transfer], read: Balances, kinds: &[Kind]) {
    let bank = Bank {
        initial: BTreeMap::from([(0, 100), (1, 100)]),
        may_be_negative: false,
        transfers: transfers.to_vec(),
        reads: vec![read],
    };
    let report = check_bank(&bank);
    assert_eq!(report.kinds(), kinds, "{report}");
}

#[test]
fn totals() {
    expect(&[], read(1, 2, &[100, 100]), &[]);
    expect(&[], read(1, 2, &[100]), &[Kind::WrongTotal]);
    expect(&[], read(1, 2, &[100, 100, 0]), &[Kind::WrongTotal]);
    let transfers = [transfer(1, 5, 0, 1, 10, COMMITTED)];
    expect(&transfers, read(1, 9, &[90, 100]), &[Kind::WrongTotal]);
}

#[test]
fn acknowledged_transfers_are_seen() {
    let transfers = [transfer(1, 2, 0, 1, 10, COMMITTED)];
    expect(&transfers, read(3, 4, &[90, 110]), &[]);
    expect(&transfers, read(3, 4, &[100, 100]), &[Kind::WrongBalance]);
    expect(&transfers, read(2, 4, &[100, 100]), &[]);
    expect(&transfers, Balances { staleness: Some(5), ..read(3, 4, &[100, 100]) }, &[]);
    expect(&transfers, Balances { staleness: Some(5), ..read(9, 9, &[100, 100]) }, &[Kind::WrongBalance]);
}

#[test]
fn concurrent_and_unknown_transfers_may_be_seen() {
    for outcome in [COMMITTED, Outcome::Unknown] {
        let transfers = [transfer(1, 5, 0, 1, 10, outcome)];
        expect(&transfers, read(3, 4, &[90, 110]), &[]);
        expect(&transfers, read(3, 4, &[100, 100]), &[]);
        expect(&transfers, read(3, 4, &[110, 90]), &[Kind::WrongBalance]);
    }
    // Unknown stays unknown.
    expect(&[transfer(1, 2, 0, 1, 10, Outcome::Unknown)], read(8, 9, &[100, 100]), &[]);
}

#[test]
fn aborted_and_later_transfers_are_not_seen() {
    expect(&[transfer(1, 2, 0, 1, 10, Outcome::Aborted)], read(3, 4, &[90, 110]), &[Kind::WrongBalance]);
    expect(&[transfer(5, 6, 0, 1, 10, COMMITTED)], read(3, 4, &[90, 110]), &[Kind::WrongBalance]);
}

#[test]
fn overdrawn() {
    let transfers = [transfer(1, 2, 0, 1, 110, COMMITTED)];
    expect(&transfers, read(3, 4, &[-10, 210]), &[Kind::NegativeBalance]);
}

/// A bank that does each transfer and each read at one moment within its time.
#[test]
fn random_banks_are_clean() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let initial: BTreeMap<u64, i64> = (0..5).map(|account| (account, 1000)).collect();
        let mut bank = Bank { initial: initial.clone(), may_be_negative: true, ..Bank::default() };
        let mut balances = initial;
        for moment in (1_000..100_000).step_by(100) {
            let (begin, end) = (moment - random.below(900), moment + random.below(900));
            if random.percent(30) {
                let values: Vec<i64> = balances.values().copied().collect();
                bank.reads.push(read(begin, end, &values));
                continue;
            }
            let (from, to, amount) = (random.below(5), random.below(5), random.below(50) as i64);
            let outcome = match random.below(10) {
                0 => Outcome::Aborted,
                1 if seed % 2 == 0 => Outcome::Unknown,
                _ => COMMITTED,
            };
            if outcome == COMMITTED || outcome == Outcome::Unknown && random.percent(50) {
                balances.entry(from).and_modify(|balance| *balance -= amount);
                balances.entry(to).and_modify(|balance| *balance += amount);
            }
            bank.transfers.push(transfer(begin, end, from, to, amount, outcome));
        }
        let report = check_bank(&bank);
        assert!(report.is_clean(), "seed {seed}: {report}");
        assert!(report.summary.reads > 100 && report.summary.committed > 100);
        // A read of an earlier state is found out, unless what is unknown may explain it.
        let old = bank.reads[0].balances.clone();
        bank.reads.last_mut().expect("a read").balances = old;
        let is_caught = check_bank(&bank).count(Kind::WrongBalance) > 0;
        assert!(is_caught || seed % 2 == 0, "seed {seed}");
    }
}
