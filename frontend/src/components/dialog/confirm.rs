//! A question with one action and a way out.

use super::{Dialog, DialogTone};
use crate::components::button::{Button, ButtonTone};
use leptos::prelude::*;

/// The button that does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfirmAction {
    /// A verb.
    pub label: &'static str,
    pub tone: ButtonTone,
    pub testid: &'static str,
}

#[component]
pub fn ConfirmDialog(
    #[prop(into)] title: Signal<String>,
    action: ConfirmAction,
    on_confirm: Callback<()>,
    on_close: Callback<()>,
    #[prop(optional, into)] is_busy: Signal<bool>,
    #[prop(optional, into)] is_disabled: Signal<bool>,
    children: Children,
) -> impl IntoView {
    let tone = match action.tone {
        ButtonTone::Danger => DialogTone::Danger,
        ButtonTone::Success => DialogTone::Success,
        ButtonTone::Primary | ButtonTone::Secondary | ButtonTone::Quiet => DialogTone::Neutral,
    };
    view! {
        <Dialog title=title tone=tone on_close=on_close>
            <div class="gw-dialog__body">{children()}</div>
            <footer class="gw-dialog__foot">
                <Button label="Cancel" on_press=on_close attr:autofocus=""/>
                <Button
                    label=action.label
                    tone=action.tone
                    is_busy=is_busy
                    is_disabled=is_disabled
                    on_press=on_confirm
                    attr:data-testid=action.testid
                />
            </footer>
        </Dialog>
    }
}
