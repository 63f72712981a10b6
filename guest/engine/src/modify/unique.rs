//! Unique keys: who holds them while a statement runs, and the error when two rows want the same.

use super::writer::{TableWriter, UniqueKey};
use crate::catalog::Index;
use crate::catalog::quote_identifier;
use crate::encode::index;
use crate::error::{Error, Result, sqlstate};
use crate::types::{Value, text};
use hashbrown::HashMap;

/// Which of a batch's unique keys are held, and by which row (its key). Read once from the host for all of a batch;
/// the statement's own changes since then go on top.
#[derive(Default)]
pub struct KeyHolders {
    holders: HashMap<Vec<u8>, Option<Vec<u8>>>,
}

impl KeyHolders {
    /// Reads who holds these keys. The writer's earlier writes must have been flushed.
    pub fn read<'k>(writer: &TableWriter, keys: impl Iterator<Item = &'k UniqueKey<'k>>) -> Result<KeyHolders> {
        let mut wanted = vec![];
        let mut primary = vec![];
        for UniqueKey { index, key } in keys {
            wanted.push(key.clone());
            primary.push(index.primary);
        }
        if wanted.is_empty() {
            return Ok(KeyHolders::default());
        }
        let found = writer.host.get_many(&wanted)?;
        let mut holders = HashMap::with_capacity(wanted.len());
        for ((key, primary), value) in wanted.into_iter().zip(primary).zip(found) {
            let holder = match value {
                None => None,
                Some(_) if primary => Some(key.clone()),
                Some(value) => Some(index::row_key_of_entry(writer.relation.id, &value)?),
            };
            holders.insert(key, holder);
        }
        Ok(KeyHolders { holders })
    }

    pub fn holder(&self, key: &[u8]) -> Option<&Vec<u8>> {
        self.holders.get(key)?.as_ref()
    }

    pub fn take(&mut self, key: Vec<u8>, row_key: &[u8]) {
        self.holders.insert(key, Some(row_key.to_vec()));
    }

    pub fn release(&mut self, key: Vec<u8>) {
        self.holders.insert(key, None);
    }
}

/// 23505 for a row with these values.
pub fn violation(writer: &TableWriter, index: &Index, values: &[Value]) -> Error {
    let relation = writer.relation;
    let mut error = Error::new(
        sqlstate::UNIQUE_VIOLATION,
        format!("duplicate key value violates unique constraint \"{}\"", index.name),
    )
    .detail(format!("Key {} already exists.", key_description(writer, index, values)));
    error.0.schema_name = super::constraint::schema_name(writer);
    error.0.table_name = Some(relation.name.clone());
    error.0.constraint_name = Some(index.name.clone());
    error
}

/// `(a, b)=(1, x)`
pub fn key_description(writer: &TableWriter, index: &Index, values: &[Value]) -> String {
    let mut names = vec![];
    let mut texts = vec![];
    for column in &index.columns {
        let table_column = &writer.relation.columns[column.column];
        names.push(quote_identifier(&table_column.name));
        texts.push(match &values[column.column] {
            Value::Null => "null".to_string(),
            value => text::to_string(value, table_column.data_type, writer.context.settings),
        });
    }
    format!("({})=({})", names.join(", "), texts.join(", "))
}
