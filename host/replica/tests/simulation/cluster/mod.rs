//! Many replicas in one process on simulated time, a seed at a time, with faults.

pub mod faults;
pub mod lists;
pub mod network;
pub mod world;

use std::future::Future;

/// Runs a property for each seed, on simulated time. `ISOBAR_SEED=7` runs one seed, `ISOBAR_SEEDS=1000` so many.
pub fn for_seeds<F: Future<Output = ()>>(name: &str, default: u64, property: impl Fn(u64) -> F) {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().expect("a number"));
    let seeds = match number("ISOBAR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("ISOBAR_SEEDS").unwrap_or(default),
    };
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("ISOBAR_LOG") {
        // Set by another property already, where several run.
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).without_time().try_init();
    }
    for seed in seeds {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let run = std::panic::AssertUnwindSafe(|| runtime.block_on(property(seed)));
        if let Err(panic) = std::panic::catch_unwind(run) {
            eprintln!("ISOBAR_SEED={seed} cargo test -p isobar-replica --test simulation {name}");
            std::panic::resume_unwind(panic);
        }
    }
}
