//! A continuous job and the rule that decides about it: once it has applied everything, the destination holds what a
//! fresh snapshot of the source would write into an empty one.

use crate::api::{Api, Job, LONG, Looks, wait_for};
use crate::docs::{collections, difference, documents, raw_documents, without_ids};
use crate::migrate::Migration;
use crate::servers::{Database, Target, execute, servers};
use bson::Document;
use godwit_shared::job::{CdcStatus, JobStatus, MigrationJobStatus};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio_postgres::Client;

/// A migration with a continuous job, and a connection that changes its source.
pub struct Continuous {
    pub m: Migration,
    /// Of the job.
    pub id: String,
    pub sql: Client,
    /// Where fresh snapshots go.
    fresh: Target,
    /// Those of the job, so that fresh snapshots read the same rows.
    filters: Value,
    /// Collections of tables without a key: their `_id`s do not count.
    keyless: Vec<String>,
}

/// What a collection must hold, by its name.
pub type Expected<'a> = (&'a str, Vec<Document>);

impl Continuous {
    /// A fresh database with these statements run in it and full old images of all tables; the job is streaming.
    pub async fn new(sql: &str, spec: Value) -> Continuous {
        let m = Migration::new(sql, spec).await;
        full_identity(&m.source).await;
        Continuous::start(m).await
    }

    /// Starts the job of a migration and waits until it is streaming.
    pub async fn start(m: Migration) -> Continuous {
        let job = continuous_job(&m);
        Continuous::start_job(m, &job).await
    }

    /// The same for any job.
    pub async fn start_job(m: Migration, job: &Job) -> Continuous {
        let c = Continuous::begin(m, job).await;
        c.streaming().await;
        c
    }

    /// Starts the job and waits for nothing.
    pub async fn begin(m: Migration, job: &Job) -> Continuous {
        let id = m.app.api().start_job(job).await;
        let mut c = Continuous::of(m, id).await;
        if let Some(filters) = job.0.get("relationalTableFilters") {
            c.filters = filters.clone();
        }
        c
    }

    /// Of a job that is there already and has no filters.
    pub async fn of(m: Migration, id: String) -> Continuous {
        let fresh = servers().await.mongo.target("fresh").await;
        let sql = m.source.connect().await;
        Continuous {
            m,
            id,
            sql,
            fresh,
            filters: json!({}),
            keyless: Vec::new(),
        }
    }

    /// The `_id`s of this collection do not count: its rows have no key.
    pub fn keyless(mut self, collection: &str) -> Continuous {
        self.keyless.push(collection.to_owned());
        self
    }

    pub fn api(&self) -> Api {
        self.m.app.api()
    }

    pub async fn job(&self) -> MigrationJobStatus {
        self.api().job(&self.id).await
    }

    /// Statements in one transaction, unless they say otherwise, see [`execute`].
    pub async fn run(&self, sql: &str) {
        execute(&self.sql, sql).await;
    }

    /// One value of the source as text.
    pub async fn ask(&self, sql: &str) -> Option<String> {
        let row = self.sql.query_one(sql, &[]).await;
        row.unwrap_or_else(|e| panic!("SQL failed: {e:?}\n{sql:.2000}")).get(0)
    }

    /// Waits until the job streams.
    pub async fn streaming(&self) -> MigrationJobStatus {
        self.wait("streaming", |job| job.cdc_status == CdcStatus::Running).await
    }

    /// Waits for a state of a job that must not end before it.
    pub async fn wait(&self, what: &str, condition: impl Fn(&MigrationJobStatus) -> bool) -> MigrationJobStatus {
        let status = (self.api())
            .wait_job(&self.id, what, LONG, |job| condition(job) || job.status.is_ended())
            .await;
        assert!(condition(&status), "the job has ended before {what}: {status:#?}");
        status
    }

    /// Waits until the job has applied everything that is committed now.
    pub async fn settled(&self) -> MigrationJobStatus {
        self.applied(&self.log_end().await, LONG).await
    }

    /// The end of the log of the source, which its readers get to: a commit lies behind it. The server may leave the last
    /// page in memory until somebody commits, and write what it has in the middle of a record.
    pub async fn log_end(&self) -> String {
        let end = self.ask("select pg_current_wal_insert_lsn()::text").await;
        self.ask("select txid_current()::text").await;
        end.expect("a position")
    }

    /// Waits until everything up to a position is applied. The job must be running all the time.
    pub async fn applied(&self, end: &str, timeout: Duration) -> MigrationJobStatus {
        applied(
            async || self.job().await,
            end,
            |position| lsn(position) >= lsn(end),
            timeout,
        )
        .await
    }

    /// Runs one case in two ways and compares its end both times: every step applied before the next comes, and all steps
    /// in the log before the job sees the first. `start` makes the rows of the beginning, whatever was there.
    pub async fn case(&self, name: &str, start: &str, steps: &[&str], expected: &[Expected<'_>]) {
        self.run(start).await;
        self.settled().await;
        for step in steps {
            self.run(step).await;
            self.settled().await;
        }
        self.expect(&format!("{name}, step by step"), expected).await;
        self.run(start).await;
        self.settled().await;
        self.while_paused(steps).await;
        self.settled().await;
        self.expect(&format!("{name}, at once"), expected).await;
        self.expect_like_snapshot(name).await;
    }

    /// Statements that all are in the log before the job sees the first of them.
    pub async fn while_paused(&self, steps: &[&str]) {
        self.pause().await;
        for step in steps {
            self.run(step).await;
        }
        self.resume().await;
    }

    /// Compares collections with what they must hold now.
    pub async fn expect(&self, case: &str, expected: &[Expected<'_>]) {
        for (collection, expected) in expected {
            let found = self.documents(&self.m.target, collection).await;
            if let Some(difference) = difference(&found, expected) {
                // Whether it was lost or only late, and what the job says of it.
                self.settled().await;
                let later = self.documents(&self.m.target, collection).await.len();
                let job = self.job().await;
                panic!("{case}: {collection}: {difference}\nlater: {later} documents of {job:#?}");
            }
        }
    }

    /// Waits until everything is applied and compares every collection with a fresh snapshot.
    pub async fn expect_like_snapshot(&self, case: &str) {
        self.settled().await;
        if let Some(difference) = self.unlike_snapshot().await {
            panic!("{case}: not as a fresh snapshot: {difference}");
        }
    }

    /// The same where the job does more after the last position: it reads a collection again. The job must be streaming.
    pub async fn soon_like_snapshot(&self, case: &str) {
        let deadline = Instant::now() + LONG;
        loop {
            self.streaming().await;
            self.settled().await;
            let Some(difference) = self.unlike_snapshot().await else {
                return;
            };
            assert!(
                Instant::now() < deadline,
                "{case}: after {LONG:?} not as a fresh snapshot: {difference}\n{:#?}",
                self.job().await
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// How the destination differs from a fresh snapshot of the source as it is now.
    pub async fn unlike_snapshot(&self) -> Option<String> {
        self.take_snapshot().await;
        let mut names = collections(&self.m.target.database).await;
        names.extend(collections(&self.fresh.database).await);
        names.sort();
        names.dedup();
        let mut differences = Vec::new();
        for name in names {
            let is_keyless = self.keyless.contains(&name);
            if !is_keyless
                && raw_documents(&self.m.target.database, &name).await
                    == raw_documents(&self.fresh.database, &name).await
            {
                continue;
            }
            let (found, expected) = (
                self.documents(&self.m.target, &name).await,
                self.documents(&self.fresh, &name).await,
            );
            differences.extend(difference(&found, &expected).map(|d| format!("{name}: {d}")));
        }
        (!differences.is_empty()).then(|| differences.join("\n"))
    }

    async fn take_snapshot(&self) {
        let job = Job::new(&self.m.project, &self.m.source, &self.fresh).filtered(self.filters.clone());
        let status = self.m.run(&job).await;
        assert_eq!(status.status, JobStatus::Completed, "the fresh snapshot: {status:#?}");
    }

    /// A document counts as often as it is there; without `_id` where the rows have no key.
    async fn documents(&self, target: &Target, collection: &str) -> Vec<Document> {
        if self.keyless.iter().any(|k| k == collection) {
            without_ids(&target.database, collection).await
        } else {
            documents(&target.database, collection).await
        }
    }

    /// How many documents of a collection match.
    pub async fn count(&self, collection: &str, filter: Document) -> u64 {
        let collection = self.m.target.database.collection::<Document>(collection);
        collection.count_documents(filter).await.expect("a count")
    }

    pub async fn pause(&self) {
        self.api().act(&self.id, "pause").await.ok();
        self.wait("a pause", |job| job.cdc_status == CdcStatus::Paused).await;
    }

    pub async fn resume(&self) {
        self.api().act(&self.id, "resume").await.ok();
        self.streaming().await;
    }

    /// *Complete CDC*: everything up to now is applied, and nothing of the job stays in the source.
    pub async fn complete(&self) -> MigrationJobStatus {
        self.api().act(&self.id, "stop").await.ok();
        let job = self.api().wait_ended(&self.id, LONG).await;
        assert_eq!(
            (job.status, job.cdc_status),
            (JobStatus::Completed, CdcStatus::Completed),
            "{job:#?}"
        );
        assert_eq!(left_in_source(&self.m.source).await, [""; 0], "left in the source");
        job
    }

    /// Ends the job without applying the rest.
    pub async fn abandon(&self) -> MigrationJobStatus {
        self.api().act(&self.id, "stop?abandon=true").await.ok();
        let job = self.api().wait_ended(&self.id, LONG).await;
        assert_eq!(
            (job.status, job.cdc_status),
            (JobStatus::Cancelled, CdcStatus::Cancelled),
            "{job:#?}"
        );
        assert_eq!(left_in_source(&self.m.source).await, [""; 0], "left in the source");
        job
    }

    /// `kill -9` of the server, and a new start.
    pub async fn kill_and_restart(&mut self) {
        self.m.app.kill();
        self.m.app.restart().await;
    }

    /// A new connection, after the source has been away.
    pub async fn reconnect(&mut self) {
        let source = &self.m.source;
        self.sql = wait_for("the source", LONG, || async { source.try_connect().await }).await;
    }

    /// Waits until the job stands before the lock of a session.
    pub async fn locked_out(&self) {
        let waiting = "select count(*)::text from pg_stat_activity where datname = current_database()
            and application_name = 'godwit' and wait_event_type = 'Lock'";
        wait_for("the job to wait for a lock", LONG, || async {
            (self.ask(waiting).await.as_deref() != Some("0")).then_some(())
        })
        .await;
    }

    /// The job's replication slot.
    pub async fn slot(&self) -> String {
        let slots = "select slot_name::text from pg_replication_slots where database = current_database()";
        let rows = self.sql.query(slots, &[]).await.expect("the slots");
        assert_eq!(rows.len(), 1, "a job has one slot");
        rows[0].get(0)
    }

    /// Up to where the job has told the source that it needs nothing more.
    pub async fn confirmed(&self) -> String {
        let sql = "select confirmed_flush_lsn::text from pg_replication_slots where database = current_database()";
        self.ask(sql).await.expect("a confirmed position")
    }
}

/// Waits until a job has applied everything up to a position, `end` in words. The job must be running all the time.
pub async fn applied(
    job: impl AsyncFn() -> MigrationJobStatus,
    end: &str,
    has_reached: impl Fn(&str) -> bool,
    timeout: Duration,
) -> MigrationJobStatus {
    let mut looks = Looks::for_at_most(timeout);
    loop {
        let job = job().await;
        let position = job.cdc_statistics.as_ref().and_then(|s| s.position.as_deref());
        if position.is_some_and(&has_reached) {
            return job;
        }
        let is_moving = matches!(job.cdc_status, CdcStatus::Running | CdcStatus::Completing);
        assert!(
            is_moving && !job.status.is_ended(),
            "not applied up to {end}, and it will not be: {job:#?}"
        );
        assert!(
            looks.next().await,
            "not applied up to {end} after {timeout:?}: {job:#?}"
        );
    }
}

/// A continuous job of the migration that drops first.
pub fn continuous_job(m: &Migration) -> Job {
    m.job().with("/options/mode", json!("CDC"))
}

/// Full old images of every table, the partitions too.
pub async fn full_identity(source: &Database) {
    identity(source, "full").await;
}

/// Sets the replica identity of every table: `full`, `default`, `nothing`.
pub async fn identity(source: &Database, identity: &str) {
    let sql = format!(
        "do $$ declare t regclass; begin
           for t in select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where c.relkind in ('r', 'p') and n.nspname !~ '^(pg_|information_schema)'
           loop execute format('alter table %s replica identity {identity}', t); end loop; end $$"
    );
    source.run(&sql).await;
}

/// Replication slots and publications of a database.
pub async fn left_in_source(source: &Database) -> Vec<String> {
    let sql = "select 'slot ' || slot_name from pg_replication_slots where database = current_database()
        union all select 'publication ' || pubname from pg_publication order by 1";
    let rows = source
        .connect()
        .await
        .query(sql, &[])
        .await
        .expect("slots and publications");
    rows.iter().map(|r| r.get(0)).collect()
}

/// `0/16B3748` as a number.
#[track_caller]
pub fn lsn(text: &str) -> u64 {
    let halves = text.split_once('/').map(|(high, low)| {
        let half = |digits: &str| u64::from_str_radix(digits, 16).ok();
        Some((half(high)? << 32) | half(low)?)
    });
    halves.flatten().unwrap_or_else(|| panic!("not a position: {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_numbers() {
        assert_eq!(lsn("0/16B3748"), 0x16B_3748);
        assert!(lsn("1/0") > lsn("0/FFFFFFFF"));
        assert!(lsn("A/1") > lsn("9/FFFFFFFF"));
    }
}
