//! Arithmetic on intervals. Fractions of months become days, fractions of days become seconds.

use crate::error::Result;
use crate::functions::operators::range_error;
use crate::types::interval::Interval;

const DAYS_PER_MONTH: f64 = 30.0;
const SECONDS_PER_DAY: f64 = 86_400.0;

pub fn add(left: &Interval, right: &Interval) -> Result<Interval> {
    combine(left, right, i32::checked_add, i64::checked_add)
}

pub fn subtract(left: &Interval, right: &Interval) -> Result<Interval> {
    combine(left, right, i32::checked_sub, i64::checked_sub)
}

fn combine(
    left: &Interval,
    right: &Interval,
    narrow: fn(i32, i32) -> Option<i32>,
    wide: fn(i64, i64) -> Option<i64>,
) -> Result<Interval> {
    Ok(Interval {
        months: narrow(left.months, right.months).ok_or_else(range_error::interval)?,
        days: narrow(left.days, right.days).ok_or_else(range_error::interval)?,
        microseconds: wide(left.microseconds, right.microseconds).ok_or_else(range_error::interval)?,
    })
}

pub fn multiply(interval: &Interval, factor: f64) -> Result<Interval> {
    scale(interval, |part| part * factor)
}

pub fn divide(interval: &Interval, divisor: f64) -> Result<Interval> {
    if divisor == 0.0 {
        return Err(range_error::division_by_zero());
    }
    scale(interval, |part| part / divisor)
}

fn scale(interval: &Interval, apply: impl Fn(f64) -> f64) -> Result<Interval> {
    let exact_months = apply(f64::from(interval.months));
    let exact_days = apply(f64::from(interval.days));
    let months = to_i32(exact_months)?;
    let mut days = to_i32(exact_days)?;
    let month_remainder = round_to_microseconds((exact_months - f64::from(months)) * DAYS_PER_MONTH);
    let whole_days = month_remainder.trunc();
    let mut seconds =
        round_to_microseconds((exact_days - f64::from(days) + month_remainder - whole_days) * SECONDS_PER_DAY);
    if seconds.abs() >= SECONDS_PER_DAY {
        let more = (seconds / SECONDS_PER_DAY).trunc();
        days = days.checked_add(more as i32).ok_or_else(range_error::interval)?;
        seconds -= more * SECONDS_PER_DAY;
    }
    days = days.checked_add(whole_days as i32).ok_or_else(range_error::interval)?;
    let microseconds = (apply(interval.microseconds as f64) + seconds * 1_000_000.0).round_ties_even();
    if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&microseconds) {
        return Err(range_error::interval());
    }
    Ok(Interval { months, days, microseconds: microseconds as i64 })
}

fn to_i32(value: f64) -> Result<i32> {
    // NaN is in no range.
    if (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value) {
        Ok(value as i32)
    } else {
        Err(range_error::interval())
    }
}

fn round_to_microseconds(seconds: f64) -> f64 {
    (seconds * 1_000_000.0).round_ties_even() / 1_000_000.0
}
