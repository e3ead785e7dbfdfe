//! *Global casing*

use super::draft::{ProjectDraftStoreFields, casing_name, overriding_casings};
use super::use_new_project;
use crate::components::choice::Radio;
use crate::components::select::{SelectField, SelectOption};
use crate::components::table::{Table, TableColumn};
use godwit_shared::casing::Casing;
use leptos::prelude::*;

const COLUMNS: &[TableColumn] = &[TableColumn::text("In the source"), TableColumn::text("In MongoDB")];
/// Enough to see what the casing does.
const EXAMPLES: usize = 8;

#[component]
pub fn CasingStep() -> impl IntoView {
    let context = use_new_project();
    let keeps = context.draft.keeps_original_names();
    let options: Vec<_> = overriding_casings()
        .map(|casing| SelectOption::new(casing_name(casing), casing_name(casing)))
        .collect();
    view! {
        <div class="gw-form">
            <fieldset class="gw-choice-group">
                <legend class="gw-choice-group__legend">"Names of collections and of their first fields"</legend>
                <Radio
                    label="Override with Global Casing"
                    name="casing"
                    checked=Signal::derive(move || !keeps.get())
                    on_choose=Callback::new(move |()| keeps.set(false))
                    testid="casing-override"
                />
                <Show when=move || !keeps.get()>
                    <div class="gw-indent">
                        <SelectField label="Casing" value=context.draft.casing() options=options.clone() testid="casing"/>
                    </div>
                </Show>
                <Radio
                    label="Keep Original"
                    name="casing"
                    note="Dots and leading dollar signs, which MongoDB cannot hold in a name, become underscores."
                    checked=Signal::derive(move || keeps.get())
                    on_choose=Callback::new(move |()| keeps.set(true))
                    testid="casing-original"
                />
            </fieldset>
            <Examples/>
        </div>
    }
}

/// What the casing makes of names of the source.
#[component]
fn Examples() -> impl IntoView {
    let context = use_new_project();
    let names = Memo::new(move |_| {
        let names = context.schema.with(|read| {
            let read = read.as_ref()?;
            let tables = read.tree.tables.iter().enumerate();
            let selected = tables.filter(|(place, _)| context.selection.with(|s| s.contains(*place)));
            let names = selected.filter_map(|(_, t)| Some((t.path.table.clone(), read.model.table(&t.path.name())?)));
            Some(examples(
                names.map(|(name, table)| (name, table.columns.keys().cloned().collect())),
            ))
        });
        names.unwrap_or_default()
    });
    let row = |name: String, casing: Casing| {
        let cased = casing.apply(&name);
        view! { <tr><td class="gw-code">{name}</td><td class="gw-code">{cased}</td></tr> }
    };
    let rows = move || {
        let casing = context.draft.with(|draft| draft.chosen_casing());
        names.get().into_iter().map(|name| row(name, casing)).collect_view()
    };
    view! { <Table caption="Names of the source and what becomes of them" columns=COLUMNS><tbody>{rows}</tbody></Table> }
}

/// Names that a casing changes most: of several words first, each once.
fn examples(tables: impl Iterator<Item = (String, Vec<String>)>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (table, columns) in tables.take(EXAMPLES) {
        names.push(table);
        names.extend(columns.into_iter().take(EXAMPLES));
    }
    let words = |name: &String| Casing::SnakeCase.apply(name).matches('_').count();
    names.sort_by_key(|name| std::cmp::Reverse(words(name).min(2)));
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names.truncate(EXAMPLES);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_several_words_show_most() {
        let tables = [
            ("orders".to_owned(), vec!["id".to_owned(), "placed_at".to_owned()]),
            ("order_line".to_owned(), vec!["id".to_owned(), "unitPrice".to_owned()]),
        ];
        assert_eq!(
            examples(tables.into_iter()),
            ["placed_at", "order_line", "unitPrice", "orders", "id"]
        );
    }
}
