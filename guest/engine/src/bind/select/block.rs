//! One SELECT: from its FROM to its outputs.

use super::super::binder::Binder;
use super::super::expression::{ColumnId, Expression, SortKey};
use super::super::logical::{Plan, PlanColumn, SetCall};
use super::super::name::{expression_position, fold, parts};
use super::super::scope::{Scope, ScopeColumn};
use super::super::site::{Clause, Site};
use super::super::walk;
use super::from::Item;
use super::output::output_name;
use super::{Tail, Untyped};
use crate::error::{Error, Result, sqlstate};
use crate::types::DataType;
use sqlparser::ast::{
    Distinct, Expr, Select, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind, WildcardAdditionalOptions,
};

/// One column of a select list.
#[derive(Clone, Debug)]
pub struct Output {
    pub name: String,
    pub expression: Expression,
    /// Where its references to columns begin in `Calls::references`.
    pub first_reference: usize,
}

/// Everything that a SELECT computes, before it is known what grouping makes of it.
pub struct Computed {
    pub outputs: Vec<Output>,
    pub having: Option<Expression>,
    pub order_by: Vec<SortKey>,
    pub distinct_on: Option<Vec<Expression>>,
    /// Where the references after the outputs begin in `Calls::references`.
    pub after_outputs: usize,
}

impl Computed {
    /// Every expression that stands above grouping, with where its references to columns begin.
    pub fn expressions(&mut self) -> impl Iterator<Item = (usize, &mut Expression)> {
        let after_outputs = self.after_outputs;
        let later = self
            .having
            .iter_mut()
            .chain(self.order_by.iter_mut().map(|key| &mut key.expression))
            .chain(self.distinct_on.iter_mut().flatten());
        self.outputs
            .iter_mut()
            .map(|output| (output.first_reference, &mut output.expression))
            .chain(later.map(move |expression| (after_outputs, expression)))
    }
}

impl Binder<'_> {
    pub fn select(&mut self, select: &Select, outer: Option<&Scope>, tail: &Tail, untyped: Untyped) -> Result<Plan> {
        let Select {
            select_token: _,
            optimizer_hints: _,
            distinct,
            select_modifiers: None,
            top: None,
            top_before_distinct: _,
            projection,
            exclude: None,
            into: None,
            from,
            lateral_views,
            prewhere: None,
            selection,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having,
            named_window,
            qualify: None,
            window_before_qualify: _,
            value_table_mode: None,
            flavor: SelectFlavor::Standard,
        } = select
        else {
            return Err(match &select.into {
                Some(_) => Error::not_supported("SELECT INTO"),
                None => Error::not_supported("a clause of this SELECT"),
            });
        };
        let foreign = [cluster_by.len(), distribute_by.len(), sort_by.len(), lateral_views.len(), connect_by.len()];
        if foreign != [0; 5] {
            return Err(Error::not_supported("a clause of this SELECT"));
        }
        let Item { mut plan, names } = self.from(from, outer)?;
        let own: Vec<ColumnId> = plan.columns().iter().map(|column| column.id).collect();
        let scope = Scope::inside(outer, names);
        if let Some(selection) = selection {
            let predicate = self.boolean(&mut Site::new(&scope, Clause::Where), selection, "WHERE")?;
            plan = Plan::Filter { input: Box::new(plan), predicate };
        }
        let mut site = Site::new(&scope, Clause::SelectList);
        self.named_windows(&mut site, named_window)?;
        let keep = untyped == Untyped::Keep && distinct.is_none();
        let outputs = self.select_list(&mut site, projection, keep)?;
        let after_outputs = site.calls.references.len();
        let groups = self.group_by(&scope, group_by, &outputs)?;
        let having = match having {
            Some(having) => {
                site.clause = Clause::Having;
                site.aliases = outputs.iter().map(|output| (output.name.clone(), output.expression.clone())).collect();
                let bound = self.boolean(&mut site, having, "HAVING");
                site.aliases.clear();
                Some(bound?)
            }
            None => None,
        };
        let mut computed = Computed { outputs, having, order_by: vec![], distinct_on: None, after_outputs };
        site.clause = Clause::OrderBy;
        computed.order_by = self.order_by(&mut site, tail.order_by, &mut computed.outputs)?;
        let is_distinct = match distinct {
            None | Some(Distinct::All) => false,
            Some(Distinct::Distinct) => true,
            Some(Distinct::On(expressions)) => {
                site.clause = Clause::DistinctOn;
                let on = self.distinct_on(&mut site, expressions, &mut computed)?;
                computed.distinct_on = Some(on);
                false
            }
        };
        let mut calls = std::mem::take(&mut site.calls);
        let has_sets = !calls.sets.is_empty();
        let is_grouped = self.grouped(&mut plan, &scope, &own, groups, &mut computed, &mut calls)?;
        if let Some(predicate) = computed.having.take() {
            plan = Plan::Filter { input: Box::new(plan), predicate };
        }
        if !calls.windows.is_empty() {
            plan = Plan::Window { input: Box::new(plan), calls: calls.windows };
        }
        let has_windows = matches!(plan, Plan::Window { .. });
        let locked = self.locked(
            &mut plan,
            tail.locks,
            [
                (is_distinct || computed.distinct_on.is_some(), "DISTINCT clause"),
                (is_grouped.groups, "GROUP BY clause"),
                (is_grouped.having, "HAVING clause"),
                (is_grouped.aggregates, "aggregate functions"),
                (has_windows, "window functions"),
                (has_sets, "set-returning functions in the target list"),
            ],
        )?;
        plan = project_sets(plan, calls.sets);
        self.finish(plan, computed, is_distinct, locked, tail, &scope)
    }

    /// The select list, wildcards spelled out.
    pub fn select_list(&mut self, site: &mut Site, items: &[SelectItem], keep: bool) -> Result<Vec<Output>> {
        let mut outputs = vec![];
        for item in items {
            match item {
                SelectItem::UnnamedExpr(written) => {
                    outputs.push(self.output(site, written, output_name(written), keep)?);
                }
                SelectItem::ExprWithAlias { expr: written, alias } => {
                    outputs.push(self.output(site, written, fold(alias), keep)?);
                }
                SelectItem::ExprWithAliases { .. } => return Err(Error::not_supported("several names of one output")),
                SelectItem::Wildcard(options) => {
                    check_wildcard(options)?;
                    if site.scope.from.tables.is_empty() {
                        let message = "SELECT * with no tables specified is not valid";
                        return Err(Error::new(sqlstate::SYNTAX_ERROR, message).at(wildcard_position(options)));
                    }
                    let columns = site.scope.from.columns.clone();
                    expand(site, columns, wildcard_position(options), &mut outputs);
                }
                SelectItem::QualifiedWildcard(kind, options) => {
                    check_wildcard(options)?;
                    let columns = self.qualified_wildcard(site, kind)?;
                    expand(site, columns, wildcard_position(options), &mut outputs);
                }
            }
        }
        Ok(outputs)
    }

    fn output(&mut self, site: &mut Site, written: &Expr, name: String, keep: bool) -> Result<Output> {
        let first_reference = site.calls.references.len();
        let expression = if keep { self.expression(site, written)? } else { self.settled(site, written)? };
        Ok(Output { name, expression, first_reference })
    }

    fn qualified_wildcard(
        &mut self,
        site: &mut Site,
        kind: &SelectItemQualifiedWildcardKind,
    ) -> Result<Vec<ScopeColumn>> {
        match kind {
            SelectItemQualifiedWildcardKind::ObjectName(name) => match parts(name)?[..] {
                [table] => Ok(site.scope.table(None, table)?.columns.clone()),
                [schema, table] => Ok(site.scope.table(Some(schema), table)?.columns.clone()),
                _ => Err(Error::not_supported(format!("the wildcard {name}.*"))),
            },
            SelectItemQualifiedWildcardKind::Expr(row) => {
                let mut inner = row;
                while let Expr::Nested(nested) = inner {
                    inner = nested;
                }
                match inner {
                    Expr::Identifier(table) => Ok(site.scope.table(None, table)?.columns.clone()),
                    other => {
                        Err(Error::not_supported(format!("the wildcard ({other}).*")).at(expression_position(other)))
                    }
                }
            }
        }
    }

    /// Outputs, sorting, DISTINCT, LIMIT and locks on top of what they are computed from.
    fn finish(
        &mut self,
        plan: Plan,
        computed: Computed,
        is_distinct: bool,
        locked: Vec<super::super::logical::LockedTable>,
        tail: &Tail,
        scope: &Scope,
    ) -> Result<Plan> {
        let mut outputs: Vec<(PlanColumn, Expression)> = vec![];
        for Output { name, expression, first_reference: _ } in computed.outputs {
            outputs.push((self.output_column(&name, &expression), expression));
        }
        let shown = outputs.len();
        let mut keys = vec![];
        for SortKey { expression, descending, nulls_first } in computed.order_by {
            let expression = self.computed_column(&mut outputs, expression);
            keys.push(SortKey { expression, descending, nulls_first });
        }
        if is_distinct && outputs.len() > shown {
            let message = "for SELECT DISTINCT, ORDER BY expressions must appear in select list";
            let at = tail.order_by.iter().find_map(|key| expression_position(&key.expr));
            return Err(Error::new(sqlstate::INVALID_COLUMN_REFERENCE, message).at(at));
        }
        check_distinct_types(is_distinct, &outputs[..shown])?;
        let on = computed.distinct_on.map(|on| {
            on.into_iter().map(|expression| self.computed_column(&mut outputs, expression)).collect::<Vec<_>>()
        });
        for table in &locked {
            let identity = Expression::Column { id: table.row_identity, data_type: DataType::Bytea };
            let column = PlanColumn::unnamed(table.row_identity, "row identity", DataType::Bytea);
            outputs.push((column, identity));
        }
        let kept: Vec<PlanColumn> = outputs[..shown].iter().map(|(column, _)| column.clone()).collect();
        let has_hidden = outputs.len() > shown;
        let mut plan = Plan::Project { input: Box::new(plan), outputs };
        if is_distinct {
            plan = Plan::Distinct { input: Box::new(plan), on: None };
        }
        if !keys.is_empty() {
            plan = Plan::Sort { input: Box::new(plan), keys: keys.clone() };
        }
        if let Some(on) = on {
            plan = Plan::Distinct { input: Box::new(plan), on: Some(on) };
        }
        if !locked.is_empty() {
            plan = Plan::Lock { input: Box::new(plan), tables: locked };
        }
        plan = self.limit(plan, &tail.limits, &keys, scope)?;
        if has_hidden {
            let outputs = kept
                .into_iter()
                .map(|column| {
                    let expression = Expression::Column { id: column.id, data_type: column.data_type };
                    let shown = self.sourced_column("", &column.name, column.data_type, column.modifier, column.source);
                    (shown, expression)
                })
                .collect();
            plan = Plan::Project { input: Box::new(plan), outputs };
        }
        Ok(plan)
    }

    /// The output that computes an expression, a hidden one if no other does.
    fn computed_column(&mut self, outputs: &mut Vec<(PlanColumn, Expression)>, expression: Expression) -> Expression {
        let known =
            outputs.iter().find(|(_, output)| walk::same(output, &expression)).map(|(column, _)| column.clone());
        let column = known.unwrap_or_else(|| {
            let column = self.output_column("", &expression);
            outputs.push((column.clone(), expression));
            column
        });
        Expression::Column { id: column.id, data_type: column.data_type }
    }
}

/// Set-returning functions of a select list, those whose arguments need others above them.
fn project_sets(mut plan: Plan, sets: Vec<SetCall>) -> Plan {
    let mut waiting = sets;
    while !waiting.is_empty() {
        let open: Vec<ColumnId> = waiting.iter().flat_map(|call| call.columns.iter().map(|column| column.id)).collect();
        let (ready, later): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|call| !call.arguments.iter().flat_map(walk::columns).any(|id| open.contains(&id)));
        if ready.is_empty() {
            return plan;
        }
        plan = Plan::ProjectSet { input: Box::new(plan), calls: ready };
        waiting = later;
    }
    plan
}

fn expand(site: &mut Site, columns: Vec<ScopeColumn>, at: Option<u32>, outputs: &mut Vec<Output>) {
    for ScopeColumn { name, expression } in columns {
        let first_reference = site.calls.references.len();
        for id in walk::columns(&expression) {
            site.calls.references.push((id, at));
        }
        outputs.push(Output { name, expression, first_reference });
    }
}

fn check_wildcard(options: &WildcardAdditionalOptions) -> Result<()> {
    match options {
        WildcardAdditionalOptions {
            wildcard_token: _,
            opt_ilike: None,
            opt_exclude: None,
            opt_except: None,
            opt_replace: None,
            opt_rename: None,
            opt_alias: None,
        } => Ok(()),
        _ => Err(Error::not_supported("a wildcard with options")),
    }
}

fn wildcard_position(options: &WildcardAdditionalOptions) -> Option<u32> {
    u32::try_from(options.wildcard_token.0.span.start.column).ok().filter(|&column| column > 0)
}

fn check_distinct_types(is_distinct: bool, outputs: &[(PlanColumn, Expression)]) -> Result<()> {
    match outputs.iter().find(|(column, _)| is_distinct && column.data_type == DataType::Json) {
        Some((column, _)) => {
            let message = format!("could not identify an equality operator for type {}", column.data_type.name());
            Err(Error::new(sqlstate::UNDEFINED_FUNCTION, message))
        }
        None => Ok(()),
    }
}
