//! A project without a collection: the first drag, or one collection for each table.

use super::workbench::use_workbench;
use crate::components::button::{Button, ButtonTone};
use crate::components::icon::Icon;
use godwit_shared::edit::{Draft, Edit, NewRule, RulePlace};
use leptos::prelude::*;

/// The edit that makes a collection of each table of the project.
fn filled(draft: &Draft) -> Edit {
    let new = |table: &godwit_shared::ids::TableId| {
        Edit::AddRule(NewRule {
            rule: None,
            table: table.clone(),
            into: RulePlace::NewCollection {
                collection: None,
                name: None,
            },
        })
    };
    Edit::All {
        words: "made a collection of each table".to_owned(),
        edits: draft.content.tables.keys().map(new).collect(),
    }
}

#[component]
pub fn FillButton(on_propose: Callback<()>) -> impl IntoView {
    let bench = use_workbench();
    let is_needed = Memo::new(move |_| {
        bench.with(|draft| draft.content.collections.is_empty() && !draft.content.tables.is_empty())
    });
    let fill = Callback::new(move |()| {
        let edit = bench.draft.with_untracked(filled);
        bench.apply(edit);
        bench.diagram.fit_soon();
    });
    view! {
        <Show when=move || is_needed.get()>
            <div class="gw-mapping__first" data-testid="first-step">
                <p>
                    "This project maps no table yet. Drag a table from the list or from the upper half of the diagram into the lower \
                     half: its rows become documents. Or begin with a model that is proposed, or with one collection for each table."
                </p>
                <Button
                    label="Propose a model"
                    tone=ButtonTone::Primary
                    icon=Icon::Sparkles
                    on_press=on_propose
                    attr:data-testid="propose-first"
                />
                <Button
                    label="Match the relational schema"
                    icon=Icon::Collection
                    on_press=fill
                    attr:data-testid="fill-mapping"
                />
            </div>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use godwit_shared::edit::apply;

    #[test]
    fn every_table_becomes_a_collection() {
        let mut draft = samples::draft();
        draft.content.collections.clear();
        draft.content.mappings.clear();
        draft.content.relationships.mappings.clear();
        let edit = filled(&draft);
        apply(&mut draft, &edit).expect("an edit");
        let names: Vec<_> = draft.content.collections.values().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["borrowers", "loans", "desks"]);
    }
}
