//! `date_trunc` (PostgreSQL 15, section 9.9.2).

use super::calendar::{date_from_days, day_of_week, days_from_date};
use super::convert::{local_time, timestamp_to_timestamptz};
use super::extract::unit_not_supported;
use super::words::Unit;
use super::zone::Zone;
use super::{DAY, HOUR, MINUTE, SECOND, extract, is_finite_timestamp};
use crate::error::Result;
use crate::types::DataType;
use crate::types::interval::Interval;

/// The unit that a text names. Fails with 22023, and with 0A000 for one of a time zone.
fn unit_named(name: &str, data_type: DataType) -> Result<Unit> {
    let unit = extract::unit_named(name, data_type)?;
    match unit {
        Unit::Dow | Unit::IsoDow | Unit::Doy | Unit::IsoYear | Unit::Julian | Unit::Epoch => {
            Err(extract::unit_not_recognized(name, data_type))
        }
        Unit::Timezone | Unit::TimezoneHour | Unit::TimezoneMinute => Err(unit_not_supported(name, data_type)),
        _ => Ok(unit),
    }
}

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

/// The first day of the unit that a day is in; units within a day leave it as it is.
fn first_day(unit: Unit, days: i64) -> i64 {
    let (year, month, _) = date_from_days(days);
    let first_year = match unit {
        Unit::Week => return days - (day_of_week(days) + 6) % 7,
        Unit::Month => return days_from_date(year, month, 1),
        Unit::Quarter => return days_from_date(year, (month - 1) / 3 * 3 + 1, 1),
        Unit::Year => year,
        Unit::Decade => year.div_euclid(10) * 10,
        // The centuries begin with the years 1 and 1 BC - 99.
        Unit::Century => (year - 1).div_euclid(100) * 100 + 1,
        Unit::Millennium => (year - 1).div_euclid(1000) * 1000 + 1,
        _ => return days,
    };
    days_from_date(first_year, 1, 1)
}

pub fn timestamp(name: &str, local: i64) -> Result<i64> {
    if !is_finite_timestamp(local) {
        return Ok(local);
    }
    let unit = unit_named(name, DataType::Timestamp)?;
    let truncated = match length(unit) {
        Some(length) => local - local.rem_euclid(length),
        None => first_day(unit, local.div_euclid(DAY)).saturating_mul(DAY),
    };
    super::checked_timestamp(truncated).ok_or_else(super::timestamp_out_of_range)
}

/// By the zone's local time.
pub fn timestamptz(name: &str, instant: i64, zone: &Zone) -> Result<i64> {
    if !is_finite_timestamp(instant) {
        return Ok(instant);
    }
    let unit = unit_named(name, DataType::Timestamptz)?;
    let local = local_time(instant, zone)?;
    if let Some(length) = length(unit) {
        // The offset stays, so that the repeated hour at the end of summer time is not moved.
        return Ok(instant - local.rem_euclid(length));
    }
    let days = first_day(unit, local.div_euclid(DAY));
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
