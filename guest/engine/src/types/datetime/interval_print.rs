//! How intervals print, in each IntervalStyle (PostgreSQL 15, section 8.5.5).

use super::print::{print_seconds, push_padded};
use super::{HOUR, MINUTE, SECOND};
use crate::types::interval::Interval;
use std::fmt::Write;

/// Years, months, days, hours, minutes, and microseconds within the minute, each with its own sign.
struct Parts {
    years: i64,
    months: i64,
    days: i64,
    hours: i64,
    minutes: i64,
    microseconds: i64,
}

/// Appends an interval in a style; an unknown one counts as `postgres`.
pub(super) fn print(interval: &Interval, style: &str, out: &mut String) {
    let parts = Parts {
        years: i64::from(interval.months / 12),
        months: i64::from(interval.months % 12),
        days: i64::from(interval.days),
        hours: interval.microseconds / HOUR,
        minutes: interval.microseconds % HOUR / MINUTE,
        microseconds: interval.microseconds % MINUTE,
    };
    // Writing to a string does not fail.
    match style {
        "iso_8601" => print_iso(&parts, out),
        "sql_standard" => print_standard(&parts, interval, out),
        "postgres_verbose" => print_verbose(&parts, out),
        _ => print_postgres(&parts, interval, out),
    }
    .unwrap_or_default();
}

/// Hours, minutes and seconds without their sign.
fn print_clock(parts: &Parts, hour_width: usize, out: &mut String) {
    push_padded(parts.hours, hour_width, out);
    out.push(':');
    push_padded(parts.minutes, 2, out);
    out.push(':');
    print_seconds(parts.microseconds.abs(), 2, out);
}

/// `1 year 2 mons -3 days +04:05:06`
fn print_postgres(parts: &Parts, interval: &Interval, out: &mut String) -> std::fmt::Result {
    let mut empty = true;
    let mut negative = false;
    for (value, unit) in [(parts.years, "year"), (parts.months, "mon"), (parts.days, "day")] {
        if value == 0 {
            continue;
        }
        let blank = if empty { "" } else { " " };
        let sign = if negative && value > 0 { "+" } else { "" };
        write!(out, "{blank}{sign}{value} {unit}{}", if value == 1 { "" } else { "s" })?;
        empty = false;
        negative = value < 0;
    }
    if empty || interval.microseconds != 0 {
        if !empty {
            out.push(' ');
        }
        if interval.microseconds < 0 {
            out.push('-');
        } else if negative {
            out.push('+');
        }
        print_clock(parts, 2, out);
    }
    Ok(())
}

/// `@ 1 year 2 mons 3 days 4 hours 5 mins 6 secs ago`
fn print_verbose(parts: &Parts, out: &mut String) -> std::fmt::Result {
    let mut empty = true;
    let mut negative = false;
    out.push('@');
    let units = [
        (parts.years, "year"),
        (parts.months, "mon"),
        (parts.days, "day"),
        (parts.hours, "hour"),
        (parts.minutes, "min"),
    ];
    for (value, unit) in units {
        if value == 0 {
            continue;
        }
        // The first sign is that of the whole.
        let value = if empty {
            negative = value < 0;
            value.abs()
        } else if negative {
            -value
        } else {
            value
        };
        write!(out, " {value} {unit}{}", if value == 1 { "" } else { "s" })?;
        empty = false;
    }
    if parts.microseconds != 0 {
        out.push(' ');
        if empty {
            negative = parts.microseconds < 0;
        } else if (parts.microseconds < 0) != negative {
            out.push('-');
        }
        print_seconds(parts.microseconds.abs(), 1, out);
        out.push_str(if parts.microseconds.abs() == SECOND { " sec" } else { " secs" });
        empty = false;
    }
    if empty {
        out.push_str(" 0");
    }
    if negative {
        out.push_str(" ago");
    }
    Ok(())
}

/// `1-2 3 4:05:06`
fn print_standard(parts: &Parts, interval: &Interval, out: &mut String) -> std::fmt::Result {
    let fields = [i64::from(interval.months), parts.days, interval.microseconds];
    let has_negative = fields.iter().any(|field| *field < 0);
    let has_positive = fields.iter().any(|field| *field > 0);
    let has_months = interval.months != 0;
    let has_days = parts.days != 0;
    let has_time = interval.microseconds != 0;
    if !has_negative && !has_positive {
        out.push('0');
        return Ok(());
    }
    let is_mixed = has_negative && has_positive || has_months && (has_days || has_time);
    let sign = |negative: bool| if negative { '-' } else { '+' };
    if is_mixed {
        write!(out, "{}{}-{} ", sign(interval.months < 0), parts.years.abs(), parts.months.abs())?;
        write!(out, "{}{} {}", sign(parts.days < 0), parts.days.abs(), sign(interval.microseconds < 0))?;
        print_clock(parts, 1, out);
        return Ok(());
    }
    if has_negative {
        out.push('-');
    }
    if has_months {
        write!(out, "{}-{}", parts.years.abs(), parts.months.abs())?;
    } else {
        if has_days {
            write!(out, "{} ", parts.days.abs())?;
        }
        print_clock(parts, 1, out);
    }
    Ok(())
}

/// `P1Y2M3DT4H5M6S`
fn print_iso(parts: &Parts, out: &mut String) -> std::fmt::Result {
    let Parts { years, months, days, hours, minutes, microseconds } = *parts;
    if [years, months, days, hours, minutes, microseconds].iter().all(|part| *part == 0) {
        out.push_str("PT0S");
        return Ok(());
    }
    let field = |value: i64, letter: char, out: &mut String| {
        if value == 0 { Ok(()) } else { write!(out, "{value}{letter}") }
    };
    out.push('P');
    field(years, 'Y', out)?;
    field(months, 'M', out)?;
    field(days, 'D', out)?;
    if hours != 0 || minutes != 0 || microseconds != 0 {
        out.push('T');
    }
    field(hours, 'H', out)?;
    field(minutes, 'M', out)?;
    if microseconds != 0 {
        if microseconds < 0 {
            out.push('-');
        }
        print_seconds(microseconds.abs(), 1, out);
        out.push('S');
    }
    Ok(())
}
