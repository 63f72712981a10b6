//! Session settings and how they follow the transaction: SET is undone by a rollback, SET LOCAL ends with its block
//! (PostgreSQL 15, SET).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The settings that differ from their defaults, names in lower case. A clone is cheap and serves as the mark to
/// return to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    session: Arc<BTreeMap<String, String>>,
    /// None: back to the default until the block ends.
    local: Arc<BTreeMap<String, Option<String>>>,
}

impl Settings {
    pub fn new(session: BTreeMap<String, String>) -> Settings {
        Settings { session: Arc::new(session), local: Arc::default() }
    }

    /// What outlives the block.
    pub fn session(&self) -> &BTreeMap<String, String> {
        &self.session
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        match self.local.get(name) {
            Some(value) => value.as_deref(),
            None => self.session.get(name).map(String::as_str),
        }
    }

    pub fn set(&mut self, name: String, value: Option<String>) {
        if self.local.contains_key(&name) {
            Arc::make_mut(&mut self.local).remove(&name);
        }
        let session = Arc::make_mut(&mut self.session);
        match value {
            Some(value) => session.insert(name, value),
            None => session.remove(&name),
        };
    }

    pub fn set_local(&mut self, name: String, value: Option<String>) {
        Arc::make_mut(&mut self.local).insert(name, value);
    }

    pub fn reset_all(&mut self) {
        *self = Settings::default();
    }

    pub fn end_block(&mut self) {
        self.local = Arc::default();
    }

    /// All that a statement runs under.
    pub fn effective(&self) -> impl Iterator<Item = (&str, &str)> {
        let session = self.session.iter().filter(|(name, _)| !self.local.contains_key(*name));
        let local = self.local.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)));
        session.map(|(name, value)| (name.as_str(), value.as_str())).chain(local)
    }

    /// `statement_timeout`, none when it is off.
    pub fn statement_timeout(&self) -> Option<Duration> {
        self.get("statement_timeout").and_then(duration).filter(|timeout| !timeout.is_zero())
    }

    /// `isobar.read_staleness`, none where reads are to be strict.
    pub fn read_staleness(&self) -> Option<Duration> {
        self.get("isobar.read_staleness").and_then(duration).filter(|staleness| !staleness.is_zero())
    }

    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(is_true)
    }
}

/// A boolean setting's value.
pub fn is_true(value: &str) -> bool {
    ["on", "true", "yes", "1"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// A time as PostgreSQL writes it in settings: a number of milliseconds, or with a unit.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let milliseconds = match text[digits..].trim() {
        "us" => 0.001,
        "" | "ms" => 1.0,
        "s" => 1000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * milliseconds / 1000.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effective(settings: &Settings) -> Vec<(&str, &str)> {
        settings.effective().collect()
    }

    #[test]
    fn local_settings_end_with_their_block() {
        let mut settings = Settings::default();
        settings.set("a".into(), Some("1".into()));
        settings.set_local("a".into(), Some("2".into()));
        settings.set_local("b".into(), Some("3".into()));
        assert_eq!(effective(&settings), [("a", "2"), ("b", "3")]);
        settings.end_block();
        assert_eq!(effective(&settings), [("a", "1")]);
    }

    #[test]
    fn a_plain_set_replaces_a_local_one() {
        let mut settings = Settings::default();
        settings.set_local("a".into(), Some("1".into()));
        settings.set("a".into(), Some("2".into()));
        settings.end_block();
        assert_eq!(effective(&settings), [("a", "2")]);
    }

    #[test]
    fn a_local_default_hides_the_session_value() {
        let mut settings = Settings::default();
        settings.set("a".into(), Some("1".into()));
        settings.set_local("a".into(), None);
        assert_eq!((settings.get("a"), effective(&settings)), (None, vec![]));
    }

    #[test]
    fn times_have_units() {
        for (text, milliseconds) in
            [("250", Some(250)), ("5s", Some(5000)), ("1.5 min", Some(90_000)), ("2h", Some(7_200_000)), ("x", None)]
        {
            assert_eq!(duration(text), milliseconds.map(Duration::from_millis), "{text}");
        }
    }
}
