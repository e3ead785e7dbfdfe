//! A continuous job that follows a copy of the tables.

use crate::bed::{Bed, copy_of, drop_copy};
use crate::plans::Plan;
use godwit_shared::job::{CdcStatus, MigrationJobStatus};
use godwit_tests::api::{Api, Job};
use godwit_tests::app::App;
use godwit_tests::continuous::lsn;
use godwit_tests::mapping::project_file;
use godwit_tests::servers::{Database, Target};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio_postgres::Client;

/// Nothing here takes so long, however busy the machine is.
const LONGEST: Duration = Duration::from_secs(3_600);
/// How often the job is looked at while it is waited for: often enough for times of seconds, and little work.
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub struct Following {
    pub app: App,
    pub source: Database,
    pub target: Target,
    /// The project, as it was imported.
    pub project: Value,
    pub sql: Client,
    api: Api,
    id: String,
}

impl Following {
    /// Starts the job and waits until it is streaming.
    pub async fn start(bed: &Bed, base: &Database, plan: &Plan, name: &str) -> Following {
        let source = copy_of(base, name).await;
        let target = bed.target(name).await;
        let app = bed.app(name).await;
        let (api, sql) = (app.api(), source.connect().await);
        let project = project_file(&sql, &plan.project()).await;
        let project_id = api.import_project(&project).await;
        let job = Job::new(&project_id, &source, &target)
            .with("/options/mode", json!("CDC"))
            .with("/options/prepareSource", json!(true));
        let id = api.start_job(&job).await;
        let following = Following {
            app,
            source,
            target,
            project,
            sql,
            api,
            id,
        };
        following
            .wait("streaming", |job| job.cdc_status == CdcStatus::Running)
            .await;
        following
    }

    pub async fn job(&self) -> MigrationJobStatus {
        self.api.job(&self.id).await
    }

    pub async fn run(&self, sql: &str) {
        if let Err(error) = self.sql.batch_execute(sql).await {
            panic!("SQL failed: {error:?}\n{sql}");
        }
    }

    pub async fn count(&self, sql: &str) -> u64 {
        let row = self.sql.query_one(sql, &[]).await;
        let count: i64 = row.unwrap_or_else(|e| panic!("SQL failed: {e:?}\n{sql}")).get(0);
        u64::try_from(count).expect("a count")
    }

    /// The end of the log as it is now.
    pub async fn log_end(&self) -> String {
        let row = self.sql.query_one("select pg_current_wal_flush_lsn()::text", &[]).await;
        row.expect("a position").get(0)
    }

    /// Waits until everything up to a position is in the destination.
    pub async fn applied(&self, end: &str) -> MigrationJobStatus {
        let what = format!("everything up to {end}");
        self.wait(&what, |job| {
            let position = job.cdc_statistics.as_ref().and_then(|s| s.position.as_deref());
            position.is_some_and(|p| lsn(p) >= lsn(end))
        })
        .await
    }

    pub async fn pause(&self) {
        self.api.act(&self.id, "pause").await.ok();
        self.wait("a pause", |job| job.cdc_status == CdcStatus::Paused).await;
    }

    /// Asks it to go on, and waits for nothing.
    pub async fn resume(&self) {
        self.api.act(&self.id, "resume").await.ok();
    }

    /// Ends the job and removes everything of it.
    pub async fn end(self) {
        self.api.act(&self.id, "stop?abandon=true").await.ok();
        self.api.wait_ended(&self.id, LONGEST).await;
        drop(self.app);
        drop(self.sql);
        self.target.database.drop().await.expect("the documents can be dropped");
        drop_copy(&self.source).await;
    }

    async fn wait(&self, what: &str, condition: impl Fn(&MigrationJobStatus) -> bool) -> MigrationJobStatus {
        let deadline = Instant::now() + LONGEST;
        loop {
            let job = self.job().await;
            if condition(&job) {
                return job;
            }
            assert!(!job.status.is_ended(), "the job has ended before {what}: {job:#?}");
            assert!(Instant::now() < deadline, "waited {LONGEST:?} for {what}: {job:#?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
