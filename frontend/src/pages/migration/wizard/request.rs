//! What is sent for a draft.

use super::draft::{Draft, OptionsDraft};
use super::selective::collection_filters;
use crate::connections::details::{destination_details, source_details};
use godwit_shared::ids::ProjectId;
use godwit_shared::job::{ErrorHandling, JobOptions, MigrationMode, PostMigrationJobRequest, VerificationRequest};

pub fn job_request(draft: &Draft, project: &ProjectId) -> PostMigrationJobRequest {
    PostMigrationJobRequest {
        project_id: project.clone(),
        name: None,
        note: None,
        jdbc_connection_details: source_details(&draft.source),
        mongodb_connection_details: destination_details(&draft.destination),
        options: options(&draft.options),
        verification: VerificationRequest {
            enabled: draft.options.verifies && !draft.options.is_continuous,
            ..VerificationRequest::default()
        },
        relational_table_filters: Default::default(),
        collection_filters: collection_filters(&draft.options),
    }
}

pub fn mode(options: &OptionsDraft) -> MigrationMode {
    match options.is_continuous {
        true => MigrationMode::Cdc,
        false => MigrationMode::Snapshot,
    }
}

fn options(options: &OptionsDraft) -> JobOptions {
    JobOptions {
        mode: mode(options),
        drop_collections: options.drop_collections,
        error_handling: ErrorHandling::Fail,
        error_tolerance: options
            .error_limit
            .trim()
            .parse()
            .ok()
            .filter(|_| options.has_error_limit),
        prepare_source: options.is_continuous && options.prepare_source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_body_of_a_new_job() {
        let mut draft = Draft::default();
        (draft.source.is_manual_uri, draft.source.uri) = (true, "jdbc:postgresql://h:5432/shop".into());
        draft.source.user = "u ".into();
        draft.source.password = " p".into();
        draft.destination.uri = "mongodb://h/shop".into();
        draft.destination.database = "copy".into();
        draft.options.drop_collections = true;
        let body = serde_json::to_value(job_request(&draft, &ProjectId::new("p1"))).unwrap();
        assert_eq!(
            body,
            json!({
                "projectId": "p1",
                "jdbcConnectionDetails": {"type": "POSTGRESQL", "url": "jdbc:postgresql://h:5432/shop", "user": "u",
                    "password": " p", "savePassword": false, "isManualUri": true},
                "mongodbConnectionDetails": {"connectionString": "mongodb://h/shop", "database": "copy",
                    "savePassword": false},
                "options": {"mode": "SNAPSHOT", "dropCollections": true, "errorHandling": "FAIL", "errorTolerance": 100,
                    "prepareSource": false},
                "verification": {"enabled": false},
                "collectionFilters": {}
            })
        );
    }

    #[test]
    fn no_limit_of_errors_means_never() {
        let mut draft = Draft::default();
        draft.options.has_error_limit = false;
        let request = job_request(&draft, &ProjectId::new("p1"));
        assert_eq!(request.options.error_tolerance, None);
    }

    #[test]
    fn the_source_is_prepared_for_continuous_jobs_only() {
        let mut draft = Draft::default();
        draft.options.prepare_source = true;
        let options = |draft: &Draft| {
            let options = job_request(draft, &ProjectId::new("p1")).options;
            (options.mode, options.prepare_source)
        };
        assert_eq!(options(&draft), (MigrationMode::Snapshot, false));
        draft.options.is_continuous = true;
        assert_eq!(options(&draft), (MigrationMode::Cdc, true));
    }
}
