//! Dates, times and intervals (PostgreSQL 15, sections 8.5 and 9.9).
//!
//! Everything is in microseconds or days since 2000-01-01, as in `Value`. A text is cut into fields (`lexer`), which
//! are taken for what they are by what is already there (`decode`).

pub mod arithmetic;
pub mod calendar;
mod clock;
mod convert;
mod decode;
mod decoded;
pub mod extract;
mod interval_parse;
mod interval_print;
mod lexer;
pub mod make;
mod modifier;
mod parse;
mod print;
mod style;
pub mod truncate;
mod words;
pub mod zone;

pub use convert::{
    at_time_zone, cast, date_to_timestamp, date_to_timestamptz, local_time, timestamp_to_date, timestamp_to_timestamptz,
};
pub use interval_parse::parse_interval;
pub use modifier::{apply_modifier, round_to_precision};
pub use parse::parse;
pub use print::{interval_to_string, print, timestamptz_in_zone};
pub use words::{DAYS, MONTHS, Unit, field};

use crate::error::{Error, Result, sqlstate};

/// Microseconds
pub const SECOND: i64 = 1_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// Infinities of dates, timestamps and timestamps with time zone.
pub const DATE_INFINITY: i32 = i32::MAX;
pub const DATE_NEGATIVE_INFINITY: i32 = i32::MIN;
pub const TIMESTAMP_INFINITY: i64 = i64::MAX;
pub const TIMESTAMP_NEGATIVE_INFINITY: i64 = i64::MIN;

/// The first date: Julian day 0, 4714-11-24 BC.
const FIRST_DATE: i64 = -calendar::JULIAN_EPOCH;
/// One past 5874897-12-31.
const END_DATE: i64 = 2_145_031_949;
/// 4714-11-24 00:00 BC
const FIRST_TIMESTAMP: i64 = -211_813_488_000_000_000;
/// One past 294276-12-31 23:59:59.999999
const END_TIMESTAMP: i64 = 9_223_371_331_200_000_000;

pub fn is_finite_date(date: i32) -> bool {
    date != DATE_INFINITY && date != DATE_NEGATIVE_INFINITY
}

pub fn is_finite_timestamp(timestamp: i64) -> bool {
    timestamp != TIMESTAMP_INFINITY && timestamp != TIMESTAMP_NEGATIVE_INFINITY
}

/// A date within PostgreSQL's range.
fn checked_date(days: i64) -> Option<i32> {
    (FIRST_DATE..END_DATE).contains(&days).then_some(days as i32)
}

/// A timestamp within PostgreSQL's range.
fn checked_timestamp(microseconds: i64) -> Option<i64> {
    (FIRST_TIMESTAMP..END_TIMESTAMP).contains(&microseconds).then_some(microseconds)
}

/// A date in days as bytes bring it. 22008 out of range.
pub fn receive_date(days: i32) -> Result<i32> {
    let date = if is_finite_date(days) { checked_date(i64::from(days)) } else { Some(days) };
    date.ok_or_else(date_out_of_range)
}

/// A timestamp in microseconds as bytes bring it. 22008 out of range.
pub fn receive_timestamp(microseconds: i64) -> Result<i64> {
    let timestamp =
        if is_finite_timestamp(microseconds) { checked_timestamp(microseconds) } else { Some(microseconds) };
    timestamp.ok_or_else(timestamp_out_of_range)
}

/// 22008 `timestamp out of range`
pub fn timestamp_out_of_range() -> Error {
    Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, "timestamp out of range")
}

/// 22008 `date out of range`
pub fn date_out_of_range() -> Error {
    Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, "date out of range")
}

/// 22008 `interval out of range`
pub fn interval_out_of_range() -> Error {
    Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, "interval out of range")
}
