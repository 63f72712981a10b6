//! The proleptic Gregorian calendar over PostgreSQL's whole range. Year 0 is 1 BC. Days count from 2000-01-01.

/// Days from the start of the Julian day count to 2000-01-01.
pub const JULIAN_EPOCH: i64 = 2_451_545;
/// Days from 1970-01-01 to 2000-01-01.
pub const UNIX_EPOCH_DAYS: i64 = 10_957;
/// Days in 400 years, after which the calendar repeats, weekdays included.
pub const CYCLE_DAYS: i64 = 146_097;

pub fn is_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// `month` is 1 to 12.
pub fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap_year(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 2000-01-01. Months and days beyond their ends run on into the next ones.
pub fn days_from_date(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    // Years begin in March, so that the leap day is the last one.
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let cycle = shifted_year.div_euclid(400);
    let year_of_cycle = shifted_year.rem_euclid(400);
    let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    // 2000-03-01 is day 60 of 2000.
    (cycle - 5) * CYCLE_DAYS + day_of_cycle + 60
}

/// Year, month and day of a number of days since 2000-01-01.
pub fn date_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days - 60;
    let cycle = shifted.div_euclid(CYCLE_DAYS);
    let day_of_cycle = shifted.rem_euclid(CYCLE_DAYS);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = (cycle + 5) * 400 + year_of_cycle + i64::from(month <= 2);
    (year, month, day)
}

/// 0 for Sunday to 6 for Saturday.
pub fn day_of_week(days: i64) -> i64 {
    // 2000-01-01 was a Saturday.
    (days + 6).rem_euclid(7)
}

/// 1 for the first of January.
pub fn day_of_year(days: i64) -> i64 {
    let (year, ..) = date_from_days(days);
    days - days_from_date(year, 1, 1) + 1
}

/// The year and week of ISO 8601: weeks begin on Monday, week 1 has the year's first Thursday.
pub fn iso_week(days: i64) -> (i64, i64) {
    let thursday = days - (day_of_week(days) + 6) % 7 + 3;
    let (year, ..) = date_from_days(thursday);
    (year, (thursday - days_from_date(year, 1, 1)) / 7 + 1)
}

/// The Monday that an ISO week begins with.
pub fn start_of_iso_week(year: i64, week: i64) -> i64 {
    let fourth_of_january = days_from_date(year, 1, 4);
    fourth_of_january - (day_of_week(fourth_of_january) + 6) % 7 + (week - 1) * 7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        for days in (-2_500_000..2_500_000).step_by(17).chain([-1, 0, 1, 59, 60, 365, 366]) {
            let (year, month, day) = date_from_days(days);
            assert!((1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day));
            assert_eq!(days_from_date(year, month, day), days);
        }
        assert_eq!(date_from_days(0), (2000, 1, 1));
        assert_eq!(days_from_date(1970, 1, 1), -UNIX_EPOCH_DAYS);
        assert_eq!(date_from_days(-JULIAN_EPOCH), (-4713, 11, 24));
    }

    #[test]
    fn weeks_are_those_of_iso_8601() {
        for ((year, month, day), week) in [
            ((2005, 1, 1), (2004, 53)),
            ((2005, 1, 3), (2005, 1)),
            ((2007, 12, 31), (2008, 1)),
            ((2020, 12, 31), (2020, 53)),
        ] {
            let days = days_from_date(year, month, day);
            assert_eq!(iso_week(days), week);
            assert!((0..7).contains(&(days - start_of_iso_week(week.0, week.1))));
        }
    }
}
