//! What date and time operators and functions share (PostgreSQL 15, section 9.9).

use super::FunctionContext;
use crate::error::Result;
use crate::types::datetime::zone::Zone;
use std::cell::RefCell;

/// Microseconds from 1970-01-01 to 2000-01-01.
const EPOCH_DIFFERENCE: i64 = 946_684_800_000_000;

/// A timestamp in microseconds since 2000-01-01 of one that the host counts from 1970-01-01.
pub fn from_unix(microseconds: i64) -> i64 {
    microseconds - EPOCH_DIFFERENCE
}

/// The zone of setting TimeZone.
pub fn session_zone(context: &FunctionContext) -> Result<Zone> {
    thread_local! {
        // A session mostly keeps its zone: the last one asked for.
        static LAST: RefCell<Option<(String, Zone)>> = const { RefCell::new(None) };
    }
    let name = &context.settings.time_zone;
    LAST.with_borrow_mut(|last| match last {
        Some((known, zone)) if known == name => Ok(zone.clone()),
        _ => {
            let zone = Zone::named(name)?;
            *last = Some((name.clone(), zone.clone()));
            Ok(zone)
        }
    })
}
