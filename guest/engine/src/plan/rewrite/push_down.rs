//! Predicates sink as far as they can: through projections, groups, windows and set operations, into the sides of
//! joins, down to the scans whose indexes may answer them.

use super::strict::rejects_nulls;
use crate::bind::expression::{ColumnId, Expression};
use crate::bind::logical::{Aggregate, CommonTableKind, Join, JoinKind, Plan, PlanColumn, SetOperation};
use crate::plan::walk;
use crate::types::{DataType, Value};
use hashbrown::HashMap;

/// The plan's rows for which all conjuncts hold.
pub fn push_down(plan: Plan, mut conjuncts: Vec<Expression>) -> Plan {
    conjuncts.retain(|conjunct| !matches!(conjunct, Expression::Literal(Value::Boolean(true), _)));
    if conjuncts.iter().any(|conjunct| matches!(conjunct, Expression::Literal(..))) && !walk::is_volatile_plan(&plan) {
        return Plan::Empty { columns: plan.columns() };
    }
    match plan {
        Plan::Filter { input, predicate } => {
            let mut all = walk::conjuncts(predicate);
            all.extend(conjuncts);
            push_down(*input, all)
        }
        Plan::Project { input, outputs } => project(*input, outputs, conjuncts),
        Plan::Join(join) => self::join(*join, conjuncts),
        Plan::Aggregate(aggregate) => self::aggregate(*aggregate, conjuncts),
        Plan::Window { input, calls } => {
            // Whole partitions may go.
            let in_every = |id: &ColumnId| {
                calls.iter().all(|(_, call)| {
                    call.partition_by.iter().any(|key| matches!(key, Expression::Column { id: key, .. } if key == id))
                })
            };
            let sinks = |conjunct: &Expression| {
                let columns = walk::columns(conjunct);
                !columns.is_empty() && columns.iter().all(in_every) && is_movable(conjunct)
            };
            let pushed = walk::extract(&mut conjuncts, sinks);
            let input = Box::new(push_down(*input, pushed));
            walk::filter(Plan::Window { input, calls }, conjuncts)
        }
        Plan::Sort { input, keys } => {
            let pushed = walk::extract(&mut conjuncts, is_movable);
            walk::filter(Plan::Sort { input: Box::new(push_down(*input, pushed)), keys }, conjuncts)
        }
        Plan::Distinct { input, on: None } => {
            let pushed = walk::extract(&mut conjuncts, is_movable);
            walk::filter(Plan::Distinct { input: Box::new(push_down(*input, pushed)), on: None }, conjuncts)
        }
        Plan::ProjectSet { input, calls } => {
            let produced: Vec<ColumnId> =
                calls.iter().flat_map(|call| call.columns.iter().map(|column| column.id)).collect();
            let sinks = |conjunct: &Expression| !walk::reads_any(conjunct, &produced) && is_movable(conjunct);
            let pushed = walk::extract(&mut conjuncts, sinks);
            let input = Box::new(push_down(*input, pushed));
            walk::filter(Plan::ProjectSet { input, calls }, conjuncts)
        }
        Plan::SetOperation(operation) => set_operation(*operation, conjuncts),
        Plan::With { mut tables, body } => {
            for table in &mut tables {
                let inner = match &mut table.kind {
                    CommonTableKind::Plain(plan) => vec![plan],
                    CommonTableKind::Recursive { anchor, recursive, .. } => vec![anchor, recursive],
                };
                for plan in inner {
                    *plan = push_down(std::mem::replace(plan, Plan::Unit), vec![]);
                }
            }
            Plan::With { tables, body: Box::new(push_down(*body, conjuncts)) }
        }
        mut plan => {
            for input in walk::inputs_mut(&mut plan) {
                *input = push_down(std::mem::replace(input, Plan::Unit), vec![]);
            }
            walk::filter(plan, conjuncts)
        }
    }
}

/// May be evaluated for other rows, or more often, than it is written for.
fn is_movable(conjunct: &Expression) -> bool {
    !walk::is_volatile(conjunct)
}

fn ids(columns: &[PlanColumn]) -> Vec<ColumnId> {
    columns.iter().map(|column| column.id).collect()
}

/// The conjunct with columns replaced by what they stand for.
fn substituted(conjunct: &Expression, by: &HashMap<ColumnId, Expression>) -> Expression {
    let mut conjunct = conjunct.clone();
    walk::replace(&mut conjunct, &mut |expression| {
        if let Expression::Column { id, .. } = expression
            && let Some(meaning) = by.get(id)
        {
            *expression = meaning.clone();
        }
    });
    conjunct
}

fn project(input: Plan, outputs: Vec<(PlanColumn, Expression)>, mut conjuncts: Vec<Expression>) -> Plan {
    let meaning: HashMap<ColumnId, Expression> =
        outputs.iter().map(|(column, output)| (column.id, output.clone())).collect();
    let sinks = |conjunct: &Expression| {
        let fixed =
            |id: &ColumnId| meaning.get(id).is_none_or(|output| is_movable(output) && !walk::has_subquery(output));
        is_movable(conjunct) && walk::columns(conjunct).iter().all(fixed)
    };
    let pushed = walk::extract(&mut conjuncts, sinks);
    let pushed = pushed.iter().map(|conjunct| substituted(conjunct, &meaning)).collect();
    let input = Box::new(push_down(input, pushed));
    walk::filter(Plan::Project { input, outputs }, conjuncts)
}

fn join(mut join: Join, mut conjuncts: Vec<Expression>) -> Plan {
    let (left, right) = (ids(&join.left.columns()), ids(&join.right.columns()));
    if join.kind == JoinKind::Full && conjuncts.iter().any(|conjunct| rejects_nulls(conjunct, &left)) {
        join.kind = JoinKind::Left;
        return self::join(join, conjuncts);
    }
    if join.kind == JoinKind::Full && conjuncts.iter().any(|conjunct| rejects_nulls(conjunct, &right)) {
        join.kind = JoinKind::Right;
        return self::join(join, conjuncts);
    }
    if join.kind == JoinKind::Right && !join.lateral {
        std::mem::swap(&mut join.left, &mut join.right);
        join.kind = JoinKind::Left;
        return self::join(join, conjuncts);
    }
    if join.kind == JoinKind::Left && conjuncts.iter().any(|conjunct| rejects_nulls(conjunct, &right)) {
        join.kind = JoinKind::Inner;
    }
    let mut condition = join.condition.take().map_or(vec![], walk::conjuncts);
    let only = |conjunct: &Expression, not: &[ColumnId]| is_movable(conjunct) && !walk::reads_any(conjunct, not);
    let (mut to_left, mut to_right) = (vec![], vec![]);
    match join.kind {
        JoinKind::Inner => {
            condition.append(&mut conjuncts);
            condition = with_equal_constants(condition);
            // What reads neither side is checked once, not per pair.
            to_left = walk::extract(&mut condition, |conjunct| only(conjunct, &right));
            to_right = walk::extract(&mut condition, |conjunct| only(conjunct, &left));
        }
        JoinKind::Left => {
            to_left = walk::extract(&mut conjuncts, |conjunct| only(conjunct, &right));
            // A value that the left rows are known to have is what right rows must match.
            let known = with_equal_constants(to_left.iter().chain(&condition).cloned().collect());
            let derived = known.into_iter().skip(to_left.len() + condition.len());
            to_right.extend(derived.filter(|conjunct| only(conjunct, &left) && walk::reads_any(conjunct, &right)));
            to_right.extend(walk::extract(&mut condition, |conjunct| {
                only(conjunct, &left) && walk::reads_any(conjunct, &right)
            }));
        }
        JoinKind::Semi | JoinKind::Anti => {
            to_left = walk::extract(&mut conjuncts, is_movable);
            to_right =
                walk::extract(&mut condition, |conjunct| only(conjunct, &left) && walk::reads_any(conjunct, &right));
            if join.kind == JoinKind::Semi {
                to_left.extend(walk::extract(&mut condition, |conjunct| only(conjunct, &right)));
            }
        }
        JoinKind::Right | JoinKind::Full => {}
    }
    if join.kind == JoinKind::Semi
        && !join.lateral
        && let Some(plan) = sink(&mut join, &condition, &mut to_left, &to_right)
    {
        return walk::filter(plan, conjuncts);
    }
    let left = push_down(join.left, to_left);
    let right = push_down(join.right, to_right);
    let condition = walk::conjunction(condition);
    let plan = Plan::Join(Box::new(Join { kind: join.kind, left, right, condition, lateral: join.lateral }));
    walk::filter(plan, conjuncts)
}

/// A semi join with one table of several takes place before these are joined.
fn sink(
    join: &mut Join,
    condition: &[Expression],
    to_left: &mut Vec<Expression>,
    to_right: &[Expression],
) -> Option<Plan> {
    let mut left = &mut join.left;
    while let Plan::Filter { input, .. } = left {
        left = input;
    }
    let Plan::Join(inner) = left else { return None };
    if inner.kind != JoinKind::Inner || inner.lateral || condition.is_empty() {
        return None;
    }
    let (first, second) = (ids(&inner.left.columns()), ids(&inner.right.columns()));
    let reads = |columns: &[ColumnId]| condition.iter().any(|conjunct| walk::reads_any(conjunct, columns));
    let side = match (reads(&first), reads(&second)) {
        (true, false) => &mut inner.left,
        (false, true) => &mut inner.right,
        _ => return None,
    };
    let table = std::mem::replace(side, Plan::Unit);
    let right = walk::filter(std::mem::replace(&mut join.right, Plan::Unit), to_right.to_vec());
    let condition = walk::conjunction(condition.to_vec());
    *side = Plan::Join(Box::new(Join { kind: JoinKind::Semi, left: table, right, condition, lateral: false }));
    let plan = std::mem::replace(&mut join.left, Plan::Unit);
    Some(push_down(plan, std::mem::take(to_left)))
}

/// From `a = b` and `a = constant` follows `b = constant`: the derived conjuncts are added at the end.
fn with_equal_constants(mut conjuncts: Vec<Expression>) -> Vec<Expression> {
    let mut derived: Vec<Expression> = vec![];
    let mut known: Vec<(ColumnId, Expression)> = vec![];
    let mut pairs = vec![];
    for conjunct in &conjuncts {
        let Expression::Call { function, arguments, .. } = conjunct else { continue };
        let ("=", [left, right]) = (function.name, arguments.as_slice()) else { continue };
        match (left, right) {
            (Expression::Column { id: left, data_type }, Expression::Column { id: right, data_type: other })
                if data_type == other =>
            {
                pairs.push((*left, *right, *data_type, *function));
            }
            (Expression::Column { id, data_type }, value) | (value, Expression::Column { id, data_type })
                if value.data_type() == *data_type && is_fixed(value) =>
            {
                known.push((*id, value.clone()));
            }
            _ => {}
        }
    }
    let mut next = 0;
    while let Some((column, value)) = known.get(next).cloned() {
        next += 1;
        for (left, right, data_type, function) in &pairs {
            let other = match column {
                column if column == *left => *right,
                column if column == *right => *left,
                _ => continue,
            };
            if known.iter().any(|(known, _)| *known == other) {
                continue;
            }
            known.push((other, value.clone()));
            let arguments = vec![Expression::Column { id: other, data_type: *data_type }, value.clone()];
            derived.push(Expression::Call { function, arguments, data_type: DataType::Boolean });
        }
    }
    conjuncts.extend(derived);
    conjuncts
}

fn is_fixed(value: &Expression) -> bool {
    matches!(value, Expression::Literal(..) | Expression::Parameter { .. })
}

fn aggregate(aggregate: Aggregate, mut conjuncts: Vec<Expression>) -> Plan {
    let meaning: HashMap<ColumnId, Expression> = aggregate
        .groups
        .iter()
        .enumerate()
        .filter(|(number, (_, group))| {
            aggregate.grouping_sets.iter().all(|set| set.contains(number)) && is_movable(group)
        })
        .map(|(_, (column, group))| (column.id, group.clone()))
        .collect();
    let produced = ids(&Plan::Aggregate(Box::new(aggregate.clone())).columns());
    let sinks = |conjunct: &Expression| {
        let columns = walk::columns(conjunct);
        let of_groups = columns.iter().filter(|id| produced.contains(id)).all(|id| meaning.contains_key(id));
        // Without groups there is a row even of nothing.
        of_groups && columns.iter().any(|id| meaning.contains_key(id)) && is_movable(conjunct)
    };
    let pushed = walk::extract(&mut conjuncts, sinks);
    let pushed = pushed.iter().map(|conjunct| substituted(conjunct, &meaning)).collect();
    let Aggregate { input, groups, grouping_sets, aggregates, grouping_calls } = aggregate;
    let input = push_down(input, pushed);
    let plan = Aggregate { input, groups, grouping_sets, aggregates, grouping_calls };
    walk::filter(Plan::Aggregate(Box::new(plan)), conjuncts)
}

fn set_operation(mut operation: SetOperation, mut conjuncts: Vec<Expression>) -> Plan {
    let pushed = walk::extract(&mut conjuncts, is_movable);
    let columns = operation.columns.clone();
    let sink = |side: Plan| {
        let own = side.columns();
        let meaning = columns.iter().zip(&own).map(|(column, own)| (column.id, walk::column(own))).collect();
        let pushed = pushed.iter().map(|conjunct| substituted(conjunct, &meaning)).collect();
        push_down(side, pushed)
    };
    operation.left = sink(operation.left);
    operation.right = sink(operation.right);
    walk::filter(Plan::SetOperation(Box::new(operation)), conjuncts)
}
