//! Long chains of operators make trees as deep as they are long, and whoever walks or frees such a tree recurses.

use crate::error::{Error, Result, sqlstate};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Operators that may follow each other in one operand of AND, OR or a list. Chains of AND and OR have no such limit:
/// the dialect makes balanced trees of them.
const CHAIN_MAX: usize = 1000;

/// UNION, INTERSECT and EXCEPT, and joins, of one statement.
const RELATIONS_MAX: usize = 400;

/// Fails with 54001 where a chain is too long.
pub fn check(tokens: &[TokenWithSpan]) -> Result<()> {
    let mut levels = vec![Chain::default()];
    let mut relations = 0;
    for token in tokens {
        match &token.token {
            Token::LParen | Token::LBracket => levels.push(Chain::default()),
            Token::RParen | Token::RBracket => {
                if levels.len() > 1 {
                    levels.pop();
                }
                // Subscripts and calls chain as well: a[1][2][3].
                count(&mut levels)?;
            }
            Token::Comma | Token::SemiColon => reset(&mut levels),
            Token::Word(word) if word.quote_style.is_none() => match word.keyword {
                Keyword::AND | Keyword::OR => {
                    // The AND of a BETWEEN goes on with its operand's chain.
                    match levels.last_mut() {
                        Some(chain) if chain.between > 0 => chain.between -= 1,
                        _ => reset(&mut levels),
                    }
                }
                Keyword::BETWEEN => {
                    if let Some(chain) = levels.last_mut() {
                        chain.between += 1;
                    }
                    count(&mut levels)?;
                }
                Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::JOIN => {
                    relations += 1;
                    if relations > RELATIONS_MAX {
                        return Err(too_long(RELATIONS_MAX, "joins and set operations"));
                    }
                    reset(&mut levels);
                }
                Keyword::SELECT
                | Keyword::FROM
                | Keyword::WHERE
                | Keyword::WHEN
                | Keyword::THEN
                | Keyword::ELSE
                | Keyword::ON
                | Keyword::SET
                | Keyword::VALUES => reset(&mut levels),
                Keyword::IS
                | Keyword::IN
                | Keyword::NOT
                | Keyword::LIKE
                | Keyword::ILIKE
                | Keyword::SIMILAR
                | Keyword::COLLATE
                | Keyword::AT
                | Keyword::NOTNULL
                | Keyword::OPERATOR
                | Keyword::OVERLAPS => count(&mut levels)?,
                _ => {}
            },
            Token::Number(..) | Token::SingleQuotedString(_) | Token::Placeholder(_) | Token::Word(_) => {}
            _ => count(&mut levels)?,
        }
    }
    Ok(())
}

#[derive(Default)]
struct Chain {
    operators: usize,
    /// BETWEENs whose AND is still to come.
    between: usize,
}

fn count(levels: &mut [Chain]) -> Result<()> {
    if let Some(chain) = levels.last_mut() {
        chain.operators += 1;
        if chain.operators > CHAIN_MAX {
            return Err(too_long(CHAIN_MAX, "operators in one expression"));
        }
    }
    Ok(())
}

fn reset(levels: &mut [Chain]) {
    if let Some(chain) = levels.last_mut() {
        *chain = Chain::default();
    }
}

fn too_long(most: usize, what: &str) -> Error {
    Error::new(sqlstate::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded")
        .detail(format!("A statement may have {most} {what}."))
}
