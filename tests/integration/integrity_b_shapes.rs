//! Group B of the integrity cases, on tables of their own: what a mapping can look like, and rows that change below it.

use crate::common::{array, coll, document, merged, spec, synthetic, values};
use bson::{bson, doc};
use godwit_tests::continuous::{Continuous, continuous_job, full_identity};
use godwit_tests::migrate::Migration;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn b03_a_parent_that_matches_other_children() {
    let mut mapping = spec([coll("ps", "p", "code").embed([array("cs", "c", "id")])]);
    mapping["synthetic"] = json!([synthetic("c", "code", "p", "code")]);
    let sql = "create table p(id int primary key, code text unique); create table c(id int primary key, code text)";
    let c = Continuous::new(sql, mapping).await;
    let start =
        "delete from p; delete from c; insert into p values (1, 'A'); insert into c values (10, 'A'), (11, 'B')";
    let none = vec![doc! {"_id": 1, "code": "Z", "cs": []}];
    c.case("B03, none", start, &["update p set code = 'Z'"], &[("ps", none)])
        .await;
    let other = vec![doc! {"_id": 1, "code": "B", "cs": [{"id": 11}]}];
    let steps = ["update p set code = 'Z'", "update p set code = 'B'"];
    c.case("B03, another", start, &steps, &[("ps", other)]).await;
    let null = vec![doc! {"_id": 1, "code": null, "cs": []}];
    c.case(
        "B03, null",
        start,
        &["update p set code = null", "update c set code = null"],
        &[("ps", null)],
    )
    .await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b05_an_id_calculated_from_other_columns() {
    let calculated = json!({"_id": "columns.region + '-' + columns.no"});
    let mapping = spec([coll("ps", "p", "region")
        .with("calc", calculated)
        .embed([array("cs", "c", "id")])]);
    let sql = "create table p(id int primary key, region text, no int);
        create table c(id int primary key, p_id int references p)";
    let c = Continuous::new(sql, mapping).await;
    c.case(
        "B05",
        "delete from c; delete from p; insert into p values (1, 'EU', 5); insert into c values (10, 1)",
        &[
            "insert into c values (11, 1)",
            "update p set region = 'US'",
            "insert into c values (12, 1)",
            "delete from c where id = 10",
        ],
        &[(
            "ps",
            vec![doc! {"_id": "US-5", "region": "US", "cs": [{"id": 11}, {"id": 12}]}],
        )],
    )
    .await;
    c.case(
        "B05, two rows swap their ids",
        "delete from c; delete from p; insert into p values (1, 'EU', 5), (2, 'US', 6); insert into c values (10, 1), (20, 2)",
        &["update p set region = case region when 'EU' then 'US' else 'EU' end, no = 11 - no"],
        &[(
            "ps",
            vec![
                doc! {"_id": "US-6", "region": "US", "cs": [{"id": 10}]},
                doc! {"_id": "EU-5", "region": "EU", "cs": [{"id": 20}]},
            ],
        )],
    )
    .await;
    c.case(
        "B05, an id passes from row to row",
        "delete from c; delete from p; insert into p values (1, 'EU', 5); insert into c values (10, 1)",
        &[
            "delete from c; delete from p",
            "insert into p values (2, 'EU', 5)",
            "begin; update p set no = 6 where id = 2; insert into p values (1, 'EU', 5); commit",
        ],
        &[(
            "ps",
            vec![
                doc! {"_id": "EU-5", "region": "EU", "cs": []},
                doc! {"_id": "EU-6", "region": "EU", "cs": []},
            ],
        )],
    )
    .await;
    c.complete().await;
}

/// What happens between the moment at which a row gives its id back and the one at which another gets it.
#[tokio::test(flavor = "multi_thread")]
async fn b05_an_id_on_its_way_from_row_to_row() {
    let mapping = spec([coll("ps", "p", "").with("calc", json!({"_id": "columns.code"}))]);
    let sql = "create table p(id int primary key, code text);
        insert into p values (1, 'a'), (2, 'b'), (3, 'a')";
    let mut c = Continuous::new(sql, mapping).await;
    let holds = async |c: &Continuous, step: &str| {
        c.settled().await;
        c.m.app.hold("claims");
        c.run(step).await;
        c.m.app.is_held("claims").await;
    };

    holds(
        &c,
        "update p set code = case code when 'a' then 'b' else 'a' end where id < 3",
    )
    .await;
    let count = c.count("ps", doc! {}).await;
    assert_eq!(count, 2, "two that change places stay all the time");
    c.m.app.let_go("claims");
    c.settled().await;
    c.expect_like_snapshot("B05, two change places").await;

    // Row 3 waits for the id that row 2 gives back: the server dies before it gets it.
    holds(&c, "update p set code = 'c' where id = 2").await;
    c.m.app.kill();
    c.m.app.let_go("claims");
    c.m.app.restart().await;
    c.expect_like_snapshot("B05, a crash").await;
    assert_eq!(c.count("ps", doc! {"_id": "a"}).await, 1, "the row that waited");
    c.complete().await;
}

/// Such rows are looked for by all their values.
#[tokio::test(flavor = "multi_thread")]
async fn b05_rows_without_a_key_that_wait_for_an_id() {
    let mapping = spec([coll("ls", "l", "x").with("calc", json!({"_id": "columns.code"}))]);
    let sql = "create table l(code text, x text, n numeric, at timestamptz, a int[]);
        insert into l values ('a', 'first', 1.50, now(), '{1, 2}'), ('a', 'second', null, 'infinity', '{}')";
    let c = Continuous::new(sql, mapping).await;
    let holds = async |step: &str, x: &str| {
        c.run(step).await;
        c.settled().await;
        c.expect(step, &[("ls", vec![doc! {"_id": "a", "x": x}])]).await;
    };
    holds("delete from l where x = 'first'", "second").await;
    holds(
        "insert into l values ('a', 'third', 2, null, null), ('a', 'third', 2, null, null)",
        "second",
    )
    .await;
    holds("delete from l where x = 'second'", "third").await;
    holds(
        "delete from l where ctid = (select min(ctid) from l where x = 'third')",
        "third",
    )
    .await;
    c.run("delete from l").await;
    c.settled().await;
    c.expect("none is left", &[("ls", vec![])]).await;
    c.complete().await;
}

/// Equal rows of a table without a key can only be told apart by how many there are.
#[tokio::test(flavor = "multi_thread")]
async fn children_without_a_key() {
    let k = document("k", "k", "v").with("fk", "c_k_id_fkey");
    let mapping = spec([
        coll("ps", "p", "").embed([array("cs", "c", "x").embed([k])]),
        coll("plain", "p", "").embed([array("cs", "c", "x")]),
    ]);
    let sql = "create table p(id int primary key); create table k(id int primary key, v text);
        create table c(p_id int references p, x text, k_id int references k, secret text)";
    let m = Migration::new(sql, mapping).await;
    let message = (m.app.api())
        .create_job(&continuous_job(&m))
        .await
        .error(422, "preflight_failed");
    assert!(message.contains("public.c"), "{message}");
    full_identity(&m.source).await;
    let c = Continuous::start(m).await;
    let empty = "delete from c; delete from p; delete from k; insert into p values (1), (2); insert into k values (5, 'a'), (6, 'b');";
    let element = |v: &str| bson!({"x": "r", "k": {"v": v}});
    c.case(
        "B07",
        &format!("{empty} insert into c values (1, 'r', 5), (1, 'r', 5)"),
        &[
            "update c set k_id = 6 where ctid = (select min(ctid) from c)",
            "update c set p_id = 2 where k_id = 5",
        ],
        &[(
            "ps",
            vec![
                doc! {"_id": 1, "cs": [element("b")]},
                doc! {"_id": 2, "cs": [element("a")]},
            ],
        )],
    )
    .await;
    c.case(
        "B08",
        &format!("{empty} insert into c values (1, 'r', 5, 's1'), (1, 'r', 5, 's2')"),
        &[
            "update c set secret = 's3' where secret = 's1'",
            "delete from c where secret = 's2'",
        ],
        &[(
            "ps",
            vec![doc! {"_id": 1, "cs": [element("a")]}, doc! {"_id": 2, "cs": []}],
        )],
    )
    .await;
    let there_and_back = [
        "update c set x = 'a2' where x = 'a'",
        "update c set x = 'a' where x = 'a2'",
    ]
    .repeat(5);
    c.case(
        "B10",
        &format!("{empty} insert into c values (1, 'a'), (1, 'b')"),
        &[&there_and_back[..], &["update c set x = 'a2' where x = 'a'"]].concat(),
        &[(
            "plain",
            vec![
                doc! {"_id": 1, "cs": [{"x": "a2"}, {"x": "b"}]},
                doc! {"_id": 2, "cs": []},
            ],
        )],
    )
    .await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b17_a_referenced_unique_column_changes() {
    let mut mapping = spec([
        coll("cities", "city", "").embed([document("country", "country", "n")]),
        coll("countries", "country", "n").embed([array("cities", "city", "id")]),
    ]);
    mapping["synthetic"] = json!([synthetic("city", "code", "country", "code")]);
    let sql = "create table country(id int primary key, code text unique, n text); create table city(id int primary key, code text)";
    let c = Continuous::new(sql, mapping).await;
    let start = "delete from country; delete from city; insert into country values (1, 'DE', 'G'); insert into city values (1, 'DE')";
    c.case(
        "B17, none",
        start,
        &["update country set code = 'DX'"],
        &[
            ("cities", vec![doc! {"_id": 1}]),
            ("countries", vec![doc! {"_id": 1, "n": "G", "cities": []}]),
        ],
    )
    .await;
    c.case(
        "B17, another",
        start,
        &[
            "update country set code = 'DX'",
            "insert into country values (2, 'DE', 'G2')",
        ],
        &[
            ("cities", vec![doc! {"_id": 1, "country": {"n": "G2"}}]),
            (
                "countries",
                vec![
                    doc! {"_id": 1, "n": "G", "cities": []},
                    doc! {"_id": 2, "n": "G2", "cities": [{"id": 1}]},
                ],
            ),
        ],
    )
    .await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b18_a_delete_that_cascades() {
    let mapping = spec([
        coll("ps", "p", "").embed([array("cs", "c", "id")]),
        coll("cs", "c", ""),
        coll("gs", "g", ""),
        coll("ks", "k", "").embed([array("cs", "c", "id")]),
    ]);
    let sql = "create table p(id int primary key); create table k(id int primary key);
        create table c(id int primary key, p_id int references p on delete cascade, k_id int references k);
        create table g(id int primary key, c_id int references c on delete cascade)";
    let c = Continuous::new(sql, mapping).await;
    c.case(
        "B18",
        "delete from p; delete from k; insert into p values (1); insert into k values (5);
         insert into c values (10, 1, 5); insert into g values (100, 10)",
        &["delete from p where id = 1"],
        &[
            ("ps", vec![]),
            ("cs", vec![]),
            ("gs", vec![]),
            ("ks", vec![doc! {"_id": 5, "cs": []}]),
        ],
    )
    .await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b19_keys_that_cascade_and_nulls_that_are_set() {
    let mapping = spec([
        coll("ps", "p", "").embed([array("cs", "c", "id")]),
        coll("cs", "c", "code"),
    ]);
    let sql = "create table p(code text primary key);
        create table c(id int primary key, code text references p on update cascade on delete set null)";
    let c = Continuous::new(sql, mapping).await;
    c.case(
        "B19",
        "delete from c; delete from p; insert into p values ('A'), ('B'); insert into c values (1, 'A'), (2, 'B')",
        &[
            "update p set code = 'Z' where code = 'A'",
            "delete from p where code = 'B'",
        ],
        &[
            ("ps", vec![doc! {"_id": "Z", "cs": [{"id": 1}]}]),
            ("cs", vec![doc! {"_id": 1, "code": "Z"}, doc! {"_id": 2, "code": null}]),
        ],
    )
    .await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b23_self_references_and_a_cycle() {
    let kids = || array("kids", "cat", "id n");
    let boss = || document("boss", "emp", "name");
    let mapping = spec([
        coll("cats", "cat", "n")
            .with("filter", "columns.parent_id === null")
            .embed([kids().embed([kids()])]),
        coll("emps", "emp", "name").embed([boss().embed([boss()])]),
    ]);
    let sql = "create table cat(id int primary key, parent_id int references cat, n text);
        create table emp(id int primary key, name text, boss_id int references emp)";
    let c = Continuous::new(sql, mapping).await;
    c.case(
        "B23",
        "delete from cat; delete from emp;
         insert into cat values (1, null, 'r'), (2, 1, 'a'), (3, 1, 'b'), (4, 2, 'c'), (5, 4, 'too deep');
         insert into emp values (1, 'A', 3), (2, 'B', 1), (3, 'C', 1)",
        &[
            "update cat set parent_id = 3 where id = 4",
            "update cat set parent_id = null where id = 2",
            "update cat set parent_id = 2 where id = 1",
            "update emp set boss_id = 2 where id = 3",
        ],
        &[
            (
                "cats",
                vec![doc! {"_id": 2, "n": "a", "kids": [{"id": 1, "n": "r", "kids": [{"id": 3, "n": "b"}]}]}],
            ),
            (
                "emps",
                vec![
                    doc! {"_id": 1, "name": "A", "boss": {"name": "C", "boss": {"name": "B"}}},
                    doc! {"_id": 2, "name": "B", "boss": {"name": "A", "boss": {"name": "C"}}},
                    doc! {"_id": 3, "name": "C", "boss": {"name": "B", "boss": {"name": "A"}}},
                ],
            ),
        ],
    )
    .await;
    c.case(
        "B23, a cycle without a root",
        "delete from cat; delete from emp; insert into cat values (1, null, 'r'), (2, 1, 'a'), (3, 2, 'b')",
        &[
            "update cat set parent_id = 3 where id = 1",
            "update cat set n = upper(n)",
        ],
        &[("cats", vec![])],
    )
    .await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b24_a_link_table_and_both_ends() {
    let tags = array("tags", "pt", "pos").with("sort", json!(["pos", "ASC"]));
    let mapping = spec([
        coll("posts", "post", "").embed([tags.embed([merged("tag", "n")])]),
        coll("tags", "tag", "n").embed([values("posts", "pt", "post_id")]),
    ]);
    let sql = "create table post(id int primary key); create table tag(id int primary key, n text);
        create table pt(post_id int references post, tag_id int references tag, pos int, primary key (post_id, tag_id))";
    let c = Continuous::new(sql, mapping).await;
    c.case(
        "B24",
        "delete from pt; delete from post; delete from tag; insert into post values (1), (2);
         insert into tag values (1, 'x'), (2, 'y'); insert into pt values (1, 1, 2), (1, 2, 1)",
        &[
            "insert into pt values (2, 1, 1)",
            "update pt set tag_id = 2 where post_id = 2",
            "update tag set n = 'Y' where id = 2",
            "delete from pt where tag_id = 1; delete from tag where id = 1",
            "update pt set pos = 9 where post_id = 2",
            "delete from pt where post_id = 1; delete from post where id = 1",
        ],
        &[
            ("posts", vec![doc! {"_id": 2, "tags": [{"pos": 9, "n": "Y"}]}]),
            ("tags", vec![doc! {"_id": 2, "n": "Y", "posts": [2]}]),
        ],
    )
    .await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b25_a_sorted_and_limited_array() {
    let top = array("top", "r", "id score")
        .with("sort", json!(["score", "DESC"]))
        .with("limit", 2);
    let last = array("last", "r", "id score")
        .with("sort", json!(["t", "DESC"]))
        .with("limit", 1)
        .with("as_document", true);
    let sql = "create table p(id int primary key);
        create table r(id int primary key, p_id int references p, score int, t timestamp)";
    let c = Continuous::new(sql, spec([coll("ps", "p", "").embed([top, last])])).await;
    let start = "delete from r; delete from p; insert into p values (1);
        insert into r values (1, 1, 5, '2024-01-01'), (2, 1, 9, '2024-01-02'), (3, 1, 9, '2024-01-03'), (4, 1, null, '2024-01-04')";
    let one = |top: bson::Bson, last: bson::Bson| vec![doc! {"_id": 1, "top": top, "last": last}];
    let r = |id: i32, score: i32| bson!({"id": id, "score": score});
    c.case(
        "B25, one that was not in the document comes up",
        start,
        &["delete from r where id = 2"],
        &[("ps", one(bson!([r(3, 9), r(1, 5)]), bson!({"id": 4, "score": null})))],
    )
    .await;
    c.case(
        "B25",
        start,
        &[
            "delete from r where id = 2",
            "update r set score = 1 where id = 3",
            "insert into r values (5, 1, 7, '2024-01-05')",
            "update r set score = 8 where id = 4",
        ],
        &[("ps", one(bson!([r(4, 8), r(5, 7)]), r(5, 7)))],
    )
    .await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b27_a_primitive_array() {
    let sql = "create table p(id int primary key); create table v(id int primary key, p_id int references p, n int)";
    let mapping = spec([
        coll("ps", "p", "").embed([values("ns", "v", "n")]),
        coll("without", "p", "").embed([values("ns", "v", "n").with("omit_null", json!(["n"]))]),
    ]);
    let c = Continuous::new(sql, mapping).await;
    c.case(
        "B27",
        "delete from v; delete from p; insert into p values (1), (2); insert into v values (1, 1, 5), (2, 1, null), (3, 1, 5), (4, 1, 0)",
        &[
            "update v set n = 6 where id = 1",
            "delete from v where id = 3",
            "insert into v values (5, 1, 5)",
            "update v set p_id = 2 where id = 4",
        ],
        &[
            ("ps", vec![doc! {"_id": 1, "ns": [6, null, 5]}, doc! {"_id": 2, "ns": [0]}]),
            ("without", vec![doc! {"_id": 1, "ns": [6, 5]}, doc! {"_id": 2, "ns": [0]}]),
        ],
    )
    .await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b28_merged_into_the_parent() {
    let ord = merged("ord", "total").with("omit_null", json!(["total"]));
    let mapping = spec([coll("lines", "line", "").embed([ord.embed([array("notes", "note", "txt")])])]);
    let sql = "create table ord(id int primary key, total int);
        create table line(id int primary key, order_id int references ord);
        create table note(id int primary key, order_id int references ord, txt text)";
    let c = Continuous::new(sql, mapping).await;
    c.case(
        "B28",
        "delete from note; delete from line; delete from ord; insert into ord values (7, 50);
         insert into line values (1, 7), (2, 7); insert into note values (1, 7, 'n1'), (2, 7, 'n2')",
        &[
            "update ord set total = 60",
            "update line set order_id = null where id = 1",
            "delete from note where id = 2",
            "update ord set total = null",
        ],
        &[(
            "lines",
            vec![doc! {"_id": 1}, doc! {"_id": 2, "notes": [{"txt": "n1"}]}],
        )],
    )
    .await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b29_one_row_in_many_places() {
    let addr = |path: &str, fk: &str| document(path, "addr", "city").with("fk", fk);
    let mapping = spec([
        coll("custs", "cust", "").embed([addr("home", "cust_home_id_fkey"), addr("work", "cust_work_id_fkey")]),
        coll("shops", "shop", "").embed([addr("addr", "shop_addr_id_fkey")]),
        coll("addrs", "addr", "city"),
    ]);
    let sql = "create table addr(id int primary key, city text);
        create table cust(id int primary key, home_id int references addr, work_id int references addr);
        create table shop(id int primary key, addr_id int references addr)";
    let c = Continuous::new(sql, mapping).await;
    let start = "delete from cust; delete from shop; delete from addr; insert into addr values (1, 'X'), (2, 'Y');
        insert into cust values (1, 1, 2), (2, 2, null); insert into shop values (9, 1)";
    c.case(
        "B29, renamed",
        start,
        &["update addr set city = 'X2' where id = 1"],
        &[
            (
                "custs",
                vec![
                    doc! {"_id": 1, "home": {"city": "X2"}, "work": {"city": "Y"}},
                    doc! {"_id": 2, "home": {"city": "Y"}},
                ],
            ),
            ("shops", vec![doc! {"_id": 9, "addr": {"city": "X2"}}]),
            (
                "addrs",
                vec![doc! {"_id": 1, "city": "X2"}, doc! {"_id": 2, "city": "Y"}],
            ),
        ],
    )
    .await;
    c.case(
        "B29",
        start,
        &[
            "update addr set city = 'X2' where id = 1",
            "update cust set work_id = 1 where id = 1",
            "delete from shop where id = 9",
            "update cust set home_id = null where id = 2",
            "delete from addr where id = 2",
        ],
        &[
            (
                "custs",
                vec![
                    doc! {"_id": 1, "home": {"city": "X2"}, "work": {"city": "X2"}},
                    doc! {"_id": 2},
                ],
            ),
            ("shops", vec![]),
            ("addrs", vec![doc! {"_id": 1, "city": "X2"}]),
        ],
    )
    .await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b37_a_root_that_is_an_element_of_its_own_array() {
    let tags = || values("tags", "tag", "t").with("fk", "tag_p_id_fkey");
    let fav = document("fav", "tag", "t").with("fk", "p_fav_tag_id_fkey");
    let p = document("p", "p", "id").with("fk", "tag_p_id_fkey");
    let mapping = spec([
        coll("ps", "p", "").embed([tags(), fav]),
        coll("tags", "tag", "t").embed([p.embed([tags()])]),
    ]);
    let sql = "create table p(id int primary key, fav_tag_id int);
        create table tag(id int primary key, p_id int references p, t text);
        alter table p add foreign key (fav_tag_id) references tag";
    let c = Continuous::new(sql, mapping).await;
    c.case(
        "B37",
        "update p set fav_tag_id = null; delete from tag; delete from p; insert into p values (1, null), (2, null);
         insert into tag values (10, 1, 'x'), (11, 1, 'y'); update p set fav_tag_id = 10 where id = 1",
        &[
            "update p set fav_tag_id = 11 where id = 1",
            "update tag set t = 'x2' where id = 10",
            "update tag set p_id = 2 where id = 11",
            "update tag set p_id = null where id = 11",
            "delete from p where id = 2",
        ],
        &[
            ("ps", vec![doc! {"_id": 1, "tags": ["x2"], "fav": {"t": "y"}}]),
            (
                "tags",
                vec![
                    doc! {"_id": 10, "t": "x2", "p": {"id": 1, "tags": ["x2"]}},
                    doc! {"_id": 11, "t": "y"},
                ],
            ),
        ],
    )
    .await;
    c.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b34_a_collection_of_two_tables() {
    let id = |t: &str| json!({"_id": format!("({{t: '{t}', id: columns.id}})")});
    let pets = |t: &str| coll("pets", t, "n").with("calc", id(t));
    let sql = "create table dog(id int primary key, n text); create table cat(id int primary key, n text)";
    let c = Continuous::new(sql, spec([pets("dog"), pets("cat")])).await;
    let start = "delete from dog; delete from cat; insert into dog values (1, 'a'); insert into cat values (1, 'b')";
    let pet = |t: &str, n: &str| doc! {"_id": {"t": t, "id": 1}, "n": n};
    c.case(
        "B34, one goes",
        start,
        &["delete from dog"],
        &[("pets", vec![pet("cat", "b")])],
    )
    .await;
    c.case(
        "B34",
        start,
        &[
            "delete from dog",
            "update cat set n = 'c'",
            "insert into dog values (1, 'a2')",
        ],
        &[("pets", vec![pet("dog", "a2"), pet("cat", "c")])],
    )
    .await;
    c.complete().await;
}
