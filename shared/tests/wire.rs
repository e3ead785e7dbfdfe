//! The JSON of every message and answer that clients rely on, spelled out.

use chrono::{DateTime, Utc};
use godwit_shared::error::{ErrorCode, ErrorResponse};
use godwit_shared::ids::{JobId, ProjectId};
use godwit_shared::job::*;
use godwit_shared::live::{Seq, ServerMessage};
use godwit_shared::sample::{JobSample, JobSamples, Measured};
use serde_json::{Value, json};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

fn job() -> MigrationJobStatus {
    MigrationJobStatus {
        id: JobId::new("j1"),
        project_id: ProjectId::new("p1"),
        project_name: "Shop".into(),
        name: None,
        note: None,
        retry_of: None,
        status: JobStatus::CleaningUp,
        submitted_at: at("2026-01-02T03:04:05Z"),
        ended_at: None,
        options: JobOptions {
            mode: MigrationMode::Snapshot,
            drop_collections: true,
            error_handling: ErrorHandling::Fail,
            error_tolerance: Some(3),
            prepare_source: false,
        },
        cdc_status: CdcStatus::NotStarted,
        verification_job_id: None,
        jdbc_connection_string: "jdbc:postgresql://h/db".into(),
        mongo_db_connection_string: "mongodb://u:***@h/db".into(),
        statistics: JobStatistics {
            total_event_size: 7,
            ..JobStatistics::default()
        },
        cdc_statistics: None,
        job_updates: vec![JobUpdate {
            event_type: EventType::Error,
            stage: EventStage::Snapshotting,
            message: "m".into(),
            details: None,
            timestamp: at("2026-01-02T03:04:06Z"),
            error_code: "value_not_convertible".into(),
            suggestion: Some("s".into()),
            location_type: Some(LocationType::Table),
            location_name: Some("public.t".into()),
            field_name: Some("f".into()),
            key: [("id".to_owned(), "1".to_owned())].into_iter().collect(),
            count: 2,
        }],
        failure_error: Some(FailureError {
            error_type: ErrorCode::SourceUnreachable,
            message: "gone".into(),
            failure_at: at("2026-01-02T03:04:07Z"),
            setup_error: true,
        }),
        end: Some(JobEnd {
            outcome: JobOutcome::Failed,
            decided_at: at("2026-01-02T03:04:08Z"),
            is_cleaned: false,
            clean_attempts: 1,
            left: vec![LeftInSource {
                object: "the publication \"p\"".into(),
                reason: "no answer".into(),
                statement: "DROP PUBLICATION IF EXISTS \"p\";".into(),
            }],
            unapplied: Some(Unapplied {
                from: Some("0/1".into()),
                to: None,
                bytes: 7,
                since: None,
            }),
        }),
        stand_still: Some(StandStill {
            reason: "r".into(),
            since: at("2026-01-02T03:04:09Z"),
        }),
        outages: vec![],
        metadata: JobMetadata {
            verification_requested: false,
            verification_status: None,
        },
        relational_table_filters: Default::default(),
    }
}

fn job_json() -> Value {
    json!({
        "id": "j1", "projectId": "p1", "projectName": "Shop", "status": "CLEANING_UP",
        "submittedAt": "2026-01-02T03:04:05Z",
        "options": {"mode": "SNAPSHOT", "dropCollections": true, "errorHandling": "FAIL", "errorTolerance": 3, "prepareSource": false},
        "cdcStatus": "NOT_STARTED",
        "jdbcConnectionString": "jdbc:postgresql://h/db", "mongoDbConnectionString": "mongodb://u:***@h/db",
        "statistics": {
            "elapsedSeconds": 0, "elapsedMs": 0, "totalTableCount": 0, "remainingTableCount": 0, "migratedTables": [], "processingTables": [],
            "totalEvents": 0, "totalEventsSeen": 0, "totalEventSize": 7, "documentsWritten": 0, "bytesWritten": 0, "errors": 0,
            "warnings": 0, "rowsPerSecond": 0.0, "bytesPerSecond": 0.0, "percent": 0.0, "snapshotCompleted": false, "tables": [],
            "collections": []
        },
        "jobUpdates": [{
            "eventType": "ERROR", "stage": "SNAPSHOTTING", "message": "m", "timestamp": "2026-01-02T03:04:06Z",
            "errorCode": "value_not_convertible", "suggestion": "s", "locationType": "TABLE", "locationName": "public.t",
            "fieldName": "f", "key": {"id": "1"}, "count": 2
        }],
        "failureError": {"errorType": "source_unreachable", "message": "gone", "failureAt": "2026-01-02T03:04:07Z", "setupError": true},
        "end": {"outcome": "FAILED", "decidedAt": "2026-01-02T03:04:08Z", "isCleaned": false, "cleanAttempts": 1,
            "left": [{"object": "the publication \"p\"", "reason": "no answer", "statement": "DROP PUBLICATION IF EXISTS \"p\";"}],
            "unapplied": {"from": "0/1", "bytes": 7}},
        "standStill": {"reason": "r", "since": "2026-01-02T03:04:09Z"},
        "metadata": {"verificationRequested": false}
    })
}

fn check<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(value: T, expected: Value) {
    assert_eq!(serde_json::to_value(&value).expect("a value to write"), expected);
    assert_eq!(serde_json::from_value::<T>(expected).expect("a value to read"), value);
}

#[test]
fn a_job() {
    check(job(), job_json());
}

#[test]
fn every_live_message() {
    check(
        ServerMessage::Snapshot {
            seq: Seq(1),
            jobs: vec![job()],
        },
        json!({"type": "snapshot", "seq": 1, "jobs": [job_json()]}),
    );
    check(
        ServerMessage::JobChanged {
            seq: Seq(2),
            job: Box::new(job()),
        },
        json!({"type": "jobChanged", "seq": 2, "job": job_json()}),
    );
    check(
        ServerMessage::JobRemoved {
            seq: Seq(3),
            job_id: JobId::new("j1"),
        },
        json!({"type": "jobRemoved", "seq": 3, "jobId": "j1"}),
    );
    check(
        ServerMessage::ProjectsChanged { seq: Seq(4) },
        json!({"type": "projectsChanged", "seq": 4}),
    );
    check(
        ServerMessage::ConnectionsChanged { seq: Seq(5) },
        json!({"type": "connectionsChanged", "seq": 5}),
    );
    check(ServerMessage::Beat { seq: Seq(6) }, json!({"type": "beat", "seq": 6}));
}

#[test]
fn samples_of_a_job() {
    let measured = Measured {
        rows_per_second: Some(1.5),
        ..Measured::default()
    };
    let (at, taken_at) = (at("2026-01-02T03:04:05Z"), at("2026-01-02T03:04:07Z"));
    check(
        JobSamples {
            taken_at,
            samples: vec![JobSample { at, measured }],
        },
        json!({"takenAt": "2026-01-02T03:04:07Z", "samples": [{"at": "2026-01-02T03:04:05Z", "rowsPerSecond": 1.5}]}),
    );
}

#[test]
fn every_status_and_code() {
    use JobStatus as S;
    for (status, name) in [
        (S::Running, "RUNNING"),
        (S::Paused, "PAUSED"),
        (S::CleaningUp, "CLEANING_UP"),
        (S::Cancelling, "CANCELLING"),
        (S::Cancelled, "CANCELLED"),
        (S::Failed, "FAILED"),
        (S::Completed, "COMPLETED"),
    ] {
        check(status, json!(name));
    }
    use ErrorCode as C;
    for (code, name) in [
        (C::InvalidRequest, "invalid_request"),
        (C::NotFound, "not_found"),
        (C::WrongState, "wrong_state"),
        (C::JobConflict, "job_conflict"),
        (C::TargetDatabaseMissing, "target_database_missing"),
        (C::InvalidMapping, "invalid_mapping"),
        (C::InvalidProjectFile, "invalid_project_file"),
        (C::SourceUnreachable, "source_unreachable"),
        (C::TargetUnreachable, "target_unreachable"),
        (C::SourcePermission, "source_permission"),
        (C::TargetPermission, "target_permission"),
        (C::RowSecurity, "row_security"),
        (C::PreflightFailed, "preflight_failed"),
    ] {
        check(code, json!(name));
    }
    let error = ErrorResponse {
        message: "m".into(),
        timestamp: at("2026-01-02T03:04:05Z"),
        code: C::NotFound,
        description: None,
        job_id: Some(JobId::new("j1")),
    };
    check(
        error,
        json!({"message": "m", "timestamp": "2026-01-02T03:04:05Z", "code": "not_found", "jobId": "j1"}),
    );
}

#[test]
fn requests_of_older_clients_and_unknown_options() {
    let request = json!({"projectId": "p", "jdbcConnectionDetails": {"type": "POSTGRESQL", "url": "u"},
        "mongodbConnectionDetails": {"connectionString": "c"}, "options": {"mode": "SNAPSHOT"}, "verification": {"enabled": false}});
    assert!(serde_json::from_value::<PostMigrationJobRequest>(request.clone()).is_ok());
    let mut unknown = request;
    unknown["options"]["surprise"] = json!(1);
    let error = serde_json::from_value::<PostMigrationJobRequest>(unknown)
        .unwrap_err()
        .to_string();
    assert!(error.contains("surprise"), "{error}");
}
