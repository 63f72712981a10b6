//! What the text of a date or a time says, or why it says nothing.

use super::zone::Zone;

/// Why a text is no date, to be worded by the caller, who knows the type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Failure {
    /// 22007
    Format,
    /// 22008
    FieldOverflow,
    /// 22008
    DateOutOfRange,
    /// 22008, and another DateStyle may read it
    MonthOrDayOverflow,
    /// 22009
    ZoneOverflow,
    /// 22023
    UnknownZone(String),
    /// 22015
    IntervalOverflow,
}

/// The order of day, month and year where a date does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DateOrder {
    YearMonthDay,
    DayMonthYear,
    MonthDayYear,
}

impl DateOrder {
    /// Of a DateStyle such as `ISO, DMY`.
    pub fn of_style(style: &str) -> DateOrder {
        let mut order = DateOrder::MonthDayYear;
        for part in style.split(',') {
            match part.trim().to_ascii_lowercase().as_str() {
                "ymd" => order = DateOrder::YearMonthDay,
                "dmy" | "euro" | "european" => order = DateOrder::DayMonthYear,
                "mdy" | "us" | "noneuro" | "noneuropean" => order = DateOrder::MonthDayYear,
                _ => {}
            }
        }
        order
    }
}

/// Words that stand for a whole date or moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Special {
    Epoch,
    Infinity,
    NegativeInfinity,
    Now,
    /// Midnight, this many days from today
    Day(i64),
}

/// The zone that a text names.
#[derive(Clone, Debug)]
pub(super) enum ZoneField {
    /// Seconds east of UTC
    Offset(i32),
    Rules(Zone),
}

/// What a text says.
#[derive(Clone, Debug, Default)]
pub(super) struct Decoded {
    pub special: Option<Special>,
    /// Days since 2000-01-01
    pub date: Option<i64>,
    /// Microseconds since midnight, up to 24:00 and, for the second 60, beyond
    pub time: Option<i64>,
    pub zone: Option<ZoneField>,
}
