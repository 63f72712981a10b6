//! Access paths: which index answers a table's conditions and order with the least work.

use super::estimate::Estimates;
use super::walk;
use crate::bind::expression::{ColumnId, Expression};
use crate::bind::logical::Scan;
use crate::catalog::{Index, IndexState, RelationKind};
use crate::encode::index::carried;
use crate::types::{DataType, Value};

/// An order that rows come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderColumn {
    pub id: ColumnId,
    pub descending: bool,
    pub nulls_first: bool,
}

/// What the reader of a plan would like.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub order: Vec<OrderColumn>,
    /// It will ask for about so many rows, if they come in that order.
    pub rows: Option<f64>,
}

/// The order that a plan gives.
#[derive(Clone, Debug, Default)]
pub struct Ordering {
    pub columns: Vec<OrderColumn>,
    /// Columns that are the same in all rows: any order contains them.
    pub constants: Vec<ColumnId>,
    /// There is one row at most.
    pub single: bool,
}

impl Ordering {
    pub fn satisfies(&self, wanted: &[OrderColumn]) -> bool {
        let mut given = self.columns.iter();
        let mut satisfied = |wanted: &OrderColumn| {
            self.constants.contains(&wanted.id)
                || given.find(|given| !self.constants.contains(&given.id)).is_some_and(|given| given == wanted)
        };
        self.single || wanted.iter().all(&mut satisfied)
    }
}

/// Conditions on an index's leading columns, as positions in the list of conjuncts that they come from.
#[derive(Clone, Debug, Default)]
pub struct Path {
    /// Position in `Relation::indexes`; none reads all rows.
    pub index: Option<usize>,
    pub equal: Vec<Equal>,
    pub lower: Option<(Expression, bool)>,
    pub upper: Option<(Expression, bool)>,
    pub unique: bool,
    pub index_only: bool,
    pub reverse: bool,
    /// Conjuncts that the keys answer completely.
    pub answered: Vec<usize>,
    /// Entries to be read, and rows that are left of them.
    pub entries: f64,
    pub rows: f64,
    pub cost: f64,
    pub ordering: Ordering,
    /// What the host may expect to be asked for; 0 for all.
    pub expected_rows: u32,
}

#[derive(Clone, Debug)]
pub enum Equal {
    One(Expression),
    Null,
    Any(Vec<Expression>),
    AnyArray(Expression),
}

/// A conjunct as a condition on one column.
struct Condition {
    conjunct: usize,
    column: usize,
    kind: ConditionKind,
    /// Nothing of the conjunct is left to check.
    exact: bool,
}

enum ConditionKind {
    Equal(Equal),
    Lower(Expression, bool),
    Upper(Expression, bool),
}

/// Work beside reading an entry in sequence, which is 1.
pub const OPEN: f64 = 10.0;
pub const POINT: f64 = 3.0;
pub const ROW_OF_ENTRY: f64 = 8.0;
const COMPARE: f64 = 0.2;

/// The path with the least estimated cost. Conjuncts may read columns of other relations, which are then known when
/// the scan begins.
pub fn choose(scan: &Scan, conjuncts: &[Expression], wanted: &Wanted, estimates: &Estimates) -> Path {
    let relation = &scan.relation;
    let rows = estimates.table(relation);
    let selected = (rows * estimates.all(conjuncts)).max(1.0);
    let all = Path { entries: rows, rows: selected, cost: OPEN + rows, ..Path::default() };
    let mut best = finish(all, conjuncts, wanted, estimates);
    if relation.kind != RelationKind::Table {
        return best;
    }
    let conditions: Vec<Condition> =
        conjuncts.iter().enumerate().flat_map(|(number, conjunct)| condition(scan, number, conjunct)).collect();
    for (position, index) in relation.indexes.iter().enumerate() {
        if index.state != IndexState::Public {
            continue;
        }
        let path = of_index(scan, position, index, &conditions, conjuncts, rows, estimates);
        for reverse in [false, true] {
            let ordering = ordering(scan, index, &path, reverse);
            let useful = !path.equal.is_empty() || path.lower.is_some() || path.upper.is_some();
            let ordered = !wanted.order.is_empty() && ordering.satisfies(&wanted.order);
            if !ordered && (reverse || !useful) {
                continue;
            }
            let path = Path { reverse, ordering, ..path.clone() };
            let path = finish(path, conjuncts, wanted, estimates);
            if path.cost < best.cost {
                best = path;
            }
        }
    }
    best
}

/// Takes into account what the reader wants: an order that is not given must be made, and a few rows cost less.
fn finish(mut path: Path, conjuncts: &[Expression], wanted: &Wanted, estimates: &Estimates) -> Path {
    if !path.ordering.satisfies(&wanted.order) {
        path.cost += path.rows * path.rows.max(2.0).log2() * COMPARE;
        return path;
    }
    if let Some(wanted) = wanted.rows {
        let part = (wanted / path.rows).min(1.0);
        path.cost = OPEN + (path.cost - OPEN) * part;
        let rest = conjuncts.iter().enumerate().filter(|(number, _)| !path.answered.contains(number));
        let kept: f64 = rest.map(|(_, conjunct)| estimates.selectivity(conjunct)).product();
        let needed = (wanted / kept.max(0.0001)).ceil().max(1.0);
        path.expected_rows = if needed < 10_000.0 { needed as u32 } else { 0 };
    }
    path
}

fn of_index(
    scan: &Scan,
    position: usize,
    index: &Index,
    conditions: &[Condition],
    conjuncts: &[Expression],
    rows: f64,
    estimates: &Estimates,
) -> Path {
    let mut path = Path { index: Some(position), ..Path::default() };
    let mut used: Vec<usize> = vec![];
    let mut points = 1.0;
    let mut use_condition = |path: &mut Path, condition: &Condition| {
        if condition.exact {
            path.answered.push(condition.conjunct);
        }
        if !used.contains(&condition.conjunct) {
            used.push(condition.conjunct);
        }
    };
    for column in &index.columns {
        let on_column = |condition: &&Condition| condition.column == column.column;
        let equal = conditions.iter().filter(on_column).find_map(|condition| match &condition.kind {
            ConditionKind::Equal(equal) => Some((condition, equal)),
            _ => None,
        });
        if let Some((condition, equal)) = equal {
            points *= match equal {
                Equal::One(_) | Equal::Null => 1.0,
                Equal::Any(list) => list.len() as f64,
                Equal::AnyArray(_) => 10.0,
            };
            path.equal.push(equal.clone());
            use_condition(&mut path, condition);
            continue;
        }
        for condition in conditions.iter().filter(on_column) {
            match &condition.kind {
                ConditionKind::Lower(value, inclusive) if path.lower.is_none() => {
                    path.lower = Some((value.clone(), *inclusive));
                    use_condition(&mut path, condition);
                }
                ConditionKind::Upper(value, inclusive) if path.upper.is_none() => {
                    path.upper = Some((value.clone(), *inclusive));
                    use_condition(&mut path, condition);
                }
                _ => {}
            }
        }
        break;
    }
    let selectivity = estimates.all(used.iter().map(|&number| &conjuncts[number]));
    let complete = path.equal.len() == index.columns.len();
    let has_null = path.equal.iter().any(|equal| matches!(equal, Equal::Null));
    path.unique = index.unique && complete && !has_null;
    path.entries = if path.unique { points.min(rows) } else { (rows * selectivity).max(1.0) };
    path.rows = (rows * estimates.all(conjuncts)).max(1.0).min(path.entries);
    let carried = carried(index);
    path.index_only = !index.primary
        && scan.row_identity.is_none()
        && scan.columns.iter().all(|(_, position)| carried.contains(position));
    let opening = if path.unique { POINT * points } else { OPEN * points };
    let look_up = if index.primary || path.index_only { 0.0 } else { ROW_OF_ENTRY };
    path.cost = opening + path.entries * (1.0 + look_up);
    path
}

fn ordering(scan: &Scan, index: &Index, path: &Path, reverse: bool) -> Ordering {
    let id = |position: usize| scan.columns.iter().find(|(_, column)| *column == position).map(|(column, _)| column.id);
    let mut ordering = Ordering::default();
    for (number, column) in index.columns.iter().enumerate() {
        // A column that is not read orders the rows all the same, but nobody can name it.
        let Some(id) = id(column.column) else {
            if matches!(path.equal.get(number), Some(Equal::One(_) | Equal::Null)) {
                continue;
            }
            break;
        };
        if let Some(Equal::One(_) | Equal::Null) = path.equal.get(number) {
            ordering.constants.push(id);
            continue;
        }
        let descending = column.descending != reverse;
        // A column without NULLs is in the order that is asked for, wherever they would have to be.
        let nulls_first = match scan.relation.columns[column.column].not_null {
            true => descending,
            false => column.nulls_first != reverse,
        };
        ordering.columns.push(OrderColumn { id, descending, nulls_first });
    }
    ordering.single = path.unique && path.equal.iter().all(|equal| matches!(equal, Equal::One(_)));
    ordering
}

/// What a conjunct says of one column of the table, where keys can use it.
fn condition(scan: &Scan, conjunct: usize, expression: &Expression) -> Vec<Condition> {
    let make = |column, kind| vec![Condition { conjunct, column, kind, exact: true }];
    let outside = |expression: &Expression| is_outside(scan, expression);
    match expression {
        Expression::Call { function, arguments, .. } => {
            let [left, right] = arguments.as_slice() else { return vec![] };
            if function.name == "~~" {
                return prefix(scan, conjunct, left, right);
            }
            let (column, value, name) = match (key_column(scan, left, right), key_column(scan, right, left)) {
                (Some(column), _) if outside(right) => (column, right, function.name),
                (_, Some(column)) if outside(left) => (column, left, mirrored(function.name)),
                _ => return vec![],
            };
            let value = value.clone();
            match name {
                "=" => make(column, ConditionKind::Equal(Equal::One(value))),
                "<" => make(column, ConditionKind::Upper(value, false)),
                "<=" => make(column, ConditionKind::Upper(value, true)),
                ">" => make(column, ConditionKind::Lower(value, false)),
                ">=" => make(column, ConditionKind::Lower(value, true)),
                _ => vec![],
            }
        }
        Expression::InList { input, list, negated: false } => match list.first() {
            Some(first) if list.iter().all(outside) => match key_column(scan, input, first) {
                Some(column) => make(column, ConditionKind::Equal(Equal::Any(list.clone()))),
                None => vec![],
            },
            _ => vec![],
        },
        Expression::AnyArray { left, operator, array, all: false } if operator.name == "=" && outside(array) => {
            let element = array.data_type().element();
            match element.and_then(|element| key_column_of(scan, left, element)) {
                Some(column) => make(column, ConditionKind::Equal(Equal::AnyArray((**array).clone()))),
                None => vec![],
            }
        }
        Expression::IsNull { input, negated: false } => match key_column(scan, input, input) {
            Some(column) => make(column, ConditionKind::Equal(Equal::Null)),
            None => vec![],
        },
        // a = 1 OR a = 2 is a IN (1, 2)
        Expression::Or(operands) => {
            let mut column = None;
            let mut values = vec![];
            for operand in operands {
                let mut single = condition(scan, conjunct, operand);
                match single.pop().map(|condition| (condition.column, condition.kind)) {
                    Some((of, ConditionKind::Equal(Equal::One(value)))) if column.is_none_or(|column| column == of) => {
                        column = Some(of);
                        values.push(value);
                    }
                    _ => return vec![],
                }
            }
            column.map_or(vec![], |column| make(column, ConditionKind::Equal(Equal::Any(values))))
        }
        _ => vec![],
    }
}

/// `column LIKE 'abc%'`: from abc up to abd.
fn prefix(scan: &Scan, conjunct: usize, left: &Expression, pattern: &Expression) -> Vec<Condition> {
    let Expression::Literal(Value::Text(pattern), _) = pattern else { return vec![] };
    let Some(column) = key_column_of(scan, left, DataType::Text) else { return vec![] };
    if scan.relation.columns[column].data_type == DataType::Char {
        return vec![];
    }
    let end = pattern.find(['%', '_', '\\']).unwrap_or(pattern.len());
    let prefix = &pattern[..end];
    let Some(last) = prefix.chars().next_back() else { return vec![] };
    let literal = |text: &str| Expression::Literal(Value::text(text), DataType::Text);
    let condition = |kind| Condition { conjunct, column, kind, exact: false };
    let mut found = vec![condition(ConditionKind::Lower(literal(prefix), true))];
    // The next character after the last one; past the surrogates, and none after the very last.
    let next = if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(last as u32 + 1) };
    if let Some(next) = next {
        let above = format!("{}{next}", &prefix[..prefix.len() - last.len_utf8()]);
        found.push(condition(ConditionKind::Upper(literal(&above), false)));
    }
    found
}

/// The table column that an expression is, if it can be compared by keys with values of the other's type.
fn key_column(scan: &Scan, expression: &Expression, other: &Expression) -> Option<usize> {
    key_column_of(scan, expression, other.data_type())
}

fn key_column_of(scan: &Scan, expression: &Expression, other: DataType) -> Option<usize> {
    let expression = match expression {
        Expression::Cast { input, modifier: -1, .. } => input,
        expression => expression,
    };
    let Expression::Column { id, .. } = expression else { return None };
    let (_, position) = scan.columns.iter().find(|(column, _)| column.id == *id)?;
    let own = scan.relation.columns[*position].data_type;
    let same_form = |data_type| matches!(data_type, DataType::Text | DataType::Varchar | DataType::Name);
    let comparable = own == other || (own.is_integer() && other.is_integer()) || (same_form(own) && same_form(other));
    comparable.then_some(*position)
}

/// Reads nothing of the scan, and is the same for all of its rows.
fn is_outside(scan: &Scan, expression: &Expression) -> bool {
    let own: Vec<ColumnId> = scan.columns.iter().map(|(column, _)| column.id).collect();
    !walk::reads_any(expression, &own) && !walk::is_volatile(expression)
}

fn mirrored(operator: &'static str) -> &'static str {
    match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        operator => operator,
    }
}
