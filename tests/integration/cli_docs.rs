//! What the documents say of the command line is so.

use bson::doc;
use godwit_tests::app::binary;
use godwit_tests::checkout;
use godwit_tests::cli::Shell;
use godwit_tests::servers::servers;
use std::process::Command;

#[test]
fn the_reference_is_that_of_the_program() {
    let printed = Shell::new().ends(0, &["reference"]).out;
    let kept = std::fs::read_to_string(checkout().join("docs/commands.md")).expect("the reference");
    assert!(
        printed == kept,
        "docs/commands.md is old: godwit reference > docs/commands.md"
    );
}

#[test]
fn the_guide_has_every_exit_code() {
    let guide = std::fs::read_to_string(checkout().join("docs/command-line.md")).expect("the guide");
    let printed = Shell::new().ends(0, &["reference"]).out;
    let codes = printed
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" |")?.0.parse::<u8>().ok());
    let codes: Vec<u8> = codes.collect();
    assert!(codes.len() >= 10, "{codes:?}");
    for code in codes {
        assert!(guide.contains(&format!("\n| {code} | ")), "{code}");
    }
}

/// The example of the text form in the guide is one.
#[test]
fn the_example_of_a_mapping_can_be_used() {
    let guide = std::fs::read_to_string(checkout().join("docs/command-line.md")).expect("the guide");
    let example = guide
        .split("```yaml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("an example");
    let shell = Shell::new();
    shell.sqlite(
        "shop.db",
        "CREATE TABLE customer(id INTEGER PRIMARY KEY, full_name TEXT, remarks TEXT, born DATE, active INT);
         CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_id INTEGER, placed DATE,
            CONSTRAINT orders_customer_fkey FOREIGN KEY (customer_id) REFERENCES customer);
         INSERT INTO customer VALUES (1, 'Ann', 'x', '2000-01-01', 1), (2, 'Bob', 'test', NULL, 0);
         INSERT INTO orders VALUES (10, 1, '2021-01-01'), (11, 1, '2022-01-01'), (12, 1, '2019-01-01');",
    );
    let example = example.replace("public.", "main.").replace("POSTGRESQL", "SQLITE");
    let keys: Vec<serde_json::Value> = shell.ends(0, &["schema", "--source", "sqlite:shop.db"]).events();
    let orders = keys.iter().find(|t| t["table"] == "main.orders").expect("a table");
    let key = orders["foreignKeys"]
        .as_object()
        .and_then(|keys| keys.keys().next())
        .expect("a key")
        .clone();
    shell.write("guide.yaml", &example.replace("orders_customer_fkey", &key));
    shell.ends(
        0,
        &["convert", "guide.yaml", "guide.relmig", "--source", "sqlite:shop.db"],
    );
    let shown = shell
        .ends(0, &["preview", "guide.relmig", "--source", "sqlite:shop.db"])
        .events();
    assert_eq!(shown.len(), 1, "{shown:?}");
    let document = &shown[0]["document"];
    assert_eq!((&document["name"], &document["initials"]), (&"Ann".into(), &"A".into()));
    assert_eq!(document["orders"].as_array().map(Vec::len), Some(2));
}

#[test]
fn completions_and_man_pages_are_made() {
    let shell = Shell::new();
    for name in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(shell.ends(0, &["completions", name]).out.contains("migrate"), "{name}");
    }
    shell.ends(0, &["man", "pages"]);
    let page = shell.read("pages/godwit-migrate.1");
    assert!(page.contains("resume") && page.contains("GODWIT_SOURCE"), "{page}");
    assert!(shell.read("pages/godwit.1").contains("130"));
    assert!(shell.path("pages/godwit-jobs-watch.1").is_file());
}

/// `docs/pipeline.sh` against real servers: made, checked, migrated, verified; and again.
#[tokio::test(flavor = "multi_thread")]
async fn the_pipeline_migrates() {
    let servers = servers().await;
    let target = servers.mongo.target("pipeline").await;
    let store = servers.mongo.uri(&format!("{}_store", target.database.name()));
    let shell = Shell::new();
    shell.sqlite(
        "shop.db",
        "CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT);
         CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer);
         INSERT INTO customer VALUES (1, 'Ann'), (2, 'Bob'); INSERT INTO orders VALUES (10, 1), (11, 1);",
    );
    let run = || {
        let done = Command::new("bash")
            .arg(checkout().join("docs/pipeline.sh"))
            .arg("shop.yaml")
            .current_dir(shell.folder())
            .env("HOME", shell.folder())
            .env("GODWIT", binary())
            .env("GODWIT_SOURCE", "sqlite:shop.db")
            .env("GODWIT_TARGET", &target.uri)
            .env("GODWIT_MIGRATE_STORE_URI", &store)
            .env("GODWIT_VERIFY_STORE_URI", &store)
            .output()
            .expect("a shell");
        (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    for _ in 0..2 {
        let (code, said) = run();
        assert_eq!(code, Some(0), "{said}\n{}", shell.read("shop.jsonl"));
        let customers = target.database.collection::<bson::Document>("customer");
        assert_eq!(customers.count_documents(doc! {}).await.expect("a count"), 2);
    }
    // What keeps a job from starting ends it before anything is written.
    let broken = shell
        .read("shop.yaml")
        .replace("    id: mapping-1\n", "    id: mapping-1\n    filter: 'columns.('\n");
    shell.write("shop.yaml", &broken);
    assert_eq!(run().0, Some(3));
}
