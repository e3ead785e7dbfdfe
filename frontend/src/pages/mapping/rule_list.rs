//! The rules of the chosen collection with their settings.

use super::rules::{FieldView, RuleView, Setting, is_time_series, rules_of};
use super::use_mapping;
use crate::components::badge::{Badge, Tone};
use crate::components::icon::{Glyph, Icon};
use crate::components::table::{Table, TableColumn};
use crate::format::number;
use leptos::prelude::*;

const COLUMNS: &[TableColumn] = &[
    TableColumn::text("Field"),
    TableColumn::text("Type"),
    TableColumn::text("Made of"),
    TableColumn::text("Source type"),
    TableColumn::text("Null"),
];

#[component]
pub fn RulePane() -> impl IntoView {
    let context = use_mapping();
    let name = move || context.collection.get().map(|id| context.name_of(&id));
    let rules = Memo::new(move |_| {
        let id = context.collection.get()?;
        Some(
            context
                .project
                .with_value(|project| rules_of(project.content(), &project.model, &id)),
        )
    });
    let is_time_series = Memo::new(move |_| {
        let id = context.collection.get();
        id.is_some_and(|id| context.with_content(|content| is_time_series(content, &id)))
    });
    let count = Signal::derive(move || {
        let count = rules.with(|rules| rules.as_ref().map_or(0, Vec::len));
        number::counted(count as u64, "rule", "rules")
    });
    let list = move || match rules.get().unwrap_or_default() {
        rules if rules.is_empty() => view! {
            <p class="gw-muted">"No table feeds this collection: a job leaves it alone."</p>
        }
        .into_any(),
        rules => rules
            .into_iter()
            .map(|rule| view! { <RuleCard rule=rule/> })
            .collect_view()
            .into_any(),
    };
    view! {
        <section class="gw-mapping__pane" aria-label="Rules" data-testid="rules">
            <header class="gw-mapping__pane-head">
                <h2 class="gw-code" data-testid="collection-name">{name}</h2>
                <Badge text=count/>
                {move || is_time_series.get().then(|| view! { <TimeSeriesBadge/> })}
            </header>
            <div class="gw-mapping__scroll gw-rules" tabindex="0" role="region" aria-label="Rules of the collection">{list}</div>
        </section>
    }
}

#[component]
fn TimeSeriesBadge() -> impl IntoView {
    let title = "This version cannot write time series collections: make it a regular one";
    view! { <Badge text="Time series".to_owned() tone=Tone::Warning attr:title=title attr:data-testid="time-series"/> }
}

#[component]
fn RuleCard(rule: RuleView) -> impl IntoView {
    let tone = match rule.level {
        0 => Tone::Accent,
        _ => Tone::Neutral,
    };
    let is_root = rule.level == 0;
    let setting = |setting: Setting| view! { <SettingLine setting=setting/> };
    view! {
        <article class="gw-rule" style=format!("--level: {}", rule.level) data-testid="rule">
            <header class="gw-rule__head">
                <Glyph icon=Icon::Table/>
                <h3 class="gw-rule__table gw-code">{rule.table}</h3>
                <Badge text=rule.kind.to_owned() tone=tone/>
            </header>
            <dl class="gw-rule__settings">{rule.settings.into_iter().map(setting).collect_view()}</dl>
            <FieldTable fields=rule.fields left_out=rule.left_out is_open=is_root/>
        </article>
    }
}

#[component]
fn SettingLine(setting: Setting) -> impl IntoView {
    let class = setting.is_code.then_some("gw-code");
    view! { <div><dt>{setting.label}</dt><dd class=class>{setting.text}</dd></div> }
}

#[component]
fn FieldTable(fields: Vec<FieldView>, left_out: Vec<String>, is_open: bool) -> impl IntoView {
    let count = number::counted(fields.len() as u64, "field", "fields");
    let excluded = (!left_out.is_empty()).then(|| {
        view! {
            <p class="gw-rule__left-out">
                <span class="gw-muted">"Left out: "</span>
                <span class="gw-code">{left_out.join(", ")}</span>
            </p>
        }
    });
    let row = |field: FieldView| {
        let key = field.is_key.then(|| {
            view! { <span class="gw-rule__key" title="Primary key"><Glyph icon=Icon::Key/><span class="gw-visually-hidden">"Primary key"</span></span> }
        });
        let null = match field.keeps_null {
            true => ("Kept", "Where it is null, the document has the field with null"),
            false => ("Left out", "Where it is null, the document does not have the field"),
        };
        view! {
            <tr>
                <td class="gw-code">{field.name}</td>
                <td>{field.kind}</td>
                <td class="gw-code">{field.source}{key}</td>
                <td class="gw-muted">{field.source_type}</td>
                <td title=null.1>{null.0}</td>
            </tr>
        }
    };
    view! {
        <details class="gw-rule__fields" prop:open=is_open>
            <summary>{count}</summary>
            <Table caption="Fields of the rule" columns=COLUMNS>
                <tbody>{fields.into_iter().map(row).collect_view()}</tbody>
            </Table>
            {excluded}
        </details>
    }
}
