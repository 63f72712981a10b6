//! Every setting of a node, with its default: a TOML file, and the command line over it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::protocol::http;
use crate::{peers, sandbox, session};

/// The whole configuration. `isobar.example.toml` shows it with its defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Configuration {
    /// Where the node keeps its data.
    pub data: PathBuf,
    /// Name of the region that this node serves.
    pub region: String,
    /// Listen beyond this machine although nothing is encrypted and nobody is asked who they are.
    pub insecure: bool,
    /// How long running requests may take to end after SIGTERM, in milliseconds.
    pub drain_ms: u64,
    pub http: http::Configuration,
    pub peers: peers::Configuration,
    pub session: session::Limits,
    pub sandbox: sandbox::Limits,
    pub procedures: sandbox::procedure::Limits,
    pub store: Store,
}

impl Default for Configuration {
    fn default() -> Configuration {
        Configuration {
            data: "./isobar-data".into(),
            region: "local".into(),
            insecure: false,
            drain_ms: 10_000,
            http: http::Configuration::default(),
            peers: peers::Configuration::default(),
            session: session::Limits::default(),
            sandbox: sandbox::Limits::default(),
            procedures: sandbox::procedure::Limits::default(),
            store: Store::default(),
        }
    }
}

/// Section `[store]`: transactions, journal and disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// Open transactions; 53000 beyond.
    pub transactions: usize,
    /// Age at which a transaction cannot go on, in seconds; 54000 beyond.
    pub transaction_seconds: u64,
    /// What one transaction may write, in MiB; 54000 beyond.
    pub transaction_mb: usize,
    /// Rows that one transaction may write; 0: only their size counts.
    pub transaction_rows: usize,
    /// One row, in KiB; 54000 beyond.
    pub row_kb: usize,
    /// Commits that wait to be certified; the next one waits for room.
    pub commit_queue: usize,
    /// Commits in one journal entry.
    pub batch_commits: usize,
    /// Longest time between two durable commits of the store, in milliseconds: what a restart replays.
    pub durable_ms: u64,
    /// How long superseded rows stay readable, in seconds.
    pub retention_seconds: u64,
    /// How long the outcome of a commit can be asked for, in seconds.
    pub outcome_seconds: u64,
    /// Writes are refused with 53100 when the disk has less than this free, in MiB.
    pub disk_reserve_mb: u64,
    /// Page cache, in MiB.
    pub cache_mb: usize,
}

impl Default for Store {
    fn default() -> Store {
        let limits = isobar_replica::Limits::default();
        Store {
            transactions: limits.transactions,
            transaction_seconds: limits.transaction_seconds,
            transaction_mb: limits.transaction_bytes >> 20,
            transaction_rows: limits.transaction_rows.unwrap_or(0),
            row_kb: limits.value_bytes >> 10,
            commit_queue: limits.commit_queue,
            batch_commits: limits.batch_commits,
            durable_ms: limits.durable_milliseconds,
            retention_seconds: limits.retention_seconds,
            outcome_seconds: limits.outcome_seconds,
            disk_reserve_mb: limits.disk_reserve_bytes >> 20,
            cache_mb: limits.store_cache_bytes >> 20,
        }
    }
}

impl Store {
    pub fn limits(&self) -> isobar_replica::Limits {
        isobar_replica::Limits {
            transactions: self.transactions,
            transaction_seconds: self.transaction_seconds,
            transaction_bytes: self.transaction_mb << 20,
            transaction_rows: (self.transaction_rows > 0).then_some(self.transaction_rows),
            value_bytes: self.row_kb << 10,
            commit_queue: self.commit_queue,
            batch_commits: self.batch_commits,
            durable_milliseconds: self.durable_ms,
            retention_seconds: self.retention_seconds,
            outcome_seconds: self.outcome_seconds,
            disk_reserve_bytes: self.disk_reserve_mb << 20,
            store_cache_bytes: self.cache_mb << 20,
            ..isobar_replica::Limits::default()
        }
    }
}

impl Configuration {
    /// Reads a file; the message of a failure names it.
    pub fn read(path: &Path) -> Result<Configuration, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Refuses what would be unsafe or senseless.
    pub fn check(&self) -> Result<(), String> {
        if !self.insecure && !self.http.listen.ip().is_loopback() {
            return Err(format!(
                "{} is not an address of this machine alone, and connections are neither encrypted nor authenticated; \
                 --insecure listens there all the same",
                self.http.listen
            ));
        }
        if self.sandbox.memory_mb > 4096 {
            return Err("sandbox.memory_mb: an instance cannot have more than 4096 MiB".into());
        }
        // A transaction goes to the leader as one message, with some bytes around every key.
        if self.peers.message_mb < self.store.transaction_mb.saturating_mul(3) / 2 {
            return Err(format!(
                "peers.message_mb: a transaction of store.transaction_mb = {} may not fit; make it half as much again",
                self.store.transaction_mb
            ));
        }
        self.peers.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_file_shows_every_setting_with_its_default() {
        let text = include_str!("../isobar.example.toml");
        let example: Configuration = toml::from_str(text).expect("the example parses");
        assert_eq!(example, Configuration::default());
        let written: toml::Table = toml::from_str(text).expect("the example is TOML");
        let known = toml::Table::try_from(Configuration::default()).expect("the defaults are TOML");
        for (name, value) in &known {
            let shown = written.get(name).unwrap_or_else(|| panic!("{name} is missing from the example"));
            if let (Some(known), Some(shown)) = (value.as_table(), shown.as_table()) {
                for name in known.keys() {
                    assert!(shown.contains_key(name), "{name} is missing from the example");
                }
            }
        }
    }

    #[test]
    fn unknown_settings_are_refused() {
        let error = toml::from_str::<Configuration>("[http]\nport = 1").expect_err("there is no such setting");
        assert!(error.to_string().contains("unknown field `port`"), "{error}");
    }

    #[test]
    fn the_world_is_not_invited_by_accident() {
        let mut configuration = Configuration::default();
        assert_eq!(configuration.check(), Ok(()));
        configuration.http.listen = "0.0.0.0:8080".parse().expect("an address");
        assert!(configuration.check().is_err_and(|error| error.contains("--insecure")));
        configuration.insecure = true;
        assert_eq!(configuration.check(), Ok(()));
    }
}
