//! The engine as its host sees it: a request in, an outcome out.

mod analysis;
mod explain;
mod output;
mod parameters;
mod plans;
mod query;
mod read_only;

pub use parameters::pack as pack_parameters;

use crate::catalog::Catalog;
use crate::define::{self, DefineContext, settings};
use crate::error::{Error, Result, sqlstate};
use crate::functions::Settings;
use crate::host::Host;
use crate::modify::copy;
use crate::parse;
use crate::statement::{Description, Outcome, Request};
use crate::types::DataType;
use analysis::Analyses;
use plans::PlanCache;
use sqlparser::ast::Statement;
use std::rc::Rc;

/// Runs statements. It keeps no transaction's state, only what is derived from texts and catalogs.
#[derive(Default)]
pub struct Engine {
    catalog: Option<Rc<Catalog>>,
    plans: PlanCache,
    analyses: Analyses,
}

/// What one request runs with.
struct Session<'a> {
    host: &'a dyn Host,
    request: &'a Request,
    catalog: Rc<Catalog>,
    settings: Settings,
    /// Of the parameters, as far as the client said; `Unknown` otherwise.
    parameter_types: Vec<DataType>,
}

impl Engine {
    pub fn new() -> Engine {
        Engine::default()
    }

    /// Runs one statement in the host's open transaction.
    pub fn execute(&mut self, host: &dyn Host, request: &Request) -> Result<Outcome> {
        if let Some(statement) = define::procedure::internal(&request.sql) {
            let session = self.session(host, request)?;
            read_only::check(&session, Some("DEPLOY PROCEDURE"))?;
            return define::procedure::run_internal(&session.define_context(), &statement, request.input.as_deref());
        }
        if let Some(follow_up) = define::follow_up::parse(&request.sql) {
            let catalog = self.catalog(host)?;
            let settings = settings::from_request(&request.settings)?;
            return define::follow_up::run(host, &catalog, &settings, &follow_up?);
        }
        let session = match self.session(host, request) {
            // A failed block has no catalog to read, and its end needs none.
            Err(error) if error.sqlstate() == sqlstate::IN_FAILED_SQL_TRANSACTION => {
                return match parse::parse(&request.sql)? {
                    end @ (Statement::Commit { .. } | Statement::Rollback { .. }) => define::transaction::execute(&end),
                    _ => Err(error),
                };
            }
            session => session?,
        };
        if let Some(plan) = self.plans.get(&session) {
            return self.analyses.after(&session, &plan, query::execute(&session, &plan)?);
        }
        if let Some(statement) = parse::parse_procedure(&request.sql)? {
            read_only::check(&session, Some(define::procedure::command(&statement)))?;
            return define::procedure::execute(&session.define_context(), &statement);
        }
        let statement = parse::parse(&request.sql)?;
        match &statement {
            Statement::Query(_)
            | Statement::Insert(_)
            | Statement::Update(_)
            | Statement::Delete(_)
            | Statement::Call(_) => {
                let plan = Rc::new(query::plan(&session, &statement)?);
                self.plans.insert(&session, plan.clone());
                self.analyses.after(&session, &plan, query::execute(&session, &plan)?)
            }
            Statement::Explain { .. } => explain::execute(&session, &statement),
            _ => {
                read_only::check(&session, read_only::writing_statement(&statement))?;
                define_or_copy(&session, &statement)
            }
        }
    }

    /// Types of a statement's parameters and result, without running it.
    pub fn describe(&mut self, host: &dyn Host, request: &Request) -> Result<Description> {
        let session = self.session(host, request)?;
        if let Some(plan) = self.plans.get(&session) {
            return Ok(query::describe(&plan));
        }
        if parse::parse_procedure(&request.sql)?.is_some() {
            return Ok(Description { parameter_types: vec![], columns: None });
        }
        let statement = parse::parse(&request.sql)?;
        match &statement {
            Statement::Query(_)
            | Statement::Insert(_)
            | Statement::Update(_)
            | Statement::Delete(_)
            | Statement::Call(_) => {
                let plan = Rc::new(query::plan(&session, &statement)?);
                self.plans.insert(&session, plan.clone());
                Ok(query::describe(&plan))
            }
            Statement::Explain { .. } => explain::describe(&session, &statement),
            _ => Ok(Description { parameter_types: vec![], columns: define::columns(&statement) }),
        }
    }

    /// The statements of a text, as offsets in bytes.
    pub fn split(&self, sql: &str) -> Result<Vec<(usize, usize)>> {
        parse::split(sql)
    }

    /// The catalog that the host's transaction sees.
    pub fn catalog(&mut self, host: &dyn Host) -> Result<Rc<Catalog>> {
        match &self.catalog {
            Some(catalog) if catalog.version() == host.catalog_version() => Ok(catalog.clone()),
            _ => {
                let catalog = Rc::new(Catalog::load(host)?);
                self.catalog = Some(catalog.clone());
                Ok(catalog)
            }
        }
    }

    fn session<'a>(&mut self, host: &'a dyn Host, request: &'a Request) -> Result<Session<'a>> {
        let data_type = |oid: &u32| match oid {
            0 => Ok(DataType::Unknown),
            oid => DataType::from_oid(*oid)
                .ok_or_else(|| Error::not_supported(format!("a parameter of the type with OID {oid}"))),
        };
        Ok(Session {
            host,
            request,
            catalog: self.catalog(host)?,
            settings: settings::from_request(&request.settings)?,
            parameter_types: request.parameter_types.iter().map(data_type).collect::<Result<_>>()?,
        })
    }
}

fn define_or_copy(session: &Session, statement: &Statement) -> Result<Outcome> {
    match statement {
        Statement::Copy { .. } => copy::execute(&session.define_context(), statement, session.request.input.as_deref()),
        Statement::CreateTable(create) if create.query.is_some() => query::create_table_as(session, create),
        Statement::Prepare { data_types, statement: prepared, .. } => {
            query::check_prepared(session, data_types, prepared)?;
            define::execute(&session.define_context(), statement)
        }
        _ => define::execute(&session.define_context(), statement),
    }
}

impl Session<'_> {
    fn define_context(&self) -> DefineContext<'_> {
        DefineContext {
            host: self.host,
            catalog: self.catalog.clone(),
            settings: &self.settings,
            sql: &self.request.sql,
            in_transaction_block: self.request.in_transaction_block,
        }
    }
}
