//! Sends every kind of value through SQL and back, and reads it as every type of Rust that may hold it.

use crate::Error;
use isobar_procedure::{Date, FromValue, Interval, Json, Numeric, Time, Timestamp, Timestamptz, Uuid, Value, sql};
use std::fmt::Debug;

/// How many conversions were tried; the first that fails is the error.
pub fn check() -> Result<u32, Error> {
    let mut tried = 0;
    let mut same = |outcome: Result<(), Error>| outcome.map(|()| tried += 1);
    same(round_trip("boolean", true))?;
    same(round_trip("smallint", -128_i8))?;
    same(round_trip("smallint", 255_u8))?;
    same(round_trip("smallint", i16::MIN))?;
    same(round_trip("integer", u16::MAX))?;
    same(round_trip("integer", i32::MIN))?;
    same(round_trip("bigint", u32::MAX))?;
    same(round_trip("bigint", i64::MIN))?;
    same(round_trip("numeric", u64::MAX))?;
    same(round_trip("numeric", i128::MIN))?;
    same(round_trip("real", 0.1_f32))?;
    same(round_trip("double precision", f64::MIN_POSITIVE))?;
    same(round_trip("numeric", Numeric { text: "-10.50".to_owned() }))?;
    same(round_trip("numeric", Numeric { text: "NaN".to_owned() }))?;
    same(round_trip("text", "naïve 🦀".to_owned()))?;
    same(round_trip("bytea", vec![0_u8, 255, 10]))?;
    same(round_trip("date", Date { days: -1 }))?;
    same(round_trip("time", Time { microseconds: 86_399_999_999 }))?;
    same(round_trip("timestamp", Timestamp { microseconds: -1 }))?;
    same(round_trip("timestamptz", Timestamptz { microseconds: 1_700_000_000_000_001 }))?;
    same(round_trip("interval", Interval { months: 14, days: -3, microseconds: 5 }))?;
    same(round_trip("uuid", Uuid { high: 1, low: u64::MAX }))?;
    same(round_trip("jsonb", Json { text: "{\"a\": [1, null]}".to_owned() }))?;
    same(round_trip("integer", None::<i32>))?;
    same(round_trip("text", Some("there".to_owned())))?;

    same(reads("7::smallint", 7_i64))?;
    same(reads("7.00::numeric", 7_u8))?;
    same(reads("7::bigint", 7.0_f64))?;
    same(reads("2.5::numeric", 2.5_f64))?;
    same(reads("0.5::real", 0.5_f64))?;
    same(reads("7::integer", Numeric { text: "7".to_owned() }))?;
    same(reads("ARRAY[1, 2]", "{1,2}".to_owned()))?;

    same(refuses::<i32>("NULL::integer", "22004"))?;
    same(refuses::<u8>("256", "42804"))?;
    same(refuses::<i32>("1.5", "42804"))?;
    same(refuses::<String>("1", "42804"))?;
    same(refuses::<bool>("'true'::text", "42804"))?;

    let row = sql::query("SELECT 1 AS one", &[])?.only()?;
    same(expect_error(row.get::<i32>("two"), "42703"))?;
    same(expect_error(row.get::<i32>(1_usize), "42703"))?;
    same(expect_error(sql::query("SELECT 1 WHERE false", &[])?.only(), "P0002"))?;
    same(expect_error(sql::query("VALUES (1), (2)", &[])?.only(), "P0003"))?;
    same(expect_error(sql::execute("SELECT 1 / 0", &[]), "22012"))?;
    Ok(tried)
}

/// As a parameter of the given type and back.
fn round_trip<T: FromValue + Into<Value> + Clone + PartialEq + Debug>(sql_type: &str, value: T) -> Result<(), Error> {
    let answer = sql::query(&format!("SELECT $1::{sql_type} AS value"), &[value.clone().into()])?.only()?;
    let found: T = answer.get("value")?;
    expect_equal(sql_type, &found, &value)
}

fn reads<T: FromValue + PartialEq + Debug>(expression: &str, expected: T) -> Result<(), Error> {
    let found: T = sql::query(&format!("SELECT {expression} AS value"), &[])?.only()?.get(0)?;
    expect_equal(expression, &found, &expected)
}

fn refuses<T: FromValue + Debug>(expression: &str, sqlstate: &str) -> Result<(), Error> {
    let row = sql::query(&format!("SELECT {expression} AS value"), &[])?.only()?;
    expect_error(row.get::<T>("value"), sqlstate)
}

fn expect_equal<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?} and not {expected:?}").into()) }
}

fn expect_error<T>(outcome: Result<T, Error>, sqlstate: &str) -> Result<(), Error> {
    match outcome {
        Err(error) if error.sqlstate == sqlstate => Ok(()),
        Err(error) => Err(format!("{} ({}) and not {sqlstate}", error.sqlstate, error.message).into()),
        Ok(_) => Err(format!("no error where {sqlstate} was due").into()),
    }
}
