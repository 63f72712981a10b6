//! A scan under way: the store's pairs, read ahead on another thread when there are many, merged with the
//! transaction's own writes.

use super::overlay::{Mark, Overlay};
use super::{Batch, KeyRange};
use crate::error::{Error, Result};
use crate::packed::{Pieces, push_pair};
use crate::store::{RangeReader, SegmentScan, Store, View, unpanicked};
use std::ops::Bound;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

/// Ranges with more rows expected than this are read ahead.
const READ_AHEAD_ROWS: u32 = 4000;
/// Bytes of a batch that is read ahead, at least.
const READ_AHEAD_BYTES: usize = 128 << 10;
/// How much larger each batch of a scan is than the one before, when few rows are expected.
const GROWTH: usize = 4;

/// Bytes of one batch, at most.
const MAX_BATCH_BYTES: usize = 4 << 20;

/// Reads the store on whichever thread has it.
enum Reader {
    Range(RangeReader),
    Segments(SegmentScan),
}

impl Reader {
    fn fill(&mut self, out: &mut Vec<u8>, max_bytes: usize, max_rows: usize) -> Result<bool> {
        unpanicked("the store", || match self {
            Reader::Range(reader) => reader.fill(out, max_bytes, max_rows),
            Reader::Segments(scan) => scan.fill(out, max_bytes),
        })
    }

    /// The next pairs, where they are a whole segment.
    fn take_segment(&mut self) -> Option<Arc<Vec<u8>>> {
        match self {
            Reader::Range(_) => None,
            Reader::Segments(scan) => scan.take_segment(),
        }
    }

    /// Whether reading on costs next to nothing.
    fn is_in_memory(&self) -> bool {
        matches!(self, Reader::Segments(scan) if scan.is_in_memory())
    }
}

/// Where a cursor's pairs come from.
enum Source {
    Reader(Box<Reader>),
    /// Another thread's batches, an empty one at the end: a thread that breaks off must not look like an end.
    Ahead(Receiver<Result<Vec<u8>>>),
    End,
}

pub struct Cursor {
    store: Arc<Store>,
    range: KeyRange,
    source: Source,
    read_ahead_batches: usize,
    /// Rows of the next batch, at most.
    rows: usize,
    /// Whether anybody will ask what was `seen`.
    tracks: bool,
    /// Own writes up to here belong to the cursor's answer.
    mark: Mark,
    /// The range holds own writes.
    merges: bool,
    /// Pairs of the store not yet handed out, when merging.
    pending: Batch,
    position: usize,
    /// The last key handed out.
    last_key: Option<Vec<u8>>,
    exhausted: bool,
}

impl Cursor {
    pub fn open(
        store: &Arc<Store>,
        view: &Arc<View>,
        range: KeyRange,
        snapshot: u64,
        overlay: &mut Overlay,
        read_ahead_batches: usize,
        tracks: bool,
    ) -> Result<Cursor> {
        let long = range.expected_rows == 0 || range.expected_rows > READ_AHEAD_ROWS;
        let reader = if long && !range.reverse {
            Reader::Segments(store.scan(view, &range.start, &range.end, snapshot))
        } else {
            Reader::Range(view.range(&range.start, &range.end, range.reverse, snapshot)?)
        };
        let mark = overlay.mark();
        let bounds = (Bound::Included(range.start.as_slice()), Bound::Excluded(range.end.as_slice()));
        let merges = overlay.range(bounds, mark).next().is_some();
        let rows = if range.expected_rows == 0 { usize::MAX } else { range.expected_rows as usize };
        Ok(Cursor {
            store: store.clone(),
            range,
            source: Source::Reader(Box::new(reader)),
            read_ahead_batches,
            rows,
            tracks,
            mark,
            merges,
            pending: Batch::default(),
            position: 0,
            last_key: None,
            exhausted: false,
        })
    }

    /// The keys that the caller has seen or knows to be missing: first and first after.
    pub fn seen(&self) -> (Vec<u8>, Vec<u8>) {
        let (mut start, mut end) = (self.range.start.clone(), self.range.end.clone());
        let complete = self.exhausted || (!self.merges && matches!(self.source, Source::End));
        if !complete {
            match (&self.last_key, self.range.reverse) {
                (Some(key), true) => start.clone_from(key),
                (Some(key), false) => {
                    end.clone_from(key);
                    end.push(0);
                }
                (None, _) => end.clone_from(&start),
            }
        }
        (start, end)
    }

    pub fn next_batch(&mut self, overlay: &Overlay, max_bytes: usize) -> Result<Batch> {
        if self.exhausted {
            return Ok(Batch::default());
        }
        let max_bytes = max_bytes.clamp(1, MAX_BATCH_BYTES);
        let batch = if self.merges { Batch::Own(self.merge(overlay, max_bytes)?) } else { self.read(max_bytes)? };
        if batch.is_empty() {
            self.exhausted = true;
        } else if self.tracks && !self.merges {
            self.last_key = last_key(&batch);
        }
        Ok(batch)
    }

    /// The store's next pairs.
    fn read(&mut self, max_bytes: usize) -> Result<Batch> {
        match &mut self.source {
            Source::End => Ok(Batch::default()),
            Source::Reader(reader) => {
                if let Some(pairs) = reader.take_segment() {
                    self.rows = self.rows.saturating_mul(GROWTH);
                    return Ok(Batch::Segment(pairs));
                }
                let mut batch = Vec::with_capacity(max_bytes.min(self.rows.saturating_mul(256)) + 256);
                // Rows that the snapshot does not see count, so a batch may come out empty before the end.
                let mut end = false;
                while batch.is_empty() && !end {
                    end = reader.fill(&mut batch, max_bytes, self.rows)?;
                }
                self.rows = self.rows.saturating_mul(GROWTH);
                if end {
                    self.source = Source::End;
                } else if self.rows > READ_AHEAD_ROWS as usize && !reader.is_in_memory() {
                    self.read_ahead(max_bytes)?;
                }
                Ok(Batch::Own(batch))
            }
            Source::Ahead(batches) => {
                let broken_off = || Err(Error::corrupted("a scan broke off before the end of its range"));
                let batch = batches.recv().unwrap_or_else(|_| broken_off())?;
                if batch.is_empty() {
                    self.source = Source::End;
                }
                Ok(Batch::Own(batch))
            }
        }
    }

    /// Goes on on another thread, a few batches before the caller.
    fn read_ahead(&mut self, max_bytes: usize) -> Result<()> {
        let Some(permit) = self.store.reader_permit() else { return Ok(()) };
        let (sender, receiver) = sync_channel(self.read_ahead_batches.max(1));
        let Source::Reader(mut reader) = std::mem::replace(&mut self.source, Source::Ahead(receiver)) else {
            return Ok(());
        };
        let size = max_bytes.max(READ_AHEAD_BYTES);
        let read = move || {
            let _permit = permit;
            loop {
                let mut batch = Vec::with_capacity(size + 256);
                let result = reader.fill(&mut batch, size, usize::MAX);
                let goes_on = matches!(result, Ok(false));
                let ends = matches!(result, Ok(true));
                // Whoever reads may have gone away.
                if (!batch.is_empty() || result.is_err()) && sender.send(result.map(|_| batch)).is_err() {
                    return;
                }
                if ends {
                    let _ = sender.send(Ok(Vec::new()));
                }
                if !goes_on {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("isobar-scan".into());
        thread.spawn(read).map_err(|error| Error::unavailable(format!("no thread for a scan: {error}")))?;
        Ok(())
    }

    fn merge(&mut self, overlay: &Overlay, max_bytes: usize) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(max_bytes + 256);
        loop {
            if self.position >= self.pending.len() {
                self.pending = self.read(max_bytes)?;
                self.position = 0;
            }
            self.merge_pending(overlay, max_bytes, &mut out)?;
            if !out.is_empty() || self.pending.is_empty() {
                return Ok(out);
            }
        }
    }

    /// Merges what is left of `pending`, or after the store's last pair what is left of the own writes.
    fn merge_pending(&mut self, overlay: &Overlay, max_bytes: usize, out: &mut Vec<u8>) -> Result<()> {
        let reverse = self.range.reverse;
        let last = self.last_key.clone();
        let bounds = match (&last, reverse) {
            (Some(key), false) => (Bound::Excluded(key.as_slice()), Bound::Excluded(self.range.end.as_slice())),
            (Some(key), true) => (Bound::Included(self.range.start.as_slice()), Bound::Excluded(key.as_slice())),
            (None, _) => (Bound::Included(self.range.start.as_slice()), Bound::Excluded(self.range.end.as_slice())),
        };
        let mut forward = overlay.range(bounds, self.mark);
        let mut next = move || if reverse { forward.next_back() } else { forward.next() };
        let mut own = next();
        let mut stored = Pieces(&self.pending[self.position..]);
        let mut last_key = None;
        let mut left = stored.0.len();
        'stored: while out.len() < max_bytes {
            let Some(key) = stored.next() else { break };
            let (key, value) = (key?, stored.next().unwrap_or(Err(Error::malformed("batch")))?);
            let mut hidden = false;
            let mut own_last = None;
            while let Some((own_key, own_value)) = own {
                let order = if reverse { key.cmp(own_key) } else { (**own_key).cmp(key) };
                if order.is_gt() {
                    break;
                }
                if out.len() >= max_bytes && order.is_lt() {
                    // The stored pair is read again, after the own ones that are left.
                    last_key = own_last.or(last_key);
                    break 'stored;
                }
                own_last = Some(own_key.to_vec());
                if let Some(own_value) = own_value {
                    push_pair(out, own_key, own_value);
                }
                hidden |= order.is_eq();
                own = next();
            }
            if !hidden {
                push_pair(out, key, value);
            }
            last_key = Some(key.to_vec());
            left = stored.0.len();
        }
        if self.pending.is_empty() {
            while out.len() < max_bytes
                && let Some((key, value)) = own
            {
                if let Some(value) = value {
                    push_pair(out, key, value);
                }
                last_key = Some(key.to_vec());
                own = next();
            }
        }
        self.position = self.pending.len() - left;
        if last_key.is_some() {
            self.last_key = last_key;
        }
        Ok(())
    }
}

fn last_key(batch: &[u8]) -> Option<Vec<u8>> {
    let mut pieces = Pieces(batch);
    let mut last = None;
    while let Some(Ok(key)) = pieces.next() {
        last = Some(key);
        pieces.next();
    }
    last.map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Limits;
    use crate::store::{Applied, Place};
    use redb::backends::InMemoryBackend;
    use ulid::Ulid;

    /// Nine bytes that name an index, and a name.
    fn key(name: u32) -> Vec<u8> {
        [&[1, 0, 0, 0, 1, 0, 0, 0, 0][..], &name.to_be_bytes()].concat()
    }

    fn store(names: impl Iterator<Item = u32>) -> Arc<Store> {
        let (store, _) = Store::open(Place::Backend(Box::new(InMemoryBackend::new())), &Limits::default()).unwrap();
        let rows: Vec<_> = names.map(key).collect();
        let mut write = store.begin_write().unwrap();
        let writes = rows.iter().map(|key| Ok((key.as_slice(), Some(&[0u8; 100][..]))));
        write.tables().unwrap().commit(Ulid::from_parts(1, 0), 1, writes).unwrap();
        write.finish(&Applied { index: 1, timestamp: 1, ..Applied::default() }).unwrap();
        Arc::new(store)
    }

    fn cursor(store: &Arc<Store>, overlay: &mut Overlay, reverse: bool) -> Cursor {
        let range = KeyRange { start: key(0), end: key(u32::MAX), reverse, expected_rows: 0 };
        Cursor::open(store, &store.view().unwrap(), range, 1, overlay, 2, false).unwrap()
    }

    /// Names in the order in which they come, and the longest batch.
    fn read(cursor: &mut Cursor, overlay: &Overlay, max_bytes: usize) -> (Vec<u32>, usize) {
        let (mut names, mut longest) = (Vec::new(), 0);
        loop {
            let batch = cursor.next_batch(overlay, max_bytes).unwrap();
            if batch.is_empty() {
                return (names, longest);
            }
            longest = longest.max(batch.len());
            let mut pieces = Pieces(&batch);
            while let Some(key) = pieces.next() {
                names.push(u32::from_be_bytes(key.unwrap()[9..].try_into().unwrap()));
                pieces.next();
            }
        }
    }

    #[test]
    fn a_scan_that_breaks_off_is_an_error_and_no_end() {
        let store = store(1..10);
        let mut overlay = Overlay::default();
        let mut cursor = cursor(&store, &mut overlay, false);
        let (sender, receiver) = sync_channel(1);
        sender.send(Ok(b"first".to_vec())).unwrap();
        drop(sender);
        cursor.source = Source::Ahead(receiver);
        assert_eq!(*cursor.next_batch(&overlay, 1000).unwrap(), *b"first");
        assert_eq!(cursor.next_batch(&overlay, 1000).unwrap_err().sqlstate, "XX001");
    }

    #[test]
    fn what_is_read_ahead_is_all_of_it() {
        let store = store(0..20_000);
        for reverse in [false, true] {
            let mut overlay = Overlay::default();
            let mut cursor = cursor(&store, &mut overlay, reverse);
            let (mut names, _) = read(&mut cursor, &overlay, 1000);
            if reverse {
                names.reverse();
            }
            assert!(names.into_iter().eq(0..20_000));
        }
    }

    #[test]
    fn own_writes_come_in_batches_too() {
        let store = store([5000, 5001].into_iter());
        for reverse in [false, true] {
            let mut overlay = Overlay::default();
            for name in (0..10_000).filter(|name| *name != 5001) {
                overlay.write(&key(name), (name % 7 != 0).then_some(&[1; 100]));
            }
            let mut cursor = cursor(&store, &mut overlay, reverse);
            let (mut names, longest) = read(&mut cursor, &overlay, 1000);
            if reverse {
                names.reverse();
            }
            assert!(names.into_iter().eq((0..10_000).filter(|name| name % 7 != 0 || *name == 5001)));
            assert!(longest < 1400, "{longest} bytes in one batch");
        }
    }
}
