//! Keeps what several servers share of jobs: renews the leases of those that are held here, does what other servers ask
//! of them, shows the states of the others' jobs, and goes on with jobs of this data folder that nobody has any more.

use super::commands::Command;
use super::supervisor::{HeldJob, JobError, Supervisor};
use crate::lease;
use crate::store::{Held, StoreError, Wish};
use futures_util::FutureExt;
use godwit_shared::ids::JobId;
use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const TICK: Duration = Duration::from_secs(1);
/// Ticks between two renewals; between two looks at the jobs of others; between two looks for jobs that nobody has.
const RENEW_TICKS: u32 = 3;
const LOOK_TICKS: u32 = 2;
const ADOPT_TICKS: u32 = 10;
/// A store that is silent for so long is asked again.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Ticks after which a job counts as nobody's that is held in the store and unknown here.
const ORPHAN_TICKS: u32 = 60;

/// Keeps on until the process ends. A panic in it is logged, and it goes on.
pub async fn keep(supervisor: Arc<Supervisor>) {
    let is_over = supervisor.is_over.clone();
    let mut keeper = Keeper {
        supervisor,
        seen: None,
        orphans: HashMap::new(),
        answering: Arc::default(),
    };
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for number in 0_u32.. {
        tokio::select! {
            biased;
            () = is_over.cancelled() => return,
            _ = tick.tick() => {}
        }
        let turn = AssertUnwindSafe(keeper.turn(number)).catch_unwind();
        match tokio::time::timeout(ANSWER_MAX * 3, turn).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "The store could not be asked for jobs"),
            Ok(Err(_)) => tracing::error!("Looking after jobs ended unexpectedly, and goes on"),
            Err(_) => tracing::warn!("The store is silent"),
        }
    }
}

struct Keeper {
    supervisor: Arc<Supervisor>,
    /// The versions of all jobs at the last look.
    seen: Option<HashMap<JobId, (i64, i64)>>,
    /// Jobs that the store says are held here, and since how many ticks they are not.
    orphans: HashMap<JobId, u32>,
    /// Wishes that are being fulfilled.
    answering: Arc<Mutex<HashSet<String>>>,
}

impl Keeper {
    async fn turn(&mut self, number: u32) -> Result<(), StoreError> {
        self.keep_leases(number.is_multiple_of(RENEW_TICKS)).await?;
        if number.is_multiple_of(LOOK_TICKS) {
            self.look_at_others().await?;
        }
        if number % ADOPT_TICKS == ADOPT_TICKS - 1 {
            self.supervisor.recover().await?;
        }
        Ok(())
    }

    async fn keep_leases(&mut self, renews: bool) -> Result<(), StoreError> {
        let held = self.supervisor.all_held();
        if held.is_empty() && self.orphans.is_empty() {
            return Ok(());
        }
        let (store, holder) = (&self.supervisor.store, &self.supervisor.holder.id);
        let asked_at = lease::now();
        let asked = async {
            if renews {
                store.renew_leases(holder).await?;
            }
            store.held_jobs(holder).await
        };
        let Ok(stored) = tokio::time::timeout(ANSWER_MAX, asked).await else {
            return Err(StoreError::Silent(ANSWER_MAX.as_secs()));
        };
        let stored: HashMap<JobId, Held> = stored?.into_iter().map(|h| (h.id.clone(), h)).collect();
        for job in held {
            match stored.get(job.id()) {
                Some(found) if found.token == job.lease.token => {
                    if renews {
                        job.lease.renew(asked_at);
                    }
                    if let Some(wish) = &found.wish {
                        self.fulfil(&job, wish);
                    }
                }
                Some(_) | None => self.lose(&job),
            }
        }
        self.give_orphans_back(&stored).await
    }

    /// Another server has the job, or it is gone.
    fn lose(&mut self, job: &HeldJob) {
        if self
            .supervisor
            .held(job.id())
            .is_none_or(|held| held.lease.token != job.lease.token)
        {
            return;
        }
        tracing::warn!(job.id = %job.id(), "Job {} is another server's now", job.id());
        job.lease.lose();
        self.supervisor.let_go(job.id());
        // The next look shows what the other one has stored.
        if let Some(seen) = &mut self.seen {
            seen.insert(job.id().clone(), (0, 0));
        }
    }

    /// A take-over that failed half-way would be renewed for ever.
    async fn give_orphans_back(&mut self, stored: &HashMap<JobId, Held>) -> Result<(), StoreError> {
        self.orphans.retain(|id, _| stored.contains_key(id));
        let mut old = Vec::new();
        for id in stored.keys() {
            if self.supervisor.held(id).is_some() {
                self.orphans.remove(id);
                continue;
            }
            let ticks = self.orphans.entry(id.clone()).or_default();
            *ticks += 1;
            if *ticks > ORPHAN_TICKS {
                old.push(id.clone());
            }
        }
        if !old.is_empty() {
            let supervisor = &self.supervisor;
            supervisor.store.release_jobs(&old, &supervisor.holder.id).await?;
        }
        Ok(())
    }

    /// Does what another server asks, beside the renewals: a pause may take a while.
    fn fulfil(&self, job: &Arc<HeldJob>, wish: &Wish) {
        let mut answering = self.answering.lock().unwrap_or_else(PoisonError::into_inner);
        if !answering.insert(wish.id.clone()) {
            return;
        }
        drop(answering);
        let (supervisor, job, wish) = (self.supervisor.clone(), job.clone(), wish.clone());
        let answering = self.answering.clone();
        tokio::spawn(async move {
            let done = match Command::of_name(&wish.command) {
                Some(command) => Box::pin(supervisor.obey(&job, command)).await.map(|_| ()),
                None => Err(JobError::Refused(format!(
                    "the server that has the job does not know \"{}\"",
                    wish.command
                ))),
            };
            let refusal = done.err().map(|e| e.to_string()).unwrap_or_default();
            // Who asked reads the status from the store.
            job.tracker.save().await;
            if let Err(error) = supervisor.store.answer(job.id(), &wish, &refusal).await {
                tracing::warn!(job.id = %job.id(), %error, "A wish of another server could not be answered");
            }
            answering
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&wish.id);
        });
    }

    /// Shows the jobs of other servers as the store has them.
    async fn look_at_others(&mut self) -> Result<(), StoreError> {
        let supervisor = &self.supervisor;
        let now: HashMap<JobId, (i64, i64)> = (supervisor.store.seen_jobs().await?)
            .into_iter()
            .map(|seen| (seen.id, seen.version))
            .collect();
        let is_new = |id: &JobId, version: &(i64, i64)| match &self.seen {
            Some(seen) => seen.get(id) != Some(version),
            // Those that had ended were read at the start.
            None => supervisor.hub.job(id).is_none_or(|job| !job.status.is_ended()),
        };
        let changed: Vec<JobId> = (now.iter())
            .filter(|(id, version)| is_new(id, version) && supervisor.held(id).is_none())
            .map(|(id, _)| id.clone())
            .collect();
        if !changed.is_empty() {
            for status in supervisor.store.statuses_of(&changed).await? {
                if supervisor.held(&status.id).is_none() {
                    supervisor.hub.publish(status);
                }
            }
        }
        let gone: Vec<JobId> = (self.seen.iter().flat_map(HashMap::keys))
            .filter(|id| !now.contains_key(*id) && supervisor.held(id).is_none() && supervisor.hub.job(id).is_some())
            .cloned()
            .collect();
        if !gone.is_empty() {
            supervisor.hub.remove(&gone);
        }
        self.seen = Some(now);
        Ok(())
    }
}
