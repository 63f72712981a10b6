//! Who waits for whom: statements begin on ordinary threads, and those that take long go on on patient ones, which the
//! operating system lets run when no ordinary one wants to. So a short statement does not wait for long ones, however
//! many there are.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// The nice value of a patient thread. Linux weighs it 1 : 9 against an ordinary one: of this process, and of others.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// None: the operating system gives no more threads, and all is ordinary.
static PATIENT: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(processors()).thread_name("isobar-patient").on_thread_start(be_patient).enable_all();
    let built = builder.build();
    built.inspect_err(|error| tracing::warn!(%error, "there are no threads for long statements")).ok()
});

/// What the work that is polled now has asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    /// To let others run.
    Turn,
    /// To go on on a patient thread.
    Move,
}

thread_local! {
    static ASKED: Cell<Asked> = const { Cell::new(Asked::Nothing) };
    static IS_PATIENT: Cell<bool> = const { Cell::new(false) };
}

/// Patient threads so far.
static PATIENT_THREADS: AtomicUsize = AtomicUsize::new(0);

/// One patient thread for statements has a low priority, and so have those that only block or compile: they go on,
/// if slowly, when ordinary threads take all processors. The other ones run where there is nothing else to do: an
/// ordinary thread that wakes up has their processor at once, where it would wait some milliseconds for the end of a
/// time slice of the former.
fn be_patient() {
    IS_PATIENT.set(true);
    // Those for statements are started first.
    let number = PATIENT_THREADS.fetch_add(1, Ordering::Relaxed);
    let only_when_idle = (1..processors()).contains(&number);
    // SAFETY: plain system calls; on Linux, process 0 is the calling thread alone. One that fails leaves the thread as
    // it was.
    #[cfg(target_os = "linux")]
    unsafe {
        if only_when_idle {
            let parameters: libc::sched_param = std::mem::zeroed();
            libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameters);
        } else {
            libc::setpriority(libc::PRIO_PROCESS, 0, NICE);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = only_when_idle;
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// What work may use of ordinary threads before it is long. A call that is in their way for less is not worth the move,
/// which costs it a good deal where others want the processor.
const SLICE: Duration = Duration::from_millis(4);

/// Work that is known to use more than this of a processor begins on patient threads.
pub const LONG: Duration = Duration::from_millis(1);

/// The work that is polled now lets others run although it could go on: where it has had its slice, it goes on on a
/// patient thread.
pub fn slice_is_over() {
    ASKED.set(Asked::Turn);
}

/// The work that is polled now is known to take long: it goes on on a patient thread, whatever it has used so far.
pub async fn go_on_patiently() {
    if IS_PATIENT.get() {
        return;
    }
    let mut asked = false;
    poll_fn(|context| {
        if std::mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        ASKED.set(Asked::Move);
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Does the work, and answers how much processor time it took.
pub async fn measured<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let mut work = pin!(work);
    let mut used = Duration::ZERO;
    poll_fn(|context| {
        let began = processor_time();
        let answer = work.as_mut().poll(context);
        used += processor_time().saturating_sub(began);
        answer.map(|answer| (answer, used))
    })
    .await
}

/// What this thread has used of a processor: time in which others ran does not count.
fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a value of ours.
    if unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) } != 0 {
        return Duration::ZERO;
    }
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
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
        ASKED.set(Asked::Nothing);
        let began = Instant::now();
        match work.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => {
                used += began.elapsed();
                match ASKED.get() {
                    Asked::Move => Poll::Ready(None),
                    Asked::Turn if used >= SLICE => Poll::Ready(None),
                    _ => Poll::Pending,
                }
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
    async fn work_that_is_known_to_be_long_moves_at_once() {
        let known = run(async {
            let before = name();
            go_on_patiently().await;
            let moved = name();
            // It is where it wants to be.
            go_on_patiently().await;
            (before, moved, name())
        });
        let (before, moved, after) = known.await;
        assert_ne!(before, "isobar-patient");
        assert_eq!((moved.as_str(), after.as_str()), ("isobar-patient", "isobar-patient"));
    }

    #[tokio::test]
    async fn waiting_takes_no_processor_time() {
        let work = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let end = processor_time() + Duration::from_millis(20);
            while processor_time() < end {}
        };
        let ((), used) = measured(work).await;
        assert!((20..40).contains(&used.as_millis()), "{used:?}");
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
