//! Several statements as one transaction that the node runs as a whole, and again when it loses a conflict.

use isobar_replica::{Commit, Ulid};

use crate::error::{Error, Result, sqlstate};
use crate::sandbox::{Event, Results, TransactionModes};
use crate::session::block::Block;
use crate::session::once::StoredAnswer;
use crate::session::retry::Retry;
use crate::session::{Session, Statement, once};

/// What one statement of a batch answered.
#[derive(Debug)]
pub struct Answer {
    pub events: Vec<Event>,
    /// PostgreSQL's command tag.
    pub tag: String,
}

/// What a batch answered as a whole.
#[derive(Debug)]
pub struct BatchAnswer {
    pub answers: Vec<Answer>,
    /// What it committed, when it wrote.
    pub commit: Option<Commit>,
    /// The answers are earlier ones to the same idempotency key.
    pub repeated: bool,
}

impl Session {
    /// Runs all statements or none; with a `key` once however often it is sent. At most `bytes_max` of results are
    /// held.
    pub async fn execute_batch(
        &mut self,
        statements: &[Statement],
        modes: TransactionModes,
        bytes_max: usize,
        key: Option<Ulid>,
    ) -> Result<BatchAnswer> {
        if self.block.is_some() {
            return Err(Error::new(sqlstate::ACTIVE_SQL_TRANSACTION, "a batch cannot run inside a transaction block"));
        }
        let prepared = self.prepared.clone();
        let mut retry = Retry::new(&self.node.configuration.session);
        loop {
            let answer = self.attempt_batch(statements, modes, bytes_max, key).await;
            self.rollback();
            let Err(error) = answer else { return answer };
            // PREPARE is not undone by a rollback, but a batch that runs again starts from where it was.
            self.prepared = prepared.clone();
            if !error.is_conflict() {
                return Err(error);
            }
            let Some(pause) = retry.next_pause() else { return Err(error) };
            self.node.metrics.conflict_retries.add(1);
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt_batch(
        &mut self,
        statements: &[Statement],
        modes: TransactionModes,
        bytes_max: usize,
        key: Option<Ulid>,
    ) -> Result<BatchAnswer> {
        self.begin(modes, Some(Ulid::generate()))?;
        let request = key.map_or(0, |_| once::fingerprint(self.user(), statements));
        if let Some(key) = key
            && let Some(repeated) = self.find_batch(key, request).await?
        {
            return Ok(repeated);
        }
        if let Some(block) = &mut self.block {
            block.atomic = true;
        }
        let mut answers = Vec::with_capacity(statements.len());
        let mut bytes_left = bytes_max;
        for statement in statements {
            let mut results = Results::held(bytes_left);
            let completion = self.execute(statement, &mut results, None).await?;
            bytes_left = bytes_left.saturating_sub(results.held_bytes());
            answers.push(Answer { events: results.take(), tag: completion.tag });
        }
        if let Some(key) = key
            && let Some(Block { transaction: Some(transaction), commit_id: id, .. }) = self.block.as_deref_mut()
            && transaction.has_writes()
        {
            let stored = answers.iter().map(|answer| StoredAnswer::new(&answer.tag, &answer.events)).collect();
            once::store_answers(transaction, key, *id, request, stored)?;
        }
        let commit = self.commit().await?.commit;
        Ok(BatchAnswer { answers, commit, repeated: false })
    }

    /// What the same batch answered before. Reads in the batch's own transaction, so that a twin that commits in
    /// between is a conflict.
    async fn find_batch(&mut self, key: Ulid, request: u64) -> Result<Option<BatchAnswer>> {
        let Some(block) = &self.block else { return Ok(None) };
        let mut transaction = self.node.replica.begin(block.options()).await?;
        self.admit(&mut transaction)?;
        let Some(block) = &mut self.block else { return Ok(None) };
        // From here on the snapshot must stay: a younger one could hide a twin's commit from the certifier.
        block.queried = true;
        let transaction = block.transaction.insert(transaction);
        let Some(repeated) = once::stored_answers(&self.node, transaction, key).await? else { return Ok(None) };
        let repeated = repeated.of_request(request)?;
        let answers = repeated.answers.into_iter().map(|answer| {
            let tag = answer.tag.clone();
            Answer { events: answer.events(), tag }
        });
        Ok(Some(BatchAnswer { answers: answers.collect(), commit: repeated.commit, repeated: true }))
    }
}
