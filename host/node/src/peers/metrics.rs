//! What goes between this node and each of its peers, counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::metrics::Counter;
use crate::peers::identity::Identity;

/// Counters of every peer that has shown its certificate.
#[derive(Debug, Default)]
pub struct Metrics {
    peers: Mutex<BTreeMap<u64, (String, Arc<PeerMetrics>)>>,
    /// Connections of strangers, and of peers that are no longer good.
    pub refused: Counter,
    /// Attempts to connect to a peer that failed.
    pub failures: Counter,
}

/// What one peer and this node have sent each other.
#[derive(Debug, Default)]
pub struct PeerMetrics {
    /// Asked by this node.
    pub asked: Traffic,
    /// Answered by this node.
    pub answered: Traffic,
    /// Connections that this node has made.
    pub connections: Counter,
}

/// One direction of asking. Bytes are those of messages, before TLS.
#[derive(Debug, Default)]
pub struct Traffic {
    pub calls: Counter,
    pub streams: Counter,
    pub frames_sent: Counter,
    pub frames_received: Counter,
    pub bytes_sent: Counter,
    pub bytes_received: Counter,
}

impl Metrics {
    pub fn of(&self, peer: &Identity) -> Arc<PeerMetrics> {
        let mut peers = self.peers.lock();
        peers.entry(peer.node).or_insert_with(|| (peer.region.clone(), Arc::default())).1.clone()
    }

    /// Number, region and counters of each peer.
    pub fn all(&self) -> Vec<(u64, String, Arc<PeerMetrics>)> {
        self.peers.lock().iter().map(|(node, (region, metrics))| (*node, region.clone(), metrics.clone())).collect()
    }
}

impl Traffic {
    pub(super) fn frame_sent(&self, bytes: usize) {
        self.frames_sent.add(1);
        self.bytes_sent.add(bytes as u64);
    }

    pub(super) fn frame_received(&self, bytes: usize) {
        self.frames_received.add(1);
        self.bytes_received.add(bytes as u64);
    }
}
