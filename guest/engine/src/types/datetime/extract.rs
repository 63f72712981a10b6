//! `extract` and `date_part` (PostgreSQL 15, section 9.9.1). Results are numerics with PostgreSQL's scales; none is
//! NULL, which fields that only turn around have for the infinities.

use super::calendar::{JULIAN_EPOCH, UNIX_EPOCH_DAYS, date_from_days, day_of_week, day_of_year, iso_week};
use super::words::Unit;
use super::zone::Zone;
use super::{DAY, HOUR, MINUTE, SECOND, TIMESTAMP_INFINITY, convert, is_finite_date, is_finite_timestamp, words};
use crate::error::{Error, Result, sqlstate};
use crate::types::DataType;
use crate::types::interval::Interval;
use crate::types::numeric::Numeric;

/// The field that a text names. Fails with 22023.
pub fn unit_named(name: &str, data_type: DataType) -> Result<Unit> {
    words::field(name).ok_or_else(|| unit_not_recognized(name, data_type))
}

/// 22023 `unit "foo" not recognized for type interval`
pub fn unit_not_recognized(name: &str, data_type: DataType) -> Error {
    Error::new(
        sqlstate::INVALID_PARAMETER_VALUE,
        format!("unit \"{name}\" not recognized for type {}", data_type.name()),
    )
}

/// 0A000 `unit "week" not supported for type interval`
pub fn unit_not_supported(name: &str, data_type: DataType) -> Error {
    Error::new(sqlstate::FEATURE_NOT_SUPPORTED, format!("unit \"{name}\" not supported for type {}", data_type.name()))
}

fn integer(value: i64) -> Option<Numeric> {
    Some(Numeric::from_i64(value))
}

/// Microseconds as a number of a larger unit.
fn scaled(microseconds: i128, scale: u16) -> Option<Numeric> {
    Some(Numeric::new(microseconds, scale))
}

/// The infinity of fields that grow with time; NULL for the others.
fn of_infinity(unit: Unit, positive: bool) -> Option<Numeric> {
    let grows = matches!(
        unit,
        Unit::Year | Unit::Decade | Unit::Century | Unit::Millennium | Unit::Julian | Unit::IsoYear | Unit::Epoch
    );
    grows.then_some(if positive { Numeric::Infinity } else { Numeric::NegativeInfinity })
}

/// Fields of a date. There is no year 0: 1 BC is -1.
fn date_field(unit: Unit, days: i64) -> Option<Numeric> {
    let (year, month, day) = date_from_days(days);
    let without_zero = |year: i64| if year > 0 { year } else { year - 1 };
    integer(match unit {
        Unit::Day => day,
        Unit::Month => month,
        Unit::Quarter => (month - 1) / 3 + 1,
        Unit::Week => iso_week(days).1,
        Unit::Year => without_zero(year),
        Unit::Decade => year.div_euclid(10),
        Unit::Century => centuries(year, 100),
        Unit::Millennium => centuries(year, 1000),
        Unit::IsoYear => without_zero(iso_week(days).0),
        Unit::Dow => day_of_week(days),
        Unit::IsoDow => (day_of_week(days) + 6) % 7 + 1,
        Unit::Doy => day_of_year(days),
        Unit::Julian => days + JULIAN_EPOCH,
        _ => return None,
    })
}

/// The first century is the years 1 to 100; the one before it is -1.
fn centuries(year: i64, length: i64) -> i64 {
    if year > 0 { (year + length - 1) / length } else { -((length - year) / length) }
}

/// Fields of the time of day.
fn time_field(unit: Unit, time: i64) -> Option<Numeric> {
    match unit {
        Unit::Microsecond => integer(time % MINUTE),
        Unit::Millisecond => scaled(i128::from(time % MINUTE), 3),
        Unit::Second => scaled(i128::from(time % MINUTE), 6),
        Unit::Minute => integer(time / MINUTE % 60),
        Unit::Hour => integer(time / HOUR),
        _ => None,
    }
}

pub fn from_date(name: &str, date: i32) -> Result<Option<Numeric>> {
    let unit = unit_named(name, DataType::Date)?;
    if !is_finite_date(date) {
        return match unit {
            Unit::Microsecond
            | Unit::Millisecond
            | Unit::Second
            | Unit::Minute
            | Unit::Hour
            | Unit::Timezone
            | Unit::TimezoneHour
            | Unit::TimezoneMinute => Err(unit_not_supported(name, DataType::Date)),
            _ => Ok(of_infinity(unit, date > 0)),
        };
    }
    let days = i64::from(date);
    if unit == Unit::Epoch {
        return Ok(integer((days + UNIX_EPOCH_DAYS) * 86_400));
    }
    date_field(unit, days).map(Some).ok_or_else(|| unit_not_supported(name, DataType::Date))
}

pub fn from_timestamp(name: &str, local: i64) -> Result<Option<Numeric>> {
    let unit = unit_named(name, DataType::Timestamp)?;
    if !is_finite_timestamp(local) {
        return Ok(of_infinity(unit, local == TIMESTAMP_INFINITY));
    }
    local_field(unit, local)?.map(Some).ok_or_else(|| unit_not_supported(name, DataType::Timestamp))
}

/// Fields of a date and time, without those of the zone.
fn local_field(unit: Unit, local: i64) -> Result<Option<Numeric>> {
    let (days, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
    Ok(match unit {
        Unit::Epoch => scaled(i128::from(local) + i128::from(UNIX_EPOCH_DAYS * DAY), 6),
        Unit::Julian => {
            let fraction = Numeric::from_i64(time).div(&Numeric::from_i64(DAY))?;
            Some(Numeric::from_i64(days + JULIAN_EPOCH).add(&fraction)?)
        }
        _ => time_field(unit, time).or_else(|| date_field(unit, days)),
    })
}

pub fn from_timestamptz(name: &str, instant: i64, zone: &Zone) -> Result<Option<Numeric>> {
    let unit = unit_named(name, DataType::Timestamptz)?;
    if !is_finite_timestamp(instant) {
        return Ok(of_infinity(unit, instant == TIMESTAMP_INFINITY));
    }
    if unit == Unit::Epoch {
        return local_field(unit, instant);
    }
    if let Some(field) = zone_field(unit, zone.offset_at(instant)) {
        return Ok(Some(field));
    }
    let local = convert::local_time(instant, zone)?;
    local_field(unit, local)?.map(Some).ok_or_else(|| unit_not_supported(name, DataType::Timestamptz))
}

fn zone_field(unit: Unit, offset: i32) -> Option<Numeric> {
    integer(i64::from(match unit {
        Unit::Timezone => offset,
        Unit::TimezoneHour => offset / 3600,
        Unit::TimezoneMinute => offset / 60 % 60,
        _ => return None,
    }))
}

pub fn from_time(name: &str, time: i64) -> Result<Option<Numeric>> {
    let unit = unit_named(name, DataType::Time)?;
    let field = if unit == Unit::Epoch { scaled(i128::from(time), 6) } else { time_field(unit, time) };
    field.map(Some).ok_or_else(|| unit_not_supported(name, DataType::Time))
}

pub fn from_timetz(name: &str, time: i64, offset: i32) -> Result<Option<Numeric>> {
    let unit = unit_named(name, DataType::TimeTz)?;
    let field = match unit {
        Unit::Epoch => scaled(i128::from(time - i64::from(offset) * SECOND), 6),
        _ => zone_field(unit, offset).or_else(|| time_field(unit, time)),
    };
    field.map(Some).ok_or_else(|| unit_not_supported(name, DataType::TimeTz))
}

pub fn from_interval(name: &str, interval: &Interval) -> Result<Option<Numeric>> {
    let unit = unit_named(name, DataType::Interval)?;
    let (years, months) = (i64::from(interval.months / 12), i64::from(interval.months % 12));
    let field = match unit {
        Unit::Microsecond | Unit::Millisecond | Unit::Second | Unit::Hour => time_field(unit, interval.microseconds),
        Unit::Minute => integer(interval.microseconds % HOUR / MINUTE),
        Unit::Day => integer(i64::from(interval.days)),
        Unit::Month => integer(months),
        Unit::Quarter => integer(months / 3 + 1),
        Unit::Year => integer(years),
        Unit::Decade => integer(years / 10),
        Unit::Century => integer(years / 100),
        Unit::Millennium => integer(years / 1000),
        Unit::Epoch => {
            // A year has 365.25 days here: quarters of days keep it whole.
            let quarter_days = 1461 * i128::from(years) + 120 * i128::from(months) + 4 * i128::from(interval.days);
            scaled(quarter_days * i128::from(DAY / 4) + i128::from(interval.microseconds), 6)
        }
        _ => None,
    };
    field.map(Some).ok_or_else(|| unit_not_supported(name, DataType::Interval))
}
