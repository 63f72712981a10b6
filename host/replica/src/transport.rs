//! How a replica reaches its peers. The host brings the sockets, a simulation brings what it likes; here a peer is a
//! number, and what goes to it and comes back are bytes.

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;

/// A node of the cluster as the others know it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub region: String,
    /// Where its peers find it, `host:port`, unless they have an address of their own for it.
    pub address: String,
    /// Keeps the journal and no data: it votes, and serves nobody.
    pub witness: bool,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.region, self.address)
    }
}

/// Frames from a peer, in the order in which it sent them; the first error is the last item.
pub type Frames = BoxStream<'static, io::Result<Vec<u8>>>;

/// Identifier of whoever answers at an address.
pub const ANYBODY: u64 = 0;

/// Way to the peers. Whoever calls gives up by dropping the future, and has a time limit of its own; an implementation
/// limits how long it takes to connect.
pub trait Transport: Send + Sync + 'static {
    /// One request, one answer: `Peer::answer` of the replica `to`. [`ANYBODY`] is whoever serves the member's address.
    fn call(&self, to: u64, member: &Member, request: Vec<u8>) -> BoxFuture<'static, io::Result<Vec<u8>>>;

    /// Frames in both directions, each in its order: `Peer::answer_stream` of the replica `to`. The stream ends for
    /// both when one of them drops it.
    fn stream(
        &self,
        to: u64,
        member: &Member,
        frames: BoxStream<'static, Vec<u8>>,
    ) -> BoxFuture<'static, io::Result<Frames>>;
}

/// What a replica does for its peers. `from` is the peer's identifier, which the transport vouches for.
pub trait Peer: Send + Sync + 'static {
    fn answer(&self, from: u64, request: Vec<u8>) -> BoxFuture<'static, io::Result<Vec<u8>>>;

    fn answer_stream(&self, from: u64, frames: Frames) -> BoxStream<'static, Vec<u8>>;
}
