//! `to_char` of timestamps and intervals.

use super::date_template::{Case, Field, Node, ROMAN_MONTHS, iso_day_of_year, parse};
use super::ordinal_suffix;
use crate::error::{Error, Result, sqlstate};
use crate::functions::FunctionContext;
use crate::functions::arguments::Arguments;
use crate::functions::datetime::session_zone;
use crate::types::datetime::{DAY, DAYS, HOUR, MINUTE, MONTHS, SECOND, calendar, is_finite_timestamp, local_time};
use crate::types::{Value, interval::Interval};

/// A point in time or a length of time, in parts.
struct Parts {
    /// 0 is 1 BC
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    microsecond: i64,
    /// Days since 2000-01-01; none for intervals.
    days: Option<i64>,
    day_of_year: i64,
    /// Seconds east of UTC, and the zone's abbreviation.
    zone: Option<(i32, String)>,
}

/// NULL for infinite timestamps and for an empty template.
pub fn to_char(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let template = arguments.text(1)?;
    if template.is_empty() {
        return Ok(Value::Null);
    }
    let parts = match &arguments[0] {
        Value::Timestamp(timestamp) | Value::Timestamptz(timestamp) if !is_finite_timestamp(*timestamp) => {
            return Ok(Value::Null);
        }
        Value::Timestamp(local) => of_timestamp(*local, None),
        Value::Timestamptz(instant) => {
            let zone = session_zone(context)?;
            let offset = zone.offset_at(*instant);
            let abbreviation = zone.abbreviation(*instant).unwrap_or_default();
            of_timestamp(local_time(*instant, &zone)?, Some((offset, abbreviation)))
        }
        Value::Interval(interval) => of_interval(interval),
        other => return Err(Error::internal(format!("to_char takes a timestamp or interval, not {other:?}"))),
    };
    let mut out = String::new();
    for node in parse(template) {
        match node {
            Node::Field { field, case, fill, translated, ordinal, .. } => {
                let start = out.len();
                append(&parts, field, case, fill, translated, &mut out)?;
                if let Some(upper) = ordinal {
                    let suffix = ordinal_suffix(&out[start..], upper);
                    out.push_str(suffix);
                }
            }
            Node::Text(text) => out.push_str(&text),
            Node::Separator(separator) => out.push(separator),
        }
    }
    Ok(Value::text(&out))
}

fn of_timestamp(local: i64, zone: Option<(i32, String)>) -> Parts {
    let (days, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
    let (year, month, day) = calendar::date_from_days(days);
    Parts {
        year,
        month,
        day,
        hour: time / HOUR,
        minute: time % HOUR / MINUTE,
        second: time % MINUTE / SECOND,
        microsecond: time % SECOND,
        days: Some(days),
        day_of_year: calendar::day_of_year(days),
        zone,
    }
}

fn of_interval(interval: &Interval) -> Parts {
    let (months, days, time) = (i64::from(interval.months), i64::from(interval.days), interval.microseconds);
    Parts {
        year: months / 12,
        month: months % 12,
        day: days,
        hour: time / HOUR,
        minute: time % HOUR / MINUTE,
        second: time % MINUTE / SECOND,
        microsecond: time % SECOND,
        days: None,
        day_of_year: months * 30 + days,
        zone: None,
    }
}

/// A number with zeros in front up to `width` digits, one more for a sign, none with FM.
fn padded(number: i64, width: usize, fill: bool) -> String {
    match (fill, number < 0) {
        (true, _) => number.to_string(),
        (false, negative) => format!("{number:0width$}", width = width + usize::from(negative)),
    }
}

fn cased(name: &str, case: Case) -> String {
    match case {
        Case::Upper => name.to_ascii_uppercase(),
        Case::Lower => name.to_ascii_lowercase(),
        Case::Capital => name.to_string(),
    }
}

fn not_for_intervals() -> Error {
    Error::new(sqlstate::INVALID_DATETIME_FORMAT, "invalid format specification for an interval value")
        .hint("Intervals are not tied to specific calendar dates.")
}

fn append(parts: &Parts, field: Field, case: Case, fill: bool, translated: bool, out: &mut String) -> Result<()> {
    let is_interval = parts.days.is_none();
    let name = |name: &str, full: bool, width: usize| {
        let name = cased(if full { name } else { &name[..3] }, case);
        if full && !fill && !translated { format!("{name:width$}") } else { name }
    };
    // Years before 1 are counted as BC, whose first is year 0.
    let displayed = |year: i64| if !is_interval && year <= 0 { 1 - year } else { year };
    let year_digits = |year: i64, digits: u32| {
        let year = displayed(year);
        let shown = if digits == 4 { year } else { year % 10i64.pow(digits) };
        padded(shown, digits as usize, fill)
    };
    let hour12 = if parts.hour % 12 == 0 { 12 } else { parts.hour % 12 };
    let text = match field {
        Field::Meridiem { dots } => {
            let names = if dots { ["A.M.", "P.M."] } else { ["AM", "PM"] };
            cased(names[usize::from(parts.hour.rem_euclid(24) >= 12)], case)
        }
        Field::Hour24 => padded(parts.hour, 2, fill),
        Field::Hour12 => padded(hour12, 2, fill),
        Field::Minute => padded(parts.minute, 2, fill),
        Field::Second => padded(parts.second, 2, fill),
        Field::Fraction(digits) => padded(parts.microsecond / 10i64.pow(6 - digits), digits as usize, false),
        Field::Milliseconds => padded(parts.microsecond / 1000, 3, false),
        Field::Microseconds => padded(parts.microsecond, 6, false),
        Field::SecondOfDay => (parts.hour * 3600 + parts.minute * 60 + parts.second).to_string(),
        Field::Month => padded(parts.month, 2, fill),
        Field::DayOfMonth if fill => parts.day.to_string(),
        Field::DayOfMonth => format!("{:02}", parts.day),
        Field::DayOfYear if fill => parts.day_of_year.to_string(),
        Field::DayOfYear => format!("{:03}", parts.day_of_year),
        Field::Century => {
            let century = if is_interval {
                parts.year / 100
            } else if parts.year > 0 {
                (parts.year - 1) / 100 + 1
            } else {
                parts.year / 100 - 1
            };
            if century.abs() <= 99 { padded(century, 2, fill) } else { century.to_string() }
        }
        Field::YearWithComma => {
            let year = displayed(parts.year);
            format!("{},{:03}", year / 1000, year % 1000)
        }
        Field::Year(digits) => year_digits(parts.year, digits),
        Field::Quarter if parts.month == 0 => String::new(),
        Field::Quarter => ((parts.month - 1) / 3 + 1).to_string(),
        Field::RomanMonth => {
            if parts.month == 0 && parts.year == 0 {
                return Ok(());
            }
            let index = if parts.month == 0 { if parts.year >= 0 { 0 } else { 11 } } else { parts.month - 1 };
            let roman = cased(ROMAN_MONTHS[index.rem_euclid(12) as usize], case);
            if fill { roman } else { format!("{roman:4}") }
        }
        Field::WeekOfYear => padded((parts.day_of_year - 1) / 7 + 1, 2, fill),
        Field::WeekOfMonth => ((parts.day - 1) / 7 + 1).to_string(),
        Field::Exact => String::new(),
        _ => {
            let Some(days) = parts.days else { return Err(not_for_intervals()) };
            match field {
                Field::Era { dots } => {
                    let names = if dots { ["A.D.", "B.C."] } else { ["AD", "BC"] };
                    cased(names[usize::from(parts.year <= 0)], case)
                }
                Field::MonthName { full } => name(MONTHS[(parts.month - 1) as usize % 12], full, 9),
                Field::DayName { full } => name(DAYS[calendar::day_of_week(days) as usize % 7], full, 9),
                Field::DayOfWeek => (calendar::day_of_week(days) + 1).to_string(),
                Field::IsoDayOfWeek => match calendar::day_of_week(days) {
                    0 => "7".into(),
                    day => day.to_string(),
                },
                Field::IsoDayOfYear => padded(iso_day_of_year(days), 3, fill),
                Field::IsoWeek => padded(calendar::iso_week(days).1, 2, fill),
                Field::IsoYear(digits) => year_digits(calendar::iso_week(days).0, digits),
                Field::Julian => (days + calendar::JULIAN_EPOCH).to_string(),
                _ => zone(parts, field, case, fill),
            }
        }
    };
    out.push_str(&text);
    Ok(())
}

fn zone(parts: &Parts, field: Field, case: Case, fill: bool) -> String {
    let offset = parts.zone.as_ref().map_or(0, |(offset, _)| *offset);
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset.abs() / 3600, offset.abs() % 3600 / 60);
    match field {
        Field::ZoneName => {
            let name = parts.zone.as_ref().map_or("", |(_, name)| name);
            if case == Case::Lower { name.to_ascii_lowercase() } else { name.to_string() }
        }
        Field::ZoneHour => format!("{sign}{hours:02}"),
        Field::ZoneMinute => format!("{minutes:02}"),
        _ => {
            let hours = if fill { hours.to_string() } else { format!("{hours:02}") };
            if minutes == 0 { format!("{sign}{hours}") } else { format!("{sign}{hours}:{minutes:02}") }
        }
    }
}
