//! Why a node can do nothing more until it is started anew: one place to which whoever finds out reports, and where
//! everybody else looks.

use crate::error::Error;
use std::sync::Arc;
use tokio::sync::watch;

/// What has failed for good; the first report stays.
#[derive(Clone)]
pub struct Failure(Arc<watch::Sender<Option<Error>>>);

impl Default for Failure {
    fn default() -> Failure {
        Failure(Arc::new(watch::Sender::new(None)))
    }
}

impl Failure {
    /// `what` such as `the journal cannot be written to`.
    pub fn report(&self, what: &str, error: &Error) {
        self.0.send_if_modified(|failure| {
            if failure.is_some() {
                return false;
            }
            tracing::info!(%error, what, "this node can do nothing more");
            *failure = Some(error.clone().in_file(what));
            true
        });
    }

    pub fn get(&self) -> Option<Error> {
        self.0.borrow().clone()
    }

    /// Waits for a failure, maybe for ever.
    pub async fn wait(&self) -> Error {
        let mut failures = self.0.subscribe();
        loop {
            if let Some(failure) = &*failures.borrow_and_update() {
                return failure.clone();
            }
            // The sender lives in `self`.
            let _ = failures.changed().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_first_report_stays() {
        let failure = Failure::default();
        assert_eq!(failure.get(), None);
        let waits = tokio::time::timeout(Duration::from_secs(60), failure.wait()).await;
        assert!(waits.is_err(), "nothing has failed");
        let waiting = tokio::spawn({
            let failure = failure.clone();
            async move { failure.wait().await }
        });
        tokio::task::yield_now().await;
        failure.report("the journal cannot be written to", &Error::unavailable("I/O error"));
        failure.report("the store cannot be written to", &Error::disk_full());
        let expected = "XX000: server unavailable (the journal cannot be written to: I/O error)";
        assert_eq!(waiting.await.expect("no panic").to_string(), expected);
        assert_eq!(failure.get().map(|error| error.to_string()).as_deref(), Some(expected));
    }
}
