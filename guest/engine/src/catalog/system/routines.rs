//! Functions of stored procedures in pg_proc and information_schema.

use super::{Row, array, oid_vector, owner, text, yes_or_no};
use crate::catalog::procedure::{Callable, Field, Returns};
use crate::catalog::{PUBLIC, definition};
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::types::{DataType, Value};

/// pg_language.oid of `wasm`.
pub const WASM: u32 = 13900;

/// The columns that a call answers beside its value: PostgreSQL's output parameters.
fn outputs(callable: &Callable) -> (&[Field], &'static str) {
    match callable.routine.returns {
        Returns::Nothing | Returns::Value => (&[], "o"),
        Returns::Row => (&callable.routine.columns, "o"),
        Returns::Rows => (&callable.routine.columns, "t"),
    }
}

pub fn functions(context: &FunctionContext) -> Result<Vec<Row>> {
    let row = |callable: &std::rc::Rc<Callable>| {
        let routine = &callable.routine;
        let (outputs, mode) = outputs(callable);
        let inputs: Vec<&Field> = routine.parameters.iter().map(|parameter| &parameter.field).collect();
        let all: Vec<&Field> = inputs.iter().copied().chain(outputs).collect();
        let types = |fields: &[&Field]| fields.iter().map(|field| Value::Oid(field.data_type.oid())).collect();
        let modes = (0..all.len()).map(|at| text(if at < inputs.len() { "i" } else { mode })).collect();
        let names = all.iter().map(|field| text(&field.name)).collect();
        let is_set = routine.returns == Returns::Rows;
        let mut row = vec![
            ("oid", Value::Oid(routine.oid)),
            ("proname", text(&routine.name)),
            ("pronamespace", Value::Oid(PUBLIC)),
            ("proowner", owner(&callable.owner)),
            ("prolang", Value::Oid(WASM)),
            ("procost", Value::Real(100.0)),
            ("prorows", Value::Real(if is_set { 1000.0 } else { 0.0 })),
            ("provariadic", Value::Oid(0)),
            ("prosupport", Value::Oid(0)),
            ("prokind", text("f")),
            ("prosecdef", Value::Boolean(callable.target.definer)),
            ("proleakproof", Value::Boolean(false)),
            ("proisstrict", Value::Boolean(false)),
            ("proretset", Value::Boolean(is_set)),
            ("provolatile", text("v")),
            ("proparallel", text("u")),
            ("pronargs", Value::SmallInt(inputs.len() as i16)),
            ("pronargdefaults", Value::SmallInt(0)),
            ("prorettype", Value::Oid(routine.data_type().oid())),
            ("proargtypes", oid_vector(inputs.iter().map(|field| field.data_type.oid()))),
            ("prosrc", text(&routine.export)),
            ("probin", text(&callable.target.procedure)),
        ];
        if !all.is_empty() {
            row.push(("proargnames", array(DataType::Text, names)));
        }
        if !outputs.is_empty() {
            row.push(("proallargtypes", array(DataType::Oid, types(&all))));
            row.push(("proargmodes", array(DataType::InternalChar, modes)));
        }
        row
    };
    Ok(context.catalog.routines().iter().map(row).collect())
}

/// `from_account text, amount integer`, and with `outputs` what goes out beside the value.
pub fn arguments(callable: &Callable, with_outputs: bool) -> String {
    let shown = |field: &Field| format!("{} {}", super::super::quote_identifier(&field.name), field.data_type.name());
    let inputs = callable.routine.parameters.iter().map(|parameter| shown(&parameter.field));
    let (outputs, mode) = outputs(callable);
    let outputs = outputs.iter().filter(|_| with_outputs && mode == "o").map(|field| format!("OUT {}", shown(field)));
    inputs.chain(outputs).collect::<Vec<_>>().join(", ")
}

/// `bigint`, `record`, `TABLE(id bigint, name text)`
pub fn result(callable: &Callable) -> String {
    let routine = &callable.routine;
    if routine.returns != Returns::Rows {
        return routine.data_type().name();
    }
    let shown = |field: &Field| format!("{} {}", super::super::quote_identifier(&field.name), field.data_type.name());
    format!("TABLE({})", routine.columns.iter().map(shown).collect::<Vec<_>>().join(", "))
}

/// The names of a routine under which the views of information_schema know it.
fn specific(context: &FunctionContext, callable: &Callable) -> Row {
    vec![
        ("specific_catalog", text(&context.settings.database)),
        ("specific_schema", text("public")),
        ("specific_name", text(format!("{}_{}", callable.routine.name, callable.routine.oid))),
    ]
}

fn data_type(context: &FunctionContext, data_type: DataType) -> Row {
    let shown = if data_type.element().is_some() { "ARRAY".into() } else { definition::type_name(data_type, -1) };
    vec![
        ("data_type", text(shown)),
        ("udt_catalog", text(&context.settings.database)),
        ("udt_schema", text("pg_catalog")),
        ("udt_name", text(data_type.internal_name())),
    ]
}

/// information_schema.routines
pub fn routines(context: &FunctionContext) -> Result<Vec<Row>> {
    let row = |callable: &std::rc::Rc<Callable>| {
        let mut row = specific(context, callable);
        row.extend([
            ("routine_catalog", text(&context.settings.database)),
            ("routine_schema", text("public")),
            ("routine_name", text(&callable.routine.name)),
            ("routine_type", text("FUNCTION")),
            ("routine_body", text("EXTERNAL")),
            ("external_name", text(&callable.routine.export)),
            ("external_language", text("WASM")),
            ("parameter_style", text("GENERAL")),
            ("is_deterministic", yes_or_no(false)),
            ("sql_data_access", text("MODIFIES")),
            ("is_null_call", yes_or_no(false)),
            ("schema_level_routine", yes_or_no(true)),
            ("security_type", text(if callable.target.definer { "DEFINER" } else { "INVOKER" })),
        ]);
        row.append(&mut data_type(context, callable.routine.data_type()));
        row
    };
    Ok(context.catalog.routines().iter().map(row).collect())
}

/// information_schema.parameters
pub fn parameters(context: &FunctionContext) -> Result<Vec<Row>> {
    let mut rows = vec![];
    for callable in context.catalog.routines() {
        let inputs = callable.routine.parameters.iter().map(|parameter| (&parameter.field, "IN"));
        let outputs = outputs(&callable).0.iter().map(|field| (field, "OUT"));
        for (number, (field, mode)) in (1..).zip(inputs.chain(outputs)) {
            let mut row = specific(context, &callable);
            row.extend([
                ("ordinal_position", Value::Integer(number)),
                ("parameter_mode", text(mode)),
                ("is_result", yes_or_no(false)),
                ("as_locator", yes_or_no(false)),
                ("parameter_name", text(&field.name)),
            ]);
            row.append(&mut data_type(context, field.data_type));
            rows.push(row);
        }
    }
    Ok(rows)
}
