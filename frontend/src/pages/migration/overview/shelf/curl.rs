//! The job as a command for a terminal or a scheduler.

use crate::components::code::CodeView;
use crate::components::dialog::{Dialog, DialogSize};
use crate::pages::migration::overview::JobSignal;
use godwit_shared::API_BASE;
use godwit_shared::job::MigrationJobStatus;
use leptos::prelude::*;
use serde_json::{Value, json};

#[component]
pub fn CurlDialog(job: JobSignal, on_close: Callback<()>) -> impl IntoView {
    let origin = window().location().origin().unwrap_or_default();
    let text = command(&job.get_untracked(), &origin);
    view! {
        <Dialog title="Copy as curl" size=DialogSize::Wide on_close=on_close>
            <div class="gw-dialog__body gw-stack">
                <p>
                    "Starts a job like this one. Passwords are not in it: put them in the place of "
                    <span class="gw-code">"***"</span>
                    ", or name saved connections."
                </p>
                <div data-testid="curl"><CodeView label="The job as a command" text=text/></div>
            </div>
        </Dialog>
    }
}

/// `curl` with the request that makes such a job, as far as it is shown to anyone.
fn command(job: &MigrationJobStatus, origin: &str) -> String {
    let collections: Vec<&str> = job.statistics.collections.iter().map(|c| &*c.collection).collect();
    let mut body = json!({
        "projectId": job.project_id,
        "jdbcConnectionDetails": {"type": "POSTGRESQL", "url": job.jdbc_connection_string, "user": "***", "password": "***"},
        "mongodbConnectionDetails": {"connectionString": job.mongo_db_connection_string},
        "options": job.options,
        "collectionFilters": {"include": collections},
    });
    if !job.relational_table_filters.is_empty() {
        body["relationalTableFilters"] = serde_json::to_value(&job.relational_table_filters).unwrap_or(Value::Null);
    }
    if let Some(name) = &job.name {
        body["name"] = json!(name);
    }
    let text = serde_json::to_string_pretty(&body).unwrap_or_default();
    // A quote ends the text of a shell, and begins it again after one that is escaped.
    let text = text.replace('\'', r"'\''");
    format!(
        "curl -sS -X POST '{origin}{API_BASE}/jobs' \\\n  -H 'Content-Type: application/json' \\\n  --data '{text}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::present::tests::job;
    use godwit_shared::job::{JobStatus, PostMigrationJobRequest};

    #[test]
    fn the_command_holds_a_request_that_the_api_takes() {
        let mut job = job(JobStatus::Completed);
        job.name = Some("Bob's run".into());
        let text = command(&job, "http://h:1");
        assert!(text.starts_with("curl -sS -X POST 'http://h:1/api/v1/jobs'"), "{text}");
        let body = text.split_once("--data '").expect("a body").1.trim_end_matches('\'');
        let request: PostMigrationJobRequest = serde_json::from_str(&body.replace(r"'\''", "'")).expect("a request");
        assert_eq!(
            (request.options, request.name.as_deref()),
            (job.options, Some("Bob's run"))
        );
    }
}
