//! `wit/procedure/log.wit`: the procedure's own log, and notices to the client.

use crate::sandbox::procedure::bindings::isobar::procedure::log::{Host, Level, Severity};
use crate::sandbox::procedure::failure::stop;
use crate::sandbox::procedure::instance::State;
use crate::sandbox::procedure::log;
use crate::sandbox::{Event, Notice, Severity as NoticeSeverity};

/// SQLSTATEs of successful completion and of a warning (PostgreSQL 15, appendix A).
const SUCCESS: &str = "00000";
const WARNING: &str = "01000";

/// Bytes of one notice; the rest is cut off.
const NOTICE_BYTES_MAX: usize = 8192;

impl Host for State {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            Level::Debug => log::Level::Debug,
            Level::Info => log::Level::Info,
            Level::Warning => log::Level::Warning,
            Level::Error => log::Level::Error,
        };
        State::log(self, level, message).map_err(stop)
    }

    fn notice(&mut self, severity: Severity, mut message: String) -> wasmtime::Result<()> {
        // Notices are messages too: a flood of them has the same limit, and so has what is cut off.
        self.count_message(message.len()).map_err(stop)?;
        message.truncate(message.floor_char_boundary(NOTICE_BYTES_MAX));
        let (severity, sqlstate) = match severity {
            Severity::Debug => (NoticeSeverity::Debug, SUCCESS),
            Severity::Info => (NoticeSeverity::Info, SUCCESS),
            Severity::Notice => (NoticeSeverity::Notice, SUCCESS),
            Severity::Warning => (NoticeSeverity::Warning, WARNING),
        };
        let message = message.replace('\0', "\u{fffd}");
        let call = self.call().map_err(stop)?;
        // One too many is dropped: a notice is never worth a statement.
        let _ = call.results.add(Event::Notice(Notice { severity, sqlstate: sqlstate.into(), message }));
        Ok(())
    }
}
