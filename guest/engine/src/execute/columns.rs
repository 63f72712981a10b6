//! Moving values between columns.

use crate::types::column::Strings;
use crate::types::stride::{gather, true_places};
use crate::types::{Batch, Column, ColumnBuilder, ColumnData, DataType, Value};
use std::rc::Rc;

/// A column of equal values, made at once where the type allows.
pub fn constant(value: &Value, data_type: DataType, rows: usize) -> Column {
    let data = match value {
        Value::Boolean(value) => ColumnData::Boolean(vec![*value; rows]),
        Value::SmallInt(value) => ColumnData::SmallInt(vec![*value; rows]),
        Value::Integer(value) => ColumnData::Integer(vec![*value; rows]),
        Value::BigInt(value) => ColumnData::BigInt(vec![*value; rows]),
        Value::Real(value) => ColumnData::Real(vec![*value; rows]),
        Value::Double(value) => ColumnData::Double(vec![*value; rows]),
        Value::Date(value) => ColumnData::Date(vec![*value; rows]),
        Value::Timestamp(value) => ColumnData::Timestamp(vec![*value; rows]),
        Value::Timestamptz(value) => ColumnData::Timestamptz(vec![*value; rows]),
        _ => return Column::constant(value, data_type, rows),
    };
    Column { data, valid: None }
}

pub fn booleans(values: Vec<bool>) -> Column {
    Column { data: ColumnData::Boolean(values), valid: None }
}

/// Appends rows of another column of the same type.
pub fn extend(target: &mut Column, source: &Column, rows: &[u32]) {
    let before = target.len();
    match (&mut target.valid, &source.valid) {
        (None, None) => {}
        (Some(valid), None) => valid.resize(before + rows.len(), true),
        (valid, Some(more)) => {
            let valid = valid.get_or_insert_with(|| vec![true; before]);
            valid.extend(rows.iter().map(|&row| more[row as usize]));
        }
    }
    macro_rules! extend {
        ($($variant:ident)*) => {
            match (&mut target.data, &source.data) {
                $((ColumnData::$variant(target), ColumnData::$variant(source)) => {
                    gather(target, source, rows);
                })*
                (ColumnData::Text(target), ColumnData::Text(source)) => {
                    for &row in rows {
                        target.push(source.get(row as usize));
                    }
                }
                _ => unreachable!("columns of one type have one form"),
            }
        };
    }
    extend!(Boolean SmallInt Integer BigInt Real Double Numeric Uuid Date Time Timestamp Timestamptz Interval Values);
}

/// Appends all rows of another column of the same type.
pub fn append(target: &mut Column, source: &Column) {
    if target.is_empty() {
        *target = source.clone();
        return;
    }
    let before = target.len();
    match (&mut target.valid, &source.valid) {
        (None, None) => {}
        (Some(valid), None) => valid.resize(before + source.len(), true),
        (valid, Some(more)) => valid.get_or_insert_with(|| vec![true; before]).extend_from_slice(more),
    }
    macro_rules! append {
        ($($variant:ident)*) => {
            match (&mut target.data, &source.data) {
                $((ColumnData::$variant(target), ColumnData::$variant(source)) => target.extend_from_slice(source),)*
                (ColumnData::Text(target), ColumnData::Text(source)) => append_strings(target, source),
                _ => unreachable!("columns of one type have one form"),
            }
        };
    }
    append!(Boolean SmallInt Integer BigInt Real Double Numeric Uuid Date Time Timestamp Timestamptz Interval Values);
}

fn append_strings(target: &mut Strings, source: &Strings) {
    let start = target.bytes.len() as u32;
    target.bytes.extend_from_slice(&source.bytes);
    target.offsets.extend(source.offsets[1..].iter().map(|offset| start + offset));
}

pub fn empty(data_type: DataType) -> Column {
    ColumnBuilder::new(data_type).finish()
}

pub fn nulls(data_type: DataType, rows: usize) -> Column {
    Column::constant(&Value::Null, data_type, rows)
}

/// Puts pieces together: row `rows[i]` of the result is row i of the piece; rows without a piece are NULL.
pub fn scatter(data_type: DataType, rows: usize, pieces: &[(Rc<Column>, Vec<u32>)]) -> Rc<Column> {
    if let [(column, piece_rows)] = pieces
        && piece_rows.len() == rows
    {
        return column.clone();
    }
    let mut joined = empty(data_type);
    let mut places = vec![u32::MAX; rows];
    for (column, piece_rows) in pieces {
        let start = joined.len() as u32;
        append(&mut joined, column);
        for (place, &row) in (start..).zip(piece_rows) {
            places[row as usize] = place;
        }
    }
    take_optional(&joined, &places, data_type)
}

/// The rows with these numbers; u32::MAX gives NULL.
pub fn take_optional(column: &Column, rows: &[u32], data_type: DataType) -> Rc<Column> {
    if !rows.contains(&u32::MAX) {
        return Rc::new(column.take(rows));
    }
    if column.is_empty() {
        return Rc::new(nulls(data_type, rows.len()));
    }
    let present: Vec<u32> = rows.iter().map(|&row| if row == u32::MAX { 0 } else { row }).collect();
    let mut taken = column.take(&present);
    let valid = taken.valid.get_or_insert_with(|| vec![true; rows.len()]);
    for (valid, &row) in valid.iter_mut().zip(rows) {
        *valid &= row != u32::MAX;
    }
    if let ColumnData::Values(values) = &mut taken.data {
        for (value, &row) in values.iter_mut().zip(rows) {
            if row == u32::MAX {
                *value = Value::Null;
            }
        }
    }
    Rc::new(taken)
}

/// Rows where a boolean column is true.
pub fn true_rows(column: &Column) -> Vec<u32> {
    let ColumnData::Boolean(values) = &column.data else { return vec![] };
    match &column.valid {
        None => true_places(values),
        Some(valid) => true_places(&values.iter().zip(valid).map(|(value, valid)| *value & *valid).collect::<Vec<_>>()),
    }
}

/// Three-valued: none is NULL.
pub fn truth(column: &Column, row: usize) -> Option<bool> {
    match &column.data {
        ColumnData::Boolean(values) if !column.is_null(row) => Some(values[row]),
        _ => None,
    }
}

/// All rows of several batches with these column types as one.
pub fn concatenate(batches: &[Batch], types: &[DataType]) -> Batch {
    if let [batch] = batches {
        return batch.clone();
    }
    let mut columns: Vec<Column> = types.iter().map(|data_type| empty(*data_type)).collect();
    for batch in batches {
        for (target, source) in columns.iter_mut().zip(&batch.columns) {
            append(target, source);
        }
    }
    Batch { columns: columns.into_iter().map(Rc::new).collect(), rows: batches.iter().map(|batch| batch.rows).sum() }
}

/// Rows `start..end`.
pub fn slice(batch: &Batch, start: usize, end: usize) -> Batch {
    if start == 0 && end == batch.rows {
        return batch.clone();
    }
    let rows: Vec<u32> = (start as u32..end as u32).collect();
    batch.take(&rows)
}
