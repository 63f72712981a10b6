//! Writes on their way to the host, packed as `wit/transaction.wit` says.

use crate::error::Result;
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
        self.field(key);
        self.field(value);
    }

    pub fn delete(&mut self, key: &[u8]) {
        self.bytes.push(DELETE);
        self.field(key);
    }

    /// Hands everything over.
    pub fn flush(&mut self, transaction: &dyn Transaction) -> Result<()> {
        if !self.bytes.is_empty() {
            transaction.write(&self.bytes)?;
            self.bytes.clear();
        }
        Ok(())
    }

    /// Hands everything over when it has become much.
    pub fn flush_if_full(&mut self, transaction: &dyn Transaction) -> Result<()> {
        if self.bytes.len() >= FLUSH_BYTES { self.flush(transaction) } else { Ok(()) }
    }

    fn field(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(bytes);
    }
}
