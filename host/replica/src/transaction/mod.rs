//! Step 4, the snapshot: an open transaction reads the store at its snapshot with its own buffered writes on top.

mod batch;
mod cursor;
mod overlay;
mod reads;
mod snapshots;

pub use batch::Batch;
pub use reads::Reads;
pub use snapshots::{Snapshot, Snapshots, Visible};

use crate::cluster::OnTheirWay;
use crate::error::{Error, Result};
use crate::options::{Clock, Limits};
use crate::packed::{Pieces, Writes, push_piece, push_write};
use crate::store::{Store, View};
use cursor::Cursor;
use overlay::{Mark, Overlay};
use reads::ReadSet;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Strong snapshot isolation: only writes and guarded keys conflict.
    #[default]
    Snapshot,
    /// What was read is certified too.
    Serializable,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionOptions {
    pub isolation: Isolation,
    pub read_only: bool,
    /// What it reads may be older by so much; none: it sees everything acknowledged before it began.
    pub staleness: Option<Duration>,
    /// Begins without waiting for writes on their way to this node. Reading what they write fails with 40001; begun
    /// again without this, it waits for them.
    pub overtakes: bool,
}

/// A range of keys, `start` included, `end` excluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    pub start: Vec<u8>,
    pub end: Vec<u8>,
    pub reverse: bool,
    /// About how many rows will be wanted; 0 for all.
    pub expected_rows: u32,
}

/// First byte of the catalog's keys.
pub const CATALOG_SPACE: u8 = 0;

/// Whether a key belongs to the catalog.
pub fn is_catalog(key: &[u8]) -> bool {
    key.first() == Some(&CATALOG_SPACE)
}

/// Numbers of catalogs that only one transaction sees have this bit; the others are commit timestamps.
const OWN_CATALOG: u64 = 1 << 63;

static OWN_CATALOGS: AtomicU64 = AtomicU64::new(0);

/// A moment of a transaction to go back to.
#[derive(Clone, Copy)]
struct Moment {
    writes: Mark,
    guards: Mark,
}

/// A statement under way.
struct Statement {
    /// What its failure goes back to.
    began: Moment,
    cursors: HashMap<u32, Cursor>,
}

/// An open transaction, owned by one session. Dropping it rolls it back.
///
/// Reads and writes belong to a statement: between `begin_statement` and `finish_statement`. A statement that begins
/// inside another is nested in it: the outer one's cursors stay as they are, a failure undoes the nested one alone, and
/// the failure of the outer one undoes both. Packed bytes are as in `wit/transaction.wit`.
pub struct Transaction {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    limits: Arc<Limits>,
    options: TransactionOptions,
    snapshot: Snapshot,
    begun: u64,
    /// The store as the outermost statement reads it: never kept longer, so that redb may reuse its pages.
    view: Option<Arc<View>>,
    /// The statements under way, each nested in the one before.
    statements: Vec<Statement>,
    /// How many statements have begun.
    statements_begun: u64,
    catalog_frozen: bool,
    savepoints: Vec<(String, Moment)>,
    overlay: Overlay,
    reads: ReadSet,
    catalog_version: u64,
    next_cursor: u32,
    /// Writes that may have been acknowledged before it began, and that its snapshot lacks.
    on_their_way: OnTheirWay,
    /// Why its reads cannot be certified.
    uncertifiable: Option<Error>,
}

/// What a transaction asks the certifier for.
#[derive(Serialize, Deserialize)]
pub(crate) struct Proposal {
    pub snapshot: u64,
    /// Packed writes in the order of their keys.
    pub writes: Vec<u8>,
    pub reads: Reads,
}

impl Transaction {
    pub(crate) fn new(
        store: Arc<Store>,
        clock: Arc<dyn Clock>,
        limits: Arc<Limits>,
        options: TransactionOptions,
        snapshot: Snapshot,
        on_their_way: OnTheirWay,
    ) -> Transaction {
        Transaction {
            begun: clock.now_micros(),
            catalog_version: snapshot.visible.catalog_timestamp,
            store,
            clock,
            limits,
            options,
            snapshot,
            view: None,
            statements: Vec::new(),
            statements_begun: 0,
            catalog_frozen: false,
            savepoints: Vec::new(),
            overlay: Overlay::default(),
            reads: ReadSet::default(),
            next_cursor: 0,
            on_their_way,
            uncertifiable: None,
        }
    }

    /// Whether it has not waited for writes on their way, reading which fails.
    pub fn has_overtaken(&self) -> bool {
        !self.on_their_way.is_empty()
    }

    /// Timestamp of the newest commit that it sees, in microseconds since the Unix epoch.
    pub fn snapshot(&self) -> u64 {
        self.snapshot.visible.timestamp
    }

    pub fn options(&self) -> TransactionOptions {
        self.options
    }

    /// Changes the isolation or makes it read-only (`SET TRANSACTION`), which only means something before the first
    /// statement.
    pub fn set_options(&mut self, options: TransactionOptions) {
        self.options = options;
    }

    /// Equal numbers mean equal catalogs, also across transactions.
    pub fn catalog_version(&self) -> u64 {
        self.catalog_version
    }

    /// 54000 when it is older than the limit. Every statement begins with this check.
    pub fn check_age(&self) -> Result<()> {
        let age = self.clock.now_micros().saturating_sub(self.begun);
        if age > self.limits.transaction_seconds.saturating_mul(1_000_000) {
            return Err(Error::too_old(self.limits.transaction_seconds));
        }
        Ok(())
    }

    /// A statement begins: reads see the writes of the statements before it, and of the one that it is nested in.
    pub fn begin_statement(&mut self) -> Result<()> {
        self.check_age()?;
        if self.statements.is_empty() {
            self.view = Some(self.current_view()?);
        }
        let began = self.moment();
        self.statements.push(Statement { began, cursors: HashMap::new() });
        self.statements_begun += 1;
        Ok(())
    }

    /// The innermost statement's cursors end; when not `ok`, its writes and guards are undone.
    pub fn finish_statement(&mut self, ok: bool) {
        let Some(statement) = self.statements.pop() else { return };
        for cursor in statement.cursors.values() {
            self.remember_scan(cursor);
        }
        if self.statements.is_empty() {
            self.view = None;
        }
        if !ok {
            self.go_back(statement.began);
        }
    }

    /// How many statements have begun so far, nested ones too.
    pub fn statements_begun(&self) -> u64 {
        self.statements_begun
    }

    /// Whether writes to the catalog are refused, with 55006: a statement that is under way relies on what it has read
    /// of it.
    pub fn is_catalog_frozen(&self) -> bool {
        self.catalog_frozen
    }

    /// Refuses writes to the catalog, or allows them again.
    pub fn freeze_catalog(&mut self, frozen: bool) {
        self.catalog_frozen = frozen;
    }

    fn moment(&mut self) -> Moment {
        Moment { writes: self.overlay.mark(), guards: self.reads.guard_mark() }
    }

    fn go_back(&mut self, moment: Moment) {
        self.reads.undo_guards(moment.guards);
        if self.overlay.undo(moment.writes, is_catalog) {
            let writes_catalog = self.overlay.iter().next().is_some_and(|(key, _)| is_catalog(key));
            self.catalog_version = if writes_catalog { own_catalog() } else { self.snapshot.visible.catalog_timestamp };
        }
    }

    fn view(&mut self) -> Result<Arc<View>> {
        match &self.view {
            Some(view) => Ok(view.clone()),
            None => self.current_view(),
        }
    }

    /// 40001 when the store has been replaced by another node's since the snapshot.
    fn current_view(&self) -> Result<Arc<View>> {
        let view = self.store.view()?;
        if self.snapshot.is_valid() { Ok(view) } else { Err(Error::snapshot_too_old()) }
    }

    fn serializable(&self) -> bool {
        self.options.isolation == Isolation::Serializable && !self.options.read_only
    }

    /// Calls `found` with the key's value, if it has one, and answers whether it does.
    fn read(&mut self, view: &View, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<bool> {
        if let Some(own) = self.overlay.get(key) {
            own.map(found);
            return Ok(own.is_some());
        }
        self.check_arrived(key)?;
        if self.serializable() {
            self.reads.read(key, self.limits.read_set_bytes)?;
        }
        view.get(key, self.snapshot.visible.timestamp, found)
    }

    /// 40001 for a key that a write on its way concerns.
    fn check_arrived(&self, key: &[u8]) -> Result<()> {
        if self.on_their_way.writes(key) { Err(Error::conflict()) } else { Ok(()) }
    }

    pub fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let view = self.view()?;
        let mut value = None;
        self.read(&view, key, &mut |found| value = Some(found.to_vec()))?;
        Ok(value)
    }

    /// Packed keys in, packed answers out.
    pub fn get_many(&mut self, keys: &[u8]) -> Result<Vec<u8>> {
        let view = self.view()?;
        let mut out = Vec::with_capacity(keys.len() * 2);
        for key in Pieces(keys) {
            let found = self.read(&view, key?, &mut |found| {
                out.push(1);
                push_piece(&mut out, found);
            })?;
            if !found {
                out.push(0);
            }
        }
        Ok(out)
    }

    /// Opens a cursor, which lives until `close_cursor` or the end of the statement. It sees the writes made before
    /// it was opened, not those made after.
    pub fn scan(&mut self, range: KeyRange) -> Result<u32> {
        let open: usize = self.statements.iter().map(|statement| statement.cursors.len()).sum();
        if open >= self.limits.cursors {
            return Err(Error::overloaded("open cursors"));
        }
        if self.statements.is_empty() {
            return Err(Error::malformed("scan outside a statement"));
        }
        if self.on_their_way.writes_within(&range.start, &range.end) {
            return Err(Error::conflict());
        }
        let view = self.view()?;
        let tracks = self.serializable();
        let ahead = self.limits.read_ahead_batches;
        let cursor =
            Cursor::open(&self.store, &view, range, self.snapshot.visible.timestamp, &mut self.overlay, ahead, tracks)?;
        self.next_cursor = self.next_cursor.wrapping_add(1);
        if let Some(statement) = self.statements.last_mut() {
            statement.cursors.insert(self.next_cursor, cursor);
        }
        Ok(self.next_cursor)
    }

    /// Packed pairs, at least one and about `max_bytes` of them; empty at the end.
    pub fn next_batch(&mut self, cursor: u32, max_bytes: u32) -> Result<Batch> {
        self.check_age()?;
        let Some(cursor) = self.statements.last_mut().and_then(|statement| statement.cursors.get_mut(&cursor)) else {
            return Err(Error::malformed("cursor"));
        };
        cursor.next_batch(&self.overlay, max_bytes as usize)
    }

    pub fn close_cursor(&mut self, cursor: u32) {
        if let Some(cursor) = self.statements.last_mut().and_then(|statement| statement.cursors.remove(&cursor)) {
            self.remember_scan(&cursor);
        }
    }

    /// A read set that grows too large here is told by the commit.
    fn remember_scan(&mut self, cursor: &Cursor) {
        if !self.serializable() {
            return;
        }
        let (start, end) = cursor.seen();
        if start < end
            && let Err(error) = self.reads.scanned(start, end, self.limits.read_set_bytes)
        {
            self.uncertifiable = Some(error);
        }
    }

    /// Buffers packed writes, all of them or none.
    pub fn write(&mut self, writes: &[u8]) -> Result<()> {
        if self.options.read_only {
            return Err(Error::read_only("writes"));
        }
        let (mut bytes, mut rows) = (self.overlay.bytes(), self.overlay.len());
        for write in Writes(writes) {
            let (key, value) = write?;
            if self.catalog_frozen && is_catalog(key) {
                return Err(Error::catalog_in_use());
            }
            if key.is_empty() || key.len() > self.limits.key_bytes {
                return Err(Error::row_too_large(self.limits.key_bytes));
            }
            if value.is_some_and(|value| value.len() > self.limits.value_bytes) {
                return Err(Error::row_too_large(self.limits.value_bytes));
            }
            bytes += key.len() + value.map_or(0, <[u8]>::len);
            rows += self.limits.transaction_rows.is_some() as usize * self.overlay.get(key).is_none() as usize;
        }
        if bytes > self.limits.transaction_bytes {
            return Err(Error::too_large(size_text(self.limits.transaction_bytes)));
        }
        if let Some(limit) = self.limits.transaction_rows
            && rows > limit
        {
            return Err(Error::too_large(format!("{limit} rows")));
        }
        let mut writes_catalog = false;
        for write in Writes(writes) {
            let (key, value) = write?;
            writes_catalog |= is_catalog(key);
            self.overlay.write(key, value);
        }
        if writes_catalog {
            self.catalog_version = own_catalog();
        }
        Ok(())
    }

    /// How much has been written, for `replaced_since`.
    pub fn mark_writes(&mut self) -> u64 {
        self.overlay.mark()
    }

    /// Packed writes that would undo those since `mark`: what each key held then, or that it was not there. 54000 when
    /// they are more than a transaction may write: deletes count little there, and what they delete counts here.
    pub fn replaced_since(&mut self, mark: u64) -> Result<Vec<u8>> {
        let view = self.view()?;
        let mut writes = Vec::new();
        for (key, own) in self.overlay.written_since(mark) {
            match own {
                Some(value) => push_write(&mut writes, key, value),
                None => {
                    self.check_arrived(key)?;
                    let mut stored = None;
                    view.get(key, self.snapshot.visible.timestamp, &mut |value| stored = Some(value.to_vec()))?;
                    push_write(&mut writes, key, stored.as_deref());
                }
            }
            if writes.len() > self.limits.transaction_bytes {
                return Err(Error::too_large(size_text(self.limits.transaction_bytes)));
            }
        }
        Ok(writes)
    }

    /// The commit is refused when another transaction writes this key after our snapshot.
    pub fn guard(&mut self, key: &[u8]) -> Result<()> {
        self.check_arrived(key)?;
        self.reads.guard(key, self.limits.read_set_bytes)
    }

    /// About how many live keys start with these nine bytes.
    pub fn estimate_count(&self, index_prefix: &[u8]) -> u64 {
        index_prefix.try_into().map_or(0, |prefix| self.store.estimate_count(prefix))
    }

    pub fn savepoint(&mut self, name: &str) -> Result<()> {
        let moment = self.moment();
        self.savepoints.push((name.to_owned(), moment));
        Ok(())
    }

    fn find_savepoint(&self, name: &str) -> Result<usize> {
        let position = self.savepoints.iter().rposition(|(candidate, _)| candidate == name);
        position.ok_or_else(|| Error::no_savepoint(name))
    }

    /// Forgets the newest savepoint of this name and those after it; 3B001 when there is none.
    pub fn release(&mut self, name: &str) -> Result<()> {
        let position = self.find_savepoint(name)?;
        self.savepoints.truncate(position);
        Ok(())
    }

    /// Undoes what was written after the newest savepoint of this name, which stays; 3B001 when there is none.
    pub fn rollback_to(&mut self, name: &str) -> Result<()> {
        let position = self.find_savepoint(name)?;
        self.savepoints.truncate(position + 1);
        let moment = self.savepoints[position].1;
        self.go_back(moment);
        Ok(())
    }

    pub fn has_writes(&self) -> bool {
        !self.overlay.is_empty()
    }

    /// Ends the transaction's own part.
    pub(crate) fn into_proposal(mut self) -> Result<Proposal> {
        while !self.statements.is_empty() {
            self.finish_statement(true);
        }
        if let Some(error) = self.uncertifiable.take() {
            return Err(error);
        }
        let mut writes = Vec::with_capacity(self.overlay.bytes());
        for (key, value) in self.overlay.iter() {
            push_write(&mut writes, key, value);
        }
        Ok(Proposal { snapshot: self.snapshot.visible.timestamp, writes, reads: self.reads.take() })
    }
}

fn own_catalog() -> u64 {
    OWN_CATALOG | OWN_CATALOGS.fetch_add(1, Ordering::Relaxed)
}

fn size_text(bytes: usize) -> String {
    if bytes >= 1 << 20 && bytes.is_multiple_of(1 << 20) {
        format!("{} MiB", bytes >> 20)
    } else {
        format!("{bytes} bytes")
    }
}
