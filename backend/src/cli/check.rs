//! `godwit check`: everything that can be found wrong before a job starts. Nothing is written.

use super::exit::{Exit, Failure, word};
use super::migrate::JobArgs;
use super::output::Output;
use super::project_file::{self, project_id};
use super::secrets;
use crate::config::{SourceArgs, TargetArgs};
use crate::drafts;
use crate::jobs::prepare::{open_sink, preflight_report};
use crate::source::script::script;
use clap::Args;
use godwit_shared::consent::code_of;
use godwit_shared::preflight::CheckStatus;
use serde_json::json;
use std::path::PathBuf;

pub const EXAMPLES: &str = "Examples:
  godwit check shop.relmig --source postgresql://reader@db/shop --target mongodb://mongo/shop
  godwit check shop.relmig --source postgresql://reader@db/shop --continuous --script > prepare.sql

Exit code 3: something keeps a job from starting.";

#[derive(Args)]
pub struct Check {
    /// The project: a .relmig file, or the same as text (.yaml); - is standard input
    file: PathBuf,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    job: JobArgs,
    /// Print the SQL that gives the source what it lacks, and nothing else
    #[arg(long)]
    script: bool,
    /// Print the SQL and JavaScript that the project carries and a job would run
    #[arg(long)]
    code: bool,
}

pub async fn run(asked: Check, output: &Output) -> Result<Exit, Failure> {
    let file = project_file::read(&asked.file)?;
    if asked.code {
        for code in code_of(&file) {
            output.json(&json!({"event": "code", "code": code}));
            output.text(format!("{} ({:?}): {}", code.table, code.place, code.text));
        }
    }
    let source = secrets::source(&asked.source)?;
    let target = secrets::target_if_given(&asked.target)?;
    let id = project_id(&file);
    let request = asked
        .job
        .request(id.clone(), source.clone(), target.clone().unwrap_or_default());
    if asked.script {
        let report = preflight_report(&request, &file).await?;
        output.raw(&script(&report.checks));
        return Ok(if report.passed { Exit::Done } else { Exit::NotReady });
    }
    let mut exit = Exit::Done;
    let opened = drafts::open(&source, &file.project.kind).await?;
    let checked = drafts::check::check(&opened, &file, id.as_str(), None, &|_, _| true).await?;
    for fault in &checked.faults {
        exit = Exit::NotReady;
        output.json(&json!({"event": "fault", "message": fault.message, "place": fault.place, "row": fault.row}));
        output.text(format!("failed   mapping: {}", fault.message));
    }
    if checked.faults.is_empty() {
        output.json(&json!({"event": "mapping", "status": "PASSED", "expressionsRun": checked.expressions_run}));
        output.text(format!(
            "passed   mapping: {} expressions were tried",
            checked.expressions_run
        ));
        let report = preflight_report(&request, &file).await?;
        for check in &report.checks {
            let is_mended = asked.job.prepares() && check.can_be_prepared;
            if check.status == CheckStatus::Failed && !is_mended {
                exit = Exit::NotReady;
            }
            let mut event = json!({"event": "check"});
            if let (Some(into), Ok(members)) = (event.as_object_mut(), serde_json::to_value(check)) {
                into.extend(members.as_object().cloned().unwrap_or_default());
            }
            output.json(&event);
            let status = word(&check.status).to_lowercase();
            output.text(format!("{status:<8} {}: {}", check.title, check.message));
        }
    }
    if target.is_some() {
        let sink = open_sink(&request, &file).await?;
        let names: Vec<String> = file
            .project
            .content
            .collections
            .values()
            .map(|c| c.name.clone())
            .collect();
        match sink.check(&names, asked.job.drops()).await {
            Ok(()) => {
                output.json(&json!({"event": "target", "status": "PASSED"}));
                output.text("passed   destination: it can be written");
            }
            Err(error) => {
                let failure = Failure::from(error);
                exit = failure.exit;
                output.json(
                    &json!({"event": "target", "status": "FAILED", "message": failure.message, "hint": failure.hint}),
                );
                output.text(format!("failed   destination: {}", failure.message));
            }
        }
    }
    output.json(&json!({"event": "ended", "passed": exit == Exit::Done, "exitCode": exit.code()}));
    Ok(exit)
}
