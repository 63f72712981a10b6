//! Nothing acknowledged before a read began is missing from it, at the moment that is the worst for leases: another
//! leader takes over, without the voters' patience, while a holder hears of nothing.

use crate::cluster::world::World;
use crate::cluster::{for_seeds, rows};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

const SEEDS: u64 = 12;

/// The leader hands over while a holder is cut off: the new leader may have nothing acknowledged that the holder does
/// not see, for as long as it may read.
async fn handed_over(seed: u64) {
    let world = World::cluster(seed, 1000, 3).await;
    rows::put(&world.running(1), 1, 0, 8, rows::id(0)).await.expect("committed");
    sleep(Duration::from_secs(3) + Duration::from_millis(seed * 37)).await;
    let leader = world.leader().expect("a leader");
    let (heir, holder) = (leader % 3 + 1, (leader + 1) % 3 + 1);
    let reads = world.running(holder).metrics().local_reads;
    assert_eq!(rows::get(&world.running(holder), 1).await.expect("read"), Some(0));
    assert_eq!(world.running(holder).metrics().local_reads, reads + 1, "it holds a lease");
    for other in [leader, heir] {
        world.network.cut(holder, other);
        world.network.cut(other, holder);
    }
    world.running(leader).transfer_leader(heir).await.expect("handed over");
    let cut = Instant::now();
    let replica = world.running(heir);
    for value in 1..20 {
        rows::put(&replica, 1, value, 8, rows::id(value)).await.expect("committed");
        // A node that cannot read now waits, and that is right.
        if let Ok(Ok(seen)) = timeout(Duration::from_millis(5), rows::get(&world.running(holder), 1)).await {
            assert_eq!(seen, Some(value), "read at a holder {:?} after it was cut off", cut.elapsed());
        }
    }
}

#[test]
fn leadership_is_handed_over_when_leases_have_ended() {
    for_seeds("leadership_is_handed_over_when_leases_have_ended", SEEDS, handed_over);
}
