//! Uses all of the contract: every type in both directions, every kind of error, every import.

#![cfg(target_family = "wasm")]

mod conversions;
mod imports;

isobar_procedure::generate!("isobar:conformance/conformance" in "wit");

struct Conformance;

impl exports::isobar::conformance::counters::Guest for Conformance {
    fn resource_free_count(to: u32) -> Vec<u32> {
        (1..=to).collect()
    }
}

/// Functions that answer their argument.
macro_rules! echo {
    ($($name:ident: $type:ty,)*) => { $(fn $name(value: $type) -> $type { value })* };
}

impl Guest for Conformance {
    echo! {
        echo_bool: bool,
        echo_s8: i8,
        echo_u8: u8,
        echo_s16: i16,
        echo_u16: u16,
        echo_s32: i32,
        echo_u32: u32,
        echo_s64: i64,
        echo_u64: u64,
        echo_f32: f32,
        echo_f64: f64,
        echo_char: char,
        echo_string: String,
        echo_bytes: Vec<u8>,
        echo_enum: Colour,
        echo_numeric: Numeric,
        echo_date: Date,
        echo_time: Time,
        echo_timestamp: Timestamp,
        echo_timestamptz: Timestamptz,
        echo_interval: Interval,
        echo_uuid: Uuid,
        echo_json: Json,
        echo_option_s32: Option<i32>,
        echo_option_string: Option<String>,
        echo_option_numeric: Option<Numeric>,
        echo_list_bool: Vec<bool>,
        echo_list_s32: Vec<i32>,
        echo_list_string: Vec<String>,
        echo_list_option_s64: Vec<Option<i64>>,
        echo_list_numeric: Vec<Numeric>,
        echo_list_colour: Vec<Colour>,
        echo_record: Point,
        echo_tuple: (i32, String),
    }

    fn points(count: u32) -> Vec<Point> {
        (0..count).map(point).collect()
    }

    fn readings(count: u32) -> Vec<Reading> {
        let at = |number: u32| Timestamptz { microseconds: i64::from(number) * 1_000_000 };
        (0..count).map(|number| Reading { at: at(number), value: number.into() }).collect()
    }

    fn pairs(count: u32) -> Vec<(u32, String)> {
        (0..count).map(|number| (number, format!("pair {number}"))).collect()
    }

    fn points_or_error(count: i32) -> Result<Vec<Point>, Error> {
        let count = u32::try_from(count).map_err(|_| Error::new("22023", "a count is not negative"))?;
        Ok(Self::points(count))
    }

    fn nothing() {}

    fn no_operation() -> i32 {
        1
    }

    fn double_or_error(value: i32) -> Result<i32, Error> {
        double(value).ok_or_else(|| {
            Error::new("CF001", format!("{value} is not positive")).with_detail("a detail").with_hint("a hint")
        })
    }

    fn double_or_text(value: i32) -> Result<i32, String> {
        double(value).ok_or_else(|| format!("{value} is not positive"))
    }

    fn double_or_enum(value: i32) -> Result<i32, Colour> {
        double(value).ok_or(Colour::DarkBlue)
    }

    fn double_or_record(value: i32) -> Result<i32, Refusal> {
        double(value)
            .ok_or_else(|| Refusal { sqlstate: "CF002".to_owned(), message: format!("{value} is not positive") })
    }

    fn double_or_long_record(value: i32) -> Result<i32, RefusalAtLength> {
        double(value).ok_or_else(|| RefusalAtLength {
            sqlstate: "CF003".to_owned(),
            message: format!("{value} is not positive"),
            detail: Some("a detail".to_owned()),
            hint: None,
        })
    }

    fn double_or_number(value: i32) -> Result<i32, u32> {
        double(value).ok_or(7)
    }

    fn double_or_nothing(value: i32) -> Result<i32, ()> {
        double(value).ok_or(())
    }

    fn check_positive(value: i32) -> Result<(), Error> {
        double(value).map(drop).ok_or_else(|| format!("{value} is not positive").into())
    }

    fn circumstances_of_call() -> Circumstances {
        imports::circumstances()
    }

    fn say(message: String) {
        imports::say(&message);
    }

    fn ask(sql: String) -> Result<String, Error> {
        imports::ask(&sql)
    }

    fn caught(sql: String) -> Result<String, Error> {
        imports::caught(&sql)
    }

    fn batches(rows: i64, most: u32) -> Result<Vec<(u32,)>, Error> {
        imports::batches(rows, most)
    }

    fn conversions() -> Result<u32, Error> {
        conversions::check()
    }
}

fn point(number: u32) -> Point {
    let half = |number: u32| f64::from(number) / 2.0;
    Point { x: number as i32, y: (number % 2 == 0).then(|| half(number)), label: format!("point {number}") }
}

fn double(value: i32) -> Option<i32> {
    (value > 0).then(|| value.saturating_mul(2))
}

export!(Conformance);
