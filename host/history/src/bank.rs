//! The bank: transfers between accounts, and reads of all balances. No dependency can be inferred from a balance, but
//! the total never changes, and what a balance may be is bounded by the transfers that must and that may be in it.

use crate::history::{Outcome, Time};
use crate::report::{Kind, Report, Summary};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Times are nanoseconds of one observer's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    pub session: u64,
    pub node: String,
    pub begin: u64,
    /// Without meaning when the outcome is unknown.
    pub end: u64,
    pub from: u64,
    pub to: u64,
    pub amount: i64,
    pub outcome: Outcome,
}

/// All accounts' balances, read in one transaction that was committed or only read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balances {
    pub session: u64,
    pub node: String,
    pub begin: u64,
    pub end: u64,
    /// How old the snapshot may be, in nanoseconds; `None` when it must be current.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staleness: Option<u64>,
    /// By account.
    pub balances: BTreeMap<u64, i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bank {
    pub initial: BTreeMap<u64, i64>,
    /// Whether accounts may be overdrawn.
    pub may_be_negative: bool,
    pub transfers: Vec<Transfer>,
    /// Reports call them by their places here.
    pub reads: Vec<Balances>,
}

/// What transfers did to one account, added up in the order of some time of theirs.
#[derive(Default)]
struct Movements {
    /// (time, amounts in and out until then), in order of time.
    sums: Vec<(u64, Amounts)>,
}

#[derive(Clone, Copy, Default)]
struct Amounts {
    into: i64,
    out: i64,
}

impl Movements {
    fn of(mut amounts: Vec<(u64, Amounts)>) -> Movements {
        amounts.sort_by_key(|(time, _)| *time);
        let mut sum = Amounts::default();
        for (_, amount) in &mut amounts {
            sum = Amounts { into: sum.into + amount.into, out: sum.out + amount.out };
            *amount = sum;
        }
        Movements { sums: amounts }
    }

    /// The sum of those for whose time `counts`, which must hold for the early ones only.
    fn until(&self, counts: impl Fn(u64) -> bool) -> Amounts {
        let place = self.sums.partition_point(|(time, _)| counts(*time));
        place.checked_sub(1).map_or(Amounts::default(), |last| self.sums[last].1)
    }
}

/// Judges the reads of a bank.
pub fn check_bank(bank: &Bank) -> Report {
    let mut report = Report::default();
    let mut begun: BTreeMap<u64, Vec<(u64, Amounts)>> = BTreeMap::new();
    let mut acknowledged: BTreeMap<u64, Vec<(u64, Amounts)>> = BTreeMap::new();
    for transfer in bank.transfers.iter().filter(|transfer| transfer.outcome != Outcome::Aborted) {
        let out = Amounts { into: 0, out: transfer.amount };
        let into = Amounts { into: transfer.amount, out: 0 };
        for (account, amounts) in [(transfer.from, out), (transfer.to, into)] {
            begun.entry(account).or_default().push((transfer.begin, amounts));
            if matches!(transfer.outcome, Outcome::Committed { .. }) {
                acknowledged.entry(account).or_default().push((transfer.end, amounts));
            }
        }
    }
    let ordered = |amounts: BTreeMap<u64, Vec<(u64, Amounts)>>| -> BTreeMap<u64, Movements> {
        amounts.into_iter().map(|(account, amounts)| (account, Movements::of(amounts))).collect()
    };
    let (begun, acknowledged) = (ordered(begun), ordered(acknowledged));
    for (place, read) in (0u32..).zip(&bank.reads) {
        check_total(bank, place, read, &mut report);
        for (account, balance) in &read.balances {
            let Some(initial) = bank.initial.get(account) else { continue };
            let horizon = read.begin.saturating_sub(read.staleness.unwrap_or(0));
            let amounts = |movements: &BTreeMap<u64, Movements>, counts: &dyn Fn(u64) -> bool| {
                movements.get(account).map_or(Amounts::default(), |movements| movements.until(counts))
            };
            let surely = amounts(&acknowledged, &|end| end < horizon);
            let perhaps = amounts(&begun, &|begin| begin <= read.end);
            let least = initial + surely.into - perhaps.out;
            let most = initial + perhaps.into - surely.out;
            if *balance < least || *balance > most {
                report.add(Kind::WrongBalance, &[place], || {
                    format!(
                        "{}: account {account} with {balance}, but with the transfers acknowledged before and those begun \
                         by then it is between {least} and {most}",
                        describe(place, read)
                    )
                });
            }
            if *balance < 0 && !bank.may_be_negative {
                report.add(Kind::NegativeBalance, &[place], || {
                    format!("{}: account {account} with {balance}", describe(place, read))
                });
            }
        }
    }
    report.summary = summary(bank);
    report.sort();
    report
}

fn check_total(bank: &Bank, place: u32, read: &Balances, report: &mut Report) {
    if !bank.initial.keys().eq(read.balances.keys()) {
        report.add(Kind::WrongTotal, &[place], || {
            let missing: Vec<&u64> = bank.initial.keys().filter(|key| !read.balances.contains_key(key)).collect();
            let foreign: Vec<&u64> = read.balances.keys().filter(|key| !bank.initial.contains_key(key)).collect();
            format!("{}: accounts missing {missing:?}, accounts never opened {foreign:?}", describe(place, read))
        });
        return;
    }
    let (expected, found) = (bank.initial.values().sum::<i64>(), read.balances.values().sum::<i64>());
    if expected != found {
        report.add(Kind::WrongTotal, &[place], || {
            format!("{}: a total of {found}, which is always {expected}", describe(place, read))
        });
    }
}

fn describe(place: u32, read: &Balances) -> String {
    let Balances { session, node, begin, end, .. } = read;
    format!("read {place} (session {session} at {node}, {} to {})", Time(*begin), Time(*end))
}

fn summary(bank: &Bank) -> Summary {
    let count = |is: fn(&Outcome) -> bool| bank.transfers.iter().filter(|transfer| is(&transfer.outcome)).count();
    Summary {
        transactions: bank.transfers.len(),
        committed: count(|outcome| matches!(outcome, Outcome::Committed { .. })),
        aborted: count(|outcome| *outcome == Outcome::Aborted),
        unknown: count(|outcome| *outcome == Outcome::Unknown),
        reads: bank.reads.len(),
        ..Summary::default()
    }
}
