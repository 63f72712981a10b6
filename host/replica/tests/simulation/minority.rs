//! A node that is cut off refuses reads and writes in bounded time and says why; the others go on within two election
//! timeouts.

use crate::cluster::world::{World, limits};
use crate::cluster::{for_seeds, rows};
use isobar_replica::Replica;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const SEEDS: u64 = 12;
/// Timers, and looks at what has changed.
const SLACK: Duration = Duration::from_millis(200);
/// The cut lasts longer than any wait.
const CUT: Duration = Duration::from_secs(18);

/// Commits one row after the other; answers the longest time without a commit.
async fn write(replica: Replica, row: u64, next_id: Arc<AtomicU64>, stop: Arc<AtomicBool>) -> Duration {
    let (mut longest, mut last) = (Duration::ZERO, Instant::now());
    while !stop.load(Ordering::Relaxed) {
        let id = rows::id(next_id.fetch_add(1, Ordering::Relaxed));
        if rows::put(&replica, row, 1, 8, id).await.is_ok() {
            longest = longest.max(last.elapsed());
            last = Instant::now();
        }
        sleep(Duration::from_millis(50)).await;
    }
    longest.max(last.elapsed())
}

async fn run(seed: u64) {
    let delay = [200, 10_000][(seed % 2) as usize];
    let world = World::cluster(seed, delay, 3).await;
    sleep(Duration::from_secs(3)).await;
    let leader = world.leader().expect("a leader");
    let victim = if (seed / 2).is_multiple_of(2) { leader } else { leader % 3 + 1 };
    let replica = world.running(victim);
    let (next_id, stop) = (Arc::new(AtomicU64::new(100)), Arc::new(AtomicBool::new(false)));
    let others: Vec<u64> = world.ids().into_iter().filter(|id| *id != victim).collect();
    let writers: Vec<_> =
        others.iter().map(|id| tokio::spawn(write(world.running(*id), *id, next_id.clone(), stop.clone()))).collect();
    sleep(Duration::from_secs(1)).await;
    let open = rows::increment(&replica, 50).await.expect("a transaction");
    let open_later = rows::increment(&replica, 51).await.expect("a transaction");
    let (out, back) = [(true, true), (true, false), (false, true)][(seed / 4 % 3) as usize];
    for other in &others {
        if out {
            world.network.cut(victim, *other);
        }
        if back {
            world.network.cut(*other, victim);
        }
    }
    let cut = Instant::now();
    let limits = limits();
    let reach = Duration::from_millis(limits.reach_milliseconds) + SLACK;
    let commit = Duration::from_millis(limits.commit_milliseconds) + SLACK;
    let at_once = tokio::spawn({
        let replica = replica.clone();
        async move { (replica.commit(open, rows::id(1)).await, cut.elapsed()) }
    });
    // No lease lasts longer.
    sleep(Duration::from_secs(2)).await;
    for _ in 0..2 {
        let began = Instant::now();
        let error = rows::get(&replica, 50).await.expect_err("no majority");
        assert_eq!(error.sqlstate, "57P03", "{error}");
        assert!(began.elapsed() <= reach, "a read was refused after {:?}", began.elapsed());
    }
    let began = Instant::now();
    let late = replica.commit(open_later, rows::id(2)).await.expect_err("no majority");
    assert!(["57P03", "08007"].contains(&late.sqlstate), "{late}");
    assert!(began.elapsed() <= commit, "a commit was refused after {:?}", began.elapsed());
    let (at_once, took) = at_once.await.expect("no panic");
    if let Err(error) = &at_once {
        assert_eq!(error.sqlstate, "08007", "it may be under way: {error}");
    }
    assert!(took <= commit, "a commit was refused after {took:?}");
    sleep(CUT.saturating_sub(cut.elapsed())).await;
    stop.store(true, Ordering::Relaxed);
    let two_elections = Duration::from_millis(limits.election_milliseconds * 2);
    for (writer, id) in writers.into_iter().zip(&others) {
        let gap = writer.await.expect("no panic");
        let who = if victim == leader { "the leader" } else { "a follower" };
        eprintln!("seed {seed}: {who} cut off (out {out}, back {back}): node {id} went on after {gap:?}");
        assert!(gap <= two_elections, "node {id} could not commit for {gap:?}");
    }
    world.network.heal();
    world.all_ready(Duration::from_secs(10)).await;
    // What was left open has one answer, the same everywhere.
    for (number, row, known) in [(1, 50, at_once.ok()), (2, 51, None)] {
        sleep(Duration::from_secs(1)).await;
        let outcome = world.running(leader).outcome(rows::id(number)).await.expect("an answer");
        assert!(known.is_none() || outcome.is_some(), "an acknowledged commit is lost");
        for id in world.ids() {
            assert_eq!(world.running(id).outcome(rows::id(number)).await.expect("an answer"), outcome);
            let value = rows::get(&world.running(id), row).await.expect("read");
            assert_eq!(value.is_some(), outcome.is_some(), "the outcome is not what is there");
        }
    }
    // Whoever was cut off, and had entries of its own replaced by another leader's, may lead again and decide.
    for _ in 0..30 {
        if world.leader() == Some(victim) {
            break;
        }
        let _ = world.running(others[0]).transfer_leader(victim).await;
        sleep(Duration::from_secs(1)).await;
    }
    let id = rows::id(next_id.fetch_add(1, Ordering::Relaxed));
    rows::put(&replica, victim, 1, 8, id).await.expect("a commit at whoever was cut off");
}

#[test]
fn a_minority_refuses_and_the_majority_goes_on() {
    for_seeds("a_minority_refuses_and_the_majority_goes_on", SEEDS, run);
}

/// A leader that hears nobody for a while, and is heard, may stay what it is; its journal takes nothing meanwhile.
async fn deaf(seed: u64) {
    let world = World::cluster(seed, 5000, 3).await;
    sleep(Duration::from_secs(3)).await;
    let leader = world.leader().expect("a leader");
    let replica = world.running(leader);
    let others: Vec<u64> = world.ids().into_iter().filter(|id| *id != leader).collect();
    let open = rows::increment(&replica, 50).await.expect("a transaction");
    others.iter().for_each(|other| world.network.cut(*other, leader));
    // Longer than its lease, and shorter than any election.
    sleep(Duration::from_millis(limits().election_milliseconds + 50 * (seed % 4))).await;
    let commit = tokio::spawn(async move { replica.commit(open, rows::id(1)).await });
    sleep(Duration::from_millis(100)).await;
    world.network.heal();
    commit.await.expect("no panic").expect("committed in the end");
    for id in world.ids() {
        let number = rows::id(10 + id);
        rows::put(&world.running(id), id, 1, 8, number).await.expect("a commit after the cut");
    }
}

#[test]
fn a_leader_that_was_deaf_decides_again() {
    for_seeds("a_leader_that_was_deaf_decides_again", SEEDS, deaf);
}
