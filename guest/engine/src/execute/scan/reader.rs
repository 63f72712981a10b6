//! Reading entries of an index, and the rows behind them, into columns.

use super::keys::Range;
use crate::encode::index::row_key_of_entry;
use crate::encode::pairs::Pairs;
use crate::error::Result;
use crate::execute::Execution;
use crate::host::{Host, KeyRange};
use crate::plan::physical::{Decoder, Scan};
use crate::types::column::BATCH_ROWS;
use crate::types::{Batch, ColumnBuilder, DataType, Value};
use std::rc::Rc;

const FULL_READ: u32 = 128 * 1024;
const SHORT_READ: u32 = 4 * 1024;

/// Rows being decoded.
pub struct Rows<'a> {
    scan: &'a Scan,
    builders: Vec<ColumnBuilder>,
    identities: Option<ColumnBuilder>,
    rows: usize,
}

impl<'a> Rows<'a> {
    pub fn new(scan: &'a Scan) -> Rows<'a> {
        let builder = |position: &usize| ColumnBuilder::new(scan.relation.columns[*position].data_type);
        Rows {
            scan,
            builders: scan.columns.iter().map(builder).collect(),
            identities: scan.row_identity.then(|| ColumnBuilder::new(DataType::Bytea)),
            rows: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.rows
    }

    /// Adds a row of the table, or an entry of the index of an index-only scan.
    #[inline]
    pub fn add(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        match &self.scan.decoder {
            Decoder::Nothing => {}
            Decoder::Row(decoder) => decoder.decode(value, &mut self.builders)?,
            Decoder::Entry(decoder) => decoder.decode(value, &mut self.builders)?,
        }
        if let Some(identities) = &mut self.identities {
            identities.push(&Value::Bytea(Rc::from(key)));
        }
        self.rows += 1;
        Ok(())
    }

    /// Adds several rows of the table, or entries of the index of an index-only scan.
    fn add_all(&mut self, pairs: &[(&[u8], &[u8])]) -> Result<()> {
        let Decoder::Row(decoder) = &self.scan.decoder else {
            return pairs.iter().try_for_each(|(key, value)| self.add(key, value));
        };
        let values: Vec<&[u8]> = pairs.iter().map(|(_, value)| *value).collect();
        decoder.decode_all(&values, &mut self.builders)?;
        if let Some(identities) = &mut self.identities {
            pairs.iter().for_each(|(key, _)| identities.push(&Value::Bytea(Rc::from(*key))));
        }
        self.rows += pairs.len();
        Ok(())
    }

    /// The rows so far: decoded columns, then the row keys.
    pub fn finish(self) -> Batch {
        let builders = self.builders.into_iter().chain(self.identities);
        Batch { columns: builders.map(|builder| Rc::new(builder.finish())).collect(), rows: self.rows }
    }
}

/// Whether the scan must look up rows by the entries that it reads.
pub fn looks_up_rows(scan: &Scan) -> bool {
    scan.access.index.is_some_and(|index| !scan.relation.indexes[index].primary) && !scan.access.index_only
}

/// Adds the rows of several unique keys; answers which of them there are, by position.
pub fn read_points(execution: &Execution, keys: &[Vec<u8>], rows: &mut Rows) -> Result<Vec<u32>> {
    let host = execution.context.host;
    if let ([key], false) = (keys, looks_up_rows(rows.scan)) {
        let Some(value) = host.get(key)? else { return Ok(vec![]) };
        rows.add(key, &value)?;
        return Ok(vec![0]);
    }
    let values = host.get_many(keys)?;
    let mut found = vec![];
    if !looks_up_rows(rows.scan) {
        for (position, (key, value)) in (0u32..).zip(keys.iter().zip(values)) {
            if let Some(value) = value {
                rows.add(key, &value)?;
                found.push(position);
            }
        }
        return Ok(found);
    }
    let mut row_keys = vec![];
    for (position, value) in (0u32..).zip(values) {
        if let Some(value) = value {
            row_keys.push(row_key_of_entry(rows.scan.relation.id, &value)?);
            found.push(position);
        }
    }
    look_up(execution, &row_keys, rows)?;
    Ok(found)
}

/// Adds the rows with these keys, all of which there are: their entries said so.
fn look_up(execution: &Execution, row_keys: &[Vec<u8>], rows: &mut Rows) -> Result<()> {
    if row_keys.is_empty() {
        return Ok(());
    }
    for (key, value) in row_keys.iter().zip(execution.context.host.get_many(row_keys)?) {
        let value = value.ok_or_else(|| crate::encode::corrupted("an index entry without its row"))?;
        rows.add(key, &value)?;
    }
    Ok(())
}

/// A walk over ranges of keys.
pub struct RangeReader<'a> {
    host: &'a dyn Host,
    /// Still to be opened, the next one last.
    ranges: Vec<Range>,
    reverse: bool,
    expected_rows: u32,
    cursor: Option<u32>,
    buffer: Vec<u8>,
    offset: usize,
    read_bytes: u32,
}

impl<'a> RangeReader<'a> {
    pub fn new(host: &'a dyn Host, mut ranges: Vec<Range>, reverse: bool, expected_rows: u32) -> RangeReader<'a> {
        if !reverse {
            ranges.reverse();
        }
        let read_bytes = if expected_rows == 0 { FULL_READ } else { SHORT_READ };
        RangeReader { host, ranges, reverse, expected_rows, cursor: None, buffer: vec![], offset: 0, read_bytes }
    }

    /// Adds up to `wanted` rows; answers whether there may be more.
    pub fn read(&mut self, execution: &Execution, wanted: usize, rows: &mut Rows) -> Result<bool> {
        let look_up_rows = looks_up_rows(rows.scan);
        let table = rows.scan.relation.id;
        let mut row_keys = vec![];
        let target = rows.len() + wanted;
        loop {
            let mut read = vec![];
            for pair in Pairs::new(&self.buffer[self.offset..]).take(target - rows.len() - row_keys.len()) {
                let (key, value) = pair?;
                self.offset += 8 + key.len() + value.len();
                if look_up_rows {
                    row_keys.push(row_key_of_entry(table, value)?);
                } else {
                    read.push((key, value));
                }
            }
            rows.add_all(&read)?;
            if rows.len() + row_keys.len() >= target || !self.fill()? {
                break;
            }
        }
        look_up(execution, &row_keys, rows)?;
        Ok(self.cursor.is_some() || !self.ranges.is_empty() || self.offset < self.buffer.len())
    }

    /// Reads on into the buffer, which is used up; false at the end of the last range.
    fn fill(&mut self) -> Result<bool> {
        let host = self.host;
        loop {
            let cursor = match self.cursor {
                Some(cursor) => cursor,
                None => {
                    let Some((start, end)) = self.ranges.pop() else { return Ok(false) };
                    let (reverse, expected_rows) = (self.reverse, self.expected_rows);
                    *self.cursor.insert(host.scan(&KeyRange { start, end, reverse, expected_rows })?)
                }
            };
            self.buffer = host.next_batch(cursor, self.read_bytes)?;
            self.offset = 0;
            // A consumer that was thought to need little and asks again may want it all.
            self.read_bytes = (self.read_bytes * 2).min(FULL_READ);
            if !self.buffer.is_empty() {
                return Ok(true);
            }
            host.close_cursor(cursor);
            self.cursor = None;
        }
    }
}

/// A consumer may stop before the end: the cursor is given back all the same.
impl Drop for RangeReader<'_> {
    fn drop(&mut self) {
        if let Some(cursor) = self.cursor.take() {
            self.host.close_cursor(cursor);
        }
    }
}

/// How many rows to decode at once.
pub fn batch_rows(expected_rows: u32, batches: u32) -> usize {
    match expected_rows {
        0 => BATCH_ROWS,
        expected => ((expected as usize) << batches.min(10)).clamp(1, BATCH_ROWS),
    }
}
