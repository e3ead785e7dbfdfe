//! The foreign keys of a table; synthetic ones can be made, changed and removed.

use super::words::Choice;
use crate::components::button::{Button, ButtonTone, IconButton};
use crate::components::icon::{Glyph, Icon};
use crate::pages::mapping::lineage::Thing;
use crate::pages::mapping::workbench::use_workbench;
use godwit_shared::edit::{Draft, Edit};
use godwit_shared::ids::TableId;
use leptos::prelude::*;

/// One key in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KeyLine {
    name: String,
    text: String,
    is_synthetic: bool,
}

fn keys_of(draft: &Draft, id: &TableId) -> Vec<KeyLine> {
    let Some((path, table)) = draft.table(id) else {
        return Vec::new();
    };
    let line = |(name, key): (&String, &godwit_shared::schema::ForeignKey)| {
        let pairs = key.column_mappings.iter().map(|pair| {
            format!(
                "{}.{} = {}.{}",
                path.table, pair.source, key.target_table.table, pair.target
            )
        });
        KeyLine {
            name: name.clone(),
            text: pairs.collect::<Vec<_>>().join(" and "),
            is_synthetic: key.synthetic,
        }
    };
    table.foreign_keys.iter().map(line).collect()
}

/// The columns of a table, for lists.
pub fn column_choices(draft: &Draft, id: &TableId) -> Vec<Choice> {
    let columns = draft.table(id).into_iter().flat_map(|(_, table)| &table.columns);
    columns
        .map(|(name, column)| (name.clone(), format!("{name} ({})", column.kind.database_specific_type)))
        .collect()
}

#[component]
pub fn KeyList(table: TableId) -> impl IntoView {
    let bench = use_workbench();
    let id = StoredValue::new(table);
    let keys = Memo::new(move |_| id.with_value(|id| bench.with(|draft| keys_of(draft, id))));
    let add = Callback::new(move |()| bench.draw_key(id.get_value(), None, Vec::new()));
    let line = move |key: KeyLine| {
        let thing = Thing::Key {
            table: id.get_value(),
            name: key.name.clone(),
        };
        let own = thing.clone();
        let is_chosen = move || bench.chosen.with(|chosen| chosen.first() == Some(&own));
        let name = StoredValue::new(key.name);
        let remove = key.is_synthetic.then(|| {
            let press = Callback::new(move |()| {
                let (table, name) = (id.get_value(), name.get_value());
                bench.choose(Thing::Table(table.clone()));
                bench.apply(Edit::RemoveKey { table, name });
            });
            view! { <IconButton label="Remove the synthetic key" icon=Icon::Delete on_press=press attr:data-testid="remove-key"/> }
        });
        let note = if key.is_synthetic { "synthetic" } else { "" };
        view! {
            <li class="gw-forms__key">
                <button
                    type="button"
                    class="gw-forms__rule"
                    aria-pressed=move || is_chosen().to_string()
                    data-testid="key"
                    on:click=move |_| bench.choose(thing.clone())
                >
                    <Glyph icon=Icon::Link/>
                    <span class="gw-code">{key.text}</span>
                    <span class="gw-muted">{note}</span>
                </button>
                {remove}
            </li>
        }
    };
    view! {
        <section class="gw-forms__part" aria-label="Foreign keys">
            <header class="gw-forms__part-head">
                <h3>"Foreign keys"</h3>
                <Button label="Add a synthetic key" icon=Icon::Plus tone=ButtonTone::Quiet on_press=add attr:data-testid="add-key"/>
            </header>
            <ul class="gw-forms__rules">{move || keys.get().into_iter().map(line).collect_view()}</ul>
        </section>
    }
}
