//! The question before something is deleted, with a list of what goes with it.

use super::lineage::Thing;
use super::workbench::use_workbench;
use crate::components::button::ButtonTone;
use crate::components::dialog::{ConfirmAction, ConfirmDialog};
use godwit_shared::edit::going::{self, Going};
use godwit_shared::edit::{Draft, Edit};
use godwit_shared::ids::{CollectionId, MappingId, TableId};
use leptos::prelude::*;

/// What is to go.
#[derive(Debug, Clone, PartialEq)]
pub enum Deleting {
    Rule(MappingId),
    Collection(CollectionId),
    Tables(Vec<TableId>),
}

impl Deleting {
    fn edit(&self) -> Edit {
        match self.clone() {
            Deleting::Rule(rule) => Edit::DeleteRule { rule },
            Deleting::Collection(collection) => Edit::DeleteCollection { collection },
            Deleting::Tables(tables) => Edit::RemoveTables { tables },
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Deleting::Rule(_) => "Delete this rule?",
            Deleting::Collection(_) => "Delete this collection?",
            Deleting::Tables(tables) if tables.len() == 1 => "Remove this table from the project?",
            Deleting::Tables(_) => "Remove these tables from the project?",
        }
    }

    fn going(&self, draft: &Draft) -> Vec<Going> {
        match self {
            Deleting::Rule(rule) => going::with_rule(draft, rule),
            Deleting::Collection(collection) => going::with_collection(draft, collection),
            Deleting::Tables(tables) => going::with_tables(draft, tables),
        }
    }
}

#[component]
pub fn DeleteDialog() -> impl IntoView {
    let bench = use_workbench();
    let close = Callback::new(move |()| bench.deleting.set(None));
    let confirm = Callback::new(move |()| {
        let Some(deleting) = bench.deleting.get_untracked() else {
            return;
        };
        let collection = bench.collection.get_untracked();
        bench.deleting.set(None);
        if bench.apply(deleting.edit()).is_some() {
            bench
                .chosen
                .set(collection.map(Thing::Collection).into_iter().collect());
        }
    });
    move || {
        bench.deleting.get().map(|deleting| {
            let going = bench.draft.with_untracked(|draft| deleting.going(draft));
            let line = |going: Going| {
                let code = (going.expressions > 0).then_some(" with its JavaScript");
                view! { <li><span class="gw-code">{going.path}</span> " from " {going.table} {code}</li> }
            };
            let nothing = going.is_empty().then(|| view! { <p>"No rule goes with it."</p> });
            let action = ConfirmAction {
                label: "Delete",
                tone: ButtonTone::Danger,
                testid: "confirm-delete",
            };
            view! {
                <ConfirmDialog title=deleting.title() action=action on_confirm=confirm on_close=close>
                    {nothing}
                    <ul class="gw-going">{going.into_iter().map(line).collect_view()}</ul>
                    <p class="gw-muted">"Documents in MongoDB stay as they are. It can be undone."</p>
                </ConfirmDialog>
            }
        })
    }
}
