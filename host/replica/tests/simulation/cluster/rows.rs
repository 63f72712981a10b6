//! Single rows, written and read by whoever wants to know how long that takes.

use isobar_replica::{Commit, Error, Replica, Transaction, TransactionOptions, Ulid};

fn key(number: u64) -> Vec<u8> {
    [&[1, 0, 0, 0, 2, 0, 0, 0, 0], number.to_be_bytes().as_slice()].concat()
}

/// An identifier that no other number gives.
pub fn id(number: u64) -> Ulid {
    Ulid::from_parts(number, 7)
}

/// A transaction that has read a row and written another value, not committed yet.
pub async fn increment(replica: &Replica, number: u64) -> Result<Transaction, Error> {
    let mut transaction = replica.begin(TransactionOptions::default()).await?;
    let value = look(&mut transaction, number)?.unwrap_or(0) + 1;
    write(&mut transaction, number, &value.to_be_bytes())?;
    Ok(transaction)
}

fn write(transaction: &mut Transaction, number: u64, row: &[u8]) -> Result<(), Error> {
    let mut packed = vec![1];
    for piece in [key(number).as_slice(), row] {
        packed.extend_from_slice(&(piece.len() as u32).to_le_bytes());
        packed.extend_from_slice(piece);
    }
    transaction.begin_statement()?;
    transaction.write(&packed)?;
    transaction.finish_statement(true);
    Ok(())
}

fn look(transaction: &mut Transaction, number: u64) -> Result<Option<u64>, Error> {
    transaction.begin_statement()?;
    let row = transaction.get(&key(number))?;
    transaction.finish_statement(true);
    Ok(row.map(|row| u64::from_be_bytes(row[..8].try_into().expect("eight bytes"))))
}

/// Writes a row of so many bytes that holds `value`.
pub async fn put(replica: &Replica, number: u64, value: u64, length: usize, id: Ulid) -> Result<Commit, Error> {
    let mut transaction = replica.begin(TransactionOptions::default()).await?;
    let mut row = value.to_be_bytes().to_vec();
    row.resize(length.max(8), value as u8);
    write(&mut transaction, number, &row)?;
    replica.commit(transaction, id).await
}

pub async fn get(replica: &Replica, number: u64) -> Result<Option<u64>, Error> {
    look(&mut replica.begin(TransactionOptions::default()).await?, number)
}
