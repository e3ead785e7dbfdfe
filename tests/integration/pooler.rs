//! Connection poolers: what reads through one leaves no trace in it, and one that gives no sessions is refused.

use crate::common::{array, coll, refused, spec};
use godwit_shared::job::{JobStatus, MigrationJobStatus};
use godwit_tests::api::{Job, LONG, wait_for};
use godwit_tests::continuous::continuous_job;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{PASSWORD, Pooler, SUPERUSER};
use serde_json::{Value, json};

const TABLES: &str = "create table p(id int primary key, n text); create table c(id int primary key, p_id int references p);
    create index on c(p_id); alter table c replica identity full;
    insert into p select i, repeat('n', 200) from generate_series(1, 3000) i; insert into c select i, i from generate_series(1, 3000) i";

fn mapping() -> Value {
    spec([coll("ps", "p", "n").embed([array("cs", "c", "id")])])
}

/// Settings that would harm whoever gets the connection next.
const SETTINGS: &str =
    "select concat_ws(' ', current_setting('default_transaction_read_only'), current_setting('lock_timeout'),
    current_setting('statement_timeout'), current_setting('row_security'), current_setting('intervalstyle'),
    current_setting('idle_in_transaction_session_timeout'), current_setting('extra_float_digits'),
    (select count(*) from pg_prepared_statements), pg_backend_pid())";

/// What the connections of a pooler are set to, each once, as other clients find them.
async fn settings_in(pooler: &Pooler, database: &str) -> Vec<String> {
    let mut clients = Vec::new();
    for _ in 0..20 {
        let connected = connect_plain(pooler.port, database).await;
        clients.push(connected);
    }
    let mut found = Vec::new();
    for client in &clients {
        // All at once, so that each has a connection of its own.
        client.batch_execute("begin").await.expect("a transaction");
    }
    for client in &clients {
        let rows = client.simple_query(SETTINGS).await.expect("the settings");
        for row in rows {
            if let tokio_postgres::SimpleQueryMessage::Row(row) = row {
                let text = row.get(0).expect("a text").to_owned();
                found.push(text.rsplit_once(' ').expect("a process").0.to_owned());
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

async fn connect_plain(port: u16, database: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::Config::new()
        .host("127.0.0.1")
        .port(port)
        .dbname(database)
        .user(SUPERUSER)
        .password(PASSWORD)
        .connect(tokio_postgres::NoTls)
        .await
        .expect("the pooler answers");
    tokio::spawn(connection);
    client
}

const UNTOUCHED: [&str; 1] = ["off 0 0 on postgres 0 1 0"];

fn through(m: &Migration, pooler: &Pooler) -> Job {
    m.job()
        .with("/jdbcConnectionDetails/url", json!(m.source.jdbc_url_at(pooler.port)))
}

async fn ended(m: &Migration, job: &Job) -> MigrationJobStatus {
    let api = m.app.api();
    let id = api.start_job(job).await;
    api.wait_ended(&id, LONG).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_gives_no_sessions_is_refused_and_left_as_it_was() {
    let m = Migration::new(TABLES, mapping()).await;
    for settings in [
        &["pool_mode = transaction"][..],
        &["pool_mode = transaction", "server_round_robin = 1", "min_pool_size = 2"],
        &["pool_mode = transaction", "default_pool_size = 1"],
        &["pool_mode = statement"],
    ] {
        let pooler = Pooler::before(&m.source, settings);
        let message = refused(&m, &through(&m, &pooler), 502, "source_unreachable").await;
        assert!(
            message.contains("pooler") && message.contains("session"),
            "{settings:?}: {message}"
        );
        let message = refused(
            &m,
            &through(&m, &pooler).with("/options/mode", json!("CDC")),
            502,
            "source_unreachable",
        )
        .await;
        assert!(message.contains("pooler"), "{settings:?}: {message}");
        if settings.contains(&"pool_mode = statement") {
            continue;
        }
        let count = if settings.contains(&"default_pool_size = 1") {
            1
        } else {
            20
        };
        let found = match count {
            1 => {
                let rows = connect_plain(pooler.port, &m.source.name).await;
                let rows = rows.simple_query(SETTINGS).await.expect("the settings");
                let row = rows.iter().find_map(|r| match r {
                    tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
                    _ => None,
                });
                vec![row.expect("a row").rsplit_once(' ').expect("a process").0.to_owned()]
            }
            _ => settings_in(&pooler, &m.source.name).await,
        };
        assert_eq!(found, UNTOUCHED, "{settings:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_a_pooler_are_put_in_order() {
    let m = Migration::new(TABLES, mapping()).await;
    let pooler = Pooler::before(&m.source, &["pool_mode = session", "default_pool_size = 60"]);
    let job = ended(&m, &through(&m, &pooler)).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    let put_in_order = async |what: &str| {
        wait_for(what, LONG, || async {
            let found = settings_in(&pooler, &m.source.name).await;
            (found == UNTOUCHED).then_some(())
        })
        .await;
    };
    put_in_order("order after a job").await;
    // One that is stopped in the middle of what it reads.
    let id = m.app.api().start_job(&through(&m, &pooler)).await;
    m.app.api().act(&id, "stop").await;
    m.app.api().wait_ended(&id, LONG).await;
    put_in_order("order after a stop").await;
    // One whose mapping cannot be read: it fails half way.
    m.source.run("alter table c rename to c_away").await;
    let answer = m.app.api().create_job(&through(&m, &pooler)).await;
    assert_ne!(answer.status, 200, "{answer:?}");
    put_in_order("order after a refusal").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_change_log_does_not_come_through_a_pooler() {
    let m = Migration::new(TABLES, mapping()).await;
    let pooler = Pooler::before(&m.source, &["pool_mode = session", "default_pool_size = 60"]);
    let url = m.source.jdbc_url_at(pooler.port);
    let job = continuous_job(&m).with("/jdbcConnectionDetails/url", json!(url));
    let message = refused(&m, &job, 422, "preflight_failed").await;
    assert!(
        message.contains("pooler") && message.contains("change log"),
        "{message}"
    );
    assert_eq!(godwit_tests::continuous::left_in_source(&m.source).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_is_used_up_is_told() {
    let m = Migration::new(TABLES, mapping()).await;
    let pooler = Pooler::before(&m.source, &["pool_mode = session", "default_pool_size = 1"]);
    let url = format!("{}&connectTimeout=3", m.source.jdbc_url_at(pooler.port));
    let job = m.job().with("/jdbcConnectionDetails/url", json!(url));
    let message = m.app.api().create_job(&job).await.error(502, "source_unreachable");
    assert!(
        message.contains("no more connections") && message.contains("pooler"),
        "{message}"
    );
}
