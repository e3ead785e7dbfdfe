//! Projects to look around in: one of rules alone, and one with rows that can be migrated.

use super::bounds::{self, in_time};
use super::error::ApiError;
use super::projects::{Standing, import_file, make};
use super::router::AppState;
use crate::jobs::prepare::PATIENCE;
use crate::source::{model, source_of, sqlite};
use crate::store::{StoredJdbc, new_id};
use axum::Json;
use axum::extract::State;
use godwit_shared::casing::Casing;
use godwit_shared::connection::{EnvironmentTag, JdbcConnectionDetails, SourceKind};
use godwit_shared::edit::{Draft, apply};
use godwit_shared::error::{ErrorCode, ErrorResponse};
use godwit_shared::ids::ConnectionId;
use godwit_shared::initial::{InitialMapping, content_of};
use godwit_shared::mapping::{Content, KeyHandling};
use godwit_shared::project::{ProjectSummary, SaveProject};
use godwit_shared::proposal::{Facts, propose, take};
use godwit_shared::relmig::ProjectFile;
use godwit_shared::schema::RelationalModel;

/// The sample shop of the demo: 16 tables and 6 collections.
const SHOP: &str = include_str!("../../../demo/shop.relmig");
const NAME: &str = "Sample shop";
/// The project with rows, and its connection.
const NAME_WITH_ROWS: &str = "Sample database";

/// Makes a project of the sample shop: its tables and rules, and no connection. It has JavaScript of ours, which may run.
#[utoipa::path(post, path = "/project/sample", tag = "projects", responses(
    (status = 200, body = ProjectSummary), (status = 503, body = ErrorResponse)))]
pub async fn create(State(state): State<AppState>) -> Result<Json<ProjectSummary>, ApiError> {
    let mut file = bounds::read_file(|| Ok(ProjectFile::from_json(SHOP)?)).await?;
    file.project.name = NAME.to_owned();
    file.project.jdbc_id = None;
    file.project.mongodb_id = None;
    file.project.connection_details = serde_json::json!({});
    import_file(&state, file, Standing::default()).await.map(Json)
}

/// Makes a project of a small SQLite file with rows, with the model that is proposed for it: it can be migrated as it is.
#[utoipa::path(post, path = "/project/sample-database", tag = "projects", responses(
    (status = 200, body = ProjectSummary), (status = 502, body = ErrorResponse), (status = 503, body = ErrorResponse)))]
pub async fn create_with_rows(State(state): State<AppState>) -> Result<Json<ProjectSummary>, ApiError> {
    let url = format!("jdbc:sqlite:{}", sqlite::sample::FILE);
    let details = JdbcConnectionDetails {
        kind: SourceKind::Sqlite.code().to_owned(),
        url: url.clone(),
        ..JdbcConnectionDetails::default()
    };
    let read = async {
        sqlite::sample::make().await?;
        let source = source_of(&details, Some(PATIENCE))?;
        let session = source.session().await?;
        let catalog = session.read_catalog().await?;
        let full = model::model_of(source.kind(), &catalog);
        let mut facts = session.read_facts(&catalog, &full).await?;
        session.count_exactly(&catalog, &full, &mut facts).await?;
        Ok::<_, crate::source::SourceError>((full, facts))
    };
    let (full, facts) = in_time("making the sample database", Box::pin(read)).await?;
    let schemas_id = new_id();
    state.store.save_schema(&schemas_id, &full).await?;
    let request = SaveProject {
        id: None,
        name: NAME_WITH_ROWS.to_owned(),
        kind: SourceKind::Sqlite.code().to_owned(),
        schemas_id,
        jdbc_id: Some(connection_to(&state, url).await?.to_string()),
        mongodb_id: None,
        content: proposed(&full, &facts)?,
        revision: None,
        full: None,
    };
    Ok(Json(make(&state, request).await?.summary))
}

/// All of the model that is proposed.
fn proposed(model: &RelationalModel, facts: &Facts) -> Result<Content, ApiError> {
    let proposal = propose(model, facts);
    let mut draft = Draft {
        content: content_of(model, Casing::default(), KeyHandling::default(), InitialMapping::Empty),
        model: model.clone(),
        ..Draft::default()
    };
    let all: Vec<String> = proposal.decisions.iter().map(|d| d.id.clone()).collect();
    let edit = take(&draft, &proposal, &all);
    apply(&mut draft, &edit).map_err(|error| ApiError::new(ErrorCode::Internal, error.to_string()))?;
    Ok(draft.content)
}

/// The saved connection of this URL, saved now where there is none.
async fn connection_to(state: &AppState, url: String) -> Result<ConnectionId, ApiError> {
    let saved = state.store.jdbc_connections().await?;
    if let Some(id) = saved.into_iter().find(|c| c.url == url).and_then(|c| c.id) {
        return Ok(id);
    }
    let id = ConnectionId::new(new_id());
    let connection = StoredJdbc {
        id: Some(id.clone()),
        name: NAME_WITH_ROWS.to_owned(),
        kind: SourceKind::Sqlite.code().to_owned(),
        url,
        user: None,
        password: None,
        save_password: false,
        environment_tag: EnvironmentTag::Demo,
        ssl_root_cert_content: None,
    };
    state.store.save_jdbc(&id, &connection).await?;
    state.hub.connections_changed();
    Ok(id)
}
