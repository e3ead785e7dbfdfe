//! Short messages in the corner. Failures stay until they are dismissed.

use super::button::IconButton;
use super::icon::{Glyph, Icon};
use crate::api::ApiError;
use crate::format::text::sentence;
use leptos::prelude::*;
use std::time::Duration;

const SHOWN_FOR: Duration = Duration::from_secs(5);
/// Older ones make room.
const TOASTS_MAX: usize = 4;

#[derive(Debug, Clone, PartialEq)]
struct Toast {
    id: u32,
    is_failure: bool,
    text: String,
    hint: String,
}

#[derive(Clone, Copy)]
pub struct Toasts {
    list: RwSignal<Vec<Toast>>,
    next_id: StoredValue<u32>,
}

pub fn provide_toasts() {
    provide_context(Toasts {
        list: RwSignal::new(Vec::new()),
        next_id: StoredValue::new(0),
    });
}

pub fn use_toasts() -> Toasts {
    expect_context()
}

impl Toasts {
    /// Something worked.
    pub fn say(self, text: impl Into<String>) {
        let id = self.push(false, text.into(), String::new());
        set_timeout(move || self.dismiss(id), SHOWN_FOR);
    }

    /// Something did not.
    pub fn fail(self, error: &ApiError) {
        self.push(true, error.message(), error.hint());
    }

    /// Something did not work that was no request.
    pub fn warn(self, text: &str, hint: &str) {
        self.push(true, text.to_owned(), hint.to_owned());
    }

    fn push(self, is_failure: bool, text: String, hint: String) -> u32 {
        let id = self.next_id.get_value();
        self.next_id.set_value(id + 1);
        self.list.update(|list| {
            let surplus = (list.len() + 1).saturating_sub(TOASTS_MAX);
            list.drain(..surplus);
            list.push(Toast {
                id,
                is_failure,
                text,
                hint,
            });
        });
        id
    }

    fn dismiss(self, id: u32) {
        self.list.update(|list| list.retain(|toast| toast.id != id));
    }
}

/// The corner itself: once in the shell, and in every dialog. Two regions, for screen readers speak failures at once.
#[component]
pub fn ToastCorner() -> impl IntoView {
    let toasts = use_toasts();
    let of_kind = move |is_failure| {
        let list = move || {
            let list = toasts.list.get().into_iter();
            list.filter(move |toast| toast.is_failure == is_failure)
                .collect::<Vec<_>>()
        };
        view! { <For each=list key=|toast| toast.id let:toast><ToastItem toast=toast/></For> }
    };
    view! {
        <div class="gw-toasts">
            <div aria-live="assertive">{of_kind(true)}</div>
            <div aria-live="polite">{of_kind(false)}</div>
        </div>
    }
}

#[component]
fn ToastItem(toast: Toast) -> impl IntoView {
    let toasts = use_toasts();
    let (icon, tone) = match toast.is_failure {
        true => (Icon::Error, "danger"),
        false => (Icon::Check, "success"),
    };
    view! {
        <div class="gw-toasts__item" data-tone=tone>
            <Glyph icon=icon/>
            <div class="gw-toasts__text">
                <p data-testid=toast.is_failure.then_some("error-message")>{sentence(&toast.text)}</p>
                <p class="gw-muted">{sentence(&toast.hint)}</p>
            </div>
            <IconButton label="Dismiss" icon=Icon::Close on_press=Callback::new(move |()| toasts.dismiss(toast.id))/>
        </div>
    }
}
