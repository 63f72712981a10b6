//! Of transactions that conflict, one wins: also when another node leads that knows of the winner only from a journal
//! that has been purged since.

use crate::cluster::world::{World, limits};
use crate::cluster::{for_seeds, rows};
use std::time::Duration;
use tokio::time::sleep;

const SEEDS: u64 = 3;

async fn run(seed: u64) {
    let mut world = World::cluster(seed, 500, 3).await;
    sleep(Duration::from_secs(2)).await;
    let leader = world.leader().expect("a leader");
    let other = leader % 3 + 1;
    let early = rows::increment(&world.running(other), 1).await.expect("a transaction");
    let winner = rows::increment(&world.running(leader), 1).await.expect("a transaction");
    world.running(leader).commit(winner, rows::id(1)).await.expect("committed");
    for number in 0..limits().journal_entries_behind * 3 {
        rows::put(&world.running(leader), 2, number, 8, rows::id(100 + number)).await.expect("committed");
    }
    let first = world.running(other).journal_entries().expect("a journal")[0].index;
    assert!(first > 50, "the journal still has the winner: {first}");
    world.crash(leader, seed.is_multiple_of(2));
    let lost = world.running(other).commit(early, rows::id(2)).await.expect_err("the other one won");
    assert_eq!(lost.sqlstate, "40001", "{lost}");
    world.repair().await;
    world.all_ready(Duration::from_secs(30)).await;
    for id in world.ids() {
        assert_eq!(rows::get(&world.running(id), 1).await.expect("read"), Some(1), "at node {id}");
    }
}

#[test]
fn a_new_leader_refuses_what_it_cannot_judge() {
    for_seeds("a_new_leader_refuses_what_it_cannot_judge", SEEDS, run);
}
