//! The API without a network: the commands that need no server ask the same handlers, through the same router.

use super::router::{AppState, router};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

/// See the module.
#[derive(Clone)]
pub struct InProcess(TowerToHyperService<Router>);

impl InProcess {
    pub fn new(state: AppState) -> Self {
        Self(TowerToHyperService::new(router(state)))
    }

    /// Asks for a path with its query; a body is JSON.
    ///
    /// # Errors
    /// When the path is none, or an answer breaks off.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<(StatusCode, Bytes), String> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "127.0.0.1")
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(body.unwrap_or_default()))
            .map_err(|e| e.to_string())?;
        let answer = match self.0.call(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|e| e.to_string())?;
        Ok((status, body.to_bytes()))
    }
}
