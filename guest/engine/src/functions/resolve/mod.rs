//! From a name and argument types to a function (PostgreSQL 15, chapter 10).

pub mod candidate;
pub mod category;
pub mod common_type;
mod polymorphic;
#[cfg(test)]
mod tests;

pub use common_type::common_type;

use super::registry::{self, Registry};
use super::{AggregateFunction, FunctionKind, Resolved, ScalarFunction, SetFunction, Signature, WindowFunction};
use crate::error::{Error, Result, sqlstate};
use crate::types::{DataType, Value};
use candidate::{Candidate, Choice, choose};

/// The value of a call that its arguments' types alone decide: `pg_typeof`. None for all other calls.
pub fn by_types(name: &str, arguments: &[DataType]) -> Option<(Value, DataType)> {
    match (name, arguments) {
        ("pg_typeof", [data_type]) => Some((Value::Oid(data_type.oid()), DataType::Regtype)),
        _ => None,
    }
}

/// What kind of function goes by this name; none when there is no such function.
pub fn kind(name: &str) -> Option<FunctionKind> {
    registry::with(|registry| registry.kind(name))
}

pub fn scalar(name: &str, arguments: &[DataType]) -> Result<Resolved<ScalarFunction>> {
    function(name, arguments, |registry| registry.scalar(name), |function| function.result)
}

pub fn aggregate(name: &str, arguments: &[DataType]) -> Result<Resolved<AggregateFunction>> {
    function(name, arguments, |registry| registry.aggregate(name), |function| function.result)
}

pub fn window(name: &str, arguments: &[DataType]) -> Result<Resolved<WindowFunction>> {
    function(name, arguments, |registry| registry.window(name), |function| function.result)
}

/// The result is the type of the only column, or record. See `set_columns`.
pub fn set(name: &str, arguments: &[DataType]) -> Result<Resolved<SetFunction>> {
    function(
        name,
        arguments,
        |registry| registry.set(name),
        |function| match function.columns {
            [(_, signature)] => *signature,
            _ => Signature::Exact(DataType::Record),
        },
    )
}

/// The names and types of the columns of a resolved call.
pub fn set_columns(call: &Resolved<SetFunction>) -> Result<Vec<(&'static str, DataType)>> {
    let columns = call.function.columns.iter();
    columns
        .map(|&(name, signature)| {
            Ok((name, polymorphic::instantiate(call.function, signature, &call.argument_types)?.1))
        })
        .collect()
}

/// `left` is none for a prefix operator.
pub fn operator(symbol: &str, left: Option<DataType>, right: DataType) -> Result<Resolved<ScalarFunction>> {
    // PostgreSQL's grammar turns != into <>.
    let symbol = if symbol == "!=" { "<>" } else { symbol };
    let arguments: Vec<DataType> = left.into_iter().chain([right]).collect();
    let candidates = registry::with(|registry| registry.operator(symbol));
    // An unknown literal is taken for the other side's type first.
    let assumed: Vec<DataType> = match arguments[..] {
        [DataType::Unknown, right] => vec![right, right],
        [left, DataType::Unknown] => vec![left, left],
        _ => arguments.clone(),
    };
    let exact = candidates.iter().find(|function| {
        function.arguments.len() == assumed.len()
            && function.arguments.iter().zip(&assumed).all(|(wanted, given)| *wanted == Signature::Exact(*given))
    });
    let chosen = match exact {
        Some(function) => Choice::One(*function),
        None => choose(candidates, &arguments),
    };
    match chosen {
        Choice::One(function) => resolved(function, function.result, &arguments),
        Choice::Ambiguous => Err(Error::new(
            sqlstate::AMBIGUOUS_FUNCTION,
            format!("operator is not unique: {}", operator_signature(symbol, &arguments)),
        )
        .hint("Could not choose a best candidate operator. You might need to add explicit type casts.")),
        Choice::None => Err(Error::new(
            sqlstate::UNDEFINED_FUNCTION,
            format!("operator does not exist: {}", operator_signature(symbol, &arguments)),
        )
        .hint(match arguments.len() {
            1 => "No operator matches the given name and argument type. You might need to add an explicit type cast.",
            _ => "No operator matches the given name and argument types. You might need to add explicit type casts.",
        })),
    }
}

fn function<F: Candidate>(
    name: &str,
    arguments: &[DataType],
    candidates: impl FnOnce(&Registry) -> Vec<&'static F>,
    result: impl FnOnce(&'static F) -> Signature,
) -> Result<Resolved<F>> {
    match choose(registry::with(candidates), arguments) {
        Choice::One(function) => resolved(function, result(function), arguments),
        Choice::None => Err(Error::new(
            sqlstate::UNDEFINED_FUNCTION,
            format!("function {name}({}) does not exist", list(arguments)),
        )
        .hint("No function matches the given name and argument types. You might need to add explicit type casts.")),
        Choice::Ambiguous => {
            Err(Error::new(sqlstate::AMBIGUOUS_FUNCTION, format!("function {name}({}) is not unique", list(arguments)))
                .hint("Could not choose a best candidate function. You might need to add explicit type casts."))
        }
    }
}

fn resolved<F: Candidate>(function: &'static F, result: Signature, arguments: &[DataType]) -> Result<Resolved<F>> {
    let (argument_types, result) = polymorphic::instantiate(function, result, arguments)?;
    Ok(Resolved { function, argument_types, result })
}

fn list(arguments: &[DataType]) -> String {
    arguments.iter().map(|data_type| data_type.name()).collect::<Vec<_>>().join(", ")
}

fn operator_signature(symbol: &str, arguments: &[DataType]) -> String {
    match arguments {
        [left, right] => format!("{} {symbol} {}", left.name(), right.name()),
        _ => format!("{symbol} {}", list(arguments)),
    }
}

impl Candidate for ScalarFunction {
    fn signatures(&self) -> &'static [Signature] {
        self.arguments
    }

    fn is_variadic(&self) -> bool {
        self.variadic
    }
}

impl Candidate for SetFunction {
    fn signatures(&self) -> &'static [Signature] {
        self.arguments
    }

    fn is_variadic(&self) -> bool {
        self.variadic
    }
}

impl Candidate for AggregateFunction {
    fn signatures(&self) -> &'static [Signature] {
        self.arguments
    }

    fn is_variadic(&self) -> bool {
        self.variadic
    }
}

impl Candidate for WindowFunction {
    fn signatures(&self) -> &'static [Signature] {
        self.arguments
    }

    fn is_variadic(&self) -> bool {
        false
    }

    fn optional(&self) -> usize {
        self.optional
    }
}
