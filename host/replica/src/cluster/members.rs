//! Who takes part: nodes come and go while writes go on.

use super::message::{Candidate, Joined};
use super::{Cluster, PAUSE, Request, Response};
use crate::error::{Error, Result};
use crate::journal::{Journal, Progress, ProposeError, change_refused, waits_for_another_change};
use crate::options::Role;
use crate::transport::{ANYBODY, Member};
use openraft::ChangeMembers;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A learner that lacks no more entries than this becomes a voter.
const VOTER_LAG: u64 = 1000;
/// How long one attempt at joining may take.
const JOIN_ATTEMPT: Duration = Duration::from_secs(10);
/// How long a member may take to say which process it is.
const WHO_IS_THERE: Duration = Duration::from_secs(1);
/// Between two attempts.
const JOIN_PAUSE: Duration = Duration::from_millis(200);

impl Cluster {
    /// The answer of a node that does not lead; none when this one does.
    fn elsewhere(&self, progress: &Progress) -> Option<Response> {
        let leads = self.visibility.leading().is_some() && progress.leader == Some(self.id);
        (!leads).then(|| self.not_leader())
    }

    /// A change that another leader may have to make is not an error.
    async fn change_members(&self, change: ChangeMembers<u64, Member>, retain: bool) -> Result<Option<Response>> {
        let limit = Duration::from_millis(self.limits.commit_milliseconds);
        // The leader before may have begun a change that this one has to finish first.
        let changed = tokio::time::timeout(limit, async {
            loop {
                match self.journal.raft.change_membership(change.clone(), retain).await {
                    Err(error) if waits_for_another_change(&error) => tokio::time::sleep(PAUSE).await,
                    changed => return changed,
                }
            }
        });
        let changed = changed.await;
        match changed {
            Ok(Ok(_)) => Ok(None),
            Ok(Err(error)) => match change_refused(error) {
                ProposeError::NotLeading | ProposeError::NotTaken => Ok(Some(self.not_leader())),
                ProposeError::Failed(error) => Err(error),
            },
            Err(_) => Err(Error::no_majority("a change of the members was not agreed on in time")),
        }
    }

    /// On the leader: takes a node in, first as a learner; when it has caught up, and wants to, as a voter.
    pub async fn admit(&self, id: u64, candidate: Candidate) -> Result<Response> {
        let Candidate { member, voter, is_new, process } = candidate;
        let _one = self.changing.lock().await;
        let progress = self.journal.progress();
        if let Some(other) = self.elsewhere(&progress) {
            return Ok(other);
        }
        match progress.members.get(&id) {
            // Votes that it has given and entries that it has acknowledged count on it.
            Some(_) if is_new && progress.voters.contains(&id) && id != self.id => {
                return Err(Error::membership(format!("node {id} votes, and has lost what it had"))
                    .with_hint("Remove it from the cluster, and join with a new invitation."));
            }
            // Two nodes that vote as one could each help another leader into office.
            Some(known)
                if id != self.id && self.is_heard(&progress, id) && self.is_another(id, known, process).await =>
            {
                return Err(Error::twin(id, &known.address));
            }
            Some(known) if *known == member => {}
            Some(known) if known.witness != member.witness => {
                return Err(Error::membership(format!(
                    "node {id} is a member already, in another role: remove it, and join with a new invitation"
                )));
            }
            None if self.was_removed(id)? => return Err(Error::removed(id)),
            known => {
                if known.is_none() && progress.members.len() >= self.limits.members {
                    return Err(Error::membership(format!("the cluster has {} members already", self.limits.members)));
                }
                self.visibility.not_alone();
                self.visibility.readmit(id);
                let nodes = BTreeMap::from([(id, member)]);
                let change =
                    if known.is_some() { ChangeMembers::SetNodes(nodes) } else { ChangeMembers::AddNodes(nodes) };
                if let Some(other) = self.change_members(change, true).await? {
                    return Ok(other);
                }
            }
        }
        if progress.voters.contains(&id) {
            return Ok(Response::Joined(Joined::Voter));
        }
        let progress = self.journal.progress();
        let matched = progress.has(id);
        let lag_entries = progress.last_index.saturating_sub(matched);
        if !voter || matched == 0 || lag_entries > VOTER_LAG {
            return Ok(Response::Joined(Joined::Learner { lag_entries }));
        }
        self.visibility.not_alone();
        match self.change_members(ChangeMembers::AddVoterIds(BTreeSet::from([id])), true).await? {
            Some(other) => Ok(other),
            None => Ok(Response::Joined(Joined::Voter)),
        }
    }

    /// On the leader: removes a node, after its last lease has ended.
    pub async fn dismiss(self: &Arc<Self>, id: u64) -> Result<Response> {
        let _one = self.changing.lock().await;
        let progress = self.journal.progress();
        if let Some(other) = self.elsewhere(&progress) {
            return Ok(other);
        }
        if !progress.members.contains_key(&id) {
            return Err(Error::membership(format!("the cluster has no node {id}")));
        }
        let voter = progress.voters.contains(&id);
        if voter && progress.voters.len() == 1 {
            return Err(Error::membership(format!("node {id} is the only voter")));
        }
        // Without a majority of those that stay, nothing could be agreed on, not even the removal.
        let stay: Vec<u64> = progress.voters.iter().copied().filter(|voter| *voter != id).collect();
        let here = stay.iter().filter(|voter| self.is_heard(&progress, **voter)).count();
        if voter && here * 2 <= stay.len() {
            return Err(Error::membership(format!(
                "without node {id} only {here} of {} votes would be here, and no majority",
                stay.len()
            ))
            .with_hint("Bring another node back first, or remove the one that is gone."));
        }
        if id == self.id {
            let heir = self.heir(&progress)?;
            self.hand_over(heir).await?;
            return Ok(self.not_leader());
        }
        // Leases that the nodes hold by the word of a leader that does not know of the removal must have ended.
        let term = self.visibility.leading();
        let Some(lease) = self.visibility.exclude(id) else { return Ok(self.not_leader()) };
        tokio::time::sleep(Duration::from_micros(lease)).await;
        if self.visibility.leading() != term {
            return Ok(self.not_leader());
        }
        let removed = self.take_out(id, voter).await;
        if !matches!(removed, Ok(Response::Done)) {
            self.visibility.readmit(id);
        }
        removed
    }

    async fn take_out(&self, id: u64, voter: bool) -> Result<Response> {
        if let Some(other) = self.note_removed(id).await? {
            return Ok(other);
        }
        let ids = BTreeSet::from([id]);
        let change = if voter { ChangeMembers::RemoveVoters(ids) } else { ChangeMembers::RemoveNodes(ids) };
        if let Some(other) = self.change_members(change, false).await? {
            return Ok(other);
        }
        self.heard.lock().remove(&id);
        Ok(Response::Done)
    }

    /// Whether somebody else answers where a node is known to be.
    async fn is_another(&self, id: u64, known: &Member, process: u64) -> bool {
        let answer = self.ask(id, known, &Request::Status, WHO_IS_THERE).await;
        matches!(answer, Ok(Response::Status(report)) if report.process != process)
    }

    /// On the leader: hands leadership on.
    pub async fn pass_leadership(self: &Arc<Self>, id: u64) -> Result<Response> {
        let progress = self.journal.progress();
        if progress.leader == Some(id) {
            return Ok(Response::Done);
        }
        if let Some(other) = self.elsewhere(&progress) {
            return Ok(other);
        }
        if !progress.voters.contains(&id) || !progress.keeps_data(id) {
            return Err(Error::membership(format!("node {id} is no voter with data")));
        }
        let behind = progress.last_index.saturating_sub(progress.has(id));
        if behind > VOTER_LAG || !self.is_heard(&progress, id) {
            return Err(Error::membership(format!("node {id} is not up to date"))
                .with_hint("Try again when `isobar cluster status` shows it up, and hardly behind."));
        }
        self.hand_over(id).await?;
        Ok(Response::Done)
    }

    /// Hands leadership on where that is possible; answers when another node leads.
    pub async fn step_down(self: &Arc<Self>) -> Result<()> {
        let progress = self.journal.progress();
        if progress.leader != Some(self.id) || progress.voters.len() < 2 {
            return Ok(());
        }
        self.hand_over(self.heir(&progress)?).await?;
        self.wait_for_other_than(self.id).await;
        Ok(())
    }

    /// Whether a node has answered lately.
    fn is_heard(&self, progress: &Progress, id: u64) -> bool {
        id == self.id || progress.is_heard(id, self.limits.election_milliseconds)
    }

    /// The voter with data that has most.
    fn heir(&self, progress: &Progress) -> Result<u64> {
        let candidates = progress.voters.iter().filter(|voter| **voter != self.id && progress.keeps_data(**voter));
        let candidates = candidates.filter(|voter| self.is_heard(progress, **voter));
        let heir = candidates.max_by_key(|voter| progress.has(**voter));
        heir.copied().ok_or_else(|| Error::membership("no other voter with data could lead"))
    }

    /// Asks the leader, wherever it is, until it has answered with something else than another address.
    pub async fn ask_leader(self: &Arc<Self>, request: impl Fn() -> Request, seeds: &[String]) -> Result<Response> {
        let limit = Duration::from_millis(self.limits.commit_milliseconds);
        let asked = tokio::time::timeout(limit, async {
            let mut hint = None;
            loop {
                let leader = hint.take().or_else(|| self.leader());
                match leader {
                    Some((leader, _)) if leader == self.id => match self.answer(self.id, request()).await? {
                        Response::NotLeader { leader } => hint = leader,
                        answer => return Ok(answer),
                    },
                    Some((leader, member)) => {
                        if let Some(answer) = self.ask_one(leader, &member, &request(), &mut hint).await? {
                            return Ok(answer);
                        }
                    }
                    None => {
                        // Those that this node has known may know the leader too: also where nobody finds this node, as
                        // it has another address now.
                        let known = self.journal.progress().members.into_iter().filter(|(id, _)| *id != self.id);
                        let known = known.map(|(_, member)| member.address);
                        for address in seeds.iter().cloned().chain(known) {
                            let member = Member { address, ..Member::default() };
                            if let Some(answer) = self.ask_one(ANYBODY, &member, &request(), &mut hint).await? {
                                return Ok(answer);
                            }
                            if hint.is_some() {
                                break;
                            }
                        }
                    }
                }
                if hint.is_none() {
                    tokio::time::sleep(JOIN_PAUSE).await;
                }
            }
        });
        asked.await.unwrap_or_else(|_| Err(self.unreachable()))
    }

    async fn ask_one(
        &self,
        to: u64,
        member: &Member,
        request: &Request,
        hint: &mut Option<(u64, Member)>,
    ) -> Result<Option<Response>> {
        match self.ask(to, member, request, JOIN_ATTEMPT).await {
            Ok(Response::NotLeader { leader }) => {
                *hint = leader;
                Ok(None)
            }
            Ok(Response::Refused(error)) => Err(error),
            Ok(answer) => Ok(Some(answer)),
            Err(error) => {
                tracing::info!(%error, to, %member, "a node does not answer");
                Ok(None)
            }
        }
    }

    /// Asks to be taken in, again and again until it is done. Also tells the others a new address.
    pub async fn join(self: Arc<Self>, seeds: Vec<String>) {
        loop {
            let candidate = || Candidate {
                member: self.member.clone(),
                voter: self.role != Role::Learner,
                is_new: self.journal.last_index() == 0,
                process: self.process,
            };
            let answer = self.ask_leader(|| Request::Join(candidate()), &seeds).await;
            match &answer {
                Ok(Response::Joined(_)) => self.is_taken_for_itself(true),
                Err(error) if error.sqlstate == "55006" => self.is_taken_for_itself(false),
                _ => {}
            }
            match answer {
                Ok(Response::Joined(Joined::Voter)) => return,
                Ok(Response::Joined(Joined::Learner { lag_entries })) => {
                    if self.role == Role::Learner && self.is_member() {
                        return;
                    }
                    tracing::info!(lag_entries, "catching up before voting");
                }
                Ok(_) => {}
                Err(error) if error.sqlstate == "55000" => {
                    tracing::error!(%error, "not taken into the cluster");
                    let _ = self.refused.set(error);
                    return;
                }
                Err(error) => tracing::warn!(%error, "not taken into the cluster yet"),
            }
            tokio::time::sleep(JOIN_PAUSE).await;
        }
    }

    /// The leader has told this process from another one of the same number. That other one is the node then, and this
    /// one neither votes nor stands for election.
    fn is_taken_for_itself(&self, so: bool) {
        let was_twin = self.is_twin.swap(!so, Ordering::SeqCst);
        if so {
            self.joined.store(true, Ordering::SeqCst);
        }
        if !so || was_twin {
            self.journal.raft.runtime_config().elect(so);
        }
    }

    pub fn has_joined(&self) -> bool {
        self.joined.load(Ordering::SeqCst)
    }

    pub fn is_twin(&self) -> bool {
        self.is_twin.load(Ordering::SeqCst)
    }

    /// Whether this node knows itself to be taken in.
    pub fn is_member(&self) -> bool {
        self.journal.has_member(self.id)
    }

    /// Waits until somebody is known to lead.
    pub async fn wait_for_leader(&self) -> Result<(u64, Member)> {
        loop {
            if let Some(failure) = self.journal.failure() {
                return Err(failure);
            }
            if let Some(leader) = self.leader() {
                return Ok(leader);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits until this node has been taken in and knows a leader, or leads.
    pub async fn wait_for_membership(&self) -> Result<()> {
        while !self.is_member() {
            if let Some(failure) = self.journal.failure().or_else(|| self.refused.get().cloned()) {
                return Err(failure);
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.wait_for_leader().await.map(|_| ())
    }
}
