//! Conversions that a statement asks for, or that its types need (PostgreSQL 15, chapter 10), and the folding of
//! constants.

use super::binder::Binder;
use super::expression::Expression;
use crate::error::{Error, Result, sqlstate};
use crate::functions::resolve::common_type;
use crate::functions::{ScalarFunction, Volatility};
use crate::types::cast::{self, CastContext, castable};
use crate::types::{DataType, Value, text};

impl Binder<'_> {
    /// Converts where `context` lets it; none when there is no such conversion.
    pub fn coerce(
        &mut self,
        expression: Expression,
        to: DataType,
        modifier: i32,
        context: CastContext,
        position: Option<u32>,
    ) -> Result<Option<Expression>> {
        let from = expression.data_type();
        if from == to && (modifier < 0 || modifier == self.modifier(&expression)) {
            return Ok(Some(expression));
        }
        let explicit = context == CastContext::Explicit;
        match expression {
            Expression::Literal(Value::Null, DataType::Unknown) => Ok(Some(Expression::Literal(Value::Null, to))),
            Expression::Literal(value, DataType::Unknown) => {
                self.literal(value, to, modifier, explicit).map(Some).map_err(|error| error.at(position))
            }
            Expression::Parameter { index, data_type: DataType::Unknown } => {
                let parameter = self.settle_parameter(index, to, position)?;
                Ok(Some(self.with_modifier(parameter, to, modifier, explicit)))
            }
            expression if castable(from, to).is_some_and(|widest| widest <= context) => {
                Ok(Some(self.cast(expression, to, modifier, explicit)))
            }
            _ => Ok(None),
        }
    }

    /// Converts what must convert: function arguments, branches of a common type.
    pub fn implicit(&mut self, expression: Expression, to: DataType, position: Option<u32>) -> Result<Expression> {
        let from = expression.data_type();
        self.coerce(expression, to, -1, CastContext::Implicit, position)?
            .ok_or_else(|| cannot_cast(from, to).at(position))
    }

    /// CAST and its like; 42846 when there is no such conversion.
    pub fn explicit(
        &mut self,
        expression: Expression,
        to: DataType,
        modifier: i32,
        position: Option<u32>,
    ) -> Result<Expression> {
        let from = expression.data_type();
        // PostgreSQL points to the cast itself, whose place the tree does not say.
        self.coerce(expression, to, modifier, CastContext::Explicit, position)?.ok_or_else(|| cannot_cast(from, to))
    }

    /// A condition: boolean, or 42804 in PostgreSQL's words.
    pub fn condition(&mut self, expression: Expression, clause: &str, position: Option<u32>) -> Result<Expression> {
        let from = expression.data_type();
        self.coerce(expression, DataType::Boolean, -1, CastContext::Assignment, position)?.ok_or_else(|| {
            let message = format!("argument of {clause} must be type boolean, not type {}", from.name());
            Error::new(sqlstate::DATATYPE_MISMATCH, message).at(position)
        })
    }

    /// Gives all expressions one type.
    pub fn unify(
        &mut self,
        expressions: Vec<Expression>,
        construct: &str,
        at: &[Option<u32>],
    ) -> Result<(Vec<Expression>, DataType)> {
        let types: Vec<DataType> = expressions.iter().map(Expression::data_type).collect();
        let common = common_type(&types, construct).map_err(|error| {
            let first = types.iter().find(|data_type| **data_type != DataType::Unknown);
            let odd = types.iter().position(|data_type| *data_type != DataType::Unknown && Some(data_type) != first);
            error.at(odd.and_then(|index| at.get(index).copied().flatten()))
        })?;
        let unified = expressions
            .into_iter()
            .enumerate()
            .map(|(index, expression)| self.implicit(expression, common, at.get(index).copied().flatten()))
            .collect::<Result<_>>()?;
        Ok((unified, common))
    }

    /// Literals and parameters that nothing gave a type are text.
    pub fn settle(&mut self, expression: Expression) -> Result<Expression> {
        if expression.data_type() == DataType::Unknown {
            self.implicit(expression, DataType::Text, None)
        } else {
            Ok(expression)
        }
    }

    /// A value for a table's column; 42804 when it has none of the types that may be assigned.
    pub fn assign(
        &mut self,
        expression: Expression,
        column: &crate::catalog::TableColumn,
        position: Option<u32>,
    ) -> Result<Expression> {
        let from = expression.data_type();
        let to = column.data_type;
        self.coerce(expression, to, column.modifier, CastContext::Assignment, position)?.ok_or_else(|| {
            Error::new(
                sqlstate::DATATYPE_MISMATCH,
                format!(
                    "column \"{}\" is of type {} but expression is of type {}",
                    column.name,
                    to.name(),
                    from.name()
                ),
            )
            .hint("You will need to rewrite or cast the expression.")
            .at(position)
        })
    }

    /// A conversion that is known to exist, carried out at once where it is one of constants alone.
    fn cast(&mut self, expression: Expression, to: DataType, modifier: i32, explicit: bool) -> Expression {
        if let Expression::Literal(value, from) = &expression
            && modifier < 0
            && is_timeless(*from, to)
            && let Ok(converted) = cast::cast(value, *from, to, modifier, explicit, &self.function_context())
        {
            return Expression::Literal(converted, to);
        }
        Expression::Cast { input: Box::new(expression), to, modifier, explicit }
    }

    fn with_modifier(&mut self, expression: Expression, to: DataType, modifier: i32, explicit: bool) -> Expression {
        if modifier < 0 { expression } else { Expression::Cast { input: Box::new(expression), to, modifier, explicit } }
    }

    /// A quoted literal as a value of a type.
    fn literal(&mut self, value: Value, to: DataType, modifier: i32, explicit: bool) -> Result<Expression> {
        let Value::Text(written) = &value else {
            return Err(Error::internal("an untyped literal that is not a text"));
        };
        if to == DataType::Unknown {
            return Ok(Expression::Literal(value, to));
        }
        if let Some(oid) = self.registered(written, to)? {
            return Ok(Expression::Literal(Value::Oid(oid), to));
        }
        // 'now' means the time of each run, not of the first one.
        let depends_on_time = is_time(to) && mentions_now(written);
        if depends_on_time {
            let input = Expression::Literal(value, DataType::Text);
            return Ok(Expression::Cast { input: Box::new(input), to, modifier, explicit: true });
        }
        // Only interval's input function looks at its modifier; the others leave it to the length coercion.
        let input_modifier = if to == DataType::Interval { modifier } else { -1 };
        let parsed = text::parse(written, to, input_modifier, &self.function_context())?;
        Ok(self.with_modifier(Expression::Literal(parsed, to), to, modifier, explicit))
    }

    /// The oid behind a name, for the types that print oids as names; none where the text is a number.
    fn registered(&self, written: &str, to: DataType) -> Result<Option<u32>> {
        if !matches!(to, DataType::Regclass | DataType::Regnamespace) {
            return Ok(None);
        }
        let is_number = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
        if is_number || written == "-" {
            return Ok(None);
        }
        let names = super::name::split_qualified(written)?;
        let path = &self.context.settings.search_path;
        let catalog = self.context.catalog;
        match (to, &names[..]) {
            (DataType::Regnamespace, [schema]) => match catalog.schema(schema) {
                Some(found) => Ok(Some(found.id)),
                None => Err(Error::new(sqlstate::INVALID_SCHEMA_NAME, format!("schema \"{schema}\" does not exist"))),
            },
            (DataType::Regclass, [.., name]) => {
                let schema = names.len().checked_sub(2).and_then(|at| names.get(at)).map(String::as_str);
                if let Some(relation) = catalog.relation(schema, name, path) {
                    return Ok(Some(relation.id));
                }
                if let Some((relation, index)) = catalog.index(schema, name, path) {
                    return Ok(relation.indexes.get(index).map(|index| index.oid));
                }
                let message = format!("relation \"{}\" does not exist", names.join("."));
                Err(Error::new(sqlstate::UNDEFINED_TABLE, message))
            }
            _ => Ok(None),
        }
    }

    /// A call, evaluated at once where it always gives the same. Where it fails it stays, to fail when it is run.
    pub fn call(
        &mut self,
        function: &'static ScalarFunction,
        arguments: Vec<Expression>,
        data_type: DataType,
    ) -> Expression {
        let constants: Option<Vec<Value>> = match function.volatility {
            Volatility::Immutable => arguments
                .iter()
                .map(|argument| match argument {
                    Expression::Literal(value, _) => Some(value.clone()),
                    _ => None,
                })
                .collect(),
            Volatility::Stable | Volatility::Volatile => None,
        };
        if let Some(values) = constants {
            if function.strict && values.iter().any(Value::is_null) {
                return Expression::Literal(Value::Null, data_type);
            }
            if let Ok(value) = (function.evaluate)(&self.function_context(), &values) {
                return Expression::Literal(value, data_type);
            }
        }
        Expression::Call { function, arguments, data_type }
    }
}

fn cannot_cast(from: DataType, to: DataType) -> Error {
    Error::new(sqlstate::CANNOT_COERCE, format!("cannot cast type {} to {}", from.name(), to.name()))
}

fn is_time(data_type: DataType) -> bool {
    use DataType::{Date, Time, TimeTz, Timestamp, Timestamptz};
    match data_type {
        Date | Time | TimeTz | Timestamp | Timestamptz => true,
        DataType::Array(element) => is_time(*element),
        _ => false,
    }
}

fn mentions_now(written: &str) -> bool {
    let lower = written.to_ascii_lowercase();
    ["now", "today", "tomorrow", "yesterday"].iter().any(|word| lower.contains(word))
}

/// Whether a conversion gives the same at any time and under any setting.
fn is_timeless(from: DataType, to: DataType) -> bool {
    use DataType::{BigInt, Boolean, Char, Double, Integer, Numeric, Real, SmallInt, Text, Varchar};
    let plain = |data_type: DataType| {
        matches!(data_type, Boolean | SmallInt | Integer | BigInt | Real | Double | Numeric | Text | Varchar | Char)
    };
    let prints_by_setting = matches!(from, Real | Double) && to.is_text();
    plain(from) && plain(to) && !prints_by_setting
}
