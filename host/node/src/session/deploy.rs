//! Deploying stored procedures: the component's bytes and the catalog's record of it in one transaction.

use isobar_replica::{Transaction, TransactionOptions};

use crate::error::{Error, Result};
use crate::policy::{Access, Action, Resource};
use crate::sandbox::procedure::{CHUNK_BYTES, Digest, Prepared, chunk_key};
use crate::sandbox::{Event, Results};
use crate::session::{Completion, Session, Statement};

/// What the engine is asked for (`wit/statement.wit` says how such statements begin).
const DEPLOY: &str = "\0isobar deploy";
/// Where procedures are.
const SCHEMA: &str = "public";
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

    /// 42501 unless the session's user may deploy a procedure of this name, as far as that is known beforehand: the
    /// deployment itself decides.
    pub async fn check_deploy(&mut self, name: &str) -> Result<()> {
        let owner = self.procedure_owner(name).await?;
        let mut transaction = self.node.replica.begin(TransactionOptions::default()).await?;
        let access = match owner {
            Some(owner) => {
                let resource = Resource::Procedure { schema: SCHEMA.into(), name: name.into() };
                Access { action: Action::Deploy, resource, owner: Some(owner) }
            }
            None => {
                let resource = Resource::Schema { name: SCHEMA.into() };
                Access { action: Action::Deploy, resource, owner: None }
            }
        };
        transaction.begin_statement()?;
        let checked = self.authority().check(&mut transaction, &[(access, None)]);
        transaction.finish_statement(checked.is_ok());
        checked
    }

    /// Who owns a procedure, where there is one of this name.
    async fn procedure_owner(&mut self, name: &str) -> Result<Option<String>> {
        let sql = "SELECT owner FROM isobar.procedures WHERE name = $1";
        let statement = Statement::with_parameters(sql, [Some(name.as_bytes())])?;
        let mut results = Results::held(self.node.configuration.session.held_result_bytes());
        self.execute(&statement, &mut results, None).await?;
        let owner = results.take().into_iter().find_map(|event| match event {
            Event::Rows { batch, .. } => String::from_utf8(batch.get(4..)?.to_vec()).ok(),
            _ => None,
        });
        Ok(owner)
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
