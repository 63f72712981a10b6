//! What defining statements run with, and how they find what they name.

use crate::access;
use crate::bind::name::{QualifiedName, fold, qualified};
use crate::bind::{self, BindContext, ColumnId, Expression};
use crate::catalog::procedure::Procedure;
use crate::catalog::{Catalog, PG_CATALOG, Relation, RelationKind, Schema};
use crate::error::{Error, Result, sqlstate};
use crate::execute::expression::compile;
use crate::execute::{ExecuteContext, Execution, expression};
use crate::functions::{FunctionContext, Settings};
use crate::host::{Action, Host, Severity};
use crate::types::{DataType, Value};
use sqlparser::ast::{ObjectName, Owner};
use std::rc::Rc;

/// What a defining statement runs with.
pub struct DefineContext<'a> {
    pub host: &'a dyn Host,
    /// As it was when the statement began.
    pub catalog: Rc<Catalog>,
    pub settings: &'a Settings,
    /// The statement's text.
    pub sql: &'a str,
    pub in_transaction_block: bool,
}

impl DefineContext<'_> {
    pub fn notice(&self, sqlstate: &str, message: &str) {
        self.host.notice(Severity::Notice, sqlstate, message);
    }

    pub fn functions(&self) -> FunctionContext<'_> {
        FunctionContext {
            environment: self.host,
            authorization: self.host,
            settings: self.settings,
            catalog: &self.catalog,
        }
    }

    pub fn bind_context(&self) -> BindContext<'_> {
        BindContext {
            catalog: &self.catalog,
            settings: self.settings,
            environment: self.host,
            authorization: self.host,
            parameter_types: &[],
        }
    }

    pub fn execute_context(&self) -> ExecuteContext<'_> {
        ExecuteContext { host: self.host, functions: self.functions(), parameters: &[], catalog: &self.catalog }
    }

    /// 42501 unless who asks may do this to a table or view.
    pub fn may(&self, action: Action, relation: &Relation) -> Result<()> {
        match access::relation(&self.catalog, action, relation) {
            Some(access) => self.host.check(&[access]),
            None => Ok(()),
        }
    }

    /// 42501 unless who asks may define in a schema, and change it.
    pub fn may_define_in(&self, schema: &Schema) -> Result<()> {
        self.host.check(&[access::schema(Action::Ddl, schema)])
    }

    /// 42501 unless who asks may deploy a procedure's versions, and change and drop it.
    pub fn may_deploy(&self, procedure: &Procedure) -> Result<()> {
        let (schema, name, owner) = (access::PROCEDURE_SCHEMA, &procedure.name, &procedure.owner);
        self.host.check(&[access::procedure(Action::Deploy, schema, name, owner)])
    }

    /// Who owns what is created: who runs the statement, or whose procedure acts as itself.
    pub fn creator(&self) -> String {
        let procedure = self.settings.acting_as.as_ref().and_then(|name| self.catalog.procedure(name));
        procedure.map_or(&self.settings.user, |procedure| &procedure.owner).clone()
    }

    /// 42501 unless who asks may make this user own things. Answers the name.
    pub fn new_owner(&self, owner: &Owner) -> Result<String> {
        let name = self.owner_name(owner)?;
        if let Some(access) = access::give(&self.settings.user, &name) {
            self.host.check(&[access])?;
        }
        Ok(name)
    }

    fn owner_name(&self, owner: &Owner) -> Result<String> {
        match owner {
            Owner::Ident(name) => access::user_name(fold(name)),
            Owner::CurrentRole | Owner::CurrentUser | Owner::SessionUser => Ok(self.settings.user.clone()),
        }
    }

    /// As `new_owner`, for a thing that has one: who may change a thing may not take it for that.
    pub fn another_owner(&self, owner: &Owner, present: &str) -> Result<String> {
        let name = self.owner_name(owner)?;
        self.check_taking(&name, present)?;
        Ok(name)
    }

    /// 42501 unless an administrator asks, or nothing changes.
    pub fn check_taking(&self, owner: &str, present: &str) -> Result<()> {
        if access::shown_owner(present) == owner {
            return Ok(());
        }
        self.host.check(&[access::database(Action::Admin)])
    }

    /// The schema that a new object with this name goes to, where who asks may define.
    pub fn target_schema(&self, name: &QualifiedName) -> Result<Schema> {
        let schema = match &name.schema {
            Some(schema) => self.schema(schema)?,
            None => self.catalog.creation_schema(&self.settings.search_path).ok_or_else(|| {
                Error::new(sqlstate::INVALID_SCHEMA_NAME, "no schema has been selected to create in").at(name.position)
            })?,
        };
        if schema.id < crate::catalog::PUBLIC {
            return Err(Error::new("42501", format!("permission denied for schema {}", schema.name)));
        }
        self.may_define_in(schema)?;
        Ok(schema.clone())
    }

    pub fn schema(&self, name: &str) -> Result<&Schema> {
        self.catalog
            .schema(name)
            .ok_or_else(|| Error::new(sqlstate::INVALID_SCHEMA_NAME, format!("schema \"{name}\" does not exist")))
    }

    /// A relation by name, as the search path has it.
    pub fn find(&self, name: &QualifiedName) -> Option<Rc<Relation>> {
        self.catalog.relation(name.schema.as_deref(), &name.name, &self.settings.search_path)
    }

    /// An index by name: its relation and its position there.
    pub fn find_index(&self, name: &QualifiedName) -> Option<(Rc<Relation>, usize)> {
        self.catalog.index(name.schema.as_deref(), &name.name, &self.settings.search_path)
    }

    /// Whether a schema has a relation or an index with this name already.
    pub fn is_taken(&self, schema: &Schema, name: &str) -> bool {
        let path = &self.settings.search_path;
        self.catalog.relation(Some(&schema.name), name, path).is_some()
            || self.catalog.index(Some(&schema.name), name, path).is_some()
    }

    /// A table to change. 42P01 when there is none, 42809 when it is no table.
    pub fn table(&self, name: &ObjectName) -> Result<Rc<Relation>> {
        let name = qualified(name)?;
        let relation = self.find(&name).ok_or_else(|| {
            Error::new(sqlstate::UNDEFINED_TABLE, format!("relation \"{}\" does not exist", name.shown()))
        })?;
        match relation.kind {
            RelationKind::Table => Ok(relation),
            RelationKind::View { .. } => {
                Err(Error::new(sqlstate::WRONG_OBJECT_TYPE, format!("\"{}\" is not a table", name.name)))
            }
            RelationKind::System => Err(system_relation(&relation)),
        }
    }

    /// The schema and name of a relation, in the form that SQL can read again.
    pub fn shown(&self, relation: &Relation) -> String {
        let visible = self.catalog.relation(None, &relation.name, &self.settings.search_path);
        if visible.is_some_and(|visible| visible.id == relation.id) {
            return relation.name.clone();
        }
        let schema = self.catalog.schema_by_id(relation.schema_id).map_or("", |schema| &schema.name);
        format!("{schema}.{}", relation.name)
    }

    /// Binds the text of an expression without columns to a column's type.
    pub fn constant(&self, sql: &str, data_type: DataType, modifier: i32) -> Result<Expression> {
        bind::constant(&self.bind_context(), sql, data_type, modifier).map_err(without_position)
    }

    /// The value and type of an expression's text, in which nothing stands for a row.
    pub fn constant_of_any_type(&self, sql: &str) -> Result<(Value, DataType)> {
        let bound = bind::parameter(&self.bind_context(), sql).map_err(without_position)?;
        Ok((self.evaluate(&bound)?, bound.data_type()))
    }

    /// Binds the text of a CHECK over a relation's columns, which stand at their positions in a batch.
    pub fn check(&self, relation: &Relation, sql: &str) -> Result<expression::Compiled> {
        let columns: Vec<ColumnId> = (0..relation.columns.len() as u32).map(ColumnId).collect();
        let bound = bind::table_expression(&self.bind_context(), relation, &columns, sql);
        compile(&bound.map_err(without_position)?, &columns)
    }

    /// Binds the text of a USING over a relation's columns, likewise.
    pub fn transform(&self, relation: &Relation, sql: &str) -> Result<expression::Compiled> {
        let columns: Vec<ColumnId> = (0..relation.columns.len() as u32).map(ColumnId).collect();
        let bound = bind::transform_expression(&self.bind_context(), relation, &columns, sql);
        compile(&bound.map_err(without_position)?, &columns)
    }

    pub fn evaluate(&self, constant: &Expression) -> Result<Value> {
        let context = self.execute_context();
        expression::evaluate_constant(&Execution::without_plan(&context), &compile(constant, &[])?)
    }
}

/// 42501: the catalog's own relations are as they are.
pub fn system_relation(relation: &Relation) -> Error {
    let kind = if relation.schema_id == PG_CATALOG { "system catalog" } else { "system view" };
    Error::new("42501", format!("permission denied: \"{}\" is a {kind}", relation.name))
}

/// A position within the text of one expression says nothing of the statement.
fn without_position(mut error: Error) -> Error {
    error.0.position = None;
    error
}
