//! Drafts: checked, shown as documents, compared with the source. Nothing of them is stored.
//!
//! What an imported project carries and nobody has agreed to does not run in a draft either; what the user has written
//! since is not among it.

use super::bounds::in_time;
use super::connections::resolve;
use super::consent::{Unagreed, unagreed_of};
use super::error::ApiError;
use super::extract::{Body, check_id};
use super::projects::{connection_of, find};
use super::router::AppState;
use crate::drafts;
use crate::jobs::prepare::PrepareError;
use crate::source::model::model_of;
use crate::store::ProjectRecord;
use axum::Json;
use axum::extract::{Path, State};
use godwit_shared::connection::JdbcConnectionDetails;
use godwit_shared::consent::CodeLanguage;
use godwit_shared::draft::{
    CheckDraft, CheckFilter, CheckKey, DraftBody, DraftCheck, DraftPreview, FilterCount, KeyMatch, Pick, PreviewDraft,
    RefreshDraft, SchemaDifference,
};
use godwit_shared::edit::Draft;
use godwit_shared::edit::schema::changes;
use godwit_shared::error::{ErrorCode, ErrorResponse};
use godwit_shared::forest::{check_forest, check_places};
use godwit_shared::ids::{ProjectId, TableId};
use godwit_shared::proposal::{Proposal, ProposeForDraft, ProposeForSchema};
use godwit_shared::relmig::{ProjectFile, ProjectFileError};
use godwit_shared::schema::{RelationalModel, TableName};
use std::collections::HashSet;

/// The longest text that is searched for, in characters.
const SEARCH_LENGTH_MAX: usize = 200;
const DOCUMENTS: u32 = 3;
const DOCUMENTS_MAX: u32 = 100;

/// The project as it would be with the draft.
///
/// # Errors
/// When its rules are no forest: what walks over them would not come to an end.
pub(super) fn file_with(record: &ProjectRecord, draft: DraftBody) -> Result<ProjectFile, ApiError> {
    check_forest(&draft.content).map_err(ProjectFileError::from)?;
    check_places(&draft.content).map_err(ProjectFileError::from)?;
    let mut file = record.file.clone();
    file.project.content = draft.content;
    if let Some(full) = draft.full {
        file.schema.full = full;
    }
    Ok(file)
}

/// Checks a draft: the validation of a job's plan, table filters as the source judges them, and every expression on the
/// first twenty rows of its table. Where the source is away, it is checked against the schema that the project has.
#[utoipa::path(post, path = "/project/{id}/draft/check", tag = "drafts", params(("id" = String, Path)), request_body = CheckDraft, responses(
    (status = 200, body = DraftCheck), (status = 404, body = ErrorResponse), (status = 422, body = ErrorResponse), (status = 504, body = ErrorResponse)))]
pub async fn check(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Body(request): Body<CheckDraft>,
) -> Result<Json<DraftCheck>, ApiError> {
    let record = find(&state, &id).await?;
    let file = file_with(&record, request.draft)?;
    let unagreed = unagreed_of(&record);
    let details = match connection_of(&state, &record, request.jdbc_connection_details).await {
        Ok(details) => details,
        Err(error) => {
            let (_, body) = error.into_parts();
            return Ok(Json(drafts::check::check_offline(&file, id.as_str(), body.message)));
        }
    };
    let checked = async {
        let opened = match drafts::open(&details, &file.project.kind).await {
            Ok(opened) => opened,
            Err(error) if is_away(&error) => {
                return Ok(drafts::check::check_offline(&file, id.as_str(), error.to_string()));
            }
            Err(error) => return Err(error),
        };
        let may_run = |language, text: &str| unagreed.may_run(language, text);
        drafts::check::check(&opened, &file, id.as_str(), request.rule.as_ref(), &may_run).await
    };
    in_time("the check of the draft", Box::pin(checked)).await.map(Json)
}

/// A project without a source that this version reads, or a source that does not answer: the rules can be looked at.
fn is_away(error: &PrepareError) -> bool {
    match error {
        PrepareError::ProjectKind(_) => true,
        other => matches!(other.code(), ErrorCode::SourceUnreachable | ErrorCode::InvalidRequest),
    }
}

/// Documents of a draft from live rows. Ends in the source as soon as its client goes away.
#[utoipa::path(post, path = "/project/{id}/draft/preview", tag = "drafts", params(("id" = String, Path)), request_body = PreviewDraft, responses(
    (status = 200, body = DraftPreview), (status = 400, body = ErrorResponse), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse),
    (status = 422, body = ErrorResponse), (status = 502, body = ErrorResponse), (status = 504, body = ErrorResponse)))]
pub async fn preview(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Body(request): Body<PreviewDraft>,
) -> Result<Json<DraftPreview>, ApiError> {
    let record = find(&state, &id).await?;
    let file = file_with(&record, request.draft)?;
    let collection = &request.collection;
    if !file.project.content.collections.contains_key(collection) {
        return Err(ApiError::not_found("collection", collection));
    }
    unagreed_of(&record).check(&record, &file, collection)?;
    let pick = checked_pick(request.pick)?;
    let details = connection_of(&state, &record, request.jdbc_connection_details).await?;
    let assembled = async {
        let opened = drafts::open(&details, &file.project.kind).await?;
        drafts::preview::preview(&opened, &file, id.as_str(), collection, &pick).await
    };
    in_time("the preview", Box::pin(assembled)).await.map(Json)
}

fn checked_pick(pick: Option<Pick>) -> Result<Pick, ApiError> {
    let pick = pick.unwrap_or(Pick::First { limit: DOCUMENTS });
    match &pick {
        Pick::First { limit } | Pick::Search { limit, .. } if !(1..=DOCUMENTS_MAX).contains(limit) => {
            Err(ApiError::invalid(format!(
                "the field `pick.limit` is {limit}; it may be 1 to {DOCUMENTS_MAX}"
            )))
        }
        Pick::Search { text, .. } if text.chars().count() > SEARCH_LENGTH_MAX => Err(ApiError::invalid(format!(
            "the field `pick.text` has more than {SEARCH_LENGTH_MAX} characters"
        ))),
        Pick::Search { text, .. } if text.contains('\0') => {
            Err(ApiError::invalid("the field `pick.text` holds a zero byte"))
        }
        Pick::First { .. } | Pick::Search { .. } | Pick::Key { .. } => Ok(pick),
    }
}

/// The path and the model of a table of a request.
fn table_of(file: &ProjectFile, id: &TableId) -> Result<TableName, ApiError> {
    let entry = file.project.content.tables.get(id);
    entry
        .map(|entry| entry.path.name())
        .ok_or_else(|| ApiError::not_found("table", id))
}

/// Counts the rows that a key would join, compared as a job compares them. The project is looked at for its tables alone.
#[utoipa::path(post, path = "/project/{id}/draft/key", tag = "drafts", params(("id" = String, Path)), request_body = CheckKey, responses(
    (status = 200, body = KeyMatch), (status = 404, body = ErrorResponse), (status = 422, body = ErrorResponse), (status = 502, body = ErrorResponse), (status = 504, body = ErrorResponse)))]
pub async fn key(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Body(request): Body<CheckKey>,
) -> Result<Json<KeyMatch>, ApiError> {
    let record = find(&state, &id).await?;
    let table = table_of(&record.file, &request.table)?;
    let details = connection_of(&state, &record, request.jdbc_connection_details).await?;
    let counted = async {
        let opened = drafts::open(&details, &record.file.project.kind).await?;
        drafts::key::check_key(&opened, &record.file, &table, &request.key).await
    };
    in_time("counting the rows of the key", Box::pin(counted))
        .await
        .map(Json)
}

/// Counts the rows that a table filter lets through, judged as a job judges it.
#[utoipa::path(post, path = "/project/{id}/draft/filter", tag = "drafts", params(("id" = String, Path)), request_body = CheckFilter, responses(
    (status = 200, body = FilterCount), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse), (status = 422, body = ErrorResponse),
    (status = 502, body = ErrorResponse), (status = 504, body = ErrorResponse)))]
pub async fn filter(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Body(request): Body<CheckFilter>,
) -> Result<Json<FilterCount>, ApiError> {
    let record = find(&state, &id).await?;
    let table = table_of(&record.file, &request.table)?;
    let text = request.filter.where_clause.as_deref().unwrap_or_default();
    if !unagreed_of(&record).may_run(CodeLanguage::Sql, text) {
        super::consent::check_consent(&record)?;
    }
    let details = connection_of(&state, &record, request.jdbc_connection_details).await?;
    let counted = async {
        let opened = drafts::open(&details, &record.file.project.kind).await?;
        drafts::filter::count(&opened, &table, &request.filter).await
    };
    in_time("counting the rows of the filter", Box::pin(counted))
        .await
        .map(Json)
}

/// Reads the schema of the source again: what changed, and which rules are concerned. The draft takes it over by an edit.
#[utoipa::path(post, path = "/project/{id}/draft/refresh", tag = "drafts", params(("id" = String, Path)), request_body = RefreshDraft, responses(
    (status = 200, body = SchemaDifference), (status = 404, body = ErrorResponse), (status = 422, body = ErrorResponse), (status = 502, body = ErrorResponse)))]
pub async fn refresh(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Body(request): Body<RefreshDraft>,
) -> Result<Json<SchemaDifference>, ApiError> {
    let record = find(&state, &id).await?;
    let file = file_with(&record, request.draft)?;
    let details = connection_of(&state, &record, request.jdbc_connection_details).await?;
    let read = async {
        let opened = drafts::open(&details, &file.project.kind).await?;
        Ok::<_, PrepareError>(model_of(opened.source.kind(), &opened.catalog))
    };
    let full = in_time("reading the schema", Box::pin(read)).await?;
    if full.tables().next().is_none() {
        return Err(ApiError::invalid("the database holds no table that this user can see")
            .with_hint(Some("Check the database's name and the user's rights on its schemas.")));
    }
    let draft = Draft {
        name: file.project.name,
        content: file.project.content,
        model: file.schema.full,
        revision: record.summary.revision,
    };
    let changes = changes(&draft, &full);
    Ok(Json(SchemaDifference { full, changes }))
}

/// Proposes a document model for the tables of a draft, with a reason for every decision.
#[utoipa::path(post, path = "/project/{id}/draft/proposal", tag = "drafts", params(("id" = String, Path)), request_body = ProposeForDraft, responses(
    (status = 200, body = Proposal), (status = 404, body = ErrorResponse), (status = 422, body = ErrorResponse), (status = 504, body = ErrorResponse)))]
pub async fn propose(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Body(request): Body<ProposeForDraft>,
) -> Result<Json<Proposal>, ApiError> {
    let record = find(&state, &id).await?;
    let file = file_with(&record, request.draft)?;
    let model = &file.schema.full;
    let details = match connection_of(&state, &record, request.jdbc_connection_details).await {
        Ok(details) => details,
        Err(error) => {
            return Ok(Json(drafts::proposal::without_figures(
                model,
                error.into_parts().1.message,
            )));
        }
    };
    proposed(&details, &file.project.kind, model, request.exact)
        .await
        .map(Json)
}

/// Proposes a document model for a schema that no project has been made of yet.
#[utoipa::path(post, path = "/schema/{id}/proposal", tag = "schema", params(("id" = String, Path)), request_body = ProposeForSchema, responses(
    (status = 200, body = Proposal), (status = 404, body = ErrorResponse), (status = 422, body = ErrorResponse), (status = 504, body = ErrorResponse)))]
pub async fn propose_for_schema(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Body(request): Body<ProposeForSchema>,
) -> Result<Json<Proposal>, ApiError> {
    check_id("schema", &id)?;
    let mut model = state
        .store
        .schema(&id)
        .await?
        .ok_or_else(|| ApiError::not_found("schema", &id))?;
    if let Some(tables) = request.tables {
        let tables: HashSet<TableName> = tables.into_iter().collect();
        model.retain_tables(|name| tables.contains(name));
    }
    let Some(mut details) = request.jdbc_connection_details else {
        return Ok(Json(drafts::proposal::without_figures(
            &model,
            "no connection was given".into(),
        )));
    };
    resolve::jdbc(&state.store, &mut details).await?;
    proposed(&details, &model.metadata.database_type, &model, request.exact)
        .await
        .map(Json)
}

async fn proposed(
    details: &JdbcConnectionDetails,
    kind: &str,
    model: &RelationalModel,
    exact: bool,
) -> Result<Proposal, ApiError> {
    let read = async {
        match drafts::open(details, kind).await {
            Ok(opened) => Ok(drafts::proposal::with_figures(&opened, model, exact).await?),
            Err(error) if is_away(&error) => Ok(drafts::proposal::without_figures(model, error.to_string())),
            Err(error) => Err(error),
        }
    };
    in_time("the proposal", Box::pin(read)).await
}

/// Nothing of a draft may run that the stored project carries and nobody has agreed to.
impl Unagreed {
    /// Refuses a preview of a collection that such texts are part of.
    fn check(
        &self,
        record: &ProjectRecord,
        file: &ProjectFile,
        collection: &godwit_shared::ids::CollectionId,
    ) -> Result<(), ApiError> {
        let concerned = godwit_shared::consent::code_of_collection(file, collection);
        match concerned.iter().all(|code| self.may_run(code.language, &code.text)) {
            true => Ok(()),
            false => super::consent::check_consent(record),
        }
    }
}
