//! A network in memory: links with delays, losses and cuts, on simulated time. Streams keep their order, as TCP does:
//! a lost packet is a delay, and a link that is cut for too long breaks what runs over it.

use crate::disk::Random;
use futures::channel::mpsc;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, SinkExt, StreamExt};
use isobar_replica::{ANYBODY, Frames, Member, Peer, Transport};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// What a connection survives of silence.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How often a cut link is looked at.
const LOOK: Duration = Duration::from_millis(20);

struct State {
    peers: BTreeMap<u64, Arc<dyn Peer>>,
    /// How often each node has come and gone.
    lives: BTreeMap<u64, u64>,
    /// Links that carry nothing, each in one direction.
    cut: BTreeSet<(u64, u64)>,
    /// One-way delays in microseconds; the default is `delay`.
    delays: BTreeMap<(u64, u64), u64>,
    delay: u64,
    /// Percent of packets that have to be sent again.
    loss: u64,
    random: Random,
    /// Requests and frames carried from each node.
    carried: BTreeMap<u64, u64>,
}

#[derive(Clone)]
pub struct Network(Arc<Mutex<State>>);

impl Network {
    pub fn new(random: Random, delay: u64) -> Network {
        let (peers, lives, cut, delays, carried) = Default::default();
        Network(Arc::new(Mutex::new(State { peers, lives, cut, delays, delay, loss: 0, random, carried })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic")
    }

    pub fn attach(&self, id: u64, peer: Arc<dyn Peer>) {
        self.lock().peers.insert(id, peer);
    }

    pub fn detach(&self, id: u64) {
        let mut state = self.lock();
        state.peers.remove(&id);
        *state.lives.entry(id).or_default() += 1;
    }

    pub fn cut(&self, from: u64, to: u64) {
        self.lock().cut.insert((from, to));
    }

    pub fn set_delay(&self, from: u64, to: u64, micros: u64) {
        let mut state = self.lock();
        state.delays.insert((from, to), micros);
        state.delays.insert((to, from), micros);
    }

    pub fn set_loss(&self, percent: u64) {
        self.lock().loss = percent;
    }

    pub fn heal(&self) {
        let mut state = self.lock();
        state.cut.clear();
        state.delays.clear();
        state.loss = 0;
    }

    #[expect(dead_code, reason = "for the property of local reads")]
    pub fn carried_from(&self, id: u64) -> u64 {
        self.lock().carried.get(&id).copied().unwrap_or(0)
    }

    pub fn transport(&self, me: u64) -> Arc<dyn Transport> {
        Arc::new(Wire { network: self.clone(), me })
    }

    fn life(&self, id: u64) -> u64 {
        self.lock().lives.get(&id).copied().unwrap_or(0)
    }

    fn passes(&self, from: u64, to: u64) -> bool {
        !self.lock().cut.contains(&(from, to))
    }

    fn travel(&self, from: u64, to: u64) -> Duration {
        let mut state = self.lock();
        *state.carried.entry(from).or_default() += 1;
        let base = state.delays.get(&(from, to)).copied().unwrap_or(state.delay);
        let jitter = state.random.below(base / 5 + 1);
        let lost = state.loss;
        let again = if state.random.chance(lost) { 200_000 } else { 0 };
        Duration::from_micros(base + jitter + again)
    }

    fn peer(&self, id: u64) -> io::Result<Arc<dyn Peer>> {
        self.lock().peers.get(&id).cloned().ok_or(io::ErrorKind::ConnectionRefused.into())
    }

    /// Carries one packet, or fails when the link stays cut.
    async fn carry(&self, from: u64, to: u64) -> io::Result<()> {
        sleep(self.travel(from, to)).await;
        let since = Instant::now();
        while !self.passes(from, to) {
            if since.elapsed() > PATIENCE {
                return Err(io::ErrorKind::TimedOut.into());
            }
            sleep(LOOK).await;
        }
        Ok(())
    }
}

pub fn address(id: u64) -> String {
    format!("node-{id}")
}

struct Wire {
    network: Network,
    me: u64,
}

fn target(to: u64, member: &Member) -> u64 {
    if to != ANYBODY {
        return to;
    }
    member.address.strip_prefix("node-").and_then(|id| id.parse().ok()).expect("an address")
}

impl Transport for Wire {
    fn call(&self, to: u64, member: &Member, request: Vec<u8>) -> BoxFuture<'static, io::Result<Vec<u8>>> {
        let (network, me, to) = (self.network.clone(), self.me, target(to, member));
        async move {
            network.carry(me, to).await?;
            // Answered even when whoever asked goes away.
            let answer = tokio::spawn(network.peer(to)?.answer(me, request)).await.map_err(io::Error::other)??;
            network.carry(to, me).await?;
            network.peer(to)?;
            Ok(answer)
        }
        .boxed()
    }

    fn stream(
        &self,
        to: u64,
        member: &Member,
        frames: BoxStream<'static, Vec<u8>>,
    ) -> BoxFuture<'static, io::Result<Frames>> {
        let (network, me, to) = (self.network.clone(), self.me, target(to, member));
        async move {
            network.carry(me, to).await?;
            let peer = network.peer(to)?;
            let there = pump(network.clone(), me, to, frames);
            let back = peer.answer_stream(me, there);
            Ok(pump(network.clone(), to, me, back))
        }
        .boxed()
    }
}

/// Frames of one direction, each after its delay and in their order.
fn pump(network: Network, from: u64, to: u64, mut frames: BoxStream<'static, Vec<u8>>) -> Frames {
    let (mut sender, receiver) = mpsc::channel(1024);
    let road = network.clone();
    tokio::spawn(async move {
        loop {
            // The end travels too.
            let frame = frames.next().await;
            let end = frame.is_none();
            let arrival = Instant::now() + road.travel(from, to);
            if sender.send((arrival, frame)).await.is_err() || end {
                return;
            }
        }
    });
    let lives = (network.life(from), network.life(to));
    let connection = Connection { network, from, to, lives, receiver };
    futures::stream::unfold(Some(connection), |connection| async move {
        let mut connection = connection?;
        match connection.next().await {
            Ok(Some(frame)) => Some((Ok(frame), Some(connection))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    })
    .boxed()
}

struct Connection {
    network: Network,
    from: u64,
    to: u64,
    lives: (u64, u64),
    receiver: mpsc::Receiver<(Instant, Option<Vec<u8>>)>,
}

impl Connection {
    async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut cut_since = None;
        loop {
            let Connection { network, from, to, lives, receiver } = self;
            if (network.life(*from), network.life(*to)) != *lives {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            // Silence is noticed when either direction is cut: acknowledgements go back.
            if network.passes(*from, *to) && network.passes(*to, *from) {
                cut_since = None;
                if let Ok(item) = tokio::time::timeout(LOOK * 5, receiver.next()).await {
                    let Some((arrival, frame)) = item else { return Err(io::ErrorKind::ConnectionReset.into()) };
                    sleep_until(arrival).await;
                    while !network.passes(*from, *to) {
                        if arrival.elapsed() > PATIENCE {
                            return Err(io::ErrorKind::TimedOut.into());
                        }
                        sleep(LOOK).await;
                    }
                    return Ok(frame);
                }
            } else {
                let since = *cut_since.get_or_insert_with(Instant::now);
                if since.elapsed() > PATIENCE {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                sleep(LOOK).await;
            }
        }
    }
}
