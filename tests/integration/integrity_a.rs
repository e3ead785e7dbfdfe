//! Group A of the integrity cases, first half: how rows find their place in documents.

use crate::common::{Rule, again, array, coll, document, merged, migrated, refused, spec, synthetic, values};
use bson::doc;
use godwit_tests::docs::decimal;
use godwit_tests::migrate::Migration;
use serde_json::{Value, json};

const A01: &str = "
    create table orders(id int primary key);
    create table products(id int primary key, name text);
    create table items(id int primary key, order_id int references orders, product_id int references products);
    create table tags(id int primary key, product_id int references products, t text);
    insert into orders values (1);
    insert into products values (7, 'A'), (8, 'B');
    insert into items values (10, 1, 7), (11, 1, 8), (12, 1, 7);
    insert into tags values (1, 7, 'x'), (2, 7, 'y')";

fn a01() -> Value {
    let product = document("product", "products", "name").embed([array("tags", "tags", "t")]);
    spec([coll("orders", "orders", "").embed([array("items", "items", "id").embed([product])])])
}

#[tokio::test(flavor = "multi_thread")]
async fn a01_array_in_document_in_array() {
    let m = migrated(A01, a01()).await;
    let a = || doc! {"name": "A", "tags": [{"t": "x"}, {"t": "y"}]};
    let items = bson::bson!([{"id": 10, "product": a()}, {"id": 11, "product": {"name": "B", "tags": []}},
        {"id": 12, "product": a()}]);
    m.expect("orders", &[doc! {"_id": 1, "items": items}]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a02_cycle_between_two_collections() {
    let m = migrated(
        "create table a(id int primary key, b_id int); create table b(id int primary key, a_id int references a);
         insert into a values (1, 20), (2, null); insert into b values (20, 2), (21, 1);
         alter table a add foreign key (b_id) references b",
        spec([
            coll("as", "a", "").embed([document("b", "b", "id")]),
            coll("bs", "b", "").embed([document("a", "a", "id")]),
        ]),
    )
    .await;
    m.expect("as", &[doc! {"_id": 1, "b": {"id": 20}}, doc! {"_id": 2}])
        .await;
    m.expect(
        "bs",
        &[doc! {"_id": 20, "a": {"id": 2}}, doc! {"_id": 21, "a": {"id": 1}}],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a03_cycle_with_an_excluded_join_column_below_an_array() {
    let m = migrated(
        "create table dept(id int primary key, head_id int);
         create table emp(id int primary key, dept_id int references dept, name text);
         insert into dept values (1, 5), (2, null); insert into emp values (5, 1, 'E'), (6, 1, 'F');
         alter table dept add foreign key (head_id) references emp",
        spec([
            coll("depts", "dept", "").embed([array("emps", "emp", "name").embed([document("dept", "dept", "id")])]),
            coll("emps", "emp", "name"),
        ]),
    )
    .await;
    let emps = bson::bson!([{"name": "E", "dept": {"id": 1}}, {"name": "F", "dept": {"id": 1}}]);
    m.expect("depts", &[doc! {"_id": 1, "emps": emps}, doc! {"_id": 2, "emps": []}])
        .await;
    m.expect("emps", &[doc! {"_id": 5, "name": "E"}, doc! {"_id": 6, "name": "F"}])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a04_self_reference_as_document_with_a_cycle_in_the_data() {
    let boss = || document("boss", "emp", "name");
    let m = migrated(
        "create table emp(id int primary key, name text, boss_id int references emp);
         insert into emp values (1, 'A', 3), (2, 'B', 1), (3, 'C', 1)",
        spec([coll("emps", "emp", "name").embed([boss().embed([boss()])])]),
    )
    .await;
    let expected = [
        doc! {"_id": 1, "name": "A", "boss": {"name": "C", "boss": {"name": "A"}}},
        doc! {"_id": 2, "name": "B", "boss": {"name": "A", "boss": {"name": "C"}}},
        doc! {"_id": 3, "name": "C", "boss": {"name": "A", "boss": {"name": "C"}}},
    ];
    m.expect("emps", &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a05_self_reference_as_array_of_three_levels() {
    let kids = || array("kids", "cat", "id n");
    let m = migrated(
        "create table cat(id int primary key, parent_id int references cat, n text);
         insert into cat values (1, null, 'r'), (2, 1, 'a'), (3, 1, 'b'), (4, 2, 'c'), (5, 4, 'too deep')",
        spec([coll("cats", "cat", "n")
            .with("filter", "columns.parent_id === null")
            .embed([kids().embed([kids()])])]),
    )
    .await;
    let kids = bson::bson!([{"id": 2, "n": "a", "kids": [{"id": 4, "n": "c"}]}, {"id": 3, "n": "b", "kids": []}]);
    m.expect("cats", &[doc! {"_id": 1, "n": "r", "kids": kids}]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a06_merge_into_parent_with_an_array_below() {
    let m = migrated(
        "create table ord(id int primary key, total int);
         create table line(id int primary key, order_id int references ord);
         create table note(id int primary key, order_id int references ord, txt text);
         insert into ord values (7, 50); insert into line values (1, 7), (2, 7);
         insert into note values (1, 7, 'n1'), (2, 7, 'n2')",
        spec([coll("lines", "line", "").embed([merged("ord", "total").embed([array("notes", "note", "txt")])])]),
    )
    .await;
    let line = |id: i32| doc! {"_id": id, "total": 50, "notes": [{"txt": "n1"}, {"txt": "n2"}]};
    m.expect("lines", &[line(1), line(2)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a07_merge_under_composite_key_with_nested_arrays() {
    let notes = array("notes", "note", "txt").embed([array("atts", "att", "f")]);
    let m = migrated(
        "create table ord(id int primary key, total int);
         create table line(order_id int references ord, no int, primary key (order_id, no));
         create table note(id int primary key, order_id int references ord, txt text);
         create table att(id int primary key, note_id int references note, f text);
         insert into ord values (7, 50); insert into line values (7, 1), (7, 2);
         insert into note values (1, 7, 'n1'); insert into att values (1, 1, 'f1')",
        spec([coll("lines", "line", "")
            .with("key", "WRAPPED")
            .embed([merged("ord", "total").embed([notes])])]),
    )
    .await;
    let line = |no: i32| {
        let notes = bson::bson!([{"txt": "n1", "atts": [{"f": "f1"}]}]);
        doc! {"_id": {"order_id": 7, "no": no}, "total": 50, "notes": notes}
    };
    m.expect("lines", &[line(1), line(2)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a08_merge_into_parent_with_a_name_collision() {
    let sql = "create table ord(id int primary key, status text);
         create table line(id int primary key, status text, order_id int references ord);
         insert into ord values (7, 'paid'); insert into line values (1, 'sent', 7)";
    let mapping = |ord: Rule| spec([coll("lines", "line", "status").embed([ord])]);
    let m = Migration::new(sql, mapping(merged("ord", "status"))).await;
    let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
    assert!(
        message.contains("public.line") && message.contains("public.ord"),
        "{message}"
    );
    assert!(message.contains("\"status\""), "{message}");
    let renamed = merged("ord", "status").with("rename", json!({"status": "order_status"}));
    let m = migrated(sql, mapping(renamed)).await;
    m.expect("lines", &[doc! {"_id": 1, "status": "sent", "order_status": "paid"}])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a09_primitive_array_stays_primitive_in_a_cycle() {
    let tags = || values("tags", "tag", "t");
    let m = migrated(
        "create table p(id int primary key, fav_tag_id int); create table tag(id int primary key, p_id int references p, t text);
         insert into p values (1, 10), (2, null); insert into tag values (10, 1, 'x'), (11, 1, 'y');
         alter table p add foreign key (fav_tag_id) references tag",
        spec([
            coll("ps", "p", "").embed([tags()]),
            coll("tags", "tag", "t").embed([document("p", "p", "id").embed([tags()])]),
        ]),
    )
    .await;
    m.expect(
        "ps",
        &[doc! {"_id": 1, "tags": ["x", "y"]}, doc! {"_id": 2, "tags": []}],
    )
    .await;
    let p = || doc! {"id": 1, "tags": ["x", "y"]};
    m.expect(
        "tags",
        &[
            doc! {"_id": 10, "t": "x", "p": p()},
            doc! {"_id": 11, "t": "y", "p": p()},
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_primitive_array_keeps_nulls_duplicates_and_order() {
    let m = migrated(
        "create table p(id int primary key); create table v(id int primary key, p_id int references p, n int);
         insert into p values (1); insert into v values (1, 1, 5), (2, 1, null), (3, 1, 5), (4, 1, 0)",
        spec([
            coll("with_nulls", "p", "").embed([values("ns", "v", "n")]),
            coll("without", "p", "").embed([values("ns", "v", "n").with("omit_null", json!(["n"]))]),
        ]),
    )
    .await;
    m.expect("with_nulls", &[doc! {"_id": 1, "ns": [5, null, 5, 0]}]).await;
    m.expect("without", &[doc! {"_id": 1, "ns": [5, 5, 0]}]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_second_run_without_dropping() {
    let m = migrated(A01, a01()).await;
    m.source
        .run(
            "delete from items where id = 11; update products set name = 'A2' where id = 7;
             insert into items values (13, 1, 8); delete from tags where id = 2",
        )
        .await;
    let a = || doc! {"name": "A2", "tags": [{"t": "x"}]};
    let items = bson::bson!([{"id": 10, "product": a()}, {"id": 12, "product": a()},
        {"id": 13, "product": {"name": "B", "tags": []}}]);
    for _ in 0..2 {
        again(&m).await;
        m.expect("orders", &[doc! {"_id": 1, "items": items.clone()}]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_one_column_in_several_composite_keys() {
    let m = migrated(
        "create table region(tenant int, id int, n text, primary key (tenant, id));
         create table site(tenant int, id int, n text, primary key (tenant, id));
         create table dev(tenant int, id int, region_id int, site_id int, primary key (tenant, id),
           foreign key (tenant, region_id) references region, foreign key (tenant, site_id) references site);
         insert into region values (1, 5, 'R15'), (2, 5, 'R25'), (1, 6, 'R16');
         insert into site values (1, 6, 'S16'), (2, 6, 'S26'), (1, 5, 'S15');
         insert into dev values (1, 1, 5, 6), (2, 1, 5, 6)",
        spec([coll("devs", "dev", "").embed([document("region", "region", "n"), document("site", "site", "n")])]),
    )
    .await;
    let dev = |tenant: i32, region: &str, site: &str| doc! {"_id": {"tenant": tenant, "id": 1}, "region": {"n": region}, "site": {"n": site}};
    m.expect("devs", &[dev(1, "R15", "S16"), dev(2, "R25", "S26")]).await;
    m.source
        .run("update dev set region_id = 6, site_id = 5 where tenant = 1")
        .await;
    again(&m).await;
    m.expect("devs", &[dev(1, "R16", "S15"), dev(2, "R25", "S26")]).await;
}

const A13: &str = "create table t(id int primary key, a text, b text, c text); insert into t values (1, 'A', 'B', 'C');
    create table u(id int primary key, t_id int references t); insert into u values (5, 1)";

#[tokio::test(flavor = "multi_thread")]
async fn a13_field_renamed_to_the_name_of_another_column() {
    let m = migrated(
        A13,
        spec([
            coll("swapped", "t", "a b c").with("rename", json!({"a": "b", "b": "a", "c": "id2"})),
            coll("replaced", "t", "a c").with("rename", json!({"a": "b"})),
            coll("covered", "t", "b c").embed([values("a", "u", "id")]),
        ]),
    )
    .await;
    m.expect("swapped", &[doc! {"_id": 1, "b": "A", "a": "B", "id2": "C"}])
        .await;
    m.expect("replaced", &[doc! {"_id": 1, "b": "A", "c": "C"}]).await;
    m.expect("covered", &[doc! {"_id": 1, "b": "B", "c": "C", "a": [5]}])
        .await;
    m.source.run("update t set a = 'A2'; update t set b = 'B2'").await;
    again(&m).await;
    m.expect("swapped", &[doc! {"_id": 1, "b": "A2", "a": "B2", "id2": "C"}])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a13_names_that_fall_on_each_other_are_refused() {
    for renamed in [json!({"c": "_id"}), json!({"c": "a"}), json!({"b": "a.x"})] {
        let m = Migration::new(A13, spec([coll("t", "t", "*").with("rename", renamed.clone())])).await;
        let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
        assert!(message.contains("public.t"), "{renamed}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a14_one_table_at_many_places() {
    let addr = |path: &str, fk: &str| document(path, "addr", "city").with("fk", fk);
    let m = migrated(
        "create table addr(id int primary key, city text);
         create table cust(id int primary key, home_id int references addr, work_id int references addr);
         create table shop(id int primary key, addr_id int references addr);
         insert into addr values (1, 'X'), (2, 'Y'); insert into cust values (1, 1, 2), (2, 2, null);
         insert into shop values (9, 1)",
        spec([
            coll("custs", "cust", "").embed([addr("home", "cust_home_id_fkey"), addr("work", "cust_work_id_fkey")]),
            coll("shops", "shop", "").embed([addr("addr", "shop_addr_id_fkey")]),
            coll("addrs", "addr", "city"),
        ]),
    )
    .await;
    let first = doc! {"_id": 1, "home": {"city": "X"}, "work": {"city": "Y"}};
    m.expect("custs", &[first, doc! {"_id": 2, "home": {"city": "Y"}}])
        .await;
    m.expect("shops", &[doc! {"_id": 9, "addr": {"city": "X"}}]).await;
    m.expect("addrs", &[doc! {"_id": 1, "city": "X"}, doc! {"_id": 2, "city": "Y"}])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a15_two_keys_between_the_same_tables_from_the_child() {
    let xfer = |path: &str, fk: &str| array(path, "xfer", "id amt").with("fk", fk);
    let m = migrated(
        "create table acc(id int primary key);
         create table xfer(id int primary key, from_id int references acc, to_id int references acc, amt int);
         insert into acc values (1), (2); insert into xfer values (1, 1, 2, 10), (2, 2, 1, 20), (3, 1, 1, 30)",
        spec([coll("accs", "acc", "").embed([xfer("outs", "xfer_from_id_fkey"), xfer("ins", "xfer_to_id_fkey")])]),
    )
    .await;
    let x = |id: i32| doc! {"id": id, "amt": id * 10};
    let first = doc! {"_id": 1, "outs": [x(1), x(3)], "ins": [x(2), x(3)]};
    m.expect("accs", &[first, doc! {"_id": 2, "outs": [x(2)], "ins": [x(1)]}])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a16_composite_keys_in_another_column_order_declared_and_synthetic() {
    let sql = "create table p(a int, b int, n text, primary key (a, b));
         create table c(id int primary key, x int, y int, constraint declared foreign key (y, x) references p (a, b));
         insert into p values (1, 2, '12'), (2, 1, '21'); insert into c values (1, 2, 1), (2, 1, 2)";
    let expected = [
        doc! {"_id": {"a": 1, "b": 2}, "n": "12", "cs": [{"id": 1}]},
        doc! {"_id": {"a": 2, "b": 1}, "n": "21", "cs": [{"id": 2}]},
    ];
    let rules = || spec([coll("ps", "p", "n").embed([array("cs", "c", "id")])]);
    let m = migrated(sql, rules()).await;
    m.expect("ps", &expected).await;

    let mut mapping = rules();
    mapping["synthetic"] =
        json!([{"name": "made", "table": "c", "columns": ["y", "x"], "ref": "p", "ref_columns": ["a", "b"]}]);
    let m = migrated(&format!("{sql}; alter table c drop constraint declared"), mapping).await;
    m.expect("ps", &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a17_composite_key_with_a_null_part_joins_nothing() {
    let m = migrated(
        "create table p(a int, b int, primary key (a, b));
         create table c(id int primary key, a int, b int, foreign key (a, b) references p);
         insert into p values (1, 1); insert into c values (1, 1, null), (2, null, 9), (3, 1, 1), (4, null, null)",
        spec([
            coll("cs", "c", "a b").embed([document("p", "p", "a")]),
            coll("ps", "p", "").embed([array("cs", "c", "id")]),
        ]),
    )
    .await;
    let expected = [
        doc! {"_id": 1, "a": 1, "b": null},
        doc! {"_id": 2, "a": null, "b": 9},
        doc! {"_id": 3, "a": 1, "b": 1, "p": {"a": 1}},
        doc! {"_id": 4, "a": null, "b": null},
    ];
    m.expect("cs", &expected).await;
    m.expect("ps", &[doc! {"_id": {"a": 1, "b": 1}, "cs": [{"id": 3}]}])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a18_key_to_a_unique_column_that_is_not_the_primary_key() {
    let m = migrated(
        "create table country(id int primary key, code text unique, n text);
         create table city(id int primary key, code text references country (code));
         insert into country values (1, 'DE', 'G'), (2, 'FR', 'F'); insert into city values (1, 'DE'), (2, 'FR'), (3, null)",
        spec([
            coll("cities", "city", "").embed([document("country", "country", "n")]),
            coll("countries", "country", "n").embed([array("cities", "city", "id")]),
        ]),
    )
    .await;
    let cities = [
        doc! {"_id": 1, "country": {"n": "G"}},
        doc! {"_id": 2, "country": {"n": "F"}},
        doc! {"_id": 3},
    ];
    m.expect("cities", &cities).await;
    let country = |id: i32, n: &str| doc! {"_id": id, "n": n, "cities": [{"id": id}]};
    m.expect("countries", &[country(1, "G"), country(2, "F")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_keys_are_compared_as_the_source_compares_them() {
    let rules = |n: i32| {
        let children = array("cs", &format!("c{n}"), "id k");
        coll(&format!("p{n}"), &format!("p{n}"), "").embed([children])
    };
    let m = migrated(
        "create extension citext;
         create collation caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
         create table p1(k text collate caseless primary key);
         create table c1(id int primary key, k text collate caseless references p1);
         create table p2(k citext primary key); create table c2(id int primary key, k citext references p2);
         create table p3(k char(5) primary key); create table c3(id int primary key, k char(8) references p3);
         insert into p1 values ('ABC'); insert into c1 values (1, 'AbC'), (2, 'abc');
         insert into p2 values ('ABC'); insert into c2 values (1, 'AbC'), (2, 'abc');
         insert into p3 values ('ABC'); insert into c3 values (1, 'ABC')",
        spec([rules(1), rules(2), rules(3)]),
    )
    .await;
    let expected = [doc! {"_id": "ABC", "cs": [{"id": 1, "k": "AbC"}, {"id": 2, "k": "abc"}]}];
    m.expect("p1", &expected).await;
    m.expect("p2", &expected).await;
    m.expect("p3", &[doc! {"_id": "ABC  ", "cs": [{"id": 1, "k": "ABC     "}]}])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a20_equal_numbers_of_different_spelling_and_type() {
    let m = migrated(
        "create table p(k numeric primary key); create table c(id int primary key, k numeric references p);
         insert into p values (1.0); insert into c values (1, 1.00), (2, 1)",
        spec([coll("ps", "p", "").embed([array("cs", "c", "id")])]),
    )
    .await;
    m.expect("ps", &[doc! {"_id": decimal("1.0"), "cs": [{"id": 1}, {"id": 2}]}])
        .await;
    // The source has no operator for these two types, and which text a number is written as is not for us to say.
    let mut mapping = spec([coll("p2s", "p2", "").embed([array("cs", "c2", "id")])]);
    mapping["synthetic"] = json!([synthetic("c2", "code", "p2", "code")]);
    let sql = "create table p2(code varchar primary key); create table c2(id int primary key, code int)";
    let m = Migration::new(sql, mapping).await;
    let message = refused(&m, &m.job(), 422, "invalid_mapping").await;
    let types = "public.p2.code (character varying) with public.c2.code (integer)";
    assert!(message.contains(types), "{message}");
}
