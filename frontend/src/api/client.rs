//! Sends a request and reads its answer; every failure is one [`ApiError`].

use crate::format::wire_name;
use gloo_net::http::{Request, RequestBuilder, Response};
use godwit_shared::API_BASE;
use godwit_shared::error::{ErrorCode, ErrorResponse};
use godwit_shared::ids::JobId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use web_sys::{AbortController, AbortSignal};

/// Why a request brought no result.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ApiError {
    /// The server says no and why.
    #[error("{}", .0.message)]
    Refused(Box<ErrorResponse>),
    /// No answer at all.
    #[error("The server does not answer.")]
    Unreachable,
    /// An answer without the error body of the API: something between the page and the server.
    #[error("The server answered with status {status} and no explanation.")]
    Unexplained { status: u16 },
    /// A success whose body is not what this page expects.
    #[error("The answer of the server cannot be read: {reason}.")]
    Unreadable { reason: String },
    /// A file of the user that the browser cannot read.
    #[error("The file cannot be read.")]
    FileUnreadable,
}

impl ApiError {
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            ApiError::Refused(answer) => Some(answer.code),
            ApiError::Unreachable
            | ApiError::Unexplained { .. }
            | ApiError::Unreadable { .. }
            | ApiError::FileUnreadable => None,
        }
    }

    /// The job that it is about.
    pub fn job(&self) -> Option<&JobId> {
        match self {
            ApiError::Refused(answer) => answer.job_id.as_ref(),
            ApiError::Unreachable
            | ApiError::Unexplained { .. }
            | ApiError::Unreadable { .. }
            | ApiError::FileUnreadable => None,
        }
    }

    /// The code as the API spells it, for those who look it up; empty where there is none.
    pub fn code_text(&self) -> String {
        self.code().map(|code| wire_name(&code)).unwrap_or_default()
    }

    /// What happened.
    pub fn message(&self) -> String {
        self.to_string()
    }

    /// What to do now.
    pub fn hint(&self) -> String {
        match self {
            ApiError::Refused(answer) => match answer.description.as_deref() {
                Some(text) if !text.is_empty() => text.to_owned(),
                _ => advice(answer.code).to_owned(),
            },
            ApiError::Unreachable => "Check that Godwit is running, then try again.".into(),
            ApiError::Unexplained { .. } => "Look into the log of the server, then try again.".into(),
            ApiError::Unreadable { .. } => "Page and server may differ in version: reload the page.".into(),
            ApiError::FileUnreadable => "Check that it still exists and that you may read it.".into(),
        }
    }
}

/// What to do about an error, where its answer says nothing of that.
pub fn advice(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::InvalidRequest => "Correct the value and try again.",
        ErrorCode::NotFound => "It may have been deleted. Reload the page.",
        ErrorCode::MethodNotAllowed => "The page and the server are of different versions. Reload the page.",
        ErrorCode::WrongState => "Its state has changed in the meantime: look at it again.",
        ErrorCode::RevisionConflict => "Look at what was saved since, then save again.",
        ErrorCode::InvalidDdl => "Correct the statement that the message names, or export the file again.",
        ErrorCode::JobConflict => "Wait until the other job has ended, or terminate it.",
        ErrorCode::TargetDatabaseMissing => {
            "Enter the database, or write it behind the host: mongodb://host:27017/database."
        }
        ErrorCode::InvalidMapping => "Correct the mapping, then start the job again.",
        ErrorCode::InvalidProjectFile => "Export the project again and import that file.",
        ErrorCode::SourceUnreachable => "Check host, port, database, user and password of the source.",
        ErrorCode::TargetUnreachable => "Check the MongoDB URI, and that the server can be reached from Godwit.",
        ErrorCode::SourcePermission => "Grant SELECT on the table to the user of the source connection.",
        ErrorCode::TargetPermission => "Grant readWrite on the destination database to its user.",
        ErrorCode::RowSecurity => "Use a user that row security does not restrict.",
        ErrorCode::PreflightFailed => "Prepare the source as the message says, then start again.",
        ErrorCode::ConversionRunning => "Wait until the running conversion has ended.",
        ErrorCode::NotCancellable => "It cannot be cancelled at this point: wait for its end.",
        ErrorCode::PayloadTooLarge => "Take out what the project does not need: tables, fields, notes.",
        ErrorCode::ConsentNeeded => "Read the SQL and JavaScript of the project, then allow it.",
        ErrorCode::TimedOut => "Ask for less, or look for what makes the source slow.",
        ErrorCode::Forbidden => "Open the page under the address that the server printed at its start.",
        ErrorCode::UnsupportedMediaType => "The page and the server are of different versions. Reload the page.",
        ErrorCode::TooSlow | ErrorCode::Busy => "Try again in a moment.",
        ErrorCode::StoreUnavailable => "Try again when the MongoDB of Godwit's own data answers.",
        ErrorCode::EntryUnreadable => "Delete it, or put back what it was: everything else works.",
        ErrorCode::Internal => "The log of the server has the cause.",
        ErrorCode::ResyncNeeded => {
            "Start the job again, with Drop destination collections: what was changed since cannot be known any more."
        }
        ErrorCode::SchemaChanged => "Put the schema back or correct the mapping, then start the job again.",
        ErrorCode::TooManyErrors => "The job update log shows the errors. Correct them, or raise the limit.",
    }
}

/// The address of a path of the API, also for links.
pub fn url(path: &str) -> String {
    format!("{API_BASE}{path}")
}

pub async fn get<T: DeserializeOwned>(path: &str) -> Result<T, ApiError> {
    read(send(Request::get(&url(path)), None).await?).await
}

pub async fn post<B: Serialize, T: DeserializeOwned>(path: &str, body: &B) -> Result<T, ApiError> {
    read(send(Request::post(&url(path)), Some(to_json(body)?)).await?).await
}

/// Ends the requests that have its signal, once it is dropped.
pub struct Abort(AbortController);

impl Abort {
    #[expect(clippy::new_without_default, reason = "it does something in the browser")]
    pub fn new() -> Self {
        Self(AbortController::new().expect("every browser that runs this page has it"))
    }

    pub fn signal(&self) -> AbortSignal {
        self.0.signal()
    }
}

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// As [`post`], until the signal ends it: then it has not been answered.
pub async fn post_until<B: Serialize, T: DeserializeOwned>(
    path: &str,
    body: &B,
    signal: &AbortSignal,
) -> Result<T, ApiError> {
    let request = Request::post(&url(path)).abort_signal(Some(signal));
    read(send(request, Some(to_json(body)?)).await?).await
}

/// As [`post`], with a body that is JSON already.
pub async fn post_json<T: DeserializeOwned>(path: &str, body: String) -> Result<T, ApiError> {
    read(send(Request::post(&url(path)), Some(body)).await?).await
}

/// As [`post`]; the answer is plain text.
pub async fn post_for_text<B: Serialize>(path: &str, body: &B) -> Result<String, ApiError> {
    let answer = send(Request::post(&url(path)), Some(to_json(body)?)).await?;
    answer.text().await.map_err(|_| ApiError::Unreachable)
}

/// As [`post`], without a body.
pub async fn post_empty<T: DeserializeOwned>(path: &str) -> Result<T, ApiError> {
    read(send(Request::post(&url(path)), None).await?).await
}

/// PUT; the body of the answer is not read.
pub async fn put<B: Serialize>(path: &str, body: &B) -> Result<(), ApiError> {
    send(Request::put(&url(path)), Some(to_json(body)?)).await.map(drop)
}

/// PUT; status and body of whatever the answer is.
pub async fn put_for_answer<B: Serialize>(path: &str, body: &B) -> Result<(u16, String), ApiError> {
    let request = Request::put(&url(path)).header("content-type", "application/json");
    let request = request.body(to_json(body)?).map_err(|_| ApiError::Unreachable)?;
    let answer = request.send().await.map_err(|_| ApiError::Unreachable)?;
    let status = answer.status();
    let text = answer.text().await.map_err(|_| ApiError::Unreachable)?;
    Ok((status, text))
}

pub async fn delete(path: &str) -> Result<(), ApiError> {
    send(Request::delete(&url(path)), None).await.map(drop)
}

fn to_json<B: Serialize>(body: &B) -> Result<String, ApiError> {
    serde_json::to_string(body).map_err(|e| ApiError::Unreadable { reason: e.to_string() })
}

/// Sends; an answer that is not a success becomes an error.
async fn send(request: RequestBuilder, body: Option<String>) -> Result<Response, ApiError> {
    let request = match body {
        Some(json) => request.header("content-type", "application/json").body(json),
        None => request.build(),
    };
    let request = request.map_err(|_| ApiError::Unreachable)?;
    let answer = request.send().await.map_err(|_| ApiError::Unreachable)?;
    if answer.ok() {
        return Ok(answer);
    }
    let text = answer.text().await.unwrap_or_default();
    Err(refusal(answer.status(), &text))
}

async fn read<T: DeserializeOwned>(answer: Response) -> Result<T, ApiError> {
    let text = answer.text().await.map_err(|_| ApiError::Unreachable)?;
    parse(&text)
}

pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    serde_json::from_str(text).map_err(|e| ApiError::Unreadable { reason: e.to_string() })
}

/// The error that an answer with this status and body is.
pub fn refusal(status: u16, body: &str) -> ApiError {
    match serde_json::from_str::<ErrorResponse>(body) {
        Ok(answer) => ApiError::Refused(Box::new(answer)),
        Err(_) => ApiError::Unexplained { status },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFLICT: &str =
        r#"{"message":"Job j1 writes orders.","timestamp":"2026-11-03T10:00:00Z","code":"job_conflict"}"#;

    #[test]
    fn the_error_body_of_the_api_is_understood() {
        let error = refusal(409, CONFLICT);
        assert_eq!(error.code(), Some(ErrorCode::JobConflict));
        assert_eq!(error.code_text(), "job_conflict");
        assert_eq!(error.message(), "Job j1 writes orders.");
        assert!(error.hint().starts_with("Wait until the other job"));
    }

    #[test]
    fn the_advice_of_the_server_wins() {
        let body = CONFLICT.replace("}", r#","description":"Terminate it."}"#);
        assert_eq!(refusal(409, &body).hint(), "Terminate it.");
    }

    #[test]
    fn any_other_body_is_an_answer_without_explanation() {
        for body in ["", "<html>", r#"{"message":"x"}"#] {
            assert_eq!(refusal(502, body), ApiError::Unexplained { status: 502 });
        }
    }
}
