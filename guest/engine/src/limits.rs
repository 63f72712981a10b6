//! How much of everything there may be: every limit of the engine that a user can meet.

use crate::error::{Error, Result, sqlstate};

/// Bytes of a primary key's or index's columns as encoded, after the nine bytes of their prefix. An index entry's key
/// may have the row's own key behind them.
pub const KEY_BYTES: usize = 1024;

/// Bytes of a row as encoded.
pub const ROW_BYTES: usize = 8 << 20;

/// Bytes of one value in a row as encoded.
pub const COLUMN_BYTES: usize = 8 << 20;

/// Columns of a table, dropped ones included.
pub const TABLE_COLUMNS: usize = 255;

/// Indexes of a table, its primary key included.
pub const TABLE_INDEXES: usize = 24;

/// Columns of a primary key or index key.
pub const KEY_COLUMNS: usize = 8;

/// Bytes of a view's text.
pub const VIEW_BYTES: usize = 2 << 20;

/// Bytes of an identifier; longer ones are cut, as PostgreSQL does.
pub const IDENTIFIER_BYTES: usize = 63;

/// Bytes of result rows that are handed to the host at a time, about.
pub const OUTPUT_BATCH_BYTES: usize = 64 << 10;

/// Bytes of a deployed component.
pub const PROCEDURE_BYTES: u64 = 1 << 30;

/// Functions that a procedure exports, and interfaces that it imports.
pub const PROCEDURE_ROUTINES: usize = 1000;

/// Bytes of what the host says of a procedure's functions.
pub const PROCEDURE_DESCRIPTION_BYTES: usize = 4 << 20;

/// Parameters of a procedure's function, as in PostgreSQL.
pub const ROUTINE_PARAMETERS: usize = 100;

/// Columns that a procedure's function answers, as in PostgreSQL.
pub const ROUTINE_COLUMNS: usize = 1664;

/// Bytes of arguments that one call of a routine brings to the host, about.
pub const ROUTINE_BATCH_BYTES: usize = 4 << 20;

/// Bytes asked of a cursor at a time.
pub const READ_BATCH_BYTES: u32 = 256 << 10;

/// Rows that one transaction of an index build or of a removal handles.
pub const BACKFILL_ROWS: usize = 2000;

/// Plans that an engine keeps.
pub const CACHED_PLANS: usize = 256;

/// 54000 when a row is too large.
pub fn check_row(bytes: usize) -> Result<()> {
    if bytes > ROW_BYTES {
        return Err(Error::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "maximum row size exceeded"));
    }
    Ok(())
}

/// 54000 when a value is too large.
pub fn check_column(bytes: usize) -> Result<()> {
    if bytes > COLUMN_BYTES {
        return Err(Error::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "maximum column size exceeded"));
    }
    Ok(())
}
