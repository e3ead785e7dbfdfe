//! *About*: version, licence, and what others have given.

use super::SettingsPanel;
use crate::components::button::{Button, ButtonTone};
use crate::components::icon::Icon;
use crate::keyboard::use_key_help;
use leptos::prelude::*;

#[component]
pub fn About() -> impl IntoView {
    let keys = use_key_help();
    view! {
        <SettingsPanel title="About">
            <p data-testid="about">
                "Godwit " {env!("CARGO_PKG_VERSION")}
                ", which moves relational databases into MongoDB. Free software under the Apache License 2.0, made with the \
                 work of others: "
                <a href="/licences.txt" target="_blank" rel="external" data-testid="licences">
                    "what is bundled, and all licences"
                </a>
                "."
            </p>
            <p>
                "Scripts find the whole API described at "
                <a href="/api/v1/openapi.json" target="_blank" rel="external">"/api/v1/openapi.json"</a>
                "."
            </p>
            <div>
                <Button
                    label="Keys"
                    tone=ButtonTone::Quiet
                    icon=Icon::Keyboard
                    on_press=Callback::new(move |()| keys.open())
                />
            </div>
        </SettingsPanel>
    }
}
