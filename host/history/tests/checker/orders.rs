//! On small histories, the checker agrees with trying all orders of snapshots and commits: it finds nothing exactly
//! when some order explains what was read.

use crate::notation::assert_cycles_are_whole;
use crate::simulator::Random;
use isobar_history::{History, Isolation, Operation, Outcome, Transaction, check};

const KEYS: usize = 2;

type Lists = [Vec<u64>; KEYS];

/// A search through all orders of moments.
struct Orders<'a> {
    transactions: &'a [Transaction],
    lists: Lists,
    /// The lists of each snapshot taken.
    snapshots: Vec<Option<Lists>>,
    is_committed: Vec<bool>,
    last: &'a Lists,
}

impl Orders<'_> {
    fn explain(&mut self) -> bool {
        if self.is_committed.iter().all(|is_committed| *is_committed) {
            return self.lists == *self.last;
        }
        for place in 0..self.transactions.len() {
            if self.is_committed[place] {
                continue;
            }
            let transaction = &self.transactions[place];
            if let Some(snapshot) = self.snapshots[place].clone() {
                if self.may_commit(transaction, &snapshot) {
                    let before = self.lists.clone();
                    for (key, value) in appended(transaction) {
                        self.lists[key].push(value);
                    }
                    self.is_committed[place] = true;
                    let is_explained = self.explain();
                    self.is_committed[place] = false;
                    self.lists = before;
                    if is_explained {
                        return true;
                    }
                }
            } else if self.may_begin(transaction) {
                self.snapshots[place] = Some(self.lists.clone());
                let is_explained = self.explain();
                self.snapshots[place] = None;
                if is_explained {
                    return true;
                }
            }
        }
        false
    }

    /// Everything acknowledged before is committed, and the lists are what was read.
    fn may_begin(&self, transaction: &Transaction) -> bool {
        let is_earlier = |other: &Transaction| other.is_committed() && other.end < transaction.begin;
        let is_current =
            self.transactions.iter().zip(&self.is_committed).all(|(other, committed)| *committed || !is_earlier(other));
        let mut lists = self.lists.clone();
        is_current
            && transaction.operations.iter().all(|operation| match operation {
                Operation::Append { key, value } => {
                    lists[*key as usize].push(*value);
                    true
                }
                Operation::Read { key, values } => lists[*key as usize] == *values,
            })
    }

    /// First committer wins, and what a serializable transaction that writes has read is still so.
    fn may_commit(&self, transaction: &Transaction, snapshot: &Lists) -> bool {
        let is_certified = transaction.isolation == Isolation::Serializable && appended(transaction).next().is_some();
        transaction.operations.iter().all(|operation| match operation {
            Operation::Read { .. } if !is_certified => true,
            Operation::Read { key, .. } | Operation::Append { key, .. } => {
                self.lists[*key as usize].len() == snapshot[*key as usize].len()
            }
        })
    }
}

fn appended(transaction: &Transaction) -> impl Iterator<Item = (usize, u64)> {
    transaction.operations.iter().filter_map(|operation| match operation {
        Operation::Append { key, value } => Some((*key as usize, *value)),
        Operation::Read { .. } => None,
    })
}

/// Transactions at random moments, of which nobody sees to it that they may be so; with the lists in the end.
fn random_history(random: &mut Random) -> (Vec<Transaction>, Lists) {
    let mut lists = Lists::default();
    let mut transactions = vec![];
    let mut value = 0;
    let (serializable_percent, torn_percent) = (random.below(3) * 50, random.below(2) * 30);
    let count = 2 + random.below(3);
    for place in 0..count {
        let begin = place * 3 + random.below(6);
        let mut transaction = Transaction {
            session: place,
            node: "tokyo".to_owned(),
            isolation: if random.percent(serializable_percent) { Isolation::Serializable } else { Isolation::Snapshot },
            staleness: None,
            begin,
            end: begin + random.below(9),
            operations: vec![],
            outcome: match random.below(12) {
                0 => Outcome::Unknown,
                1 => Outcome::Aborted,
                _ => Outcome::Committed { timestamp: None },
            },
        };
        let is_done = match transaction.outcome {
            Outcome::Committed { .. } => true,
            Outcome::Aborted => random.percent(10),
            Outcome::Unknown => random.percent(50),
        };
        let missing = if random.percent(50) { random.below(3) as usize } else { 0 };
        let before = lists.clone();
        let mut own = Lists::default();
        for _ in 0..1 + random.below(3) {
            let key = random.below(KEYS as u64) as usize;
            if random.percent(40) {
                value += 1;
                own[key].push(value);
                transaction.operations.push(Operation::Append { key: key as u64, value });
            } else {
                let missing = if random.percent(torn_percent) { random.below(3) as usize } else { missing };
                let seen = &before[key][..before[key].len().saturating_sub(missing)];
                let values = [seen, own[key].as_slice()].concat();
                transaction.operations.push(Operation::Read { key: key as u64, values });
            }
        }
        for (list, own) in lists.iter_mut().zip(own).filter(|_| is_done) {
            list.extend(own);
            if random.percent(5) && !list.is_empty() {
                list.rotate_left(1);
            }
        }
        transactions.push(transaction);
    }
    (transactions, lists)
}

/// Whether some order, and some choice of which transactions of unknown outcome were committed, explains it all.
fn is_explained(transactions: &[Transaction], last: &Lists) -> bool {
    let unknown: Vec<usize> =
        (0..transactions.len()).filter(|place| transactions[*place].outcome == Outcome::Unknown).collect();
    (0..1u32 << unknown.len()).any(|choice| {
        let is_chosen =
            |place| unknown.iter().position(|other| *other == place).is_some_and(|bit| choice >> bit & 1 == 1);
        let counts = |(place, transaction): &(usize, &Transaction)| transaction.is_committed() || is_chosen(*place);
        let chosen: Vec<Transaction> =
            transactions.iter().enumerate().filter(counts).map(|(_, transaction)| transaction.clone()).collect();
        let count = chosen.len();
        let mut orders = Orders {
            transactions: &chosen,
            lists: Lists::default(),
            snapshots: vec![None; count],
            is_committed: vec![false; count],
            last,
        };
        orders.explain()
    })
}

#[test]
fn agrees_with_trying_all_orders() {
    let mut explained = 0;
    let seeds = 30_000;
    for seed in 0..seeds {
        let mut random = Random(seed);
        let (mut transactions, last) = random_history(&mut random);
        let expected = is_explained(&transactions, &last);
        transactions.push(Transaction {
            session: 99,
            node: "paris".to_owned(),
            isolation: Isolation::Snapshot,
            staleness: None,
            begin: 100,
            end: 101,
            operations: (0..).zip(last).map(|(key, values)| Operation::Read { key, values }).collect(),
            outcome: Outcome::Committed { timestamp: None },
        });
        let history = History { transactions };
        let report = check(&history);
        assert_eq!(report.is_clean(), expected, "seed {seed}: {history:#?}\n{report}");
        assert_cycles_are_whole(&report);
        explained += u64::from(expected);
    }
    assert!((seeds / 5..seeds * 4 / 5).contains(&explained), "{explained} of {seeds} can be explained");
}
