//! Jobs of the product: from a URL to documents in MongoDB.

use super::bed::on_both;
use bson::doc;
use futures_util::TryStreamExt;
use godwit_shared::job::JobStatus;
use godwit_tests::api::LONG;
use godwit_tests::app::App;
use godwit_tests::mapping::project_file_of;
use godwit_tests::servers::servers;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_several_levels() {
    let statements = [
        "CREATE TABLE seq (n INT PRIMARY KEY)",
        "INSERT INTO seq VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
        "CREATE TABLE customer (id INT PRIMARY KEY, code VARCHAR(20) COLLATE utf8mb4_general_ci UNIQUE)",
        "CREATE TABLE `order` (id INT PRIMARY KEY, code VARCHAR(20) COLLATE utf8mb4_general_ci, total DECIMAL(10,2), \
         paid BOOL, placed DATETIME, FOREIGN KEY (code) REFERENCES customer (code))",
        "CREATE TABLE line (order_id INT, no INT, tags SET('a', 'b'), PRIMARY KEY (order_id, no), \
         FOREIGN KEY (order_id) REFERENCES `order` (id))",
        "INSERT INTO customer SELECT a.n * 100 + b.n * 10 + c.n, CONCAT('Code', a.n, b.n, c.n) FROM seq a, seq b, seq c",
        "INSERT INTO `order` SELECT c.id * 10 + s.n, UPPER(c.code), 9.50, s.n % 2, '2024-02-29 12:00:00' FROM customer c, seq s",
        "INSERT INTO line SELECT o.id, s.n, 'b,a' FROM `order` o, seq s WHERE s.n < 3",
        "ANALYZE TABLE customer, `order`, line",
    ];
    on_both("job", &statements, async |bed| {
        let (app, servers) = tokio::join!(App::start(), servers());
        let target = servers.mongo.target("mysql").await;
        let details = json!({
            "type": if bed.is_mariadb() { "MARIADB" } else { "MYSQL" },
            "url": format!("jdbc:mysql://127.0.0.1:{}/{}", bed.server.port, bed.database),
            "user": "root", "password": "",
        });
        let read = app.api().post("/schema/jdbc", &json!({"jdbcConnectionDetails": details})).await.ok();
        let table = |name: &str| format!("{}.{name}", bed.database);
        let spec = json!({"collections": [{"collection": "customers", "table": table("customer"), "embed": [
            {"table": table("order"), "kind": "array", "path": "orders", "exclude": ["code"], "embed": [
                {"table": table("line"), "kind": "array", "path": "lines", "exclude": ["order_id"]}]}]}]});
        let project = app.api().import_project(&project_file_of(&read["full"], &spec)).await;
        let job = json!({
            "projectId": project, "jdbcConnectionDetails": details,
            "mongodbConnectionDetails": {"connectionString": target.uri},
            "options": {"mode": "SNAPSHOT", "dropCollections": true, "errorHandling": "WARN"},
        });
        let started = app.api().post("/jobs", &job).await.ok();
        let id = started["id"].as_str().expect("an id").to_owned();
        let job = app.api().wait_ended(&id, LONG).await;
        assert_eq!((job.status, job.statistics.errors), (JobStatus::Completed, 0), "{:#?}", job.job_updates);
        let log = serde_json::to_string(&job.job_updates).expect("a log");
        assert!(log.contains("point in time"), "{log}");
        let found = target.database.collection::<bson::Document>("customers").find(doc! {}).sort(doc! {"_id": 1}).await;
        let documents: Vec<bson::Document> = found.expect("an answer").try_collect().await.expect("documents");
        assert_eq!(documents.len(), 1000);
        let noon = bson::DateTime::from_millis(1_709_208_000_000);
        let total: bson::Decimal128 = "9.50".parse().expect("a number");
        for (place, document) in documents.iter().enumerate() {
            let number = place as i32;
            let lines: Vec<_> = (0..3).map(|n| doc! {"no": n, "tags": ["a", "b"]}).collect();
            let orders: Vec<_> = (0..10)
                .map(|n| {
                    doc! {"id": number * 10 + n, "total": total, "paid": n % 2 == 1, "placed": noon, "lines": lines.clone()}
                })
                .collect();
            let code = format!("Code{number:03}");
            assert_eq!(*document, doc! {"_id": number, "code": code, "orders": orders}, "{:?}", bed.family);
        }
    })
    .await;
}
