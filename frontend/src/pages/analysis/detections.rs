//! *All detections*: by rule, filtered, each with what to do and whether it is resolved.

use super::ReportSignal;
use super::filter::{Filter, groups};
use super::state::Analysis;
use crate::components::badge::{Badge, Tone};
use crate::components::button::Button;
use crate::format::number;
use godwit_shared::analysis::{Category, Detection, Level};
use leptos::prelude::*;

/// Detections of a rule that are shown at once.
const SHOWN: usize = 50;

/// The colour of a level.
pub fn tone_of(level: Level) -> Tone {
    match level {
        Level::Task => Tone::Danger,
        Level::Risk => Tone::Warning,
        Level::Notice => Tone::Accent,
    }
}

#[component]
pub fn Detections(report: ReportSignal) -> impl IntoView {
    let filter = RwSignal::new(Filter::default());
    let shown = Memo::new(move |_| filter.with(|filter| groups(&report.get(), filter)));
    let resolved = Memo::new(move |_| report.get().resolved_rules.len());
    let list = move || {
        let all = shown.get();
        match all.is_empty() {
            true => view! { <p class="gw-muted" data-testid="no-detections">"No detection matches."</p> }.into_any(),
            false => all
                .into_iter()
                .map(|group| view! { <Group group=group report=report/> })
                .collect_view()
                .into_any(),
        }
    };
    let count = move || {
        let count: usize = shown.with(|all| all.iter().map(Vec::len).sum());
        number::counted(count as u64, "detection", "detections")
    };
    view! {
        <section class="gw-stack" aria-label="All detections" data-testid="detections">
            <FilterBar filter=filter resolved=resolved/>
            <p class="gw-muted" role="status" data-testid="detection-count">{count}</p>
            {list}
        </section>
    }
}

#[component]
fn FilterBar(filter: RwSignal<Filter>, resolved: Memo<usize>) -> impl IntoView {
    let level = move |of: Option<Level>, label: &'static str, testid: &'static str| {
        view! {
            <button
                type="button"
                class="gw-button"
                aria-pressed=move || filter.with(|f| f.level == of).to_string()
                data-testid=testid
                on:click=move |_| filter.update(|f| f.level = of)
            >
                {label}
            </button>
        }
    };
    let category = move |event| {
        let value = event_target_value(&event);
        let chosen = Category::ALL.into_iter().find(|c| c.word() == value);
        filter.update(|f| f.category = chosen);
    };
    let option = |category: Category| view! { <option value=category.word()>{category.word()}</option> };
    let with_resolved = move |event| filter.update(|f| f.with_resolved = event_target_checked(&event));
    view! {
        <div class="gw-row gw-analysis__filters">
            <div class="gw-toggles" role="group" aria-label="Level">
                {level(None, "Show all", "level-all")}
                {level(Some(Level::Task), "Tasks only", "level-task")}
                {level(Some(Level::Risk), "Risks only", "level-risk")}
                {level(Some(Level::Notice), "Notes only", "level-notice")}
            </div>
            <select class="gw-input gw-analysis__select" aria-label="Category" data-testid="detection-category" on:change=category>
                <option value="">"All categories"</option>
                {Category::ALL.map(option).collect_view()}
            </select>
            <input
                class="gw-input gw-analysis__search"
                type="search"
                placeholder="Object, rule or column"
                aria-label="Search in detections"
                data-testid="detection-search"
                on:input=move |event| filter.update(|f| f.text = event_target_value(&event))
            />
            <label class="gw-analysis__check">
                <input type="checkbox" data-testid="include-resolved" on:change=with_resolved/>
                <span>{move || format!("Include resolved detections ({})", resolved.get())}</span>
            </label>
        </div>
    }
}

/// The detections of one rule.
#[component]
fn Group(group: Vec<Detection>, report: ReportSignal) -> impl IntoView {
    let first = group[0].clone();
    let count = group.len();
    // What is to be done may be another thing for each object.
    let is_shared = group.iter().all(|d| d.mitigation_text == first.mitigation_text);
    let limit = RwSignal::new(SHOWN);
    let more = Callback::new(move |()| limit.update(|limit| *limit += SHOWN));
    let group = StoredValue::new(group);
    let rows = move || {
        let shown = group.with_value(|group| group.iter().take(limit.get()).cloned().collect::<Vec<_>>());
        shown
            .into_iter()
            .map(|d| view! { <Row detection=d report=report tells_what_to_do=!is_shared/> })
            .collect_view()
    };
    let shared = is_shared.then(|| {
        view! { <p class="gw-detections__todo"><strong>"What to do: "</strong>{first.mitigation_text.clone()}</p> }
    });
    let heading = format!("rule-{}-{}", first.rule, first.rule_type.word());
    let labelled_by = heading.clone();
    view! {
        <section class="gw-panel gw-detections" aria-labelledby=labelled_by data-testid=format!("rule-{}", first.rule)>
            <header class="gw-panel__head">
                <div class="gw-row">
                    <Badge text=first.rule_type.word().to_owned() tone=tone_of(first.rule_type)/>
                    <h3 id=heading>{first.rule_name.clone()}</h3>
                    <span class="gw-muted">{number::counted(count as u64, "object", "objects")}</span>
                </div>
                <span class="gw-muted">{format!("{} · difficulty {}", first.category.word(), first.difficulty.word())}</span>
            </header>
            {shared}
            <ul class="gw-detections__list">{rows}</ul>
            <Show when=move || { count > limit.get() }>
                <div class="gw-detections__more">
                    <Button label=Signal::derive(move || format!("Show more ({} left)", count - limit.get())) on_press=more/>
                </div>
            </Show>
        </section>
    }
}

#[component]
fn Row(detection: Detection, report: ReportSignal, tells_what_to_do: bool) -> impl IntoView {
    let analysis = Analysis::of_page();
    let id = StoredValue::new(detection.id.clone());
    let is_resolved = Memo::new(move |_| id.with_value(|id| report.get().is_resolved(id)));
    let toggle = move |event| analysis.resolve(id.get_value(), event_target_checked(&event));
    let todo =
        tells_what_to_do.then(|| view! { <p><strong>"What to do: "</strong>{detection.mitigation_text.clone()}</p> });
    let label = format!("Resolved: {}, {}", detection.entity_name, detection.rule_name);
    view! {
        <li class="gw-detections__row" data-resolved=move || is_resolved.get().to_string() data-testid="detection">
            <div>
                <p class="gw-code gw-detections__name">{detection.entity_name.clone()}</p>
                <p>{detection.detection_text.clone()}</p>
                {todo}
            </div>
            <label class="gw-analysis__check">
                <input
                    type="checkbox"
                    aria-label=label
                    data-testid="resolve"
                    prop:checked=move || is_resolved.get()
                    on:change=toggle
                />
                <span aria-hidden="true">"Resolved"</span>
            </label>
        </li>
    }
}
