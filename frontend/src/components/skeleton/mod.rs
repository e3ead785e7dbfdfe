//! Grey bars in the place of what is still loading.

use leptos::prelude::*;

#[component]
pub fn Skeleton(#[prop(default = 3)] lines: usize) -> impl IntoView {
    let line = |_| view! { <div class="gw-skeleton__line"></div> };
    view! {
        <div class="gw-skeleton" role="status">
            <span class="gw-visually-hidden">"Loading"</span>
            {(0..lines).map(line).collect_view()}
        </div>
    }
}
