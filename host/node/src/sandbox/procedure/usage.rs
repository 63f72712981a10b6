//! What each routine has used on this node since it started.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::threads;

/// Routines that are counted; calls of more are not.
const ROUTINES_MAX: usize = 10_000;

/// SQLSTATEs that are told apart per routine; the others count as XX000.
const SQLSTATES_MAX: usize = 100;

/// Each power of two microseconds has so many buckets: times are known to an eighth.
const STEPS: usize = 8;
const BUCKETS: usize = 40 * STEPS;

/// More than this of a call's processor time is not counted, so that a routine that no longer takes long is believed
/// after a dozen calls.
const LONGEST_COUNTED: Duration = Duration::from_millis(32);

/// One routine's use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    pub procedure: Arc<str>,
    pub routine: Arc<str>,
    pub calls: u64,
    /// SQLSTATE and how often.
    pub errors: Vec<(String, u64)>,
    pub median_time: Duration,
    pub p99_time: Duration,
    pub longest_time: Duration,
    pub total_time: Duration,
    /// Of one instance, in bytes.
    pub memory_peak: u64,
    /// SQL statements.
    pub statements: u64,
}

/// What happened in one batch of calls.
pub struct Batch<'a> {
    pub calls: u64,
    pub time: Duration,
    /// Time of a processor, of `time` the part in which nothing was waited for.
    pub processor: Duration,
    pub memory: u64,
    pub statements: u64,
    pub sqlstate: Option<&'a str>,
}

struct Counts {
    calls: u64,
    errors: BTreeMap<String, u64>,
    times: Box<[u64; BUCKETS]>,
    longest: Duration,
    total: Duration,
    memory_peak: u64,
    statements: u64,
    /// Processor time of a batch of calls, of the last ones more than of those before.
    recent: Duration,
}

impl Default for Counts {
    fn default() -> Counts {
        Counts {
            calls: 0,
            errors: BTreeMap::new(),
            times: Box::new([0; BUCKETS]),
            longest: Duration::ZERO,
            total: Duration::ZERO,
            memory_peak: 0,
            statements: 0,
            recent: Duration::ZERO,
        }
    }
}

impl Counts {
    fn quantile(&self, part: f64) -> Duration {
        let wanted = (self.calls as f64 * part).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (bucket, count) in self.times.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return upper_bound(bucket).min(self.longest);
            }
        }
        self.longest
    }
}

/// The bucket of a time: the position of its highest bit and the three bits after it.
fn bucket(time: Duration) -> usize {
    let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    if microseconds < STEPS as u64 {
        return microseconds as usize;
    }
    let exponent = microseconds.ilog2() as usize;
    let step = (microseconds >> (exponent - 3)) as usize - STEPS;
    ((exponent - 2) * STEPS + step).min(BUCKETS - 1)
}

fn upper_bound(bucket: usize) -> Duration {
    if bucket < STEPS {
        return Duration::from_micros(bucket as u64);
    }
    let (exponent, step) = (bucket / STEPS + 2, bucket % STEPS);
    Duration::from_micros((((STEPS + step + 1) as u64) << (exponent - 3)) - 1)
}

/// A procedure's name, and its routine's.
type Name = (Arc<str>, Arc<str>);

/// All routines' use, and how many statements call each procedure now.
#[derive(Default)]
pub struct Uses {
    routines: Mutex<HashMap<Name, Counts>>,
    running: Mutex<HashMap<u32, Arc<AtomicU32>>>,
    pub calls: AtomicU64,
    pub errors: AtomicU64,
}

impl Uses {
    /// Adds a batch of calls; each of them counts with the average time.
    pub fn add(&self, procedure: &Arc<str>, routine: &Arc<str>, batch: &Batch<'_>) {
        self.calls.fetch_add(batch.calls, Ordering::Relaxed);
        self.errors.fetch_add(u64::from(batch.sqlstate.is_some()), Ordering::Relaxed);
        let mut routines = self.routines.lock();
        let name = (procedure.clone(), routine.clone());
        if routines.len() >= ROUTINES_MAX && !routines.contains_key(&name) {
            return;
        }
        let counts = routines.entry(name).or_default();
        counts.calls += batch.calls;
        if let Ok(calls) = u32::try_from(batch.calls)
            && calls > 0
        {
            let average = batch.time / calls;
            counts.times[bucket(average)] += batch.calls;
            counts.longest = counts.longest.max(average);
        }
        counts.total = counts.total.saturating_add(batch.time);
        counts.memory_peak = counts.memory_peak.max(batch.memory);
        counts.statements += batch.statements;
        counts.recent = (counts.recent * 3 + batch.processor.min(LONGEST_COUNTED)) / 4;
        if let Some(sqlstate) = batch.sqlstate {
            let known = counts.errors.len() < SQLSTATES_MAX || counts.errors.contains_key(sqlstate);
            *counts.errors.entry(if known { sqlstate } else { "XX000" }.to_owned()).or_default() += 1;
        }
    }

    /// Whether a routine's recent calls were in the way of others.
    pub fn is_long(&self, procedure: &Arc<str>, routine: &Arc<str>) -> bool {
        let name = (procedure.clone(), routine.clone());
        self.routines.lock().get(&name).is_some_and(|counts| counts.recent > threads::LONG)
    }

    pub fn usage(&self) -> Vec<Usage> {
        let routines = self.routines.lock();
        let mut usage: Vec<_> = routines
            .iter()
            .map(|((procedure, routine), counts)| Usage {
                procedure: procedure.clone(),
                routine: routine.clone(),
                calls: counts.calls,
                errors: counts.errors.iter().map(|(sqlstate, count)| (sqlstate.clone(), *count)).collect(),
                median_time: counts.quantile(0.5),
                p99_time: counts.quantile(0.99),
                longest_time: counts.longest,
                total_time: counts.total,
                memory_peak: counts.memory_peak,
                statements: counts.statements,
            })
            .collect();
        usage.sort_by(|a, b| (&a.procedure, &a.routine).cmp(&(&b.procedure, &b.routine)));
        usage
    }

    /// A statement begins to call a procedure, unless so many do already.
    pub fn begin(&self, procedure_id: u32, calls_max: u32) -> Option<Turn> {
        let mut running = self.running.lock();
        let count = running.entry(procedure_id).or_default().clone();
        // Those that nobody calls any more need no entry.
        running.retain(|id, count| *id == procedure_id || Arc::strong_count(count) > 1);
        drop(running);
        let begun =
            count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |calls| (calls < calls_max).then_some(calls + 1));
        begun.is_ok().then(|| Turn(count))
    }
}

/// A statement calls a procedure, as long as this lives.
pub struct Turn(Arc<AtomicU32>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_their_times() {
        for microseconds in [0, 1, 7, 8, 9, 15, 16, 100, 999, 12_345, 1_000_000, 3_600_000_000] {
            let time = Duration::from_micros(microseconds);
            let bound = upper_bound(bucket(time));
            assert!(bound >= time && bound <= time + time / 8, "{time:?} in a bucket up to {bound:?}");
        }
    }

    #[test]
    fn quantiles_and_errors_add_up() {
        let uses = Uses::default();
        let (procedure, routine) = ("p".into(), "r".into());
        for (calls, microseconds, sqlstate) in [(98, 980, None), (1, 1000, Some("P0001")), (1, 5000, Some("P0001"))] {
            let time = Duration::from_micros(microseconds);
            uses.add(
                &procedure,
                &routine,
                &Batch { calls, time, processor: time, memory: 65536, statements: 2, sqlstate },
            );
        }
        let usage = uses.usage().remove(0);
        assert_eq!((usage.calls, usage.statements, usage.memory_peak), (100, 6, 65536));
        assert_eq!(usage.errors, [("P0001".to_owned(), 2)]);
        assert!(usage.median_time.as_micros().abs_diff(10) <= 1, "{:?}", usage.median_time);
        assert!(usage.p99_time.as_micros().abs_diff(1000) <= 125, "{:?}", usage.p99_time);
        assert_eq!(usage.longest_time, Duration::from_micros(5000));
    }

    #[test]
    fn a_routine_is_long_while_its_calls_are() {
        let uses = Uses::default();
        let (procedure, routine) = ("p".into(), "r".into());
        let call = |processor| {
            let time = Duration::from_secs(1);
            uses.add(
                &procedure,
                &routine,
                &Batch { calls: 1, time, processor, memory: 0, statements: 0, sqlstate: None },
            );
            uses.is_long(&procedure, &routine)
        };
        assert!(!uses.is_long(&procedure, &routine));
        assert!((0..100).all(|_| !call(threads::LONG / 2)));
        assert!(call(Duration::from_secs(1)));
        assert!((0..12).filter(|_| call(Duration::ZERO)).count() < 12);
    }

    #[test]
    fn turns_are_counted() {
        let uses = Uses::default();
        assert!(uses.begin(3, 0).is_none() && uses.begin(3, 0).is_none());
        let first = uses.begin(1, 2);
        let second = uses.begin(1, 2);
        assert!(first.is_some() && second.is_some() && uses.begin(1, 2).is_none());
        assert!(uses.begin(2, 2).is_some());
        drop(second);
        assert!(uses.begin(1, 2).is_some());
    }
}
