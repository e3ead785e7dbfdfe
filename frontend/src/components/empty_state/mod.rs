//! What a place shows that has nothing yet: what belongs here, and how it gets here.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

#[component]
pub fn EmptyState(
    icon: Icon,
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    /// The way on.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="gw-empty">
            <span class="gw-empty__icon"><Glyph icon=icon/></span>
            <h2>{title}</h2>
            <p class="gw-empty__text">{text}</p>
            {children.map(|children| children())}
        </div>
    }
}
