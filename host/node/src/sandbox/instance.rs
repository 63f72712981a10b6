//! One instance of the engine, and what it holds while it runs a statement.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use isobar_replica::{Clock, Transaction};
use wasmtime::{ResourceLimiter, Store};

use crate::error::{Error, Result};
use crate::sandbox::bindings::Engine;
use crate::sandbox::{Interrupt, Results};

/// Everything that one statement may touch. It moves into the instance for the time of the call and comes back.
pub struct Call {
    /// None: the block has failed, and every access answers 25P02.
    pub transaction: Option<Transaction>,
    /// Writes answer 25006.
    pub read_only: bool,
    pub results: Results,
    /// Microseconds since the Unix epoch.
    pub transaction_time: i64,
    /// Microseconds since the Unix epoch.
    pub statement_time: i64,
    pub clock: Arc<dyn Clock>,
    pub interrupt: Arc<Interrupt>,
    /// None: the statement may take for ever.
    pub deadline: Option<Instant>,
}

impl Call {
    pub fn transaction(&mut self) -> Result<&mut Transaction> {
        self.transaction.as_mut().ok_or_else(Error::aborted_block)
    }
}

/// What the store of an instance holds: the call that it serves, if any, and the count of its memory.
pub struct State {
    pub call: Option<Call>,
    pub memory: MemoryLimit,
}

impl State {
    /// The call in progress. Guests run only inside calls; a guest that acts outside one gets an error.
    pub fn call(&mut self) -> Result<&mut Call> {
        self.call.as_mut().ok_or_else(|| Error::internal("no statement is running"))
    }
}

/// Counts the memory of all instances.
pub struct TotalMemory {
    pub bytes: AtomicUsize,
    pub bytes_max: usize,
}

impl TotalMemory {
    /// Whether there was room for so many bytes more, which are taken then.
    fn take(&self, more: usize) -> bool {
        let taken = |bytes: usize| bytes.checked_add(more).filter(|bytes| *bytes <= self.bytes_max);
        self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok()
    }
}

/// Counts the memory of one instance and refuses growth beyond its own limit and that of all together.
pub struct MemoryLimit {
    pub bytes: usize,
    pub bytes_max: usize,
    /// Growth was refused: the trap that follows is for want of memory.
    pub exhausted: bool,
    pub total: Arc<TotalMemory>,
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        self.total.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Elements of a guest's tables: its functions that are called by address.
const TABLE_ELEMENTS_MAX: usize = 100_000;

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        // An instance has several memories at most in theory; counted together all the same.
        let more = desired.saturating_sub(current);
        let bytes = self.bytes.saturating_add(more);
        if bytes > self.bytes_max || !self.total.take(more) {
            self.exhausted = true;
            return Ok(false);
        }
        self.bytes = bytes;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.exhausted = true;
        Ok(())
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }
}

/// An engine that is ready to run. It keeps its caches between statements and no state of any transaction.
pub struct Instance {
    pub store: Store<State>,
    pub engine: Engine,
}
