//! `godwit migrate`: one job in this process.

use super::exit::{Exit, Failure};
use super::output::Output;
use super::project_file;
use super::secrets;
use super::standalone::Standalone;
use super::watch::{Awaited, exit_of, is_waiting, watch};
use crate::config::{SourceArgs, StateArgs, TargetArgs};
use crate::store::JobHead;
use chrono::Utc;
use clap::{Args, ValueEnum};
use godwit_shared::connection::{JdbcConnectionDetails, MongodbConnectionDetails};
use godwit_shared::ids::{JobId, ProjectId};
use godwit_shared::job::{
    CollectionFilters, ErrorHandling, JobOptions, MigrationJobStatus, MigrationMode, PostMigrationJobRequest,
    VerificationRequest,
};
use godwit_shared::relmig::ProjectFile;
use godwit_shared::verification::VerificationLevel;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

pub const EXAMPLES: &str = "Examples:
  godwit migrate shop.relmig --source postgresql://reader@db/shop --target mongodb://mongo/shop
  godwit migrate shop.relmig --resume                      after Ctrl-C, a crash or a power cut
  godwit migrate shop.yaml --source sqlite:shop.db --target mongodb://mongo/shop --drop --verify
  godwit migrate shop.relmig --continuous --until-caught-up --output json | tee run.jsonl

Ctrl-C stops cleanly, and --resume goes on from there; a second one leaves at once. SIGUSR1 completes a continuous job.
The state of the run lies in a folder beside the project (shop.godwit), which --resume needs. Delete it when you are done. Exit codes: godwit --help.";

#[derive(Args)]
pub struct Migrate {
    /// The project: a .relmig file, or the same as text (.yaml); - is standard input
    pub file: PathBuf,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    job: JobArgs,
    /// Go on with the run that was interrupted; where there is none, start one
    #[arg(long, conflicts_with = "restart")]
    resume: bool,
    /// End the run that was interrupted, and start anew. What it has written stays, unless --drop says otherwise
    #[arg(long)]
    restart: bool,
    /// Complete a continuous job as soon as everything that was committed is applied
    #[arg(long)]
    until_caught_up: bool,
}

/// How much of the documents is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// How many documents there are
    Counts,
    /// Whole documents of some rows
    Sample,
    /// All documents, in both directions
    Full,
}

impl From<Level> for VerificationLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Counts => VerificationLevel::Counts,
            Level::Sample => VerificationLevel::Sample,
            Level::Full => VerificationLevel::Full,
        }
    }
}

/// What a job does, here or in a server.
#[derive(Args)]
pub struct JobArgs {
    /// Follow the changes of the source after the snapshot, until the job is completed
    #[arg(long)]
    continuous: bool,
    /// Drop the collections that the job writes before it starts
    #[arg(long)]
    drop: bool,
    /// Only these collections, by name
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    include: Vec<String>,
    /// Not these collections, by name
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    exclude: Vec<String>,
    /// Fail at so many rows that cannot be migrated; 0 and 1: at the first
    #[arg(long, value_name = "N", default_value_t = 100)]
    errors: u64,
    /// Never fail because of rows that cannot be migrated
    #[arg(long)]
    no_error_limit: bool,
    /// Let a continuous job set the replica identities that it needs, and restore them at its end
    #[arg(long)]
    prepare_source: bool,
    /// Compare source and destination after the snapshot: everything, or as much as is said
    #[arg(long, value_name = "LEVEL", num_args = 0..=1, default_missing_value = "full", require_equals = true)]
    verify: Option<Level>,
    /// What to call the job
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl JobArgs {
    /// The body that starts the job.
    pub fn request(
        &self,
        project: ProjectId,
        source: JdbcConnectionDetails,
        target: MongodbConnectionDetails,
    ) -> PostMigrationJobRequest {
        PostMigrationJobRequest {
            project_id: project,
            jdbc_connection_details: source,
            mongodb_connection_details: target,
            options: JobOptions {
                mode: self.mode(),
                drop_collections: self.drop,
                error_handling: ErrorHandling::Fail,
                error_tolerance: (!self.no_error_limit).then_some(self.errors),
                prepare_source: self.prepare_source,
            },
            verification: VerificationRequest {
                enabled: self.verify.is_some(),
                level: self.verify.map(Into::into),
                ..VerificationRequest::default()
            },
            relational_table_filters: Default::default(),
            collection_filters: CollectionFilters {
                include: self.include.clone(),
                exclude: self.exclude.clone(),
            },
            name: self.name.clone(),
            note: None,
        }
    }

    /// Whether collections are dropped first.
    pub fn drops(&self) -> bool {
        self.drop
    }

    /// Whether the job may prepare the source.
    pub fn prepares(&self) -> bool {
        self.prepare_source
    }

    /// Whether it is a continuous one or a snapshot.
    pub fn mode(&self) -> MigrationMode {
        match self.continuous {
            true => MigrationMode::Cdc,
            false => MigrationMode::Snapshot,
        }
    }
}

pub async fn run(asked: Migrate, output: &Output) -> Result<Exit, Failure> {
    // From here on: what is asked while the state is opened counts.
    let mut signals = Signals::new()?;
    let file = project_file::read(&asked.file)?;
    // A run that goes on has its connections; only its state may need the destination.
    let target = match asked.resume && asked.target.target.is_none() {
        true => MongodbConnectionDetails::default(),
        false => secrets::target(&asked.target)?,
    };
    if !asked.resume {
        secrets::source(&asked.source)?;
    }
    let standalone = Standalone::open(&asked.state, &asked.file, &target).await?;
    let completion = AtomicBool::new(false);
    let ended = tokio::select! {
        biased;
        done = Box::pin(migrate((&asked, &completion), &file, target, &standalone, output)) => Some(done),
        () = signals.end(&completion, output) => None,
    };
    let folder = standalone.folder.clone();
    match ended {
        Some(done) => {
            standalone.close().await;
            done
        }
        None => {
            leave_at_the_next(signals);
            standalone.close().await;
            Err(
                Failure::new(Exit::Interrupted, "interrupted", "stopped before the job was done")
                    .with_hint(format!("--resume goes on. Its state lies in {}.", folder.display())),
            )
        }
    }
}

async fn migrate(
    (asked, completion): (&Migrate, &AtomicBool),
    file: &ProjectFile,
    target: MongodbConnectionDetails,
    standalone: &Standalone,
    output: &Output,
) -> Result<Exit, Failure> {
    let unfinished = standalone.engine.store.unfinished_jobs().await?;
    let own: Vec<&JobHead> = unfinished
        .iter()
        .filter(|job| job.owner == *standalone.engine.owner())
        .collect();
    if let Some(job) = own.first()
        && !asked.resume
        && !asked.restart
    {
        return Err(Failure::new(
            Exit::Conflict,
            "unfinished",
            format!(
                "the run that began at {} has not ended",
                job.status.submitted_at.format("%Y-%m-%d %H:%M UTC")
            ),
        )
        .with_hint("--resume goes on with it, --restart ends it and starts anew."));
    }
    for job in &own {
        // A job that goes on may read the files that its connections name.
        if let Some(record) = standalone.engine.store.job(&job.status.id).await?
            && let Ok(stored) = &record.secrets
        {
            secrets::allow(&stored.request.jdbc_connection_details)?;
        }
    }
    standalone.engine.go_on().await?;
    let api = &standalone.api;
    if asked.restart {
        for job in &own {
            end(standalone, &job.status.id).await?;
        }
    }
    let id = match own.first().filter(|_| asked.resume) {
        Some(job) => {
            let id = job.status.id.clone();
            output.json(&json!({"event": "resumed", "at": Utc::now(), "job": id, "project": job.status.project_name}));
            output.note(format!(
                "The run that began at {} goes on.",
                job.status.submitted_at.format("%Y-%m-%d %H:%M UTC")
            ));
            let now: MigrationJobStatus = api.get(&format!("/jobs/{id}")).await?;
            if is_waiting(&now) {
                api.order::<Value>(&format!("/jobs/{id}/resume")).await?;
            }
            id
        }
        None => {
            let source = secrets::source(&asked.source)?;
            if target.connection_string.is_empty() {
                secrets::target(&asked.target)?;
            }
            let project = standalone.put(file).await?;
            let request = asked.job.request(project, source, target);
            let job: MigrationJobStatus = api.post("/jobs", &request).await?;
            output.json(&json!({
                "event": "started", "at": Utc::now(), "job": job.id, "project": job.project_name,
                "source": job.jdbc_connection_string, "target": job.mongo_db_connection_string, "options": job.options,
                "state": standalone.folder,
            }));
            output.note(format!(
                "{} → {}",
                job.jdbc_connection_string, job.mongo_db_connection_string
            ));
            job.id
        }
    };
    let awaited = Awaited {
        leaves_waiting: true,
        completes: asked.until_caught_up,
        is_completion_asked: Some(completion),
    };
    let job = watch(api, id.as_str(), awaited, output).await?;
    Ok(exit_of(&job))
}

/// Ends a job of an earlier run, whatever it stands at.
async fn end(standalone: &Standalone, id: &JobId) -> Result<(), Failure> {
    let path = format!("/jobs/{id}");
    standalone
        .api
        .order::<Value>(&format!("{path}/stop?abandon=true"))
        .await?;
    loop {
        let job: MigrationJobStatus = standalone.api.get(&path).await?;
        if job.status.is_ended() {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    complete: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(|e| Failure::new(Exit::Failed, "signals", e.to_string()));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            complete: listen(SignalKind::user_defined1())?,
        })
    }

    /// Waits until the end is asked for. Completion is asked for by SIGUSR1, and waited for.
    async fn end(&mut self, completion: &AtomicBool, output: &Output) {
        loop {
            tokio::select! {
                biased;
                _ = self.interrupt.recv() => break,
                _ = self.terminate.recv() => break,
                _ = self.complete.recv() => completion.store(true, Ordering::Relaxed),
            }
        }
        output.note("Stopping. Ctrl-C again leaves at once.");
    }
}

/// A second Ctrl-C does not wait for what is stored.
#[cfg(unix)]
fn leave_at_the_next(mut signals: Signals) {
    tokio::spawn(async move {
        tokio::select! {
            _ = signals.interrupt.recv() => {}
            _ = signals.terminate.recv() => {}
        }
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Result<Self, Failure> {
        Ok(Self)
    }

    async fn end(&mut self, _: &AtomicBool, _: &Output) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

#[cfg(not(unix))]
fn leave_at_the_next(_: Signals) {}
