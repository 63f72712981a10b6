//! `+ - * / %` on numbers (PostgreSQL 15, section 9.3).

mod column;
mod float;

use super::range_error;
use crate::error::{Error, Result};
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::{Value, numeric::Numeric};

macro_rules! binary {
    ($($left:ident $right:ident $result:ident;)*) => {
        &[$(
            function("+", &[$left, $right], $result, add).columns(column::add),
            function("-", &[$left, $right], $result, subtract).columns(column::subtract),
            function("*", &[$left, $right], $result, multiply).columns(column::multiply),
            function("/", &[$left, $right], $result, divide).columns(column::divide),
        )*
            function("%", &[SMALLINT, SMALLINT], SMALLINT, remainder).columns(column::remainder),
            function("%", &[INTEGER, INTEGER], INTEGER, remainder).columns(column::remainder),
            function("%", &[BIGINT, BIGINT], BIGINT, remainder).columns(column::remainder),
            function("%", &[NUMERIC, NUMERIC], NUMERIC, remainder).columns(column::remainder),
        ]
    };
}

pub static OPERATORS: &[ScalarFunction] = binary! {
    SMALLINT SMALLINT SMALLINT;
    SMALLINT INTEGER INTEGER;
    SMALLINT BIGINT BIGINT;
    INTEGER SMALLINT INTEGER;
    INTEGER INTEGER INTEGER;
    INTEGER BIGINT BIGINT;
    BIGINT SMALLINT BIGINT;
    BIGINT INTEGER BIGINT;
    BIGINT BIGINT BIGINT;
    REAL REAL REAL;
    REAL DOUBLE DOUBLE;
    DOUBLE REAL DOUBLE;
    DOUBLE DOUBLE DOUBLE;
    NUMERIC NUMERIC NUMERIC;
};

/// The operands, brought to the wider one's type.
pub enum Pair<'a> {
    SmallInt(i16, i16),
    Integer(i32, i32),
    BigInt(i64, i64),
    Real(f32, f32),
    Double(f64, f64),
    Numeric(&'a Numeric, &'a Numeric),
}

pub fn pair(arguments: &[Value]) -> Result<Pair<'_>> {
    use Value::*;
    Ok(match arguments {
        [SmallInt(left), SmallInt(right)] => Pair::SmallInt(*left, *right),
        [SmallInt(left), Integer(right)] => Pair::Integer(i32::from(*left), *right),
        [Integer(left), SmallInt(right)] => Pair::Integer(*left, i32::from(*right)),
        [Integer(left), Integer(right)] => Pair::Integer(*left, *right),
        [SmallInt(left), BigInt(right)] => Pair::BigInt(i64::from(*left), *right),
        [Integer(left), BigInt(right)] => Pair::BigInt(i64::from(*left), *right),
        [BigInt(left), SmallInt(right)] => Pair::BigInt(*left, i64::from(*right)),
        [BigInt(left), Integer(right)] => Pair::BigInt(*left, i64::from(*right)),
        [BigInt(left), BigInt(right)] => Pair::BigInt(*left, *right),
        [Real(left), Real(right)] => Pair::Real(*left, *right),
        [Real(left), Double(right)] => Pair::Double(f64::from(*left), *right),
        [Double(left), Real(right)] => Pair::Double(*left, f64::from(*right)),
        [Double(left), Double(right)] => Pair::Double(*left, *right),
        [Numeric(left), Numeric(right)] => Pair::Numeric(left, right),
        _ => return Err(Error::internal(format!("numbers expected, not {arguments:?}"))),
    })
}

macro_rules! operation {
    ($name:ident $checked:ident $float:ident $numeric:ident) => {
        pub fn $name(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
            Ok(match pair(arguments)? {
                Pair::SmallInt(left, right) => Value::SmallInt(left.$checked(right).ok_or_else(range_error::smallint)?),
                Pair::Integer(left, right) => Value::Integer(left.$checked(right).ok_or_else(range_error::integer)?),
                Pair::BigInt(left, right) => Value::BigInt(left.$checked(right).ok_or_else(range_error::bigint)?),
                Pair::Real(left, right) => Value::Real(float::$float(left, right)?),
                Pair::Double(left, right) => Value::Double(float::$float(left, right)?),
                Pair::Numeric(left, right) => Value::Numeric(left.$numeric(right)?),
            })
        }
    };
}

operation!(add checked_add add add);
operation!(subtract checked_sub subtract sub);
operation!(multiply checked_mul multiply mul);

pub fn divide(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let pair = pair(arguments)?;
    if let Pair::SmallInt(_, 0) | Pair::Integer(_, 0) | Pair::BigInt(_, 0) = pair {
        return Err(range_error::division_by_zero());
    }
    Ok(match pair {
        Pair::SmallInt(left, right) => Value::SmallInt(left.checked_div(right).ok_or_else(range_error::smallint)?),
        Pair::Integer(left, right) => Value::Integer(left.checked_div(right).ok_or_else(range_error::integer)?),
        Pair::BigInt(left, right) => Value::BigInt(left.checked_div(right).ok_or_else(range_error::bigint)?),
        Pair::Real(left, right) => Value::Real(float::divide(left, right)?),
        Pair::Double(left, right) => Value::Double(float::divide(left, right)?),
        Pair::Numeric(left, right) => Value::Numeric(left.div(right)?),
    })
}

/// Also the function `mod`. The smallest integer's remainder by -1 is 0, although the quotient overflows.
pub fn remainder(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(match pair(arguments)? {
        Pair::SmallInt(_, 0) | Pair::Integer(_, 0) | Pair::BigInt(_, 0) => return Err(range_error::division_by_zero()),
        Pair::SmallInt(left, right) => Value::SmallInt(left.wrapping_rem(right)),
        Pair::Integer(left, right) => Value::Integer(left.wrapping_rem(right)),
        Pair::BigInt(left, right) => Value::BigInt(left.wrapping_rem(right)),
        Pair::Numeric(left, right) => Value::Numeric(left.rem(right)?),
        Pair::Real(..) | Pair::Double(..) => return Err(Error::internal("remainder of floating-point numbers")),
    })
}
