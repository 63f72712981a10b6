//! FROM: tables, views, common table expressions, subqueries (PostgreSQL 15, section 7.2.1).

use super::super::binder::Binder;
use super::super::expression::Expression;
use super::super::logical::{Plan, PlanColumn, Scan};
use super::super::name::{QualifiedName, fold, position, qualified};
use super::super::scope::{FromNames, Scope, ScopeColumn, ScopeTable};
use crate::catalog::{Relation, RelationKind, View, ViewRelation};
use crate::error::{Error, Result, sqlstate};
use crate::host::Action;
use crate::parse;
use sqlparser::ast::{Query, SetExpr, Statement, TableAlias, TableFactor, TableWithJoins};
use std::rc::Rc;

/// Items of one FROM list. Each makes the tree of joins one level deeper.
const ITEMS_MAX: usize = 400;

/// A FROM item with the names it brings.
pub struct Item {
    pub plan: Plan,
    pub names: FromNames,
}

impl Binder<'_> {
    /// A whole FROM list; none is one row without columns.
    pub fn from(&mut self, tables: &[TableWithJoins], outer: Option<&Scope>) -> Result<Item> {
        self.items_beside(Item { plan: Plan::Unit, names: FromNames::default() }, tables, outer)
    }

    /// The list's items joined to what is there already, as in UPDATE … FROM.
    pub fn items_beside(&mut self, first: Item, tables: &[TableWithJoins], outer: Option<&Scope>) -> Result<Item> {
        if tables.len() > ITEMS_MAX {
            return Err(Error::new(sqlstate::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        let mut all = first;
        for table in tables {
            let item = self.joined(table, outer, &all.names)?;
            let plan = match all.plan {
                Plan::Unit => item.plan,
                left => self.join_plan(super::super::logical::JoinKind::Inner, left, item.plan, None)?,
            };
            all = Item { plan, names: all.names.join(item.names)? };
        }
        Ok(all)
    }

    /// One item with its joins. `left` are the items before it, which LATERAL ones may refer to.
    pub fn joined(&mut self, table: &TableWithJoins, outer: Option<&Scope>, left: &FromNames) -> Result<Item> {
        let TableWithJoins { relation, joins } = table;
        let mut item = self.factor(relation, outer, left)?;
        for join in joins {
            item = self.join(item, join, outer, left)?;
        }
        Ok(item)
    }

    pub fn factor(&mut self, factor: &TableFactor, outer: Option<&Scope>, left: &FromNames) -> Result<Item> {
        self.deeper(|binder| binder.any_factor(factor, outer, left))
    }

    fn any_factor(&mut self, factor: &TableFactor, outer: Option<&Scope>, left: &FromNames) -> Result<Item> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                with_hints,
                version: None,
                with_ordinality: false,
                partitions,
                json_path: None,
                sample: None,
                index_hints,
            } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => {
                self.named_table(&qualified(name)?, alias.as_ref())
            }
            TableFactor::Table { sample: Some(_), .. } => Err(Error::not_supported("TABLESAMPLE")),
            TableFactor::Derived { lateral, subquery, alias, sample: None } => {
                self.derived(subquery, *lateral, alias.as_ref(), outer, left)
            }
            TableFactor::Table { .. } | TableFactor::Function { .. } | TableFactor::UNNEST { .. } => {
                self.function_item(factor, outer, left)
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let item = self.joined(table_with_joins, outer, left)?;
                match alias {
                    None => Ok(item),
                    Some(alias) => {
                        let columns = item.names.columns;
                        let names = aliased(fold(&alias.name), columns, Some(alias), None)?;
                        Ok(Item { plan: item.plan, names: FromNames::single(names) })
                    }
                }
            }
            _ => Err(Error::not_supported("this kind of FROM item")),
        }
    }

    fn derived(
        &mut self,
        query: &Query,
        lateral: bool,
        alias: Option<&TableAlias>,
        outer: Option<&Scope>,
        left: &FromNames,
    ) -> Result<Item> {
        let Some(alias) = alias else {
            let (what, example) = match &*query.body {
                SetExpr::Values(_) => ("VALUES in FROM", "(VALUES ...) [AS] foo"),
                _ => ("subquery in FROM", "(SELECT ...) [AS] foo"),
            };
            return Err(Error::new(sqlstate::SYNTAX_ERROR, format!("{what} must have an alias"))
                .hint(format!("For example, FROM {example}.")));
        };
        let beside = Scope::inside(outer, beside(left, lateral));
        let plan = self.inner_query(query, Some(&beside))?;
        self.aliased_plan(plan, alias)
    }

    /// A plan whose columns go by an alias.
    fn aliased_plan(&mut self, plan: Plan, alias: &TableAlias) -> Result<Item> {
        let columns = scope_columns(&plan.columns());
        let names = aliased(fold(&alias.name), columns, Some(alias), None)?;
        for column in &names.columns {
            if let Expression::Column { id, .. } = column.expression {
                self.rename(id, &names.alias, &column.name);
            }
        }
        Ok(Item { plan, names: FromNames::single(names) })
    }

    fn named_table(&mut self, name: &QualifiedName, alias: Option<&TableAlias>) -> Result<Item> {
        if name.schema.is_none()
            && let Some(at) = self.common_tables.iter().rposition(|table| table.name == name.name)
        {
            return self.common_table(at, name, alias);
        }
        let relation = self.relation(name)?;
        self.access(Action::Select, &relation);
        let shown = alias.map_or_else(|| relation.name.clone(), |alias| fold(&alias.name));
        let plan = match &relation.kind {
            RelationKind::Table | RelationKind::System => Plan::Scan(self.scan(&relation, &shown)),
            RelationKind::View(view) => self.deeper(|binder| binder.view(&relation, view, &shown))?,
        };
        let schema = match alias {
            Some(_) => None,
            None => self.context.catalog.schema_by_id(relation.schema_id).map(|schema| schema.name.clone()),
        };
        let columns = scope_columns(&plan.columns());
        let mut table = aliased(shown, columns, alias, Some(relation))?;
        table.schema = schema;
        Ok(Item { plan, names: FromNames::single(table) })
    }

    /// The relation that a name means, or 42P01.
    pub fn relation(&self, name: &QualifiedName) -> Result<Rc<Relation>> {
        let catalog = self.context.catalog;
        let found = match &self.view {
            Some(view) => {
                let is_meant = |used: &&ViewRelation| used.name == name.name && used.schema == name.schema;
                let used = view.relations.iter().find(is_meant);
                used.and_then(|used| Some(Rc::new(used.seen(&*catalog.relation_by_id(used.id)?))))
            }
            None => catalog.relation(name.schema.as_deref(), &name.name, &self.context.settings.search_path),
        };
        found.ok_or_else(|| {
            let message = format!("relation \"{}\" does not exist", name.shown());
            Error::new(sqlstate::UNDEFINED_TABLE, message).at(name.position)
        })
    }

    /// All of a table's columns, under new ids.
    pub fn scan(&mut self, relation: &Rc<Relation>, alias: &str) -> Scan {
        let columns = relation
            .live_columns()
            .map(|(place, column)| {
                let source = Some((relation.id, place as u16 + 1));
                (self.sourced_column(alias, &column.name, column.data_type, column.modifier, source), place)
            })
            .collect();
        Scan { relation: relation.clone(), alias: alias.into(), columns, row_identity: None }
    }

    /// A view's query in place of its name. It sees none of the names around it.
    fn view(&mut self, relation: &Rc<Relation>, view: &View, alias: &str) -> Result<Plan> {
        let statement = parse::parse(&view.sql)?;
        let Statement::Query(query) = &statement else {
            return Err(Error::internal(format!("the view {} is no query", relation.name)));
        };
        let outside = std::mem::take(&mut self.common_tables);
        let outer_view = self.view.replace(view.clone());
        let outer_reader = std::mem::replace(&mut self.reader, relation.owner.clone());
        let plan = self.inner_query(query, None);
        (self.view, self.reader) = (outer_view, outer_reader);
        self.common_tables = outside;
        // Positions in the view's text mean nothing in the statement's.
        let plan = plan.map_err(|mut error| {
            error.0.position = None;
            error
        })?;
        let columns = plan.columns();
        let live: Vec<_> = relation.live_columns().collect();
        if columns.len() < live.len() {
            return Err(Error::internal(format!("the view {} has changed its columns", relation.name)));
        }
        let outputs = columns
            .iter()
            .zip(live)
            .map(|(column, (place, shown))| {
                let source = Some((relation.id, place as u16 + 1));
                let output = Expression::Column { id: column.id, data_type: column.data_type };
                (self.sourced_column(alias, &shown.name, column.data_type, shown.modifier, source), output)
            })
            .collect();
        Ok(Plan::Project { input: Box::new(plan), outputs })
    }

    fn common_table(&mut self, at: usize, name: &QualifiedName, alias: Option<&TableAlias>) -> Result<Item> {
        let table = &mut self.common_tables[at];
        if let Some(refusal) = &table.refusal {
            return Err(refusal.clone().at(name.position));
        }
        table.scans += 1;
        let table = table.clone();
        let shown = alias.map_or_else(|| table.name.clone(), |alias| fold(&alias.name));
        let columns: Vec<PlanColumn> = table
            .columns
            .iter()
            .map(|column| self.sourced_column(&shown, &column.name, column.data_type, column.modifier, column.source))
            .collect();
        let names = aliased(shown, scope_columns(&columns), alias, None)?;
        let plan = Plan::CommonTableScan { table: table.id, columns, name: table.name };
        Ok(Item { plan, names: FromNames::single(names) })
    }
}

/// The items before one, as it may see them: LATERAL ones their columns, others only that their names are taken.
pub fn beside(left: &FromNames, lateral: bool) -> FromNames {
    if lateral {
        return left.clone();
    }
    let tables = left.tables.iter().map(|table| ScopeTable { accessible: false, ..table.clone() }).collect();
    FromNames { tables, columns: vec![] }
}

pub fn scope_columns(columns: &[PlanColumn]) -> Vec<ScopeColumn> {
    columns
        .iter()
        .map(|column| ScopeColumn {
            name: column.name.clone(),
            expression: Expression::Column { id: column.id, data_type: column.data_type },
        })
        .collect()
}

/// A table under its alias, its first columns renamed as the alias says.
pub fn aliased(
    shown: String,
    mut columns: Vec<ScopeColumn>,
    alias: Option<&TableAlias>,
    relation: Option<Rc<Relation>>,
) -> Result<ScopeTable> {
    if let Some(TableAlias { explicit: _, name: _, columns: names, at: None }) = alias {
        if names.len() > columns.len() {
            return Err(Error::new(
                sqlstate::INVALID_COLUMN_REFERENCE,
                format!(
                    "table \"{shown}\" has {} columns available but {} columns specified",
                    columns.len(),
                    names.len()
                ),
            ));
        }
        for (column, name) in columns.iter_mut().zip(names) {
            if name.data_type.is_some() {
                let message = "a column definition list is only allowed for functions returning \"record\"";
                return Err(Error::new(sqlstate::SYNTAX_ERROR, message).at(position(&name.name)));
            }
            column.name = fold(&name.name);
        }
    }
    Ok(ScopeTable {
        alias: shown,
        schema: None,
        columns,
        relation,
        accessible: true,
        nullable: false,
        is_scalar: false,
    })
}
