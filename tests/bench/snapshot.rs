//! Snapshots of several plans, each in a fresh server process, against the limits of the same run.

use crate::bed::Bed;
use crate::machine::{self, Machine};
use crate::meter::{self, Cpu};
use crate::plans::{Plan, SNAPSHOTS};
use crate::settings::Settings;
use crate::{chart, data, limits, more, report};
use godwit_shared::job::{JobStatus, MigrationJobStatus};
use godwit_tests::api::{Api, Job};
use godwit_tests::mapping::project_file;
use godwit_tests::servers::{Database, Target};
use std::time::{Duration, SystemTime};

const SAMPLE_EVERY: Duration = Duration::from_millis(200);

/// How one job went.
#[derive(Clone)]
pub struct Run {
    pub status: MigrationJobStatus,
    /// From the request until the job has ended.
    pub seconds: f64,
    pub samples: Vec<Sample>,
    pub cpu: Cpu,
    /// The most memory of the server, MiB.
    pub rss_mib: u64,
    /// Of the machine, before the job.
    pub load: f64,
}

/// How one job went beside its limits.
#[derive(Clone)]
pub struct Outcome {
    pub plan: Plan,
    pub run: Run,
    /// Of BSON.
    pub bytes: u64,
    pub copied_bytes: u64,
    pub copy_seconds: f64,
    pub insert_seconds: f64,
}

/// How far a job has come.
#[derive(Clone, Copy)]
pub struct Sample {
    pub seconds: f64,
    pub rows: u64,
    pub bytes: u64,
}

impl Outcome {
    /// The time of the limits over the time of the job: 1 would be a job that does nothing but wait for both.
    pub fn ratio(&self) -> f64 {
        (self.copy_seconds + self.insert_seconds) / self.run.seconds
    }

    pub fn rows(&self) -> u64 {
        self.run.status.statistics.total_events_seen
    }

    pub fn documents(&self) -> u64 {
        self.run.status.statistics.documents_written
    }

    /// The line that scripts read.
    pub fn line(&self) -> String {
        format!(
            "bench {} ratio={:.2} rss_mb={}",
            self.plan.name,
            self.ratio(),
            self.run.rss_mib
        )
    }
}

/// Runs the chosen plans and writes what came out.
pub async fn run(settings: &Settings) {
    let machine = Machine::read();
    println!("{}", machine.line());
    let bed = Bed::start(&machine).await;
    let source = bed.postgres.database("tpch", "").await;
    let origin = data::load(&source, settings.scale).await;
    println!("{} at scale {}\n\n{}", origin.name(), settings.scale, report::HEAD);
    let mut outcomes = Vec::new();
    for plan in SNAPSHOTS.iter().filter(|p| settings.plans.iter().any(|n| n == p.name)) {
        let mut runs = Vec::new();
        for _ in 0..settings.runs {
            runs.push(measure(&bed, &source, plan).await);
        }
        runs.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
        let outcome = runs.swap_remove(runs.len() / 2);
        println!("{}", report::row(&outcome));
        outcomes.push(outcome);
    }
    let stem = machine.file_stem("snapshot");
    let figures = report::json(&machine, origin, settings.scale, &outcomes);
    let json = report::write(&settings.out, &format!("{stem}.json"), &format!("{figures:#}\n"));
    let svg = report::write(&settings.out, &format!("{stem}.svg"), &chart::throughput(&outcomes));
    println!("\n{}\n{}", json.display(), svg.display());
    let mut lines: Vec<String> = outcomes.iter().map(Outcome::line).collect();
    for part in more::PARTS.iter().filter(|p| settings.plans.iter().any(|n| n == *p)) {
        lines.push(more::run(part, &bed, &source, settings).await);
    }
    println!("\n{}", lines.join("\n"));
}

async fn measure(bed: &Bed, source: &Database, plan: &Plan) -> Outcome {
    let target = bed.target("snapshot").await;
    if plan.has_index {
        source
            .run("create index bench_customer on orders (o_custkey); analyze orders")
            .await;
    }
    let (copied_bytes, copied) = limits::copy_out(source, plan.tables).await;
    bed.settle(source, &target).await;

    let run = job(bed, source, &target, plan, true).await;
    let dump = limits::Dump::of(&target, plan.collection, bson::doc! {}).await;
    assert_eq!(
        dump.documents(),
        run.status.statistics.documents_written,
        "documents in {}",
        plan.collection
    );
    target.database.drop().await.expect("the documents can be dropped");
    bed.settle(source, &target).await;
    let inserted = limits::write(&dump, &target, plan.collection, limits::How::Insert).await;
    target.database.drop().await.expect("the documents can be dropped");
    if plan.has_index {
        source.run("drop index bench_customer").await;
    }
    Outcome {
        plan: *plan,
        run,
        bytes: dump.bytes,
        copied_bytes,
        copy_seconds: copied.as_secs_f64(),
        insert_seconds: inserted.as_secs_f64(),
    }
}

/// One job in a fresh process.
pub async fn job(bed: &Bed, source: &Database, target: &Target, plan: &Plan, drops: bool) -> Run {
    let app = bed.app(target.database.name()).await;
    let (api, client) = (app.api(), source.connect().await);
    let project = api.import_project(&project_file(&client, &plan.project()).await).await;
    let load = machine::load();
    let pids = bed.pids(&app);
    let before = Cpu::read(pids);
    let job = Job::new(&project, source, target).dropping(drops);
    let (status, seconds, samples) = watch(&api, &job).await;
    let cpu = before.until_now(pids);
    let rss_mib = meter::peak_mib(app.pid());
    drop(app);
    check(&status, &client, plan).await;
    Run {
        status,
        seconds,
        samples,
        cpu,
        rss_mib,
        load,
    }
}

/// Runs a job to its end. The time is that of the clock from the request on, so that nothing of the job is left out.
async fn watch(api: &Api, job: &Job) -> (MigrationJobStatus, f64, Vec<Sample>) {
    let started = SystemTime::now();
    let since = |time: SystemTime| time.duration_since(started).map_or(0.0, |d| d.as_secs_f64());
    let id = api.start_job(job).await;
    let mut samples = Vec::new();
    let mut ticks = tokio::time::interval(SAMPLE_EVERY);
    loop {
        ticks.tick().await;
        let status = api.job(&id).await;
        let ended = status.ended_at.map(SystemTime::from);
        let seconds = since(ended.unwrap_or_else(SystemTime::now));
        samples.push(Sample {
            seconds,
            rows: status.statistics.total_events_seen,
            bytes: status.statistics.bytes_written,
        });
        if status.status.is_ended() {
            return (status, seconds, samples);
        }
    }
}

/// A job that lost something has no speed.
pub async fn check(job: &MigrationJobStatus, client: &tokio_postgres::Client, plan: &Plan) {
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    assert_eq!(job.statistics.errors, 0, "{:#?}", job.job_updates);
    let count = format!("select count(*) from {}", plan.collection);
    let rows: i64 = client.query_one(&count, &[]).await.expect("a count").get(0);
    assert_eq!(
        i64::try_from(job.statistics.documents_written),
        Ok(rows),
        "documents and rows of {}",
        plan.collection
    );
}
