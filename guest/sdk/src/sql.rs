//! SQL in the caller's transaction: it sees what the caller has written, and is committed or rolled back with it.

use crate::bindings::sql as raw;
use crate::value::{FromValue, read};
use crate::{Error, Value};
use std::collections::VecDeque;
use std::rc::Rc;

pub use raw::Column;

/// Rows that are fetched from the host at once.
const BATCH_ROWS: u32 = 256;

/// Runs one statement, with `parameters` for $1, $2, …; their types follow from the statement. A statement that fails
/// undoes what it did and nothing else: a procedure may catch its error and go on.
pub fn query(sql: &str, parameters: &[Value]) -> Result<Rows, Error> {
    let source = raw::query(sql, parameters)?;
    let columns = source.columns().into();
    Ok(Rows { source, columns, batch: VecDeque::new(), ended: false })
}

/// Runs one statement and answers how many rows it wrote or read.
pub fn execute(sql: &str, parameters: &[Value]) -> Result<u64, Error> {
    raw::execute(sql, parameters)
}

/// The rows of one statement, an iterator.
pub struct Rows {
    source: raw::Rows,
    columns: Rc<[Column]>,
    batch: VecDeque<Vec<Value>>,
    ended: bool,
}

impl Rows {
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The row of a statement that must have exactly one: none is P0002, several are P0003, as PL/pgSQL's
    /// `SELECT INTO STRICT` has it.
    pub fn only(mut self) -> Result<Row, Error> {
        let row = self.next().ok_or_else(|| Error::new("P0002", "query returned no rows"))?;
        match self.next() {
            None => Ok(row),
            Some(_) => Err(Error::new("P0003", "query returned more than one row")),
        }
    }
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.batch.is_empty() && !self.ended {
            self.batch = self.source.next(BATCH_ROWS).into();
            self.ended = self.batch.is_empty();
        }
        let values = self.batch.pop_front()?;
        Some(Row { columns: self.columns.clone(), values })
    }
}

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    columns: Rc<[Column]>,
    values: Vec<Value>,
}

impl Row {
    /// The value of a column, by its name or by its place, counted from 0.
    pub fn get<T: FromValue>(&self, column: impl ColumnIndex) -> Result<T, Error> {
        let index = column.find(&self.columns)?;
        match self.values.get(index) {
            Some(value) => read(value, &self.columns[index].name),
            None => Err(Error::new("42703", format!("there is no column {index}, counted from 0"))),
        }
    }

    pub fn values(&self) -> &[Value] {
        &self.values
    }
}

/// A column's name or place.
pub trait ColumnIndex {
    /// Where it is among the columns; 42703 when it is not there.
    fn find(&self, columns: &[Column]) -> Result<usize, Error>;
}

impl ColumnIndex for &str {
    fn find(&self, columns: &[Column]) -> Result<usize, Error> {
        let found = columns.iter().position(|column| column.name == *self);
        found.ok_or_else(|| Error::new("42703", format!("there is no column \"{self}\" in the result")))
    }
}

impl ColumnIndex for usize {
    fn find(&self, _columns: &[Column]) -> Result<usize, Error> {
        Ok(*self)
    }
}
