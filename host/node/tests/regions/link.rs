//! The network between the regions: a TCP proxy for each ordered pair of them, whose bytes can be late, can stop in one
//! direction or in both while connections stay open, and whose connections can be closed and refused.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Chunks on their way in one direction of a connection; whoever sends more has to wait.
const CHUNKS: usize = 4096;
const CHUNK_BYTES: usize = 16 << 10;

/// What happens to bytes from one region to another.
#[derive(Clone, Copy)]
struct Way {
    delay: Duration,
    cut: bool,
}

/// All links. Regions are known by their places.
pub struct Network {
    ways: BTreeMap<(usize, usize), watch::Sender<Way>>,
    /// Whether connections are possible, by the pair with its lower place first.
    open: BTreeMap<(usize, usize), watch::Sender<bool>>,
    /// Where a region reaches another one.
    addresses: BTreeMap<(usize, usize), SocketAddr>,
}

impl Network {
    /// Links between nodes that listen at these addresses, now or later.
    pub async fn between(targets: &[SocketAddr], delay: Duration) -> Network {
        let (mut ways, mut open, mut addresses) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let pairs = || (0..targets.len()).flat_map(|from| (0..targets.len()).map(move |to| (from, to)));
        for (from, to) in pairs().filter(|(from, to)| from != to) {
            ways.insert((from, to), watch::Sender::new(Way { delay, cut: false }));
            open.insert((from.min(to), from.max(to)), watch::Sender::new(true));
        }
        for (from, to) in pairs().filter(|(from, to)| from != to) {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            addresses.insert((from, to), listener.local_addr().expect("an address"));
            let link = Link {
                target: targets[to],
                there: ways[&(from, to)].subscribe(),
                back: ways[&(to, from)].subscribe(),
                open: open[&(from.min(to), from.max(to))].subscribe(),
            };
            tokio::spawn(link.serve(listener));
        }
        Network { ways, open, addresses }
    }

    pub fn address(&self, from: usize, to: usize) -> SocketAddr {
        self.addresses[&(from, to)]
    }

    /// Stops the bytes in one direction, of connections from either side; they go on where they were once it is healed.
    pub fn cut(&self, from: usize, to: usize) {
        self.ways[&(from, to)].send_modify(|way| way.cut = true);
    }

    pub fn cut_both_ways(&self, one: usize, other: usize) {
        self.cut(one, other);
        self.cut(other, one);
    }

    /// Closes all connections between two regions and refuses new ones.
    pub fn reset(&self, one: usize, other: usize) {
        self.open[&(one.min(other), one.max(other))].send_replace(false);
    }

    pub fn delay(&self, from: usize, to: usize, delay: Duration) {
        self.ways[&(from, to)].send_modify(|way| way.delay = delay);
    }

    /// Undoes every cut, reset and delay.
    pub fn heal(&self, delay: Duration) {
        self.ways.values().for_each(|way| way.send_modify(|way| *way = Way { delay, cut: false }));
        self.open.values().for_each(|open| open.send_modify(|open| *open = true));
    }
}

/// The way from one region to another, and back in the same connections.
#[derive(Clone)]
struct Link {
    target: SocketAddr,
    there: watch::Receiver<Way>,
    back: watch::Receiver<Way>,
    open: watch::Receiver<bool>,
}

impl Link {
    async fn serve(self, listener: TcpListener) {
        while let Ok((near, _)) = listener.accept().await {
            if *self.open.borrow() {
                tokio::spawn(self.clone().carry(near));
            }
        }
    }

    async fn carry(mut self, near: TcpStream) {
        let Ok(far) = TcpStream::connect(self.target).await else { return };
        // Of small messages none may wait for the next.
        let _ = (near.set_nodelay(true), far.set_nodelay(true));
        let ((near_reader, near_writer), (far_reader, far_writer)) = (near.into_split(), far.into_split());
        let moved = futures::future::join(
            carry_bytes(near_reader, far_writer, self.there),
            carry_bytes(far_reader, near_writer, self.back),
        );
        tokio::select! {
            _ = moved => {}
            _ = self.open.wait_for(|open| !open) => {}
        }
    }
}

/// Moves bytes, and their end, each so late after it came as the way says, in order.
async fn carry_bytes(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut way: watch::Receiver<Way>) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Bytes)>(CHUNKS);
    let read = async move {
        loop {
            let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
            let is_end = !matches!(from.read_buf(&mut chunk).await, Ok(1..));
            if sender.send((Instant::now(), chunk.freeze())).await.is_err() || is_end {
                return;
            }
        }
    };
    let write = async move {
        while let Some((came, chunk)) = receiver.recv().await {
            let due = came + way.borrow().delay;
            tokio::time::sleep_until(due).await;
            if way.wait_for(|way| !way.cut).await.is_err() || chunk.is_empty() || to.write_all(&chunk).await.is_err() {
                return;
            }
        }
    };
    // Dropping the writer sends the end.
    futures::future::join(read, write).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place that answers every byte with itself.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut reader, mut writer) = stream.split();
                    let _ = tokio::io::copy(&mut reader, &mut writer).await;
                });
            }
        });
        address
    }

    async fn ask(stream: &mut TcpStream) -> std::io::Result<Duration> {
        let begin = Instant::now();
        stream.write_all(b"x").await?;
        match stream.read(&mut [0]).await? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(begin.elapsed()),
        }
    }

    const SHORT: Duration = Duration::from_millis(150);

    #[tokio::test]
    async fn links_are_late_are_cut_and_heal() {
        let delay = Duration::from_millis(20);
        let network = Network::between(&[echo().await, echo().await], delay).await;
        let mut stream = TcpStream::connect(network.address(0, 1)).await.expect("a connection");
        let round_trip = ask(&mut stream).await.expect("an answer");
        assert!(round_trip >= 2 * delay, "{round_trip:?}");
        for (from, to) in [(0, 1), (1, 0)] {
            network.cut(from, to);
            assert!(tokio::time::timeout(SHORT, ask(&mut stream)).await.is_err(), "{from} to {to}");
            network.heal(delay);
            // What was held up comes now.
            let late = tokio::time::timeout(SHORT, stream.read(&mut [0])).await;
            assert!(late.is_ok_and(|late| late.is_ok_and(|bytes| bytes == 1)));
        }
        network.reset(1, 0);
        assert!(ask(&mut stream).await.is_err());
        let mut refused = TcpStream::connect(network.address(0, 1)).await.expect("accepted, and closed");
        assert!(ask(&mut refused).await.is_err());
        network.heal(Duration::ZERO);
        let mut stream = TcpStream::connect(network.address(0, 1)).await.expect("a connection");
        ask(&mut stream).await.expect("an answer");
    }
}
