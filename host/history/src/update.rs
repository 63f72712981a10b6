//! First committer wins: of two transactions that append to one key, one must have seen the other's append.
//!
//! Times alone cannot show that two were concurrent where it matters (both may have run one after the other within
//! the same second). A read does: who read a version and appended must have appended the very next one.

use crate::history::{History, Operation};
use crate::report::{Kind, Report};
use crate::versions::Key;

pub fn check(history: &History, keys: &[Key], report: &mut Report) {
    for key in keys {
        for read in &key.reads {
            let updater = read.transaction;
            let appends =
                |operation: &Operation| matches!(operation, Operation::Append { key: name, .. } if *name == key.name);
            let is_update = history.transactions[updater as usize].operations.iter().any(appends);
            let Some((winner, value)) = key.writer_after(read.seen) else { continue };
            if is_update && winner != updater {
                report.add(Kind::LostUpdate, &[updater, winner], || {
                    format!(
                        "T{updater} read key {} and then appended to it without having seen {value}, which T{winner} had \
                         appended in between: the later of the two had to be refused\n{}\n{}",
                        key.name,
                        history.describe(winner),
                        history.describe(updater)
                    )
                });
            }
        }
    }
}
