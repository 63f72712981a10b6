//! Many replicas in one process on simulated time, a seed at a time, with faults.

pub mod faults;
pub mod lists;
pub mod network;
pub mod rows;
pub mod world;

use std::future::Future;

/// Seeds that have failed once: a property and a seed a line.
const KEPT: &str = include_str!("../seeds.txt");

fn kept(name: &str) -> impl Iterator<Item = u64> {
    let lines = KEPT.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.filter(move |words| words.first() == Some(&name)).map(|words| words[1].parse().expect("a seed"))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// Runs something on simulated time.
pub fn simulate<T>(run: impl Future<Output = T>) -> T {
    let builder = &mut tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().expect("a runtime").block_on(run)
}

/// Runs a property on simulated time, for the seeds that are kept for it and then for so many. `ISOBAR_SEED=7` runs one
/// seed, `ISOBAR_SEEDS=1000` so many.
pub fn for_seeds<F: Future<Output = ()>>(name: &str, default: u64, property: impl Fn(u64) -> F) {
    let seeds: Vec<u64> = match number("ISOBAR_SEED") {
        Some(seed) => vec![seed],
        None => kept(name).chain(0..number("ISOBAR_SEEDS").unwrap_or(default)).collect(),
    };
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("ISOBAR_LOG") {
        // Set by another property already, where several run.
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).without_time().try_init();
    }
    for seed in seeds {
        let run = std::panic::AssertUnwindSafe(|| simulate(property(seed)));
        if let Err(panic) = std::panic::catch_unwind(run) {
            eprintln!("ISOBAR_SEED={seed} cargo test -p isobar-replica --test simulation {name}");
            std::panic::resume_unwind(panic);
        }
    }
}
