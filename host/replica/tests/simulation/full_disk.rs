//! A region whose disk is nearly full: others write on as long as a majority has room, and hear of it before a node
//! has to stop for it.

use crate::cluster::for_seeds;
use crate::cluster::rows;
use crate::cluster::world::World;
use isobar_replica::Error;
use std::time::Duration;
use tokio::time::sleep;

const SEEDS: u64 = 3;
const FULL: u64 = 1 << 20;
/// By then the leader has heard of it, and has acted.
const HEARD: Duration = Duration::from_secs(8);

struct Rows {
    world: World,
    next: u64,
}

impl Rows {
    async fn new(seed: u64) -> Rows {
        let world = World::cluster(seed, 10_000, 3).await;
        // A leader that is new has to hear first who has room.
        sleep(HEARD).await;
        Rows { world, next: 1 }
    }

    fn leader(&self) -> u64 {
        self.world.leader().expect("a leader")
    }

    fn set_free(&self, id: u64, bytes: u64) {
        self.world.nodes[&id].disk.set_free(bytes);
    }

    async fn put(&mut self, at: u64) -> Result<(), Error> {
        self.next += 1;
        rows::put(&self.world.running(at), 1, self.next, 8, rows::id(self.next)).await.map(|_| ())
    }

    /// Whose disks a refusal names.
    async fn refused(&mut self, at: u64) -> String {
        let error = self.put(at).await.expect_err("refused");
        assert_eq!(error.sqlstate, "53100", "{error}");
        error.detail.unwrap_or_default()
    }
}

/// The two that do not lead.
fn others(leader: u64) -> (u64, u64) {
    (leader % 3 + 1, (leader + 1) % 3 + 1)
}

async fn leader_is_full(seed: u64) {
    let mut rows = Rows::new(seed).await;
    let leader = rows.leader();
    let (second, third) = others(leader);
    rows.set_free(leader, FULL);
    let refused = rows.refused(leader).await;
    assert_eq!(refused, format!("node {leader} in region-{leader}"));
    // Nobody else hears of it while leadership goes to another node, and nobody waits for an election.
    for _ in 0..100 {
        rows.put(second).await.expect("committed");
        rows.put(third).await.expect("committed");
        sleep(Duration::from_millis(50)).await;
    }
    let now = rows.leader();
    assert_ne!(now, leader, "it leads on");
    sleep(HEARD).await;
    assert_eq!(rows.leader(), now, "leadership goes round");
    rows.set_free(leader, u64::MAX);
    rows.put(leader).await.expect("committed");
    // Followers apply what they have.
    sleep(Duration::from_secs(2)).await;
    rows.world.converged().await;
}

async fn majority_is_full(seed: u64) {
    let mut rows = Rows::new(seed).await;
    let leader = rows.leader();
    let (second, third) = others(leader);
    rows.set_free(second, FULL);
    sleep(HEARD).await;
    rows.put(third).await.expect("two have room");
    assert_eq!(rows.leader(), leader);
    rows.set_free(leader, FULL);
    sleep(HEARD).await;
    let mut named = [leader, second];
    named.sort_unstable();
    let refused = rows.refused(third).await;
    assert_eq!(refused, named.map(|id| format!("node {id} in region-{id}")).join(", "));
    // Reads go on, and a node that is full can be removed.
    rows::get(&rows.world.running(third), 1).await.expect("read");
    rows.world.running(third).remove_member(second).await.expect("removed");
    rows.world.discard(second);
    sleep(HEARD).await;
    rows.put(third).await.expect_err("one of two has no room");
    let fourth = rows.world.add(isobar_replica::Role::Voter).await;
    sleep(HEARD).await;
    rows.put(third).await.expect("two of three have room again");
    rows.put(fourth).await.expect("committed");
    assert_ne!(rows.leader(), leader);
}

async fn one_is_full_and_one_is_gone(seed: u64) {
    let mut rows = Rows::new(seed).await;
    let leader = rows.leader();
    let (second, third) = others(leader);
    rows.set_free(second, FULL);
    sleep(HEARD).await;
    rows.world.crash(third, false);
    sleep(HEARD).await;
    assert_eq!(rows.refused(leader).await, format!("node {second} in region-{second}"));
    assert!(rows.world.start(third).await);
    sleep(HEARD).await;
    rows.put(leader).await.expect("two have room again");
}

#[test]
fn a_leader_with_a_full_disk_gives_way() {
    for_seeds("a_leader_with_a_full_disk_gives_way", SEEDS, leader_is_full);
}

#[test]
fn commits_are_refused_before_a_majority_is_full() {
    for_seeds("commits_are_refused_before_a_majority_is_full", SEEDS, majority_is_full);
}

#[test]
fn commits_are_refused_when_the_full_disk_is_needed() {
    for_seeds("commits_are_refused_when_the_full_disk_is_needed", SEEDS, one_is_full_and_one_is_gone);
}
