//! The shortest way from rows to documents: a schema, a mapping, a job that must complete.

use crate::api::{Job, LONG};
use crate::app::App;
use crate::mapping::project_file;
use crate::servers::{Database, Target, servers};
use godwit_shared::job::{JobStatus, MigrationJobStatus};
use serde_json::Value;

/// A source, a destination and the project between them, in a server of their own.
pub struct Migration {
    pub app: App,
    pub source: Database,
    pub target: Target,
    pub project: String,
}

impl Migration {
    /// A fresh database with these statements run in it, and a project from this specification (see [`crate::mapping`]).
    pub async fn new(sql: &str, spec: Value) -> Migration {
        let source = servers().await.postgres.database("source", sql).await;
        Migration::of(source, spec).await
    }

    /// The same for a database that is there already.
    pub async fn of(source: Database, spec: Value) -> Migration {
        let target = servers().await.mongo.target("target").await;
        Migration::between(source, target, spec).await
    }

    /// The same with a destination of its own.
    pub async fn between(source: Database, target: Target, spec: Value) -> Migration {
        let (app, client) = tokio::join!(App::start(), source.connect());
        let file = project_file(&client, &spec).await;
        let project = app.api().import_project(&file).await;
        Migration {
            app,
            source,
            target,
            project,
        }
    }

    /// A snapshot job of the project that drops first.
    pub fn job(&self) -> Job {
        Job::new(&self.project, &self.source, &self.target)
    }

    /// Runs a job to its end, however it ends.
    pub async fn run(&self, job: &Job) -> MigrationJobStatus {
        let api = self.app.api();
        let id = api.start_job(job).await;
        api.wait_ended(&id, LONG).await
    }

    /// Runs a snapshot that must complete without errors.
    pub async fn complete(&self) -> MigrationJobStatus {
        let job = self.run(&self.job()).await;
        assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
        assert_eq!(job.statistics.errors, 0, "{:#?}", job.job_updates);
        job
    }

    /// Compares a collection of the destination with what it must hold.
    pub async fn expect(&self, collection: &str, expected: &[bson::Document]) {
        crate::docs::expect(&self.target.database, collection, expected).await;
    }
}
