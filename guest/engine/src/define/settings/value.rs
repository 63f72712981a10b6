//! Values of settings: which are allowed, and the one way in which each is kept.

use super::known::{Kind, Known};
use crate::error::{Error, Result, sqlstate};
use jiff::tz::TimeZone;

/// The value in the form in which SHOW prints it. 22023 when the setting does not take it.
pub fn normalize(known: &Known, value: &str) -> Result<String> {
    let invalid = || invalid_value(known.name, value);
    match known.kind {
        Kind::Boolean => boolean(value).map(|value| if value { "on" } else { "off" }.into()).ok_or_else(|| {
            Error::new(
                sqlstate::INVALID_PARAMETER_VALUE,
                format!("parameter \"{}\" requires a Boolean value", known.name),
            )
        }),
        Kind::Integer { minimum, maximum, unit } => integer(known.name, value, minimum, maximum, unit),
        Kind::Choice(choices) => {
            // Enumerations take the spellings of booleans for on and off.
            let spelled = match boolean(value) {
                Some(true) => "on".into(),
                Some(false) => "off".into(),
                None => value.to_ascii_lowercase(),
            };
            let mut given =
                choices.iter().filter(|choice| **choice == value.to_ascii_lowercase() || **choice == spelled);
            given
                .next()
                .map(|choice| choice.to_string())
                .ok_or_else(|| invalid().hint(format!("Available values: {}.", choices.join(", "))))
        }
        Kind::Text | Kind::List => Ok(value.into()),
        Kind::Real => value.trim().parse::<f64>().map(|_| value.trim().into()).map_err(|_| invalid()),
        Kind::DateStyle => date_style(value).ok_or_else(invalid),
        Kind::TimeZone => time_zone(value).ok_or_else(invalid),
        Kind::Encoding => {
            let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
            match plain.to_ascii_lowercase().as_str() {
                "utf8" | "unicode" => Ok("UTF8".into()),
                _ => Err(invalid()),
            }
        }
        Kind::Preset => Err(Error::new(
            sqlstate::CANT_CHANGE_RUNTIME_PARAM,
            format!("parameter \"{}\" cannot be changed", known.name),
        )),
    }
}

pub fn invalid_value(name: &str, value: &str) -> Error {
    Error::new(sqlstate::INVALID_PARAMETER_VALUE, format!("invalid value for parameter \"{name}\": \"{value}\""))
}

/// on, off, true, false, yes, no, 1, 0 and unambiguous beginnings of the words.
pub fn boolean(value: &str) -> Option<bool> {
    let value = value.trim().to_ascii_lowercase();
    let begins = |word: &str, least: usize| value.len() >= least && word.starts_with(&value);
    if begins("true", 1) || begins("yes", 1) || value == "on" || value == "1" {
        Some(true)
    } else if begins("false", 1) || begins("no", 1) || begins("off", 2) || value == "0" {
        Some(false)
    } else {
        None
    }
}

/// Units in terms of the smallest of their family.
const UNITS: &[(&str, &str, f64)] = &[
    ("us", "ms", 0.001),
    ("ms", "ms", 1.0),
    ("s", "ms", 1000.0),
    ("min", "ms", 60_000.0),
    ("h", "ms", 3_600_000.0),
    ("d", "ms", 86_400_000.0),
    ("B", "kB", 1.0 / 1024.0),
    ("kB", "kB", 1.0),
    ("MB", "kB", 1024.0),
    ("GB", "kB", 1_048_576.0),
    ("TB", "kB", 1_073_741_824.0),
];

/// A number with an optional unit, printed in the largest unit that it is a whole number of.
fn integer(name: &str, value: &str, minimum: i64, maximum: i64, unit: &str) -> Result<String> {
    let text = value.trim();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(text.len());
    let (number, suffix) = (text[..digits].parse::<f64>(), text[digits..].trim());
    let factor = match suffix {
        "" => Some(1.0),
        suffix => UNITS.iter().find(|(name, base, _)| *name == suffix && *base == unit).map(|(_, _, factor)| *factor),
    };
    let (Ok(number), Some(factor)) = (number, factor) else { return Err(invalid_value(name, value)) };
    let number = (number * factor).round_ties_even();
    if !(number >= minimum as f64 && number <= maximum as f64) {
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        let message = format!(
            "{number}{unit} is outside the valid range for parameter \"{name}\" ({minimum}{unit} .. {maximum}{unit})"
        );
        return Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, message));
    }
    Ok(with_unit(number as i64, unit))
}

/// A number in its base unit as SHOW prints it: `5000` milliseconds are `5s`.
pub fn with_unit(number: i64, unit: &str) -> String {
    if unit.is_empty() || number <= 0 {
        return number.to_string();
    }
    let whole = |factor: f64| factor >= 1.0 && number % factor as i64 == 0;
    let largest = UNITS.iter().rev().find(|(_, base, factor)| *base == unit && whole(*factor));
    match largest {
        Some((name, _, factor)) => format!("{}{name}", number / *factor as i64),
        None => format!("{number}{unit}"),
    }
}

/// A style and an order of fields, in any order; what is not said stays as by default.
fn date_style(value: &str) -> Option<String> {
    let (mut style, mut order) = ("ISO", "MDY");
    for word in value.split(',') {
        match word.trim().to_ascii_lowercase().as_str() {
            "iso" => style = "ISO",
            "sql" => style = "SQL",
            "german" => (style, order) = ("German", "DMY"),
            "mdy" | "us" | "noneuro" | "noneuropean" => order = "MDY",
            "dmy" | "euro" | "european" => order = "DMY",
            "ymd" => order = "YMD",
            "default" => (style, order) = ("ISO", "MDY"),
            word if word.starts_with("postgres") => style = "Postgres",
            _ => return None,
        }
    }
    Some(format!("{style}, {order}"))
}

/// A zone's name as the time zone database spells it, or hours east of UTC.
fn time_zone(value: &str) -> Option<String> {
    if let Ok(hours) = value.trim().parse::<f64>() {
        if hours.abs() > 168.0 {
            return None;
        }
        return Some(fixed_offset((hours * 3600.0).round() as i64));
    }
    if value.starts_with('<') {
        return Some(value.into());
    }
    let zone = TimeZone::get(value).ok()?;
    Some(zone.iana_name().unwrap_or("UTC").into())
}

/// A fixed offset east of UTC in POSIX's spelling, in which signs count to the west.
fn fixed_offset(seconds: i64) -> String {
    let text = |seconds: i64| {
        let sign = if seconds < 0 { '-' } else { '+' };
        let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
        if minutes == 0 { format!("{sign}{hours:02}") } else { format!("{sign}{hours:02}:{minutes:02}") }
    };
    format!("<{}>{}", text(seconds), text(-seconds))
}

#[cfg(test)]
mod tests {
    use super::super::known::find;
    use super::*;

    #[test]
    fn values_take_their_one_form() {
        let cases = [
            ("statement_timeout", "5s", Some("5s")),
            ("statement_timeout", "5000", Some("5s")),
            ("statement_timeout", "90s", Some("90s")),
            ("statement_timeout", "0", Some("0")),
            ("statement_timeout", "-1", None),
            ("statement_timeout", "5kB", None),
            ("work_mem", "64MB", Some("64MB")),
            ("work_mem", "1GB", Some("1GB")),
            ("extra_float_digits", "3", Some("3")),
            ("extra_float_digits", "4", None),
            ("bytea_output", "ESCAPE", Some("escape")),
            ("bytea_output", "x", None),
            ("DateStyle", "German", Some("German, DMY")),
            ("DateStyle", "dmy", Some("ISO, DMY")),
            ("DateStyle", "x", None),
            ("TimeZone", "europe/berlin", Some("Europe/Berlin")),
            ("TimeZone", "Nowhere", None),
            ("TimeZone", "5.5", Some("<+05:30>-05:30")),
            ("client_encoding", "utf-8", Some("UTF8")),
            ("client_encoding", "latin1", None),
            ("jit", "of", Some("off")),
            ("jit", "o", None),
            ("standard_conforming_strings", "true", Some("on")),
            ("standard_conforming_strings", "off", None),
            ("server_version", "16", None),
        ];
        for (name, value, expected) in cases {
            assert_eq!(normalize(find(name).unwrap(), value).ok().as_deref(), expected, "{name} = {value}");
        }
    }
}
