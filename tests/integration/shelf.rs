//! Jobs as things that a user keeps: names, what they have written, reports.

use crate::common::{coll, spec};
use bson::{Document, doc};
use godwit_shared::job::{JobStatus, MigrationJobStatus};
use godwit_tests::api::Job;
use godwit_tests::continuous::Continuous;
use godwit_tests::docs::collections;
use godwit_tests::migrate::Migration;
use hyper::Method;
use serde_json::{Value, json};

const TABLES: &str = "create table a(id int primary key, v text); create table b(id int primary key, v text);
    insert into a select i, 'a' from generate_series(1, 30) i; insert into b select i, 'b' from generate_series(1, 12) i";

async fn two_tables() -> Migration {
    Migration::new(TABLES, spec([coll("a", "a", "v"), coll("b", "b", "v")])).await
}

fn id(job: &MigrationJobStatus) -> String {
    job.id.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_has_a_name_and_a_note_and_can_be_forgotten() {
    let mut m = two_tables().await;
    let job: Job = m
        .job()
        .with("/name", json!("  Rehearsal 1 "))
        .with("/note", json!("before lunch"));
    let job = m.run(&job).await;
    assert_eq!(
        (job.name.as_deref(), job.note.as_deref()),
        (Some("Rehearsal 1"), Some("before lunch"))
    );
    let api = m.app.api();
    let label = format!("/jobs/{}/label", job.id);
    api.put(&label, &json!({"name": "Rehearsal 2"})).await.ok();
    let message = api
        .put(&label, &json!({"surprise": 1}))
        .await
        .error(400, "invalid_request");
    assert!(message.contains("surprise"), "{message}");
    m.app.restart().await;
    let api = m.app.api();
    let renamed = api.job(&id(&job)).await;
    assert_eq!((renamed.name.as_deref(), renamed.note), (Some("Rehearsal 2"), None));
    // Nothing else of the stored job has changed.
    assert_eq!(
        (renamed.status, renamed.statistics.clone()),
        (job.status, job.statistics.clone())
    );
    api.delete(&format!("/jobs/{}", job.id)).await.ok();
    api.get(&format!("/jobs/{}", job.id)).await.error(404, "not_found");
    assert_eq!(api.get("/jobs").await.ok(), json!([]));
    m.app.restart().await;
    assert_eq!(m.app.api().get("/jobs").await.ok(), json!([]));
    assert_eq!(collections(&m.target.database).await, ["a", "b"], "what it wrote stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_has_not_ended_is_not_forgotten_and_keeps_what_it_wrote() {
    let c = Continuous::new(TABLES, spec([coll("a", "a", "v")])).await;
    let path = format!("/jobs/{}", c.id);
    c.api().delete(&path).await.error(409, "wrong_state");
    c.api().get(&format!("{path}/written")).await.error(409, "wrong_state");
    c.api()
        .put(&format!("{path}/label"), &json!({"name": "live"}))
        .await
        .ok();
    c.run("insert into a values (31, 'later')").await;
    c.settled().await;
    assert_eq!(c.job().await.name.as_deref(), Some("live"));
    let job = c.complete().await;
    assert_eq!(job.name.as_deref(), Some("live"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_wrote_is_deleted_as_it_was_counted() {
    let m = two_tables().await;
    let api = m.app.api();
    // Something was in one of the collections before, and the job leaves it there.
    m.target
        .database
        .collection::<Document>("b")
        .insert_one(doc! {"_id": "mine"})
        .await
        .expect("an insert");
    let job = m.run(&m.job().dropping(false)).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    let path = format!("/jobs/{}/written", job.id);
    let written = api.get(&path).await.ok();
    assert_eq!(written["documents"], 30, "{written:#}");
    let of = |written: &Value, name: &str| {
        let all = written["collections"].as_array().expect("a list");
        all.iter()
            .find(|c| c["collection"] == name)
            .expect("the collection")
            .clone()
    };
    assert_eq!(of(&written, "a")["keptBecause"], Value::Null);
    assert_eq!(of(&written, "b")["documents"], 13);
    let why = of(&written, "b")["keptBecause"].to_string();
    assert!(why.contains("1 documents were there before"), "{why}");

    // Somebody adds one after the user has looked: it is not the job's, and the collection stays with it.
    let late = doc! {"_id": "late"};
    let documents = m.target.database.collection::<Document>("a");
    documents.insert_one(&late).await.expect("an insert");
    let delete = format!("{path}/delete");
    let message = api
        .post(&delete, &json!({"documents": 30}))
        .await
        .error(409, "wrong_state");
    assert!(message.contains("there are 0 documents now"), "{message}");
    let written = api.get(&path).await.ok();
    let why = of(&written, "a")["keptBecause"].to_string();
    assert!(why.contains("held 30 documents"), "{why}");
    assert_eq!(collections(&m.target.database).await, ["a", "b"]);
    documents.delete_one(late).await.expect("a deletion");
    api.post(&delete, &json!({"documents": 30})).await.ok();
    assert_eq!(collections(&m.target.database).await, ["b"]);

    // What a later job writes as well is not this one's alone.
    let later = m.run(&m.job().dropping(false)).await;
    assert_eq!(later.status, JobStatus::Completed);
    let written = api.get(&path).await.ok();
    assert_eq!(written["documents"], 0, "{written:#}");
    assert!(
        of(&written, "a")["keptBecause"].to_string().contains("later job"),
        "{written:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_counts_both_sides() {
    let m = two_tables().await;
    let job: Job = m.job().with("/name", json!("<b>Cut-over</b>"));
    let job = m.run(&job).await;
    m.source.run("delete from a where id <= 4").await;
    m.target
        .database
        .collection::<Document>("b")
        .delete_one(doc! {})
        .await
        .expect("a deletion");
    let api = m.app.api();
    let report = api.get(&format!("/jobs/{}/report", job.id)).await.ok();
    let collections = report["collections"].as_array().expect("collections");
    let sides: Vec<(&Value, &Value)> = collections
        .iter()
        .map(|c| (&c["rootRowsNow"], &c["documentsNow"]))
        .collect();
    assert_eq!(
        sides,
        [(&json!(26), &json!(30)), (&json!(12), &json!(11))],
        "{report:#}"
    );
    assert_eq!(
        (&report["status"], &report["rowsRead"], &report["errors"]),
        (&json!("COMPLETED"), &json!(42), &json!(0))
    );
    let tables = report["tables"].as_array().expect("tables");
    assert_eq!(
        (&tables[0]["rowsAtSnapshot"], &tables[0]["rowsNow"]),
        (&json!(30), &json!(26)),
        "{report:#}"
    );
    let html = api.get(&format!("/jobs/{}/report.html", job.id)).await.ok();
    let html = html.as_str().expect("a page");
    assert!(
        html.contains("&lt;b&gt;Cut-over&lt;/b&gt;") && !html.contains("<b>Cut-over"),
        "{html}"
    );
    assert!(html.contains(">+4<") && html.contains(">-1<"), "{html}");
    assert!(!html.contains("<script"), "{html}");
}

/// On demand, while a job streams; and with the source away, without its counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_a_job_that_streams() {
    let c = Continuous::new(TABLES, spec([coll("a", "a", "v")])).await;
    c.run("insert into a values (31, 'later')").await;
    let settled = c.settled().await;
    let report = c.api().get(&format!("/jobs/{}/report", c.id)).await.ok();
    let collection = &report["collections"][0];
    assert_eq!(
        (&collection["rootRowsNow"], &collection["documentsNow"]),
        (&json!(31), &json!(31)),
        "{report:#}"
    );
    let position = settled.cdc_statistics.and_then(|s| s.position).expect("a position");
    let reported = report["stages"]["position"].as_str().expect("a position");
    assert!(godwit_tests::continuous::lsn(reported) >= godwit_tests::continuous::lsn(&position));
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_looked_at_more_closely() {
    let m = two_tables().await;
    let job = m.complete().await;
    let api = m.app.api();
    let details = api.get(&format!("/jobs/{}/collections/a", job.id)).await.ok();
    assert_eq!(
        (&details["documents"], &details["lookedAt"]),
        (&json!(30), &json!(30)),
        "{details:#}"
    );
    assert_eq!(details["sample"]["v"], "a", "{details:#}");
    let largest = m
        .target
        .database
        .collection::<bson::RawDocumentBuf>("a")
        .find_one(doc! {})
        .await
        .expect("a look");
    let bytes = largest.expect("a document").as_bytes().len();
    assert_eq!(details["largestBytes"], json!(bytes), "{details:#}");
    api.get(&format!("/jobs/{}/collections/other", job.id))
        .await
        .error(409, "wrong_state");
    let answer = api
        .send(Method::GET, "/jobs/none/collections/a", &[], None)
        .await
        .expect("an answer");
    answer.error(404, "not_found");
}
