//! Bodies of requests: JSON alone, read whole before anybody waits for them, bounded in size, time and memory of all of
//! them together. And bodies of answers: large ones are bounded in memory too.

use super::error::ApiError;
use super::guard::one;
use super::server::Place;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use godwit_shared::API_BASE;
use godwit_shared::ddl::DDL_BYTES_MAX;
use godwit_shared::error::ErrorCode;
use godwit_shared::project::FILE_BYTES_MAX;
use http_body_util::BodyExt;
use mime_guess::mime;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A body that is not there by then is too slow: a large file from this machine takes a second.
const BODY_TIME_MAX: Duration = Duration::from_secs(20);
/// DDL files as JSON: line breaks and quotes take two bytes there.
const DDL_BODY_BYTES_MAX: usize = DDL_BYTES_MAX + DDL_BYTES_MAX / 2;
/// A body up to this size is not counted.
const SMALL_BYTES: usize = 64 << 10;
/// All larger bodies of requests together, in KiB.
const REQUESTS_KIB_MAX: usize = 160 << 10;
/// All larger bodies of answers together, in KiB.
const ANSWERS_KIB_MAX: usize = 512 << 10;
/// How long an answer waits for others to be taken.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(2);

/// What large bodies have left.
#[derive(Debug, Clone)]
pub struct Budget {
    requests: Arc<Semaphore>,
    answers: Arc<Semaphore>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            requests: Arc::new(Semaphore::new(REQUESTS_KIB_MAX)),
            answers: Arc::new(Semaphore::new(ANSWERS_KIB_MAX)),
        }
    }
}

/// So much of a body that is too large is taken and thrown away; who sends more is cut off.
const DISCARDED_BYTES_MAX: usize = 64 << 20;

/// The most bytes of a body for a path.
fn bytes_max(path: &str) -> usize {
    match path.strip_prefix(API_BASE) {
        Some("/schema/ddl") => DDL_BODY_BYTES_MAX,
        _ => FILE_BYTES_MAX,
    }
}

/// Takes what comes without keeping it.
async fn discard(mut body: axum::body::Body) {
    let mut left = DISCARDED_BYTES_MAX;
    while let Some(Ok(frame)) = http_body_util::BodyExt::frame(&mut body).await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

/// Hands a request on once its body is here.
pub async fn take(budget: Budget, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let place = parts.extensions.get::<Arc<Place>>().cloned();
    let bytes_max = bytes_max(parts.uri.path());
    let taken = async {
        if http_body::Body::is_end_stream(&body) {
            return Ok((Bytes::new(), None));
        }
        let declared = http_body::Body::size_hint(&body).lower();
        if declared > bytes_max as u64 {
            // Who is in the middle of sending hears an answer only when he is done.
            let _ = tokio::time::timeout(BODY_TIME_MAX, discard(body)).await;
            return Err(too_large(bytes_max));
        }
        let collected = tokio::time::timeout(BODY_TIME_MAX, collect(body, bytes_max, &budget.requests)).await;
        let (bytes, held) = collected.map_err(|_| {
            let seconds = BODY_TIME_MAX.as_secs();
            ApiError::new(
                ErrorCode::TooSlow,
                format!("the body did not come within {seconds} seconds"),
            )
        })??;
        if !bytes.is_empty() {
            check_is_json(&parts.headers)?;
        }
        Ok((bytes, held))
    };
    match taken.await {
        Ok((bytes, _held)) => {
            if let Some(place) = place {
                place.work();
            }
            next.run(Request::from_parts(parts, Body::from(bytes))).await
        }
        Err(error) => {
            let mut answer = error.into_response();
            // What is left of the body is not waited for.
            answer
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
            answer
        }
    }
}

fn too_large(bytes_max: usize) -> ApiError {
    let mib = bytes_max >> 20;
    ApiError::new(ErrorCode::PayloadTooLarge, format!("the body is larger than {mib} MiB"))
}

/// A page of another site can send other types without being asked first.
fn check_is_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let refused = |what: String| {
        ApiError::new(
            ErrorCode::UnsupportedMediaType,
            format!("{what}: send application/json"),
        )
    };
    let text = one(headers, &CONTENT_TYPE).map_err(refused)?;
    let text = text.ok_or_else(|| refused("the body has no content-type".into()))?;
    let kind: Option<mime::Mime> = text.parse().ok();
    match kind {
        Some(kind) if kind.essence_str() == mime::APPLICATION_JSON.essence_str() => Ok(()),
        _ => Err(refused(format!("a body of the content-type \"{text}\" is not taken"))),
    }
}

/// Memory is asked for as the bytes come: what is only announced takes none.
async fn collect(
    mut body: Body,
    bytes_max: usize,
    budget: &Arc<Semaphore>,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), ApiError> {
    let mut held: Option<OwnedSemaphorePermit> = None;
    let (mut all, mut counted) = (Vec::new(), SMALL_BYTES);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| ApiError::invalid(format!("the body cannot be read: {e}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if all.len() + data.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        all.extend_from_slice(&data);
        if all.len() > counted {
            let kib = (all.len() - counted).div_ceil(1 << 10);
            let more = budget
                .clone()
                .try_acquire_many_owned(u32::try_from(kib).unwrap_or(u32::MAX));
            let more = more.map_err(|_| {
                ApiError::new(ErrorCode::Busy, "too many large requests are under way")
                    .with_hint(Some("Try again in a moment."))
            })?;
            counted += kib << 10;
            match &mut held {
                Some(held) => held.merge(more),
                None => held = Some(more),
            }
        }
    }
    Ok((all.into(), held))
}

/// A large answer takes its part of the budget until the client has taken it.
pub async fn give(budget: Budget, request: Request, next: Next) -> Response {
    let answer = next.run(request).await;
    let bytes = http_body::Body::size_hint(answer.body()).exact().unwrap_or(0);
    if bytes <= SMALL_BYTES as u64 {
        return answer;
    }
    let kib = u32::try_from(bytes.div_ceil(1 << 10))
        .unwrap_or(u32::MAX)
        .min(ANSWERS_KIB_MAX as u32);
    let granted = tokio::time::timeout(ANSWER_WAIT_MAX, budget.answers.clone().acquire_many_owned(kib)).await;
    let Ok(Ok(held)) = granted else {
        drop(answer);
        return ApiError::new(ErrorCode::Busy, "too many large answers are under way")
            .with_hint(Some("Try again in a moment."))
            .into_response();
    };
    answer.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held = &held;
            frame
        }))
    })
}
