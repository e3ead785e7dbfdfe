//! Time series collections (integrity case F17): filled once, whatever happens, though MongoDB takes the same document
//! there any number of times.

use crate::common::{assert_completed, coll, issues, refused, spec};
use bson::{Document, doc};
use godwit_shared::job::{EventType, JobStatus};
use godwit_tests::continuous::{Continuous, continuous_job, full_identity};
use godwit_tests::docs::{assert_documents, documents};
use godwit_tests::migrate::Migration;
use godwit_tests::servers::Target;
use serde_json::{Value, json};

const READINGS: &str = "create table m(id int primary key, sensor text, t timestamptz, v float8);
    insert into m select i, 's' || i % 3, timestamptz '2025-03-01 00:00+00' + i * interval '1 minute', i
        from generate_series(1, 500) i";
const STAGING: &str = "readings.godwit_staging";

fn mapping(settings: Value) -> Value {
    spec([coll("readings", "m", "*").with("time_series", settings)])
}

fn by_sensor() -> Value {
    mapping(json!({"timeField": "t", "metaField": "sensor", "granularity": "minutes"}))
}

fn at(minutes: i64) -> bson::DateTime {
    let start = bson::DateTime::parse_rfc3339_str("2025-03-01T00:00:00Z").expect("a time");
    bson::DateTime::from_millis(start.timestamp_millis() + minutes * 60_000)
}

fn reading(id: i32) -> Document {
    doc! {"t": at(id.into()), "sensor": format!("s{}", id % 3), "_id": id, "v": f64::from(id)}
}

/// What MongoDB says of a collection: its type, and its options.
async fn kind(target: &Target, name: &str) -> Option<(String, Document)> {
    let command = doc! {"listCollections": 1, "filter": {"name": name}};
    let answer = target.database.run_command(command).await.expect("the collections");
    let batch = answer.get_document("cursor").and_then(|c| c.get_array("firstBatch"));
    let entry = batch.expect("a batch").first()?.as_document()?.clone();
    let kind = entry.get_str("type").expect("a type").to_owned();
    Some((kind, entry.get_document("options").cloned().unwrap_or_default()))
}

/// Exactly these documents, each once; MongoDB puts time and meta field first.
async fn expect(target: &Target, expected: &[Document]) {
    let (kind, _) = kind(target, "readings").await.expect("the collection");
    assert_eq!(kind, "timeseries");
    let sorted = |mut documents: Vec<Document>| {
        let mut sorted: Vec<Document> = Vec::new();
        documents.sort_by_key(|d| d.get_i32("_id").expect("an id"));
        for document in documents {
            let mut members: Vec<_> = document.into_iter().collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            sorted.push(members.into_iter().collect());
        }
        sorted
    };
    let found = sorted(documents(&target.database, "readings").await);
    assert_documents(&found, &sorted(expected.to_vec()));
    assert_eq!(
        self::kind(target, STAGING).await,
        None,
        "what was collected is still there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn f17_a_snapshot_makes_a_time_series_and_again_the_same() {
    let m = Migration::new(READINGS, by_sensor()).await;
    for _ in 0..2 {
        let job = m.complete().await;
        let told = &job.job_updates.iter().map(|u| u.message.as_str()).collect::<Vec<_>>();
        assert!(told.iter().any(|text| text.contains(STAGING)), "{told:?}");
        assert_eq!(job.statistics.collections[0].documents_now, Some(500));
        expect(&m.target, &(1..=500).map(reading).collect::<Vec<_>>()).await;
    }
    let (_, options) = kind(&m.target, "readings").await.expect("the collection");
    let options = options.get_document("timeseries").expect("its settings");
    assert_eq!(options.get_str("timeField").ok(), Some("t"));
    assert_eq!(options.get_str("metaField").ok(), Some("sensor"));
    assert_eq!(options.get_str("granularity").ok(), Some("minutes"));
    // Without dropping every document would be there twice.
    let kept = m.job().dropping(false);
    let message = m.app.api().create_job(&kept).await.error(422, "target_permission");
    assert!(message.contains("readings"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn f17_a_row_without_a_time_is_an_issue_of_its_row() {
    let m = Migration::new(READINGS, by_sensor()).await;
    m.source
        .run("insert into m values (1001, 's1', null, 1), (1002, 's2', 'infinity', 2)")
        .await;
    let job = m.run(&m.job()).await;
    assert_completed(&job);
    let errors = issues(&job, EventType::Error);
    assert!(errors.contains(&"time_missing public.m t 2".to_owned()), "{errors:?}");
    expect(&m.target, &(1..=500).map(reading).collect::<Vec<_>>()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f17_changes_are_followed_until_the_end() {
    let m = Migration::new(READINGS, by_sensor()).await;
    full_identity(&m.source).await;
    let job = continuous_job(&m);
    let mut c = Continuous::start_job(m, &job).await;
    c.streaming().await;
    c.run(
        "insert into m values (501, 's0', timestamptz '2025-03-01 08:21+00', 501);
         update m set v = -1 where id = 7; update m set t = t + interval '1 day', sensor = 'moved' where id = 8;
         delete from m where id <= 5",
    )
    .await;
    c.settled().await;
    assert_eq!(kind(&c.m.target, "readings").await, None, "it is made at the end");
    c.kill_and_restart().await;
    c.run(
        "insert into m values (502, 's1', timestamptz '2025-03-01 08:22+00', 502);
         update m set t = null where id = 9",
    )
    .await;
    let job = c.complete().await;
    assert_eq!(issues(&job, EventType::Error), ["time_missing public.m t 1"]);
    let mut expected: Vec<Document> = (6..=502).filter(|id| *id != 9).map(reading).collect();
    expected[1].insert("v", -1.0);
    expected[2].insert("t", at(8 + 24 * 60));
    expected[2].insert("sensor", "moved");
    expect(&c.m.target, &expected).await;
}

/// Killed when the time series is made and nobody knows it, and when the store knows it: never twice, never empty.
#[tokio::test(flavor = "multi_thread")]
async fn f17_a_kill_at_the_end_doubles_nothing() {
    for point in ["series", "series-noted"] {
        let mut m = Migration::new(READINGS, by_sensor()).await;
        m.app.hold(point);
        let id = m.app.api().start_job(&m.job()).await;
        m.app.is_held(point).await;
        m.app.kill();
        m.app.let_go(point);
        m.app.restart().await;
        let job = m.app.api().wait_ended(&id, godwit_tests::api::LONG).await;
        assert_completed(&job);
        expect(&m.target, &(1..=500).map(reading).collect::<Vec<_>>()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f17_a_stopped_job_leaves_what_it_has_collected_and_the_next_one_goes_on() {
    let m = Migration::new(READINGS, by_sensor()).await;
    full_identity(&m.source).await;
    let job = continuous_job(&m);
    let c = Continuous::start_job(m, &job).await;
    c.streaming().await;
    let ended = c.abandon().await;
    assert_eq!(ended.status, JobStatus::Cancelled);
    assert_eq!(kind(&c.m.target, "readings").await, None);
    assert_eq!(
        c.m.target
            .database
            .collection::<Document>(STAGING)
            .count_documents(doc! {})
            .await
            .ok(),
        Some(500)
    );
    let job = c.m.run(&c.m.job().dropping(false)).await;
    assert_completed(&job);
    expect(&c.m.target, &(1..=500).map(reading).collect::<Vec<_>>()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f17_what_is_old_expires_and_is_counted_first() {
    let m = Migration::new(
        READINGS,
        mapping(json!({"timeField": "t", "expireAfterSeconds": 1_000_000_000_u64})),
    )
    .await;
    m.complete().await;
    let (_, options) = kind(&m.target, "readings").await.expect("the collection");
    assert_eq!(options.get_i64("expireAfterSeconds").ok(), Some(1_000_000_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn f17_settings_that_cannot_be_are_refused_before_anything_is_written() {
    for (settings, part) in [
        (json!({"timeField": "nothing"}), "nothing"),
        (json!({"timeField": "v"}), "Date"),
        (json!({"timeField": "t", "metaField": "t"}), "differ"),
        (json!({"timeField": "t", "metaField": "_id"}), "_id"),
        (json!({"timeField": "a.b"}), "dot"),
        (json!({"timeField": "t", "expireAfterSeconds": 0}), "gone at once"),
        (
            json!({"timeField": "t", "expireAfterSeconds": 1_u64 << 31}),
            "1700000000",
        ),
        (json!({}), "time"),
    ] {
        let m = Migration::new(READINGS, mapping(settings)).await;
        let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
        assert!(message.contains(part), "{message}");
    }
}

/// Another kind of collection under the name stays, and the job that would take it does not begin, or fails with the name
/// when it is made meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn f17_a_name_that_is_taken() {
    let m = Migration::new(READINGS, by_sensor()).await;
    let theirs = m.target.database.collection::<Document>("readings");
    theirs.insert_one(doc! {"_id": "theirs"}).await.expect("a document");
    let kept = m.job().dropping(false);
    let message = m.app.api().create_job(&kept).await.error(422, "target_permission");
    assert!(message.contains("cannot become a time series"), "{message}");
    theirs.drop().await.expect("gone");
    m.app.hold("chunk");
    let id = m.app.api().start_job(&kept).await;
    m.app.is_held("chunk").await;
    theirs.insert_one(doc! {"_id": "theirs"}).await.expect("a document");
    m.app.let_go("chunk");
    let job = m.app.api().wait_ended(&id, godwit_tests::api::LONG).await;
    assert_eq!(job.status, JobStatus::Failed, "{job:#?}");
    let failure = job.failure_error.expect("a reason");
    assert!(failure.message.contains("readings"), "{}", failure.message);
    assert_documents(
        &documents(&m.target.database, "readings").await,
        &[doc! {"_id": "theirs"}],
    );
}
