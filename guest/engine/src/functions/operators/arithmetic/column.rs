//! Arithmetic over whole columns. The loops compute every row, NULLs included, and note whether anything may have
//! gone wrong; only then are the rows that are not NULL looked at one by one.

use super::{float, range_error};
use crate::error::{Error, Result};
use crate::functions::FunctionContext;
use crate::functions::operators::kernel::{binary, join_bits, map_pairs, try_map_pairs, unexpected, validity};
use crate::types::numeric::Numeric;
use crate::types::{Column, ColumnData};
use std::borrow::Cow;

/// The operands, brought to the wider one's type.
enum Pair<'a> {
    SmallInt(Cow<'a, [i16]>, Cow<'a, [i16]>),
    Integer(Cow<'a, [i32]>, Cow<'a, [i32]>),
    BigInt(Cow<'a, [i64]>, Cow<'a, [i64]>),
    Real(Cow<'a, [f32]>, Cow<'a, [f32]>),
    Double(Cow<'a, [f64]>, Cow<'a, [f64]>),
    Numeric(&'a [Numeric], &'a [Numeric]),
}

fn widen<From: Copy, To: Clone + std::convert::From<From>>(values: &[From]) -> Cow<'static, [To]> {
    Cow::Owned(values.iter().map(|&value| To::from(value)).collect())
}

fn pair<'a>(left: &'a ColumnData, right: &'a ColumnData) -> Result<Pair<'a>> {
    use ColumnData::*;
    Ok(match (left, right) {
        (SmallInt(left), SmallInt(right)) => Pair::SmallInt(left.into(), right.into()),
        (SmallInt(left), Integer(right)) => Pair::Integer(widen(left), right.into()),
        (Integer(left), SmallInt(right)) => Pair::Integer(left.into(), widen(right)),
        (Integer(left), Integer(right)) => Pair::Integer(left.into(), right.into()),
        (SmallInt(left), BigInt(right)) => Pair::BigInt(widen(left), right.into()),
        (Integer(left), BigInt(right)) => Pair::BigInt(widen(left), right.into()),
        (BigInt(left), SmallInt(right)) => Pair::BigInt(left.into(), widen(right)),
        (BigInt(left), Integer(right)) => Pair::BigInt(left.into(), widen(right)),
        (BigInt(left), BigInt(right)) => Pair::BigInt(left.into(), right.into()),
        (Real(left), Real(right)) => Pair::Real(left.into(), right.into()),
        (Real(left), Double(right)) => Pair::Double(widen(left), right.into()),
        (Double(left), Real(right)) => Pair::Double(left.into(), widen(right)),
        (Double(left), Double(right)) => Pair::Double(left.into(), right.into()),
        (Numeric(left), Numeric(right)) => Pair::Numeric(left, right),
        (left, right) => return Err(unexpected(left, right)),
    })
}

/// Results by `wrapping`; where the sign bit of any `overflow` is set, `checked` decides row by row.
fn integers<T: Copy + Default + std::ops::BitOr<Output = T> + PartialOrd>(
    left: &[T],
    right: &[T],
    valid: Option<&[bool]>,
    wrapping: impl Fn(T, T) -> T,
    overflow: impl Fn(T, T, T) -> T,
    checked: impl Fn(T, T) -> Option<T>,
    error: fn() -> Error,
) -> Result<Vec<T>> {
    let results = map_pairs(left, right, &wrapping);
    if join_bits(left, right, &results, overflow) < T::default() {
        return try_map_pairs(left, right, valid, |left, right| checked(left, right).ok_or_else(error));
    }
    Ok(results)
}

/// Results by `plain`; where any is infinite or zero when `zero_is_suspect`, `checked` decides row by row.
fn floats<T: float::Float + Default>(
    left: &[T],
    right: &[T],
    valid: Option<&[bool]>,
    plain: impl Fn(T, T) -> T,
    zero_is_suspect: bool,
    checked: impl Fn(T, T) -> Result<T>,
) -> Result<Vec<T>> {
    let results = map_pairs(left, right, &plain);
    let mut suspect = false;
    for &result in &results {
        suspect |= result.infinite() | (zero_is_suspect & (result == T::ZERO));
    }
    if suspect {
        return try_map_pairs(left, right, valid, checked);
    }
    Ok(results)
}

fn numerics(
    left: &[Numeric],
    right: &[Numeric],
    valid: Option<&[bool]>,
    operation: impl Fn(&Numeric, &Numeric) -> Result<Numeric>,
) -> Result<Vec<Numeric>> {
    let rows = left.iter().zip(right).enumerate();
    rows.map(|(row, (left, right))| match valid {
        Some(valid) if !valid[row] => Ok(Numeric::NaN),
        _ => operation(left, right),
    })
    .collect()
}

macro_rules! additive {
    ($name:ident $numeric:ident $wrapping:ident $checked:ident $operator:tt $overflow:expr) => {
        pub fn $name(_: &FunctionContext, columns: &[&Column]) -> Result<Column> {
            let (left, right) = binary(columns)?;
            let valid = validity(columns);
            let mask = valid.as_deref();
            macro_rules! integers {
                ($type:ident $left:ident $right:ident $error:ident) => {
                    integers(
                        &$left,
                        &$right,
                        mask,
                        $type::$wrapping,
                        $overflow,
                        $type::$checked,
                        range_error::$error,
                    )?
                };
            }
            let data = match pair(&left.data, &right.data)? {
                Pair::SmallInt(left, right) => ColumnData::SmallInt(integers!(i16 left right smallint)),
                Pair::Integer(left, right) => ColumnData::Integer(integers!(i32 left right integer)),
                Pair::BigInt(left, right) => ColumnData::BigInt(integers!(i64 left right bigint)),
                Pair::Real(left, right) => {
                    ColumnData::Real(floats(&left, &right, mask, |a, b| a $operator b, false, float::$name)?)
                }
                Pair::Double(left, right) => {
                    ColumnData::Double(floats(&left, &right, mask, |a, b| a $operator b, false, float::$name)?)
                }
                Pair::Numeric(left, right) => ColumnData::Numeric(numerics(left, right, mask, Numeric::$numeric)?),
            };
            Ok(Column { data, valid })
        }
    };
}

// The sum overflowed where both operands' signs differ from its own; the difference where the operands' signs differ
// and the result's is not the left one's.
additive!(add add wrapping_add checked_add + |left, right, result| (left ^ result) & (right ^ result));
additive!(subtract sub wrapping_sub checked_sub - |left, right, result| (left ^ right) & (left ^ result));

pub fn multiply(_: &FunctionContext, columns: &[&Column]) -> Result<Column> {
    let (left, right) = binary(columns)?;
    let valid = validity(columns);
    let mask = valid.as_deref();
    let data = match pair(&left.data, &right.data)? {
        // The product in twice the width has bits above the sign bit that are not copies of it.
        Pair::SmallInt(left, right) => ColumnData::SmallInt(integers(
            &left,
            &right,
            mask,
            i16::wrapping_mul,
            |left, right, result| if i32::from(left) * i32::from(right) == i32::from(result) { 0 } else { -1 },
            i16::checked_mul,
            range_error::smallint,
        )?),
        Pair::Integer(left, right) => ColumnData::Integer(integers(
            &left,
            &right,
            mask,
            i32::wrapping_mul,
            |left, right, result| if i64::from(left) * i64::from(right) == i64::from(result) { 0 } else { -1 },
            i32::checked_mul,
            range_error::integer,
        )?),
        Pair::BigInt(left, right) => ColumnData::BigInt(try_map_pairs(&left, &right, mask, |left, right| {
            i64::checked_mul(left, right).ok_or_else(range_error::bigint)
        })?),
        Pair::Real(left, right) => ColumnData::Real(floats(&left, &right, mask, |a, b| a * b, true, float::multiply)?),
        Pair::Double(left, right) => {
            ColumnData::Double(floats(&left, &right, mask, |a, b| a * b, true, float::multiply)?)
        }
        Pair::Numeric(left, right) => ColumnData::Numeric(numerics(left, right, mask, Numeric::mul)?),
    };
    Ok(Column { data, valid })
}

pub fn divide(_: &FunctionContext, columns: &[&Column]) -> Result<Column> {
    let (left, right) = binary(columns)?;
    let valid = validity(columns);
    let mask = valid.as_deref();
    macro_rules! integers {
        ($left:ident $right:ident $error:ident) => {
            try_map_pairs(&$left, &$right, mask, |left, right| match right {
                0 => Err(range_error::division_by_zero()),
                _ => left.checked_div(right).ok_or_else(range_error::$error),
            })?
        };
    }
    let data = match pair(&left.data, &right.data)? {
        Pair::SmallInt(left, right) => ColumnData::SmallInt(integers!(left right smallint)),
        Pair::Integer(left, right) => ColumnData::Integer(integers!(left right integer)),
        Pair::BigInt(left, right) => ColumnData::BigInt(integers!(left right bigint)),
        Pair::Real(left, right) => ColumnData::Real(try_map_pairs(&left, &right, mask, float::divide)?),
        Pair::Double(left, right) => ColumnData::Double(try_map_pairs(&left, &right, mask, float::divide)?),
        Pair::Numeric(left, right) => ColumnData::Numeric(numerics(left, right, mask, Numeric::div)?),
    };
    Ok(Column { data, valid })
}

/// Of integers and numerics: there is no `%` of floating-point numbers.
pub fn remainder(_: &FunctionContext, columns: &[&Column]) -> Result<Column> {
    let (left, right) = binary(columns)?;
    let valid = validity(columns);
    let mask = valid.as_deref();
    macro_rules! integers {
        ($left:ident $right:ident) => {
            match $right.contains(&0) {
                false => map_pairs(&$left, &$right, |left, right| left.wrapping_rem(right)),
                true => try_map_pairs(&$left, &$right, mask, |left, right| match right {
                    0 => Err(range_error::division_by_zero()),
                    _ => Ok(left.wrapping_rem(right)),
                })?,
            }
        };
    }
    let data = match pair(&left.data, &right.data)? {
        Pair::SmallInt(left, right) => ColumnData::SmallInt(integers!(left right)),
        Pair::Integer(left, right) => ColumnData::Integer(integers!(left right)),
        Pair::BigInt(left, right) => ColumnData::BigInt(integers!(left right)),
        Pair::Numeric(left, right) => ColumnData::Numeric(numerics(left, right, mask, Numeric::rem)?),
        Pair::Real(..) | Pair::Double(..) => return Err(unexpected(&left.data, &right.data)),
    };
    Ok(Column { data, valid })
}
