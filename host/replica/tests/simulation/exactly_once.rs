//! A commit happens once or not at all, whenever its leader dies, and whoever asks for it or sends it again hears the
//! same.

use crate::cluster::world::World;
use crate::cluster::{for_seeds, rows};
use crate::disk::Fault;
use isobar_replica::{Commit, Error, Outcome, Replica};
use std::time::Duration;
use tokio::time::{sleep, timeout};

const SEEDS: u64 = 60;
/// Operations of the leader's disk in which two commits are over.
const OPERATIONS: u64 = 24;

/// Increments a row; the answer, unless there is none.
async fn commit(replica: Replica, row: u64) -> Option<Result<Commit, Error>> {
    let transaction = rows::increment(&replica, row).await.ok()?;
    timeout(Duration::from_secs(20), replica.commit(transaction, rows::id(row))).await.ok()
}

async fn run(seed: u64) {
    let delay = [200, 5_000, 20_000][(seed % 3) as usize];
    let mut world = World::cluster(seed, delay, 3).await;
    sleep(Duration::from_secs(2)).await;
    let leader = world.leader().expect("a leader");
    let mut rows = Vec::new();
    for id in world.ids() {
        rows.push(100 + id);
    }
    if seed.is_multiple_of(2) {
        world.nodes[&leader].disk.plan(Fault::PowerLoss, 1 + seed / 2 % OPERATIONS);
    }
    let clients: Vec<_> =
        rows.iter().zip(world.ids()).map(|(row, id)| tokio::spawn(commit(world.running(id), *row))).collect();
    if seed % 2 == 1 {
        // Cut just before it answers, or just after.
        let micros = world.random.below(6 * delay + 2000);
        sleep(Duration::from_micros(micros)).await;
        let both = world.random.chance(50);
        for other in world.ids().into_iter().filter(|id| *id != leader) {
            world.network.cut(leader, other);
            if both {
                world.network.cut(other, leader);
            }
        }
        sleep(Duration::from_millis(world.random.below(4000))).await;
        world.crash(leader, true);
    }
    let mut answers = Vec::new();
    for client in clients {
        answers.push(client.await.expect("no panic"));
    }
    if world.replica(leader).is_some() {
        world.crash(leader, true);
    }
    world.repair().await;
    world.all_ready(Duration::from_secs(30)).await;
    for (row, answer) in rows.into_iter().zip(answers) {
        let mut timestamp = None;
        for id in world.ids() {
            let outcome = world.running(id).outcome(rows::id(row)).await.expect("an answer");
            let value = rows::get(&world.running(id), row).await.expect("read");
            let committed = match &outcome {
                Some(Outcome::Committed { timestamp }) => Some(*timestamp),
                // A new leader may not know what was committed before its journal begins.
                Some(Outcome::Refused { error }) if error.sqlstate == "40001" => None,
                Some(Outcome::Refused { error }) => panic!("refused for good: {error}"),
                None => None,
            };
            assert_eq!(value, committed.map(|_| 1), "node {id} says {outcome:?} and has {value:?}");
            assert!(id == 1 || timestamp == committed, "nodes say different things of a commit");
            timestamp = committed;
        }
        match &answer {
            Some(Ok(commit)) => assert_eq!(Some(commit.timestamp), timestamp, "an acknowledged commit is lost"),
            Some(Err(error)) if ["57P03", "40001"].contains(&error.sqlstate) => {
                assert_eq!(timestamp, None, "a commit that was refused has happened: {error}");
            }
            Some(Err(error)) => assert!(["08007", "XX000"].contains(&error.sqlstate), "{error}"),
            None => {}
        }
        // Sent again, by somebody who does not know: the first outcome, or the first time.
        let replica = world.running(1 + seed % 3);
        let again = rows::increment(&replica, row).await.expect("a transaction");
        let committed = match replica.commit(again, rows::id(row)).await {
            Ok(again) => {
                assert!(timestamp.is_none_or(|first| first == again.timestamp), "committed twice");
                true
            }
            Err(error) => {
                assert_eq!((error.sqlstate, timestamp), ("40001", None), "{error}");
                false
            }
        };
        for id in world.ids() {
            let value = rows::get(&world.running(id), row).await.expect("read");
            assert_eq!(value, committed.then_some(1), "at node {id}");
        }
    }
}

#[test]
fn a_commit_happens_once_or_not_at_all() {
    for_seeds("a_commit_happens_once_or_not_at_all", SEEDS, run);
}
