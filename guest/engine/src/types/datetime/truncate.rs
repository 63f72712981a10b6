//! `date_trunc` (PostgreSQL 15, section 9.9.2).

use super::calendar::{date_from_days, day_of_week, days_from_date};
use super::convert::{local_time, timestamp_to_timestamptz};
use super::extract::{unit_named, unit_not_supported};
use super::words::Unit;
use super::zone::Zone;
use super::{DAY, HOUR, MINUTE, SECOND, is_finite_timestamp};
use crate::error::Result;
use crate::types::DataType;
use crate::types::interval::Interval;

/// The length of units that fit within a day.
fn length(unit: Unit) -> Option<i64> {
    Some(match unit {
        Unit::Microsecond => 1,
        Unit::Millisecond => 1000,
        Unit::Second => SECOND,
        Unit::Minute => MINUTE,
        Unit::Hour => HOUR,
        _ => return None,
    })
}

/// The first day of the unit that a day is in; none for units that are not made of days.
fn first_day(unit: Unit, days: i64) -> Option<i64> {
    let (year, month, _) = date_from_days(days);
    let first_year = match unit {
        Unit::Day => return Some(days),
        Unit::Week => return Some(days - (day_of_week(days) + 6) % 7),
        Unit::Month => return Some(days_from_date(year, month, 1)),
        Unit::Quarter => return Some(days_from_date(year, (month - 1) / 3 * 3 + 1, 1)),
        Unit::Year => year,
        Unit::Decade => year.div_euclid(10) * 10,
        // The centuries begin with the years 1 and 1 BC - 99.
        Unit::Century => (year - 1).div_euclid(100) * 100 + 1,
        Unit::Millennium => (year - 1).div_euclid(1000) * 1000 + 1,
        _ => return None,
    };
    Some(days_from_date(first_year, 1, 1))
}

pub fn timestamp(name: &str, local: i64) -> Result<i64> {
    let unit = unit_named(name, DataType::Timestamp)?;
    let truncated = match length(unit) {
        Some(length) => Some(local - local.rem_euclid(length)),
        None => first_day(unit, local.div_euclid(DAY)).map(|days| days.saturating_mul(DAY)),
    };
    match truncated {
        None => Err(unit_not_supported(name, DataType::Timestamp)),
        Some(_) if !is_finite_timestamp(local) => Ok(local),
        Some(truncated) => super::checked_timestamp(truncated).ok_or_else(super::timestamp_out_of_range),
    }
}

/// By the zone's local time.
pub fn timestamptz(name: &str, instant: i64, zone: &Zone) -> Result<i64> {
    let unit = unit_named(name, DataType::Timestamptz)?;
    if length(unit).is_none() && first_day(unit, 0).is_none() {
        return Err(unit_not_supported(name, DataType::Timestamptz));
    }
    if !is_finite_timestamp(instant) {
        return Ok(instant);
    }
    let local = local_time(instant, zone)?;
    if let Some(length) = length(unit) {
        // The offset stays, so that the repeated hour at the end of summer time is not moved.
        return Ok(instant - local.rem_euclid(length));
    }
    let days = first_day(unit, local.div_euclid(DAY)).unwrap_or_default();
    timestamp_to_timestamptz(days.saturating_mul(DAY), zone)
}

pub fn interval(name: &str, interval: &Interval) -> Result<Interval> {
    let unit = unit_named(name, DataType::Interval)?;
    if let Some(length) = length(unit) {
        return Ok(Interval { microseconds: interval.microseconds - interval.microseconds % length, ..*interval });
    }
    let months = match unit {
        Unit::Day => return Ok(Interval { microseconds: 0, ..*interval }),
        Unit::Month => 1,
        Unit::Quarter => 3,
        Unit::Year => 12,
        Unit::Decade => 120,
        Unit::Century => 1200,
        Unit::Millennium => 12_000,
        Unit::Week => {
            return Err(unit_not_supported(name, DataType::Interval).detail("Months usually have fractional weeks."));
        }
        _ => return Err(unit_not_supported(name, DataType::Interval)),
    };
    Ok(Interval { months: interval.months - interval.months % months, days: 0, microseconds: 0 })
}
