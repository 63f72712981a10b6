//! Regular expressions with POSIX's choice of the match: the leftmost, and of those the longest (or, where the
//! expression prefers it, the shortest).

use super::cache::Cache;
use super::translate::{self, Options, Translated, invalid};
use crate::error::{Error, Result, sqlstate};
use regex_automata::hybrid::dfa::{self, DFA};
use regex_automata::{Anchored, Input, MatchKind};
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

pub struct RegularExpression {
    /// Finds whether and where a match starts.
    search: regex::Regex,
    source: Translated,
    ends: OnceCell<Ends>,
}

/// What is needed to find where a match ends, when there is a choice.
struct Ends {
    automaton: DFA,
    cache: RefCell<dfa::Cache>,
    /// The expression, up to the end of the text that it is given.
    to_the_end: regex::Regex,
}

/// Byte offsets of a match: the whole of it, then its groups.
pub type Groups = Vec<Option<(usize, usize)>>;

/// Flags of a regexp_… function.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flags {
    pub options: Options,
    pub global: bool,
}

impl Flags {
    pub fn parse(flags: &str) -> Result<Flags> {
        let mut parsed = Flags::default();
        for letter in flags.chars() {
            if letter == 'g' {
                parsed.global = true;
            } else if parsed.options.set(letter).is_none() {
                return Err(Error::new(
                    sqlstate::INVALID_PARAMETER_VALUE,
                    format!("invalid regular expression option: \"{letter}\""),
                ));
            }
        }
        Ok(parsed)
    }
}

/// A compiled expression, from a cache. Fails with 2201B, and with 0A000 for back-references and lookaround.
pub fn compiled(pattern: &str, options: Options) -> Result<Rc<RegularExpression>> {
    thread_local! {
        static EXPRESSIONS: RefCell<Cache<Key, RegularExpression>> = RefCell::default();
    }
    EXPRESSIONS.with_borrow_mut(|expressions| {
        expressions.get(&(pattern, options), || RegularExpression::compile(pattern, options))
    })
}

#[derive(PartialEq, Eq, Hash)]
struct Key(String, Options);

impl hashbrown::Equivalent<Key> for (&str, Options) {
    fn equivalent(&self, key: &Key) -> bool {
        self.0 == key.0 && self.1 == key.1
    }
}

impl From<&(&str, Options)> for Key {
    fn from((pattern, options): &(&str, Options)) -> Key {
        Key(pattern.to_string(), *options)
    }
}

impl RegularExpression {
    fn compile(pattern: &str, options: Options) -> Result<RegularExpression> {
        let source = translate::translate(pattern, options)?;
        let search = build(&source.pattern)?;
        Ok(RegularExpression { search, source, ends: OnceCell::new() })
    }

    pub fn is_match(&self, text: &str) -> bool {
        self.search.is_match(text)
    }

    /// Groups of the expression, the whole match not counted.
    pub fn group_count(&self) -> usize {
        self.search.captures_len() - 1
    }

    /// The first match at or after a byte offset.
    pub fn find_at(&self, text: &str, start: usize) -> Result<Option<Groups>> {
        if start > text.len() {
            return Ok(None);
        }
        if !self.source.has_choice {
            return Ok(self.search.captures_at(text, start).map(|captures| groups(&captures)));
        }
        let Some(first) = self.search.find_at(text, start) else { return Ok(None) };
        let ends = self.ends()?;
        let input = Input::new(text)
            .span(first.start()..text.len())
            .anchored(Anchored::Yes)
            .earliest(self.source.prefers_shortest);
        let end = match ends.automaton.try_search_fwd(&mut ends.cache.borrow_mut(), &input) {
            Ok(Some(end)) => end.offset(),
            Ok(None) => first.end(),
            Err(_) => return Err(too_complex()),
        };
        if self.group_count() == 0 {
            return Ok(Some(vec![Some((first.start(), end))]));
        }
        let captures = ends.to_the_end.captures_at(&text[..end], first.start());
        Ok(captures.or_else(|| self.search.captures_at(text, start)).map(|captures| groups(&captures)))
    }

    /// All matches from a byte offset on, each starting where the one before ended; an empty match moves on by a
    /// character. `limit` stops early.
    pub fn find_all(&self, text: &str, start: usize, limit: usize) -> Result<Vec<Groups>> {
        let mut found: Vec<Groups> = vec![];
        let mut position = start;
        while found.len() < limit {
            let Some(groups) = self.find_at(text, position)? else { break };
            let Some(Some((start, end))) = groups.first().copied() else { break };
            found.push(groups);
            position = if end > start { end } else { end + text[end..].chars().next().map_or(1, char::len_utf8) };
        }
        Ok(found)
    }

    fn ends(&self) -> Result<&Ends> {
        if let Some(ends) = self.ends.get() {
            return Ok(ends);
        }
        let automaton = DFA::builder()
            .configure(DFA::config().match_kind(MatchKind::All).skip_cache_capacity_check(true))
            .build(&self.source.pattern)
            .map_err(|_| too_complex())?;
        let cache = RefCell::new(automaton.create_cache());
        let to_the_end = build(&format!("(?:{})\\z", self.source.pattern))?;
        Ok(self.ends.get_or_init(|| Ends { automaton, cache, to_the_end }))
    }
}

fn build(pattern: &str) -> Result<regex::Regex> {
    regex::Regex::new(pattern).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => too_complex(),
        _ => invalid("invalid regexp"),
    })
}

fn too_complex() -> Error {
    invalid("regular expression is too complex")
}

fn groups(captures: &regex::Captures) -> Groups {
    captures.iter().map(|group| group.map(|group| (group.start(), group.end()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first match's groups, `-` for none, joined by `|`.
    fn first(pattern: &str, text: &str, flags: &str) -> String {
        let expression = match compiled(pattern, Flags::parse(flags).expect("good flags").options) {
            Ok(expression) => expression,
            Err(error) => return error.message().to_string(),
        };
        match expression.find_at(text, 0) {
            Ok(Some(groups)) => {
                let spelled = groups.iter().map(|group| group.map_or("-", |(start, end)| &text[start..end]));
                spelled.collect::<Vec<_>>().join("|")
            }
            Ok(None) => "no match".into(),
            Err(error) => error.message().to_string(),
        }
    }

    /// The expected texts are what `regexp_match` and `substring` print in PostgreSQL 15.
    #[test]
    fn expressions_match_as_in_postgresql() {
        let cases: &[(&str, &str, &str, &str)] = &[
            ("foo|foobar", "xfoobar", "", "foobar"),
            ("a?(ab)?", "ab", "", "ab|ab"),
            ("b.*?d", "abcdcd", "", "bcd"),
            ("b.*d", "abcdcd", "", "bcdcd"),
            ("(b+?)(c*)", "abbcc", "", "b|b|"),
            ("\\d+", "ab12cd", "", "12"),
            ("[[:alpha:]_]+", "12ab_c", "", "ab_c"),
            ("^b", "a\nb", "", "no match"),
            ("^b", "a\nb", "n", "b"),
            ("a.b", "a\nb", "", "a\nb"),
            ("a.b", "a\nb", "n", "no match"),
            ("ABC", "xabcx", "i", "abc"),
            ("[a-c]+", "xABCx", "i", "ABC"),
            ("(?i)ABC", "xabcx", "", "abc"),
            ("***=a.c", "abc a.c", "", "a.c"),
            ("\\mfoo\\M", "afoo foo", "", "foo"),
            ("a{2,3}", "aaaa", "", "aaa"),
            ("a{2", "aa", "", "invalid regular expression: braces {} not balanced"),
            ("x{", "x{", "", "x{"),
            ("(", "", "", "invalid regular expression: parentheses () not balanced"),
            ("[a", "", "", "invalid regular expression: brackets [] not balanced"),
            ("*a", "", "", "invalid regular expression: quantifier operand invalid"),
            ("a**", "", "", "invalid regular expression: quantifier operand invalid"),
            ("a\\", "", "", "invalid regular expression: invalid escape \\ sequence"),
            ("[z-a]", "", "", "invalid regular expression: invalid character range"),
            ("[[:foo:]]", "", "", "invalid regular expression: invalid character class"),
            ("a{3,2}", "", "", "invalid regular expression: invalid repetition count(s)"),
            ("(a)\\1", "aa", "", "a back-reference in a regular expression is not supported"),
            ("(ab|a)(bc)?", "abc", "", "abc|a|bc"),
            ("[]a]+", "x]a]", "", "]a]"),
            ("[^]]+", "]]ab]", "", "ab"),
            ("[\\w-]+", "!a-b!", "", "a-b"),
            ("\\u0041+", "bAA", "", "AA"),
            ("a b # comment", "ab", "x", "ab"),
            ("é", "café", "", "é"),
        ];
        for (pattern, text, flags, expected) in cases {
            assert_eq!(first(pattern, text, flags), *expected, "{pattern} on {text} with {flags}");
        }
    }
}
