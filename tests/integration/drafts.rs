//! Drafts: what is wrong with them and where, their documents, what of them may run, and saves that stand on revisions.

use crate::common::{array, coll, spec};
use godwit_shared::draft::DraftCheck;
use godwit_shared::edit::{Draft, Edit, FaultKind, Part, apply};
use godwit_shared::ids::{CollectionId, MappingId};
use godwit_tests::api::{Job, wait_for};
use godwit_tests::migrate::Migration;
use serde_json::{Value, json};
use std::time::Duration;

const TABLES: &str = "create table shop(id int primary key, name text not null, city text);
    create table item(id int primary key, shop_id int not null references shop, price numeric(8,2), name text);
    insert into shop select i, 'shop ' || i, case when i <> 3 then 'Graz' end from generate_series(1, 30) i;
    insert into item select i, 1 + i % 5, i / 10.0, 'item ' || i from generate_series(1, 20) i";

async fn shop() -> Migration {
    Migration::new(
        TABLES,
        spec([coll("shops", "shop", "*").embed([array("items", "item", "*")])]),
    )
    .await
}

/// The stored project as a draft.
async fn draft_of(m: &Migration, project: &str) -> Draft {
    let api = m.app.api();
    let details = api.get(&format!("/project/{project}")).await.ok();
    let schema = api.get(&format!("/schema/{project}")).await.ok();
    Draft::of(
        serde_json::from_value(details).expect("a project"),
        serde_json::from_value(schema["full"].clone()).expect("a model"),
    )
}

/// A body with the draft and the connection of the source.
fn body(m: &Migration, draft: &Draft, more: Value) -> Value {
    let Job(job) = m.job();
    let mut body = json!({"draft": {"content": draft.content, "full": draft.model},
        "jdbcConnectionDetails": job["jdbcConnectionDetails"]});
    for (name, value) in more.as_object().expect("members") {
        body[name] = value.clone();
    }
    body
}

async fn check(m: &Migration, draft: &Draft) -> DraftCheck {
    let path = format!("/project/{}/draft/check", m.project);
    let answer = m.app.api().post(&path, &body(m, draft, json!({}))).await.ok();
    serde_json::from_value(answer).expect("a check")
}

async fn preview(m: &Migration, draft: &Draft, pick: Value) -> Value {
    let collection = draft.content.collections.keys().next().expect("a collection");
    let more = json!({"collection": collection, "pick": pick});
    let path = format!("/project/{}/draft/preview", m.project);
    m.app.api().post(&path, &body(m, draft, more)).await.ok()
}

fn rule_of(draft: &Draft, table: &str) -> MappingId {
    let has = |id: &&MappingId| draft.table_of(id).is_some_and(|(path, _)| path.table == table);
    draft.content.mappings.keys().find(has).expect("a rule").clone()
}

fn calculated(rule: &MappingId, name: &str, expression: &str) -> Edit {
    let field = json!({"name": name, "expression": expression});
    let edit = json!({"type": "addCalculated", "rule": rule, "id": null, "field": field});
    serde_json::from_value(edit).expect("an edit")
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_stand_at_their_places_and_their_fixes_work() {
    let m = shop().await;
    let good = draft_of(&m, &m.project).await;
    let checked = check(&m, &good).await;
    assert!(checked.is_live && checked.faults.is_empty(), "{checked:?}");
    let (shops, items) = (rule_of(&good, "shop"), rule_of(&good, "item"));
    let rename = |rule: &MappingId, column: &str, name: &str| Edit::RenameField {
        rule: rule.clone(),
        column: column.into(),
        name: name.into(),
    };
    let cases: Vec<(&str, Edit, FaultKind, MappingId, Part)> = vec![
        (
            "two fields of one name",
            rename(&shops, "city", "name"),
            FaultKind::NameTaken,
            shops.clone(),
            Part::Column { column: "city".into() },
        ),
        (
            "a value that is a parent",
            rename(&shops, "city", "name.city"),
            FaultKind::NameTaken,
            shops.clone(),
            Part::Column { column: "city".into() },
        ),
        (
            "an array and a field",
            Edit::SetPath {
                rule: items.clone(),
                path: "city".into(),
            },
            FaultKind::NameTaken,
            items.clone(),
            Part::Path,
        ),
        (
            "an expression that does not compile",
            calculated(&shops, "loud", "columns.name.toUpperCase("),
            FaultKind::Expression,
            shops.clone(),
            Part::Calculated {
                id: "calculated-1".into(),
            },
        ),
        (
            "an expression with a column that there is not",
            calculated(&items, "twice", "columns['cost'] * 2"),
            FaultKind::ColumnGone,
            items.clone(),
            Part::Calculated {
                id: "calculated-1".into(),
            },
        ),
        (
            "a value where another field is, in an embedded rule",
            calculated(&items, "price", "1"),
            FaultKind::NameTaken,
            items.clone(),
            Part::Column { column: "price".into() },
        ),
    ];
    for (what, edit, kind, rule, part) in cases {
        let mut draft = good.clone();
        apply(&mut draft, &edit).unwrap_or_else(|e| panic!("{what}: {e}"));
        let checked = check(&m, &draft).await;
        let [fault] = checked.faults.as_slice() else {
            panic!("{what}: {checked:?}")
        };
        assert_eq!(
            (fault.kind, fault.place.rule.as_ref(), &fault.place.part),
            (kind, Some(&rule), &part),
            "{what}: {fault:?}"
        );
        assert!(!fault.fixes.is_empty(), "{what}: nothing is proposed");
        for fix in &fault.fixes {
            let mut fixed = draft.clone();
            apply(&mut fixed, &fix.edit).unwrap_or_else(|e| panic!("{what}, {}: {e}", fix.label));
            let checked = check(&m, &fixed).await;
            assert!(checked.faults.is_empty(), "{what}, {}: {checked:?}", fix.label);
        }
        let answer = preview(&m, &draft, json!({"type": "first", "limit": 3})).await;
        assert_eq!(answer["documents"], json!([]), "{what}");
        assert_eq!(answer["faults"].as_array().map(Vec::len), Some(1), "{what}: {answer:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expression_is_tried_on_rows_and_the_row_is_shown() {
    let m = shop().await;
    let mut draft = draft_of(&m, &m.project).await;
    let shops = rule_of(&draft, "shop");
    apply(&mut draft, &calculated(&shops, "loud", "columns.city.toUpperCase()")).unwrap();
    let filter = Edit::SetRuleFilter {
        rule: shops.clone(),
        expression: Some("columns.id".into()),
    };
    apply(&mut draft, &filter).unwrap();
    let checked = check(&m, &draft).await;
    assert_eq!(checked.expressions_run, 2);
    let of = |part: &Part| checked.faults.iter().find(|f| f.place.part == *part).expect("a fault");
    let fault = of(&Part::Calculated {
        id: "calculated-1".into(),
    });
    assert_eq!(fault.kind, FaultKind::ExpressionFailed);
    let row = fault.row.as_ref().expect("the row that it failed for");
    assert_eq!((row.key["id"].as_str(), &row.values["city"]), ("3", &Value::Null));
    assert!(of(&Part::RuleFilter).message.contains("neither true nor false"));
    // One that never ends costs its request, and nothing else.
    let mut draft = draft_of(&m, &m.project).await;
    apply(
        &mut draft,
        &calculated(&shops, "x", "(() => { while (columns.id > 2) {} return 1 })()"),
    )
    .unwrap();
    let checked = check(&m, &draft).await;
    let row = checked.faults[0].row.as_ref().expect("the row that it failed for");
    assert_eq!(row.key["id"], "3", "{checked:?}");
    m.app.api().get("/project").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_follow_the_draft_and_are_found_by_key_and_text() {
    let m = shop().await;
    let stored = m.app.api().get(&format!("/project/{}/export", m.project)).await.ok();
    let mut draft = draft_of(&m, &m.project).await;
    let (shops, items) = (rule_of(&draft, "shop"), rule_of(&draft, "item"));
    for edit in [
        Edit::RenameField {
            rule: shops.clone(),
            column: "name".into(),
            name: "title.full".into(),
        },
        Edit::IncludeFields {
            rule: items,
            columns: vec!["shop_id".into(), "name".into()],
            included: false,
        },
        calculated(&shops, "loud", "columns.name.toUpperCase()"),
    ] {
        apply(&mut draft, &edit).unwrap();
    }
    let answer = preview(&m, &draft, json!({"type": "first", "limit": 2})).await;
    let first = &answer["documents"][0];
    assert_eq!(first["document"]["title"], json!({"full": "shop 1"}));
    assert_eq!(first["document"]["loud"], "SHOP 1");
    assert_eq!(first["arrays"], json!({"items": 4}));
    let members: Vec<&String> = first["document"]["items"][0].as_object().unwrap().keys().collect();
    assert_eq!(members, ["id", "price"]);
    let sizes: Vec<u64> = answer["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["size"].as_u64().unwrap())
        .collect();
    assert_eq!(answer["largest"].as_u64(), sizes.iter().max().copied());
    assert_eq!(answer["average"].as_u64(), Some((sizes[0] + sizes[1]) / 2));
    let titles = |answer: &Value| -> Vec<String> {
        let all = answer["documents"].as_array().unwrap().iter();
        all.map(|d| d["document"]["title"]["full"].as_str().unwrap().to_owned())
            .collect()
    };
    let by_key = preview(&m, &draft, json!({"type": "key", "key": {"id": "7"}})).await;
    assert_eq!(titles(&by_key), ["shop 7"]);
    for (key, why) in [
        (json!({"id": "x"}), "no number"),
        (json!({"id": "99"}), "no row"),
        (json!({}), "no key"),
    ] {
        assert_eq!(
            titles(&preview(&m, &draft, json!({"type": "key", "key": key})).await),
            [""; 0],
            "{why}"
        );
    }
    let by_text = preview(&m, &draft, json!({"type": "search", "text": "SHOP 2", "limit": 3})).await;
    assert_eq!(titles(&by_text), ["shop 2", "shop 20", "shop 21"]);
    let wild = preview(&m, &draft, json!({"type": "search", "text": "%' OR '1", "limit": 3})).await;
    assert_eq!(titles(&wild), [""; 0]);
    let again = m.app.api().get(&format!("/project/{}/export", m.project)).await.ok();
    assert_eq!(again, stored, "a draft was stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_that_cannot_be_are_refused() {
    let m = shop().await;
    let draft = draft_of(&m, &m.project).await;
    let api = m.app.api();
    let (check, preview) = (
        format!("/project/{}/draft/check", m.project),
        format!("/project/{}/draft/preview", m.project),
    );
    let (shops, items) = (rule_of(&draft, "shop"), rule_of(&draft, "item"));
    for children in [
        json!({shops.as_str(): {"children": [items, shops]}}),
        json!({items.as_str(): {"children": [items]}}),
    ] {
        let mut content = serde_json::to_value(&draft.content).unwrap();
        content["relationships"]["mappings"] = children;
        let body = json!({"draft": {"content": content}, "collection": "x"});
        for path in [&check, &preview] {
            api.post(path, &body).await.error(422, "invalid_project_file");
        }
    }
    let gone = body(&m, &draft, json!({"collection": "gone"}));
    api.post(&preview, &gone).await.error(404, "not_found");
    api.post("/project/gone/draft/check", &gone)
        .await
        .error(404, "not_found");
    let collection = draft.content.collections.keys().next().unwrap();
    for pick in [
        json!({"type": "first", "limit": 0}),
        json!({"type": "search", "text": "x", "limit": 101}),
        json!({"type": "search", "text": "a\u{0}b", "limit": 1}),
        json!({"type": "other"}),
    ] {
        let body = body(&m, &draft, json!({"collection": collection, "pick": pick}));
        api.post(&preview, &body).await.error(400, "invalid_request");
    }
    // A table that nobody has.
    let mut unknown = draft.clone();
    unknown.content.mappings[&shops].table = "gone".into();
    let checked = self::check(&m, &unknown).await;
    assert_eq!(checked.faults[0].kind, FaultKind::TableGone, "{checked:?}");
    // A source that is away: the rules can be looked at, documents not.
    let mut away = body(&m, &unknown, json!({"collection": collection}));
    away["jdbcConnectionDetails"]["url"] = json!("jdbc:postgresql://127.0.0.1:1/none");
    let checked = api.post(&check, &away).await.ok();
    assert_eq!(
        (&checked["isLive"], &checked["faults"][0]["kind"]),
        (&json!(false), &json!("table_gone")),
        "{checked:#}"
    );
    api.post(&preview, &away).await.error(502, "source_unreachable");
    let checked = api
        .post(&check, &json!({"draft": {"content": draft.content}}))
        .await
        .ok();
    assert_eq!(
        (&checked["isLive"], &checked["faults"]),
        (&json!(false), &json!([])),
        "without a connection: {checked:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_collections_are_checked() {
    let m = shop().await;
    let mut draft = draft_of(&m, &m.project).await;
    let shop = rule_of(&draft, "shop");
    let table = draft.rule(&shop).unwrap().table.clone();
    for n in 0..1_000 {
        let into = json!({"type": "newCollection", "collection": null, "name": format!("שם{n}")});
        let edit = json!({"type": "addRule", "table": table, "into": into});
        apply(&mut draft, &serde_json::from_value(edit).unwrap()).unwrap();
    }
    let (last, _) = draft
        .content
        .mappings
        .last()
        .map(|(id, r)| (id.clone(), r.clone()))
        .unwrap();
    apply(
        &mut draft,
        &Edit::RenameField {
            rule: last.clone(),
            column: "city".into(),
            name: "name".into(),
        },
    )
    .unwrap();
    let checked = check(&m, &draft).await;
    assert_eq!(checked.faults.len(), 1, "{:?}", checked.faults);
    assert_eq!(checked.faults[0].place.rule.as_ref(), Some(&last));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_agreed_to_does_not_run_in_a_draft() {
    let m = shop().await;
    let mut file = m.app.api().get(&format!("/project/{}/export", m.project)).await.ok();
    let stored = draft_of(&m, &m.project).await;
    let (shops, items) = (rule_of(&stored, "shop"), rule_of(&stored, "item"));
    let mapping = &mut file["project"]["content"]["mappings"][shops.as_str()];
    mapping["calculatedFields"] = json!({"c": {"name": "loud", "expression": "columns.name + '!'"}});
    let imported = m.app.api().post("/project/import?consent=ask", &file).await.ok();
    let id = imported["id"].as_str().unwrap();
    let draft = draft_of(&m, id).await;
    let collection = draft.content.collections.keys().next().unwrap().clone();
    let ask = async |what: &str, draft: &Draft| {
        let body = body(&m, draft, json!({"collection": collection}));
        m.app.api().post(&format!("/project/{id}/draft/{what}"), &body).await
    };
    ask("preview", &draft).await.error(409, "consent_needed");
    let checked = ask("check", &draft).await.ok();
    assert_eq!(
        (&checked["consentNeeded"], &checked["expressionsRun"]),
        (&json!(true), &json!(0)),
        "{checked:#}"
    );
    // The same text at another place is no other text.
    let mut moved = draft.clone();
    apply(
        &mut moved,
        &Edit::RemoveCalculated {
            rule: shops.clone(),
            id: "c".into(),
        },
    )
    .unwrap();
    let mut clean = moved.clone();
    apply(&mut moved, &calculated(&items, "x", " columns.name + '!' ")).unwrap();
    ask("preview", &moved).await.error(409, "consent_needed");
    // Without it, what the user writes runs.
    apply(&mut clean, &calculated(&shops, "quiet", "columns.name.toLowerCase()")).unwrap();
    assert_eq!(
        ask("preview", &clean).await.ok()["documents"][0]["document"]["quiet"],
        "shop 1"
    );
    assert_eq!(ask("check", &clean).await.ok()["expressionsRun"], 1);
    let consent = m.app.api().get(&format!("/project/{id}/consent")).await.ok();
    let digest = json!({"digest": consent["digest"]});
    m.app.api().post(&format!("/project/{id}/consent"), &digest).await.ok();
    assert_eq!(
        ask("preview", &draft).await.ok()["documents"][0]["document"]["loud"],
        "shop 1!"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_of_a_draft_ends_with_its_client() {
    let m = Migration::new(
        "create table t(id int primary key); insert into t select generate_series(1, 30000)",
        spec([coll("t", "t", "*")]),
    )
    .await;
    let mut draft = draft_of(&m, &m.project).await;
    let table = draft.content.tables.keys().next().unwrap().clone();
    // Minutes of work, of which no row comes out.
    let filter = json!({"whereClause": "md5(repeat(id::text, 2000000)) = 'x'"});
    let edit = json!({"type": "setTableFilter", "table": table, "filter": filter});
    apply(&mut draft, &serde_json::from_value(edit).unwrap()).unwrap();
    let collection: CollectionId = draft.content.collections.keys().next().unwrap().clone();
    let body = body(&m, &draft, json!({"collection": collection}));
    let path = format!("/project/{}/draft/preview", m.project);
    let api = m.app.api();
    let asking = tokio::spawn(async move { api.post(&path, &body).await });
    let client = m.source.connect().await;
    let running = "select count(*)::int from pg_stat_activity where state = 'active' and application_name = 'godwit' and query like '%repeat%'";
    let count = async || client.query_one(running, &[]).await.unwrap().get::<_, i32>(0);
    wait_for("the query of the preview", Duration::from_secs(60), async || {
        (count().await > 0).then_some(())
    })
    .await;
    asking.abort();
    wait_for("the end of the query", Duration::from_secs(60), async || {
        (count().await == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_on_an_old_revision_changes_nothing_and_shows_what_is_stored() {
    let m = shop().await;
    let api = m.app.api();
    let path = format!("/project/{}", m.project);
    let read = api.get(&path).await.ok();
    let save = |name: &str, revision: Option<&Value>| {
        let mut body = read.clone();
        body["name"] = json!(name);
        match revision {
            Some(revision) => body["revision"] = revision.clone(),
            None => _ = body.as_object_mut().unwrap().remove("revision"),
        }
        body
    };
    let first = api.put(&path, &save("one", Some(&read["revision"]))).await.ok();
    assert!(first["revision"].as_u64() > read["revision"].as_u64());
    let answer = api.put(&path, &save("two", Some(&read["revision"]))).await;
    assert_eq!(answer.body["project"]["name"], "one");
    assert_eq!(answer.body["project"]["revision"], first["revision"]);
    assert!(answer.body["full"]["databases"].is_object());
    answer.error(409, "revision_conflict");
    assert_eq!(api.get(&path).await.ok()["name"], "one");
    // A client that knows no revisions.
    let old = api.put(&path, &save("three", None)).await.ok();
    assert_eq!(old["name"], "three");
    // Of many that save at once on one revision, one gets through.
    let bodies: Vec<Value> = (0..8).map(|n| save(&format!("n{n}"), Some(&old["revision"]))).collect();
    let saves = bodies.iter().map(|body| api.put(&path, body));
    let answers = futures_util::future::join_all(saves).await;
    let saved = answers.iter().filter(|a| a.status == 200).count();
    let refused = answers.iter().filter(|a| a.status == 409).count();
    assert_eq!((saved, refused), (1, 7));
}

#[tokio::test(flavor = "multi_thread")]
async fn synthetic_keys_of_a_draft_are_used_and_saved() {
    let m = Migration::new(
        "create table a(id int primary key, code text); create table b(id int primary key, a_code text);
         insert into a values (1, 'x'), (2, 'y'); insert into b values (1, 'x'), (2, 'x'), (3, 'z')",
        spec([coll("as", "a", "*"), coll("bs", "b", "*")]),
    )
    .await;
    let mut draft = draft_of(&m, &m.project).await;
    let ids = ["a", "b"].map(|name| {
        let found = draft.content.tables.iter().find(|(_, t)| t.path.table == name);
        found
            .map(|(id, entry)| (id.clone(), entry.path.clone()))
            .expect("a table")
    });
    let key = json!({"targetTable": ids[0].1, "columnMappings": [{"source": "a_code", "target": "code"}]});
    let draw = json!({"type": "addKey", "table": ids[1].0, "name": "drawn", "key": key});
    apply(&mut draft, &serde_json::from_value(draw).unwrap()).unwrap();
    let parent = rule_of(&draft, "a");
    let into = json!({"type": "rule", "parent": parent, "shape": "ARRAY"});
    let embed = json!({"type": "addRule", "table": ids[1].0, "into": into});
    apply(&mut draft, &serde_json::from_value(embed).unwrap()).unwrap();
    let answer = preview(&m, &draft, json!({"type": "first", "limit": 1})).await;
    assert_eq!(answer["documents"][0]["arrays"], json!({"bs": 2}), "{answer:#}");
    let api = m.app.api();
    let mut save = api.get(&format!("/project/{}", m.project)).await.ok();
    save["content"] = serde_json::to_value(&draft.content).unwrap();
    save["full"] = serde_json::to_value(&draft.model).unwrap();
    api.put(&format!("/project/{}", m.project), &save).await.ok();
    let again = draft_of(&m, &m.project).await;
    assert_eq!(
        serde_json::to_value(&again.model).unwrap(),
        serde_json::to_value(&draft.model).unwrap()
    );
    assert_eq!(
        serde_json::to_value(&again.content).unwrap(),
        serde_json::to_value(&draft.content).unwrap()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_counted_before_it_is_drawn() {
    let m = Migration::new(
        "create table a(id int primary key, code varchar(9), twice int);
         create table b(id int primary key, a_code text, at date);
         insert into a values (1, 'x', 7), (2, 'y', 7), (3, null, 8);
         insert into b values (1, 'x', null), (2, 'x', null), (3, 'z', null), (4, null, null)",
        spec([coll("as", "a", "*"), coll("bs", "b", "*")]),
    )
    .await;
    let draft = draft_of(&m, &m.project).await;
    let table = |name: &str| {
        let found = draft.content.tables.iter().find(|(_, t)| t.path.table == name);
        found
            .map(|(id, entry)| (id.clone(), entry.path.clone()))
            .expect("a table")
    };
    let ask = async |source: &str, target: &str| {
        let key = json!({"targetTable": table("a").1, "columnMappings": [{"source": source, "target": target}]});
        let body = body(&m, &draft, json!({"table": table("b").0, "key": key}));
        m.app
            .api()
            .post(&format!("/project/{}/draft/key", m.project), &body)
            .await
    };
    let found = ask("a_code", "code").await.ok();
    let expected = json!({"rows": 4, "nulls": 1, "matching": 2, "unmatched": 1, "mostForOne": 2, "isTargetUnique": true,
        "isIndexed": false, "examples": [["z"]]});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(found[name], *value, "{name}: {found:#}");
    }
    assert!(
        found["comparedAs"][0]
            .as_str()
            .unwrap()
            .contains("public.b.a_code is compared with public.a.code")
    );
    assert_eq!(ask("id", "twice").await.ok()["isTargetUnique"], false);
    assert!(
        ask("at", "id")
            .await
            .error(422, "invalid_mapping")
            .contains("no operator")
    );
    assert!(ask("gone", "id").await.error(422, "invalid_mapping").contains("gone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_is_counted_as_a_job_would_judge_it() {
    let m = shop().await;
    let draft = draft_of(&m, &m.project).await;
    let table = rule_of(&draft, "shop");
    let table = draft.rule(&table).unwrap().table.clone();
    let ask = async |filter: Value| {
        let body = body(&m, &draft, json!({"table": table, "filter": filter}));
        m.app
            .api()
            .post(&format!("/project/{}/draft/filter", m.project), &body)
            .await
    };
    let found = ask(json!({"whereClause": "id <= 10 and city is not null"})).await.ok();
    assert_eq!((&found["rows"], &found["total"]), (&json!(9), &json!(30)), "{found:#}");
    let limited = ask(json!({"rowCount": 4})).await.ok();
    assert_eq!(limited["rows"], 4);
    assert!(limited["onlySnapshot"].is_string(), "{limited:#}");
    for bad in [
        "id <= ",
        "id > (select avg(id) from item)",
        "1); drop table shop; --",
        "gone = 1",
        "pg_sleep(1) is null",
        "id",
    ] {
        let found = ask(json!({"whereClause": bad})).await.ok();
        assert!(
            found["problem"].is_string() && found["rows"].is_null(),
            "{bad}: {found:#}"
        );
    }
    let body = body(&m, &draft, json!({"table": "gone", "filter": {}}));
    m.app
        .api()
        .post(&format!("/project/{}/draft/filter", m.project), &body)
        .await
        .error(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_is_read_again_and_taken_over() {
    let m = shop().await;
    let mut draft = draft_of(&m, &m.project).await;
    let path = format!("/project/{}/draft/refresh", m.project);
    let same = m.app.api().post(&path, &body(&m, &draft, json!({}))).await.ok();
    assert_eq!(same["changes"], json!([]));
    let sql = "alter table shop add column phone text; alter table item drop column name; alter table item alter price type text;
        create table extra(id int primary key)";
    m.source.connect().await.batch_execute(sql).await.unwrap();
    let found = m.app.api().post(&path, &body(&m, &draft, json!({}))).await.ok();
    let kinds: Vec<&str> = found["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["TYPE_CHANGED", "COLUMN_GONE", "COLUMN_ADDED", "TABLE_ADDED"],
        "{found:#}"
    );
    let items = rule_of(&draft, "item");
    assert_eq!(found["changes"][1]["rules"], json!([items]));
    let checked = check(&m, &draft).await;
    assert_eq!(checked.faults[0].kind, FaultKind::ColumnGone);
    let take = json!({"type": "takeSchema", "model": found["full"]});
    apply(&mut draft, &serde_json::from_value(take).unwrap()).unwrap();
    let fix = &check(&m, &draft).await.faults[0].fixes[0];
    apply(&mut draft, &fix.edit).unwrap();
    assert_eq!(check(&m, &draft).await.faults, []);
    let answer = preview(&m, &draft, json!({"type": "first", "limit": 1})).await;
    let document = answer["documents"][0]["document"].as_object().unwrap();
    assert!(
        document.contains_key("phone") && document["items"][0]["price"].is_string(),
        "{document:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_proposed_with_figures_and_makes_documents() {
    let m = Migration::new(
        "create table customer(id int primary key, name text); create table kind(code text primary key, label text);
         create table orders(id int primary key, customer_id int not null references customer, kind text not null references kind);
         create table order_line(order_id int not null references orders, line int, qty int, primary key (order_id, line));
         insert into customer select i, 'c' || i from generate_series(1, 2000) i; insert into kind values ('a', 'A'), ('b', 'B');
         insert into orders select i, 1 + i % 2000, case when i % 2 = 0 then 'a' else 'b' end from generate_series(1, 4000) i;
         insert into order_line select 1 + i % 4000, i / 4000, i from generate_series(0, 11999) i; analyze",
        spec([coll("c", "customer", "*")]),
    )
    .await;
    let mut draft = draft_of(&m, &m.project).await;
    draft = {
        let rule = rule_of(&draft, "customer");
        apply(&mut draft, &Edit::DeleteRule { rule }).unwrap();
        let collection = draft.content.collections.keys().next().unwrap().clone();
        apply(&mut draft, &Edit::DeleteCollection { collection }).unwrap();
        draft
    };
    for (exact, figures) in [(false, "CATALOG"), (true, "EXACT")] {
        let ask = body(&m, &draft, json!({"exact": exact}));
        let answer = m
            .app
            .api()
            .post(&format!("/project/{}/draft/proposal", m.project), &ask)
            .await
            .ok();
        assert_eq!(answer["figures"], figures);
        let proposal: godwit_shared::proposal::Proposal = serde_json::from_value(answer).unwrap();
        let line = proposal
            .decisions
            .iter()
            .find(|d| d.table.table == "order_line")
            .expect("a decision");
        assert!(line.reason.contains("3 on average"), "{}", line.reason);
        assert_eq!(
            exact,
            line.reason.contains("3 for 99 of 100, 3 at most"),
            "{}",
            line.reason
        );
        let mut drawn = draft.clone();
        let all: Vec<String> = proposal.decisions.iter().map(|d| d.id.clone()).collect();
        apply(&mut drawn, &godwit_shared::proposal::take(&draft, &proposal, &all)).unwrap();
        assert_eq!(check(&m, &drawn).await.faults, []);
        let (orders, _) = drawn
            .content
            .collections
            .iter()
            .find(|(_, c)| c.name == "orders")
            .expect("a collection");
        let ask = body(
            &m,
            &drawn,
            json!({"collection": orders, "pick": {"type": "key", "key": {"id": "7"}}}),
        );
        let shown = m
            .app
            .api()
            .post(&format!("/project/{}/draft/preview", m.project), &ask)
            .await
            .ok();
        let document = &shown["documents"][0]["document"];
        assert_eq!(
            (document["lines"].as_array().map(Vec::len), &document["label"]),
            (Some(3), &json!("B")),
            "{shown:#}"
        );
    }
    // Without a source: from keys alone.
    let away = json!({"draft": {"content": draft.content}});
    let answer = m
        .app
        .api()
        .post(&format!("/project/{}/draft/proposal", m.project), &away)
        .await
        .ok();
    assert_eq!(
        (&answer["figures"], answer["sourceProblem"].is_string()),
        (&json!("NONE"), true)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_without_a_database() {
    let m = shop().await;
    let api = m.app.api();
    let text = "create table a (id int primary key, name text);\ncreate table b (id int primary key, a int not null references a);\ncreate table c as select 1;";
    let read = api
        .post("/schema/ddl", &json!({"database": "POSTGRESQL", "text": text}))
        .await
        .ok();
    assert_eq!(
        (&read["skipped"][0]["line"], read["skipped"].as_array().map(Vec::len)),
        (&json!(3), Some(1))
    );
    let proposal = api
        .post(
            &format!("/schema/{}/proposal", read["id"].as_str().unwrap()),
            &json!({}),
        )
        .await
        .ok();
    assert_eq!(proposal["figures"], "NONE");
    let content = api
        .post("/project/recommendation", &json!({"schemasId": read["id"]}))
        .await
        .ok();
    let save = json!({"name": "From DDL", "type": "POSTGRESQL", "schemasId": read["id"], "content": content});
    let project = api.post("/project", &save).await.ok();
    let path = format!("/project/{}/draft/check", project["id"].as_str().unwrap());
    let checked = api
        .post(&path, &json!({"draft": {"content": project["content"]}}))
        .await
        .ok();
    assert_eq!(
        (&checked["isLive"], &checked["faults"]),
        (&json!(false), &json!([])),
        "{checked:#}"
    );
    let message = api
        .post(
            "/schema/ddl",
            &json!({"database": "MYSQL", "text": "create table a (\n  id"}),
        )
        .await
        .error(422, "invalid_ddl");
    assert!(message.starts_with("line 1"), "{message}");
    api.post("/schema/ddl", &json!({"database": "ORACLE", "text": ""}))
        .await
        .error(422, "invalid_ddl");
    api.post("/schema/ddl", &json!({"database": "DBASE", "text": ""}))
        .await
        .error(400, "invalid_request");
    let samples = [
        api.post("/project/sample", &json!({})).await.ok(),
        api.post("/project/sample", &json!({})).await.ok(),
    ];
    assert_eq!(
        (&samples[0]["name"], &samples[1]["name"]),
        (&json!("Sample shop"), &json!("Sample shop 2"))
    );
    let details = api
        .get(&format!("/project/{}", samples[0]["id"].as_str().unwrap()))
        .await
        .ok();
    assert_eq!(
        details["content"]["collections"].as_object().map(serde_json::Map::len),
        Some(6)
    );
    assert!(details["needsConsent"].is_null());
}
