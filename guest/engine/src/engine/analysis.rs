//! Which tables to gather statistics of after a statement.

use super::Session;
use super::plans::Plan;
use super::read_only;
use crate::define::analyze::{has_changed, is_due};
use crate::define::follow_up::FollowUp;
use crate::error::Result;
use crate::statement::Outcome;
use hashbrown::HashMap;

/// Tables that are remembered.
const REMEMBERED: usize = 4096;

/// The tables whose statistics were asked for, with their rows then: what failed is not asked for again before the
/// table has changed.
#[derive(Default)]
pub struct Analyses {
    asked: HashMap<u32, u64>,
}

impl Analyses {
    /// Adds to a statement's outcome what is due of the tables that it was planned for.
    pub fn after(&mut self, session: &Session, plan: &Plan, outcome: Outcome) -> Result<Outcome> {
        let Outcome::Complete { tag, mut follow_up } = outcome else { return Ok(outcome) };
        // A plan that is kept was asked about when it was made.
        if !session.request.in_transaction_block && !read_only::is_on(session) && !plan.asked.replace(true) {
            for &(table, rows) in &plan.physical.tables_planned {
                let was_asked = self.asked.get(&table).is_some_and(|asked| !has_changed(*asked, rows));
                if was_asked || !is_due(&session.catalog, table, rows) {
                    continue;
                }
                if self.asked.len() >= REMEMBERED {
                    self.asked.clear();
                }
                self.asked.insert(table, rows);
                follow_up.push(FollowUp::Analyze { table }.to_string());
            }
        }
        Ok(Outcome::Complete { tag, follow_up })
    }
}
