//! Group B of the integrity cases: documents that are read ahead of the log, and writes that come late. The job is held
//! at points where it hardly ever stands by itself.

use crate::family::{EMPTY, streaming_family};
use bson::{Document, doc};
use godwit_tests::api::{LONG, wait_for};
use godwit_tests::continuous::Continuous;

const ROWS: &str = "insert into k values (5, 'v'); insert into p values (1, 'one'), (2, 'two'), (3, 'three');
    insert into c values (10, 1, 'x', 5);";

/// Holds the log after `first`, commits `unseen`, and lets the job apply `first` in a point in time that holds both: its
/// documents are ahead of the log then.
async fn read_ahead(c: &Continuous, first: &str, unseen: &str, is_read: Document) {
    c.settled().await;
    c.m.app.hold("point");
    c.run(first).await;
    c.m.app.is_held("point").await;
    c.m.app.hold("log");
    c.m.app.is_held("log").await;
    c.run(unseen).await;
    c.m.app.let_go("point");
    let shown = is_read.to_string();
    wait_for(&format!("a document read ahead: {shown}"), LONG, || async {
        (c.count("ps", is_read.clone()).await == 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b12_a_child_that_passes_through_a_parent() {
    let c = streaming_family(ROWS).await;
    read_ahead(
        &c,
        "update p set n = 'touched' where id = 2",
        "update c set p_id = 2 where id = 10",
        doc! {"_id": 2, "cs.id": 10},
    )
    .await;
    c.run("update p set n = 'again' where id = 2").await;
    c.run("update c set p_id = 3 where id = 10").await;
    c.m.app.let_go("log");
    c.settled().await;
    let child = doc! {"id": 10, "x": "x", "gs": [], "k": {"v": "v"}};
    let expected = vec![
        doc! {"_id": 1, "n": "one", "cs": []},
        doc! {"_id": 2, "n": "again", "cs": []},
        doc! {"_id": 3, "n": "three", "cs": [child]},
    ];
    c.expect("B12", &[("ps", expected)]).await;
    c.expect_like_snapshot("B12").await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b13_inserted_and_deleted_in_one_batch() {
    let c = streaming_family(ROWS).await;
    read_ahead(
        &c,
        "update p set n = 'touched' where id = 1",
        "insert into c values (50, 1, 'short', 5)",
        doc! {"_id": 1, "cs.id": 50},
    )
    .await;
    c.run("delete from c where id = 50").await;
    c.m.app.let_go("log");
    c.settled().await;
    assert_eq!(c.count("ps", doc! {"cs.id": 50}).await, 0, "B13");

    // A root that nothing but a row below it leads to: it is read because of k.
    read_ahead(
        &c,
        "update k set v = 'changed' where id = 5",
        "insert into p values (99, 'short'); insert into c values (51, 99, 'x', 5)",
        doc! {"_id": 99, "cs.k.v": "changed"},
    )
    .await;
    c.run("delete from c where id = 51; delete from p where id = 99").await;
    c.m.app.let_go("log");
    c.settled().await;
    assert_eq!(c.count("ps", doc! {"_id": 99}).await, 0, "B13, a root");
    c.expect_like_snapshot("B13").await;
    c.complete().await;
}

/// What is read is written before anything newer is read.
#[tokio::test(flavor = "multi_thread")]
async fn b31_two_changes_of_one_root() {
    let c = streaming_family(ROWS).await;
    for round in 0..3 {
        c.settled().await;
        c.m.app.hold("write");
        c.run(&format!("update c set x = 'first {round}' where id = 10")).await;
        c.m.app.is_held("write").await;
        c.run(&format!("update p set n = 'second {round}' where id = 1")).await;
        // Time enough for somebody else to take it up.
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        assert_eq!(
            c.count("ps", doc! {"n": format!("second {round}")}).await,
            0,
            "B31: a newer state was written beside an older one"
        );
        c.m.app.let_go("write");
        c.settled().await;
        let both = doc! {"_id": 1, "n": format!("second {round}"), "cs.x": format!("first {round}")};
        assert_eq!(c.count("ps", both).await, 1, "B31, round {round}");
    }
    c.run(EMPTY).await;
    c.expect_like_snapshot("B31").await;
    c.complete().await;
}
