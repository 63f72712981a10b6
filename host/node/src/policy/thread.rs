//! Where Cedar runs. It asks how much is left of the stack of its thread, and the engine's questions arrive on fibers,
//! whose stacks are no thread's: there it would believe that nothing is left, and decide nothing.

use std::thread;

/// Cedar's own recursion is limited to what fits.
const STACK_BYTES: usize = 4 << 20;

/// Does the work on a thread of its own and waits for it. Only what is not decided or parsed yet comes here.
pub fn on_its_own<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    thread::scope(|scope| {
        let running = thread::Builder::new()
            .name("isobar-policy".into())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)
            .map_err(|error| format!("there is no thread for it: {error}"))?;
        running.join().map_err(|_| "it broke off".into())
    })
}
