//! Many rows at once, column by column: what depends on a column's type and place alone is decided once for all rows.

use super::row::{Layout, Place, RowDecoder, Wanted, end_of_variable, is_null, push};
use super::{corrupted, value};
use crate::error::Result;
use crate::types::interval::Interval;
use crate::types::{ColumnBuilder, ColumnData};

impl RowDecoder {
    /// Appends the wanted columns of several rows, one to each builder.
    pub fn decode_all(&self, rows: &[&[u8]], builders: &mut [ColumnBuilder]) -> Result<()> {
        if !rows.iter().all(|row| self.is_current(row)) {
            return rows.iter().try_for_each(|row| self.decode(row, builders));
        }
        for ((wanted, place), builder) in self.wanted.iter().zip(&self.current.places).zip(builders) {
            match *place {
                Place::Fixed { offset } => fixed_column(rows, wanted, offset, builder)?,
                Place::Variable { number } => variable_column(rows, wanted, &self.current, number, builder)?,
                Place::Absent => rows.iter().for_each(|_| builder.push(&wanted.missing)),
            }
        }
        Ok(())
    }
}

/// One column of fixed width. A NULL's bytes are zeros, which is what a builder keeps in its place.
fn fixed_column(rows: &[&[u8]], wanted: &Wanted, offset: usize, builder: &mut ColumnBuilder) -> Result<()> {
    let whole = match &mut builder.data {
        ColumnData::Boolean(values) => extend(values, rows, offset, |[byte]: [u8; 1]| byte != 0),
        ColumnData::SmallInt(values) => extend(values, rows, offset, i16::from_le_bytes),
        ColumnData::Integer(values) | ColumnData::Date(values) => extend(values, rows, offset, i32::from_le_bytes),
        ColumnData::BigInt(values)
        | ColumnData::Time(values)
        | ColumnData::Timestamp(values)
        | ColumnData::Timestamptz(values) => extend(values, rows, offset, i64::from_le_bytes),
        ColumnData::Real(values) => extend(values, rows, offset, f32::from_le_bytes),
        ColumnData::Double(values) => extend(values, rows, offset, f64::from_le_bytes),
        ColumnData::Uuid(values) => extend(values, rows, offset, |bytes: [u8; 16]| bytes),
        ColumnData::Interval(values) => extend(values, rows, offset, interval),
        ColumnData::Numeric(_) | ColumnData::Text(_) | ColumnData::Values(_) => {
            let width = value::width(wanted.data_type).unwrap_or(0);
            return rows.iter().try_for_each(|row| match is_null(row, wanted.position) {
                true => {
                    builder.push_null();
                    Ok(())
                }
                false => push(builder, row.get(offset..offset + width).ok_or_else(ends)?, wanted.data_type),
            });
        }
    };
    if !whole {
        return Err(ends());
    }
    let valid = rows.iter().map(|row| !is_null(row, wanted.position));
    builder.pushed_all(valid);
    Ok(())
}

/// Reads the same place of every row; false when a row ends before it.
fn extend<const WIDTH: usize, T>(
    values: &mut Vec<T>,
    rows: &[&[u8]],
    offset: usize,
    read: impl Fn([u8; WIDTH]) -> T,
) -> bool {
    let mut whole = true;
    values.extend(rows.iter().map(|row| match row.get(offset..offset + WIDTH).and_then(|field| field.first_chunk()) {
        Some(field) => read(*field),
        None => {
            whole = false;
            read([0; WIDTH])
        }
    }));
    whole
}

fn interval(bytes: [u8; 16]) -> Interval {
    let [microseconds @ .., d0, d1, d2, d3, m0, m1, m2, m3] = bytes;
    Interval {
        microseconds: i64::from_le_bytes(microseconds),
        days: i32::from_le_bytes([d0, d1, d2, d3]),
        months: i32::from_le_bytes([m0, m1, m2, m3]),
    }
}

/// One column whose values end where the row says.
fn variable_column(
    rows: &[&[u8]],
    wanted: &Wanted,
    layout: &Layout,
    number: usize,
    builder: &mut ColumnBuilder,
) -> Result<()> {
    if let ColumnData::Text(strings) = &mut builder.data {
        for row in rows {
            // A NULL has no bytes, which is what a builder keeps in its place.
            strings.push(value::text(variable_field(row, layout, number)?)?);
        }
        builder.pushed_all(rows.iter().map(|row| !is_null(row, wanted.position)));
        return Ok(());
    }
    for row in rows {
        match is_null(row, wanted.position) {
            true => builder.push_null(),
            false => push(builder, variable_field(row, layout, number)?, wanted.data_type)?,
        }
    }
    Ok(())
}

/// The bytes of a column without fixed width.
#[inline]
fn variable_field<'a>(row: &'a [u8], layout: &Layout, number: usize) -> Result<&'a [u8]> {
    let from = if number == 0 { 0 } else { end_of_variable(row, layout, number - 1) };
    let data = layout.data();
    row.get(data + from..data + end_of_variable(row, layout, number)).ok_or_else(ends)
}

#[cold]
fn ends() -> crate::error::Error {
    corrupted("a row ends early")
}
