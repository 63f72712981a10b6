//! Reads dates and times in all the forms that PostgreSQL takes (section 8.5.1 and appendix B).

use super::calendar::{JULIAN_EPOCH, date_from_days, days_from_date, days_in_month};
use super::clock::{checked_time, clock_time, fraction_microseconds, zone_offset};
use super::decoded::{DateOrder, Decoded, Failure, Special, ZoneField};
use super::lexer::{self, Field, Kind};
use super::words::{Word, word};
use super::zone::{Zone, abbreviation_offset};
use super::{DAY, HOUR};

const YEAR: u16 = 1;
const MONTH: u16 = 2;
const DAY_OF_MONTH: u16 = 4;
const DAY_OF_YEAR: u16 = 8;
const TIME: u16 = 16;
const ZONE: u16 = 32;
const MERIDIEM: u16 = 64;
const ERA: u16 = 128;
const WEEKDAY: u16 = 256;
const DATE: u16 = YEAR | MONTH | DAY_OF_MONTH;

#[derive(Clone, Copy, PartialEq)]
enum Label {
    Julian,
    Time,
}

struct Decoder<'a> {
    fields: &'a [Field],
    order: DateOrder,
    seen: u16,
    year: i64,
    month: i64,
    day: i64,
    day_of_year: i64,
    time: i64,
    zone: Option<ZoneField>,
    special: Option<Special>,
    is_julian: bool,
    is_bc: bool,
    afternoon: Option<bool>,
    two_digit_year: bool,
    text_month: bool,
    /// What the field before says of this one.
    label: Option<Label>,
    time_overflow: bool,
    /// Only a time is wanted: whole numbers are times.
    time_only: bool,
}

/// Reads a date, a timestamp, or (with `time_only`) a time.
pub(super) fn decode(text: &str, order: DateOrder, time_only: bool) -> Result<Decoded, Failure> {
    let fields = lexer::fields(text, |text| word(text).is_some()).ok_or(Failure::Format)?;
    let mut decoder = Decoder {
        fields: &fields,
        order,
        seen: 0,
        year: 0,
        month: 0,
        day: 0,
        day_of_year: 0,
        time: 0,
        zone: None,
        special: None,
        is_julian: false,
        is_bc: false,
        afternoon: None,
        two_digit_year: false,
        text_month: false,
        label: None,
        time_overflow: false,
        time_only,
    };
    for index in 0..fields.len() {
        let new = decoder.field(index)?;
        if decoder.seen & new != 0 {
            return Err(Failure::Format);
        }
        decoder.seen |= new;
    }
    decoder.finish()
}

impl Decoder<'_> {
    /// Takes one field in and answers what it was.
    fn field(&mut self, index: usize) -> Result<u16, Failure> {
        let Field { kind, text } = &self.fields[index];
        match kind {
            Kind::Date => self.date_or_zone(index, text),
            Kind::Time => {
                if self.label.take().is_some_and(|label| label != Label::Time) {
                    return Err(Failure::Format);
                }
                self.time = clock_time(text)?;
                Ok(TIME)
            }
            Kind::Zone => {
                self.zone = Some(ZoneField::Offset(zone_offset(text)?));
                Ok(ZONE)
            }
            Kind::Number => self.number_field(index, text),
            Kind::Word | Kind::SignedWord => self.word(index, text),
        }
    }

    fn has_date(&self) -> bool {
        self.seen & DATE == DATE
    }

    /// The parts of a date that decide what a number is; a lone time needs no date.
    fn date_seen(&self) -> u16 {
        if self.time_only && !self.date_is_allowed() { DATE } else { self.seen & DATE }
    }

    /// A time may come with a date when that is plain to see.
    fn date_is_allowed(&self) -> bool {
        let fields = self.fields;
        fields.len() >= 2 && (fields[fields.len() - 1].kind == Kind::Date || fields[1].kind == Kind::Time)
    }

    fn date_or_zone(&mut self, index: usize, text: &str) -> Result<u16, Failure> {
        let begins_with_digit = text.starts_with(|c: char| c.is_ascii_digit());
        if self.label == Some(Label::Julian) {
            return self.julian_with_zone(text);
        }
        let is_date = if self.time_only {
            self.label.is_none()
                && !self.has_date()
                && (begins_with_digit && self.date_is_allowed() || index == 0 && self.date_is_allowed())
        } else {
            self.label.is_none() && !self.has_date()
        };
        if is_date {
            return self.date(text);
        }
        if !begins_with_digit && self.label.is_none() {
            let zone = Zone::named(text).map_err(|_| Failure::UnknownZone(text.to_string()))?;
            self.zone = Some(ZoneField::Rules(zone));
            return Ok(ZONE);
        }
        // A run-together time with its zone: 040506-08
        if self.seen & TIME != 0 {
            return Err(Failure::Format);
        }
        self.label = None;
        let minus = text.find('-').ok_or(Failure::Format)?;
        self.zone = Some(ZoneField::Offset(zone_offset(&text[minus..])?));
        let new = self.run_together(&text[..minus], self.seen | DATE)?;
        Ok(new | ZONE)
    }

    /// `j2451187-08`
    fn julian_with_zone(&mut self, text: &str) -> Result<u16, Failure> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let number = text[..digits].parse::<i64>().map_err(|_| Failure::FieldOverflow)?;
        self.set_julian(number)?;
        self.zone = Some(ZoneField::Offset(zone_offset(&text[digits..])?));
        self.label = None;
        Ok(DATE | TIME | ZONE)
    }

    fn set_julian(&mut self, number: i64) -> Result<(), Failure> {
        if !(0..=i64::from(i32::MAX)).contains(&number) {
            return Err(Failure::FieldOverflow);
        }
        (self.year, self.month, self.day) = date_from_days(number - JULIAN_EPOCH);
        self.is_julian = true;
        Ok(())
    }

    /// `1999-01-08`, `jan-08-1999`, `08-jan-1999`, `1999.008`
    fn date(&mut self, text: &str) -> Result<u16, Failure> {
        let mut numbers = vec![];
        let mut new = 0;
        for piece in pieces(text) {
            if piece.starts_with(|c: char| c.is_ascii_digit()) {
                numbers.push(piece);
                continue;
            }
            match word(piece) {
                Some(Word::Month(month)) if (self.seen | new) & MONTH == 0 => {
                    self.month = month;
                    self.text_month = true;
                    new |= MONTH;
                }
                Some(Word::Filler) => {}
                _ => return Err(Failure::Format),
            }
        }
        for number in numbers {
            let found = self.number(number, self.seen | new)?;
            if (self.seen | new) & found != 0 {
                return Err(Failure::Format);
            }
            new |= found;
        }
        if (self.seen | new) & DATE != DATE { Err(Failure::Format) } else { Ok(new) }
    }

    fn number_field(&mut self, index: usize, text: &str) -> Result<u16, Failure> {
        match self.label.take() {
            Some(Label::Julian) => {
                let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
                self.set_julian(whole.parse().map_err(|_| Failure::FieldOverflow)?)?;
                if fraction.is_empty() {
                    return Ok(DATE);
                }
                let fraction: f64 = format!("0.{fraction}").parse().map_err(|_| Failure::Format)?;
                self.time = (fraction * DAY as f64) as i64;
                return Ok(DATE | TIME);
            }
            Some(Label::Time) => {
                let new = self.run_together(text, self.seen | DATE)?;
                return if new == TIME { Ok(new) } else { Err(Failure::Format) };
            }
            None => {}
        }
        let length = text.len();
        let point = text.find('.');
        let seen = (self.seen & !DATE) | self.date_seen();
        if self.time_only {
            return match point {
                Some(_) if index == 0 && self.date_is_allowed() && !self.has_date() => self.date(text),
                Some(point) if point > 2 => self.run_together(text, seen),
                Some(_) => Err(Failure::Format),
                None if length > 4 => self.run_together(text, seen),
                None => self.number(text, seen),
            };
        }
        match point {
            Some(_) if seen & DATE == 0 => self.date(text),
            Some(point) if point > 2 => self.run_together(text, seen),
            _ if length >= 6 && (seen & DATE == 0 || seen & TIME == 0) => self.run_together(text, seen),
            _ => self.number(text, seen),
        }
    }

    /// A number within a date, taken by what is already there.
    fn number(&mut self, text: &str, seen: u16) -> Result<u16, Failure> {
        let length = text.len();
        if let Some(point) = text.find('.') {
            return if point > 2 { self.run_together(text, seen | DATE) } else { Err(Failure::Format) };
        }
        let value: i64 = text.parse::<i32>().map_err(|_| Failure::FieldOverflow)?.into();
        if length == 3 && seen & DATE == YEAR && (1..=366).contains(&value) {
            self.day_of_year = value;
            return Ok(DAY_OF_YEAR | MONTH | DAY_OF_MONTH);
        }
        let found = match seen & DATE {
            0 if length >= 3 || self.order == DateOrder::YearMonthDay => YEAR,
            0 if self.order == DateOrder::DayMonthYear => DAY_OF_MONTH,
            0 => MONTH,
            YEAR => MONTH,
            MONTH if self.text_month && (length >= 3 || self.order == DateOrder::YearMonthDay) => YEAR,
            MONTH => DAY_OF_MONTH,
            seen if seen == YEAR | MONTH => {
                if self.text_month && length >= 3 && self.two_digit_year {
                    // What was taken for a year of two digits is the day.
                    self.day = self.year;
                    self.year = value;
                    self.two_digit_year = false;
                    return Ok(DAY_OF_MONTH);
                }
                DAY_OF_MONTH
            }
            DAY_OF_MONTH => MONTH,
            seen if seen == MONTH | DAY_OF_MONTH => YEAR,
            DATE => return self.run_together(text, seen),
            _ => return Err(Failure::Format),
        };
        match found {
            YEAR => {
                self.year = value;
                self.two_digit_year = length <= 2;
            }
            MONTH => self.month = value,
            _ => self.day = value,
        }
        Ok(found)
    }

    /// `20011223`, `011223`, `040506`, `0405`, `040506.789`
    fn run_together(&mut self, text: &str, seen: u16) -> Result<u16, Failure> {
        let (digits, fraction) = match text.split_once('.') {
            Some((digits, fraction)) => (digits, Some(fraction_microseconds(fraction)?)),
            None => (text, None),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Failure::Format);
        }
        let number = |text: &str| text.parse::<i64>().map_err(|_| Failure::FieldOverflow);
        let length = digits.len();
        if fraction.is_none() && seen & DATE != DATE && length >= 6 {
            self.day = number(&digits[length - 2..])?;
            self.month = number(&digits[length - 4..length - 2])?;
            self.year = number(&digits[..length - 4])?;
            self.two_digit_year = length == 6;
            return Ok(DATE);
        }
        if seen & TIME == 0 && (length == 6 || length == 4) {
            let second = if length == 6 { number(&digits[4..])? } else { 0 };
            let (hour, minute) = (number(&digits[..2])?, number(&digits[2..4])?);
            // What is out of range may still turn out to be no time at all.
            match checked_time(hour, minute, second, fraction.unwrap_or(0)) {
                Ok(time) => self.time = time,
                Err(_) => self.time_overflow = true,
            }
            return Ok(TIME);
        }
        Err(Failure::Format)
    }

    fn word(&mut self, index: usize, text: &str) -> Result<u16, Failure> {
        if let Some(offset) = abbreviation_offset(text) {
            self.zone = Some(ZoneField::Offset(offset));
            return Ok(ZONE);
        }
        let Some(word) = word(text) else {
            let zone = Zone::named(text).map_err(|_| Failure::Format)?;
            self.zone = Some(ZoneField::Rules(zone));
            return Ok(ZONE);
        };
        let mut special = |special: Special, new: u16| {
            self.special = Some(special);
            Ok(new)
        };
        match word {
            Word::Epoch => special(Special::Epoch, DATE | TIME | ZONE),
            Word::Infinity => special(Special::Infinity, DATE | TIME | ZONE),
            Word::NegativeInfinity => special(Special::NegativeInfinity, DATE | TIME | ZONE),
            Word::Now => special(Special::Now, DATE | TIME | ZONE),
            Word::Today => special(Special::Day(0), DATE),
            Word::Tomorrow => special(Special::Day(1), DATE),
            Word::Yesterday => special(Special::Day(-1), DATE),
            Word::AllBalls => {
                self.time = 0;
                self.zone = Some(ZoneField::Offset(0));
                Ok(TIME | ZONE)
            }
            Word::Month(month) => {
                // A number that was taken for the month is the day, then.
                let month_is_day = self.seen & MONTH != 0
                    && !self.text_month
                    && self.seen & DAY_OF_MONTH == 0
                    && (1..=31).contains(&self.month);
                self.text_month = true;
                if month_is_day {
                    self.day = self.month;
                    self.month = month;
                    return Ok(DAY_OF_MONTH);
                }
                self.month = month;
                Ok(MONTH)
            }
            Word::Am | Word::Pm => {
                self.afternoon = Some(word == Word::Pm);
                Ok(MERIDIEM)
            }
            Word::Ad | Word::Bc => {
                self.is_bc = word == Word::Bc;
                Ok(ERA)
            }
            Word::DayOfWeek => Ok(WEEKDAY),
            Word::Daylight => match &mut self.zone {
                Some(ZoneField::Offset(seconds)) => {
                    *seconds += 3600;
                    Ok(0)
                }
                _ => Err(Failure::Format),
            },
            Word::Julian => {
                self.label = Some(Label::Julian);
                Ok(0)
            }
            Word::IsoTime => {
                let next_is_time = self
                    .fields
                    .get(index + 1)
                    .is_some_and(|next| matches!(next.kind, Kind::Number | Kind::Time | Kind::Date));
                if !next_is_time || !self.time_only && !self.has_date() {
                    return Err(Failure::Format);
                }
                self.label = Some(Label::Time);
                Ok(0)
            }
            Word::Filler => Ok(0),
        }
    }

    fn finish(mut self) -> Result<Decoded, Failure> {
        let zone = self.zone.take();
        let time = (self.seen & TIME != 0).then_some(self.time);
        let time = match (self.afternoon, time) {
            (Some(afternoon), Some(time)) => {
                let hour = time / HOUR;
                if hour > 12 {
                    return Err(Failure::FieldOverflow);
                }
                Some(time % HOUR + (hour % 12 + if afternoon { 12 } else { 0 }) * HOUR)
            }
            (_, time) => time,
        };
        if let Some(special) = self.special {
            return Ok(Decoded { special: Some(special), date: None, time, zone });
        }
        if self.time_only && time.is_none() {
            return Err(Failure::Format);
        }
        let date = self.whole_date()?;
        if self.time_overflow {
            return Err(Failure::FieldOverflow);
        }
        if self.label.is_some() || !self.time_only && date.is_none() {
            return Err(Failure::Format);
        }
        Ok(Decoded { special: None, date, time, zone })
    }

    fn whole_date(&mut self) -> Result<Option<i64>, Failure> {
        if self.seen & YEAR != 0 && !self.is_julian {
            if self.is_bc {
                if self.year <= 0 {
                    return Err(Failure::FieldOverflow);
                }
                self.year = 1 - self.year;
            } else if self.two_digit_year {
                self.year += if self.year < 70 { 2000 } else { 1900 };
            } else if self.year <= 0 {
                return Err(Failure::FieldOverflow);
            }
        }
        if self.seen & DAY_OF_YEAR != 0 {
            let days = days_from_date(self.year, 1, 1) + self.day_of_year - 1;
            return Ok(Some(days));
        }
        let month_is_wrong = self.seen & MONTH != 0 && !(1..=12).contains(&self.month);
        let day_is_wrong = self.seen & DAY_OF_MONTH != 0 && !(1..=31).contains(&self.day);
        if month_is_wrong || day_is_wrong {
            return Err(Failure::MonthOrDayOverflow);
        }
        if !self.has_date() {
            return Ok(None);
        }
        if self.day > days_in_month(self.year, self.month) {
            return Err(Failure::FieldOverflow);
        }
        Ok(Some(days_from_date(self.year, self.month, self.day)))
    }
}

/// Runs of digits and runs of letters.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(|c: char| c.is_ascii_alphanumeric())?;
        rest = &rest[start..];
        let digits = rest.starts_with(|c: char| c.is_ascii_digit());
        let end = rest
            .find(|c: char| if digits { !c.is_ascii_digit() } else { !c.is_ascii_alphabetic() })
            .unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}
