//! An input for expressions: a plain textarea, whose text is shown in colours behind it.

mod tokens;

pub use tokens::Language;

use crate::components::unique_id;
use leptos::prelude::*;
use tokens::{Token, tokens};

fn class(token: Token) -> &'static str {
    match token {
        Token::Plain => "",
        Token::Word => "gw-code-area__word",
        Token::Input => "gw-code-area__input",
        Token::Text => "gw-code-area__string",
        Token::Number => "gw-code-area__number",
        Token::Comment => "gw-code-area__comment",
    }
}

/// Hands on what was entered when it is left. It grows with its text.
#[component]
pub fn CodeArea(
    #[prop(into)] label: String,
    #[prop(into)] value: Signal<String>,
    language: Language,
    on_commit: Callback<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional, into)] placeholder: String,
    #[prop(optional)] testid: &'static str,
) -> impl IntoView {
    let note = unique_id("note");
    let described_by = note.clone();
    let typed = RwSignal::new(value.get_untracked());
    Effect::new(move |_| typed.set(value.get()));
    let part = |(token, text): (Token, &str)| view! { <span class=class(token)>{text.to_owned()}</span> };
    let coloured = move || typed.with(|text| tokens(language, text).into_iter().map(part).collect_view());
    view! {
        <label class="gw-field">
            <span class="gw-field__label">{label}</span>
            <span class="gw-code-area">
                // Its last line is as high as the others only with something on it.
                <span class="gw-code-area__colours" aria-hidden="true">{coloured}"\u{200b}"</span>
                <textarea
                    class="gw-input gw-input--code gw-code-area__text"
                    rows="2"
                    spellcheck="false"
                    autocapitalize="off"
                    autocomplete="off"
                    placeholder=placeholder
                    data-testid=testid
                    aria-invalid=move || error.with(Option::is_some).then_some("true")
                    aria-describedby=described_by
                    prop:value=typed
                    on:input=move |event| typed.set(event_target_value(&event))
                    on:change=move |event| on_commit.run(event_target_value(&event))
                ></textarea>
            </span>
            <span id=note class="gw-field__note gw-field__note--error" role="status">{error}</span>
        </label>
    }
}
