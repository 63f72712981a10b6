//! `wit/output.wit`: where a statement's rows go.

use crate::sandbox::bindings::isobar::engine::{output, types};
use crate::sandbox::instance::{Call, State, unless_stopped};
use crate::sandbox::{Column, Event, Notice, Severity};

type Result<T> = std::result::Result<T, types::Error>;

/// Columns of one result, PostgreSQL's MaxTupleAttributeNumber.
const COLUMNS_MAX: usize = 1664;

/// Notices of one statement; the rest is dropped.
const NOTICE_BYTES_MAX: usize = 8192;

impl output::Host for State {
    fn describe(&mut self, columns: Vec<output::Column>) -> Result<()> {
        let call = self.call()?;
        if call.transaction.is_none() {
            return Err(crate::error::Error::aborted_block().into());
        }
        if columns.len() > COLUMNS_MAX {
            return Err(crate::error::Error::new("54011", "target lists can have at most 1664 entries").into());
        }
        Ok(call.results.add(Event::Columns(columns.into_iter().map(Column::from).collect()))?)
    }

    /// Waits while the client has no room, but no longer than the statement may take.
    async fn rows(&mut self, batch: Vec<u8>, count: u32) -> Result<()> {
        let Call { transaction, results, interrupt, deadline, procedures, .. } = self.call()?;
        let Some(transaction) = transaction else { return Err(crate::error::Error::aborted_block().into()) };
        // Rows of a statement that writes wait for its commit, when it can be run again, and so do those of one that
        // calls a procedure, which may write yet.
        if !transaction.has_writes() && !procedures.routine_called {
            results.hold(false);
        }
        Ok(unless_stopped(interrupt, *deadline, results.add_rows(batch, count)).await??)
    }

    fn notice(&mut self, severity: output::Severity, sqlstate: String, mut message: String) {
        message.truncate(message.floor_char_boundary(NOTICE_BYTES_MAX));
        let severity = match severity {
            output::Severity::Debug => Severity::Debug,
            output::Severity::Info => Severity::Info,
            output::Severity::Notice => Severity::Notice,
            output::Severity::Warning => Severity::Warning,
        };
        if let Ok(call) = self.call() {
            // One too many is dropped: a notice is never worth a statement.
            let _ = call.results.add(Event::Notice(Notice { severity, sqlstate, message }));
        }
    }
}

impl From<output::Column> for Column {
    fn from(column: output::Column) -> Column {
        Column {
            name: column.name,
            type_oid: column.type_oid,
            type_size: column.type_size,
            type_modifier: column.type_modifier,
            table_oid: column.table_oid,
            column_number: column.column_number,
        }
    }
}
