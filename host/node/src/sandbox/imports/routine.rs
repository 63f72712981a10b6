//! `wit/routine.wit`: functions of stored procedures.

use crate::error::{Error, sqlstate};
use crate::sandbox::bindings::isobar::engine::routine::{Answer, Host, LogEntry, Target, Usage};
use crate::sandbox::bindings::isobar::engine::types;
use crate::sandbox::instance::State;

impl Host for State {
    async fn call(&mut self, target: Target, _: Vec<u8>, _: u32) -> Result<Answer, types::Error> {
        let message = format!("procedure \"{}\" cannot be called yet", target.procedure);
        Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message).into())
    }

    fn list_usage(&mut self) -> Vec<Usage> {
        Vec::new()
    }

    fn list_logs(&mut self) -> Vec<LogEntry> {
        Vec::new()
    }
}
