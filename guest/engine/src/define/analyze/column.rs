//! A column's statistics from a sample of rows.

use super::sample::Sample;
use crate::catalog::Relation;
use crate::catalog::statistics::{ColumnStatistics, Distinct};
use crate::encode::{key, value};
use crate::error::Result;
use crate::types::{Value, compare};

/// How many of the most common values are kept, and how many parts the others are divided into.
const COMMON_VALUES: usize = 50;
const PARTS: usize = 50;
/// Values longer than this are counted, not kept.
const KEPT_BYTES: usize = 64;
/// A value that was seen less often is not called common, unless all values are kept.
const COMMON_COUNT: usize = 4;

/// None for a dropped column.
pub fn describe(relation: &Relation, position: usize, sample: &Sample) -> Result<Option<ColumnStatistics>> {
    let column = &relation.columns[position];
    if column.dropped {
        return Ok(None);
    }
    let data_type = column.data_type;
    let all = sample.rows.len().max(1) as f64;
    let mut values: Vec<(&Value, bool)> = vec![];
    let mut bytes = 0;
    let mut encoded = vec![];
    for row in sample.rows.iter().filter(|row| !row.values[position].is_null()) {
        encoded.clear();
        value::encode(&row.values[position], &mut encoded)?;
        bytes += encoded.len();
        values.push((&row.values[position], row.leads));
    }
    let mut statistics = ColumnStatistics {
        type_oid: data_type.oid(),
        null_fraction: 1.0 - values.len() as f64 / all,
        width: bytes as f64 / values.len().max(1) as f64,
        distinct: Distinct::Unknown,
        common: vec![],
        bounds: vec![],
    };
    if values.is_empty() || !key::is_orderable(data_type) {
        return Ok(Some(statistics));
    }
    values.sort_by(|left, right| compare::compare_as(data_type, left.0, right.0));
    let groups: Vec<&[(&Value, bool)]> =
        values.chunk_by(|left, right| compare::compare_as(data_type, left.0, right.0).is_eq()).collect();
    let counted: Vec<(usize, usize)> = groups.iter().map(|group| sizes(group.iter().map(|value| value.1))).collect();
    let is_unique = relation
        .indexes
        .iter()
        .any(|index| index.unique && index.columns.len() == 1 && index.columns[0].column == position);
    let present = 1.0 - statistics.null_fraction;
    let rows = sample.table_rows as f64;
    let count = if is_unique { rows * present } else { distinct(&counted, sample).min(rows * present) };
    statistics.distinct = Distinct::of(count.max(1.0), rows.max(1.0));
    let common = common(&groups, count, values.len());
    for group in common.iter().map(|group| groups[*group]) {
        if let Some(bytes) = kept(group[0].0)? {
            statistics.common.push((bytes, group.len() as f64 / all));
        }
    }
    let is_common = |group: &usize| common.contains(group);
    let rest: Vec<&Value> = (0..groups.len())
        .filter(|group| !is_common(group))
        .flat_map(|group| groups[group].iter().map(|value| value.0))
        .collect();
    if rest.len() > 1 {
        let parts = PARTS.min(rest.len() - 1);
        for part in 0..=parts {
            statistics.bounds.extend(kept(rest[part * (rest.len() - 1) / parts])?);
        }
    }
    Ok(Some(statistics))
}

/// The most common values' groups: all of them, if they are few and the sample has seen them all, or else those that
/// are well above the average.
fn common(groups: &[&[(&Value, bool)]], distinct: f64, values: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|group| std::cmp::Reverse(groups[*group].len()));
    if groups.len() <= COMMON_VALUES && distinct <= groups.len() as f64 * 1.05 {
        return order;
    }
    let average = values as f64 / distinct.max(1.0);
    let is_common = |group: &usize| {
        let count = groups[*group].len();
        count >= COMMON_COUNT && count as f64 > average * 1.25
    };
    order.into_iter().take(COMMON_VALUES).take_while(is_common).collect()
}

fn kept(value: &Value) -> Result<Option<Vec<u8>>> {
    let mut bytes = vec![];
    value::encode(value, &mut bytes)?;
    Ok((bytes.len() <= KEPT_BYTES).then_some(bytes))
}

/// How many rows there are, and how many of them lead their run.
pub fn sizes(leads: impl Iterator<Item = bool>) -> (usize, usize) {
    leads.fold((0, 0), |(all, leading), leads| (all + 1, leading + usize::from(leads)))
}

/// How many distinct values the table has, from the sizes of the groups of equal values in the sample.
///
/// Neighbours are often alike: then a sample of runs has seen most of its values more than once, which would speak
/// for few of them. The rows that lead the runs alone do not have that fault, so the larger estimate counts.
pub fn distinct(groups: &[(usize, usize)], sample: &Sample) -> f64 {
    let all = estimate(groups.iter().map(|group| group.0), sample.table_rows as f64, sample.is_whole);
    let leading = estimate(groups.iter().map(|group| group.1), sample.table_rows as f64, sample.is_whole);
    all.max(leading)
}

/// The estimator Duj1 of Haas and Stokes, "Estimating the number of classes in a finite population" (1998).
fn estimate(counts: impl Iterator<Item = usize>, rows: f64, is_whole: bool) -> f64 {
    let (mut sampled, mut seen, mut once) = (0.0, 0.0, 0.0);
    for count in counts.filter(|count| *count > 0) {
        sampled += count as f64;
        seen += 1.0;
        once += f64::from(u8::from(count == 1));
    }
    if is_whole || seen == 0.0 {
        return seen;
    }
    let rows = rows.max(sampled);
    (sampled * seen / (sampled - once + once * sampled / rows)).clamp(seen, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_values_are_estimated_from_how_many_were_seen_once() {
        let estimate = |counts: &[usize], rows: f64| estimate(counts.iter().copied(), rows, false).round();
        // All different: so is the table.
        assert_eq!(estimate(&[1; 1000], 1e6), 1e6);
        // None seen once: there are no others.
        assert_eq!(estimate(&[100; 10], 1e6), 10.0);
        // Some were seen once, some twice.
        let mixed = [vec![1; 300], vec![2; 350]].concat();
        assert_eq!(estimate(&mixed, 1e5), 925.0);
    }
}
