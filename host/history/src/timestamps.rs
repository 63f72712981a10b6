//! Commit timestamps, where clients were told: no two the same, and in the order of dependencies and of real time.

use crate::appends::Appends;
use crate::graph::{Graph, Reason};
use crate::history::{History, Time, Transaction};
use crate::report::{Kind, Report};

pub fn check(history: &History, appends: &Appends, graph: &Graph, report: &mut Report) {
    let stamp = |place: u32| history.transactions[place as usize].commit_timestamp();
    let mut stamped: Vec<(u64, u32)> =
        (0..history.transactions.len() as u32).filter_map(|place| Some((stamp(place)?, place))).collect();
    stamped.sort_unstable();
    for pair in stamped.windows(2) {
        let ((timestamp, first), (other, second)) = (pair[0], pair[1]);
        if timestamp == other {
            report.add(Kind::DuplicateTimestamp, &[first, second], || {
                format!(
                    "T{first} and T{second} both committed at timestamp {timestamp}\n{}\n{}",
                    history.describe(first),
                    history.describe(second)
                )
            });
        }
    }
    check_real_time(history, stamped, report);
    for place in (0..history.transactions.len() as u32).filter(|place| appends.happened(*place)) {
        check_dependencies(history, graph, place, report);
    }
}

/// Whoever began after another's acknowledgement has the larger timestamp.
fn check_real_time(history: &History, stamped: Vec<(u64, u32)>, report: &mut Report) {
    let transaction = |place: u32| -> &Transaction { &history.transactions[place as usize] };
    let mut ended = stamped.clone();
    ended.sort_by_key(|(_, place)| transaction(*place).end);
    let mut begun = stamped;
    begun.sort_by_key(|(_, place)| transaction(*place).begin);
    let mut ended = ended.into_iter().peekable();
    let mut newest = None;
    for (timestamp, place) in begun {
        let begin = transaction(place).begin;
        while let Some(next) = ended.next_if(|(_, other)| transaction(*other).end < begin) {
            newest = newest.max(Some(next));
        }
        if let Some((earlier, other)) = newest.filter(|(earlier, _)| *earlier > timestamp) {
            report.add(Kind::TimestampOrder, &[place, other], || {
                format!(
                    "T{place} began at {}, after T{other} was acknowledged at {}, but its timestamp {timestamp} is smaller \
                     than {earlier}\n{}\n{}",
                    Time(begin),
                    Time(transaction(other).end),
                    history.describe(other),
                    history.describe(place)
                )
            });
        }
    }
}

/// Whoever depends on another's write has the larger timestamp, and a serializable transaction that wrote has a
/// smaller one than whoever replaced what it read.
fn check_dependencies(history: &History, graph: &Graph, first: u32, report: &mut Report) {
    let transaction = &history.transactions[first as usize];
    let Some(earlier) = transaction.commit_timestamp() else { return };
    for edge in graph.edges(2 * first + 1).map(|edge| graph.edge(edge)) {
        let dependency = match edge.reason {
            Reason::WriteWrite => "appended after it",
            Reason::WriteRead => "read it",
            // Leaves the commit only where reads are certified.
            Reason::ReadWrite => "replaced what it had read",
            _ => continue,
        };
        let Some(second) = graph.transaction(edge.to) else { continue };
        let later = history.transactions[second as usize].commit_timestamp();
        if let Some(later) = later.filter(|later| *later < earlier) {
            report.add(Kind::TimestampOrder, &[first, second], || {
                format!(
                    "T{first} committed at timestamp {earlier} and T{second}, which {dependency} at key {}, at the smaller \
                     {later}\n{}\n{}",
                    edge.key,
                    history.describe(first),
                    history.describe(second)
                )
            });
        }
    }
}
