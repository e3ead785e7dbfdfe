//! Project files for a live database, from a short specification.
//!
//! ```text
//! {"name": "shop", "key": "GENERATED|SINGLE|WRAPPED", "casing": "CAMEL_CASE|ORIGINAL|...", "schemas": ["public"],
//!  "synthetic": [{"name", "table", "columns": [..], "ref", "ref_columns": [..]}],
//!  "collections": [Rule]}
//!
//! Rule: {"table": "orders",                       "schema.table"; without a schema: public
//!        "collection": "orders", "key": "WRAPPED",                     root rules only
//!        "time_series": {"timeField": "at", ...},                      root rules only
//!        "kind": "array|doc", "path": "lines", "fk": "name",           embedded rules only; no path: merged into the parent
//!        "exclude": ["column"] or "include": ["column"],
//!        "rename": {"column": "new.name"}, "types": {"column": "STRING"}, "omit_null": ["column"],
//!        "calc": {"name": "JavaScript"}, "filter": "JavaScript", "primitive": true,
//!        "sort": ["column", "ASC|DESC"], "limit": 3, "as_document": true,
//!        "embed": [Rule]}
//! ```
//! Defaults as spec 17 has them: key SINGLE, casing ORIGINAL, schema public.

use godwit_shared::casing::Casing;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tokio_postgres::Client;
use uuid::Uuid;

const NAMESPACE: Uuid = Uuid::from_u128(0x5d0c_2b1e_94a7_4c3f_8e61_77d2_b0a9_3f14);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    #[serde(default = "default_name")]
    name: String,
    #[serde(default = "default_key")]
    key: String,
    #[serde(default = "default_casing")]
    casing: Casing,
    #[serde(default = "default_schemas")]
    schemas: Vec<String>,
    #[serde(default)]
    synthetic: Vec<Synthetic>,
    collections: Vec<Rule>,
}

fn default_name() -> String {
    "test".into()
}

fn default_key() -> String {
    "SINGLE".into()
}

fn default_casing() -> Casing {
    Casing::Original
}

fn default_schemas() -> Vec<String> {
    vec!["public".into()]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Synthetic {
    name: String,
    table: String,
    columns: Vec<String>,
    #[serde(rename = "ref")]
    target: String,
    ref_columns: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Rule {
    collection: Option<String>,
    key: Option<String>,
    time_series: Option<Value>,
    table: String,
    kind: Option<Kind>,
    path: String,
    fk: Option<String>,
    exclude: Vec<String>,
    include: Option<Vec<String>>,
    rename: BTreeMap<String, String>,
    types: BTreeMap<String, String>,
    omit_null: Vec<String>,
    calc: Map<String, Value>,
    filter: Option<String>,
    primitive: bool,
    sort: Option<(String, String)>,
    limit: Option<u32>,
    as_document: bool,
    embed: Vec<Rule>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Array,
    Doc,
}

/// The tables of a database as its catalog has them.
pub struct Schema {
    /// The kind of database, as project files spell it.
    kind: String,
    database: String,
    version: String,
    tables: BTreeMap<String, Table>,
}

struct Table {
    schema: String,
    name: String,
    columns: Vec<Column>,
    primary_key: Vec<String>,
    foreign_keys: Vec<ForeignKey>,
}

struct Column {
    name: String,
    /// As PostgreSQL prints it; of a domain the type below it.
    kind: String,
    udt: String,
    nullable: bool,
}

struct ForeignKey {
    name: String,
    columns: Vec<String>,
    target: String,
    target_columns: Vec<String>,
    synthetic: bool,
}

impl Schema {
    pub async fn read(client: &Client, schemas: &[String]) -> Schema {
        let one =
            |sql: &'static str| async move { client.query_one(sql, &[]).await.expect("a setting").get::<_, String>(0) };
        let mut schema = Schema {
            kind: "POSTGRESQL".into(),
            database: one("select current_database()::text").await,
            version: one("show server_version").await,
            tables: BTreeMap::new(),
        };
        // Also those without columns.
        let tables = "
            select n.nspname::text, c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p') and not c.relispartition and n.nspname = any($1)";
        for row in client.query(tables, &[&schemas]).await.expect("the tables") {
            let table = Table {
                schema: row.get(0),
                name: row.get(1),
                columns: Vec::new(),
                primary_key: Vec::new(),
                foreign_keys: Vec::new(),
            };
            schema.tables.insert(format!("{}.{}", table.schema, table.name), table);
        }
        // A partitioned table is read through its root; tables that inherit otherwise are tables of their own.
        let columns = "
            with recursive below(oid, base) as (
              select oid, oid from pg_type
              union all select b.oid, d.typbasetype from below b join pg_type d on d.oid = b.base where d.typtype = 'd')
            select n.nspname::text, c.relname::text, a.attname::text,
              case when a.atttypid = t.oid then format_type(a.atttypid, a.atttypmod) else format_type(t.oid, null) end,
              t.typname::text, not a.attnotnull
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            join below on below.oid = a.atttypid join pg_type t on t.oid = below.base and t.typtype <> 'd'
            where c.relkind in ('r', 'p') and not c.relispartition and n.nspname = any($1)
            order by 1, 2, a.attnum";
        for row in client.query(columns, &[&schemas]).await.expect("the columns") {
            let (namespace, name): (String, String) = (row.get(0), row.get(1));
            let Some(table) = schema.tables.get_mut(&format!("{namespace}.{name}")) else {
                continue;
            };
            table.columns.push(Column {
                name: row.get(2),
                kind: row.get(3),
                udt: row.get(4),
                nullable: row.get(5),
            });
        }
        let constraints = "
            select n.nspname::text || '.' || c.relname, con.contype::text, con.conname::text,
              array(select a.attname::text from unnest(con.conkey) with ordinality k(n, o)
                    join pg_attribute a on a.attrelid = con.conrelid and a.attnum = k.n order by k.o),
              rn.nspname::text || '.' || rc.relname,
              array(select a.attname::text from unnest(con.confkey) with ordinality k(n, o)
                    join pg_attribute a on a.attrelid = con.confrelid and a.attnum = k.n order by k.o)
            from pg_constraint con join pg_class c on c.oid = con.conrelid join pg_namespace n on n.oid = c.relnamespace
            left join pg_class rc on rc.oid = con.confrelid left join pg_namespace rn on rn.oid = rc.relnamespace
            where con.contype in ('p', 'f') and coalesce(to_jsonb(con) ->> 'conparentid', '0') = '0' and n.nspname = any($1) order by 1, 3";
        for row in client.query(constraints, &[&schemas]).await.expect("the keys") {
            let Some(table) = schema.tables.get_mut(&row.get::<_, String>(0)) else {
                continue;
            };
            match row.get::<_, String>(1).as_str() {
                "p" => table.primary_key = row.get(3),
                _ => table.foreign_keys.push(ForeignKey {
                    name: row.get(2),
                    columns: row.get(3),
                    target: row.get(4),
                    target_columns: row.get(5),
                    synthetic: false,
                }),
            }
        }
        schema
    }

    /// The tables of a relational model, as the server has read it from a source of any kind.
    pub fn of_model(model: &Value) -> Schema {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let object = |value: &'_ Value| value.as_object().cloned().unwrap_or_default();
        let mut schema = Schema {
            kind: text(&model["metadata"]["databaseType"]),
            database: String::new(),
            version: text(&model["metadata"]["databaseVersion"]),
            tables: BTreeMap::new(),
        };
        for (database, schemas) in object(&model["databases"]) {
            schema.database = database;
            for (schema_name, tables) in object(&schemas["schemas"]) {
                for (name, table) in object(&tables["tables"]) {
                    let mut columns: Vec<(String, Value)> = object(&table["columns"]).into_iter().collect();
                    columns.sort_by_key(|(_, column)| column["ordinalPosition"].as_u64());
                    let is_key = |(_, column): &&(String, Value)| !column["primaryKey"].is_null();
                    let primary_key = columns.iter().filter(is_key).map(|(name, _)| name.clone()).collect();
                    let column = |(name, column): (String, Value)| Column {
                        kind: text(&column["type"]["databaseSpecificType"]),
                        udt: text(&column["type"]["defaultMongoFieldType"]),
                        nullable: column["nullable"].as_bool().unwrap_or(true),
                        name,
                    };
                    let key = |(name, key): (String, Value)| {
                        let pairs = key["columnMappings"].as_array().cloned().unwrap_or_default();
                        let target = &key["targetTable"];
                        ForeignKey {
                            name,
                            columns: pairs.iter().map(|p| text(&p["source"])).collect(),
                            target: format!("{}.{}", text(&target["schema"]), text(&target["table"])),
                            target_columns: pairs.iter().map(|p| text(&p["target"])).collect(),
                            synthetic: false,
                        }
                    };
                    let read = Table {
                        schema: schema_name.clone(),
                        name: name.clone(),
                        columns: columns.into_iter().map(column).collect(),
                        primary_key,
                        foreign_keys: object(&table["foreignKeys"]).into_iter().map(key).collect(),
                    };
                    schema.tables.insert(format!("{schema_name}.{name}"), read);
                }
            }
        }
        schema
    }

    fn table(&self, name: &str) -> &Table {
        let table = self.tables.get(&qualified(name));
        table.unwrap_or_else(|| {
            panic!(
                "no table {name}; there are {:?}",
                self.tables.keys().collect::<Vec<_>>()
            )
        })
    }
}

/// A project file of the newer generation for the tables of a live database.
pub async fn project_file(client: &Client, spec: &Value) -> Value {
    let spec = spec_of(spec);
    let schema = Schema::read(client, &spec.schemas).await;
    file_of(schema, &spec)
}

/// The same for the tables of a relational model.
pub fn project_file_of(model: &Value, spec: &Value) -> Value {
    file_of(Schema::of_model(model), &spec_of(spec))
}

fn spec_of(spec: &Value) -> Spec {
    serde_json::from_value(spec.clone()).unwrap_or_else(|e| panic!("the mapping's specification: {e}"))
}

fn file_of(mut schema: Schema, spec: &Spec) -> Value {
    for key in &spec.synthetic {
        let table = schema.tables.get_mut(&qualified(&key.table));
        table
            .expect("the table of a synthetic key")
            .foreign_keys
            .push(ForeignKey {
                name: key.name.clone(),
                columns: key.columns.clone(),
                target: qualified(&key.target),
                target_columns: key.ref_columns.clone(),
                synthetic: true,
            });
    }
    Builder::new(&schema, spec).file()
}

fn qualified(table: &str) -> String {
    if table.contains('.') {
        table.to_owned()
    } else {
        format!("public.{table}")
    }
}

struct Builder<'a> {
    schema: &'a Schema,
    spec: &'a Spec,
    collections: Map<String, Value>,
    mappings: Map<String, Value>,
    of_tables: BTreeMap<String, Vec<String>>,
    of_collections: BTreeMap<String, Vec<String>>,
    children: Map<String, Value>,
}

/// Where a rule lies.
#[derive(Clone, Copy)]
struct Place<'a> {
    collection_id: &'a str,
    /// Distinguishes the rules of a collection.
    path: &'a str,
    is_root: bool,
}

impl<'a> Builder<'a> {
    fn new(schema: &'a Schema, spec: &'a Spec) -> Self {
        Builder {
            schema,
            spec,
            collections: Map::new(),
            mappings: Map::new(),
            of_tables: BTreeMap::new(),
            of_collections: BTreeMap::new(),
            children: Map::new(),
        }
    }

    fn id(&self, parts: &[&str]) -> String {
        Uuid::new_v5(&NAMESPACE, format!("{}/{}", self.spec.name, parts.join("/")).as_bytes()).to_string()
    }

    fn file(mut self) -> Value {
        for (at, rule) in self.spec.collections.iter().enumerate() {
            let name = rule.collection.as_ref().expect("a root rule names its collection");
            let collection_id = self.id(&["collection", name]);
            let collection = match &rule.time_series {
                None => json!({"name": name, "type": "REGULAR"}),
                Some(settings) => json!({"name": name, "type": "TIME_SERIES", "timeSeries": settings}),
            };
            self.collections.insert(collection_id.clone(), collection);
            let path = format!("{name}/{at}");
            let place = Place {
                collection_id: &collection_id,
                path: &path,
                is_root: true,
            };
            self.rule(rule, place);
        }
        let lists = |map: &BTreeMap<String, Vec<String>>| -> Map<String, Value> {
            map.iter()
                .map(|(k, ids)| (k.clone(), json!({"mappings": ids})))
                .collect()
        };
        let tables: Map<String, Value> = (self.schema.tables.iter())
            .map(|(name, t)| {
                let path = json!({"database": self.schema.database, "schema": t.schema, "table": t.name});
                (self.id(&["table", name]), json!({"path": path}))
            })
            .collect();
        let schema_id = self.id(&["schema"]).replace('-', "");
        json!({
            "version": "1.14.0",
            "project": {
                "id": self.id(&["project"]).replace('-', ""),
                "name": self.spec.name,
                "type": self.schema.kind,
                "lastModified": "2026-01-01T00:00:00.000Z",
                "schemasId": schema_id,
                "connectionDetails": {},
                "content": {
                    "settings": {
                        "casing": self.spec.casing, "keyHandling": self.spec.key,
                        "shouldRecommendSchema": false, "excludedJsonExportCollections": []
                    },
                    "collections": self.collections,
                    "mappings": self.mappings,
                    "relationships": {
                        "tables": lists(&self.of_tables), "collections": lists(&self.of_collections), "mappings": self.children
                    },
                    "tables": tables,
                },
            },
            "schema": self.schema_part(&schema_id),
        })
    }

    /// Adds a rule and what lies below it; its id.
    fn rule(&mut self, rule: &Rule, place: Place<'_>) -> String {
        let table = self.schema.table(&rule.table);
        let name = qualified(&rule.table);
        let id = self.id(&["mapping", place.path]);
        let calculated: Map<String, Value> = (rule.calc.iter())
            .map(|(field, code)| {
                let value = json!({"name": field, "expression": code, "isNullExcluded": false});
                (self.id(&["calculated", place.path, field]), value)
            })
            .collect();
        let mapping = json!({
            "settings": settings(rule, place.is_root),
            "fields": self.fields(rule, table, place.is_root),
            "calculatedFields": calculated,
            "collectionId": place.collection_id,
            "table": self.id(&["table", &name]),
        });
        self.mappings.insert(id.clone(), mapping);
        let dotted = format!("{}.{name}", self.schema.database);
        self.of_tables.entry(dotted).or_default().push(id.clone());
        self.of_collections
            .entry(place.collection_id.into())
            .or_default()
            .push(id.clone());
        let children: Vec<String> = (rule.embed.iter().enumerate())
            .map(|(at, child)| {
                let path = format!("{}/{at}", place.path);
                self.rule(
                    child,
                    Place {
                        path: &path,
                        is_root: false,
                        ..place
                    },
                )
            })
            .collect();
        self.children.insert(id.clone(), json!({"children": children}));
        id
    }

    fn fields(&self, rule: &Rule, table: &Table, is_root: bool) -> Map<String, Value> {
        let named = (rule.exclude.iter())
            .chain(rule.include.iter().flatten())
            .chain(rule.omit_null.iter())
            .chain(rule.rename.keys())
            .chain(rule.types.keys());
        for column in named {
            assert!(
                table.columns.iter().any(|c| c.name == *column),
                "{} has no column {column}",
                rule.table
            );
        }
        let mut fields = Map::new();
        if is_root {
            let key = rule.key.as_ref().unwrap_or(&self.spec.key);
            let target = json!({
                "name": "_id", "included": true, "isNullExcluded": false,
                "type": key_type(key, table), "conversionStrategy": "DEFAULT"
            });
            let source = json!({"name": "_id", "databaseSpecificType": "NONE", "isPrimaryKey": false});
            fields.insert("_id".into(), json!({"target": target, "source": source}));
        }
        for column in &table.columns {
            let name = &column.name;
            let included = rule
                .include
                .as_ref()
                .map_or(!rule.exclude.contains(name), |i| i.contains(name));
            let target = json!({
                "name": rule.rename.get(name).cloned().unwrap_or_else(|| self.spec.casing.apply(name)),
                "included": included,
                "isNullExcluded": rule.omit_null.contains(name),
                "type": rule.types.get(name).map_or_else(|| default_type(&column.udt), String::as_str),
                "conversionStrategy": "DEFAULT",
            });
            let source = json!({
                "name": name, "databaseSpecificType": column.kind, "isPrimaryKey": table.primary_key.contains(name)
            });
            fields.insert(name.clone(), json!({"target": target, "source": source}));
        }
        fields
    }

    fn schema_part(&self, id: &str) -> Value {
        let mut schemas: Map<String, Value> = Map::new();
        let mut imported: Map<String, Value> = Map::new();
        for table in self.schema.tables.values() {
            let empty = || json!({"tables": {}, "views": {}, "routines": {}, "triggers": {}, "packages": {}});
            schemas.entry(&table.schema).or_insert_with(empty)["tables"][&table.name] = self.table(table);
            imported.entry(&table.schema).or_insert_with(|| json!({}))[&table.name] = json!({});
        }
        let database = &self.schema.database;
        let imported = json!({database: imported});
        json!({
            "id": id,
            "full": {
                "databases": {database: {"schemas": schemas}},
                "metadata": {"databaseType": self.schema.kind, "databaseVersion": self.schema.version},
            },
            "imported": imported,
            "all": imported,
        })
    }

    fn table(&self, table: &Table) -> Value {
        let mut columns = Map::new();
        for (at, column) in table.columns.iter().enumerate() {
            let is_key = table.primary_key.contains(&column.name);
            let mut value = json!({
                "type": {
                    "defaultMongoFieldType": default_type(&column.udt), "databaseSpecificType": column.kind,
                    "precision": 0, "scale": 0
                },
                "ordinalPosition": at + 1,
                "nullable": column.nullable,
                "autoIncremented": false,
                "generated": false,
                "hidden": false,
                "indexed": is_key,
                "uniqueIndexed": is_key && table.primary_key.len() == 1,
            });
            if is_key {
                value["primaryKey"] = json!({"name": "PRIMARY"});
            }
            columns.insert(column.name.clone(), value);
        }
        let mut keys = Map::new();
        for key in &table.foreign_keys {
            // Keys to schemas that are not part of the project cannot be written.
            let Some(target) = self.schema.tables.get(&key.target) else {
                continue;
            };
            let pairs: Vec<Value> = (key.columns.iter().zip(&key.target_columns))
                .map(|(source, target)| json!({"source": source, "target": target}))
                .collect();
            let mut value = json!({
                "targetTable": {"database": self.schema.database, "schema": target.schema, "table": target.name},
                "cardinality": if key.columns == table.primary_key { "ZERO_TO_ONE" } else { "ZERO_TO_MANY" },
                "columnMappings": pairs,
            });
            if key.synthetic {
                value["synthetic"] = json!(true);
            }
            keys.insert(key.name.clone(), value);
        }
        let unique = if table.primary_key.is_empty() {
            json!({})
        } else {
            json!({"PRIMARY": table.primary_key})
        };
        json!({
            "type": "TABLE", "size": -1, "columns": columns,
            "uniqueIndexes": unique, "nonUniqueIndexes": {}, "foreignKeys": keys
        })
    }
}

fn settings(rule: &Rule, is_root: bool) -> Value {
    let mut settings = json!({"type": "NEW_DOCUMENT", "notes": ""});
    if is_root {
        if let Some(key) = &rule.key {
            settings["keyHandling"] = json!(key);
        }
    } else {
        let kind = rule.kind.expect("an embedded rule has a kind");
        settings["type"] = json!(match kind {
            Kind::Array => "EMBEDDED_DOCUMENT_ARRAY",
            Kind::Doc => "EMBEDDED_DOCUMENT",
        });
        settings["embeddedPath"] = json!(rule.path);
        if let Some(key) = &rule.fk {
            settings["foreignKeyName"] = json!(key);
        }
    }
    if rule.primitive {
        settings["primitive"] = json!(true);
    }
    if let Some(code) = &rule.filter {
        settings["ruleFilter"] = json!({"expression": code});
    }
    if rule.sort.is_some() || rule.limit.is_some() {
        let mut conditions = Map::new();
        if let Some((field, order)) = &rule.sort {
            conditions.insert("sort".into(), json!({"field": field, "order": order}));
        }
        if let Some(limit) = rule.limit {
            conditions.insert("limit".into(), json!(limit));
        }
        if rule.as_document {
            conditions.insert("asDocument".into(), json!(true));
        }
        settings["arrayConditions"] = Value::Object(conditions);
    }
    settings
}

/// The type that the entry `_id` repeats.
fn key_type<'a>(key: &str, table: &Table) -> &'a str {
    match (key, table.primary_key.as_slice()) {
        ("GENERATED", _) | (_, []) => "OBJECT_ID",
        ("SINGLE", [only]) => {
            let column = table.columns.iter().find(|c| c.name == *only);
            default_type(&column.expect("a key has its column").udt)
        }
        _ => "OBJECT",
    }
}

fn default_type(udt: &str) -> &'static str {
    match udt {
        "bool" => "BOOL",
        "int2" | "int4" => "INTEGER",
        "int8" | "oid" => "LONG",
        "float4" | "float8" => "DOUBLE",
        "numeric" | "money" => "DECIMAL",
        "date" | "timestamp" | "timestamptz" => "DATE",
        "bytea" => "BIN_DATA",
        "json" | "jsonb" => "OBJECT",
        array if array.starts_with('_') => "ARRAY",
        // As the server says it of other sources.
        "LONG" => "LONG",
        "INTEGER" => "INTEGER",
        "BOOL" => "BOOL",
        "DATE" => "DATE",
        "DOUBLE" => "DOUBLE",
        "DECIMAL" => "DECIMAL",
        "BIN_DATA" => "BIN_DATA",
        "OBJECT" => "OBJECT",
        "ARRAY" => "ARRAY",
        _ => "STRING",
    }
}
