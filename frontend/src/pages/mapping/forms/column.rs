//! The field of a column: its name, its type, what becomes of a null.

use super::faults::error_at;
use super::inputs::{TextInput, Toggle};
use crate::pages::mapping::workbench::use_workbench;
use godwit_shared::edit::{Edit, Part, Place, types};
use godwit_shared::ids::MappingId;
use godwit_shared::mapping::Field;
use leptos::prelude::*;

#[component]
pub fn ColumnForm(rule: MappingId, column: String) -> impl IntoView {
    let bench = use_workbench();
    let place = Place::of_rule(&rule, Part::Column { column: column.clone() });
    let title = column.clone();
    let at = StoredValue::new((rule, column));
    let field =
        move || at.with_value(|(rule, column)| bench.with(|draft| draft.rule(rule)?.fields.get(column).cloned()));
    let of = move |read: fn(&Field) -> bool| Signal::derive(move || field().is_some_and(|field| read(&field)));
    let name = Signal::derive(move || field().map(|field| field.target.name).unwrap_or_default());
    let rename = Callback::new(move |name: String| {
        let (rule, column) = at.get_value();
        bench.apply(Edit::RenameField { rule, column, name });
    });
    let include = Callback::new(move |included: bool| {
        let (rule, column) = at.get_value();
        let columns = vec![column];
        bench.apply(Edit::IncludeFields {
            rule,
            columns,
            included,
        });
    });
    let omit = Callback::new(move |omit: bool| {
        let (rule, column) = at.get_value();
        let columns = vec![column];
        bench.apply(Edit::SetFieldNulls { rule, columns, omit });
    });
    let source = move || {
        at.with_value(|(rule, column)| {
            bench.with(|draft| {
                let (path, table) = draft.table_of(rule)?;
                let column = table.columns.get(column)?;
                let null = if column.nullable { ", may be null" } else { "" };
                Some(format!("{}, {}{null}", path.name(), column.kind.database_specific_type))
            })
        })
    };
    let loses = move || {
        at.with_value(|(rule, column)| {
            bench.with(|draft| {
                let asked = draft.rule(rule)?.fields.get(column)?.target.kind;
                let column = draft.table_of(rule)?.1.columns.get(column)?;
                let choice = types::choices(column).into_iter().find(|choice| choice.kind == asked)?;
                choice.loses.map(|what| format!("With this type, {what}."))
            })
        })
    };
    view! {
        <section class="gw-forms__part" aria-label="Settings of the field" data-testid="column-form">
            <header class="gw-forms__part-head"><h3>"Column " <span class="gw-code">{title}</span></h3></header>
            <p class="gw-muted">{source}</p>
            <TextInput label="Field name (a dot nests)" value=name on_commit=rename error=error_at(place) is_code=true testid="field-name"/>
            <Toggle label="In the documents" is_on=of(|field| field.target.included) on_change=include testid="field-included"/>
            <Toggle label="Leave the field out where it is null" is_on=of(|field| field.target.is_null_excluded) on_change=omit testid="field-omit"/>
            <p class="gw-forms__warning">{loses}</p>
        </section>
    }
}
