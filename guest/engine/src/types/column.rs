//! Typed columns of about a thousand values: what operators hand each other.

use super::append::{append, is_ascii};
use super::stride::gather;
use super::{DataType, Value, interval::Interval, numeric::Numeric};
use std::rc::Rc;

/// Rows that an operator aims to put in one batch.
pub const BATCH_ROWS: usize = 1024;

/// Equally long columns.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub columns: Vec<Rc<Column>>,
    /// Also counts when there are no columns.
    pub rows: usize,
}

/// Values of one type. A NULL's slot in `data` holds any value.
#[derive(Clone, Debug)]
pub struct Column {
    pub data: ColumnData,
    /// true where the value is not NULL; none: no NULLs at all.
    pub valid: Option<Vec<bool>>,
}

/// The oid-like types are held as `Oid`, json text as `Values`.
#[derive(Clone, Debug)]
pub enum ColumnData {
    Boolean(Vec<bool>),
    SmallInt(Vec<i16>),
    Integer(Vec<i32>),
    BigInt(Vec<i64>),
    Real(Vec<f32>),
    Double(Vec<f64>),
    Numeric(Vec<Numeric>),
    Text(Strings),
    Uuid(Vec<[u8; 16]>),
    Date(Vec<i32>),
    Time(Vec<i64>),
    Timestamp(Vec<i64>),
    Timestamptz(Vec<i64>),
    Interval(Vec<Interval>),
    /// Every other type: NULLs are `Value::Null` here as well.
    Values(Vec<Value>),
}

/// Strings end to end: string `i` is `bytes[offsets[i]..offsets[i + 1]]`, always UTF-8.
#[derive(Clone, Debug)]
pub struct Strings {
    pub offsets: Vec<u32>,
    pub bytes: Vec<u8>,
}

impl Default for Strings {
    fn default() -> Strings {
        Strings { offsets: vec![0], bytes: vec![] }
    }
}

impl Strings {
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn push(&mut self, text: &str) {
        append(&mut self.bytes, text.as_bytes());
        self.offsets.push(self.bytes.len() as u32);
    }

    /// Appends texts that should be UTF-8; false when any is not, and then none of them is appended.
    #[inline]
    pub fn extend_utf8<'t, E>(&mut self, texts: impl Iterator<Item = Result<&'t [u8], E>>) -> Result<bool, E> {
        let (offsets_before, bytes_before) = (self.offsets.len(), self.bytes.len());
        let mut failure = None;
        for text in texts {
            match text {
                Ok(text) => append(&mut self.bytes, text),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
            self.offsets.push(self.bytes.len() as u32);
        }
        // All at once: texts are short, and most are ASCII, which is UTF-8 wherever it is cut.
        let is_utf8 = is_ascii(&self.bytes[bytes_before..])
            || self.offsets[offsets_before - 1..]
                .windows(2)
                .all(|bounds| std::str::from_utf8(&self.bytes[bounds[0] as usize..bounds[1] as usize]).is_ok());
        if failure.is_some() || !is_utf8 {
            self.offsets.truncate(offsets_before);
            self.bytes.truncate(bytes_before);
        }
        failure.map_or(Ok(is_utf8), Err)
    }

    pub fn get(&self, row: usize) -> &str {
        let bytes = &self.bytes[self.offsets[row] as usize..self.offsets[row + 1] as usize];
        // Only `push` and whole strings ever go in.
        debug_assert!(std::str::from_utf8(bytes).is_ok());
        unsafe { std::str::from_utf8_unchecked(bytes) }
    }
}

/// Runs `$body` with `$vector` bound to the vector of every variant whose slots are plain clonable values.
macro_rules! each_vector {
    ($data:expr, $vector:ident => $body:expr, $strings:ident => $strings_body:expr) => {
        match $data {
            ColumnData::Boolean($vector) => $body,
            ColumnData::SmallInt($vector) => $body,
            ColumnData::Integer($vector) => $body,
            ColumnData::BigInt($vector) => $body,
            ColumnData::Real($vector) => $body,
            ColumnData::Double($vector) => $body,
            ColumnData::Numeric($vector) => $body,
            ColumnData::Uuid($vector) => $body,
            ColumnData::Date($vector) => $body,
            ColumnData::Time($vector) => $body,
            ColumnData::Timestamp($vector) => $body,
            ColumnData::Timestamptz($vector) => $body,
            ColumnData::Interval($vector) => $body,
            ColumnData::Values($vector) => $body,
            ColumnData::Text($strings) => $strings_body,
        }
    };
}

impl ColumnData {
    /// An empty column for values of this type.
    pub fn new(data_type: DataType) -> ColumnData {
        match data_type {
            DataType::Boolean => ColumnData::Boolean(vec![]),
            DataType::SmallInt => ColumnData::SmallInt(vec![]),
            DataType::Integer => ColumnData::Integer(vec![]),
            DataType::BigInt => ColumnData::BigInt(vec![]),
            DataType::Real => ColumnData::Real(vec![]),
            DataType::Double => ColumnData::Double(vec![]),
            DataType::Numeric => ColumnData::Numeric(vec![]),
            DataType::Text
            | DataType::Varchar
            | DataType::Char
            | DataType::Name
            | DataType::InternalChar
            | DataType::Unknown => ColumnData::Text(Strings::default()),
            DataType::Uuid => ColumnData::Uuid(vec![]),
            DataType::Date => ColumnData::Date(vec![]),
            DataType::Time => ColumnData::Time(vec![]),
            DataType::Timestamp => ColumnData::Timestamp(vec![]),
            DataType::Timestamptz => ColumnData::Timestamptz(vec![]),
            DataType::Interval => ColumnData::Interval(vec![]),
            _ => ColumnData::Values(vec![]),
        }
    }

    pub fn len(&self) -> usize {
        each_vector!(self, vector => vector.len(), strings => strings.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Column {
    /// A column of equal values.
    pub fn constant(value: &Value, data_type: DataType, rows: usize) -> Column {
        let mut builder = ColumnBuilder::new(data_type);
        for _ in 0..rows {
            builder.push(value);
        }
        builder.finish()
    }

    pub fn from_values<'a>(data_type: DataType, values: impl IntoIterator<Item = &'a Value>) -> Column {
        let mut builder = ColumnBuilder::new(data_type);
        for value in values {
            builder.push(value);
        }
        builder.finish()
    }

    pub fn len(&self) -> usize {
        self.data.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn is_null(&self, row: usize) -> bool {
        match &self.valid {
            Some(valid) => !valid[row],
            None => false,
        }
    }

    pub fn value(&self, row: usize) -> Value {
        if self.is_null(row) {
            return Value::Null;
        }
        match &self.data {
            ColumnData::Boolean(values) => Value::Boolean(values[row]),
            ColumnData::SmallInt(values) => Value::SmallInt(values[row]),
            ColumnData::Integer(values) => Value::Integer(values[row]),
            ColumnData::BigInt(values) => Value::BigInt(values[row]),
            ColumnData::Real(values) => Value::Real(values[row]),
            ColumnData::Double(values) => Value::Double(values[row]),
            ColumnData::Numeric(values) => Value::Numeric(values[row].clone()),
            ColumnData::Text(strings) => Value::text(strings.get(row)),
            ColumnData::Uuid(values) => Value::Uuid(values[row]),
            ColumnData::Date(values) => Value::Date(values[row]),
            ColumnData::Time(values) => Value::Time(values[row]),
            ColumnData::Timestamp(values) => Value::Timestamp(values[row]),
            ColumnData::Timestamptz(values) => Value::Timestamptz(values[row]),
            ColumnData::Interval(values) => Value::Interval(values[row]),
            ColumnData::Values(values) => values[row].clone(),
        }
    }

    /// The rows with these numbers, in this order.
    pub fn take(&self, rows: &[u32]) -> Column {
        macro_rules! take {
            ($variant:ident, $values:expr) => {
                ColumnData::$variant({
                    let mut taken = vec![];
                    gather(&mut taken, $values, rows);
                    taken
                })
            };
        }
        let data = match &self.data {
            ColumnData::Boolean(values) => take!(Boolean, values),
            ColumnData::SmallInt(values) => take!(SmallInt, values),
            ColumnData::Integer(values) => take!(Integer, values),
            ColumnData::BigInt(values) => take!(BigInt, values),
            ColumnData::Real(values) => take!(Real, values),
            ColumnData::Double(values) => take!(Double, values),
            ColumnData::Numeric(values) => take!(Numeric, values),
            ColumnData::Uuid(values) => take!(Uuid, values),
            ColumnData::Date(values) => take!(Date, values),
            ColumnData::Time(values) => take!(Time, values),
            ColumnData::Timestamp(values) => take!(Timestamp, values),
            ColumnData::Timestamptz(values) => take!(Timestamptz, values),
            ColumnData::Interval(values) => take!(Interval, values),
            ColumnData::Values(values) => take!(Values, values),
            ColumnData::Text(strings) => {
                let mut taken = Strings::default();
                for &row in rows {
                    taken.push(strings.get(row as usize));
                }
                ColumnData::Text(taken)
            }
        };
        let valid = self.valid.as_ref().map(|valid| rows.iter().map(|&row| valid[row as usize]).collect());
        Column { data, valid }
    }
}

impl Batch {
    pub fn row(&self, row: usize) -> Vec<Value> {
        self.columns.iter().map(|column| column.value(row)).collect()
    }

    pub fn take(&self, rows: &[u32]) -> Batch {
        let columns = self.columns.iter().map(|column| Rc::new(column.take(rows))).collect();
        Batch { columns, rows: rows.len() }
    }
}

impl From<Column> for ColumnBuilder {
    fn from(column: Column) -> ColumnBuilder {
        ColumnBuilder { data: column.data, valid: column.valid }
    }
}

/// Builds a column value by value.
#[derive(Debug)]
pub struct ColumnBuilder {
    pub data: ColumnData,
    valid: Option<Vec<bool>>,
}

impl ColumnBuilder {
    pub fn new(data_type: DataType) -> ColumnBuilder {
        ColumnBuilder { data: ColumnData::new(data_type), valid: None }
    }

    pub fn len(&self) -> usize {
        self.data.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a value, which must be NULL or of the column's type.
    pub fn push(&mut self, value: &Value) {
        match (&mut self.data, value) {
            (ColumnData::Boolean(values), Value::Boolean(value)) => values.push(*value),
            (ColumnData::SmallInt(values), Value::SmallInt(value)) => values.push(*value),
            (ColumnData::Integer(values), Value::Integer(value)) => values.push(*value),
            (ColumnData::BigInt(values), Value::BigInt(value)) => values.push(*value),
            (ColumnData::Real(values), Value::Real(value)) => values.push(*value),
            (ColumnData::Double(values), Value::Double(value)) => values.push(*value),
            (ColumnData::Numeric(values), Value::Numeric(value)) => values.push(value.clone()),
            (ColumnData::Text(strings), Value::Text(value)) => strings.push(value),
            (ColumnData::Uuid(values), Value::Uuid(value)) => values.push(*value),
            (ColumnData::Date(values), Value::Date(value)) => values.push(*value),
            (ColumnData::Time(values), Value::Time(value)) => values.push(*value),
            (ColumnData::Timestamp(values), Value::Timestamp(value)) => values.push(*value),
            (ColumnData::Timestamptz(values), Value::Timestamptz(value)) => values.push(*value),
            (ColumnData::Interval(values), Value::Interval(value)) => values.push(*value),
            (_, Value::Null) => return self.push_null(),
            (ColumnData::Values(values), value) => values.push(value.clone()),
            (data, value) => panic!("a value {value:?} in a column of {} rows of another type", data.len()),
        }
        if let Some(valid) = &mut self.valid {
            valid.push(true);
        }
    }

    pub fn push_null(&mut self) {
        let before = self.data.len();
        match &mut self.data {
            ColumnData::Boolean(values) => values.push(false),
            ColumnData::SmallInt(values) => values.push(0),
            ColumnData::Integer(values) | ColumnData::Date(values) => values.push(0),
            ColumnData::BigInt(values)
            | ColumnData::Time(values)
            | ColumnData::Timestamp(values)
            | ColumnData::Timestamptz(values) => values.push(0),
            ColumnData::Real(values) => values.push(0.0),
            ColumnData::Double(values) => values.push(0.0),
            ColumnData::Numeric(values) => values.push(Numeric::NaN),
            ColumnData::Text(strings) => strings.push(""),
            ColumnData::Uuid(values) => values.push([0; 16]),
            ColumnData::Interval(values) => values.push(Interval::default()),
            ColumnData::Values(values) => values.push(Value::Null),
        }
        self.valid.get_or_insert_with(|| vec![true; before]).push(false);
    }

    /// To be called after several values were pushed to `data` directly: which of them are not NULL.
    pub fn pushed_all(&mut self, new: impl ExactSizeIterator<Item = bool> + Clone) {
        if self.valid.is_none() && new.clone().all(|valid| valid) {
            return;
        }
        let before = self.data.len() - new.len();
        self.valid.get_or_insert_with(|| vec![true; before]).extend(new);
    }

    /// As `pushed_all`, where none of this many is NULL.
    pub fn pushed_all_valid(&mut self, new: usize) {
        if let Some(valid) = &mut self.valid {
            valid.resize(valid.len() + new, true);
        }
    }

    /// To be called after a value was pushed to `data` directly.
    pub fn pushed_valid(&mut self) {
        if let Some(valid) = &mut self.valid {
            valid.push(true);
        }
    }

    pub fn finish(self) -> Column {
        Column { data: self.data, valid: self.valid }
    }
}
