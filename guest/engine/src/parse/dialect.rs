//! PostgreSQL's dialect where sqlparser's own one differs from PostgreSQL's grammar: precedences (PostgreSQL 15,
//! section 4.1.6), forms of LIKE and BETWEEN, and long chains of AND and OR.

use super::reserved;
use sqlparser::ast::{
    BinaryOperator, ColumnOption, DataType, Expr, KeyOrIndexDisplay, NullsDistinctOption, TypedString, UnaryOperator,
    UniqueConstraint,
};
use sqlparser::dialect::{Dialect, PostgreSqlDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;
use std::any::TypeId;

#[derive(Debug)]
pub struct PostgreSql;

const POSTGRESQL: PostgreSqlDialect = PostgreSqlDialect {};

/// Unary plus and minus bind tighter than COLLATE, AT TIME ZONE and ^.
const SIGN: u8 = 125;
const OTHER_OPERATOR: u8 = 70;

macro_rules! as_postgresql {
    ($($method:ident)*) => {
        $(fn $method(&self) -> bool {
            POSTGRESQL.$method()
        })*
    };
}

impl Dialect for PostgreSql {
    fn dialect(&self) -> TypeId {
        TypeId::of::<PostgreSqlDialect>()
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        POSTGRESQL.identifier_quote_style(identifier)
    }

    fn is_delimited_identifier_start(&self, character: char) -> bool {
        POSTGRESQL.is_delimited_identifier_start(character)
    }

    fn is_identifier_start(&self, character: char) -> bool {
        POSTGRESQL.is_identifier_start(character)
    }

    fn is_identifier_part(&self, character: char) -> bool {
        POSTGRESQL.is_identifier_part(character)
    }

    fn is_custom_operator_part(&self, character: char) -> bool {
        POSTGRESQL.is_custom_operator_part(character)
    }

    /// UNIQUE NULLS [NOT] DISTINCT of a column.
    fn parse_column_option(
        &self,
        parser: &mut Parser,
    ) -> Result<Option<Result<Option<ColumnOption>, ParserError>>, ParserError> {
        let nulls_distinct = if parser.parse_keywords(&[Keyword::UNIQUE, Keyword::NULLS, Keyword::DISTINCT]) {
            NullsDistinctOption::Distinct
        } else if parser.parse_keywords(&[Keyword::UNIQUE, Keyword::NULLS, Keyword::NOT, Keyword::DISTINCT]) {
            NullsDistinctOption::NotDistinct
        } else {
            return Ok(None);
        };
        let unique = UniqueConstraint {
            name: None,
            index_name: None,
            index_type_display: KeyOrIndexDisplay::None,
            index_type: None,
            columns: vec![],
            include: vec![],
            index_options: vec![],
            characteristics: None,
            nulls_distinct,
        };
        Ok(Some(Ok(Some(ColumnOption::Unique(unique)))))
    }

    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        reserved::is_reserved(keyword)
    }

    fn is_table_alias(&self, keyword: &Keyword, parser: &mut Parser) -> bool {
        POSTGRESQL.is_table_alias(keyword, parser) && !reserved::is_reserved(*keyword)
    }

    fn is_column_alias(&self, keyword: &Keyword, _parser: &mut Parser) -> bool {
        !reserved::needs_as(*keyword)
    }

    fn prec_value(&self, precedence: Precedence) -> u8 {
        POSTGRESQL.prec_value(precedence)
    }

    as_postgresql! {
        supports_unicode_string_literal
        supports_filter_during_aggregation
        supports_group_by_expr
        supports_alter_user_as_alter_role
        allow_extract_custom
        allow_extract_single_quotes
        supports_create_index_with_clause
        supports_explain_with_utility_options
        supports_listen_notify
        supports_exclude_constraint
        supports_bitwise_shift_operators
        supports_geometric_types
        supports_comment_on
        supports_load_extension
        supports_named_fn_args_with_colon_operator
        supports_named_fn_args_with_expr_name
        supports_empty_projections
        supports_nested_comments
        supports_string_escape_constant
        supports_numeric_literal_underscores
        supports_array_typedef_with_brackets
        supports_order_by_using_operator
        supports_set_names
        supports_alter_column_type_using
        supports_left_associative_joins_without_parens
        supports_notnull_operator
        supports_interval_options
        supports_insert_table_alias
        supports_create_table_like_parenthesized
    }

    /// `(expression).*`
    fn supports_select_expr_star(&self) -> bool {
        true
    }

    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        match &parser.peek_token_ref().token {
            Token::Tilde
            | Token::TildeAsterisk
            | Token::ExclamationMarkTilde
            | Token::ExclamationMarkTildeAsterisk
            | Token::DoubleTilde
            | Token::DoubleTildeAsterisk
            | Token::ExclamationMarkDoubleTilde
            | Token::ExclamationMarkDoubleTildeAsterisk => Some(Ok(OTHER_OPERATOR)),
            Token::Word(word) if word.keyword == Keyword::OPERATOR => Some(Ok(OTHER_OPERATOR)),
            _ => POSTGRESQL.get_next_precedence(parser),
        }
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        let unary = |operator, precedence| Some((operator, precedence));
        let sign = match &parser.peek_token_ref().token {
            Token::Minus => unary(UnaryOperator::Minus, SIGN),
            Token::Plus => unary(UnaryOperator::Plus, SIGN),
            Token::Tilde => unary(UnaryOperator::BitwiseNot, OTHER_OPERATOR),
            Token::AtSign => unary(UnaryOperator::PGAbs, OTHER_OPERATOR),
            Token::PGSquareRoot => unary(UnaryOperator::PGSquareRoot, OTHER_OPERATOR),
            Token::PGCubeRoot => unary(UnaryOperator::PGCubeRoot, OTHER_OPERATOR),
            Token::Word(word) if word.quote_style.is_none() && reserved::begins_no_expression(word.keyword) => {
                return Some(parser.expected_ref("an expression", parser.peek_token_ref()));
            }
            Token::Word(_) => return typed_string(parser).transpose(),
            _ => None,
        };
        let (operator, precedence) = sign?;
        parser.advance_token();
        Some(parser.parse_subexpr(precedence).map(|input| Expr::UnaryOp { op: operator, expr: Box::new(input) }))
    }

    fn parse_infix(&self, parser: &mut Parser, left: &Expr, _precedence: u8) -> Option<Result<Expr, ParserError>> {
        if is_comparison_token(&parser.peek_token_ref().token) && is_comparison(left) {
            return Some(parser.expected_ref("no second comparison", parser.peek_token_ref()));
        }
        let keyword_at = |parser: &Parser, offset: usize| match &parser.peek_nth_token_ref(offset).token {
            Token::Word(word) if word.quote_style.is_none() => word.keyword,
            _ => Keyword::NoKeyword,
        };
        let first = keyword_at(parser, 0);
        let offset = usize::from(first == Keyword::NOT);
        let (second, third) = (keyword_at(parser, offset), keyword_at(parser, offset + 1));
        let negated = offset == 1;
        match (first, second, third) {
            (Keyword::AND, ..) => Some(chain(parser, left, Keyword::AND, BinaryOperator::And, Precedence::And)),
            (Keyword::OR, ..) => Some(chain(parser, left, Keyword::OR, BinaryOperator::Or, Precedence::Or)),
            (Keyword::COLLATE, ..) => {
                parser.advance_token();
                let collation = parser.parse_object_name(false);
                Some(collation.map(|collation| Expr::Collate { expr: Box::new(left.clone()), collation }))
            }
            (_, Keyword::BETWEEN, Keyword::SYMMETRIC | Keyword::ASYMMETRIC) => {
                (0..offset + 2).for_each(|_| parser.advance_token());
                Some(between(parser, left, negated, third == Keyword::SYMMETRIC))
            }
            (_, Keyword::LIKE | Keyword::ILIKE, Keyword::ANY | Keyword::SOME | Keyword::ALL) => {
                (0..offset + 2).for_each(|_| parser.advance_token());
                let operator = match (second, negated) {
                    (Keyword::LIKE, false) => BinaryOperator::PGLikeMatch,
                    (Keyword::LIKE, true) => BinaryOperator::PGNotLikeMatch,
                    (_, false) => BinaryOperator::PGILikeMatch,
                    (_, true) => BinaryOperator::PGNotILikeMatch,
                };
                Some(quantified(parser, left, operator, third == Keyword::ALL))
            }
            _ => None,
        }
    }
}

/// Comparisons do not chain: `a < b < c` is an error.
fn is_comparison_token(token: &Token) -> bool {
    matches!(token, Token::Eq | Token::Neq | Token::Lt | Token::LtEq | Token::Gt | Token::GtEq)
}

fn is_comparison(expression: &Expr) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(expression, Expr::BinaryOp { op: Eq | NotEq | Lt | LtEq | Gt | GtEq, .. })
}

/// A whole chain of AND or OR as a balanced tree, whose depth grows with the logarithm of its length.
fn chain(
    parser: &mut Parser,
    left: &Expr,
    keyword: Keyword,
    operator: BinaryOperator,
    precedence: Precedence,
) -> Result<Expr, ParserError> {
    let precedence = POSTGRESQL.prec_value(precedence);
    let mut operands = vec![left.clone()];
    while parser.parse_keyword(keyword) {
        operands.push(parser.parse_subexpr(precedence)?);
    }
    while operands.len() > 1 {
        let mut pairs = Vec::with_capacity(operands.len().div_ceil(2));
        let mut rest = operands.into_iter();
        while let Some(first) = rest.next() {
            pairs.push(match rest.next() {
                Some(second) => binary(first, operator.clone(), second),
                None => first,
            });
        }
        operands = pairs;
    }
    operands.pop().ok_or_else(|| ParserError::ParserError("an empty chain".into()))
}

fn binary(left: Expr, operator: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op: operator, right: Box::new(right) }
}

/// BETWEEN SYMMETRIC is, as in PostgreSQL, BETWEEN either way round; ASYMMETRIC is BETWEEN.
fn between(parser: &mut Parser, left: &Expr, negated: bool, symmetric: bool) -> Result<Expr, ParserError> {
    let precedence = POSTGRESQL.prec_value(Precedence::Between);
    let low = parser.parse_subexpr(precedence)?;
    parser.expect_keyword_is(Keyword::AND)?;
    let high = parser.parse_subexpr(precedence)?;
    let one_way = |low: Expr, high: Expr| Expr::Between {
        expr: Box::new(left.clone()),
        negated,
        low: Box::new(low),
        high: Box::new(high),
    };
    if !symmetric {
        return Ok(one_way(low, high));
    }
    let operator = if negated { BinaryOperator::And } else { BinaryOperator::Or };
    let both = binary(one_way(low.clone(), high.clone()), operator, one_way(high, low));
    Ok(Expr::Nested(Box::new(both)))
}

/// `LIKE ANY (…)`: the operator behind LIKE with an array or a subquery.
fn quantified(parser: &mut Parser, left: &Expr, operator: BinaryOperator, all: bool) -> Result<Expr, ParserError> {
    let right = Box::new(parser.parse_subexpr(OTHER_OPERATOR)?);
    let left = Box::new(left.clone());
    Ok(if all {
        Expr::AllOp { left, compare_op: operator, right }
    } else {
        Expr::AnyOp { left, compare_op: operator, right, is_some: false }
    })
}

/// `type 'text'` for types that are no keywords of sqlparser's.
fn typed_string(parser: &mut Parser) -> Result<Option<Expr>, ParserError> {
    // interval(3) '…': its digits are otherwise lost.
    let is_interval = match &parser.peek_token_ref().token {
        Token::Word(word) => word.keyword == Keyword::INTERVAL && word.quote_style.is_none(),
        _ => false,
    };
    if is_interval
        && let Token::Number(digits, false) = &parser.peek_nth_token_ref(2).token
        && let Ok(precision) = digits.parse()
        && parser.peek_nth_token_ref(1).token == Token::LParen
        && parser.peek_nth_token_ref(3).token == Token::RParen
    {
        (0..4).for_each(|_| parser.advance_token());
        let data_type = DataType::Interval { fields: None, precision: Some(precision) };
        let value = parser.parse_value()?;
        return Ok(Some(Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false })));
    }
    let is_type = match (&parser.peek_token_ref().token, &parser.peek_nth_token_ref(1).token) {
        (Token::Word(word), Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_)) => {
            word.keyword == Keyword::NoKeyword || word.quote_style.is_some()
        }
        _ => false,
    };
    if !is_type {
        return Ok(None);
    }
    let data_type: DataType = parser.parse_data_type()?;
    let value = parser.parse_value()?;
    Ok(Some(Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false })))
}
