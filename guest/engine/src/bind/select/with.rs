//! WITH (PostgreSQL 15, section 7.8).

use super::super::binder::{Binder, CommonTableName};
use super::super::logical::{CommonTable, CommonTableId, CommonTableKind, Plan, PlanColumn};
use super::super::name::{fold, position};
use super::super::scope::Scope;
use super::set_operation::common_types;
use super::{Untyped, recursion};
use crate::error::{Error, Result, sqlstate};
use sqlparser::ast::{Cte, CteAsMaterialized, Query, SetExpr, SetOperator, SetQuantifier, TableAlias, With};

impl Binder<'_> {
    /// Binds the tables of a WITH in order, each in sight of those before it. The caller takes their names out of
    /// sight again.
    pub fn with(&mut self, with: &With, outer: Option<&Scope>) -> Result<Vec<CommonTable>> {
        let With { with_token: _, recursive, cte_tables } = with;
        let first = self.common_tables.len();
        let mut tables = vec![];
        for table in cte_tables {
            let Cte { alias, query, from: None, materialized, closing_paren_token: _ } = table else {
                return Err(Error::not_supported("this form of WITH"));
            };
            let name = fold(&alias.name);
            if self.common_tables[first..].iter().any(|known| known.name == name) {
                let message = format!("WITH query name \"{name}\" specified more than once");
                return Err(Error::new(sqlstate::DUPLICATE_ALIAS, message).at(position(&alias.name)));
            }
            let id = self.common_table_id();
            let (kind, columns) = match recursive {
                true => self.deeper(|binder| binder.recursive_table(id, &name, alias, query, outer))?,
                false => self.plain_table(alias, query, outer)?,
            };
            let materialized = materialized.as_ref().map(|choice| *choice == CteAsMaterialized::Materialized);
            let visible = visible_columns(&columns, &name, alias)?;
            let refusal = match &kind {
                CommonTableKind::Plain(Plan::Modify(modify)) if modify.returning.is_none() => {
                    let message = format!("WITH query \"{name}\" does not have a RETURNING clause");
                    Some(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message))
                }
                _ => None,
            };
            self.common_tables.push(CommonTableName { name: name.clone(), id, columns: visible, refusal, scans: 0 });
            tables.push(CommonTable { id, name, kind, columns, materialized });
        }
        Ok(tables)
    }

    fn plain_table(
        &mut self,
        alias: &TableAlias,
        query: &Query,
        outer: Option<&Scope>,
    ) -> Result<(CommonTableKind, Vec<PlanColumn>)> {
        let writes = matches!(&*query.body, SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_));
        let plan = match writes {
            true if !self.writing_allowed => {
                let message = "WITH clause containing a data-modifying statement must be at the top level";
                return Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message).at(position(&alias.name)));
            }
            true => self.query(query, outer, Untyped::Text)?,
            false => self.inner_query(query, outer)?,
        };
        let columns = plan.columns();
        Ok((CommonTableKind::Plain(plan), columns))
    }

    /// A query of WITH RECURSIVE, which refers to itself or does not.
    fn recursive_table(
        &mut self,
        id: CommonTableId,
        name: &str,
        alias: &TableAlias,
        query: &Query,
        outer: Option<&Scope>,
    ) -> Result<(CommonTableKind, Vec<PlanColumn>)> {
        let invalid = |message: String| Error::new(sqlstate::INVALID_RECURSION, message);
        let place = self.common_tables.len();
        let entry =
            |refusal| CommonTableName { name: name.into(), id, columns: vec![], refusal: Some(refusal), scans: 0 };
        let Query { with: None, body, order_by, limit_clause: None, fetch: None, locks, .. } = query else {
            return self.refused_table(
                entry(invalid(format!("recursive query \"{name}\" must be a plain UNION"))),
                alias,
                query,
                outer,
            );
        };
        let SetExpr::SetOperation { left, op: SetOperator::Union, set_quantifier, right } = &**body else {
            let refusal = invalid(format!(
                "recursive query \"{name}\" does not have the form non-recursive-term UNION [ALL] recursive-term"
            ))
            .at(position(&alias.name));
            return self.refused_table(entry(refusal), alias, query, outer);
        };
        if order_by.is_some() || !locks.is_empty() {
            return self.refused_table(
                entry(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, "ORDER BY in a recursive query is not implemented")),
                alias,
                query,
                outer,
            );
        }
        let all = match set_quantifier {
            SetQuantifier::All => true,
            SetQuantifier::None | SetQuantifier::Distinct => false,
            _ => return Err(Error::not_supported("UNION BY NAME")),
        };
        self.common_tables.push(entry(invalid(format!(
            "recursive reference to query \"{name}\" must not appear within its non-recursive term"
        ))));
        let before = std::mem::replace(&mut self.writing_allowed, false);
        let anchor = self.set_expression(left, outer, Untyped::Text)?;
        let columns = anchor.columns();
        let visible = visible_columns(&columns, name, alias)?;
        self.common_tables.truncate(place);
        self.common_tables.push(CommonTableName { name: name.into(), id, columns: visible, refusal: None, scans: 0 });
        let recursive = self.set_expression(right, outer, Untyped::Keep)?;
        self.writing_allowed = before;
        let scans = self.common_tables.get(place).map_or(0, |entry| entry.scans);
        self.common_tables.truncate(place);
        recursion::check(&recursive, id, name)?;
        let types = common_types(&columns, &recursive.columns(), "UNION")?;
        let changed = columns.iter().zip(&types).enumerate().find(|(_, (column, wanted))| column.data_type != **wanted);
        if let (Some((index, (column, wanted))), true) = (changed, scans > 0) {
            return Err(Error::new(
                sqlstate::DATATYPE_MISMATCH,
                format!(
                    "recursive query \"{name}\" column {} has type {} in non-recursive term but type {} overall",
                    index + 1,
                    column.data_type.name(),
                    wanted.name()
                ),
            )
            .hint("Cast the output of the non-recursive term to the correct type."));
        }
        if scans > 1 {
            return Err(invalid(format!("recursive reference to query \"{name}\" must not appear more than once")));
        }
        if scans == 0 {
            // It did not refer to itself after all: an ordinary query, bound again as one.
            return self.plain_table(alias, query, outer);
        }
        let recursive = self.convert_outputs(recursive, &types)?;
        Ok((CommonTableKind::Recursive { anchor, recursive, all }, columns))
    }

    /// A query that may stand in WITH RECURSIVE as long as it does not refer to itself.
    fn refused_table(
        &mut self,
        entry: CommonTableName,
        alias: &TableAlias,
        query: &Query,
        outer: Option<&Scope>,
    ) -> Result<(CommonTableKind, Vec<PlanColumn>)> {
        let place = self.common_tables.len();
        self.common_tables.push(entry);
        let bound = self.plain_table(alias, query, outer);
        self.common_tables.truncate(place);
        bound
    }
}

/// A table's columns as its scans name them.
fn visible_columns(columns: &[PlanColumn], name: &str, alias: &TableAlias) -> Result<Vec<PlanColumn>> {
    if alias.columns.len() > columns.len() {
        return Err(Error::new(
            sqlstate::INVALID_COLUMN_REFERENCE,
            format!(
                "WITH query \"{name}\" has {} columns available but {} columns specified",
                columns.len(),
                alias.columns.len()
            ),
        )
        .at(position(&alias.name)));
    }
    let mut visible = columns.to_vec();
    for (column, name) in visible.iter_mut().zip(&alias.columns) {
        column.name = fold(&name.name);
    }
    Ok(visible)
}
