//! Bodies as types: what does not fit is answered with the name of the field.

use super::error::ApiError;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use godwit_shared::error::ErrorCode;
use serde::de::DeserializeOwned;

/// A JSON body.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = read(request, state).await?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|e| {
            let path = e.path().to_string();
            match path.as_str() {
                "." => ApiError::invalid(format!("the body is not valid: {}", e.inner())),
                _ => ApiError::invalid(format!("the field `{path}` is not valid: {}", e.inner())),
            }
        })?;
        json.end()
            .map_err(|e| ApiError::invalid(format!("the body is not valid: {e}")))?;
        Ok(Self(value))
    }
}

/// A body as it is, in UTF-8.
pub struct Text(pub String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = read(request, state).await?;
        let text = String::from_utf8(bytes.into());
        text.map(Self)
            .map_err(|_| ApiError::new(ErrorCode::InvalidProjectFile, "the file is not UTF-8"))
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state)
        .await
        .map_err(|error| ApiError::invalid(format!("the body cannot be read: {error}")))
}

/// The parameters of the query.
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Query(value) = Query::try_from_uri(&parts.uri)
            .map_err(|e| ApiError::invalid(format!("the parameters are not valid: {}", e.body_text())))?;
        Ok(Self(value))
    }
}

/// Ids are letters, digits and hyphens.
///
/// # Errors
/// For anything else: there cannot be such a thing.
pub fn check_id(what: &str, id: &str) -> Result<(), ApiError> {
    let is_valid = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if is_valid {
        Ok(())
    } else {
        Err(ApiError::not_found(what, id))
    }
}
