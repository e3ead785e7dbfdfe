//! Project files: both generations through the API, without loss.

use godwit_tests::app::App;
use godwit_tests::shared_data;
use serde_json::{Value, json};

/// Members that an import may set anew: an import makes a project of its own.
fn without_identity(mut file: Value) -> Value {
    for member in ["id", "name", "lastModified"] {
        file["project"].as_object_mut().expect("a project").remove(member);
    }
    file
}

/// The foreign keys of older files, which stand on the columns, in the form of newer ones.
fn old_keys(file: &Value) -> Vec<String> {
    let mut keys = Vec::new();
    for (database, d) in file["schema"]["full"]["databases"].as_object().expect("databases") {
        for (schema, s) in d["schemas"].as_object().expect("schemas") {
            for (table, t) in s["tables"].as_object().expect("tables") {
                for (column, c) in t["columns"].as_object().expect("columns") {
                    if let Some(key) = c.get("foreignKey") {
                        let text = |member: &str| key[member].as_str().unwrap_or_default().to_owned();
                        keys.push(format!(
                            "{database}.{schema}.{table}.{column} {} -> {}.{}.{}",
                            text("name"),
                            text("schema"),
                            text("table"),
                            text("column")
                        ));
                    }
                }
            }
        }
    }
    keys.sort();
    keys
}

fn new_keys(file: &Value) -> Vec<String> {
    let mut keys = Vec::new();
    for (database, d) in file["schema"]["full"]["databases"].as_object().expect("databases") {
        for (schema, s) in d["schemas"].as_object().expect("schemas") {
            for (table, t) in s["tables"].as_object().expect("tables") {
                for (name, key) in t["foreignKeys"].as_object().expect("keys") {
                    let target = &key["targetTable"];
                    for pair in key["columnMappings"].as_array().expect("pairs") {
                        keys.push(format!(
                            "{database}.{schema}.{table}.{} {name} -> {}.{}.{}",
                            pair["source"].as_str().expect("a column"),
                            target["schema"].as_str().expect("a schema"),
                            target["table"].as_str().expect("a table"),
                            pair["target"].as_str().expect("a column"),
                        ));
                    }
                }
            }
        }
    }
    keys.sort();
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn real_files_of_the_older_generation_survive_import_and_export() {
    let Some(folder) = shared_data().map(|d| d.join("compat")).filter(|f| f.exists()) else {
        println!("SKIPPED: the folder with real project files is missing beside the checkout");
        return;
    };
    let app = App::start().await;
    for name in ["employee-sqlserver.relmig", "northwind-sqlserver.relmig"] {
        let text = std::fs::read_to_string(folder.join(name)).expect("a project file");
        let original: Value = serde_json::from_str(&text).expect("JSON");
        let first = app.api().import_project(&original).await;
        let exported = app.api().get(&format!("/project/{first}/export")).await.ok();
        let second = app.api().import_project(&exported).await;
        let again = app.api().get(&format!("/project/{second}/export")).await.ok();
        let twice = app.api().get(&format!("/project/{second}/export")).await.ok();
        assert_eq!(again.to_string(), twice.to_string(), "two exports of {name} differ");
        assert_eq!(without_identity(exported.clone()), without_identity(again), "{name}");
        assert_eq!(old_keys(&original), new_keys(&exported), "{name}");
        for member in ["collections", "settings", "relationships"] {
            let (before, after) = (
                &original["project"]["content"][member],
                &exported["project"]["content"][member],
            );
            for (key, value) in before.as_object().expect("an object") {
                if member == "collections" {
                    assert_eq!(value["name"], after[key]["name"], "{name} {member}.{key}");
                } else {
                    assert_eq!(Some(value), after.get(key), "{name} {member}.{key}");
                }
            }
        }
        let rules = original["project"]["content"]["mappings"].as_object().expect("rules");
        for (id, rule) in rules {
            let after = &exported["project"]["content"]["mappings"][id];
            for (column, field) in rule["fields"].as_object().expect("fields") {
                for member in ["name", "included", "type"] {
                    assert_eq!(
                        field["target"][member], after["fields"][column]["target"][member],
                        "{name} {id} {column}"
                    );
                }
            }
            assert_eq!(rule["calculatedFields"], after["calculatedFields"], "{name} {id}");
            let path = &exported["project"]["content"]["tables"][after["table"].as_str().expect("an id")]["path"];
            let dotted = ["database", "schema", "table"]
                .map(|m| path[m].as_str().expect("a name"))
                .join(".");
            assert_eq!(rule["table"], json!(dotted), "{name} {id}");
        }
        assert_eq!(original.get("queries"), exported.get("queries"), "{name}");
    }
}
