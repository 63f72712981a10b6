//! Every setting of the sockets between nodes, with its default.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Section `[peers]` of the configuration. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Configuration {
    /// Where the other nodes of the cluster reach this one.
    pub listen: SocketAddr,
    /// The address that the others are told, `host:port`; empty: `listen`.
    pub advertise: String,
    /// Peer addresses of members, `host:port`: a node without data asks them for admission. Empty: node 1 founds.
    pub join: Vec<String>,
    pub role: Role,
    /// Connections of one node at once; the next one is closed.
    pub connections: usize,
    /// Connections that have not shown their certificate yet; the next ones wait to be accepted.
    pub handshakes: usize,
    /// How long a connection may take to show its certificate.
    pub handshake_ms: u64,
    /// How long the TCP connection to a peer may take, and how long its TLS handshake.
    pub connect_ms: u64,
    /// A connection that has been silent for so long is asked for a sign of life.
    pub ping_ms: u64,
    /// A connection that then gives no sign of life for so long is dead.
    pub ping_timeout_ms: u64,
    /// Requests and streams at once in one connection; the next ones wait.
    pub streams: u32,
    /// One request, answer or frame, in MiB.
    pub message_mb: usize,
    /// Requests and frames of peers that are being received, in MiB; the request that needs more is refused.
    pub memory_mb: usize,
    /// What a peer may send in one stream before it hears that it was read, in KiB: bandwidth times round trip.
    pub stream_window_kb: u32,
    /// The same for all streams of a connection together, in KiB.
    pub connection_window_kb: u32,
    /// Addresses that this node uses instead of those that the members advertise, by number or region.
    pub addresses: BTreeMap<String, String>,
}

/// What a node that joins is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Keeps the data and has a vote.
    #[default]
    Voter,
    /// Keeps the data, serves reads and has no vote.
    Learner,
    /// Keeps the journal and no data, and has a vote.
    Witness,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Role::Voter => "voter",
            Role::Learner => "learner",
            Role::Witness => "witness",
        }
    }
}

impl From<Role> for isobar_replica::Role {
    fn from(role: Role) -> isobar_replica::Role {
        match role {
            Role::Voter => isobar_replica::Role::Voter,
            Role::Learner => isobar_replica::Role::Learner,
            Role::Witness => isobar_replica::Role::Witness,
        }
    }
}

impl Default for Configuration {
    fn default() -> Configuration {
        Configuration {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7100)),
            advertise: String::new(),
            join: vec![],
            role: Role::Voter,
            connections: 8,
            handshakes: 64,
            handshake_ms: 5000,
            connect_ms: 1000,
            ping_ms: 500,
            ping_timeout_ms: 1500,
            streams: 4096,
            message_mb: 256,
            memory_mb: 1024,
            stream_window_kb: 8192,
            connection_window_kb: 32_768,
            addresses: BTreeMap::new(),
        }
    }
}

/// HTTP/2's largest window (RFC 9113, section 6.9.1).
const WINDOW_KB_MAX: u32 = (i32::MAX >> 10) as u32;

impl Configuration {
    /// Refuses what would not work.
    pub fn check(&self) -> Result<(), String> {
        for (name, value) in [
            ("connections", self.connections as u64),
            ("handshakes", self.handshakes as u64),
            ("handshake_ms", self.handshake_ms),
            ("connect_ms", self.connect_ms),
            ("ping_ms", self.ping_ms),
            ("ping_timeout_ms", self.ping_timeout_ms),
            ("streams", self.streams.into()),
            ("message_mb", self.message_mb as u64),
            ("memory_mb", self.memory_mb as u64),
            ("stream_window_kb", self.stream_window_kb.into()),
            ("connection_window_kb", self.connection_window_kb.into()),
        ] {
            if value == 0 {
                return Err(format!("peers.{name}: 0 would let nobody in"));
            }
        }
        if self.stream_window_kb.max(self.connection_window_kb) > WINDOW_KB_MAX {
            return Err(format!("peers: HTTP/2 knows no window of more than {WINDOW_KB_MAX} KiB"));
        }
        // A frame says its length in 32 bits.
        if self.message_mb >= 4096 {
            return Err("peers.message_mb: a message cannot have 4096 MiB or more".into());
        }
        if self.message_mb > self.memory_mb {
            return Err("peers.message_mb: the largest message does not fit into peers.memory_mb".into());
        }
        for address in self.join.iter().chain(self.addresses.values()) {
            check_address(address)?;
        }
        if !self.advertise.is_empty() {
            check_address(&self.advertise)?;
        }
        Ok(())
    }

    /// The address that the others are told by a node that listens at `bound`.
    pub fn advertised(&self, bound: SocketAddr) -> Result<String, String> {
        if !self.advertise.is_empty() {
            return Ok(self.advertise.clone());
        }
        if bound.ip().is_unspecified() {
            return Err(format!(
                "peers listen at {bound}, which is no address that others can use: --advertise HOST:PORT says where \
                 they find this node"
            ));
        }
        Ok(bound.to_string())
    }

    pub fn message_bytes(&self) -> usize {
        self.message_mb << 20
    }

    pub fn memory_bytes(&self) -> usize {
        self.memory_mb << 20
    }

    pub fn handshake_time(&self) -> Duration {
        Duration::from_millis(self.handshake_ms)
    }

    pub fn connect_time(&self) -> Duration {
        Duration::from_millis(self.connect_ms)
    }

    pub fn ping_interval(&self) -> Duration {
        Duration::from_millis(self.ping_ms)
    }

    /// After so long a silence a connection is dead.
    pub fn silence(&self) -> Duration {
        Duration::from_millis(self.ping_ms.saturating_add(self.ping_timeout_ms))
    }

    pub fn stream_window(&self) -> u32 {
        self.stream_window_kb << 10
    }

    pub fn connection_window(&self) -> u32 {
        self.connection_window_kb << 10
    }
}

/// Whether this looks like `host:port`; the name is looked up when it is used.
pub fn check_address(address: &str) -> Result<(), String> {
    let parts = address.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>()));
    match parts {
        Some((host, Ok(1..))) if !host.is_empty() && !host.contains(['/', ' ']) => Ok(()),
        _ => Err(format!("\"{address}\" is not the address of a peer: it looks like db.example:7100")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (address, good) in [
            ("127.0.0.1:7100", true),
            ("[::1]:7100", true),
            ("db.example:7100", true),
            ("db.example", false),
            ("db.example:0", false),
            ("db.example:70000", false),
            (":7100", false),
            ("http://db.example:7100", false),
            ("", false),
        ] {
            assert_eq!(check_address(address).is_ok(), good, "{address}");
        }
    }

    #[test]
    fn senseless_settings_are_refused() {
        assert_eq!(Configuration::default().check(), Ok(()));
        for (change, complaint) in [
            ((|all| all.streams = 0) as fn(&mut Configuration), "peers.streams"),
            (|all| all.connection_window_kb = u32::MAX, "window"),
            (|all| all.message_mb = 4096, "4096"),
            (|all| all.memory_mb = 1, "peers.memory_mb"),
            (|all| all.join = vec!["nowhere".into()], "nowhere"),
        ] {
            let mut configuration = Configuration::default();
            change(&mut configuration);
            let error = configuration.check().expect_err(complaint);
            assert!(error.contains(complaint), "{error}");
        }
    }

    #[test]
    fn nobody_is_told_an_address_of_everywhere() {
        let mut configuration = Configuration::default();
        let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 7100));
        assert!(configuration.advertised(everywhere).is_err_and(|error| error.contains("--advertise")));
        configuration.advertise = "db.example:7100".into();
        assert_eq!(configuration.advertised(everywhere), Ok("db.example:7100".into()));
    }
}
