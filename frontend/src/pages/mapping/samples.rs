//! A small project, for the tests of this page.

use godwit_shared::edit::Draft;
use godwit_shared::mapping::Content;
use godwit_shared::schema::RelationalModel;
use serde_json::{Value, json};

fn table(columns: &[(&str, &str)], foreign_keys: Value) -> Value {
    let column = |(place, (name, kind)): (usize, &(&str, &str))| {
        let mut column = json!({"type": {"databaseSpecificType": kind}, "ordinalPosition": place + 1});
        if *name == "id" {
            column["primaryKey"] = json!({"name": "key"});
        }
        ((*name).to_owned(), column)
    };
    let columns: serde_json::Map<_, _> = columns.iter().enumerate().map(column).collect();
    json!({"columns": columns, "foreignKeys": foreign_keys})
}

pub fn draft() -> Draft {
    Draft {
        name: "Library".into(),
        content: content(),
        model: model(),
        revision: 1,
    }
}

pub fn model() -> RelationalModel {
    let loans_borrower = json!({"targetTable": {"schema": "public", "table": "borrowers"},
        "columnMappings": [{"source": "borrower_id", "target": "id"}]});
    let public = json!({"tables": {
        "loans": table(&[("id", "integer"), ("borrower_id", "integer"), ("title", "text")],
            json!({"loans_borrower": loans_borrower})),
        "borrowers": table(&[("id", "integer"), ("name", "text")], json!({})),
    }});
    let staff = json!({"tables": {"desks": table(&[("id", "integer")], json!({}))}});
    let model = json!({"databases": {"library": {"schemas": {"staff": staff, "public": public}}}});
    serde_json::from_value(model).unwrap()
}

pub fn content() -> Content {
    let field = |name: &str, source: &str, included: bool, kind: &str| {
        json!({"target": {"name": name, "included": included, "type": kind},
            "source": {"name": source, "databaseSpecificType": "text", "isPrimaryKey": source == "id"}})
    };
    let path = |schema: &str, table: &str| json!({"path": {"schema": schema, "table": table}});
    let content = json!({
        "settings": {"keyHandling": "SINGLE"},
        "collections": {"c1": {"name": "borrowers"}, "c2": {"name": "empty"}},
        "tables": {"t1": path("public", "borrowers"), "t2": path("public", "loans"), "t3": path("staff", "desks")},
        "mappings": {
            "m1": {"settings": {"type": "NEW_DOCUMENT"}, "collectionId": "c1", "table": "t1", "fields": {
                    "id": field("id", "id", false, "DEFAULT"), "name": field("person.name", "name", true, "STRING")},
                "calculatedFields": {"x": {"name": "initial", "expression": "columns.name[0]"}}},
            "m2": {"settings": {"type": "EMBEDDED_DOCUMENT_ARRAY", "embeddedPath": "loans",
                    "ruleFilter": {"expression": "columns.id > 1"},
                    "arrayConditions": {"sort": {"field": "title", "order": "DESC"}, "limit": 5}},
                "collectionId": "c1", "table": "t2", "fields": {"id": field("id", "id", true, "DEFAULT"),
                    "borrower_id": field("borrower_id", "borrower_id", false, "DEFAULT"),
                    "title": field("title", "title", true, "DEFAULT")}}
        },
        "relationships": {"mappings": {"m1": {"children": ["m2"]}}}
    });
    serde_json::from_value(content).unwrap()
}
