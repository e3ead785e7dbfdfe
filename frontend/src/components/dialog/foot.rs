//! The end of a dialog: a way out, and what it is for.

use crate::components::button::{Button, ButtonTone};
use leptos::prelude::*;

#[component]
pub fn DialogFoot(
    /// A verb.
    label: &'static str,
    on_press: Callback<()>,
    on_close: Callback<()>,
    #[prop(optional, into)] is_busy: Signal<bool>,
    #[prop(optional, into)] is_disabled: Signal<bool>,
    testid: &'static str,
) -> impl IntoView {
    view! {
        <footer class="gw-dialog__foot">
            <Button label="Cancel" on_press=on_close/>
            <Button
                label=label
                tone=ButtonTone::Primary
                is_busy=is_busy
                is_disabled=is_disabled
                on_press=on_press
                attr:data-testid=testid
            />
        </footer>
    }
}
