//! One instance of the engine, and what it holds while it runs a statement.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use isobar_replica::{Clock, Transaction, Ulid};
use wasmtime::{ResourceLimiter, Store};

use crate::error::{Error, Result};
use crate::policy::Authority;
use crate::sandbox::bindings::Engine;
use crate::sandbox::procedure::Nesting;
use crate::sandbox::runtime::WeakSandbox;
use crate::sandbox::trap::Stopped;
use crate::sandbox::{Interrupt, Results, Setting};

/// Everything that one statement may touch. It moves into the instance for the time of the call and comes back.
pub struct Call {
    /// None: the block has failed, and every access answers 25P02.
    pub transaction: Option<Transaction>,
    /// Writes answer 25006.
    pub read_only: bool,
    pub results: Results,
    /// In whose name the statement runs.
    pub authority: Authority,
    /// Microseconds since the Unix epoch.
    pub transaction_time: i64,
    /// Microseconds since the Unix epoch.
    pub statement_time: i64,
    pub clock: Arc<dyn Clock>,
    pub interrupt: Arc<Interrupt>,
    /// None: the statement may take for ever.
    pub deadline: Option<Instant>,
    /// Names the transaction's commit.
    pub transaction_id: Ulid,
    /// The user whose session it is.
    pub caller: Arc<str>,
    /// Whose rights the statement has.
    pub role: Role,
    /// The node's region.
    pub region: Arc<str>,
    /// The session's settings that differ from their defaults, for the statements of procedures.
    pub settings: Arc<[Setting]>,
    /// The procedures that the statement calls, and those that have called it.
    pub procedures: Nesting,
}

/// Whose rights a statement has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// The caller's.
    #[default]
    Caller,
    /// Those of the procedure of this name, which was deployed as definer.
    Procedure(Arc<str>),
}

impl Call {
    pub fn transaction(&mut self) -> Result<&mut Transaction> {
        self.transaction.as_mut().ok_or_else(Error::aborted_block)
    }

    /// Whether the statement must stop.
    pub fn check(&self, now: Instant) -> Result<(), Stopped> {
        if self.interrupt.is_requested() {
            return Err(Stopped::Request);
        }
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            return Err(Stopped::Timeout);
        }
        Ok(())
    }
}

/// Waits for something, unless the statement must stop.
pub async fn unless_stopped<T>(
    interrupt: &Interrupt,
    deadline: Option<Instant>,
    wait: impl Future<Output = T>,
) -> Result<T> {
    let late = async {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        answer = wait => Ok(answer),
        () = interrupt.requested() => Err(Stopped::Request.error()),
        () = late => Err(Stopped::Timeout.error()),
    }
}

/// What the store of an instance holds: the call that it serves, if any, and the count of its memory.
pub struct State {
    pub call: Option<Box<Call>>,
    pub memory: MemoryLimit,
    /// Whose instance it is; it runs the statements of procedures as well.
    pub sandbox: WeakSandbox,
}

impl State {
    /// The call in progress. Guests run only inside calls; a guest that acts outside one gets an error.
    pub fn call(&mut self) -> Result<&mut Call> {
        self.call.as_deref_mut().ok_or_else(|| Error::internal("no statement is running"))
    }
}

/// Counts the memory of all instances.
pub struct TotalMemory {
    pub bytes: AtomicUsize,
    pub bytes_max: usize,
}

impl TotalMemory {
    /// Whether less than a hundredth is left.
    pub fn is_nearly_full(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) > self.bytes_max - self.bytes_max / 100
    }

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
        // The memories of an instance are counted together.
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
