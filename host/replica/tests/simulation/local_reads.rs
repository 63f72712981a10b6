//! What things cost when nothing is wrong, on simulated time: reads at every node cost neither messages nor time, a
//! commit the round trip to the farthest node, and elsewhere one more to the leader.

use crate::cluster::world::World;
use crate::cluster::{for_seeds, rows};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const SEEDS: u64 = 9;
const STRETCH: Duration = Duration::from_secs(10);
/// Between two reads at a node.
const PAUSE: Duration = Duration::from_millis(50);
/// Timers are rounded up to milliseconds, several on each way.
const ROUNDING: Duration = Duration::from_millis(8);

/// One way, in milliseconds.
fn delay(from: u64, to: u64) -> u64 {
    match (from.min(to), from.max(to)) {
        (1, 2) => 10,
        (1, 3) => 20,
        (2, 3) => 30,
        _ => 0,
    }
}

/// A steady cluster that a certain node leads.
async fn steady(seed: u64, leader: u64) -> World {
    let world = World::cluster(seed, 1000, 3).await;
    world.network.no_jitter();
    for (from, to) in [(1, 2), (1, 3), (2, 3)] {
        world.network.set_delay(from, to, delay(from, to) * 1000);
    }
    for _ in 0..5 {
        world.running(1).transfer_leader(leader).await.expect("another leader");
        sleep(Duration::from_secs(5)).await;
        if world.leader() == Some(leader) {
            break;
        }
    }
    assert_eq!(world.leader(), Some(leader));
    world
}

async fn reads_cost_nothing(seed: u64) {
    let world = steady(seed, 1 + seed % 3).await;
    rows::put(&world.running(1), 1, 42, 8, rows::id(1)).await.expect("committed");
    sleep(Duration::from_secs(2)).await;
    let carried = || world.ids().into_iter().map(|id| world.network.carried_from(id)).collect::<Vec<_>>();
    let before = carried();
    sleep(STRETCH).await;
    let idle: Vec<u64> = carried().iter().zip(before).map(|(now, before)| now - before).collect();
    let counters = || world.ids().into_iter().map(|id| world.running(id).metrics()).collect::<Vec<_>>();
    let (before, metrics) = (carried(), counters());
    let end = Instant::now() + STRETCH;
    let mut reads = 0;
    while Instant::now() < end {
        for id in world.ids() {
            let began = Instant::now();
            let row = rows::get(&world.running(id), 1).await.expect("read");
            assert_eq!(row, Some(42));
            assert_eq!(began.elapsed(), Duration::ZERO, "a read at node {id} took time");
        }
        reads += 1;
        sleep(PAUSE).await;
    }
    let busy: Vec<u64> = carried().iter().zip(before).map(|(now, before)| now - before).collect();
    for (id, (idle, busy)) in world.ids().into_iter().zip(idle.iter().zip(&busy)) {
        // Heartbeats and leases at the ends of the stretches; a message a read would be hundreds.
        assert!(busy.abs_diff(*idle) <= 16, "node {id} sent {busy} messages with {reads} reads, {idle} without");
    }
    for (before, after) in metrics.iter().zip(counters()) {
        assert_eq!(after.remote_reads, before.remote_reads);
        assert_eq!(after.local_reads, before.local_reads + reads);
    }
}

async fn commits_cost_what_they_must(seed: u64) {
    let leader = 1 + seed % 3;
    let world = steady(seed, leader).await;
    let round_trip = |from, to| Duration::from_millis(2 * delay(from, to));
    let farthest = world.ids().into_iter().map(|id| round_trip(leader, id)).max().expect("nodes");
    for (number, at) in (0..12).map(|number| (number, 1 + number % 3)) {
        let replica = world.running(at);
        let began = Instant::now();
        rows::put(&replica, 1, number, 8, rows::id(number)).await.expect("committed");
        let (took, least) = (began.elapsed(), farthest + round_trip(leader, at));
        assert!(took >= least && took <= least + ROUNDING, "a commit at {at} took {took:?}, not {least:?}");
        let began = Instant::now();
        assert_eq!(rows::get(&replica, 1).await.expect("read"), Some(number));
        assert_eq!(began.elapsed(), Duration::ZERO, "reading one's own write took time");
        for other in world.ids() {
            let began = Instant::now();
            assert_eq!(rows::get(&world.running(other), 1).await.expect("read"), Some(number), "at node {other}");
            let way = Duration::from_millis(delay(leader, other));
            assert!(began.elapsed() <= way + ROUNDING, "node {other} took {:?}", began.elapsed());
        }
        sleep(Duration::from_millis(700 + 37 * number)).await;
    }
}

#[test]
fn reads_cost_no_message_and_no_time() {
    for_seeds("reads_cost_no_message_and_no_time", SEEDS, reads_cost_nothing);
}

#[test]
fn commits_cost_the_round_trips_that_they_must() {
    for_seeds("commits_cost_the_round_trips_that_they_must", SEEDS, commits_cost_what_they_must);
}
