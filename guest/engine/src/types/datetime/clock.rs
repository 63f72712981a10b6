//! The texts of clock times and of zone offsets.

use super::decoded::Failure;
use super::{HOUR, MINUTE, SECOND};

/// The digits after a decimal point as microseconds, rounded.
pub(super) fn fraction_microseconds(digits: &str) -> Result<i64, Failure> {
    if digits.is_empty() {
        return Ok(0);
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Failure::Format);
    }
    let fraction: f64 = format!("0.{digits}").parse().map_err(|_| Failure::Format)?;
    Ok((fraction * 1_000_000.0).round_ties_even() as i64)
}

/// Hours, minutes and seconds of `04:05`, `04:05:06.789`, `05:06.789` (minutes and seconds).
pub(super) fn clock_fields(text: &str) -> Result<(i64, i64, i64, i64), Failure> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction_microseconds(fraction)?)),
        None => (text, None),
    };
    let mut numbers = vec![];
    for part in clock.split(':') {
        // The last colon may have nothing behind it.
        numbers.push(if part.is_empty() { 0 } else { part.parse::<i64>().map_err(|_| Failure::FieldOverflow)? });
    }
    let (hour, minute, second) = match (numbers.as_slice(), fraction) {
        ([minute, second], Some(_)) => (0, *minute, *second),
        ([hour, minute], None) => (*hour, *minute, 0),
        ([hour, minute, second], _) => (*hour, *minute, *second),
        _ => return Err(Failure::Format),
    };
    let fraction = fraction.unwrap_or(0);
    if minute > 59 || second > 60 {
        return Err(Failure::FieldOverflow);
    }
    Ok((hour, minute, second, fraction))
}

pub(super) fn clock_time(text: &str) -> Result<i64, Failure> {
    let (hour, minute, second, fraction) = clock_fields(text)?;
    checked_time(hour, minute, second, fraction)
}

/// Microseconds since midnight; 24:00 is allowed, and the second 60.
pub(super) fn checked_time(hour: i64, minute: i64, second: i64, fraction: i64) -> Result<i64, Failure> {
    let past_midnight = hour == 24 && (minute > 0 || second > 0 || fraction > 0);
    if !(0..=24).contains(&hour) || !(0..=59).contains(&minute) || !(0..=60).contains(&second) || past_midnight {
        return Err(Failure::FieldOverflow);
    }
    Ok(hour * HOUR + minute * MINUTE + second * SECOND + fraction)
}

/// Seconds east of UTC of `+02`, `-0530`, `+05:30:15`.
pub(super) fn zone_offset(text: &str) -> Result<i32, Failure> {
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'+') => (1, &text[1..]),
        Some(b'-') => (-1, &text[1..]),
        _ => return Err(Failure::Format),
    };
    let number = |text: &str| text.parse::<i32>().map_err(|_| Failure::Format);
    let hours = &digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())];
    if hours.len() < digits.len() && number(hours)? > 15 {
        return Err(Failure::ZoneOverflow);
    }
    let parts: Vec<&str> = digits.split(':').collect();
    let (hour, minute, second) = match parts.as_slice() {
        [hour] if hour.len() > 2 => {
            let value = number(hour)?;
            (value / 100, value % 100, 0)
        }
        [hour] => (number(hour)?, 0, 0),
        [hour, minute] => (number(hour)?, number(minute)?, 0),
        [hour, minute, second] => (number(hour)?, number(minute)?, number(second)?),
        _ => return Err(Failure::Format),
    };
    if hour > 15 || minute > 59 || second > 59 {
        return Err(Failure::ZoneOverflow);
    }
    Ok(sign * (hour * 3600 + minute * 60 + second))
}
