//! What goes wrong, at moments that a seed chooses.

use super::world::World;
use crate::disk::Fault;
use isobar_replica::Role;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

/// Kinds of faults that a run may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kinds {
    /// Links only.
    Network,
    /// Everything: a node is down for a while, and all of them one after the other.
    All,
}

/// Nodes of a cluster that grows and shrinks.
const LEAST: usize = 3;
const MOST: usize = 5;

/// Does harm for a while.
pub async fn run(world: &Arc<tokio::sync::Mutex<World>>, kinds: Kinds, rounds: u64) {
    for _ in 0..rounds {
        let pause = {
            let mut world = world.lock().await;
            one(&mut world, kinds).await;
            world.random.below(2500)
        };
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let mut world = world.lock().await;
        if world.random.chance(50) {
            world.network.heal();
        }
        restart_some(&mut world).await;
    }
}

async fn one(world: &mut World, kinds: Kinds) {
    let (victim, other) = (world.any_id(), world.any_id());
    let what = world.random.below(if kinds == Kinds::Network { 5 } else { 15 });
    match what {
        0 => isolate(world, victim, true, true),
        1 => isolate(world, victim, true, false),
        2 => isolate(world, victim, false, true),
        3 if victim != other => {
            world.network.cut(victim, other);
            if world.random.chance(50) {
                world.network.cut(other, victim);
            }
        }
        3 | 4 => {
            let micros = 20_000 + world.random.below(150_000);
            world.network.set_delay(victim, other, micros);
            let loss = world.random.below(20);
            world.network.set_loss(loss);
        }
        5 | 6 => world.crash(victim, true),
        7 => world.crash(victim, false),
        8 => {
            // The leader, at a moment of its own work.
            let leader = world.leader().unwrap_or(victim);
            let at = 1 + world.random.below(200);
            world.nodes[&leader].disk.plan(Fault::PowerLoss, at);
        }
        9 => {
            let at = 1 + world.random.below(300);
            let kind = if world.random.chance(50) { ErrorKind::StorageFull } else { ErrorKind::Other };
            world.nodes[&victim].disk.plan(Fault::Error(kind), at);
        }
        10 => {
            let micros = world.random.below(20_000_000) as i64 - 10_000_000;
            world.nodes[&victim].clock.jump(micros);
        }
        11 => {
            // All of them, one after the other.
            for id in world.ids() {
                world.crash(id, false);
                world.start(id).await;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
        12 if world.nodes.len() < MOST => {
            let role = [Role::Voter, Role::Learner, Role::Witness][world.random.below(3) as usize];
            world.add(role).await;
        }
        13 if world.nodes.len() > LEAST => {
            if let Some(replica) = world.replica(other) {
                let removed = tokio::time::timeout(Duration::from_secs(10), replica.remove_member(victim)).await;
                if matches!(removed, Ok(Ok(()))) {
                    world.discard(victim);
                } else {
                    world.leaving.insert(victim);
                }
            }
        }
        _ => {
            if let Some(replica) = world.replica(other) {
                tokio::spawn(async move { replica.transfer_leader(victim).await });
            }
        }
    }
}

fn isolate(world: &mut World, victim: u64, from: bool, to: bool) {
    for other in world.ids() {
        if other != victim && from {
            world.network.cut(victim, other);
        }
        if other != victim && to {
            world.network.cut(other, victim);
        }
    }
}

/// Starts some of what is down, and ends what can do nothing more.
async fn restart_some(world: &mut World) {
    for id in world.ids() {
        let dead = world.replica(id).is_some_and(|replica| replica.has_failed());
        if dead {
            let power = world.random.chance(50);
            world.crash(id, power);
        }
        if world.replica(id).is_none() && world.random.chance(60) {
            world.start(id).await;
        }
    }
}
