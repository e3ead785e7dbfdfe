//! What `make demo` shows.

use bson::doc;
use godwit_tests::mapping::project_file;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::servers;
use godwit_tests::{checkout, docs};
use serde_json::Value;

async fn shop() -> godwit_tests::servers::Database {
    let sql = std::fs::read_to_string(checkout().join("demo/shop.sql")).expect("demo/shop.sql");
    servers().await.postgres.database("shop", &sql).await
}

fn mapping() -> Value {
    let text = std::fs::read_to_string(checkout().join("demo/shop.mapping.json")).expect("demo/shop.mapping.json");
    serde_json::from_str(&text).expect("the mapping is JSON")
}

/// `demo/shop.relmig` is made from `demo/shop.sql` and `demo/shop.mapping.json`: `GODWIT_UPDATE=1` writes it.
#[tokio::test(flavor = "multi_thread")]
async fn the_project_file_fits_the_database() {
    let shop = shop().await;
    let mut file = project_file(&shop.connect().await, &mapping()).await;
    // What differs from run to run: the name of the test's database and the server's version.
    file["schema"]["full"]["metadata"]["databaseVersion"] = "15.0".into();
    let text = serde_json::to_string_pretty(&file)
        .expect("JSON")
        .replace(&shop.name, "shop")
        + "\n";
    let path = checkout().join("demo/shop.relmig");
    if std::env::var_os("GODWIT_UPDATE").is_some() {
        std::fs::write(&path, &text).expect("the file can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "demo/shop.relmig is not what the database gives: run this test with GODWIT_UPDATE=1"
    );
    let file = godwit_shared::relmig::ProjectFile::from_json(&text).expect("a file that can be imported");
    assert_eq!(file.project.content.collections.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_migrates_without_an_error() {
    let migration = Migration::of(shop().await, mapping()).await;
    migration.complete().await;
    let database = &migration.target.database;
    let expected = [
        ("categories", 60),
        ("coupons", 50),
        ("customers", 12_000),
        ("employees", 120),
        ("orders", 50_000),
        ("products", 3_000),
    ];
    assert_eq!(docs::collections(database).await, expected.map(|(name, _)| name));
    for (name, count) in expected {
        let found = database
            .collection::<bson::Document>(name)
            .count_documents(doc! {})
            .await;
        assert_eq!(found.expect("a count"), count, "{name}");
    }
    let complete = doc! {"lines.0.product.category": {"$type": "string"}, "customer.fullName": {"$type": "string"},
    "billTo.city": {"$type": "string"}, "coupons": {"$type": "array"}};
    let orders = database
        .collection::<bson::Document>("orders")
        .count_documents(complete)
        .await;
    assert_eq!(orders.expect("a count"), 50_000);
}
