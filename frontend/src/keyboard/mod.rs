//! The overview of keys: `?` opens it, wherever nothing is being typed.

use crate::components::dialog::{Dialog, DialogSize};
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;

/// Keys of one part of the page, with what they do.
struct Group {
    title: &'static str,
    keys: &'static [(&'static [&'static str], &'static str)],
}

const GROUPS: [Group; 4] = [
    Group {
        title: "Everywhere",
        keys: &[
            (&["?"], "This overview"),
            (&["Tab"], "The next control; with Shift the one before"),
            (&["Enter"], "Presses a button; in a form goes on or saves"),
            (&["Esc"], "Closes a dialog or a menu"),
        ],
    },
    Group {
        title: "Mapping",
        keys: &[(&["Ctrl", "Z"], "Undo"), (&["Ctrl", "Y"], "Redo; Ctrl + Shift + Z too")],
    },
    Group {
        title: "Fields of a collection",
        keys: &[
            (&["↑", "↓"], "The line above or below"),
            (&["→", "←"], "Opens and closes what lies below a line"),
            (&["F2"], "Renames; a dot nests"),
            (&["Space"], "Shows or leaves out"),
            (&["Delete"], "Takes away"),
            (&["Enter"], "Opens the form of the line"),
        ],
    },
    Group {
        title: "Diagram",
        keys: &[
            (&["↑", "↓", "→", "←"], "The next card in that direction"),
            (&["Alt", "arrow"], "Moves what is chosen"),
            (&["Shift", "arrow"], "Moves the view"),
            (&["+", "-"], "Nearer and farther; 0 shows all"),
            (&["H"], "Hides what is chosen"),
            (&["Delete"], "Takes away what is chosen"),
        ],
    },
];

/// Opens and closes the overview.
#[derive(Clone, Copy)]
pub struct KeyHelp(RwSignal<bool>);

pub fn use_key_help() -> KeyHelp {
    expect_context()
}

impl KeyHelp {
    pub fn open(self) {
        self.0.set(true);
    }
}

/// Listens for the key. Once, in the shell.
pub fn provide_key_help() {
    let is_open = RwSignal::new(false);
    provide_context(KeyHelp(is_open));
    let listener = window_event_listener(leptos::ev::keydown, move |event| {
        let is_typed = event.target().is_some_and(|target| is_text_field(&target));
        let is_other = event.ctrl_key() || event.meta_key() || event.alt_key();
        if event.key() == "?" && !is_typed && !is_other {
            event.prevent_default();
            is_open.set(true);
        }
    });
    on_cleanup(move || listener.remove());
}

/// Whether what is pressed there is a text.
fn is_text_field(target: &web_sys::EventTarget) -> bool {
    let element = target.dyn_ref::<web_sys::Element>();
    element.is_some_and(|element| {
        element
            .matches("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]")
            .unwrap_or(false)
    })
}

#[component]
pub fn KeyOverview() -> impl IntoView {
    let KeyHelp(is_open) = use_key_help();
    let close = Callback::new(move |()| is_open.set(false));
    move || {
        is_open.get().then(|| {
            view! {
                <Dialog title="Keys" size=DialogSize::Wide on_close=close>
                    <div class="gw-dialog__body gw-keys" data-testid="keys" tabindex="0">
                        {GROUPS.iter().map(|group| view! { <KeyGroup group=group/> }).collect_view()}
                    </div>
                </Dialog>
            }
        })
    }
}

#[component]
fn KeyGroup(group: &'static Group) -> impl IntoView {
    let key = |key: &&'static str| view! { <kbd class="gw-key">{*key}</kbd> };
    let line = move |(keys, what): &(&'static [&'static str], &'static str)| {
        view! { <div><dt>{keys.iter().map(key).collect_view()}</dt><dd>{*what}</dd></div> }
    };
    view! {
        <section aria-label=group.title>
            <h3>{group.title}</h3>
            <dl class="gw-keys__list">{group.keys.iter().map(line).collect_view()}</dl>
        </section>
    }
}
