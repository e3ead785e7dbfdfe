//! *Selective migration*: which collections the job writes; all, where nobody says otherwise.

use super::draft::{OptionsDraft, OptionsDraftStoreFields};
use super::use_wizard;
use crate::components::choice::{Checkbox, Share, TriCheckbox};
use crate::components::field::TextField;
use crate::format::number;
use godwit_shared::job::CollectionFilters;
use leptos::prelude::*;
use reactive_stores::Field;

/// What is sent: nothing, where all take part.
pub fn collection_filters(options: &OptionsDraft) -> CollectionFilters {
    CollectionFilters {
        include: vec![],
        exclude: match options.is_selective {
            true => options.left_out.clone(),
            false => vec![],
        },
    }
}

/// How many of these collections take part.
fn count(options: &OptionsDraft, names: &[String]) -> usize {
    names.iter().filter(|name| takes_part(options, name)).count()
}

fn takes_part(options: &OptionsDraft, name: &str) -> bool {
    !options.is_selective || !options.left_out.iter().any(|out| out == name)
}

/// What keeps the user from going on; nothing is said of collections that are not known.
pub fn selection_problem(options: &OptionsDraft, names: &[String]) -> Option<String> {
    let is_nothing = !names.is_empty() && count(options, names) == 0;
    is_nothing.then(|| "Select at least one collection.".into())
}

/// For the summary.
pub fn selection_text(options: &OptionsDraft, names: &[String]) -> String {
    match (options.is_selective, count(options, names)) {
        (false, _) => "All".into(),
        (true, n) => format!("{} of {}", number::count(n as u64), number::count(names.len() as u64)),
    }
}

impl OptionsDraft {
    fn set_part(&mut self, name: &str, takes_part: bool) {
        self.left_out.retain(|out| out != name);
        if !takes_part {
            self.left_out.push(name.to_owned());
        }
    }
}

#[component]
pub fn SelectiveChoice(options: Field<OptionsDraft>) -> impl IntoView {
    let is_selective = options.is_selective();
    view! {
        <Checkbox
            label="Selective migration"
            note="Write only some of the collections; the others stay as they are."
            checked=is_selective
            testid="selective"
        />
        <Show when=move || is_selective.get()><Collections options=options/></Show>
    }
}

#[component]
fn Collections(options: Field<OptionsDraft>) -> impl IntoView {
    let wizard = use_wizard();
    let names = wizard.collections;
    let filter = options.collection_filter();
    let is_shown = move |name: &str| filter.with(|text| name.to_lowercase().contains(&text.trim().to_lowercase()));
    let shown = move || {
        names
            .get()
            .into_iter()
            .filter(|name| is_shown(name))
            .collect::<Vec<_>>()
    };
    let summary = move || {
        let (selected, all) = names.with(|names| (options.with(|options| count(options, names)), names.len()));
        let all = number::counted(all as u64, "collection", "collections");
        format!("{} of {all} selected", number::count(selected as u64))
    };
    let error = move || {
        let problem = names.with(|names| options.with(|options| selection_problem(options, names)));
        problem.filter(|_| wizard.was_tried.get())
    };
    view! {
        <div class="gw-selective">
            <TextField label="Filter" value=filter placeholder="Part of a collection's name" testid="collection-filter"/>
            <ul class="gw-selective__list" tabindex="0" aria-label="Collections">
                <For each=shown key=String::clone let:name><CollectionBox options=options name=name/></For>
            </ul>
            <p role="status" data-testid="collection-count">{summary}</p>
            <p class="gw-field__note gw-field__note--error" role="alert">{error}</p>
        </div>
    }
}

#[component]
fn CollectionBox(options: Field<OptionsDraft>, name: String) -> impl IntoView {
    let label = name.clone();
    let own = name.clone();
    let share = Signal::derive(move || match options.with(|options| takes_part(options, &own)) {
        true => Share::All,
        false => Share::None,
    });
    let change = Callback::new(move |takes_part| options.update(|options| options.set_part(&name, takes_part)));
    view! { <li data-testid="collection-box"><TriCheckbox label=label share=share on_change=change/></li> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_collections_take_part_until_some_are_left_out() {
        let names = ["orders", "customers"].map(String::from);
        let mut options = OptionsDraft::default();
        options.set_part("orders", false);
        assert_eq!(
            (selection_text(&options, &names), selection_problem(&options, &names)),
            ("All".into(), None)
        );
        assert_eq!(collection_filters(&options), CollectionFilters::default());
        options.is_selective = true;
        assert_eq!(selection_text(&options, &names), "1 of 2");
        assert_eq!(collection_filters(&options).exclude, ["orders"]);
        options.set_part("customers", false);
        options.set_part("customers", false);
        assert!(selection_problem(&options, &names).is_some());
        assert_eq!(selection_problem(&options, &[]), None);
        options.set_part("orders", true);
        assert_eq!(collection_filters(&options).exclude, ["customers"]);
    }
}
