//! What broke in other tools of this kind while they followed changes (CD), as far as no integrity case says the same.

use crate::common::{Rule, array, coll, document, issues, merged, spec, values};
use bson::doc;
use godwit_shared::job::EventType;
use godwit_tests::continuous::Continuous;
use serde_json::json;

/// A root, what it has, and what it names: `r` and `m` are named, all others name `p`.
const TABLES: &str = "create table r(id int primary key, v text); create table m(id int primary key, v text);
    create table p(id int primary key, v text, r_id int references r, m_id int references m);
    create table a(id int primary key, p_id int references p, v text);
    create table b(id int primary key, a_id int references a, v text);
    create table w(id int primary key, p_id int references p, v text);
    create table d(id int primary key, p_id int unique references p, v text);
    create table n(p_id int references p, v text)";

/// Every shape of a rule at once.
fn shapes() -> Rule {
    let nested = array("as", "a", "id v").embed([values("bs", "b", "v")]);
    coll("ps", "p", "v").embed([
        nested,
        values("ws", "w", "v").with("sort", json!(["v", "DESC"])),
        document("d", "d", "v").with("fk", "d_p_id_fkey"),
        array("ns", "n", "v"),
        document("r", "r", "v"),
        merged("m", "v").with("rename", json!({"v": "mv"})),
    ])
}

const ROWS: &str = "insert into r values (1, 'r1'), (2, 'r2'); insert into m values (1, 'm1'), (2, 'm2');
    insert into p values (1, 'p1', 1, 1), (2, 'p2', 1, null), (3, 'p3', null, 2);
    insert into a values (1, 1, 'a1'), (2, 1, 'a2'), (3, 2, 'a3'); insert into b values (1, 1, 'b1'), (2, 3, 'b2');
    insert into w values (1, 1, 'w1'), (2, 2, 'w2'); insert into d values (1, 1, 'd1'), (2, 3, 'd2');
    insert into n values (1, 'n'), (1, 'n'), (2, 'n')";

#[tokio::test(flavor = "multi_thread")]
async fn cd02_every_kind_of_event_on_every_shape_of_a_rule() {
    let kinds = [
        (
            "r",
            "insert into p values (4, 'p4', 2, 2)",
            "p set r_id = 2 where id = 1",
        ),
        (
            "m",
            "insert into p values (4, 'p4', 2, 2)",
            "p set m_id = 2 where id = 1",
        ),
        ("a", "insert into a values (4, 3, 'a4')", "a set p_id = 2 where id = 1"),
        ("b", "insert into b values (3, 2, 'b3')", "b set a_id = 3 where id = 1"),
        ("w", "insert into w values (3, 1, 'w3')", "w set p_id = 3 where id = 1"),
        (
            "d",
            "insert into p values (4, 'p4', 2, null); insert into d values (3, 2, 'd3')",
            "d set p_id = 4 where id = 1",
        ),
        (
            "n",
            "insert into n values (3, 'n')",
            "n set p_id = 3 where ctid = (select min(ctid) from n)",
        ),
        (
            "p",
            "insert into p values (4, 'p4', 2, 2)",
            "p set id = 9 where id = (select max(id) from p)",
        ),
    ];
    let c = Continuous::new(&format!("{TABLES}; {ROWS}"), spec([shapes()])).await;
    for (table, insert, moves) in kinds {
        let nothing = "truncate r, m, p, a, b, w, d, n";
        c.run(&format!("{nothing}; {ROWS}")).await;
        let steps = [
            insert.to_owned(),
            format!("update {table} set v = v || '!'"),
            format!("update {moves}"),
            format!("update {table} set v = null"),
            format!("truncate {table} cascade"),
        ];
        for step in &steps {
            c.run(step).await;
            c.expect_like_snapshot(&format!("CD-02, {step}")).await;
        }
        c.run(&format!("{nothing}; {ROWS}")).await;
        c.settled().await;
        let steps: Vec<&str> = steps[..4].iter().map(String::as_str).collect();
        c.while_paused(&steps).await;
        c.expect_like_snapshot(&format!("CD-02, {table}, at once")).await;
    }
    let job = c.complete().await;
    assert_eq!(issues(&job, EventType::Error), [""; 0]);
}

/// Values are never paths: not in an `_id`, not below an array, not in the way up from there.
#[tokio::test(flavor = "multi_thread")]
async fn cd13_ids_with_dots_and_dollars() {
    let sql = "create table k(id text primary key, v text); create table p(id text primary key, v text);
        create table c(id text primary key, p_id text references p, k_id text references k);
        create table e(id text primary key, k_id text references k, v text)";
    let k = document("k", "k", "id v").embed([array("es", "e", "id v")]);
    let mapping = spec([
        coll("ps", "p", "v").embed([array("cs", "c", "id").embed([k])]),
        coll("wrapped", "p", "v").with("key", "WRAPPED"),
    ]);
    let c = Continuous::new(sql, mapping).await;
    c.case(
        "CD-13",
        "delete from c; delete from e; delete from k; delete from p; insert into p values ('a.b', 'v'), ('$p.0', 'v');
         insert into k values ('k.$[]', 'v'); insert into c values ('c.1', 'a.b', 'k.$[]'), ('$', '$p.0', 'k.$[]')",
        &[
            "update p set v = 'new' where id = 'a.b'",
            "insert into e values ('e.0', 'k.$[]', 'e')",
            "update k set v = 'k2'",
            "update e set v = 'e2'",
            "update c set p_id = 'a.b' where id = '$'",
            "delete from c where id = 'c.1'",
        ],
        &[
            (
                "ps",
                vec![
                    doc! {"_id": "a.b", "v": "new", "cs": [
                    {"id": "$", "k": {"id": "k.$[]", "v": "k2", "es": [{"id": "e.0", "v": "e2"}]}}]},
                    doc! {"_id": "$p.0", "v": "v", "cs": []},
                ],
            ),
            (
                "wrapped",
                vec![
                    doc! {"_id": {"id": "a.b"}, "v": "new"},
                    doc! {"_id": {"id": "$p.0"}, "v": "v"},
                ],
            ),
        ],
    )
    .await;
    c.complete().await;
}
