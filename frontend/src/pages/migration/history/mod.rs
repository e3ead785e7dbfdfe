//! *History*: the jobs of the project by day, newest first.

mod group;
mod item;

use super::present::{job_status, mode_label};
use super::use_migration;
use crate::clock::use_now;
use crate::components::button::{Button, ButtonTone};
use crate::components::icon::Icon;
use crate::components::skeleton::Skeleton;
use crate::live::use_live;
use crate::routes::{self, WizardStart};
use chrono::Local;
use godwit_shared::ids::JobId;
use godwit_shared::job::MigrationJobStatus;
use group::{DayGroup, by_day};
use item::HistoryItem;
use leptos::prelude::*;
use leptos_router::components::A;

/// So few jobs are seen at one glance.
const FILTERED_FROM: usize = 3;

#[component]
pub fn HistoryPane() -> impl IntoView {
    let context = use_migration();
    let create = Callback::new(move |()| context.open_wizard(WizardStart::Empty));
    let has_no_rules = context.has_no_rules();
    let (live, filter) = (use_live(), RwSignal::new(String::new()));
    let has_many = Memo::new(move |_| {
        let project = context.project.get();
        live.with_jobs(|jobs| jobs.filter(|job| job.project_id == project).count() > FILTERED_FROM)
    });
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
                <Show when=move || has_many.get()>
                    <input
                        type="search"
                        class="gw-input"
                        placeholder="Filter"
                        aria-label="Filter the history"
                        data-testid="history-filter"
                        prop:value=filter
                        on:input=move |event| filter.set(event_target_value(&event))
                    />
                </Show>
            </div>
            <HistoryList filter=filter/>
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
fn HistoryList(filter: RwSignal<String>) -> impl IntoView {
    let live = use_live();
    let context = use_migration();
    let now = use_now();
    let today = Memo::new(move |_| now.get().with_timezone(&Local).date_naive());
    let groups = Memo::new(move |_| {
        let project = context.project.get();
        let text = filter.get();
        live.with_jobs(|jobs| {
            let own = jobs.filter(|job| job.project_id == project && is_found(job, &text));
            by_day(own, today.get(), &Local)
        })
    });
    let labels = move || groups.with(|all| all.iter().map(|group| group.label.clone()).collect::<Vec<_>>());
    let is_loading = Memo::new(move |_| !live.is_loaded() && groups.with(Vec::is_empty));
    let is_empty = Memo::new(move |_| live.is_loaded() && groups.with(Vec::is_empty));
    view! {
        <div class="gw-history__list">
            {move || is_loading.get().then(|| view! { <Skeleton lines=4/> })}
            {move || is_empty.get().then(|| {
                let text = if filter.with(String::is_empty) { "No jobs yet." } else { "No job fits the filter." };
                view! { <p class="gw-muted">{text}</p> }
            })}
            <For each=labels key=String::clone let:label><DaySection label=label groups=groups/></For>
        </div>
    }
}

/// Whether a job has the text in its name, note, mode, status or id, whatever its case.
fn is_found(job: &MigrationJobStatus, text: &str) -> bool {
    let text = text.trim().to_lowercase();
    let status = job_status(job).label;
    let texts = [
        job.name.as_deref(),
        job.note.as_deref(),
        Some(mode_label(job.options.mode)),
        Some(&*status),
        Some(job.id.as_str()),
    ];
    let mut texts = texts.into_iter().flatten();
    text.is_empty() || texts.any(|other| other.to_lowercase().contains(&text))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::present::tests::job;
    use godwit_shared::job::JobStatus;

    #[test]
    fn a_job_is_found_by_what_its_row_says() {
        let mut named = job(JobStatus::Failed);
        named.name = Some("Rehearsal 3".into());
        for text in ["", " rehearsal", "FAILED", "snapshot"] {
            assert!(is_found(&named, text), "{text}");
        }
        assert!(!is_found(&named, "continuous"));
    }
}
