//! Every limit on the engine's instances, with its default.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Section `[sandbox]` of the configuration. Sizes are in MiB, times in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Statements that run at the same moment, each in an instance of its own.
    pub instances: u32,
    /// How long a statement waits for an instance before 53000.
    pub wait_ms: u64,
    /// Idle instances that are kept, with their caches.
    pub idle_instances: u32,
    /// Memory of one instance; a statement that needs more fails with 53200. At most 4096.
    pub memory_mb: u32,
    /// Memory of all instances together; a statement that would need more fails with 53200.
    pub total_memory_mb: u32,
    /// An instance that has grown beyond this is not kept.
    pub retained_memory_mb: u32,
    /// Machine stack of one instance; a statement that needs more fails with 54001.
    pub stack_kb: u32,
    /// A statement fails with 57014 after this long, unless `statement_timeout` asks for less. 0: never.
    pub statement_ms: u64,
    /// How often running statements look at the clock and let others run.
    pub tick_ms: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            instances: 64,
            wait_ms: 10_000,
            idle_instances: 16,
            memory_mb: 1024,
            total_memory_mb: 4096,
            retained_memory_mb: 64,
            stack_kb: 1024,
            statement_ms: 300_000,
            tick_ms: 1,
        }
    }
}

impl Limits {
    pub fn memory_bytes(&self) -> usize {
        (self.memory_mb.min(4096) as usize) << 20
    }

    pub fn total_memory_bytes(&self) -> usize {
        (self.total_memory_mb as usize) << 20
    }

    pub fn retained_memory_bytes(&self) -> usize {
        (self.retained_memory_mb as usize) << 20
    }

    pub fn stack_bytes(&self) -> usize {
        (self.stack_kb as usize) << 10
    }

    pub fn wait(&self) -> Duration {
        Duration::from_millis(self.wait_ms)
    }

    /// The longest that a statement may take, none when it may take for ever.
    pub fn statement_time(&self) -> Option<Duration> {
        (self.statement_ms > 0).then(|| Duration::from_millis(self.statement_ms))
    }
}
