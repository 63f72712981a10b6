//! The multi-version store, in redb. Only `apply` writes to it.
//!
//! `latest` holds the newest version of every key, so that an ordinary scan touches one version per row; a replaced
//! version moves to `history`, and `superseded` says, in commit order, which of them have become garbage when.

mod check;
mod collect;
mod directory;
mod encoding;
mod scan;
mod segments;
mod snapshot;
mod view;
mod write;

pub use check::SnapshotCheck;
pub use directory::{Directory, DiskSpace};
pub use scan::SegmentScan;
pub use snapshot::{Chunks, SnapshotReader};
pub use view::{RangeReader, View};

use crate::error::{Error, Result};
use crate::options::Limits;
use parking_lot::{Mutex, RwLock};
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};
use segments::Segments;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// key → version header, row
const LATEST: Table = TableDefinition::new("latest");
/// key length, key, inverted timestamp → version header, row
const HISTORY: Table = TableDefinition::new("history");
/// commit timestamp, chunk → the versions that it superseded
const SUPERSEDED: Table = TableDefinition::new("superseded");
/// commit identifier → timestamp
const OUTCOMES: Table = TableDefinition::new("outcomes");
/// timestamp → commit identifier
const OUTCOME_ORDER: Table = TableDefinition::new("outcome_order");
/// nine-byte index prefix → live keys
const COUNTS: Table = TableDefinition::new("counts");
const META: Table = TableDefinition::new("meta");

const TABLES: [Table; 7] = [LATEST, HISTORY, SUPERSEDED, OUTCOMES, OUTCOME_ORDER, COUNTS, META];

const APPLIED: &[u8] = b"applied";
const FORMAT: &[u8] = b"format";
const FORMAT_VERSION: &[u8] = b"2";

/// How far the journal has been applied: written in the same transaction as its effects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Journal index.
    pub index: u64,
    /// Timestamp of the newest commit.
    pub timestamp: u64,
    /// Timestamp of the newest commit that wrote to the catalog.
    pub catalog_timestamp: u64,
    /// What the journal wants to know of itself after a restart.
    pub journal: Vec<u8>,
}

/// Bytes of an index prefix: space, table id, index id.
pub const INDEX_PREFIX: usize = 9;

pub type IndexPrefix = [u8; INDEX_PREFIX];

/// The index that a key belongs to; none for a key that is shorter.
pub fn index_prefix(key: &[u8]) -> Option<IndexPrefix> {
    key.first_chunk::<INDEX_PREFIX>().copied()
}

/// What readers share.
struct Shared {
    view: Option<Arc<View>>,
    /// Timestamp of the newest commit applied.
    timestamp: u64,
}

/// One redb file with its readers' shared view.
pub struct Store {
    /// None once closed.
    database: RwLock<Option<Arc<Database>>>,
    view: Mutex<Shared>,
    segments: Arc<Segments>,
    /// Threads that read ahead.
    readers: Arc<()>,
    max_readers: usize,
    counts: Mutex<HashMap<IndexPrefix, u64>>,
}

impl Store {
    /// Opens or creates the store, and repairs it after a crash.
    pub fn open(place: Place<'_>, limits: &Limits) -> Result<(Store, Applied)> {
        let database = place.open(limits.store_cache_bytes, "the store")?;
        let mut transaction = database.begin_write().map_err(failed)?;
        transaction.set_durability(Durability::Immediate).map_err(failed)?;
        for table in TABLES {
            transaction.open_table(table).map_err(failed)?;
        }
        let applied = {
            let mut meta = transaction.open_table(META).map_err(failed)?;
            let format = meta.get(FORMAT).map_err(failed)?.map(|format| format.value().to_vec());
            match format {
                None => {
                    meta.insert(FORMAT, FORMAT_VERSION).map_err(failed)?;
                }
                Some(format) if format == FORMAT_VERSION => {}
                Some(format) => {
                    let format = String::from_utf8_lossy(&format).into_owned();
                    return Err(Error::corrupted(format!("the store's format {format} is not known to this version"))
                        .with_hint("Start the version that wrote it, or load the data anew into an empty directory."));
                }
            }
            let applied = meta.get(APPLIED).map_err(failed)?;
            applied.map(|applied| decode_applied(applied.value())).transpose()?.unwrap_or_default()
        };
        let mut counts = HashMap::new();
        for entry in transaction.open_table(COUNTS).map_err(failed)?.iter().map_err(failed)? {
            let (prefix, count) = entry.map_err(failed)?;
            if let (Ok(prefix), Ok(count)) = (prefix.value().try_into(), count.value().try_into()) {
                counts.insert(prefix, u64::from_le_bytes(count));
            }
        }
        transaction.commit().map_err(failed)?;
        let database = RwLock::new(Some(Arc::new(database)));
        let store = Store {
            database,
            view: Mutex::new(Shared { view: None, timestamp: applied.timestamp }),
            segments: Arc::new(Segments::new(limits.segment_bytes)),
            readers: Arc::new(()),
            max_readers: limits.read_ahead_threads,
            counts: Mutex::new(counts),
        };
        Ok((store, applied))
    }

    fn database(&self) -> Result<Arc<Database>> {
        self.database.read().clone().ok_or_else(|| Error::unavailable("the store is closed"))
    }

    /// Lets go of the file; whoever still reads gets an error.
    pub fn close(&self) {
        self.forget_view();
        self.database.write().take();
    }

    /// What readers of this moment share: everything applied so far.
    pub fn view(&self) -> Result<Arc<View>> {
        // Opened under the lock, so that a view from before a commit cannot be put back after it.
        let mut shared = self.view.lock();
        if let Some(view) = &shared.view {
            return Ok(view.clone());
        }
        let view = Arc::new(View::open(&self.database()?.begin_read().map_err(failed)?, shared.timestamp)?);
        shared.view = Some(view.clone());
        Ok(view)
    }

    /// Timestamp of the newest commit applied.
    pub fn applied_timestamp(&self) -> u64 {
        self.view.lock().timestamp
    }

    fn forget_view(&self) {
        let old = self.view.lock().view.take();
        drop(old);
    }

    /// Readers of later views see commits up to `timestamp`.
    fn advance_view(&self, timestamp: u64) {
        let mut shared = self.view.lock();
        shared.timestamp = timestamp;
        let old = shared.view.take();
        drop(shared);
        drop(old);
    }

    /// Scans a long range forwards.
    pub fn scan(&self, view: &Arc<View>, start: &[u8], end: &[u8], snapshot: u64) -> SegmentScan {
        SegmentScan::new(view.clone(), self.segments.clone(), snapshot, start, end)
    }

    /// A commit has been applied, and is about to become visible.
    pub fn forget_segments<'k>(&self, keys: impl Iterator<Item = &'k [u8]>, timestamp: u64) {
        self.segments.forget(keys, timestamp);
    }

    /// The right to one more thread that reads ahead, for as long as it is kept.
    pub fn reader_permit(&self) -> Option<Arc<()>> {
        let permit = self.readers.clone();
        // One is the store's own, one the new one.
        (Arc::strong_count(&permit) <= self.max_readers + 1).then_some(permit)
    }

    /// About how many live keys an index holds.
    pub fn estimate_count(&self, prefix: &IndexPrefix) -> u64 {
        self.counts.lock().get(prefix).copied().unwrap_or(0)
    }

    /// Makes everything applied so far durable.
    pub fn flush(&self) -> Result<()> {
        let mut transaction = self.database()?.begin_write().map_err(failed)?;
        transaction.set_durability(Durability::Immediate).map_err(failed)?;
        transaction.commit().map_err(failed)
    }
}

fn decode_applied(bytes: &[u8]) -> Result<Applied> {
    postcard::from_bytes(bytes).map_err(|error| Error::corrupted(format!("applied state: {error}")))
}

/// A path or a backend.
pub enum Place<'a> {
    Path(&'a Path),
    Backend(Box<dyn redb::StorageBackend>),
}

impl Place<'_> {
    /// Opens or creates a redb file; `what` names it in errors.
    pub fn open(self, cache_bytes: usize, what: &str) -> Result<Database> {
        self.discard_unfinished().map_err(|error| Error::unavailable(format!("{what}: {error}")))?;
        let mut builder = Database::builder();
        builder.set_cache_size(cache_bytes);
        let result = match self {
            Place::Path(path) => builder.create(path),
            Place::Backend(backend) => builder.create_with_backend(AnyBackend(backend)),
        };
        result.map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => Error::in_use(what),
            redb::DatabaseError::UpgradeRequired(version) => {
                Error::corrupted(format!("{what} has redb's file format {version}"))
            }
            other => failed(other).in_file(what),
        })
    }
}

/// redb writes the magic number last when it creates a file, and the file is this short until then.
const MAGIC: usize = 9;
const UNFINISHED: u64 = 1 << 20;

impl Place<'_> {
    /// Starts anew where the creation of the file was cut short: nothing was ever stored in it.
    fn discard_unfinished(&self) -> std::io::Result<()> {
        let mut magic = [0; MAGIC];
        match self {
            Place::Path(path) => {
                let Ok(mut file) = std::fs::File::open(path) else { return Ok(()) };
                let length = file.metadata()?.len();
                if length == 0 || length > UNFINISHED {
                    return Ok(());
                }
                let read = std::io::Read::read_exact(&mut file, &mut magic);
                if read.is_err() || magic == [0; MAGIC] {
                    std::fs::rename(path, path.with_extension("unfinished"))?;
                }
            }
            Place::Backend(backend) => {
                let length = backend.len()?;
                if length == 0 || length > UNFINISHED {
                    return Ok(());
                }
                if length >= MAGIC as u64 {
                    backend.read(0, &mut magic)?;
                }
                if magic == [0; MAGIC] {
                    backend.set_len(0)?;
                }
            }
        }
        Ok(())
    }
}

/// redb takes backends by type; ours come in a box.
#[derive(Debug)]
struct AnyBackend(Box<dyn redb::StorageBackend>);

impl redb::StorageBackend for AnyBackend {
    fn len(&self) -> std::io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> std::io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.0.write(offset, data)
    }

    fn close(&self) -> std::io::Result<()> {
        self.0.close()
    }
}

/// redb panics where a page is not what it wrote: somebody else's bytes, so an error and no bug of ours.
pub fn unpanicked<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    answer.unwrap_or_else(|_| Err(Error::corrupted(format!("{what} has a page that cannot be read"))))
}

/// What redb says, in our words.
pub fn failed(error: impl Into<redb::Error>) -> Error {
    match error.into() {
        redb::Error::Corrupted(what) => Error::corrupted(what),
        redb::Error::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => Error::disk_full(),
        other => Error::unavailable(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_cannot_be_read_is_an_error() {
        let error = unpanicked::<()>("the store", || panic!("unexpected page")).unwrap_err();
        assert_eq!(
            (error.sqlstate, error.detail.as_deref()),
            ("XX001", Some("the store has a page that cannot be read"))
        );
    }

    #[test]
    fn errors_of_opening_name_the_file() {
        let file = std::env::temp_dir().join(format!("isobar-not-redb-{}", std::process::id()));
        std::fs::write(&file, [7; 8192]).unwrap();
        let error = Place::Path(&file).open(1 << 20, "the journal").err().unwrap();
        std::fs::remove_file(&file).unwrap();
        assert!(error.detail.as_ref().is_some_and(|detail| detail.starts_with("the journal: ")), "{error}");
    }
}
