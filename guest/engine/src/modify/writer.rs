//! Writes a table's rows together with their index entries.

use super::row_id::RowIds;
use crate::catalog::{Index, IndexState, Relation, keys};
use crate::encode::writes::WriteBuffer;
use crate::encode::{index, key, row};
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::host::Host;
use crate::limits;
use crate::types::{DataType, Value};

/// A row as it is stored: its key, and a value per column of its table.
#[derive(Clone, Debug)]
pub struct Row {
    pub key: Vec<u8>,
    pub values: Vec<Value>,
}

/// A key that only one row may have, and the index that says so.
pub struct UniqueKey<'a> {
    pub index: &'a Index,
    pub key: Vec<u8>,
}

/// One statement's writes to one table. They reach the host in order, at the latest with `flush`.
pub struct TableWriter<'a> {
    pub host: &'a dyn Host,
    pub context: &'a FunctionContext<'a>,
    pub relation: &'a Relation,
    types: Vec<DataType>,
    /// Secondary indexes that writers maintain.
    indexes: Vec<&'a Index>,
    buffer: WriteBuffer,
    row_ids: Option<RowIds>,
    encoded: Vec<u8>,
}

impl<'a> TableWriter<'a> {
    /// Guards the table's catalog entry: a writer that does not know of a new index must not commit.
    pub fn new(
        host: &'a dyn Host,
        context: &'a FunctionContext<'a>,
        relation: &'a Relation,
    ) -> Result<TableWriter<'a>> {
        host.guard(&keys::relation(relation.id))?;
        let is_maintained = |index: &&Index| !index.primary && index.state != IndexState::Invalid;
        Ok(TableWriter {
            host,
            context,
            relation,
            types: relation.columns.iter().map(|column| column.data_type).collect(),
            indexes: relation.indexes.iter().filter(is_maintained).collect(),
            buffer: WriteBuffer::new(),
            row_ids: None,
            encoded: vec![],
        })
    }

    /// A new row with these values, which gets an id where the table has no primary key.
    pub fn new_row(&mut self, values: Vec<Value>) -> Result<Row> {
        let key = match index::row_key(self.relation, &values)? {
            Some(key) => key,
            None => {
                let mut key = key::index_prefix(self.relation.id, 0).to_vec();
                key.extend_from_slice(&self.row_ids.get_or_insert_with(|| RowIds::new(self.host)).next());
                key
            }
        };
        Ok(Row { key, values })
    }

    /// The row that takes the place of `old`.
    pub fn changed_row(&self, old: &Row, values: Vec<Value>) -> Result<Row> {
        let key = index::row_key(self.relation, &values)?;
        Ok(Row { key: key.unwrap_or_else(|| old.key.clone()), values })
    }

    /// Keys that no other row may have, in the order in which PostgreSQL checks them.
    pub fn unique_keys(&self, row: &Row) -> Result<Vec<UniqueKey<'a>>> {
        let mut keys = vec![];
        for index in &self.relation.indexes {
            if index.primary {
                keys.push(UniqueKey { index, key: row.key.clone() });
            } else if index.state != IndexState::Invalid
                && let Some(key) = index::unique_key(self.relation, index, &row.values)?
            {
                keys.push(UniqueKey { index, key });
            }
        }
        Ok(keys)
    }

    pub fn insert(&mut self, row: &Row) -> Result<()> {
        self.put_row(row)?;
        for index in &self.indexes {
            self.buffer.put(
                &index::entry_key(self.relation, index, &row.values, &row.key)?,
                &index::entry_value(self.relation, index, &row.values, &row.key)?,
            );
        }
        self.buffer.flush_if_full(self.host)
    }

    pub fn replace(&mut self, old: &Row, new: &Row) -> Result<()> {
        if old.key != new.key {
            self.buffer.delete(&old.key);
        }
        self.put_row(new)?;
        for index in &self.indexes {
            let old_key = index::entry_key(self.relation, index, &old.values, &old.key)?;
            let new_key = index::entry_key(self.relation, index, &new.values, &new.key)?;
            let old_value = index::entry_value(self.relation, index, &old.values, &old.key)?;
            let new_value = index::entry_value(self.relation, index, &new.values, &new.key)?;
            if old_key != new_key {
                self.buffer.delete(&old_key);
            }
            // A Building index may lack the entry of a row that does not change.
            if old_key != new_key || old_value != new_value || index.state == IndexState::Building {
                self.buffer.put(&new_key, &new_value);
            }
        }
        self.buffer.flush_if_full(self.host)
    }

    pub fn delete(&mut self, old: &Row) -> Result<()> {
        self.buffer.delete(&old.key);
        for index in &self.indexes {
            self.buffer.delete(&index::entry_key(self.relation, index, &old.values, &old.key)?);
        }
        self.buffer.flush_if_full(self.host)
    }

    /// Hands all writes over, so that reads see them.
    pub fn flush(&mut self) -> Result<()> {
        self.buffer.flush(self.host)
    }

    fn put_row(&mut self, row: &Row) -> Result<()> {
        self.encoded.clear();
        row::encode_columns(&self.types, row.values.iter(), &mut self.encoded)?;
        limits::check_row(self.encoded.len())?;
        self.buffer.put(&row.key, &self.encoded);
        Ok(())
    }
}
