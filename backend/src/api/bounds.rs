//! What one request may take: time, and places beside others of its kind. Pages of lists.

use super::error::ApiError;
use crate::jobs::prepare::{PATIENCE, PrepareError};
use crate::source::SourceError;
use godwit_shared::error::ErrorCode;
use std::time::Duration;
use tokio::sync::Semaphore;

/// What a request that asks the source may take altogether.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);
/// Requests at once that assemble documents or read a whole schema: each holds batches and connections.
static READERS: Semaphore = Semaphore::const_new(8);
/// Project files at once that are taken apart: each is many times as large as its text.
static FILES: Semaphore = Semaphore::const_new(2);

/// Does what somebody waits for, in a bounded time. Dropped with the request when its client goes away: the connections
/// to the source go with it and end what the source does for them.
///
/// # Errors
/// As the work, or [`ErrorCode::TimedOut`].
pub async fn in_time<T, E: Into<ApiError> + MayTimeOut>(
    what: &str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, ApiError> {
    let bounded = async {
        let _place = READERS.acquire().await;
        work.await
    };
    match tokio::time::timeout(ANSWER_TIME_MAX, bounded).await {
        Ok(Err(error)) if error.is_timeout() => Err(timed_out(what, PATIENCE)),
        Ok(done) => done.map_err(Into::into),
        Err(_) => Err(timed_out(what, ANSWER_TIME_MAX)),
    }
}

fn timed_out(what: &str, limit: Duration) -> ApiError {
    ApiError::new(
        ErrorCode::TimedOut,
        format!("{what} took longer than {} seconds and was ended", limit.as_secs()),
    )
    .with_hint(Some(
        "Look at filters that read much and at missing indexes, or ask for less. A job has no such limit.",
    ))
}

/// Does what has to come to its end once it was begun, also when the client goes away in the middle of it or waits no
/// longer.
///
/// # Errors
/// As the work, or [`ErrorCode::TimedOut`]: it goes on.
pub async fn to_its_end<T, E>(
    what: &str,
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, ApiError>
where
    T: Send + 'static,
    E: Into<ApiError> + Send + 'static,
{
    awaited_for(ANSWER_TIME_MAX, what, work).await
}

async fn awaited_for<T, E>(
    limit: Duration,
    what: &str,
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, ApiError>
where
    T: Send + 'static,
    E: Into<ApiError> + Send + 'static,
{
    let working = tokio::spawn(work);
    match tokio::time::timeout(limit, working).await {
        Ok(Ok(done)) => done.map_err(Into::into),
        Ok(Err(_)) => Err(ApiError::new(
            ErrorCode::Internal,
            format!("{what} ended by a fault of the server"),
        )),
        Err(_) => Err(ApiError::new(
            ErrorCode::TimedOut,
            format!(
                "{what} has not come to its end in {} seconds; it goes on",
                limit.as_secs()
            ),
        )
        .with_hint(Some("Look at the job in a moment: what became of it stands there."))),
    }
}

/// Whether an error says that the source ended a statement that took too long.
pub trait MayTimeOut {
    fn is_timeout(&self) -> bool;
}

impl MayTimeOut for SourceError {
    fn is_timeout(&self) -> bool {
        matches!(self, SourceError::Cancelled)
    }
}

impl MayTimeOut for PrepareError {
    fn is_timeout(&self) -> bool {
        matches!(self, PrepareError::Source(error) if error.is_timeout())
    }
}

/// Reads a project file, off the threads that serve requests.
///
/// # Errors
/// As the work.
pub async fn read_file<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let _place = FILES.acquire().await;
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(ApiError::new(ErrorCode::Internal, "the project file could not be read")))
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    pub offset: usize,
    pub limit: usize,
}

/// The most entries of one answer.
pub const PAGE_MAX: usize = 1_000;
/// How many an answer holds when nothing else is asked for: of entries that may be large, and of small ones.
pub const PAGE_OF_JOBS: usize = 200;
pub const PAGE_OF_PROJECTS: usize = PAGE_MAX;
/// Says how many entries there are, on this page and elsewhere.
pub const TOTAL: &str = "x-total-count";

impl Page {
    /// A page as the query asks for it: never more than [`PAGE_MAX`].
    pub fn of(offset: Option<usize>, limit: Option<usize>, usual: usize) -> Self {
        Self {
            offset: offset.unwrap_or(0),
            limit: limit.unwrap_or(usual).min(PAGE_MAX),
        }
    }

    /// Its entries.
    pub fn cut<T>(self, all: Vec<T>) -> Vec<T> {
        all.into_iter().skip(self.offset).take(self.limit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;
    use axum::response::IntoResponse;

    fn status_of(answer: Result<(), ApiError>) -> StatusCode {
        answer.expect_err("no success").into_response().status()
    }

    #[test]
    fn a_page_is_never_longer_than_the_server_allows() {
        let all: Vec<usize> = (0..2_500).collect();
        let cut = |offset, limit| Page::of(offset, limit, 200).cut(all.clone());
        assert_eq!(cut(None, None).len(), 200);
        assert_eq!(cut(None, Some(5_000)).len(), PAGE_MAX);
        assert_eq!(cut(Some(2_400), None).len(), 100);
        assert_eq!(cut(Some(1), Some(2)), [1, 2]);
        assert!(cut(Some(9_999), None).is_empty() && cut(None, Some(0)).is_empty());
    }

    #[tokio::test]
    async fn what_was_begun_goes_on_when_nobody_waits_any_longer() {
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        let (done, is_done) = tokio::sync::oneshot::channel();
        let work = async move {
            wait.await.expect("the test lets it go on");
            done.send(()).expect("the test waits");
            Ok::<(), ApiError>(())
        };
        let answer = awaited_for(Duration::ZERO, "the command", work).await;
        assert_eq!(status_of(answer), StatusCode::GATEWAY_TIMEOUT);
        go.send(()).expect("it waits");
        is_done.await.expect("it comes to its end");
        let faulty = "no number".to_owned();
        let fault = async move {
            let _: u8 = faulty.parse().expect("a fault of the test");
            Ok::<(), ApiError>(())
        };
        let answer = awaited_for(ANSWER_TIME_MAX, "the command", fault).await;
        assert_eq!(status_of(answer), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
