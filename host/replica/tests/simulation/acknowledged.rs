//! Whatever happens to nodes, disks, clocks and links: acknowledged commits survive, every history is one that its
//! isolation levels allow, reads are strict at every region, replicas converge byte for byte, and after the faults stop
//! service returns.

use crate::cluster::faults::{self, Kinds};
use crate::cluster::for_seeds;
use crate::cluster::lists::{self, Record};
use crate::cluster::world::World;
use isobar_history::check;
use isobar_replica::Role;
use std::sync::Arc;
use std::time::Duration;

const SEEDS: u64 = 20;

async fn run(seed: u64, kinds: Kinds, rounds: u64) {
    let delay = [200, 5_000, 30_000][(seed % 3) as usize];
    let world = World::cluster(seed, delay, 3).await;
    let nodes = world.ids();
    let world = Arc::new(tokio::sync::Mutex::new(world));
    let record = Record::new();
    let clients = lists::start_clients(&world, &record, seed, &nodes, 2);
    tokio::time::sleep(Duration::from_secs(1)).await;
    faults::run(&world, kinds, rounds).await;
    {
        let mut world = world.lock().await;
        world.repair().await;
        world.finish_removals().await;
    }
    // Service returns at every node.
    world.lock().await.all_ready(Duration::from_secs(30)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    clients.finish().await;
    let world = world.lock().await;
    let with_data: Vec<_> =
        world.nodes.values().filter(|node| node.role != Role::Witness).map(|node| node.id).collect();
    record.ask_outcomes(&world.running(with_data[0])).await;
    for id in with_data {
        lists::read_all(&record, id, &world.running(id)).await;
    }
    let history = record.finish();
    let report = check(&history);
    if !report.is_clean() {
        let path = std::env::temp_dir().join(format!("isobar-history-{seed}.jsonl"));
        history.write_json_lines(std::fs::File::create(&path).expect("a file")).expect("written");
        panic!("seed {seed}, {}:\n{report}", path.display());
    }
    assert!(report.summary.committed > 20, "little was done:\n{report}");
    if std::env::var_os("ISOBAR_VERBOSE").is_some() {
        eprintln!("seed {seed}: {}", report);
    }
    world.converged().await;
}

#[test]
fn histories_are_sound_under_network_faults() {
    for_seeds("network_faults", SEEDS, |seed| run(seed, Kinds::Network, 12));
}

#[test]
fn histories_are_sound_under_all_faults() {
    for_seeds("all_faults", SEEDS, |seed| run(seed, Kinds::All, 12));
}
