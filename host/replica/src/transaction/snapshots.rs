//! The snapshots that open transactions read at: what garbage collection must leave alone.

use crate::error::{Error, Result};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What readers may see: the newest commit and the newest one that wrote to the catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Visible {
    pub timestamp: u64,
    pub catalog_timestamp: u64,
}

#[derive(Default)]
struct State {
    visible: Visible,
    /// How often the store has been replaced: older snapshots mean nothing in the new one.
    generation: u64,
    /// Snapshot → transactions that read at it.
    open: BTreeMap<u64, usize>,
    count: usize,
}

#[derive(Clone, Default)]
pub struct Snapshots(Arc<Mutex<State>>);

impl Snapshots {
    pub fn visible(&self) -> Visible {
        self.0.lock().visible
    }

    /// Commits up to here are seen by the transactions that begin from now on.
    pub fn advance(&self, visible: Visible) {
        self.0.lock().visible = visible;
    }

    /// Takes a snapshot of everything visible and holds it.
    pub fn open(&self, limit: usize) -> Result<Snapshot> {
        let mut state = self.0.lock();
        if state.count >= limit {
            return Err(Error::overloaded("open transactions"));
        }
        let visible = state.visible;
        state.count += 1;
        *state.open.entry(visible.timestamp).or_default() += 1;
        let generation = state.generation;
        Ok(Snapshot { visible, generation, snapshots: self.clone() })
    }

    /// The store is about to be replaced.
    pub fn invalidate(&self) {
        self.0.lock().generation += 1;
    }

    /// The oldest snapshot that anybody may still read at, when versions are kept back to `retained`.
    pub fn horizon(&self, retained: u64) -> u64 {
        let state = self.0.lock();
        let oldest = state.open.keys().next().copied().unwrap_or(state.visible.timestamp);
        oldest.min(retained)
    }

    pub fn count(&self) -> usize {
        self.0.lock().count
    }
}

/// An open snapshot; dropping it lets go of it.
pub struct Snapshot {
    pub visible: Visible,
    generation: u64,
    snapshots: Snapshots,
}

impl Snapshot {
    /// Whether the store is still the one that it was taken of.
    pub fn is_valid(&self) -> bool {
        self.snapshots.0.lock().generation == self.generation
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        let mut state = self.snapshots.0.lock();
        state.count -= 1;
        if let Some(count) = state.open.get_mut(&self.visible.timestamp) {
            *count -= 1;
            if *count == 0 {
                state.open.remove(&self.visible.timestamp);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_of_a_store_that_was_replaced_are_not_valid() {
        let snapshots = Snapshots::default();
        let before = snapshots.open(10).unwrap();
        assert!(before.is_valid());
        snapshots.invalidate();
        let during = snapshots.open(10).unwrap();
        assert!(!before.is_valid() && during.is_valid());
        snapshots.invalidate();
        let after = snapshots.open(10).unwrap();
        assert!(!before.is_valid() && !during.is_valid() && after.is_valid());
        drop((before, during, after));
        assert_eq!(snapshots.count(), 0);
    }
}
