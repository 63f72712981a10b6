//! How long to wait before a transaction that lost a conflict is run again.

use std::time::Duration;

use rand::RngExt;

use crate::session::Limits;

/// Exponential pauses with full jitter: transactions that met once should not meet again.
pub struct Retry {
    left: u32,
    pause: Duration,
    pause_max: Duration,
}

impl Retry {
    pub fn new(limits: &Limits) -> Retry {
        Retry {
            left: limits.conflict_retries,
            pause: Duration::from_millis(limits.retry_pause_ms),
            pause_max: Duration::from_millis(limits.retry_pause_max_ms),
        }
    }

    /// The next pause, none when it is time to give up.
    pub fn next_pause(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let pause = self.pause.min(self.pause_max);
        self.pause = pause.saturating_mul(2);
        Some(pause.mul_f64(rand::rng().random_range(0.5..=1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound_and_end() {
        let limits = Limits { conflict_retries: 6, retry_pause_ms: 2, retry_pause_max_ms: 10, ..Limits::default() };
        let mut retry = Retry::new(&limits);
        for most in [2, 4, 8, 10, 10, 10] {
            let pause = retry.next_pause().expect("six retries");
            assert!(pause <= Duration::from_millis(most) && pause >= Duration::from_millis(most) / 2, "{pause:?}");
        }
        assert_eq!(retry.next_pause(), None);
    }
}
