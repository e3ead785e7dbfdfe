//! What the wizard begins with.

use super::draft::{Draft, OptionsDraft};
use super::memory::Drafts;
use crate::api::connections::SavedConnections;
use crate::connections::draft::SourceDraft;
use crate::connections::usable;
use crate::live::Live;
use crate::pages::migration::present::has_cdc;
use crate::routes::WizardStart;
use godwit_shared::connection::{SavedMongodbConnection, SourceKind};
use godwit_shared::ids::{ConnectionId, ProjectId};
use godwit_shared::job::{JobStatus, MigrationJobStatus};
use godwit_shared::project::ProjectSummary;
use leptos::prelude::*;

pub fn first_draft(start: &WizardStart, project: &ProjectId, known: &Known<'_>) -> Draft {
    let draft = match start {
        WizardStart::Empty => known.drafts.of_project(project).map(|draft| Draft {
            options: OptionsDraft::default(),
            ..draft
        }),
        WizardStart::LikeJob(id) => {
            let job = untrack(|| known.live.job(id).and_then(|job| job.status()));
            job.map(|job| like_job(&job, known.drafts.of_job(id), known.saved))
        }
    };
    let draft = with_connections_of(draft.unwrap_or_default(), known.project.as_ref(), known.saved);
    let mut draft = with_only_saved(draft, known.saved, |id| is_of_another(id, project, &known.projects));
    if is_open(&draft.source)
        && let Some(kind) = known.project.as_ref().and_then(|project| SourceKind::of(&project.kind))
    {
        draft.source = SourceDraft::of_kind(kind);
    }
    draft
}

/// Whether another project writes to this destination: what one writes is never proposed for another.
fn is_of_another(id: &ConnectionId, own: &ProjectId, projects: &[ProjectSummary]) -> bool {
    let others = projects.iter().filter(|p| p.id != *own);
    others
        .filter_map(|p| p.mongodb_id.as_deref())
        .any(|used| used == id.as_str())
}

/// What the page knows when the wizard opens.
pub struct Known<'a> {
    pub drafts: Drafts,
    pub live: Live,
    /// The project itself, where the list of projects is there already.
    pub project: Option<ProjectSummary>,
    /// All of them.
    pub projects: Vec<ProjectSummary>,
    pub saved: &'a SavedConnections,
}

/// The connections of a job, and its options. Where it did not come to its end the collections hold a part of the data:
/// the new job drops them.
pub fn like_job(job: &MigrationJobStatus, remembered: Option<Draft>, saved: &SavedConnections) -> Draft {
    let mut draft = remembered.unwrap_or_else(|| from_masked(job, saved));
    let is_partial = match job.status {
        JobStatus::Cancelled | JobStatus::Failed => true,
        JobStatus::Running
        | JobStatus::Paused
        | JobStatus::CleaningUp
        | JobStatus::Cancelling
        | JobStatus::Completed => false,
    };
    let tolerance = job.options.error_tolerance;
    draft.options = OptionsDraft {
        is_selective: draft.options.is_selective,
        left_out: draft.options.left_out,
        collection_filter: String::new(),
        is_continuous: has_cdc(job),
        prepare_source: job.options.prepare_source,
        drop_collections: is_partial || job.options.drop_collections,
        verifies: job.metadata.verification_requested,
        has_error_limit: tolerance.is_some(),
        error_limit: tolerance.map_or_else(|| OptionsDraft::default().error_limit, |n| n.to_string()),
    };
    draft
}

/// A page that was loaded anew knows a job's connections only without their passwords. A saved connection with the same
/// URI has them.
fn from_masked(job: &MigrationJobStatus, saved: &SavedConnections) -> Draft {
    let mut draft = Draft::default();
    match usable(&saved.jdbc).find(|c| c.url == job.jdbc_connection_string) {
        Some(connection) => draft.source.saved = connection.id.to_string(),
        None => (draft.source.is_manual_uri, draft.source.uri) = (true, job.jdbc_connection_string.clone()),
    }
    match saved
        .mongodb
        .iter()
        .find(|c| c.connection_string == job.mongo_db_connection_string)
    {
        Some(connection) => draft.destination.saved = connection.id.to_string(),
        None => draft.destination.uri = job.mongo_db_connection_string.clone(),
    }
    draft
}

/// Where nothing is chosen yet, the connections of the project are, as far as they are still there.
fn with_connections_of(mut draft: Draft, project: Option<&ProjectSummary>, saved: &SavedConnections) -> Draft {
    let Some(project) = project else { return draft };
    if is_open(&draft.source) {
        let own = usable(&saved.jdbc).find(|c| Some(c.id.as_str()) == project.jdbc_id.as_deref());
        draft.source.saved = own.map(|c| c.id.to_string()).unwrap_or_default();
    }
    if is_destination_open(&draft) {
        let own = saved
            .mongodb
            .iter()
            .find(|c| Some(c.id.as_str()) == project.mongodb_id.as_deref());
        draft.destination.saved = own.map(|c| c.id.to_string()).unwrap_or_default();
    }
    draft
}

fn is_open(source: &SourceDraft) -> bool {
    source.saved.is_empty() && source.uri.is_empty() && source.host.is_empty()
}

fn is_destination_open(draft: &Draft) -> bool {
    draft.destination.saved.is_empty() && draft.destination.uri.is_empty()
}

/// Where nothing is chosen yet and one connection is saved, it is that one.
fn with_only_saved(mut draft: Draft, saved: &SavedConnections, is_taken: impl Fn(&ConnectionId) -> bool) -> Draft {
    if is_open(&draft.source) {
        draft.source.saved = only(usable(&saved.jdbc)).map(|c| c.id.to_string()).unwrap_or_default();
    }
    if is_destination_open(&draft) {
        let only = only::<SavedMongodbConnection>(saved.mongodb.iter()).filter(|c| !is_taken(&c.id));
        draft.destination.saved = only.map(|c| c.id.to_string()).unwrap_or_default();
    }
    draft
}

fn only<'a, T>(mut items: impl Iterator<Item = &'a T>) -> Option<&'a T> {
    let first = items.next();
    first.filter(|_| items.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::present::tests::{cdc_job, job};
    use godwit_shared::connection::SavedJdbcConnection;
    use godwit_shared::job::CdcStatus;

    fn saved(kind: &str, count: usize) -> SavedConnections {
        let jdbc = |i| SavedJdbcConnection {
            id: ConnectionId::new(format!("s{i}")),
            name: "Shop".into(),
            kind: kind.into(),
            url: "jdbc:postgresql://h:5432/shop".into(),
            user: Some("u".into()),
            environment_tag: Default::default(),
            has_password: true,
            has_ssl_root_cert: false,
        };
        let mongodb = |i| SavedMongodbConnection {
            id: ConnectionId::new(format!("m{i}")),
            name: "Shop".into(),
            connection_string: "mongodb://other/shop".into(),
            database: None,
            user: None,
            environment_tag: Default::default(),
            has_password: false,
            has_tls_ca: false,
            has_tls_certificate_key: false,
        };
        SavedConnections {
            jdbc: (0..count).map(jdbc).collect(),
            mongodb: (0..count).map(mongodb).collect(),
        }
    }

    #[test]
    fn the_only_saved_connection_is_chosen() {
        let chosen = |saved: &SavedConnections| {
            let draft = with_only_saved(Draft::default(), saved, |_| false);
            (draft.source.saved, draft.destination.saved)
        };
        assert_eq!(chosen(&saved("POSTGRESQL", 1)), ("s0".into(), "m0".into()));
        assert_eq!(chosen(&saved("POSTGRESQL", 2)), (String::new(), String::new()));
        assert_eq!(chosen(&saved("ORACLE", 1)).0, "");
        let mut typed = Draft::default();
        typed.source.uri = "postgres://h/db".into();
        assert_eq!(
            with_only_saved(typed, &saved("POSTGRESQL", 1), |_| false).source.saved,
            ""
        );
    }

    #[test]
    fn only_connections_that_the_project_can_be_read_from_are_offered() {
        let offered = |project: Option<&str>, kind: &str| {
            let kept = saved(kind, 1).for_project(project);
            (kept.jdbc.len(), kept.mongodb.len())
        };
        assert_eq!(offered(Some("MYSQL"), "MARIADB"), (1, 1));
        assert_eq!(offered(Some("MYSQL"), "POSTGRESQL"), (0, 1));
        assert_eq!(offered(Some("ORACLE"), "POSTGRESQL"), (1, 1));
        assert_eq!(offered(None, "POSTGRESQL"), (1, 1));
    }

    #[test]
    fn what_another_project_writes_to_is_not_proposed() {
        let project = |id: &str, mongodb_id: &str| ProjectSummary {
            id: ProjectId::new(id),
            name: id.into(),
            kind: "POSTGRESQL".into(),
            jdbc_id: None,
            mongodb_id: Some(mongodb_id.into()),
            revision: 0,
            needs_consent: false,
            last_modified: "2026-11-03T10:00:00Z".parse().unwrap(),
        };
        let projects = [project("own", "m1"), project("other", "m0")];
        let is_taken = |id: &ConnectionId| is_of_another(id, &ProjectId::new("own"), &projects);
        assert!(is_taken(&ConnectionId::new("m0")) && !is_taken(&ConnectionId::new("m1")));
        let draft = with_only_saved(Draft::default(), &saved("POSTGRESQL", 1), is_taken);
        assert_eq!((&*draft.source.saved, &*draft.destination.saved), ("s0", ""));
    }

    #[test]
    fn the_connections_of_the_project_are_chosen() {
        let chosen = |jdbc_id: &str, mongodb_id: &str| {
            let project = ProjectSummary {
                id: ProjectId::new("p"),
                name: "Shop".into(),
                kind: "POSTGRESQL".into(),
                jdbc_id: Some(jdbc_id.into()),
                mongodb_id: Some(mongodb_id.into()),
                revision: 0,
                needs_consent: false,
                last_modified: "2026-11-03T10:00:00Z".parse().unwrap(),
            };
            let draft = with_connections_of(Draft::default(), Some(&project), &saved("POSTGRESQL", 3));
            (draft.source.saved, draft.destination.saved)
        };
        assert_eq!(chosen("s1", "m2"), ("s1".into(), "m2".into()));
        assert_eq!(chosen("gone", "s1"), (String::new(), String::new()));
    }

    #[test]
    fn a_job_that_did_not_end_well_is_repeated_with_drop() {
        let drops = |status| {
            like_job(&job(status), None, &SavedConnections::default())
                .options
                .drop_collections
        };
        assert!(drops(JobStatus::Cancelled) && drops(JobStatus::Failed));
        assert!(!drops(JobStatus::Completed));
    }

    #[test]
    fn a_continuous_job_is_repeated_as_one() {
        let mut job = cdc_job(JobStatus::Completed, CdcStatus::Completed, true);
        job.options.prepare_source = true;
        let options = like_job(&job, None, &SavedConnections::default()).options;
        assert!(options.is_continuous && options.prepare_source);
    }

    #[test]
    fn connections_of_a_job_come_from_memory_or_saved_ones_or_as_they_are_shown() {
        let job = job(JobStatus::Completed);
        let mut remembered = Draft::default();
        remembered.source.password = "p".into();
        let draft = like_job(&job, Some(remembered), &saved("POSTGRESQL", 1));
        assert_eq!((&*draft.source.password, &*draft.source.saved), ("p", ""));
        let draft = like_job(&job, None, &saved("POSTGRESQL", 1));
        assert_eq!((&*draft.source.saved, &*draft.source.uri), ("s0", ""));
        assert_eq!(
            (&*draft.destination.saved, &*draft.destination.uri),
            ("", "mongodb://u:***@h/shop")
        );
    }
}
