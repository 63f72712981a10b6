//! What who asks, or another user, may do (PostgreSQL 15, section 9.26, "Access Privilege Inquiry Functions"): the host
//! knows, as it does for statements.

use super::functions::class_by_name;
use super::{Relation, Schema};
use crate::access;
use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::host::{Access, Action};
use crate::types::Value;
use std::rc::Rc;

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("has_table_privilege", &[TEXT, TEXT], BOOLEAN, has_table_privilege).stable(),
    function("has_table_privilege", &[OID, TEXT], BOOLEAN, has_table_privilege).stable(),
    function("has_table_privilege", &[NAME, TEXT, TEXT], BOOLEAN, has_table_privilege).stable(),
    function("has_table_privilege", &[NAME, OID, TEXT], BOOLEAN, has_table_privilege).stable(),
    function("has_column_privilege", &[OID, TEXT, TEXT], BOOLEAN, has_column_privilege).stable(),
    function("has_column_privilege", &[OID, SMALLINT, TEXT], BOOLEAN, has_column_privilege).stable(),
    function("has_any_column_privilege", &[OID, TEXT], BOOLEAN, has_table_privilege).stable(),
    function("has_schema_privilege", &[TEXT, TEXT], BOOLEAN, has_schema_privilege).stable(),
    function("has_schema_privilege", &[OID, TEXT], BOOLEAN, has_schema_privilege).stable(),
    function("has_schema_privilege", &[NAME, TEXT, TEXT], BOOLEAN, has_schema_privilege).stable(),
    function("has_schema_privilege", &[NAME, OID, TEXT], BOOLEAN, has_schema_privilege).stable(),
    function("has_database_privilege", &[TEXT, TEXT], BOOLEAN, has_database_privilege).stable(),
    function("has_database_privilege", &[OID, TEXT], BOOLEAN, has_database_privilege).stable(),
    function("has_database_privilege", &[NAME, TEXT, TEXT], BOOLEAN, has_database_privilege).stable(),
    function("pg_has_role", &[NAME, TEXT], BOOLEAN, has_role).stable(),
    function("pg_has_role", &[OID, TEXT], BOOLEAN, has_role).stable(),
    function("pg_has_role", &[NAME, NAME, TEXT], BOOLEAN, has_role).stable(),
    function("pg_has_role", &[NAME, OID, TEXT], BOOLEAN, has_role).stable(),
];

/// Arguments are an optional user, the thing, and a list of privileges of which one suffices.
struct Question<'a> {
    user: String,
    thing: &'a Value,
    privileges: Vec<String>,
}

impl<'a> Question<'a> {
    fn new(context: &FunctionContext, arguments: &'a [Value]) -> Result<Question<'a>> {
        let last = arguments.len() - 1;
        let words = |privilege: &str| privilege.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_uppercase();
        Ok(Question {
            user: if last > 1 { arguments.text(0)?.into() } else { context.settings.user.clone() },
            thing: &arguments[last - 1],
            privileges: arguments.text(last)?.split(',').map(words).collect(),
        })
    }

    /// Whether one of the privileges is had. `access` is what a privilege stands for: none where everybody has it.
    fn ask(&self, context: &FunctionContext, access: impl Fn(&str) -> Result<Option<Access>>) -> Result<Value> {
        let mut found = false;
        for privilege in &self.privileges {
            // Only who writes policies hands on what he may do.
            let (name, may_grant) = match privilege.strip_suffix(" WITH GRANT OPTION") {
                Some(name) => (name, true),
                None => (privilege.as_str(), false),
            };
            let access = access(name)?;
            let asked = if may_grant { Some(access::database(Action::Admin)) } else { access };
            found |= match asked {
                None => true,
                Some(access) => self.may(context, access)?,
            };
        }
        Ok(Value::Boolean(found))
    }

    fn may(&self, context: &FunctionContext, access: Access) -> Result<bool> {
        match context.authorization.check(&[Access { user: self.user.clone(), ..access }]) {
            Ok(()) => Ok(true),
            Err(error) if error.sqlstate() == sqlstate::INSUFFICIENT_PRIVILEGE => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn unrecognized(privilege: &str) -> Error {
    Error::new(sqlstate::INVALID_PARAMETER_VALUE, format!("unrecognized privilege type: \"{privilege}\""))
}

/// NULL for the number of nothing, as in PostgreSQL; 42P01 for a name of nothing.
fn relation(context: &FunctionContext, thing: &Value) -> Result<Option<Rc<Relation>>> {
    let oid = match thing {
        Value::Text(name) => match class_by_name(context.catalog, &context.settings.search_path, name)? {
            Some(oid) => oid,
            None => {
                let message = format!("relation \"{name}\" does not exist");
                return Err(Error::new(sqlstate::UNDEFINED_TABLE, message));
            }
        },
        number => std::slice::from_ref(number).oid(0)?,
    };
    let index = || context.catalog.index_by_oid(oid).map(|(relation, _)| relation);
    Ok(context.catalog.relation_by_id(oid).or_else(index))
}

fn on_relation(context: &FunctionContext, question: &Question) -> Result<Value> {
    let Some(relation) = relation(context, question.thing)? else { return Ok(Value::Null) };
    question.ask(context, |privilege| {
        let action = match privilege {
            "SELECT" => Action::Select,
            "INSERT" => Action::Insert,
            "UPDATE" => Action::Update,
            "DELETE" | "TRUNCATE" => Action::Delete,
            "REFERENCES" | "TRIGGER" => Action::Ddl,
            _ => return Err(unrecognized(privilege)),
        };
        Ok(match access::relation(context.catalog, action, &relation) {
            None if action != Action::Select => Some(access::database(Action::Admin)),
            access => access,
        })
    })
}

fn has_table_privilege(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    on_relation(context, &Question::new(context, arguments)?)
}

/// What may be done to a table may be done to each of its columns.
fn has_column_privilege(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let [table, _, privileges] = arguments else { return Err(Error::internal("three arguments")) };
    has_table_privilege(context, &[table.clone(), privileges.clone()])
}

fn has_schema_privilege(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let question = Question::new(context, arguments)?;
    let found: Option<&Schema> =
        match question.thing {
            Value::Text(name) => Some(context.catalog.schema(name).ok_or_else(|| {
                Error::new(sqlstate::INVALID_SCHEMA_NAME, format!("schema \"{name}\" does not exist"))
            })?),
            number => context.catalog.schema_by_id(std::slice::from_ref(number).oid(0)?),
        };
    let Some(schema) = found else { return Ok(Value::Null) };
    question.ask(context, |privilege| match privilege {
        "CREATE" => Ok(Some(access::schema(Action::Ddl, schema))),
        // What is in a schema is everybody's to name.
        "USAGE" => Ok(None),
        _ => Err(unrecognized(privilege)),
    })
}

fn has_database_privilege(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Question::new(context, arguments)?.ask(context, |privilege| match privilege {
        "CREATE" => Ok(Some(access::database(Action::Ddl))),
        // Who asks is connected; there are no temporary tables to refuse.
        "CONNECT" | "TEMPORARY" | "TEMP" => Ok(None),
        _ => Err(unrecognized(privilege)),
    })
}

/// Everybody has himself. Roles are the policies' own: only administrators have others.
fn has_role(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let question = Question::new(context, arguments)?;
    let is_self = match question.thing {
        Value::Text(name) => **name == *question.user,
        number => std::slice::from_ref(number).oid(0)? == access::user_oid(&question.user),
    };
    question.ask(context, |privilege| match privilege {
        "MEMBER" | "USAGE" | "SET" if is_self => Ok(None),
        "MEMBER" | "USAGE" | "SET" => Ok(Some(access::database(Action::Admin))),
        _ => Err(unrecognized(privilege)),
    })
}
