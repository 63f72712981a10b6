//! ALTER COLUMN … TYPE.

use super::super::{Draft, column};
use crate::define::dependents::views_on_column;
use crate::define::rows;
use crate::error::{Error, Result, sqlstate};
use crate::execute::Execution;
use crate::execute::expression::{Compiled, evaluate};
use crate::modify::writer::TableWriter;
use crate::types::cast::{CastContext, castable};
use crate::types::{Column, DataType, Value, cast};
use sqlparser::ast::{self, Expr};

/// Changes a column's type. Rows are rewritten unless their bytes mean the same under the new type.
pub fn set(draft: &mut Draft, name: &str, data_type: &ast::DataType, using: Option<&Expr>) -> Result<()> {
    let relation = draft.relation.name.clone();
    let position = draft.position(name, || format!("column \"{name}\" of relation \"{relation}\" does not exist"))?;
    let (to, modifier) = column::resolve_type(data_type)?;
    let (from, old_modifier) = (draft.relation.columns[position].data_type, draft.relation.columns[position].modifier);
    if let Some(view) = views_on_column(draft.context, &draft.relation, position)?.first() {
        return Err(Error::new(
            sqlstate::FEATURE_NOT_SUPPORTED,
            "cannot alter type of a column used by a view or rule",
        )
        .detail(format!("view {} uses column \"{name}\"", draft.context.shown(view))));
    }
    let compiled = using.map(|using| draft.context.transform(&draft.relation, &typed(using, data_type))).transpose()?;
    let source = compiled.as_ref().map_or(from, Compiled::data_type);
    check_castable(name, source, to, using.is_some())?;
    let before = draft.relation.clone();
    let changed = &mut draft.relation.columns[position];
    (changed.data_type, changed.modifier) = (to, modifier);
    for index in &before.indexes {
        if index.columns.iter().any(|column| column.column == position) {
            column::check_orderable(to)?;
        }
    }
    if let Some(default) = &before.columns[position].default {
        draft.context.constant(default, to, modifier).map_err(|_| {
            let message = format!("default for column \"{name}\" cannot be cast automatically to type {}", to.name());
            Error::new(sqlstate::DATATYPE_MISMATCH, message)
        })?;
    }
    if using.is_none() && is_same_form((from, old_modifier), (to, modifier)) {
        return Ok(());
    }
    draft.relation.columns.iter_mut().for_each(|column| column.missing = None);
    let context = draft.context.execute_context();
    let execution = Execution::without_plan(&context);
    let functions = draft.context.functions();
    let mut writer = TableWriter::new(draft.context.host, &functions, &draft.relation)?;
    rows::rewrite(&mut writer, &before, &mut |rows| {
        let given: Option<std::rc::Rc<Column>> = match &compiled {
            Some(compiled) => Some(evaluate(&execution, compiled, &rows::columns(&before, rows))?),
            None => None,
        };
        let mut changed = vec![];
        for (number, row) in rows.iter().enumerate() {
            let mut values = row.values.clone();
            let value = given.as_ref().map_or_else(|| values[position].clone(), |given| given.value(number));
            values[position] = match value {
                Value::Null => Value::Null,
                value => cast::cast(&value, source, to, modifier, false, &functions)?,
            };
            if values[position].is_null() && before.columns[position].not_null {
                return Err(super::column::contains_nulls(&before, position));
            }
            changed.push(values);
        }
        Ok(changed)
    })
}

/// USING's text. A literal without a type is one of the new type.
fn typed(using: &Expr, data_type: &ast::DataType) -> String {
    match using {
        Expr::Value(value) if matches!(value.value, ast::Value::SingleQuotedString(_)) => {
            format!("{using}::{data_type}")
        }
        using => using.to_string(),
    }
}

fn check_castable(name: &str, from: DataType, to: DataType, has_using: bool) -> Result<()> {
    let is_assignable = matches!(castable(from, to), Some(CastContext::Implicit | CastContext::Assignment));
    if from == to || is_assignable {
        return Ok(());
    }
    let subject = if has_using { "result of USING clause for column" } else { "column" };
    let message = format!("{subject} \"{name}\" cannot be cast automatically to type {}", to.name());
    let error = Error::new(sqlstate::DATATYPE_MISMATCH, message);
    Err(if has_using {
        error.hint("You might need to add an explicit cast.")
    } else {
        error.hint(format!("You might need to specify \"USING {name}::{}\".", to.name()))
    })
}

/// Whether every value of the old type is the same bytes in a row, a key and an index entry of the new one.
fn is_same_form((from, old): (DataType, i32), (to, new): (DataType, i32)) -> bool {
    let is_string = |data_type| matches!(data_type, DataType::Text | DataType::Varchar);
    match (from, to) {
        _ if is_string(from) && is_string(to) => new < 0 || (from == DataType::Varchar && old >= 0 && new >= old),
        (DataType::Numeric, DataType::Numeric) => new < 0 || old == new,
        _ => from == to && old == new,
    }
}
