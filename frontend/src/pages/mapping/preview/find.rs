//! Which documents are looked at: the first, those of rows that hold a text, or the one of a key.

use crate::pages::mapping::workbench::use_workbench;
use godwit_shared::draft::Pick;
use godwit_shared::edit::{Draft, level};
use godwit_shared::ids::CollectionId;
use indexmap::IndexMap;
use leptos::prelude::*;

/// What is entered beside the documents.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Find {
    pub is_by_key: bool,
    pub text: String,
    /// By column, as it is typed.
    pub key: IndexMap<String, String>,
}

/// The columns that tell the rows of a collection's documents apart: those of its first rule.
pub fn key_columns(draft: &Draft, collection: &CollectionId) -> Vec<String> {
    let root = draft.content.roots_of(collection).next();
    let table = root.and_then(|(rule, _)| draft.table_of(rule));
    table.map(|(_, table)| level::key_columns(table)).unwrap_or_default()
}

impl Find {
    /// What is asked for; a key only once it is whole.
    pub fn pick(&self, columns: &[String], limit: u32) -> Pick {
        if self.is_by_key {
            let value = |column: &String| {
                let value = self
                    .key
                    .get(column)
                    .map(|value| value.trim())
                    .filter(|value| !value.is_empty())?;
                Some((column.clone(), value.to_owned()))
            };
            let key: Option<IndexMap<String, String>> = columns.iter().map(value).collect();
            return match key.filter(|key| !key.is_empty()) {
                Some(key) => Pick::Key { key },
                None => Pick::First { limit },
            };
        }
        match self.text.trim() {
            "" => Pick::First { limit },
            text => Pick::Search {
                text: text.to_owned(),
                limit,
            },
        }
    }
}

#[component]
pub fn FindFields(find: RwSignal<Find>) -> impl IntoView {
    let bench = use_workbench();
    let columns = Memo::new(move |_| {
        let collection = bench.collection.get();
        collection
            .map(|id| bench.with(|draft| key_columns(draft, &id)))
            .unwrap_or_default()
    });
    let has_key = Memo::new(move |_| columns.with(|columns| !columns.is_empty()));
    let is_by_key = Memo::new(move |_| find.with(|find| find.is_by_key) && has_key.get());
    let choose = move |event| {
        let is_by_key = event_target_value(&event) == "key";
        find.update(|find| find.is_by_key = is_by_key);
    };
    let input = move |column: String| {
        let (own, label) = (column.clone(), format!("Value of {column}"));
        let value = untrack(|| find.with(|find| find.key.get(&column).cloned())).unwrap_or_default();
        view! {
            <input
                class="gw-input gw-input--code gw-preview__search"
                type="search"
                spellcheck="false"
                autocomplete="off"
                placeholder=column
                aria-label=label
                data-testid="preview-key"
                prop:value=value
                on:input=move |event| find.update(|find| _ = find.key.insert(own.clone(), event_target_value(&event)))
            />
        }
    };
    let fields = move || match is_by_key.get() {
        true => columns.get().into_iter().map(input).collect_view().into_any(),
        false => view! {
            <input
                class="gw-input gw-preview__search"
                type="search"
                placeholder="Rows with…"
                aria-label="Search rows of the documents"
                data-testid="preview-search"
                prop:value=untrack(|| find.with(|find| find.text.clone()))
                on:input=move |event| find.update(|find| find.text = event_target_value(&event))
            />
        }
        .into_any(),
    };
    view! {
        <Show when=move || has_key.get()>
            <select class="gw-input gw-preview__by" aria-label="Find rows by" data-testid="preview-by" on:change=choose>
                <option value="text" selected=move || !is_by_key.get()>"Text"</option>
                <option value="key" selected=move || is_by_key.get()>"Key"</option>
            </select>
        </Show>
        {fields}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples;

    #[test]
    fn a_key_is_asked_for_once_it_is_whole() {
        let columns = ["order_id", "line_no"].map(str::to_owned);
        let mut find = Find {
            is_by_key: true,
            text: "ignored".into(),
            ..Find::default()
        };
        find.key.insert("order_id".into(), " 501 ".into());
        assert_eq!(find.pick(&columns, 3), Pick::First { limit: 3 });
        find.key.insert("line_no".into(), "2".into());
        find.key.insert("of another table".into(), "x".into());
        let Pick::Key { key } = find.pick(&columns, 3) else {
            panic!("no key")
        };
        assert_eq!(
            key.into_iter().collect::<Vec<_>>(),
            [("order_id".into(), "501".into()), ("line_no".into(), "2".into())]
        );
        find.is_by_key = false;
        assert_eq!(
            find.pick(&columns, 3),
            Pick::Search {
                text: "ignored".into(),
                limit: 3
            }
        );
        find.text = " ".into();
        assert_eq!(find.pick(&[], 3), Pick::First { limit: 3 });
    }

    #[test]
    fn the_key_is_that_of_the_first_rule() {
        let draft = samples::draft();
        assert_eq!(key_columns(&draft, &CollectionId::new("c1")), ["id"]);
        assert_eq!(key_columns(&draft, &CollectionId::new("c2")), [] as [&str; 0]);
    }
}
