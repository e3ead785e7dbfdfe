//! The cases of spec 08, section 7, by name.

use crate::common::{array, coll, document, merged, migrated, spec};
use bson::{Bson, Document, doc};
use godwit_shared::verification::VerificationStatus;
use godwit_tests::migrate::Migration;
use godwit_tests::verifying::{assert_status, lines, of_project, verify};
use serde_json::{Value, json};

async fn verified(sql: &str, spec: Value) -> Migration {
    let m = migrated(sql, spec).await;
    let one = verify_newest(&m, json!({})).await;
    assert_status(&one, VerificationStatus::Verified);
    m
}

async fn newest(m: &Migration) -> String {
    let jobs = m.app.api().get("/jobs").await.ok();
    jobs[0]["id"].as_str().expect("a job").to_owned()
}

async fn verify_newest(m: &Migration, options: Value) -> godwit_shared::verification::Verification {
    verify(&m.app.api(), &newest(m).await, options).await
}

async fn found(m: &Migration) -> Vec<String> {
    let one = verify_newest(m, json!({})).await;
    assert_status(&one, VerificationStatus::Failed);
    lines(&m.app.api(), &one.id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_composite_key_with_an_excluded_part() {
    let sql = "create table t(a int, b text, v int, primary key (a, b));
        insert into t select i, 'b' || i, i from generate_series(1, 50) i";
    for key in ["SINGLE", "WRAPPED", "GENERATED"] {
        let rule = coll("t", "t", "a v").with("key", key);
        let m = verified(sql, spec([rule])).await;
        let all = m.target.database.collection::<Document>("t");
        all.update_one(doc! {"v": 7}, doc! {"$set": {"v": 8}})
            .await
            .expect("a change");
        let lines = found(&m).await;
        assert_eq!(lines.len(), 1, "{key}: {lines:?}");
        assert!(
            lines[0].starts_with("FieldValue t ") && lines[0].ends_with(" v"),
            "{lines:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_of_an_element_that_have_the_names_of_their_parent() {
    verified(
        "create table p(id int primary key, name text, v int); create table c(id int primary key, p_id int references p, name text, v int);
         insert into p select i, 'p' || i, i from generate_series(1, 20) i;
         insert into c select i, 1 + i % 20, 'c' || i, i from generate_series(1, 60) i",
        spec([coll("p", "p", "*").embed([array("name2", "c", "name v").with("rename", json!({"name": "name", "v": "v"}))])]),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_number_but_rows_that_have_changed_places() {
    let m = verified(
        "create table t(id int primary key, v text); insert into t select i, 'v' || i from generate_series(1, 30) i",
        spec([coll("t", "t", "*")]),
    )
    .await;
    let all = m.target.database.collection::<Document>("t");
    for (id, v) in [(3, "v4"), (4, "v3")] {
        all.update_one(doc! {"_id": id}, doc! {"$set": {"v": v}})
            .await
            .expect("a change");
    }
    assert_eq!(
        found(&m).await,
        [
            r#"FieldValue t {"$numberInt":"3"} v"#,
            r#"FieldValue t {"$numberInt":"4"} v"#
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_document_too_many_and_a_collection_that_was_there_before() {
    let sql = "create table t(id int primary key, v int); insert into t select i, i from generate_series(1, 3000) i";
    let m = Migration::new(sql, spec([coll("t", "t", "*")])).await;
    let all = m.target.database.collection::<Document>("t");
    all.insert_many((10_000..10_005).map(|i| doc! {"_id": i, "other": true}))
        .await
        .expect("documents");
    let job = m.run(&m.job().dropping(false)).await;
    crate::common::assert_completed(&job);
    let one = verify_newest(&m, json!({})).await;
    assert_status(&one, VerificationStatus::Failed);
    assert_eq!(
        (one.collections[0].unexpected, one.collections[0].equal),
        (5, 3_000),
        "{one:#?}"
    );
    let counts = verify_newest(&m, json!({"level": "COUNTS"})).await;
    assert_status(&counts, VerificationStatus::Failed);
    assert_eq!(lines(&m.app.api(), &counts.id).await, ["CountMismatch t null -"]);
    // They are others': that is no difference, and the verdict says so.
    let ignoring = verify_newest(&m, json!({"ignoreUnexpected": true})).await;
    assert_status(&ignoring, VerificationStatus::VerifiedWithExceptions);
    assert_eq!(ignoring.exceptions[0].code, "unexpected_ignored");
    assert_eq!(ignoring.exceptions[0].count, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_off_by_one_ulp_and_a_decimal_of_35_digits() {
    let m = verified(
        "create table t(id int primary key, f float8, r real, n numeric, nan float8);
         insert into t values (1, 0.1, 1.1, 1.2345678901234567890123456789012345, 'NaN'), (2, -0.0, 'Infinity', 1.50, null)",
        spec([coll("t", "t", "*")]),
    )
    .await;
    let one = verify_newest(&m, json!({})).await;
    // The rounding itself is told once for the column.
    let rounded = one.notes.iter().filter(|n| n.code == "value_rounded");
    assert_eq!(
        rounded.map(|n| n.field.clone()).collect::<Vec<_>>(),
        [Some("n".to_owned())]
    );
    let all = m.target.database.collection::<Document>("t");
    let next = f64::from_bits(0.1_f64.to_bits() + 1);
    all.update_one(doc! {"_id": 1}, doc! {"$set": {"f": next}})
        .await
        .expect("a change");
    // The same number, written otherwise.
    let same = Bson::Decimal128("1.5".parse().expect("a decimal"));
    all.update_one(doc! {"_id": 2}, doc! {"$set": {"n": same}})
        .await
        .expect("a change");
    assert_eq!(found(&m).await, [r#"FieldValue t {"$numberInt":"1"} f"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_null_in_a_join_column_and_an_empty_array_against_a_missing_field() {
    let m = verified(
        "create table p(a int, b int, primary key (a, b)); create table c(id int primary key, a int, b int, foreign key (a, b) references p);
         insert into p values (1, 1), (1, 2), (2, 1);
         insert into c values (1, 1, 1), (2, 1, null), (3, null, null), (4, 2, 1)",
        spec([
            coll("p", "p", "*").embed([array("cs", "c", "id")]),
            coll("c", "c", "*").embed([document("p", "p", "*")]),
        ]),
    )
    .await;
    let all = m.target.database.collection::<Document>("p");
    let empty = all
        .update_one(doc! {"cs": []}, doc! {"$unset": {"cs": ""}})
        .await
        .expect("a change");
    assert_eq!(empty.modified_count, 1);
    let lines = found(&m).await;
    assert!(
        lines.len() == 1 && lines[0].starts_with("FieldMissing p") && lines[0].ends_with(" cs"),
        "{lines:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_was_changed_after_the_job_and_a_row() {
    let m = verified(
        "create table t(id int primary key, v int); insert into t select i, i from generate_series(1, 100) i",
        spec([coll("t", "t", "*")]),
    )
    .await;
    let all = m.target.database.collection::<Document>("t");
    all.update_one(doc! {"_id": 5}, doc! {"$set": {"v": 6}})
        .await
        .expect("a change");
    m.source
        .run("update t set v = -1 where id = 9; delete from t where id = 10; insert into t values (200, 1)")
        .await;
    assert_eq!(
        found(&m).await,
        [
            r#"FieldValue t {"$numberInt":"5"} v"#,
            r#"FieldValue t {"$numberInt":"9"} v"#,
            r#"MissingDocument t {"$numberInt":"200"} -"#,
            r#"UnexpectedDocument t {"$numberInt":"10"} -"#,
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_limits_sorts_and_expressions_are_verified() {
    let m = migrated(
        "create table p(id int primary key, kind text, v int); create table c(id int primary key, p_id int references p, n int);
         insert into p select i, 'k' || i % 4, i from generate_series(1, 80) i;
         insert into c select i, 1 + i % 80, i % 13 from generate_series(1, 400) i",
        spec([coll("p", "p", "*")
            .with("filter", "columns.kind !== 'k1'")
            .with("calc", json!({"twice": "columns.v * 2", "text": "`${columns.kind}-${columns.v}`"}))
            .embed([array("cs", "c", "id n").with("sort", json!(["n", "DESC"])).with("limit", 3)])]),
    )
    .await;
    let one = verify_newest(&m, json!({})).await;
    assert_status(&one, VerificationStatus::Verified);
    assert_eq!((one.collections[0].rows, one.collections[0].expected), (80, 60));
    let counts = verify_newest(&m, json!({"level": "COUNTS"})).await;
    assert_status(&counts, VerificationStatus::Verified);
    // The filter of a job holds for its verification too.
    let filters = json!({"public": {"p": {"whereClause": "v <= 40", "rowCount": 25}}});
    let job = m.run(&m.job().filtered(filters)).await;
    crate::common::assert_completed(&job);
    let limited = verify_newest(&m, json!({})).await;
    assert_status(&limited, VerificationStatus::Verified);
    assert!(limited.collections[0].expected < 26, "{limited:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_without_a_document_are_named_and_are_no_findings() {
    let m = Migration::new(
        "create table t(id int primary key, v int, name text);
         insert into t select i, i % 7, 'n' || i from generate_series(1, 70) i; update t set v = null where id = 3",
        spec([
            coll("t", "t", "*").with("calc", json!({"_id": "columns.v === null ? null : columns.id"})),
            coll("u", "t", "v").with("calc", json!({"_id": "columns.v === null ? -1 : columns.v"})),
        ]),
    )
    .await;
    let job = m.run(&m.job()).await;
    crate::common::assert_completed(&job);
    let one = verify_newest(&m, json!({})).await;
    assert_status(&one, VerificationStatus::VerifiedWithExceptions);
    let of = |code: &str| {
        one.exceptions
            .iter()
            .filter(|e| e.code == code)
            .map(|e| e.count)
            .sum::<u64>()
    };
    assert_eq!(of("id_invalid"), 1, "{:#?}", one.exceptions);
    let t = &one.collections[0];
    assert_eq!((t.expected, t.equal, t.skipped), (69, 69, 1), "{t:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_roots_in_one_collection_with_ids_that_meet() {
    let m = Migration::new(
        "create table a(id int primary key, v text); create table b(id int primary key, v text);
         insert into a select i, 'a' || i from generate_series(1, 20) i;
         insert into b select i, 'b' || i from generate_series(15, 30) i",
        spec([coll("all", "a", "*"), coll("all", "b", "*")]),
    )
    .await;
    let job = m.run(&m.job()).await;
    crate::common::assert_completed(&job);
    let one = verify_newest(&m, json!({})).await;
    assert_status(&one, VerificationStatus::VerifiedWithExceptions);
    assert_eq!(
        one.exceptions
            .iter()
            .filter(|e| e.code == "duplicate_id")
            .map(|e| e.count)
            .sum::<u64>(),
        6,
        "{one:#?}"
    );
    let all = m.target.database.collection::<Document>("all");
    all.update_one(doc! {"_id": 17}, doc! {"$set": {"v": "x"}})
        .await
        .expect("a change");
    all.update_one(doc! {"_id": 2}, doc! {"$set": {"v": "x"}})
        .await
        .expect("a change");
    assert_eq!(
        found(&m).await,
        [
            r#"FieldValue all {"$numberInt":"17"} v"#,
            r#"FieldValue all {"$numberInt":"2"} v"#
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_series_is_verified() {
    let m = migrated(
        "create table m(id int primary key, sensor text, t timestamptz, v float8);
         insert into m select i, 's' || i % 3, timestamptz '2025-03-01 00:00+00' + i * interval '1 minute', i from generate_series(1, 500) i",
        spec([coll("readings", "m", "*").with("time_series", json!({"timeField": "t", "metaField": "sensor"}))]),
    )
    .await;
    let one = verify_newest(&m, json!({})).await;
    assert_status(&one, VerificationStatus::Verified);
    assert_eq!(one.collections[0].equal, 500, "{one:#?}");
    let all = m.target.database.collection::<Document>("readings");
    let t = |n: i64| bson::DateTime::from_millis(1_740_787_200_000 + n * 60_000);
    // Once more, one that no row gives, and a row without a document.
    all.insert_one(doc! {"t": t(5), "sensor": "s2", "_id": 5, "v": 5.0})
        .await
        .expect("a document");
    all.insert_one(doc! {"t": t(5), "sensor": "s2", "_id": 5_000, "v": 5.0})
        .await
        .expect("a document");
    m.source
        .run("insert into m values (501, 's0', timestamptz '2025-03-02 00:00+00', 1); update m set v = -1 where id = 7")
        .await;
    assert_eq!(
        found(&m).await,
        [
            r#"FieldValue readings {"$numberInt":"7"} v"#,
            r#"MissingDocument readings {"$numberInt":"501"} -"#,
            r#"UnexpectedDocument readings {"$numberInt":"5"} -"#,
            r#"UnexpectedDocument readings {"$numberInt":"5000"} -"#,
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_the_destination_has_refused_are_named() {
    let m = Migration::new(
        "create table t(id int primary key, n int not null); insert into t select i, i from generate_series(1, 20) i",
        spec([coll("t", "t", "n")]),
    )
    .await;
    let rule = doc! {"create": "t", "validator": {"n": {"$lt": 15}}, "validationLevel": "strict"};
    m.target.database.run_command(rule).await.expect("a validator");
    let job = m.run(&m.job().dropping(false)).await;
    crate::common::assert_completed(&job);
    let one = verify_newest(&m, json!({})).await;
    assert_status(&one, VerificationStatus::VerifiedWithExceptions);
    assert_eq!(
        (one.exceptions[0].code.as_str(), one.exceptions[0].count),
        ("write_refused", 6)
    );
    // Who asks for the project alone knows nothing of the job.
    let body = of_project(&m.job(), json!({}));
    let started = m.app.api().post("/verifications", &body).await.ok();
    let ended = godwit_tests::verifying::ended(&m.app.api(), started["id"].as_str().expect("an id")).await;
    assert_status(&ended, VerificationStatus::Failed);
    assert_eq!(ended.collections[0].missing, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_document_and_an_id_of_another_type() {
    let m = verified(
        "create table d(id int primary key, city text); create table t(id int primary key, d_id int references d, v int);
         insert into d values (1, 'a'), (2, 'b'); insert into t select i, case when i % 5 = 0 then null else 1 + i % 2 end, i from generate_series(1, 40) i",
        spec([coll("t", "t", "*").embed([merged("d", "city")])]),
    )
    .await;
    let all = m.target.database.collection::<Document>("t");
    let mut other = all
        .find_one(doc! {"_id": 4})
        .await
        .expect("an answer")
        .expect("a document");
    all.delete_one(doc! {"_id": 4}).await.expect("a deletion");
    other.insert("_id", 4_i64);
    all.insert_one(other).await.expect("a document");
    let one = verify_newest(&m, json!({})).await;
    assert_status(&one, VerificationStatus::Failed);
    let api = m.app.api();
    assert_eq!(lines(&api, &one.id).await, [r#"FieldType t {"$numberInt":"4"} _id"#]);
    let repaired = godwit_tests::verifying::repair(&api, &one.id, false).await;
    assert_status(&repaired, VerificationStatus::Verified);
}
