//! Group B of the integrity cases, on the tables p, c, g and k: changes of rows become changes of documents.
//!
//! All of a function run one after the other in one job. Each is run twice, see [`Continuous::case`].

use crate::common::issues;
use crate::family::{EMPTY, ROWS, TABLES, mapping, mapping_omitting_nulls, streaming_family};
use bson::{Bson, Document, bson, doc};
use godwit_shared::job::EventType;
use godwit_tests::continuous::{Continuous, continuous_job};
use godwit_tests::migrate::Migration;
use serde_json::json;

fn p(id: i32, n: &str, cs: Bson) -> Document {
    doc! {"_id": id, "n": n, "cs": cs}
}

/// Starts from no rows but these.
fn from(rows: &str) -> String {
    format!("{EMPTY}{rows}")
}

#[tokio::test(flavor = "multi_thread")]
async fn children_come_change_go_and_move() {
    let c = streaming_family("").await;
    children(&c).await;
    c.complete().await;
}

/// Only where rows join by columns outside the key are old images needed.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_with_old_images_only_where_they_are_needed() {
    let m = Migration::new(TABLES, mapping()).await;
    let message = m
        .app
        .api()
        .create_job(&continuous_job(&m))
        .await
        .error(422, "preflight_failed");
    assert!(
        message.contains("public.c") && message.contains("public.g"),
        "{message}"
    );
    assert_eq!(m.app.api().get("/jobs").await.ok(), json!([]), "a job was made");
    m.source
        .run("alter table c replica identity full; alter table g replica identity full")
        .await;
    let c = Continuous::start(m).await;
    children(&c).await;
    c.complete().await;
}

async fn children(c: &Continuous) {
    c.case(
        "B01",
        &from("insert into p values (1, 'P'); insert into c values (10, 1, 'a')"),
        &[
            "insert into c values (12, 1, 'c')",
            "insert into c values (11, 1, 'b')",
            "update c set x = 'a2' where id = 10",
            "delete from c where id = 12",
        ],
        &[(
            "ps",
            vec![p(
                1,
                "P",
                bson!([{"id": 10, "x": "a2", "gs": []}, {"id": 11, "x": "b", "gs": []}]),
            )],
        )],
    )
    .await;

    c.case(
        "B04",
        &from(
            "insert into p values (1, 'P'); insert into c values (10, 1, 'x'), (11, 1, 'x');
             insert into g values (1, 10, 'a'), (2, 11, 'b')",
        ),
        &[
            "update g set y = 'a1' where id = 1",
            "update g set y = 'a2' where id = 1",
            "update g set y = 'a2' where id = 1",
            "update c set x = 'z' where id = 10",
            "insert into g values (3, 10, 'c')",
        ],
        &[(
            "ps",
            vec![p(
                1,
                "P",
                bson!([{"id": 10, "x": "z", "gs": [{"id": 1, "y": "a2"}, {"id": 3, "y": "c"}]},
                    {"id": 11, "x": "x", "gs": [{"id": 2, "y": "b"}]}]),
            )],
        )],
    )
    .await;

    let two_parents =
        "insert into p values (1, 'P'), (2, 'Q'); insert into c values (10, 1, 'a'); insert into g values (1, 10, 'y')";
    let element = || bson!([{"id": 10, "x": "a", "gs": [{"id": 1, "y": "y"}]}]);
    c.case(
        "B11, to another parent",
        &from(two_parents),
        &["update c set p_id = 2 where id = 10"],
        &[("ps", vec![p(1, "P", bson!([])), p(2, "Q", element())])],
    )
    .await;
    c.case(
        "B11, to none",
        &from(two_parents),
        &[
            "update c set p_id = 2 where id = 10",
            "update c set p_id = null where id = 10",
        ],
        &[("ps", vec![p(1, "P", bson!([])), p(2, "Q", bson!([]))])],
    )
    .await;
    c.case(
        "B11, and back",
        &from(two_parents),
        &[
            "update c set p_id = 2 where id = 10",
            "update c set p_id = null where id = 10",
            "update c set p_id = 1 where id = 10",
        ],
        &[("ps", vec![p(1, "P", element()), p(2, "Q", bson!([]))])],
    )
    .await;

    c.case(
        "B14",
        &from("insert into p values (1, 'P'); insert into c values (10, 1, 'a')"),
        &["delete from c where id = 10"],
        &[("ps", vec![p(1, "P", bson!([]))])],
    )
    .await;
    c.case(
        "B14, with its child",
        &from(
            "insert into p values (1, 'P'); insert into c values (10, 1, 'a'), (11, 1, 'b');
             insert into g values (1, 10, 'y'), (2, 11, 'z')",
        ),
        &["begin; delete from g where id = 1; delete from c where id = 10; commit"],
        &[(
            "ps",
            vec![p(1, "P", bson!([{"id": 11, "x": "b", "gs": [{"id": 2, "y": "z"}]}]))],
        )],
    )
    .await;

    c.case(
        "B22",
        &from(
            "insert into p values (1, 'P'), (2, 'Q'), (3, 'R'); insert into c values (10, 1, 'a');
             insert into g values (1, 10, 'a'), (2, 10, 'b')",
        ),
        &[
            "update g set y = 'a2' where id = 1",
            "update c set p_id = 2 where id = 10",
            "delete from g where id = 2",
            "update c set p_id = 3 where id = 10",
        ],
        &[(
            "ps",
            vec![
                p(1, "P", bson!([])),
                p(2, "Q", bson!([])),
                p(3, "R", bson!([{"id": 10, "x": "a", "gs": [{"id": 1, "y": "a2"}]}])),
            ],
        )],
    )
    .await;

    c.case(
        "B40",
        &from(
            "insert into p values (1, 'P'), (2, 'Q'); insert into c values (10, 1, 'a'), (11, 1, 'b');
             insert into g values (1, 10, 'y'), (2, 10, 'z')",
        ),
        &[
            "begin; delete from g where id = 1; update g set c_id = 11 where id = 2; delete from c where id = 10;
           update c set p_id = 2 where id = 11; commit",
        ],
        &[(
            "ps",
            vec![
                p(1, "P", bson!([])),
                p(2, "Q", bson!([{"id": 11, "x": "b", "gs": [{"id": 2, "y": "z"}]}])),
            ],
        )],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_of_many_changes() {
    let c = streaming_family("").await;
    let three = "insert into p values (1, 'a'), (2, 'b'), (3, 'c'); insert into c values (10, 1, 'a'), (20, 2, 'b'), (30, 3, 'c')";
    c.case(
        "B02",
        &from(three),
        &[
            "begin; update p set n = n || '!'; update c set x = upper(x); insert into g values (1, 10, 'y');
           delete from c where id = 30; commit",
        ],
        &[(
            "ps",
            vec![
                p(1, "a!", bson!([{"id": 10, "x": "A", "gs": [{"id": 1, "y": "y"}]}])),
                p(2, "b!", bson!([{"id": 20, "x": "B", "gs": []}])),
                p(3, "c!", bson!([])),
            ],
        )],
    )
    .await;

    c.case(
        "B09, in one transaction",
        EMPTY,
        &[
            "begin; set constraints all deferred; insert into g values (1, 10, 'a'); insert into c values (10, 1, 'x');
           insert into p values (1, 'P'); update g set y = 'b' where id = 1; set constraints all immediate;
           delete from c where id = 10; insert into c values (10, 1, 'z'); insert into g values (2, 10, 'n'); commit",
        ],
        &[(
            "ps",
            vec![p(1, "P", bson!([{"id": 10, "x": "z", "gs": [{"id": 2, "y": "n"}]}]))],
        )],
    )
    .await;
    c.case(
        "B09, one by one",
        EMPTY,
        &[
            "insert into p values (1, 'P')",
            "insert into c values (10, 1, 'x')",
            "insert into g values (1, 10, 'a')",
            "update g set y = 'b' where id = 1",
            "delete from c where id = 10",
            "insert into c values (10, 1, 'z')",
            "insert into g values (2, 10, 'n')",
        ],
        &[(
            "ps",
            vec![p(1, "P", bson!([{"id": 10, "x": "z", "gs": [{"id": 2, "y": "n"}]}]))],
        )],
    )
    .await;

    c.case(
        "B21",
        &from("insert into p values (1, 'P'); insert into c values (10, 1, 'a')"),
        &["begin; delete from c; delete from p where id = 1; insert into p values (1, 'Q'); insert into c values (11, 1, 'b'); commit"],
        &[("ps", vec![p(1, "Q", bson!([{"id": 11, "x": "b", "gs": []}]))])],
    )
    .await;
    c.case(
        "B21, a child",
        &from("insert into p values (1, 'P'); insert into c values (10, 1, 'a')"),
        &["begin; delete from c where id = 10; insert into c values (10, 1, 'new'); commit"],
        &[("ps", vec![p(1, "P", bson!([{"id": 10, "x": "new", "gs": []}]))])],
    )
    .await;

    c.case(
        "B20",
        &from("insert into p values (1, 'a'), (2, 'b'); insert into c values (10, 1, 'x'), (20, 2, 'y')"),
        &[
            "begin; set constraints all deferred; update p set id = 5 where id = 1; update c set p_id = 5 where p_id = 1; commit",
            "begin; set constraints all deferred; update p set id = -1 where id = 5; update p set id = 5 where id = 2;
             update p set id = 2 where id = -1; update c set p_id = 7 - p_id; commit",
        ],
        &[(
            "ps",
            vec![
                p(2, "a", bson!([{"id": 10, "x": "x", "gs": []}])),
                p(5, "b", bson!([{"id": 20, "x": "y", "gs": []}])),
            ],
        )],
    )
    .await;

    let thousand = "do $$ begin for i in 1..1000 loop update c set x = x || '.' where id = 10; end loop; end $$";
    let dots = ".".repeat(1000);
    c.case(
        "B35",
        &from("insert into p values (1, 'P'); insert into c values (10, 1, '')"),
        &[thousand, "update c set x = x"],
        &[("ps", vec![p(1, "P", bson!([{"id": 10, "x": dots, "gs": []}]))])],
    )
    .await;

    // B02 with many parents: explicit documents would only repeat the statements.
    c.run(&from(
        "insert into p select i, 'n' || i from generate_series(1, 10000) i; insert into c select i, i, 'x' || i from generate_series(1, 10000) i",
    ))
    .await;
    c.run(
        "begin; update p set n = n || '!'; update c set x = upper(x); insert into g select i, i, 'y' from generate_series(1, 10000, 7) i;
         delete from c where id % 3 = 0; commit",
    )
    .await;
    c.expect_like_snapshot("B02, 10,000 parents").await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_others_name() {
    let c = streaming_family("").await;
    let referring = || bson!([{"id": 10, "x": "a", "gs": [], "k": {"v": "w"}}]);
    c.case(
        "B16",
        &from("insert into p values (1, 'P'); insert into c values (10, 1, 'a', 7)"),
        &[
            "insert into k values (7, 'v')",
            "delete from k where id = 7",
            "insert into k values (7, 'w')",
        ],
        &[
            ("ps", vec![p(1, "P", referring())]),
            ("ks", vec![doc! {"_id": 7, "v": "w"}]),
        ],
    )
    .await;
    c.case(
        "B16, gone",
        &from("insert into p values (1, 'P'); insert into c values (10, 1, 'a', 7)"),
        &["insert into k values (7, 'v')", "delete from k where id = 7"],
        &[
            ("ps", vec![p(1, "P", bson!([{"id": 10, "x": "a", "gs": []}]))]),
            ("ks", vec![]),
        ],
    )
    .await;
    c.case(
        "B16, another one is named",
        &from("insert into p values (1, 'P'); insert into k values (7, 'v'), (8, 'w'); insert into c values (10, 1, 'a', 7)"),
        &["update c set k_id = 8", "update k set v = 'not any more' where id = 7"],
        &[("ps", vec![p(1, "P", referring())])],
    )
    .await;
    c.case(
        "B16, the key of the named one changes",
        &from("insert into p values (1, 'P'); insert into k values (6, 'w'); insert into c values (10, 1, 'a', 7)"),
        &["update k set id = 7"],
        &[
            ("ps", vec![p(1, "P", referring())]),
            ("ks", vec![doc! {"_id": 7, "v": "w"}]),
        ],
    )
    .await;

    let family = "insert into p values (1, 'P'), (2, 'Q'); insert into k values (5, 'v');
        insert into c values (10, 1, 'a', 5), (20, 2, 'b', 5); insert into g values (1, 10, 'y'), (2, 20, 'z')";
    let child = |id: i32, x: &str| bson!([{"id": id, "x": x, "gs": [], "k": {"v": "v"}}]);
    c.case(
        "B30 a",
        &from(family),
        &["truncate g"],
        &[("ps", vec![p(1, "P", child(10, "a")), p(2, "Q", child(20, "b"))])],
    )
    .await;
    let empty = || vec![p(1, "P", bson!([])), p(2, "Q", bson!([]))];
    c.case("B30 b", &from(family), &["truncate c cascade"], &[("ps", empty())])
        .await;
    c.case(
        "B30 c",
        &from(family),
        &[
            "truncate c cascade",
            "insert into c values (10, 1, 'a', 5), (30, 2, 'c', null)",
        ],
        &[(
            "ps",
            vec![
                p(1, "P", child(10, "a")),
                p(2, "Q", bson!([{"id": 30, "x": "c", "gs": []}])),
            ],
        )],
    )
    .await;
    c.case(
        "B30, truncate and insert in one transaction",
        &from(family),
        &["begin; truncate c cascade; insert into c values (10, 1, 'a', 5), (20, 2, 'b', 5); commit"],
        &[("ps", vec![p(1, "P", child(10, "a")), p(2, "Q", child(20, "b"))])],
    )
    .await;
    c.case("B30 d", &from(family), &["truncate p cascade"], &[("ps", vec![])])
        .await;
    c.case(
        "B30 d, then new rows",
        &from(family),
        &[
            "begin; truncate p cascade; insert into p values (2, 'again'); commit",
            "insert into c values (20, 2, 'b', 5)",
        ],
        &[("ps", vec![p(2, "again", child(20, "b"))])],
    )
    .await;
    c.case(
        "B30 e",
        &from(family),
        &["begin; update c set k_id = null; truncate k; commit"],
        &[
            (
                "ps",
                vec![
                    p(1, "P", bson!([{"id": 10, "x": "a", "gs": [{"id": 1, "y": "y"}]}])),
                    p(2, "Q", bson!([{"id": 20, "x": "b", "gs": [{"id": 2, "y": "z"}]}])),
                ],
            ),
            ("ks", vec![]),
        ],
    )
    .await;
    c.case(
        "B30 e, while they are named",
        &from(family),
        &["truncate k", "truncate g"],
        &[
            (
                "ps",
                vec![
                    p(1, "P", bson!([{"id": 10, "x": "a", "gs": []}])),
                    p(2, "Q", bson!([{"id": 20, "x": "b", "gs": []}])),
                ],
            ),
            ("ks", vec![]),
        ],
    )
    .await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b06_nulls_that_are_left_out() {
    let c = Continuous::new(TABLES, mapping_omitting_nulls()).await;
    c.case(
        "B06",
        &from("insert into p values (1, 'P'); insert into k values (5, 'v'); insert into c values (10, 1, 'a', 5)"),
        &[
            "update p set n = null",
            "update c set x = null",
            "update k set v = null",
        ],
        &[("ps", vec![doc! {"_id": 1, "cs": [{"id": 10, "gs": [], "k": {}}]}])],
    )
    .await;
    c.case(
        "B06, and back",
        &from("insert into p values (1, null); insert into k values (5, null); insert into c values (10, 1, null, 5)"),
        &["update p set n = 'P'", "update c set x = 'a'", "update k set v = 'v'"],
        &[(
            "ps",
            vec![p(1, "P", bson!([{"id": 10, "x": "a", "gs": [], "k": {"v": "v"}}]))],
        )],
    )
    .await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b32b_eight_writers_on_sixty_four_roots() {
    use godwit_tests::writers::Writers;
    use std::time::Duration;
    let c = streaming_family(ROWS).await;
    let writers = Writers::start(&c.m.source, 8, crate::family::RANGE, Duration::ZERO);
    for _ in 0..30 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let job = c.job().await;
        assert!(!job.status.is_ended(), "{job:#?}");
    }
    let written = writers.stop().await;
    assert!(written > 500, "only {written} transactions");
    c.expect_like_snapshot("B32 b").await;
    let job = c.complete().await;
    assert_eq!(issues(&job, EventType::Error), [""; 0]);
}
