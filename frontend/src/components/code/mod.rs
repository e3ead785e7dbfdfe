//! Code and JSON to read and to copy.

mod json;

use super::button::IconButton;
use super::icon::Icon;
use crate::browser;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

/// How long *Copied* stands in the place of *Copy*.
const SAID_FOR: Duration = Duration::from_secs(2);

/// Which colours a text gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CodeLanguage {
    Json,
    #[default]
    Plain,
}

#[component]
pub fn CodeView(
    /// What it is, for screen readers.
    #[prop(into)]
    label: String,
    #[prop(into)] text: String,
    #[prop(optional)] language: CodeLanguage,
) -> impl IntoView {
    let shown = match language {
        CodeLanguage::Plain => text.clone().into_any(),
        CodeLanguage::Json => coloured(&text),
    };
    view! {
        <div class="gw-code-view">
            <pre tabindex="0" aria-label=label>{shown}</pre>
            <CopyButton text=text/>
        </div>
    }
}

fn coloured(text: &str) -> AnyView {
    let part = |(part, text): (json::Part, &str)| view! { <span class=part.class()>{text.to_owned()}</span> };
    json::parts(text).into_iter().map(part).collect_view().into_any()
}

/// Puts a text on the clipboard and says so.
#[component]
fn CopyButton(text: String) -> impl IntoView {
    let said = RwSignal::new("Copy");
    let copy = Callback::new(move |()| {
        let text = text.clone();
        spawn_local(async move {
            let is_copied = browser::copy(text).await;
            // What it stands in may be closed by now.
            let _ = said.try_set(match is_copied {
                true => "Copied",
                false => "Select the text to copy it",
            });
            set_timeout(move || _ = said.try_set("Copy"), SAID_FOR);
        });
    });
    let icon = Signal::derive(move || match said.get() {
        "Copied" => Icon::Check,
        _ => Icon::CopyText,
    });
    view! {
        <div class="gw-code-view__copy">
            <IconButton label=Signal::derive(move || said.get().to_owned()) icon=icon on_press=copy/>
        </div>
    }
}
