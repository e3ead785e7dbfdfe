//! `/design`: every component in each of its states, side by side, and the tokens that they are made of. In development
//! builds only.

mod feedback;
mod inputs;
mod tokens;
mod views;

use crate::app::TopBar;
use feedback::{Charts, Messages, States};
use inputs::{Buttons, Fields};
use leptos::prelude::*;
use tokens::Tokens;
use views::{Code, Drawers, Navigation, Trees};

#[component]
pub fn DesignPage() -> impl IntoView {
    view! {
        <div class="gw-shell">
            <TopBar><h1 class="gw-topbar__title">"Design"</h1></TopBar>
            <main class="gw-main">
                <div class="gw-page">
                    <Tokens/>
                    <Buttons/>
                    <Fields/>
                    <Navigation/>
                    <Drawers/>
                    <States/>
                    <Trees/>
                    <Code/>
                    <Messages/>
                    <Charts/>
                </div>
            </main>
        </div>
    }
}

/// A group of components under its name.
#[component]
fn Sample(title: &'static str, children: Children) -> impl IntoView {
    view! {
        <section class="gw-panel" aria-label=title>
            <header class="gw-panel__head"><h2>{title}</h2></header>
            <div class="gw-panel__body gw-stack">{children()}</div>
        </section>
    }
}
