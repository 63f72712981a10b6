//! Stored procedures without a sandbox: ordinary code that answers for exports.

use super::store::{Changes, MemoryStore, MemoryTransaction, Sent};
use crate::encode::writes::WriteBuffer;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::host::{LogEntry, RoutineAnswer, Routines, Target, Usage};
use crate::statement::{Format, Request};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What an export does: packed rows and their count in, and out.
pub type Routine = Rc<dyn Fn(&MemoryTransaction, &Target, &[u8], u32) -> Result<(Vec<u8>, u32)>>;

#[derive(Default)]
pub struct FakeRoutines {
    exports: BTreeMap<String, Routine>,
    /// One entry per call from the engine: what it called, and with how many rows.
    calls: Vec<(Target, u32)>,
    usage: Vec<Usage>,
    logs: Vec<LogEntry>,
}

impl MemoryStore {
    /// From now on calls of an export run this.
    pub fn set_routine(&self, export: &str, routine: Routine) {
        self.routines.borrow_mut().exports.insert(export.into(), routine);
    }

    /// The calls since the last time that somebody asked.
    pub fn take_calls(&self) -> Vec<(Target, u32)> {
        std::mem::take(&mut self.routines.borrow_mut().calls)
    }

    pub fn set_usage(&self, usage: Vec<Usage>, logs: Vec<LogEntry>) {
        let mut routines = self.routines.borrow_mut();
        (routines.usage, routines.logs) = (usage, logs);
    }
}

/// Runs a statement within a routine. One that fails undoes what it did.
pub fn nested(transaction: &MemoryTransaction, sql: &str, format: Format) -> Result<Vec<Vec<Option<Vec<u8>>>>> {
    let outer: Sent = transaction.output.take();
    let before = transaction.changes.borrow().clone();
    let version = transaction.catalog_version.get();
    let request = Request { sql: sql.into(), format, in_transaction_block: true, ..Default::default() };
    let outcome = Engine::new().execute(transaction, &request);
    let inner = transaction.output.replace(outer);
    match outcome {
        Ok(_) => Ok(inner.rows),
        Err(error) => {
            transaction.changes.replace(before);
            transaction.catalog_version.set(version);
            Err(error)
        }
    }
}

impl MemoryTransaction {
    fn replaced(&self, before: &Changes) -> Result<Vec<u8>> {
        let mut undo = WriteBuffer::new();
        for (key, value) in self.changes.borrow().iter() {
            if before.get(key) == Some(value) {
                continue;
            }
            let old = match before.get(key) {
                Some(old) => old.as_ref(),
                None => self.snapshot.get(key),
            };
            match old {
                Some(old) => undo.put(key, old),
                None => undo.delete(key),
            }
        }
        Ok(undo.into_bytes())
    }
}

impl Routines for MemoryTransaction {
    fn call(&self, target: &Target, arguments: &[u8], count: u32) -> Result<RoutineAnswer> {
        let routine = {
            let mut routines = self.store.routines.borrow_mut();
            routines.calls.push((target.clone(), count));
            routines.exports.get(&target.export).cloned()
        };
        let missing = || Error::not_supported(format!("procedure \"{}\" without a sandbox", target.procedure));
        let routine = routine.ok_or_else(missing)?;
        let before = self.changes.borrow().clone();
        let (rows, count) = routine(self, target, arguments, count)?;
        Ok(RoutineAnswer { rows, count, replaced: self.replaced(&before)? })
    }

    fn usage(&self) -> Vec<Usage> {
        self.store.routines.borrow().usage.clone()
    }

    fn logs(&self) -> Vec<LogEntry> {
        self.store.routines.borrow().logs.clone()
    }
}
