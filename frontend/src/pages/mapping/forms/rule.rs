//! One rule: what it becomes, where, by which key, which rows, and its notes.

use super::calculated::NewCalculated;
use super::code_area::{CodeArea, Language};
use super::faults::error_at;
use super::inputs::{Choice, TextArea, TextInput, Toggle};
use super::words::{
    key_choices, key_of_value, key_value, link_choices, shape_choices, shape_label, shape_of_value, shape_value,
    table_name,
};
use crate::components::button::{Button, ButtonTone};
use crate::components::icon::Icon;
use crate::pages::mapping::workbench::use_workbench;
use godwit_shared::edit::joins::shape_of;
use godwit_shared::edit::{Edit, Part, Place, Shape};
use godwit_shared::ids::MappingId;
use godwit_shared::mapping::{ArrayConditions, ArraySort, Mapping, SortOrder};
use leptos::prelude::*;

/// The limit that an array without one begins with.
const LIMIT: u32 = 10;

#[component]
pub fn RuleForm(rule: MappingId) -> impl IntoView {
    let bench = use_workbench();
    let id = StoredValue::new(rule);
    let shape = Memo::new(move |_| id.with_value(|id| bench.with(|draft| draft.rule(id).and_then(shape_of))));
    let is_root = Memo::new(move |_| id.with_value(|id| bench.with(|draft| draft.is_root(id))));
    let table = move || id.with_value(|id| bench.with(|draft| draft.rule(id).map(|rule| table_name(draft, rule))));
    let kind = move || shape.get().map_or("New documents", shape_label);
    let delete = Callback::new(move |()| bench.ask_to_delete(id.get_value()));
    let is_array = Memo::new(move |_| matches!(shape.get(), Some(Shape::Array | Shape::Values)));
    view! {
        <section class="gw-forms__part" aria-label="Settings of the rule" data-testid="rule-form">
            <header class="gw-forms__part-head">
                <h3><span class="gw-code">{table}</span> " · " {kind}</h3>
                <Button label="Delete" icon=Icon::Delete tone=ButtonTone::Quiet on_press=delete attr:data-testid="delete-rule"/>
            </header>
            <Show when=move || !is_root.get()><EmbeddingFields rule=id shape=shape/></Show>
            <Show when=move || is_root.get()><KeyField rule=id/></Show>
            <NewCalculated rule=id/>
            <FilterField rule=id/>
            <Show when=move || is_array.get()><ConditionFields rule=id/></Show>
            <NotesField rule=id/>
        </section>
    }
}

/// A text of the rule, empty where it has none.
fn text_of(rule: StoredValue<MappingId>, read: fn(&Mapping) -> Option<String>) -> Signal<String> {
    let bench = use_workbench();
    let text = Memo::new(move |_| {
        let found = rule.with_value(|id| bench.with(|draft| draft.rule(id).and_then(read)));
        found.unwrap_or_default()
    });
    text.into()
}

fn error(rule: StoredValue<MappingId>, part: Part) -> Signal<Option<String>> {
    error_at(Place::of_rule(&rule.get_value(), part))
}

#[component]
fn EmbeddingFields(rule: StoredValue<MappingId>, shape: Memo<Option<Shape>>) -> impl IntoView {
    let bench = use_workbench();
    let choices = Memo::new(move |_| rule.with_value(|id| bench.with(|draft| shape_choices(draft, id))));
    let links = Memo::new(move |_| rule.with_value(|id| bench.with(|draft| link_choices(draft, id))));
    let value = Signal::derive(move || shape.get().map(shape_value).unwrap_or_default().to_owned());
    let set_shape = Callback::new(move |value: String| {
        if let Some(shape) = shape_of_value(&value) {
            let (rule, field) = (rule.get_value(), None);
            bench.apply(Edit::SetShape { rule, shape, field });
        }
    });
    let path = text_of(rule, |rule| rule.settings.embedded_path.clone());
    let set_path = Callback::new(move |path: String| {
        let rule = rule.get_value();
        bench.apply(Edit::SetPath { rule, path });
    });
    let link = text_of(rule, |rule| rule.settings.foreign_key_name.clone());
    let set_link = Callback::new(move |key: String| {
        let rule = rule.get_value();
        let key = Some(key).filter(|key| !key.is_empty());
        bench.apply(Edit::SetLink { rule, key });
    });
    let has_name = Memo::new(move |_| shape.get() != Some(Shape::Merged));
    let has_links = Memo::new(move |_| links.with(|links| links.len() > 1));
    let joined = move || links.with(|links| links.first().map(|(_, text)| text.clone()));
    view! {
        <Choice
            label="Migrate table as"
            value=value
            options=choices
            on_choose=set_shape
            testid="rule-shape"
        />
        <Show when=move || has_name.get()>
            <TextInput
                label="Field name"
                value=path
                on_commit=set_path
                error=error(rule, Part::Path)
                is_code=true
                testid="rule-path"
            />
        </Show>
        <Show
            when=move || has_links.get()
            fallback=move || view! { <p class="gw-muted">"Joined by " <span class="gw-code">{joined}</span></p> }
        >
            <Choice
                label="Foreign key link"
                value=link
                options=links
                on_choose=set_link
                error=error(rule, Part::Link)
                testid="rule-link"
            />
        </Show>
    }
}

#[component]
fn KeyField(rule: StoredValue<MappingId>) -> impl IntoView {
    let bench = use_workbench();
    let options = Memo::new(move |_| bench.with_content(|content| key_choices(content.settings.key_handling)));
    let value = text_of(rule, |rule| Some(key_value(rule.settings.key_handling).to_owned()));
    let choose = Callback::new(move |value: String| {
        let rule = Some(rule.get_value());
        let handling = key_of_value(&value);
        bench.apply(Edit::SetKeyHandling { rule, handling });
    });
    view! {
        <Choice label="Key of the documents (_id)" value=value options=options on_choose=choose error=error(rule, Part::Id) testid="rule-key"/>
    }
}

#[component]
fn FilterField(rule: StoredValue<MappingId>) -> impl IntoView {
    let bench = use_workbench();
    let value = text_of(rule, |rule| {
        rule.settings
            .rule_filter
            .as_ref()
            .map(|filter| filter.expression.clone())
    });
    let commit = Callback::new(move |text: String| {
        let rule = rule.get_value();
        let expression = Some(text).filter(|text| !text.trim().is_empty());
        bench.apply(Edit::SetRuleFilter { rule, expression });
    });
    view! {
        <CodeArea
            label="Only rows where (JavaScript)"
            value=value
            on_commit=commit
            error=error(rule, Part::RuleFilter)
            language=Language::Javascript
            placeholder="columns[\"status\"] == \"S\""
            testid="rule-filter"
        />
    }
}

#[component]
fn NotesField(rule: StoredValue<MappingId>) -> impl IntoView {
    let bench = use_workbench();
    let value = text_of(rule, |rule| rule.settings.notes.clone());
    let commit = Callback::new(move |notes: String| {
        let rule = rule.get_value();
        bench.apply(Edit::SetNotes { rule, notes });
    });
    view! { <TextArea label="Notes" value=value on_commit=commit testid="rule-notes"/> }
}

#[component]
fn ConditionFields(rule: StoredValue<MappingId>) -> impl IntoView {
    let bench = use_workbench();
    let now = Memo::new(move |_| {
        let found = rule.with_value(|id| bench.with(|draft| draft.rule(id)?.settings.array_conditions.clone()));
        found.unwrap_or_default()
    });
    let set = move |change: &dyn Fn(&mut ArrayConditions)| {
        let mut wanted = now.get_untracked();
        change(&mut wanted);
        bench.apply(Edit::SetConditions {
            rule: rule.get_value(),
            as_document: wanted.as_document == Some(true) && wanted.limit == Some(1),
            sort: wanted.sort,
            limit: wanted.limit,
        });
    };
    let columns = Memo::new(move |_| {
        let table = rule.with_value(|id| {
            bench.with(|draft| {
                draft
                    .table_of(id)
                    .map(|(_, table)| table.columns.keys().cloned().collect::<Vec<_>>())
            })
        });
        let none = (String::new(), "In the order of the key".to_owned());
        let of = |column: String| (column.clone(), column);
        std::iter::once(none)
            .chain(table.unwrap_or_default().into_iter().map(of))
            .collect::<Vec<_>>()
    });
    let sort = Signal::derive(move || {
        now.with(|now| now.sort.as_ref().map(|sort| sort.field.clone()))
            .unwrap_or_default()
    });
    let set_sort = Callback::new(move |field: String| {
        set(&|now: &mut ArrayConditions| {
            let order = now.sort.as_ref().map(|sort| sort.order).unwrap_or_default();
            now.sort = (!field.is_empty()).then(|| ArraySort {
                field: field.clone(),
                order,
            });
        });
    });
    let is_descending =
        Signal::derive(move || now.with(|now| now.sort.as_ref().is_some_and(|sort| sort.order == SortOrder::Desc)));
    let set_order = Callback::new(move |is_on: bool| {
        set(&|now: &mut ArrayConditions| {
            if let Some(sort) = &mut now.sort {
                sort.order = if is_on { SortOrder::Desc } else { SortOrder::Asc };
            }
        });
    });
    let limit = Signal::derive(move || {
        now.with(|now| now.limit.map(|limit| limit.to_string()))
            .unwrap_or_default()
    });
    let set_limit = Callback::new(move |text: String| {
        let limit = match text.trim() {
            "" => None,
            text => Some(text.parse().unwrap_or(LIMIT)),
        };
        set(&|now: &mut ArrayConditions| now.limit = limit);
    });
    let is_document = Signal::derive(move || now.with(|now| now.as_document == Some(true)));
    let set_document =
        Callback::new(move |is_on: bool| set(&|now: &mut ArrayConditions| now.as_document = Some(is_on)));
    let has_sort = Memo::new(move |_| now.with(|now| now.sort.is_some()));
    let is_one = Memo::new(move |_| now.with(|now| now.limit == Some(1)));
    view! {
        <div class="gw-form__row">
            <Choice label="Sorted by" value=sort options=columns on_choose=set_sort error=error(rule, Part::Conditions) testid="rule-sort"/>
            <TextInput label="At most" value=limit on_commit=set_limit placeholder="all elements" testid="rule-limit"/>
        </div>
        <Show when=move || has_sort.get()>
            <Toggle label="Descending" is_on=is_descending on_change=set_order testid="rule-descending"/>
        </Show>
        <Show when=move || is_one.get()>
            <Toggle label="The one element as a document, not an array" is_on=is_document on_change=set_document testid="rule-as-document"/>
        </Show>
    }
}
