//! Ids of rows in tables without primary key.

use crate::host::Environment;

/// Gives ids that grow with time, so that new rows go to the table's end: microseconds since the Unix epoch (7 bytes),
/// random bits that tell statements apart (5 bytes), a count within the statement (4 bytes).
pub struct RowIds {
    start: [u8; 12],
    count: u32,
}

impl RowIds {
    pub fn new(environment: &dyn Environment) -> RowIds {
        let mut start = [0; 12];
        start[..7].copy_from_slice(&environment.clock_time().to_be_bytes()[1..]);
        environment.random(&mut start[7..]);
        RowIds { start, count: 0 }
    }

    pub fn next(&mut self) -> [u8; 16] {
        let mut id = [0; 16];
        id[..12].copy_from_slice(&self.start);
        id[12..].copy_from_slice(&self.count.to_be_bytes());
        self.count = self.count.wrapping_add(1);
        id
    }
}
