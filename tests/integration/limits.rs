//! Limits and refusals of the servers: told in a sentence, within seconds, instead of a job that looks as if it ran.

use crate::common::{array, assert_completed, coll, refused, spec};
use godwit_shared::job::{CdcStatus, EventType, JobStatus};
use godwit_tests::api::{Job, LONG};
use godwit_tests::continuous::{Continuous, continuous_job, full_identity};
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{PASSWORD, PrivatePostgres};
use serde_json::{Value, json};

/// Large enough for several chunks, with children that are asked for by key.
const TABLES: &str = "create table p(id int primary key, n text); create table c(id int primary key, p_id int references p);
    create index on c(p_id);
    insert into p select i, repeat('n', 900) from generate_series(1, 50000) i; insert into c select i, i from generate_series(1, 50000) i;
    analyze";

fn mapping() -> Value {
    spec([coll("ps", "p", "n").embed([array("cs", "c", "id")])])
}

/// A user who may have so many connections.
async fn limited(m: &Migration, connections: u32) -> String {
    let name = format!("limited_{}_{connections}", m.source.name);
    m.source
        .run(&format!(
            "create role {name} login replication connection limit {connections} password '{PASSWORD}';
             grant select on all tables in schema public to {name};
             grant create on database \"{}\" to {name}; alter table p owner to {name}; alter table c owner to {name}",
            m.source.name
        ))
        .await;
    name
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_few_connections_reads_with_fewer_workers() {
    let m = Migration::new(TABLES, mapping()).await;
    // Two workers of two connections each take five with the one that holds the point in time.
    for connections in [3, 4] {
        let user = limited(&m, connections).await;
        let job = m.run(&m.job().as_user(&user, PASSWORD)).await;
        assert_completed(&job);
        assert_eq!(job.statistics.documents_written, 50_000);
        let told: Vec<&str> = (job.job_updates.iter())
            .map(|u| u.message.as_str())
            .filter(|m| m.contains("workers read instead of"))
            .collect();
        assert_eq!(told.len(), 1, "{connections}: {:#?}", job.job_updates);
        assert!(
            told[0].contains(&user) || told[0].contains("too many connections"),
            "{told:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_too_few_connections_says_so() {
    let m = Migration::new(TABLES, mapping()).await;
    let user = limited(&m, 1).await;
    let job = m.job().as_user(&user, PASSWORD);
    let id = m.app.api().start_job(&job).await;
    let told = m
        .app
        .api()
        .wait_job(&id, "the reason in its log", LONG, |job| {
            let is_told = |u: &godwit_shared::job::JobUpdate| u.message.contains("gives no more connections");
            job.status.is_ended() || job.job_updates.iter().any(is_told)
        })
        .await;
    assert_eq!(told.status, JobStatus::Running, "{told:#?}");
    // It goes on by itself when there are enough.
    m.source.run(&format!("alter role {user} connection limit 10")).await;
    let job = m.app.api().wait_ended(&id, LONG).await;
    assert_completed(&job);
    // None at all: the job is not even made.
    m.source.run(&format!("alter role {user} connection limit 0")).await;
    let message = m.app.api().create_job(&m.job().as_user(&user, PASSWORD)).await;
    let message = message.error(502, "source_unreachable");
    assert!(message.contains("gives no more connections"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_continuous_job_with_few_connections_goes_on_more_slowly() {
    let server = PrivatePostgres::start(&[]).await;
    let m = Migration::of(server.database("source", TABLES).await, mapping()).await;
    full_identity(&m.source).await;
    let user = limited(&m, 7).await;
    let job = continuous_job(&m).as_user(&user, PASSWORD);
    let c = Continuous::start_job(m, &job).await;
    c.run("update p set n = n || '+'; delete from c where id % 3 = 0").await;
    c.expect_like_snapshot("few connections").await;
    // Fewer than it has open already: it waits, says why, and goes on when it may.
    c.pause().await;
    c.run(&format!("alter role {user} connection limit 0")).await;
    c.run("update p set n = 'again' where id < 500").await;
    c.api().act(&c.id, "resume").await.ok();
    c.wait("the reason", |job| {
        let notice = job.cdc_statistics.as_ref().and_then(|s| s.notice.as_deref());
        let is_told = |u: &godwit_shared::job::JobUpdate| u.message.contains("gives no more connections");
        notice.is_some_and(|n| n.contains("gives no more connections")) && job.job_updates.iter().any(is_told)
    })
    .await;
    c.run(&format!("alter role {user} connection limit 20")).await;
    c.wait("changes to be followed", |job| job.cdc_status == CdcStatus::Running)
        .await;
    c.soon_like_snapshot("after the limit").await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pg_hba_refuses_is_no_wrong_password() {
    let server = PrivatePostgres::start(&[]).await;
    let m = Migration::of(
        server
            .database("source", "create table p(id int primary key, n text)")
            .await,
        spec([coll("ps", "p", "n")]),
    )
    .await;
    server.write_hba(
        "host all kept_out 127.0.0.1/32 reject\nhost all postgres 127.0.0.1/32 scram-sha-256\n\
         host all no_login 127.0.0.1/32 scram-sha-256\n",
    );
    m.source
        .run(&format!(
            "create role kept_out login password '{PASSWORD}'; create role unknown_here login password '{PASSWORD}';
             create role no_login password '{PASSWORD}'; select pg_reload_conf()"
        ))
        .await;
    let check = async |user: &str, password: &str| -> String {
        godwit_tests::api::wait_for("the new rules", LONG, || async {
            let answer = m.app.api().create_job(&m.job().as_user(user, password)).await;
            (answer.status == 502).then(|| answer.error(502, "source_unreachable"))
        })
        .await
    };
    for user in ["kept_out", "unknown_here"] {
        let message = check(user, PASSWORD).await;
        assert!(
            message.contains("pg_hba.conf") && !message.contains("password"),
            "{user}: {message}"
        );
    }
    let message = check("no_login", PASSWORD).await;
    assert!(message.contains("not permitted to log in"), "{message}");
    let message = check("postgres", "wrong").await;
    assert!(message.contains("password is wrong"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_is_read_where_it_is_written() {
    let m = Migration::new("create table p(id int primary key); insert into p values (1)", {
        spec([coll("ps", "p", "")])
    })
    .await;
    for mode in ["secondary", "nearest"] {
        let uri = format!("{}&readPreference={mode}", m.target.uri);
        let job = m.run(&with_uri(&m, &uri)).await;
        assert_completed(&job);
        let told = job.job_updates.iter().find(|u| u.message.contains("readPreference"));
        assert_eq!(
            told.map(|u| u.event_type),
            Some(EventType::Info),
            "{:#?}",
            job.job_updates
        );
    }
}

fn with_uri(m: &Migration, uri: &str) -> Job {
    m.job().with("/mongodbConnectionDetails/connectionString", json!(uri))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_destination_does_not_support_is_refused_before_the_start() {
    let m = Migration::new("create table p(id int primary key); insert into p values (1)", {
        spec([coll("ps", "p", "")])
    })
    .await;
    for (options, words) in [
        ("w=2", "w=2"),
        ("w=5&wtimeoutMS=100", "w=5"),
        ("w=60", "w=60"),
        ("w=nobody", "w=nobody"),
        ("readConcernLevel=snapshot", "snapshot"),
        ("readConcernLevel=bogus", "readConcern"),
        ("compressors=lz4", "compressor"),
    ] {
        let uri = format!("{}&{options}", m.target.uri);
        let message = refused(&m, &with_uri(&m, &uri), 400, "invalid_request").await;
        assert!(message.contains(words), "{options}: {message}");
    }
    for options in [
        "w=1",
        "w=majority&journal=true",
        "readConcernLevel=majority",
        "w=1&wtimeoutMS=5000",
    ] {
        let uri = format!("{}&{options}", m.target.uri);
        assert_completed(&m.run(&with_uri(&m, &uri)).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_of_the_server_are_no_destination() {
    let m = Migration::new("create table p(id int primary key); insert into p values (1)", {
        spec([coll("ps", "p", "")])
    })
    .await;
    for name in ["admin", "local", "config"] {
        let uri = m.target.uri.replace(m.target.database.name(), name);
        let message = refused(&m, &with_uri(&m, &uri), 400, "invalid_request").await;
        assert!(
            message.contains(name) && message.contains("belongs to MongoDB"),
            "{message}"
        );
        let job = m.job().with("/mongodbConnectionDetails/database", json!(name));
        let message = refused(&m, &job, 400, "invalid_request").await;
        assert!(message.contains(name), "{message}");
    }
}
