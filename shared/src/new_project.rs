//! A project file that nobody has written before.

use crate::mapping::Content;
use crate::relmig::{Project, ProjectFile, SchemaPart, VERSION_WRITTEN};
use crate::schema::{RelationalModel, TablePath};
use serde_json::{Map, Value, json};

impl ProjectFile {
    /// A file of a schema and a content; the tables that the content names take part, else all. It has no id yet.
    pub fn new(name: String, kind: String, schemas_id: String, content: Content, full: RelationalModel) -> Self {
        let mut file = Self {
            version: VERSION_WRITTEN.into(),
            project: Project {
                id: String::new(),
                name,
                kind,
                last_modified: None,
                schemas_id: schemas_id.clone(),
                jdbc_id: None,
                mongodb_id: None,
                connection_details: json!({}),
                content,
                extra: Map::new(),
            },
            schema: SchemaPart {
                id: schemas_id,
                full,
                imported: Value::Null,
                extra: Map::new(),
            },
            extra: Map::new(),
        };
        file.take_part();
        file
    }

    /// Writes into the file which tables take part: those of its content, else all.
    pub fn take_part(&mut self) {
        let named: Vec<&TablePath> = self.project.content.tables.values().map(|entry| &entry.path).collect();
        let mut imported = Map::new();
        for (path, _) in self.schema.full.tables() {
            if named.is_empty() || named.contains(&&path) {
                insert_path(&mut imported, path);
            }
        }
        self.schema.imported = Value::Object(imported);
    }
}

fn insert_path(imported: &mut Map<String, Value>, path: TablePath) {
    let mut members = imported;
    for part in [path.database, path.schema] {
        let inner = members.entry(part).or_insert_with(|| json!({}));
        match inner.as_object_mut() {
            Some(inner) => members = inner,
            None => return,
        }
    }
    members.insert(path.table, json!({}));
}
