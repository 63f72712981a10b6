//! Three regions as real processes on one machine, whose links are proxies of this test. Nodes are killed, paused, cut
//! off, restarted and replaced while clients work at all of them, and what the clients were told is judged.
//!
//! `ISOBAR_CHAOS_SECONDS=600 ISOBAR_CHAOS_SEED=7 cargo test -p isobar --test regions -- --nocapture` goes on for ten
//! minutes, `ISOBAR_CHAOS_FAULTS=Kill,Mute` with these faults alone. The seed gives the schedule and what clients do; what happens between processes is never twice the same.

mod bank;
mod client;
mod ending;
mod faults;
mod judge;
mod link;
mod lists;
mod nodes;
mod planted;
mod record;
mod registers;
mod work;

use std::path::Path;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;

use faults::{ALL, Chaos, Fault};
use judge::judge;
use work::World;

/// Where histories are kept that are wrong.
fn folder() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

/// Those named in `ISOBAR_CHAOS_FAULTS`, such as `Kill,Mute`; all when it is not there.
fn faults() -> Vec<Fault> {
    let Ok(names) = std::env::var("ISOBAR_CHAOS_FAULTS") else { return ALL.to_vec() };
    let named = |name: &str| ALL.into_iter().find(|fault| format!("{fault:?}") == name);
    names.split(',').map(|name| named(name).unwrap_or_else(|| panic!("there is no fault {name}"))).collect()
}

/// So long after the last request nothing of it is on its way any more: longer than `commit_milliseconds`, twice.
const SETTLED: Duration = Duration::from_secs(35);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_are_told_the_truth_whatever_happens() {
    let seed = number("ISOBAR_CHAOS_SEED").unwrap_or(1);
    let time = number("ISOBAR_CHAOS_SECONDS").map(Duration::from_secs);
    println!("seed {seed}");
    let world = World::new().await;
    let clients = world.start_clients(seed);
    let hold_max = Duration::from_millis(if time.is_some() { 6000 } else { 800 });
    let random = StdRng::seed_from_u64(seed);
    let mut chaos = Chaos { world: &world, random, hold_max, began: Instant::now(), faults: faults() };
    chaos.run(time.unwrap_or_default()).await;
    world.stop_clients();
    for client in clients {
        client.await.expect("no panic");
    }
    world.restore().await;
    if time.is_some() {
        tokio::time::sleep(SETTLED).await;
    }
    let asked = world.resolve(time.is_some()).await;
    world.read_all().await;
    let told = world.record.told.lock().clone();
    let name = format!("regions-seed-{seed}");
    match judge(&told, folder(), &name) {
        Ok(summary) => println!("asked for: {asked}\n{summary}"),
        Err(complaints) => panic!("seed {seed}: {complaints}\n{}", world.cluster.last_words()),
    }
    planted::anomalies_are_found(&told, folder(), &name);
}
