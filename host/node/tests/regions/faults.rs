//! What goes wrong: processes killed, paused, stopped and replaced, links cut, slow and reset, a leader moved, a full
//! disk.

use std::time::{Duration, Instant};

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::client::{self, Answer, Failure};
use crate::nodes::{Cluster, PATIENCE, REGIONS, Start, isobar, voters};
use crate::work::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Kill,
    KillLeader,
    KillMajority,
    Pause,
    PauseLeader,
    /// One region hears nobody and is heard by nobody.
    Isolate,
    /// The same for whoever leads, until it must have noticed; measures what both sides answer.
    Minority,
    CutPair,
    /// Bytes from one region to another stop.
    CutOneWay,
    /// One region is heard by nobody.
    Mute,
    /// One region hears nobody.
    Deafen,
    /// Whoever leads keeps the others from an election, and cannot know what they have.
    DeafenLeader,
    Reset,
    Slow,
    Transfer,
    RollingRestart,
    Replace,
    FullDisk,
}

pub const ALL: [Fault; 18] = [
    Fault::Kill,
    Fault::KillLeader,
    Fault::KillMajority,
    Fault::Pause,
    Fault::PauseLeader,
    Fault::Isolate,
    Fault::Minority,
    Fault::CutPair,
    Fault::CutOneWay,
    Fault::Mute,
    Fault::Deafen,
    Fault::DeafenLeader,
    Fault::Reset,
    Fault::Slow,
    Fault::Transfer,
    Fault::RollingRestart,
    Fault::Replace,
    Fault::FullDisk,
];

/// When faults begin and how long they may last.
pub struct Chaos<'w> {
    pub world: &'w World,
    pub random: StdRng,
    pub hold_max: Duration,
    pub began: Instant,
    /// Those that there are.
    pub faults: Vec<Fault>,
}

fn others(place: usize) -> impl Iterator<Item = usize> {
    (0..REGIONS.len()).filter(move |other| *other != place)
}

impl Chaos<'_> {
    fn say(&self, what: &str) {
        println!("{:6.1} s  {what}", self.began.elapsed().as_secs_f64());
    }

    /// All faults once, in any order, and then more until the time is over.
    pub async fn run(&mut self, time: Duration) {
        let mut queue = self.faults.clone();
        queue.shuffle(&mut self.random);
        loop {
            let Some(fault) = queue.pop() else {
                if self.began.elapsed() >= time {
                    return;
                }
                queue = self.faults.clone();
                queue.shuffle(&mut self.random);
                continue;
            };
            self.strike(fault).await;
            // Some faults come before the last one is over.
            if queue.is_empty() || self.began.elapsed() >= time || self.random.random_bool(0.7) {
                self.world.restore().await;
                self.say("all serve");
                self.rest(Duration::from_millis(500)).await;
            } else {
                self.world.cluster.revive();
                self.world.cluster.network.heal(crate::nodes::DELAY);
            }
        }
    }

    async fn hold(&mut self) {
        self.rest(self.hold_max).await;
    }

    async fn rest(&mut self, most: Duration) {
        let fraction = self.random.random_range(0.2..=1.0);
        tokio::time::sleep(most.mul_f64(fraction)).await;
    }

    fn anybody(&mut self) -> usize {
        self.random.random_range(0..REGIONS.len())
    }

    async fn leader(&mut self) -> usize {
        match self.world.cluster.leader().await {
            Some(place) => place,
            None => self.anybody(),
        }
    }

    async fn strike(&mut self, fault: Fault) {
        let world = self.world;
        let (cluster, network) = (&world.cluster, &world.cluster.network);
        let leads = matches!(fault, Fault::KillLeader | Fault::PauseLeader | Fault::DeafenLeader | Fault::Minority);
        let place = if leads { self.leader().await } else { self.anybody() };
        let other = others(place).nth(self.random.random_range(0..2)).expect("two others");
        self.say(&format!("{fault:?}: {} ({})", REGIONS[place], REGIONS[other]));
        match fault {
            Fault::Kill | Fault::KillLeader => cluster.kill(place),
            Fault::KillMajority => {
                cluster.kill(place);
                cluster.kill(other);
            }
            Fault::Pause | Fault::PauseLeader => cluster.pause(place),
            Fault::Isolate => others(place).for_each(|other| network.cut_both_ways(place, other)),
            Fault::Minority => return self.minority(place, other).await,
            Fault::CutPair => network.cut_both_ways(place, other),
            Fault::CutOneWay => network.cut(place, other),
            Fault::Mute => others(place).for_each(|other| network.cut(place, other)),
            Fault::Deafen | Fault::DeafenLeader => others(place).for_each(|other| network.cut(other, place)),
            Fault::Reset => others(place).for_each(|other| network.reset(place, other)),
            Fault::Slow => {
                for other in others(place) {
                    for (from, to) in [(place, other), (other, place)] {
                        network.delay(from, to, Duration::from_millis(self.random.random_range(10..200)));
                    }
                }
            }
            Fault::Transfer => return self.transfer(place, other).await,
            Fault::RollingRestart => {
                world.restore().await;
                for place in 0..REGIONS.len() {
                    cluster.stop(place).await;
                    cluster.start(place, Start::default());
                    cluster.until(place, "all votes are here", |status| voters(status) == REGIONS.len()).await;
                }
                return;
            }
            Fault::Replace => return self.replace(place, other).await,
            Fault::FullDisk => return self.full_disk(place, other).await,
        }
        self.hold().await;
    }

    /// Hands leadership to a region, asked at another one.
    async fn transfer(&mut self, to: usize, at: usize) {
        self.world.restore().await;
        self.command(&["cluster", "transfer", REGIONS[to]], at, "has not taken over").await;
    }

    /// Runs a command of the cluster until it succeeds: leadership may be on its way elsewhere.
    async fn command(&self, arguments: &[&str], at: usize, may_say: &str) {
        let url = self.world.cluster.url(at);
        let arguments: Vec<String> = arguments.iter().chain(&["--url", &url]).map(|text| text.to_string()).collect();
        let begin = Instant::now();
        loop {
            let arguments = arguments.clone();
            let run = move || isobar(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
            let output = tokio::task::spawn_blocking(run).await.expect("no panic");
            if output.status.success() {
                return;
            }
            let said = String::from_utf8_lossy(&output.stderr);
            let is_patient = said.contains(may_say) || said.contains("57P03");
            assert!(is_patient && begin.elapsed() < PATIENCE, "{}: {said}", REGIONS[at]);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// One node goes for good, and a new one takes its place, while writes go on.
    async fn replace(&mut self, place: usize, member: usize) {
        let (world, cluster) = (self.world, &self.world.cluster);
        world.restore().await;
        self.command(&["cluster", "remove", REGIONS[place]], member, "57P03").await;
        cluster.replace(place, member);
        cluster.until(place, "a new node votes", |status| voters(status) == REGIONS.len()).await;
        world.insist(place, "SELECT 1").await;
    }

    /// A node whose disk is full refuses writes and serves reads; the others go on.
    async fn full_disk(&mut self, place: usize, other: usize) {
        let (world, cluster) = (self.world, &self.world.cluster);
        world.restore().await;
        cluster.stop(place).await;
        cluster.start(place, Start { full_disk: true, ..Start::default() });
        world.insist(place, "SELECT count(*) FROM log").await;
        let answer = client::sql(cluster.http(place), "INSERT INTO log (request) VALUES (0)").await;
        assert_code(&answer, "53100", "a write to a full disk");
        world.insist(place, "SELECT count(*) FROM log").await;
        world.insist(other, "INSERT INTO log (request) VALUES (0)").await;
        self.hold().await;
        cluster.stop(place).await;
    }

    /// Whoever leads is cut off. It answers 57P03 in bounded time, and the others go on without it.
    async fn minority(&mut self, place: usize, other: usize) {
        let (world, cluster) = (self.world, &self.world.cluster);
        world.restore().await;
        let place = cluster.leader().await.unwrap_or(place);
        let other = if other == place { others(place).next().expect("two others") } else { other };
        others(place).for_each(|other| cluster.network.cut_both_ways(place, other));
        let cut = Instant::now();
        let majority = async {
            world.insist(other, "INSERT INTO log (request) VALUES (0)").await;
            cut.elapsed()
        };
        let minority = async {
            // By then its leadership and its leases are over.
            let limits = isobar_replica::Limits::default();
            tokio::time::sleep(Duration::from_millis(2 * limits.election_milliseconds)).await;
            let begin = Instant::now();
            let bound = Duration::from_millis(limits.reach_milliseconds) + MARGIN;
            let statements = ["SELECT count(*) FROM log", "INSERT INTO log (request) VALUES (0)"];
            let answers = statements.map(|sql| client::sql(cluster.http(place), sql));
            for answer in futures::future::join_all(answers).await {
                assert_code(&answer, "57P03", "a minority");
            }
            assert!(begin.elapsed() < bound, "a minority answered after {:?}", begin.elapsed());
            begin.elapsed()
        };
        let (gap, refusal) = futures::future::join(majority, minority).await;
        self.say(&format!("the majority wrote after {gap:?}; the minority refused within {refusal:?}"));
        assert!(gap < GAP_MAX, "the majority wrote after {gap:?} only");
    }
}

/// For a machine that is busy.
const MARGIN: Duration = Duration::from_secs(3);

/// Two election timeouts are 1.5 to 6 seconds; the rest is for a machine that is busy.
const GAP_MAX: Duration = Duration::from_secs(12);

fn assert_code(answer: &Result<Answer, Failure>, code: &str, what: &str) {
    let is_so = answer.as_ref().is_ok_and(|answer| answer.code() == code);
    assert!(is_so, "{what} is to answer {code}: {answer:?}");
}

impl Cluster {
    /// For the reader of a failure: the last lines that the nodes have said.
    pub fn last_words(&self) -> String {
        let tail = |place: usize| {
            let text = std::fs::read_to_string(self.log(place)).unwrap_or_default();
            let lines: Vec<_> = text.lines().collect();
            format!("{}:\n{}\n", REGIONS[place], lines[lines.len().saturating_sub(20)..].join("\n"))
        };
        (0..REGIONS.len()).map(tail).collect()
    }
}
