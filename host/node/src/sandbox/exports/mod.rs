//! What a guest offers the host: one module per interface of `wit/`.

mod statement;

pub use statement::{Control, Description, Format, Outcome, Request, Setting, TransactionModes};
