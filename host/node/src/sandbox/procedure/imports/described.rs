//! What types statements' parameters have, by text and catalog: a procedure's values are sent in the form that the
//! statement wants, and asking each time would cost as much as many a statement.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// Statements that are remembered; when there are more, all are forgotten.
const STATEMENTS_MAX: usize = 4096;

/// Longer texts are not worth remembering.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// By text.
type Statements = HashMap<String, Arc<[u32]>>;

#[derive(Default)]
pub struct Described(Mutex<HashMap<u64, Statements>>);

impl Described {
    /// The type OIDs of a statement's parameters in this version of the catalog.
    pub fn get(&self, catalog_version: u64, sql: &str) -> Option<Arc<[u32]>> {
        self.0.lock().get(&catalog_version)?.get(sql).cloned()
    }

    pub fn insert(&self, catalog_version: u64, sql: &str, types: Arc<[u32]>) {
        if sql.len() > TEXT_BYTES_MAX {
            return;
        }
        let mut versions = self.0.lock();
        if versions.values().map(HashMap::len).sum::<usize>() >= STATEMENTS_MAX {
            versions.clear();
        }
        versions.entry(catalog_version).or_default().insert(sql.to_owned(), types);
    }
}
