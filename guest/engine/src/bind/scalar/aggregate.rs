//! Aggregates, window functions and GROUPING.

use super::super::binder::Binder;
use super::super::expression::{AggregateCall, Expression, SortKey, WindowCall, WindowCallFunction};
use super::super::name::expression_position;
use super::super::site::{Clause, Site};
use super::super::walk;
use super::call::CallSyntax;
use crate::error::{Error, Result, sqlstate};
use crate::functions::resolve;
use crate::functions::{AggregateFunction, FunctionKind, Resolved};
use crate::types::DataType;
use sqlparser::ast::{Expr, OrderByExpr};

impl Binder<'_> {
    /// An aggregate: a column that grouping will compute.
    pub fn aggregate_call(&mut self, site: &mut Site, call: &CallSyntax) -> Result<Expression> {
        self.aggregate_of(site, &call.name, call, None)
    }

    /// The same for another aggregate than the call's, of arguments that are bound already.
    pub fn aggregate_of(
        &mut self,
        site: &mut Site,
        name: &str,
        call: &CallSyntax,
        given: Option<Vec<Expression>>,
    ) -> Result<Expression> {
        if let Err(refused) = site.check_aggregate(call.position) {
            // Where this query may have no aggregate, one of an outer query may still stand.
            if site.scope.outer.is_some() && !site.in_aggregate {
                let bound = self.aggregate(site, name, call, given).map_err(|_| refused.clone())?;
                self.check_level(site, &bound, call)?;
            }
            return Err(refused);
        }
        site.in_aggregate = true;
        let references = site.calls.references.len();
        let bound = self.aggregate(site, name, call, given);
        site.in_aggregate = false;
        // What an aggregate refers to needs no grouping.
        site.calls.references.truncate(references);
        let bound = bound?;
        self.check_level(site, &bound, call)?;
        // Equal calls are computed once.
        let volatile = bound.arguments.iter().chain(&bound.filter).any(crate::bind::is_volatile);
        let printed = format!("{bound:?}");
        let known = site.calls.aggregates.iter().find(|(_, known)| format!("{known:?}") == printed);
        if let (Some((column, _)), false) = (known, volatile) {
            return Ok(Expression::Column { id: column.id, data_type: column.data_type });
        }
        let column = self.column("", &call.name, bound.data_type, -1);
        let expression = Expression::Column { id: column.id, data_type: column.data_type };
        site.calls.aggregates.push((column, bound));
        Ok(expression)
    }

    /// An aggregate whose arguments are all of an outer query belongs to that query.
    fn check_level(&self, site: &Site, call: &AggregateCall, syntax: &CallSyntax) -> Result<()> {
        let mut own = vec![];
        for column in &site.scope.from.tables {
            for column in &column.columns {
                own.extend(walk::columns(&column.expression));
            }
        }
        let mut used = vec![];
        for argument in call.arguments.iter().chain(&call.filter) {
            used.extend(walk::columns(argument));
        }
        if !used.is_empty() && !used.iter().any(|id| own.contains(id)) {
            let is_outer = site.scope.outer.is_some();
            if is_outer && used.iter().all(|id| self.is_outer_column(site, *id)) {
                return Err(Error::not_supported("an aggregate of an outer query's columns").at(syntax.position));
            }
        }
        Ok(())
    }

    fn is_outer_column(&self, site: &Site, id: super::super::ColumnId) -> bool {
        let mut outer = site.scope.outer;
        while let Some(scope) = outer {
            let mut columns = scope.from.tables.iter().flat_map(|table| &table.columns);
            if columns.any(|column| walk::columns(&column.expression).contains(&id)) {
                return true;
            }
            outer = scope.outer;
        }
        false
    }

    fn aggregate(
        &mut self,
        site: &mut Site,
        name: &str,
        call: &CallSyntax,
        given: Option<Vec<Expression>>,
    ) -> Result<AggregateCall> {
        let ordered_set = !call.within_group.is_empty();
        let mut arguments = match given {
            Some(given) => given,
            None => self.call_arguments(site, call)?,
        };
        let mut written = call.arguments.clone();
        let direct = arguments.len();
        let mut order_by = vec![];
        if ordered_set {
            if call.distinct || !call.order_by.is_empty() {
                let message = "cannot use DISTINCT with WITHIN GROUP";
                return Err(Error::new(sqlstate::SYNTAX_ERROR, message).at(call.position));
            }
            for key in call.within_group {
                arguments.push(self.expression(site, &key.expr)?);
                written.push(&key.expr);
            }
        }
        let resolved = self.resolved_aggregate(name, call, &arguments)?;
        self.check_direct(call, &resolved, direct, ordered_set)?;
        let arguments = self.converted(arguments, &resolved.argument_types, &written)?;
        if ordered_set {
            for (key, argument) in call.within_group.iter().zip(arguments.iter().skip(direct)) {
                order_by.push(self.sort_key(argument.clone(), key)?);
            }
        } else {
            for key in call.order_by {
                let mut bound = self.settled(site, &key.expr)?;
                if call.distinct {
                    let same = |argument: &&Expression| walk::same(as_written(argument), as_written(&bound));
                    let Some(argument) = arguments.iter().find(same) else {
                        let message =
                            "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list";
                        return Err(
                            Error::new(sqlstate::INVALID_COLUMN_REFERENCE, message).at(expression_position(&key.expr))
                        );
                    };
                    // What is sorted is the argument as the aggregate takes it.
                    bound = argument.clone();
                }
                order_by.push(self.sort_key(bound, key)?);
            }
        }
        let filter = match call.filter {
            Some(filter) => Some(self.filter(site, filter)?),
            None => None,
        };
        Ok(AggregateCall {
            function: resolved.function,
            arguments,
            distinct: call.distinct,
            filter,
            order_by,
            data_type: resolved.result,
        })
    }

    fn filter(&mut self, site: &mut Site, filter: &Expr) -> Result<Expression> {
        let before = std::mem::replace(&mut site.clause, Clause::Filter);
        let in_aggregate = std::mem::replace(&mut site.in_aggregate, false);
        let bound = self.boolean(site, filter, "FILTER");
        site.clause = before;
        site.in_aggregate = in_aggregate;
        bound
    }

    fn resolved_aggregate(
        &self,
        name: &str,
        call: &CallSyntax,
        arguments: &[Expression],
    ) -> Result<Resolved<AggregateFunction>> {
        let types: Vec<DataType> = arguments.iter().map(Expression::data_type).collect();
        if arguments.is_empty() && !call.star && call.name == "count" {
            let message = "count(*) must be used to call a parameterless aggregate function";
            return Err(Error::new(sqlstate::WRONG_OBJECT_TYPE, message).at(call.position));
        }
        resolve::aggregate(name, &types).map_err(|error| error.at(call.position))
    }

    fn check_direct(
        &self,
        call: &CallSyntax,
        resolved: &Resolved<AggregateFunction>,
        direct: usize,
        ordered_set: bool,
    ) -> Result<()> {
        match resolved.function.direct_arguments {
            Some(expected) if !ordered_set || expected != direct => Err(Error::new(
                sqlstate::WRONG_OBJECT_TYPE,
                format!("WITHIN GROUP is required for ordered-set aggregate {}", call.name),
            )
            .at(call.position)),
            None if ordered_set => Err(Error::new(
                sqlstate::WRONG_OBJECT_TYPE,
                format!("{} is not an ordered-set aggregate, so it cannot have WITHIN GROUP", call.name),
            )
            .at(call.position)),
            _ => Ok(()),
        }
    }

    /// One key of an ORDER BY: NULLs come last, in descending order first, unless it says otherwise.
    pub fn sort_key(&mut self, expression: Expression, key: &OrderByExpr) -> Result<SortKey> {
        use sqlparser::ast::OrderBySort;
        let OrderByExpr { expr: written, options, with_fill } = key;
        if with_fill.is_some() {
            return Err(Error::not_supported("WITH FILL"));
        }
        let descending = match &options.sort {
            None | Some(OrderBySort::Asc) => false,
            Some(OrderBySort::Desc) => true,
            Some(OrderBySort::Using(operator)) => match operator.to_string().as_str() {
                "<" => false,
                ">" => true,
                other => {
                    let message = format!("operator {other} is not a valid ordering operator");
                    return Err(Error::new(sqlstate::WRONG_OBJECT_TYPE, message));
                }
            },
        };
        let data_type = expression.data_type();
        if matches!(data_type, DataType::Json) {
            return Err(Error::new(
                sqlstate::UNDEFINED_FUNCTION,
                format!("could not identify an ordering operator for type {}", data_type.name()),
            )
            .hint("Use an explicit ordering operator or modify the query.")
            .at(expression_position(written)));
        }
        Ok(SortKey { expression, descending, nulls_first: options.nulls_first.unwrap_or(descending) })
    }

    /// A window function, or an aggregate over a window.
    pub fn window_call(
        &mut self,
        site: &mut Site,
        call: &CallSyntax,
        kind: Option<FunctionKind>,
    ) -> Result<Expression> {
        let refused = |message: String| Err(Error::new(sqlstate::WRONG_OBJECT_TYPE, message).at(call.position));
        site.check_window(call.position)?;
        if call.distinct {
            return Err(Error::new(
                sqlstate::FEATURE_NOT_SUPPORTED,
                "DISTINCT is not implemented for window functions",
            )
            .at(call.position));
        }
        if !call.order_by.is_empty() {
            let message = "aggregate ORDER BY is not implemented for window functions";
            return Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message).at(call.position));
        }
        if !call.within_group.is_empty() {
            return Err(Error::not_supported("WITHIN GROUP over a window").at(call.position));
        }
        site.in_window = true;
        let bound = self.call_arguments(site, call);
        site.in_window = false;
        let arguments = bound?;
        let types: Vec<DataType> = arguments.iter().map(Expression::data_type).collect();
        let (function, wanted, data_type) = match kind {
            Some(FunctionKind::Window) => {
                if call.filter.is_some() {
                    let message = "FILTER is not implemented for non-aggregate window functions";
                    return Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message).at(call.position));
                }
                let resolved = resolve::window(&call.name, &types).map_err(|error| error.at(call.position))?;
                (WindowCallFunction::Window(resolved.function), resolved.argument_types, resolved.result)
            }
            Some(FunctionKind::Aggregate) => {
                let resolved = self.resolved_aggregate(&call.name, call, &arguments)?;
                if resolved.function.direct_arguments.is_some() {
                    let message = format!("OVER is not supported for ordered-set aggregate {}", call.name);
                    return Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message).at(call.position));
                }
                (WindowCallFunction::Aggregate(resolved.function), resolved.argument_types, resolved.result)
            }
            Some(_) => {
                return refused(format!(
                    "OVER specified, but {} is not a window function nor an aggregate function",
                    call.name
                ));
            }
            None => {
                return Err(resolve::scalar(&call.name, &types)
                    .err()
                    .unwrap_or_else(|| Error::internal("a function of no kind"))
                    .at(call.position));
            }
        };
        let arguments = self.converted(arguments, &wanted, &call.arguments)?;
        site.in_window = true;
        let filter = call.filter.map(|filter| self.filter(site, filter)).transpose();
        let window = call.over.map(|over| self.window_definition(site, over)).transpose();
        site.in_window = false;
        let (filter, window) = (filter?, window?.unwrap_or_default());
        let (frame, partition_by, order_by) = (window.frame(), window.partition_by, window.order_by);
        let column = self.column("", &call.name, data_type, -1);
        let expression = Expression::Column { id: column.id, data_type };
        let bound = WindowCall { function, arguments, filter, partition_by, order_by, frame, data_type };
        site.calls.windows.push((column.id, bound));
        Ok(expression)
    }

    /// GROUPING(…): its arguments are looked for among the groups once those are known.
    pub fn grouping(&mut self, site: &mut Site, call: &CallSyntax) -> Result<Expression> {
        site.check_aggregate(call.position)?;
        if call.arguments.len() > 31 {
            let message = "GROUPING must have fewer than 32 arguments";
            return Err(Error::new(sqlstate::TOO_MANY_ARGUMENTS, message).at(call.position));
        }
        let references = site.calls.references.len();
        let arguments = self.arguments(site, &call.arguments)?;
        // These are names of groups rather than values.
        site.calls.references.truncate(references);
        let column = self.column("", "grouping", DataType::Integer, -1);
        let expression = Expression::Column { id: column.id, data_type: DataType::Integer };
        let at = call.arguments.first().and_then(|argument| expression_position(argument));
        site.calls.groupings.push((column, arguments, at));
        Ok(expression)
    }
}

/// An expression without the conversions that nobody wrote.
fn as_written(expression: &Expression) -> &Expression {
    match expression {
        Expression::Cast { input, explicit: false, .. } => as_written(input),
        written => written,
    }
}
