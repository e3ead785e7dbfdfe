//! What a source lacks for a continuous job is told before anything is made, by the name of the table; the script that
//! comes with it mends all of it, and can be taken back.

use crate::common::{Rule, array, coll, document, reader, refused, spec};
use godwit_shared::preflight::{CheckStatus, PreflightCheck, PreflightReport};
use godwit_tests::api::Job;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{Database, PASSWORD, PrivatePostgres, SUPERUSER};
use serde_json::{Value, json};

const SHOP: &str = "create table orders(id int primary key, v text);
    create table line(id int primary key, order_id int references orders, v text);
    create index on line (order_id)";

fn shop() -> Value {
    spec([coll("orders", "orders", "v").embed([array("lines", "line", "v")])])
}

fn continuous(m: &Migration) -> Job {
    m.job().with("/options/mode", json!("CDC"))
}

fn path(m: &Migration, what: &str, mode: &str) -> String {
    format!("/project/{}/preflight{what}?mode={mode}", m.project)
}

/// The body that the checks are asked with: the source of a job as it is.
fn source_of(job: &Job) -> Value {
    json!({"jdbcConnectionDetails": job.0["jdbcConnectionDetails"]})
}

async fn report_of(m: &Migration, job: &Job) -> PreflightReport {
    let mode = job.0["options"]["mode"].as_str().expect("a mode");
    let body = m.app.api().post(&path(m, "", mode), &source_of(job)).await.ok();
    serde_json::from_value(body.clone()).unwrap_or_else(|e| panic!("not a report: {e}: {body:#}"))
}

async fn script_of(m: &Migration, job: &Job) -> String {
    let mode = job.0["options"]["mode"].as_str().expect("a mode");
    let answer = m.app.api().post(&path(m, "/script", mode), &source_of(job)).await.ok();
    answer.as_str().expect("a text").to_owned()
}

#[track_caller]
fn check<'a>(report: &'a PreflightReport, id: &str) -> &'a PreflightCheck {
    let found = report.checks.iter().find(|c| c.id == id);
    found.unwrap_or_else(|| panic!("no check {id} in {report:#?}"))
}

/// The ids of the checks of a status.
fn ids(report: &PreflightReport, status: CheckStatus) -> Vec<&str> {
    let checks = report.checks.iter().filter(|c| c.status == status);
    checks.map(|c| c.id.as_str()).collect()
}

#[track_caller]
fn assert_ready(report: &PreflightReport) {
    assert_eq!(ids(report, CheckStatus::Failed), [""; 0], "{report:#?}");
    assert!(report.passed);
}

/// Runs a script with psql, as the superuser.
fn run_script(source: &Database, text: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("script.sql");
    std::fs::write(&file, text).expect("the script can be written");
    source.load(&file);
}

/// The part of a script that takes it back.
fn undo_of(script: &str) -> String {
    let (_, undo) = script.split_once("-- Undo").expect("a way back");
    let lines = undo.lines().skip(1).map(|l| l.strip_prefix("-- ").expect("a comment"));
    lines.collect::<Vec<_>>().join("\n")
}

/// `relation: relreplident` of the tables of the schema.
async fn identities(source: &Database) -> Vec<String> {
    let sql = "select relname || ': ' || relreplident::text from pg_class
        where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1";
    let rows = source.connect().await.query(sql, &[]).await.expect("the identities");
    rows.iter().map(|r| r.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_ready() {
    // Slots that nobody reads, as other tests leave them for a while, are told of.
    let server = PrivatePostgres::start(&[]).await;
    let m = Migration::of(server.database("source", SHOP).await, shop()).await;
    m.source.run("alter table line replica identity full").await;
    let report = report_of(&m, &continuous(&m)).await;
    assert_ready(&report);
    assert_eq!(
        ids(&report, CheckStatus::Passed),
        [
            "server_version",
            "wal_level",
            "primary_server",
            "replication_slots",
            "wal_senders",
            "replication_privilege",
            "row_security",
            "select_privilege",
            "logged_tables",
            "generated_columns",
            "replica_identity",
            "publication",
            "join_indexes"
        ]
    );
    assert!(script_of(&m, &continuous(&m)).await.contains("Nothing is missing"));
    // An index of what is needed does as well.
    m.source
        .run(
            "alter table line alter order_id set not null; create unique index wide on line (id, order_id);
             alter table line replica identity using index wide",
        )
        .await;
    assert_ready(&report_of(&m, &continuous(&m)).await);
    assert_ready(&report_of(&m, &m.job().with("/options/mode", json!("CDC_ONLY"))).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_saved_connection_of_the_project() {
    // Two reports are compared: what other tests do in the shared server meanwhile would stand in one of them.
    let server = PrivatePostgres::start(&[]).await;
    let m = Migration::of(server.database("source", SHOP).await, shop()).await;
    let api = m.app.api();
    let message = api.get(&path(&m, "", "CDC")).await.error(400, "invalid_request");
    assert!(message.contains("no saved connection"), "{message}");
    let saved = json!({"name": "shop", "type": "POSTGRESQL", "url": m.source.jdbc_url(), "user": SUPERUSER,
        "password": PASSWORD, "savePassword": true});
    let id = api.post("/connections/jdbc", &saved).await.ok()["id"].clone();
    let project = format!("/project/{}", m.project);
    let mut details = api.get(&project).await.ok();
    let members = details.as_object_mut().expect("a project");
    members.retain(|name, _| ["id", "name", "type", "schemasId", "content"].contains(&name.as_str()));
    members.insert("jdbcId".into(), id.clone());
    api.put(&project, &details).await.ok();
    let report = api.get(&path(&m, "", "CDC")).await.ok();
    assert_eq!(
        (&report["mode"], &report["passed"]),
        (&json!("CDC"), &json!(false)),
        "{report:#}"
    );
    let by_id = json!({"jdbcConnectionDetails": {"existingConnectionId": id}});
    let posted = api.post(&path(&m, "", "CDC"), &by_id).await.ok();
    assert_eq!(posted["checks"], report["checks"]);
    let script = api.get(&path(&m, "/script", "CDC")).await.ok();
    let script = script.as_str().expect("a text");
    assert!(
        script.contains("ALTER TABLE ONLY \"public\".\"line\" REPLICA IDENTITY FULL;"),
        "{script}"
    );
    assert!(!script.contains(PASSWORD), "{script}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_the_checks_from_running_is_an_error() {
    let m = Migration::new(SHOP, shop()).await;
    let api = m.app.api();
    let wrong = continuous(&m).as_user(SUPERUSER, "not it");
    let body = source_of(&wrong);
    api.post(&path(&m, "", "CDC"), &body)
        .await
        .error(502, "source_unreachable");
    api.post(&path(&m, "/script", "CDC"), &body)
        .await
        .error(502, "source_unreachable");
    for mode in ["", "cdc", "EVERYTHING"] {
        let answer = api.post(&path(&m, "", mode), &source_of(&m.job())).await;
        let message = answer.error(400, "invalid_request");
        assert!(message.contains("`mode`"), "{message}");
    }
    api.get("/project/no-such-project/preflight?mode=CDC")
        .await
        .error(404, "not_found");
    m.source.run("drop table line").await;
    api.post(&path(&m, "", "CDC"), &source_of(&m.job()))
        .await
        .error(422, "invalid_mapping");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_column_that_the_old_row_lacks() {
    let m = Migration::new(SHOP, shop()).await;
    let message = refused(&m, &continuous(&m), 422, "preflight_failed").await;
    assert!(
        message.contains("public.line ") && message.contains("order_id"),
        "{message}"
    );
    assert!(!message.contains("public.orders"), "{message}");
    let report = report_of(&m, &continuous(&m)).await;
    assert_eq!(ids(&report, CheckStatus::Failed), ["replica_identity"]);
    let identity = check(&report, "replica_identity");
    assert_eq!(identity.tables, ["public.line"]);
    assert!(identity.can_be_prepared, "{identity:#?}");
    // A snapshot needs nothing of it.
    assert_ready(&report_of(&m, &m.job()).await);
    m.complete().await;
}

/// B39: the identity of the root says nothing of that of its partitions.
#[tokio::test(flavor = "multi_thread")]
async fn a_leaf_of_a_partitioned_table() {
    let m = Migration::new(
        "create table p(id int primary key);
         create table c(id int, k int, p_id int, primary key (id, k)) partition by range (k);
         create table \"c Low\" partition of c for values from (0) to (10);
         create table c_high partition of c for values from (10) to (90) partition by range (k);
         create table c_high_1 partition of c_high for values from (10) to (50);
         create table c_high_2 partition of c_high for values from (50) to (90);
         create index on c (p_id);
         alter table c replica identity full; alter table c_high replica identity full;
         alter table c_high_1 replica identity full",
        json!({"collections": [coll("ps", "p", "").embed([array("cs", "c", "id")]).json()],
            "synthetic": [crate::common::synthetic("c", "p_id", "p", "id")]}),
    )
    .await;
    let message = refused(&m, &continuous(&m), 422, "preflight_failed").await;
    assert!(
        message.contains("public.c Low") && message.contains("public.c_high_2"),
        "{message}"
    );
    let report = report_of(&m, &continuous(&m)).await;
    assert_eq!(
        check(&report, "replica_identity").tables,
        ["public.c Low", "public.c_high_2"]
    );
    run_script(&m.source, &script_of(&m, &continuous(&m)).await);
    assert_ready(&report_of(&m, &continuous(&m)).await);
    // A partition that appears later has an identity of its own again.
    m.source
        .run("create table c_new partition of c for values from (90) to (99)")
        .await;
    let report = report_of(&m, &continuous(&m)).await;
    assert_eq!(check(&report, "replica_identity").tables, ["public.c_new"]);
}

/// C03: in a publication the server would refuse what the application does.
#[tokio::test(flavor = "multi_thread")]
async fn tables_without_a_usable_identity() {
    let m = Migration::new(
        "create table t(a int);
         create table u(id int primary key, t_id int); alter table u replica identity nothing;
         create table deferred(id int, primary key (id) deferrable);
         create table lost(id int not null, a int not null); create unique index lost_id on lost (id, a);
         alter table lost replica identity using index lost_id; drop index lost_id;
         create table custom(id int primary key, a int);
         create table fine(id int primary key, a int)",
        spec([
            coll("t", "t", "*"),
            coll("u", "u", "*"),
            coll("deferred", "deferred", "*"),
            coll("lost", "lost", "*"),
            coll("custom", "custom", "*").with("calc", json!({"_id": "'x' + columns.a"})),
            coll("fine", "fine", "*"),
        ]),
    )
    .await;
    let before = identities(&m.source).await;
    refused(&m, &continuous(&m), 422, "preflight_failed").await;
    let report = report_of(&m, &continuous(&m)).await;
    assert_eq!(ids(&report, CheckStatus::Failed), ["replica_identity"]);
    assert_eq!(
        check(&report, "replica_identity").tables,
        [
            "public.custom",
            "public.deferred",
            "public.lost",
            "public.t",
            "public.u"
        ]
    );
    // Nothing was changed by looking.
    assert_eq!(identities(&m.source).await, before);
    let script = script_of(&m, &continuous(&m)).await;
    run_script(&m.source, &script);
    run_script(&m.source, &script);
    assert_ready(&report_of(&m, &continuous(&m)).await);
    run_script(&m.source, &undo_of(&script));
    let (restored, lost) = (identities(&m.source).await, "lost: n".to_owned());
    let expected: Vec<String> = before
        .iter()
        .map(|i| if i == "lost: i" { lost.clone() } else { i.clone() })
        .collect();
    assert_eq!(restored, expected);
}

/// Tables that give no field move documents as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_table_counts() {
    let server = PrivatePostgres::start(&[]).await;
    let sql = "create table a(id int primary key); create table b(id int primary key, v text);
        create table link(id int primary key, a_id int references a, b_id int references b)";
    let mapping = spec([coll("as", "a", "").embed([array("links", "link", "").embed([document("b", "b", "v")])])]);
    let m = Migration::of(server.database("source", sql).await, mapping).await;
    let report = report_of(&m, &continuous(&m)).await;
    assert_eq!(check(&report, "replica_identity").tables, ["public.link"]);
    // The child is read by its parent's key, and nothing helps with that.
    let indexes = check(&report, "join_indexes");
    assert_eq!(
        (indexes.status, &indexes.tables),
        (CheckStatus::Warning, &vec!["public.link".to_owned()])
    );
    assert!(
        indexes.message.contains("public.link (a_id)") && indexes.message.contains("public.link (b_id)"),
        "{indexes:#?}"
    );
    m.source
        .run("create index on link (a_id); create index on link (b_id, a_id); alter table link replica identity full")
        .await;
    let report = report_of(&m, &continuous(&m)).await;
    assert_eq!(ids(&report, CheckStatus::Warning), [""; 0], "{report:#?}");
    assert_ready(&report);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_are_not_in_the_log() {
    let m = Migration::new(
        "create table p(id int primary key);
         create unlogged table t(id int primary key);
         create table g(id int primary key, a int, p_id int generated always as (a) stored);
         create index on g (p_id); alter table g replica identity full",
        json!({"collections": [coll("t", "t", "*").json(), coll("ps", "p", "").embed([array("gs", "g", "a")]).json()],
            "synthetic": [crate::common::synthetic("g", "p_id", "p", "id")]}),
    )
    .await;
    let version: i32 = (m.source.connect().await)
        .query_one("select current_setting('server_version_num')::int4", &[])
        .await
        .expect("a version")
        .get(0);
    // From then on a publication can hold generated columns that are stored.
    let is_generated_logged = version >= 180_000;
    let message = refused(&m, &continuous(&m), 422, "preflight_failed").await;
    assert!(message.contains("public.t"), "{message}");
    assert_eq!(message.contains("p_id of public.g"), !is_generated_logged, "{message}");
    let report = report_of(&m, &continuous(&m)).await;
    let failed = ids(&report, CheckStatus::Failed);
    let expected = ["logged_tables", "generated_columns"];
    assert_eq!(
        failed,
        expected[..if is_generated_logged { 1 } else { 2 }],
        "{report:#?}"
    );
    assert_eq!(check(&report, "logged_tables").tables, ["public.t"]);
    if !is_generated_logged {
        assert_eq!(check(&report, "generated_columns").tables, ["public.g"]);
    }
    // What consent mends is left out of what is refused, everything else stays.
    m.source.run("alter table g replica identity default").await;
    let message = refused(
        &m,
        &continuous(&m).with("/options/prepareSource", json!(true)),
        422,
        "preflight_failed",
    )
    .await;
    assert!(
        message.contains("unlogged") && !message.contains("replica identity DEFAULT"),
        "{message}"
    );
}

/// The script of a user that may do nothing, run by the superuser, is all that is missing.
#[tokio::test(flavor = "multi_thread")]
async fn the_script_gives_a_plain_user_what_it_needs() {
    let m = Migration::new(
        "create schema \"Other \"\"one\"\"\";
         create table orders(id int primary key, v text);
         create table line(id int primary key, order_id int references orders, v text);
         create index on line (order_id);
         create table \"Other \"\"one\"\"\".\"part's\"(id int, k int, v text, primary key (id, k)) partition by range (k);
         create table part_1 partition of \"Other \"\"one\"\"\".\"part's\" for values from (0) to (9);
         create table heir() inherits (orders);
         create table secret(id int primary key); alter table secret enable row level security",
        json!({"schemas": ["public", "Other \"one\""], "collections": [
            coll("orders", "orders", "v").embed([array("lines", "line", "v")]).json(),
            coll("parts", "Other \"one\".part's", "v").json(),
            coll("secret", "secret", "*").json(),
        ]}),
    )
    .await;
    let user = reader(&m.source, "").await;
    let job = continuous(&m).as_user(&user, PASSWORD);
    let report = report_of(&m, &job).await;
    assert_eq!(
        ids(&report, CheckStatus::Failed),
        [
            "replication_privilege",
            "row_security",
            "select_privilege",
            "replica_identity",
            "publication"
        ],
        "{report:#?}"
    );
    assert!(!check(&report, "replica_identity").can_be_prepared);
    assert_eq!(check(&report, "row_security").tables, ["public.secret"]);
    assert!(
        check(&report, "publication").message.contains("CREATE on the database"),
        "{report:#?}"
    );
    refused(&m, &job, 422, "source_permission").await;
    let (before, script) = (identities(&m.source).await, script_of(&m, &job).await);
    assert!(!script.contains(PASSWORD), "{script}");
    run_script(&m.source, &script);
    run_script(&m.source, &script);
    let report = report_of(&m, &job).await;
    assert_ready(&report);
    let name = format!("godwit_{}", m.project.replace('-', "_"));
    assert!(check(&report, "publication").message.contains(&name), "{report:#?}");
    let sql = "select string_agg(schemaname || '.' || tablename, ' ' order by tablename) from pg_publication_tables where pubname = $1";
    let tables: String = m
        .source
        .connect()
        .await
        .query_one(sql, &[&name])
        .await
        .expect("the publication")
        .get(0);
    assert_eq!(tables, "public.line public.orders public.part_1 public.secret");

    // C09: a table that is not in it would be missed without any sign.
    m.source
        .run(&format!("alter publication \"{name}\" drop table line"))
        .await;
    let message = refused(&m, &job, 422, "preflight_failed").await;
    assert!(
        message.contains("it lacks public.line,") && !message.contains("public.orders"),
        "{message}"
    );
    assert_eq!(check(&report_of(&m, &job).await, "publication").tables, ["public.line"]);
    m.source
        .run(&format!(
            "alter publication \"{name}\" set table only orders, line where (id > 1), only secret, \"Other \"\"one\"\"\".\"part's\";
             alter publication \"{name}\" set (publish = 'insert', publish_via_partition_root = true)"
        ))
        .await;
    let report = report_of(&m, &job).await;
    let message = &check(&report, "publication").message;
    for fault in ["updates, deletes", "publish_via_partition_root", "row filter"] {
        assert!(message.contains(fault), "{fault}: {message}");
    }
    run_script(&m.source, &script_of(&m, &job).await);
    assert_ready(&report_of(&m, &job).await);

    run_script(&m.source, &undo_of(&script));
    assert_eq!(identities(&m.source).await, before);
    let report = report_of(&m, &job).await;
    assert_eq!(ids(&report, CheckStatus::Failed).len(), 5, "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_needs_no_superuser() {
    let m = Migration::new(SHOP, shop()).await;
    let user = reader(&m.source, "alter role $user replication").await;
    let job = continuous(&m).as_user(&user, PASSWORD);
    m.source
        .run(&format!(
            "alter table orders owner to {user}; alter table line owner to {user}"
        ))
        .await;
    let report = report_of(&m, &job).await;
    assert_eq!(ids(&report, CheckStatus::Failed), ["replica_identity", "publication"]);
    assert!(check(&report, "replica_identity").can_be_prepared);
    m.source
        .run(&format!("grant create on database \"{}\" to {user}", m.source.name))
        .await;
    let report = report_of(&m, &job).await;
    assert_eq!(ids(&report, CheckStatus::Failed), ["replica_identity"], "{report:#?}");
    m.source.run("alter table orders owner to postgres").await;
    let message = &check(&report_of(&m, &job).await, "publication").message.clone();
    assert!(message.contains("does not own public.orders"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_snapshot_needs() {
    let m = Migration::new(SHOP, shop()).await;
    let user = reader(&m.source, "grant select on orders to $user").await;
    let job = m.job().as_user(&user, PASSWORD);
    let report = report_of(&m, &job).await;
    assert_eq!(ids(&report, CheckStatus::Failed), ["select_privilege"], "{report:#?}");
    assert_eq!(check(&report, "select_privilege").tables, ["public.line"]);
    run_script(&m.source, &script_of(&m, &job).await);
    assert_ready(&report_of(&m, &job).await);
    let done = m.run(&job).await;
    crate::common::assert_completed(&done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_set_up() {
    let server = PrivatePostgres::start(&[
        "wal_level=replica",
        "max_replication_slots=1",
        "max_wal_senders=0",
        "max_slot_wal_keep_size=64",
    ])
    .await;
    let source = server.database("source", SHOP).await;
    source
        .run("select pg_create_physical_replication_slot('other'); alter table line replica identity full")
        .await;
    let m = Migration::of(source, shop()).await;
    let message = refused(&m, &continuous(&m), 422, "preflight_failed").await;
    for setting in ["wal_level", "max_replication_slots", "max_wal_senders"] {
        assert!(message.contains(setting), "{message}");
    }
    let report = report_of(&m, &continuous(&m)).await;
    assert_eq!(
        ids(&report, CheckStatus::Failed),
        ["wal_level", "replication_slots", "wal_senders"]
    );
    assert_eq!(ids(&report, CheckStatus::Warning), ["retained_log"]);
    assert!(check(&report, "retained_log").message.contains("64 MB"), "{report:#?}");
    let script = script_of(&m, &continuous(&m)).await;
    run_script(&m.source, &script);
    let sql = "select string_agg(name || '=' || setting, ' ' order by name) from pg_file_settings
        where sourcefile like '%auto.conf'";
    let row = m.source.connect().await.query_one(sql, &[]).await.expect("settings");
    assert_eq!(
        row.get::<_, String>(0),
        "max_replication_slots=10 max_wal_senders=10 wal_level=logical"
    );
    assert_ready(&report_of(&m, &m.job()).await);
}

fn filtered(job: &Job, condition: &str) -> Job {
    job.clone()
        .filtered(json!({"public": {"t": {"whereClause": condition}}}))
}

/// A filter of a continuous job may look at its own row alone.
#[tokio::test(flavor = "multi_thread")]
async fn filters_that_only_a_snapshot_can_use() {
    let rule = || -> Rule { coll("t", "t", "*") };
    let m = Migration::new(
        "create table t(id int primary key, v text, d date, at timestamptz, n int);
         insert into t values (1, 'today', '2020-01-01', now(), 1);
         create function own_stable(int) returns int language sql stable as 'select max(id) from t where id < $1';
         create function own_fixed(int) returns int language sql immutable as 'select $1';
         create function own_random(int, int default 1) returns float language sql volatile as 'select random()';
         create schema s; create function s.now() returns int language sql immutable as 'select 1'",
        spec([rule()]),
    )
    .await;
    let job = continuous(&m);
    let refused_filters = [
        ("id in (select 1)", "sub-select"),
        ("exists (table t)", "sub-select"),
        ("d < current_date", "current_date"),
        ("at > LOCALTIMESTAMP(0)", "localtimestamp"),
        ("at < now()", "now"),
        ("at < pg_catalog.\"now\"()", "now"),
        ("at < clock_timestamp()", "clock_timestamp"),
        ("random() < 0.5", "random"),
        ("gen_random_uuid()::text <> v", "gen_random_uuid"),
        ("age(at) > interval '1 day'", "age"),
        ("d >= 'today'", "today"),
        ("at > timestamptz ' Yesterday '", "Yesterday"),
        ("at between 'now' and 'tomorrow'", "now"),
        ("n < own_stable(n)", "own_stable"),
        ("n = own_fixed(n)", "own_fixed"),
        ("s.now() = n", "s.now"),
        ("n < own_random(n)", "own_random"),
        ("pg_is_in_recovery()", "pg_is_in_recovery"),
    ];
    for (filter, named) in refused_filters {
        let message = refused(&m, &filtered(&job, filter), 400, "invalid_request").await;
        assert!(
            message.contains("public.t") && message.contains(named),
            "{filter}: {message}"
        );
    }
    let limited = job.clone().filtered(json!({"public": {"t": {"rowCount": 5}}}));
    let message = refused(&m, &limited, 400, "invalid_request").await;
    assert!(message.contains("limits the number of rows"), "{message}");

    let report = |job: Job| {
        let m = &m;
        async move {
            let mut body = source_of(&job);
            body["relationalTableFilters"] = job.0["relationalTableFilters"].clone();
            let mode = job.0["options"]["mode"].as_str().expect("a mode");
            let report = m.app.api().post(&path(m, "", mode), &body).await.ok();
            serde_json::from_value::<PreflightReport>(report).expect("a report")
        }
    };
    for good in [
        "v = 'today'",
        "v in ('now', 'select') and lower(v) = 'x'",
        "d > '2020-01-01' and date_trunc('day', at) < '2024-01-01'",
        "age(at, '2020-01-01') > interval '1 day'",
        "extract(year from d) = 2024 and coalesce(n, 0) > 1 -- now()",
        "v like E'\\'%' and to_char(at, 'YYYY') = '2024'",
    ] {
        let found = report(filtered(&job, good)).await;
        assert_ready(&found);
        assert_eq!(check(&found, "table_filters").status, CheckStatus::Passed, "{good}");
    }
    for (mode, filter) in [("CDC", "now() > at"), ("SNAPSHOT", "no_such_column = 1")] {
        let job = filtered(&m.job().with("/options/mode", json!(mode)), filter);
        let found = report(job).await;
        assert_eq!(ids(&found, CheckStatus::Failed), ["table_filters"], "{filter}");
        assert_eq!(check(&found, "table_filters").tables, ["public.t"]);
    }
    // A snapshot may look at the clock and at chance.
    crate::common::assert_completed(
        &m.run(&filtered(&m.job(), "at <= now() and random() < 2 and d < current_date"))
            .await,
    );
}
