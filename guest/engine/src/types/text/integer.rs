//! smallint, integer, bigint and oid.

use super::{invalid_input, is_space, value_out_of_range};
use crate::error::Result;
use crate::types::DataType;

/// Reads a decimal integer with an optional sign and blanks around it.
pub fn parse<T: TryFrom<i64>>(text: &str, data_type: DataType) -> Result<T> {
    let trimmed = text.trim_matches(is_space);
    let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid_input(&data_type.name(), text));
    }
    let value = trimmed.parse::<i64>().ok().and_then(|value| T::try_from(value).ok());
    value.ok_or_else(|| value_out_of_range(&data_type.name(), text))
}

/// Reads an oid: 32 bits, and a minus sign wraps around.
pub fn parse_oid(text: &str) -> Result<u32> {
    let trimmed = text.trim_matches(is_space);
    let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid_input("oid", text));
    }
    let value = trimmed.parse::<i64>().ok();
    let value = value.filter(|value| (i64::from(i32::MIN)..=i64::from(u32::MAX)).contains(value));
    value.map(|value| value as u32).ok_or_else(|| value_out_of_range("oid", text))
}

pub fn print(value: i64, out: &mut String) {
    let mut buffer = [0u8; 20];
    let mut start = buffer.len();
    let mut rest = value.unsigned_abs();
    loop {
        start -= 1;
        buffer[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push('-');
    }
    out.push_str(std::str::from_utf8(&buffer[start..]).unwrap_or_default());
}
