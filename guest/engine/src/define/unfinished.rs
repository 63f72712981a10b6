//! What a node that died has left unfinished: index builds that nobody carries on, and entries of tables and indexes
//! that are dropped. Found from the catalog and the store alone.

use super::follow_up::FollowUp;
use crate::catalog::{Catalog, IndexState};
use crate::encode::key::{ROW_SPACE, index_prefix, prefix_end};
use crate::encode::pairs::Pairs;
use crate::error::{Error, Result};
use crate::host::{Host, KeyRange};
use crate::limits::READ_BATCH_BYTES;

/// The statements that finish it. Costs one read per index there is.
pub fn statements(host: &dyn Host, catalog: &Catalog) -> Result<Vec<String>> {
    let mut found = vec![];
    for relation in catalog.user_relations() {
        for index in relation.indexes.iter().filter(|index| index.state == IndexState::Building) {
            found.push(FollowUp::BuildIndex { table: relation.id, index: index.id });
        }
    }
    let mut start = vec![ROW_SPACE];
    while let Some(key) = first_key(host, start)? {
        let (table, index) = table_and_index(&key)?;
        match catalog.relation_by_id(table) {
            None => {
                found.push(FollowUp::RemoveTable { table });
                start = prefix_end(&[&[ROW_SPACE][..], &table.to_be_bytes()].concat());
            }
            Some(relation) => {
                // The ids before the first and after the last index are the rows and the progress of builds.
                if index != 0 && index != u32::MAX && relation.indexes.iter().all(|known| known.id != index) {
                    found.push(FollowUp::RemoveIndex { table, index });
                }
                start = prefix_end(&index_prefix(table, index));
            }
        }
    }
    Ok(found.iter().map(FollowUp::to_string).collect())
}

/// The first key of rows and index entries from here on.
fn first_key(host: &dyn Host, start: Vec<u8>) -> Result<Option<Vec<u8>>> {
    let range = KeyRange { start, end: vec![ROW_SPACE + 1], reverse: false, expected_rows: 1 };
    let cursor = host.scan(&range)?;
    let batch = host.next_batch(cursor, READ_BATCH_BYTES)?;
    host.close_cursor(cursor);
    Pairs::new(&batch).next().map(|pair| Ok(pair?.0.to_vec())).transpose()
}

fn table_and_index(key: &[u8]) -> Result<(u32, u32)> {
    let numbers = key.get(1..).and_then(|rest| {
        let (table, rest) = rest.split_first_chunk::<4>()?;
        let (index, _) = rest.split_first_chunk::<4>()?;
        Some((u32::from_be_bytes(*table), u32::from_be_bytes(*index)))
    });
    numbers.ok_or_else(|| Error::internal("a stored key is too short to name its index"))
}
