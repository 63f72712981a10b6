//! Reads intervals: `1 year 2 mons`, `1-2`, `3 4:05:06`, `P1Y2M3DT4H5M6S`, `@ 1 hour ago` (PostgreSQL 15,
//! section 8.5.4).

use super::clock::clock_fields;
use super::decoded::Failure;
use super::lexer::{self, Kind};
use super::modifier::{self, fields, interval_fields};
use super::parse::word_failure;
use super::words::{Unit, Word, interval_unit, word};
use super::{DAY, HOUR, MINUTE, SECOND, interval_out_of_range};
use crate::error::Result;
use crate::types::interval::Interval;
use crate::types::{DataType, Value};

/// Reads an interval; a bare number counts the last field that the modifier allows, seconds without one. Fails with
/// 22007, 22008 and 22015. `style` is IntervalStyle.
pub fn parse_interval(text: &str, modifier: i32, style: &str) -> Result<Interval> {
    let failed = |failure| word_failure(failure, text, DataType::Interval);
    let sum = match verbose(text, interval_fields(modifier), style == "sql_standard") {
        Err(Failure::Format) => iso(text),
        other => other,
    };
    let sum = sum.map_err(|failure| match failure {
        Failure::FieldOverflow => failed(Failure::IntervalOverflow),
        failure => failed(failure),
    })?;
    let interval = sum.finish().ok_or_else(interval_out_of_range)?;
    match modifier::apply_modifier(&Value::Interval(interval), modifier)? {
        Value::Interval(interval) => Ok(interval),
        _ => Ok(interval),
    }
}

/// An interval as it is read.
#[derive(Default)]
struct Sum {
    months: i64,
    days: i64,
    microseconds: i64,
}

impl Sum {
    fn finish(self) -> Option<Interval> {
        Some(Interval {
            months: i32::try_from(self.months).ok()?,
            days: i32::try_from(self.days).ok()?,
            microseconds: self.microseconds,
        })
    }

    fn add(field: &mut i64, amount: i64, scale: i64) -> Result<(), Failure> {
        let sum = amount.checked_mul(scale).and_then(|amount| field.checked_add(amount));
        *field = sum.ok_or(Failure::IntervalOverflow)?;
        Ok(())
    }

    fn add_narrow(field: &mut i64, amount: i64, scale: i64) -> Result<(), Failure> {
        Sum::add(field, amount, scale)?;
        i32::try_from(*field).map(|_| ()).map_err(|_| Failure::IntervalOverflow)
    }

    /// A fraction of a unit of this many microseconds.
    fn add_microseconds(&mut self, fraction: f64, scale: i64) -> Result<(), Failure> {
        let scaled = fraction * scale as f64;
        let whole = scaled.trunc();
        let rest = scaled - whole;
        let rounded = whole as i64 + i64::from(rest > 0.5) - i64::from(rest < -0.5);
        Sum::add(&mut self.microseconds, rounded, 1)
    }

    /// A fraction of a unit of this many days.
    fn add_days(&mut self, fraction: f64, scale: i64) -> Result<(), Failure> {
        let scaled = fraction * scale as f64;
        Sum::add_narrow(&mut self.days, scaled as i64, 1)?;
        self.add_microseconds(scaled.fract(), DAY)
    }

    fn add_unit(&mut self, unit: Unit, whole: i64, fraction: f64) -> Result<(), Failure> {
        match unit {
            Unit::Microsecond => {
                Sum::add(&mut self.microseconds, whole, 1)?;
                self.add_microseconds(fraction, 1)
            }
            Unit::Millisecond => {
                Sum::add(&mut self.microseconds, whole, 1000)?;
                self.add_microseconds(fraction, 1000)
            }
            Unit::Second | Unit::Minute | Unit::Hour => {
                let scale = match unit {
                    Unit::Second => SECOND,
                    Unit::Minute => MINUTE,
                    _ => HOUR,
                };
                Sum::add(&mut self.microseconds, whole, scale)?;
                self.add_microseconds(fraction, scale)
            }
            Unit::Day => {
                Sum::add_narrow(&mut self.days, whole, 1)?;
                self.add_microseconds(fraction, DAY)
            }
            Unit::Week => {
                Sum::add_narrow(&mut self.days, whole, 7)?;
                self.add_days(fraction, 7)
            }
            Unit::Month => {
                Sum::add_narrow(&mut self.months, whole, 1)?;
                self.add_days(fraction, 30)
            }
            Unit::Year | Unit::Decade | Unit::Century | Unit::Millennium => {
                let years = match unit {
                    Unit::Year => 1,
                    Unit::Decade => 10,
                    Unit::Century => 100,
                    _ => 1000,
                };
                Sum::add_narrow(&mut self.months, whole, years * 12)?;
                Sum::add_narrow(&mut self.months, (fraction * (years * 12) as f64).round_ties_even() as i64, 1)
            }
            _ => Err(Failure::Format),
        }
    }

    fn negate(&mut self) -> Result<(), Failure> {
        for field in [&mut self.months, &mut self.days, &mut self.microseconds] {
            *field = field.checked_neg().ok_or(Failure::IntervalOverflow)?;
        }
        Ok(())
    }
}

/// What a number without a unit counts.
fn default_unit(allowed: i32) -> Unit {
    if allowed == fields::ALL || allowed & fields::SECOND != 0 {
        Unit::Second
    } else if allowed & fields::MINUTE != 0 {
        Unit::Minute
    } else if allowed & fields::HOUR != 0 {
        Unit::Hour
    } else if allowed & fields::DAY != 0 {
        Unit::Day
    } else if allowed & fields::MONTH != 0 {
        Unit::Month
    } else if allowed & fields::YEAR != 0 {
        Unit::Year
    } else {
        Unit::Second
    }
}

/// PostgreSQL's and the SQL standard's forms. Units stand behind their numbers, so it is read from the end.
fn verbose(text: &str, allowed: i32, standard: bool) -> Result<Sum, Failure> {
    let fields =
        lexer::fields(text, |text| word(text).is_some() || interval_unit(text).is_some()).ok_or(Failure::Format)?;
    let signed = |text: &str| text.starts_with(['+', '-']);
    // In the SQL standard a minus in front is for everything that has no sign of its own.
    let all_negative = standard
        && fields.first().is_some_and(|first| first.text.starts_with('-'))
        && !fields.iter().skip(1).any(|field| signed(&field.text));
    let mut sum = Sum::default();
    let mut seen = 0u32;
    let mut unit: Option<Unit> = None;
    let mut ago = false;
    for field in fields.iter().rev() {
        let text = field.text.as_str();
        let found = match field.kind {
            Kind::Time => {
                sum.add_clock(text, all_negative, allowed)?;
                unit = Some(Unit::Day);
                CLOCK
            }
            Kind::Zone
                if text[1..].contains(':') && sum.add_clock(&text[1..], text.starts_with('-'), allowed).is_ok() =>
            {
                unit = Some(Unit::Day);
                CLOCK
            }
            Kind::Zone | Kind::Date | Kind::Number => {
                let counted = unit.unwrap_or_else(|| default_unit(allowed));
                let (counted, whole, fraction) = match all_negative && !signed(text) {
                    true => number(&format!("-{text}"), counted)?,
                    false => number(text, counted)?,
                };
                sum.add_unit(counted, whole, fraction)?;
                // `3 4` is three days and four hours.
                unit = Some(if counted == Unit::Hour { Unit::Day } else { counted });
                bit(counted, fraction)
            }
            Kind::Word | Kind::SignedWord => {
                if let Some(named) = interval_unit(text) {
                    unit = Some(named);
                } else if text == "ago" {
                    ago = true;
                } else if word(text) != Some(Word::Filler) {
                    return Err(Failure::Format);
                }
                0
            }
        };
        if seen & found != 0 {
            return Err(Failure::Format);
        }
        seen |= found;
    }
    if seen == 0 {
        return Err(Failure::Format);
    }
    if ago {
        sum.negate()?;
    }
    Ok(sum)
}

const SECOND_BIT: u32 = 1;
const MILLISECOND_BIT: u32 = 2;
const MICROSECOND_BIT: u32 = 4;
const CLOCK: u32 = SECOND_BIT | MILLISECOND_BIT | MICROSECOND_BIT | 8 | 16;

/// Which fields a number fills, so that none is filled twice.
fn bit(unit: Unit, fraction: f64) -> u32 {
    match unit {
        Unit::Second if fraction != 0.0 => SECOND_BIT | MILLISECOND_BIT | MICROSECOND_BIT,
        Unit::Second => SECOND_BIT,
        Unit::Millisecond => MILLISECOND_BIT,
        Unit::Microsecond => MICROSECOND_BIT,
        Unit::Minute => 8,
        Unit::Hour => 16,
        Unit::Day => 32,
        Unit::Week => 64,
        Unit::Month => 128,
        Unit::Year => 256,
        Unit::Decade => 512,
        Unit::Century => 1024,
        _ => 2048,
    }
}

/// A number, or `years-months`.
fn number(text: &str, unit: Unit) -> Result<(Unit, i64, f64), Failure> {
    let negative = text.starts_with('-');
    let digits = text.trim_start_matches(['+', '-']);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (whole, rest) = digits.split_at(end);
    let signed = |value: i64| if negative { -value } else { value };
    let whole = match whole {
        "" => 0,
        whole => signed(whole.parse::<i64>().map_err(|_| Failure::FieldOverflow)?),
    };
    if rest.is_empty() {
        return Ok((unit, whole, 0.0));
    }
    if let Some(months) = rest.strip_prefix('-') {
        let months = months.parse::<i64>().map_err(|_| Failure::Format)?;
        if months >= 12 {
            return Err(Failure::FieldOverflow);
        }
        let total = whole.checked_mul(12).and_then(|years| years.checked_add(signed(months)));
        return Ok((Unit::Month, total.ok_or(Failure::FieldOverflow)?, 0.0));
    }
    let fraction = rest.strip_prefix('.').ok_or(Failure::Format)?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Failure::Format);
    }
    let fraction: f64 = format!("0.{fraction}0").parse().map_err(|_| Failure::Format)?;
    Ok((unit, whole, if negative { -fraction } else { fraction }))
}

impl Sum {
    /// `04:05:06.7`; two fields are minutes and seconds when nothing larger is allowed.
    fn add_clock(&mut self, text: &str, negative: bool, allowed: i32) -> Result<(), Failure> {
        let (mut hour, mut minute, mut second, fraction) = clock_fields(text)?;
        if allowed == fields::MINUTE | fields::SECOND && text.matches(':').count() == 1 && !text.contains('.') {
            (hour, minute, second) = (0, hour, minute);
        }
        let mut microseconds = minute * MINUTE + second * SECOND + fraction;
        Sum::add(&mut microseconds, hour, HOUR)?;
        Sum::add(&mut self.microseconds, microseconds, if negative { -1 } else { 1 })
    }
}

/// ISO 8601: with designators (`P1Y2M3DT4H5M6S`), or the alternative form (`P0001-02-03T04:05:06`).
fn iso(text: &str) -> Result<Sum, Failure> {
    let mut rest = text.strip_prefix('P').filter(|rest| !rest.is_empty()).ok_or(Failure::Format)?;
    let mut sum = Sum::default();
    let mut in_date = true;
    let mut has_field = false;
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            in_date = false;
            has_field = false;
            rest = time;
            continue;
        }
        let (whole, fraction, after) = iso_number(rest)?;
        let mut characters = after.chars();
        let unit = match (characters.next(), in_date) {
            (Some('Y'), true) => Unit::Year,
            (Some('M'), true) => Unit::Month,
            (Some('W'), true) => Unit::Week,
            (Some('D'), true) => Unit::Day,
            (Some('H'), false) => Unit::Hour,
            (Some('M'), false) => Unit::Minute,
            (Some('S'), false) => Unit::Second,
            (Some('-' | 'T') | None, true) if !has_field => {
                return iso_alternative_date(rest, sum);
            }
            (Some(':') | None, false) if !has_field => {
                return iso_alternative_time(rest, sum);
            }
            _ => return Err(Failure::Format),
        };
        sum.add_unit(unit, whole, fraction)?;
        has_field = true;
        rest = characters.as_str();
    }
    Ok(sum)
}

/// A signed number, its fraction with the same sign, and what follows it.
fn iso_number(text: &str) -> Result<(i64, f64, &str), Failure> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (digits, after) = unsigned.split_at(end);
    if !digits.contains(|c: char| c.is_ascii_digit()) {
        return Err(Failure::Format);
    }
    let value: f64 = digits.parse().map_err(|_| Failure::Format)?;
    let whole = digits.split('.').next().unwrap_or_default();
    let whole = if whole.is_empty() { 0 } else { whole.parse::<i64>().map_err(|_| Failure::FieldOverflow)? };
    let fraction = value - value.trunc();
    Ok(if text.starts_with('-') { (-whole, -fraction, after) } else { (whole, fraction, after) })
}

/// `0001-02-03`, perhaps with a time after `T`, or `00010203`
fn iso_alternative_date(text: &str, mut sum: Sum) -> Result<Sum, Failure> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let parts = split_signed(date);
    if let [run] = parts.as_slice()
        && run.len() == 8
        && run.is_ascii()
    {
        for (unit, range) in [(Unit::Year, 0..4), (Unit::Month, 4..6), (Unit::Day, 6..8)] {
            let (whole, fraction, _) = iso_number(&run[range])?;
            sum.add_unit(unit, whole, fraction)?;
        }
    } else {
        if parts.len() > 3 {
            return Err(Failure::Format);
        }
        for (unit, part) in [Unit::Year, Unit::Month, Unit::Day].into_iter().zip(parts) {
            let (whole, fraction, after) = iso_number(part)?;
            if !after.is_empty() {
                return Err(Failure::Format);
            }
            sum.add_unit(unit, whole, fraction)?;
        }
    }
    match time {
        Some(time) => iso_alternative_time(time, sum),
        None => Ok(sum),
    }
}

/// Parts between hyphens, where a hyphen at a part's start is its sign.
fn split_signed(text: &str) -> Vec<&str> {
    let mut parts = vec![];
    let mut rest = text;
    loop {
        let skip = usize::from(rest.starts_with(['-', '+']));
        match rest[skip..].find('-') {
            Some(position) => {
                parts.push(&rest[..skip + position]);
                rest = &rest[skip + position + 1..];
            }
            None => {
                parts.push(rest);
                return parts;
            }
        }
    }
}

/// `04:05:06` or `040506`
fn iso_alternative_time(text: &str, mut sum: Sum) -> Result<Sum, Failure> {
    let parts: Vec<&str> = match text.get(..6) {
        Some(_) if text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            vec![&text[..2], &text[2..4], &text[4..]]
        }
        _ => text.split(':').collect(),
    };
    if parts.len() > 3 {
        return Err(Failure::Format);
    }
    for (unit, part) in [Unit::Hour, Unit::Minute, Unit::Second].into_iter().zip(parts) {
        let (whole, fraction, after) = iso_number(part)?;
        if !after.is_empty() {
            return Err(Failure::Format);
        }
        sum.add_unit(unit, whole, fraction)?;
    }
    Ok(sum)
}
