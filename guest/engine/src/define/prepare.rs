//! PREPARE, EXECUTE and DEALLOCATE: the host keeps prepared statements.

use super::DefineContext;
use super::source::after_as;
use crate::bind::data_type;
use crate::bind::name::{fold, simple};
use crate::engine::pack_parameters;
use crate::error::{Error, Result};
use crate::statement::{Control, Outcome};
use crate::types::text;
use sqlparser::ast::{self, Expr, Ident, ObjectName};

pub fn prepare(context: &DefineContext, name: &Ident, data_types: &[ast::DataType]) -> Result<Outcome> {
    let sql = after_as(context.sql).ok_or_else(|| Error::internal("PREPARE without AS"))?;
    let parameter_types =
        data_types.iter().map(|given| Ok(data_type::resolve(given)?.0.oid())).collect::<Result<Vec<_>>>()?;
    Ok(Outcome::Control(Control::Prepare { name: fold(name), sql: sql.into(), parameter_types }))
}

/// Parameters are constant expressions here. They travel as text, as those of a client do.
pub fn execute(context: &DefineContext, name: Option<&ObjectName>, parameters: &[Expr]) -> Result<Outcome> {
    let name = fold(simple(name.ok_or_else(|| Error::not_supported("EXECUTE without a name"))?)?);
    let mut fields = vec![];
    for parameter in parameters {
        let (value, data_type) = context.constant_of_any_type(&parameter.to_string())?;
        fields.push((!value.is_null()).then(|| text::to_string(&value, data_type, context.settings)));
    }
    let parameters = pack_parameters(fields.iter().map(Option::as_deref));
    Ok(Outcome::Control(Control::ExecutePrepared { name, parameters }))
}

pub fn deallocate(name: &Ident) -> Result<Outcome> {
    let all = name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all");
    Ok(Outcome::Control(Control::Deallocate((!all).then(|| fold(name)))))
}
