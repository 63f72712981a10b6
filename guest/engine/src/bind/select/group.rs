//! GROUP BY: what it groups by, and what may stand above it (PostgreSQL 15, sections 7.2.3 and 7.2.4).

use super::super::binder::Binder;
use super::super::expression::{ColumnId, Expression};
use super::super::logical::{Aggregate, Plan, PlanColumn};
use super::super::name::fold;
use super::super::scope::Scope;
use super::super::site::{Calls, Clause, Site};
use super::super::walk;
use super::block::{Computed, Output};
use super::order::numbered;
use crate::error::{Error, Result, sqlstate};
use crate::types::DataType;
use sqlparser::ast::{Expr, GroupByExpr};
use std::cell::Cell;

/// Grouping sets that CUBE and its like may multiply to, as in PostgreSQL.
const SETS_MAX: usize = 4096;

/// Elements of one CUBE.
const CUBE_MAX: usize = 12;

#[derive(Default)]
pub struct Groups {
    expressions: Vec<Expression>,
    /// Positions in `expressions`; none without GROUP BY.
    sets: Option<Vec<Vec<usize>>>,
    /// Whether GROUPING SETS, ROLLUP, CUBE or `()` were used.
    is_plain: bool,
}

/// What makes a query a grouped one.
#[derive(Clone, Copy, Default)]
pub struct Grouped {
    pub groups: bool,
    pub having: bool,
    pub aggregates: bool,
}

impl Binder<'_> {
    pub fn group_by(&mut self, scope: &Scope, group_by: &GroupByExpr, outputs: &[Output]) -> Result<Groups> {
        let GroupByExpr::Expressions(items, modifiers) = group_by else {
            return Err(Error::not_supported("GROUP BY ALL"));
        };
        if !modifiers.is_empty() {
            return Err(Error::not_supported("GROUP BY … WITH"));
        }
        let mut groups = Groups { is_plain: true, ..Default::default() };
        let mut site = Site::new(scope, Clause::GroupBy);
        for item in items {
            let sets = self.grouping_item(&mut site, item, outputs, &mut groups)?;
            let before = groups.sets.take().unwrap_or_else(|| vec![vec![]]);
            if before.len() * sets.len() > SETS_MAX {
                let message = format!("too many grouping sets present (maximum {SETS_MAX})");
                return Err(Error::new(sqlstate::STATEMENT_TOO_COMPLEX, message));
            }
            let product = before.iter().flat_map(|left| {
                sets.iter().map(|right| {
                    let mut set = left.clone();
                    set.extend(right.iter().filter(|position| !left.contains(position)));
                    set
                })
            });
            groups.sets = Some(product.collect());
        }
        Ok(groups)
    }

    /// The sets that one item of GROUP BY stands for.
    fn grouping_item(
        &mut self,
        site: &mut Site,
        item: &Expr,
        outputs: &[Output],
        groups: &mut Groups,
    ) -> Result<Vec<Vec<usize>>> {
        match item {
            Expr::Tuple(members) => {
                groups.is_plain &= !members.is_empty();
                Ok(vec![self.group_members(site, members, outputs, groups)?])
            }
            Expr::GroupingSets(sets) => {
                groups.is_plain = false;
                let sets = sets.iter().map(|set| self.group_members(site, set, outputs, groups));
                sets.collect()
            }
            Expr::Rollup(elements) => {
                groups.is_plain = false;
                let elements = self.grouping_elements(site, elements, outputs, groups)?;
                Ok((0..=elements.len()).rev().map(|length| union(&elements[..length])).collect())
            }
            Expr::Cube(elements) => {
                groups.is_plain = false;
                let elements = self.grouping_elements(site, elements, outputs, groups)?;
                if elements.len() > CUBE_MAX {
                    let message = format!("CUBE is limited to {CUBE_MAX} elements");
                    return Err(Error::new(sqlstate::TOO_MANY_COLUMNS, message));
                }
                let count = 1usize << elements.len();
                Ok((0..count)
                    .rev()
                    .map(|mask| {
                        let chosen: Vec<Vec<usize>> = elements
                            .iter()
                            .enumerate()
                            .filter(|(place, _)| mask >> (elements.len() - 1 - place) & 1 == 1)
                            .map(|(_, element)| element.clone())
                            .collect();
                        union(&chosen)
                    })
                    .collect())
            }
            item => Ok(vec![vec![self.group_member(site, item, outputs, groups)?]]),
        }
    }

    fn grouping_elements(
        &mut self,
        site: &mut Site,
        elements: &[Vec<Expr>],
        outputs: &[Output],
        groups: &mut Groups,
    ) -> Result<Vec<Vec<usize>>> {
        elements.iter().map(|element| self.group_members(site, element, outputs, groups)).collect()
    }

    fn group_members(
        &mut self,
        site: &mut Site,
        members: &[Expr],
        outputs: &[Output],
        groups: &mut Groups,
    ) -> Result<Vec<usize>> {
        let mut set = vec![];
        for member in members {
            let place = self.group_member(site, member, outputs, groups)?;
            if !set.contains(&place) {
                set.push(place);
            }
        }
        Ok(set)
    }

    /// The place of one expression among the groups.
    fn group_member(
        &mut self,
        site: &mut Site,
        member: &Expr,
        outputs: &[Output],
        groups: &mut Groups,
    ) -> Result<usize> {
        let mut inner = member;
        while let Expr::Nested(nested) = inner {
            inner = nested;
        }
        let expression = match self.group_expression(site, inner, outputs)? {
            row @ Expression::Row { .. } => {
                let Expression::Row { fields } = &row else { return Err(Error::internal("a row without fields")) };
                match &fields[..] {
                    [] => row,
                    _ => return Err(Error::not_supported("grouping by a row")),
                }
            }
            expression => expression,
        };
        if expression.data_type() == DataType::Json {
            let message = "could not identify an equality operator for type json";
            return Err(
                Error::new(sqlstate::UNDEFINED_FUNCTION, message).at(super::super::name::expression_position(member))
            );
        }
        if let Some(known) = groups.expressions.iter().position(|known| walk::same(known, &expression)) {
            return Ok(known);
        }
        groups.expressions.push(expression);
        Ok(groups.expressions.len() - 1)
    }

    /// A column of FROM, then an output's name or number, then any expression.
    fn group_expression(&mut self, site: &mut Site, member: &Expr, outputs: &[Output]) -> Result<Expression> {
        if let Some(output) = numbered(member, outputs, "GROUP BY")? {
            return Ok(output.expression.clone());
        }
        if let Expr::Identifier(identifier) = member {
            let name = fold(identifier);
            let in_from = site.scope.from.columns.iter().any(|column| column.name == name);
            let named = outputs.iter().find(|output| output.name == name);
            if let (false, Some(output)) = (in_from, named) {
                return Ok(output.expression.clone());
            }
        }
        self.settled(site, member)
    }

    /// Puts grouping on top of `plan`, when the query has any, and makes everything above it refer to its columns.
    pub fn grouped(
        &mut self,
        plan: &mut Plan,
        scope: &Scope,
        own: &[ColumnId],
        groups: Groups,
        computed: &mut Computed,
        calls: &mut Calls,
    ) -> Result<Grouped> {
        let grouped = Grouped {
            groups: groups.sets.is_some(),
            having: computed.having.is_some(),
            aggregates: !calls.aggregates.is_empty(),
        };
        if !grouped.groups && !grouped.having && !grouped.aggregates && calls.groupings.is_empty() {
            return Ok(grouped);
        }
        let is_plain = groups.is_plain;
        let grouping_sets = groups.sets.unwrap_or_else(|| vec![vec![]]);
        let aggregate_columns: Vec<ColumnId> = calls
            .aggregates
            .iter()
            .map(|(column, _)| column.id)
            .chain(calls.windows.iter().map(|(id, _)| *id))
            .chain(calls.sets.iter().flat_map(|call| call.columns.iter().map(|column| column.id)))
            .chain(calls.groupings.iter().map(|(column, ..)| column.id))
            .collect();
        let late: Vec<ColumnId> = groups.expressions.iter().flat_map(walk::columns).collect();
        if late.iter().any(|id| aggregate_columns.contains(id)) {
            return Err(self.misplaced(calls, &late));
        }
        let mut keys: Vec<(PlanColumn, Expression)> = groups
            .expressions
            .into_iter()
            .map(|expression| (self.output_column("", &expression), expression))
            .collect();
        let grouping_calls = grouping_calls(calls, &keys)?;
        let mut depended = Dependents::new(scope, &keys, is_plain);
        {
            let first_reference = Cell::new(computed.after_outputs);
            let mut replace = |expression: &mut Expression| -> Result<bool> {
                if let Some((column, _)) = keys.iter().find(|(_, key)| walk::same(key, expression)) {
                    *expression = Expression::Column { id: column.id, data_type: column.data_type };
                    return Ok(true);
                }
                let Expression::Column { id, data_type } = expression else { return Ok(false) };
                if !own.contains(id) {
                    return Ok(false);
                }
                if let Some(column) = depended.column(self, *id, *data_type) {
                    *expression = column;
                    return Ok(true);
                }
                Err(self.ungrouped(*id, calls, first_reference.get()))
            };
            for (start, expression) in computed.expressions() {
                first_reference.set(start);
                walk::rewrite(expression, &mut replace)?;
            }
            first_reference.set(0);
            let mut windows = calls.windows.clone();
            for (_, call) in &mut windows {
                walk::window_call(call, &mut |expression| walk::rewrite(expression, &mut replace))?;
            }
            let mut sets = calls.sets.clone();
            for argument in sets.iter_mut().flat_map(|call| &mut call.arguments) {
                walk::rewrite(argument, &mut replace)?;
            }
            calls.windows = windows;
            calls.sets = sets;
        }
        let mut grouping_sets = grouping_sets;
        for (column, expression) in depended.found {
            // Only plain grouping, which has one set, finds any.
            grouping_sets.iter_mut().for_each(|set| set.push(keys.len()));
            keys.push((column, expression));
        }
        let input = std::mem::replace(plan, Plan::Unit);
        *plan = Plan::Aggregate(Box::new(Aggregate {
            input,
            groups: keys,
            grouping_sets,
            aggregates: std::mem::take(&mut calls.aggregates),
            grouping_calls,
        }));
        Ok(grouped)
    }

    fn ungrouped(&self, id: ColumnId, calls: &Calls, first_reference: usize) -> Error {
        let message = format!(
            "column \"{}\" must appear in the GROUP BY clause or be used in an aggregate function",
            self.shown(id)
        );
        match calls.references.iter().skip(first_reference).find(|(known, _)| *known == id) {
            Some((_, at)) => Error::new(sqlstate::GROUPING_ERROR, message).at(*at),
            // Subqueries note their references elsewhere.
            None => {
                let message = format!("subquery uses ungrouped column \"{}\" from outer query", self.shown(id));
                Error::new(sqlstate::GROUPING_ERROR, message)
            }
        }
    }

    /// GROUP BY an output that is computed after grouping.
    fn misplaced(&self, calls: &Calls, used: &[ColumnId]) -> Error {
        if calls.aggregates.iter().any(|(column, _)| used.contains(&column.id)) {
            Error::new(sqlstate::GROUPING_ERROR, "aggregate functions are not allowed in GROUP BY")
        } else if calls.windows.iter().any(|(id, _)| used.contains(id)) {
            Error::new(sqlstate::WINDOWING_ERROR, "window functions are not allowed in GROUP BY")
        } else {
            Error::not_supported("grouping by a set-returning function")
        }
    }
}

fn union(sets: &[Vec<usize>]) -> Vec<usize> {
    let mut all = vec![];
    for place in sets.iter().flatten() {
        if !all.contains(place) {
            all.push(*place);
        }
    }
    all
}

fn grouping_calls(calls: &mut Calls, keys: &[(PlanColumn, Expression)]) -> Result<Vec<(PlanColumn, Vec<usize>)>> {
    std::mem::take(&mut calls.groupings)
        .into_iter()
        .map(|(column, arguments, at)| {
            let places = arguments.iter().map(|argument| {
                keys.iter().position(|(_, key)| walk::same(key, argument)).ok_or_else(|| {
                    let message = "arguments to GROUPING must be grouping expressions of the associated query level";
                    Error::new(sqlstate::GROUPING_ERROR, message).at(at)
                })
            });
            Ok((column, places.collect::<Result<_>>()?))
        })
        .collect()
}

/// Columns that the groups decide, because these hold the whole primary key of their table.
struct Dependents {
    decided: Vec<ColumnId>,
    found: Vec<(PlanColumn, Expression)>,
}

impl Dependents {
    fn new(scope: &Scope, keys: &[(PlanColumn, Expression)], is_plain: bool) -> Dependents {
        let mut decided = vec![];
        let is_key = |id: &ColumnId| {
            keys.iter().any(|(_, key)| matches!(key, Expression::Column { id: grouped, .. } if grouped == id))
        };
        for table in scope.from.tables.iter().filter(|_| is_plain) {
            let Some(relation) = &table.relation else { continue };
            let Some(primary) = relation.primary_key() else { continue };
            let columns: Vec<(usize, ColumnId)> = relation
                .live_columns()
                .zip(&table.columns)
                .filter_map(|((place, _), column)| match column.expression {
                    Expression::Column { id, .. } => Some((place, id)),
                    _ => None,
                })
                .collect();
            let grouped = |place: usize| columns.iter().any(|(known, id)| *known == place && is_key(id));
            if primary.columns.iter().all(|column| grouped(column.column)) {
                decided.extend(columns.iter().map(|(_, id)| *id));
            }
        }
        Dependents { decided, found: vec![] }
    }

    /// The group that stands for a decided column, a new one at its first use.
    fn column(&mut self, binder: &mut Binder, id: ColumnId, data_type: DataType) -> Option<Expression> {
        if !self.decided.contains(&id) {
            return None;
        }
        let is_it = |key: &Expression| matches!(key, Expression::Column { id: known, .. } if *known == id);
        let known = self.found.iter().find(|(_, key)| is_it(key)).map(|(column, _)| column.id);
        let group = known.unwrap_or_else(|| {
            let expression = Expression::Column { id, data_type };
            let column = binder.output_column("", &expression);
            let group = column.id;
            self.found.push((column, expression));
            group
        });
        Some(Expression::Column { id: group, data_type })
    }
}
