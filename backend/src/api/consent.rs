//! What an imported project carries that is run, and the agreement to it.
//!
//! A file that somebody else has made runs SQL in the source and JavaScript in the server. Who imports it by a program
//! answers for it; in the page it waits until somebody has read what would run, and agreed to exactly that.

use super::error::ApiError;
use super::extract::Body;
use super::projects::{Standing, find, store};
use super::router::AppState;
use crate::store::ProjectRecord;
use axum::Json;
use axum::extract::{Path, State};
use godwit_shared::consent::{CodeLanguage, CodePlace, Consent, GiveConsent, code_of};
use godwit_shared::error::{ErrorCode, ErrorResponse};
use godwit_shared::ids::ProjectId;
use godwit_shared::project::ProjectSummary;
use std::collections::HashSet;

fn consent_of(record: &ProjectRecord) -> Consent {
    let code = code_of(&record.file);
    let text = serde_json::to_string(&code).expect("types of the wire have string keys");
    Consent {
        needed: record.summary.needs_consent,
        digest: blake3::hash(text.as_bytes()).to_hex().to_string(),
        code,
    }
}

/// The SQL and JavaScript that a project carries, and whether somebody has yet to agree to it.
#[utoipa::path(get, path = "/project/{id}/consent", tag = "projects", params(("id" = String, Path)), responses(
    (status = 200, body = Consent), (status = 404, body = ErrorResponse)))]
pub async fn get(State(state): State<AppState>, Path(id): Path<ProjectId>) -> Result<Json<Consent>, ApiError> {
    Ok(Json(consent_of(&find(&state, &id).await?)))
}

/// Agrees to the SQL and JavaScript of a project, as it was read: previews, checks and jobs may run it from now on.
#[utoipa::path(post, path = "/project/{id}/consent", tag = "projects", params(("id" = String, Path)), request_body = GiveConsent, responses(
    (status = 200, body = ProjectSummary), (status = 404, body = ErrorResponse), (status = 409, body = ErrorResponse)))]
pub async fn give(
    State(state): State<AppState>,
    Path(id): Path<ProjectId>,
    Body(request): Body<GiveConsent>,
) -> Result<Json<ProjectSummary>, ApiError> {
    let record = find(&state, &id).await?;
    if consent_of(&record).digest != request.digest {
        return Err(ApiError::new(
            ErrorCode::ConsentNeeded,
            "the SQL and JavaScript of the project are no longer those that were read",
        )
        .with_hint(Some("Read them again, then agree.")));
    }
    match record.summary.needs_consent {
        true => {
            let standing = Standing {
                needs_consent: false,
                ..Standing::of(&record.summary)
            };
            Ok(Json(store(&state, id, record.file, standing).await?.summary))
        }
        false => Ok(Json(record.summary)),
    }
}

/// Texts that are stored and that nobody has agreed to.
pub(super) struct Unagreed(HashSet<(CodeLanguage, String)>);

impl Unagreed {
    /// Whether a text may run: it is not among them.
    pub fn may_run(&self, language: CodeLanguage, text: &str) -> bool {
        // What a project carries is compared without the blanks around it, as it runs.
        self.0.is_empty() || !self.0.contains(&(language, text.trim().to_owned()))
    }
}

/// What of a project may not run yet. A draft of it may hold more: what the user has written is agreed to by that.
pub(super) fn unagreed_of(record: &ProjectRecord) -> Unagreed {
    if !record.summary.needs_consent {
        return Unagreed(HashSet::new());
    }
    let code = code_of(&record.file).into_iter();
    Unagreed(code.map(|c| (c.language, c.text.trim().to_owned())).collect())
}

/// Refuses to run anything of a project that nobody has agreed to.
pub(super) fn check_consent(record: &ProjectRecord) -> Result<(), ApiError> {
    if !record.summary.needs_consent {
        return Ok(());
    }
    let code = code_of(&record.file);
    let of = |language| code.iter().filter(move |c| c.language == language).count();
    let named: Vec<String> = code
        .iter()
        .take(20)
        .map(|c| {
            let place = match c.place {
                CodePlace::TableFilter => "table filter".to_owned(),
                CodePlace::RuleFilter => "rule filter".to_owned(),
                CodePlace::CalculatedField => format!("calculated field {}", c.field.as_deref().unwrap_or_default()),
            };
            let text: String = c.text.chars().take(200).collect();
            format!("{}, {place}: {text}", c.table)
        })
        .collect();
    Err(ApiError::new(
        ErrorCode::ConsentNeeded,
        format!(
            "the imported project \"{}\" carries {} texts of SQL and {} of JavaScript that nobody has agreed to",
            record.summary.name,
            of(CodeLanguage::Sql),
            of(CodeLanguage::Javascript)
        ),
    )
    .with_hint(Some(format!(
        "Read them in the project and agree to them, or with GET and POST /project/{}/consent.\n{}",
        record.summary.id,
        named.join("\n")
    ))))
}
