//! A node that was away comes back: by journal, or by snapshot when it was away for longer than the journal is kept. A
//! transfer that is cut goes on where it was, and nobody waits for it.

use crate::cluster::world::{World, limits};
use crate::cluster::{for_seeds, rows};
use crate::disk::Fault;
use isobar_replica::Replica;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const SEEDS: u64 = 3;
/// Rows that make a snapshot some dozens of chunks long.
const ROWS: u64 = 80;
const ROW_BYTES: usize = 200_000;
const CUTS: u64 = 4;

/// Commits until told to stop; answers how long the slowest commit took.
async fn write(replica: Replica, next: Arc<AtomicU64>, stop: Arc<AtomicBool>) -> Duration {
    let mut slowest = Duration::ZERO;
    while !stop.load(Ordering::Relaxed) {
        let (number, began) = (next.fetch_add(1, Ordering::Relaxed), Instant::now());
        rows::put(&replica, 10_000, number, 8, rows::id(number)).await.expect("committed");
        slowest = slowest.max(began.elapsed());
        sleep(Duration::from_millis(30)).await;
    }
    slowest
}

async fn run(seed: u64, by_snapshot: bool) {
    let mut world = World::cluster(seed, 2000, 3).await;
    sleep(Duration::from_secs(2)).await;
    let leader = world.leader().expect("a leader");
    let away = leader % 3 + 1;
    let replica = world.running(leader);
    let next = Arc::new(AtomicU64::new(1));
    if by_snapshot {
        for number in 0..ROWS {
            let id = rows::id(next.fetch_add(1, Ordering::Relaxed));
            rows::put(&replica, number, number, ROW_BYTES, id).await.expect("committed");
        }
    }
    world.crash(away, seed.is_multiple_of(2));
    let missed = if by_snapshot { limits().journal_entries_behind * 2 } else { limits().journal_entries_behind / 3 };
    for _ in 0..missed {
        let number = next.fetch_add(1, Ordering::Relaxed);
        rows::put(&replica, 20_000, number, 8, rows::id(number)).await.expect("committed");
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write(replica.clone(), next.clone(), stop.clone()));
    // A chunk takes a fifth of a second.
    world.network.set_bandwidth(5_000_000);
    let chunks = replica.snapshot().await.expect("a snapshot").count() as u64;
    assert!(world.start(away).await);
    if by_snapshot {
        for cut in 1..=CUTS {
            while world.network.chunks_at(away) < cut * chunks / (CUTS + 2) {
                sleep(Duration::from_millis(10)).await;
            }
            world.network.cut(leader, away);
            world.network.cut(away, leader);
            sleep(Duration::from_millis(2500)).await;
            world.network.heal();
        }
    }
    world.all_ready(Duration::from_secs(60)).await;
    stop.store(true, Ordering::Relaxed);
    let slowest = writer.await.expect("no panic");
    let lease = Duration::from_millis(limits().lease_milliseconds * 115 / 100);
    assert!(slowest <= lease, "a commit waited for {slowest:?} for a node that was catching up");
    let arrived = world.network.chunks_at(away);
    if by_snapshot {
        assert!(chunks > 10, "too short a snapshot to cut: {chunks} chunks");
        // A cut may lose a chunk that had arrived.
        assert!(arrived >= chunks && arrived <= chunks + 2 * CUTS, "{arrived} chunks arrived of {chunks}");
    } else {
        assert_eq!(arrived, 0, "the journal was there");
    }
    let last = next.load(Ordering::Relaxed) - 1;
    assert_eq!(rows::get(&world.running(away), 10_000).await.expect("read"), Some(last));
    sleep(Duration::from_secs(2)).await;
    world.converged().await;
}

/// A node that lacks what the journal holds no more, and the leader; the node does not run.
async fn one_is_away(seed: u64) -> (World, u64, u64) {
    let mut world = World::cluster(seed, 2000, 3).await;
    sleep(Duration::from_secs(2)).await;
    let leader = world.leader().expect("a leader");
    let away = leader % 3 + 1;
    let replica = world.running(leader);
    world.crash(away, false);
    for number in 0..limits().journal_entries_behind * 2 {
        // Some long rows make some chunks.
        let length = if number < 20 { ROW_BYTES } else { 8 };
        rows::put(&replica, number, number, length, rows::id(number)).await.expect("committed");
    }
    (world, leader, away)
}

/// What arrives with a wrong byte is refused and asked for again, and the node goes on as it was.
async fn spoiled(seed: u64) {
    let (mut world, _, away) = one_is_away(seed).await;
    world.network.spoil_chunks(away, 2);
    assert!(world.start(away).await);
    world.all_ready(Duration::from_secs(60)).await;
    assert!(!world.running(away).has_failed());
    sleep(Duration::from_secs(2)).await;
    world.converged().await;
}

/// A node without room for a snapshot goes on without it, and takes it when there is room.
async fn crowded(seed: u64) {
    let (mut world, _, away) = one_is_away(seed).await;
    let reserve = limits().disk_reserve_bytes;
    // Room for some of its chunks.
    world.nodes[&away].disk.set_free(reserve + 6 * ROW_BYTES as u64);
    assert!(world.start(away).await);
    sleep(Duration::from_secs(20)).await;
    let replica = world.running(away);
    assert!(!replica.has_failed());
    assert!(replica.progress().applied_index < limits().journal_entries_behind, "it was installed");
    assert!(world.network.chunks_at(away) > 0, "nothing was sent");
    world.nodes[&away].disk.set_free(u64::MAX);
    world.all_ready(Duration::from_secs(60)).await;
    sleep(Duration::from_secs(2)).await;
    world.converged().await;
}

/// A store that cannot be written to while it is replaced stops its node for good, which then starts anew from what it
/// had.
async fn broken(seed: u64) {
    let (mut world, leader, away) = one_is_away(seed).await;
    let chunks = world.running(leader).snapshot().await.expect("a snapshot").count() as u64;
    assert!(world.start(away).await);
    while world.network.chunks_at(away) < chunks {
        sleep(Duration::from_millis(1)).await;
    }
    world.nodes[&away].disk.plan(Fault::Error(std::io::ErrorKind::Other), 20);
    let failed = tokio::time::timeout(Duration::from_secs(30), world.running(away).wait_for_failure()).await;
    let why = failed.expect("it fails").to_string();
    assert!(why.contains("the store cannot be written to"), "{why}");
    assert!(world.running(away).has_failed());
    world.repair().await;
    world.all_ready(Duration::from_secs(60)).await;
    sleep(Duration::from_secs(2)).await;
    world.converged().await;
}

#[test]
fn a_store_that_fails_while_it_is_replaced_comes_back() {
    for_seeds("a_store_that_fails_while_it_is_replaced_comes_back", SEEDS, broken);
}

#[test]
fn a_snapshot_waits_for_room() {
    for_seeds("a_snapshot_waits_for_room", SEEDS, crowded);
}

#[test]
fn a_snapshot_with_wrong_bytes_is_asked_for_again() {
    for_seeds("a_snapshot_with_wrong_bytes_is_asked_for_again", SEEDS, spoiled);
}

#[test]
fn a_snapshot_that_is_cut_goes_on() {
    for_seeds("a_snapshot_that_is_cut_goes_on", SEEDS, |seed| run(seed, true));
}

#[test]
fn a_node_that_was_away_for_less_comes_back_by_journal() {
    for_seeds("a_node_that_was_away_for_less_comes_back_by_journal", SEEDS, |seed| run(seed, false));
}
