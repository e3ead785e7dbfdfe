//! `godwit verify`: the documents of a destination against the rows of a source, in this process.

use super::ask::Api;
use super::exit::{Exit, Failure, word};
use super::migrate::Level;
use super::output::{Output, count};
use super::project_file;
use super::secrets;
use super::standalone::Standalone;
use crate::config::{SourceArgs, StateArgs, TargetArgs};
use chrono::Utc;
use clap::Args;
use godwit_shared::verification::{Finding, SignedReport, Verification, VerificationOptions, VerificationStatus};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

pub const EXAMPLES: &str = "Examples:
  godwit verify shop.relmig --source postgresql://reader@db/shop --target mongodb://mongo/shop
  godwit verify shop.relmig --level sample --sample-percent 5 --report report.json

Exit code 5: there are differences. A report can be checked later with `godwit check-report`.";

const LOOK_EVERY: Duration = Duration::from_millis(250);

#[derive(Args)]
pub struct Verify {
    /// The project: a .relmig file, or the same as text (.yaml); - is standard input
    file: PathBuf,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    state: StateArgs,
    /// How much is compared
    #[arg(long, value_enum, default_value = "full")]
    level: Level,
    /// Of the root rows, in percent; for the level sample
    #[arg(long, value_name = "PERCENT")]
    sample_percent: Option<f64>,
    /// Only these collections, by name
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    include: Vec<String>,
    /// Documents that no row gives are no difference: the collections hold those of others
    #[arg(long)]
    ignore_unexpected: bool,
    /// Read at most so many rows in a second
    #[arg(long, value_name = "N")]
    max_rows_per_second: Option<u64>,
    /// Write the signed report into this file (JSON)
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub async fn run(asked: Verify, output: &Output) -> Result<Exit, Failure> {
    let file = project_file::read(&asked.file)?;
    let (source, target) = (secrets::source(&asked.source)?, secrets::target(&asked.target)?);
    let standalone = Standalone::open(&asked.state, &asked.file, &target).await?;
    let started = async {
        let project = standalone.put(&file).await?;
        let options = VerificationOptions {
            level: asked.level.into(),
            sample_percent: asked.sample_percent,
            included_collections: asked.include.clone(),
            max_rows_per_second: asked.max_rows_per_second,
            ignore_unexpected: asked.ignore_unexpected,
            ..VerificationOptions::default()
        };
        let body = json!({
            "projectId": project, "jdbcConnectionDetails": source, "mongodbConnectionDetails": target, "options": options,
        });
        let started: Verification = standalone.api.post("/verifications", &body).await?;
        output.json(&json!({"event": "started", "at": Utc::now(), "verification": started.id}));
        watch(&standalone.api, &started.id, output).await
    };
    let ended = tokio::select! {
        biased;
        done = Box::pin(started) => done,
        _ = tokio::signal::ctrl_c() => {
            cancel(&standalone.api).await;
            Err(Failure::new(Exit::Interrupted, "interrupted", "stopped before everything was compared"))
        }
    };
    let done = match ended {
        Ok(verification) => Box::pin(tell(&standalone.api, &verification, asked.report, output)).await,
        Err(failure) => Err(failure),
    };
    standalone.close().await;
    done
}

/// Nothing of it goes on when the state is opened the next time.
async fn cancel(api: &Api) {
    let all: Result<Vec<Verification>, Failure> = api.get("/verifications").await;
    for verification in all.into_iter().flatten().filter(|v| !v.status.is_ended()) {
        let _ = api
            .order::<Value>(&format!("/verifications/{}/cancel", verification.id))
            .await;
    }
}

async fn watch(api: &Api, id: &str, output: &Output) -> Result<Verification, Failure> {
    let mut told = 0;
    loop {
        let verification: Verification = api.get(&format!("/verifications/{id}")).await?;
        let compared: u64 = verification.collections.iter().map(|c| c.compared).sum();
        if compared != told {
            told = compared;
            output.json(&json!({"event": "progress", "at": Utc::now(), "compared": compared, "findings": verification.findings}));
        }
        if verification.status.is_ended() {
            return Ok(verification);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn tell(
    api: &Api,
    verification: &Verification,
    report: Option<PathBuf>,
    output: &Output,
) -> Result<Exit, Failure> {
    let id = &verification.id;
    let exit = match verification.status {
        VerificationStatus::Verified | VerificationStatus::VerifiedWithExceptions => Exit::Done,
        VerificationStatus::Failed => Exit::Different,
        VerificationStatus::Cancelled => Exit::Cancelled,
        VerificationStatus::Aborted | VerificationStatus::Verifying | VerificationStatus::Cancelling => Exit::Failed,
    };
    let findings: Vec<Finding> = api.get(&format!("/verifications/{id}/findings?limit=100")).await?;
    for finding in &findings {
        output.json(&json!({"event": "finding", "finding": finding}));
        output.text(format!(
            "{}: {} {} {}",
            finding.collection,
            word(&finding.kind).to_lowercase().replace('_', " "),
            finding.key,
            finding.path.as_deref().unwrap_or_default()
        ));
    }
    let rows: Vec<Vec<String>> = (verification.collections.iter())
        .map(|c| vec![c.collection.clone(), count(c.compared), count(c.different)])
        .collect();
    output.table(&["collection", "compared", "different"], &rows);
    output.text(format!(
        "{}: {} findings",
        word(&verification.status).to_lowercase().replace('_', " "),
        verification.findings
    ));
    output.json(&json!({"event": "ended", "at": Utc::now(), "exitCode": exit.code(), "verification": verification}));
    if let Some(file) = report {
        let signed: SignedReport = api.get(&format!("/verifications/{id}/report")).await?;
        let text = serde_json::to_string_pretty(&signed).map_err(|e| Failure::usage(e.to_string()))?;
        project_file::write(&file, &text, true)?;
        output.note(format!("The signed report is {}.", file.display()));
    }
    Ok(exit)
}
