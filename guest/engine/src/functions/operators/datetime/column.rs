//! Date and time arithmetic over whole columns.

use crate::error::Result;
use crate::functions::FunctionContext;
use crate::functions::datetime::session_zone;
use crate::functions::operators::kernel::{binary, try_map_pairs, unexpected, validity};
use crate::types::datetime::arithmetic::*;
use crate::types::datetime::date_to_timestamp;
use crate::types::{Column, ColumnData, interval::Interval};

pub fn plus_days(_: &FunctionContext, columns: &[&Column]) -> Result<Column> {
    days(columns, |date, days| add_to_date(date, i64::from(days)))
}

pub fn minus_days(_: &FunctionContext, columns: &[&Column]) -> Result<Column> {
    days(columns, |date, days| add_to_date(date, -i64::from(days)))
}

fn days(columns: &[&Column], operation: impl Fn(i32, i32) -> Result<i32>) -> Result<Column> {
    let (left, right) = binary(columns)?;
    let valid = validity(columns);
    let (dates, days) = match (&left.data, &right.data) {
        (ColumnData::Date(dates), ColumnData::Integer(days)) | (ColumnData::Integer(days), ColumnData::Date(dates)) => {
            (dates, days)
        }
        (left, right) => return Err(unexpected(left, right)),
    };
    let moved = try_map_pairs(dates, days, valid.as_deref(), operation)?;
    Ok(Column { data: ColumnData::Date(moved), valid })
}

/// Dates give days, timestamps an interval.
pub fn difference(_: &FunctionContext, columns: &[&Column]) -> Result<Column> {
    let (left, right) = binary(columns)?;
    let valid = validity(columns);
    let mask = valid.as_deref();
    let data = match (&left.data, &right.data) {
        (ColumnData::Date(left), ColumnData::Date(right)) => {
            ColumnData::Integer(try_map_pairs(left, right, mask, date_difference)?)
        }
        (ColumnData::Timestamp(left), ColumnData::Timestamp(right))
        | (ColumnData::Timestamptz(left), ColumnData::Timestamptz(right)) => {
            ColumnData::Interval(try_map_pairs(left, right, mask, timestamp_difference)?)
        }
        (left, right) => return Err(unexpected(left, right)),
    };
    Ok(Column { data, valid })
}

pub fn plus_interval(context: &FunctionContext, columns: &[&Column]) -> Result<Column> {
    interval(context, columns, Ok)
}

pub fn minus_interval(context: &FunctionContext, columns: &[&Column]) -> Result<Column> {
    interval(context, columns, |interval| negate_interval(&interval))
}

fn interval(
    context: &FunctionContext,
    columns: &[&Column],
    distance: impl Fn(Interval) -> Result<Interval>,
) -> Result<Column> {
    let (left, right) = binary(columns)?;
    let valid = validity(columns);
    let mask = valid.as_deref();
    let (moved, intervals) = match (&left.data, &right.data) {
        (ColumnData::Interval(intervals), moved) | (moved, ColumnData::Interval(intervals)) => (moved, intervals),
        (left, right) => return Err(unexpected(left, right)),
    };
    let data = match moved {
        ColumnData::Date(dates) => ColumnData::Timestamp(try_map_pairs(dates, intervals, mask, |date, interval| {
            add_to_timestamp(date_to_timestamp(date)?, &distance(interval)?)
        })?),
        ColumnData::Timestamp(timestamps) => {
            ColumnData::Timestamp(try_map_pairs(timestamps, intervals, mask, |timestamp, interval| {
                add_to_timestamp(timestamp, &distance(interval)?)
            })?)
        }
        ColumnData::Timestamptz(instants) => {
            let zone = session_zone(context)?;
            ColumnData::Timestamptz(try_map_pairs(instants, intervals, mask, |instant, interval| {
                add_to_timestamptz(instant, &distance(interval)?, &zone)
            })?)
        }
        other => return Err(unexpected(other, &right.data)),
    };
    Ok(Column { data, valid })
}
