//! Exact decimal numbers. They arrive and leave as PostgreSQL's text; adding and comparing them is SQL's work, or that
//! of a decimal library of your choice.

use crate::Numeric;
use std::fmt;
use std::str::FromStr;

impl Numeric {
    pub fn is_nan(&self) -> bool {
        self.text.eq_ignore_ascii_case("nan")
    }

    pub fn is_zero(&self) -> bool {
        self.is_finite() && !self.text.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
    }

    pub fn is_positive(&self) -> bool {
        !self.is_nan() && !self.is_zero() && !self.text.starts_with('-')
    }

    pub fn is_negative(&self) -> bool {
        !self.is_zero() && self.text.starts_with('-')
    }

    fn is_finite(&self) -> bool {
        self.text.bytes().any(|byte| byte.is_ascii_digit())
    }

    /// The whole number that this is, if it is one in the range of `i128`; `7.00` is.
    pub fn to_integer(&self) -> Option<i128> {
        let (whole, fraction) = self.text.split_once('.').unwrap_or((&self.text, ""));
        if fraction.bytes().any(|digit| digit != b'0') { None } else { whole.parse().ok() }
    }
}

impl fmt::Display for Numeric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl FromStr for Numeric {
    type Err = crate::Error;

    /// Digits with at most one point and a sign in front, or `NaN`.
    fn from_str(text: &str) -> Result<Numeric, crate::Error> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let only_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        if text == "NaN" || only_digits && !(whole.is_empty() && fraction.is_empty()) {
            return Ok(Numeric { text: text.to_owned() });
        }
        Err(crate::Error::new("22P02", format!("invalid input syntax for type numeric: \"{text}\"")))
    }
}

macro_rules! from_integers {
    ($($integer:ty),*) => {
        $(impl From<$integer> for Numeric {
            fn from(number: $integer) -> Numeric {
                Numeric { text: number.to_string() }
            }
        })*
    };
}

from_integers!(i8, u8, i16, u16, i32, u32, i64, u64, i128);
