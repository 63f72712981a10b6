//! pg_stats.

use super::{Row, array, text};
use crate::catalog::statistics::{ColumnStatistics, Distinct};
use crate::catalog::{Relation, TableColumn};
use crate::encode::value;
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::types::{DataType, Value};

/// A row per column of a table that was analysed. Values of all types are shown as text: there is no anyarray.
pub fn columns(context: &FunctionContext) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for relation in context.catalog.user_relations() {
        let Some(statistics) = context.catalog.statistics(relation.id) else { continue };
        for (column, known) in relation.columns.iter().zip(&statistics.columns) {
            if let Some(known) = known
                && !column.dropped
                && known.type_oid == column.data_type.oid()
            {
                rows.push(row(context, &relation, column, known)?);
            }
        }
    }
    Ok(rows)
}

fn row(context: &FunctionContext, relation: &Relation, column: &TableColumn, known: &ColumnStatistics) -> Result<Row> {
    let schema = context.catalog.schema_by_id(relation.schema_id).map_or(Value::Null, |schema| text(&schema.name));
    let shown = |bytes: &Vec<u8>| {
        let mut printed = String::new();
        let value = value::decode(bytes, column.data_type)?;
        crate::types::text::print(&value, column.data_type, context.settings, &mut printed);
        Ok(text(printed))
    };
    let distinct = match known.distinct {
        Distinct::Unknown => 0.0,
        Distinct::Count(count) => count as f32,
        Distinct::PerRow(part) => -part as f32,
    };
    let mut row = vec![
        ("schemaname", schema),
        ("tablename", text(&relation.name)),
        ("attname", text(&column.name)),
        ("inherited", Value::Boolean(false)),
        ("null_frac", Value::Real(known.null_fraction as f32)),
        ("avg_width", Value::Integer(known.width.round() as i32)),
        ("n_distinct", Value::Real(distinct)),
    ];
    if !known.common.is_empty() {
        let values = known.common.iter().map(|(bytes, _)| shown(bytes)).collect::<Result<_>>()?;
        let parts = known.common.iter().map(|(_, part)| Value::Real(*part as f32)).collect();
        row.push(("most_common_vals", array(DataType::Text, values)));
        row.push(("most_common_freqs", array(DataType::Real, parts)));
    }
    if !known.bounds.is_empty() {
        let bounds = known.bounds.iter().map(shown).collect::<Result<_>>()?;
        row.push(("histogram_bounds", array(DataType::Text, bounds)));
    }
    Ok(row)
}
