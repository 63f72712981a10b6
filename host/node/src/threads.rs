//! Who waits for whom: statements begin on ordinary threads, and those that take long go on on patient ones, which the
//! operating system lets run when no ordinary one wants to. So a short statement does not wait for long ones, however
//! many there are.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::panic::resume_unwind;
use std::sync::LazyLock;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// The nice value of patient threads. Linux weighs them 1 : 9 against ordinary ones: of this process, and of others.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// None: the operating system gives no more threads, and all is ordinary.
static PATIENT: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let built =
        Builder::new_multi_thread().thread_name("isobar-patient").on_thread_start(be_patient).enable_all().build();
    built.inspect_err(|error| tracing::warn!(%error, "there are no threads for long statements")).ok()
});

thread_local! {
    static SLICE_IS_OVER: Cell<bool> = const { Cell::new(false) };
}

fn be_patient() {
    // SAFETY: a plain system call; on Linux, process 0 is the calling thread alone.
    #[cfg(target_os = "linux")]
    unsafe {
        // One that fails leaves the thread as it was.
        libc::setpriority(libc::PRIO_PROCESS, 0, NICE);
    }
}

/// What work may use of ordinary threads before it is long. A call that is in their way for less is not worth the move,
/// which costs it a good deal where others want the processor.
const SLICE: Duration = Duration::from_millis(4);

/// The work that is polled now lets others run although it could go on: where it has had its slice, it goes on on a
/// patient thread.
pub fn slice_is_over() {
    SLICE_IS_OVER.set(true);
}

/// Where work that blocks, or may take long, is spawned.
pub fn patient() -> Handle {
    PATIENT.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone())
}

/// Does the work, on ordinary threads until its slice is over. Dropping the future stops the work.
pub async fn run<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let mut work = Box::pin(work);
    let mut used = Duration::ZERO;
    let quick = poll_fn(|context| {
        SLICE_IS_OVER.set(false);
        let began = Instant::now();
        match work.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => {
                used += began.elapsed();
                if SLICE_IS_OVER.get() && used >= SLICE { Poll::Ready(None) } else { Poll::Pending }
            }
        }
    });
    if let Some(answer) = quick.await {
        return answer;
    }
    let mut task = Stopped(patient().spawn(work));
    match (&mut task.0).await {
        Ok(answer) => answer,
        Err(failure) if failure.is_panic() => resume_unwind(failure.into_panic()),
        // The process ends.
        Err(_) => pending().await,
    }
}

/// A task that is stopped when nobody waits for it any more.
struct Stopped<T>(JoinHandle<T>);

impl<T> Drop for Stopped<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> String {
        std::thread::current().name().unwrap_or_default().to_owned()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn long_work_moves_and_short_work_stays() {
        let short = run(async {
            tokio::task::yield_now().await;
            name()
        });
        assert_ne!(short.await, "isobar-patient");
        let long = run(async {
            std::thread::sleep(SLICE);
            slice_is_over();
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
            name()
        });
        assert_eq!(long.await, "isobar-patient");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn work_stops_with_whoever_waits() {
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let work = run(async move {
            std::thread::sleep(SLICE);
            slice_is_over();
            tokio::time::sleep(Duration::from_secs(3600)).await;
            drop(sender);
        });
        assert!(tokio::time::timeout(Duration::from_millis(20), work).await.is_err());
        let stopped = tokio::time::timeout(Duration::from_secs(10), receiver).await;
        assert!(stopped.expect("the work is dropped").is_err());
    }
}
