//! A disk in memory that can lose power, and that can fail.

use isobar_replica::FreeBytes;
use redb::StorageBackend;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same everywhere.
#[derive(Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// A disk writes whole sectors.
const SECTOR: u64 = 512;

/// What goes wrong at the chosen operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing works from then on; what was not synced may be there, not be there, or be there in part.
    PowerLoss,
    /// This operation fails, the next ones work.
    Error(io::ErrorKind),
}

#[derive(Default, Clone)]
struct File {
    /// What a reader sees.
    contents: Vec<u8>,
    /// What the last sync left.
    durable: Vec<u8>,
    /// Sectors changed since, by number.
    unsynced: BTreeMap<u64, ()>,
}

struct State {
    files: BTreeMap<&'static str, File>,
    random: Random,
    /// Changes and syncs until the fault.
    until_fault: u64,
    fault: Fault,
    dead: bool,
    /// What the disk says is free, in bytes.
    free: u64,
}

/// Some files on one machine.
#[derive(Clone)]
pub struct Disk(Arc<Mutex<State>>);

impl Disk {
    pub fn new(random: Random) -> Disk {
        Disk(Arc::new(Mutex::new(State {
            files: BTreeMap::new(),
            random,
            until_fault: u64::MAX,
            fault: Fault::PowerLoss,
            dead: false,
            free: u64::MAX,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub fn file(&self, name: &'static str) -> Box<dyn StorageBackend> {
        self.lock().files.entry(name).or_default();
        Box::new(Handle { disk: self.clone(), name })
    }

    pub fn free(&self) -> FreeBytes {
        let disk = self.clone();
        Arc::new(move || Ok(disk.lock().free))
    }

    /// Says from now on that so many bytes are free.
    pub fn set_free(&self, bytes: u64) {
        self.lock().free = bytes;
    }

    /// The fault comes at the `operations`th change or sync from now.
    pub fn plan(&self, fault: Fault, operations: u64) {
        let mut state = self.lock();
        state.fault = fault;
        state.until_fault = operations;
    }

    pub fn fault_has_happened(&self) -> bool {
        self.lock().until_fault == 0
    }

    /// Cuts the power now, if that has not happened, and answers the disk as the next boot finds it.
    pub fn after_power_loss(&self) -> Disk {
        let mut state = self.lock();
        state.dead = true;
        let mut random = Random(state.random.next());
        let files = state.files.iter().map(|(name, file)| (*name, file.after_power_loss(&mut random))).collect();
        let disk = Disk::new(random);
        let mut left = disk.lock();
        (left.files, left.free) = (files, state.free);
        drop(left);
        disk
    }

    /// The same disk, seen by the next process after this one has been killed.
    pub fn after_kill(&self) -> Disk {
        let mut state = self.lock();
        state.dead = true;
        let disk = Disk::new(Random(state.random.next()));
        let mut left = disk.lock();
        (left.files, left.free) = (state.files.clone(), state.free);
        drop(left);
        disk
    }
}

impl File {
    fn after_power_loss(&self, random: &mut Random) -> File {
        let mut left = self.durable.clone();
        // Some crashes lose nearly everything, some nearly nothing.
        let survives = random.below(101);
        let mut length = if random.chance(survives) { self.contents.len() } else { left.len() };
        for sector in self.unsynced.keys() {
            if !random.chance(survives) {
                continue;
            }
            let start = (sector * SECTOR) as usize;
            let end = (start + SECTOR as usize).min(self.contents.len());
            if start >= end {
                continue;
            }
            length = length.max(end);
            if left.len() < end {
                left.resize(end, 0);
            }
            left[start..end].copy_from_slice(&self.contents[start..end]);
        }
        left.resize(length, 0);
        File { contents: left.clone(), durable: left, unsynced: BTreeMap::new() }
    }
}

struct Handle {
    disk: Disk,
    name: &'static str,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "simulated {}", self.name)
    }
}

fn no_power() -> io::Error {
    io::Error::other("no power")
}

impl Handle {
    /// Calls `work` with the file, unless the fault is due.
    fn change<T>(&self, work: impl FnOnce(&mut File) -> T) -> io::Result<T> {
        let mut state = self.disk.lock();
        if state.dead {
            return Err(no_power());
        }
        if state.until_fault > 0 {
            state.until_fault = state.until_fault.saturating_sub(1);
            if state.until_fault == 0 {
                return match state.fault {
                    Fault::PowerLoss => {
                        state.dead = true;
                        Err(no_power())
                    }
                    Fault::Error(kind) => Err(io::Error::new(kind, "simulated")),
                };
            }
        }
        Ok(work(state.files.entry(self.name).or_default()))
    }
}

impl StorageBackend for Handle {
    fn len(&self) -> io::Result<u64> {
        let state = self.disk.lock();
        if state.dead {
            return Err(no_power());
        }
        Ok(state.files[self.name].contents.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.disk.lock();
        if state.dead {
            return Err(no_power());
        }
        let start = offset as usize;
        let bytes = state.files[self.name].contents.get(start..start + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(|file| {
            let old = file.contents.len() as u64;
            file.contents.resize(len as usize, 0);
            if len < old {
                file.unsynced.retain(|sector, ()| sector * SECTOR < len);
            }
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.change(|file| {
            file.durable.resize(file.contents.len(), 0);
            for sector in std::mem::take(&mut file.unsynced).into_keys() {
                let start = (sector * SECTOR) as usize;
                let end = (start + SECTOR as usize).min(file.contents.len());
                if start < end {
                    file.durable[start..end].copy_from_slice(&file.contents[start..end]);
                }
            }
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(|file| {
            let (start, end) = (offset as usize, offset as usize + data.len());
            if file.contents.len() < end {
                file.contents.resize(end, 0);
            }
            file.contents[start..end].copy_from_slice(data);
            for sector in offset / SECTOR..=(end as u64).saturating_sub(1) / SECTOR {
                file.unsynced.insert(sector, ());
            }
        })
    }
}
