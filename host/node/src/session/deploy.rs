//! Deploying stored procedures: the component's bytes and the catalog's record of it in one transaction.

use isobar_replica::Transaction;

use crate::error::{Error, Result};
use crate::sandbox::Results;
use crate::sandbox::procedure::{CHUNK_BYTES, Digest, Prepared, chunk_key};
use crate::session::{Completion, Session, Statement};

/// What the engine is asked for (`wit/statement.wit` says how such statements begin).
const DEPLOY: &str = "\0isobar deploy";
const ROLLBACK: &str = "\0isobar rollback";

impl Session {
    /// Makes a component the newest version of a procedure: statements that begin from now on call it, those that run
    /// go on with the version that they see. A component that is stored already is not stored again.
    pub async fn deploy(&mut self, name: &str, definer: bool, prepared: &Prepared) -> Result<Completion> {
        let input = prepared.deploy_json(name, definer, self.now()).to_string().into_bytes();
        let statement = Statement { sql: DEPLOY.into(), input: Some(input), ..Statement::default() };
        self.execute_internal(&statement, &|transaction| {
            store(transaction, prepared.digest, &prepared.component).map_err(Error::from)
        })
        .await
    }

    /// Makes an earlier version of a procedure the one that is called; none: the one before.
    pub async fn roll_back_procedure(&mut self, name: &str, version: Option<u32>) -> Result<Completion> {
        let version = version.map_or(String::new(), |version| format!(" {version}"));
        let statement = Statement { sql: format!("{ROLLBACK} {name}{version}"), ..Statement::default() };
        self.execute_internal(&statement, &|_| Ok(())).await
    }

    /// A statement of the node's own, which runs again after conflicts. `first`: what its transaction writes before it.
    async fn execute_internal(
        &mut self,
        statement: &Statement,
        first: &(dyn Fn(&mut Transaction) -> Result<()> + Sync),
    ) -> Result<Completion> {
        if self.block.is_some() {
            return Err(Error::internal("a procedure is deployed inside a transaction block"));
        }
        let mut results = Results::held(self.node.configuration.session.held_result_bytes());
        let (completion, follow_up) = self.execute_until_committed(statement, &mut results, None, first).await?;
        self.execute_follow_up(follow_up).await?;
        Ok(completion)
    }
}

/// Writes a component in chunks, unless it is there: components are named by their digest.
fn store(transaction: &mut Transaction, digest: Digest, component: &[u8]) -> isobar_replica::Result<()> {
    transaction.begin_statement()?;
    let stored = store_chunks(transaction, digest, component);
    transaction.finish_statement(stored.is_ok());
    stored
}

fn store_chunks(transaction: &mut Transaction, digest: Digest, component: &[u8]) -> isobar_replica::Result<()> {
    // All chunks are written together: where the first is, the others are.
    if transaction.get(&chunk_key(digest, 0))?.is_some() {
        // Whoever removes it at the same moment conflicts with this deployment.
        return transaction.guard(&chunk_key(digest, 0));
    }
    for (number, chunk) in (0..).zip(component.chunks(CHUNK_BYTES)) {
        let key = chunk_key(digest, number);
        let mut write = Vec::with_capacity(key.len() + chunk.len() + 9);
        write.push(1);
        for part in [&key, chunk] {
            // Both are far below 4 GiB.
            write.extend_from_slice(&(part.len() as u32).to_le_bytes());
            write.extend_from_slice(part);
        }
        transaction.write(&write)?;
    }
    Ok(())
}
