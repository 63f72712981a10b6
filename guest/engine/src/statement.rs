//! A request and its outcome: the Rust face of `wit/statement.wit`, field by field.

use crate::host::OutputColumn;

/// How values are written as bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Text,
    Binary,
}

#[derive(Clone, Debug, Default)]
pub struct Request {
    pub sql: String,
    /// Per parameter a big-endian i32 length (-1: NULL) and its bytes.
    pub parameters: Vec<u8>,
    /// Of the parameters and of the rows in the answer.
    pub format: Format,
    /// Type OIDs; 0 or missing: inferred.
    pub parameter_types: Vec<u32>,
    pub settings: Vec<(String, String)>,
    pub in_transaction_block: bool,
    /// What follows COPY … FROM STDIN.
    pub input: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    RepeatableRead,
    Serializable,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionModes {
    pub isolation: Option<Isolation>,
    pub read_only: Option<bool>,
}

/// What the host must do for the statement. Field meanings are in `wit/statement.wit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    Begin(TransactionModes),
    Commit,
    Rollback,
    Savepoint(String),
    ReleaseSavepoint(String),
    RollbackToSavepoint(String),
    SetTransaction(TransactionModes),
    Set { name: String, value: Option<String>, local: bool },
    ResetAll,
    Prepare { name: String, sql: String, parameter_types: Vec<u32> },
    ExecutePrepared { name: String, parameters: Vec<u8> },
    Deallocate(Option<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Complete { tag: String, follow_up: Vec<String> },
    Control(Control),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub parameter_types: Vec<u32>,
    pub columns: Option<Vec<OutputColumn>>,
}
