//! Removing what the store has of dropped tables and indexes: at once when that is little, or when the statement must
//! stay within its transaction; otherwise in transactions after this one.

use super::follow_up::FollowUp;
use super::{DefineContext, rows};
use crate::catalog::Relation;
use crate::encode::key::index_prefix;
use crate::error::Result;
use crate::limits::BACKFILL_ROWS;

/// Removes a table's rows and entries; answers the statement that does it later.
pub fn table(context: &DefineContext, relation: &Relation) -> Result<Option<String>> {
    if !context.in_transaction_block && rows::has_more_than(context.host, relation, BACKFILL_ROWS)? {
        return Ok(Some(FollowUp::RemoveTable { table: relation.id }.to_string()));
    }
    rows::delete_all(context.host, relation)?;
    Ok(None)
}

/// Removes an index's entries; answers the statement that does it later.
pub fn index(context: &DefineContext, table: u32, index: u32) -> Result<Option<String>> {
    let prefix = index_prefix(table, index);
    if !context.in_transaction_block && rows::prefix_has_more_than(context.host, &prefix, BACKFILL_ROWS)? {
        return Ok(Some(FollowUp::RemoveIndex { table, index }.to_string()));
    }
    rows::delete_prefix(context.host, &super::index::build::progress_key(table, index), 1)?;
    rows::delete_prefix(context.host, &prefix, usize::MAX)?;
    Ok(None)
}
