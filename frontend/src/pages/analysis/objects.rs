//! *Routines*, *Triggers*, *Views* and *Incompatible features*: what is no table, with its SQL.

use super::ReportSignal;
use crate::components::badge::Badge;
use crate::components::button::Button;
use crate::components::code::CodeView;
use crate::format::number;
use godwit_shared::analysis::{AnalysisReport, ObjectReport};
use leptos::prelude::*;
use std::collections::HashSet;

/// Which ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Routines,
    Triggers,
    Views,
    /// What no migration of rows brings over.
    Incompatible,
}

/// Objects that are shown at once.
const SHOWN: usize = 50;

fn objects_of(report: &AnalysisReport, kind: Kind) -> Vec<ObjectReport> {
    let metrics = &report.db_metrics;
    match kind {
        Kind::Routines => metrics.all_stored_procedures.clone(),
        Kind::Triggers => metrics.all_triggers.clone(),
        Kind::Views => metrics.all_views.clone(),
        Kind::Incompatible => {
            let names: HashSet<(&str, &str)> = (report.rules.iter())
                .filter(|d| d.incompatible_feature_type.is_some())
                .map(|d| (d.dbo_type.word(), d.entity_name.as_str()))
                .collect();
            let lists = [
                ("trigger", &metrics.all_triggers),
                ("routine", &metrics.all_stored_procedures),
                ("view", &metrics.all_views),
            ];
            let all = lists
                .into_iter()
                .flat_map(|(word, list)| list.iter().map(move |object| (word, object)));
            all.filter(|(word, object)| names.contains(&(*word, name_of(object).as_str())))
                .map(|(_, object)| object.clone())
                .collect()
        }
    }
}

fn name_of(object: &ObjectReport) -> String {
    format!("{}.{}", object.path.schema, object.path.name)
}

#[component]
pub fn Objects(report: ReportSignal, kind: Kind) -> impl IntoView {
    let id = Memo::new(move |_| report.get().id.clone());
    let all = Memo::new(move |_| {
        id.track();
        report.with_untracked(|report| objects_of(report, kind))
    });
    let limit = RwSignal::new(SHOWN);
    let count = Memo::new(move |_| all.with(Vec::len));
    let more = Callback::new(move |()| limit.update(|limit| *limit += SHOWN));
    let (label, none) = match kind {
        Kind::Routines => (
            "Routines",
            "There are no procedures and functions in the schemas of the project.",
        ),
        Kind::Triggers => ("Triggers", "The tables of the project have no triggers."),
        Kind::Views => ("Views", "There are no views in the schemas of the project."),
        Kind::Incompatible => (
            "Incompatible features",
            "There is nothing that a migration of rows leaves behind.",
        ),
    };
    let list = move || {
        let shown = all.with(|all| all.iter().take(limit.get()).cloned().collect::<Vec<_>>());
        match shown.is_empty() {
            true => view! { <p class="gw-muted">{none}</p> }.into_any(),
            false => shown
                .into_iter()
                .map(|object| view! { <Item object=object/> })
                .collect_view()
                .into_any(),
        }
    };
    view! {
        <section class="gw-stack" aria-label=label data-testid="analysis-objects">
            {list}
            <Show when=move || { count.get() > limit.get() }>
                <div><Button label=Signal::derive(move || format!("Show more ({} left)", count.get() - limit.get())) on_press=more/></div>
            </Show>
        </section>
    }
}

#[component]
fn Item(object: ObjectReport) -> impl IntoView {
    let name = name_of(&object);
    let mut about = vec![object.kind.clone()];
    about.extend(object.language.clone());
    about.extend(object.table.clone().map(|table| format!("on {table}")));
    about.push(number::counted(object.lines, "line", "lines"));
    let uses = (!object.uses.is_empty()).then(|| format!("Uses {}", object.uses.join(", ")));
    let traits = object
        .traits
        .iter()
        .map(|t| view! { <Badge text=t.clone()/> })
        .collect_view();
    // The SQL of all of them is much to draw.
    let is_open = RwSignal::new(false);
    let sql = StoredValue::new(object.definition);
    let label = format!("SQL of {name}");
    let code = move || {
        let text = sql.get_value();
        is_open.get().then(|| match text.is_empty() {
            true => view! { <p class="gw-muted">"This user may not see the SQL."</p> }.into_any(),
            false => view! { <CodeView label=label.clone() text=text/> }.into_any(),
        })
    };
    view! {
        <article class="gw-panel gw-object" data-testid="analysed-object">
            <header class="gw-panel__head">
                <div class="gw-row">
                    <h3 class="gw-code">{name}</h3>
                    <span class="gw-muted">{about.join(" · ")}</span>
                </div>
                <div class="gw-row">{traits}</div>
            </header>
            <div class="gw-panel__body gw-stack">
                {uses.map(|uses| view! { <p>{uses}</p> })}
                <details class="gw-more" on:toggle=move |_| is_open.set(true)>
                    <summary>"SQL code"</summary>
                    {code}
                </details>
            </div>
        </article>
    }
}
