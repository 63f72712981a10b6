//! Rows as bytes: fixed-width columns stand at fixed offsets, so that reading one column costs one load.
//!
//! ```text
//! format u8 | column count u16 | a bit per column: NULL | fixed-width columns | end offset per other column |
//! their bytes
//! ```
//! Numbers are little-endian. End offsets are u16, or u32 in the wide format. A row may have fewer columns than its
//! table: columns that were added later.

use super::corrupted;
use super::value::{self, width};
use crate::catalog::Relation;
use crate::error::Result;
use crate::limits;
use crate::types::{ColumnBuilder, ColumnData, DataType, Value};
use hashbrown::HashMap;
use std::cell::RefCell;
use std::rc::Rc;

pub(super) const NARROW: u8 = 1;
const WIDE: u8 = 2;
pub(super) const HEADER: usize = 3;

/// Encodes a row: one value per column of the relation, dropped ones included (as NULL).
pub fn encode(relation: &Relation, values: &[Value]) -> Result<Vec<u8>> {
    let types: Vec<DataType> = relation.columns.iter().map(|column| column.data_type).collect();
    let mut row = vec![];
    encode_columns(&types, values.iter(), &mut row)?;
    limits::check_row(row.len())?;
    Ok(row)
}

/// Appends the columns' values in the row format.
pub fn encode_columns<'a>(
    types: &[DataType],
    values: impl Iterator<Item = &'a Value> + Clone,
    out: &mut Vec<u8>,
) -> Result<()> {
    let start = out.len();
    out.push(NARROW);
    out.extend_from_slice(&(types.len() as u16).to_le_bytes());
    let bitmap = out.len();
    out.resize(bitmap + types.len().div_ceil(8), 0);
    let mut variable_bytes = vec![];
    let mut ends: Vec<u32> = vec![];
    for (position, (data_type, value)) in types.iter().zip(values).enumerate() {
        if value.is_null() {
            out[bitmap + position / 8] |= 1 << (position % 8);
        }
        match width(*data_type) {
            Some(width) if value.is_null() => out.resize(out.len() + width, 0),
            Some(_) => value::encode(value, out)?,
            None => {
                let before = variable_bytes.len();
                if !value.is_null() {
                    value::encode(value, &mut variable_bytes)?;
                }
                limits::check_column(variable_bytes.len() - before)?;
                limits::check_row(variable_bytes.len())?;
                ends.push(variable_bytes.len() as u32);
            }
        }
    }
    if variable_bytes.len() > usize::from(u16::MAX) {
        out[start] = WIDE;
        ends.iter().for_each(|end| out.extend_from_slice(&end.to_le_bytes()));
    } else {
        ends.iter().for_each(|end| out.extend_from_slice(&(*end as u16).to_le_bytes()));
    }
    out.extend_from_slice(&variable_bytes);
    Ok(())
}

/// Reads chosen columns of rows.
pub struct RowDecoder {
    types: Rc<[DataType]>,
    pub(super) wanted: Vec<Wanted>,
    pub(super) current: Layout,
    /// Layouts of rows from before columns were added, by their column count.
    earlier: RefCell<HashMap<usize, Rc<Layout>>>,
}

pub(super) struct Wanted {
    pub position: usize,
    pub data_type: DataType,
    pub missing: Value,
    /// What rows from before the column was dropped still have of it is not handed out.
    dropped: bool,
}

/// Where the columns of a row with a certain column count are.
pub(super) struct Layout {
    pub columns: usize,
    /// Where the end offsets begin.
    ends: usize,
    variable_columns: usize,
    /// Per wanted column.
    pub places: Vec<Place>,
}

#[derive(Clone, Copy)]
pub(super) enum Place {
    Fixed {
        offset: usize,
    },
    /// Number among the columns without fixed width.
    Variable {
        number: usize,
    },
    /// Added after the row was written.
    Absent,
}

impl RowDecoder {
    /// A decoder of the columns at these positions, in this order.
    pub fn new(relation: &Relation, positions: &[usize]) -> Result<RowDecoder> {
        let types: Rc<[DataType]> = relation.columns.iter().map(|column| column.data_type).collect();
        let missing = |position: usize| match &relation.columns[position].missing {
            Some(bytes) => value::decode(bytes, types[position]),
            None => Ok(Value::Null),
        };
        let wanted = positions
            .iter()
            .map(|&position| {
                let dropped = relation.columns[position].dropped;
                Ok(Wanted { position, data_type: types[position], missing: missing(position)?, dropped })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(RowDecoder::over(types, wanted))
    }

    /// A decoder of `positions` of rows that have just these columns.
    pub fn of_types(types: &[DataType], positions: &[usize]) -> RowDecoder {
        let wanted = |&position: &usize| {
            let data_type = types[position];
            Wanted { position, data_type, missing: Value::Null, dropped: false }
        };
        RowDecoder::over(types.into(), positions.iter().map(wanted).collect())
    }

    fn over(types: Rc<[DataType]>, wanted: Vec<Wanted>) -> RowDecoder {
        let current = Layout::new(&types, &wanted);
        RowDecoder { types, wanted, current, earlier: RefCell::default() }
    }

    /// Appends those of the row's wanted columns that `chosen` answers true for, one to each builder.
    #[inline]
    pub fn decode(&self, bytes: &[u8], builders: &mut [ColumnBuilder], chosen: impl Fn(usize) -> bool) -> Result<()> {
        self.each(bytes, |wanted, number, field| match field {
            _ if !chosen(number) => Ok(()),
            Field::Null => {
                builders[number].push_null();
                Ok(())
            }
            Field::Missing => {
                builders[number].push(&wanted.missing);
                Ok(())
            }
            Field::Bytes(bytes) => push(&mut builders[number], bytes, wanted.data_type),
        })
    }

    /// The row's wanted columns as values.
    pub fn values(&self, bytes: &[u8]) -> Result<Vec<Value>> {
        let mut values = Vec::with_capacity(self.wanted.len());
        self.each(bytes, |wanted, _, field| {
            values.push(match field {
                _ if wanted.dropped => Value::Null,
                Field::Null => Value::Null,
                Field::Missing => wanted.missing.clone(),
                Field::Bytes(bytes) => value::decode(bytes, wanted.data_type)?,
            });
            Ok(())
        })?;
        Ok(values)
    }

    #[inline]
    fn each(&self, bytes: &[u8], mut receive: impl FnMut(&Wanted, usize, Field) -> Result<()>) -> Result<()> {
        let &[format, low, high, ..] = bytes else { return Err(corrupted("a row ends early")) };
        let columns = usize::from(u16::from_le_bytes([low, high]));
        let earlier;
        let layout = if columns == self.current.columns {
            &self.current
        } else {
            earlier = self.earlier_layout(columns)?;
            &earlier
        };
        let wide = match format {
            NARROW => false,
            WIDE => true,
            _ => return Err(corrupted("a row of an unknown format")),
        };
        let end_width = if wide { 4 } else { 2 };
        let data = layout.ends + layout.variable_columns * end_width;
        if bytes.len() < data {
            return Err(corrupted("a row ends early"));
        }
        // Within `bytes`: number < variable_columns, and all ends are before `data`.
        let end = |number: usize| {
            let at = layout.ends + number * end_width;
            let low = usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
            if wide { low | usize::from(u16::from_le_bytes([bytes[at + 2], bytes[at + 3]])) << 16 } else { low }
        };
        for (number, (wanted, place)) in self.wanted.iter().zip(&layout.places).enumerate() {
            let null = || bytes[HEADER + wanted.position / 8] & (1 << (wanted.position % 8)) != 0;
            let field = match *place {
                Place::Absent => Field::Missing,
                _ if null() => Field::Null,
                Place::Fixed { offset } => Field::Bytes(&bytes[offset..]),
                Place::Variable { number } => {
                    let from = if number == 0 { 0 } else { end(number - 1) };
                    let field = bytes.get(data + from..data + end(number));
                    Field::Bytes(field.ok_or_else(|| corrupted("a row ends early"))?)
                }
            };
            // A fixed-width field is cut to its width where its type is known.
            let field = match (field, place) {
                (Field::Bytes(bytes), Place::Fixed { .. }) => {
                    Field::Bytes(&bytes[..width(wanted.data_type).unwrap_or(0)])
                }
                (field, _) => field,
            };
            receive(wanted, number, field)?;
        }
        Ok(())
    }

    #[cold]
    fn earlier_layout(&self, columns: usize) -> Result<Rc<Layout>> {
        if columns > self.types.len() {
            return Err(corrupted("a row has more columns than its table"));
        }
        let mut earlier = self.earlier.borrow_mut();
        let layout = || Rc::new(Layout::new(&self.types[..columns], &self.wanted));
        Ok(earlier.entry(columns).or_insert_with(layout).clone())
    }
}

enum Field<'a> {
    Null,
    Missing,
    Bytes(&'a [u8]),
}

/// Whether the column at this position is NULL in a row that is not cut before its end offsets.
#[inline]
pub(super) fn is_null(row: &[u8], position: usize) -> bool {
    row[HEADER + position / 8] & (1 << (position % 8)) != 0
}

/// Where a column without fixed width ends in a narrow row, counted from `Layout::data`.
#[inline]
pub(super) fn end_of_variable(row: &[u8], layout: &Layout, number: usize) -> usize {
    let at = layout.ends + number * 2;
    usize::from(u16::from_le_bytes([row[at], row[at + 1]]))
}

impl Layout {
    /// Where the bytes of columns without fixed width begin in a narrow row.
    #[inline]
    pub(super) fn data(&self) -> usize {
        self.ends + self.variable_columns * 2
    }

    fn new(types: &[DataType], wanted: &[Wanted]) -> Layout {
        let mut offset = HEADER + types.len().div_ceil(8);
        let mut variable_columns = 0;
        let mut places = vec![];
        for data_type in types {
            places.push(match width(*data_type) {
                Some(width) => {
                    offset += width;
                    Place::Fixed { offset: offset - width }
                }
                None => {
                    variable_columns += 1;
                    Place::Variable { number: variable_columns - 1 }
                }
            });
        }
        let place = |wanted: &Wanted| places.get(wanted.position).copied().unwrap_or(Place::Absent);
        Layout { columns: types.len(), ends: offset, variable_columns, places: wanted.iter().map(place).collect() }
    }
}

/// Appends a field that is not NULL to a builder of its type.
#[inline]
pub(super) fn push(builder: &mut ColumnBuilder, bytes: &[u8], data_type: DataType) -> Result<()> {
    use value::fixed;
    match &mut builder.data {
        ColumnData::Boolean(values) => values.push(fixed::<1>(bytes)?[0] != 0),
        ColumnData::SmallInt(values) => values.push(i16::from_le_bytes(fixed(bytes)?)),
        ColumnData::Integer(values) | ColumnData::Date(values) => values.push(i32::from_le_bytes(fixed(bytes)?)),
        ColumnData::BigInt(values)
        | ColumnData::Time(values)
        | ColumnData::Timestamp(values)
        | ColumnData::Timestamptz(values) => values.push(i64::from_le_bytes(fixed(bytes)?)),
        ColumnData::Real(values) => values.push(f32::from_le_bytes(fixed(bytes)?)),
        ColumnData::Double(values) => values.push(f64::from_le_bytes(fixed(bytes)?)),
        ColumnData::Numeric(values) => values.push(value::decode_numeric(bytes)?),
        ColumnData::Text(strings) => strings.push(value::text(bytes)?),
        ColumnData::Uuid(values) => values.push(fixed(bytes)?),
        ColumnData::Interval(values) => values.push(value::decode_interval(bytes)?),
        ColumnData::Values(values) => values.push(value::decode(bytes, data_type)?),
    }
    builder.pushed_valid();
    Ok(())
}
