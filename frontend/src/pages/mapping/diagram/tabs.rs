//! The diagrams of a project as tabs: which one is shown, and what can be done with it.

use super::cards_dialog::CardsDialog;
use super::saved::{Diagram, Diagrams};
use super::state::DiagramState;
use crate::components::button::{Button, ButtonTone, IconButton};
use crate::components::dialog::{Dialog, DialogFoot};
use crate::components::icon::Icon;
use crate::components::menu::{Menu, MenuItem};
use leptos::prelude::*;

/// The most diagrams that cards can be copied to in the menu.
const LISTED: usize = 12;

/// What is done with the diagrams.
#[derive(Debug, Clone, PartialEq)]
pub enum TabCall {
    Show(String),
    Add,
    /// The diagram in sight, with its cards.
    Duplicate,
    Describe {
        name: String,
        notes: String,
    },
    /// By so many places.
    Move(i32),
    Remove,
    /// What is chosen, to another diagram or a new one; `is_move`: it is hidden here.
    Send {
        to: Option<String>,
        is_move: bool,
    },
    /// Exactly these cards are in sight.
    ShowCards(super::coupling::Cards),
}

/// `Diagram 2`: the first number that no diagram has.
pub fn free_name(all: &Diagrams) -> String {
    let is_free = |name: &String| !all.tabs.iter().any(|tab| tab.name == *name);
    let mut names = (1..).map(|n| format!("Diagram {n}"));
    names.find(is_free).expect("the numbers do not end")
}

#[component]
pub fn DiagramTabs(state: DiagramState, on_call: Callback<TabCall>, children: Children) -> impl IntoView {
    let tabs = Memo::new(move |_| {
        let of = |tab: &Diagram| (tab.id.clone(), tab.name.clone());
        state.diagrams.with(|all| all.tabs.iter().map(of).collect::<Vec<_>>())
    });
    let active = Memo::new(move |_| state.diagrams.with(|all| all.active().id.clone()));
    let [is_describing, is_choosing] = [(); 2].map(|()| RwSignal::new(false));
    let tab = move |(id, name): (String, String)| {
        let own = id.clone();
        let is_active = move || active.with(|active| *active == own);
        view! {
            <button
                type="button"
                class="gw-diagram__tab"
                aria-pressed=move || is_active().to_string()
                data-testid="diagram-tab"
                on:click=move |_| on_call.run(TabCall::Show(id.clone()))
            >
                {name}
            </button>
        }
    };
    let items = Signal::derive(move || {
        let call =
            |label: String, call: TabCall| MenuItem::new(label, Callback::new(move |()| on_call.run(call.clone())));
        let open = |signal: RwSignal<bool>| Callback::new(move |()| signal.set(true));
        let mut items = vec![
            MenuItem::new("Cards in this diagram…", open(is_choosing)).testid("diagram-cards"),
            MenuItem::new("Name and notes…", open(is_describing)).testid("diagram-describe"),
            call("Duplicate".into(), TabCall::Duplicate).testid("diagram-duplicate"),
        ];
        let others: Vec<_> = tabs.get().into_iter().filter(|(id, _)| *id != active.get()).collect();
        if !others.is_empty() {
            items.push(call("Move to the left".into(), TabCall::Move(-1)));
            items.push(call("Move to the right".into(), TabCall::Move(1)));
            items.push(call("Delete this diagram".into(), TabCall::Remove).testid("diagram-remove"));
        }
        let has_chosen = state
            .chosen
            .with(|chosen| chosen.iter().any(|thing| thing.card().is_some()));
        if has_chosen {
            for (verb, is_move) in [("Copy", false), ("Move", true)] {
                for (id, name) in others.iter().take(LISTED) {
                    let to = Some(id.clone());
                    items.push(call(
                        format!("{verb} the chosen cards to “{name}”"),
                        TabCall::Send { to, is_move },
                    ));
                }
                let label = format!("{verb} the chosen cards to a new diagram");
                let new = call(label, TabCall::Send { to: None, is_move });
                items.push(new.testid(format!("diagram-{}-new", verb.to_lowercase())));
            }
        }
        items
    });
    let add = Callback::new(move |()| {
        on_call.run(TabCall::Add);
        // It begins empty: its cards are what is chosen next.
        is_choosing.set(true);
    });
    view! {
        <div class="gw-diagram__strip">
        <div class="gw-diagram__tabs" role="group" aria-label="Diagrams">
            {move || tabs.get().into_iter().map(tab).collect_view()}
            <IconButton label="Add a diagram" icon=Icon::Plus on_press=add attr:data-testid="diagram-add"/>
            <Menu label="This diagram" icon=Icon::ChevronDown items=items is_small=true testid="diagram-menu"/>
            <Hidden state=state on_press=Callback::new(move |()| is_choosing.set(true))/>
        </div>
        {children()}
        </div>
        <Notes state=state/>
        {move || is_describing.get().then(|| view! { <Describe state=state on_call=on_call on_close=Callback::new(move |()| is_describing.set(false))/> })}
        {move || is_choosing.get().then(|| view! { <CardsDialog state=state on_call=on_call on_close=Callback::new(move |()| is_choosing.set(false))/> })}
    }
}

/// How many cards are hidden here; leads to them.
#[component]
fn Hidden(state: DiagramState, on_press: Callback<()>) -> impl IntoView {
    let count = Memo::new(move |_| state.hidden_count());
    let label = Signal::derive(move || format!("{} hidden", crate::format::number::count(count.get() as u64)));
    view! {
        <Show when=move || count.get() != 0>
            <Button label=label icon=Icon::EyeClosed tone=ButtonTone::Quiet on_press=on_press attr:data-testid="diagram-hidden"/>
        </Show>
    }
}

#[component]
fn Notes(state: DiagramState) -> impl IntoView {
    let notes = Memo::new(move |_| state.diagrams.with(|all| all.active().notes.clone()));
    move || {
        let notes = notes.get();
        (!notes.trim().is_empty())
            .then(|| view! { <p class="gw-diagram__notes" data-testid="diagram-notes">{notes}</p> })
    }
}

#[component]
fn Describe(state: DiagramState, on_call: Callback<TabCall>, on_close: Callback<()>) -> impl IntoView {
    let (name, notes) = state
        .diagrams
        .with_untracked(|all| (all.active().name.clone(), all.active().notes.clone()));
    let (name, notes) = (RwSignal::new(name), RwSignal::new(notes));
    let is_blank = Signal::derive(move || name.with(|name| name.trim().is_empty()));
    let save = Callback::new(move |()| {
        let (name, notes) = (name.get_untracked().trim().to_owned(), notes.get_untracked());
        on_call.run(TabCall::Describe { name, notes });
        on_close.run(());
    });
    view! {
        <Dialog title="Diagram" on_close=on_close>
            <div class="gw-dialog__body gw-form">
                <label class="gw-field">
                    <span class="gw-field__label">"Name"</span>
                    <input
                        class="gw-input"
                        autocomplete="off"
                        data-testid="diagram-name"
                        prop:value=name
                        on:input=move |event| name.set(event_target_value(&event))
                    />
                </label>
                <label class="gw-field">
                    <span class="gw-field__label">"Notes"</span>
                    <textarea
                        class="gw-input gw-forms__area"
                        rows="4"
                        data-testid="diagram-notes-input"
                        prop:value=notes
                        on:input=move |event| notes.set(event_target_value(&event))
                    ></textarea>
                </label>
            </div>
            <DialogFoot label="Save" is_disabled=is_blank on_press=save on_close=on_close testid="diagram-save"/>
        </Dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_of_new_diagrams() {
        let diagrams = |names: &[&str]| {
            let tabs: Vec<_> = names.iter().map(|name| json!({"id": name, "name": name})).collect();
            Diagrams::read(Some(&json!({"tabs": tabs})))
        };
        assert_eq!(free_name(&diagrams(&["Main Diagram"])), "Diagram 1");
        assert_eq!(free_name(&diagrams(&["Diagram 1", "Diagram 3"])), "Diagram 2");
    }
}
