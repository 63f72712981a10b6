//! Writes on their way to the host, packed as `wit/transaction.wit` says.

use super::pairs::{push_field, read_field};
use crate::error::{Error, Result};
use crate::host::Transaction;

const PUT: u8 = 1;
const DELETE: u8 = 0;

/// Bytes after which a buffer hands its writes over by itself.
const FLUSH_BYTES: usize = 1 << 20;

/// Collects puts and deletes in order.
#[derive(Default)]
pub struct WriteBuffer {
    bytes: Vec<u8>,
}

impl WriteBuffer {
    pub fn new() -> WriteBuffer {
        WriteBuffer::default()
    }

    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.push(PUT);
        push_field(&mut self.bytes, key);
        push_field(&mut self.bytes, value);
    }

    pub fn delete(&mut self, key: &[u8]) {
        self.bytes.push(DELETE);
        push_field(&mut self.bytes, key);
    }

    /// Hands everything over.
    pub fn flush(&mut self, transaction: &dyn Transaction) -> Result<()> {
        if !self.bytes.is_empty() {
            transaction.write(&self.bytes)?;
            self.bytes.clear();
        }
        Ok(())
    }

    /// What has been collected, packed.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Hands everything over when it has become much.
    pub fn flush_if_full(&mut self, transaction: &dyn Transaction) -> Result<()> {
        if self.bytes.len() >= FLUSH_BYTES { self.flush(transaction) } else { Ok(()) }
    }
}

/// Packed writes as a host reads them: keys with their values, none to delete.
pub struct Writes<'a>(pub &'a [u8]);

impl<'a> Writes<'a> {
    fn write(&mut self) -> Option<(&'a [u8], Option<&'a [u8]>)> {
        let (kind, rest) = self.0.split_first()?;
        self.0 = rest;
        let key = read_field(&mut self.0)?;
        let value = if *kind == PUT { Some(read_field(&mut self.0)?) } else { None };
        Some((key, value))
    }
}

impl<'a> Iterator for Writes<'a> {
    type Item = Result<(&'a [u8], Option<&'a [u8]>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let write = self.write();
        if write.is_none() {
            self.0 = &[];
        }
        Some(write.ok_or_else(|| Error::internal("packed writes end early")))
    }
}
