//! Strict reads: whatever was acknowledged before a transaction began is in what it reads. (With bounded staleness:
//! before the age that it allowed.) The property of strong local reads at every region, judged without any cycle.

use crate::history::{History, Time};
use crate::report::{Kind, Report};
use crate::versions::{Key, OrderedRead};

pub fn check(history: &History, key: &Key, report: &mut Report) {
    let acknowledgements = acknowledgements(history, key);
    for OrderedRead { transaction: reader, seen } in &key.reads {
        let transaction = &history.transactions[*reader as usize];
        let horizon = transaction.must_see_before();
        let before = acknowledgements.partition_point(|(end, _)| *end < horizon);
        let Some((_, newest)) = acknowledgements[..before].last() else { continue };
        if newest < seen {
            continue;
        }
        let version = key.order[*newest];
        let writer = version.writer.unwrap_or(*reader);
        report.add(Kind::StaleRead, &[*reader, writer], || {
            let age = match transaction.staleness {
                Some(staleness) => format!(", more than {} before", Time(staleness)),
                None => ", before".to_owned(),
            };
            format!(
                "T{reader} read key {} without value {}: it saw {seen} of {} versions, but T{writer} had been \
                 acknowledged at {}{age} T{reader} began at {}\n{}\n{}",
                key.name,
                version.value,
                newest + 1,
                Time(history.transactions[writer as usize].end),
                Time(transaction.begin),
                history.describe(writer),
                history.describe(*reader)
            )
        });
    }
}

/// When observed appends were acknowledged, in order of time, each with the newest version acknowledged by then.
fn acknowledgements(history: &History, key: &Key) -> Vec<(u64, usize)> {
    let mut acknowledgements: Vec<(u64, usize)> = vec![];
    for (place, version) in key.order[..key.observed].iter().enumerate() {
        let Some(writer) = version.writer else { continue };
        let writer = &history.transactions[writer as usize];
        if writer.is_committed() {
            acknowledgements.push((writer.end, place));
        }
    }
    acknowledgements.sort_unstable();
    let mut newest = 0;
    for (_, place) in &mut acknowledgements {
        newest = newest.max(*place);
        *place = newest;
    }
    acknowledgements
}

/// Takes out of the appends that no read has, (writer, value), those that some read had to have: lost. What has been
/// lost has no place among the key's versions, and says no more about other transactions.
pub fn take_lost(history: &History, key: &Key, unseen: &mut Vec<(u32, u64)>, report: &mut Report) {
    let horizon = |read: &OrderedRead| history.transactions[read.transaction as usize].must_see_before();
    let Some(last) = key.reads.iter().max_by_key(|read| horizon(read)) else { return };
    unseen.retain(|(writer, value)| {
        let transaction = &history.transactions[*writer as usize];
        let is_lost = transaction.is_committed() && transaction.end < horizon(last);
        if is_lost {
            let reader = last.transaction;
            report.add(Kind::LostAppend, &[*writer, reader], || {
                format!(
                    "T{writer} appended {value} to key {} and was acknowledged at {}, but no read has it; T{reader}, \
                     for one, began after that, at {}\n{}\n{}",
                    key.name,
                    Time(transaction.end),
                    Time(history.transactions[reader as usize].begin),
                    history.describe(*writer),
                    history.describe(reader)
                )
            });
        }
        !is_lost
    });
}
