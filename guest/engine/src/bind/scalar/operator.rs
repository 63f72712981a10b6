//! Operators (PostgreSQL 15, section 10.2).

use super::super::binder::Binder;
use super::super::expression::Expression;
use super::super::name::expression_position;
use super::super::site::Site;
use crate::error::{Error, Result, sqlstate};
use crate::functions::resolve;
use crate::types::DataType;
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

/// Where the two sides of an operator stand.
pub type Positions = (Option<u32>, Option<u32>);

impl Binder<'_> {
    pub fn unary(&mut self, site: &mut Site, operator: &UnaryOperator, input: &Expr) -> Result<Expression> {
        if let (UnaryOperator::Minus, Expr::Value(value)) = (operator, input)
            && let sqlparser::ast::Value::Number(digits, false) = &value.value
        {
            return self.number(&format!("-{digits}"));
        }
        let symbol = match operator {
            UnaryOperator::Not => {
                let bound = self.boolean(site, input, "NOT")?;
                return Ok(Expression::Not(Box::new(bound)));
            }
            UnaryOperator::Plus => "+",
            UnaryOperator::Minus => "-",
            UnaryOperator::BitwiseNot => "~",
            UnaryOperator::PGAbs => "@",
            UnaryOperator::PGSquareRoot => "|/",
            UnaryOperator::PGCubeRoot => "||/",
            other => return Err(Error::not_supported(format!("the operator {other}"))),
        };
        let bound = self.expression(site, input)?;
        self.operation(symbol, None, bound, (None, expression_position(input)))
    }

    /// A chain of binary operators, which leans to the left: its spine is walked, not recursed into.
    pub fn binary_chain(&mut self, site: &mut Site, ast: &Expr) -> Result<Expression> {
        let mut spine = vec![];
        let mut leftmost = ast;
        while let Expr::BinaryOp { left, op, right } = leftmost {
            spine.push((left, op, right));
            leftmost = left;
        }
        let mut bound: Option<Expression> = None;
        for (left, operator, right) in spine.into_iter().rev() {
            bound = Some(match (operator, bound) {
                (BinaryOperator::And | BinaryOperator::Or, bound) => {
                    let is_and = *operator == BinaryOperator::And;
                    let clause = if is_and { "AND" } else { "OR" };
                    let left = match bound {
                        Some(bound) => self.condition(bound, clause, expression_position(left))?,
                        None => self.boolean(site, left, clause)?,
                    };
                    let right = self.boolean(site, right, clause)?;
                    junction(is_and, left, right)
                }
                (BinaryOperator::Overlaps, _) => self.overlaps(site, left, right)?,
                (operator, None) if row_fields(left).is_some() || row_fields(right).is_some() => {
                    self.row_comparison(site, left, operator, right)?
                }
                (operator, bound) => {
                    let left_bound = match bound {
                        Some(bound) => bound,
                        None => self.expression(site, left)?,
                    };
                    let right_bound = self.expression(site, right)?;
                    let at = (expression_position(left), expression_position(right));
                    self.operation(&symbol(operator)?, Some(left_bound), right_bound, at)?
                }
            });
        }
        bound.ok_or_else(|| Error::internal("a chain without operators"))
    }

    /// An operator's call, its operands converted to what it takes.
    pub fn operation(
        &mut self,
        symbol: &str,
        left: Option<Expression>,
        right: Expression,
        at: Positions,
    ) -> Result<Expression> {
        let resolved = resolve::operator(symbol, left.as_ref().map(Expression::data_type), right.data_type())?;
        let mut wanted = resolved.argument_types.iter().copied();
        let mut arguments = Vec::with_capacity(2);
        if let Some(left) = left {
            let to = wanted.next().unwrap_or(left.data_type());
            arguments.push(self.argument(left, to, at.0)?);
        }
        let to = wanted.next().unwrap_or(right.data_type());
        arguments.push(self.argument(right, to, at.1)?);
        Ok(self.call(resolved.function, arguments, resolved.result))
    }

    /// An argument as its function takes it; what takes any type takes unknown literals as text.
    pub fn argument(&mut self, argument: Expression, to: DataType, at: Option<u32>) -> Result<Expression> {
        let to = if to == DataType::Unknown { DataType::Text } else { to };
        self.implicit(argument, to, at)
    }

    pub fn between(
        &mut self,
        site: &mut Site,
        input: &Expr,
        negated: bool,
        low: &Expr,
        high: &Expr,
    ) -> Result<Expression> {
        let at = |side: &Expr| (expression_position(input), expression_position(side));
        let bound = self.expression(site, input)?;
        let low_bound = self.expression(site, low)?;
        let high_bound = self.expression(site, high)?;
        if crate::bind::is_volatile(&bound) {
            return self.once(bound, |binder, bound| {
                binder.between_bound(bound, negated, (low_bound, at(low)), (high_bound, at(high)))
            });
        }
        self.between_bound(bound, negated, (low_bound, at(low)), (high_bound, at(high)))
    }

    fn between_bound(
        &mut self,
        bound: Expression,
        negated: bool,
        (low, low_at): (Expression, Positions),
        (high, high_at): (Expression, Positions),
    ) -> Result<Expression> {
        let (low_symbol, high_symbol) = if negated { ("<", ">") } else { (">=", "<=") };
        let above = self.operation(low_symbol, Some(bound.clone()), low, low_at)?;
        // A parameter has its type by now.
        let bound = match bound {
            Expression::Parameter { index, .. } => self.parameter(index + 1, None)?,
            bound => bound,
        };
        let below = self.operation(high_symbol, Some(bound), high, high_at)?;
        Ok(junction(!negated, above, below))
    }

    /// (start, end) OVERLAPS (start, end)
    fn overlaps(&mut self, site: &mut Site, left: &Expr, right: &Expr) -> Result<Expression> {
        match (row_fields(left).as_deref(), row_fields(right).as_deref()) {
            (Some([start, end]), Some([other_start, other_end])) => {
                self.named_call(site, "overlaps", &[start, end, other_start, other_end], expression_position(left))
            }
            (left_fields, _) => {
                let side = if left_fields.is_some_and(|fields| fields.len() == 2) { "right" } else { "left" };
                let message = format!("wrong number of parameters on {side} side of OVERLAPS expression");
                Err(Error::new(sqlstate::SYNTAX_ERROR, message).at(expression_position(left)))
            }
        }
    }

    /// LIKE and ILIKE by the operators behind them; ESCAPE rewrites the pattern first.
    pub fn like(
        &mut self,
        site: &mut Site,
        input: &Expr,
        symbol: &str,
        pattern: &Expr,
        escape: Option<&Expr>,
    ) -> Result<Expression> {
        let left = self.expression(site, input)?;
        let right = match escape {
            None => self.expression(site, pattern)?,
            Some(escape) => self.named_call(site, "like_escape", &[pattern, escape], None)?,
        };
        self.operation(symbol, Some(left), right, (expression_position(input), expression_position(pattern)))
    }

    /// SIMILAR TO is a regular expression made from its pattern.
    pub fn similar(
        &mut self,
        site: &mut Site,
        input: &Expr,
        negated: bool,
        pattern: &Expr,
        escape: Option<&Expr>,
    ) -> Result<Expression> {
        let left = self.expression(site, input)?;
        let arguments: Vec<&Expr> = std::iter::once(pattern).chain(escape).collect();
        let right = self.named_call(site, "similar_to_escape", &arguments, None)?;
        let symbol = if negated { "!~" } else { "~" };
        self.operation(symbol, Some(left), right, (expression_position(input), expression_position(pattern)))
    }

    pub fn is_boolean(
        &mut self,
        site: &mut Site,
        input: &Expr,
        value: Option<bool>,
        negated: bool,
    ) -> Result<Expression> {
        let clause = match (value, negated) {
            (Some(true), false) => "IS TRUE",
            (Some(true), true) => "IS NOT TRUE",
            (Some(false), false) => "IS FALSE",
            (Some(false), true) => "IS NOT FALSE",
            (None, false) => "IS UNKNOWN",
            (None, true) => "IS NOT UNKNOWN",
        };
        let bound = self.boolean(site, input, clause)?;
        Ok(Expression::IsBoolean { input: Box::new(bound), value, negated })
    }
}

/// AND or OR of two conditions; chains become one list.
pub fn junction(is_and: bool, left: Expression, right: Expression) -> Expression {
    let mut operands = vec![];
    for side in [left, right] {
        match (is_and, side) {
            (true, Expression::And(inner)) | (false, Expression::Or(inner)) => operands.extend(inner),
            (_, side) => operands.push(side),
        }
    }
    if is_and { Expression::And(operands) } else { Expression::Or(operands) }
}

/// The fields of `(a, b)` and `ROW(a, b)`.
pub fn row_fields(ast: &Expr) -> Option<Vec<&Expr>> {
    use sqlparser::ast::{FunctionArg, FunctionArgExpr, FunctionArguments};
    match ast {
        Expr::Tuple(fields) => Some(fields.iter().collect()),
        Expr::Nested(inner) => row_fields(inner),
        Expr::Function(function) => {
            let is_row = function.name.0.len() == 1 && function.name.to_string().eq_ignore_ascii_case("row");
            let FunctionArguments::List(list) = &function.args else { return None };
            let fields = list.args.iter().map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(field)) => Some(field),
                _ => None,
            });
            if is_row { fields.collect() } else { None }
        }
        _ => None,
    }
}

/// An operator as pg_operator names it.
pub fn symbol(operator: &BinaryOperator) -> Result<String> {
    use BinaryOperator as Operator;
    let symbol = match operator {
        Operator::NotEq => "<>",
        Operator::PGBitwiseXor => "#",
        Operator::PGExp => "^",
        Operator::Custom(symbol) => symbol,
        Operator::PGCustomBinaryOperator(parts) => match &parts[..] {
            [symbol] => symbol,
            [schema, symbol] if schema.eq_ignore_ascii_case("pg_catalog") => symbol,
            _ => {
                let message = format!("operator does not exist: {}", parts.join("."));
                return Err(Error::new(sqlstate::UNDEFINED_FUNCTION, message));
            }
        },
        Operator::Plus
        | Operator::Minus
        | Operator::Multiply
        | Operator::Divide
        | Operator::Modulo
        | Operator::StringConcat
        | Operator::Gt
        | Operator::Lt
        | Operator::GtEq
        | Operator::LtEq
        | Operator::Eq
        | Operator::BitwiseOr
        | Operator::BitwiseAnd
        | Operator::PGBitwiseShiftLeft
        | Operator::PGBitwiseShiftRight
        | Operator::PGOverlap
        | Operator::PGRegexMatch
        | Operator::PGRegexIMatch
        | Operator::PGRegexNotMatch
        | Operator::PGRegexNotIMatch
        | Operator::PGLikeMatch
        | Operator::PGILikeMatch
        | Operator::PGNotLikeMatch
        | Operator::PGNotILikeMatch
        | Operator::PGStartsWith
        | Operator::Arrow
        | Operator::LongArrow
        | Operator::HashArrow
        | Operator::HashLongArrow
        | Operator::AtAt
        | Operator::AtArrow
        | Operator::ArrowAt
        | Operator::HashMinus
        | Operator::AtQuestion
        | Operator::Question
        | Operator::QuestionAnd
        | Operator::QuestionPipe => return Ok(operator.to_string()),
        other => return Err(Error::not_supported(format!("the operator {other}"))),
    };
    Ok(symbol.to_string())
}
