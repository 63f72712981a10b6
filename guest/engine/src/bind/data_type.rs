//! Type names (PostgreSQL 15, chapter 8), with their modifiers.

use super::name;
use crate::error::{Error, Result, sqlstate};
use crate::types::DataType;
use crate::types::text::registered::type_named;
use sqlparser::ast::{self, ArrayElemTypeDef, CharacterLength, ExactNumberInfo, TimezoneInfo};

const CHARACTERS_MAX: u64 = 10_485_760;
const PRECISION_MAX: u64 = 1000;
const SECOND_DIGITS_MAX: u64 = 6;

/// A type and its modifier (pg_attribute.atttypmod, -1 for none).
///
/// Fails with 42704 for names that mean no type, 22023 for modifiers out of range, 0A000 for types that PostgreSQL
/// has and this engine has not.
pub fn resolve(data_type: &ast::DataType) -> Result<(DataType, i32)> {
    use ast::DataType as Ast;
    let plain = |data_type| Ok((data_type, -1));
    match data_type {
        Ast::Bool | Ast::Boolean => plain(DataType::Boolean),
        Ast::SmallInt(None) | Ast::Int2(None) => plain(DataType::SmallInt),
        Ast::Int(None) | Ast::Integer(None) | Ast::Int4(None) => plain(DataType::Integer),
        Ast::BigInt(None) | Ast::Int8(None) => plain(DataType::BigInt),
        Ast::Real | Ast::Float4 => plain(DataType::Real),
        Ast::DoublePrecision | Ast::Float8 => plain(DataType::Double),
        Ast::Float(ExactNumberInfo::None) => plain(DataType::Double),
        Ast::Float(ExactNumberInfo::Precision(precision)) => match precision {
            0 => Err(invalid("precision for type float must be at least 1 bit")),
            1..=24 => plain(DataType::Real),
            25..=53 => plain(DataType::Double),
            _ => Err(invalid("precision for type float must be less than 54 bits")),
        },
        Ast::Numeric(info) | Ast::Decimal(info) | Ast::Dec(info) => Ok((DataType::Numeric, numeric_modifier(info)?)),
        Ast::Text => plain(DataType::Text),
        Ast::Varchar(length) | Ast::CharacterVarying(length) | Ast::CharVarying(length) => match length {
            None => plain(DataType::Varchar),
            Some(length) => Ok((DataType::Varchar, character_modifier("varchar", length)?)),
        },
        Ast::Char(length) | Ast::Character(length) => {
            let one = CharacterLength::IntegerLength { length: 1, unit: None };
            Ok((DataType::Char, character_modifier("char", length.as_ref().unwrap_or(&one))?))
        }
        Ast::Bytea => plain(DataType::Bytea),
        Ast::Uuid => plain(DataType::Uuid),
        Ast::Date => plain(DataType::Date),
        Ast::Time(digits, zone) => {
            let data_type = match zone {
                TimezoneInfo::None | TimezoneInfo::WithoutTimeZone => DataType::Time,
                TimezoneInfo::WithTimeZone | TimezoneInfo::Tz => DataType::TimeTz,
            };
            Ok((data_type, second_modifier("TIME", *digits)?))
        }
        Ast::Timestamp(digits, zone) => {
            let data_type = match zone {
                TimezoneInfo::None | TimezoneInfo::WithoutTimeZone => DataType::Timestamp,
                TimezoneInfo::WithTimeZone | TimezoneInfo::Tz => DataType::Timestamptz,
            };
            Ok((data_type, second_modifier("TIMESTAMP", *digits)?))
        }
        Ast::Interval { fields, precision } => {
            let range = fields.as_ref().map_or(INTERVAL_FULL_RANGE, interval_range);
            Ok((DataType::Interval, interval_modifier(range, *precision)?))
        }
        Ast::JSON => plain(DataType::Json),
        Ast::JSONB => plain(DataType::Jsonb),
        Ast::Regclass => plain(DataType::Regclass),
        Ast::Array(ArrayElemTypeDef::SquareBracket(element, _) | ArrayElemTypeDef::Qualified(element, _)) => {
            let (element, modifier) = resolve(element)?;
            Ok((element.array_of(), modifier))
        }
        Ast::Custom(type_name, modifiers) => custom(type_name, modifiers),
        other => Err(Error::not_supported(format!("type {other}"))),
    }
}

fn custom(type_name: &ast::ObjectName, modifiers: &[String]) -> Result<(DataType, i32)> {
    let qualified = name::qualified(type_name)?;
    let undefined = || {
        Error::new(sqlstate::UNDEFINED_OBJECT, format!("type \"{}\" does not exist", qualified.shown()))
            .at(qualified.position)
    };
    if qualified.schema.as_ref().is_some_and(|schema| schema != "pg_catalog") {
        return Err(undefined());
    }
    // "char" in quotes is another type than char.
    let quoted = name::parts(type_name)?.last().is_some_and(|last| last.quote_style.is_some());
    let data_type = match (qualified.name.as_str(), quoted) {
        ("char", true) => DataType::InternalChar,
        ("bpchar", _) => DataType::Char,
        (name, _) => type_named(name).filter(|found| *found != DataType::Unknown).ok_or_else(undefined)?,
    };
    let numbers: Vec<u64> = modifiers
        .iter()
        .map(|modifier| modifier.trim().parse().map_err(|_| invalid("type modifiers must be simple constants")))
        .collect::<Result<_>>()?;
    let modifier = match (data_type, &numbers[..]) {
        (_, []) => -1,
        (DataType::Varchar, [length]) => character_length("varchar", *length)?,
        (DataType::Char, [length]) => character_length("char", *length)?,
        (DataType::Numeric, [precision]) => numeric_modifier(&ExactNumberInfo::Precision(*precision))?,
        (DataType::Numeric, [precision, scale]) => {
            numeric_modifier(&ExactNumberInfo::PrecisionAndScale(*precision, *scale as i64))?
        }
        (DataType::Timestamp | DataType::Timestamptz, [digits]) => second_modifier("TIMESTAMP", Some(*digits))?,
        (DataType::Time | DataType::TimeTz, [digits]) => second_modifier("TIME", Some(*digits))?,
        _ => {
            let message = format!("type modifier is not allowed for type \"{}\"", qualified.name);
            return Err(Error::new(sqlstate::SYNTAX_ERROR, message).at(qualified.position));
        }
    };
    Ok((data_type, modifier))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(sqlstate::INVALID_PARAMETER_VALUE, message)
}

fn character_modifier(type_name: &str, length: &CharacterLength) -> Result<i32> {
    match length {
        CharacterLength::IntegerLength { length, unit: None } => character_length(type_name, *length),
        CharacterLength::IntegerLength { unit: Some(unit), .. } => {
            Err(Error::not_supported(format!("a length in {unit}")))
        }
        CharacterLength::Max => Err(Error::not_supported("a length of MAX")),
    }
}

fn character_length(type_name: &str, length: u64) -> Result<i32> {
    match length {
        0 => Err(invalid(format!("length for type {type_name} must be at least 1"))),
        1..=CHARACTERS_MAX => Ok(length as i32 + 4),
        _ => Err(invalid(format!("length for type {type_name} cannot exceed {CHARACTERS_MAX}"))),
    }
}

fn numeric_modifier(info: &ExactNumberInfo) -> Result<i32> {
    let (precision, scale) = match *info {
        ExactNumberInfo::None => return Ok(-1),
        ExactNumberInfo::Precision(precision) => (precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (precision, scale),
    };
    if !(1..=PRECISION_MAX).contains(&precision) {
        return Err(invalid(format!("NUMERIC precision {precision} must be between 1 and {PRECISION_MAX}")));
    }
    if !(-1000..=1000).contains(&scale) {
        return Err(invalid(format!("NUMERIC scale {scale} must be between -1000 and 1000")));
    }
    Ok((((precision as i32) << 16) | (scale as i32 & 0x7ff)) + 4)
}

/// PostgreSQL cuts more than six digits to six, with a warning.
fn second_modifier(_type_name: &str, digits: Option<u64>) -> Result<i32> {
    Ok(digits.map_or(-1, |digits| digits.min(SECOND_DIGITS_MAX) as i32))
}

/// All of an interval's fields (INTERVAL_FULL_RANGE in PostgreSQL's headers).
const INTERVAL_FULL_RANGE: i32 = 0x7fff;
const INTERVAL_FULL_PRECISION: i32 = 0xffff;

const YEAR: i32 = 1 << 2;
const MONTH: i32 = 1 << 1;
const DAY: i32 = 1 << 3;
const HOUR: i32 = 1 << 10;
const MINUTE: i32 = 1 << 11;
const SECOND: i32 = 1 << 12;

fn interval_range(fields: &ast::IntervalFields) -> i32 {
    use ast::IntervalFields as Fields;
    match fields {
        Fields::Year => YEAR,
        Fields::Month => MONTH,
        Fields::Day => DAY,
        Fields::Hour => HOUR,
        Fields::Minute => MINUTE,
        Fields::Second => SECOND,
        Fields::YearToMonth => YEAR | MONTH,
        Fields::DayToHour => DAY | HOUR,
        Fields::DayToMinute => DAY | HOUR | MINUTE,
        Fields::DayToSecond => DAY | HOUR | MINUTE | SECOND,
        Fields::HourToMinute => HOUR | MINUTE,
        Fields::HourToSecond => HOUR | MINUTE | SECOND,
        Fields::MinuteToSecond => MINUTE | SECOND,
    }
}

/// The modifier of `interval '…' field TO field (digits)`.
pub fn interval_literal_modifier(interval: &ast::Interval) -> Result<i32> {
    use ast::DateTimeField as Field;
    let bit = |field: &Field| match field {
        Field::Year => Ok(YEAR),
        Field::Month => Ok(MONTH),
        Field::Day => Ok(DAY),
        Field::Hour => Ok(HOUR),
        Field::Minute => Ok(MINUTE),
        Field::Second => Ok(SECOND),
        other => Err(Error::new(sqlstate::SYNTAX_ERROR, format!("syntax error at or near \"{other}\""))),
    };
    let Some(first) = &interval.leading_field else { return Ok(-1) };
    const ORDER: [i32; 6] = [YEAR, MONTH, DAY, HOUR, MINUTE, SECOND];
    let first = bit(first)?;
    let last = interval.last_field.as_ref().map_or(Ok(first), bit)?;
    let place = |bit: i32| ORDER.iter().position(|&field| field == bit).unwrap_or_default();
    if place(last) < place(first) || (first == YEAR && place(last) > 1) || (first == MONTH && last != MONTH) {
        return Err(Error::new(sqlstate::SYNTAX_ERROR, "syntax error in the fields of an interval"));
    }
    let range = ORDER[place(first)..=place(last)].iter().fold(0, |range, bit| range | bit);
    let digits = interval.fractional_seconds_precision.or(interval.leading_precision);
    interval_modifier(range, digits)
}

fn interval_modifier(range: i32, digits: Option<u64>) -> Result<i32> {
    if range == INTERVAL_FULL_RANGE && digits.is_none() {
        return Ok(-1);
    }
    let precision = digits.map_or(INTERVAL_FULL_PRECISION, |digits| digits.min(SECOND_DIGITS_MAX) as i32);
    Ok((range << 16) | precision)
}
