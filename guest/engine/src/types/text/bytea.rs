//! bytea (PostgreSQL 15, section 8.4).

use super::is_space;
use crate::error::{Error, Result, sqlstate};

/// Reads the hex format (`\x00ff`) or the escape format (`a\\b\000`).
pub fn parse(text: &str) -> Result<Vec<u8>> {
    match text.strip_prefix("\\x") {
        Some(digits) => parse_hex(digits),
        None => parse_escape(text.as_bytes()),
    }
}

/// Reads pairs of hexadecimal digits with blanks between them. Fails with 22023.
pub fn parse_hex(digits: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    let mut characters = digits.chars();
    while let Some(first) = characters.next() {
        if is_space(first) {
            continue;
        }
        let high = hex_digit(first)?;
        let second = characters.next().ok_or_else(|| {
            Error::new(sqlstate::INVALID_PARAMETER_VALUE, "invalid hexadecimal data: odd number of digits")
        })?;
        bytes.push(high * 16 + hex_digit(second)?);
    }
    Ok(bytes)
}

fn hex_digit(digit: char) -> Result<u8> {
    digit
        .to_digit(16)
        .map(|value| value as u8)
        .ok_or_else(|| Error::new(sqlstate::INVALID_PARAMETER_VALUE, format!("invalid hexadecimal digit: \"{digit}\"")))
}

/// Reads `\\` and `\ooo`, all else as it is. Fails with 22P02.
pub fn parse_escape(text: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return Ok(bytes),
            [b'\\', b'\\', rest @ ..] => {
                bytes.push(b'\\');
                rest
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', rest @ ..] => {
                bytes.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest
            }
            [b'\\', ..] => {
                return Err(Error::new(sqlstate::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type bytea"));
            }
            [byte, rest @ ..] => {
                bytes.push(*byte);
                rest
            }
        }
    }
}

/// Prints in the format that `bytea_output` names.
pub fn print(bytes: &[u8], format: &str, out: &mut String) {
    if format.eq_ignore_ascii_case("escape") {
        print_escape(bytes, out);
    } else {
        out.push_str("\\x");
        print_hex(bytes, out);
    }
}

/// Two lower-case digits a byte.
pub fn print_hex(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// Bytes outside printable ASCII as `\ooo`.
pub fn print_escape(bytes: &[u8], out: &mut String) {
    for &byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            0x20..=0x7e => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\{byte:03o}")),
        }
    }
}
