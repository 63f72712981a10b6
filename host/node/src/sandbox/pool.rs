//! The idle instances: the one used last is used next, since its caches are the warmest.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result, sqlstate};
use crate::sandbox::Limits;
use crate::sandbox::instance::Instance;

pub struct Pool {
    idle: Mutex<Vec<Instance>>,
    idle_max: usize,
    retained_memory_bytes: usize,
    /// One permit per statement that runs.
    running: Arc<Semaphore>,
    /// One permit per statement that a procedure runs.
    nested: Arc<Semaphore>,
    limits: Limits,
    pub created: AtomicU64,
    pub discarded: AtomicU64,
}

/// The right to run one statement, as long as it lives.
pub type Permit = OwnedSemaphorePermit;

impl Pool {
    /// `nested`: how many statements procedures may run at the same moment.
    pub fn new(limits: &Limits, nested: u32) -> Pool {
        Pool {
            idle: Mutex::new(Vec::new()),
            idle_max: limits.idle_instances as usize,
            retained_memory_bytes: limits.retained_memory_bytes(),
            running: Arc::new(Semaphore::new(limits.instances.max(1) as usize)),
            nested: Arc::new(Semaphore::new(nested as usize)),
            limits: limits.clone(),
            created: AtomicU64::new(0),
            discarded: AtomicU64::new(0),
        }
    }

    /// Waits for a turn; 53000 when that takes longer than the limit.
    pub async fn permit(&self) -> Result<Permit> {
        match tokio::time::timeout(self.limits.wait(), self.running.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(Error::new(sqlstate::ADMIN_SHUTDOWN, "the node is shutting down")),
            Err(_) => Err(Error::new(
                sqlstate::INSUFFICIENT_RESOURCES,
                format!("too many statements: none of {} instances became free in time", self.limits.instances),
            )
            .hint("Try again later.")),
        }
    }

    /// A turn for a procedure's statement. It never waits: the turn that it could wait for may be one that waits for
    /// this statement.
    pub fn nested_permit(&self) -> Result<Permit> {
        self.nested.clone().try_acquire_owned().map_err(|_| {
            Error::new(sqlstate::INSUFFICIENT_RESOURCES, "too many statements of procedures at once")
                .hint("Try again later.")
        })
    }

    pub fn take(&self) -> Option<Instance> {
        self.idle.lock().pop()
    }

    /// Keeps a healthy instance, unless enough are kept or it has grown too large.
    pub fn keep(&self, instance: Instance) {
        let grown = instance.store.data().memory.bytes > self.retained_memory_bytes;
        let refused = if grown {
            Some(instance)
        } else {
            let mut idle = self.idle.lock();
            if idle.len() < self.idle_max {
                idle.push(instance);
                None
            } else {
                Some(instance)
            }
        };
        // Dropped here, when the lock is free again.
        if let Some(instance) = refused {
            self.discard(instance);
        }
    }

    /// Drops an instance that is broken, too large or one too many.
    pub fn discard(&self, instance: Instance) {
        drop(instance);
        self.discarded.fetch_add(1, Ordering::Relaxed);
    }

    pub fn idle(&self) -> usize {
        self.idle.lock().len()
    }

    pub fn running(&self) -> usize {
        (self.limits.instances.max(1) as usize).saturating_sub(self.running.available_permits())
    }
}
