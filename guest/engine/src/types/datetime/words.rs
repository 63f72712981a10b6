//! Words that dates, times and intervals are made of.

/// What a word means in a date or a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Word {
    Month(i64),
    DayOfWeek,
    Ad,
    Bc,
    Am,
    Pm,
    Epoch,
    Infinity,
    NegativeInfinity,
    Now,
    Today,
    Tomorrow,
    Yesterday,
    /// Midnight, UTC
    AllBalls,
    /// The `t` between an ISO date and its time
    IsoTime,
    /// The `j` before a Julian day
    Julian,
    /// An hour of summer time on top of the zone before it
    Daylight,
    /// Says nothing
    Filler,
}

pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// From Sunday on, as `calendar::day_of_week` counts.
pub const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

pub(super) fn word(text: &str) -> Option<Word> {
    // PostgreSQL cuts its key words to ten letters.
    let text = text.get(..10).unwrap_or(text);
    let is_month = |month: &&str| [month, &month[..3]].iter().any(|name| text.eq_ignore_ascii_case(name));
    let month = MONTHS.iter().position(|month| is_month(month) || text == "sept" && *month == "September");
    if let Some(month) = month {
        return Some(Word::Month(month as i64 + 1));
    }
    Some(match text {
        "ad" => Word::Ad,
        "bc" => Word::Bc,
        "am" => Word::Am,
        "pm" => Word::Pm,
        "epoch" => Word::Epoch,
        "infinity" => Word::Infinity,
        "-infinity" => Word::NegativeInfinity,
        "now" => Word::Now,
        "today" => Word::Today,
        "tomorrow" => Word::Tomorrow,
        "yesterday" => Word::Yesterday,
        "allballs" => Word::AllBalls,
        "t" => Word::IsoTime,
        "j" | "jd" | "julian" => Word::Julian,
        "dst" => Word::Daylight,
        "at" | "on" => Word::Filler,
        "sun" | "sunday" | "mon" | "monday" | "tue" | "tues" | "tuesday" | "wed" | "weds" | "wednesday" | "thu"
        | "thur" | "thurs" | "thursday" | "fri" | "friday" | "sat" | "saturday" => Word::DayOfWeek,
        _ => return None,
    })
}

/// The units of intervals, of `extract` and of `date_trunc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    Timezone,
    TimezoneHour,
    TimezoneMinute,
    Dow,
    IsoDow,
    Doy,
    IsoYear,
    Julian,
    Epoch,
}

/// The unit of an interval's field, in any of its spellings, in lower case.
pub(super) fn interval_unit(text: &str) -> Option<Unit> {
    let text = text.get(..10).unwrap_or(text);
    Some(match text {
        "us" | "usec" | "usecond" | "useconds" | "usecs" | "microsecon" => Unit::Microsecond,
        "ms" | "msec" | "mseconds" | "msecs" | "msecond" | "millisecon" => Unit::Millisecond,
        "s" | "sec" | "second" | "seconds" | "secs" => Unit::Second,
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minute,
        "h" | "hour" | "hours" | "hr" | "hrs" => Unit::Hour,
        "d" | "day" | "days" => Unit::Day,
        "w" | "week" | "weeks" => Unit::Week,
        "mon" | "mons" | "month" | "months" => Unit::Month,
        "qtr" | "quarter" => Unit::Quarter,
        "y" | "year" | "years" | "yr" | "yrs" => Unit::Year,
        "dec" | "decs" | "decade" | "decades" => Unit::Decade,
        "c" | "cent" | "century" | "centuries" => Unit::Century,
        "mil" | "mils" | "millennia" | "millennium" => Unit::Millennium,
        _ => return None,
    })
}

/// The field that `extract`, `date_part` and `date_trunc` name, in any case.
pub fn field(text: &str) -> Option<Unit> {
    let text = text.trim().to_ascii_lowercase();
    interval_unit(&text).or(match text.as_str() {
        "timezone" => Some(Unit::Timezone),
        "timezone_h" | "timezone_hour" => Some(Unit::TimezoneHour),
        "timezone_m" | "timezone_minute" => Some(Unit::TimezoneMinute),
        "dow" => Some(Unit::Dow),
        "isodow" => Some(Unit::IsoDow),
        "doy" => Some(Unit::Doy),
        "isoyear" => Some(Unit::IsoYear),
        "j" | "jd" | "julian" => Some(Unit::Julian),
        "epoch" => Some(Unit::Epoch),
        _ => None,
    })
}
