//! Conversions of whole columns: numbers without a detour through `Value`.

use super::number::out_of_range;
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::types::column::{Column, ColumnBuilder, ColumnData};
use crate::types::numeric::Numeric;
use crate::types::{DataType, Value};

/// Converts every value of a column: see `cast`.
pub fn cast_column(
    column: &Column,
    from: DataType,
    to: DataType,
    modifier: i32,
    explicit: bool,
    context: &FunctionContext,
) -> Result<Column> {
    if modifier < 0 {
        if from == to || super::is_binary_coercible(from, to) {
            return Ok(column.clone());
        }
        if let Some(data) = widen(column, to) {
            return Ok(Column { data, valid: column.valid.clone() });
        }
        if let Some(data) = narrow(column, to) {
            return Ok(Column { data: data?, valid: column.valid.clone() });
        }
    }
    let mut builder = ColumnBuilder::new(to);
    for row in 0..column.len() {
        match column.value(row) {
            Value::Null => builder.push_null(),
            value => builder.push(&super::cast(&value, from, to, modifier, explicit, context)?),
        }
    }
    Ok(builder.finish())
}

/// Conversions that cannot fail; what stands in a NULL's slot does not matter.
fn widen(column: &Column, to: DataType) -> Option<ColumnData> {
    macro_rules! map {
        ($variant:ident, $values:expr, $convert:expr) => {
            ColumnData::$variant($values.iter().copied().map($convert).collect())
        };
    }
    Some(match (&column.data, to) {
        (ColumnData::SmallInt(values), DataType::Integer) => map!(Integer, values, i32::from),
        (ColumnData::SmallInt(values), DataType::BigInt) => map!(BigInt, values, i64::from),
        (ColumnData::SmallInt(values), DataType::Real) => map!(Real, values, f32::from),
        (ColumnData::SmallInt(values), DataType::Double) => map!(Double, values, f64::from),
        (ColumnData::SmallInt(values), DataType::Numeric) => {
            map!(Numeric, values, |value| Numeric::from_i64(i64::from(value)))
        }
        (ColumnData::Integer(values), DataType::BigInt) => map!(BigInt, values, i64::from),
        (ColumnData::Integer(values), DataType::Real) => map!(Real, values, |value| value as f32),
        (ColumnData::Integer(values), DataType::Double) => map!(Double, values, f64::from),
        (ColumnData::Integer(values), DataType::Numeric) => {
            map!(Numeric, values, |value| Numeric::from_i64(i64::from(value)))
        }
        (ColumnData::BigInt(values), DataType::Real) => map!(Real, values, |value| value as f32),
        (ColumnData::BigInt(values), DataType::Double) => map!(Double, values, |value| value as f64),
        (ColumnData::BigInt(values), DataType::Numeric) => map!(Numeric, values, Numeric::from_i64),
        (ColumnData::Real(values), DataType::Double) => map!(Double, values, f64::from),
        _ => return None,
    })
}

/// Integers to smaller ones. Only rows that are not NULL may fail.
fn narrow(column: &Column, to: DataType) -> Option<Result<ColumnData>> {
    macro_rules! narrow {
        ($variant:ident, $values:expr, $target:ty) => {{
            let converted = $values.iter().enumerate().map(|(row, value)| match <$target>::try_from(*value) {
                Ok(value) => Ok(value),
                Err(_) if column.is_null(row) => Ok(0),
                Err(_) => Err(out_of_range(to)),
            });
            converted.collect::<Result<Vec<_>>>().map(ColumnData::$variant)
        }};
    }
    Some(match (&column.data, to) {
        (ColumnData::Integer(values), DataType::SmallInt) => narrow!(SmallInt, values, i16),
        (ColumnData::BigInt(values), DataType::SmallInt) => narrow!(SmallInt, values, i16),
        (ColumnData::BigInt(values), DataType::Integer) => narrow!(Integer, values, i32),
        _ => return None,
    })
}
