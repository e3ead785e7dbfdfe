//! A table: what its rows become, its keys, which of its rows count.

use super::inputs::Choice;
use super::key::KeyList;
use super::words::{RuleLine, rules_of};
use crate::components::button::{Button, ButtonTone, IconButton};
use crate::components::icon::{Glyph, Icon};
use crate::pages::mapping::lineage::Thing;
use crate::pages::mapping::offers::OfferList;
use crate::pages::mapping::table_filter::TableFilterField;
use crate::pages::mapping::workbench::use_workbench;
use godwit_shared::edit::drops::DropTarget;
use godwit_shared::ids::{CollectionId, TableId};
use leptos::prelude::*;

#[component]
pub fn TableForm(table: TableId) -> impl IntoView {
    let bench = use_workbench();
    let id = StoredValue::new(table.clone());
    let name = move || id.with_value(|id| bench.with(|draft| draft.table(id).map(|(path, _)| path.name().to_string())));
    let remove = Callback::new(move |()| bench.ask_to_remove_tables(vec![id.get_value()]));
    let rules = Memo::new(move |_| {
        id.with_value(|id| {
            bench.with(|draft| {
                let own = draft.rules_of(id).cloned().collect::<Vec<_>>();
                let all = draft
                    .content
                    .collections
                    .keys()
                    .flat_map(|collection| rules_of(draft, collection));
                let of_table = all.filter(|line| own.contains(&line.rule));
                of_table.collect::<Vec<_>>()
            })
        })
    });
    let line = move |rule: RuleLine| {
        let id = rule.rule.clone();
        view! {
            <li>
                <button type="button" class="gw-forms__rule" on:click=move |_| bench.choose(Thing::Rule(id.clone()))>
                    <Glyph icon=Icon::Collection/>
                    <span class="gw-code">{rule.path}</span>
                    <span class="gw-muted">{rule.kind}</span>
                </button>
            </li>
        }
    };
    let is_unmapped = move || {
        rules
            .with(Vec::is_empty)
            .then(|| view! { <p class="gw-muted">"Its rows become nothing yet."</p> })
    };
    view! {
        <header class="gw-forms__head">
            <Glyph icon=Icon::Table/>
            <h2 class="gw-code" data-testid="table-name">{name}</h2>
            <IconButton label="Remove the table from the project" icon=Icon::Delete on_press=remove attr:data-testid="remove-table"/>
        </header>
        <div class="gw-forms__scroll">
            <section class="gw-forms__part" aria-label="Mappings of the table">
                <header class="gw-forms__part-head"><h3>"Becomes"</h3></header>
                {is_unmapped}
                <ul class="gw-forms__rules">{move || rules.get().into_iter().map(line).collect_view()}</ul>
                <MapTable table=id/>
            </section>
            <KeyList table=table.clone()/>
            <TableFilterField table=table/>
        </div>
    }
}

/// The way to a rule by form: a collection, then what is possible there.
#[component]
fn MapTable(table: StoredValue<TableId>) -> impl IntoView {
    let bench = use_workbench();
    let is_open = RwSignal::new(false);
    let into = RwSignal::new(String::new());
    let options = Memo::new(move |_| {
        let new = (String::new(), "A new collection".to_owned());
        let all = bench.with_content(|content| {
            let collections = content.collections.iter();
            collections
                .map(|(id, collection)| (id.to_string(), collection.name.clone()))
                .collect::<Vec<_>>()
        });
        std::iter::once(new).chain(all).collect::<Vec<_>>()
    });
    let onto = move || match into.get() {
        id if id.is_empty() => DropTarget::Canvas,
        id => DropTarget::Collection(CollectionId::new(id)),
    };
    let done = Callback::new(move |()| is_open.set(false));
    let list = move || {
        let (table, onto) = (table.get_value(), onto());
        view! { <OfferList table=table onto=onto on_done=done/> }
    };
    view! {
        <div>
            <Button
                label="Map the table"
                icon=Icon::Plus
                tone=ButtonTone::Quiet
                on_press=Callback::new(move |()| is_open.update(|is_open| *is_open = !*is_open))
                attr:data-testid="map-table"
            />
        </div>
        <Show when=move || is_open.get()>
            <div class="gw-forms__add">
                <Choice label="Into" value=into options=options on_choose=Callback::new(move |id| into.set(id)) testid="map-table-into"/>
                {list}
            </div>
        </Show>
    }
}
