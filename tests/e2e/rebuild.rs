//! Whole projects are made in the page alone, from an empty one: every kind of rule by clicks, keys and forms. What is
//! exported then has to be what the generator of project files makes of the same specification.

use crate::pages::mapping::MappingTab;
use godwit_tests::app::App;
use godwit_tests::browser::Browser;
use godwit_tests::mapping::project_file;
use godwit_tests::servers::{Database, servers};
use godwit_tests::{checkout, shared_data};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::Instant;

const SCRIPT: &str = include_str!("scripts/rebuild.js");

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

/// A project file with what its rules are looked up in.
struct File<'f> {
    content: &'f Value,
    database: &'f Map<String, Value>,
}

impl<'f> File<'f> {
    fn of(file: &'f Value) -> Self {
        let databases = file["schema"]["full"]["databases"].as_object().expect("databases");
        let database = databases.values().next().expect("a database")["schemas"].as_object();
        File {
            content: &file["project"]["content"],
            database: database.expect("schemas"),
        }
    }

    fn path_of(&self, rule: &Value) -> (&'f str, &'f str) {
        let path = &self.content["tables"][text(rule, "table")]["path"];
        (text(path, "schema"), text(path, "table"))
    }

    fn table_name(&self, rule: &Value) -> String {
        let (schema, table) = self.path_of(rule);
        format!("{schema}.{table}")
    }

    fn table(&self, rule: &Value) -> &'f Value {
        let (schema, table) = self.path_of(rule);
        &self.database[schema]["tables"][table]
    }

    fn children(&self, rule: &str) -> Vec<&'f str> {
        let children = self.content["relationships"]["mappings"][rule]["children"].as_array();
        children.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    fn rule(&self, id: &str) -> &'f Value {
        &self.content["mappings"][id]
    }

    /// The roots of each collection, in its order.
    fn roots(&self) -> Vec<(&'f str, &'f str)> {
        let collections = self.content["collections"].as_object().expect("collections");
        let mut roots = Vec::new();
        for (id, collection) in collections {
            let rules = self.content["mappings"].as_object().expect("rules");
            let own = rules.iter().filter(|(_, rule)| {
                text(rule, "collectionId") == id && text(&rule["settings"], "type") == "NEW_DOCUMENT"
            });
            roots.extend(own.map(|(rule, _)| (text(collection, "name"), rule.as_str())));
        }
        roots
    }

    /// The pairs of columns that join a rule to its parent: of the table that refers, and of the other one.
    fn join(&self, parent: &Value, rule: &Value) -> Vec<(&'f str, &'f str)> {
        let is_array = text(&rule["settings"], "type") == "EMBEDDED_DOCUMENT_ARRAY";
        let (from, to) = if is_array { (rule, parent) } else { (parent, rule) };
        let (schema, table) = self.path_of(to);
        let named = rule["settings"]["foreignKeyName"].as_str();
        let keys = self.table(from)["foreignKeys"].as_object().expect("keys");
        let mut found = keys.iter().filter(|(name, key)| {
            let target = &key["targetTable"];
            let is_there = text(target, "schema") == schema && text(target, "table") == table;
            is_there && named.is_none_or(|named| named == name.as_str())
        });
        let (_, key) = found.next().unwrap_or_else(|| {
            panic!(
                "no key {named:?} of {} for {}",
                self.table_name(from),
                self.table_name(to)
            )
        });
        let pairs = key["columnMappings"].as_array().expect("pairs");
        pairs
            .iter()
            .map(|pair| (text(pair, "source"), text(pair, "target")))
            .collect()
    }

    /// A type that only repeats what the column gives is none.
    fn asked_type(&self, rule: &Value, column: &str, field: &Value) -> Option<String> {
        let of_column = text(&self.table(rule)["columns"][column]["type"], "defaultMongoFieldType");
        let asked = text(&field["target"], "type");
        (asked != "DEFAULT" && asked != of_column && !asked.is_empty()).then(|| asked.to_owned())
    }

    fn fields(&self, rule: &'f Value) -> impl Iterator<Item = (&'f String, &'f Value)> {
        let fields = rule["fields"].as_object().expect("fields").iter();
        fields.filter(|(column, _)| *column != "_id")
    }

    /// What a rule means, whatever its ids are: to be compared.
    fn normal(&self, id: &str, parent: Option<&Value>) -> Value {
        let rule = self.rule(id);
        let settings = &rule["settings"];
        let field = |(column, field): (&String, &Value)| {
            let target = &field["target"];
            let is_included = target["included"] != false;
            is_included.then(|| {
                json!([
                    column,
                    target["name"],
                    target["isNullExcluded"] == true,
                    self.asked_type(rule, column, field)
                ])
            })
        };
        let calculated = rule["calculatedFields"]
            .as_object()
            .expect("calculated fields")
            .values();
        let mut below: Vec<Value> = self
            .children(id)
            .iter()
            .map(|child| self.normal(child, Some(rule)))
            .collect();
        below.sort_by_key(Value::to_string);
        let conditions = &settings["arrayConditions"];
        json!({
            "table": self.table_name(rule),
            "type": settings["type"],
            "path": settings["embeddedPath"].as_str().unwrap_or_default(),
            "primitive": settings["primitive"] == true,
            "filter": settings["ruleFilter"]["expression"],
            "sort": conditions["sort"],
            "limit": conditions["limit"],
            "asDocument": conditions["asDocument"] == true,
            "key": settings["keyHandling"],
            "join": parent.map(|parent| self.join(parent, rule)),
            "fields": self.fields(rule).filter_map(field).collect::<Vec<_>>(),
            "calculated": calculated.map(|field| json!([field["name"], field["expression"]])).collect::<Vec<_>>(),
            "below": below,
        })
    }

    fn normal_all(&self) -> Value {
        let mut all: Vec<Value> = self
            .roots()
            .iter()
            .map(|(collection, rule)| json!({"collection": collection, "rule": self.normal(rule, None)}))
            .collect();
        all.sort_by_key(Value::to_string);
        json!({"settings": [self.content["settings"]["casing"], self.content["settings"]["keyHandling"]], "roots": all})
    }

    /// What is to be done in the page for a rule and those below it. `place` is where its parent stands.
    fn steps(&self, id: &str, parent: Option<(&Value, &str)>) -> Value {
        let rule = self.rule(id);
        let settings = &rule["settings"];
        let path = settings["embeddedPath"].as_str().unwrap_or_default();
        let is_array = text(settings, "type") == "EMBEDDED_DOCUMENT_ARRAY";
        let is_values = settings["primitive"] == true;
        let label = match (is_array, path) {
            (true, _) => "Embed as an array `",
            (false, "") => "Merge its fields",
            (false, _) => "Embed as a document `",
        };
        let detail = parent.map(|(parent, place)| {
            let columns: Vec<&str> = self.join(parent, rule).iter().map(|pair| pair.0).collect();
            format!("in `{place}`, by the key {}", columns.join(", "))
        });
        let is_merged = parent.is_some() && !is_array && path.is_empty();
        let joined: Vec<&str> = match parent {
            Some((parent, _)) if is_merged => self.join(parent, rule).iter().map(|pair| pair.1).collect(),
            Some(_) | None => Vec::new(),
        };
        let field = |(column, field): (&String, &Value)| {
            let target = &field["target"];
            json!({"column": column, "isJoin": joined.contains(&column.as_str()), "name": target["name"], "included": target["included"] != false,
                "omit": target["isNullExcluded"] == true, "type": self.asked_type(rule, column, field)})
        };
        let calculated = rule["calculatedFields"]
            .as_object()
            .expect("calculated fields")
            .values();
        let conditions = &settings["arrayConditions"];
        let place = match parent {
            None => self.collection_of(rule).to_owned(),
            Some((_, above)) if path.is_empty() => format!("{}.({})", bare(above), self.path_of(rule).1),
            Some((_, above)) => format!("{}.{path}", bare(above)),
        };
        let embed = self.children(id).into_iter();
        // What is the `_id` of the documents has no line of its own.
        let is_id = |field: &Value| {
            let is_inherited = self.content["settings"]["keyHandling"] != "GENERATED";
            parent.is_none() && is_inherited && field["source"]["isPrimaryKey"] == true
        };
        let fields = self.fields(rule).filter(|(_, own)| !is_id(own)).map(field);
        json!({
            "table": self.table_name(rule),
            "collection": self.collection_of(rule),
            "label": label,
            "detail": detail,
            "path": settings["embeddedPath"],
            "isValues": is_values,
            "filter": settings["ruleFilter"]["expression"],
            "sort": conditions["sort"].as_object().map(|sort| json!([sort["field"], sort["order"]])),
            "limit": conditions["limit"],
            "asDocument": conditions["asDocument"] == true,
            "calculated": calculated.map(|field| json!([field["name"], field["expression"]])).collect::<Vec<_>>(),
            "fields": fields.collect::<Vec<_>>(),
            "embed": embed.map(|child| self.steps(child, Some((rule, &place)))).collect::<Vec<_>>(),
            "keys": [],
        })
    }

    fn collection_of(&self, rule: &Value) -> &'f str {
        text(&self.content["collections"][text(rule, "collectionId")], "name")
    }
}

/// A merged rule has a place of its own only where it is spoken of itself.
fn bare(place: &str) -> &str {
    match place.rsplit_once(".(") {
        Some((above, _)) => above,
        None => place,
    }
}

/// `public.payment` and its pair of columns, as the dialog of a key has them.
fn keys_of(spec: &Value) -> Vec<Value> {
    let keys = spec["synthetic"].as_array().into_iter().flatten();
    let key = |key: &Value| {
        let side = |member: &str| key[member].as_array().expect("columns").clone();
        let pairs: Vec<Value> = side("columns")
            .into_iter()
            .zip(side("ref_columns"))
            .map(|(a, b)| json!([a, b]))
            .collect();
        json!({"table": key["table"], "target": key["ref"], "pairs": pairs})
    };
    keys.map(key).collect()
}

async fn rebuild(source: &Database, spec: Value) {
    let client = source.connect().await;
    let expected = project_file(&client, &spec).await;
    let mut blank = spec.clone();
    blank["collections"] = json!([]);
    blank["synthetic"] = json!([]);
    let blank = project_file(&client, &blank).await;
    let (app, browser) = tokio::join!(App::start(), Browser::start());
    let project = app.api().import_project(&blank).await;
    let page = MappingTab::open(&browser, &app, &project).await;
    let since = Instant::now();
    let wanted = File::of(&expected);
    let mut keys = keys_of(&spec);
    for (_, root) in wanted.roots() {
        let mut steps = wanted.steps(root, None);
        steps["keys"] = Value::Array(std::mem::take(&mut keys));
        let failure = browser
            .client
            .execute_async(SCRIPT, vec![steps])
            .await
            .expect("a script");
        assert_eq!(failure, Value::Null, "{}", browser.text().await);
    }
    page.wait_saved().await;
    let rules = expected["project"]["content"]["mappings"]
        .as_object()
        .map_or(0, Map::len);
    println!(
        "{}: {rules} rules rebuilt in {:.1} s",
        text(&spec, "name"),
        since.elapsed().as_secs_f64()
    );
    let made = app.api().get(&format!("/project/{project}/export")).await.ok();
    let (made, wanted) = (File::of(&made).normal_all(), wanted.normal_all());
    assert_eq!(made, wanted, "made:\n{made:#}\nwanted:\n{wanted:#}");
}

fn spec(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a specification");
    serde_json::from_str(&text).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_shop_is_made_by_hand() {
    let source = servers().await.postgres.database("shop", "").await;
    source.load(&checkout().join("demo/shop.sql"));
    rebuild(&source, spec(&checkout().join("demo/shop.mapping.json"))).await;
}

/// A database and a specification of the folder of test data, where there is one.
async fn of_shared(name: &str, file: &str) -> Option<(Database, Value)> {
    let folder = shared_data()?;
    let (data, rules) = (
        folder.join("data/postgresql").join(file),
        folder.join(format!("probe/specs/{name}.json")),
    );
    if !data.is_file() || !rules.is_file() {
        eprintln!("SKIPPED: no {} or no {}", data.display(), rules.display());
        return None;
    }
    let source = servers().await.postgres.database(name, "").await;
    source.load(&data);
    Some((source, spec(&rules)))
}

#[tokio::test(flavor = "multi_thread")]
async fn pagila_is_made_by_hand() {
    if let Some((source, spec)) = of_shared("pagila", "pagila.sql.gz").await {
        rebuild(&source, spec).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chinook_is_made_by_hand() {
    if let Some((source, spec)) = of_shared("chinook", "chinook.sql").await {
        rebuild(&source, spec).await;
    }
}
