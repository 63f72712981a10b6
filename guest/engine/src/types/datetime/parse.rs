//! The input functions of dates and times.

use super::decode::decode;
use super::decoded::{DateOrder, Decoded, Failure, Special, ZoneField};
use super::zone::Zone;
use super::{
    DATE_INFINITY, DATE_NEGATIVE_INFINITY, DAY, SECOND, TIMESTAMP_INFINITY, TIMESTAMP_NEGATIVE_INFINITY, calendar,
    checked_date, checked_timestamp, modifier,
};
use crate::error::{Error, Result, sqlstate};
use crate::functions::FunctionContext;
use crate::types::{DataType, Value};

/// Reads a value of one of the date and time types, rounded as the modifier says. Fails with 22007 and 22008.
pub fn parse(text: &str, data_type: DataType, modifier: i32, context: &FunctionContext) -> Result<Value> {
    let failed = |failure| word_failure(failure, text, data_type);
    let value = match data_type {
        DataType::Date => parse_date(text, context).map_err(failed)?,
        DataType::Time | DataType::TimeTz => parse_time(text, data_type, context).map_err(failed)?,
        DataType::Timestamp | DataType::Timestamptz => parse_timestamp(text, data_type, context)?,
        DataType::Interval => {
            return super::parse_interval(text, modifier, &context.settings.interval_style).map(Value::Interval);
        }
        _ => return Err(Error::internal(format!("{} is no date or time", data_type.name()))),
    };
    modifier::apply_modifier(&value, modifier)
}

/// The error that PostgreSQL reports.
pub(super) fn word_failure(failure: Failure, text: &str, data_type: DataType) -> Error {
    let out_of_range =
        || Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, format!("date/time field value out of range: \"{text}\""));
    match failure {
        Failure::Format => Error::new(
            sqlstate::INVALID_DATETIME_FORMAT,
            format!("invalid input syntax for type {}: \"{text}\"", name_in_errors(data_type)),
        ),
        Failure::FieldOverflow => out_of_range(),
        Failure::DateOutOfRange => {
            Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, format!("date out of range: \"{text}\""))
        }
        Failure::MonthOrDayOverflow => out_of_range().hint("Perhaps you need a different \"datestyle\" setting."),
        Failure::ZoneOverflow => Error::new(
            sqlstate::INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
            format!("time zone displacement out of range: \"{text}\""),
        ),
        Failure::UnknownZone(zone) => {
            Error::new(sqlstate::INVALID_PARAMETER_VALUE, format!("time zone \"{zone}\" not recognized"))
        }
        Failure::IntervalOverflow => {
            Error::new(sqlstate::INTERVAL_FIELD_OVERFLOW, format!("interval field value out of range: \"{text}\""))
        }
    }
}

/// Time and timestamp go by their short names here.
fn name_in_errors(data_type: DataType) -> String {
    match data_type {
        DataType::Time | DataType::Timestamp => data_type.internal_name(),
        _ => data_type.name(),
    }
}

fn order(context: &FunctionContext) -> DateOrder {
    DateOrder::of_style(&context.settings.date_style)
}

/// Microseconds since 2000-01-01 00:00 UTC at which the transaction began.
fn transaction_time(context: &FunctionContext) -> i64 {
    context.environment.transaction_time() - calendar::UNIX_EPOCH_DAYS * DAY
}

fn session_zone(context: &FunctionContext) -> Result<Zone, Failure> {
    let name = &context.settings.time_zone;
    Zone::named(name).map_err(|_| Failure::UnknownZone(name.clone()))
}

/// The session's local time now.
fn local_now(context: &FunctionContext) -> Result<i64, Failure> {
    let now = transaction_time(context);
    Ok(now + i64::from(session_zone(context)?.offset_at(now)) * SECOND)
}

fn parse_date(text: &str, context: &FunctionContext) -> Result<Value, Failure> {
    let decoded = decode(text, order(context), false)?;
    let days = match decoded.special {
        Some(Special::Infinity) => return Ok(Value::Date(DATE_INFINITY)),
        Some(Special::NegativeInfinity) => return Ok(Value::Date(DATE_NEGATIVE_INFINITY)),
        Some(Special::Epoch) => -calendar::UNIX_EPOCH_DAYS,
        Some(Special::Now) => local_now(context)?.div_euclid(DAY),
        Some(Special::Day(shift)) => local_now(context)?.div_euclid(DAY) + shift,
        None => decoded.date.ok_or(Failure::Format)?,
    };
    checked_date(days).map(Value::Date).ok_or(Failure::DateOutOfRange)
}

fn parse_timestamp(text: &str, data_type: DataType, context: &FunctionContext) -> Result<Value> {
    let failed = |failure| word_failure(failure, text, data_type);
    let decoded = decode(text, order(context), false).map_err(failed)?;
    let with_zone = data_type == DataType::Timestamptz;
    let microseconds = match decoded.special {
        Some(Special::Infinity) => Ok(TIMESTAMP_INFINITY),
        Some(Special::NegativeInfinity) => Ok(TIMESTAMP_NEGATIVE_INFINITY),
        _ => moment(&decoded, with_zone, context).map_err(failed)?.ok_or_else(|| {
            Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, format!("timestamp out of range: \"{text}\""))
        }),
    }?;
    Ok(if with_zone { Value::Timestamptz(microseconds) } else { Value::Timestamp(microseconds) })
}

/// The instant, or the local time when there is no zone. None when it is out of range.
fn moment(decoded: &Decoded, with_zone: bool, context: &FunctionContext) -> Result<Option<i64>, Failure> {
    let days = match decoded.special {
        Some(Special::Epoch) => return Ok(Some(-calendar::UNIX_EPOCH_DAYS * DAY)),
        Some(Special::Now) if with_zone => return Ok(Some(transaction_time(context))),
        Some(Special::Now) => return local_now(context).map(Some),
        Some(Special::Day(shift)) => local_now(context)?.div_euclid(DAY) + shift,
        _ => decoded.date.ok_or(Failure::Format)?,
    };
    let local = days.checked_mul(DAY).and_then(|midnight| midnight.checked_add(decoded.time.unwrap_or(0)));
    let Some(local) = local else { return Ok(None) };
    if !with_zone {
        return Ok(checked_timestamp(local));
    }
    let offset = match &decoded.zone {
        Some(ZoneField::Offset(seconds)) => *seconds,
        Some(ZoneField::Rules(zone)) => zone.offset_for_local(local),
        None => session_zone(context)?.offset_for_local(local),
    };
    Ok(local.checked_sub(i64::from(offset) * SECOND).and_then(checked_timestamp))
}

fn parse_time(text: &str, data_type: DataType, context: &FunctionContext) -> Result<Value, Failure> {
    let decoded = decode(text, order(context), true)?;
    let time = match decoded.special {
        Some(Special::Now) => local_now(context)?.rem_euclid(DAY),
        Some(Special::Day(_)) => decoded.time.ok_or(Failure::Format)?,
        Some(_) => return Err(Failure::Format),
        None => decoded.time.ok_or(Failure::Format)?,
    };
    if data_type == DataType::Time {
        return match (&decoded.zone, decoded.date) {
            // The offset of a zone by name depends on the date, which a time does not have.
            (Some(ZoneField::Rules(Zone::Named(_))), None) => Err(Failure::Format),
            _ => Ok(Value::Time(time)),
        };
    }
    let local = match decoded.date {
        Some(days) => days.saturating_mul(DAY).saturating_add(time),
        None => local_now(context)?.div_euclid(DAY) * DAY + time,
    };
    let offset = match &decoded.zone {
        Some(ZoneField::Offset(seconds)) => *seconds,
        Some(ZoneField::Rules(Zone::Named(_))) if decoded.date.is_none() => return Err(Failure::Format),
        Some(ZoneField::Rules(zone)) => zone.offset_for_local(local),
        None => session_zone(context)?.offset_for_local(local),
    };
    Ok(Value::TimeTz(time, offset))
}
