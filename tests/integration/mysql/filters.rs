//! Table filters against real servers.

use super::bed::{documents_of, on_both};
use godwit::plan::RowFilter;
use godwit::source::filter::settle_filters;
use godwit::source::read::KeyRange;
use serde_json::{Value as Json, json};

const TABLES: [&str; 4] = [
    "CREATE TABLE p (id INT PRIMARY KEY, `or``der` VARCHAR(20), d DATETIME)",
    "CREATE TABLE c (id INT PRIMARY KEY, p INT, v INT, h INT, FOREIGN KEY (p) REFERENCES p (id))",
    "INSERT INTO p VALUES (1, 'it''s', '2020-01-01'), (2, 'a_b', '2021-01-01'), (3, 'axb', NULL), (4, '\\\\', NULL)",
    "INSERT INTO c VALUES (1, 1, 1, NULL), (2, 1, 2, NULL), (3, 2, 1, NULL)",
];

#[tokio::test]
async fn rows_are_chosen_as_the_filter_says() {
    on_both("filters", &TABLES, async |bed| {
        let catalog = bed.catalog().await;
        let session = bed.session().await;
        let table = bed.table(&catalog, "p");
        let count = async |text: &str| {
            let judged = session.judge_filter(table, text).await.expect("an answer");
            let condition = judged.unwrap_or_else(|reason| panic!("{text}: {reason}"));
            let filter = RowFilter {
                where_clause: Some(text.into()),
                row_count: None,
                condition: Some(condition),
            };
            session.count_rows(table, Some(&filter)).await.expect("a count")
        };
        for (text, expected) in [
            ("TRUE", 4),
            ("id > 1 AND id <= 3", 2),
            ("`or``der` = 'it''s'", 1),
            (r"`or``der` = 'it\'s'", 1),
            (r"`or``der` LIKE 'a\_b'", 1),
            ("`or``der` LIKE 'a_b'", 2),
            ("`or``der` LIKE 'a|_b' ESCAPE '|'", 1),
            (r"`or``der` = '\\'", 1),
            ("d IS NULL", 2),
            ("d < '2020-06-01'", 1),
            ("d > DATE '2020-06-01'", 1),
            ("YEAR(d) = 2021", 1),
            ("d < NOW() - INTERVAL 1 DAY", 2),
            ("id IN (1, 2, 9)", 2),
            ("NOT id BETWEEN 2 AND 3", 2),
            ("CASE WHEN id = 1 THEN TRUE ELSE FALSE END", 1),
            ("`or``der` REGEXP '^a'", 2),
            ("CONCAT(id, 'x') = '1x'", 1),
            ("COALESCE(d, '2000-01-01') < '2010-01-01'", 2),
            ("(id, 1) IN ((1, 1), (2, 2))", 1),
            ("CAST(id AS CHAR) = '2'", 1),
            ("id % 2 = 0 OR id = 1", 3),
        ] {
            assert_eq!(count(text).await, expected, "{text} in {:?}", bed.family);
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_server_refuses_is_told_in_its_words() {
    on_both("refused", &TABLES, async |bed| {
        let catalog = bed.catalog().await;
        let session = bed.session().await;
        let table = bed.table(&catalog, "p");
        for text in [
            "nothing = 1",
            "sleep(1)",
            "id = (SELECT 1)",
            "SUM(id) > 1",
            "ABS(1, 2, 3) = 1",
        ] {
            let judged = session.judge_filter(table, text).await.expect("an answer");
            assert!(judged.is_err(), "{text} in {:?}: {judged:?}", bed.family);
        }
    })
    .await;
}

#[tokio::test]
async fn filters_are_part_of_every_read() {
    on_both("parts", &TABLES, async |bed| {
        let catalog = bed.catalog().await;
        let spec = json!({"collections": [{"table": "$.p", "collection": "ps", "include": ["id"], "embed": [
            {"table": "$.c", "kind": "array", "path": "cs", "include": ["id"], "primitive": true}]}]});
        let made = async |filter: RowFilter, of: &str| {
            let mut plan = bed.plan(&catalog, &spec).await;
            plan.for_each_node(&mut |node| {
                if node.table.name.table == of {
                    node.table_filter = Some(filter.clone());
                }
            });
            let session = bed.session().await;
            let refused = settle_filters(&*session, &mut plan).await.expect("an answer");
            assert!(refused.is_empty(), "{refused:?}");
            let snapshot = bed.point(&plan, 2).await;
            let made = documents_of(&plan, &snapshot, &[KeyRange::default()]).await;
            made.documents
                .iter()
                .map(|d| json!([d["_id"], d["cs"]]))
                .collect::<Json>()
        };
        let filter = |text: &str| RowFilter {
            where_clause: Some(text.into()),
            ..RowFilter::default()
        };
        let limit = RowFilter {
            row_count: Some(2),
            ..filter("id > 1")
        };
        assert_eq!(made(filter("id = 2"), "p").await, json!([[2, [3]]]));
        assert_eq!(
            made(filter("v = 1"), "c").await,
            json!([[1, [1]], [2, [3]], [3, []], [4, []]])
        );
        assert_eq!(made(limit, "p").await, json!([[2, [3]], [3, []]]));
    })
    .await;
}
