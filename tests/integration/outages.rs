//! What a job says while a server that it needs is away, and what the lag is then: real servers that are killed and
//! stopped, and a network that is cut.

use crate::common::{array, coll, spec};
use crate::family::{ROWS, TABLES, mapping};
use godwit_shared::job::{CdcStatus, JobStatus, MigrationJobStatus};
use godwit_shared::outage::Dependency;
use godwit_tests::api::{Api, Job, LONG};
use godwit_tests::app::App;
use godwit_tests::continuous::{Continuous, continuous_job, full_identity, lsn};
use godwit_tests::mapping::project_file;
use godwit_tests::migrate::Migration;
use godwit_tests::proxy::{Links, Proxy};
use godwit_tests::servers::{PrivateMongo, PrivatePostgres, servers};
use serde_json::json;

fn is_away(job: &MigrationJobStatus, server: Dependency) -> bool {
    job.outages.iter().any(|outage| outage.server == server)
}

/// How many lines of the log have this code.
fn lines(job: &MigrationJobStatus, code: &str) -> usize {
    job.job_updates.iter().filter(|u| u.error_code == code).count()
}

fn lag(job: &MigrationJobStatus) -> u64 {
    job.cdc_statistics.as_ref().map_or(0, |s| s.lag_ms)
}

/// Every text that a user gets to read of a job.
fn texts(job: &MigrationJobStatus) -> String {
    let reasons = job.outages.iter().map(|o| o.reason.clone());
    let updates = job.job_updates.iter().map(|u| u.message.clone());
    let notices = [
        job.statistics.notice.clone(),
        job.cdc_statistics.as_ref().and_then(|s| s.notice.clone()),
    ];
    reasons
        .chain(updates)
        .chain(notices.into_iter().flatten())
        .collect::<Vec<_>>()
        .join("\n")
}

#[track_caller]
fn assert_plain(job: &MigrationJobStatus) {
    let texts = texts(job);
    for inside in ["Topology", "Kind:", "labels:", "os error", "Server selection"] {
        assert!(!texts.contains(inside), "a driver speaks: {texts}");
    }
}

/// The source is killed while a job streams: the status says so, the lag is unknown and grows, and both end.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_killed() {
    let mut server = PrivatePostgres::start(&[]).await;
    let source = server.database("dies", &format!("{TABLES}{ROWS}")).await;
    full_identity(&source).await;
    let mut c = Continuous::start(Migration::of(source, mapping()).await).await;
    c.run("update p set n = 'before'").await;
    c.settled().await;
    let is_known = |job: &MigrationJobStatus| job.cdc_statistics.as_ref().is_some_and(|s| !s.is_lag_unknown);
    c.wait("a lag of nothing", |job| is_known(job) && lag(job) == 0).await;

    server.stop_at_once();
    let job = c
        .wait("the outage", |job| is_away(job, Dependency::Source) && !is_known(job))
        .await;
    assert_eq!((job.status, job.cdc_status), (JobStatus::Running, CdcStatus::Running));
    let statistics = job.cdc_statistics.as_ref().expect("statistics");
    assert!(
        statistics.last_known_lag.is_some() && !statistics.is_ready_for_cutover,
        "{job:#?}"
    );
    assert!(
        statistics.cutover.as_ref().is_some_and(|c| c.reason.contains("source")),
        "{job:#?}"
    );
    assert_plain(&job);
    let before = lag(&job);
    c.wait("a lag that grows", |job| lag(job) > before + 1_000).await;
    let job = c.job().await;
    assert_eq!(
        (lines(&job, "outage_began"), lines(&job, "outage_ended")),
        (1, 0),
        "{job:#?}"
    );

    server.start_again();
    c.reconnect().await;
    c.run("update p set n = 'after' where id < 9").await;
    c.wait("its end", |job| job.outages.is_empty() && is_known(job)).await;
    c.settled().await;
    let job = c.wait("a lag of nothing", |job| lag(job) == 0).await;
    assert_eq!(
        (lines(&job, "outage_began"), lines(&job, "outage_ended")),
        (1, 1),
        "{job:#?}"
    );
    c.expect_like_snapshot("a source that is killed").await;
    let job = c.complete().await;
    assert_eq!(job.outages, []);
}

/// The same for a network that takes everything and gives nothing: no connection breaks.
#[tokio::test(flavor = "multi_thread")]
async fn a_network_to_the_source_that_hangs() {
    let m = Migration::new(&format!("{TABLES}{ROWS}"), mapping()).await;
    full_identity(&m.source).await;
    let proxy = Proxy::before(m.source.port).await;
    let url = m.source.jdbc_url_at(proxy.port);
    let job = continuous_job(&m).with("/jdbcConnectionDetails/url", json!(url));
    let c = Continuous::start_job(m, &job).await;
    c.settled().await;
    proxy.stick(Links::All);
    c.run("update p set n = 'unseen'").await;
    let job = c.wait("the outage", |job| is_away(job, Dependency::Source)).await;
    assert_plain(&job);
    c.wait("an unknown lag", |job| {
        job.cdc_statistics
            .as_ref()
            .is_some_and(|s| s.is_lag_unknown && s.lag_ms > 0)
    })
    .await;
    proxy.flow();
    c.wait("its end", |job| job.outages.is_empty()).await;
    c.expect_like_snapshot("a network that hangs").await;
    c.complete().await;
}

/// The destination is stopped, then killed, while a job streams. The lag is that of the oldest change that it lacks.
#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_is_stopped_and_killed() {
    let mut mongo = PrivateMongo::start().await;
    let source = servers()
        .await
        .postgres
        .database("stays", &format!("{TABLES}{ROWS}"))
        .await;
    full_identity(&source).await;
    let target = mongo.target_at(mongo.port, "stopped").await;
    let c = Continuous::start(Migration::between(source, target, mapping()).await).await;
    c.settled().await;
    for is_killed in [false, true] {
        if is_killed {
            mongo.kill();
        } else {
            mongo.freeze();
        }
        c.run("update p set n = n || '.'").await;
        let job = c
            .wait("the outage", |job| {
                is_away(job, Dependency::Destination) && lag(job) > 2_000
            })
            .await;
        assert!(
            !job.cdc_statistics.as_ref().is_some_and(|s| s.is_lag_unknown),
            "{job:#?}"
        );
        assert_plain(&job);
        if is_killed {
            mongo.start_again().await;
        } else {
            mongo.thaw();
        }
        c.wait("its end", |job| job.outages.is_empty()).await;
        c.settled().await;
    }
    let job = c.job().await;
    // On a machine that is busy a server may seem away once more.
    let (began, ended) = (lines(&job, "outage_began"), lines(&job, "outage_ended"));
    assert!(began >= 2 && began == ended, "{began} {ended} {job:#?}");
    c.expect_like_snapshot("a destination that was away").await;
    c.complete().await;
}

/// The store is away: the job is shown with that, though nothing of it can be stored.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_stopped() {
    let mongo = PrivateMongo::start().await;
    let app = App::start_on(mongo.uri("store"), &[]).await;
    let source = servers()
        .await
        .postgres
        .database("stays", &format!("{TABLES}{ROWS}"))
        .await;
    full_identity(&source).await;
    let target = servers().await.mongo.target("stays").await;
    let client = source.connect().await;
    let project = app.api().import_project(&project_file(&client, &mapping()).await).await;
    let m = Migration {
        app,
        source,
        target,
        project,
    };
    let c = Continuous::start(m).await;
    mongo.freeze();
    let live = live_until(&c.api(), &c.id, |job| is_away(job, Dependency::Store)).await;
    assert_plain(&live);
    mongo.thaw();
    c.wait("its end", |job| job.outages.is_empty()).await;
    c.expect_like_snapshot("a store that was stopped").await;
    c.complete().await;
}

/// The job as the live channel shows it once it is so: whoever asks the store would wait.
async fn live_until(api: &Api, id: &str, condition: impl Fn(&MigrationJobStatus) -> bool) -> MigrationJobStatus {
    let mut live = api.live().await;
    loop {
        let message = live.next(LONG).await;
        let of_list = message["jobs"].as_array().cloned().unwrap_or_default();
        for job in of_list.into_iter().chain([message["job"].clone()]) {
            let job: Option<MigrationJobStatus> = serde_json::from_value(job).ok();
            if let Some(job) = job.filter(|job| job.id.as_str() == id && condition(job)) {
                return job;
            }
        }
    }
}

/// A pause with a megabyte of changes that are not applied: lag and bytes say so, and grow.
#[tokio::test(flavor = "multi_thread")]
async fn the_lag_of_a_pause() {
    let sql = "create table t(id int primary key, v text); insert into t select i, 'v' from generate_series(1, 100) i";
    let c = Continuous::new(sql, spec([coll("t", "t", "v")])).await;
    c.settled().await;
    c.wait("a lag of nothing", |job| lag(job) == 0).await;
    c.pause().await;
    c.run("insert into t select i, repeat(md5(i::text), 30) from generate_series(1000, 2000) i")
        .await;
    let job = c
        .wait("a lag of a megabyte", |job| {
            job.cdc_statistics
                .as_ref()
                .is_some_and(|s| s.lag_bytes > 1_000_000 && s.lag_ms > 0)
        })
        .await;
    let statistics = job.cdc_statistics.as_ref().expect("statistics");
    let position = lsn(statistics.position.as_deref().expect("a position"));
    // Others write to the log of this server too.
    let end = lsn(&c.log_end().await);
    assert!(statistics.lag_bytes <= end - position, "{statistics:#?}");
    let reason = statistics.cutover.as_ref().map(|c| c.reason.clone());
    assert_eq!(reason.as_deref(), Some("the job is paused"));
    let first = lag(&job);
    let job = c.wait("a lag that grows", |job| lag(job) >= first + 1_500).await;
    assert_eq!(lines(&job, "job_paused"), 1, "{job:#?}");
    // By the clock of the source: not more than the age of the whole backlog.
    let age = "select (extract(epoch from clock_timestamp() - pg_xact_commit_timestamp(xmin)) * 1000)::int8::text from t where id = 1000";
    if let Ok(row) = c.sql.query_one(age, &[]).await {
        let age: i64 = row.get::<_, String>(0).parse().expect("a number");
        assert!(lag(&job) <= u64::try_from(age).expect("in the past") + 5_000);
    }
    c.resume().await;
    c.settled().await;
    c.wait("a lag of nothing", |job| lag(job) == 0).await;
    let job = c.complete().await;
    assert_eq!(lines(&job, "job_resumed"), 1, "{job:#?}");
}

/// Rows of the source, rows read, documents written, documents there: each is what SQL and MongoDB say.
#[tokio::test(flavor = "multi_thread")]
async fn figures_are_those_of_source_and_destination() {
    let sql = "create table customer(id int primary key, name text);
        create table orders(id int primary key, customer_id int references customer);
        create index on orders(customer_id);
        insert into customer select i, 'c' || i from generate_series(1, 120) i;
        insert into orders select i, i % 120 + 1 from generate_series(1, 400) i";
    let customer = coll("orders", "orders", "id").embed([crate::common::document("customer", "customer", "name")]);
    let customers = coll("customers", "customer", "name").embed([array("orders", "orders", "id")]);
    let c = Continuous::new(sql, spec([customers, customer])).await;
    c.settled().await;
    let job = c.job().await;
    for (table, rows) in [("public.customer", 120), ("public.orders", 400)] {
        let progress = job
            .statistics
            .tables
            .iter()
            .find(|t| t.table == table)
            .expect("the table");
        assert_eq!(progress.rows_in_scope, Some(rows), "{table}");
        assert!(progress.rows_read >= rows, "{table}: {progress:?}");
    }
    // They go on while changes are followed.
    c.run("delete from orders where id <= 50; insert into customer select i, 'c' from generate_series(201, 230) i")
        .await;
    c.settled().await;
    for (collection, sql) in [
        ("customers", "select count(*)::text from customer"),
        ("orders", "select count(*)::text from orders"),
    ] {
        let rows: u64 = c.ask(sql).await.and_then(|n| n.parse().ok()).expect("a number");
        let documents = c.count(collection, bson::doc! {}).await;
        assert_eq!(documents, rows, "{collection}");
        let of = |job: &MigrationJobStatus| {
            let found = job.statistics.collections.iter().find(|p| p.collection == collection);
            found.cloned().expect("the collection")
        };
        let job = c
            .wait("the count", |job| of(job).documents_now == Some(documents))
            .await;
        let progress = of(&job);
        let (rebuilt, deleted) = (progress.documents_rebuilt, progress.documents_deleted);
        assert_eq!(deleted, if collection == "orders" { 50 } else { 0 }, "{progress:?}");
        assert!(rebuilt >= 30, "{progress:?}");
    }
    let job = c.complete().await;
    let now: u64 = job.statistics.collections.iter().filter_map(|p| p.documents_now).sum();
    assert_eq!(now, 150 + 350, "{job:#?}");
}

/// A filter of the job makes the scope smaller, and so the figure.
#[tokio::test(flavor = "multi_thread")]
async fn the_scope_is_what_the_filter_lets_through() {
    let sql = "create table t(id int primary key, v text); insert into t select i, 'v' from generate_series(1, 100) i";
    let m = Migration::new(sql, spec([coll("t", "t", "v")])).await;
    let job: Job = m.job().filtered(json!({"public": {"t": {"whereClause": "id <= 30"}}}));
    let job = m.run(&job).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    let collection = &job.statistics.collections[0];
    assert_eq!(job.statistics.tables[0].rows_in_scope, Some(30));
    assert_eq!(
        (
            collection.documents_written,
            collection.documents_now,
            collection.root_rows
        ),
        (30, Some(30), 30)
    );
}

/// Charts know the whole job, also after a restart, while it runs and when it has ended.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_measured_outlives_the_process() {
    let sql = "create table t(id int primary key, v text); insert into t select i, 'v' from generate_series(1, 100) i";
    let mut c = Continuous::new(sql, spec([coll("t", "t", "v")])).await;
    c.run("insert into t select i, 'w' from generate_series(101, 200) i")
        .await;
    c.settled().await;
    c.complete().await;
    let path = format!("/jobs/{}/samples", c.id);
    let samples = async |c: &Continuous| {
        let answer = c.api().get(&path).await.ok();
        answer["samples"].as_array().expect("samples").clone()
    };
    let before = samples(&c).await;
    assert!(before.len() > 1, "{before:#?}");
    c.kill_and_restart().await;
    // The last of them may have come a moment before the end of the process.
    let kept = &before[..before.len() - 1];
    assert_eq!(samples(&c).await[..kept.len()], *kept);
    // A new name is no measurement.
    let label = format!("/jobs/{}/label", c.id);
    c.api().put(&label, &json!({"name": "n"})).await.ok();
    assert_eq!(samples(&c).await[..kept.len()], *kept);
}
