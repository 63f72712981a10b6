//! Which part of the rows satisfies a predicate. Where nothing is known, the constants are PostgreSQL's defaults
//! (selfuncs.h).

use super::PlanContext;
use super::estimate::Estimates;
use crate::bind::expression::{ColumnId, Expression, SubqueryKind};
use crate::catalog::statistics::Distribution;
use crate::catalog::{Index, Relation};
use crate::types::{DataType, Value};
use hashbrown::HashMap;

/// Distinct values of a column of which nothing is known.
pub const DISTINCT: f64 = 200.0;
const INEQUALITY: f64 = 1.0 / 3.0;
const NULL_FRACTION: f64 = 0.005;
const MATCH: f64 = 0.02;
/// What LIKE leaves of the rows that have its prefix, when more than that is asked.
const REST_OF_PATTERN: f64 = 0.25;

/// What is known of a column of a table.
pub struct Known {
    pub table: u32,
    pub position: usize,
    rows: f64,
    distinct: f64,
    distribution: Option<Distribution>,
}

impl Known {
    pub fn new(relation: &Relation, position: usize, rows: f64, context: &PlanContext) -> Known {
        let statistics = context.catalog.statistics(relation.id);
        let column = statistics.and_then(|statistics| statistics.columns.get(position)?.as_ref());
        let distribution = column.and_then(|column| Distribution::new(column, &relation.columns[position]));
        let counted = distribution.as_ref().and_then(|distribution| distribution.distinct.among(rows));
        let distinct = counted.unwrap_or_else(|| promised(relation, position, rows));
        Known { table: relation.id, position, rows, distinct, distribution }
    }
}

/// A unique column has as many values as rows; the first of several key columns has a root of that many.
fn promised(relation: &Relation, position: usize, rows: f64) -> f64 {
    let mut distinct = DISTINCT.min(rows);
    for index in &relation.indexes {
        let place = |index: &Index| index.columns.iter().position(|column| column.column == position);
        match place(index) {
            Some(0) if index.unique && index.columns.len() == 1 => return rows,
            Some(0) if index.unique => distinct = distinct.max(rows.powf(1.0 / index.columns.len() as f64)),
            Some(0) => distinct = distinct.max(rows.sqrt()),
            _ => {}
        }
    }
    distinct
}

/// A bound on a column: the part of the rows below it or above it.
struct Bounded {
    column: ColumnId,
    is_upper: bool,
    part: f64,
    null_fraction: f64,
}

impl Estimates {
    /// Distinct values of an expression among this many rows.
    pub fn distinct(&self, expression: &Expression, rows: f64) -> f64 {
        let known = match expression {
            Expression::Column { id, .. } => self.known.get(id).map_or(DISTINCT, |known| known.distinct),
            Expression::Cast { input, .. } => self.distinct(input, rows),
            Expression::Literal(..) | Expression::Parameter { .. } => 1.0,
            _ => DISTINCT,
        };
        known.min(rows).max(1.0)
    }

    /// The part of the rows that satisfies a predicate.
    pub fn selectivity(&self, predicate: &Expression) -> f64 {
        self.part(predicate).clamp(0.0, 1.0)
    }

    fn part(&self, predicate: &Expression) -> f64 {
        match predicate {
            Expression::Literal(Value::Boolean(value), _) => f64::from(u8::from(*value)),
            Expression::Literal(..) => 0.0,
            Expression::Call { function, arguments, .. } => match (function.name, arguments.as_slice()) {
                ("=", [left, right]) => self.equality(left, right),
                ("<>", [left, right]) => 1.0 - self.equality(left, right) - self.nulls(left) - self.nulls(right),
                ("<" | "<=" | ">" | ">=", _) => self.bounded(predicate).map_or(INEQUALITY, |bounded| bounded.part),
                ("~~", [left, right]) => self.like(left, right),
                ("~~*" | "~" | "~*" | "@>" | "?", _) => MATCH,
                ("!~~", [left, right]) => 1.0 - self.like(left, right),
                ("!~~*" | "!~" | "!~*", _) => 1.0 - MATCH,
                _ => INEQUALITY,
            },
            Expression::And(operands) => self.all(operands),
            Expression::Or(operands) => {
                1.0 - operands.iter().map(|operand| 1.0 - self.selectivity(operand)).product::<f64>()
            }
            Expression::Not(input) => 1.0 - self.selectivity(input),
            Expression::IsNull { input, negated } => {
                let nulls = match self.column(input).and_then(|known| known.distribution.as_ref()) {
                    Some(distribution) => distribution.null_fraction,
                    None => NULL_FRACTION,
                };
                if *negated { 1.0 - nulls } else { nulls }
            }
            Expression::IsDistinct { left, right, negated } => {
                let equal = self.equality(left, right);
                if *negated { equal } else { 1.0 - equal }
            }
            Expression::InList { input, list, negated } => {
                let any = list.iter().map(|value| self.equality(input, value)).sum::<f64>().min(1.0);
                if *negated { 1.0 - any } else { any }
            }
            Expression::AnyArray { left, array, all: false, operator, .. } if operator.name == "=" => match &**array {
                Expression::Literal(Value::Array(array), _) => {
                    array.values.iter().map(|value| self.equal_to(left, value)).sum::<f64>().min(1.0)
                }
                _ => (10.0 / self.distinct(left, f64::MAX)).min(1.0),
            },
            Expression::Subquery(subquery) => match &subquery.kind {
                SubqueryKind::Exists | SubqueryKind::Compare { .. } => 0.5,
                SubqueryKind::Scalar | SubqueryKind::Array => INEQUALITY,
            },
            Expression::Column { .. } => self.equal_to(predicate, &Value::Boolean(true)).max(f64::MIN_POSITIVE),
            Expression::IsBoolean { .. } => 0.5,
            _ => INEQUALITY,
        }
    }

    /// The part that satisfies all of several predicates. They are taken to be independent, but for the two ends of a
    /// range, and for equal columns of which is known how many combinations they have.
    pub fn all<'p>(&self, predicates: impl IntoIterator<Item = &'p Expression>) -> f64 {
        let mut all = 1.0;
        let mut ends: HashMap<(ColumnId, bool), Bounded> = HashMap::new();
        let mut equal: Vec<(&Expression, f64)> = vec![];
        for predicate in predicates {
            match self.bounded(predicate) {
                Some(bounded) if !ends.contains_key(&(bounded.column, bounded.is_upper)) => {
                    ends.insert((bounded.column, bounded.is_upper), bounded);
                }
                _ if equal_columns(predicate).next().is_some() => equal.push((predicate, self.selectivity(predicate))),
                _ => all *= self.selectivity(predicate),
            }
        }
        for ((column, is_upper), end) in &ends {
            match (is_upper, ends.get(&(*column, !is_upper))) {
                (_, None) => all *= end.part,
                (true, Some(other)) => {
                    let both = end.part + other.part - (1.0 - end.null_fraction);
                    all *= if both > 0.0 { both } else { end.part * other.part * 0.01 };
                }
                (false, Some(_)) => {}
            }
        }
        all * self.all_equal(equal)
    }

    /// The same for equalities of columns.
    fn all_equal(&self, mut equal: Vec<(&Expression, f64)>) -> f64 {
        let mut all = 1.0;
        while let Some((used, part)) = self.combined(&equal) {
            all *= part;
            let mut number = 0;
            equal.retain(|_| {
                number += 1;
                !used.contains(&(number - 1))
            });
        }
        all * equal.iter().map(|(_, part)| part).product::<f64>()
    }

    /// Equalities that cover columns of a known combination, and their common selectivity.
    fn combined(&self, equal: &[(&Expression, f64)]) -> Option<(Vec<usize>, f64)> {
        let known = |id: &ColumnId| self.known.get(id);
        for table in equal.iter().flat_map(|(predicate, _)| equal_columns(predicate)).filter_map(|id| known(&id)) {
            for combination in self.combinations.get(&table.table).into_iter().flatten() {
                let covers = |position: &usize| {
                    equal.iter().position(|(predicate, _)| {
                        let is_it = |id| {
                            known(&id).is_some_and(|known| known.table == table.table && known.position == *position)
                        };
                        equal_columns(predicate).any(is_it)
                    })
                };
                let Some(used) = combination.columns.iter().map(covers).collect::<Option<Vec<usize>>>() else {
                    continue;
                };
                let independent = used.iter().map(|number| equal[*number].1).product::<f64>();
                let least = used.iter().map(|number| equal[*number].1).fold(1.0, f64::min);
                return Some((used, independent.max(1.0 / combination.distinct).min(least)));
            }
        }
        None
    }

    fn column(&self, expression: &Expression) -> Option<&Known> {
        match expression {
            Expression::Column { id, .. } => self.known.get(id).map(|known| &**known),
            Expression::Cast { input, modifier: -1, .. } => self.column(input),
            _ => None,
        }
    }

    fn nulls(&self, expression: &Expression) -> f64 {
        let distribution = self.column(expression).and_then(|known| known.distribution.as_ref());
        distribution.map_or(0.0, |distribution| distribution.null_fraction)
    }

    fn equality(&self, left: &Expression, right: &Expression) -> f64 {
        if let Some(value) = literal(right) {
            return self.equal_to(left, value);
        }
        if let Some(value) = literal(left) {
            return self.equal_to(right, value);
        }
        let distinct = self.distinct(left, f64::MAX).max(self.distinct(right, f64::MAX));
        (1.0 - self.nulls(left)) * (1.0 - self.nulls(right)) / distinct
    }

    /// The part of the rows where an expression has this value.
    fn equal_to(&self, expression: &Expression, value: &Value) -> f64 {
        if value.is_null() {
            return 0.0;
        }
        if let Some(known) = self.column(expression)
            && let Some(distribution) = &known.distribution
        {
            if let Some(value) = distribution.comparable(value) {
                return distribution.equal(&value, known.rows);
            }
            if let Some(part) = distribution.equal_to_unknown(known.rows) {
                return part;
            }
        }
        if matches!(value, Value::Boolean(_)) { 0.5 } else { 1.0 / self.distinct(expression, f64::MAX) }
    }

    /// A comparison of a column with a value, where its statistics say what it leaves.
    fn bounded(&self, predicate: &Expression) -> Option<Bounded> {
        let Expression::Call { function, arguments, .. } = predicate else { return None };
        let [left, right] = arguments.as_slice() else { return None };
        let (is_less, inclusive) = match function.name {
            "<" => (true, false),
            "<=" => (true, true),
            ">" => (false, false),
            ">=" => (false, true),
            _ => return None,
        };
        let (column, value, is_upper) = match (literal(left), literal(right)) {
            (None, Some(value)) => (left, value, is_less),
            (Some(value), None) => (right, value, !is_less),
            _ => return None,
        };
        let known = self.column(column)?;
        let distribution = known.distribution.as_ref()?;
        let value = distribution.comparable(value)?;
        // Above and not equal is what is not below or equal.
        let below = distribution.below(&value, inclusive == is_upper)?;
        let part = if is_upper { below } else { 1.0 - distribution.null_fraction - below };
        let part = part.clamp(1.0 / known.rows.max(1.0), 1.0);
        let null_fraction = distribution.null_fraction;
        Some(Bounded { column: column_id(column)?, is_upper, part, null_fraction })
    }

    /// LIKE: the values from the pattern's prefix up to the next one.
    fn like(&self, input: &Expression, pattern: &Expression) -> f64 {
        let Some(Value::Text(pattern)) = literal(pattern) else { return MATCH };
        let end = pattern.find(['%', '_', '\\']).unwrap_or(pattern.len());
        let (prefix, rest) = pattern.split_at(end);
        if rest.is_empty() {
            return self.equal_to(input, &Value::text(prefix));
        }
        let distribution = self.column(input).and_then(|known| known.distribution.as_ref());
        let range = distribution.filter(|_| !prefix.is_empty()).and_then(|distribution| {
            let from = distribution.comparable(&Value::text(prefix))?;
            let to = distribution.comparable(&Value::text(&format!("{prefix}\u{10ffff}")))?;
            Some(distribution.below(&to, true)? - distribution.below(&from, false)?)
        });
        match range {
            Some(range) if rest == "%" => range.max(0.0001),
            Some(range) => (range * REST_OF_PATTERN).max(0.0001),
            None => MATCH,
        }
    }
}

fn column_id(expression: &Expression) -> Option<ColumnId> {
    match expression {
        Expression::Column { id, .. } => Some(*id),
        Expression::Cast { input, .. } => column_id(input),
        _ => None,
    }
}

fn literal(expression: &Expression) -> Option<&Value> {
    match expression {
        Expression::Literal(value, _) => Some(value),
        // One that only changes the width of an integer or the name of a text type.
        Expression::Cast { input, to: data_type, .. } => literal(input).filter(|value| {
            matches!(
                (value, data_type),
                (Value::SmallInt(_) | Value::Integer(_), DataType::Integer | DataType::BigInt)
                    | (Value::Text(_), DataType::Text | DataType::Varchar | DataType::Char | DataType::Name)
            )
        }),
        _ => None,
    }
}

/// The columns that an equality compares, with one another or with something else.
fn equal_columns(predicate: &Expression) -> impl Iterator<Item = ColumnId> {
    let sides = match predicate {
        Expression::Call { function, arguments, .. } if function.name == "=" => match arguments.as_slice() {
            [left, right] => [column_id(left), column_id(right)],
            _ => [None, None],
        },
        _ => [None, None],
    };
    sides.into_iter().flatten()
}
