//! A modal dialog on the browser's own `<dialog>`: it keeps the focus inside and closes with Esc.

mod confirm;
mod foot;

pub use confirm::{ConfirmAction, ConfirmDialog};
pub use foot::DialogFoot;

use super::button::IconButton;
use super::icon::Icon;
use super::toast::ToastCorner;
use super::unique_id;
use crate::browser::focus_heading;
use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DialogSize {
    #[default]
    Normal,
    Wide,
    /// At the side of the window, as high as it.
    Drawer,
}

impl DialogSize {
    fn class(self) -> &'static str {
        match self {
            DialogSize::Normal => "gw-dialog",
            DialogSize::Wide => "gw-dialog gw-dialog--wide",
            DialogSize::Drawer => "gw-dialog gw-dialog--drawer",
        }
    }
}

/// What the dialog is about, as a colour at its head; its text says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DialogTone {
    #[default]
    Neutral,
    Success,
    Danger,
}

impl DialogTone {
    fn name(self) -> &'static str {
        match self {
            DialogTone::Neutral => "neutral",
            DialogTone::Success => "success",
            DialogTone::Danger => "danger",
        }
    }
}

/// Open for as long as it is mounted. Mount it with a condition; `on_close` has to end that condition.
#[component]
pub fn Dialog(
    #[prop(into)] title: Signal<String>,
    on_close: Callback<()>,
    #[prop(optional)] size: DialogSize,
    #[prop(optional)] tone: DialogTone,
    children: Children,
) -> impl IntoView {
    let element = NodeRef::<html::Dialog>::new();
    let title_id = unique_id("dialog");
    let labelled_by = title_id.clone();
    return_focus_on_cleanup();
    Effect::new(move |_| {
        if let Some(dialog) = element.get() {
            // Fails only where it is open already.
            let _ = dialog.show_modal();
            focus_first_field(&dialog);
        }
    });
    // Esc: the state of the page closes it, not the browser alone.
    let on_cancel = move |event: web_sys::Event| {
        event.prevent_default();
        on_close.run(());
    };
    view! {
        <dialog
            node_ref=element
            class=size.class()
            data-tone=tone.name()
            aria-labelledby=labelled_by
            on:cancel=on_cancel
        >
            <header class="gw-dialog__head">
                <h2 id=title_id>{title}</h2>
                <IconButton label="Close" icon=Icon::Close on_press=on_close/>
            </header>
            {children()}
            // The corner of the page lies behind the dialog, where it can be neither seen nor used.
            <ToastCorner/>
        </dialog>
    }
}

/// The browser gives the focus to what asks for it (`autofocus`), else to the first control there is: the button that
/// closes the dialog. A field is more likely wanted.
fn focus_first_field(dialog: &web_sys::HtmlDialogElement) {
    let find = |css: &str| dialog.query_selector(css).ok().flatten();
    if find("[autofocus]").is_some() {
        return;
    }
    let field = find(".gw-dialog__body :is(input, select, textarea):enabled");
    if let Some(field) = field.and_then(|field| field.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = field.focus();
    }
}

/// Gives the focus back to what had it before; where that is gone, to the heading of the page.
fn return_focus_on_cleanup() {
    let before = document()
        .active_element()
        .and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
    let before = StoredValue::new_local(before);
    on_cleanup(move || {
        if let Some(element) = before.try_get_value().flatten() {
            // After this run of effects: until then the dialog makes the rest of the page inert.
            request_animation_frame(move || match element.is_connected() {
                true => _ = element.focus(),
                false => focus_heading(),
            });
        }
    });
}
