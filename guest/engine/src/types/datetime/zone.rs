//! Time zones: the IANA database by way of jiff's bundled copy, POSIX rules, abbreviations and fixed offsets.

use super::calendar::{CYCLE_DAYS, UNIX_EPOCH_DAYS, date_from_days};
use super::{DAY, SECOND};
use crate::error::{Error, Result, sqlstate};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use std::cell::RefCell;

/// Rules that say how far local time is from UTC.
#[derive(Clone, Debug)]
pub enum Zone {
    /// Seconds east of UTC
    Fixed(i32),
    Named(TimeZone),
}

thread_local! {
    static DATABASE: TimeZoneDatabase = TimeZoneDatabase::bundled();
    /// The zone that was last asked for: nearly always the session's.
    static LAST: RefCell<Option<(String, Zone)>> = const { RefCell::new(None) };
}

/// jiff's range ends with the year 9999; later years are looked up in the cycle of 400 years before that.
const LAST_DAY: i64 = 2_921_500;

impl Zone {
    pub const UTC: Zone = Zone::Fixed(0);

    /// The zone of a setting or an argument: a name in any case, a POSIX rule such as `EST5EDT,M3.2.0,M11.1.0` or
    /// `<+03>-3`. Fails with 22023.
    pub fn named(name: &str) -> Result<Zone> {
        let cached = LAST.with_borrow(|last| match last {
            Some((cached, zone)) if cached == name => Some(zone.clone()),
            _ => None,
        });
        if let Some(zone) = cached {
            return Ok(zone);
        }
        let zone = Zone::find(name).ok_or_else(|| {
            Error::new(sqlstate::INVALID_PARAMETER_VALUE, format!("time zone \"{name}\" not recognized"))
        })?;
        LAST.set(Some((name.to_string(), zone.clone())));
        Ok(zone)
    }

    /// The zone of AT TIME ZONE: abbreviations come before names.
    pub fn for_expression(name: &str) -> Result<Zone> {
        match abbreviation_offset(&name.to_ascii_lowercase()) {
            Some(seconds) => Ok(Zone::Fixed(seconds)),
            None => Zone::named(name),
        }
    }

    fn find(name: &str) -> Option<Zone> {
        if ["utc", "gmt", "etc/utc", "zulu"].iter().any(|utc| name.eq_ignore_ascii_case(utc)) {
            return Some(Zone::UTC);
        }
        if name.is_empty() || name.len() > 255 {
            return None;
        }
        if let Ok(zone) = DATABASE.with(|database| database.get(name)) {
            return Some(Zone::Named(zone));
        }
        if let Some(seconds) = posix_offset(name) {
            return Some(Zone::Fixed(seconds));
        }
        // Rules for summer time need digits.
        let has_rules = name.bytes().any(|byte| byte.is_ascii_digit());
        let zone = if has_rules { TimeZone::posix(name).ok() } else { None };
        zone.map(Zone::Named)
    }

    /// Seconds east of UTC at an instant, given in microseconds since 2000-01-01 00:00 UTC.
    pub fn offset_at(&self, instant: i64) -> i32 {
        match self {
            Zone::Fixed(seconds) => *seconds,
            Zone::Named(zone) => match jiff_timestamp(instant) {
                Some(timestamp) => zone.to_offset(timestamp).seconds(),
                None => 0,
            },
        }
    }

    /// Seconds east of UTC at a local time, given in microseconds since 2000-01-01 00:00. A time that a change of
    /// offset skips or repeats is read as standard time.
    pub fn offset_for_local(&self, local: i64) -> i32 {
        let zone = match self {
            Zone::Fixed(seconds) => return *seconds,
            Zone::Named(zone) => zone,
        };
        let (day, second) = within_range(local);
        let (year, month, day) = date_from_days(day);
        let date_time = jiff::civil::DateTime::new(
            year as i16,
            month as i8,
            day as i8,
            (second / 3600) as i8,
            (second / 60 % 60) as i8,
            (second % 60) as i8,
            0,
        );
        let Ok(date_time) = date_time else { return 0 };
        match zone.to_ambiguous_timestamp(date_time).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.seconds(),
            AmbiguousOffset::Gap { before, .. } => before.seconds(),
            AmbiguousOffset::Fold { after, .. } => after.seconds(),
        }
    }

    /// The abbreviation in use at an instant, such as `CEST`; none for fixed offsets other than UTC.
    pub fn abbreviation(&self, instant: i64) -> Option<String> {
        match self {
            Zone::Fixed(0) => Some("UTC".to_string()),
            Zone::Fixed(_) => None,
            Zone::Named(zone) => {
                jiff_timestamp(instant).map(|timestamp| zone.to_offset_info(timestamp).abbreviation().to_string())
            }
        }
    }
}

/// Day and second of the day, the day moved into jiff's range by cycles of 400 years.
fn within_range(microseconds: i64) -> (i64, i64) {
    let day = microseconds.div_euclid(DAY);
    let second = microseconds.rem_euclid(DAY) / SECOND;
    let excess = (day - LAST_DAY).max(0);
    (day - (excess + CYCLE_DAYS - 1) / CYCLE_DAYS * CYCLE_DAYS, second)
}

fn jiff_timestamp(instant: i64) -> Option<jiff::Timestamp> {
    let (day, second) = within_range(instant);
    jiff::Timestamp::from_second((day + UNIX_EPOCH_DAYS) * 86_400 + second).ok()
}

/// A POSIX zone without summer time: `UTC+3`, `<+03>-3`, `-05:30`; positive is west.
fn posix_offset(text: &str) -> Option<i32> {
    let rest = match text.strip_prefix('<') {
        Some(rest) => rest.split_once('>')?.1,
        None => text.trim_start_matches(|c: char| c.is_ascii_alphabetic()),
    };
    let (sign, digits) = match rest.as_bytes().first()? {
        b'-' => (1, &rest[1..]),
        b'+' => (-1, &rest[1..]),
        _ => (-1, rest),
    };
    let mut parts = digits.split(':');
    let mut seconds = 0;
    for (unit, most) in [(3600, 167), (60, 59), (1, 59)] {
        let Some(part) = parts.next() else { break };
        if part.is_empty() || part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: i32 = part.parse().ok().filter(|number| *number <= most)?;
        seconds += number * unit;
    }
    (parts.next().is_none() && seconds <= 167 * 3600).then_some(sign * seconds)
}

/// Seconds east of UTC of an abbreviation in lower case, as PostgreSQL's default set has them.
pub fn abbreviation_offset(name: &str) -> Option<i32> {
    let index = ABBREVIATIONS.binary_search_by_key(&name, |(abbreviation, _)| abbreviation).ok()?;
    Some(ABBREVIATIONS[index].1)
}

/// Sorted by abbreviation.
#[rustfmt::skip]
const ABBREVIATIONS: &[(&str, i32)] = &[
    ("acdt", 37800), ("acsst", 37800), ("acst", 34200), ("act", -18000), ("acwst", 31500), ("adt", -10800),
    ("aedt", 39600), ("aesst", 39600), ("aest", 36000), ("aft", 16200), ("akdt", -28800), ("akst", -32400),
    ("almst", 25200), ("almt", 21600), ("amst", 14400), ("amt", -14400), ("anast", 43200), ("anat", 43200),
    ("arst", -10800), ("art", -10800), ("ast", -14400), ("awsst", 32400), ("awst", 28800), ("azost", 0), ("azot",
    -3600), ("azst", 14400), ("azt", 14400), ("bdst", 7200), ("bdt", 21600), ("bnt", 28800), ("bort", 28800),
    ("bot", -14400), ("bra", -10800), ("brst", -7200), ("brt", -10800), ("bst", 3600), ("btt", 21600), ("cadt",
    37800), ("cast", 34200), ("cct", 28800), ("cdt", -18000), ("cest", 7200), ("cet", 3600), ("cetdst", 7200),
    ("chadt", 49500), ("chast", 45900), ("chut", 36000), ("ckt", -36000), ("clst", -10800), ("clt", -10800),
    ("cot", -18000), ("cst", -21600), ("cxt", 25200), ("davt", 25200), ("ddut", 36000), ("easst", -18000), ("east",
    -18000), ("eat", 10800), ("edt", -14400), ("eest", 10800), ("eet", 7200), ("eetdst", 10800), ("egst", 0),
    ("egt", -3600), ("est", -18000), ("fet", 10800), ("fjst", 46800), ("fjt", 43200), ("fkst", -10800), ("fkt",
    -10800), ("fnst", -3600), ("fnt", -7200), ("galt", -21600), ("gamt", -32400), ("gest", 14400), ("get", 14400),
    ("gft", -10800), ("gilt", 43200), ("gmt", 0), ("gyt", -14400), ("hkt", 28800), ("hst", -36000), ("ict", 25200),
    ("idt", 10800), ("iot", 21600), ("irkst", 28800), ("irkt", 28800), ("irt", 12600), ("ist", 7200), ("jayt",
    32400), ("jst", 32400), ("kdt", 36000), ("kgst", 21600), ("kgt", 21600), ("kost", 39600), ("krast", 25200),
    ("krat", 25200), ("kst", 32400), ("lhdt", 39600), ("lhst", 37800), ("ligt", 36000), ("lint", 50400), ("lkt",
    19800), ("magst", 39600), ("magt", 39600), ("mart", -34200), ("mawt", 18000), ("mdt", -21600), ("mest", 7200),
    ("mesz", 7200), ("met", 3600), ("metdst", 7200), ("mez", 3600), ("mht", 43200), ("mmt", 23400), ("mpt", 36000),
    ("msd", 14400), ("msk", 10800), ("mst", -25200), ("must", 18000), ("mut", 14400), ("mvt", 18000), ("myt",
    28800), ("ndt", -9000), ("nft", -12600), ("novst", 25200), ("novt", 25200), ("npt", 20700), ("nst", -12600),
    ("nut", -39600), ("nzdt", 46800), ("nzst", 43200), ("nzt", 43200), ("omsst", 21600), ("omst", 21600), ("pdt",
    -25200), ("pet", -18000), ("petst", 43200), ("pett", 43200), ("pgt", 36000), ("pht", 28800), ("pkst", 21600),
    ("pkt", 18000), ("pmdt", -7200), ("pmst", -10800), ("pont", 39600), ("pst", -28800), ("pwt", 32400), ("pyst",
    -10800), ("pyt", -10800), ("ret", 14400), ("sadt", 37800), ("sast", 7200), ("sct", 14400), ("sgt", 28800),
    ("taht", -36000), ("tft", 18000), ("tjt", 18000), ("tkt", 46800), ("tmt", 18000), ("tot", 46800), ("trut",
    36000), ("tvt", 43200), ("uct", 0), ("ulast", 32400), ("ulat", 28800), ("ut", 0), ("utc", 0), ("uyst", -7200),
    ("uyt", -10800), ("uzst", 21600), ("uzt", 18000), ("vet", -14400), ("vlast", 36000), ("vlat", 36000), ("volt",
    10800), ("vut", 39600), ("wadt", 28800), ("wakt", 43200), ("wast", 25200), ("wat", 3600), ("wdt", 32400),
    ("wet", 0), ("wetdst", 3600), ("wft", 43200), ("wgst", -7200), ("wgt", -10800), ("xjt", 21600), ("yakst",
    32400), ("yakt", 32400), ("yapt", 36000), ("yekst", 21600), ("yekt", 18000), ("z", 0), ("zulu", 0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations_are_sorted() {
        assert!(ABBREVIATIONS.is_sorted_by_key(|(abbreviation, _)| abbreviation));
        assert_eq!(abbreviation_offset("est"), Some(-18_000));
        assert_eq!(abbreviation_offset("xyz"), None);
    }

    #[test]
    fn zones_have_their_offsets() {
        for (name, offset) in [
            ("UTC", 0),
            ("Europe/Berlin", 3600),
            ("europe/berlin", 3600),
            ("America/New_York", -18_000),
            ("<+05>-05", 18_000),
            ("UTC+3", -10_800),
            ("+03:30", -12_600),
            ("EST5EDT", -18_000),
        ] {
            assert_eq!(Zone::named(name).map(|zone| zone.offset_at(0)), Ok(offset), "{name}");
        }
        assert_eq!(Zone::named("Mars/Phobos").map(|_| ()).map_err(|error| error.0.sqlstate), Err("22023".into()));
    }

    #[test]
    fn years_after_9999_follow_the_cycle() {
        let zone = Zone::named("Europe/Berlin").expect("a known zone");
        let july = super::super::calendar::days_from_date(100_000, 7, 1) * DAY;
        assert_eq!(zone.offset_at(july), 7200);
        assert_eq!(zone.offset_for_local(july), 7200);
    }
}
