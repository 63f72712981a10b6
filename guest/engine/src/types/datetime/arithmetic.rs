//! Sums and differences of dates, times and intervals (PostgreSQL 15, section 9.9).

use super::calendar::{date_from_days, days_from_date, days_in_month};
use super::convert::{local_time, timestamp_to_timestamptz};
use super::zone::Zone;
use super::{
    DAY, SECOND, checked_date, checked_timestamp, date_out_of_range, interval_out_of_range, is_finite_date,
    is_finite_timestamp, timestamp_out_of_range,
};
use crate::error::{Error, Result, sqlstate};
use crate::types::interval::Interval;

/// A timestamp moved by an interval: months first, then days, then the time. A day that the month does not have
/// becomes its last one.
pub fn add_to_timestamp(timestamp: i64, interval: &Interval) -> Result<i64> {
    if !is_finite_timestamp(timestamp) {
        return Ok(timestamp);
    }
    let moved = add_calendar(timestamp, interval)?.checked_add(interval.microseconds);
    moved.and_then(checked_timestamp).ok_or_else(timestamp_out_of_range)
}

/// An instant moved by an interval: months and days by the zone's calendar, the time as it passes.
pub fn add_to_timestamptz(instant: i64, interval: &Interval, zone: &Zone) -> Result<i64> {
    if !is_finite_timestamp(instant) {
        return Ok(instant);
    }
    let mut moved = instant;
    if interval.months != 0 || interval.days != 0 {
        moved = timestamp_to_timestamptz(add_calendar(local_time(instant, zone)?, interval)?, zone)?;
    }
    let moved = moved.checked_add(interval.microseconds);
    moved.and_then(checked_timestamp).ok_or_else(timestamp_out_of_range)
}

/// A local time moved by an interval's months and days.
fn add_calendar(local: i64, interval: &Interval) -> Result<i64> {
    let mut days = local.div_euclid(DAY);
    if interval.months != 0 {
        let (year, month, day) = date_from_days(days);
        let months = year * 12 + month - 1 + i64::from(interval.months);
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        days = days_from_date(year, month, day.min(days_in_month(year, month)));
    }
    days += i64::from(interval.days);
    let moved = days.checked_mul(DAY).and_then(|midnight| midnight.checked_add(local.rem_euclid(DAY)));
    moved.and_then(checked_timestamp).ok_or_else(timestamp_out_of_range)
}

/// left - right, in days and microseconds. Fails with 22008 for infinities.
pub fn timestamp_difference(left: i64, right: i64) -> Result<Interval> {
    if !is_finite_timestamp(left) || !is_finite_timestamp(right) {
        return Err(Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, "cannot subtract infinite timestamps"));
    }
    let microseconds = left.checked_sub(right).ok_or_else(interval_out_of_range)?;
    justify_hours(&Interval { microseconds, ..Default::default() })
}

/// A date moved by days. Fails with 22008.
pub fn add_to_date(date: i32, days: i64) -> Result<i32> {
    if !is_finite_date(date) {
        return Ok(date);
    }
    i64::from(date).checked_add(days).and_then(checked_date).ok_or_else(date_out_of_range)
}

/// Days from `right` to `left`. Fails with 22008 for infinities.
pub fn date_difference(left: i32, right: i32) -> Result<i32> {
    if !is_finite_date(left) || !is_finite_date(right) {
        return Err(Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, "cannot subtract infinite dates"));
    }
    i32::try_from(i64::from(left) - i64::from(right)).map_err(|_| date_out_of_range())
}

/// A time of day moved by an interval's time, around the clock.
pub fn add_to_time(time: i64, interval: &Interval) -> i64 {
    (time + interval.microseconds % DAY).rem_euclid(DAY)
}

/// left - right in years, months, days and the time, each counted by the calendar. For timestamps with time zone take
/// their local times.
pub fn age(left: i64, right: i64) -> Result<Interval> {
    if !is_finite_timestamp(left) || !is_finite_timestamp(right) {
        return Err(Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, "timestamp out of range"));
    }
    let (later, earlier) = (left.max(right), left.min(right));
    let (later_date, earlier_date) = (date_from_days(later.div_euclid(DAY)), date_from_days(earlier.div_euclid(DAY)));
    let mut microseconds = later.rem_euclid(DAY) - earlier.rem_euclid(DAY);
    let mut days = later_date.2 - earlier_date.2;
    let mut months = (later_date.0 - earlier_date.0) * 12 + later_date.1 - earlier_date.1;
    if microseconds < 0 {
        microseconds += DAY;
        days -= 1;
    }
    // Days are borrowed from the month of the second argument's date when the first is the later one.
    let (lender_year, lender_month, _) = if left < right { date_from_days(left.div_euclid(DAY)) } else { earlier_date };
    while days < 0 {
        days += days_in_month(lender_year, lender_month);
        months -= 1;
    }
    let sign = if left < right { -1 } else { 1 };
    Ok(Interval { months: (sign * months) as i32, days: (sign * days) as i32, microseconds: sign * microseconds })
}

pub fn add_intervals(left: &Interval, right: &Interval) -> Result<Interval> {
    let sum = || {
        Some(Interval {
            months: left.months.checked_add(right.months)?,
            days: left.days.checked_add(right.days)?,
            microseconds: left.microseconds.checked_add(right.microseconds)?,
        })
    };
    sum().ok_or_else(interval_out_of_range)
}

pub fn subtract_intervals(left: &Interval, right: &Interval) -> Result<Interval> {
    let difference = || {
        Some(Interval {
            months: left.months.checked_sub(right.months)?,
            days: left.days.checked_sub(right.days)?,
            microseconds: left.microseconds.checked_sub(right.microseconds)?,
        })
    };
    difference().ok_or_else(interval_out_of_range)
}

pub fn negate_interval(interval: &Interval) -> Result<Interval> {
    subtract_intervals(&Interval::default(), interval)
}

/// A float rounded to microseconds, which takes off what binary fractions add.
fn rounded_to_microseconds(value: f64) -> f64 {
    (value * 1_000_000.0).round_ties_even() / 1_000_000.0
}

/// Fractions of months become days of 30 a month, fractions of days time.
pub fn multiply_interval(interval: &Interval, factor: f64) -> Result<Interval> {
    scale_interval(interval, |part| part * factor)
}

/// As `multiply_interval`. Fails with 22012 for a divisor of zero.
pub fn divide_interval(interval: &Interval, divisor: f64) -> Result<Interval> {
    if divisor == 0.0 {
        return Err(Error::new(sqlstate::DIVISION_BY_ZERO, "division by zero"));
    }
    scale_interval(interval, |part| part / divisor)
}

fn scale_interval(interval: &Interval, scale: impl Fn(f64) -> f64) -> Result<Interval> {
    let whole = |value: f64| {
        let in_range = value > f64::from(i32::MIN) - 1.0 && value < f64::from(i32::MAX) + 1.0;
        if in_range { Ok(value as i32) } else { Err(interval_out_of_range()) }
    };
    let exact_months = scale(f64::from(interval.months));
    let exact_days = scale(f64::from(interval.days));
    let months = whole(exact_months)?;
    let mut days = whole(exact_days)?;
    let days_of_months = rounded_to_microseconds((exact_months - f64::from(months)) * 30.0);
    let fraction_of_days = exact_days - f64::from(days) + days_of_months - days_of_months.trunc();
    let mut seconds = rounded_to_microseconds(fraction_of_days * 86_400.0);
    if seconds.abs() >= 86_400.0 {
        let more_days = (seconds / 86_400.0).trunc();
        days = days.checked_add(more_days as i32).ok_or_else(interval_out_of_range)?;
        seconds -= more_days * 86_400.0;
    }
    days = days.checked_add(days_of_months as i32).ok_or_else(interval_out_of_range)?;
    let microseconds = (scale(interval.microseconds as f64) + seconds * SECOND as f64).round_ties_even();
    if !(microseconds >= i64::MIN as f64 && microseconds < i64::MAX as f64) {
        return Err(interval_out_of_range());
    }
    Ok(Interval { months, days, microseconds: microseconds as i64 })
}

/// Whole days of the time become days.
pub fn justify_hours(interval: &Interval) -> Result<Interval> {
    let whole = (interval.microseconds / DAY) as i32;
    let mut days = interval.days.checked_add(whole).ok_or_else(interval_out_of_range)?;
    let mut microseconds = interval.microseconds % DAY;
    if days > 0 && microseconds < 0 {
        microseconds += DAY;
        days -= 1;
    } else if days < 0 && microseconds > 0 {
        microseconds -= DAY;
        days += 1;
    }
    Ok(Interval { months: interval.months, days, microseconds })
}

/// Every 30 days become a month.
pub fn justify_days(interval: &Interval) -> Result<Interval> {
    let mut months = interval.months.checked_add(interval.days / 30).ok_or_else(interval_out_of_range)?;
    let mut days = interval.days % 30;
    if months > 0 && days < 0 {
        days += 30;
        months -= 1;
    } else if months < 0 && days > 0 {
        days -= 30;
        months += 1;
    }
    Ok(Interval { months, days, microseconds: interval.microseconds })
}

/// Both, and one sign for all fields.
pub fn justify_interval(interval: &Interval) -> Result<Interval> {
    let mut days = i64::from(interval.days) + interval.microseconds / DAY;
    let mut microseconds = interval.microseconds % DAY;
    let mut months = i64::from(interval.months) + days / 30;
    days %= 30;
    if months > 0 && (days < 0 || days == 0 && microseconds < 0) {
        days += 30;
        months -= 1;
    } else if months < 0 && (days > 0 || days == 0 && microseconds > 0) {
        days -= 30;
        months += 1;
    }
    if days > 0 && microseconds < 0 {
        microseconds += DAY;
        days -= 1;
    } else if days < 0 && microseconds > 0 {
        microseconds -= DAY;
        days += 1;
    }
    let months = i32::try_from(months).map_err(|_| interval_out_of_range())?;
    Ok(Interval { months, days: days as i32, microseconds })
}

/// The start of the stride of `date_bin` that a timestamp is in, counted from an origin.
pub fn bin(stride: &Interval, timestamp: i64, origin: i64) -> Result<i64> {
    let invalid = |message: &str| Err(Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, message));
    if !is_finite_timestamp(timestamp) {
        return Ok(timestamp);
    }
    if !is_finite_timestamp(origin) {
        return invalid("origin out of range");
    }
    if stride.months != 0 {
        return Err(Error::new(
            sqlstate::FEATURE_NOT_SUPPORTED,
            "timestamps cannot be binned into intervals containing months or years",
        ));
    }
    let length = i64::from(stride.days).checked_mul(DAY).and_then(|days| days.checked_add(stride.microseconds));
    let length = length.ok_or_else(interval_out_of_range)?;
    if length <= 0 {
        return invalid("stride must be greater than zero");
    }
    let difference = timestamp.checked_sub(origin).ok_or_else(interval_out_of_range)?;
    let start = difference.div_euclid(length).checked_mul(length).and_then(|steps| steps.checked_add(origin));
    start.and_then(checked_timestamp).ok_or_else(timestamp_out_of_range)
}
