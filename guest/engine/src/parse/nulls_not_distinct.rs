//! `CREATE TABLE t (a integer UNIQUE NULLS NOT DISTINCT)`: sqlparser reads it as a constraint of the table only.

use super::rewrite::{is_word, word};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Makes each such constraint of a column one of the table, at the list's end.
pub fn move_to_table(tokens: &mut Vec<TokenWithSpan>) {
    let is_create = tokens.first().is_some_and(|first| is_word(&first.token, "create"));
    if !is_create {
        return;
    }
    let mut moved: Vec<TokenWithSpan> = vec![];
    let mut depth = 0;
    let mut column = None;
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].token {
            Token::LParen => {
                depth += 1;
                if depth == 1 {
                    column = tokens.get(at + 1).cloned();
                }
            }
            Token::Comma if depth == 1 => column = tokens.get(at + 1).cloned(),
            Token::RParen => {
                depth -= 1;
                if depth == 0 {
                    tokens.splice(at..at, moved);
                    return;
                }
            }
            _ if depth == 1 => {
                let are = |words: &[&str]| {
                    let found = |(offset, word): (usize, &&str)| {
                        tokens.get(at + offset).is_some_and(|token| is_word(&token.token, word))
                    };
                    words.iter().enumerate().all(found)
                };
                let of_column =
                    |length: usize| !matches!(tokens.get(at + length).map(|token| &token.token), Some(Token::LParen));
                if are(&["unique", "nulls", "distinct"]) && of_column(3) {
                    tokens.drain(at + 1..at + 3);
                } else if are(&["unique", "nulls", "not", "distinct"]) && of_column(4) {
                    let span = tokens[at].span;
                    let constraint: Vec<TokenWithSpan> = tokens.drain(at..at + 4).collect();
                    let token = |token: Token| TokenWithSpan { token, span };
                    moved.push(token(Token::Comma));
                    moved.extend(constraint);
                    moved.push(token(Token::LParen));
                    moved.push(column.clone().unwrap_or_else(|| token(word("", Keyword::NoKeyword))));
                    moved.push(token(Token::RParen));
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
}
