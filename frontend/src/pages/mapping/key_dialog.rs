//! A synthetic foreign key: which columns of one table are equal to which of another.

use super::forms::key::column_choices;
use super::forms::words::table_choices;
use super::workbench::use_workbench;
use crate::api;
use crate::components::button::{Button, ButtonTone, IconButton};
use crate::components::dialog::{Dialog, DialogFoot};
use crate::components::icon::Icon;
use crate::format::number;
use crate::pages::migration::wizard::use_drafts;
use godwit_shared::draft::{CheckKey, KeyMatch};
use godwit_shared::edit::{Draft, Edit};
use godwit_shared::ids::TableId;
use godwit_shared::schema::{Cardinality, ColumnPair, ForeignKey};
use leptos::prelude::*;

/// What the dialog begins with.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyDraft {
    pub from: TableId,
    pub to: Option<TableId>,
    /// Column of `from`, column of `to`; empty where it is not chosen yet.
    pub pairs: Vec<(String, String)>,
}

/// The edit, once everything is chosen.
fn edit_of(draft: &Draft, key: &KeyDraft) -> Option<Edit> {
    let (target, _) = draft.table(key.to.as_ref()?)?;
    let is_whole = !key.pairs.is_empty() && key.pairs.iter().all(|(from, to)| !from.is_empty() && !to.is_empty());
    let pair = |(source, target): &(String, String)| ColumnPair {
        source: source.clone(),
        target: target.clone(),
    };
    is_whole.then(|| Edit::AddKey {
        table: key.from.clone(),
        name: None,
        key: ForeignKey {
            target_table: target.clone(),
            cardinality: Cardinality::ZeroToMany,
            column_mappings: key.pairs.iter().map(pair).collect(),
            synthetic: true,
            extra: Default::default(),
        },
    })
}

/// How many rows match, and how many do not.
fn match_words(found: &KeyMatch) -> String {
    let count = |n: u64| number::counted(n, "row", "rows");
    let rest = format!(
        "{} without a match, {} with null",
        count(found.unmatched),
        count(found.nulls)
    );
    format!(
        "{} of {} match; {rest}.",
        number::count(found.matching),
        count(found.rows)
    )
}

#[component]
pub fn KeyDialog(key: RwSignal<Option<KeyDraft>>) -> impl IntoView {
    let close = Callback::new(move |()| key.set(None));
    let is_open = Memo::new(move |_| key.with(Option::is_some));
    move || is_open.get().then(|| view! { <KeyForm key=key on_close=close/> })
}

#[component]
fn KeyForm(key: RwSignal<Option<KeyDraft>>, on_close: Callback<()>) -> impl IntoView {
    let bench = use_workbench();
    let change = move |change: &dyn Fn(&mut KeyDraft)| key.update(|key| key.iter_mut().for_each(change));
    change(&|key| {
        if key.pairs.is_empty() {
            key.pairs.push(Default::default());
        }
    });
    let tables = Memo::new(move |_| bench.with(table_choices));
    let from = move || key.with(|key| key.as_ref().map(|key| key.from.clone()));
    let to = move || key.with(|key| key.as_ref().and_then(|key| key.to.clone()));
    let name =
        move || from().and_then(|id| bench.with(|draft| draft.table(&id).map(|(path, _)| path.name().to_string())));
    let columns = move |table: Option<TableId>| {
        table
            .map(|id| bench.with(|draft| column_choices(draft, &id)))
            .unwrap_or_default()
    };
    let set_to = move |event| {
        let id = event_target_value(&event);
        change(&|key| {
            key.to = Some(id.clone()).filter(|id| !id.is_empty()).map(TableId::new);
            key.pairs.iter_mut().for_each(|pair| pair.1.clear());
        });
    };
    let edit = Memo::new(move |_| key.with(|key| bench.with(|draft| edit_of(draft, key.as_ref()?))));
    let add = Callback::new(move |()| {
        if let Some(edit) = edit.get_untracked() {
            on_close.run(());
            bench.apply_and_choose(edit);
        }
    });
    let target_options = move || {
        let chosen = to().map(|id| id.to_string()).unwrap_or_default();
        let option =
            |(id, label): (String, String)| view! { <option value=id.clone() selected={id == chosen}>{label}</option> };
        tables.get().into_iter().map(option).collect_view()
    };
    let count = Memo::new(move |_| key.with(|key| key.as_ref().map_or(0, |key| key.pairs.len())));
    let pairs = move || {
        (0..count.get()).map(|n| view! { <Pair key=key place=n from=Signal::derive(move || columns(from())) to=Signal::derive(move || columns(to()))/> }).collect_view()
    };
    let (said, is_counting) = (RwSignal::new(None::<Result<String, String>>), RwSignal::new(false));
    let drafts = use_drafts();
    let count_rows = Callback::new(move |()| {
        let Some(Edit::AddKey { table, key, .. }) = edit.get_untracked() else {
            return;
        };
        let project = bench.id.get_value();
        let request = CheckKey {
            jdbc_connection_details: drafts.source_of(&project),
            table,
            key,
        };
        is_counting.set(true);
        leptos::task::spawn_local(async move {
            let answer = api::drafts::key(&project, &request).await;
            let _ = is_counting.try_set(false);
            let _ = said.try_set(Some(
                answer.map(|found| match_words(&found)).map_err(|error| error.message()),
            ));
        });
    });
    let matches = move || {
        said.get().map(|said| {
            let (Ok(text) | Err(text)) = said;
            view! { <p role="status" data-testid="key-match">{text}</p> }
        })
    };
    let more = Callback::new(move |()| change(&|key| key.pairs.push(Default::default())));
    view! {
        <Dialog title="Synthetic foreign key" on_close=on_close>
            <div class="gw-dialog__body">
                <p>
                    <span class="gw-code">{name}</span>
                    " refers to another table by columns that the database declares no key for. Nothing is changed in the source."
                </p>
                <label class="gw-field">
                    <span class="gw-field__label">"Refers to"</span>
                    <select class="gw-input" data-testid="key-target" on:change=set_to>
                        <option value="">"Choose a table"</option>
                        {target_options}
                    </select>
                </label>
                {pairs}
                <div><Button label="Another pair of columns" icon=Icon::Plus tone=ButtonTone::Quiet on_press=more attr:data-testid="key-more"/></div>
                <div>
                    <Button
                        label="Count the matches"
                        icon=Icon::Search
                        tone=ButtonTone::Quiet
                        is_busy=is_counting
                        is_disabled=Signal::derive(move || edit.with(Option::is_none))
                        on_press=count_rows
                        attr:data-testid="key-count"
                    />
                </div>
                {matches}
            </div>
            <DialogFoot
                label="Add the key"
                is_disabled=Signal::derive(move || edit.with(Option::is_none))
                on_press=add
                on_close=on_close
                testid="key-add"
            />
        </Dialog>
    }
}

#[component]
fn Pair(
    key: RwSignal<Option<KeyDraft>>,
    place: usize,
    from: Signal<Vec<(String, String)>>,
    to: Signal<Vec<(String, String)>>,
) -> impl IntoView {
    let own = move || {
        key.with(|key| key.as_ref().and_then(|key| key.pairs.get(place).cloned()))
            .unwrap_or_default()
    };
    let set = move |change: &dyn Fn(&mut (String, String))| {
        key.update(|key| {
            if let Some(pair) = key.as_mut().and_then(|key| key.pairs.get_mut(place)) {
                change(pair);
            }
        });
    };
    let options = |all: Vec<(String, String)>, chosen: String| {
        let option = move |(value, label): (String, String)| view! { <option value=value.clone() selected={value == chosen}>{label}</option> };
        all.into_iter().map(option).collect_view()
    };
    let remove = Callback::new(move |()| {
        key.update(|key| {
            if let Some(key) = key.as_mut().filter(|key| key.pairs.len() > 1) {
                key.pairs.remove(place);
            }
        });
    });
    view! {
        <div class="gw-keys__pair">
            <select
                class="gw-input"
                aria-label=format!("Column {} of the table that refers", place + 1)
                data-testid="key-from-column"
                on:change=move |event| {
                    let column = event_target_value(&event);
                    set(&|pair| pair.0.clone_from(&column));
                }
            >
                <option value="">"Column"</option>
                {move || options(from.get(), own().0)}
            </select>
            <span>"="</span>
            <select
                class="gw-input"
                aria-label=format!("Column {} of the table referred to", place + 1)
                data-testid="key-to-column"
                on:change=move |event| {
                    let column = event_target_value(&event);
                    set(&|pair| pair.1.clone_from(&column));
                }
            >
                <option value="">"Column"</option>
                {move || options(to.get(), own().1)}
            </select>
            <IconButton label="Remove this pair" icon=Icon::Close on_press=remove/>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples;

    #[test]
    fn a_key_needs_whole_pairs() {
        let draft = samples::draft();
        let mut key = KeyDraft {
            from: TableId::new("t3"),
            to: Some(TableId::new("t1")),
            pairs: vec![("id".into(), String::new())],
        };
        assert_eq!(edit_of(&draft, &key), None);
        key.pairs[0].1 = "id".into();
        let Some(Edit::AddKey { key: made, .. }) = edit_of(&draft, &key) else {
            panic!("no edit")
        };
        assert_eq!((made.target_table.table.as_str(), made.synthetic), ("borrowers", true));
        key.to = None;
        assert_eq!(edit_of(&draft, &key), None);
    }
}
