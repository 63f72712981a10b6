//! The data directory: one process at a time, and writes only while there is room.

use crate::error::{Error, Result};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// How often, and how far apart, the lock is tried: a process that was killed may take a moment to be gone, and who
/// starts the next one need not know.
const LOCK_ATTEMPTS: u32 = 60;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

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

    /// 53100 when less than `reserve` bytes are free.
    pub fn check_space(&self, reserve: u64) -> Result<()> {
        let disk = rustix::fs::statvfs(&self.path)
            .map_err(|error| Error::unavailable(format!("{}: {error}", self.path.display())))?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) < reserve {
            return Err(Error::disk_full());
        }
        Ok(())
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
    fn a_holder_that_stays_is_in_use() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let _first = Directory::lock(folder.path()).expect("nobody has it");
        let Err(error) = Directory::lock(folder.path()) else { panic!("two holders") };
        assert_eq!(error.sqlstate, "55006");
    }
}
