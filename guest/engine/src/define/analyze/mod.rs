//! ANALYZE: what tables' values are like, from a sample of their rows.

mod column;
mod sample;

use super::DefineContext;
use crate::catalog::statistics::{CombinationStatistics, Distinct, TableStatistics};
use crate::catalog::{Catalog, Relation, RelationKind, store};
use crate::encode::key::{self, index_prefix};
use crate::error::{Error, Result};
use crate::host::{Action, Host};
use crate::statement::Outcome;
use sample::Sample;
use sqlparser::ast::Analyze;

/// Tables with fewer rows are planned well enough without.
pub const FEW_ROWS: u64 = 500;

/// ANALYZE [table]. Columns may be named, as in PostgreSQL; the others are gathered all the same.
pub fn execute(context: &DefineContext, analyze: &Analyze) -> Result<Outcome> {
    if analyze.partitions.is_some() || analyze.cache_metadata || analyze.noscan {
        return Err(Error::not_supported("this form of ANALYZE"));
    }
    let tables = match &analyze.table_name {
        Some(name) => {
            let table = context.table(name)?;
            context.may(Action::Ddl, &table)?;
            vec![table]
        }
        // All that who asks may analyse.
        None => {
            let mut tables = context.catalog.user_relations();
            tables.retain(|table| table.kind == RelationKind::Table && context.may(Action::Ddl, table).is_ok());
            tables
        }
    };
    for column in &analyze.columns {
        let named = tables[0].columns.iter().any(|known| known.name == column.value && !known.dropped);
        if !named {
            let message = format!("column \"{}\" of relation \"{}\" does not exist", column.value, tables[0].name);
            return Err(Error::new(crate::error::sqlstate::UNDEFINED_COLUMN, message));
        }
    }
    for table in tables {
        gather(context.host, &table)?;
    }
    Ok(super::complete("ANALYZE"))
}

/// Whether new statistics of a table with so many rows would tell more than what the catalog has.
pub fn is_due(catalog: &Catalog, table: u32, rows: u64) -> bool {
    rows >= FEW_ROWS && catalog.statistics(table).is_none_or(|known| has_changed(known.rows, rows))
}

/// Whether a table has grown or shrunk by more than half.
pub fn has_changed(before: u64, now: u64) -> bool {
    before.abs_diff(now) > before / 2
}

/// What a planned statement asks for after itself: statistics, unless somebody was faster.
pub fn follow_up(host: &dyn Host, catalog: &Catalog, table: u32) -> Result<()> {
    let Some(relation) = catalog.relation_by_id(table) else { return Ok(()) };
    if is_due(catalog, table, host.estimate_count(&index_prefix(table, 0))) {
        gather(host, &relation)?;
    }
    Ok(())
}

fn gather(host: &dyn Host, relation: &Relation) -> Result<()> {
    let sample = sample::take(host, relation)?;
    let mut columns = vec![];
    for position in 0..relation.columns.len() {
        columns.push(column::describe(relation, position, &sample)?);
    }
    let combinations = combinations(relation, &sample)?;
    let statistics = TableStatistics { rows: sample.table_rows, columns, combinations };
    store::put_statistics(host, relation.id, &statistics)
}

/// Distinct combinations of the first columns of indexes, two at least.
fn combinations(relation: &Relation, sample: &Sample) -> Result<Vec<CombinationStatistics>> {
    let mut found: Vec<CombinationStatistics> = vec![];
    for index in &relation.indexes {
        for length in 2..=index.columns.len() {
            let mut columns: Vec<usize> = index.columns[..length].iter().map(|column| column.column).collect();
            columns.sort_unstable();
            if found.iter().any(|known| known.columns == columns) {
                continue;
            }
            let distinct = match index.unique && length == index.columns.len() {
                true => Distinct::PerRow(1.0),
                false => Distinct::of(distinct_combinations(relation, &columns, sample)?, sample.table_rows as f64),
            };
            found.push(CombinationStatistics { columns, distinct });
        }
    }
    Ok(found)
}

fn distinct_combinations(relation: &Relation, columns: &[usize], sample: &Sample) -> Result<f64> {
    let mut keys = Vec::with_capacity(sample.rows.len());
    for row in &sample.rows {
        let mut encoded = vec![];
        for &column in columns {
            key::append(&mut encoded, &row.values[column], relation.columns[column].data_type, false, false)?;
        }
        keys.push((encoded, row.run));
    }
    keys.sort_unstable();
    let groups = keys.chunk_by(|left, right| left.0 == right.0);
    let groups: Vec<usize> = groups.map(|group| column::runs(group.iter().map(|key| key.1))).collect();
    Ok(column::distinct(&groups, sample))
}
