//! Groups B and C of the integrity cases: changes of rows become changes of documents.

use super::following::{Following, on_both};
use crate::common::{array, coll, document, spec, synthetic};
use bson::{Bson, Document, bson, doc};
use serde_json::{Value, json};

/// `c.k_id` has no constraint: its rows may name a k that is not there yet.
const TABLES: &str = "
    create table p(id int primary key, n varchar(100));
    create table k(id int primary key, v varchar(100));
    create table c(id int primary key, p_id int, x varchar(2000), k_id int, foreign key (p_id) references p (id));
    create table g(id int primary key, c_id int, y varchar(100),
        foreign key (c_id) references c (id) on delete cascade);
    create index ck on c(k_id);";
const EMPTY: &str = "delete from g; delete from c; delete from p; delete from k;";

fn mapping() -> Value {
    let mut mapping = spec([
        coll("ps", "$.p", "n")
            .embed([array("cs", "$.c", "id x").embed([array("gs", "$.g", "id y"), document("k", "$.k", "v")])]),
        coll("ks", "$.k", "v"),
    ]);
    mapping["synthetic"] = json!([synthetic("$.c", "k_id", "$.k", "id")]);
    mapping
}

fn p(id: i32, n: &str, cs: Bson) -> Document {
    doc! {"_id": id, "n": n, "cs": cs}
}

fn from(rows: &str) -> String {
    format!("{EMPTY}{rows}")
}

#[tokio::test(flavor = "multi_thread")]
async fn children_come_change_go_and_move() {
    on_both("family", TABLES, &mapping(), async |f| {
        f.case(
            "B01",
            &from("insert into p values (1, 'P'); insert into c values (10, 1, 'a', null)"),
            &[
                "insert into c values (12, 1, 'c', null)",
                "insert into c values (11, 1, 'b', null)",
                "update c set x = 'a2' where id = 10",
                "delete from c where id = 12",
            ],
            &[("ps", vec![p(1, "P", bson!([{"id": 10, "x": "a2", "gs": []}, {"id": 11, "x": "b", "gs": []}]))])],
        )
        .await;
        let element = || bson!([{"id": 10, "x": "a", "gs": [{"id": 1, "y": "y"}]}]);
        let rows = "insert into p values (1, 'P'), (2, 'Q'); insert into c values (10, 1, 'a', null);
            insert into g values (1, 10, 'y')";
        f.case(
            "B11",
            &from(rows),
            &["update c set p_id = 2 where id = 10"],
            &[("ps", vec![p(1, "P", bson!([])), p(2, "Q", element())])],
        )
        .await;
        f.case(
            "B11, to none and back",
            &from(rows),
            &["update c set p_id = null", "update c set p_id = 1"],
            &[("ps", vec![p(1, "P", element()), p(2, "Q", bson!([]))])],
        )
        .await;
        f.case(
            "B16, B18: referenced rows come and go, cascades inside of a document",
            &from("insert into p values (1, 'P'); insert into c values (10, 1, 'a', 7); insert into g values (1, 10, 'y')"),
            &["insert into k values (7, 'v')", "delete from k", "insert into k values (7, 'w')", "delete from c where id = 10"],
            &[("ps", vec![p(1, "P", bson!([]))]), ("ks", vec![doc! {"_id": 7, "v": "w"}])],
        )
        .await;
        f.case(
            "B20, B21: the key of a root, and the same key again in one transaction",
            &from("insert into p values (1, 'a'), (2, 'b')"),
            &[
                "update p set id = 5 where id = 1",
                "begin; delete from p where id = 2; insert into p values (2, 'c'); insert into c values (20, 2, 'x', null); commit",
            ],
            &[("ps", vec![p(5, "a", bson!([])), p(2, "c", bson!([{"id": 20, "x": "x", "gs": []}]))])],
        )
        .await;
        f.case(
            "B35, C20: many updates of one row, and parts that are rolled back",
            &from("insert into p values (1, 'P'); insert into c values (10, 1, '', null)"),
            &[
                &format!("begin; {}commit", "update c set x = concat(x, '.') where id = 10; ".repeat(100)),
                "begin; savepoint s; update c set x = 'undone'; rollback to s; update p set n = 'Q'; commit",
                "begin; update p set n = 'never'; rollback",
            ],
            &[("ps", vec![p(1, "Q", bson!([{"id": 10, "x": ".".repeat(100), "gs": []}]))])],
        )
        .await;
        f.case(
            "C25 f: REPLACE and ON DUPLICATE KEY UPDATE",
            &from("insert into p values (1, 'P'); insert into k values (7, 'v'); insert into c values (10, 1, 'a', 7)"),
            &[
                "replace into k values (7, 'w')",
                "insert into c values (10, 1, 'b', 7) on duplicate key update x = 'c'",
            ],
            &[("ps", vec![p(1, "P", bson!([{"id": 10, "x": "c", "gs": [], "k": {"v": "w"}}]))])],
        )
        .await;
        // B30. A parent cannot be truncated.
        f.case(
            "B30",
            &from("insert into p values (1, 'P'); insert into c values (10, 1, 'a', 7); insert into g values (1, 10, 'y');
                insert into k values (7, 'v')"),
            &["truncate table g", "insert into g values (2, 10, 'z')", "truncate k"],
            &[("ps", vec![p(1, "P", bson!([{"id": 10, "x": "a", "gs": [{"id": 2, "y": "z"}]}]))]), ("ks", vec![])],
        )
        .await;
        f.complete().await;
    })
    .await;
}

/// C19: the rows are in the log with the preparation, and count with the commit.
#[tokio::test(flavor = "multi_thread")]
async fn prepared_transactions_count_when_they_are_committed() {
    on_both("xa", TABLES, &mapping(), async |f| {
        f.run("insert into p values (1, 'P')").await;
        let begin = "xa start 'a'; insert into p values (90, 'xa'); update p set n = 'X' where id = 1; xa end 'a'; xa prepare 'a'";
        f.run(begin).await;
        reconnect(f).await;
        f.run("insert into p values (91, 'later')").await;
        f.settled().await;
        let plain = || vec![p(1, "P", bson!([])), p(91, "later", bson!([]))];
        f.expect("prepared", &[("ps", plain())]).await;
        f.run("xa rollback 'a'; insert into p values (92, 'after')").await;
        f.settled().await;
        let mut rolled_back = plain();
        rolled_back.push(p(92, "after", bson!([])));
        f.expect("rolled back", &[("ps", rolled_back)]).await;
        f.run(begin).await;
        reconnect(f).await;
        f.settled().await;
        f.run("xa commit 'a'").await;
        f.settled().await;
        let committed = || {
            vec![p(1, "X", bson!([])), p(90, "xa", bson!([])), p(91, "later", bson!([])), p(92, "after", bson!([]))]
        };
        f.expect("committed", &[("ps", committed())]).await;
        // Prepared before the job reads the log from where it goes on, committed behind it.
        f.run("xa start 'b'; update p set n = 'B' where id = 91; xa end 'b'; xa prepare 'b'").await;
        reconnect(f).await;
        f.run("insert into k values (1, 'v')").await;
        f.settled().await;
        f.pause().await;
        f.resume().await;
        f.run("xa commit 'b'; xa start 'c'; delete from p where id = 92; xa end 'c'; xa commit 'c' one phase").await;
        f.like_snapshot("C19").await;
        f.complete().await;
    })
    .await;
}

/// A session that has prepared may do nothing else; another one decides.
async fn reconnect(f: &Following) {
    let options = mysql_async::OptsBuilder::default()
        .ip_or_hostname("127.0.0.1")
        .tcp_port(f.port)
        .prefer_socket(false)
        .user(Some("root"))
        .db_name(Some(f.database.as_str()));
    let new = mysql_async::Conn::new(options).await.expect("a connection");
    let old = std::mem::replace(&mut *f.sql.lock().await, new);
    old.disconnect().await.expect("it closes");
}

/// B18, B19: what foreign keys change without a word in the log.
#[tokio::test(flavor = "multi_thread")]
async fn cascades_reach_documents_of_their_own() {
    let tables = "
        create table p(code varchar(10) primary key, n int);
        create table k(id int primary key);
        create table c(id int primary key, code varchar(10), k_id int,
            foreign key (code) references p (code) on delete cascade on update cascade);
        create table s(id int primary key, code varchar(10),
            foreign key (code) references p (code) on delete set null on update cascade);
        create table hidden(id int primary key, c_id int,
            foreign key (c_id) references c (id) on delete cascade on update cascade);
        create table g(id int primary key, hidden_id int,
            foreign key (hidden_id) references hidden (id) on delete cascade);
        create table own(id int primary key, up int, foreign key (up) references own (id) on delete cascade)";
    let mut mapping = spec([
        coll("ps", "$.p", "n").embed([array("cs", "$.c", "id"), array("ss", "$.s", "id code")]),
        coll("cs", "$.c", "code"),
        coll("ss", "$.s", "code"),
        coll("gs", "$.g", "hidden_id"),
        coll("ks", "$.k", "").embed([array("cs", "$.c", "id")]),
        coll("owns", "$.own", "up"),
    ]);
    mapping["synthetic"] = json!([synthetic("$.c", "k_id", "$.k", "id")]);
    let empty = "delete from g; delete from hidden; delete from c; delete from s; delete from p; delete from k;
        delete from own where up is not null; delete from own;";
    on_both("cascade", tables, &mapping, async |f| {
        f.case(
            "B18",
            &format!(
                "{empty} insert into p values ('A', 1), ('B', 2); insert into k values (5);
                insert into c values (10, 'A', 5), (11, 'B', 5); insert into hidden values (1, 10), (2, 11);
                insert into g values (100, 1), (101, 2)"
            ),
            &["delete from p where code = 'A'"],
            &[
                ("cs", vec![doc! {"_id": 11, "code": "B"}]),
                ("gs", vec![doc! {"_id": 101, "hidden_id": 2}]),
                ("ks", vec![doc! {"_id": 5, "cs": [{"id": 11}]}]),
                ("ps", vec![doc! {"_id": "B", "n": 2, "cs": [{"id": 11}], "ss": []}]),
            ],
        )
        .await;
        f.case(
            "B19",
            &format!(
                "{empty} insert into p values ('A', 1), ('B', 2); insert into c values (1, 'A', null);
                insert into s values (1, 'A'), (2, 'B')"
            ),
            &[
                "update p set code = 'Z' where code = 'A'",
                "delete from p where code = 'B'",
            ],
            &[
                ("cs", vec![doc! {"_id": 1, "code": "Z"}]),
                (
                    "ss",
                    vec![doc! {"_id": 1, "code": "Z"}, doc! {"_id": 2, "code": Bson::Null}],
                ),
                (
                    "ps",
                    vec![doc! {"_id": "Z", "n": 1, "cs": [{"id": 1}], "ss": [{"id": 1, "code": "Z"}]}],
                ),
            ],
        )
        .await;
        f.case(
            "B18, a table with itself",
            &format!("{empty} insert into own values (1, null), (2, 1), (3, 2), (4, null)"),
            &["delete from own where id = 1"],
            &[("owns", vec![doc! {"_id": 4, "up": Bson::Null}])],
        )
        .await;
        // A foreign key that comes while changes are followed.
        f.run(&format!(
            "{empty} insert into p values ('A', 1); insert into k values (5); insert into c values (10, 'A', 5)"
        ))
        .await;
        f.run("alter table c add constraint late foreign key (k_id) references k (id) on delete cascade")
            .await;
        f.like_snapshot("a new foreign key").await;
        f.run("delete from k").await;
        f.like_snapshot("a cascade of a new foreign key").await;
        f.complete().await;
    })
    .await;
}

/// C11 to C16, C28: definitions change while changes are followed, and while they are not.
#[tokio::test(flavor = "multi_thread")]
async fn definitions_change() {
    on_both("ddl", TABLES, &mapping(), async |f| {
        f.run(
            "insert into p values (1, 'Ab'), (2, 'Cd'); insert into c values (10, 1, 'a', 7), (20, 2, 'b', null);
            insert into k values (7, 'v')",
        )
        .await;
        f.settled().await;
        // C28: the old rows are in the log as they were.
        f.while_paused(&[
            "update c set x = 'before' where id = 10",
            "alter table c add z int first",
            "update c set x = 'after', p_id = 1 where id = 20",
        ])
        .await;
        f.like_snapshot("C28").await;
        f.run("alter table c drop column z; update c set p_id = 2 where id = 20")
            .await;
        f.like_snapshot("C12, a column that is not mapped").await;
        f.run("set sql_mode = ''; alter table p modify n varchar(1)").await;
        f.like_snapshot("C14").await;
        f.run("alter table p modify n varchar(50)").await;
        f.like_snapshot("C14, and back").await;
        f.run(
            "create table k_new like k; insert into k_new select id, concat(v, '!') from k;
            rename table k to k_old, k_new to k; drop table k_old",
        )
        .await;
        f.like_snapshot("C16").await;
        f.run("update k set v = 'swapped' where id = 7; insert into k values (8, 'new')")
            .await;
        f.like_snapshot("C16, behind it").await;
        f.run("alter table c add index extra (x(10)); create index more on p(n); analyze table p")
            .await;
        f.like_snapshot("indexes").await;
        f.complete().await;
    })
    .await;
}

/// C12: what the mapping reads is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_mapped_column_that_goes_stops_the_job_until_it_is_back() {
    on_both("gone", TABLES, &mapping(), async |f| {
        f.run("insert into p values (1, 'P')").await;
        f.settled().await;
        f.run("alter table p drop column n").await;
        let job = f.wait("standing still", |job| job.stand_still.is_some()).await;
        assert!(
            job.stand_still
                .as_ref()
                .is_some_and(|s| s.reason.contains("column n of")),
            "{job:#?}"
        );
        f.expect("nothing was touched", &[("ps", vec![p(1, "P", bson!([]))])])
            .await;
        f.run("alter table p add n varchar(100) default 'back'").await;
        f.resume().await;
        f.like_snapshot("C12").await;
        f.complete().await;
    })
    .await;
}

/// C25, C26: other formats, images and files of the log.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_and_files_of_the_log() {
    on_both("log", TABLES, &mapping(), async |f| {
        f.run("insert into p values (1, 'P'), (2, 'Q'); insert into c values (10, 1, 'a', null), (20, 2, 'b', null)").await;
        f.settled().await;
        f.run("set session binlog_row_image = 'MINIMAL'; update c set p_id = 2 where id = 10; update p set n = 'R' where id = 1;
            delete from c where id = 20; set session binlog_row_image = 'FULL'").await;
        f.like_snapshot("C25 c").await;
        f.run("set session binlog_format = 'STATEMENT'; update p set n = concat(n, '!'); set session binlog_format = 'ROW'").await;
        f.like_snapshot("C25 b").await;
        f.run("flush binary logs; insert into p values (3, 'S'); flush binary logs; flush binary logs;
            update p set n = 'T' where id = 3; flush binary logs").await;
        f.like_snapshot("C26, rotation").await;
        f.while_paused(&["flush binary logs; update p set n = 'U' where id = 3; flush binary logs"]).await;
        f.like_snapshot("C26, rotation in a pause").await;
        if f.is_mariadb() {
            f.run("set global log_bin_compress = on; set global log_bin_compress_min_len = 10").await;
            let long = "x".repeat(500);
            f.run(&format!("insert into c values (40, 1, '{long}', 4); update c set x = concat('{long}', 'y') where id = 40;
                delete from c where id = 10; truncate table g")).await;
            f.run("set global log_bin_compress = off").await;
            f.like_snapshot("C27").await;
            f.run("set global binlog_row_metadata = 'FULL'; flush binary logs; update c set p_id = 2 where id = 40;
                set global binlog_row_metadata = 'NO_LOG'").await;
            f.like_snapshot("C28, with names").await;
        }
        f.complete().await;
    })
    .await;
}
