//! Whom a statement calls: a routine in one version of its procedure, and what that may use.

use std::sync::Arc;

use crate::error::Error;
use crate::sandbox::procedure::Limits;
use crate::sandbox::procedure::component::Digest;

/// A routine as `wit/routine.wit` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The procedure's name, its OID and its version.
    pub procedure: Arc<str>,
    pub procedure_id: u32,
    pub version: u32,
    pub digest: Digest,
    /// The export's path inside the component.
    pub export: Arc<str>,
    /// Its name in SQL.
    pub routine: Arc<str>,
    /// Its statements run with the procedure's own rights.
    pub definer: bool,
    pub limits: TargetLimits,
    /// Its statements may define tables.
    pub may_define: bool,
}

/// Limits of one procedure's own; none: the node's default. Units are those of [`Limits`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetLimits {
    pub memory_kib: Option<u32>,
    pub wall_ms: Option<u32>,
    pub stack_kib: Option<u32>,
    pub statements: Option<u32>,
    pub rows_in: Option<u32>,
    pub rows_out: Option<u32>,
    pub log_bytes: Option<u32>,
    pub concurrent_calls: Option<u32>,
}

impl TargetLimits {
    /// The node's limits with these in their place.
    pub fn over(&self, limits: &Limits) -> Limits {
        Limits {
            memory_kib: self.memory_kib.unwrap_or(limits.memory_kib),
            wall_ms: self.wall_ms.unwrap_or(limits.wall_ms),
            stack_kib: self.stack_kib.unwrap_or(limits.stack_kib),
            statements: self.statements.unwrap_or(limits.statements),
            rows_in: self.rows_in.unwrap_or(limits.rows_in),
            rows_out: self.rows_out.unwrap_or(limits.rows_out),
            log_bytes: self.log_bytes.unwrap_or(limits.log_bytes),
            concurrent_calls: self.concurrent_calls.unwrap_or(limits.concurrent_calls),
            ..limits.clone()
        }
    }
}

impl Target {
    /// The CONTEXT line of its errors.
    pub fn context(&self) -> String {
        format!("routine {} of procedure {}, version {}", self.routine, self.procedure, self.version)
    }

    /// A limit of this procedure is exceeded: `what` it did, the limit's name, value and unit.
    pub fn exceeded(
        &self,
        sqlstate: &str,
        what: &str,
        limit: &str,
        value: impl std::fmt::Display,
        unit: &str,
    ) -> Error {
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        Error::new(sqlstate, format!("procedure \"{}\" {what}: the limit {limit} is {value}{unit}", self.procedure))
            .hint(format!("ALTER PROCEDURE {} SET {limit} TO … raises it.", self.procedure))
    }
}
