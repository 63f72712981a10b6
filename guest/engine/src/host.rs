//! What the engine asks of its host: the Rust face of `wit/`, implemented by the component's imports and, for native
//! tests and benchmarks, by ordinary code.

use crate::error::Result;
use serde::{Deserialize, Serialize};

/// A range of keys, `start` included, `end` excluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    pub start: Vec<u8>,
    pub end: Vec<u8>,
    pub reverse: bool,
    /// About how many rows will be wanted; 0 for all.
    pub expected_rows: u32,
}

/// The caller's open transaction. Reads see its snapshot with its own writes on top. See `wit/transaction.wit`.
pub trait Transaction {
    fn catalog_version(&self) -> u64;
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>>;
    /// Values in the order of `keys`.
    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>>;
    /// Opens a cursor, to be closed by `close_cursor`.
    fn scan(&self, range: &KeyRange) -> Result<u32>;
    /// Packed pairs: (key length u32 LE, key, value length u32 LE, value)*; empty at the end.
    fn next_batch(&self, cursor: u32, max_bytes: u32) -> Result<Vec<u8>>;
    fn close_cursor(&self, cursor: u32);
    /// Packed writes: (1u8, key length, key, value length, value) or (0u8, key length, key), lengths u32 LE.
    fn write(&self, writes: &[u8]) -> Result<()>;
    /// The commit fails with 40001 when another transaction writes this key after our snapshot; an index's nine-byte
    /// prefix stands for all of its keys.
    fn guard(&self, key: &[u8]) -> Result<()>;
    /// Live keys of the index with this nine-byte prefix, approximately.
    fn estimate_count(&self, index_prefix: &[u8]) -> u64;
}

/// Time in microseconds since the Unix epoch, and randomness.
pub trait Environment {
    fn transaction_time(&self) -> i64;
    fn statement_time(&self) -> i64;
    fn clock_time(&self) -> i64;
    fn random(&self, buffer: &mut [u8]);
}

/// One column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputColumn {
    pub name: String,
    pub type_oid: u32,
    pub type_size: i16,
    pub type_modifier: i32,
    pub table_oid: u32,
    pub column_number: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Debug,
    Info,
    Notice,
    Warning,
}

/// Where a statement's rows and notices go.
pub trait Output {
    fn describe(&self, columns: &[OutputColumn]) -> Result<()>;
    /// Rows as the fields of PostgreSQL's DataRow: per column a big-endian i32 length (-1 for NULL) and its
    /// bytes, in the request's format.
    fn rows(&self, batch: &[u8], count: u32) -> Result<()>;
    fn notice(&self, severity: Severity, sqlstate: &str, message: &str);
}

/// What a procedure may use in one statement that calls it; none: the node's default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcedureLimits {
    pub memory_kib: Option<u32>,
    pub wall_ms: Option<u32>,
    pub stack_kib: Option<u32>,
    pub statements: Option<u32>,
    pub rows_in: Option<u32>,
    pub rows_out: Option<u32>,
    pub log_bytes: Option<u32>,
    pub concurrent_calls: Option<u32>,
}

/// An exported function of a deployed procedure. Field meanings are in `wit/routine.wit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub procedure: String,
    pub procedure_id: u32,
    pub version: u32,
    pub digest: [u8; 32],
    pub export: String,
    pub routine: String,
    pub definer: bool,
    pub limits: ProcedureLimits,
    pub may_define: bool,
}

/// A routine's use on this node. Times in microseconds, memory in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    pub procedure: String,
    pub routine: String,
    pub calls: u64,
    /// SQLSTATE and how often.
    pub errors: Vec<(String, u64)>,
    pub median_time: u64,
    pub p99_time: u64,
    pub longest_time: u64,
    pub total_time: u64,
    pub memory_peak: u64,
    pub statements: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Microseconds since the Unix epoch.
    pub time: i64,
    pub procedure: String,
    pub routine: String,
    pub caller: String,
    pub level: String,
    pub message: String,
}

/// What a function answered. See `wit/routine.wit`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutineAnswer {
    /// Rows of values in binary form.
    pub rows: Vec<u8>,
    pub count: u32,
    /// Writes that would undo those of the call's statements, packed as in `Transaction::write`.
    pub replaced: Vec<u8>,
}

/// Functions of stored procedures, which the host runs in a sandbox of their own. See `wit/routine.wit`.
pub trait Routines {
    /// Calls the function once per row of `arguments`, which are rows of values in binary form.
    fn call(&self, target: &Target, arguments: &[u8], count: u32) -> Result<RoutineAnswer>;
    fn usage(&self) -> Vec<Usage>;
    fn logs(&self) -> Vec<LogEntry>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Select,
    Insert,
    Update,
    Delete,
    Execute,
    Deploy,
    Ddl,
    Admin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Database,
    Schema,
    Table,
    Procedure,
}

/// What a statement does to what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    pub action: Action,
    pub kind: Kind,
    pub schema: String,
    pub name: String,
    /// The user who created it, empty where nobody did.
    pub owner: String,
    /// Whose right counts: the owner of the view that reads it; empty for whom the statement runs for.
    pub user: String,
}

/// May they? See `wit/authorization.wit`.
pub trait Authorization {
    /// 42501 when one of the accesses is denied. The answer holds for this user as long as the catalog's version does.
    fn check(&self, accesses: &[Access]) -> Result<()>;
}

/// Lets everybody do everything: where no statement runs.
pub struct Unrestricted;

impl Authorization for Unrestricted {
    fn check(&self, _: &[Access]) -> Result<()> {
        Ok(())
    }
}

/// Everything that a statement may touch.
pub trait Host: Transaction + Environment + Output + Routines + Authorization {}

impl<T: Transaction + Environment + Output + Routines + Authorization> Host for T {}
