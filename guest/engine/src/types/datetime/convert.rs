//! Conversions among dates, times, timestamps and intervals, and AT TIME ZONE.

use super::zone::Zone;
use super::{
    DATE_INFINITY, DATE_NEGATIVE_INFINITY, DAY, FIRST_TIMESTAMP, SECOND, TIMESTAMP_INFINITY,
    TIMESTAMP_NEGATIVE_INFINITY, calendar, checked_timestamp, is_finite_timestamp, timestamp_out_of_range,
};
use crate::error::{Error, Result, sqlstate};
use crate::functions::FunctionContext;
use crate::types::interval::Interval;
use crate::types::{DataType, Value};

/// Conversions among dates, times and intervals; none for other types.
pub fn cast(value: &Value, to: DataType, context: &FunctionContext) -> Option<Result<Value>> {
    let zone = || Zone::named(&context.settings.time_zone);
    Some(match (value, to) {
        (Value::Date(date), DataType::Timestamp) => date_to_timestamp(*date).map(Value::Timestamp),
        (Value::Date(date), DataType::Timestamptz) => {
            zone().and_then(|zone| date_to_timestamptz(*date, &zone)).map(Value::Timestamptz)
        }
        (Value::Timestamp(local), DataType::Date) => Ok(Value::Date(timestamp_to_date(*local))),
        (Value::Timestamp(local), DataType::Time) => Ok(time_of_day(*local)),
        (Value::Timestamp(local), DataType::Timestamptz) => {
            zone().and_then(|zone| timestamp_to_timestamptz(*local, &zone)).map(Value::Timestamptz)
        }
        (Value::Timestamptz(instant), DataType::Timestamp | DataType::Date | DataType::Time) => {
            zone().and_then(|zone| local_time(*instant, &zone)).map(|local| match to {
                DataType::Timestamp => Value::Timestamp(local),
                DataType::Date => Value::Date(timestamp_to_date(local)),
                _ => time_of_day(local),
            })
        }
        (Value::Timestamptz(instant), DataType::TimeTz) => zone().and_then(|zone| time_with_zone(*instant, &zone)),
        (Value::Time(time), DataType::Interval) => {
            Ok(Value::Interval(Interval { microseconds: *time, ..Default::default() }))
        }
        (Value::Time(time), DataType::TimeTz) => zone().map(|zone| {
            let now = context.environment.transaction_time() - calendar::UNIX_EPOCH_DAYS * DAY;
            let today = (now + i64::from(zone.offset_at(now)) * SECOND).div_euclid(DAY);
            Value::TimeTz(*time, zone.offset_for_local(today * DAY + time))
        }),
        (Value::TimeTz(time, _), DataType::Time) => Ok(Value::Time(*time)),
        (Value::Interval(interval), DataType::Time) => Ok(Value::Time(interval.microseconds.rem_euclid(DAY))),
        _ => return None,
    })
}

/// Midnight of a date. Fails with 22008.
pub fn date_to_timestamp(date: i32) -> Result<i64> {
    match date {
        DATE_INFINITY => Ok(TIMESTAMP_INFINITY),
        DATE_NEGATIVE_INFINITY => Ok(TIMESTAMP_NEGATIVE_INFINITY),
        date => i64::from(date)
            .checked_mul(DAY)
            .and_then(checked_timestamp)
            .ok_or_else(|| Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, "date out of range for timestamp")),
    }
}

/// The instant of a date's midnight in a zone. Fails with 22008.
pub fn date_to_timestamptz(date: i32, zone: &Zone) -> Result<i64> {
    timestamp_to_timestamptz(date_to_timestamp(date)?, zone)
}

/// The date of a local time.
pub fn timestamp_to_date(local: i64) -> i32 {
    match local {
        TIMESTAMP_INFINITY => DATE_INFINITY,
        TIMESTAMP_NEGATIVE_INFINITY => DATE_NEGATIVE_INFINITY,
        local => local.div_euclid(DAY) as i32,
    }
}

/// The time of day of a local time; NULL for the infinities.
fn time_of_day(local: i64) -> Value {
    if is_finite_timestamp(local) { Value::Time(local.rem_euclid(DAY)) } else { Value::Null }
}

fn time_with_zone(instant: i64, zone: &Zone) -> Result<Value> {
    if !is_finite_timestamp(instant) {
        return Ok(Value::Null);
    }
    Ok(Value::TimeTz(local_time(instant, zone)?.rem_euclid(DAY), zone.offset_at(instant)))
}

/// The instant of a zone's local time. Fails with 22008.
pub fn timestamp_to_timestamptz(local: i64, zone: &Zone) -> Result<i64> {
    if !is_finite_timestamp(local) {
        return Ok(local);
    }
    let instant = local - i64::from(zone.offset_for_local(local)) * SECOND;
    checked_timestamp(instant).ok_or_else(timestamp_out_of_range)
}

/// A zone's local time at an instant. Fails with 22008.
pub fn local_time(instant: i64, zone: &Zone) -> Result<i64> {
    if !is_finite_timestamp(instant) {
        return Ok(instant);
    }
    let local = instant.checked_add(i64::from(zone.offset_at(instant)) * SECOND);
    local.filter(|local| *local >= FIRST_TIMESTAMP).and_then(checked_timestamp).ok_or_else(timestamp_out_of_range)
}

/// `value AT TIME ZONE zone` for timestamp, timestamptz and timetz. `now` is microseconds since 2000-01-01 00:00 UTC.
pub fn at_time_zone(value: &Value, zone: &Zone, now: i64) -> Result<Value> {
    match value {
        Value::Timestamp(local) => timestamp_to_timestamptz(*local, zone).map(Value::Timestamptz),
        Value::Timestamptz(instant) => local_time(*instant, zone).map(Value::Timestamp),
        Value::TimeTz(time, offset) => {
            let new_offset = zone.offset_at(now);
            let moved = time + (i64::from(new_offset) - i64::from(*offset)) * SECOND;
            Ok(Value::TimeTz(moved.rem_euclid(DAY), new_offset))
        }
        _ => Err(Error::internal("AT TIME ZONE of a value without a time")),
    }
}
