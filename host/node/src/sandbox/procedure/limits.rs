//! Every limit on stored procedures, with its default.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Section `[procedures]` of the configuration. The first eight are what one procedure may use in one statement that
/// calls it, unless ALTER PROCEDURE or ALTER SYSTEM says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Memory, in KiB; 53200 beyond.
    pub memory_kib: u32,
    /// Time, in milliseconds, that of its own statements included; 57014 beyond.
    pub wall_ms: u32,
    /// Machine stack, in KiB, rounded up to a power of two between 64 and 8192; 54001 beyond.
    pub stack_kib: u32,
    /// SQL statements; 39P11 beyond.
    pub statements: u32,
    /// Rows that its SQL reads; 39P12 beyond.
    pub rows_in: u32,
    /// Rows that its functions answer to one call; 39P13 beyond.
    pub rows_out: u32,
    /// Bytes of messages; 39P14 beyond.
    pub log_bytes: u32,
    /// Statements that call one procedure at the same moment; 53000 beyond.
    pub concurrent_calls: u32,
    /// How deep procedures call each other by way of SQL; 54001 beyond.
    pub depth: u32,
    /// Instances of all procedures at the same moment; 53000 beyond.
    pub instances: u32,
    /// Memory of all instances together, in MiB; 53200 beyond.
    pub total_memory_mb: u32,
    /// One component, in MiB; 54000 beyond.
    pub component_mb: u32,
    /// Time to compile one component, in milliseconds; 54000 beyond.
    pub compile_ms: u64,
    /// Compiled procedures that are kept ready in memory, in MiB.
    pub compiled_cache_mb: u32,
    /// Values of one call on their way into a procedure or out of it, and the rows of one of its statements, in MiB;
    /// 54000 beyond.
    pub value_mb: u32,
    /// Messages that are kept of each procedure.
    pub log_entries: u32,
    /// Messages that are kept of each procedure, in KiB.
    pub log_kb: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory_kib: 64 << 10,
            wall_ms: 5000,
            stack_kib: 512,
            statements: 10_000,
            rows_in: 1_000_000,
            rows_out: 1_000_000,
            log_bytes: 64 << 10,
            concurrent_calls: 64,
            depth: 16,
            instances: 256,
            total_memory_mb: 2048,
            component_mb: 64,
            compile_ms: 120_000,
            compiled_cache_mb: 512,
            value_mb: 64,
            log_entries: 1000,
            log_kb: 256,
        }
    }
}

impl Limits {
    pub fn total_memory_bytes(&self) -> usize {
        (self.total_memory_mb as usize) << 20
    }

    pub fn component_bytes(&self) -> usize {
        (self.component_mb as usize) << 20
    }

    pub fn compile_time(&self) -> Duration {
        Duration::from_millis(self.compile_ms)
    }

    pub fn compiled_cache_bytes(&self) -> usize {
        (self.compiled_cache_mb as usize) << 20
    }

    pub fn value_bytes(&self) -> usize {
        (self.value_mb as usize) << 20
    }

    pub fn log_kept_bytes(&self) -> usize {
        (self.log_kb as usize) << 10
    }
}
