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
    let mut values: Vec<(&Value, u32)> = vec![];
    let mut bytes = 0;
    let mut encoded = vec![];
    for row in sample.rows.iter().filter(|row| !row.values[position].is_null()) {
        encoded.clear();
        value::encode(&row.values[position], &mut encoded)?;
        bytes += encoded.len();
        values.push((&row.values[position], row.run));
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
    let groups: Vec<&[(&Value, u32)]> =
        values.chunk_by(|left, right| compare::compare_as(data_type, left.0, right.0).is_eq()).collect();
    let counted: Vec<usize> = groups.iter().map(|group| runs(group.iter().map(|value| value.1))).collect();
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
fn common(groups: &[&[(&Value, u32)]], distinct: f64, values: usize) -> Vec<usize> {
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

/// In how many runs the rows of a group are, which come in the order of their runs.
pub fn runs(rows: impl Iterator<Item = u32>) -> usize {
    let (mut count, mut last) = (0, None);
    for run in rows {
        count += usize::from(last != Some(run));
        last = Some(run);
    }
    count
}

/// How many distinct values the table has; `groups` says of each value in the sample in how many runs it was seen.
///
/// Neighbours are often alike, and a sample of runs sees their values more than once, which would speak for few of
/// them: what a run has of a value counts once.
pub fn distinct(groups: &[usize], sample: &Sample) -> f64 {
    if sample.is_whole {
        return groups.len() as f64;
    }
    let part = groups.iter().sum::<usize>() as f64 / sample.rows.len().max(1) as f64;
    estimate(groups, sample.table_rows as f64 * part)
}

/// The estimator Duj1 of Haas and Stokes, "Estimating the number of classes in a finite population" (1998).
fn estimate(counts: &[usize], rows: f64) -> f64 {
    let sampled = counts.iter().sum::<usize>() as f64;
    let (seen, once) = (counts.len() as f64, counts.iter().filter(|count| **count == 1).count() as f64);
    if counts.is_empty() {
        return 0.0;
    }
    let rows = rows.max(sampled);
    (sampled * seen / (sampled - once + once * sampled / rows)).clamp(seen, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_neighbours_count_once() {
        assert_eq!(runs([].into_iter()), 0);
        assert_eq!(runs([3, 3, 3, 7, 9, 9].into_iter()), 3);
    }

    #[test]
    fn distinct_values_are_estimated_from_how_many_were_seen_once() {
        let estimate = |counts: &[usize], rows: f64| estimate(counts, rows).round();
        // All different: so is the table.
        assert_eq!(estimate(&[1; 1000], 1e6), 1e6);
        // None seen once: there are no others.
        assert_eq!(estimate(&[100; 10], 1e6), 10.0);
        // Some were seen once, some twice.
        let mixed = [vec![1; 300], vec![2; 350]].concat();
        assert_eq!(estimate(&mixed, 1e5), 925.0);
    }
}
