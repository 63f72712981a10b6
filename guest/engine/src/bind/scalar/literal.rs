//! Constants as they are written (PostgreSQL 15, section 4.1.2).

use super::super::binder::Binder;
use super::super::data_type::interval_literal_modifier;
use super::super::expression::Expression;
use super::super::name::{expression_position, literal_text};
use super::super::site::Site;
use crate::error::{Error, Result, sqlstate};
use crate::types::{DataType, Value, text};
use sqlparser::ast::{self, ValueWithSpan};

impl Binder<'_> {
    pub fn value(&mut self, value: &ValueWithSpan) -> Result<Expression> {
        use ast::Value as Ast;
        let position = u32::try_from(value.span.start.column).ok().filter(|&column| column > 0);
        let unknown = |text: &str| Ok(Expression::Literal(Value::text(text), DataType::Unknown));
        match &value.value {
            Ast::Number(digits, false) => self.number(digits).map_err(|error| error.at(position)),
            Ast::SingleQuotedString(text) | Ast::EscapedStringLiteral(text) | Ast::UnicodeStringLiteral(text) => {
                if text.contains('\0') {
                    return Err(Error::new(
                        sqlstate::CHARACTER_NOT_IN_REPERTOIRE,
                        "invalid byte sequence for encoding \"UTF8\": 0x00",
                    )
                    .at(position));
                }
                unknown(text)
            }
            Ast::DollarQuotedString(quoted) => unknown(&quoted.value),
            Ast::NationalStringLiteral(text) => {
                let literal = Expression::Literal(Value::text(text), DataType::Unknown);
                self.explicit(literal, DataType::Char, -1, position)
            }
            Ast::Boolean(value) => Ok(Expression::Literal(Value::Boolean(*value), DataType::Boolean)),
            Ast::Null => Ok(Expression::Literal(Value::Null, DataType::Unknown)),
            Ast::Placeholder(name) => {
                let number = name.strip_prefix('$').and_then(|digits| digits.parse().ok());
                let undefined = || Error::new(sqlstate::UNDEFINED_PARAMETER, format!("there is no parameter {name}"));
                self.parameter(number.ok_or_else(|| undefined().at(position))?, position)
            }
            other => Err(Error::not_supported(format!("the literal {other}")).at(position)),
        }
    }

    /// The smallest of integer, bigint and numeric that holds it. Digits may follow a minus sign.
    pub fn number(&mut self, digits: &str) -> Result<Expression> {
        let plain = digits.replace('_', "");
        if let Ok(value) = plain.parse::<i32>() {
            return Ok(Expression::Literal(Value::Integer(value), DataType::Integer));
        }
        if let Ok(value) = plain.parse::<i64>() {
            return Ok(Expression::Literal(Value::BigInt(value), DataType::BigInt));
        }
        let value = text::parse(&plain, DataType::Numeric, -1, &self.function_context())?;
        Ok(Expression::Literal(value, DataType::Numeric))
    }

    /// interval '1-2' year to month
    pub fn interval(&mut self, _site: &mut Site, interval: &ast::Interval) -> Result<Expression> {
        let position = expression_position(&interval.value);
        let Some(written) = literal_text(&interval.value) else {
            let message = format!("syntax error at or near \"{}\"", interval.value);
            return Err(Error::new(sqlstate::SYNTAX_ERROR, message).at(position));
        };
        let modifier = interval_literal_modifier(interval)?;
        let literal = Expression::Literal(Value::text(written), DataType::Unknown);
        let bound = self.explicit(literal, DataType::Interval, modifier, position)?;
        // The fields were for the input function; the value needs no second look unless digits are to be rounded.
        match bound {
            Expression::Cast { input, modifier, .. } if modifier & 0xffff == 0xffff => Ok(*input),
            bound => Ok(bound),
        }
    }
}
