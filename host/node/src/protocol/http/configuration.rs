//! Every setting of the HTTP endpoint, with its default.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Section `[http]` of the configuration. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Configuration {
    pub listen: SocketAddr,
    /// Pages that a browser may send requests from: `scheme://host`, at any port, or `*` for all.
    pub origins: Vec<String>,
    /// Connections at once; the next ones wait to be accepted.
    pub connections: usize,
    /// One request's headers, in KiB.
    pub header_kb: usize,
    /// How long a client may take to send a request's headers.
    pub header_ms: u64,
    /// One request's body, in MiB; 413 beyond.
    pub body_mb: usize,
    /// How long a client may take to send a request's body.
    pub body_ms: u64,
    /// All bodies and answers that are in memory at once, in MiB; requests wait beyond, and 503 after `body_ms`.
    pub memory_mb: usize,
    /// The result of one request that is not streamed, in MiB; 54000 beyond.
    pub result_mb: usize,
    /// Statements in one batch.
    pub batch_statements: usize,
    /// Batches of rows between the engine and the reader of a stream.
    pub stream_batches: usize,
    /// Interactive transactions at once.
    pub transactions: usize,
    /// An interactive transaction that nobody talks to for so long is rolled back.
    pub transaction_idle_ms: u64,
}

impl Default for Configuration {
    fn default() -> Configuration {
        Configuration {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            origins: ["http://localhost", "http://127.0.0.1", "http://[::1]"].map(String::from).to_vec(),
            connections: 4096,
            header_kb: 64,
            header_ms: 10_000,
            body_mb: 64,
            body_ms: 60_000,
            memory_mb: 1024,
            result_mb: 64,
            batch_statements: 10_000,
            stream_batches: 4,
            transactions: 1000,
            transaction_idle_ms: 60_000,
        }
    }
}

impl Configuration {
    pub fn body_bytes(&self) -> usize {
        self.body_mb << 20
    }

    pub fn result_bytes(&self) -> usize {
        self.result_mb << 20
    }

    pub fn body_time(&self) -> Duration {
        Duration::from_millis(self.body_ms)
    }

    pub fn transaction_idle(&self) -> Duration {
        Duration::from_millis(self.transaction_idle_ms)
    }
}
