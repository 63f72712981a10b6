//! Strict reads: whatever was acknowledged before a transaction began is in what it reads. (With bounded staleness:
//! before the age that it allowed.) The property of strong local reads at every region, judged without any cycle.

use crate::appends::Appends;
use crate::history::{History, Time};
use crate::report::{Kind, Report};
use crate::versions::{Key, OrderedRead};

pub fn check(history: &History, appends: &Appends, keys: &[Key], report: &mut Report) {
    for key in keys {
        check_stale(history, key, report);
        check_lost(history, appends, key, report);
    }
}

fn check_stale(history: &History, key: &Key, report: &mut Report) {
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

/// An acknowledged append that nobody ever saw, although somebody looked who had to.
fn check_lost(history: &History, appends: &Appends, key: &Key, report: &mut Report) {
    let horizon = |read: &&OrderedRead| history.transactions[read.transaction as usize].must_see_before();
    let Some(last) = key.reads.iter().max_by_key(horizon) else { return };
    let last_horizon = horizon(&last);
    let unseen = key.order[key.observed..].iter().filter_map(|version| Some((version.writer?, version.value)));
    for (writer, value) in unseen.chain(key.unordered.iter().copied()) {
        let transaction = &history.transactions[writer as usize];
        let is_lost = appends.happened(writer) && transaction.is_committed() && transaction.end < last_horizon;
        if is_lost {
            let reader = last.transaction;
            report.add(Kind::LostAppend, &[writer, reader], || {
                format!(
                    "T{writer} appended {value} to key {} and was acknowledged at {}, but no read has it; T{reader}, \
                     for one, began after that, at {}\n{}\n{}",
                    key.name,
                    Time(transaction.end),
                    Time(history.transactions[reader as usize].begin),
                    history.describe(writer),
                    history.describe(reader)
                )
            });
        }
    }
}
