//! Double-entry bookkeeping: money moves from one account to another or not at all.

#![cfg(target_family = "wasm")]

use isobar_procedure::{params, sql};

isobar_procedure::generate!("example:ledger/ledger" in "wit");

const INSUFFICIENT_FUNDS: &str = "LD001";
const NO_SUCH_ACCOUNT: &str = "LD002";
const BAD_AMOUNT: &str = "LD003";
const SAME_ACCOUNT: &str = "LD004";
const UNBALANCED: &str = "LD005";

struct Ledger;

impl Guest for Ledger {
    fn transfer(from_account: String, to_account: String, amount: Numeric) -> Result<Receipt, Error> {
        if from_account == to_account {
            return Err(Error::new(SAME_ACCOUNT, format!("account \"{from_account}\" cannot pay itself")));
        }
        check_amount(&amount)?;

        let taken = sql::query(
            "UPDATE account SET balance = balance - $2 WHERE id = $1 AND balance >= $2 RETURNING balance",
            &params![&from_account, amount.clone()],
        )?;
        let Some(payer) = taken.into_iter().next() else {
            return Err(why_not_taken(&from_account, &amount)?);
        };
        let given = sql::query(
            "UPDATE account SET balance = balance + $2 WHERE id = $1 RETURNING balance",
            &params![&to_account, amount.clone()],
        )?;
        let payee = given.into_iter().next().ok_or_else(|| no_such_account(&to_account))?;

        let noted =
            sql::query("INSERT INTO transfer (amount) VALUES ($1) RETURNING id, made", &params![amount.clone()])?
                .only()?;
        let receipt = Receipt {
            transfer: noted.get("id")?,
            made: noted.get("made")?,
            from_balance: payer.get("balance")?,
            to_balance: payee.get("balance")?,
        };
        sql::execute(
            "INSERT INTO entry (account, made, transfer, amount, balance) VALUES ($1, $3, $4, -$5::numeric, $6), ($2, $3, $4, $5, $7)",
            &params![
                from_account,
                to_account,
                receipt.made,
                receipt.transfer,
                amount,
                receipt.from_balance.clone(),
                receipt.to_balance.clone(),
            ],
        )?;
        Ok(receipt)
    }

    fn statement(account: String) -> Result<Vec<Line>, Error> {
        let entries = sql::query(
            "SELECT made, transfer, amount, balance FROM entry WHERE account = $1 ORDER BY made, transfer",
            &params![account],
        )?;
        entries
            .map(|entry| {
                Ok(Line {
                    made: entry.get("made")?,
                    transfer: entry.get("transfer")?,
                    amount: entry.get("amount")?,
                    balance: entry.get("balance")?,
                })
            })
            .collect()
    }

    fn check_total() -> Result<Numeric, Error> {
        let halves = sql::query("SELECT transfer FROM entry GROUP BY transfer HAVING sum(amount) <> 0 LIMIT 1", &[])?;
        if let Some(half) = halves.into_iter().next() {
            let transfer: Uuid = half.get("transfer")?;
            return Err(Error::new(
                UNBALANCED,
                format!("the entries of a transfer do not add up to nothing: {transfer:?}"),
            ));
        }
        let wrong = sql::query(
            "SELECT a.id FROM account a LEFT JOIN (SELECT account, sum(amount) AS moved FROM entry GROUP BY account) e
             ON e.account = a.id WHERE a.balance <> a.opening + COALESCE(e.moved, 0) LIMIT 1",
            &[],
        )?;
        if let Some(account) = wrong.into_iter().next() {
            let id: String = account.get("id")?;
            return Err(Error::new(UNBALANCED, format!("the balance of account \"{id}\" is not what its entries say")));
        }
        sql::query("SELECT COALESCE(sum(balance), 0) AS total FROM account", &[])?.only()?.get("total")
    }
}

/// An amount is positive and has at most two decimals.
fn check_amount(amount: &Numeric) -> Result<(), Error> {
    let decimals = amount.text.split_once('.').map_or("", |(_, decimals)| decimals.trim_end_matches('0'));
    if amount.is_positive() && amount.text.starts_with(|first: char| first.is_ascii_digit()) && decimals.len() <= 2 {
        return Ok(());
    }
    Err(Error::new(BAD_AMOUNT, format!("{amount} is not an amount of money"))
        .with_hint("an amount is positive and has at most two decimals"))
}

fn why_not_taken(account: &str, amount: &Numeric) -> Result<Error, Error> {
    let found = sql::query("SELECT balance FROM account WHERE id = $1", &params![account])?.into_iter().next();
    Ok(match found {
        None => no_such_account(account),
        Some(row) => {
            let balance: Numeric = row.get("balance")?;
            Error::new(INSUFFICIENT_FUNDS, format!("account \"{account}\" does not have {amount}"))
                .with_detail(format!("its balance is {balance}"))
        }
    })
}

fn no_such_account(account: &str) -> Error {
    Error::new(NO_SUCH_ACCOUNT, format!("there is no account \"{account}\""))
}

export!(Ledger);
