//! The machine's clocks. Somebody may set the time of day; commits are numbered by it, and what is kept for a while is
//! let go by it. So a node follows it slowly, and a jump never reaches the data at once.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use isobar_replica::Clock;
use parking_lot::Mutex;

/// A clock that is behind or ahead is followed by this part of the time that passes.
const SLEW: u64 = 10;
/// Between two corrections, in microseconds.
const STEP: u64 = 1000;
/// Differences from here on are told of, in microseconds …
const JUMP: u64 = 2_000_000;
/// … and again after so long.
const REPEAT: u64 = 600_000_000;

/// The machine's clocks.
#[derive(Default)]
pub struct SystemClock(Mutex<Option<Follower>>);

impl Clock for SystemClock {
    fn now_micros(&self) -> u64 {
        // Before 1970 the clock is wrong, and zero is as wrong.
        let system = SystemTime::now().duration_since(UNIX_EPOCH);
        let system = system.map_or(0, |now| u64::try_from(now.as_micros()).unwrap_or(u64::MAX));
        let monotonic = self.monotonic_micros();
        self.0.lock().get_or_insert_with(|| Follower::new(system, monotonic)).now(system, monotonic)
    }

    fn monotonic_micros(&self) -> u64 {
        static START: LazyLock<(Instant, Option<u64>)> = LazyLock::new(|| (Instant::now(), since_boot()));
        let (start, booted) = *START;
        match (since_boot(), booted) {
            (Some(now), Some(booted)) => now.saturating_sub(booted),
            _ => start.elapsed().as_micros() as u64,
        }
    }
}

/// Microseconds that also pass while the machine is suspended.
fn since_boot() -> Option<u64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock's number is a constant, and the result goes into a value of our own.
    let known = unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) } == 0;
    known.then_some(time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000)
}

/// The time of day as a node goes by it.
struct Follower {
    time: u64,
    /// When that was, by the monotonic clock.
    at: u64,
    /// The latest answer: time never goes back.
    answered: u64,
    /// When a difference was told of last, by the monotonic clock.
    told: Option<u64>,
}

impl Follower {
    fn new(system: u64, monotonic: u64) -> Follower {
        Follower { time: system, at: monotonic, answered: system, told: None }
    }

    fn now(&mut self, system: u64, monotonic: u64) -> u64 {
        self.answered = self.answered.max(self.follow(system, monotonic));
        self.answered
    }

    fn follow(&mut self, system: u64, monotonic: u64) -> u64 {
        let passed = monotonic.saturating_sub(self.at);
        let expected = self.time.saturating_add(passed);
        if passed < STEP {
            return expected;
        }
        let difference = system.abs_diff(expected);
        let correction = difference.min(passed / SLEW);
        let ahead = system > expected;
        self.time = if ahead { expected + correction } else { expected - correction };
        self.at = monotonic;
        if difference >= JUMP && self.told.is_none_or(|told| monotonic >= told + REPEAT) {
            self.told = Some(monotonic);
            let (seconds, way) = (difference / 1_000_000, if ahead { "ahead of" } else { "behind" });
            tracing::warn!(
                "the system's clock is {seconds} s {way} the time that this node goes by, which follows it by a second \
                 in {SLEW}; a node started anew takes the system's time at once: check the clock"
            );
        }
        self.time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;
    const HOUR: u64 = 3600 * SECOND;

    #[test]
    fn a_steady_clock_is_followed_exactly() {
        let mut follower = Follower::new(HOUR, 0);
        for monotonic in [0, 1, 500, 999, 1000, 5000, SECOND, 7 * SECOND] {
            assert_eq!(follower.now(HOUR + monotonic, monotonic), HOUR + monotonic);
        }
    }

    #[test]
    fn a_jump_is_followed_slowly_both_ways_and_time_never_goes_back() {
        for system in [2 * HOUR, 0] {
            let mut follower = Follower::new(HOUR, 0);
            let mut last = HOUR;
            // Asked often, too.
            for monotonic in 0..SECOND {
                let now = follower.now(system + monotonic, monotonic);
                assert!(now >= last);
                last = now;
            }
            assert!(last.abs_diff(HOUR + SECOND) <= SECOND / SLEW, "a second after the jump");
            assert!(last.abs_diff(HOUR + SECOND) >= SECOND / SLEW - 2 * STEP);
            for minute in 1..=11 * 60 {
                follower.now(system + minute * 60 * SECOND, minute * 60 * SECOND);
            }
            let day = 24 * HOUR;
            assert_eq!(follower.now(system + day, day), system + day, "caught up");
        }
    }

    #[test]
    fn the_machine_has_clocks() {
        let clock = SystemClock::default();
        let (first, then) = (clock.now_micros(), clock.monotonic_micros());
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(clock.now_micros() - first >= 19_000);
        assert!(clock.monotonic_micros() - then >= 19_000);
    }
}
