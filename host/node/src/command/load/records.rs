//! Cuts a CSV file into batches of whole records, with the lines that they come from.
//!
//! Records travel as they stand in the file: only COPY knows that an unquoted NA is NULL and a quoted one is not. So
//! all that is done here is to find where records end: at a line break outside quotes (RFC 4180).

use std::io::{self, BufRead};

/// Whole records of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub text: String,
    /// The file's line on which each record starts, from 1 for the header.
    pub lines: Vec<u64>,
    /// The last line that belongs to it.
    pub last_line: u64,
    /// Bytes of the file read so far.
    pub bytes_read: u64,
}

impl Batch {
    pub fn first_line(&self) -> u64 {
        self.lines.first().copied().unwrap_or(0)
    }

    /// The file's line for a line number in an error about this batch's text, which counts from 1.
    pub fn file_line(&self, line: u64) -> u64 {
        (self.first_line() + line.saturating_sub(1)).min(self.last_line)
    }
}

/// Why a file cannot be cut.
#[derive(Debug)]
pub enum ReadError {
    Io(io::Error),
    /// The record that starts on this line is not UTF-8.
    Encoding(u64),
    /// The quote that opened in the record that starts on this line never closes.
    OpenQuote(u64),
}

/// Reads records one by one.
pub struct Records<R> {
    input: R,
    /// Lines read so far.
    line: u64,
    bytes: u64,
    /// What stopped the last batch after good records: the next call answers it.
    failed: Option<ReadError>,
}

impl<R: BufRead> Records<R> {
    pub fn new(input: R) -> Records<R> {
        Records { input, line: 0, bytes: 0, failed: None }
    }

    /// The next record with its line break, and the line it starts on; none at the end.
    fn next(&mut self) -> Result<Option<(Vec<u8>, u64)>, ReadError> {
        let first_line = self.line + 1;
        let (mut record, mut in_quotes) = (vec![], false);
        loop {
            let before = record.len();
            let read = self.input.read_until(b'\n', &mut record).map_err(ReadError::Io)?;
            if read == 0 {
                return match (record.is_empty(), in_quotes) {
                    (true, _) => Ok(None),
                    (false, true) => Err(ReadError::OpenQuote(first_line)),
                    (false, false) => Ok(Some((record, first_line))),
                };
            }
            self.line += 1;
            self.bytes += read as u64;
            let quotes = record[before..].iter().filter(|byte| **byte == b'"').count();
            in_quotes ^= quotes % 2 == 1;
            if !in_quotes {
                return Ok(Some((record, first_line)));
            }
        }
    }

    /// The first record: the names of the columns.
    pub fn header(&mut self, delimiter: u8) -> Result<Vec<String>, ReadError> {
        let Some((record, line)) = self.next()? else { return Ok(vec![]) };
        let text = String::from_utf8(record).map_err(|_| ReadError::Encoding(line))?;
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(text.as_bytes());
        let names = reader.records().next().and_then(Result::ok).unwrap_or_default();
        Ok(names.iter().map(|name| name.trim().to_string()).collect())
    }

    /// The next records that lie on lines `from` to `to`, at most so many rows and about so many bytes; none at the
    /// end.
    pub fn batch(&mut self, from: u64, to: u64, rows: usize, bytes: usize) -> Result<Option<Batch>, ReadError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut batch = Batch::default();
        while batch.lines.len() < rows && batch.text.len() < bytes {
            let (record, line) = match self.next() {
                Ok(Some(found)) => found,
                Ok(None) => break,
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            };
            if line > to {
                break;
            }
            if line < from || record.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let Ok(record) = std::str::from_utf8(&record) else {
                self.failed = Some(ReadError::Encoding(line));
                break;
            };
            batch.text.push_str(record);
            batch.lines.push(line);
            batch.last_line = self.line;
        }
        batch.bytes_read = self.bytes;
        match self.failed.take_if(|_| batch.lines.is_empty()) {
            Some(error) => Err(error),
            None => Ok((!batch.lines.is_empty()).then_some(batch)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &[u8]) -> Records<&[u8]> {
        Records::new(text)
    }

    #[test]
    fn headers_are_names() {
        for (text, expected) in [
            ("a,b,c\n1,2,3\n", vec!["a", "b", "c"]),
            ("\u{feff}a,\"b, c\", d \r\n", vec!["a", "b, c", "d"]),
            ("\"a\nb\",c\n", vec!["a\nb", "c"]),
            ("", vec![]),
        ] {
            assert_eq!(records(text.as_bytes()).header(b',').expect("it can be read"), expected, "{text}");
        }
    }

    #[test]
    fn batches_hold_whole_records_and_know_their_lines() {
        let mut file = records(b"h\n1\n\"a\nb\"\n\n2,\"x\"\"y\n\"\n3");
        file.header(b',').expect("it can be read");
        let first = file.batch(1, u64::MAX, 2, 1000).expect("it can be read").expect("there is one");
        assert_eq!((first.text.as_str(), first.lines.as_slice(), first.last_line), ("1\n\"a\nb\"\n", &[2, 3][..], 4));
        let second = file.batch(1, u64::MAX, 10, 1000).expect("it can be read").expect("there is one");
        assert_eq!(
            (second.text.as_str(), second.lines.as_slice(), second.last_line),
            ("2,\"x\"\"y\n\"\n3", &[6, 8][..], 8)
        );
        assert_eq!((second.file_line(1), second.file_line(3), second.file_line(99)), (6, 8, 8));
        assert_eq!(file.batch(1, u64::MAX, 10, 1000).expect("it can be read"), None);
    }

    #[test]
    fn a_range_of_lines_and_a_limit_of_bytes() {
        let mut file = records(b"h\n1\n2\n3\n4\n5\n");
        file.header(b',').expect("it can be read");
        let batch = file.batch(3, 5, 100, 4).expect("it can be read").expect("there is one");
        assert_eq!((batch.text.as_str(), batch.lines.as_slice()), ("2\n3\n", &[3, 4][..]));
        let batch = file.batch(3, 5, 100, 4).expect("it can be read").expect("there is one");
        assert_eq!((batch.text.as_str(), batch.lines.as_slice()), ("4\n", &[5][..]));
    }

    #[test]
    fn broken_files_are_named_by_line() {
        let mut file = records(b"h\n1\n\"open\nmore\n");
        file.header(b',').expect("it can be read");
        assert!(file.batch(1, u64::MAX, 10, 1000).expect("it can be read").is_some());
        assert!(matches!(file.batch(1, u64::MAX, 10, 1000), Err(ReadError::OpenQuote(3))));
        let mut file = records(b"h\n1\n\xff\n");
        file.header(b',').expect("it can be read");
        assert_eq!(file.batch(1, u64::MAX, 10, 1000).expect("it can be read").expect("there is one").lines, [2]);
        assert!(matches!(file.batch(1, u64::MAX, 10, 1000), Err(ReadError::Encoding(3))));
    }
}
