//! The API, of a server or of this process: the commands need not know.

use super::exit::{Exit, Failure};
use super::remote::Remote;
use crate::api::InProcess;
use bytes::Bytes;
use godwit_shared::API_BASE;
use godwit_shared::error::ErrorResponse;
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// See the module.
pub enum Api {
    Remote(Remote),
    InProcess(InProcess),
}

impl Api {
    /// Asks for a path below the base of the API, with its query; what is no success is a failure.
    ///
    /// # Errors
    /// What the API answers, or that there is no answer.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Bytes, Failure> {
        let path = format!("{API_BASE}{path}");
        let (status, bytes) = match self {
            Api::Remote(remote) => remote.ask(method, &path, body).await?,
            Api::InProcess(api) => {
                let asked = api.ask(method, &path, body).await;
                asked.map_err(|e| Failure::new(Exit::Failed, "internal", e))?
            }
        };
        match status.is_success() {
            true => Ok(bytes),
            false => Err(failure_of(status, &bytes)),
        }
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        read(&self.ask(Method::GET, path, None).await?)
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map_err(|e| Failure::usage(e.to_string()))?;
        read(&self.ask(Method::POST, path, Some(body)).await?)
    }

    /// A command without a body.
    pub async fn order<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        read(&self.ask(Method::POST, path, None).await?)
    }

    pub async fn delete(&self, path: &str) -> Result<(), Failure> {
        self.ask(Method::DELETE, path, None).await.map(|_| ())
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|e| {
        Failure::new(Exit::Failed, "answer", format!("the answer cannot be read: {e}"))
            .with_hint("Is the server a Godwit of this version?")
    })
}

fn failure_of(status: StatusCode, bytes: &[u8]) -> Failure {
    match serde_json::from_slice::<ErrorResponse>(bytes) {
        Ok(error) => error.into(),
        // A proxy in front of the server, or another server altogether.
        Err(_) => {
            let exit = match status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                    Exit::Unreachable
                }
                _ => Exit::Failed,
            };
            Failure::new(exit, "answer", format!("the server answers with {status}"))
                .with_hint("Is it a Godwit? A proxy that asks for a token gets the one of --token.")
        }
    }
}

/// A part of a path, or a value of a query.
pub fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}
