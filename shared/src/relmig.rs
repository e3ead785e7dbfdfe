//! The project file `.relmig`: both generations are read, the newer one is written.
//!
//! Members that this version does not know are kept through import and export. The order of members counts, so all
//! maps keep it. Reading brings a file of the older generation into the newer form: tables get ids, foreign keys move
//! from the column to the table.

use crate::forest::{ForestError, check_forest, check_places};
use crate::ids::{MappingId, TableId};
use crate::mapping::{Content, Mapping, RuleType, TableEntry};
use crate::schema::{ColumnPair, ForeignKey, RelationalModel, TablePath};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

/// The oldest version whose files can be read.
pub const VERSION_MIN: (u64, u64, u64) = (1, 2, 0);
/// What this build writes into files of an older version.
pub const VERSION_WRITTEN: &str = "1.14.0";

/// Why a file is not a project file. Every message names the member.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProjectFileError {
    #[error("this is no project file: it is not JSON ({0})")]
    NotJson(String),
    #[error("this is no project file: the member `{0}` is missing")]
    Missing(&'static str),
    #[error("the member `{path}` is not what a project file has there: {reason}")]
    Malformed { path: String, reason: String },
    #[error("`version` is \"{0}\", which is not a version number")]
    VersionUnreadable(String),
    #[error("`version` is {0}: files before 1.2.0 cannot be read; export the project again with a newer version")]
    VersionTooOld(String),
    #[error("`project.content.mappings.{mapping}.table` is \"{table}\", which `schema.full` does not have")]
    TableUnknown { mapping: MappingId, table: String },
    #[error(transparent)]
    Rules(#[from] ForestError),
}

/// A whole project file in the newer form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectFile {
    pub version: String,
    pub project: Project,
    pub schema: SchemaPart,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The member `project`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    #[serde(default)]
    pub id: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    #[serde(default)]
    pub schemas_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jdbc_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mongodb_id: Option<String>,
    #[serde(default)]
    pub connection_details: Value,
    pub content: Content,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The member `schema`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SchemaPart {
    #[serde(default)]
    pub id: String,
    pub full: RelationalModel,
    /// Which tables take part: `{database: {schema: {table: {}}}}`.
    #[serde(default)]
    pub imported: Value,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ProjectFile {
    /// Reads a file of either generation.
    ///
    /// # Errors
    /// When it is no project file, is too old, or names a table that it does not have.
    pub fn from_json(text: &str) -> Result<Self, ProjectFileError> {
        let value = serde_json::from_str(text).map_err(|e| ProjectFileError::NotJson(e.to_string()))?;
        Self::from_value(value)
    }

    /// As [`ProjectFile::from_json`], of JSON that is parsed already.
    pub fn from_value(value: Value) -> Result<Self, ProjectFileError> {
        if !value.is_object() {
            return Err(ProjectFileError::NotJson("it holds no object".into()));
        }
        let version = match value.get("version") {
            Some(Value::String(version)) => version.clone(),
            Some(other) => return Err(ProjectFileError::VersionUnreadable(other.to_string())),
            None => return Err(ProjectFileError::Missing("version")),
        };
        check_version(&version)?;
        for (pointer, name) in [
            ("/project", "project"),
            ("/project/name", "project.name"),
            ("/project/type", "project.type"),
            ("/project/content", "project.content"),
            ("/schema", "schema"),
            ("/schema/full", "schema.full"),
        ] {
            if value.pointer(pointer).is_none_or(Value::is_null) {
                return Err(ProjectFileError::Missing(name));
            }
        }
        let mut file: Self = serde_path_to_error::deserialize(value).map_err(|e| ProjectFileError::Malformed {
            path: e.path().to_string(),
            reason: e.inner().to_string(),
        })?;
        check_forest(&file.project.content)?;
        check_places(&file.project.content)?;
        file.upgrade()?;
        // A file of another tool may hold some; connections are kept elsewhere, encrypted.
        strip_secrets(&mut file.project.connection_details);
        Ok(file)
    }

    /// The file as it is exported: without any password.
    pub fn to_exported_value(&self) -> Value {
        let mut file = self.clone();
        strip_secrets(&mut file.project.connection_details);
        serde_json::to_value(file).expect("a project file has only string keys")
    }

    /// The path of a rule's table.
    pub fn table_of(&self, mapping: &Mapping) -> Option<&TablePath> {
        self.project
            .content
            .tables
            .get(&TableId::new(&mapping.table))
            .map(|t| &t.path)
    }

    fn upgrade(&mut self) -> Result<(), ProjectFileError> {
        move_foreign_keys_to_tables(&mut self.schema.full);
        let ids = self.give_tables_ids()?;
        if let Some(diagrams) = &mut self.project.content.diagrams {
            rename_diagram_nodes(diagrams, &ids);
        }
        if version_numbers(&self.version).is_some_and(|v| v < version_numbers(VERSION_WRITTEN).expect("a version")) {
            self.version = VERSION_WRITTEN.into();
        }
        Ok(())
    }

    /// Makes `content.tables` complete and lets rules name tables by id. Returns the id of every old path.
    fn give_tables_ids(&mut self) -> Result<IndexMap<String, TableId>, ProjectFileError> {
        let content = &mut self.project.content;
        let mut by_path: IndexMap<TablePath, TableId> = content
            .tables
            .iter()
            .map(|(id, t)| (t.path.clone(), id.clone()))
            .collect();
        for (path, _) in self.schema.full.tables() {
            let id = by_path.entry(path.clone()).or_insert_with(|| table_id(&path)).clone();
            content.tables.entry(id).or_insert_with(|| TableEntry {
                path,
                extra: Map::new(),
            });
        }
        let by_text: IndexMap<String, TableId> = by_path
            .into_iter()
            .map(|(p, id)| (format!("{}.{}.{}", p.database, p.schema, p.table), id))
            .collect();
        for (mapping_id, mapping) in &mut content.mappings {
            if content.tables.contains_key(&TableId::new(&mapping.table)) {
                continue;
            }
            let id = by_text
                .get(&mapping.table)
                .ok_or_else(|| ProjectFileError::TableUnknown {
                    mapping: mapping_id.clone(),
                    table: mapping.table.clone(),
                })?;
            mapping.table = id.to_string();
        }
        Ok(by_text)
    }
}

impl Content {
    /// The rules of a collection that make documents of their own, in the order of the file.
    pub fn roots_of<'a>(
        &'a self,
        collection: &'a crate::ids::CollectionId,
    ) -> impl Iterator<Item = (&'a MappingId, &'a Mapping)> {
        self.mappings
            .iter()
            .filter(move |(_, m)| m.collection_id == *collection && m.settings.kind == RuleType::NewDocument)
    }

    /// The rules below a rule, in rule order.
    pub fn children_of(&self, mapping: &MappingId) -> impl Iterator<Item = &MappingId> {
        self.relationships
            .mappings
            .get(mapping)
            .into_iter()
            .flat_map(|c| &c.children)
    }
}

fn version_numbers(version: &str) -> Option<(u64, u64, u64)> {
    let core = version.split(['-', '+']).next()?;
    let mut parts = core.split('.').map(|p| p.parse().ok());
    Some((
        parts.next()??,
        parts.next().unwrap_or(Some(0))?,
        parts.next().unwrap_or(Some(0))?,
    ))
}

fn check_version(version: &str) -> Result<(), ProjectFileError> {
    match version_numbers(version) {
        None => Err(ProjectFileError::VersionUnreadable(version.into())),
        Some(numbers) if numbers < VERSION_MIN => Err(ProjectFileError::VersionTooOld(version.into())),
        Some(_) => Ok(()),
    }
}

/// An id made from the path, so that two imports of one file agree.
fn table_id(path: &TablePath) -> TableId {
    let hash = |seed: u64| {
        [&path.database, &path.schema, &path.table]
            .iter()
            .flat_map(|part| part.bytes().chain([0]))
            .fold(
                seed,
                // FNV-1a; only has to spread the tables of one file
                |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3),
            )
    };
    let (a, b) = (hash(0xcbf2_9ce4_8422_2325), hash(0x6c62_272e_07bb_0142));
    TableId::new(format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xffff,
        b >> 48,
        b & 0xffff_ffff_ffff
    ))
}

fn move_foreign_keys_to_tables(model: &mut RelationalModel) {
    for (database_name, database) in &mut model.databases {
        for table in database.schemas.values_mut().flat_map(|s| s.tables.values_mut()) {
            let mut columns: Vec<_> = table.columns.iter_mut().collect();
            columns.sort_by_key(|(_, c)| c.ordinal_position);
            for (column_name, column) in columns {
                let Some(old) = column.foreign_key.take() else { continue };
                let key = table
                    .foreign_keys
                    .entry(old.name.clone())
                    .or_insert_with(|| ForeignKey {
                        target_table: TablePath {
                            database: database_name.clone(),
                            schema: old.schema.clone(),
                            table: old.table.clone(),
                        },
                        cardinality: old.cardinality,
                        column_mappings: Vec::new(),
                        synthetic: old.synthetic.unwrap_or(false),
                        extra: old.extra.clone(),
                    });
                let pair = ColumnPair {
                    source: column_name.clone(),
                    target: old.column,
                };
                if !key.column_mappings.contains(&pair) {
                    key.column_mappings.push(pair);
                }
            }
        }
    }
}

/// Older diagrams name relational nodes by the table's path.
fn rename_diagram_nodes(diagrams: &mut Value, ids: &IndexMap<String, TableId>) {
    let Some(tabs) = diagrams.get_mut("tabs").and_then(Value::as_array_mut) else {
        return;
    };
    for tab in tabs {
        let Some(relational) = tab.get_mut("relational") else {
            continue;
        };
        for (list, members) in [("nodes", &["id"][..]), ("edges", &["source", "target"][..])] {
            let Some(items) = relational.get_mut(list).and_then(Value::as_array_mut) else {
                continue;
            };
            for item in items {
                for member in members {
                    let id = item.get(*member).and_then(Value::as_str).and_then(|path| ids.get(path));
                    if let (Some(id), Some(place)) = (id.cloned(), item.get_mut(*member)) {
                        *place = Value::String(id.to_string());
                    }
                }
            }
        }
    }
}

/// Takes passwords out of connection details: members that hold one, and those inside URLs.
fn strip_secrets(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !name.to_lowercase().contains("password") || name == "savePassword");
            members.values_mut().for_each(strip_secrets);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_secrets),
        Value::String(text) => *text = without_password(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A connection string without its passwords: neither `user:password@` nor `password=` parameters.
pub fn without_password(url: &str) -> String {
    rewrite_password(url, |_| None)
}

/// A connection string with `***` where a password stood.
pub fn with_masked_password(url: &str) -> String {
    rewrite_password(url, |_| Some("***".into()))
}

fn rewrite_password(url: &str, replace: impl Fn(&str) -> Option<String>) -> String {
    let Some(scheme_end) = url.find("://").map(|i| i + 3) else {
        return url.into();
    };
    let (scheme, rest) = url.split_at(scheme_end);
    // A password may hold `/` or `?` unescaped in what people paste: the last `@` before the query decides.
    let authority_end = rest.find('/').unwrap_or(rest.len());
    let at = rest[..authority_end]
        .rfind('@')
        .or_else(|| rest.split(['?']).next().and_then(|r| r.rfind('@')));
    let mut out = scheme.to_owned();
    let mut tail = rest;
    if let Some(at) = at {
        let (credentials, after) = rest.split_at(at);
        tail = after;
        match credentials.split_once(':') {
            Some((user, password)) => {
                out.push_str(user);
                if let Some(new) = replace(password) {
                    out.push(':');
                    out.push_str(&new);
                }
            }
            None => out.push_str(credentials),
        }
    }
    let mut first = true;
    for part in tail.split_inclusive(['?', '&', ';']) {
        let body = part.trim_end_matches(['?', '&', ';']);
        let end = &part[body.len()..];
        match body.split_once('=') {
            Some((name, value)) if !first && name.to_lowercase().contains("password") => {
                if let Some(new) = replace(value) {
                    out.push_str(&format!("{name}={new}{end}"));
                }
            }
            _ => out.push_str(part),
        }
        first = false;
    }
    out.trim_end_matches(['?', '&']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn small() -> Value {
        json!({
            "version": "1.2.0", "unknownTop": [1],
            "project": {"id": "p", "name": "Shop", "type": "POSTGRESQL", "schemasId": "s", "mine": true,
                "connectionDetails": {"jdbc": {"url": "jdbc:postgresql://u:secret@h:1/db?password=secret&ssl=true", "password": "secret", "savePassword": true}},
                "content": {"settings": {"casing": "CAMEL_CASE", "keyHandling": "GENERATED", "viewMode": "VERTICAL"},
                    "collections": {"c1": {"name": "lines"}},
                    "mappings": {"m1": {"settings": {"type": "NEW_DOCUMENT", "notes": ""}, "fields": {},
                        "calculatedFields": {"z": {"name": "b", "expression": "1"}, "a": {"name": "a", "expression": "2"}},
                        "collectionId": "c1", "table": "db.public.Order Details"}},
                    "relationships": {"tables": {}, "collections": {"c1": {"mappings": ["m1"]}}, "mappings": {"m1": {"children": []}}},
                    "diagrams": {"activeTab": "t", "tabs": [{"id": "t", "relational": {"nodes": [{"id": "db.public.Order Details", "x": 1}], "edges": []}}]}}},
            "schema": {"id": "s", "imported": {}, "full": {"metadata": {"databaseType": "POSTGRESQL"}, "databases": {"db": {"schemas": {"public": {"tables": {
                "orders": {"type": "TABLE", "columns": {}},
                "Order Details": {"type": "TABLE", "size": -1, "columns": {
                    "b": {"type": {"databaseSpecificType": "int4"}, "ordinalPosition": 2, "foreignKey": {"name": "fk", "schema": "public", "table": "orders", "column": "y", "cardinality": "ZERO_TO_MANY"}},
                    "a": {"type": {"databaseSpecificType": "int4"}, "ordinalPosition": 1, "foreignKey": {"name": "fk", "schema": "public", "table": "orders", "column": "x", "cardinality": "ZERO_TO_MANY"}}}}}}}}}}}
        })
    }

    #[test]
    fn an_older_file_is_brought_into_the_newer_form() {
        let file = ProjectFile::from_value(small()).unwrap();
        assert_eq!(file.version, VERSION_WRITTEN);
        let mapping = &file.project.content.mappings[0];
        assert_eq!(file.table_of(mapping).unwrap().table, "Order Details");
        let (_, table) = file
            .schema
            .full
            .tables()
            .find(|(p, _)| p.table == "Order Details")
            .unwrap();
        let pairs: Vec<_> = table.foreign_keys["fk"]
            .column_mappings
            .iter()
            .map(|p| (&*p.source, &*p.target))
            .collect();
        assert_eq!(pairs, [("a", "x"), ("b", "y")]);
        let node = &file.project.content.diagrams.as_ref().unwrap()["tabs"][0]["relational"]["nodes"][0];
        assert_eq!(node["id"], mapping.table.as_str());
    }

    #[test]
    fn unknown_members_and_orders_survive_and_secrets_do_not() {
        let exported = ProjectFile::from_value(small()).unwrap().to_exported_value();
        assert_eq!(exported["unknownTop"], json!([1]));
        assert_eq!(exported["project"]["mine"], json!(true));
        assert_eq!(exported["project"]["content"]["settings"]["viewMode"], "VERTICAL");
        let calculated = exported["project"]["content"]["mappings"]["m1"]["calculatedFields"]
            .as_object()
            .unwrap();
        assert_eq!(calculated.keys().collect::<Vec<_>>(), ["z", "a"]);
        assert!(!exported.to_string().contains("secret"), "{exported}");
        let again = ProjectFile::from_value(exported.clone()).unwrap().to_exported_value();
        assert_eq!(again.to_string(), exported.to_string());
    }

    #[test]
    fn what_is_refused_names_the_member() {
        let check = |change: fn(&mut Value), expected: &str| {
            let mut file = small();
            change(&mut file);
            let error = ProjectFile::from_value(file).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        fn remove(v: &mut Value, member: &str) {
            v.as_object_mut().unwrap().remove(member);
        }
        check(|v| remove(v, "version"), "`version`");
        check(|v| v["version"] = json!("1.1.9"), "1.1.9");
        check(|v| v["version"] = json!("new"), "new");
        check(|v| remove(&mut v["project"], "name"), "`project.name`");
        check(|v| remove(&mut v["project"], "type"), "`project.type`");
        check(|v| remove(&mut v["project"], "content"), "`project.content`");
        check(|v| remove(&mut v["schema"], "full"), "`schema.full`");
        check(
            |v| v["project"]["content"]["mappings"]["m1"]["settings"]["type"] = json!("X"),
            "project.content.mappings.m1.settings.type",
        );
        check(
            |v| v["project"]["content"]["mappings"]["m1"]["table"] = json!("a.b.c"),
            "a.b.c",
        );
        assert!(matches!(
            ProjectFile::from_json("no"),
            Err(ProjectFileError::NotJson(_))
        ));
    }

    #[test]
    fn passwords_in_connection_strings() {
        let check = |url: &str, masked: &str| assert_eq!(with_masked_password(url), masked);
        check(
            "mongodb://u:p%40ss@h1:1,h2:2/db?w=1",
            "mongodb://u:***@h1:1,h2:2/db?w=1",
        );
        check(
            "jdbc:postgresql://h:5432/db?user=u&password=p&ssl=true",
            "jdbc:postgresql://h:5432/db?user=u&password=***&ssl=true",
        );
        check("mongodb://h/db", "mongodb://h/db");
        check("postgres://u:a/b@h/db", "postgres://u:***@h/db");
        check(
            "mongodb://h/?tlsCertificateKeyFilePassword=x",
            "mongodb://h/?tlsCertificateKeyFilePassword=***",
        );
    }
}
