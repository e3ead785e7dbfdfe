//! Verifications through the REST API.

use crate::api::{Api, Job, LONG, Looks};
use godwit_shared::verification::{Finding, Verification, VerificationStatus};
use serde_json::{Value, json};
use std::time::Duration;

/// Starts one of a job; `options` as the API takes them.
pub async fn start(api: &Api, job: &str, options: Value) -> Verification {
    let body = json!({"jobId": job, "options": options});
    of(api.post("/verifications", &body).await.ok())
}

/// The body that verifies a project where a job would write.
pub fn of_project(job: &Job, options: Value) -> Value {
    json!({
        "projectId": job.0["projectId"],
        "jdbcConnectionDetails": job.0["jdbcConnectionDetails"],
        "mongodbConnectionDetails": job.0["mongodbConnectionDetails"],
        "relationalTableFilters": job.0.get("relationalTableFilters").cloned().unwrap_or_else(|| json!({})),
        "options": options,
    })
}

/// Verifies a job to the end, however it ends.
pub async fn verify(api: &Api, job: &str, options: Value) -> Verification {
    let started = start(api, job, options).await;
    ended(api, &started.id).await
}

/// One that has ended.
pub async fn ended(api: &Api, id: &str) -> Verification {
    wait(api, id, "its end", |v| v.status.is_ended() && !v.is_repairing).await
}

/// One for which the condition holds.
pub async fn wait(api: &Api, id: &str, what: &str, condition: impl Fn(&Verification) -> bool) -> Verification {
    let mut looks = Looks::for_at_most(LONG);
    loop {
        let one = status(api, id).await;
        if condition(&one) {
            return one;
        }
        assert!(looks.next().await, "waited for {what} of {one:#?}");
    }
}

pub async fn status(api: &Api, id: &str) -> Verification {
    of(api.get(&format!("/verifications/{id}")).await.ok())
}

/// `cancel`, `pause`, `resume`.
pub async fn act(api: &Api, id: &str, action: &str) -> Verification {
    let answer = api.post(&format!("/verifications/{id}/{action}"), &json!({})).await;
    of(answer.ok())
}

/// What one has found, up to a thousand.
pub async fn findings(api: &Api, id: &str) -> Vec<Finding> {
    let all = api.get(&format!("/verifications/{id}/findings?limit=1000")).await.ok();
    serde_json::from_value(all.clone()).unwrap_or_else(|e| panic!("no findings: {e}: {all:#}"))
}

/// The same as lines `KIND collection key path`, sorted.
pub async fn lines(api: &Api, id: &str) -> Vec<String> {
    let mut lines: Vec<String> = findings(api, id).await.iter().map(line).collect();
    lines.sort();
    lines
}

/// `FieldValue c {"$numberInt":"1"} a.b`
pub fn line(finding: &Finding) -> String {
    let path = finding.path.as_deref().unwrap_or("-");
    format!("{:?} {} {} {path}", finding.kind, finding.collection, finding.key)
}

/// Repairs what one has found.
pub async fn repair(api: &Api, id: &str, delete_unexpected: bool) -> Verification {
    let body = json!({"deleteUnexpected": delete_unexpected});
    api.post(&format!("/verifications/{id}/repair"), &body).await.ok();
    ended(api, id).await
}

#[track_caller]
pub fn assert_status(one: &Verification, status: VerificationStatus) {
    assert_eq!(one.status, status, "{one:#?}");
}

/// How long a cancellation may take.
pub const CANCEL_MAX: Duration = Duration::from_secs(1);

fn of(value: Value) -> Verification {
    serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("no verification: {e}: {value:#}"))
}
