//! Tabs and pages that come when they are opened: in a release their code is in files of their own, so that all others show
//! sooner. `scripts/wasm-bindgen.sh` cuts them off.

use super::analysis::AnalysisPage;
use super::mapping::MappingPage;
use super::new_project::NewProjectPage;
use crate::api::ApiError;
use crate::components::skeleton::Skeleton;
use crate::remote::{Remote, show_remote};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// What makes a page.
type Make = fn() -> AnyView;

/// The *Mapping* tab.
#[component]
pub fn MappingPart() -> impl IntoView {
    part(|| spawn(loaded::mapping()))
}

/// The *Pre-Migration Analysis* tab.
#[component]
pub fn AnalysisTab() -> impl IntoView {
    part(|| spawn(loaded::analysis()))
}

/// *New project*.
#[component]
pub fn NewProjectPart() -> impl IntoView {
    part(|| spawn(loaded::new_project()))
}

fn make_mapping() -> AnyView {
    view! { <MappingPage/> }.into_any()
}

fn make_analysis() -> AnyView {
    view! { <AnalysisPage/> }.into_any()
}

fn make_new_project() -> AnyView {
    view! { <NewProjectPage/> }.into_any()
}

/// What a part has come to, once it is there.
fn spawn(load: impl Future<Output = Result<Make, ApiError>> + 'static) -> RwSignal<Remote<Make>> {
    let part = RwSignal::new(Remote::Loading);
    spawn_local(async move {
        let loaded = load.await;
        part.try_set(loaded.map_or_else(Remote::Failed, Remote::Ready));
    });
    part
}

fn part(load: fn() -> RwSignal<Remote<Make>>) -> impl IntoView {
    let part = RwSignal::new(load());
    let retry = Callback::new(move |()| part.set(load()));
    let waiting = || view! { <div class="gw-page"><Skeleton lines=8/></div> }.into_any();
    let state = Signal::derive(move || part.get().get());
    show_remote(state, waiting, retry, |make: Make| make())
}

/// Where the page is one file, as while it is worked on.
#[cfg(not(feature = "split"))]
mod loaded {
    use super::{ApiError, Make, make_analysis, make_mapping, make_new_project};

    #[expect(clippy::unused_async, reason = "in a release it waits")]
    pub(super) async fn analysis() -> Result<Make, ApiError> {
        Ok(make_analysis)
    }

    #[expect(clippy::unused_async, reason = "in a release it waits")]
    pub(super) async fn mapping() -> Result<Make, ApiError> {
        Ok(make_mapping)
    }

    #[expect(clippy::unused_async, reason = "in a release it waits")]
    pub(super) async fn new_project() -> Result<Make, ApiError> {
        Ok(make_new_project)
    }
}

/// Files of their own.
#[cfg(feature = "split")]
#[allow(unsafe_code, reason = "the macro calls what the tool has cut off")]
mod loaded {
    use super::{ApiError, Make, make_analysis, make_mapping, make_new_project};
    use leptos::wasm_split::{SplitLoaderError, wasm_split};

    impl From<SplitLoaderError> for ApiError {
        fn from(_: SplitLoaderError) -> Self {
            ApiError::Unreachable
        }
    }

    #[wasm_split(analysis, wasm_split_path = ::leptos::wasm_split, fallible)]
    pub(super) fn analysis() -> Result<Make, ApiError> {
        Ok(make_analysis)
    }

    #[wasm_split(mapping, wasm_split_path = ::leptos::wasm_split, fallible)]
    pub(super) fn mapping() -> Result<Make, ApiError> {
        Ok(make_mapping)
    }

    #[wasm_split(new_project, wasm_split_path = ::leptos::wasm_split, fallible)]
    pub(super) fn new_project() -> Result<Make, ApiError> {
        Ok(make_new_project)
    }
}
