//! A job as it goes on: bars for a person, events as JSON Lines for a program. The newest status is asked for again and
//! again, of a server or of this process; one that nobody has asked for in between is not missed.

use super::ask::{Api, encoded};
use super::exit::{Exit, Failure, word};
use super::output::{Output, bytes, count, duration, plain};
use chrono::Utc;
use godwit_shared::job::{CdcStatus, EventType, JobOutcome, JobStatus, JobUpdate, MigrationJobStatus, MigrationMode};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often the status is asked for.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A server is asked less often than this process.
const LOOK_EVERY_REMOTE: Duration = Duration::from_millis(500);
/// How often a program is told of progress.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// Tables that have a bar of their own at the same time.
const BARS_MAX: usize = 12;
/// A server that does not answer for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// What is awaited.
#[derive(Debug, Clone, Copy, Default)]
pub struct Awaited<'a> {
    /// A job that waits for its user ends the watching.
    pub leaves_waiting: bool,
    /// A continuous job is completed as soon as it is ready for cut-over.
    pub completes: bool,
    /// A continuous job is completed as soon as this is true and it follows changes.
    pub is_completion_asked: Option<&'a AtomicBool>,
}

/// Watches a job until it has ended.
///
/// # Errors
/// When there is no such job, or nobody answers any more.
pub async fn watch(api: &Api, id: &str, awaited: Awaited<'_>, output: &Output) -> Result<MigrationJobStatus, Failure> {
    let path = format!("/jobs/{}", encoded(id));
    let mut teller = Teller::new(output);
    let every = match api {
        Api::Remote(_) => LOOK_EVERY_REMOTE,
        Api::InProcess(_) => LOOK_EVERY,
    };
    let (mut heard, mut has_asked) = (Instant::now(), false);
    loop {
        let job: MigrationJobStatus = match api.get(&path).await {
            Ok(job) => job,
            Err(failure) if failure.exit == Exit::Unreachable && heard.elapsed() < SILENCE_MAX => {
                tokio::time::sleep(every).await;
                continue;
            }
            Err(failure) => return Err(failure),
        };
        heard = Instant::now();
        teller.tell(&job);
        let waits = awaited.leaves_waiting && is_waiting(&job);
        if job.status.is_ended() || waits {
            teller.end(&job);
            return Ok(job);
        }
        let is_ready = (job.cdc_statistics.as_ref()).is_some_and(|s| s.is_ready_for_cutover || has_caught_up(s));
        let is_asked = awaited
            .is_completion_asked
            .is_some_and(|asked| asked.load(Ordering::Relaxed));
        let is_due = is_asked || (awaited.completes && is_ready);
        if is_due && !has_asked && job.cdc_status == CdcStatus::Running {
            has_asked = true;
            api.order::<Value>(&format!("{path}/stop")).await?;
        }
        tokio::time::sleep(every).await;
    }
}

/// Everything that was committed when it was last looked is applied.
fn has_caught_up(statistics: &godwit_shared::job::CdcStatistics) -> bool {
    let is_level = statistics.applied_until.is_some() && statistics.lag_ms == 0;
    is_level && !statistics.is_lag_unknown && statistics.notice.is_none()
}

/// Whether it does nothing until somebody lets it go on.
pub fn is_waiting(job: &MigrationJobStatus) -> bool {
    let is_paused = job.status == JobStatus::Paused || job.cdc_status == CdcStatus::Paused;
    (is_paused || job.stand_still.is_some()) && !job.status.is_ended() && job.end.is_none()
}

/// What the process ends with for a job.
pub fn exit_of(job: &MigrationJobStatus) -> Exit {
    match job.outcome() {
        Some(JobOutcome::Completed) => match job.metadata.verification_status.as_deref() {
            Some("FAILED") => Exit::Different,
            Some("ABORTED" | "CANCELLED") => Exit::Failed,
            _ => Exit::Done,
        },
        Some(JobOutcome::Failed) => match &job.failure_error {
            Some(failure) => Failure::of_job(failure).exit,
            None => Exit::Failed,
        },
        Some(JobOutcome::Cancelled) => Exit::Cancelled,
        None => Exit::Waiting,
    }
}

/// The figures of a job that programs read.
fn figures(job: &MigrationJobStatus) -> Value {
    let s = &job.statistics;
    let mut figures = json!({
        "rowsRead": s.total_events_seen, "rowsEstimated": s.total_events, "documentsWritten": s.documents_written,
        "bytesWritten": s.bytes_written, "errors": s.errors, "warnings": s.warnings, "percent": s.percent,
        "rowsPerSecond": s.rows_per_second, "elapsedSeconds": s.elapsed_seconds, "tablesDone": s.migrated_tables.len(),
        "tables": s.total_table_count,
    });
    if let Some(seconds) = s.estimated_seconds_remaining {
        figures["secondsRemaining"] = json!(seconds);
    }
    if let Some(cdc) = &job.cdc_statistics {
        figures["changes"] = json!({
            "seen": cdc.total_events_seen, "lagMs": cdc.lag_ms, "isReadyForCutover": cdc.is_ready_for_cutover,
            "position": cdc.position,
        });
    }
    figures
}

/// Says what has changed since the status before.
struct Teller<'o> {
    output: &'o Output,
    bars: Option<Bars>,
    told: HashMap<String, u64>,
    statuses: (Option<JobStatus>, Option<CdcStatus>),
    told_at: Option<Instant>,
    figures: Value,
    waits_for: String,
}

impl<'o> Teller<'o> {
    fn new(output: &'o Output) -> Self {
        Self {
            output,
            bars: (!output.is_json()).then(Bars::new),
            told: HashMap::new(),
            statuses: (None, None),
            told_at: None,
            figures: Value::Null,
            waits_for: String::new(),
        }
    }

    fn tell(&mut self, job: &MigrationJobStatus) {
        let statuses = (Some(job.status), Some(job.cdc_status));
        if self.statuses != statuses {
            self.statuses = statuses;
            self.output.json(&json!({
                "event": "status", "at": Utc::now(), "job": job.id, "status": job.status, "cdcStatus": job.cdc_status,
            }));
            let changes = match job.cdc_status {
                CdcStatus::NotStarted => String::new(),
                other => format!(", changes {}", word(&other).to_lowercase()),
            };
            self.say(&format!(
                "{}{changes}",
                word(&job.status).to_lowercase().replace('_', " ")
            ));
        }
        for update in &job.job_updates {
            self.tell_update(update);
        }
        let notice = notice_of(job);
        if notice != self.waits_for {
            if !notice.is_empty() {
                self.say(&notice);
                self.output
                    .json(&json!({"event": "notice", "at": Utc::now(), "message": notice}));
            }
            self.waits_for = notice;
        }
        let is_due = self.told_at.is_none_or(|at| at.elapsed() >= TELL_EVERY);
        let figures = figures(job);
        if is_due && figures != self.figures {
            self.told_at = Some(Instant::now());
            let mut event = json!({"event": "progress", "at": Utc::now(), "job": job.id});
            merge(&mut event, &figures);
            self.output.json(&event);
            self.figures = figures;
        }
        if let Some(bars) = &mut self.bars {
            bars.show(job);
        }
    }

    /// A group of the log is told when it comes, and again when it has grown tenfold: a million equal errors are seven lines.
    fn tell_update(&mut self, update: &JobUpdate) {
        let group = format!(
            "{:?} {} {} {} {}",
            update.event_type,
            update.error_code,
            update.location_name.as_deref().unwrap_or_default(),
            update.field_name.as_deref().unwrap_or_default(),
            update.message,
        );
        let told = self.told.get(&group).copied();
        if told.is_some_and(|count| update.count < count.saturating_mul(10)) {
            return;
        }
        self.told.insert(group, update.count);
        let mut event = json!({"event": "log"});
        if let Ok(members) = serde_json::to_value(update) {
            merge(&mut event, &members);
        }
        self.output.json(&event);
        let kind = match update.event_type {
            EventType::Error => "error: ",
            EventType::Warning => "warning: ",
            EventType::Info => "",
        };
        let place: Vec<&str> = [&update.location_name, &update.field_name]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let place = if place.is_empty() {
            String::new()
        } else {
            format!("{}: ", place.join("."))
        };
        let times = if update.count > 1 {
            format!(" ({} times)", count(update.count))
        } else {
            String::new()
        };
        self.say(&format!("{kind}{place}{}{times}", update.message));
    }

    fn say(&self, text: &str) {
        if let Some(bars) = &self.bars {
            bars.say(text);
        }
    }

    fn end(mut self, job: &MigrationJobStatus) {
        if let Some(bars) = self.bars.take() {
            bars.clear();
        }
        let exit = exit_of(job);
        let mut event = json!({
            "event": "ended", "at": Utc::now(), "job": job.id, "status": job.status, "cdcStatus": job.cdc_status,
            "exitCode": exit.code(),
        });
        merge(&mut event, &figures(job));
        event["collections"] = json!(job.statistics.collections);
        for (name, value) in [
            ("failure", json!(job.failure_error)),
            ("standStill", json!(job.stand_still)),
            ("verification", json!(job.metadata.verification_status)),
            ("left", json!(job.end.as_ref().map(|end| &end.left))),
        ] {
            if !value.is_null() {
                event[name] = value;
            }
        }
        self.output.json(&event);
        self.output.text(summary(job));
    }
}

fn merge(into: &mut Value, members: &Value) {
    if let (Some(into), Some(members)) = (into.as_object_mut(), members.as_object()) {
        into.extend(members.clone());
    }
}

/// Why nothing moves, if nothing does.
fn notice_of(job: &MigrationJobStatus) -> String {
    let of_changes = job.cdc_statistics.as_ref().and_then(|s| s.notice.clone());
    let still = job
        .stand_still
        .as_ref()
        .map(|s| format!("the job stands still: {}", s.reason));
    still
        .or_else(|| job.statistics.notice.clone())
        .or(of_changes)
        .unwrap_or_default()
}

fn summary(job: &MigrationJobStatus) -> String {
    let s = &job.statistics;
    let mode = match job.options.mode {
        MigrationMode::Snapshot => "Snapshot",
        MigrationMode::Cdc | MigrationMode::CdcOnly => "Continuous job",
    };
    let mut text = format!(
        "{mode} {}: {} rows read, {} documents ({}) written in {}, {} errors, {} warnings.",
        word(&job.status).to_lowercase().replace('_', " "),
        count(s.total_events_seen),
        count(s.documents_written),
        bytes(s.bytes_written),
        duration(s.elapsed_seconds),
        count(s.errors),
        count(s.warnings),
    );
    if let Some(cdc) = &job.cdc_statistics {
        text.push_str(&format!(" {} changes applied.", count(cdc.total_events_seen)));
    }
    if let Some(verification) = &job.metadata.verification_status {
        text.push_str(&format!(
            " Verification: {}.",
            verification.to_lowercase().replace('_', " ")
        ));
    }
    if let Some(failure) = &job.failure_error {
        text.push_str(&format!("\nFailed: {}.", failure.message.trim_end_matches('.')));
    }
    for left in job.end.iter().flat_map(|end| &end.left) {
        text.push_str(&format!(
            "\nLeft in the source: {} ({}). Remove it: {}",
            left.object, left.reason, left.statement
        ));
    }
    text
}

/// What a person sees.
struct Bars {
    all: MultiProgress,
    whole: ProgressBar,
    changes: Option<ProgressBar>,
    tables: HashMap<String, ProgressBar>,
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ")
}

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::new();
        let whole = all.add(ProgressBar::new(0));
        whole.set_style(style("{prefix:28} [{bar:30}] {percent:>3}% {msg}"));
        whole.set_prefix("all tables");
        Self {
            all,
            whole,
            changes: None,
            tables: HashMap::new(),
        }
    }

    fn show(&mut self, job: &MigrationJobStatus) {
        let s = &job.statistics;
        if s.snapshot_completed {
            for (_, bar) in self.tables.drain() {
                bar.finish_and_clear();
            }
        } else {
            for table in &s.tables {
                let is_at_work = table.rows_read > 0 && !table.is_complete;
                if !is_at_work {
                    if let Some(bar) = self.tables.remove(&table.table) {
                        bar.finish_and_clear();
                    }
                    continue;
                }
                if !self.tables.contains_key(&table.table) && self.tables.len() < BARS_MAX {
                    let bar = self.all.insert_before(&self.whole, ProgressBar::new(0));
                    bar.set_style(style("{prefix:28} [{bar:30}] {percent:>3}% {pos} of {len} rows"));
                    bar.set_prefix(table.table.chars().take(28).collect::<String>());
                    self.tables.insert(table.table.clone(), bar);
                }
                if let Some(bar) = self.tables.get(&table.table) {
                    bar.set_length(table.rows_in_scope.unwrap_or(table.rows_estimated).max(table.rows_read));
                    bar.set_position(table.rows_read);
                }
            }
        }
        self.whole.set_length(1_000);
        self.whole.set_position((s.percent * 10.0) as u64);
        let left = s
            .estimated_seconds_remaining
            .map(|left| format!(", {} left", duration(left as u64)));
        self.whole.set_message(format!(
            "{} documents, {} rows/s{}",
            count(s.documents_written),
            count(s.rows_per_second as u64),
            left.unwrap_or_default()
        ));
        if let Some(cdc) = &job.cdc_statistics {
            let bar = self.changes.get_or_insert_with(|| {
                let bar = self.all.add(ProgressBar::new_spinner());
                bar.set_style(style("{prefix:28} {msg}"));
                bar.set_prefix("changes");
                bar
            });
            bar.set_message(format!(
                "{} applied, {}/s, lag {} ms{}",
                count(cdc.total_events_seen),
                count(cdc.events_per_second as u64),
                count(cdc.lag_ms),
                if cdc.is_ready_for_cutover {
                    ", ready for cut-over"
                } else {
                    ""
                }
            ));
        }
    }

    /// A line above the bars.
    fn say(&self, text: &str) {
        let text = plain(text);
        match self.all.is_hidden() {
            // Standard error is no terminal.
            true => drop(writeln!(std::io::stderr(), "{text}")),
            false => drop(self.all.println(text)),
        }
    }

    fn clear(&self) {
        let _ = self.all.clear();
    }
}
