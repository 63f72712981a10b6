//! `wit/transaction.wit`: the caller's open transaction, and nothing else of the store.

use std::sync::Arc;

use isobar_replica::Batch;
use wasmtime::component::Linker;

use crate::error::{Error, sqlstate};
use crate::sandbox::bindings::isobar::engine::transaction::{Host, KeyRange};
use crate::sandbox::bindings::isobar::engine::types;
use crate::sandbox::instance::State;

type Result<T> = std::result::Result<T, types::Error>;

/// A guest may ask for more at once; it gets this much.
const BATCH_BYTES_MAX: u32 = 4 << 20;

/// Puts a `next-batch` in the place of the generated one that copies the store's segments only once: into the guest's
/// memory.
pub fn share_batches(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance("isobar:engine/transaction@0.1.0")?.func_wrap(
        "next-batch",
        |mut store: wasmtime::StoreContextMut<State>, (cursor, max_bytes): (u32, u32)| {
            let pairs = store.data_mut().read_batch(cursor, max_bytes).map(|batch| match batch {
                Batch::Own(pairs) => Arc::new(pairs),
                Batch::Segment(pairs) => pairs,
            });
            Ok((pairs,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

impl State {
    fn read_batch(&mut self, cursor: u32, max_bytes: u32) -> Result<Batch> {
        Ok(self.call()?.transaction()?.next_batch(cursor, max_bytes.min(BATCH_BYTES_MAX))?)
    }
}

impl Host for State {
    fn catalog_version(&mut self) -> u64 {
        // Without a transaction nothing can be read, and no catalog is the right one.
        self.call().and_then(|call| call.transaction().map(|transaction| transaction.catalog_version())).unwrap_or(0)
    }

    fn get(&mut self, key: Vec<u8>) -> Result<Option<Vec<u8>>> {
        Ok(self.call()?.transaction()?.get(&key)?)
    }

    fn get_many(&mut self, keys: Vec<u8>) -> Result<Vec<u8>> {
        Ok(self.call()?.transaction()?.get_many(&keys)?)
    }

    fn scan(&mut self, range: KeyRange) -> Result<u32> {
        Ok(self.call()?.transaction()?.scan(isobar_replica::KeyRange {
            start: range.start,
            end: range.end,
            reverse: range.reverse,
            expected_rows: range.expected_rows,
        })?)
    }

    fn next_batch(&mut self, cursor: u32, max_bytes: u32) -> Result<Vec<u8>> {
        Ok(self.read_batch(cursor, max_bytes)?.into())
    }

    fn close_cursor(&mut self, cursor: u32) {
        if let Ok(transaction) = self.call().and_then(|call| call.transaction()) {
            transaction.close_cursor(cursor);
        }
    }

    fn write(&mut self, writes: Vec<u8>) -> Result<()> {
        let call = self.call()?;
        if call.read_only {
            return Err(Error::new(
                sqlstate::READ_ONLY_SQL_TRANSACTION,
                "cannot execute writes in a read-only transaction",
            )
            .into());
        }
        Ok(call.transaction()?.write(&writes)?)
    }

    fn guard(&mut self, key: Vec<u8>) -> Result<()> {
        Ok(self.call()?.transaction()?.guard(&key)?)
    }

    fn estimate_count(&mut self, index_prefix: Vec<u8>) -> u64 {
        self.call()
            .and_then(|call| call.transaction().map(|transaction| transaction.estimate_count(&index_prefix)))
            .unwrap_or(0)
    }
}
