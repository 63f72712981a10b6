//! Nodes come, go, die, move and lead while clients write: histories stay sound, nothing acknowledged is lost, and a
//! removed node serves nobody.

use crate::cluster::lists::{self, Record};
use crate::cluster::world::World;
use crate::cluster::{for_seeds, rows};
use isobar_history::check;
use isobar_replica::{Replica, Role};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

const SEEDS: u64 = 12;
const STEPS: u64 = 6;

/// A node with data that runs, and is not `other`.
fn somebody(world: &mut World, other: u64) -> u64 {
    let ids: Vec<u64> = world.nodes.values().filter(|node| node.role == Role::Voter).map(|node| node.id).collect();
    let ids: Vec<u64> = ids.into_iter().filter(|id| *id != other && world.replica(*id).is_some()).collect();
    ids[world.random.below(ids.len() as u64) as usize]
}

async fn is_ready(world: &Arc<Mutex<World>>, id: u64) {
    let replica = world.lock().await.running(id);
    timeout(Duration::from_secs(30), replica.ready()).await.expect("ready in time").expect("ready");
}

/// Removes a node, and sees that it serves nobody.
async fn remove(world: &Arc<Mutex<World>>, id: u64) {
    let (by, removed) = {
        let mut world = world.lock().await;
        let by = somebody(&mut world, id);
        (world.running(by), world.replica(id))
    };
    by.remove_member(id).await.expect("removed");
    if let Some(removed) = removed {
        serves_nobody(&removed, id).await;
    }
    world.lock().await.discard(id);
}

async fn serves_nobody(removed: &Replica, id: u64) {
    let read = rows::get(removed, 1).await;
    assert!(read.as_ref().is_err_and(|error| error.sqlstate == "57P03"), "node {id} has read {read:?}");
}

async fn step(world: &Arc<Mutex<World>>, record: &Record, clients: &mut Vec<lists::Clients>, seed: u64) {
    let (what, victim, leader) = {
        let mut world = world.lock().await;
        let leader = world.leader().unwrap_or(1);
        (world.random.below(8), somebody(&mut world, leader), leader)
    };
    match what {
        // A new node, and when there are enough, an old one goes: the leader, another one, or one that is dead.
        0..=4 => {
            let id = world.lock().await.add(Role::Voter).await;
            clients.push(lists::start_clients(world, record, seed + id, &[id], 1));
            is_ready(world, id).await;
            match what {
                0 => {}
                1 => remove(world, leader).await,
                2 | 3 => remove(world, victim).await,
                _ => {
                    world.lock().await.crash(victim, true);
                    sleep(Duration::from_millis(500)).await;
                    remove(world, victim).await;
                }
            }
        }
        5 => {
            let role = if world.lock().await.random.chance(50) { Role::Learner } else { Role::Witness };
            let id = world.lock().await.add(role).await;
            is_ready(world, id).await;
        }
        6 => {
            let mut world = world.lock().await;
            let who = if world.random.chance(50) { leader } else { victim };
            world.crash(who, false);
            let node = world.nodes.get_mut(&who).expect("a node");
            node.address = format!("{}-moved", node.address);
            assert!(world.start(who).await);
            drop(world);
        }
        _ => {
            let replica = world.lock().await.running(victim);
            let _ = replica.transfer_leader(victim).await;
        }
    }
}

async fn run(seed: u64) {
    let delay = [200, 5_000, 20_000][(seed % 3) as usize];
    let world = World::cluster(seed, delay, 3).await;
    let nodes = world.ids();
    let world = Arc::new(Mutex::new(world));
    let record = Record::new();
    let mut clients = vec![lists::start_clients(&world, &record, seed, &nodes, 2)];
    sleep(Duration::from_secs(1)).await;
    for _ in 0..STEPS {
        step(&world, &record, &mut clients, seed).await;
        let pause = world.lock().await.random.below(1500);
        sleep(Duration::from_millis(pause)).await;
        let ids = world.lock().await.ids();
        for id in ids {
            is_ready(&world, id).await;
        }
    }
    world.lock().await.all_ready(Duration::from_secs(30)).await;
    for clients in clients {
        clients.finish().await;
    }
    sleep(Duration::from_secs(2)).await;
    let world = world.lock().await;
    for node in world.nodes.values().filter(|node| node.role != Role::Witness) {
        lists::read_all(&record, node.id, &world.running(node.id)).await;
    }
    let report = check(&record.finish());
    assert!(report.is_clean(), "{report}");
    assert!(report.summary.committed > 20, "little was done:\n{report}");
    world.converged().await;
}

#[test]
fn members_come_and_go_under_load() {
    for_seeds("members_come_and_go_under_load", SEEDS, run);
}

/// Of two nodes with data and a witness, one lags and the other, which leads, dies: the witness has the newest journal.
async fn witness(seed: u64) {
    let mut world = World::cluster(seed, 5000, 2).await;
    world.add(Role::Witness).await;
    world.all_ready(Duration::from_secs(60)).await;
    sleep(Duration::from_secs(3)).await;
    let leader = world.leader().expect("a leader");
    let other = 3 - leader;
    world.network.cut(leader, other);
    world.network.cut(other, leader);
    let replica = world.running(leader);
    for number in 0..20 + seed * 3 {
        rows::put(&replica, number, number, 8, rows::id(number)).await.expect("committed with the witness");
    }
    world.crash(leader, true);
    world.network.heal();
    let replica = world.running(other);
    timeout(Duration::from_secs(15), replica.ready()).await.expect("ready in time").expect("ready");
    for number in 0..20 + seed * 3 {
        assert_eq!(rows::get(&replica, number).await.expect("read"), Some(number), "an acknowledged commit is lost");
    }
    assert_eq!(world.leader(), Some(other));
    rows::put(&replica, 1, 1000, 8, rows::id(1000)).await.expect("committed");
    world.repair().await;
    world.all_ready(Duration::from_secs(30)).await;
    sleep(Duration::from_secs(2)).await;
    world.converged().await;
}

#[test]
fn a_witness_hands_leadership_on_and_loses_nothing() {
    for_seeds("a_witness_hands_leadership_on_and_loses_nothing", 4, witness);
}
