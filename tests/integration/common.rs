//! Short words for what many modules say: mapping rules, runs that must complete or be refused, the log of a job.

use godwit_shared::job::{EventType, MigrationJobStatus};
use godwit_tests::api::Job;
use godwit_tests::docs::collections;
use godwit_tests::migrate::Migration;
use godwit_tests::servers::{Database, PASSWORD, servers};
use godwit_tests::shared_data;
use serde_json::{Value, json};

/// A mapping rule, see [`godwit_tests::mapping`].
#[derive(Clone)]
pub struct Rule(Value);

/// A *New documents* rule. `fields` names the included columns; `*` is all of them.
pub fn coll(collection: &str, table: &str, fields: &str) -> Rule {
    Rule(json!({"collection": collection, "table": table})).fields(fields)
}

/// An embedded array.
pub fn array(path: &str, table: &str, fields: &str) -> Rule {
    Rule(json!({"kind": "array", "path": path, "table": table})).fields(fields)
}

/// An array of the values of one column.
pub fn values(path: &str, table: &str, field: &str) -> Rule {
    array(path, table, field).with("primitive", true)
}

/// An embedded document.
pub fn document(path: &str, table: &str, fields: &str) -> Rule {
    Rule(json!({"kind": "doc", "path": path, "table": table})).fields(fields)
}

/// A document whose fields join the parent's.
pub fn merged(table: &str, fields: &str) -> Rule {
    Rule(json!({"kind": "doc", "table": table})).fields(fields)
}

impl Rule {
    fn fields(self, fields: &str) -> Rule {
        match fields {
            "*" => self,
            names => self.with("include", names.split_whitespace().collect::<Vec<_>>()),
        }
    }

    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Rule {
        self.0[member] = value.into();
        self
    }

    pub fn json(self) -> Value {
        self.0
    }

    pub fn embed<const N: usize>(self, rules: [Rule; N]) -> Rule {
        self.with("embed", rules.map(|r| r.0).to_vec())
    }
}

/// The specification of a project with these rules and nothing else.
pub fn spec<const N: usize>(rules: [Rule; N]) -> Value {
    json!({"collections": rules.map(|r| r.0).to_vec()})
}

/// A synthetic key of one column each.
pub fn synthetic(table: &str, column: &str, target: &str, target_column: &str) -> Value {
    json!({"name": format!("{table}_{column}"), "table": table, "columns": [column],
        "ref": target, "ref_columns": [target_column]})
}

/// A migration that has completed without errors.
pub async fn migrated(sql: &str, spec: Value) -> Migration {
    let migration = Migration::new(sql, spec).await;
    migration.complete().await;
    migration
}

/// A second run over what the first one left.
pub async fn again(migration: &Migration) -> MigrationJobStatus {
    let job = migration.run(&migration.job().dropping(false)).await;
    assert_completed(&job);
    assert_eq!(issues(&job, EventType::Error), [""; 0]);
    job
}

#[track_caller]
pub fn assert_completed(job: &MigrationJobStatus) {
    let completed = godwit_shared::job::JobStatus::Completed;
    assert_eq!(
        job.status, completed,
        "{:#?}\n{:#?}",
        job.failure_error, job.job_updates
    );
}

/// A job that is refused: its message. No job was made, and nothing was written.
pub async fn refused(migration: &Migration, job: &Job, status: u16, code: &str) -> String {
    let api = migration.app.api();
    let message = api.create_job(job).await.error(status, code);
    assert_eq!(api.get("/jobs").await.ok(), json!([]), "a job was made");
    assert_eq!(collections(&migration.target.database).await, [""; 0]);
    message
}

/// What a job has to tell of one severity, as `code table field count`, in order of the text.
pub fn issues(job: &MigrationJobStatus, severity: EventType) -> Vec<String> {
    let mut lines: Vec<String> = (job.job_updates.iter())
        .filter(|u| u.event_type == severity)
        .map(|u| {
            let location = u.location_name.as_deref().unwrap_or("-");
            let field = u.field_name.as_deref().unwrap_or("-");
            format!("{} {location} {field} {}", u.error_code, u.count)
        })
        .collect();
    lines.sort();
    lines
}

/// A role of its own that may log in and use the schema; `$user` in the statements stands for it.
pub async fn reader(source: &Database, statements: &str) -> String {
    let name = format!("reader_{}", source.name);
    let create = format!("create role $user login password '{PASSWORD}'; grant usage on schema public to $user;");
    source.run(&(create + statements).replace("$user", &name)).await;
    name
}

/// A database of `shared/data` beside the checkout, where there is one.
pub async fn loaded(name: &str, file: &str) -> Option<Database> {
    let path = shared_data()?.join("data/postgresql").join(file);
    if !path.is_file() {
        eprintln!("SKIPPED: no {}", path.display());
        return None;
    }
    let database = servers().await.postgres.database(name, "").await;
    database.load(&path);
    database.run("analyze").await;
    Some(database)
}
