//! Procedures that are ready to be instantiated, the ones used last.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use wasmtime::Engine;
use wasmtime::component::{ComponentExportIndex, InstancePre};

use crate::sandbox::procedure::component::Digest;
use crate::sandbox::procedure::description::{Description, Routine};
use crate::sandbox::procedure::instance::State;

/// Machine code with its imports resolved.
pub struct Ready {
    pub engine: Engine,
    pub component: InstancePre<State>,
    pub description: Description,
    /// Of its machine code.
    pub bytes: usize,
}

impl Ready {
    /// An exported function, by its path.
    pub fn export(&self, path: &str) -> Option<(&Routine, ComponentExportIndex)> {
        let routine = self.description.routine(path)?;
        let component = self.component.component();
        let index = match path.rsplit_once('#') {
            Some((interface, function)) => {
                let interface = component.get_export_index(None, interface)?;
                component.get_export_index(Some(&interface), function)?
            }
            None => component.get_export_index(None, path)?,
        };
        Some((routine, index))
    }
}

/// A component, and the stack of the machine that it is ready for, in KiB.
pub type ReadyKey = (Digest, u32);

#[derive(Default)]
struct Entries {
    entries: HashMap<ReadyKey, (Arc<Ready>, u64)>,
    bytes: usize,
    uses: u64,
}

pub struct ReadyCache {
    entries: Mutex<Entries>,
    bytes_max: usize,
}

impl ReadyCache {
    /// Keeps so many bytes of machine code.
    pub fn new(bytes_max: usize) -> ReadyCache {
        ReadyCache { entries: Mutex::default(), bytes_max }
    }

    pub fn get(&self, key: ReadyKey) -> Option<Arc<Ready>> {
        let mut entries = self.entries.lock();
        entries.uses += 1;
        let now = entries.uses;
        let (ready, used) = entries.entries.get_mut(&key)?;
        *used = now;
        Some(ready.clone())
    }

    /// Keeps it; the ones used longest ago go when there is too much. Those who run them keep them as long.
    pub fn insert(&self, key: ReadyKey, ready: Arc<Ready>) {
        let mut dropped = Vec::new();
        let mut entries = self.entries.lock();
        entries.uses += 1;
        let now = entries.uses;
        entries.bytes += ready.bytes;
        if let Some((replaced, _)) = entries.entries.insert(key, (ready, now)) {
            entries.bytes -= replaced.bytes;
            dropped.push(replaced);
        }
        while entries.bytes > self.bytes_max && entries.entries.len() > 1 {
            let Some(oldest) = entries.entries.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key) else {
                break;
            };
            if let Some((ready, _)) = entries.entries.remove(&oldest) {
                entries.bytes -= ready.bytes;
                dropped.push(ready);
            }
        }
        // Unmapping code takes its time: without the lock.
        drop(entries);
        drop(dropped);
    }

    /// How much machine code is kept.
    pub fn bytes(&self) -> usize {
        self.entries.lock().bytes
    }
}
