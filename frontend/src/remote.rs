//! What was asked of the server: one value instead of `loading`, `error` and `data`.

use crate::api::ApiError;
use crate::components::error_panel::ErrorPanel;
use leptos::prelude::*;

#[derive(Debug, Clone, PartialEq)]
pub enum Remote<T> {
    Loading,
    Failed(ApiError),
    Ready(T),
}

impl<T> From<Option<Result<T, ApiError>>> for Remote<T> {
    fn from(answer: Option<Result<T, ApiError>>) -> Self {
        match answer {
            None => Remote::Loading,
            Some(Err(error)) => Remote::Failed(error),
            Some(Ok(value)) => Remote::Ready(value),
        }
    }
}

impl<T> Remote<T> {
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Remote<U> {
        match self {
            Remote::Loading => Remote::Loading,
            Remote::Failed(error) => Remote::Failed(error),
            Remote::Ready(value) => Remote::Ready(make(value)),
        }
    }

    pub fn ready(self) -> Option<T> {
        match self {
            Remote::Ready(value) => Some(value),
            Remote::Loading | Remote::Failed(_) => None,
        }
    }
}

/// A skeleton, an error with a way to try again, or what `ready` makes of the value.
pub fn show_remote<T, V>(
    state: Signal<Remote<T>>,
    loading: fn() -> AnyView,
    retry: Callback<()>,
    ready: impl Fn(T) -> V + Send + 'static,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    V: IntoView + 'static,
{
    move || match state.get() {
        Remote::Loading => loading(),
        Remote::Failed(error) => view! { <ErrorPanel error=error retry=retry/> }.into_any(),
        Remote::Ready(value) => ready(value).into_any(),
    }
}
