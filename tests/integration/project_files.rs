//! Project files that are no forest, too large, or carry what somebody has to agree to; and requests that take too long.

use crate::common::{array, coll, spec};
use godwit_tests::api::wait_for;
use godwit_tests::migrate::Migration;
use serde_json::{Value, json};
use std::time::Duration;

const TABLES: &str = "create table shop(id int primary key, name text not null);
    create table item(id int primary key, shop_id int not null references shop, price int);
    insert into shop select i, 'shop ' || i from generate_series(1, 5) i;
    insert into item select i, 1 + i % 5, i from generate_series(1, 20) i";

async fn shop() -> Migration {
    Migration::new(
        TABLES,
        spec([coll("shops", "shop", "*").embed([array("items", "item", "*")])]),
    )
    .await
}

async fn exported(m: &Migration) -> Value {
    m.app.api().get(&format!("/project/{}/export", m.project)).await.ok()
}

/// The ids of the root rule and of the embedded one.
fn rules(file: &Value) -> (String, String) {
    let all = file["project"]["content"]["mappings"].as_object().expect("rules");
    let of = |kind: &str| {
        let mut found = all.iter().filter(|(_, rule)| rule["settings"]["type"] == kind);
        found.next().expect("a rule").0.clone()
    };
    (of("NEW_DOCUMENT"), of("EMBEDDED_DOCUMENT_ARRAY"))
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_are_no_forest_are_refused_where_they_enter() {
    let m = shop().await;
    let good = exported(&m).await;
    let (root, item) = rules(&good);
    let (r, i) = (root.as_str(), item.as_str());
    let wrong = [
        json!({r: {"children": [i]}, i: {"children": [i]}}),
        json!({r: {"children": [r]}}),
        json!({r: {"children": [i]}, i: {"children": [r]}}),
        json!({r: {"children": [i, i]}, i: {"children": [i, i]}}),
        json!({r: {"children": [i, i]}}),
        json!({r: {"children": [i, "gone"]}}),
        json!({"gone": {"children": [i]}}),
        json!({r: {"children": []}}),
    ];
    for relationships in wrong {
        let mut file = good.clone();
        file["project"]["content"]["relationships"]["mappings"] = relationships.clone();
        let refused = m.app.api().post("/project/import", &file).await;
        let message = refused.error(422, "invalid_project_file");
        assert!(message.contains("project.content"), "{relationships}: {message}");
        let mut body = m.app.api().get(&format!("/project/{}", m.project)).await.ok();
        body["content"]["relationships"]["mappings"] = relationships;
        let path = format!("/project/{}", m.project);
        m.app.api().put(&path, &body).await.error(422, "invalid_project_file");
    }
    m.complete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_double_with_every_level_are_refused_and_deep_ones_end() {
    let m = shop().await;
    let good = exported(&m).await;
    let (root, item) = rules(&good);
    let deep = |levels: usize, each: usize| {
        let mut file = good.clone();
        let content = &mut file["project"]["content"];
        let rule = content["mappings"][&item].clone();
        let mut above = root.clone();
        for level in 0..levels {
            let id = format!("level-{level}");
            content["mappings"][&id] = rule.clone();
            content["mappings"][&id]["settings"]["embeddedPath"] = json!(format!("a{level}"));
            content["relationships"]["mappings"][&above] = json!({"children": vec![id.clone(); each]});
            above = id;
        }
        let content = file["project"]["content"]["mappings"].as_object_mut().expect("rules");
        content.remove(&item);
        file["project"]["content"]["relationships"]["mappings"]
            .as_object_mut()
            .expect("rules")
            .remove(&item);
        file
    };
    let api = m.app.api();
    api.post("/project/import", &deep(24, 2))
        .await
        .error(422, "invalid_project_file");
    api.post("/project/import", &deep(101, 1))
        .await
        .error(422, "invalid_project_file");
    let id = api.import_project(&deep(90, 1)).await;
    let collections = api.get(&format!("/project/{id}/collections")).await.ok();
    assert_eq!(collections[0]["tables"], json!(["public.shop", "public.item"]));
    let source = json!({"jdbcConnectionDetails": m.job().0["jdbcConnectionDetails"]});
    let answer = api.post(&format!("/project/{id}/preview"), &source).await;
    assert!([200, 422].contains(&answer.status), "{:#}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_announced_size_of_a_project_file_holds_to_the_store() {
    let m = shop().await;
    let api = m.app.api();
    let info = api.get("/info").await.ok();
    let limit = info["limits"]["projectFileBytes"].as_u64().expect("a limit") as usize;
    let file = exported(&m).await;
    let padded = |bytes: usize| {
        let mut file = file.clone();
        file["project"]["notes"] = json!("");
        let rest = bytes - file.to_string().len();
        file["project"]["notes"] = json!("n".repeat(rest));
        file
    };
    // Identity and name are given anew: they need a few bytes.
    let large = api.import_project(&padded(limit - 4_096)).await;
    let again = api.get(&format!("/project/{large}/export")).await.ok();
    api.post("/project/import", &again).await.ok();
    let body = api.get(&format!("/project/{large}")).await.ok();
    api.put(&format!("/project/{large}"), &body).await.ok();
    let job = m.job().with("/projectId", json!(large));
    crate::common::assert_completed(&m.run(&job).await);
    for bytes in [limit + 1, limit + 5_000_000] {
        api.post("/project/import", &padded(bytes))
            .await
            .error(413, "payload_too_large");
    }
    // A file that is small and grows when it is taken apart: each table gets an entry.
    let mut file = file.clone();
    let databases = file["schema"]["full"]["databases"].as_object_mut().expect("databases");
    let (_, database) = databases.iter_mut().next().expect("a database");
    let tables = database["schemas"]["public"]["tables"].as_object_mut().expect("tables");
    for n in 0..90_000 {
        tables.insert(format!("t{n}"), json!({"type": "TABLE", "columns": {}}));
    }
    assert!(file.to_string().len() < limit);
    api.post("/project/import", &file).await.error(413, "payload_too_large");
    api.get("/actuator/health").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_asks_runs_nothing_before_somebody_has_agreed() {
    let m = shop().await;
    let api = m.app.api();
    let mut file = exported(&m).await;
    let (root, item) = rules(&file);
    let content = &mut file["project"]["content"];
    for table in content["tables"].as_object_mut().expect("tables").values_mut() {
        table["filter"] = json!({"whereClause": "id > 2"});
    }
    content["mappings"][&root]["calculatedFields"] =
        json!({"x": {"name": "loud", "expression": "columns.name + '!'", "isNullExcluded": false}});
    content["mappings"][&item]["settings"]["ruleFilter"] = json!({"expression": "columns.price > 3"});
    let imported = api.post("/project/import?consent=ask", &file).await.ok();
    assert_eq!(imported["needsConsent"], true, "{imported:#}");
    let id = imported["id"].as_str().expect("an id");
    let listed = api.get("/project").await.ok();
    assert!(
        listed
            .as_array()
            .expect("a list")
            .iter()
            .any(|p| p["id"] == id && p["needsConsent"] == true)
    );
    let job = m.job().with("/projectId", json!(id));
    let source = json!({"jdbcConnectionDetails": job.0["jdbcConnectionDetails"]});
    let paths = [
        format!("/project/{id}/preview"),
        format!("/project/{id}/preflight?mode=SNAPSHOT"),
        format!("/project/{id}/preflight/script?mode=SNAPSHOT"),
    ];
    for path in &paths {
        let message = api.post(path, &source).await.error(409, "consent_needed");
        assert!(message.contains("2 texts of SQL and 2 of JavaScript"), "{message}");
    }
    api.post("/jobs", &job.0).await.error(409, "consent_needed");
    api.post("/jobs/summary", &job.0).await.error(409, "consent_needed");
    // Its rules may be changed meanwhile: that agrees to nothing.
    let body = api.get(&format!("/project/{id}")).await.ok();
    api.put(&format!("/project/{id}"), &body).await.ok();
    api.post("/jobs", &job.0).await.error(409, "consent_needed");

    let consent = api.get(&format!("/project/{id}/consent")).await.ok();
    assert_eq!(consent["needed"], true);
    let texts: Vec<&str> = (consent["code"].as_array().expect("a list").iter())
        .map(|c| c["text"].as_str().expect("a text"))
        .collect();
    assert_eq!(texts, ["id > 2", "id > 2", "columns.name + '!'", "columns.price > 3"]);
    let give = format!("/project/{id}/consent");
    api.post(&give, &json!({"digest": "another"}))
        .await
        .error(409, "consent_needed");
    api.post(&give, &json!({})).await.error(400, "invalid_request");
    let given = api.post(&give, &json!({"digest": consent["digest"]})).await.ok();
    assert!(given["needsConsent"].is_null(), "{given:#}");
    let preview = api.post(&paths[0], &source).await.ok();
    assert_eq!(preview["documents"][0]["loud"], "shop 3!");

    // Who sends a file by a program of his has agreed; a file that carries nothing needs no agreement.
    let plain = api.post("/project/import", &file).await.ok();
    assert!(plain["needsConsent"].is_null());
    let nothing = api.post("/project/import?consent=ask", &exported(&m).await).await.ok();
    assert!(nothing["needsConsent"].is_null());
    api.post("/project/import?consent=maybe", &file)
        .await
        .error(400, "invalid_request");
}

/// The source goes on computing for a reader who is gone unless it is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_preview_ends_in_the_source_with_its_client() {
    let m = shop().await;
    m.source
        .run("insert into shop select i, 'shop ' || i from generate_series(10, 30000) i")
        .await;
    let mut file = exported(&m).await;
    for table in file["project"]["content"]["tables"]
        .as_object_mut()
        .expect("tables")
        .values_mut()
    {
        // Minutes of work, of which no row comes out.
        table["filter"] = json!({"whereClause": "md5(repeat(id::text, 2000000)) = 'x'"});
    }
    let api = m.app.api();
    let project = api.import_project(&file).await;
    let source = json!({"jdbcConnectionDetails": m.job().0["jdbcConnectionDetails"]});
    let watcher = m.source.connect().await;
    let busy =
        "select count(*)::text from pg_stat_activity where datname = current_database() and application_name = 'godwit'
        and query like '%repeat%' and state = 'active'";
    let has_busy = async |wanted: bool| {
        wait_for("sessions in the source", Duration::from_secs(20), async || {
            let row = watcher.query_one(busy, &[]).await.expect("a count");
            ((row.get::<_, String>(0) != "0") == wanted).then_some(())
        })
        .await;
    };
    let asking = tokio::spawn(async move { api.post(&format!("/project/{project}/preview"), &source).await });
    has_busy(true).await;
    asking.abort();
    has_busy(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages() {
    let m = shop().await;
    let api = m.app.api();
    for _ in 0..3 {
        m.complete().await;
    }
    let all = api.get("/jobs").await.ok();
    let ids = |list: &Value| -> Vec<String> {
        let list = list.as_array().expect("a list").iter();
        list.map(|j| j["id"].as_str().expect("an id").to_owned()).collect()
    };
    let all = ids(&all);
    assert_eq!(all.len(), 3);
    assert_eq!(ids(&api.get("/jobs?limit=1&offset=1").await.ok()), all[1..2]);
    assert_eq!(ids(&api.get("/jobs?limit=99999").await.ok()), all);
    assert_eq!(ids(&api.get("/jobs?offset=3").await.ok()), [""; 0]);
    let projects = api.get("/project?limit=1").await.ok();
    assert_eq!(projects.as_array().expect("a list").len(), 1);
    assert_eq!(api.get("/project?offset=1").await.ok(), json!([]));
    for path in ["/jobs?limit=-1", "/jobs?offset=x", "/project?limit=1.5"] {
        api.get(path).await.error(400, "invalid_request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ddl_files_may_be_larger_than_project_files() {
    const MIB: usize = 1 << 20;
    let m = Migration::new("create table t(id int primary key)", spec([coll("t", "t", "*")])).await;
    let api = m.app.api();
    // A dump with its rows, one a line: line breaks and quotes take twice their bytes on the way.
    let dump = |bytes: usize| {
        let mut text = String::from("create table a (id int primary key, name text);\n");
        let row = "insert into a values (1, \"Pacific black brant\");\n";
        while text.len() < bytes - row.len() {
            text.push_str(row);
        }
        text
    };
    let read = async |files: Value| {
        api.post("/schema/ddl", &json!({"database": "MYSQL", "files": files}))
            .await
    };
    let half = dump(10 * MIB);
    let two =
        json!([{"name": "a.sql", "text": half}, {"name": "b.sql", "text": "create table b (id int primary key);"}]);
    let schema = read(two).await.ok();
    assert_eq!(
        (&schema["skipped"], schema["full"].to_string().contains("\"b\"")),
        (&json!([]), true)
    );
    read(json!([{"name": "a.sql", "text": dump(20 * MIB)}])).await.ok();
    let message = read(json!([{"name": "a.sql", "text": half}, {"name": "b.sql", "text": dump(10 * MIB + 64)}]))
        .await
        .error(413, "payload_too_large");
    assert!(message.contains("20 MiB"), "{message}");
    read(json!([{"name": "a.sql", "text": dump(31 * MIB)}]))
        .await
        .error(413, "payload_too_large");
}
