//! The *Mapping* tab comes when it is opened: in a release its code is a file of its own, so that all other pages show
//! sooner. `scripts/wasm-bindgen.sh` cuts it off.

use super::mapping::MappingPage;
use crate::api::ApiError;
use crate::components::skeleton::Skeleton;
use crate::remote::{Remote, show_remote};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// What makes the tab.
type Make = fn() -> AnyView;

#[component]
pub fn MappingPart() -> impl IntoView {
    let part = RwSignal::new(Remote::<Make>::Loading);
    let load = move || {
        part.set(Remote::Loading);
        spawn_local(async move {
            let loaded = loaded::mapping().await;
            part.try_set(loaded.map_or_else(Remote::Failed, Remote::Ready));
        });
    };
    load();
    let retry = Callback::new(move |()| load());
    let waiting = || view! { <div class="gw-page"><Skeleton lines=8/></div> }.into_any();
    show_remote(part.into(), waiting, retry, |make: Make| make())
}

fn make() -> AnyView {
    view! { <MappingPage/> }.into_any()
}

/// Where the page is one file, as while it is worked on.
#[cfg(not(feature = "split"))]
mod loaded {
    use super::{ApiError, Make, make};

    #[expect(clippy::unused_async, reason = "in a release it waits")]
    pub(super) async fn mapping() -> Result<Make, ApiError> {
        Ok(make)
    }
}

/// A file of its own.
#[cfg(feature = "split")]
#[allow(unsafe_code, reason = "the macro calls what the tool has cut off")]
mod loaded {
    use super::{ApiError, Make, make};
    use leptos::wasm_split::{SplitLoaderError, wasm_split};

    impl From<SplitLoaderError> for ApiError {
        fn from(_: SplitLoaderError) -> Self {
            ApiError::Unreachable
        }
    }

    #[wasm_split(mapping, wasm_split_path = ::leptos::wasm_split, fallible)]
    pub(super) fn mapping() -> Result<Make, ApiError> {
        Ok(make)
    }
}
