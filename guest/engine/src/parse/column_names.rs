//! `CREATE TABLE t (a, b) AS SELECT …`: sqlparser wants a type behind every name.

use super::rewrite::{is_word, word};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Puts the type text behind each name; the columns get the query's types all the same.
pub fn give_types(tokens: &mut Vec<TokenWithSpan>) {
    let is = |at: usize, wanted: &str| tokens.get(at).is_some_and(|token| is_word(&token.token, wanted));
    let token = |at: usize| tokens.get(at).map(|token| &token.token);
    if !is(0, "create") || !is(1, "table") {
        return;
    }
    let mut at = if is(2, "if") && is(3, "not") && is(4, "exists") { 5 } else { 2 };
    while matches!(token(at), Some(Token::Word(_) | Token::Period)) {
        at += 1;
    }
    if token(at) != Some(&Token::LParen) {
        return;
    }
    let mut names = vec![];
    loop {
        match (token(at + 1), token(at + 2)) {
            (Some(Token::Word(_)), Some(Token::Comma | Token::RParen)) => names.push(at + 1),
            _ => return,
        }
        at += 2;
        if token(at) == Some(&Token::RParen) {
            break;
        }
    }
    if !is(at + 1, "as") {
        return;
    }
    for name in names.into_iter().rev() {
        let span = tokens[name].span;
        tokens.insert(name + 1, TokenWithSpan { token: word("text", Keyword::TEXT), span });
    }
}
