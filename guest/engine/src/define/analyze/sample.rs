//! Rows from all over a table, without reading all of it.
//!
//! Keys can be sought, but nobody knows how the rows are spread over them. So first the keys between the table's first
//! and last are divided into segments: a few rows at the beginning of each tell how dense they lie there, and the
//! segments with the most rows are divided on. Then runs of rows are read at random places, by that estimate. Most
//! places lie in gaps, such as those between one hour and the next: the first rows after a gap are special, so the
//! sample has rows from all over each run.

use super::super::rows;
use crate::catalog::Relation;
use crate::encode::key::{PREFIX_LENGTH, index_prefix, prefix_end};
use crate::encode::pairs::Pairs;
use crate::encode::row::RowDecoder;
use crate::error::Result;
use crate::host::{Host, KeyRange};
use crate::types::Value;

/// Tables up to this many rows are read as a whole.
const WHOLE_ROWS: u64 = 15_000;
/// Runs of neighbours that are read of a larger one, the rows of each, and how many rows on the next is taken.
const RUNS: usize = 300;
const RUN_ROWS: usize = 128;
const DISTANCE: usize = 12;
/// How many times a segment is divided, and the rows that tell how dense it is.
const DIVISIONS: usize = 48;
const PROBE_ROWS: usize = 128;
/// Bytes of a key that count as its position, after what all of the table's keys have in common.
const POSITION_BYTES: usize = 16;

pub struct Sample {
    pub rows: Vec<SampledRow>,
    pub table_rows: u64,
    /// Every row is there.
    pub is_whole: bool,
}

pub struct SampledRow {
    /// NULL for dropped columns.
    pub values: Vec<Value>,
    /// The run that it was in: neighbours are often alike.
    pub run: u32,
}

pub fn take(host: &dyn Host, relation: &Relation) -> Result<Sample> {
    let prefix = index_prefix(relation.id, 0);
    let table_rows = host.estimate_count(&prefix);
    if table_rows <= WHOLE_ROWS {
        return whole(host, relation);
    }
    let positions: Vec<usize> = (0..relation.columns.len()).collect();
    let sampler = Sampler { host, decoder: RowDecoder::new(relation, &positions)?, end: prefix_end(&prefix) };
    let (Some(first), Some(last)) = (sampler.outermost(&prefix, false)?, sampler.outermost(&prefix, true)?) else {
        return whole(host, relation);
    };
    let line = Line::between(&first, &last);
    let segments = sampler.segments(&line, line.position(&first), line.position(&last))?;
    Ok(Sample { rows: sampler.runs(&line, &segments)?, table_rows, is_whole: false })
}

fn whole(host: &dyn Host, relation: &Relation) -> Result<Sample> {
    let mut rows = vec![];
    rows::each_chunk(host, relation, None, &mut |chunk| {
        rows.extend(chunk.into_iter().map(|row| SampledRow { values: row.values, run: 0 }));
        Ok(true)
    })?;
    Ok(Sample { table_rows: rows.len() as u64, rows, is_whole: true })
}

/// Keys as numbers.
struct Line {
    common: Vec<u8>,
}

impl Line {
    fn between(first: &[u8], last: &[u8]) -> Line {
        let common = first.iter().zip(last).take_while(|(first, last)| first == last).count();
        Line { common: first[..common.max(PREFIX_LENGTH).min(first.len())].to_vec() }
    }

    fn position(&self, key: &[u8]) -> u128 {
        let mut bytes = [0; POSITION_BYTES];
        let rest = key.get(self.common.len()..).unwrap_or_default();
        let length = rest.len().min(POSITION_BYTES);
        bytes[..length].copy_from_slice(&rest[..length]);
        u128::from_be_bytes(bytes)
    }

    fn key(&self, position: u128) -> Vec<u8> {
        [&self.common[..], &position.to_be_bytes()].concat()
    }
}

struct Segment {
    start: u128,
    /// Not included, but for the last segment.
    end: u128,
    rows: f64,
    /// All of its rows were seen: dividing it tells nothing new.
    is_counted: bool,
}

/// Gets a row's number in its run, its key and its value.
type Receive<'r> = dyn FnMut(usize, &[u8], &[u8]) -> Result<()> + 'r;

struct Sampler<'a> {
    host: &'a dyn Host,
    decoder: RowDecoder,
    /// After the table's last key.
    end: Vec<u8>,
}

impl Sampler<'_> {
    /// Hands on some rows from a key on, or from the table's end backwards. Answers how many there were.
    fn each(&self, start: Vec<u8>, reverse: bool, rows: usize, receive: &mut Receive) -> Result<usize> {
        let range = KeyRange { start, end: self.end.clone(), reverse, expected_rows: rows as u32 };
        let cursor = self.host.scan(&range)?;
        let mut found = 0;
        while found < rows {
            let batch = self.host.next_batch(cursor, (rows - found) as u32 * 100)?;
            if batch.is_empty() {
                break;
            }
            for pair in Pairs::new(&batch).take(rows - found) {
                let (key, value) = pair?;
                receive(found, key, value)?;
                found += 1;
            }
        }
        self.host.close_cursor(cursor);
        Ok(found)
    }

    /// The key at the table's beginning or end.
    fn outermost(&self, prefix: &[u8], reverse: bool) -> Result<Option<Vec<u8>>> {
        let mut found = None;
        self.each(prefix.to_vec(), reverse, 1, &mut |_, key, _| {
            found = Some(key.to_vec());
            Ok(())
        })?;
        Ok(found)
    }

    fn segment(&self, line: &Line, start: u128, end: u128) -> Result<Segment> {
        let (mut within, mut last) = (0, start);
        let found = self.each(line.key(start), false, PROBE_ROWS, &mut |_, key, _| {
            let position = line.position(key);
            if position < end {
                within += 1;
                last = position;
            }
            Ok(())
        })?;
        if within < found || found < PROBE_ROWS {
            return Ok(Segment { start, end, rows: within as f64, is_counted: true });
        }
        let covered = last.saturating_sub(start).max(1);
        let rows = within as f64 * ((end - start) as f64 / covered as f64).max(1.0);
        Ok(Segment { start, end, rows, is_counted: false })
    }

    fn segments(&self, line: &Line, first: u128, last: u128) -> Result<Vec<Segment>> {
        let mut segments = vec![self.segment(line, first, last.saturating_add(1))?];
        for _ in 0..DIVISIONS {
            let divisible = |segment: &&(usize, &Segment)| !segment.1.is_counted && segment.1.end - segment.1.start > 1;
            let numbered: Vec<(usize, &Segment)> = segments.iter().enumerate().collect();
            let heaviest = numbered.iter().filter(divisible).max_by(|left, right| left.1.rows.total_cmp(&right.1.rows));
            let Some(&(heaviest, _)) = heaviest else { break };
            let Segment { start, end, .. } = segments.swap_remove(heaviest);
            let middle = start + (end - start) / 2;
            segments.push(self.segment(line, start, middle)?);
            segments.push(self.segment(line, middle, end)?);
        }
        segments.sort_by_key(|segment| segment.start);
        Ok(segments)
    }

    /// Random numbers up to an end, in order.
    fn places(&self, end: f64) -> Vec<f64> {
        let mut bytes = vec![0; RUNS * size_of::<u32>()];
        self.host.random(&mut bytes);
        let (numbers, _) = bytes.as_chunks();
        let mut places: Vec<f64> =
            numbers.iter().map(|number| f64::from(u32::from_le_bytes(*number)) / f64::from(u32::MAX) * end).collect();
        places.sort_by(f64::total_cmp);
        places
    }

    fn runs(&self, line: &Line, segments: &[Segment]) -> Result<Vec<SampledRow>> {
        let total: f64 = segments.iter().map(|segment| segment.rows).sum();
        let mut rows = vec![];
        let (mut number, mut before) = (0, 0.0);
        for (run, place) in (0u32..).zip(self.places(total)) {
            while number + 1 < segments.len() && before + segments[number].rows <= place {
                before += segments[number].rows;
                number += 1;
            }
            let Some(segment) = segments.get(number) else { break };
            let part = ((place - before) / segment.rows.max(1.0)).clamp(0.0, 1.0);
            let position = segment.start + ((segment.end - segment.start) as f64 * part) as u128;
            // The place's last digits are as random as any. Runs may overlap: estimators count on rows that are met
            // again by chance.
            let skipped = (place.to_bits() % DISTANCE as u64) as usize;
            self.each(line.key(position), false, RUN_ROWS, &mut |number, _, value| {
                if number % DISTANCE == skipped {
                    rows.push(SampledRow { values: self.decoder.values(value)?, run });
                }
                Ok(())
            })?;
        }
        Ok(rows)
    }
}
