//! make_date, make_time, make_timestamp and make_interval.

use super::calendar::{days_from_date, days_in_month};
use super::{DAY, HOUR, MINUTE, SECOND, checked_date, checked_timestamp, interval_out_of_range};
use crate::error::{Error, Result, sqlstate};
use crate::types::interval::Interval;

fn field_overflow(kind: &str, value: String) -> Error {
    Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, format!("{kind} field value out of range: {value}"))
}

/// A date; negative years are BC. Fails with 22008.
pub fn date(year: i32, month: i32, day: i32) -> Result<i32> {
    let overflow = || field_overflow("date", format!("{year}-{month:02}-{day:02}"));
    // There is no year zero.
    let astronomical = match year {
        0 => return Err(overflow()),
        year if year < 0 => i64::from(year) + 1,
        year => i64::from(year),
    };
    if !(1..=12).contains(&month) || day < 1 || i64::from(day) > days_in_month(astronomical, i64::from(month)) {
        return Err(overflow());
    }
    let days = days_from_date(astronomical, i64::from(month), i64::from(day));
    checked_date(days).ok_or_else(|| {
        Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, format!("date out of range: {year}-{month:02}-{day:02}"))
    })
}

/// A time of day. Fails with 22008.
pub fn time(hour: i32, minute: i32, second: f64) -> Result<i64> {
    let overflow = || {
        let second = format!("{second}");
        let second = if second.len() < 2 { format!("0{second}") } else { second };
        field_overflow("time", format!("{hour}:{minute:02}:{second}"))
    };
    let in_range = (0..=24).contains(&hour) && (0..=59).contains(&minute) && (0.0..=60.0).contains(&second);
    if !in_range {
        return Err(overflow());
    }
    let microseconds = (second * SECOND as f64).round_ties_even() as i64;
    let time = i64::from(hour) * HOUR + i64::from(minute) * MINUTE + microseconds;
    if time > DAY { Err(overflow()) } else { Ok(time) }
}

/// A timestamp. Fails with 22008.
pub fn timestamp(year: i32, month: i32, day: i32, hour: i32, minute: i32, second: f64) -> Result<i64> {
    let days = date(year, month, day)?;
    let time = time(hour, minute, second)?;
    let timestamp = i64::from(days).checked_mul(DAY).and_then(|midnight| midnight.checked_add(time));
    timestamp.and_then(checked_timestamp).ok_or_else(|| {
        Error::new(
            sqlstate::DATETIME_FIELD_OVERFLOW,
            format!("timestamp out of range: {year}-{month:02}-{day:02} {hour}:{minute:02}:{second:02}"),
        )
    })
}

/// An interval of years, months, weeks, days, hours, minutes and seconds. Fails with 22008.
pub fn interval([years, months, weeks, days, hours, minutes]: [i32; 6], seconds: f64) -> Result<Interval> {
    let narrow = |value: i64| i32::try_from(value).map_err(|_| interval_out_of_range());
    let microseconds = (seconds * SECOND as f64).round_ties_even();
    if microseconds.is_nan() || microseconds.abs() >= i64::MAX as f64 {
        return Err(interval_out_of_range());
    }
    let clock = i64::from(hours) * HOUR + i64::from(minutes) * MINUTE;
    Ok(Interval {
        months: narrow(i64::from(years) * 12 + i64::from(months))?,
        days: narrow(i64::from(weeks) * 7 + i64::from(days))?,
        microseconds: clock.checked_add(microseconds as i64).ok_or_else(interval_out_of_range)?,
    })
}
