//! *Manage relational model*: the schema is read again, from the source or from DDL files; what it changes is shown with
//! the rules that are concerned, tables come and go, and all of it is taken over as one step.

mod wanted;

use super::preview::body_of;
use super::source::{SourceDrawer, has_source};
use super::workbench::{Workbench, use_workbench};
use crate::api;
use crate::components::badge::{Badge, Tone};
use crate::components::button::{Button, ButtonTone};
use crate::components::dialog::{Dialog, DialogFoot, DialogSize};
use crate::components::error_panel::ErrorPanel;
use crate::components::icon::Icon;
use crate::components::skeleton::Skeleton;
use crate::format::number;
use crate::format::text::sentence;
use crate::pages::migration::wizard::use_drafts;
use crate::pages::new_project::ddl_files::{DdlFiles, DdlInput, DdlState};
use crate::pages::new_project::selection::{Selection, TableTree};
use crate::pages::new_project::tree::TreeView;
use crate::remote::Remote;
use godwit_shared::ddl::DdlDatabase;
use godwit_shared::draft::RefreshDraft;
use godwit_shared::edit::going::Going;
use godwit_shared::edit::schema::{SchemaChange, SchemaChangeKind, changes};
use godwit_shared::schema::{RelationalModel, TableName};
use leptos::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;
use wanted::{Wanted, consequence, first_selection, shown_changes};

#[component]
pub fn ManageDialog(is_open: RwSignal<bool>) -> impl IntoView {
    let close = Callback::new(move |()| is_open.set(false));
    move || is_open.get().then(|| view! { <Manage on_close=close/> })
}

/// Where the schema is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Source,
    Files,
}

#[component]
fn Manage(on_close: Callback<()>) -> impl IntoView {
    let bench = use_workbench();
    let kind = bench.details.with_value(|details| details.summary.kind.clone());
    let database = DdlDatabase::ALL
        .into_iter()
        .find(|database| database.project_kind() == kind);
    // What this build cannot connect to comes from files.
    let first = if database == Some(DdlDatabase::Postgresql) {
        From::Source
    } else {
        From::Files
    };
    let from = RwSignal::new(first);
    let schema = RwSignal::new(Remote::<Arc<RelationalModel>>::Loading);
    let files = DdlInput::new(database.unwrap_or(DdlDatabase::Postgresql));
    let body = move || match from.get() {
        From::Source => view! { <OfSource schema=schema/> }.into_any(),
        From::Files => view! { <OfFiles schema=schema files=files/> }.into_any(),
    };
    let shown = move || match schema.get() {
        Remote::Ready(full) => Some(view! { <Differences full=full on_close=on_close/> }),
        Remote::Loading | Remote::Failed(_) => None,
    };
    let choice = move |of: From, label: &'static str, testid: &'static str| {
        let press = move |_| {
            if from.get_untracked() != of {
                schema.set(Remote::Loading);
                from.set(of);
            }
        };
        view! {
            <button type="button" class="gw-button" aria-pressed=move || (from.get() == of).to_string() data-testid=testid on:click=press>
                {label}
            </button>
        }
    };
    let is_known = database.is_some();
    let is_postgres = first == From::Source;
    view! {
        <Dialog title="Manage relational model" size=DialogSize::Wide on_close=on_close>
            <div class="gw-dialog__body" data-testid="manage">
                {(is_known && is_postgres).then(|| view! {
                    <div class="gw-toggles gw-manage__from" role="group" aria-label="Read the schema from">
                        {choice(From::Source, "The source as it is now", "manage-source")}
                        {choice(From::Files, "DDL files", "manage-files")}
                    </div>
                })}
                {body}
            </div>
            {shown}
        </Dialog>
    }
}

/// Asks the source when it is shown.
#[component]
fn OfSource(schema: RwSignal<Remote<Arc<RelationalModel>>>) -> impl IntoView {
    let bench = use_workbench();
    let drafts = use_drafts();
    let (version, is_choosing) = (RwSignal::new(0u32), RwSignal::new(false));
    let is_known = Memo::new(move |_| {
        version.track();
        let saved = bench.details.with_value(|details| details.summary.jdbc_id.clone());
        bench.id.with_value(|id| has_source(drafts, id, saved.as_deref()))
    });
    let answer = LocalResource::new(move || {
        version.track();
        let (project, is_known) = (bench.id.get_value(), is_known.get());
        let request = RefreshDraft {
            draft: body_of(bench),
            jdbc_connection_details: drafts.source_of(&project),
        };
        async move {
            match is_known {
                true => Some(api::drafts::refresh(&project, &request).await),
                false => None,
            }
        }
    });
    Effect::new(move |_| {
        let state = match answer.get() {
            None | Some(None) => Remote::Loading,
            Some(Some(Err(error))) => Remote::Failed(error),
            Some(Some(Ok(difference))) => Remote::Ready(Arc::new(difference.full)),
        };
        schema.set(state);
    });
    let again = Callback::new(move |()| {
        schema.set(Remote::Loading);
        version.update(|n| *n += 1);
    });
    let choose = Callback::new(move |()| is_choosing.set(true));
    let close = Callback::new(move |()| is_choosing.set(false));
    let body = move || {
        match (is_known.get(), schema.get()) {
        (false, _) => view! {
            <div class="gw-row">
                <p class="gw-muted">"Nothing says where the tables are: connect the source, or read DDL files."</p>
                <Button label="Connect the source" tone=ButtonTone::Primary icon=Icon::Plug on_press=choose attr:data-testid="manage-connect"/>
            </div>
        }
        .into_any(),
        (true, Remote::Loading) => view! { <Skeleton lines=6/> }.into_any(),
        (true, Remote::Failed(error)) => view! {
            <ErrorPanel error=error retry=again/>
            <div><Button label="Another source" icon=Icon::Plug on_press=choose/></div>
        }
        .into_any(),
        (true, Remote::Ready(_)) => ().into_any(),
    }
    };
    view! {
        {body}
        {move || is_choosing.get().then(|| view! { <SourceDrawer id=bench.id.get_value() on_chosen=again on_close=close/> })}
    }
}

#[component]
fn OfFiles(schema: RwSignal<Remote<Arc<RelationalModel>>>, files: DdlInput) -> impl IntoView {
    Effect::new(move |_| {
        schema.set(match files.state.get() {
            DdlState::Read(read) => Remote::Ready(Arc::new(read.full.clone())),
            DdlState::Nothing | DdlState::Running | DdlState::TooLarge | DdlState::Failed(_) => Remote::Loading,
        });
    });
    view! { <DdlFiles input=files is_fixed=true/> }
}

/// What is wanted of a schema, as long as the dialog is open.
#[derive(Clone, Copy)]
struct Choice {
    bench: Workbench,
    full: StoredValue<Arc<RelationalModel>>,
    tree: StoredValue<Arc<TableTree>>,
    selection: RwSignal<Selection>,
    drops_gone: RwSignal<bool>,
    followed: RwSignal<HashSet<TableName>>,
}

impl Choice {
    fn with<T>(self, read: impl FnOnce(&Wanted<'_>) -> T) -> T {
        let (full, tree) = (self.full.get_value(), self.tree.get_value());
        self.bench.draft.with(|draft| {
            self.selection.with(|selection| {
                self.followed.with(|followed| {
                    read(&Wanted {
                        draft,
                        full: &full,
                        tree: &tree,
                        selection,
                        drops_gone: self.drops_gone.get(),
                        followed,
                    })
                })
            })
        })
    }
}

#[component]
fn Differences(full: Arc<RelationalModel>, on_close: Callback<()>) -> impl IntoView {
    let bench = use_workbench();
    let tree = Arc::new(TableTree::of(&full));
    let found = bench.draft.with_untracked(|draft| changes(draft, &full));
    let selection = bench
        .draft
        .with_untracked(|draft| first_selection(draft, &tree, &found));
    let renamed = found.iter().filter(|change| change.renamed_to.is_some());
    let followed: HashSet<TableName> = renamed.map(|change| change.table.clone()).collect();
    let choice = Choice {
        bench,
        full: StoredValue::new(full),
        tree: StoredValue::new(tree.clone()),
        selection: RwSignal::new(selection),
        drops_gone: RwSignal::new(false),
        followed: RwSignal::new(followed),
    };
    let is_gone = |change: &SchemaChange| {
        matches!(
            change.kind,
            SchemaChangeKind::TableGone | SchemaChangeKind::TableRenamed
        )
    };
    let has_gone = found.iter().any(is_gone);
    let new = found
        .iter()
        .filter(|change| change.kind == SchemaChangeKind::TableAdded)
        .count();
    let filter = RwSignal::new(String::new());
    let edit = Memo::new(move |_| choice.with(|wanted| wanted.edit()));
    let going = Memo::new(move |_| choice.with(|wanted| wanted.going()));
    let accept = Callback::new(move |()| {
        if let Some(edit) = edit.get_untracked()
            && bench.apply(edit).is_some()
        {
            on_close.run(());
        }
    });
    let line = move |going: Going| view! { <li><span class="gw-code">{going.path}</span> " from " {going.table}</li> };
    let goes = move || {
        let going = going.get();
        (!going.is_empty()).then(|| {
            let head = number::counted(going.len() as u64, "rule goes with it:", "rules go with it:");
            view! {
                <div class="gw-manage__going" role="status" data-testid="manage-going">
                    <p>{head}</p>
                    <ul class="gw-going">{going.into_iter().map(line).collect_view()}</ul>
                </div>
            }
        })
    };
    let count = move || {
        let selected = choice.selection.with(Selection::count) as u64;
        let new = match new {
            0 => String::new(),
            n => format!(", {} new", number::count(n as u64)),
        };
        format!("{} in the project{new}", number::counted(selected, "table", "tables"))
    };
    view! {
        <div class="gw-dialog__body gw-manage">
            <ChangeList found=shown_changes(&found) choice=choice/>
            {has_gone.then(|| view! {
                <label class="gw-choice">
                    <input
                        type="checkbox"
                        data-testid="manage-drop-gone"
                        prop:checked=choice.drops_gone
                        on:change=move |event| choice.drops_gone.set(event_target_checked(&event))
                    />
                    <span>"Tables that are gone leave the project with their rules"</span>
                </label>
            })}
            <section class="gw-manage__tables" aria-label="Tables of the project">
                <header class="gw-row">
                    <h3>"Tables"</h3>
                    <p class="gw-muted" role="status" data-testid="manage-count">{count}</p>
                    <input
                        class="gw-input gw-manage__filter"
                        type="search"
                        placeholder="Filter"
                        aria-label="Filter the tables"
                        data-testid="manage-filter"
                        on:input=move |event| filter.set(event_target_value(&event))
                    />
                </header>
                <TreeView tree=tree filter=filter selection=choice.selection/>
            </section>
            {goes}
        </div>
        <DialogFoot
            label="Take it over"
            is_disabled=Signal::derive(move || edit.with(Option::is_none))
            on_press=accept
            on_close=on_close
            testid="manage-take"
        />
    }
}

fn mark(kind: SchemaChangeKind) -> (&'static str, Tone) {
    match kind {
        SchemaChangeKind::TableAdded | SchemaChangeKind::ColumnAdded | SchemaChangeKind::KeyAdded => {
            ("added", Tone::Success)
        }
        SchemaChangeKind::TableGone | SchemaChangeKind::ColumnGone | SchemaChangeKind::KeyGone => {
            ("gone", Tone::Danger)
        }
        SchemaChangeKind::TableRenamed => ("renamed?", Tone::Warning),
        SchemaChangeKind::TypeChanged | SchemaChangeKind::PrimaryKeyChanged | SchemaChangeKind::KeyChanged => {
            ("changed", Tone::Warning)
        }
    }
}

#[component]
fn ChangeList(found: Vec<SchemaChange>, choice: Choice) -> impl IntoView {
    if found.is_empty() {
        return view! {
            <p data-testid="manage-nothing">"Columns and keys of the project's tables are as the source has them."</p>
        }
        .into_any();
    }
    let count = number::counted(found.len() as u64, "change", "changes");
    let line = move |change: SchemaChange| view! { <ChangeLine change=change choice=choice/> };
    view! {
        <section aria-label="What has changed">
            <h3 data-testid="manage-changes">{count}</h3>
            <ul class="gw-manage__changes">{found.into_iter().map(line).collect_view()}</ul>
        </section>
    }
    .into_any()
}

#[component]
fn ChangeLine(change: SchemaChange, choice: Choice) -> impl IntoView {
    let (word, tone) = mark(change.kind);
    let after = choice.bench.draft.with_untracked(|draft| consequence(draft, &change));
    let table = change.table.clone();
    let follow = change.renamed_to.clone().map(|new| {
        let own = table.clone();
        let is_followed = move || choice.followed.with(|followed| followed.contains(&own));
        let set = move |event| {
            choice.followed.update(|followed| match event_target_checked(&event) {
                true => _ = followed.insert(table.clone()),
                false => _ = followed.remove(&table),
            });
        };
        view! {
            <label class="gw-choice">
                <input type="checkbox" data-testid="manage-follow" prop:checked=is_followed on:change=set/>
                <span>"It is called " <span class="gw-code">{new.to_string()}</span> " now: its rules go on with that"</span>
            </label>
        }
    });
    view! {
        <li class="gw-manage__change" data-testid="schema-change">
            <Badge text=word.to_owned() tone=tone/>
            <div>
                <p>{sentence(&change.words)}</p>
                {after.map(|after| view! { <p class="gw-muted">{sentence(&after)}</p> })}
                {follow}
            </div>
        </li>
    }
}
