//! uuid (PostgreSQL 15, section 8.12).

use super::{bytea, invalid_input};
use crate::error::Result;

/// Reads 32 hexadecimal digits in any case, with a hyphen after any group of four, perhaps in braces.
pub fn parse(text: &str) -> Result<[u8; 16]> {
    read(text).ok_or_else(|| invalid_input("uuid", text))
}

fn read(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    let mut rest = match bytes {
        [b'{', inner @ .., b'}'] => inner,
        _ => bytes,
    };
    let mut uuid = [0; 16];
    for (index, byte) in uuid.iter_mut().enumerate() {
        let [high, low, after @ ..] = rest else { return None };
        let digit = |byte: u8| char::from(byte).to_digit(16);
        *byte = (digit(*high)? * 16 + digit(*low)?) as u8;
        rest = match after {
            [b'-', after @ ..] if index % 2 == 1 && index < 15 => after,
            _ => after,
        };
    }
    rest.is_empty().then_some(uuid)
}

pub fn print(uuid: &[u8; 16], out: &mut String) {
    for (index, byte) in uuid.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        bytea::print_hex(&[*byte], out);
    }
}
