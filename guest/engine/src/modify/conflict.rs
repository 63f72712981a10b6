//! INSERT … ON CONFLICT.

use super::insert::rows_of;
use super::unique::{KeyHolders, violation};
use super::writer::Row;
use super::{ConflictUpdate, OnConflict, Statement, constraint};
use crate::catalog::Index;
use crate::encode::row::RowDecoder;
use crate::error::{Error, Result, sqlstate};
use crate::types::{Batch, Value};
use hashbrown::HashSet;

/// Some of the proposed rows, as rows and as columns, and the input's rows behind them.
struct Part<'r> {
    rows: &'r [Vec<Value>],
    columns: Batch,
    input: Batch,
}

/// What becomes of a proposed row.
enum Fate {
    Inserted(Row),
    Skipped,
    /// It meets the row with this key.
    Meets(Vec<u8>),
}

impl<E> Statement<'_, E> {
    pub fn insert_or_resolve(&mut self, values: &[E], conflict: &OnConflict<E>, batches: &[Batch]) -> Result<()> {
        // Rows that this command has inserted or updated; DO UPDATE must not affect one twice.
        let mut affected = HashSet::new();
        for input in batches {
            self.writer.flush()?;
            let columns = self.proposed(values, input)?;
            let mut proposed = rows_of(&self.writer, &columns);
            let checks = &self.modification.checks;
            // What is wrong with the rows before it comes first.
            let stop = constraint::first_violation(&self.writer, checks, self.evaluate, &proposed)?;
            proposed.truncate(stop.as_ref().map_or(proposed.len(), |stop| stop.row));
            // An update that changes unique keys may cause or cure the conflicts of later rows: then one by one.
            let step = if self.changes_unique_keys(conflict) { 1 } else { proposed.len() };
            let mut start = 0;
            while start < proposed.len() {
                let end = (start + step).min(proposed.len());
                let numbers: Vec<u32> = (start as u32..end as u32).collect();
                let part =
                    Part { rows: &proposed[start..end], columns: columns.take(&numbers), input: input.take(&numbers) };
                self.resolve(conflict, &part, &mut affected)?;
                start = end;
            }
            if let Some(stop) = stop {
                return Err(stop.error);
            }
        }
        Ok(())
    }

    fn changes_unique_keys(&self, conflict: &OnConflict<E>) -> bool {
        let is_key = |position: usize| {
            let unique = self.modification.relation.indexes.iter().filter(|index| index.unique || index.primary);
            unique.flat_map(|index| &index.columns).any(|column| column.column == position)
        };
        conflict.update.iter().flat_map(|update| &update.assignments).any(|(position, _)| is_key(*position))
    }

    fn resolve(&mut self, conflict: &OnConflict<E>, part: &Part, affected: &mut HashSet<Vec<u8>>) -> Result<()> {
        self.writer.flush()?;
        let (fates, stop) = self.fates(conflict, part.rows, affected)?;
        let mut inserted_rows = vec![];
        let mut inserted = vec![];
        let mut meeting_rows = vec![];
        let mut met = vec![];
        for (number, fate) in fates.into_iter().enumerate() {
            match fate {
                Fate::Inserted(row) => {
                    self.writer.insert(&row)?;
                    self.written += 1;
                    inserted_rows.push(number as u32);
                    inserted.push(row);
                }
                Fate::Skipped => {}
                Fate::Meets(key) => {
                    meeting_rows.push(number as u32);
                    met.push(key);
                }
            }
        }
        let updated = match &conflict.update {
            Some(update) if !met.is_empty() => {
                self.update_met(update, met, &part.columns.take(&meeting_rows), affected)?
            }
            _ => vec![],
        };
        if let Some(error) = stop {
            return Err(error);
        }
        // RETURNING answers in the order of the proposed rows.
        let updated = updated.iter().map(|(number, row)| (meeting_rows[*number], row));
        let mut returned: Vec<(u32, &Row)> = inserted_rows.into_iter().zip(&inserted).chain(updated).collect();
        returned.sort_by_key(|(number, _)| *number);
        let numbers: Vec<u32> = returned.iter().map(|(number, _)| *number).collect();
        let rows: Vec<&Row> = returned.iter().map(|(_, row)| *row).collect();
        self.return_rows(&rows, &part.input, &numbers)
    }

    /// The rows' fates, up to the first that fails, and its error.
    fn fates(
        &mut self,
        conflict: &OnConflict<E>,
        proposed: &[Vec<Value>],
        affected: &mut HashSet<Vec<u8>>,
    ) -> Result<(Vec<Fate>, Option<Error>)> {
        let rows = proposed.iter().map(|values| self.writer.new_row(values.clone())).collect::<Result<Vec<_>>>()?;
        let keys = rows.iter().map(|row| self.writer.unique_keys(row)).collect::<Result<Vec<_>>>()?;
        let mut holders = KeyHolders::read(&self.writer, keys.iter().flatten())?;
        let arbitrates = |index: &Index| conflict.arbiters.as_ref().is_none_or(|arbiters| arbiters.contains(&index.id));
        let mut fates = Vec::with_capacity(rows.len());
        for (row, keys) in rows.into_iter().zip(keys) {
            let holder =
                keys.iter().filter(|unique| arbitrates(unique.index)).find_map(|unique| holders.holder(&unique.key));
            fates.push(match holder {
                Some(_) if conflict.update.is_none() => Fate::Skipped,
                Some(holder) => {
                    if affected.contains(holder) {
                        return Ok((fates, Some(affected_twice())));
                    }
                    Fate::Meets(holder.clone())
                }
                None => {
                    for unique in keys {
                        if holders.holder(&unique.key).is_some() {
                            let error = violation(&self.writer, unique.index, &row.values);
                            return Ok((fates, Some(error)));
                        }
                        holders.take(unique.key, &row.key);
                    }
                    affected.insert(row.key.clone());
                    Fate::Inserted(row)
                }
            });
        }
        Ok((fates, None))
    }

    /// Updates the rows with these keys, each in view of the proposed row that met it. Answers the rows that passed
    /// the filter, with their numbers.
    fn update_met(
        &mut self,
        update: &ConflictUpdate<E>,
        met: Vec<Vec<u8>>,
        proposed: &Batch,
        affected: &mut HashSet<Vec<u8>>,
    ) -> Result<Vec<(usize, Row)>> {
        let relation = self.modification.relation.clone();
        let positions: Vec<usize> = (0..relation.columns.len()).collect();
        let decoder = RowDecoder::new(&relation, &positions)?;
        let mut existing = Vec::with_capacity(met.len());
        for (key, value) in met.iter().zip(self.writer.host.get_many(&met)?) {
            let value = value.ok_or_else(|| Error::internal("an index entry points to no row"))?;
            existing.push(Row { key: key.clone(), values: decoder.values(&value)? });
        }
        // A routine that is called from here on is to find the rows that have been inserted.
        self.writer.flush()?;
        let mut both = constraint::columns_of(&relation, existing.iter().map(|row| row.values.as_slice()));
        both.columns.extend(proposed.columns.iter().cloned());
        let passes = update.filter.as_ref().map(|filter| (self.evaluate)(filter, &both)).transpose()?;
        let mut chosen: Vec<usize> = vec![];
        let mut twice = false;
        for (row, key) in met.iter().enumerate() {
            // A row that the filter has left alone may be met again.
            if affected.contains(key) {
                twice = true;
                break;
            }
            if passes.as_ref().is_none_or(|passes| matches!(passes.value(row), Value::Boolean(true))) {
                affected.insert(key.clone());
                chosen.push(row);
            }
        }
        if chosen.len() < existing.len() {
            both = both.take(&chosen.iter().map(|&row| row as u32).collect::<Vec<_>>());
        }
        if chosen.is_empty() {
            return if twice { Err(affected_twice()) } else { Ok(vec![]) };
        }
        let existing: Vec<Row> = chosen.iter().map(|&row| existing[row].clone()).collect();
        let mut columns = both.columns[..relation.columns.len()].to_vec();
        for (position, expression) in &update.assignments {
            columns[*position] = (self.evaluate)(expression, &both)?;
        }
        let new = self.replace_rows(&existing, rows_of(&self.writer, &Batch { columns, rows: both.rows }))?;
        if twice { Err(affected_twice()) } else { Ok(chosen.into_iter().zip(new).collect()) }
    }
}

fn affected_twice() -> Error {
    Error::new(sqlstate::CARDINALITY_VIOLATION, "ON CONFLICT DO UPDATE command cannot affect row a second time")
        .hint("Ensure that no rows proposed for insertion within the same command have duplicate constrained values.")
}
