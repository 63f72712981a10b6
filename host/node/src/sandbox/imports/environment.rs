//! `wit/environment.wit`: time, randomness, log.

use rand::Rng;

use crate::sandbox::bindings::isobar::engine::environment::{Host, Level};
use crate::sandbox::instance::State;

/// What `wit/environment.wit` promises at most.
const RANDOM_BYTES_MAX: u32 = 4096;

/// A guest's messages are cut here.
const LOG_BYTES_MAX: usize = 4096;

impl Host for State {
    fn transaction_time(&mut self) -> i64 {
        self.call.as_ref().map_or(0, |call| call.transaction_time)
    }

    fn statement_time(&mut self) -> i64 {
        self.call.as_ref().map_or(0, |call| call.statement_time)
    }

    fn clock_time(&mut self) -> i64 {
        self.call.as_ref().map_or(0, |call| i64::try_from(call.clock.now_micros()).unwrap_or(i64::MAX))
    }

    fn random(&mut self, count: u32) -> Vec<u8> {
        let mut bytes = vec![0; count.min(RANDOM_BYTES_MAX) as usize];
        rand::rng().fill_bytes(&mut bytes);
        bytes
    }

    fn log(&mut self, level: Level, mut message: String) {
        if message.len() > LOG_BYTES_MAX {
            message.truncate(message.floor_char_boundary(LOG_BYTES_MAX));
        }
        match level {
            Level::Debug => tracing::debug!(target: "isobar::engine", "{message}"),
            Level::Info => tracing::info!(target: "isobar::engine", "{message}"),
            Level::Warn => tracing::warn!(target: "isobar::engine", "{message}"),
            Level::Error => tracing::error!(target: "isobar::engine", "{message}"),
        }
    }
}
