//! Snapshots that are compared with others of the same run: with scripts and without, again into what is there already,
//! several at once and one after the other.

use crate::bed::Bed;
use crate::limits::{self, Dump, How};
use crate::meter::Cpu;
use crate::plans::{FLAT, HEADS, NARROW, SCRIPT};
use crate::settings::Settings;
use crate::snapshot::{self, Run};
use bson::doc;
use godwit_tests::api::Job;
use godwit_tests::mapping::project_file;
use godwit_tests::servers::{Database, Target};
use std::time::{Duration, Instant};

pub const PARTS: [&str; 3] = ["script", "replace", "together"];

/// How many jobs run at the same time.
const JOBS: usize = 8;
const JOBS_MAX: Duration = Duration::from_secs(600);

/// Runs one part. Returns the line that scripts read.
pub async fn run(part: &str, bed: &Bed, source: &Database, settings: &Settings) -> String {
    println!("\n{part}");
    match part {
        "script" => script(bed, source, settings).await,
        "replace" => replace(bed, settings).await,
        _ => together(bed, source).await,
    }
}

/// The rate of a job with a computed field and a filter, beside that of the same job without.
async fn script(bed: &Bed, source: &Database, settings: &Settings) -> String {
    let mut ratios = Vec::new();
    for _ in 0..settings.runs {
        let mut seconds = [0.0; 2];
        for (plan, seconds) in [FLAT, SCRIPT].iter().zip(&mut seconds) {
            let target = bed.target("script").await;
            bed.settle(source, &target).await;
            let run = snapshot::job(bed, source, &target, plan, true).await;
            told(plan.name, &run);
            *seconds = run.seconds;
            target.database.drop().await.expect("the documents can be dropped");
        }
        ratios.push(seconds[0] / seconds[1]);
    }
    ratios.sort_by(f64::total_cmp);
    format!("bench script of_flat={:.2}", ratios[ratios.len() / 2])
}

/// A second run into the documents of the first, of which every one has changed since.
async fn replace(bed: &Bed, settings: &Settings) -> String {
    let source = bed.postgres.database("narrow", "").await;
    source
        .run(&format!(
            "create table narrow as select i as id, i % 1000 as a, 1 as b from generate_series(1::bigint, {}) i;
             alter table narrow add primary key (id)",
            settings.narrow
        ))
        .await;
    source.run("vacuum analyze narrow").await;
    let (target, other) = (bed.target("replace").await, bed.target("replace_limit").await);
    let first = snapshot::job(bed, &source, &target, &NARROW, true).await;
    told("the first run", &first);
    let dump = Dump::of(&target, NARROW.collection, doc! {}).await;
    let inserted = limits::write(&dump, &other, NARROW.collection, How::Insert)
        .await
        .as_secs_f64();
    drop(dump);
    source.run("update narrow set b = 2").await;
    source.run("vacuum analyze narrow").await;
    bed.settle(&source, &target).await;
    let (_, copied) = limits::copy_out(&source, NARROW.tables).await;
    let again = snapshot::job(bed, &source, &target, &NARROW, false).await;
    told("the second run", &again);
    let dump = Dump::of(&target, NARROW.collection, doc! {"b": 2}).await;
    assert_eq!(dump.documents(), settings.narrow, "documents with the change");
    bed.settle(&source, &target).await;
    let replaced = limits::write(&dump, &other, NARROW.collection, How::Replace)
        .await
        .as_secs_f64();
    let copied = copied.as_secs_f64();
    println!("  limits: copy {copied:.2} s, insert {inserted:.2} s, replace {replaced:.2} s");
    for target in [target, other] {
        target.database.drop().await.expect("the documents can be dropped");
    }
    format!(
        "bench replace ratio={:.2} first_ratio={:.2} rss_mb={}",
        (copied + replaced) / again.seconds,
        (copied + inserted) / first.seconds,
        again.rss_mib
    )
}

/// Several jobs of one server, each into a database of its own.
async fn together(bed: &Bed, source: &Database) -> String {
    let app = bed.app("together").await;
    let api = app.api();
    let client = source.connect().await;
    let project = api.import_project(&project_file(&client, &HEADS.project()).await).await;
    let mut targets: Vec<Target> = Vec::new();
    for _ in 0..JOBS {
        targets.push(bed.target("together").await);
    }
    let mut seconds = [0.0; 2];
    let pids = bed.pids(&app);
    for (at_once, seconds) in [1, JOBS].into_iter().zip(&mut seconds) {
        bed.settle(source, &targets[0]).await;
        let (started, before) = (Instant::now(), Cpu::read(pids));
        for some in targets.chunks(at_once) {
            let mut jobs = Vec::new();
            for target in some {
                jobs.push(api.start_job(&Job::new(&project, source, target)).await);
            }
            for job in jobs {
                let status = api.wait_ended(&job, JOBS_MAX).await;
                snapshot::check(&status, &client, &HEADS).await;
            }
        }
        *seconds = started.elapsed().as_secs_f64();
        println!(
            "  {JOBS} jobs, {at_once} at once: {seconds:.2} s; {}",
            before.until_now(pids)
        );
        for target in &targets {
            target.database.drop().await.expect("the documents can be dropped");
        }
    }
    format!("bench together ratio={:.2}", seconds[0] / seconds[1])
}

fn told(what: &str, run: &Run) {
    println!(
        "  {what}: {:.2} s, {:.0} rows/s; {}; {} MiB",
        run.seconds,
        run.status.statistics.total_events_seen as f64 / run.seconds,
        run.cpu,
        run.rss_mib
    );
}
