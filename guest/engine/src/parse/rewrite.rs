//! Turns the forms of PostgreSQL's grammar that sqlparser refuses into ones that it knows, token by token. Every token
//! keeps its own position, so that errors still point to the right place.

use super::{column_names, nulls_not_distinct};
use crate::error::{Error, Result};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Word};

/// A window's frame exclusion travels as the first word of its definition: this, the exclusion, a blank, and the name
/// of the window it extends, if any. No user can write a NUL.
pub const EXCLUDE: &str = "\0exclude ";

/// `ROWS FROM (f(), g())` travels as a call of this function.
pub const ROWS_FROM: &str = "\0rows from";

pub fn rewrite(mut tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>> {
    nulls_not_distinct::move_to_table(&mut tokens);
    column_names::give_types(&mut tokens);
    let mut rewriter = Rewriter { output: Vec::with_capacity(tokens.len()), input: tokens, at: 0, open: vec![] };
    rewriter.statement_head();
    while rewriter.at < rewriter.input.len() {
        rewriter.step()?;
    }
    Ok(rewriter.output)
}

struct Rewriter {
    input: Vec<TokenWithSpan>,
    at: usize,
    output: Vec<TokenWithSpan>,
    /// Where each open parenthesis stands in `output`.
    open: Vec<usize>,
}

impl Rewriter {
    fn token(&self, offset: usize) -> Option<&Token> {
        self.input.get(self.at + offset).map(|token| &token.token)
    }

    fn span(&self) -> Span {
        self.input.get(self.at).map_or_else(Span::empty, |token| token.span)
    }

    fn is_word(&self, offset: usize, word: &str) -> bool {
        self.token(offset).is_some_and(|token| is_word(token, word))
    }

    fn are_words(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(offset, word)| self.is_word(offset, word))
    }

    fn any_word(&self, offset: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is_word(offset, word))
    }

    fn last_is(&self, words: &[&str]) -> bool {
        self.output.last().is_some_and(|last| words.iter().any(|word| is_word(&last.token, word)))
    }

    fn copy(&mut self, count: usize) {
        for _ in 0..count {
            if let Some(token) = self.input.get(self.at) {
                self.output.push(token.clone());
                self.at += 1;
            }
        }
    }

    fn skip(&mut self, count: usize) {
        self.at += count;
    }

    fn push(&mut self, token: Token) {
        let span = self.span();
        self.output.push(TokenWithSpan { token, span });
    }

    fn step(&mut self) -> Result<()> {
        match self.token(0) {
            Some(Token::LParen) if self.is_row_wildcard() => {
                // (t).* is t.*
                self.skip(1);
                self.copy(1);
                self.skip(1);
                self.copy(2);
            }
            Some(Token::LParen) => {
                self.open.push(self.output.len());
                self.copy(1);
            }
            Some(Token::RParen) => {
                self.open.pop();
                self.copy(1);
                self.search_or_cycle()?;
            }
            Some(Token::Word(word)) if word.quote_style.is_none() => self.word()?,
            _ => self.copy(1),
        }
        Ok(())
    }

    fn word(&mut self) -> Result<()> {
        if self.is_word(0, "table") && self.starts_query() {
            return self.table_query();
        }
        if self.is_word(0, "for") && (self.are_words(&["for", "no", "key", "update"])) {
            self.copy(1);
            self.skip(2);
            self.copy(1);
            self.lock_tables("UPDATE");
        } else if self.are_words(&["for", "key", "share"]) {
            self.copy(1);
            self.skip(1);
            self.copy(1);
            self.lock_tables("SHARE");
        } else if self.are_words(&["for", "update"]) || self.are_words(&["for", "share"]) {
            let lock = if self.is_word(1, "update") { "UPDATE" } else { "SHARE" };
            self.copy(2);
            self.lock_tables(lock);
        } else if self.is_word(0, "exclude") && self.any_word(1, &["no", "current", "group", "ties"]) {
            self.exclude();
        } else if self.are_words(&["rows", "from"]) && self.token(2) == Some(&Token::LParen) {
            self.push(quoted(ROWS_FROM));
            self.skip(2);
        } else if self.is_word(0, "trim") && self.token(1) == Some(&Token::LParen) {
            // trim(x, y) is btrim(x, y), and trim(leading from x) is trim(leading x).
            if self.has_list(1) {
                self.push(word("btrim", Keyword::NoKeyword));
                self.skip(1);
            } else {
                self.copy(1);
            }
            self.step()?;
            if self.any_word(0, &["leading", "trailing", "both"]) {
                self.copy(1);
            }
            if self.is_word(0, "from") {
                self.skip(1);
            }
        } else if self.is_word(0, "similar") && !self.is_word(1, "to") {
            // substring(text similar pattern escape character) is substring(text from pattern for character)
            self.similar_substring();
        } else if self.any_word(0, &["any", "some", "all"]) && self.token(1) == Some(&Token::LParen) {
            self.quantified_query();
        } else if self.is_word(0, "only")
            && self.last_is(&["from", "update", "join", "into", "table"])
            && matches!(self.token(1), Some(Token::Word(_)))
        {
            // No table inherits from another.
            self.skip(1);
        } else if self.is_word(0, "overriding") && self.any_word(1, &["system", "user"]) && self.is_word(2, "value") {
            // No column is an identity that would refuse or replace given values.
            self.skip(3);
        } else {
            self.copy(1);
        }
        Ok(())
    }

    fn is_row_wildcard(&self) -> bool {
        matches!(self.token(1), Some(Token::Word(_)))
            && self.token(2) == Some(&Token::RParen)
            && self.token(3) == Some(&Token::Period)
            && self.token(4) == Some(&Token::Mul)
    }

    /// Whether a query may start here: at the text's start, after `(`, a set operator, AS, or INSERT's table.
    fn starts_query(&self) -> bool {
        if !matches!(self.token(1), Some(Token::Word(_))) {
            return false;
        }
        let in_create = self.output.first().is_some_and(|first| {
            ["create", "alter", "drop", "comment", "truncate", "lock", "grant", "revoke", "analyze"]
                .iter()
                .any(|word| is_word(&first.token, word))
        });
        match self.output.last().map(|last| &last.token) {
            None | Some(Token::LParen) => true,
            Some(Token::RParen) => !in_create,
            Some(_) if self.last_is(&["union", "intersect", "except", "all", "distinct"]) => !in_create,
            Some(_) if self.last_is(&["as"]) => in_create,
            Some(_) if self.output.len() >= 3 => self.is_insert_target(),
            Some(_) => false,
        }
    }

    /// INSERT INTO name [, .name] just before.
    fn is_insert_target(&self) -> bool {
        let mut at = self.output.len() - 1;
        while at >= 2 && self.output[at - 1].token == Token::Period {
            at -= 2;
        }
        at >= 1 && is_word(&self.output[at - 1].token, "into")
    }

    /// TABLE name
    fn table_query(&mut self) -> Result<()> {
        self.push(word("SELECT", Keyword::SELECT));
        self.push(Token::Mul);
        self.push(word("FROM", Keyword::FROM));
        self.skip(1);
        Ok(())
    }

    /// After FOR UPDATE: `OF a, b [NOWAIT]` becomes one clause per table.
    fn lock_tables(&mut self, lock: &str) {
        if !self.is_word(0, "of") {
            return;
        }
        let mut names: Vec<Vec<TokenWithSpan>> = vec![vec![]];
        let mut end = self.at + 1;
        while let Some(token) = self.input.get(end) {
            match &token.token {
                Token::Comma => names.push(vec![]),
                Token::Period => names.last_mut().into_iter().for_each(|name| name.push(token.clone())),
                Token::Word(_) if names.last().is_none_or(|name| name.len().is_multiple_of(2)) => {
                    names.last_mut().into_iter().for_each(|name| name.push(token.clone()));
                }
                _ => break,
            }
            end += 1;
        }
        let mut wait = vec![];
        let length = match self.input.get(end).map(|token| &token.token) {
            Some(token) if is_word(token, "nowait") => 1,
            Some(token) if is_word(token, "skip") => 2,
            _ => 0,
        };
        wait.extend(self.input.iter().skip(end).take(length).cloned());
        let keyword = if lock == "UPDATE" { Keyword::UPDATE } else { Keyword::SHARE };
        for (number, name) in names.into_iter().enumerate() {
            if number > 0 {
                self.push(word("FOR", Keyword::FOR));
                self.push(word(lock, keyword));
            }
            self.push(word("OF", Keyword::OF));
            self.output.extend(name);
            self.output.extend(wait.iter().cloned());
        }
        self.at = end + length;
    }

    /// `… frame EXCLUDE TIES)`: see `EXCLUDE`.
    fn exclude(&mut self) {
        let (length, exclusion) = match () {
            () if self.is_word(1, "no") && self.is_word(2, "others") => (3, None),
            () if self.is_word(1, "current") && self.is_word(2, "row") => (3, Some("row")),
            () if self.is_word(1, "group") => (2, Some("group")),
            () if self.is_word(1, "ties") => (2, Some("ties")),
            () => return self.copy(1),
        };
        if let (Some(exclusion), Some(&open)) = (exclusion, self.open.last()) {
            let first = self.output.get(open + 1).map(|token| token.token.clone());
            let name = match first {
                Some(Token::Word(first))
                    if !["partition", "order", "rows", "range", "groups"]
                        .iter()
                        .any(|clause| first.quote_style.is_none() && first.value.eq_ignore_ascii_case(clause)) =>
                {
                    self.output.remove(open + 1);
                    if first.quote_style.is_none() { first.value.to_lowercase() } else { first.value }
                }
                _ => String::new(),
            };
            let span = self.span();
            let token = quoted(&format!("{EXCLUDE}{exclusion} {name}"));
            self.output.insert(open + 1, TokenWithSpan { token, span });
        }
        self.skip(length);
    }

    fn similar_substring(&mut self) {
        self.push(word("FROM", Keyword::FROM));
        self.skip(1);
        let mut depth = 0;
        for token in self.input.iter_mut().skip(self.at) {
            match &token.token {
                Token::LParen => depth += 1,
                Token::RParen if depth == 0 => break,
                Token::RParen => depth -= 1,
                found if depth == 0 && is_word(found, "escape") => token.token = word("FOR", Keyword::FOR),
                _ => {}
            }
        }
    }

    /// `ANY (VALUES …)` and `ANY ((SELECT …) UNION …)` read from the query instead: after ANY's parenthesis only SELECT
    /// and WITH are known to begin one.
    fn quantified_query(&mut self) {
        let mut inner = 2;
        while self.token(inner) == Some(&Token::LParen) {
            inner += 1;
        }
        let end = self.closing(1);
        let is_query = match inner {
            2 => self.is_word(2, "values"),
            _ if !self.any_word(inner, &["select", "values", "with", "table"]) => false,
            _ => self.closing(2).is_some_and(|end| {
                self.any_word(end + 1, &["union", "intersect", "except", "order", "limit", "offset", "fetch"])
            }),
        };
        let (true, Some(end)) = (is_query, end) else { return self.copy(1) };
        let span = self.span();
        let token = |token| TokenWithSpan { token, span };
        let after = [Token::RParen, word("AS", Keyword::AS), quoted("?column?")];
        self.input.splice(self.at + end..self.at + end, after.map(token));
        let before =
            [word("SELECT", Keyword::SELECT), Token::Mul, word("FROM", Keyword::FROM), Token::LParen].map(token);
        self.input.splice(self.at + 2..self.at + 2, before);
        self.copy(1);
    }

    /// Whether a comma stands between the parenthesis that opens at an offset and its end.
    fn has_list(&self, open: usize) -> bool {
        let mut depth = 0usize;
        for offset in open.. {
            match self.token(offset) {
                None => return false,
                Some(Token::LParen | Token::LBracket) => depth += 1,
                Some(Token::RParen | Token::RBracket) if depth == 1 => return false,
                Some(Token::RParen | Token::RBracket) => depth -= 1,
                Some(Token::Comma) if depth == 1 => return true,
                Some(_) => {}
            }
        }
        false
    }

    /// Where the parenthesis that opens at an offset is closed.
    fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0usize;
        for offset in open.. {
            match self.token(offset)? {
                Token::LParen => depth += 1,
                Token::RParen if depth == 1 => return Some(offset),
                Token::RParen => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// WITH RECURSIVE … AS (…) SEARCH / CYCLE
    fn search_or_cycle(&self) -> Result<()> {
        let search = self.is_word(0, "search") && self.any_word(1, &["depth", "breadth"]) && self.is_word(2, "first");
        let cycle = self.is_word(0, "cycle")
            && matches!(self.token(1), Some(Token::Word(_)))
            && (self.is_word(2, "set") || self.token(2) == Some(&Token::Comma));
        match (search, cycle) {
            (true, _) => Err(Error::not_supported("SEARCH").at(Some(self.span().start.column as u32))),
            (_, true) => Err(Error::not_supported("CYCLE").at(Some(self.span().start.column as u32))),
            _ => Ok(()),
        }
    }

    /// Forms of whole statements: BEGIN … DEFERRABLE, VACUUM and ANALYZE with options.
    fn statement_head(&mut self) {
        let transaction = self.any_word(0, &["begin", "start"])
            || (self.is_word(0, "set") && (self.is_word(1, "transaction") || self.is_word(1, "session")));
        if transaction {
            self.drop_deferrable();
        } else if self.is_word(0, "vacuum") {
            self.copy(1);
            self.drop_options();
        } else if self.is_word(0, "analyze") || self.is_word(0, "analyse") {
            self.push(word("ANALYZE", Keyword::ANALYZE));
            self.skip(1);
            self.drop_options();
        }
    }

    /// DEFERRABLE only makes a serializable read-only transaction wait for a safe snapshot, which ours always have.
    fn drop_deferrable(&mut self) {
        let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(self.input.len());
        for token in self.input.drain(..) {
            if is_word(&token.token, "deferrable") {
                if kept.last().is_some_and(|last| is_word(&last.token, "not")) {
                    kept.pop();
                }
                if kept.last().is_some_and(|last| last.token == Token::Comma) {
                    kept.pop();
                }
            } else if !(token.token == Token::Comma
                && kept
                    .last()
                    .is_none_or(|last| ["begin", "transaction", "work"].iter().any(|word| is_word(&last.token, word))))
            {
                kept.push(token);
            }
        }
        self.input = kept;
    }

    /// VERBOSE, FULL, FREEZE, ANALYZE and a parenthesised list of options ask for nothing that this store has.
    fn drop_options(&mut self) {
        if self.token(0) == Some(&Token::LParen) {
            while self.token(0).is_some_and(|token| *token != Token::RParen) {
                self.skip(1);
            }
            self.skip(1);
        }
        while self.any_word(0, &["full", "freeze", "verbose", "analyze", "analyse", "skip_locked"]) {
            self.skip(1);
        }
    }
}

pub fn is_word(token: &Token, expected: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected))
}

pub fn word(text: &str, keyword: Keyword) -> Token {
    Token::Word(Word { value: text.into(), quote_style: None, keyword })
}

fn quoted(name: &str) -> Token {
    Token::Word(Word { value: name.into(), quote_style: Some('"'), keyword: Keyword::NoKeyword })
}
