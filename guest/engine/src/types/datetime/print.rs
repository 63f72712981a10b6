//! The output functions: ISO 8601 with a blank, as DateStyle ISO asks. The other styles are in `style`.

use super::calendar::date_from_days;
use super::style::Style;
use super::zone::Zone;
use super::{
    DATE_INFINITY, DATE_NEGATIVE_INFINITY, DAY, HOUR, MINUTE, SECOND, TIMESTAMP_INFINITY, TIMESTAMP_NEGATIVE_INFINITY,
    interval_print,
};
use crate::functions::Settings;
use crate::types::Value;
use crate::types::interval::Interval;

/// Appends a date, time, timestamp or interval.
pub fn print(value: &Value, settings: &Settings, out: &mut String) {
    match value {
        Value::Date(DATE_INFINITY) | Value::Timestamp(TIMESTAMP_INFINITY) | Value::Timestamptz(TIMESTAMP_INFINITY) => {
            out.push_str("infinity");
        }
        Value::Date(DATE_NEGATIVE_INFINITY)
        | Value::Timestamp(TIMESTAMP_NEGATIVE_INFINITY)
        | Value::Timestamptz(TIMESTAMP_NEGATIVE_INFINITY) => out.push_str("-infinity"),
        Value::Date(days) => match Style::of(&settings.date_style) {
            Some(style) => style.date(i64::from(*days), out),
            None => {
                let before_christ = print_date(i64::from(*days), out);
                out.push_str(if before_christ { " BC" } else { "" });
            }
        },
        Value::Time(time) => print_time(*time, out),
        Value::TimeTz(time, offset) => {
            print_time(*time, out);
            print_offset(*offset, out);
        }
        Value::Timestamp(microseconds) => match Style::of(&settings.date_style) {
            Some(style) => style.timestamp(*microseconds, None, out),
            None => print_timestamp(*microseconds, None, out),
        },
        Value::Timestamptz(instant) => {
            // The setting was checked when it was set.
            let zone = Zone::named(&settings.time_zone).unwrap_or(Zone::UTC);
            match Style::of(&settings.date_style) {
                Some(style) => style.timestamp(*instant, Some(&zone), out),
                None => timestamptz_in_zone(*instant, &zone, out),
            }
        }
        Value::Interval(interval) => interval_print::print(interval, &settings.interval_style, out),
        _ => {}
    }
}

/// Appends a finite instant as the local time of a zone and its offset.
pub fn timestamptz_in_zone(instant: i64, zone: &Zone, out: &mut String) {
    let offset = zone.offset_at(instant);
    print_timestamp(instant.saturating_add(i64::from(offset) * SECOND), Some(offset), out);
}

/// The interval in the style `postgres`.
pub fn interval_to_string(interval: &Interval) -> String {
    let mut out = String::new();
    interval_print::print(interval, "postgres", &mut out);
    out
}

fn print_timestamp(microseconds: i64, offset: Option<i32>, out: &mut String) {
    let before_christ = print_date(microseconds.div_euclid(DAY), out);
    out.push(' ');
    print_time(microseconds.rem_euclid(DAY), out);
    if let Some(offset) = offset {
        print_offset(offset, out);
    }
    if before_christ {
        out.push_str(" BC");
    }
}

/// Appends year, month and day, and answers whether the year is before Christ.
fn print_date(days: i64, out: &mut String) -> bool {
    let (year, month, day) = date_from_days(days);
    print_year(year, out);
    out.push('-');
    push_padded(month, 2, out);
    out.push('-');
    push_padded(day, 2, out);
    year <= 0
}

/// Appends a year in four digits or more; the year 0 is 1 BC.
pub(super) fn print_year(year: i64, out: &mut String) {
    push_padded(if year > 0 { year } else { 1 - year }, 4, out);
}

/// Appends hours, minutes, seconds and the fraction without zeros at its end.
pub(super) fn print_time(time: i64, out: &mut String) {
    push_padded(time / HOUR, 2, out);
    out.push(':');
    push_padded(time / MINUTE % 60, 2, out);
    out.push(':');
    print_seconds(time % MINUTE, 2, out);
}

/// Appends microseconds as seconds, padded to a width before the point.
pub(super) fn print_seconds(microseconds: i64, width: usize, out: &mut String) {
    push_padded(microseconds / SECOND, width, out);
    let mut fraction = microseconds % SECOND;
    if fraction == 0 {
        return;
    }
    out.push('.');
    let mut digits = 6;
    while fraction % 10 == 0 {
        fraction /= 10;
        digits -= 1;
    }
    push_padded(fraction, digits, out);
}

/// Appends `+02`, `-05:30`.
pub(super) fn print_offset(offset: i32, out: &mut String) {
    out.push(if offset < 0 { '-' } else { '+' });
    let seconds = i64::from(offset.unsigned_abs());
    push_padded(seconds / 3600, 2, out);
    if seconds % 3600 != 0 {
        out.push(':');
        push_padded(seconds / 60 % 60, 2, out);
    }
    if seconds % 60 != 0 {
        out.push(':');
        push_padded(seconds % 60, 2, out);
    }
}

/// Appends a number that is not negative with zeros before it.
pub(super) fn push_padded(value: i64, width: usize, out: &mut String) {
    let mut buffer = [b'0'; 20];
    let mut start = buffer.len();
    let mut rest = value.unsigned_abs();
    while rest > 0 {
        start -= 1;
        buffer[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    start = start.min(buffer.len() - width.min(buffer.len()));
    out.push_str(std::str::from_utf8(&buffer[start..]).unwrap_or_default());
}
