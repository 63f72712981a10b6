//! Precision of seconds, and the fields of intervals.

use super::{HOUR, MINUTE, is_finite_timestamp};
use crate::error::Result;
use crate::types::Value;
use crate::types::interval::Interval;

/// Most digits of a second's fraction.
const MAX_PRECISION: i32 = 6;

/// An interval's fields, as bits of its modifier's upper half.
pub(super) mod fields {
    pub const MONTH: i32 = 1 << 1;
    pub const YEAR: i32 = 1 << 2;
    pub const DAY: i32 = 1 << 3;
    pub const HOUR: i32 = 1 << 10;
    pub const MINUTE: i32 = 1 << 11;
    pub const SECOND: i32 = 1 << 12;
    pub const ALL: i32 = 0x7fff;
}

/// The fields that an interval's modifier allows.
pub(super) fn interval_fields(modifier: i32) -> i32 {
    if modifier < 0 { fields::ALL } else { (modifier >> 16) & fields::ALL }
}

/// Microseconds rounded to this many digits of a second's fraction, halves away from zero.
pub fn round_to_precision(microseconds: i64, precision: i32) -> i64 {
    if !(0..MAX_PRECISION).contains(&precision) {
        return microseconds;
    }
    let unit = 10i64.pow((MAX_PRECISION - precision) as u32);
    let half = if microseconds < 0 { -unit / 2 } else { unit / 2 };
    microseconds.checked_add(half).map_or(microseconds, |moved| moved / unit * unit)
}

/// Rounds the seconds to the precision that a modifier sets, and drops an interval's other fields; other values pass
/// as they are.
pub fn apply_modifier(value: &Value, modifier: i32) -> Result<Value> {
    if modifier < 0 {
        return Ok(value.clone());
    }
    Ok(match value {
        Value::Time(time) => Value::Time(round_to_precision(*time, modifier)),
        Value::TimeTz(time, offset) => Value::TimeTz(round_to_precision(*time, modifier), *offset),
        Value::Timestamp(time) if is_finite_timestamp(*time) => Value::Timestamp(round_to_precision(*time, modifier)),
        Value::Timestamptz(time) if is_finite_timestamp(*time) => {
            Value::Timestamptz(round_to_precision(*time, modifier))
        }
        Value::Interval(interval) => Value::Interval(fit_interval(*interval, modifier)),
        other => other.clone(),
    })
}

fn fit_interval(mut interval: Interval, modifier: i32) -> Interval {
    let allowed = interval_fields(modifier);
    if allowed != fields::ALL {
        let has = |field: i32| allowed & field != 0;
        if has(fields::SECOND) {
            // Keeps everything.
        } else if has(fields::MINUTE) {
            interval.microseconds -= interval.microseconds % MINUTE;
        } else if has(fields::HOUR) {
            interval.microseconds -= interval.microseconds % HOUR;
        } else if has(fields::DAY) {
            interval.microseconds = 0;
        } else {
            interval.microseconds = 0;
            interval.days = 0;
            if !has(fields::MONTH) {
                interval.months -= interval.months % 12;
            }
        }
    }
    let precision = modifier & 0xffff;
    interval.microseconds = round_to_precision(interval.microseconds, precision);
    interval
}
