//! Projects and what is made of them without a job.

use super::bounds::{self, PAGE_OF_PROJECTS, Page, TOTAL, in_time};
use super::connections::resolve;
use super::consent::check_consent;
use super::error::ApiError;
use super::extract::{Body, Params, Text, check_id};
use super::jobs::sort_of;
use super::router::AppState;
use crate::documents::preview as assemble_preview;
use crate::jobs::prepare::{PrepareError, prepare_source};
use crate::store::{ProjectRecord, StoreError, new_id};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use godwit_shared::casing::Casing;
use godwit_shared::connection::JdbcConnectionDetails;
use godwit_shared::consent::code_of;
use godwit_shared::error::{ErrorCode, ErrorResponse};
use godwit_shared::ids::{CollectionId, ConnectionId, MappingId, ProjectId};
use godwit_shared::initial::{InitialMapping, content_of};
use godwit_shared::job::{CollectionFilters, MigrationMode, PostMigrationJobRequest};
use godwit_shared::mapping::{Content, KeyHandling, RuleType};
use godwit_shared::project::{
    NAME_LENGTH_MAX, Preview, PreviewRequest, ProjectCollection, ProjectDetails, ProjectSummary, RevisionConflict,
    SaveProject,
};
use godwit_shared::relmig::ProjectFile;
use indexmap::IndexSet;
use serde::Deserialize;
use std::collections::HashMap;
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `lastModified,DESC` or by `name`.
    sort: Option<String>,
    /// At most so many; 1000 where absent, and never more. `X-Total-Count` says how many there are.
    limit: Option<usize>,
    /// How many are passed over.
    offset: Option<usize>,
}

/// Lists projects.
#[utoipa::path(get, path = "/project", tag = "projects", params(ListQuery), responses((status = 200, body = Vec<ProjectSummary>)))]
pub async fn list(
    State(state): State<AppState>,
    Params(query): Params<ListQuery>,
) -> Result<impl IntoResponse, ApiError> {
    let mut projects = state.store.projects().await?;
    let (field, descending) = sort_of(query.sort.as_deref(), "lastModified,DESC")?;
    match field {
        "lastModified" => projects.sort_by_key(|p| p.last_modified),
        "name" => projects.sort_by(|a, b| a.name.cmp(&b.name)),
        other => {
            return Err(ApiError::invalid(format!(
                "projects cannot be sorted by \"{other}\": use lastModified or name"
            )));
        }
    }
    if descending {
        projects.reverse();
    }
    let total = [(TOTAL, projects.len().to_string())];
    let page = Page::of(query.offset, query.limit, PAGE_OF_PROJECTS);
    Ok((total, Json(page.cut(projects))))
}

pub(super) async fn find(state: &AppState, id: &ProjectId) -> Result<ProjectRecord, ApiError> {
    check_id("project", id.as_str())?;
    state
        .store
        .project(id)
        .await?
        .ok_or_else(|| ApiError::not_found("project", id))
}

fn details(record: ProjectRecord) -> ProjectDetails {
    let exported = record.file.to_exported_value();
    ProjectDetails {
        summary: record.summary,
        schemas_id: record.file.project.schemas_id,
        content: record.file.project.content,
        connection_details: exported["project"]["connectionDetails"].clone(),
    }
}

/// One project.
#[utoipa::path(get, path = "/project/{id}", tag = "projects", params(("id" = String, Path)), responses(
    (status = 200, body = ProjectDetails), (status = 404, body = ErrorResponse)))]
pub async fn get(State(state): State<AppState>, Path(id): Path<ProjectId>) -> Result<Json<ProjectDetails>, ApiError> {
    Ok(Json(details(find(&state, &id).await?)))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    match name.trim().chars().count() {
        0 => Err(ApiError::invalid("the field `name` is blank")),
        n if n > NAME_LENGTH_MAX => Err(ApiError::invalid(format!(
            "the field `name` has {n} characters, more than {NAME_LENGTH_MAX}"
        ))),
        _ => Ok(()),
    }
}

/// Makes a project of a schema that was read before.
#[utoipa::path(post, path = "/project", tag = "projects", request_body = SaveProject, responses(
    (status = 200, body = ProjectDetails), (status = 400, body = ErrorResponse), (status = 404, body = ErrorResponse)))]
pub async fn create(
    State(state): State<AppState>,
    Body(request): Body<SaveProject>,
) -> Result<Json<ProjectDetails>, ApiError> {
    Ok(Json(details(make(&state, request).await?)))
}

/// Stores a new project of a schema that was read before.
pub(super) async fn make(state: &AppState, request: SaveProject) -> Result<ProjectRecord, ApiError> {
    check_name(&request.name)?;
    let full = state
        .store
        .schema(&request.schemas_id)
        .await?
        .ok_or_else(|| ApiError::not_found("schema", &request.schemas_id))?;
    let name = request.name.trim().to_owned();
    let mut file = ProjectFile::new(name, request.kind, request.schemas_id, request.content, full);
    (file.project.jdbc_id, file.project.mongodb_id) = (request.jdbc_id, request.mongodb_id);
    // Read again as any file: what an import would refuse is refused here too.
    let file = bounds::read_file(move || Ok(ProjectFile::from_value(file.to_exported_value())?)).await?;
    store(state, ProjectId::new(new_id()), file, Standing::default()).await
}

/// Changes a project: its name, its connections, its rules.
#[utoipa::path(put, path = "/project/{id}", tag = "projects", params(("id" = String, Path)), request_body = SaveProject, responses(
    (status = 200, body = ProjectDetails), (status = 400, body = ErrorResponse), (status = 404, body = ErrorResponse), (status = 409, body = RevisionConflict)))]
pub async fn update(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Body(request): Body<SaveProject>,
) -> Result<Response, ApiError> {
    check_name(&request.name)?;
    if request.id.as_ref().is_some_and(|given| *given != id) {
        return Err(ApiError::invalid("the field `id` is not that of the path"));
    }
    let mut record = find(&state, &id).await?;
    if request.revision.is_some_and(|given| given != record.summary.revision) {
        let error = StoreError::RevisionOld(request.revision.unwrap_or_default());
        return Ok(conflict(error.into(), record));
    }
    let claimed = request.revision;
    let project = &mut record.file.project;
    project.name = request.name.trim().into();
    project.jdbc_id = request.jdbc_id.or_else(|| project.jdbc_id.take());
    project.mongodb_id = request.mongodb_id.or_else(|| project.mongodb_id.take());
    project.content = request.content;
    if request.schemas_id != project.schemas_id
        && let Some(full) = state.store.schema(&request.schemas_id).await?
    {
        project.schemas_id = request.schemas_id;
        record.file.schema.full = full;
    }
    if let Some(full) = request.full {
        record.file.schema.full = full;
    }
    record.file.take_part();
    let (file, mut standing) = (record.file, Standing::of(&record.summary));
    standing.is_claimed = claimed.is_some();
    let file = bounds::read_file(move || {
        let value = serde_json::to_value(&file).map_err(|e| ApiError::invalid(e.to_string()))?;
        Ok(ProjectFile::from_value(value)?)
    })
    .await?;
    // Where nothing is left that could run, nobody has to agree to anything.
    standing.needs_consent &= !code_of(&file).is_empty();
    match store(&state, id.clone(), file, standing).await {
        Ok(record) => Ok(Json(details(record)).into_response()),
        Err(error) if error.code() == ErrorCode::RevisionConflict => Ok(conflict(error, find(&state, &id).await?)),
        Err(error) => Err(error),
    }
}

/// The answer to a save that stands on an old revision: what is stored now.
fn conflict(error: ApiError, record: ProjectRecord) -> Response {
    let full = record.file.schema.full.clone();
    let (status, error) = error.into_parts();
    let project = details(record);
    (status, Json(RevisionConflict { error, project, full })).into_response()
}

/// What a save goes on from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing {
    /// That of the project as it is stored; 0 for one that is new.
    pub revision: u64,
    pub needs_consent: bool,
    /// Somebody says that this revision is stored: otherwise nothing is saved.
    pub is_claimed: bool,
}

impl Standing {
    pub fn of(summary: &ProjectSummary) -> Self {
        Self {
            revision: summary.revision,
            needs_consent: summary.needs_consent,
            is_claimed: false,
        }
    }
}

pub(super) async fn store(
    state: &AppState,
    id: ProjectId,
    mut file: ProjectFile,
    standing: Standing,
) -> Result<ProjectRecord, ApiError> {
    let now = Utc::now();
    file.project.id = id.to_string();
    file.project.last_modified = Some(now.to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
    let summary = ProjectSummary {
        id,
        name: file.project.name.clone(),
        kind: file.project.kind.clone(),
        jdbc_id: file.project.jdbc_id.clone(),
        mongodb_id: file.project.mongodb_id.clone(),
        last_modified: now,
        revision: standing.revision + 1,
        needs_consent: standing.needs_consent,
    };
    let record = ProjectRecord { summary, file };
    let instead_of = standing.is_claimed.then_some(standing.revision);
    state.store.save_project(&record, instead_of).await?;
    state.hub.projects_changed();
    Ok(record)
}

/// Deletes a project and the history of its jobs. Documents in MongoDB stay.
#[utoipa::path(delete, path = "/project/{id}", tag = "projects", params(("id" = String, Path)), responses(
    (status = 204), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse)))]
pub async fn delete(State(state): State<AppState>, Path(id): Path<ProjectId>) -> Result<StatusCode, ApiError> {
    check_id("project", id.as_str())?;
    // Not read before: one that cannot be read can be deleted as well.
    if !state.store.has_project(&id).await? {
        return Err(ApiError::not_found("project", &id));
    }
    state.supervisor.forget_project(&id).await?;
    state.store.delete_project(&id).await?;
    state.hub.projects_changed();
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// `ask`: the file is somebody else's. Where it carries SQL or JavaScript, nothing of it runs before
    /// `POST /project/{id}/consent`. Absent: who sends the file answers for it.
    consent: Option<String>,
}

/// Imports a project file of either generation; always makes a project of its own. A file may have 12 MiB (12582912
/// bytes), 10000 rules and 100 rules below each other; every embedded rule lies below exactly one other.
///
/// Filters of tables are SQL that runs in the source, filters and calculated fields of rules are JavaScript that runs in
/// the server. A program that imports a file has agreed to them by that; with `consent=ask`, as the page does it, the
/// project waits until somebody has read them.
#[utoipa::path(post, path = "/project/import", tag = "projects", params(ImportQuery), request_body = Object, responses(
    (status = 200, body = ProjectSummary), (status = 400, body = ErrorResponse), (status = 413, body = ErrorResponse), (status = 422, body = ErrorResponse)))]
pub async fn import(
    State(state): State<AppState>,
    Params(query): Params<ImportQuery>,
    Text(text): Text,
) -> Result<Json<ProjectSummary>, ApiError> {
    let asks = match query.consent.as_deref() {
        None | Some("given") => false,
        Some("ask") => true,
        Some(other) => {
            return Err(ApiError::invalid(format!(
                "the parameter `consent` is \"{other}\"; it may be ask or given"
            )));
        }
    };
    let file = bounds::read_file(move || Ok(ProjectFile::from_json(text.trim_start_matches('\u{feff}'))?)).await?;
    let standing = Standing {
        revision: 0,
        is_claimed: false,
        needs_consent: asks && !code_of(&file).is_empty(),
    };
    import_file(&state, file, standing).await.map(Json)
}

/// Makes a project of a file, under an id of its own and a name that is free.
///
/// # Errors
/// When the store fails.
pub(super) async fn import_file(
    state: &AppState,
    mut file: ProjectFile,
    standing: Standing,
) -> Result<ProjectSummary, ApiError> {
    let wanted: String = file.project.name.trim().chars().take(NAME_LENGTH_MAX).collect();
    let wanted = if wanted.is_empty() {
        "Imported project".to_owned()
    } else {
        wanted
    };
    let id = ProjectId::new(new_id());
    for n in 1.. {
        file.project.name = numbered(&wanted, n);
        // Looked up first: to write a large file for nothing takes long.
        if n < 1_000 && is_taken(state, &file.project.name).await? {
            continue;
        }
        match store(state, id.clone(), file.clone(), standing).await {
            Ok(record) => return Ok(record.summary),
            Err(_) if n < 1_000 && is_taken(state, &file.project.name).await? => {}
            Err(error) => return Err(error),
        }
    }
    Err(ApiError::invalid("no free name was found"))
}

async fn is_taken(state: &AppState, name: &str) -> Result<bool, ApiError> {
    Ok(state.store.projects().await?.iter().any(|p| p.name == name))
}

/// `Shop`, `Shop 2`, ...: never longer than a name may be.
fn numbered(name: &str, n: usize) -> String {
    if n == 1 {
        return name.into();
    }
    let suffix = format!(" {n}");
    let kept: String = name.chars().take(NAME_LENGTH_MAX - suffix.len()).collect();
    kept + &suffix
}

/// A project's name as part of the name of a file.
pub(super) fn file_stem(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "-_ ".contains(c) {
            c
        } else {
            '_'
        }
    };
    name.trim().chars().map(plain).collect()
}

/// The project as a file, without passwords.
#[utoipa::path(get, path = "/project/{id}/export", tag = "projects", params(("id" = String, Path)), responses(
    (status = 200, body = Object), (status = 404, body = ErrorResponse)))]
pub async fn export(State(state): State<AppState>, Path(id): Path<ProjectId>) -> Result<impl IntoResponse, ApiError> {
    let record = find(&state, &id).await?;
    let name = format!("attachment; filename=\"{}.relmig\"", file_stem(&record.summary.name));
    Ok((
        [(header::CONTENT_DISPOSITION, name)],
        Json(record.file.to_exported_value()),
    ))
}

/// The collections of a project with the tables that feed them.
#[utoipa::path(get, path = "/project/{id}/collections", tag = "projects", params(("id" = String, Path)), responses(
    (status = 200, body = Vec<ProjectCollection>), (status = 404, body = ErrorResponse)))]
pub async fn collections(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
) -> Result<Json<Vec<ProjectCollection>>, ApiError> {
    let file = find(&state, &id).await?.file;
    let content = &file.project.content;
    let mut roots: HashMap<&CollectionId, Vec<&MappingId>> = HashMap::new();
    for (id, rule) in &content.mappings {
        if rule.settings.kind == RuleType::NewDocument {
            roots.entry(&rule.collection_id).or_default().push(id);
        }
    }
    let all = content.collections.iter().map(|(collection, c)| {
        let mut tables = IndexSet::new();
        let mut open: Vec<_> = roots.remove(collection).unwrap_or_default();
        open.reverse();
        while let Some(rule) = open.pop() {
            let rule_of = content.mappings.get(rule);
            tables.extend(rule_of.and_then(|m| file.table_of(m)).map(|p| p.name().to_string()));
            let below: Vec<_> = content.children_of(rule).collect();
            open.extend(below.into_iter().rev());
        }
        ProjectCollection {
            id: collection.clone(),
            name: c.name.clone(),
            tables: tables.into_iter().collect(),
        }
    });
    Ok(Json(all.collect()))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PreviewQuery {
    /// A collection's name; absent: the first one.
    collection: Option<String>,
    /// 1 to 100.
    limit: Option<u32>,
}

/// Documents assembled from live rows of the project's saved connection.
#[utoipa::path(get, path = "/project/{id}/preview", tag = "projects", params(("id" = String, Path), PreviewQuery), responses(
    (status = 200, body = Preview), (status = 400, body = ErrorResponse), (status = 404, body = ErrorResponse), (status = 422, body = ErrorResponse), (status = 502, body = ErrorResponse)))]
pub async fn preview(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Params(query): Params<PreviewQuery>,
) -> Result<Json<Preview>, ApiError> {
    let request = PreviewRequest {
        jdbc_connection_details: None,
        collection: query.collection,
        limit: query.limit,
    };
    Box::pin(make_preview(&state, &id, request)).await.map(Json)
}

/// Documents assembled from live rows of a given connection.
#[utoipa::path(post, path = "/project/{id}/preview", tag = "projects", params(("id" = String, Path)), request_body = PreviewRequest, responses(
    (status = 200, body = Preview), (status = 400, body = ErrorResponse), (status = 404, body = ErrorResponse), (status = 422, body = ErrorResponse), (status = 502, body = ErrorResponse)))]
pub async fn preview_with(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Body(request): Body<PreviewRequest>,
) -> Result<Json<Preview>, ApiError> {
    Box::pin(make_preview(&state, &id, request)).await.map(Json)
}

const PREVIEW_DOCUMENTS: u32 = 3;
const PREVIEW_DOCUMENTS_MAX: u32 = 100;

async fn make_preview(state: &AppState, id: &ProjectId, request: PreviewRequest) -> Result<Preview, ApiError> {
    let record = find(state, id).await?;
    check_consent(&record)?;
    let limit = request.limit.unwrap_or(PREVIEW_DOCUMENTS);
    if !(1..=PREVIEW_DOCUMENTS_MAX).contains(&limit) {
        return Err(ApiError::invalid(format!(
            "the field `limit` is {limit}; it may be 1 to {PREVIEW_DOCUMENTS_MAX}"
        )));
    }
    let content = &record.file.project.content;
    let names: Vec<&String> = content.collections.values().map(|c| &c.name).collect();
    let collection = match &request.collection {
        Some(name) if names.contains(&name) => name.clone(),
        Some(name) => return Err(ApiError::not_found("collection", name)),
        None => names
            .first()
            .map(|n| (*n).clone())
            .ok_or_else(|| ApiError::new(ErrorCode::InvalidMapping, "the project has no collection"))?,
    };
    let source = connection_of(state, &record, request.jdbc_connection_details).await?;
    let job = PostMigrationJobRequest {
        collection_filters: CollectionFilters {
            include: vec![collection.clone()],
            exclude: Vec::new(),
        },
        ..PostMigrationJobRequest::looking(id.clone(), source, MigrationMode::Snapshot)
    };
    let assembled = async {
        let (plan, source, _) = prepare_source(&job, &record.file).await?;
        Ok::<_, PrepareError>(assemble_preview::preview(&plan.collections[0], &*source, limit).await?)
    };
    in_time("the preview", Box::pin(assembled)).await
}

/// The given connection, or the saved one of the project.
pub(super) async fn connection_of(
    state: &AppState,
    record: &ProjectRecord,
    given: Option<JdbcConnectionDetails>,
) -> Result<JdbcConnectionDetails, ApiError> {
    let mut details = given.unwrap_or_else(|| JdbcConnectionDetails {
        existing_connection_id: record.summary.jdbc_id.clone().map(ConnectionId::new),
        ..JdbcConnectionDetails::default()
    });
    if details.url.is_empty() && details.existing_connection_id.is_none() {
        return Err(ApiError::invalid("the project has no saved connection").with_hint(Some(
            "Choose a source connection for the project, or give one with the request.",
        )));
    }
    resolve::jdbc(&state.store, &mut details).await?;
    Ok(details)
}

/// What a new project's content is made of.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Recommendation {
    /// A schema that was read before.
    schemas_id: String,
    #[serde(default)]
    initial_mapping: InitialMapping,
    #[serde(default)]
    casing: Casing,
    #[serde(default)]
    key_handling: KeyHandling,
}

/// The content of a new project: one collection for each table, or none.
#[utoipa::path(post, path = "/project/recommendation", tag = "projects", request_body = Recommendation, responses(
    (status = 200, body = Content), (status = 404, body = ErrorResponse)))]
pub async fn recommendation(
    State(state): State<AppState>,
    Body(request): Body<Recommendation>,
) -> Result<Json<Content>, ApiError> {
    let full = state
        .store
        .schema(&request.schemas_id)
        .await?
        .ok_or_else(|| ApiError::not_found("schema", &request.schemas_id))?;
    Ok(Json(content_of(
        &full,
        request.casing,
        request.key_handling,
        request.initial_mapping,
    )))
}
