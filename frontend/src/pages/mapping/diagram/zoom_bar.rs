//! Larger, smaller, all of it.

use super::canvas::CanvasState;
use crate::components::button::IconButton;
use crate::components::icon::Icon;
use leptos::prelude::*;

#[component]
pub fn ZoomBar(state: CanvasState) -> impl IntoView {
    let percent = move || state.view.with(|view| view.percent());
    let name = state.side.title();
    view! {
        <div class="gw-canvas__zoom" role="group" aria-label=format!("Zoom of {name}")>
            <IconButton label="Zoom out" icon=Icon::Minus on_press=Callback::new(move |()| state.zoom_out())/>
            <output class="gw-canvas__percent" data-testid=format!("zoom-{}", state.side.member())>{percent}</output>
            <IconButton label="Zoom in" icon=Icon::Plus on_press=Callback::new(move |()| state.zoom_in())/>
            <IconButton
                label="Fit all into the window"
                icon=Icon::Fit
                on_press=Callback::new(move |()| state.fit())
                attr:data-testid=format!("fit-{}", state.side.member())
            />
        </div>
    }
}
