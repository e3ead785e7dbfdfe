//! `godwit jobs`: jobs of a running server.

use super::ask::{Api, encoded};
use super::exit::{Exit, Failure, word};
use super::export::put;
use super::migrate::JobArgs;
use super::output::{Output, count};
use super::project_file;
use super::projects::find;
use super::remote::Remote;
use super::secrets;
use super::watch::{Awaited, exit_of, watch};
use crate::config::{ServerArgs, SourceArgs, TargetArgs};
use clap::{Args, Subcommand};
use godwit_shared::connection::{JdbcConnectionDetails, MongodbConnectionDetails};
use godwit_shared::ids::ConnectionId;
use godwit_shared::job::{CdcStatus, MigrationJobStatus, MigrationMode};
use hyper::Method;
use std::path::PathBuf;

pub const EXAMPLES: &str = "Examples:
  godwit jobs list --running
  godwit jobs start shop.relmig --source postgresql://reader@db/shop --target mongodb://mongo/shop --watch
  godwit jobs start Shop                                    a project of the server with its saved connections
  godwit jobs watch 4f0c… --output json
  godwit jobs complete 4f0c… --server https://godwit.example --token-file token

A job is named by its id, or by as much of it as is unique.";

#[derive(Args)]
pub struct Jobs {
    #[command(subcommand)]
    command: JobsCommand,
}

#[derive(Subcommand)]
enum JobsCommand {
    /// List jobs, newest first
    List {
        #[command(flatten)]
        server: ServerArgs,
        /// Only those that have not ended
        #[arg(long)]
        running: bool,
        /// Only those of this project
        #[arg(long, value_name = "PROJECT")]
        project: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u64,
    },
    /// Show a job
    Show(Named),
    /// Start a job of a project of the server, or of a file
    Start(Box<Start>),
    /// Stop a job: a snapshot is cancelled, what it has written stays; a continuous job is completed
    Stop {
        #[command(flatten)]
        named: Named,
        /// End a continuous job without applying what is left
        #[arg(long)]
        abandon: bool,
    },
    /// Let a job stand still
    Pause(Named),
    /// Let a job go on that is paused or stands still
    Resume(Named),
    /// Complete a continuous job: everything up to now is applied, then it ends
    Complete {
        #[command(flatten)]
        named: Named,
        /// Wait for its end
        #[arg(long)]
        watch: bool,
    },
    /// Watch a job until it has ended; the exit code says how
    Watch(Named),
    /// Print the log of a job
    Logs(Named),
}

#[derive(Args)]
struct Named {
    /// The job: its id, or as much of it as is unique
    job: String,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Args)]
struct Start {
    /// A project of the server, by id or name; or a file (.relmig, .yaml), which becomes one
    project: String,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    job: JobArgs,
    /// Watch it until it has ended
    #[arg(long)]
    watch: bool,
}

impl Named {
    async fn open(&self) -> Result<(Api, String), Failure> {
        let api = Api::Remote(Remote::of(&self.server)?);
        let all: Vec<MigrationJobStatus> = api.get("/jobs?limit=1000").await?;
        let exact = all.iter().find(|job| job.id.as_str() == self.job);
        let mut begun = all
            .iter()
            .filter(|job| !self.job.is_empty() && job.id.as_str().starts_with(&self.job));
        let found = match (exact, begun.next(), begun.next()) {
            (Some(job), _, _) | (None, Some(job), None) => job.id.to_string(),
            (None, Some(_), Some(_)) => {
                return Err(Failure::usage(format!("several jobs begin with {}", self.job)));
            }
            // There may be more jobs than were listed.
            (None, None, _) => self.job.clone(),
        };
        Ok((api, found))
    }
}

pub async fn run(asked: Jobs, output: &Output) -> Result<Exit, Failure> {
    match asked.command {
        JobsCommand::List {
            server,
            running,
            project,
            limit,
        } => {
            let api = Api::Remote(Remote::of(&server)?);
            let mut path = format!("/jobs?limit={}", limit.min(1_000));
            if running {
                path.push_str("&type=IN_PROGRESS");
            }
            if let Some(project) = project {
                path.push_str(&format!(
                    "&projectId={}",
                    encoded(find(&api, &project).await?.id.as_str())
                ));
            }
            list(&api.get::<Vec<MigrationJobStatus>>(&path).await?, output);
            Ok(Exit::Done)
        }
        JobsCommand::Show(named) => {
            let (api, id) = named.open().await?;
            show(&api.get(&job_path(&id, "")).await?, output);
            Ok(Exit::Done)
        }
        JobsCommand::Start(start) => Box::pin(begin(*start, output)).await,
        JobsCommand::Stop { named, abandon } => {
            order(&named, if abandon { "/stop?abandon=true" } else { "/stop" }, output).await
        }
        JobsCommand::Pause(named) => order(&named, "/pause", output).await,
        JobsCommand::Resume(named) => order(&named, "/resume", output).await,
        JobsCommand::Complete { named, watch: waits } => {
            let (api, id) = named.open().await?;
            let job: MigrationJobStatus = api.get(&job_path(&id, "")).await?;
            let follows = matches!(
                job.cdc_status,
                CdcStatus::Running | CdcStatus::Paused | CdcStatus::Completing
            );
            if job.options.mode == MigrationMode::Snapshot || !follows {
                return Err(
                    Failure::new(Exit::Conflict, "wrong_state", "the job follows no changes now")
                        .with_hint("`godwit jobs stop` would cancel it."),
                );
            }
            let job: MigrationJobStatus = api.order(&job_path(&id, "/stop")).await?;
            match waits {
                true => follow(&api, &id, output).await,
                false => {
                    show(&job, output);
                    Ok(Exit::Done)
                }
            }
        }
        JobsCommand::Watch(named) => {
            let (api, id) = named.open().await?;
            follow(&api, &id, output).await
        }
        JobsCommand::Logs(named) => {
            let (api, id) = named.open().await?;
            let lines = api.ask(Method::GET, &job_path(&id, "/logs"), None).await?;
            let lines = String::from_utf8_lossy(&lines);
            for line in lines.lines() {
                let update: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
                output.json(&update);
                let text = |name: &str| super::output::member(&update, name);
                output.text(format!(
                    "{}  {:<7}  {}  {} ({} times)",
                    text("/timestamp"),
                    text("/eventType").to_lowercase(),
                    text("/locationName"),
                    text("/message"),
                    text("/count")
                ));
            }
            Ok(Exit::Done)
        }
    }
}

fn job_path(id: &str, rest: &str) -> String {
    format!("/jobs/{}{rest}", encoded(id))
}

async fn order(named: &Named, what: &str, output: &Output) -> Result<Exit, Failure> {
    let (api, id) = named.open().await?;
    show(&api.order(&job_path(&id, what)).await?, output);
    Ok(Exit::Done)
}

async fn follow(api: &Api, id: &str, output: &Output) -> Result<Exit, Failure> {
    let watched = watch(api, id, Awaited::default(), output);
    tokio::select! {
        biased;
        job = Box::pin(watched) => Ok(exit_of(&job?)),
        _ = tokio::signal::ctrl_c() => {
            Err(Failure::new(Exit::Interrupted, "interrupted", "no longer watched: the job goes on in the server"))
        }
    }
}

/// A saved connection of the project, or what the arguments say.
async fn begin(start: Start, output: &Output) -> Result<Exit, Failure> {
    let api = Api::Remote(Remote::of(&start.server)?);
    let path = PathBuf::from(&start.project);
    let project = match path.is_file() {
        true => put(&api, &project_file::read(&path)?, false).await?,
        false => find(&api, &start.project).await?,
    };
    let missing = |what: &str, option: &str| {
        Failure::usage(format!("the project has no saved connection to a {what}")).with_hint(format!(
            "Name it with {option}, or choose one for the project in the page."
        ))
    };
    let source = match (&start.source.source, &project.jdbc_id) {
        (Some(_), _) => super::connections::of_server(&start.source)?,
        (None, Some(id)) => JdbcConnectionDetails {
            existing_connection_id: Some(ConnectionId::new(id)),
            ..JdbcConnectionDetails::default()
        },
        (None, None) => return Err(missing("source", "--source")),
    };
    let target = match (&start.target.target, &project.mongodb_id) {
        (Some(_), _) => secrets::target(&start.target)?,
        (None, Some(id)) => MongodbConnectionDetails {
            existing_connection_id: Some(ConnectionId::new(id)),
            ..MongodbConnectionDetails::default()
        },
        (None, None) => return Err(missing("destination", "--target")),
    };
    let job: MigrationJobStatus = api
        .post("/jobs", &start.job.request(project.id, source, target))
        .await?;
    match start.watch {
        true => follow(&api, job.id.as_str(), output).await,
        false => {
            show(&job, output);
            Ok(Exit::Done)
        }
    }
}

fn list(jobs: &[MigrationJobStatus], output: &Output) {
    jobs.iter().for_each(|job| output.json(job));
    let row = |job: &MigrationJobStatus| {
        vec![
            job.id.to_string(),
            job.project_name.clone(),
            word(&job.options.mode).to_lowercase(),
            word(&job.status).to_lowercase(),
            format!("{:.0} %", job.statistics.percent),
            count(job.statistics.documents_written),
            count(job.statistics.errors),
            job.submitted_at.format("%Y-%m-%d %H:%M UTC").to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = jobs.iter().map(row).collect();
    output.table(
        &[
            "id",
            "project",
            "mode",
            "status",
            "done",
            "documents",
            "errors",
            "started",
        ],
        &rows,
    );
}

fn show(job: &MigrationJobStatus, output: &Output) {
    output.json(job);
    let s = &job.statistics;
    let mut lines = vec![
        vec!["job".to_owned(), job.id.to_string()],
        vec!["project".into(), job.project_name.clone()],
        vec!["source".into(), job.jdbc_connection_string.clone()],
        vec!["destination".into(), job.mongo_db_connection_string.clone()],
        vec!["mode".into(), word(&job.options.mode).to_lowercase()],
        vec!["status".into(), word(&job.status).to_lowercase()],
        vec![
            "rows".into(),
            format!("{} of {}", count(s.total_events_seen), count(s.total_events)),
        ],
        vec!["documents".into(), count(s.documents_written)],
        vec![
            "errors, warnings".into(),
            format!("{}, {}", count(s.errors), count(s.warnings)),
        ],
    ];
    if let Some(cdc) = &job.cdc_statistics {
        let state = word(&job.cdc_status).to_lowercase();
        lines.push(vec![
            "changes".into(),
            format!(
                "{state}, {} applied, lag {} ms",
                count(cdc.total_events_seen),
                cdc.lag_ms
            ),
        ]);
    }
    if let Some(failure) = &job.failure_error {
        lines.push(vec!["failed".into(), failure.message.clone()]);
    }
    if let Some(still) = &job.stand_still {
        lines.push(vec!["stands still".into(), still.reason.clone()]);
    }
    for line in &lines {
        output.text(format!("{:<18}{}", line[0], line[1]));
    }
}
