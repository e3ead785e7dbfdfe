//! Undo, redo, the history, and whether everything is saved.

use super::saving::{Saving, keep_own, save, take_over};
use super::workbench::{Workbench, use_workbench};
use crate::components::button::{Button, ButtonTone, IconButton};
use crate::components::dialog::Dialog;
use crate::components::icon::Icon;
use crate::components::menu::{Menu, MenuItem};
use crate::format::text::sentence;
use godwit_shared::edit::{Draft, History, differences};
use godwit_shared::project::RevisionConflict;
use leptos::ev;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::KeyboardEvent;

/// The most entries of the history that are listed.
const LISTED: usize = 40;

/// The newest changes first: how many are done after each, and its words.
fn steps(history: &History) -> Vec<(usize, String, bool)> {
    let all: Vec<_> = history
        .list()
        .enumerate()
        .map(|(n, (words, is_done))| (n + 1, sentence(words), is_done))
        .collect();
    all.into_iter().rev().take(LISTED).collect()
}

#[component]
pub fn HistoryButtons() -> impl IntoView {
    let bench = use_workbench();
    let can_undo = Signal::derive(move || bench.history.with(History::can_undo));
    let can_redo = Signal::derive(move || bench.history.with(History::can_redo));
    let items = Signal::derive(move || {
        let done = bench.history.with(History::done);
        let item = |(after, words, is_done): (usize, String, bool)| {
            let mut item = MenuItem::new(words, Callback::new(move |()| bench.go_to(after))).testid("history-item");
            item.is_on = Some(is_done && after == done);
            item
        };
        let start = MenuItem::new("As it was opened", Callback::new(move |()| bench.go_to(0)));
        bench
            .history
            .with(steps)
            .into_iter()
            .map(item)
            .chain(std::iter::once(start))
            .collect::<Vec<_>>()
    });
    listen_for_keys(bench);
    view! {
        <div class="gw-mapping__history" role="group" aria-label="History">
            <IconButton
                label="Undo (Ctrl+Z)"
                icon=Icon::Undo
                is_disabled=Signal::derive(move || !can_undo.get())
                on_press=Callback::new(move |()| bench.undo())
                attr:data-testid="undo"
            />
            <IconButton
                label="Redo (Ctrl+Y)"
                icon=Icon::Redo
                is_disabled=Signal::derive(move || !can_redo.get())
                on_press=Callback::new(move |()| bench.redo())
                attr:data-testid="redo"
            />
            <Menu label="History" icon=Icon::History items=items is_small=true testid="history"/>
            <SaveState/>
        </div>
    }
}

/// What a key means: undo, redo, or nothing of these.
fn step_of(key: &str, has_shift: bool) -> Option<fn(Workbench)> {
    match (key, has_shift) {
        ("z" | "Z", false) => Some(Workbench::undo),
        ("z" | "Z", true) | ("y" | "Y", false) => Some(Workbench::redo),
        _ => None,
    }
}

/// Fields of text have an undo of their own.
fn listen_for_keys(bench: Workbench) {
    let handle = window_event_listener(ev::keydown, move |event: KeyboardEvent| {
        let is_text = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .is_some_and(|element| element.matches("input, textarea, dialog *").unwrap_or(false));
        let step = step_of(&event.key(), event.shift_key()).filter(|_| event.ctrl_key() || event.meta_key());
        if let (Some(step), false) = (step, is_text) {
            event.prevent_default();
            step(bench);
        }
    });
    on_cleanup(move || handle.remove());
}

#[component]
fn SaveState() -> impl IntoView {
    let bench = use_workbench();
    let words = move || bench.saving.with(Saving::words);
    let again = Callback::new(move |()| save(bench));
    let failure = move || {
        let failed = bench.saving.with(|saving| match saving {
            Saving::Failed(error) => Some(error.message()),
            _ => None,
        });
        failed.map(|message| {
            view! { <Button label="Save again" tone=ButtonTone::Quiet on_press=again attr:title=message attr:data-testid="save-again"/> }
        })
    };
    view! {
        <span class="gw-mapping__saving gw-muted" role="status" data-testid="saving">{words}</span>
        {failure}
        <ConflictDialog/>
    }
}

/// Somebody else has saved: what they changed, and what to do about it.
#[component]
fn ConflictDialog() -> impl IntoView {
    let bench = use_workbench();
    let stored = Memo::new(move |_| {
        bench.saving.with(|saving| match saving {
            Saving::Conflict(stored) => Some((**stored).clone()),
            _ => None,
        })
    });
    move || {
        stored.get().map(|stored| {
            let changes = changes(bench, &stored);
            let line = |words: String| view! { <li>{words}</li> };
            let revision = stored.project.summary.revision;
            let keep = Callback::new(move |()| keep_own(bench, revision));
            let theirs = StoredValue::new(stored);
            let take = Callback::new(move |()| {
                let stored = theirs.get_value();
                take_over(bench, stored.project, stored.full);
            });
            view! {
                <Dialog title="This project was changed elsewhere" on_close=keep>
                    <div class="gw-dialog__body" data-testid="conflict">
                        <p>"Another window has saved it since. What is stored there differs from what you have here:"</p>
                        <ul class="gw-going">{changes.into_iter().map(line).collect_view()}</ul>
                    </div>
                    <footer class="gw-dialog__foot">
                        <Button label="Take what is stored" on_press=take attr:data-testid="conflict-take"/>
                        <Button label="Keep mine" tone=ButtonTone::Primary on_press=keep attr:data-testid="conflict-keep"/>
                    </footer>
                </Dialog>
            }
        })
    }
}

fn changes(bench: Workbench, stored: &RevisionConflict) -> Vec<String> {
    let theirs = Draft::of(stored.project.clone(), stored.full.clone());
    let found = bench.draft.with_untracked(|draft| differences::between(draft, &theirs));
    match found.is_empty() {
        true => vec!["Nothing that can be seen here.".to_owned()],
        false => found
            .into_iter()
            .map(|difference| sentence(&difference.words))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples;
    use godwit_shared::edit::Edit;
    use godwit_shared::ids::CollectionId;

    #[test]
    fn the_history_says_what_was_done() {
        let (mut draft, mut history) = (samples::draft(), History::default());
        for name in ["people", "readers"] {
            let edit = Edit::RenameCollection {
                collection: CollectionId::new("c1"),
                name: name.into(),
            };
            history.apply(&mut draft, &edit).expect("an edit");
        }
        history.undo(&mut draft);
        let steps = steps(&history);
        assert_eq!((steps.len(), steps[0].0, steps[0].2, steps[1].2), (2, 2, false, true));
        assert!(steps[0].1.contains("readers"), "{steps:?}");
        assert!(step_of("z", false).is_some() && step_of("y", true).is_none() && step_of("a", false).is_none());
    }
}
