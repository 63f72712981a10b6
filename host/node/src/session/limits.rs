//! Every limit on a session, with its default.

use serde::{Deserialize, Serialize};

/// Section `[session]` of the configuration. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// How often a transaction that lost a conflict is run again before its client hears 40001.
    pub conflict_retries: u32,
    /// The first pause before such a retry; each later one is twice as long.
    pub retry_pause_ms: u64,
    pub retry_pause_max_ms: u64,
    /// Prepared statements of one session.
    pub prepared_statements: u32,
    /// Settings of one session that differ from their defaults.
    pub settings: u32,
    /// Savepoints of one transaction.
    pub savepoints: u32,
    /// Statements that one schema change may ask for after itself, such as the steps of an index build.
    pub follow_up_statements: u32,
    /// Results that are held until a commit has succeeded, in KiB.
    pub held_result_kb: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            conflict_retries: 16,
            retry_pause_ms: 1,
            retry_pause_max_ms: 200,
            prepared_statements: 1000,
            settings: 200,
            savepoints: 1000,
            follow_up_statements: 1_000_000,
            held_result_kb: 16 << 10,
        }
    }
}

impl Limits {
    pub fn held_result_bytes(&self) -> usize {
        (self.held_result_kb as usize) << 10
    }
}
