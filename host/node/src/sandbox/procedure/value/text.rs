//! Binary forms as PostgreSQL's texts, for values that have no case of their own in `value`: arrays and what they are
//! made of. Dates are written as ISO 8601 has them, times with a zone in UTC.

use std::fmt::Write;

use crate::sandbox::procedure::imports::{element_of, oid};
use crate::sandbox::procedure::value::{
    Misfit, days_from_postgres, fixed, interval_parts, microseconds_from_postgres, numeric_text,
};
use crate::sandbox::procedure::value::{Packed, array};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// The text of a value; none for a type whose form is not known.
pub fn shown(type_oid: u32, bytes: &[u8]) -> Result<Option<String>, Misfit> {
    if let Some(element) = element_of(type_oid) {
        return array_text(element, bytes);
    }
    Ok(Some(match type_oid {
        oid::BOOL => if fixed::<1>(bytes)? == [0] { "f" } else { "t" }.into(),
        oid::INT2 => i16::from_be_bytes(fixed(bytes)?).to_string(),
        oid::INT4 => i32::from_be_bytes(fixed(bytes)?).to_string(),
        oid::INT8 => i64::from_be_bytes(fixed(bytes)?).to_string(),
        oid::OID | oid::REGCLASS => u32::from_be_bytes(fixed(bytes)?).to_string(),
        oid::FLOAT4 => {
            let value = f32::from_be_bytes(fixed(bytes)?);
            float_text(&format!("{value:e}"), f64::from(value), 6)
        }
        oid::FLOAT8 => {
            let value = f64::from_be_bytes(fixed(bytes)?);
            float_text(&format!("{value:e}"), value, 15)
        }
        oid::NUMERIC => numeric_text(bytes)?,
        oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME | oid::CHAR | oid::JSON | oid::UNKNOWN => text(bytes)?,
        oid::JSONB => text(bytes.strip_prefix(&[1]).ok_or_else(|| Misfit::malformed("jsonb"))?)?,
        oid::BYTEA => bytes.iter().fold("\\x".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }),
        oid::UUID => uuid_text(&fixed(bytes)?),
        oid::DATE => match days_from_postgres(fixed(bytes)?)? {
            i32::MAX => "infinity".into(),
            i32::MIN => "-infinity".into(),
            days => {
                let (date, era) = date_text(days.into());
                format!("{date}{era}")
            }
        },
        oid::TIME => time_text(i64::from_be_bytes(fixed(bytes)?)),
        oid::TIMESTAMP => timestamp_text(microseconds_from_postgres(fixed(bytes)?)?, ""),
        oid::TIMESTAMPTZ => timestamp_text(microseconds_from_postgres(fixed(bytes)?)?, "+00"),
        oid::INTERVAL => interval_text(interval_parts(bytes)?),
        _ => return Ok(None),
    }))
}

fn text(bytes: &[u8]) -> Result<String, Misfit> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Misfit::malformed("text"))
}

/// Arrays of several dimensions are nested braces.
fn array_text(element: u32, bytes: &[u8]) -> Result<Option<String>, Misfit> {
    let (lengths, mut packed) = array::dimensions(bytes)?;
    if lengths.is_empty() {
        return Ok(Some("{}".into()));
    }
    let mut out = String::new();
    Ok(push_dimension(element, &lengths, &mut packed, &mut out)?.then_some(out))
}

fn push_dimension(element: u32, lengths: &[usize], packed: &mut Packed<'_>, out: &mut String) -> Result<bool, Misfit> {
    let Some((length, inner)) = lengths.split_first() else { return Ok(true) };
    out.push('{');
    for index in 0..*length {
        if index > 0 {
            out.push(',');
        }
        if !inner.is_empty() {
            if !push_dimension(element, inner, packed, out)? {
                return Ok(false);
            }
            continue;
        }
        match packed.value()? {
            None => out.push_str("NULL"),
            Some(bytes) => match shown(element, bytes)? {
                Some(text) => push_element(&text, out),
                None => return Ok(false),
            },
        }
    }
    out.push('}');
    Ok(true)
}

/// Quotes an element where its text could be mistaken (PostgreSQL 15, section 8.15.6).
fn push_element(text: &str, out: &mut String) {
    let plain = !text.is_empty()
        && !text.eq_ignore_ascii_case("null")
        && !text.chars().any(|character| {
            matches!(character, '{' | '}' | ',' | '"' | '\\')
                || matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
        });
    if plain {
        out.push_str(text);
        return;
    }
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

/// The shortest digits that mean the number, with an exponent from `digits` digits on and below 0.0001.
fn float_text(scientific: &str, value: f64, digits: i32) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .into();
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent < -4 || exponent >= digits {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let plain: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let point = usize::try_from(exponent + 1).unwrap_or(0);
    if exponent < 0 {
        let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0));
        format!("{sign}0.{zeros}{plain}")
    } else if plain.len() <= point {
        format!("{sign}{plain}{}", "0".repeat(point - plain.len()))
    } else {
        format!("{sign}{}.{}", &plain[..point], &plain[point..])
    }
}

fn uuid_text(bytes: &[u8; 16]) -> String {
    let digits = format!("{:032x}", u128::from_be_bytes(*bytes));
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// A day of the proleptic Gregorian calendar, counted from 1970-01-01, and ` BC` for years before the first
/// (https://howardhinnant.github.io/date_algorithms.html#civil_from_days).
fn date_text(days: i64) -> (String, &'static str) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (year, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
    (format!("{year:04}-{month:02}-{day:02}"), era)
}

fn time_text(time: i64) -> String {
    let (seconds, fraction) = (time / SECOND, time % SECOND);
    let mut text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction != 0 {
        let _ = write!(text, ".{fraction:06}");
        text.truncate(text.trim_end_matches('0').len());
    }
    text
}

fn timestamp_text(time: i64, zone: &str) -> String {
    match time {
        i64::MAX => "infinity".into(),
        i64::MIN => "-infinity".into(),
        time => {
            let (date, era) = date_text(time.div_euclid(DAY));
            format!("{date} {}{zone}{era}", time_text(time.rem_euclid(DAY)))
        }
    }
}

/// In PostgreSQL's own style.
fn interval_text((microseconds, days, months): (i64, i32, i32)) -> String {
    let mut parts = Vec::new();
    let mut negative_before = false;
    for (count, unit) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if count != 0 {
            let sign = if negative_before && count > 0 { "+" } else { "" };
            parts.push(format!("{sign}{count} {unit}{}", if count == 1 { "" } else { "s" }));
            negative_before = count < 0;
        }
    }
    if microseconds != 0 || parts.is_empty() {
        let sign = match microseconds {
            ..0 => "-",
            _ if negative_before => "+",
            _ => "",
        };
        let time = i64::try_from(microseconds.unsigned_abs()).unwrap_or(i64::MAX);
        parts.push(format!("{sign}{}", time_text(time)));
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::procedure::value::EPOCH_DAYS;

    /// Answers of PostgreSQL 15, in binary and as text.
    #[test]
    fn texts_are_those_of_postgresql() {
        let float = |value: f64| shown(oid::FLOAT8, &value.to_be_bytes()).expect("a float").expect("known");
        for (value, text) in [
            (0.1, "0.1"),
            (1e15, "1e+15"),
            (123_456.0, "123456"),
            (1e-5, "1e-05"),
            (-2.5, "-2.5"),
            (0.0001, "0.0001"),
            (0.0, "0"),
        ] {
            assert_eq!(float(value), text);
        }
        let day = |days: i32| shown(oid::DATE, &(days - EPOCH_DAYS).to_be_bytes()).expect("a date").expect("known");
        for (days, text) in
            [(0, "1970-01-01"), (19_782, "2024-02-29"), (-719_163, "0001-12-31 BC"), (-719_162, "0001-01-01")]
        {
            assert_eq!(day(days), text);
        }
        assert_eq!(interval_text((3_723_000_004, -1, 14)), "1 year 2 mons -1 days +01:02:03.000004");
        assert_eq!(interval_text((0, 0, 0)), "00:00:00");
        assert_eq!(timestamp_text(-1, ""), "1969-12-31 23:59:59.999999");
        assert_eq!(timestamp_text(0, "+00"), "1970-01-01 00:00:00+00");
    }

    #[test]
    fn elements_that_could_be_mistaken_are_quoted() {
        let mut bytes: Vec<u8> = [1i32, 1, 25, 4, 1].iter().flat_map(|word| word.to_be_bytes()).collect();
        for text in ["a", "b c", "", "q\"\\"] {
            bytes.extend_from_slice(&i32::try_from(text.len()).expect("short").to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        assert_eq!(shown(1009, &bytes), Ok(Some(r#"{a,"b c","","q\"\\"}"#.into())));
    }

    #[test]
    fn dimensions_nest() {
        let words = [2i32, 0, 23, 2, 1, 2, 1, 4, 1, 4, 2, 4, 3, -1];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        assert_eq!(shown(1007, &bytes), Ok(Some("{{1,2},{3,NULL}}".into())));
    }
}
