//! One line: its name, its type, and whether the documents have it.

use super::Outline;
use super::lines::{Line, deleted, described, renamed, shown_or_hidden, typed};
use crate::components::icon::{Glyph, Icon};
use crate::pages::mapping::lineage::Thing;
use crate::pages::mapping::rules::field_type;
use crate::pages::mapping::workbench::{Workbench, use_workbench};
use godwit_shared::edit::tree::Origin;
use godwit_shared::edit::{Draft, Shape, types};
use godwit_shared::mapping::FieldType;
use leptos::html;
use leptos::prelude::*;
use web_sys::KeyboardEvent;

#[component]
pub fn Row(id: String, outline: Outline) -> impl IntoView {
    let bench = use_workbench();
    let id = StoredValue::new(id);
    let line = Memo::new(move |before: Option<&Option<Line>>| {
        let found = id.with_value(|id| outline.lines.with(|lines| lines.get(id).cloned()));
        // It is about to go: until then it shows what it showed.
        found.or_else(|| before.cloned().flatten())
    });
    let is_open = Memo::new(move |_| id.with_value(|id| !outline.closed.with(|closed| closed.contains(id))));
    let is_chosen = Memo::new(move |_| line.with(|line| line.as_ref().is_some_and(|line| is_chosen(bench, line))));
    let is_lit = Memo::new(move |_| line.with(|line| line.as_ref().is_some_and(|line| is_lit(bench, line))));
    let is_entry = Memo::new(move |_| id.with_value(|id| outline.is_entry(id)));
    let of = move |read: fn(&Line) -> bool| line.with(|line| line.as_ref().is_some_and(read));
    let choose = move || {
        if let Some(thing) = line.get_untracked().and_then(|line| thing(bench, &line)) {
            bench.choose(thing);
        }
    };
    let on_key = move |event: KeyboardEvent| {
        let is_own = event.target() == event.current_target();
        let Some(line) = line.get_untracked().filter(|_| is_own) else {
            return;
        };
        if press(bench, outline, &line, &event) {
            event.prevent_default();
        }
    };
    let point = move |is_over: bool| {
        let thing = line
            .get_untracked()
            .filter(|_| is_over)
            .and_then(|line| thing(bench, &line));
        bench.pointed.set(thing);
    };
    let tabindex = move || if is_entry.get() { "0" } else { "-1" };
    let drop_rule = move || line.with(|line| line.as_ref().map(|line| line.rule.to_string()));
    let drop_path = move || line.with(|line| line.as_ref().map(|line| line.path.clone()));
    view! {
        <div
            id=id.with_value(|id| outline.element_id(id))
            class="gw-outline__row"
            class:gw-outline__row--lit=is_lit
            class:gw-outline__row--hidden=move || !of(|line| line.is_included)
            class:gw-outline__row--fault=move || of(|line| line.clashes)
            style:--level=move || line.with(|line| line.as_ref().map_or(0, |line| line.level - 1)).to_string()
            role="row"
            attr:aria-level=move || line.with(|line| line.as_ref().map_or(1, |line| line.level)).to_string()
            aria-expanded=move || of(|line| line.has_children).then(|| is_open.get().to_string())
            aria-selected=move || is_chosen.get().to_string()
            tabindex=tabindex
            data-drop="field"
            data-rule=drop_rule
            data-path=drop_path
            data-column=move || line.with(|line| line.as_ref().and_then(column))
            on:click=move |_| choose()
            on:dblclick=move |_| outline.renaming.set(Some(id.get_value()))
            on:focus=move |_| outline.entry.set(Some(id.get_value()))
            on:keydown=on_key
            on:pointerenter=move |_| point(true)
            on:pointerleave=move |_| point(false)
        >
            <Name line=line outline=outline is_open=is_open/>
            <TypeChoice line=line is_entry=is_entry/>
            <Actions line=line is_entry=is_entry/>
        </div>
    }
}

/// The column of a line that is made of one.
fn column(line: &Line) -> Option<String> {
    match &line.origin {
        Origin::Column(column) => Some(column.clone()),
        Origin::Id | Origin::Calculated(_) | Origin::Group | Origin::Rule(_) => None,
    }
}

/// What a line stands for in the rest of the page.
fn thing(bench: Workbench, line: &Line) -> Option<Thing> {
    match line.origin {
        Origin::Rule(_) => Some(Thing::Rule(line.rule.clone())),
        Origin::Id | Origin::Column(_) | Origin::Calculated(_) | Origin::Group => Some(Thing::Path {
            collection: bench.collection.get_untracked()?,
            path: line.path.clone(),
        }),
    }
}

fn is_chosen(bench: Workbench, line: &Line) -> bool {
    bench.chosen.with(|chosen| match chosen.first() {
        Some(Thing::Rule(rule)) => matches!(line.origin, Origin::Rule(_)) && line.rule == *rule,
        Some(Thing::Path { path, .. }) => *path == line.path,
        _ => false,
    })
}

/// Whether what is pointed at elsewhere is this field, or the column that it is made of.
fn is_lit(bench: Workbench, line: &Line) -> bool {
    bench.pointed.with(|pointed| match (pointed, &line.origin) {
        (Some(Thing::Path { path, .. }), _) => *path == line.path,
        (Some(Thing::Column { table, column }), Origin::Column(own)) => {
            own == column && bench.with(|draft| draft.rule(&line.rule).is_some_and(|rule| rule.table == table.as_str()))
        }
        _ => false,
    })
}

/// Whether the key means something on a line.
fn press(bench: Workbench, outline: Outline, line: &Line, event: &KeyboardEvent) -> bool {
    let go = |line: Option<String>| {
        if let Some(id) = line {
            outline.focus(id);
        }
    };
    let beside = |step| {
        outline
            .lines
            .with_untracked(|lines| lines.beside(&line.id, step).map(|line| line.id.clone()))
    };
    let is_closed = outline.closed.with_untracked(|closed| closed.contains(&line.id));
    match event.key().as_str() {
        "ArrowDown" => go(beside(1)),
        "ArrowUp" => go(beside(-1)),
        "ArrowRight" if line.has_children && is_closed => outline.toggle(&line.id),
        "ArrowRight" => go(beside(1)),
        "ArrowLeft" if line.has_children && !is_closed => outline.toggle(&line.id),
        "ArrowLeft" => go(line.parent.clone()),
        "F2" => outline.renaming.set(Some(line.id.clone())),
        "Enter" => {
            if let Some(thing) = thing(bench, line) {
                bench.choose(thing);
            }
        }
        " " => {
            if let Some(edit) = bench.draft.with_untracked(|draft| shown_or_hidden(draft, line)) {
                bench.apply(edit);
            }
        }
        "Delete" => {
            let next = beside(-1);
            remove(bench, line);
            go(next);
        }
        _ => return false,
    }
    true
}

/// Takes a line away, or leaves it out where it can only be hidden.
fn remove(bench: Workbench, line: &Line) {
    match deleted(line) {
        Some(godwit_shared::edit::Edit::DeleteRule { rule }) => bench.ask_to_delete(rule),
        Some(edit) => drop(bench.apply(edit)),
        None if line.is_included => {
            if let Some(edit) = bench.draft.with_untracked(|draft| shown_or_hidden(draft, line)) {
                bench.apply(edit);
            }
        }
        None => {}
    }
}

fn icon(line: &Line) -> Icon {
    match line.origin {
        Origin::Id => Icon::Key,
        Origin::Column(_) if line.is_key => Icon::Key,
        Origin::Column(_) if line.is_link => Icon::Link,
        Origin::Column(_) => Icon::Column,
        Origin::Calculated(_) => Icon::Function,
        Origin::Group => Icon::Braces,
        Origin::Rule(Shape::Array | Shape::Values) => Icon::Brackets,
        Origin::Rule(Shape::Document | Shape::Merged) => Icon::Braces,
    }
}

#[component]
fn Name(line: Memo<Option<Line>>, outline: Outline, is_open: Memo<bool>) -> impl IntoView {
    let bench = use_workbench();
    let id = move || line.with(|line| line.as_ref().map(|line| line.id.clone()).unwrap_or_default());
    let is_renaming = Memo::new(move |_| outline.renaming.get().is_some_and(|renaming| renaming == id()));
    let fold = move || {
        let has_children = line.with(|line| line.as_ref().is_some_and(|line| line.has_children));
        let icon = if is_open.get() {
            Icon::ChevronDown
        } else {
            Icon::ChevronRight
        };
        has_children.then(|| view! { <Glyph icon=icon/> })
    };
    let toggle = move |event: web_sys::MouseEvent| {
        event.stop_propagation();
        outline.toggle(&untrack(id));
    };
    let shown_icon = Signal::derive(move || line.with(|line| line.as_ref().map_or(Icon::Column, icon)));
    let name = move || line.with(|line| line.as_ref().map(|line| line.name.clone()).unwrap_or_default());
    let what = move || line.with(|line| line.as_ref().map(described).unwrap_or_default());
    let commit = move |text: String| {
        outline.renaming.set(None);
        let Some(line) = line.get_untracked() else { return };
        let edit = bench.draft.with_untracked(|draft| renamed(draft, &line, &text));
        let was_chosen = untrack(|| is_chosen(bench, &line));
        if edit.is_some_and(|edit| bench.apply(edit).is_some()) && was_chosen {
            let now = outline
                .lines
                .with_untracked(|lines| lines.get(&line.id).and_then(|line| thing(bench, line)));
            now.into_iter().for_each(|thing| bench.choose(thing));
        }
        outline.focus(line.id);
    };
    let text = move || match is_renaming.get() {
        true => {
            let own = line.with_untracked(|line| line.as_ref().map(|line| line.own_path.clone()).unwrap_or_default());
            let cancel = Callback::new(move |()| {
                outline.renaming.set(None);
                outline.focus(untrack(id));
            });
            view! { <NameInput text=own on_commit=Callback::new(commit) on_cancel=cancel/> }.into_any()
        }
        false => view! {
            <span class="gw-outline__name" title=what>{name}</span>
            <span class="gw-visually-hidden">", " {what}</span>
        }
        .into_any(),
    };
    view! {
        <span class="gw-outline__cell gw-outline__cell--name" role="gridcell">
            <span class="gw-outline__fold" aria-hidden="true" on:click=toggle>{fold}</span>
            <Glyph icon=shown_icon/>
            {text}
        </span>
    }
}

/// Enter and leaving it take the name, Esc does not.
#[component]
fn NameInput(text: String, on_commit: Callback<String>, on_cancel: Callback<()>) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    // Taking the focus away on Esc would take the name as well.
    let is_done = StoredValue::new(false);
    Effect::new(move |_| {
        if let Some(input) = input.get() {
            let _ = input.focus();
            input.select();
        }
    });
    let finish = move |text: Option<String>| {
        if is_done.get_value() {
            return;
        }
        is_done.set_value(true);
        match text {
            Some(text) => on_commit.run(text),
            None => on_cancel.run(()),
        }
    };
    let on_key = move |event: KeyboardEvent| {
        event.stop_propagation();
        match event.key().as_str() {
            "Enter" => {
                event.prevent_default();
                finish(Some(event_target_value(&event)));
            }
            "Escape" => {
                event.prevent_default();
                finish(None);
            }
            _ => {}
        }
    };
    view! {
        <input
            node_ref=input
            class="gw-input gw-input--code gw-outline__input"
            aria-label="Name of the field; a dot nests"
            spellcheck="false"
            autocomplete="off"
            data-testid="rename-input"
            // The attribute: a property that is set later would take the selection away.
            value=text
            on:keydown=on_key
            on:blur=move |event| finish(Some(event_target_value(&event)))
            on:click=|event| event.stop_propagation()
            on:dblclick=|event| event.stop_propagation()
        />
    }
}

/// A type that can be chosen for a line: its value and its label.
type Choice = (FieldType, String);

const ALL: [FieldType; 7] = [
    FieldType::Bool,
    FieldType::Date,
    FieldType::Decimal,
    FieldType::Double,
    FieldType::Integer,
    FieldType::Long,
    FieldType::String,
];

/// The types that work, and the one that is asked for.
fn choices(draft: &Draft, line: &Line) -> Option<(Vec<Choice>, FieldType)> {
    match &line.origin {
        Origin::Column(column) => {
            let asked = draft.rule(&line.rule)?.fields.get(column)?.target.kind;
            let (_, table) = draft.table_of(&line.rule)?;
            let column = table.columns.get(column)?;
            let default = types::default_of(column);
            let of = |choice: types::TypeChoice| {
                let name = field_type(choice.kind, "");
                let note = if choice.loses.is_some() { " (may lose)" } else { "" };
                (choice.kind, format!("{name}{note}"))
            };
            let others = types::choices(column)
                .into_iter()
                .filter(|choice| choice.kind != default)
                .map(of);
            let first = (FieldType::Default, field_type(default, "Default"));
            let asked = if asked == default { FieldType::Default } else { asked };
            Some((std::iter::once(first).chain(others).collect(), asked))
        }
        Origin::Calculated(id) => {
            let asked = draft
                .rule(&line.rule)?
                .calculated_fields
                .get(id)?
                .kind
                .unwrap_or_default();
            let first = (FieldType::Default, "Default".to_owned());
            let others = ALL.into_iter().map(|kind| (kind, field_type(kind, "")));
            Some((std::iter::once(first).chain(others).collect(), asked))
        }
        Origin::Id | Origin::Group | Origin::Rule(_) => None,
    }
}

#[component]
fn TypeChoice(line: Memo<Option<Line>>, is_entry: Memo<bool>) -> impl IntoView {
    let bench = use_workbench();
    let found = Memo::new(move |_| {
        let line = line.get()?;
        bench.with(|draft| choices(draft, &line))
    });
    let name = move || line.with(|line| line.as_ref().map(|line| line.name.clone()).unwrap_or_default());
    let fixed = move || {
        line.with(|line| match line.as_ref().map(|line| &line.origin) {
            Some(Origin::Rule(Shape::Array | Shape::Values)) => "Array",
            Some(Origin::Rule(_) | Origin::Group) => "Object",
            _ => "",
        })
    };
    let on_change = move |event| {
        let wanted = event_target_value(&event);
        let kind = found.with_untracked(|found| {
            let (all, _) = found.as_ref()?;
            wanted
                .parse::<usize>()
                .ok()
                .and_then(|n| all.get(n))
                .map(|(kind, _)| *kind)
        });
        let edit = kind
            .zip(line.get_untracked())
            .and_then(|(kind, line)| bench.draft.with_untracked(|draft| typed(draft, &line, kind)));
        edit.into_iter().for_each(|edit| drop(bench.apply(edit)));
    };
    let control = move || match found.get() {
        None => view! { <span class="gw-muted">{fixed}</span> }.into_any(),
        Some((all, asked)) => {
            let option = |(n, (kind, label)): (usize, Choice)| {
                view! { <option value=n.to_string() selected={kind == asked}>{label}</option> }
            };
            view! {
                <select
                    class="gw-outline__type"
                    aria-label=move || format!("Type of {}", name())
                    tabindex=move || if is_entry.get() { "0" } else { "-1" }
                    on:change=on_change
                    on:click=|event| event.stop_propagation()
                >
                    {all.into_iter().enumerate().map(option).collect_view()}
                </select>
            }
            .into_any()
        }
    };
    view! { <span class="gw-outline__cell gw-outline__cell--type" role="gridcell">{control}</span> }
}

#[component]
fn Actions(line: Memo<Option<Line>>, is_entry: Memo<bool>) -> impl IntoView {
    let bench = use_workbench();
    let tabindex = move || if is_entry.get() { "0" } else { "-1" };
    // What its button is: an eye, a bin, or none.
    let kind = Memo::new(move |_| {
        line.with(|line| {
            let line = line.as_ref()?;
            match line.origin {
                Origin::Column(_) | Origin::Group => Some((
                    if line.is_included {
                        Icon::Preview
                    } else {
                        Icon::EyeClosed
                    },
                    line.is_included,
                )),
                Origin::Calculated(_) | Origin::Rule(_) => Some((Icon::Delete, true)),
                Origin::Id => None,
            }
        })
    });
    let label = move || {
        let name = line.with(|line| line.as_ref().map(|line| line.path.clone()).unwrap_or_default());
        match kind.get() {
            Some((Icon::Delete, _)) => format!("Delete {name}"),
            Some((_, true)) => format!("Leave {name} out"),
            _ => format!("Include {name}"),
        }
    };
    let press = move |event: web_sys::MouseEvent| {
        event.stop_propagation();
        let Some(line) = line.get_untracked() else { return };
        match bench.draft.with_untracked(|draft| shown_or_hidden(draft, &line)) {
            Some(edit) => drop(bench.apply(edit)),
            None => remove(bench, &line),
        }
    };
    let button = move || {
        kind.get().map(|(icon, _)| {
            view! {
                <button
                    type="button"
                    class="gw-button gw-button--icon gw-outline__button"
                    aria-label=label
                    title=label
                    tabindex=tabindex
                    on:click=press
                >
                    <Glyph icon=icon/>
                </button>
            }
        })
    };
    view! { <span class="gw-outline__cell" role="gridcell">{button}</span> }
}
