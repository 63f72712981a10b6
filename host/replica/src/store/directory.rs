//! The data directory: one process at a time, and writes only while there is room.

use crate::error::{Error, Result};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// A locked data directory.
pub struct Directory {
    path: PathBuf,
    /// Holds the lock while it is open.
    _lock: File,
}

impl Directory {
    /// Creates the directory where it is missing, and locks it; 55006 when another process has it.
    pub fn lock(path: &Path) -> Result<Directory> {
        let failed = |error: std::io::Error| Error::unavailable(format!("{}: {error}", path.display()));
        std::fs::create_dir_all(path).map_err(failed)?;
        let lock = File::options().create(true).truncate(false).write(true).open(path.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Directory { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Error::in_use(format!("data directory \"{}\"", path.display()))),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
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
