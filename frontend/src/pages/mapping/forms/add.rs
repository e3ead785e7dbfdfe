//! A table for a collection, by form: which one, and what it can become there.

use super::inputs::Choice;
use super::words::table_choices;
use crate::pages::mapping::offers::OfferList;
use crate::pages::mapping::workbench::use_workbench;
use godwit_shared::edit::drops::DropTarget;
use godwit_shared::ids::{CollectionId, TableId};
use leptos::prelude::*;

#[component]
pub fn AddRule(collection: CollectionId, on_done: Callback<()>) -> impl IntoView {
    let bench = use_workbench();
    let table = RwSignal::new(String::new());
    let options = Memo::new(move |_| {
        let first = (String::new(), "Choose a table".to_owned());
        std::iter::once(first)
            .chain(bench.with(table_choices))
            .collect::<Vec<_>>()
    });
    let choose = Callback::new(move |id: String| table.set(id));
    let offers = move || {
        let table = Some(table.get()).filter(|id| !id.is_empty()).map(TableId::new);
        let onto = DropTarget::Collection(collection.clone());
        table.map(|table| view! { <OfferList table=table onto=onto on_done=on_done/> })
    };
    view! {
        <div class="gw-forms__add">
            <Choice label="Table" value=table options=options on_choose=choose testid="add-rule-table"/>
            {offers}
        </div>
    }
}
