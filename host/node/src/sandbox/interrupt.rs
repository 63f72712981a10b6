//! How a running statement is stopped from outside.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A request to stop the statement that is running, shared between a session and whoever may cancel it. The engine
/// looks at it on every tick of the clock, and while it waits for its client.
#[derive(Debug, Default)]
pub struct Interrupt {
    requested: AtomicBool,
    changed: Notify,
}

impl Interrupt {
    pub fn request(&self) {
        self.requested.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// A request is for the statement that runs; the next one begins without it.
    pub fn clear(&self) {
        self.requested.store(false, Ordering::Release);
    }

    pub fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Acquire)
    }

    /// Returns once a stop is requested.
    pub async fn requested(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Listen first, look second: a request in between is not missed.
            changed.as_mut().enable();
            if self.is_requested() {
                return;
            }
            changed.await;
        }
    }
}
