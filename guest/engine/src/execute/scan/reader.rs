//! Reading entries of an index, and the rows behind them, into columns.

use super::keys::Range;
use crate::encode::index::row_key_of_entry;
use crate::encode::pairs::{Pairs, read_values};
use crate::error::{Error, Result};
use crate::execute::Execution;
use crate::execute::columns;
use crate::execute::expression::select;
use crate::host::{Host, KeyRange};
use crate::plan::physical::{Decoder, EarlyFilter, Scan};
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
        Rows {
            scan,
            builders: builders(scan),
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
            Decoder::Row(decoder) => decoder.decode(value, &mut self.builders, |_| true)?,
            Decoder::Entry(decoder) => decoder.decode(value, &mut self.builders)?,
        }
        if let Some(identities) = &mut self.identities {
            identities.push(&Value::Bytea(Rc::from(key)));
        }
        self.rows += 1;
        Ok(())
    }

    /// Adds several rows of the table, or entries of the index of an index-only scan. `keys` may be empty where they
    /// are not asked for.
    fn add_all(&mut self, keys: &[&[u8]], values: &[&[u8]]) -> Result<()> {
        match &self.scan.decoder {
            Decoder::Nothing => {}
            Decoder::Row(decoder) => decoder.decode_all(values, &mut self.builders, |_| true)?,
            Decoder::Entry(decoder) => {
                values.iter().try_for_each(|value| decoder.decode(value, &mut self.builders))?;
            }
        }
        self.identify(keys);
        self.rows += values.len();
        Ok(())
    }

    /// Adds those of several rows of the table that pass the first step of the filter, and decodes only of them what
    /// that step does not read. Answers how many do not pass.
    fn add_passing(
        &mut self,
        execution: &Execution,
        filter: &EarlyFilter,
        keys: &[&[u8]],
        values: &[&[u8]],
    ) -> Result<usize> {
        let Decoder::Row(decoder) = &self.scan.decoder else {
            return Err(Error::internal("an early filter over what is no row"));
        };
        if values.is_empty() {
            return Ok(0);
        }
        let mut tested = builders(self.scan);
        decoder.decode_all(values, &mut tested, |column| filter.columns[column])?;
        let columns = tested.into_iter().map(|builder| Rc::new(builder.finish())).collect();
        let batch = Batch { columns, rows: values.len() };
        let passing = select(execution, &filter.first, &batch)?;
        for ((builder, column), _) in
            self.builders.iter_mut().zip(&batch.columns).zip(&filter.columns).filter(|(_, tested)| **tested)
        {
            let mut target = std::mem::replace(builder, ColumnBuilder::new(DataType::Boolean)).finish();
            match &passing {
                Some(rows) => columns::extend(&mut target, column, rows),
                None => columns::append(&mut target, column),
            }
            *builder = target.into();
        }
        let (of_values, of_keys): (Vec<&[u8]>, Vec<&[u8]>);
        let (values_left, keys_left) = match &passing {
            None => (values, keys),
            Some(passing) => {
                of_values = passing.iter().map(|row| values[*row as usize]).collect();
                of_keys = passing.iter().filter_map(|row| keys.get(*row as usize).copied()).collect();
                (of_values.as_slice(), of_keys.as_slice())
            }
        };
        decoder.decode_all(values_left, &mut self.builders, |column| !filter.columns[column])?;
        self.identify(keys_left);
        self.rows += values_left.len();
        Ok(values.len() - values_left.len())
    }

    /// Whether the rows' keys are asked for.
    fn takes_keys(&self) -> bool {
        self.identities.is_some()
    }

    fn identify(&mut self, keys: &[&[u8]]) {
        if let Some(identities) = &mut self.identities {
            keys.iter().for_each(|key| identities.push(&Value::Bytea(Rc::from(*key))));
        }
    }

    /// The rows so far: decoded columns, then the row keys.
    pub fn finish(self) -> Batch {
        let builders = self.builders.into_iter().chain(self.identities);
        Batch { columns: builders.map(|builder| Rc::new(builder.finish())).collect(), rows: self.rows }
    }
}

/// One per decoded column.
fn builders(scan: &Scan) -> Vec<ColumnBuilder> {
    let builder = |position: &usize| ColumnBuilder::new(scan.relation.columns[*position].data_type);
    scan.columns.iter().map(builder).collect()
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
        if looks_up_rows(rows.scan) {
            return self.read_entries(execution, wanted, rows);
        }
        self.read_pairs(wanted, rows.takes_keys(), |keys, values| rows.add_all(keys, values))
    }

    /// Adds those of up to `wanted` rows that pass the first step of the filter; answers how many do not, and whether
    /// there may be more.
    pub fn read_passing(
        &mut self,
        execution: &Execution,
        filter: &EarlyFilter,
        wanted: usize,
        rows: &mut Rows,
    ) -> Result<(usize, bool)> {
        let mut removed = 0;
        let more = self.read_pairs(wanted, rows.takes_keys(), |keys, values| {
            removed += rows.add_passing(execution, filter, keys, values)?;
            Ok(())
        })?;
        Ok((removed, more))
    }

    /// Adds the rows behind up to `wanted` entries.
    fn read_entries(&mut self, execution: &Execution, wanted: usize, rows: &mut Rows) -> Result<bool> {
        let table = rows.scan.relation.id;
        let mut row_keys = vec![];
        let more = self.read_pairs(wanted, false, |_, values| {
            for value in values {
                row_keys.push(row_key_of_entry(table, value)?);
            }
            Ok(())
        })?;
        look_up(execution, &row_keys, rows)?;
        Ok(more)
    }

    /// Hands on the values of up to `wanted` pairs, and their keys if asked to, as many at a time as are at hand;
    /// answers whether there may be more.
    fn read_pairs(
        &mut self,
        wanted: usize,
        takes_keys: bool,
        mut receive: impl FnMut(&[&[u8]], &[&[u8]]) -> Result<()>,
    ) -> Result<bool> {
        let mut left = wanted;
        loop {
            // No pair is shorter than its two lengths.
            let most = left.min((self.buffer.len() - self.offset) / 8);
            let mut keys: Vec<&[u8]> = vec![];
            if takes_keys {
                for pair in Pairs::new(&self.buffer[self.offset..]).take(most) {
                    keys.push(pair?.0);
                }
            }
            let mut values = vec![];
            let rest = read_values(&self.buffer[self.offset..], most, &mut values)?;
            self.offset = self.buffer.len() - rest.len();
            left -= values.len();
            receive(&keys, &values)?;
            if left == 0 || !self.fill()? {
                break;
            }
        }
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
