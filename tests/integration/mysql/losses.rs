//! C07, C22, C26: a log that is not there any more, or is another one; servers that go and come; and the checks before.

use super::following::Following;
use crate::common::{array, coll, spec};
use godwit_shared::job::JobStatus;
use godwit_tests::api::{LONG, wait_for};
use godwit_tests::servers::{Family, PrivateMySql};
use godwit_tests::writers::Numbers;
use mysql_async::prelude::Queryable;
use serde_json::{Value, json};

const TABLES: &str = "create table p(id int primary key, n varchar(100));
    create table c(id int primary key, p_id int, x varchar(100), foreign key (p_id) references p (id) on delete cascade)";

fn mapping() -> Value {
    spec([coll("ps", "$.p", "n").embed([array("cs", "$.c", "id x")])])
}

/// A server of its own, for what would disturb others.
async fn on_private(options: &[&str], family: Family) -> (PrivateMySql, Following) {
    let server = PrivateMySql::start(family, options).await;
    let f = Following::new(&server, family, "private", TABLES, &mapping()).await;
    f.streaming().await;
    (server, f)
}

async fn resync_needed(f: &Following, reason: &str) {
    let job = f.api().wait_ended(&f.id, LONG).await;
    let error = job.failure_error.as_ref().map(|e| format!("{e:?}")).unwrap_or_default();
    assert_eq!(job.status, JobStatus::Failed, "{job:#?}");
    assert!(error.contains(reason), "{:?}: {error}", f.family);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_purged_is_a_loss_that_is_told() {
    for family in Family::ALL {
        let (_server, f) = on_private(&[], family).await;
        f.run("insert into p values (1, 'P')").await;
        f.settled().await;
        f.pause().await;
        f.run("insert into p values (2, 'Q'); flush binary logs; insert into p values (3, 'R'); flush binary logs")
            .await;
        let (number, _) = f.log_end().await;
        // A file stays as long as somebody reads it, and the server notices late that nobody does.
        wait_for("the purge", LONG, || async {
            f.run(&format!("purge binary logs to 'bin.{number:06}'")).await;
            (f.log_files().await == 1).then_some(())
        })
        .await;
        f.api().act(&f.id, "resume").await.ok();
        resync_needed(&f, "does not reach back").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_started_anew_is_another_one() {
    for family in Family::ALL {
        let (_server, f) = on_private(&[], family).await;
        f.run("insert into p values (1, 'P')").await;
        f.settled().await;
        f.pause().await;
        // A second has to pass: files are told apart by the second in which they were made.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        f.run("reset master").await;
        // The new file reaches farther than the position in the old one.
        let rows: String = (10..60)
            .map(|n| format!("insert into p values ({n}, 'again'); "))
            .collect();
        f.run(&rows).await;
        f.api().act(&f.id, "resume").await.ok();
        resync_needed(&f, "started anew").await;
    }
}

/// The source and the product die at any time, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn servers_die_in_the_middle() {
    // Otherwise the engine loses what the log has told already, and no change tells of it.
    let durable = ["--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1"];
    for family in Family::ALL {
        let (mut server, mut f) = on_private(&durable, family).await;
        let mut numbers = Numbers(7);
        for round in 0..3 {
            let changes: String = (0..100).map(|_| change(&mut numbers)).collect();
            f.run(&changes).await;
            f.app.kill();
            let changes: String = (0..100).map(|_| change(&mut numbers)).collect();
            f.run(&changes).await;
            f.app.restart().await;
            f.streaming().await;
            server.kill();
            server.start_again().await;
            f.connect_again(&server).await;
            f.run(&format!("insert into p values ({}, 'after')", 1_000 + round))
                .await;
            f.like_snapshot("after a kill").await;
        }
        f.complete().await;
    }
}

/// Without GTIDs MySQL proves nothing, and a lock does.
#[tokio::test(flavor = "multi_thread")]
async fn mysql_without_gtids_is_read_under_a_lock() {
    let (_server, f) = on_private(&["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"], Family::MySql).await;
    let mut numbers = Numbers(3);
    for _ in 0..10 {
        let changes: String = (0..30).map(|_| change(&mut numbers)).collect();
        f.run(&changes).await;
    }
    f.like_snapshot("without GTIDs").await;
    f.complete().await;
}

/// C27: the server decrypts its log for who reads it.
#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_log_is_read_like_any_other() {
    let keys = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(keys.path(), format!("1;{}\n", "5a".repeat(32))).expect("it is written");
    let file = format!("--file-key-management-filename={}", keys.path().display());
    let options = ["--plugin-load-add=file_key_management", &file, "--encrypt-binlog=1"];
    let (_server, f) = on_private(&options, Family::MariaDb).await;
    f.run("insert into p values (1, 'P'); insert into c values (1, 1, 'x'); flush binary logs; update p set n = 'Q'")
        .await;
    f.like_snapshot("encrypted").await;
    f.complete().await;
}

fn change(numbers: &mut Numbers) -> String {
    let (p, c, other) = (numbers.up_to(20), numbers.up_to(60), numbers.up_to(20));
    let value = numbers.up_to(1_000);
    match numbers.up_to(8) {
        1 | 2 => format!("replace into p values ({p}, 'n{value}'); "),
        3 => format!("delete from p where id = {p}; "),
        4 | 5 => format!(
            "insert into c select {c}, id, 'x{value}' from p where id = {p} on duplicate key update p_id = values(p_id); "
        ),
        6 => format!("update c set p_id = {other} where id = {c} and exists (select 1 from p where id = {other}); "),
        7 => format!("delete from c where id = {c}; "),
        _ => format!(
            "begin; update p set n = concat(n, '.') where id = {p}; update c set x = 'y{value}' where p_id = {p}; commit; "
        ),
    }
}

/// Several writers at once, who also delete parents whose children go with them.
#[tokio::test(flavor = "multi_thread")]
async fn writers_of_several_sessions_lose_nothing() {
    for family in Family::ALL {
        let server = family.server().await;
        let f = Following::new(server, family, "load", TABLES, &mapping()).await;
        let mut tasks = tokio::task::JoinSet::new();
        for seed in 0..4 {
            let database = f.database.clone();
            tasks.spawn(async move {
                let mut numbers = Numbers(seed);
                let mut conn = server.connect("root", &database).await.expect("a connection");
                for _ in 0..400 {
                    let statements = change(&mut numbers);
                    for statement in statements.split(';').filter(|s| !s.trim().is_empty()) {
                        // Deadlocks are rolled back, as they are in life.
                        let _ = conn.query_drop(statement).await;
                    }
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.expect("a writer does not panic");
        }
        f.like_snapshot("load").await;
        let job = f.complete().await;
        assert_eq!(job.statistics.errors, 0, "{:#?}", job.job_updates);
    }
}

/// What a user lacks is told before a job is made, and what it lacks no more makes it run.
#[tokio::test(flavor = "multi_thread")]
async fn rights_are_checked_before_the_start() {
    for family in Family::ALL {
        let server = family.server().await;
        let mut f = Following::prepared(server, family, "rights", TABLES, &mapping()).await;
        let user = format!("u{}", f.database.rsplit('_').next().expect("a number"));
        f.run(&format!(
            "create user '{user}'@'%'; grant select on `{}`.* to '{user}'@'%'",
            f.database
        ))
        .await;
        f.details["user"] = json!(user);
        let report = f.api().create_job(&f.continuous()).await.error(422, "preflight_failed");
        assert!(report.contains("REPLICATION"), "{family:?}: {report}");
        f.run(&format!(
            "grant replication slave, replication client on *.* to '{user}'@'%'"
        ))
        .await;
        f.id = f.api().start_job(&f.continuous()).await;
        f.streaming().await;
        f.run("insert into p values (1, 'P'); insert into c values (1, 1, 'x'); delete from p")
            .await;
        f.run("insert into p values (2, 'P'); insert into c values (1, 2, 'x')")
            .await;
        f.like_snapshot("with few rights").await;
        f.complete().await;
    }
}
