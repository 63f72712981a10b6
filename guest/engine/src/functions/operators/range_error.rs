//! The errors of arithmetic.

use crate::error::{Error, sqlstate};

pub fn smallint() -> Error {
    Error::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "smallint out of range")
}

pub fn integer() -> Error {
    Error::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range")
}

pub fn bigint() -> Error {
    Error::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range")
}

pub fn interval() -> Error {
    Error::new(sqlstate::DATETIME_FIELD_OVERFLOW, "interval out of range")
}

pub fn overflow() -> Error {
    Error::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow")
}

pub fn underflow() -> Error {
    Error::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow")
}

pub fn division_by_zero() -> Error {
    Error::new(sqlstate::DIVISION_BY_ZERO, "division by zero")
}
