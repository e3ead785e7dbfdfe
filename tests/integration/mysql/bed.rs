//! A database of one server, and what a job would do with it.

use godwit::assemble::Assembler;
use godwit::data::catalog::{Catalog, CatalogTable};
use godwit::data::issue::Issue;
use godwit::data::value::{Note, Value};
use godwit::documents::{ChildReader, assemble_batch};
use godwit::plan::{Plan, PlanOptions, compile};
use godwit::source::api::{Session, Snapshot, Source};
use godwit::source::model::model_of;
use godwit::source::mysql::MySqlSource;
use godwit::source::mysql::snapshot::MySqlSnapshot;
use godwit::source::mysql::url::MySqlAddress;
use godwit::source::read::KeyRange;
use godwit_shared::connection::{JdbcConnectionDetails, SourceKind};
use godwit_shared::schema::TableName;
use godwit_tests::mapping::project_file_of;
use godwit_tests::servers::{Family, MySql};
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// A database with its source.
pub struct Bed {
    pub family: Family,
    pub server: &'static MySql,
    pub database: String,
    pub source: MySqlSource,
}

/// What a plan came to.
#[derive(Debug, Default)]
pub struct Made {
    /// As relaxed extended JSON, in the order of their roots.
    pub documents: Vec<Json>,
    pub issues: Vec<Issue>,
}

/// Makes a database on each server and runs the test with it.
pub async fn on_both(hint: &str, statements: &[&str], test: impl AsyncFn(&Bed)) {
    for family in Family::ALL {
        let server = family.server().await;
        let database = server.database(hint, statements).await;
        let source = source_of(server, "root", &database);
        let bed = Bed {
            family,
            server,
            database,
            source,
        };
        test(&bed).await;
    }
}

/// The source as a user without a password sees it.
pub fn source_of(server: &MySql, user: &str, database: &str) -> MySqlSource {
    let details = JdbcConnectionDetails {
        kind: "MARIADB".into(),
        url: format!("jdbc:mysql://{user}@127.0.0.1:{}/{database}", server.port),
        ..JdbcConnectionDetails::default()
    };
    MySqlSource {
        kind: SourceKind::Mariadb,
        address: MySqlAddress::parse(&details).expect("a URL"),
        patience: None,
    }
}

impl Bed {
    pub fn is_mariadb(&self) -> bool {
        self.family == Family::MariaDb
    }

    pub async fn session(&self) -> Box<dyn Session> {
        self.source.session().await.expect("a session")
    }

    /// A point in time with so many connections.
    pub async fn point(&self, plan: &Plan, readers: usize) -> MySqlSnapshot {
        MySqlSnapshot::begin(&self.source, &plan.tables(), readers)
            .await
            .expect("a point in time")
    }

    pub async fn catalog(&self) -> Catalog {
        self.session().await.read_catalog().await.expect("the catalog")
    }

    pub fn table<'c>(&self, catalog: &'c Catalog, name: &str) -> &'c Arc<CatalogTable> {
        let name = TableName::new(self.database.as_str(), name);
        catalog
            .tables
            .get(&name)
            .unwrap_or_else(|| panic!("{name} is in the catalog"))
    }

    /// The plan of a mapping in which `$` stands for the database.
    pub async fn plan(&self, catalog: &Catalog, spec: &Json) -> Plan {
        let text = spec.to_string().replace("$.", &format!("{}.", self.database));
        let spec: Json = serde_json::from_str(&text).expect("a specification");
        let model = serde_json::to_value(model_of(SourceKind::Mysql, catalog)).expect("a model");
        let file = serde_json::from_value(project_file_of(&model, &spec)).expect("a project file");
        let options = PlanOptions {
            project_id: "test".into(),
            ..PlanOptions::default()
        };
        compile(&file, catalog, &options).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    /// The documents of a mapping of one collection.
    pub async fn documents(&self, spec: &Json) -> Made {
        let catalog = self.catalog().await;
        let plan = self.plan(&catalog, spec).await;
        let snapshot = self.point(&plan, 3).await;
        documents_of(&plan, &snapshot, &[KeyRange::default()]).await
    }

    /// All cells of a table, by the decoders of its columns, in the order of its key: a list for each row.
    pub async fn rows(&self, table: &str) -> Vec<Vec<(Json, Vec<Note>)>> {
        let catalog = self.catalog().await;
        let table_name = format!("$.{table}");
        let spec = json!({"key": "GENERATED", "collections": [{"table": table_name, "collection": "all"}]});
        let plan = self.plan(&catalog, &spec).await;
        let root = &plan.collections[0].roots[0];
        let snapshot = self.point(&plan, 1).await;
        let reader = snapshot.reader().await.expect("a reader");
        let mut stream = reader
            .stream_roots(&root.node, &KeyRange::default(), true, None)
            .await
            .expect("rows");
        let mut all = Vec::new();
        while let Some(rows) = stream.next_rows(100, 1 << 20).await.expect("rows") {
            for row in 0..rows.len() {
                let cells = root.node.columns.iter().enumerate().map(|(cell, column)| {
                    let (mut notes, decoder) = (Vec::new(), &root.node.table.columns[*column].decoder);
                    let value = rows
                        .cell(row, cell)
                        .map_or(Value::Null, |bytes| decoder.decode(bytes, &mut notes));
                    (json_of(&value), notes)
                });
                all.push(cells.collect());
            }
        }
        all
    }
}

/// The documents of the only root of a plan, read in these parts.
pub async fn documents_of(plan: &Plan, snapshot: &MySqlSnapshot, ranges: &[KeyRange]) -> Made {
    let root = &plan.collections[0].roots[0];
    let mut made = Made::default();
    let mut children = ChildReader::new(snapshot);
    for range in ranges {
        children.start_streams(root, range).await.expect("streams");
        let reader = snapshot.reader().await.expect("a reader");
        let mut stream = reader.stream_roots(&root.node, range, true, None).await.expect("roots");
        let mut assembler = Assembler::new(root);
        while let Some(rows) = stream.next_rows(50, 1 << 20).await.expect("roots") {
            let batch = assemble_batch(root, &mut assembler, &mut children, rows)
                .await
                .expect("documents");
            made.issues.extend(batch.issues);
            made.documents.extend(batch.documents.iter().map(|d| {
                let read = bson::Document::from_reader(&d.bson[..]).expect("a document");
                bson::Bson::Document(read).into_relaxed_extjson()
            }));
        }
    }
    made
}

/// A value as tests write it: decimals as `D"1.0"`, dates by their milliseconds, bytes in hex.
pub fn json_of(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => json!(b),
        Value::Int(n) => json!(n),
        Value::Long(n) => json!(format!("{n}L")),
        Value::Double(n) => json!(n),
        Value::Decimal(d) => json!(format!("D{}", bson::Decimal128::from_bytes(d.0))),
        Value::Text(t) => json!(t),
        Value::Date(ms) => json!(format!("@{ms}")),
        Value::Binary(bytes) => json!(bytes.iter().map(|b| format!("{b:02x}")).collect::<String>()),
        Value::Uuid(bytes) => json!(format!("{bytes:?}")),
        Value::ObjectId(bytes) => json!(format!("{bytes:?}")),
        Value::Array(items) => Json::Array(items.iter().map(json_of).collect()),
        Value::Document(fields) => fields.iter().map(|(name, v)| (name.to_string(), json_of(v))).collect(),
    }
}
