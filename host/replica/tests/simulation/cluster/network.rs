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

/// A frame that is no longer takes no time of its own.
const PACKET: usize = 10_000;
/// The first byte of a frame with a chunk of a snapshot; all others begin with the protocol's version.
const CHUNK: u8 = 0;

struct State {
    peers: BTreeMap<u64, Arc<dyn Peer>>,
    /// How often each node has come and gone.
    lives: BTreeMap<u64, u64>,
    /// Links that carry nothing, each in one direction.
    cut: BTreeSet<(u64, u64)>,
    /// One-way delays in microseconds; the default is `delay`.
    delays: BTreeMap<(u64, u64), u64>,
    delay: u64,
    /// What a packet may be late, in percent of its delay.
    jitter: u64,
    /// Percent of packets that have to be sent again.
    loss: u64,
    /// Bytes a second of a stream; none: no limit.
    bandwidth: Option<u64>,
    random: Random,
    /// Requests and frames carried from each node.
    carried: BTreeMap<u64, u64>,
    /// Chunks of snapshots that have arrived at each node.
    chunks: BTreeMap<u64, u64>,
    /// Chunks that are still to arrive at each node with a wrong byte.
    spoiled: BTreeMap<u64, u64>,
    /// Where each node is found.
    addresses: BTreeMap<String, u64>,
}

#[derive(Clone)]
pub struct Network(Arc<Mutex<State>>);

impl Network {
    pub fn new(random: Random, delay: u64) -> Network {
        let (peers, lives, cut, delays, carried) = Default::default();
        let (chunks, spoiled, addresses) = Default::default();
        let (jitter, loss, bandwidth) = (20, 0, None);
        Network(Arc::new(Mutex::new(State {
            peers,
            lives,
            cut,
            delays,
            delay,
            jitter,
            loss,
            bandwidth,
            random,
            carried,
            chunks,
            spoiled,
            addresses,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic")
    }

    /// A node answers from now on, at this address and no other.
    pub fn attach(&self, id: u64, address: String, peer: Arc<dyn Peer>) {
        let mut state = self.lock();
        state.peers.insert(id, peer);
        state.addresses.retain(|_, other| *other != id);
        state.addresses.insert(address, id);
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

    /// Every packet takes exactly its link's delay from now on.
    pub fn no_jitter(&self) {
        self.lock().jitter = 0;
    }

    pub fn set_bandwidth(&self, bytes_a_second: u64) {
        self.lock().bandwidth = Some(bytes_a_second);
    }

    /// Chunks of snapshots that have arrived at a node.
    pub fn chunks_at(&self, id: u64) -> u64 {
        self.lock().chunks.get(&id).copied().unwrap_or(0)
    }

    /// So many of the next chunks that arrive at a node have a wrong byte.
    pub fn spoil_chunks(&self, at: u64, count: u64) {
        self.lock().spoiled.insert(at, count);
    }

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
        let most = base * state.jitter / 100;
        let jitter = state.random.below(most + 1);
        let lost = state.loss;
        let again = if state.random.chance(lost) { 200_000 } else { 0 };
        Duration::from_micros(base + jitter + again)
    }

    fn peer(&self, id: u64) -> io::Result<Arc<dyn Peer>> {
        self.lock().peers.get(&id).cloned().ok_or(io::ErrorKind::ConnectionRefused.into())
    }

    /// A frame of a stream has arrived: it takes its time, and is counted.
    async fn receive(&self, at: u64, frame: &mut [u8]) {
        let bandwidth = self.lock().bandwidth;
        if let Some(bandwidth) = bandwidth
            && frame.len() > PACKET
        {
            sleep(Duration::from_secs(1) * frame.len() as u32 / bandwidth as u32).await;
        }
        if frame.first() == Some(&CHUNK) {
            let mut state = self.lock();
            *state.chunks.entry(at).or_default() += 1;
            let spoiled = state.spoiled.entry(at).or_default();
            if *spoiled > 0 {
                *spoiled -= 1;
                let middle = frame.len() / 2;
                frame[middle] ^= 1;
            }
        }
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

struct Wire {
    network: Network,
    me: u64,
}

impl Wire {
    /// Whoever is at the member's address, if that is who is meant.
    fn target(&self, to: u64, member: &Member) -> io::Result<u64> {
        let found = self.network.lock().addresses.get(&member.address).copied();
        found.filter(|found| to == ANYBODY || to == *found).ok_or(io::ErrorKind::ConnectionRefused.into())
    }
}

impl Transport for Wire {
    fn call(&self, to: u64, member: &Member, request: Vec<u8>) -> BoxFuture<'static, io::Result<Vec<u8>>> {
        let (network, me, to) = (self.network.clone(), self.me, self.target(to, member));
        async move {
            let to = to?;
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
        let (network, me, to) = (self.network.clone(), self.me, self.target(to, member));
        async move {
            let to = to?;
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
                    let Some((arrival, mut frame)) = item else { return Err(io::ErrorKind::ConnectionReset.into()) };
                    sleep_until(arrival).await;
                    while !network.passes(*from, *to) {
                        if arrival.elapsed() > PATIENCE {
                            return Err(io::ErrorKind::TimedOut.into());
                        }
                        sleep(LOOK).await;
                    }
                    if let Some(frame) = &mut frame {
                        network.receive(*to, frame).await;
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
