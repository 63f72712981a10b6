//! Result rows on their way out: from columns to DataRow messages.

use crate::encode::data_row;
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::host::{Host, OutputColumn};
use crate::limits::OUTPUT_BATCH_BYTES;
use crate::statement::Format;
use crate::types::{Batch, Column, ColumnData, DataType, Value, binary, text};

/// Prints batches, and hands them to the host about 64 KiB at a time.
pub struct RowPrinter<'a> {
    host: &'a dyn Host,
    context: &'a FunctionContext<'a>,
    format: Format,
    types: Vec<DataType>,
    packed: Vec<u8>,
    rows: u32,
    scratch: String,
}

impl<'a> RowPrinter<'a> {
    /// Tells the host of the columns.
    pub fn new(
        host: &'a dyn Host,
        context: &'a FunctionContext<'a>,
        format: Format,
        columns: &[OutputColumn],
        types: Vec<DataType>,
    ) -> Result<RowPrinter<'a>> {
        host.describe(columns)?;
        Ok(RowPrinter { host, context, format, types, packed: vec![], rows: 0, scratch: String::new() })
    }

    pub fn print(&mut self, batch: &Batch) -> Result<()> {
        for row in 0..batch.rows {
            for (number, column) in batch.columns.iter().enumerate() {
                match self.format {
                    Format::Text => self.field(column, row, number),
                    Format::Binary => self.binary_field(column, row, number),
                }
            }
            self.rows += 1;
            if self.packed.len() >= OUTPUT_BATCH_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Hands over what is left.
    pub fn finish(mut self) -> Result<()> {
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        if self.rows > 0 {
            self.host.rows(&self.packed, self.rows)?;
            self.packed.clear();
            self.rows = 0;
        }
        Ok(())
    }

    fn field(&mut self, column: &Column, row: usize, number: usize) {
        if column.is_null(row) {
            data_row::push(&mut self.packed, None);
            return;
        }
        match &column.data {
            ColumnData::SmallInt(values) => self.integer(i64::from(values[row])),
            ColumnData::Integer(values) => self.integer(i64::from(values[row])),
            ColumnData::BigInt(values) => self.integer(values[row]),
            ColumnData::Boolean(values) => self.bytes(if values[row] { b"t" } else { b"f" }),
            ColumnData::Text(strings) => self.bytes(strings.get(row).as_bytes()),
            _ => {
                let mut scratch = std::mem::take(&mut self.scratch);
                scratch.clear();
                match column.value(row) {
                    value @ Value::Oid(_) => {
                        scratch.push_str(&text::to_string_in(&value, self.types[number], self.context));
                    }
                    value => text::print(&value, self.types[number], self.context.settings, &mut scratch),
                }
                self.bytes(scratch.as_bytes());
                self.scratch = scratch;
            }
        }
    }

    fn binary_field(&mut self, column: &Column, row: usize, number: usize) {
        match (&column.data, column.is_null(row)) {
            (_, true) => data_row::push(&mut self.packed, None),
            (ColumnData::Text(strings), _) if self.types[number] != DataType::InternalChar => {
                self.bytes(strings.get(row).as_bytes());
            }
            _ => match column.value(row) {
                Value::Null => data_row::push(&mut self.packed, None),
                value => data_row::push_written(&mut self.packed, |out| binary::write(&value, self.types[number], out)),
            },
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        data_row::push(&mut self.packed, Some(bytes));
    }

    fn integer(&mut self, value: i64) {
        // The longest is -9223372036854775808.
        let mut digits = [0; 20];
        let mut start = digits.len();
        let mut rest = value.unsigned_abs();
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            start -= 1;
            digits[start] = b'-';
        }
        self.bytes(&digits[start..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::functions::Settings;
    use crate::memory::MemoryStore;
    use std::rc::Rc;

    #[test]
    fn integers_print_to_their_last_digit() {
        let store = MemoryStore::new();
        let host = store.begin();
        let (settings, catalog) = (Settings::default(), Catalog::default());
        let context =
            FunctionContext { environment: &host, authorization: &host, settings: &settings, catalog: &catalog };
        let mut printer = RowPrinter::new(&host, &context, Format::Text, &[], vec![DataType::BigInt]).unwrap();
        let values = [0, 7, -1, 10, 1234567890, i64::MAX, i64::MIN];
        let column = Column::from_values(DataType::BigInt, &values.map(Value::BigInt));
        printer.print(&Batch { columns: vec![Rc::new(column)], rows: values.len() }).unwrap();
        let expected: Vec<u8> = values
            .iter()
            .flat_map(|value| {
                let text = value.to_string();
                [&(text.len() as i32).to_be_bytes()[..], text.as_bytes()].concat()
            })
            .collect();
        assert_eq!(printer.packed, expected);
    }
}
