//! Whether the chunks of a snapshot are a whole store, looked at before anything is given up for them.

use super::snapshot::COUNTS_NUMBER;
use super::{APPLIED, Applied, FORMAT, FORMAT_VERSION, INDEX_PREFIX, META, TABLES, decode_applied};
use crate::error::{Error, Result};
use crate::packed::Pieces;
use redb::TableHandle;

/// What the chunks so far have shown.
#[derive(Default)]
pub struct SnapshotCheck {
    /// Table and key of the last pair.
    last: Option<(usize, Option<Vec<u8>>)>,
    format: bool,
    applied: Option<Applied>,
}

impl SnapshotCheck {
    /// The next chunk: pairs of one table, all of them behind the ones before.
    pub fn chunk(&mut self, chunk: &[u8]) -> Result<()> {
        let Some((number, pairs)) = chunk.split_first() else {
            return Err(Error::bad_snapshot("a chunk is empty"));
        };
        let table = *number as usize;
        let Some(definition) = TABLES.get(table) else {
            return Err(Error::bad_snapshot(format!("there is no table {table}")));
        };
        if pairs.is_empty() {
            return Err(Error::bad_snapshot("a chunk is empty"));
        }
        let out_of_order = || Error::bad_snapshot(format!("table {table} is out of order"));
        let cut_short = |_| Error::bad_snapshot(format!("a pair of table {table} is cut short"));
        let (last_table, mut last) = self.last.take().unwrap_or((table, None));
        if last_table > table {
            return Err(out_of_order());
        }
        if last_table < table {
            last = None;
        }
        let mut pieces = Pieces(pairs);
        while let Some(key) = pieces.next() {
            let key = key.map_err(cut_short)?;
            let value = pieces.next().unwrap_or(Err(Error::malformed("pair"))).map_err(cut_short)?;
            if last.as_deref().is_some_and(|last| last >= key) {
                return Err(out_of_order());
            }
            let kept = last.get_or_insert_default();
            kept.clear();
            kept.extend_from_slice(key);
            if table == COUNTS_NUMBER && (key.len(), value.len()) != (INDEX_PREFIX, size_of::<u64>()) {
                return Err(Error::bad_snapshot("a count is none"));
            }
            if definition.name() == META.name() {
                self.look_at_meta(key, value)?;
            }
        }
        self.last = Some((table, last));
        Ok(())
    }

    fn look_at_meta(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        if key == FORMAT {
            if value != FORMAT_VERSION {
                let format = String::from_utf8_lossy(value).into_owned();
                return Err(Error::bad_snapshot(format!("format {format} is not known to this version")));
            }
            self.format = true;
        }
        if key == APPLIED {
            self.applied = Some(decode_applied(value)?);
        }
        Ok(())
    }

    /// After the last chunk: whether that was all of a store that has got up to entry `index`.
    pub fn end(&self, index: u64) -> Result<()> {
        match &self.applied {
            Some(applied) if self.format && applied.index == index => Ok(()),
            Some(applied) if self.format => {
                Err(Error::bad_snapshot(format!("it ends at entry {}, not at {index}", applied.index)))
            }
            _ => Err(Error::bad_snapshot("its end is missing")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packed::push_pair;

    fn chunk(table: u8, pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut chunk = vec![table];
        for (key, value) in pairs {
            push_pair(&mut chunk, key, value);
        }
        chunk
    }

    fn meta(index: u64) -> Vec<u8> {
        let applied = postcard::to_allocvec(&Applied { index, ..Applied::default() }).unwrap();
        chunk(6, &[(APPLIED, &applied), (FORMAT, FORMAT_VERSION)])
    }

    fn check(chunks: &[Vec<u8>], index: u64) -> Result<()> {
        let mut check = SnapshotCheck::default();
        for chunk in chunks {
            check.chunk(chunk)?;
        }
        check.end(index)
    }

    #[test]
    fn a_whole_store_in_order_is_good() {
        let first = chunk(0, &[(b"a", b"1"), (b"b", b"2")]);
        check(&[first, chunk(0, &[(b"c", b"3")]), chunk(1, &[(b"a", b"")]), meta(7)], 7).expect("good");
    }

    #[test]
    fn anything_else_is_refused() {
        let broken: [(Vec<Vec<u8>>, &str); 9] = [
            (vec![vec![]], "empty"),
            (vec![vec![99]], "no table 99"),
            (vec![vec![0, 5, 0, 0, 0, 1]], "cut short"),
            (vec![chunk(0, &[(b"b", b""), (b"a", b"")])], "out of order"),
            (vec![chunk(0, &[(b"b", b"")]), chunk(0, &[(b"b", b"")])], "out of order"),
            (vec![chunk(1, &[(b"b", b"")]), chunk(0, &[(b"c", b"")])], "out of order"),
            (vec![chunk(5, &[(b"short", b"")])], "a count is none"),
            (vec![chunk(6, &[(FORMAT, b"99")])], "format 99"),
            (vec![meta(6)], "ends at entry 6, not at 7"),
        ];
        for (chunks, why) in broken {
            let error = check(&chunks, 7).expect_err(why);
            assert_eq!(error.sqlstate, "XX001");
            assert!(error.to_string().contains(why), "{error}: {why}");
        }
        let error = check(&[chunk(0, &[(b"a", b"")])], 7).expect_err("no end");
        assert!(error.to_string().contains("its end is missing"), "{error}");
    }
}
