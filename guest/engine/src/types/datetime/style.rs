//! Dates and timestamps in the styles of DateStyle other than ISO (PostgreSQL 15, section 8.5.2).

use super::calendar::{date_from_days, day_of_week};
use super::print::{print_offset, print_time, print_year, push_padded};
use super::words::{DAYS, MONTHS};
use super::zone::Zone;
use super::{DAY, SECOND};

/// How DateStyle wants dates to look, where that is not ISO.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Sql,
    German,
    Postgres,
}

#[derive(Clone, Copy)]
pub(super) struct Style {
    form: Form,
    day_first: bool,
}

impl Style {
    /// Of a DateStyle such as `SQL, DMY`; none for ISO.
    pub(super) fn of(date_style: &str) -> Option<Style> {
        let (form, order) = date_style.split_once(", ")?;
        let form = match form {
            "SQL" => Form::Sql,
            "German" => Form::German,
            "Postgres" => Form::Postgres,
            _ => return None,
        };
        Some(Style { form, day_first: order == "DMY" })
    }

    /// Appends a finite date.
    pub(super) fn date(self, days: i64, out: &mut String) {
        let (year, month, day) = date_from_days(days);
        let (first, second) = if self.day_first || self.form == Form::German { (day, month) } else { (month, day) };
        let separator = match self.form {
            Form::Sql => '/',
            Form::German => '.',
            Form::Postgres => '-',
        };
        push_padded(first, 2, out);
        out.push(separator);
        push_padded(second, 2, out);
        out.push(separator);
        print_year(year, out);
        out.push_str(if year <= 0 { " BC" } else { "" });
    }

    /// Appends a finite timestamp, an instant where there is a zone.
    pub(super) fn timestamp(self, microseconds: i64, zone: Option<&Zone>, out: &mut String) {
        let offset = zone.map(|zone| zone.offset_at(microseconds));
        let local = microseconds.saturating_add(i64::from(offset.unwrap_or(0)) * SECOND);
        let (days, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let (year, month, day) = date_from_days(days);
        let era = if year <= 0 { " BC" } else { "" };
        if self.form == Form::Postgres {
            out.push_str(&DAYS[day_of_week(days) as usize % 7][..3]);
            out.push(' ');
            let month = &MONTHS[(month - 1) as usize % 12][..3];
            if self.day_first {
                push_padded(day, 2, out);
                out.push(' ');
                out.push_str(month);
            } else {
                out.push_str(month);
                out.push(' ');
                push_padded(day, 2, out);
            }
            out.push(' ');
            print_time(time, out);
            out.push(' ');
            print_year(year, out);
        } else {
            self.date(days, out);
            out.truncate(out.len() - era.len());
            out.push(' ');
            print_time(time, out);
        }
        if let (Some(zone), Some(offset)) = (zone, offset) {
            out.push(' ');
            match zone.abbreviation(microseconds) {
                Some(abbreviation) => out.push_str(&abbreviation),
                None => print_offset(offset, out),
            }
        }
        out.push_str(era);
    }
}
