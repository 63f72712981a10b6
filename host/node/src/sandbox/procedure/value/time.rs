//! Dates and times: PostgreSQL counts from 2000, procedures from 1970. The extreme values are PostgreSQL's infinities
//! on both sides.

use crate::error::sqlstate;
use crate::sandbox::procedure::value::{Misfit, fixed};

/// Days from 1970-01-01 to 2000-01-01.
pub const EPOCH_DAYS: i32 = 10_957;

/// Microseconds from 1970-01-01 to 2000-01-01.
pub const EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;

/// The first and last day that PostgreSQL has, from 2000: 4713-11-24 BC and 5874897-12-31.
const DAYS: std::ops::RangeInclusive<i32> = -2_451_545..=2_145_031_948;

/// The first and last microsecond of a timestamp, from 2000: in 4713 BC and in 294276.
const MICROSECONDS: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

const DAY_MICROSECONDS: i64 = 86_400_000_000;

fn overflow(what: &str) -> Misfit {
    Misfit::new(sqlstate::DATETIME_FIELD_OVERFLOW, format!("{what} out of range"))
}

pub fn days_from_postgres(bytes: [u8; 4]) -> Result<i32, Misfit> {
    match i32::from_be_bytes(bytes) {
        infinite @ (i32::MIN | i32::MAX) => Ok(infinite),
        days => days.checked_add(EPOCH_DAYS).ok_or_else(|| overflow("date")),
    }
}

pub fn days_to_postgres(days: i32) -> Result<[u8; 4], Misfit> {
    let days = match days {
        infinite @ (i32::MIN | i32::MAX) => infinite,
        days => days.checked_sub(EPOCH_DAYS).filter(|days| DAYS.contains(days)).ok_or_else(|| overflow("date"))?,
    };
    Ok(days.to_be_bytes())
}

pub fn microseconds_from_postgres(bytes: [u8; 8]) -> Result<i64, Misfit> {
    match i64::from_be_bytes(bytes) {
        infinite @ (i64::MIN | i64::MAX) => Ok(infinite),
        time => time.checked_add(EPOCH_MICROSECONDS).ok_or_else(|| overflow("timestamp")),
    }
}

pub fn microseconds_to_postgres(time: i64) -> Result<[u8; 8], Misfit> {
    let time = match time {
        infinite @ (i64::MIN | i64::MAX) => infinite,
        time => time
            .checked_sub(EPOCH_MICROSECONDS)
            .filter(|time| MICROSECONDS.contains(time))
            .ok_or_else(|| overflow("timestamp"))?,
    };
    Ok(time.to_be_bytes())
}

/// A time of day, up to 24:00.
pub fn time_to_postgres(time: i64) -> Result<[u8; 8], Misfit> {
    if (0..=DAY_MICROSECONDS).contains(&time) { Ok(time.to_be_bytes()) } else { Err(overflow("time")) }
}

/// Microseconds, days, months.
pub fn interval_parts(bytes: &[u8]) -> Result<(i64, i32, i32), Misfit> {
    let bytes: [u8; 16] = fixed(bytes)?;
    let bits = i128::from_be_bytes(bytes);
    Ok(((bits >> 64) as i64, (bits >> 32) as i32, bits as i32))
}

pub fn push_interval(out: &mut Vec<u8>, microseconds: i64, days: i32, months: i32) {
    out.extend_from_slice(&microseconds.to_be_bytes());
    out.extend_from_slice(&days.to_be_bytes());
    out.extend_from_slice(&months.to_be_bytes());
}
