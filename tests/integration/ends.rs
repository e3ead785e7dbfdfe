//! An end is final, whatever happens to the process, the store or the source afterwards; and nothing of the job stays in
//! the source, or it is told with the statement that removes it.

use crate::common::{coll, spec};
use crate::family::{COLD, ROWS, TABLES, mapping};
use bson::{Document, doc};
use godwit_shared::job::{CdcStatus, JobOutcome, JobStatus, MigrationJobStatus};
use godwit_tests::api::{Api, Job, LONG, wait_for};
use godwit_tests::app::App;
use godwit_tests::continuous::{Continuous, continuous_job, full_identity, left_in_source};
use godwit_tests::docs::raw_documents;
use godwit_tests::mapping::project_file;
use godwit_tests::migrate::Migration;
use godwit_tests::proxy::{Links, Proxy};
use godwit_tests::servers::{Database, servers};
use serde_json::{Value, json};
use std::time::Duration;

/// The points of the end after it is stored, in their order.
pub const AFTER_THE_END: [&str; 6] = [
    "intent",
    "slot-gone",
    "publication-gone",
    "source-clean",
    "source-noted",
    "store-clean",
];

/// A migration whose store and source lie behind proxies, so that each can be away.
pub struct Bench {
    pub m: Migration,
    pub store: Proxy,
    pub source: Proxy,
}

impl Bench {
    /// Of the tables and rows of the family, or of others.
    pub async fn new(sql: &str, mapping: Value) -> Bench {
        let mongo = &servers().await.mongo;
        let store = Proxy::before(mongo.port).await;
        let database = servers().await.postgres.database("ending", sql).await;
        let source = Proxy::before(database.port).await;
        let name = format!("godwit_store_of_{}", database.name);
        let uri = format!(
            "mongodb://127.0.0.1:{}/{name}?directConnection=true&serverSelectionTimeoutMS=2000",
            store.port
        );
        let target = mongo.target("ending").await;
        let (app, client) = tokio::join!(App::start_on(uri, &[]), database.connect());
        let file = project_file(&client, &mapping).await;
        let project = app.api().import_project(&file).await;
        let m = Migration {
            app,
            source: database,
            target,
            project,
        };
        Bench { m, store, source }
    }

    /// A job whose source is reached through the proxy.
    pub fn job(&self, mode: &str, prepares: bool) -> Job {
        let url = self.m.source.jdbc_url_at(self.source.port);
        (self.m.job())
            .with("/jdbcConnectionDetails/url", json!(url))
            .with("/options/mode", json!(mode))
            .with("/options/prepareSource", json!(prepares))
    }

    pub fn api(&self) -> Api {
        self.m.app.api()
    }

    /// Starts a continuous job that sets replica identities, and waits until it streams.
    pub async fn streaming(&self) -> String {
        let id = self.api().start_job(&self.job("CDC", true)).await;
        let is_streaming = |job: &MigrationJobStatus| job.cdc_status == CdcStatus::Running;
        self.api().wait_job(&id, "streaming", LONG, is_streaming).await;
        id
    }

    pub fn away(proxy: &Proxy) {
        proxy.open(false);
        proxy.cut(Links::All);
    }

    pub fn back(proxy: &Proxy) {
        proxy.open(true);
        proxy.flow();
    }

    /// The application works on the documents from now on.
    pub async fn cut_over(&self, collection: &str) -> Vec<Vec<u8>> {
        let documents = self.m.target.database.collection::<Document>(collection);
        let changed = doc! {"$set": {"n": "changed by the application"}};
        documents.update_one(doc! {"_id": 1}, changed).await.expect("an update");
        documents.delete_one(doc! {"_id": 2}).await.expect("a deletion");
        self.documents(collection).await
    }

    pub async fn documents(&self, collection: &str) -> Vec<Vec<u8>> {
        let raw = raw_documents(&self.m.target.database, collection).await;
        raw.into_iter().map(|d| format!("{d:?}").into_bytes()).collect()
    }

    /// Waits until nothing is left to clean.
    pub async fn cleaned(&self, id: &str) -> MigrationJobStatus {
        let is_clean =
            |job: &MigrationJobStatus| job.status.is_ended() && job.end.as_ref().is_some_and(|e| e.is_cleaned);
        self.api().wait_job(id, "a clean end", LONG, is_clean).await
    }

    /// Nothing of the job is in the source, and its tables are as they were.
    pub async fn assert_clean(&self, case: &str) {
        assert_eq!(left_in_source(&self.m.source).await, [""; 0], "{case}");
        let identities = identities(&self.m.source).await;
        assert!(identities.iter().all(|i| i.ends_with(" d")), "{case}: {identities:?}");
        let store = self.m.app.store().await;
        for name in ["checkpoints", "chunks", "claims", "contenders", "written"] {
            let left = store.collection::<Document>(name).count_documents(doc! {}).await;
            assert_eq!(left.expect("a count"), 0, "{case}: {name} in the store");
        }
    }
}

/// The replica identity of every table.
pub async fn identities(source: &Database) -> Vec<String> {
    let sql = "select relname || ' ' || relreplident::text from pg_class where relnamespace = 'public'::regnamespace
        and relkind in ('r', 'p') order by 1";
    let rows = source.connect().await.query(sql, &[]).await.expect("the catalog");
    rows.iter().map(|r| r.get(0)).collect()
}

async fn family() -> Bench {
    Bench::new(&format!("{TABLES}{ROWS}"), mapping()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completed_job_does_not_come_back_when_the_server_dies_at_any_step_of_its_end() {
    let mut bench = family().await;
    for point in AFTER_THE_END {
        let id = bench.streaming().await;
        bench.m.app.hold(point);
        bench.api().act(&id, "stop").await.ok();
        bench.m.app.is_held(point).await;
        let job = bench.api().job(&id).await;
        assert_eq!(
            (job.status, job.cdc_status),
            (JobStatus::CleaningUp, CdcStatus::Completed),
            "{point}"
        );
        assert_eq!(
            job.end.as_ref().map(|e| e.outcome),
            Some(JobOutcome::Completed),
            "{point}"
        );
        let documents = bench.cut_over("ps").await;
        bench.m.app.kill();
        bench.m.app.let_go(point);
        bench.m.app.restart().await;
        let job = bench.cleaned(&id).await;
        assert_eq!(
            (job.status, job.cdc_status),
            (JobStatus::Completed, CdcStatus::Completed),
            "{point}"
        );
        bench.assert_clean(point).await;
        for action in ["stop", "stop?abandon=true", "pause", "resume"] {
            bench.api().act(&id, action).await.error(409, "wrong_state");
        }
        bench.m.app.restart().await;
        assert_eq!(bench.api().job(&id).await.status, JobStatus::Completed, "{point}");
        assert!(
            bench.documents("ps").await == documents,
            "{point}: written after the end"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_does_not_come_back_when_the_server_is_ended_or_dies_while_it_cleans_up() {
    let mut bench = family().await;
    for point in ["intent", "source-clean", "source-noted", "store-clean"] {
        for is_killed in [true, false] {
            bench.m.app.hold(point);
            let id = bench.api().start_job(&bench.job("SNAPSHOT", false)).await;
            bench.m.app.is_held(point).await;
            assert_eq!(bench.api().job(&id).await.status, JobStatus::CleaningUp, "{point}");
            let documents = bench.cut_over("ps").await;
            if is_killed {
                bench.m.app.kill();
            } else {
                bench.m.app.terminate(Duration::from_secs(60));
            }
            bench.m.app.let_go(point);
            bench.m.app.restart().await;
            assert_eq!(bench.cleaned(&id).await.status, JobStatus::Completed, "{point}");
            bench.assert_clean(point).await;
            assert!(
                bench.documents("ps").await == documents,
                "{point}: written after the end"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_and_a_failed_job_stay_so_when_the_server_dies_while_it_cleans_up() {
    let mut bench = family().await;
    for (point, fails) in [
        ("intent", false),
        ("intent", true),
        ("publication-gone", false),
        ("source-noted", true),
    ] {
        let id = bench.streaming().await;
        bench.m.app.hold(point);
        let expected = if fails {
            bench.m.app.panic_at("point");
            bench.m.source.run("update p set n = n || '!' where id = 5").await;
            JobStatus::Failed
        } else {
            bench.api().act(&id, "stop?abandon=true").await.ok();
            JobStatus::Cancelled
        };
        bench.m.app.is_held(point).await;
        let documents = bench.cut_over("ps").await;
        bench.m.app.kill();
        bench.m.app.let_go(point);
        bench.m.app.restart().await;
        let job = bench.cleaned(&id).await;
        assert_eq!(job.status, expected, "{point}: {job:#?}");
        assert_eq!(job.failure_error.is_some(), fails, "{point}: {job:#?}");
        bench.assert_clean(point).await;
        assert!(
            bench.documents("ps").await == documents,
            "{point}: written after the end"
        );
    }
}

/// Nobody is told of an end that could still be lost.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_told_when_it_is_stored_and_stored_as_soon_as_the_store_answers() {
    let mut bench = family().await;
    for is_killed in [false, true] {
        let id = bench.streaming().await;
        bench.m.app.hold("decided");
        bench.api().act(&id, "stop").await.ok();
        bench.m.app.is_held("decided").await;
        Bench::away(&bench.store);
        bench.m.app.let_go("decided");
        let waits = |job: &MigrationJobStatus| {
            job.statistics
                .notice
                .as_deref()
                .is_some_and(|n| n.contains("the end of the job"))
        };
        let job = bench.api().wait_job(&id, "a word about the store", LONG, waits).await;
        assert_eq!(
            (job.status, job.cdc_status),
            (JobStatus::Running, CdcStatus::Completing)
        );
        assert!(
            !left_in_source(&bench.m.source).await.is_empty(),
            "cleaned before the end was stored"
        );
        if is_killed {
            bench.m.app.kill();
        }
        Bench::back(&bench.store);
        if is_killed {
            bench.m.app.restart().await;
        }
        let job = bench.cleaned(&id).await;
        assert_eq!(job.status, JobStatus::Completed);
        bench.assert_clean("the store was away").await;
    }
}

/// Whoever was answered that the job is stopped finds it stopped; else he is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_cannot_be_stored_says_so_and_is_stored_later() {
    let bench = family().await;
    let id = bench.streaming().await;
    Bench::away(&bench.store);
    let message = bench.api().act(&id, "stop?abandon=true").await.error(500, "internal");
    assert!(message.contains("could not be stored"), "{message}");
    let documents = bench.documents("ps").await;
    bench.m.source.run("update p set n = 'after the stop'").await;
    Bench::back(&bench.store);
    assert_eq!(bench.cleaned(&id).await.status, JobStatus::Cancelled);
    assert!(bench.documents("ps").await == documents, "written after the stop");
}

/// Seen: a store that was away for seven minutes in the snapshot of a continuous job made it fail, and come back.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_in_the_snapshot_is_waited_for_in_one_point_in_time() {
    let bench = Bench::new(&format!("{TABLES}{ROWS}{COLD}"), mapping()).await;
    for mode in ["SNAPSHOT", "CDC"] {
        bench.m.app.hold("chunk");
        let id = bench.api().start_job(&bench.job(mode, mode == "CDC")).await;
        bench.m.app.is_held("chunk").await;
        Bench::away(&bench.store);
        bench.m.app.let_go("chunk");
        let waits = |job: &MigrationJobStatus| job.statistics.notice.as_deref().is_some_and(|n| n.contains("store"));
        let job = bench.api().wait_job(&id, "a word about the store", LONG, waits).await;
        assert_eq!(job.status, JobStatus::Running, "{mode}");
        Bench::back(&bench.store);
        if mode == "CDC" {
            let is_streaming = |job: &MigrationJobStatus| job.cdc_status == CdcStatus::Running;
            bench.api().wait_job(&id, "streaming", LONG, is_streaming).await;
            bench.api().act(&id, "stop").await.ok();
        }
        let job = bench.cleaned(&id).await;
        assert_eq!(job.status, JobStatus::Completed, "{mode}: {job:#?}");
        let told: Vec<&str> = job.job_updates.iter().map(|u| u.error_code.as_str()).collect();
        assert!(!told.contains(&"two_points_in_time"), "{mode}: {told:?}");
        let count = bench.documents("ps").await.len();
        assert_eq!(count, 64 + 15_000, "{mode}");
        bench.assert_clean(mode).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_away_at_the_end_is_told_with_statements_and_cleaned_later() {
    let mut bench = family().await;
    let id = bench.streaming().await;
    let slots = left_in_source(&bench.m.source).await;
    Bench::away(&bench.source);
    bench.api().act(&id, "stop?abandon=true").await.ok();
    let job = bench.api().wait_ended(&id, LONG).await;
    assert_eq!(job.status, JobStatus::Cancelled);
    let end = job.end.as_ref().expect("an end");
    assert!(!end.is_cleaned && end.left.len() >= 3, "{end:#?}");
    let told = job.job_updates.iter().find(|u| u.error_code == "left_behind");
    let told = &told.expect("what is left is told").message;
    for part in [
        "pg_drop_replication_slot('godwit_",
        "DROP PUBLICATION",
        "REPLICA IDENTITY DEFAULT",
    ] {
        assert!(told.contains(part), "{told}");
    }
    assert!(
        job.job_updates.iter().any(|u| u.error_code == "rest_not_applied"),
        "{job:#?}"
    );
    assert_eq!(left_in_source(&bench.m.source).await, slots);
    // It holds up nobody: another job may write the same collections.
    let other = bench.api().start_job(&bench.m.job()).await;
    assert_eq!(bench.api().wait_ended(&other, LONG).await.status, JobStatus::Completed);
    let documents = bench.documents("ps").await;
    // A new start tries again, and so does the process as it goes on.
    bench.m.app.restart().await;
    let job = bench.api().job(&id).await;
    assert_eq!(
        (job.status, job.end.expect("an end").is_cleaned),
        (JobStatus::Cancelled, false)
    );
    Bench::back(&bench.source);
    let job = bench.cleaned(&id).await;
    assert!(
        job.job_updates.iter().all(|u| u.error_code != "left_behind"),
        "{job:#?}"
    );
    bench.assert_clean("the source is back").await;
    assert!(bench.documents("ps").await == documents, "written after the end");
}

/// The statements of the job's log are all that is needed.
#[tokio::test(flavor = "multi_thread")]
async fn the_statements_that_are_told_remove_what_is_left() {
    let bench = family().await;
    let id = bench.streaming().await;
    Bench::away(&bench.source);
    bench.api().act(&id, "stop?abandon=true").await.ok();
    let job = bench.api().wait_ended(&id, LONG).await;
    let end = job.end.expect("an end");
    let sql = bench.m.source.connect().await;
    for left in &end.left {
        wait_for("the statement to work", LONG, || async {
            sql.batch_execute(&left.statement).await.ok()
        })
        .await;
    }
    assert_eq!(left_in_source(&bench.m.source).await, [""; 0]);
    assert!(identities(&bench.m.source).await.iter().all(|i| i.ends_with(" d")));
    // Done by hand it is as well.
    Bench::back(&bench.source);
    bench.cleaned(&id).await;
}

/// An error is no answer: where it cannot be read what there is to clean, nothing counts as clean.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_cannot_be_read_is_not_taken_for_none() {
    let mut bench = family().await;
    let id = bench.streaming().await;
    bench.api().act(&id, "pause").await.ok();
    bench.m.app.terminate(Duration::from_secs(60));
    let checkpoints = bench.m.app.store().await.collection::<Document>("checkpoints");
    let kept = checkpoints
        .find_one(doc! {"_id": &id})
        .await
        .expect("find")
        .expect("a checkpoint");
    let broken = doc! {"$set": {"checkpoint": "{"}};
    checkpoints
        .update_one(doc! {"_id": &id}, broken)
        .await
        .expect("an update");
    bench.m.app.restart().await;
    bench.api().act(&id, "stop?abandon=true").await.ok();
    let job = bench.api().wait_ended(&id, LONG).await;
    let end = job.end.expect("an end");
    assert_eq!((job.status, end.is_cleaned), (JobStatus::Cancelled, false));
    let statements: Vec<&str> = end.left.iter().map(|l| l.statement.as_str()).collect();
    assert!(
        statements.iter().any(|s| s.contains("pg_drop_replication_slot")),
        "{statements:?}"
    );
    // Put back, it is cleaned at the next try.
    checkpoints
        .replace_one(doc! {"_id": &id}, kept)
        .await
        .expect("an update");
    bench.m.app.restart().await;
    bench.cleaned(&id).await;
    bench.assert_clean("the checkpoint is put back").await;
}

/// Seen: of two continuous jobs on one table the older is stopped first, and FULL stays without a word.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_jobs_on_one_table_the_last_one_restores_its_identity() {
    let bench = family().await;
    let first = bench.streaming().await;
    assert!(identities(&bench.m.source).await.contains(&"c f".to_owned()));
    let other = servers().await.mongo.target("second").await;
    let second = Job::new(&bench.m.project, &bench.m.source, &other).with("/options/mode", json!("CDC"));
    let second = bench.api().start_job(&second).await;
    let is_streaming = |job: &MigrationJobStatus| job.cdc_status == CdcStatus::Running;
    bench.api().wait_job(&second, "streaming", LONG, is_streaming).await;
    bench.api().act(&first, "stop").await.ok();
    let job = bench.api().wait_ended(&first, LONG).await;
    let end = job.end.expect("an end");
    assert!(!end.is_cleaned, "{end:#?}");
    let told = end
        .left
        .iter()
        .find(|l| l.object.contains("public.c"))
        .expect("c is told");
    assert!(told.reason.contains(&second), "{told:?}");
    assert_eq!(
        told.statement,
        "ALTER TABLE ONLY \"public\".\"c\" REPLICA IDENTITY DEFAULT;"
    );
    assert!(
        identities(&bench.m.source).await.contains(&"c f".to_owned()),
        "the second needs it"
    );
    // What changes a join still finds its old place.
    bench.m.source.run("update c set p_id = 7 where id = 1").await;
    wait_for("the change", LONG, || async {
        let moved = doc! {"_id": 7, "cs.id": 1};
        let count = other.database.collection::<Document>("ps").count_documents(moved).await;
        (count.expect("a count") == 1).then_some(())
    })
    .await;
    bench.api().act(&second, "stop").await.ok();
    bench.cleaned(&first).await;
    bench.cleaned(&second).await;
    bench.assert_clean("both have ended").await;
}

/// Seen: any other continuous job on the server left FULL behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_another_database_or_table_does_not_keep_identities() {
    let bench = Bench::new(
        &format!("{TABLES}{ROWS} create table lone(id int primary key); insert into lone values (1)"),
        mapping(),
    )
    .await;
    let elsewhere = Continuous::new("create table c(id int primary key)", spec([coll("cs", "c", "")])).await;
    let client = bench.m.source.connect().await;
    let file = project_file(&client, &spec([coll("lones", "lone", "")])).await;
    let project = bench.api().import_project(&file).await;
    let target = servers().await.mongo.target("lone").await;
    let lone = Job::new(&project, &bench.m.source, &target).with("/options/mode", json!("CDC"));
    let lone = bench.api().start_job(&lone).await;
    let id = bench.streaming().await;
    bench.api().act(&id, "stop").await.ok();
    let job = bench.cleaned(&id).await;
    assert!(
        job.job_updates.iter().all(|u| u.error_code != "left_behind"),
        "{job:#?}"
    );
    assert!(identities(&bench.m.source).await.iter().all(|i| i.ends_with(" d")));
    bench.api().act(&lone, "stop").await.ok();
    bench.cleaned(&lone).await;
    elsewhere.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_deleted_while_its_job_still_has_something_in_the_source() {
    let bench = family().await;
    let id = bench.streaming().await;
    let path = format!("/project/{}", bench.m.project);
    bench.api().delete(&path).await.error(409, "job_conflict");
    Bench::away(&bench.source);
    bench.api().act(&id, "stop?abandon=true").await.ok();
    bench.api().wait_ended(&id, LONG).await;
    bench.api().delete(&path).await.ok();
    assert_eq!(bench.api().get("/jobs").await.ok(), json!([]));
    bench.api().get(&format!("/jobs/{id}")).await.error(404, "not_found");
    Bench::back(&bench.source);
    let jobs = bench.m.app.store().await.collection::<Document>("jobs");
    wait_for("the job to go", LONG, || async {
        let left = jobs.count_documents(doc! {}).await.expect("a count");
        (left == 0).then_some(())
    })
    .await;
    bench.assert_clean("the project is deleted").await;
}

/// A panic in any task of a job is its failure, and the source is cleaned; the server goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_any_task_is_the_failure_of_its_job() {
    let bench = family().await;
    for (point, is_streaming) in [
        ("chunk", false),
        ("figures", false),
        ("log", true),
        ("point", true),
        ("write", true),
        ("cdc-figures", true),
    ] {
        let id = if is_streaming {
            let id = bench.streaming().await;
            bench.m.app.panic_at(point);
            bench.m.source.run("update p set n = n || '!' where id = 5").await;
            id
        } else {
            bench.m.app.panic_at(point);
            bench.api().start_job(&bench.job("CDC", true)).await
        };
        let job = bench.cleaned(&id).await;
        assert_eq!(job.status, JobStatus::Failed, "{point}: {job:#?}");
        let failure = job.failure_error.expect("why it failed");
        assert!(failure.message.contains("unexpectedly"), "{point}: {}", failure.message);
        assert!(bench.m.app.has_panicked_at(point), "{point}");
        bench.assert_clean(point).await;
    }
    // A panic in the clean-up itself is another try.
    for point in AFTER_THE_END {
        let id = bench.streaming().await;
        bench.m.app.panic_at(point);
        bench.api().act(&id, "stop").await.ok();
        assert_eq!(bench.cleaned(&id).await.status, JobStatus::Completed, "{point}");
        assert!(bench.m.app.has_panicked_at(point), "{point}");
        bench.assert_clean(point).await;
    }
}

/// A job that takes the process with it twice is not tried a third time, until its user says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_crashes_the_process_twice_waits_for_its_user() {
    for mode in ["SNAPSHOT", "CDC"] {
        let mut bench = family().await;
        let point = if mode == "CDC" { "point" } else { "chunk" };
        let id = if mode == "CDC" {
            let id = bench.streaming().await;
            bench.m.app.hold(point);
            bench.m.source.run("update p set n = n || '!' where id = 5").await;
            id
        } else {
            bench.m.app.hold(point);
            bench.api().start_job(&bench.job(mode, false)).await
        };
        for _ in 0..2 {
            bench.m.app.is_held(point).await;
            bench.m.app.abort();
            bench.m.app.hold(point);
            bench.m.app.restart().await;
        }
        let job = bench.api().job(&id).await;
        let standing = job.stand_still.as_ref().expect("a reason to stand still");
        assert!(standing.reason.contains("died twice"), "{mode}: {standing:?}");
        assert!(
            job.status == JobStatus::Paused || job.cdc_status == CdcStatus::Paused,
            "{mode}: {job:#?}"
        );
        // Over a clean restart it waits too.
        bench.m.app.terminate(Duration::from_secs(60));
        bench.m.app.restart().await;
        assert!(bench.api().job(&id).await.stand_still.is_some(), "{mode}");
        bench.m.app.let_go(point);
        bench.api().act(&id, "resume").await.ok();
        if mode == "CDC" {
            let is_streaming = |job: &MigrationJobStatus| job.cdc_status == CdcStatus::Running;
            bench.api().wait_job(&id, "streaming", LONG, is_streaming).await;
            bench.api().act(&id, "stop").await.ok();
        }
        assert_eq!(bench.cleaned(&id).await.status, JobStatus::Completed, "{mode}");
        bench.assert_clean(mode).await;
    }
}

/// Whatever is asked of an ended job, and however often the server starts: it stays ended.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_and_no_start_brings_an_ended_job_back() {
    let m = Migration::new(&format!("{TABLES}{ROWS}"), mapping()).await;
    full_identity(&m.source).await;
    let mut c = Continuous::start(m).await;
    let completed = c.id.clone();
    c.complete().await;
    let cancelled = c.api().start_job(&continuous_job(&c.m)).await;
    c.api().act(&cancelled, "stop?abandon=true").await.ok();
    c.api().wait_ended(&cancelled, LONG).await;
    c.m.app.panic_at("chunk");
    let failed = c.api().start_job(&continuous_job(&c.m)).await;
    c.api().wait_ended(&failed, LONG).await;
    let ended = [
        (completed, JobStatus::Completed),
        (cancelled, JobStatus::Cancelled),
        (failed, JobStatus::Failed),
    ];
    let documents = raw_documents(&c.m.target.database, "ps").await;
    c.run("update p set n = 'after the ends'").await;
    for _ in 0..2 {
        for (id, status) in &ended {
            for action in ["resume", "pause", "stop", "stop?abandon=true", "resume"] {
                c.api().act(id, action).await.error(409, "wrong_state");
            }
            let job = c.api().job(id).await;
            assert_eq!(job.status, *status);
            assert_eq!(job.end.map(|e| e.outcome.status()), Some(*status));
        }
        c.kill_and_restart().await;
    }
    assert!(
        raw_documents(&c.m.target.database, "ps").await == documents,
        "written after the end"
    );
    assert_eq!(left_in_source(&c.m.source).await, [""; 0]);
}

/// What an earlier version has stored while it cleaned up is an end as well.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_an_earlier_version_has_stored_is_one() {
    let mut bench = family().await;
    for (status, cdc, expected) in [
        ("CLEANING_UP", "COMPLETED", JobStatus::Completed),
        ("RUNNING", "COMPLETED", JobStatus::Completed),
        ("CANCELLING", "RUNNING", JobStatus::Cancelled),
    ] {
        let id = bench.streaming().await;
        bench.m.app.kill();
        let jobs = bench.m.app.store().await.collection::<Document>("jobs");
        let entry = jobs.find_one(doc! {"_id": &id}).await.expect("find").expect("the job");
        let mut stored: Value = serde_json::from_str(entry.get_str("status").expect("a text")).expect("JSON");
        (stored["status"], stored["cdcStatus"]) = (json!(status), json!(cdc));
        stored.as_object_mut().expect("an object").remove("end");
        let old = doc! {"$set": {"status": stored.to_string(), "isEnded": false},
        "$unset": {"outcome": "", "token": "", "revision": "", "holder": "", "seat": "", "leaseUntil": "", "isCleaned": ""}};
        jobs.update_one(doc! {"_id": &id}, old).await.expect("an update");
        let documents = bench.cut_over("ps").await;
        bench.m.app.restart().await;
        assert_eq!(bench.cleaned(&id).await.status, expected, "{status}");
        bench.assert_clean(status).await;
        assert!(
            bench.documents("ps").await == documents,
            "{status}: written after the end"
        );
    }
}
