//! The data directory: one process at a time, and writes only while there is room.

use crate::error::{Error, Result};
use crate::options::FreeBytes;
use parking_lot::Mutex;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How often, and how far apart, the lock is tried: a process that was killed may take a moment to be gone, and who
/// starts the next one need not know.
const LOCK_ATTEMPTS: u32 = 60;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// How long it is believed how much is free: what is written meanwhile is small beside the reserve.
const ROOM_KNOWN: Duration = Duration::from_millis(50);

/// A locked data directory.
pub struct Directory {
    path: PathBuf,
    /// Holds the lock while it is open.
    _lock: File,
}

impl Directory {
    /// Creates the directory where it is missing, and locks it; 55006 when another process keeps it for three seconds.
    pub fn lock(path: &Path) -> Result<Directory> {
        let failed = |error: std::io::Error| Error::unavailable(format!("{}: {error}", path.display()));
        std::fs::create_dir_all(path).map_err(failed)?;
        let lock = File::options().create(true).truncate(false).write(true).open(path.join("lock")).map_err(failed)?;
        for _ in 0..LOCK_ATTEMPTS {
            match lock.try_lock() {
                Ok(()) => return Ok(Directory { path: path.to_owned(), _lock: lock }),
                Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        Err(Error::in_use(format!("data directory \"{}\"", path.display())))
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// How much of its disk is free.
    pub fn free(&self) -> FreeBytes {
        let (path, known) = (self.path.clone(), Mutex::new(None));
        Arc::new(move || {
            let mut known = known.lock();
            if let Some((free, at)) = *known
                && Instant::elapsed(&at) < ROOM_KNOWN
            {
                return Ok(free);
            }
            let disk = rustix::fs::statvfs(&path)?;
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            *known = Some((free, Instant::now()));
            Ok(free)
        })
    }
}

/// The disk of a node, and what of it writes must leave free.
#[derive(Clone)]
pub struct DiskSpace {
    /// None: nobody knows.
    pub free: Option<FreeBytes>,
    pub reserve_bytes: u64,
    /// Whose disk it is; none: there is only one.
    pub whose: Option<String>,
}

impl DiskSpace {
    /// 53100 when writing `more` bytes would not leave the reserve.
    pub fn check(&self, more: u64) -> Result<()> {
        let Some(free) = &self.free else { return Ok(()) };
        let free = free().map_err(|error| Error::unavailable(format!("the disk's free space: {error}")))?;
        if free >= self.reserve_bytes.saturating_add(more) {
            return Ok(());
        }
        let error = Error::disk_full();
        Err(match &self.whose {
            Some(whose) => error.with_detail(whose),
            None => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_that_ends_is_waited_for() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let first = Directory::lock(folder.path()).expect("nobody has it");
        let ending = thread::spawn(move || {
            thread::sleep(LOCK_PAUSE * 4);
            drop(first);
        });
        Directory::lock(folder.path()).expect("the first holder is gone after a moment");
        ending.join().expect("it ends");
    }

    #[test]
    fn the_reserve_is_left() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let directory = Directory::lock(folder.path()).expect("nobody has it");
        let free = directory.free();
        assert!(free().expect("it is known") > 0);
        let whose = Some("node 2 in tokyo".to_owned());
        let space = DiskSpace { free: Some(Arc::new(|| Ok(1000))), reserve_bytes: 900, whose };
        assert_eq!(space.check(100), Ok(()));
        let error = space.check(101).expect_err("too little");
        assert_eq!((error.sqlstate, error.detail.as_deref()), ("53100", Some("node 2 in tokyo")));
        assert_eq!(DiskSpace { reserve_bytes: 0, ..space }.check(1000), Ok(()));
    }

    #[test]
    fn a_holder_that_stays_is_in_use() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let _first = Directory::lock(folder.path()).expect("nobody has it");
        let Err(error) = Directory::lock(folder.path()) else { panic!("two holders") };
        assert_eq!(error.sqlstate, "55006");
    }
}
