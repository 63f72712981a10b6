//! First committer wins: of two transactions that append to one key, one must have seen the other's append.
//!
//! Times alone cannot show that two were concurrent where it matters (both may have run one after the other within
//! the same second). A read does: who read a version and appended must have appended the very next one.

use crate::history::{History, Operation};
use crate::report::{Kind, Report};
use crate::versions::Key;

pub fn check(history: &History, key: &Key, report: &mut Report) {
    let is_append =
        |operation: &Operation| matches!(operation, Operation::Append { key: name, .. } if *name == key.name);
    for read in &key.reads {
        let updater = read.transaction;
        let Some((winner, value)) = key.writer_after(read.seen).filter(|(winner, _)| *winner != updater) else {
            continue;
        };
        if history.transactions[updater as usize].operations.iter().any(is_append) {
            report.add(Kind::LostUpdate, &[updater, winner], || {
                format!(
                    "T{updater} read key {} and appended to it without having seen {value}, which T{winner} had appended \
                     in between: the later of the two had to be refused\n{}\n{}",
                    key.name,
                    history.describe(winner),
                    history.describe(updater)
                )
            });
        }
    }
}
