//! What procedures have logged: the newest messages of each, in memory. They stay when a call is rolled back.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;

/// Bytes of one message; the rest is cut off.
const MESSAGE_BYTES_MAX: usize = 8192;

/// Procedures whose messages are kept.
const PROCEDURES_MAX: usize = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Debug,
    Info,
    Warning,
    Error,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Microseconds since the Unix epoch.
    pub time: i64,
    pub procedure: Arc<str>,
    pub routine: Arc<str>,
    pub caller: Arc<str>,
    pub level: Level,
    pub message: String,
}

#[derive(Default)]
struct Ring {
    entries: VecDeque<Entry>,
    bytes: usize,
}

pub struct Log {
    rings: Mutex<HashMap<Arc<str>, Ring>>,
    entries_max: usize,
    bytes_max: usize,
}

impl Log {
    /// Keeps so many messages and bytes of them per procedure.
    pub fn new(entries_max: usize, bytes_max: usize) -> Log {
        Log { rings: Mutex::default(), entries_max, bytes_max }
    }

    pub fn add(&self, mut entry: Entry) {
        entry.message.truncate(entry.message.floor_char_boundary(MESSAGE_BYTES_MAX));
        let mut rings = self.rings.lock();
        if rings.len() >= PROCEDURES_MAX && !rings.contains_key(&entry.procedure) {
            return;
        }
        let ring = rings.entry(entry.procedure.clone()).or_default();
        ring.bytes += entry.message.len();
        ring.entries.push_back(entry);
        while ring.entries.len() > self.entries_max || ring.bytes > self.bytes_max {
            let Some(oldest) = ring.entries.pop_front() else { break };
            ring.bytes -= oldest.message.len();
        }
    }

    /// All that is kept, by procedure, the oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        let rings = self.rings.lock();
        let mut entries: Vec<_> = rings.values().flat_map(|ring| ring.entries.iter().cloned()).collect();
        entries.sort_by(|a, b| (&a.procedure, a.time).cmp(&(&b.procedure, b.time)));
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(procedure: &str, time: i64, message: &str) -> Entry {
        let caller = "isobar".into();
        let level = Level::Info;
        Entry { time, procedure: procedure.into(), routine: "r".into(), caller, level, message: message.into() }
    }

    #[test]
    fn the_oldest_go_first() {
        let log = Log::new(2, 10);
        for time in 0..4 {
            log.add(entry("a", time, "xxx"));
        }
        log.add(entry("b", 9, "other"));
        let shown: Vec<_> = log.entries().into_iter().map(|entry| (entry.procedure.to_string(), entry.time)).collect();
        assert_eq!(shown, [("a".to_owned(), 2), ("a".to_owned(), 3), ("b".to_owned(), 9)]);
        log.add(entry("a", 5, "nine bytes"));
        assert_eq!(log.entries()[0].time, 5);
    }
}
