//! `to_date` and `to_timestamp` of text.

use super::date_template::{Field, Node, ROMAN_MONTHS, parse};
use crate::error::{Error, Result, sqlstate};
use crate::functions::FunctionContext;
use crate::functions::arguments::Arguments;
use crate::functions::datetime::session_zone;
use crate::types::Value;
use crate::types::datetime::zone::Zone;
use crate::types::datetime::{
    DAY, DAYS, HOUR, MINUTE, MONTHS, SECOND, arithmetic, calendar, timestamp_out_of_range, timestamp_to_timestamptz,
};

pub fn to_date(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let text = arguments.text(0)?;
    let days = Parsed::read(text, &parse(arguments.text(1)?))?.days(text)?;
    let days = i32::try_from(days).map_err(|_| out_of_range(text))?;
    arithmetic::add_to_date(days, 0).map(Value::Date)
}

pub fn to_timestamp(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let text = arguments.text(0)?;
    let parsed = Parsed::read(text, &parse(arguments.text(1)?))?;
    let midnight = parsed.days(text)?.checked_mul(DAY).ok_or_else(timestamp_out_of_range)?;
    let local = midnight.checked_add(parsed.time(text)?).ok_or_else(timestamp_out_of_range)?;
    let zone = match parsed.offset()? {
        Some(offset) => Zone::Fixed(offset),
        None => session_zone(context)?,
    };
    timestamp_to_timestamptz(local, &zone).map(Value::Timestamptz)
}

/// The fields that were read; what is missing has its least value.
#[derive(Default)]
struct Parsed {
    year: Option<i64>,
    /// Digits that the year was read for
    year_digits: u32,
    century: Option<i64>,
    before_christ: bool,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    week_of_year: Option<i64>,
    week_of_month: Option<i64>,
    iso_year: Option<i64>,
    iso_week: Option<i64>,
    iso_day: Option<i64>,
    iso_day_of_year: Option<i64>,
    julian: Option<i64>,
    hour: Option<i64>,
    is_12_hour: bool,
    afternoon: Option<bool>,
    minute: Option<i64>,
    second: Option<i64>,
    second_of_day: Option<i64>,
    microsecond: i64,
    zone_sign: i32,
    zone_hour: Option<i64>,
    zone_minute: Option<i64>,
}

fn out_of_range(text: &str) -> Error {
    Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, format!("date/time field value out of range: \"{text}\""))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(sqlstate::INVALID_DATETIME_FORMAT, message)
}

struct Input<'a> {
    rest: &'a str,
}

impl Input<'_> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    }

    /// An integer of at most `width` characters, or of any number of digits when what follows is not a digit.
    fn integer(&mut self, width: usize, any_length: bool, name: &str) -> Result<i64> {
        Ok(self.digits(width, any_length, name)?.0)
    }

    /// The number, and of how many characters it was.
    fn digits(&mut self, width: usize, any_length: bool, name: &str) -> Result<(i64, usize)> {
        self.skip_blanks();
        let bytes = self.rest.as_bytes();
        let signed = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
        let found = bytes[signed..].iter().take_while(|byte| byte.is_ascii_digit()).count() + signed;
        let length = if any_length { found } else { found.min(width) };
        if length <= signed {
            let shown: String = self.rest.chars().take(width).collect();
            return Err(
                invalid(format!("invalid value \"{shown}\" for \"{name}\"")).detail("Value must be an integer.")
            );
        }
        if !any_length && length < width && self.rest.len() < width && bytes.len() > length {
            let shown: String = self.rest.chars().take(width).collect();
            return Err(
                invalid(format!("invalid value \"{shown}\" for \"{name}\"")).detail("Value must be an integer.")
            );
        }
        let value: i64 =
            self.rest[..length].parse().ok().filter(|value: &i64| i32::try_from(*value).is_ok()).ok_or_else(|| {
                Error::new(
                    sqlstate::DATETIME_FIELD_OVERFLOW,
                    format!("value for \"{name}\" in source string is out of range"),
                )
                .detail(format!("Value must be in the range {} to {}.", i32::MIN, i32::MAX))
            })?;
        self.rest = &self.rest[length..];
        Ok((value, length))
    }

    /// The position of the name that the input goes on with.
    fn name<'n>(&mut self, names: impl Iterator<Item = &'n str>, field: &str) -> Result<usize> {
        self.skip_blanks();
        for (index, name) in names.enumerate() {
            if self.rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
                self.rest = &self.rest[name.len()..];
                return Ok(index);
            }
        }
        let word: String = self.rest.chars().take_while(|letter| !letter.is_whitespace()).collect();
        Err(invalid(format!("invalid value \"{word}\" for \"{field}\""))
            .detail("The given value did not match any of the allowed values for this field."))
    }
}

fn is_separator(character: char) -> bool {
    character.is_ascii() && !character.is_ascii_alphanumeric() && !character.is_ascii_control()
}

impl Parsed {
    fn read(text: &str, nodes: &[Node]) -> Result<Parsed> {
        let mut parsed = Parsed { zone_sign: 1, ..Parsed::default() };
        let mut input = Input { rest: text };
        let exact = nodes.iter().any(|node| matches!(node, Node::Field { field: Field::Exact, .. }));
        for (index, node) in nodes.iter().enumerate() {
            match node {
                Node::Separator(separator) => {
                    // A separator takes any other, and blanks as they come.
                    if !exact {
                        input.skip_blanks();
                    }
                    let next = input.rest.chars().next();
                    let sign_of_zone = matches!(next, Some('+' | '-')) && zone_follows(&nodes[index + 1..]);
                    if let Some(next) = next
                        && !sign_of_zone
                        && is_separator(next)
                        && (next == *separator || !exact || is_separator(*separator))
                    {
                        input.rest = &input.rest[next.len_utf8()..];
                    }
                }
                Node::Text(literal) => {
                    if !exact && input.rest.starts_with(' ') && !literal.starts_with(' ') {
                        input.skip_blanks();
                    }
                    // As many characters are skipped, whatever they are.
                    let skipped: usize = input.rest.chars().take(literal.chars().count()).map(char::len_utf8).sum();
                    input.rest = &input.rest[skipped..];
                }
                Node::Field { field, fill, ordinal, name, .. } => {
                    if !exact {
                        input.skip_blanks();
                    }
                    if input.rest.is_empty() {
                        break;
                    }
                    let any_length = *fill || !digit_follows(&nodes[index + 1..]);
                    parsed.field(*field, name, any_length, &mut input)?;
                    if ordinal.is_some() {
                        input.rest = input.rest.get(2..).unwrap_or("");
                    }
                }
            }
        }
        Ok(parsed)
    }

    fn field(&mut self, field: Field, name: &str, any: bool, input: &mut Input) -> Result<()> {
        match field {
            Field::Exact => {}
            Field::Meridiem { .. } => {
                let found = input.name(["A.M.", "AM", "P.M.", "PM"].into_iter(), name)?;
                self.afternoon = Some(found >= 2);
                self.is_12_hour = true;
            }
            Field::Era { .. } => {
                self.before_christ = input.name(["A.D.", "AD", "B.C.", "BC"].into_iter(), name)? >= 2;
            }
            Field::MonthName { .. } => {
                let full = MONTHS.iter().copied();
                let short = MONTHS.iter().map(|month| &month[..3]);
                self.month = Some(input.name(full.chain(short), name)? as i64 % 12 + 1);
            }
            Field::DayName { .. } => {
                // The day of the week follows from the date.
                input.name(DAYS.iter().copied().chain(DAYS.iter().map(|day| &day[..3])), name)?;
            }
            Field::RomanMonth => {
                // Longer numerals are tried first: VIII begins with V.
                let mut numerals: Vec<(usize, &str)> = ROMAN_MONTHS.iter().copied().enumerate().collect();
                numerals.sort_by_key(|(_, numeral)| std::cmp::Reverse(numeral.len()));
                let found = input.name(numerals.iter().map(|(_, numeral)| *numeral), name)?;
                self.month = Some(numerals[found].0 as i64 + 1);
            }
            Field::Hour24 => {
                self.hour = Some(input.integer(2, any, name)?);
                self.is_12_hour = false;
            }
            Field::Hour12 => {
                self.hour = Some(input.integer(2, any, name)?);
                self.is_12_hour = true;
            }
            Field::Minute => self.minute = Some(input.integer(2, any, name)?),
            Field::Second => self.second = Some(input.integer(2, any, name)?),
            Field::SecondOfDay => self.second_of_day = Some(input.integer(5, any, name)?),
            Field::Milliseconds => {
                let (value, digits) = input.digits(3, any, name)?;
                self.microsecond += value * 1000 * 10i64.pow(3u32.saturating_sub(digits as u32));
            }
            Field::Microseconds | Field::Fraction(_) => {
                let width = if let Field::Fraction(digits) = field { digits as usize } else { 6 };
                let (value, digits) = input.digits(width, any, name)?;
                if digits > 9 {
                    return Err(out_of_range(name));
                }
                let scale = 10f64.powi(6 - digits as i32);
                self.microsecond += (value as f64 * scale).round_ties_even() as i64;
            }
            Field::Month => self.month = Some(input.integer(2, any, name)?),
            Field::DayOfMonth => self.day = Some(input.integer(2, any, name)?),
            Field::DayOfYear => self.day_of_year = Some(input.integer(3, any, name)?),
            Field::IsoDayOfYear => self.iso_day_of_year = Some(input.integer(3, any, name)?),
            Field::DayOfWeek => {
                input.integer(1, any, name)?;
            }
            Field::IsoDayOfWeek => self.iso_day = Some(input.integer(1, any, name)?),
            Field::WeekOfYear => self.week_of_year = Some(input.integer(2, any, name)?),
            Field::WeekOfMonth => self.week_of_month = Some(input.integer(1, any, name)?),
            Field::IsoWeek => self.iso_week = Some(input.integer(2, any, name)?),
            Field::Quarter => {
                // Which month of the quarter is not known.
                input.integer(1, any, name)?;
            }
            Field::Century => self.century = Some(input.integer(2, any, name)?),
            Field::Julian => self.julian = Some(input.integer(usize::MAX, true, name)?),
            Field::YearWithComma => {
                let thousands = input.integer(usize::MAX, true, name)?;
                if let Some(rest) = input.rest.strip_prefix(',') {
                    input.rest = rest;
                    self.year = Some(thousands * 1000 + input.integer(3, false, name)?);
                } else {
                    self.year = Some(thousands);
                }
                self.year_digits = 4;
            }
            Field::Year(width) => {
                let (year, digits) = input.digits(width as usize, any, name)?;
                self.year = Some(if width < 4 && digits < 4 { complete_year(year) } else { year });
                self.year_digits = width;
            }
            Field::IsoYear(width) => {
                let (year, digits) = input.digits(width as usize, any, name)?;
                self.iso_year = Some(if width < 4 && digits < 4 { complete_year(year) } else { year });
            }
            Field::ZoneHour => {
                // A sign, then the hours.
                if let Some(rest) = input.rest.strip_prefix('-') {
                    self.zone_sign = -1;
                    input.rest = rest;
                } else if let Some(rest) = input.rest.strip_prefix(['+', ' ']) {
                    input.rest = rest;
                }
                self.zone_hour = Some(input.integer(2, any, name)?);
            }
            Field::ZoneMinute => self.zone_minute = Some(input.integer(2, any, name)?),
            Field::ZoneName | Field::Offset => {
                return Err(Error::new(
                    sqlstate::FEATURE_NOT_SUPPORTED,
                    format!("formatting field \"{name}\" is only supported in to_char"),
                ));
            }
        }
        Ok(())
    }

    /// Days since 2000-01-01.
    fn days(&self, text: &str) -> Result<i64> {
        if let Some(julian) = self.julian {
            return Ok(julian - calendar::JULIAN_EPOCH);
        }
        if let Some(iso_year) = self.iso_year {
            if let Some(day) = self.iso_day_of_year {
                return Ok(calendar::start_of_iso_week(iso_year, 1) + day - 1);
            }
            let week = calendar::start_of_iso_week(iso_year, self.iso_week.unwrap_or(1));
            return Ok(week + self.iso_day.unwrap_or(1) - 1);
        }
        let mut year = self.year.unwrap_or(0);
        if let Some(century) = self.century {
            year = match self.year {
                // The last two digits within the century, whose last year ends in 00.
                Some(year) if self.year_digits <= 2 => {
                    let within = year.rem_euclid(100);
                    if within == 0 { century * 100 } else { (century - 1) * 100 + within }
                }
                Some(year) => year,
                None => (century - 1) * 100 + 1,
            };
        }
        // Year 1 BC is 0 to the calendar.
        if self.before_christ && year > 0 {
            year = 1 - year;
        } else if year < 0 {
            year += 1;
        }
        let mut day = self.day;
        if let Some(week) = self.week_of_month {
            day = Some((week - 1) * 7 + 1);
        }
        let day_of_year = self.week_of_year.map(|week| (week - 1) * 7 + 1).or(self.day_of_year);
        if let (Some(day_of_year), None) = (day_of_year, self.month) {
            let length = 365 + i64::from(calendar::is_leap_year(year));
            if !(1..=length).contains(&day_of_year) {
                return Err(out_of_range(text));
            }
            return Ok(calendar::days_from_date(year, 1, 1) + day_of_year - 1);
        }
        let (month, day) = (self.month.unwrap_or(1), day.unwrap_or(1));
        if !(1..=12).contains(&month) || !(1..=calendar::days_in_month(year, month)).contains(&day) {
            return Err(out_of_range(text));
        }
        Ok(calendar::days_from_date(year, month, day))
    }

    /// Microseconds since midnight.
    fn time(&self, text: &str) -> Result<i64> {
        let mut hour = self.hour.unwrap_or(0);
        if self.is_12_hour && self.hour.is_some() {
            if !(1..=12).contains(&hour) {
                return Err(invalid(format!("hour \"{hour}\" is invalid for the 12-hour clock"))
                    .hint("Use the 24-hour clock, or give an hour between 1 and 12."));
            }
            match self.afternoon {
                Some(true) if hour < 12 => hour += 12,
                Some(false) if hour == 12 => hour = 0,
                _ => {}
            }
        }
        let (mut minute, mut second) = (self.minute.unwrap_or(0), self.second.unwrap_or(0));
        if let Some(of_day) = self.second_of_day {
            (hour, minute, second) = (of_day / 3600, of_day % 3600 / 60, of_day % 60);
        }
        let in_range = (0..=24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
        let time = hour * HOUR + minute * MINUTE + second * SECOND + self.microsecond;
        if !in_range || !(0..=DAY).contains(&time) {
            return Err(out_of_range(text));
        }
        Ok(time)
    }

    /// Seconds east of UTC, where the text had an offset.
    fn offset(&self) -> Result<Option<i32>> {
        if self.zone_hour.is_none() && self.zone_minute.is_none() {
            return Ok(None);
        }
        let (hour, minute) = (self.zone_hour.unwrap_or(0), self.zone_minute.unwrap_or(0));
        if !(0..=15).contains(&hour) || !(0..60).contains(&minute) {
            return Err(Error::new(
                sqlstate::INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
                "time zone displacement out of range",
            ));
        }
        Ok(Some(self.zone_sign * (hour * 3600 + minute * 60) as i32))
    }
}

/// A year of fewer than four digits, near 2020.
fn complete_year(year: i64) -> i64 {
    match year {
        0..70 => year + 2000,
        70..100 => year + 1900,
        100..520 => year + 2000,
        520..1000 => year + 1000,
        _ => year,
    }
}

/// Whether a number's end is not marked by what follows it.
fn digit_follows(nodes: &[Node]) -> bool {
    match nodes.first() {
        Some(Node::Field { field, .. }) => !matches!(
            field,
            Field::Meridiem { .. }
                | Field::Era { .. }
                | Field::MonthName { .. }
                | Field::DayName { .. }
                | Field::RomanMonth
                | Field::ZoneHour
                | Field::ZoneName
        ),
        Some(Node::Text(text)) => text.starts_with(|first: char| first.is_ascii_digit()),
        Some(Node::Separator(_)) | None => false,
    }
}

fn zone_follows(nodes: &[Node]) -> bool {
    matches!(nodes.first(), Some(Node::Field { field: Field::ZoneHour, .. }))
}
