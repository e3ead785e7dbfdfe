//! Failed rows, tried again: by the job that follows changes, or by a new job where it has ended.

use crate::common::{array, assert_completed, coll, issues, spec};
use bson::{Document, doc};
use godwit_shared::job::{EventType, JobStatus, MigrationJobStatus};
use godwit_tests::api::{Api, LONG, Looks};
use godwit_tests::continuous::{Continuous, continuous_job, full_identity};
use godwit_tests::migrate::Migration;
use hyper::Method;
use serde_json::Value;

const TABLE: &str = "create table t(id int primary key, n int not null);
    insert into t select i, i from generate_series(1, 20) i";

/// The destination takes documents with a small `n` alone.
const SMALL: i32 = 15;

async fn validate(m: &Migration, below: i32) {
    let database = &m.target.database;
    let rule = |verb: &str| doc! {verb: "t", "validator": {"n": {"$lt": below}}, "validationLevel": "strict"};
    // There, or not yet.
    if database.run_command(rule("create")).await.is_err() {
        database.run_command(rule("collMod")).await.expect("a validator");
    }
}

async fn retry(api: &Api, id: &str) -> godwit_tests::api::Answer {
    let answer = api
        .send(Method::POST, &format!("/jobs/{id}/failed-rows/retry"), &[], None)
        .await;
    answer.expect("an answer")
}

fn job_of(answer: &Value) -> String {
    answer["job"]["id"].as_str().expect("a job").to_owned()
}

async fn count(m: &Migration) -> u64 {
    let all = m.target.database.collection::<Document>("t");
    all.count_documents(doc! {}).await.expect("a count")
}

fn said(job: &MigrationJobStatus, code: &str) -> Vec<String> {
    let lines = job.job_updates.iter().filter(|u| u.error_code == code);
    lines.map(|u| u.message.clone()).collect()
}

/// A snapshot whose last rows the destination has refused.
async fn refused() -> (Migration, MigrationJobStatus) {
    let m = Migration::new(TABLE, spec([coll("t", "t", "n")])).await;
    validate(&m, SMALL).await;
    let job = m.run(&m.job().dropping(false)).await;
    assert_completed(&job);
    assert_eq!(issues(&job, EventType::Error), ["write_refused public.t - 6"]);
    (m, job)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_job_that_has_ended_a_new_job_tries_them_and_changes_nothing_else() {
    let (mut m, job) = refused().await;
    let path = format!("/jobs/{}/failed-rows", job.id);
    let known = m.app.api().get(&path).await.ok();
    assert_eq!(
        (&known["rows"], &known["notNow"]),
        (&Value::from(6), &Value::Null),
        "{known:#}"
    );

    // A restart does not forget them.
    m.app.restart().await;
    validate(&m, 20).await;
    // Somebody has made a document of one of them meanwhile, another row is gone, and one that was written has changed
    // on both sides: none of that is the new job's.
    let documents = m.target.database.collection::<Document>("t");
    documents
        .insert_one(doc! {"_id": 16, "n": -1})
        .await
        .expect("an insert");
    documents
        .update_one(doc! {"_id": 1}, doc! {"$set": {"n": -1}})
        .await
        .expect("an update");
    m.source
        .run("delete from t where id = 17; update t set n = 2 where id = 1; update t set n = 3 where id = 18")
        .await;

    let api = m.app.api();
    let answer = retry(&api, job.id.as_str()).await.ok();
    let second = api.wait_ended(&job_of(&answer), LONG).await;
    assert_completed(&second);
    assert_eq!(second.retry_of.as_ref(), Some(&job.id));
    assert!(!second.options.drop_collections);
    // 15, 18 and 19 are written, 16 was there, 17 is gone, 20 is refused again.
    assert_eq!(
        said(&second, "failed_rows_tried"),
        [
            "6 rows that had failed were tried again: 3 have documents now, 1 had them already and were not touched, 2 have none"
        ]
    );
    assert_eq!(issues(&second, EventType::Error), ["write_refused public.t - 1"]);
    let n = async |id: i32| {
        let found = documents.find_one(doc! {"_id": id}).await.expect("an answer");
        found.map(|d| d.get_i32("n").expect("a number"))
    };
    assert_eq!(
        (n(1).await, n(16).await, n(17).await, n(18).await),
        (Some(-1), Some(-1), None, Some(3))
    );
    assert_eq!(count(&m).await, 18);
    // The first job stays as it ended.
    assert_eq!(api.job(job.id.as_str()).await.job_updates, job.job_updates);

    // What has failed again is the second job's to try.
    validate(&m, 1_000).await;
    let answer = retry(&api, second.id.as_str()).await.ok();
    let third = api.wait_ended(&job_of(&answer), LONG).await;
    assert_completed(&third);
    assert_eq!(issues(&third, EventType::Error), [""; 0]);
    assert_eq!((n(20).await, count(&m).await), (Some(20), 19));
    // Nothing is left to be tried.
    let none = api.get(&format!("/jobs/{}/failed-rows", third.id)).await.ok();
    assert_eq!(none["rows"], 0);
    retry(&api, third.id.as_str()).await.error(409, "wrong_state");
    // With the job its list goes.
    api.delete(&format!("/jobs/{}", job.id)).await.ok();
    let store = m.app.store().await;
    let left = store
        .collection::<Document>("failedRows")
        .find_one(doc! {"_id": job.id.as_str()})
        .await;
    assert_eq!(left.expect("an answer"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_tried_is_said_with_its_reason() {
    // The filter of the embedded rows fails: these are known by their own keys alone.
    let m = Migration::new(
        "create table p(id int primary key); create table c(id int primary key, p_id int references p, x int);
         insert into p values (1); insert into c values (1, 1, 5)",
        spec([coll("p", "p", "id").embed([array("cs", "c", "id").with("filter", "columns.x.a.b > 1")])]),
    )
    .await;
    let job = m.run(&m.job()).await;
    let failed = issues(&job, EventType::Error);
    assert!(failed.iter().any(|line| line.contains("public.c")), "{failed:?}");
    let message = retry(&m.app.api(), job.id.as_str()).await.error(409, "wrong_state");
    assert!(message.contains("run the job again"), "{message}");
    let jobs = m.app.api().get("/jobs").await.ok();
    assert_eq!(jobs.as_array().map(Vec::len), Some(1), "no job was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_follows_changes_tries_them_itself_and_its_log_says_what_is_so() {
    let m = Migration::new(TABLE, spec([coll("t", "t", "n")])).await;
    full_identity(&m.source).await;
    validate(&m, SMALL).await;
    let job = continuous_job(&m).dropping(false);
    let mut c = Continuous::begin(m, &job).await;
    c.streaming().await;
    c.run("insert into t values (21, 21)").await;
    let api = c.api();
    let errors = async |wanted: u64| {
        let mut looks = Looks::for_at_most(LONG);
        loop {
            let job = api.job(&c.id).await;
            if job.statistics.errors == wanted {
                return job;
            }
            assert!(looks.next().await, "waited for {wanted} errors: {:#?}", job.job_updates);
        }
    };
    errors(7).await;
    // Paused, it writes nothing.
    api.act(&c.id, "pause").await.ok();
    let message = retry(&api, &c.id).await.error(409, "wrong_state");
    assert!(message.contains("paused"), "{message}");
    api.act(&c.id, "resume").await.ok();
    c.streaming().await;

    validate(&c.m, 20).await;
    let answer = retry(&api, &c.id).await.ok();
    assert_eq!(job_of(&answer), c.id, "no other job");
    // 15 to 19 fit now, 20 and 21 do not.
    let job = errors(2).await;
    assert_eq!(
        said(&job, "failed_rows_tried"),
        ["7 rows that had failed were tried again: 5 have documents now, 2 have failed again"]
    );
    assert_eq!(issues(&job, EventType::Error), ["write_refused public.t - 2"]);
    assert_eq!(count(&c.m).await, 19);

    // Over a restart, and a crash, the rest is still known.
    c.m.app.kill();
    c.m.app.restart().await;
    validate(&c.m, 1_000).await;
    c.streaming().await;
    let api = c.api();
    retry(&api, &c.id).await.ok();
    c.wait("no error", |job| job.statistics.errors == 0).await;
    c.soon_like_snapshot("tried again").await;
    let job = c.complete().await;
    assert_eq!(
        (job.status, job.statistics.errors),
        (JobStatus::Completed, 0),
        "{:#?}",
        job.job_updates
    );
    assert_eq!(count(&c.m).await, 21);
}
