//! Many rows at once, column by column: what depends on a column's type and place alone is decided once for all rows.

use super::row::{HEADER, Layout, NARROW, Place, RowDecoder, Wanted, end_of_variable, is_null, push};
use super::{corrupted, value};
use crate::error::Result;
use crate::types::column::Strings;
use crate::types::interval::Interval;
use crate::types::{ColumnBuilder, ColumnData, stride};

/// Narrow rows with all of the table's columns, none of them cut before its `Layout::data`.
struct CurrentRows<'a> {
    rows: &'a [&'a [u8]],
    layout: &'a Layout,
    /// A bit per column, from the first on: set where it is NULL in any row.
    nulls: u64,
    /// How many columns have their bits there.
    noted: usize,
}

impl RowDecoder {
    /// Appends those of the wanted columns of several rows that `chosen` answers true for, one to each builder.
    pub fn decode_all(
        &self,
        rows: &[&[u8]],
        builders: &mut [ColumnBuilder],
        chosen: impl Fn(usize) -> bool,
    ) -> Result<()> {
        let Some(rows) = CurrentRows::new(rows, &self.current) else {
            return rows.iter().try_for_each(|row| self.decode(row, builders, &chosen));
        };
        let columns = self.wanted.iter().zip(&self.current.places).zip(builders).enumerate();
        for (_, ((wanted, place), builder)) in columns.filter(|(number, _)| chosen(*number)) {
            match *place {
                Place::Fixed { offset } => rows.fixed_column(wanted, offset, builder)?,
                Place::Variable { number } => rows.variable_column(wanted, number, builder)?,
                Place::Absent => rows.rows.iter().for_each(|_| builder.push(&wanted.missing)),
            }
        }
        Ok(())
    }
}

impl<'a> CurrentRows<'a> {
    /// None when any row is not as it should be.
    fn new(rows: &'a [&'a [u8]], layout: &'a Layout) -> Option<CurrentRows<'a>> {
        let [low, high] = u16::try_from(layout.columns).ok()?.to_le_bytes();
        let header = u64::from_le_bytes([NARROW, low, high, 0, 0, 0, 0, 0]);
        let shortest = shortest(rows);
        let (differing, bytes) = match shortest {
            _ if shortest < layout.data() => return None,
            // SAFETY: no row is shorter.
            8.. => (unsafe { differing_bits::<8>(rows, header) }, 8),
            4.. => (unsafe { differing_bits::<4>(rows, header) }, 4),
            _ => return None,
        };
        let headers_differ = differing & ((1 << (8 * HEADER)) - 1) != 0;
        let (nulls, noted) = (differing >> (8 * HEADER), 8 * (bytes - HEADER));
        (!headers_differ).then_some(CurrentRows { rows, layout, nulls, noted })
    }

    /// To be called after a column's slots were pushed to the builder's `data`.
    fn note_nulls(&self, wanted: &Wanted, builder: &mut ColumnBuilder) {
        if wanted.position < self.noted && self.nulls & (1 << wanted.position) == 0 {
            builder.pushed_all_valid(self.rows.len());
        } else {
            builder.pushed_all(self.rows.iter().map(|row| !is_null(row, wanted.position)));
        }
    }

    /// One column of fixed width. A NULL's bytes are zeros, which is what a builder keeps in its place.
    fn fixed_column(&self, wanted: &Wanted, offset: usize, builder: &mut ColumnBuilder) -> Result<()> {
        match &mut builder.data {
            ColumnData::Boolean(values) => self.extend(values, offset, |[byte]: [u8; 1]| byte != 0)?,
            ColumnData::SmallInt(values) => self.extend(values, offset, i16::from_le_bytes)?,
            ColumnData::Integer(values) | ColumnData::Date(values) => {
                self.extend(values, offset, i32::from_le_bytes)?
            }
            ColumnData::BigInt(values)
            | ColumnData::Time(values)
            | ColumnData::Timestamp(values)
            | ColumnData::Timestamptz(values) => self.extend(values, offset, i64::from_le_bytes)?,
            ColumnData::Real(values) => self.extend(values, offset, f32::from_le_bytes)?,
            ColumnData::Double(values) => self.extend(values, offset, f64::from_le_bytes)?,
            ColumnData::Uuid(values) => self.extend(values, offset, |bytes: [u8; 16]| bytes)?,
            ColumnData::Interval(values) => self.extend(values, offset, interval)?,
            ColumnData::Numeric(_) | ColumnData::Text(_) | ColumnData::Values(_) => {
                let width = value::width(wanted.data_type).unwrap_or(0);
                return self.rows.iter().try_for_each(|row| match is_null(row, wanted.position) {
                    true => {
                        builder.push_null();
                        Ok(())
                    }
                    false => push(builder, row.get(offset..offset + width).ok_or_else(ends)?, wanted.data_type),
                });
            }
        }
        self.note_nulls(wanted, builder);
        Ok(())
    }

    /// Reads the same place of every row. See `types::stride` for the shape of its loop.
    #[inline(never)]
    fn extend<const WIDTH: usize, T: Copy + Default>(
        &self,
        values: &mut Vec<T>,
        offset: usize,
        read: impl Fn([u8; WIDTH]) -> T,
    ) -> Result<()> {
        // One test for all rows, whose loop has none then.
        if offset + WIDTH > self.layout.data() {
            return Err(ends());
        }
        let value = |row: &[u8]| {
            // SAFETY: no row is shorter than `Layout::data`, and arrays of bytes may stand anywhere.
            read(unsafe { row.as_ptr().add(offset).cast::<[u8; WIDTH]>().read() })
        };
        let before = values.len();
        values.resize(before + self.rows.len(), T::default());
        let (slots, last_slots) = values[before..].as_chunks_mut::<{ stride::ROWS }>();
        let (rows, last_rows) = self.rows.as_chunks::<{ stride::ROWS }>();
        for (slots, rows) in slots.iter_mut().zip(rows) {
            for (slot, row) in slots.iter_mut().zip(rows) {
                *slot = value(row);
            }
        }
        for (slot, row) in last_slots.iter_mut().zip(last_rows) {
            *slot = value(row);
        }
        Ok(())
    }

    /// One column of texts. A NULL has no bytes, which is what a builder keeps in its place.
    #[inline(never)]
    fn extend_strings(&self, strings: &mut Strings, number: usize) -> Result<()> {
        match strings.extend_utf8(self.rows.iter().map(|row| self.variable_field(row, number)))? {
            true => Ok(()),
            false => Err(corrupted("a text is not UTF-8")),
        }
    }

    /// One column whose values end where the row says.
    fn variable_column(&self, wanted: &Wanted, number: usize, builder: &mut ColumnBuilder) -> Result<()> {
        if let ColumnData::Text(strings) = &mut builder.data {
            self.extend_strings(strings, number)?;
            self.note_nulls(wanted, builder);
            return Ok(());
        }
        for row in self.rows {
            match is_null(row, wanted.position) {
                true => builder.push_null(),
                false => push(builder, self.variable_field(row, number)?, wanted.data_type)?,
            }
        }
        Ok(())
    }

    /// The bytes of a column without fixed width.
    #[inline]
    fn variable_field<'row>(&self, row: &'row [u8], number: usize) -> Result<&'row [u8]> {
        let from = if number == 0 { 0 } else { end_of_variable(row, self.layout, number - 1) };
        let data = self.layout.data();
        row.get(data + from..data + end_of_variable(row, self.layout, number)).ok_or_else(ends)
    }
}

/// The length of the shortest row.
#[inline(never)]
fn shortest(rows: &[&[u8]]) -> usize {
    stride::fold(rows, usize::MAX, |shortest, row| shortest.min(row.len()))
}

/// The bits of the first word of `BYTES` bytes, at most eight, in which any row differs from `word`.
///
/// # Safety
/// No row is shorter.
#[inline(never)]
unsafe fn differing_bits<const BYTES: usize>(rows: &[&[u8]], word: u64) -> u64 {
    let differing = |row: &[u8]| {
        let mut bytes = [0; 8];
        // SAFETY: the row has so many bytes.
        bytes[..BYTES].copy_from_slice(unsafe { row.get_unchecked(..BYTES) });
        u64::from_le_bytes(bytes) ^ word
    };
    stride::fold(rows, 0, |all, row| all | differing(row))
}

fn interval(bytes: [u8; 16]) -> Interval {
    let [microseconds @ .., d0, d1, d2, d3, m0, m1, m2, m3] = bytes;
    Interval {
        microseconds: i64::from_le_bytes(microseconds),
        days: i32::from_le_bytes([d0, d1, d2, d3]),
        months: i32::from_le_bytes([m0, m1, m2, m3]),
    }
}

#[cold]
fn ends() -> crate::error::Error {
    corrupted("a row ends early")
}
