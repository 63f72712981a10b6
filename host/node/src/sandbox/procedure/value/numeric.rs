//! PostgreSQL's numeric in binary form (PostgreSQL 15, numeric.c: numeric_send): base-10000 digits, the weight of the
//! first, a sign and how many decimals are shown.

use crate::error::sqlstate;
use crate::sandbox::procedure::value::Misfit;

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xc000;
const INFINITE: u16 = 0xd000;
const NEGATIVE_INFINITE: u16 = 0xf000;

/// Decimal digits before the point, and after it.
const WHOLE_DIGITS_MAX: usize = 131_072;
const DECIMALS_MAX: usize = 16_383;

/// As PostgreSQL prints it.
pub fn numeric_text(bytes: &[u8]) -> Result<String, Misfit> {
    let malformed = || Misfit::malformed("numeric");
    let mut words = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let mut word = || words.next().ok_or_else(malformed);
    let (count, weight, sign, scale) = (word()?, word()?.cast_signed(), word()?, usize::from(word()?));
    match sign {
        NAN => return Ok("NaN".into()),
        INFINITE => return Ok("Infinity".into()),
        NEGATIVE_INFINITE => return Ok("-Infinity".into()),
        _ => {}
    }
    let digits: Vec<u16> = words.collect();
    if digits.len() != usize::from(count) || digits.iter().any(|digit| *digit > 9999) {
        return Err(malformed());
    }
    let digit = |index: i32| usize::try_from(index).ok().and_then(|index| digits.get(index)).copied().unwrap_or(0);
    let mut text = String::with_capacity(digits.len() * 4 + scale + 8);
    if sign == NEGATIVE {
        text.push('-');
    }
    let weight = i32::from(weight);
    if weight < 0 {
        text.push('0');
    } else {
        text.push_str(&digit(0).to_string());
        for index in 1..=weight {
            text.push_str(&format!("{:04}", digit(index)));
        }
    }
    if scale > 0 {
        text.push('.');
        let end = text.len() + scale;
        let mut index = weight + 1;
        while text.len() < end {
            text.push_str(&format!("{:04}", if index < 0 { 0 } else { digit(index) }));
            index += 1;
        }
        text.truncate(end);
    }
    Ok(text)
}

/// Appends the binary form of a decimal number's text: digits with or without a point and an exponent, NaN, Infinity.
pub fn numeric_bytes(text: &str, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let invalid = || {
        let mut shown = text.to_owned();
        shown.truncate(shown.floor_char_boundary(80));
        Misfit::new(
            sqlstate::INVALID_TEXT_REPRESENTATION,
            format!("invalid input syntax for type numeric: \"{shown}\""),
        )
    };
    let trimmed = text.trim();
    let (sign, number) = match trimmed.as_bytes().first() {
        Some(b'-') => (NEGATIVE, &trimmed[1..]),
        Some(b'+') => (0, &trimmed[1..]),
        _ => (0, trimmed),
    };
    for (name, special) in [("nan", NAN), ("infinity", INFINITE), ("inf", INFINITE)] {
        if number.eq_ignore_ascii_case(name) {
            let special = match (special, sign) {
                (INFINITE, NEGATIVE) => NEGATIVE_INFINITE,
                (NAN, _) if trimmed.len() > number.len() => return Err(invalid()),
                (special, _) => special,
            };
            push_words(out, &[0, 0, special, 0]);
            return Ok(());
        }
    }
    let (mantissa, exponent) = match number.find(['e', 'E']) {
        Some(at) => (&number[..at], number[at + 1..].parse::<i32>().map_err(|_| invalid())?),
        None => (number, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(invalid());
    }
    let overflow = || Misfit::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format".to_owned());
    // Where the point stands among the digits, which may be before the first or after the last.
    let point = i64::try_from(whole.len()).unwrap_or(i64::MAX).saturating_add(i64::from(exponent));
    let decimals = (i64::try_from(digits.len()).unwrap_or(i64::MAX) - point).max(0);
    let scale = usize::try_from(decimals).ok().filter(|scale| *scale <= DECIMALS_MAX).ok_or_else(overflow)?;
    let leading = digits.iter().take_while(|digit| **digit == b'0').count();
    if leading == digits.len() {
        push_words(out, &[0, 0, 0, u16::try_from(scale).map_err(|_| overflow())?]);
        return Ok(());
    }
    if point - i64::try_from(leading).unwrap_or(0) > WHOLE_DIGITS_MAX as i64 {
        return Err(overflow());
    }
    // The decimal digit at a position left (>= 0) or right (< 0) of the point.
    let at = |position: i64| {
        let index = point - 1 - position;
        usize::try_from(index).ok().and_then(|index| digits.get(index)).map_or(0, |digit| u16::from(digit - b'0'))
    };
    let highest = point - 1 - i64::try_from(leading).unwrap_or(0);
    let weight = highest.div_euclid(4);
    let lowest = (-decimals).div_euclid(4);
    let mut groups: Vec<u16> = (lowest..=weight)
        .rev()
        .map(|group| (0..4).rev().fold(0, |value, digit| value * 10 + at(group * 4 + digit)))
        .collect();
    while groups.last() == Some(&0) {
        groups.pop();
    }
    let count = u16::try_from(groups.len()).map_err(|_| overflow())?;
    let weight = i16::try_from(weight).map_err(|_| overflow())?.cast_unsigned();
    push_words(out, &[count, weight, sign, u16::try_from(scale).map_err(|_| overflow())?]);
    push_words(out, &groups);
    Ok(())
}

fn push_words(out: &mut Vec<u8>, words: &[u16]) {
    words.iter().for_each(|word| out.extend_from_slice(&word.to_be_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_text() {
        for text in [
            "0",
            "1",
            "-1",
            "10.50",
            "-0.001",
            "9999",
            "10000",
            "10000.0001",
            "123456789012345678901234567890.5",
            "0.00",
            "NaN",
            "Infinity",
            "-Infinity",
            "0.00001",
            "100000000",
            "18446744073709551615",
        ] {
            let mut bytes = Vec::new();
            numeric_bytes(text, &mut bytes).expect("a number");
            assert_eq!(numeric_text(&bytes).expect("its bytes"), text);
        }
    }

    #[test]
    fn bytes_are_those_of_postgresql() {
        // select encode(numeric_send(n), 'hex')
        for (text, hex) in [
            ("0", "0000000000000000"),
            ("1", "00010000000000000001"),
            ("-12345.678", "0003000140000003000109291a7c"),
            ("0.00012", "0002ffff00000005000107d0"),
        ] {
            let mut bytes = Vec::new();
            numeric_bytes(text, &mut bytes).expect("a number");
            let shown: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(shown.starts_with(hex), "{text}: {shown}");
        }
    }

    #[test]
    fn exponents_move_the_point() {
        for (text, plain) in
            [("1e3", "1000"), ("1.5e-3", "0.0015"), ("25e-1", "2.5"), (" +7 ", "7"), ("1.", "1"), (".5", "0.5")]
        {
            let mut bytes = Vec::new();
            numeric_bytes(text, &mut bytes).expect("a number");
            assert_eq!(numeric_text(&bytes).expect("its bytes"), plain, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for (text, sqlstate) in [
            ("", "22P02"),
            ("1x", "22P02"),
            (".", "22P02"),
            ("--1", "22P02"),
            ("1e200000", "22003"),
            ("1e-99999", "22003"),
            ("-NaN", "22P02"),
        ] {
            assert_eq!(numeric_bytes(text, &mut Vec::new()).expect_err(text).sqlstate, sqlstate, "{text}");
        }
    }
}
