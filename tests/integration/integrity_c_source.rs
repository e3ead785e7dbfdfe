//! Groups C, G and H of the integrity cases: the source or the job's own data are not those that the job knows.

use crate::family::{COLD, ROWS, TABLES, family, mapping, stuck_in_the_snapshot, to_proxy};
use crate::integrity_c_log::{needs_resync, starts_again};
use bson::{Document, doc};
use futures_util::TryStreamExt;
use godwit_shared::error::ErrorCode;
use godwit_shared::job::{CdcStatus, JobStatus};
use godwit_tests::api::{LONG, wait_for};
use godwit_tests::continuous::{Continuous, continuous_job, full_identity, left_in_source, lsn};
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{PASSWORD, PrivatePostgres};

/// A streaming job on a server of its own.
async fn streaming(server: &PrivatePostgres) -> Continuous {
    let source = server.database("changing", &format!("{TABLES}{ROWS}")).await;
    full_identity(&source).await;
    let c = Continuous::start(Migration::of(source, mapping()).await).await;
    c.run("update p set n = 'streamed' where id < 10").await;
    confirmed(&c).await;
    c
}

/// Waits until the source knows that everything is applied.
async fn confirmed(c: &Continuous) {
    let end = lsn(&c.log_end().await);
    wait_for("a confirmed position", LONG, || async {
        (lsn(&c.confirmed().await) >= end).then_some(())
    })
    .await;
}

/// C07: the source throws the log away while the rows are copied.
#[tokio::test(flavor = "multi_thread")]
async fn c07_the_snapshot_takes_longer_than_the_log_is_kept() {
    let settings = ["max_slot_wal_keep_size=48MB", "min_wal_size=32MB", "max_wal_size=64MB"];
    let server = PrivatePostgres::start(&settings).await;
    let sql = format!("{TABLES}{ROWS}{COLD} create table noise(i int)");
    let (m, proxy) = to_proxy(server.database("short", &sql).await).await;
    let c = stuck_in_the_snapshot(m, &proxy).await;
    c.run("update p set n = 'during the snapshot' where id < 50").await;
    wait_for("the source to give up the slot", LONG, || async {
        c.run("insert into noise values (1)").await;
        c.run("select pg_switch_wal()").await;
        c.run("checkpoint").await;
        let status = "select wal_status from pg_replication_slots where database = current_database()";
        (c.ask(status).await.as_deref() == Some("lost")).then_some(())
    })
    .await;
    proxy.flow();
    let job = c.api().wait_ended(&c.id, LONG).await;
    let kind = job.failure_error.as_ref().map(|f| f.error_type);
    assert_eq!(
        (job.status, kind),
        (JobStatus::Failed, Some(ErrorCode::ResyncNeeded)),
        "C07: {job:#?}"
    );
    assert_eq!(left_in_source(&c.m.source).await, [""; 0], "C07");
    starts_again(c, "C07").await;
}

/// C23 and G12: what was read from the old primary may never have reached the new one.
#[tokio::test(flavor = "multi_thread")]
async fn c23_the_source_fails_over() {
    let mut server = PrivatePostgres::start(&[]).await;
    let mut c = streaming(&server).await;
    c.m.app.kill();
    server.stop();
    server.keep();
    server.start_again();
    c.reconnect().await;
    c.m.app.restart().await;
    c.streaming().await;
    c.run("update p set n = 'on the old primary alone' where id > 30").await;
    c.settled().await;
    c.m.app.kill();
    server.stop();
    server.put_back();
    server.start_on_a_new_timeline();
    c.reconnect().await;
    c.run("update p set n = 'on the new primary' where id between 20 and 40")
        .await;
    c.m.app.restart().await;
    needs_resync(&c, "C23").await;
    starts_again(c, "C23").await;
}

/// G12: files of the source are put back, and nothing but its own log says so.
#[tokio::test(flavor = "multi_thread")]
async fn g12_the_source_is_what_it_was_before() {
    let mut server = PrivatePostgres::start(&[]).await;
    let mut c = streaming(&server).await;
    c.m.app.kill();
    server.stop();
    server.keep();
    server.start_again();
    c.reconnect().await;
    c.m.app.restart().await;
    c.streaming().await;
    for _ in 0..20 {
        c.run("update c set x = x || 'a change that the source will not know'")
            .await;
    }
    confirmed(&c).await;
    c.m.app.kill();
    server.stop();
    server.put_back();
    server.start_again();
    c.reconnect().await;
    c.run("update p set n = 'since then' where id between 20 and 40").await;
    c.m.app.restart().await;
    needs_resync(&c, "G12").await;
    starts_again(c, "G12").await;
}

/// H14: the same name, another server, and even a slot with the right name is there.
#[tokio::test(flavor = "multi_thread")]
async fn h14_another_server_at_the_same_address() {
    let mut server = PrivatePostgres::start(&[]).await;
    let mut c = streaming(&server).await;
    let slot = c.slot().await;
    let publication = c
        .ask("select pubname::text from pg_publication")
        .await
        .expect("a publication");
    c.m.app.kill();
    server.stop();
    server.start_another();
    let name = c.m.source.name.clone();
    server.database_named(&name, &format!("{TABLES}{ROWS}")).await;
    full_identity(&c.m.source).await;
    c.reconnect().await;
    c.run(&format!(
        "create publication \"{publication}\" for table only p, only c, only g, only k with (publish_via_partition_root = true)"
    ))
    .await;
    c.run(&format!(
        "select pg_create_logical_replication_slot('{slot}', 'pgoutput')"
    ))
    .await;
    c.run("update p set n = 'of another server'").await;
    c.m.app.restart().await;
    let job = needs_resync(&c, "H14").await;
    let message = job.failure_error.expect("why").message;
    assert!(message.contains("another server"), "H14: {message}");
    // What looks as if the job had made it may be gone or not.
    let _ = c
        .sql
        .batch_execute(&format!("select pg_drop_replication_slot('{slot}')"))
        .await;
    let _ = c
        .sql
        .batch_execute(&format!("drop publication \"{publication}\""))
        .await;
    starts_again(c, "H14").await;
}

/// G09: the job's own data are those of yesterday.
#[tokio::test(flavor = "multi_thread")]
async fn g09_the_store_is_restored_from_a_backup() {
    let server = PrivatePostgres::start(&[]).await;
    let mut c = streaming(&server).await;
    c.m.app.kill();
    let backup = all_collections(&c).await;
    c.m.app.restart().await;
    c.streaming().await;
    c.run("update c set x = 'after the backup'").await;
    confirmed(&c).await;
    c.m.app.kill();
    let store = c.m.app.store().await;
    store.drop().await.expect("the store can be dropped");
    for (name, documents) in backup.into_iter().filter(|(_, d)| !d.is_empty()) {
        let collection = store.collection::<Document>(&name);
        collection
            .insert_many(documents)
            .await
            .expect("the backup can be restored");
    }
    c.run("update g set y = 'after the restore'").await;
    c.m.app.restart().await;
    needs_resync(&c, "G09").await;
    starts_again(c, "G09").await;
}

async fn all_collections(c: &Continuous) -> Vec<(String, Vec<Document>)> {
    let store = c.m.app.store().await;
    let mut all = Vec::new();
    for name in store.list_collection_names().await.expect("the store's collections") {
        let cursor = store.collection::<Document>(&name).find(Document::new()).await;
        let documents = cursor.expect("find works").try_collect().await.expect("documents");
        all.push((name, documents));
    }
    all
}

/// G10: whoever is frozen keeps what is his; nobody else takes it over, and he goes on.
#[tokio::test(flavor = "multi_thread")]
async fn g10_a_frozen_server() {
    let server = PrivatePostgres::start(&[]).await;
    let c = streaming(&server).await;
    c.m.app.freeze();
    let error = c.m.app.second_on_the_same_data().await;
    assert!(error.contains("another Godwit"), "G10: {error}");
    c.run("update c set x = 'meanwhile'").await;
    c.m.app.thaw();
    c.wait("to go on", |job| job.cdc_status == CdcStatus::Running).await;
    c.expect_like_snapshot("G10").await;
    c.complete().await;
}

/// A34: rows that the job may not see any more are not gone.
#[tokio::test(flavor = "multi_thread")]
async fn a34_rows_are_hidden_while_the_job_streams() {
    let m = family(ROWS).await;
    let owner = format!("owner_{}", m.source.name);
    m.source
        .run(&format!(
            "create role {owner} login replication password '{PASSWORD}'; alter database \"{}\" owner to {owner};
             alter table p owner to {owner}; alter table c owner to {owner}; alter table g owner to {owner}; alter table k owner to {owner}",
            m.source.name
        ))
        .await;
    let job = continuous_job(&m).as_user(&owner, PASSWORD);
    let c = Continuous::start_job(m, &job).await;
    c.settled().await;
    c.run("alter table p enable row level security; alter table p force row level security; create policy few on p using (id < 10)")
        .await;
    c.run("update p set n = 'hidden' where id in (5, 20); update c set x = 'hidden' where p_id = 30")
        .await;
    wait_for("the right documents, or a word about the table", LONG, || async {
        let job = c.job().await;
        let notice = job.cdc_statistics.as_ref().and_then(|s| s.notice.as_deref());
        let is_told = notice.is_some_and(|n| n.contains("row-level security") || n.contains("row security"));
        (is_told || c.unlike_snapshot().await.is_none()).then_some(())
    })
    .await;
    assert_eq!(
        c.count("ps", doc! {}).await,
        64,
        "A34: documents of hidden rows are gone"
    );
    c.run("alter table p disable row level security; alter table p no force row level security; drop policy few on p")
        .await;
    if c.job().await.cdc_status == CdcStatus::Paused {
        c.resume().await;
    }
    c.soon_like_snapshot("A34, seen again").await;
    c.complete().await;
}
