//! Group B of the integrity cases: rows that cross a filter, of a rule and of a table.

use crate::common::{array, coll, refused, spec};
use bson::doc;
use godwit_tests::continuous::{Continuous, continuous_job, full_identity};
use godwit_tests::migrate::Migration;
use serde_json::{Value, json};

const TABLES: &str = "create table p(id int primary key, act bool);
    create table c(id int primary key, p_id int references p, st text)";

const START: &str = "delete from c; delete from p; insert into p values (1, true), (2, false);
    insert into c values (1, 1, 'ok'), (2, 1, 'no'), (3, 2, 'ok'), (4, 1, null)";

fn unfiltered() -> Value {
    spec([coll("ps", "p", "").embed([array("cs", "c", "id")])])
}

async fn rows_cross(c: &Continuous) {
    c.case(
        "B26, a root goes",
        START,
        &[
            "update p set act = true where id = 2",
            "update p set act = false where id = 1",
        ],
        &[("ps", vec![doc! {"_id": 2, "cs": [{"id": 3}]}])],
    )
    .await;
    c.case(
        "B26",
        START,
        &[
            "update p set act = true where id = 2",
            "update p set act = false where id = 1",
            "update c set st = 'ok' where id = 2",
            "update c set st = null where id = 1",
            "update p set act = true where id = 1",
        ],
        &[(
            "ps",
            vec![doc! {"_id": 1, "cs": [{"id": 2}]}, doc! {"_id": 2, "cs": [{"id": 3}]}],
        )],
    )
    .await;
    c.case(
        "B26, rows that never pass",
        START,
        &[
            "insert into p values (3, false); insert into c values (5, 3, 'ok')",
            "update c set st = 'no' where id = 5",
            "update c set p_id = 1 where id = 3",
            "delete from p where id = 2",
        ],
        &[("ps", vec![doc! {"_id": 1, "cs": [{"id": 1}, {"id": 3}]}])],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b26_rows_cross_a_filter_of_their_rule() {
    let mapping = spec([coll("ps", "p", "")
        .with("filter", "columns.act")
        .embed([array("cs", "c", "id").with("filter", "columns.st === 'ok'")])]);
    let c = Continuous::new(TABLES, mapping).await;
    rows_cross(&c).await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b26_rows_cross_a_filter_of_their_table() {
    let m = Migration::new(TABLES, unfiltered()).await;
    full_identity(&m.source).await;
    let filters = json!({"public": {"p": {"whereClause": "act"}, "c": {"whereClause": "st = 'ok'"}}});
    let job = continuous_job(&m).filtered(filters);
    let c = Continuous::start_job(m, &job).await;
    rows_cross(&c).await;
    c.complete().await;
}

/// What a filter says of a row may change without an event of that row only if it looks at something else.
#[tokio::test(flavor = "multi_thread")]
async fn filters_that_look_beyond_their_row_are_refused() {
    let m = Migration::new(TABLES, unfiltered()).await;
    full_identity(&m.source).await;
    let wrong = [
        json!({"whereClause": "id in (select p_id from c)"}),
        json!({"whereClause": "exists (select from c where c.st = 'ok')"}),
        json!({"whereClause": "act and now() > '2024-01-01'"}),
        json!({"whereClause": "random() < 0.5"}),
        json!({"whereClause": "current_date > '2024-01-01'"}),
        json!({"rowCount": 1}),
    ];
    for filter in wrong {
        let job = continuous_job(&m).filtered(json!({"public": {"p": filter}}));
        let message = refused(&m, &job, 400, "invalid_request").await;
        assert!(message.contains("public.p"), "{filter}: {message}");
    }
}
