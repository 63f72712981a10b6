//! Templates of dates and times (PostgreSQL 15, tables 9.27 and 9.28).

use crate::types::datetime::calendar;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// AM or PM; with dots
    Meridiem {
        dots: bool,
    },
    /// BC or AD; with dots
    Era {
        dots: bool,
    },
    Century,
    /// Full or abbreviated name
    DayName {
        full: bool,
    },
    DayOfYear,
    DayOfMonth,
    DayOfWeek,
    IsoDayOfYear,
    IsoDayOfWeek,
    /// Digits of the second's fraction
    Fraction(u32),
    Hour24,
    Hour12,
    IsoWeek,
    /// The last digits of the year
    IsoYear(u32),
    Julian,
    Minute,
    Month,
    MonthName {
        full: bool,
    },
    Milliseconds,
    Microseconds,
    Offset,
    Quarter,
    RomanMonth,
    SecondOfDay,
    Second,
    ZoneHour,
    ZoneMinute,
    ZoneName,
    WeekOfYear,
    WeekOfMonth,
    YearWithComma,
    /// The last digits of the year
    Year(u32),
    /// FX
    Exact,
}

/// How letters of a name are written: as the template's own letters are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    Upper,
    Lower,
    Capital,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Field {
        field: Field,
        case: Case,
        /// FM
        fill: bool,
        /// TM
        translated: bool,
        /// TH or th: in upper case
        ordinal: Option<bool>,
        /// As the template spells it.
        name: String,
    },
    /// Text between quotes and other letters
    Text(String),
    /// Blanks and punctuation
    Separator(char),
}

/// Spellings, longer ones before those that they begin with.
const FIELDS: &[(&str, Field)] = &[
    ("A.D.", Field::Era { dots: true }),
    ("A.M.", Field::Meridiem { dots: true }),
    ("AD", Field::Era { dots: false }),
    ("AM", Field::Meridiem { dots: false }),
    ("B.C.", Field::Era { dots: true }),
    ("BC", Field::Era { dots: false }),
    ("CC", Field::Century),
    ("DAY", Field::DayName { full: true }),
    ("DDD", Field::DayOfYear),
    ("DD", Field::DayOfMonth),
    ("DY", Field::DayName { full: false }),
    ("D", Field::DayOfWeek),
    ("FF1", Field::Fraction(1)),
    ("FF2", Field::Fraction(2)),
    ("FF3", Field::Fraction(3)),
    ("FF4", Field::Fraction(4)),
    ("FF5", Field::Fraction(5)),
    ("FF6", Field::Fraction(6)),
    ("FX", Field::Exact),
    ("HH24", Field::Hour24),
    ("HH12", Field::Hour12),
    ("HH", Field::Hour12),
    ("IDDD", Field::IsoDayOfYear),
    ("ID", Field::IsoDayOfWeek),
    ("IW", Field::IsoWeek),
    ("IYYY", Field::IsoYear(4)),
    ("IYY", Field::IsoYear(3)),
    ("IY", Field::IsoYear(2)),
    ("I", Field::IsoYear(1)),
    ("J", Field::Julian),
    ("MI", Field::Minute),
    ("MM", Field::Month),
    ("MONTH", Field::MonthName { full: true }),
    ("MON", Field::MonthName { full: false }),
    ("MS", Field::Milliseconds),
    ("OF", Field::Offset),
    ("P.M.", Field::Meridiem { dots: true }),
    ("PM", Field::Meridiem { dots: false }),
    ("Q", Field::Quarter),
    ("RM", Field::RomanMonth),
    ("SSSSS", Field::SecondOfDay),
    ("SSSS", Field::SecondOfDay),
    ("SS", Field::Second),
    ("TZH", Field::ZoneHour),
    ("TZM", Field::ZoneMinute),
    ("TZ", Field::ZoneName),
    ("US", Field::Microseconds),
    ("WW", Field::WeekOfYear),
    ("W", Field::WeekOfMonth),
    ("Y,YYY", Field::YearWithComma),
    ("YYYY", Field::Year(4)),
    ("YYY", Field::Year(3)),
    ("YY", Field::Year(2)),
    ("Y", Field::Year(1)),
];

/// The field that a template goes on with: in upper or lower case, names also capitalised.
fn field_at(template: &str) -> Option<(&str, Field, Case)> {
    let starts = |spelling: &str| template.get(..spelling.len()).filter(|start| start.eq_ignore_ascii_case(spelling));
    FIELDS.iter().find_map(|(spelling, field)| {
        let written = starts(spelling)?;
        let case = if written == *spelling {
            Case::Upper
        } else if written == spelling.to_ascii_lowercase() {
            Case::Lower
        } else if matches!(field, Field::DayName { .. } | Field::MonthName { .. })
            && written[1..] == spelling[1..].to_ascii_lowercase()
        {
            Case::Capital
        } else {
            return None;
        };
        Some((written, *field, case))
    })
}

pub fn parse(template: &str) -> Vec<Node> {
    let mut nodes = vec![];
    let mut rest = template;
    while let Some(first) = rest.chars().next() {
        let (mut fill, mut translated) = (false, false);
        let mut after_prefix = rest;
        loop {
            let prefix = after_prefix.get(..2).unwrap_or("");
            match prefix {
                "FM" | "fm" => fill = true,
                "TM" | "tm" => translated = true,
                _ => break,
            }
            after_prefix = &after_prefix[2..];
        }
        if let Some((name, field, case)) = field_at(after_prefix) {
            rest = &after_prefix[name.len()..];
            let ordinal = match rest.get(..2) {
                Some("TH") => Some(true),
                Some("th") => Some(false),
                _ => None,
            };
            if ordinal.is_some() || matches!(rest.get(..2), Some("SP" | "sp")) {
                rest = &rest[2..];
            }
            nodes.push(Node::Field { field, case, fill, translated, ordinal, name: name.to_string() });
            continue;
        }
        if after_prefix.len() < rest.len() {
            // A prefix of nothing says nothing.
            rest = after_prefix;
            continue;
        }
        rest = &rest[first.len_utf8()..];
        match first {
            '"' => {
                let mut quoted = String::new();
                let mut characters = rest.char_indices();
                let mut end = rest.len();
                while let Some((index, character)) = characters.next() {
                    match character {
                        '"' => {
                            end = index + 1;
                            break;
                        }
                        '\\' => quoted.extend(characters.next().map(|(_, escaped)| escaped)),
                        other => quoted.push(other),
                    }
                }
                rest = &rest[end..];
                nodes.push(Node::Text(quoted));
            }
            '\\' if rest.starts_with('"') => {
                nodes.push(Node::Text("\"".into()));
                rest = &rest[1..];
            }
            other if other.is_ascii() && !other.is_ascii_alphanumeric() => nodes.push(Node::Separator(other)),
            other => nodes.push(Node::Text(other.to_string())),
        }
    }
    nodes
}

pub const ROMAN_MONTHS: [&str; 12] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

/// The date's day counted from the start of its ISO year, 1 for the first Monday.
pub fn iso_day_of_year(days: i64) -> i64 {
    let (year, _) = calendar::iso_week(days);
    days - calendar::start_of_iso_week(year, 1) + 1
}
