//! *History*: the jobs of the project by day, newest first.

mod group;
mod item;

use super::use_migration;
use crate::clock::use_now;
use crate::components::button::{Button, ButtonTone};
use crate::components::icon::Icon;
use crate::components::skeleton::Skeleton;
use crate::live::use_live;
use crate::routes::{self, WizardStart};
use chrono::Local;
use godwit_shared::ids::JobId;
use group::{DayGroup, by_day};
use item::HistoryItem;
use leptos::prelude::*;
use leptos_router::components::A;

#[component]
pub fn HistoryPane() -> impl IntoView {
    let context = use_migration();
    let create = Callback::new(move |()| context.open_wizard(WizardStart::Empty));
    let has_no_rules = context.has_no_rules();
    view! {
        <aside class="gw-history" aria-label="History">
            <div class="gw-history__head">
                <Button
                    label="Create migration job"
                    tone=ButtonTone::Primary
                    icon=Icon::Plus
                    is_disabled=has_no_rules
                    on_press=create
                    attr:data-testid="create-job"
                />
                <Show when=move || has_no_rules.get()><NoRules/></Show>
                <h2>"History"</h2>
            </div>
            <HistoryList/>
        </aside>
    }
}

/// Why there is no job to create, and the way to one.
#[component]
fn NoRules() -> impl IntoView {
    let project = use_migration().project;
    let href = move || project.with(routes::mapping);
    view! {
        <p class="gw-muted" data-testid="no-rules">
            "This project maps no table yet, and a job needs at least one collection. See "
            <A href=href>"Mapping"</A>
            "."
        </p>
    }
}

#[component]
fn HistoryList() -> impl IntoView {
    let live = use_live();
    let context = use_migration();
    let now = use_now();
    let today = Memo::new(move |_| now.get().with_timezone(&Local).date_naive());
    let groups = Memo::new(move |_| {
        let project = context.project.get();
        live.with_jobs(|jobs| by_day(jobs.filter(|job| job.project_id == project), today.get(), &Local))
    });
    let labels = move || groups.with(|all| all.iter().map(|group| group.label.clone()).collect::<Vec<_>>());
    let is_loading = Memo::new(move |_| !live.is_loaded() && groups.with(Vec::is_empty));
    let is_empty = Memo::new(move |_| live.is_loaded() && groups.with(Vec::is_empty));
    view! {
        <div class="gw-history__list">
            {move || is_loading.get().then(|| view! { <Skeleton lines=4/> })}
            {move || is_empty.get().then(|| view! { <p class="gw-muted">"No jobs yet."</p> })}
            <For each=labels key=String::clone let:label><DaySection label=label groups=groups/></For>
        </div>
    }
}

#[component]
fn DaySection(label: String, groups: Memo<Vec<DayGroup>>) -> impl IntoView {
    let live = use_live();
    let heading = label.clone();
    let jobs = move || groups.with(|all| all.iter().find(|g| g.label == label).map(|g| g.jobs.clone()));
    let item = move |id: JobId| live.job(&id).map(|job| view! { <HistoryItem job=job/> });
    view! {
        <section>
            <h3 class="gw-history__day">{heading}</h3>
            <ol>
                <For each=move || jobs().unwrap_or_default() key=JobId::clone children=item/>
            </ol>
        </section>
    }
}
