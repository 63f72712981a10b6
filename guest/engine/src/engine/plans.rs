//! Plans that may run again: by text, parameter types, settings and catalog version.

use super::Session;
use crate::bind::Command;
use crate::define::analyze::{FEW_ROWS, has_changed};
use crate::encode::key::index_prefix;
use crate::execute::expression::Compiled;
use crate::host::OutputColumn;
use crate::limits::CACHED_PLANS;
use crate::plan::Physical;
use crate::types::DataType;
use hashbrown::HashMap;
use std::cell::Cell;
use std::rc::Rc;

/// A statement that is ready to run.
pub struct Plan {
    pub physical: Physical,
    pub parameter_types: Vec<DataType>,
    pub command: Command,
    /// The statement's name, where it writes or locks.
    pub writes: Option<&'static str>,
    /// None: the statement answers no rows.
    pub columns: Option<Vec<OutputColumn>>,
    pub column_types: Vec<DataType>,
    /// The arguments of `set_config`, where the statement calls it.
    pub setting_change: Option<Vec<Compiled>>,
    /// Whether statistics of its tables were asked for.
    pub asked: Cell<bool>,
}

/// How often a plan runs before the sizes of its tables are looked at again.
const USES_BETWEEN_CHECKS: u32 = 64;

#[derive(PartialEq, Eq, Hash)]
struct Key {
    sql: String,
    parameter_types: Vec<u32>,
    settings: Vec<(String, String)>,
}

struct Entry {
    plan: Rc<Plan>,
    catalog_version: u64,
    last_use: u64,
    uses: u32,
}

/// The plans that were used last.
#[derive(Default)]
pub struct PlanCache {
    entries: HashMap<Key, Entry>,
    uses: u64,
}

impl PlanCache {
    pub fn get(&mut self, session: &Session) -> Option<Rc<Plan>> {
        self.uses += 1;
        let entry = self.entries.get_mut(&key(session))?;
        entry.uses += 1;
        let is_old = entry.uses.is_multiple_of(USES_BETWEEN_CHECKS) && outgrown(session, &entry.plan);
        if is_old || entry.catalog_version != session.catalog.version() {
            return None;
        }
        entry.last_use = self.uses;
        Some(entry.plan.clone())
    }

    pub fn insert(&mut self, session: &Session, plan: Rc<Plan>) {
        if self.entries.len() >= CACHED_PLANS {
            // Half at a time, so that the search for the oldest is paid once for many.
            let mut uses: Vec<u64> = self.entries.values().map(|entry| entry.last_use).collect();
            uses.sort_unstable();
            let middle = uses[uses.len() / 2];
            self.entries.retain(|_, entry| entry.last_use > middle);
        }
        let entry = Entry { plan, catalog_version: session.catalog.version(), last_use: self.uses, uses: 0 };
        self.entries.insert(key(session), entry);
    }
}

/// Whether a table has become so much larger or smaller that the plan may be a bad one.
fn outgrown(session: &Session, plan: &Plan) -> bool {
    plan.physical.tables_planned.iter().any(|&(table, rows)| {
        let now = session.host.estimate_count(&index_prefix(table, 0));
        rows.max(now) >= FEW_ROWS && has_changed(rows, now)
    })
}

fn key(session: &Session) -> Key {
    Key {
        sql: session.request.sql.clone(),
        parameter_types: session.request.parameter_types.clone(),
        settings: session.request.settings.clone(),
    }
}
