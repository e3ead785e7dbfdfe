//! A collection: its name, its documents line by line, its rules, and the settings of the line that is chosen.

use super::add::AddRule;
use super::calculated::CalculatedForm;
use super::column::ColumnForm;
use super::faults::{FaultList, error_at};
use super::inputs::TextInput;
use super::rule::RuleForm;
use super::time_series::TimeSeriesFields;
use super::words::{RuleLine, rules_of};
use crate::components::button::{Button, ButtonTone, IconButton};
use crate::components::icon::{Glyph, Icon};
use crate::pages::mapping::lineage::Thing;
use crate::pages::mapping::outline::OutlineView;
use crate::pages::mapping::workbench::use_workbench;
use godwit_shared::edit::tree::{self, Origin};
use godwit_shared::edit::{Edit, Part, Place};
use godwit_shared::ids::{CollectionId, MappingId};
use leptos::prelude::*;

#[component]
pub fn CollectionForm(collection: CollectionId) -> impl IntoView {
    let bench = use_workbench();
    let id = StoredValue::new(collection.clone());
    let name = Signal::derive(move || id.with_value(|id| bench.name_of(id)));
    let rename = Callback::new(move |name: String| {
        let collection = id.get_value();
        bench.apply(Edit::RenameCollection { collection, name });
    });
    let error = error_at(Place::of_collection(&collection, Part::Name));
    let delete = Callback::new(move |()| bench.ask_to_delete_collection(id.get_value()));
    let is_adding = RwSignal::new(false);
    let is_empty = Memo::new(move |_| id.with_value(|id| bench.with(|draft| rules_of(draft, id).is_empty())));
    view! {
        <header class="gw-forms__head">
            <Glyph icon=Icon::Collection/>
            <TextInput label="Collection" value=name on_commit=rename error=error is_code=true testid="collection-name"/>
            <IconButton label="Delete the collection" icon=Icon::Delete on_press=delete attr:data-testid="delete-collection"/>
        </header>
        <div class="gw-forms__scroll">
            <FaultList collection=collection.clone()/>
            <OutlineView/>
        </div>
        <div class="gw-forms__scroll gw-forms__scroll--details">
            <Details collection=id/>
            <section class="gw-forms__part" aria-label="Rules">
                <header class="gw-forms__part-head">
                    <h3>"Rules"</h3>
                    <Button
                        label="Add a table"
                        icon=Icon::Plus
                        tone=ButtonTone::Quiet
                        on_press=Callback::new(move |()| is_adding.update(|is_adding| *is_adding = !*is_adding))
                        attr:data-testid="add-rule"
                    />
                </header>
                <Show when=move || is_adding.get() || is_empty.get()>
                    <AddRule collection=id.get_value() on_done=Callback::new(move |()| is_adding.set(false))/>
                </Show>
                <RuleList collection=collection.clone()/>
            </section>
            <TimeSeriesFields collection=collection/>
        </div>
    }
}

#[component]
fn RuleList(collection: CollectionId) -> impl IntoView {
    let bench = use_workbench();
    let rules = Memo::new(move |_| bench.with(|draft| rules_of(draft, &collection)));
    let line = move |rule: RuleLine| {
        let id = rule.rule.clone();
        let own = id.clone();
        let is_chosen = move || {
            bench
                .chosen
                .with(|chosen| chosen.first() == Some(&Thing::Rule(own.clone())))
        };
        view! {
            <li style=format!("--level: {}", rule.level)>
                <button
                    type="button"
                    class="gw-forms__rule"
                    aria-pressed=move || is_chosen().to_string()
                    data-testid="rule"
                    data-rule=rule.rule.to_string()
                    on:click=move |_| bench.choose(Thing::Rule(id.clone()))
                >
                    <Glyph icon=Icon::Table/>
                    <span class="gw-code">{rule.table}</span>
                    <span class="gw-muted">{rule.kind}</span>
                </button>
            </li>
        }
    };
    view! { <ul class="gw-forms__rules">{move || rules.get().into_iter().map(line).collect_view()}</ul> }
}

/// What the settings below the documents are about.
#[derive(Debug, Clone, PartialEq)]
enum About {
    Rule(MappingId),
    Column { rule: MappingId, column: String },
    Calculated { rule: MappingId, id: String },
    Nothing,
}

#[component]
fn Details(collection: StoredValue<CollectionId>) -> impl IntoView {
    let bench = use_workbench();
    let path = super::chosen_path();
    let about = Memo::new(move |_| {
        let rule = bench.rule_in_hand();
        bench.with(|draft| match (rule, path.get()) {
            (Some(rule), _) => About::Rule(rule),
            (None, Some(path)) => {
                let tree = collection.with_value(|id| tree::of(draft, id));
                match tree.at(&path).map(|node| (node.rule.clone(), node.origin.clone())) {
                    Some((rule, Origin::Column(column))) => About::Column { rule, column },
                    Some((rule, Origin::Calculated(id))) => About::Calculated { rule, id },
                    Some((rule, Origin::Id | Origin::Group | Origin::Rule(_))) => About::Rule(rule),
                    None => About::Nothing,
                }
            }
            (None, None) => {
                let root = collection.with_value(|id| draft.content.roots_of(id).next().map(|(id, _)| id.clone()));
                root.map_or(About::Nothing, About::Rule)
            }
        })
    });
    move || match about.get() {
        About::Rule(rule) => view! { <RuleForm rule=rule/> }.into_any(),
        About::Column { rule, column } => view! { <ColumnForm rule=rule column=column/> }.into_any(),
        About::Calculated { rule, id } => view! { <CalculatedForm rule=rule id=id/> }.into_any(),
        About::Nothing => ().into_any(),
    }
}
