//! A dialog at the side of the window, for what takes more than a question: the page stays in sight beside it.

use super::dialog::{Dialog, DialogSize};
use leptos::prelude::*;

/// `children` are its body and, where it has one, its foot. As a dialog it is open for as long as it is mounted.
#[component]
pub fn Drawer(#[prop(into)] title: Signal<String>, on_close: Callback<()>, children: Children) -> impl IntoView {
    view! { <Dialog title=title size=DialogSize::Drawer on_close=on_close>{children()}</Dialog> }
}
