//! How guests are compiled. The build script includes this file too, so that the embedded engine and the runtime that
//! loads it cannot disagree: wasmtime refuses code that was compiled under other settings.

use wasmtime::{Config, OptLevel};

/// Everything that decides about generated code. Pools, stacks and other limits of the running node are no part of it.
pub fn configuration() -> Config {
    let mut configuration = Config::new();
    configuration
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(true)
        // Guests are called by async functions on stacks of their own; nothing uses the component model's own async,
        // and stores are smaller without it.
        .concurrency_support(false)
        // Whole 32-bit address spaces are reserved, so that no access needs a bounds check.
        .memory_reservation(4 << 30)
        .memory_guard_size(32 << 20)
        .memory_may_move(false)
        .memory_init_cow(true);
    configuration
}
