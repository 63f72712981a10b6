//! The procedure's log, which its owner reads as `isobar.procedure_logs`, and notices to the client that called.

pub use crate::bindings::log::{Level, Severity, log, notice};

pub fn debug(message: &str) {
    log(Level::Debug, message);
}

pub fn info(message: &str) {
    log(Level::Info, message);
}

pub fn warning(message: &str) {
    log(Level::Warning, message);
}

pub fn error(message: &str) {
    log(Level::Error, message);
}
