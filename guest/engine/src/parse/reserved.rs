//! PostgreSQL's reserved words (PostgreSQL 15, appendix C), where sqlparser would take them for names.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Reserved words that no expression begins with.
const NO_EXPRESSION: &[&str] = &[
    "ALL",
    "ANALYSE",
    "ANALYZE",
    "AND",
    "ANY",
    "AS",
    "ASC",
    "ASYMMETRIC",
    "BOTH",
    "CHECK",
    "COLLATE",
    "COLUMN",
    "CONSTRAINT",
    "CREATE",
    "DEFERRABLE",
    "DESC",
    "DISTINCT",
    "DO",
    "ELSE",
    "END",
    "EXCEPT",
    "FETCH",
    "FOR",
    "FOREIGN",
    "FROM",
    "GRANT",
    "GROUP",
    "HAVING",
    "IN",
    "INITIALLY",
    "INTERSECT",
    "INTO",
    "LATERAL",
    "LEADING",
    "LIMIT",
    "OFFSET",
    "ONLY",
    "OR",
    "ORDER",
    "PLACING",
    "PRIMARY",
    "REFERENCES",
    "RETURNING",
    "SELECT",
    "SOME",
    "SYMMETRIC",
    "TABLE",
    "THEN",
    "TO",
    "TRAILING",
    "UNION",
    "UNIQUE",
    "USING",
    "VARIADIC",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
];

/// Reserved words that expressions do begin with.
const EXPRESSION: &[&str] = &[
    "ARRAY",
    "CASE",
    "CAST",
    "CURRENT_CATALOG",
    "CURRENT_DATE",
    "CURRENT_ROLE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "FALSE",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "NOT",
    "NULL",
    "SESSION_USER",
    "TRUE",
    "USER",
];

/// Words that an output's name cannot be without AS.
const NEEDS_AS: &[&str] = &[
    "ARRAY",
    "AS",
    "CHAR",
    "CHARACTER",
    "CREATE",
    "DAY",
    "EXCEPT",
    "FETCH",
    "FILTER",
    "FOR",
    "FROM",
    "GRANT",
    "GROUP",
    "HAVING",
    "HOUR",
    "INTERSECT",
    "INTO",
    "ISNULL",
    "LIMIT",
    "MINUTE",
    "MONTH",
    "NOTNULL",
    "OFFSET",
    "ON",
    "ORDER",
    "OVER",
    "OVERLAPS",
    "PRECISION",
    "RETURNING",
    "SECOND",
    "TO",
    "UNION",
    "VARYING",
    "WHERE",
    "WINDOW",
    "WITH",
    "WITHIN",
    "WITHOUT",
    "YEAR",
];

fn is_in(list: &[&str], keyword: Keyword) -> bool {
    let name = format!("{keyword:?}");
    list.contains(&name.as_str())
}

pub fn begins_no_expression(keyword: Keyword) -> bool {
    is_in(NO_EXPRESSION, keyword)
}

/// Whether a word cannot be a column's or a table's name.
pub fn is_reserved(keyword: Keyword) -> bool {
    is_in(NO_EXPRESSION, keyword) || is_in(EXPRESSION, keyword)
}

pub fn needs_as(keyword: Keyword) -> bool {
    is_in(NEEDS_AS, keyword)
}

/// The first token that stands where only a name can, and is none; the error says whether the text ends there.
pub fn misplaced(tokens: &[TokenWithSpan]) -> Option<Option<&TokenWithSpan>> {
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1);
        let begins = at == 0 || matches!(tokens[at - 1].token, Token::LParen | Token::RParen);
        let wanted = match keyword(token) {
            Keyword::INSERT if begins => Some(Keyword::INTO),
            Keyword::DELETE if begins => Some(Keyword::FROM),
            Keyword::ORDER | Keyword::GROUP if at > 0 && !is_name_place(&tokens[at - 1]) => {
                let ends = next.is_none_or(|next| matches!(next.token, Token::Word(_) | Token::Number(..)));
                if ends { Some(Keyword::BY) } else { None }
            }
            Keyword::FROM | Keyword::JOIN => {
                let is_reserved = next.is_some_and(|next| {
                    let next = keyword(next);
                    begins_no_expression(next) && !matches!(next, Keyword::LATERAL | Keyword::ONLY | Keyword::SELECT)
                });
                if is_reserved {
                    return Some(next);
                }
                None
            }
            _ => None,
        };
        if wanted.is_some_and(|wanted| next.is_none_or(|next| keyword(next) != wanted)) {
            return Some(next);
        }
    }
    None
}

/// After these a word is a name: `AS order`, `t.group`.
fn is_name_place(token: &TokenWithSpan) -> bool {
    token.token == Token::Period || matches!(keyword(token), Keyword::AS | Keyword::WITHIN)
}

fn keyword(token: &TokenWithSpan) -> Keyword {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    }
}
