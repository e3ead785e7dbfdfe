//! Tabs that are links: which one is shown stands in the URL.

use leptos::prelude::*;
use leptos_router::components::A;

#[component]
pub fn TabBar(#[prop(into)] label: String, children: Children) -> impl IntoView {
    view! { <nav class="gw-tabs" aria-label=label>{children()}</nav> }
}

/// The link to the tab; the router marks the open one with `aria-current`.
#[component]
pub fn Tab(#[prop(into)] label: String, #[prop(into)] href: Signal<String>) -> impl IntoView {
    view! { <A href=move || href.get() attr:class="gw-tabs__tab">{label}</A> }
}
