//! Two jobs side by side.

use crate::components::dialog::{Dialog, DialogSize};
use crate::components::table::{Table, TableColumn};
use crate::format::{number, time};
use crate::live::use_live;
use crate::pages::migration::overview::JobSignal;
use crate::pages::migration::present::{job_status, mode_label};
use chrono::Local;
use godwit_shared::ids::JobId;
use godwit_shared::job::MigrationJobStatus;
use leptos::prelude::*;

const COLUMNS: &[TableColumn] = &[
    TableColumn::text("What"),
    TableColumn::text("This job"),
    TableColumn::text("The other one"),
];

#[component]
pub fn CompareDialog(job: JobSignal, on_close: Callback<()>) -> impl IntoView {
    let live = use_live();
    let this = job.get_untracked();
    let others: Vec<MigrationJobStatus> = untrack(|| {
        live.with_jobs(|jobs| {
            let others = jobs.filter(|other| other.project_id == this.project_id && other.id != this.id);
            others.cloned().collect()
        })
    });
    let first = others.first().map(|other| other.id.clone());
    let options = others
        .iter()
        .map(|other| view! { <option value=other.id.to_string()>{title_of(other)}</option> })
        .collect_view();
    let chosen = RwSignal::new(first);
    let on_change = move |event| chosen.set(Some(JobId::new(event_target_value(&event))));
    let others = StoredValue::new(others);
    let rows = move || {
        let id = chosen.get()?;
        let other = others.with_value(|all| all.iter().find(|other| other.id == id).cloned())?;
        Some(comparison(&job.get(), &other).into_iter().map(row).collect_view())
    };
    let is_alone = others.with_value(Vec::is_empty);
    let body = match is_alone {
        true => view! { <p class="gw-muted">"The project has no other job."</p> }.into_any(),
        false => view! {
            <label class="gw-field__box">
                <span class="gw-field__label">"Compare with"</span>
                <select class="gw-input" data-testid="compare-with" on:change=on_change>{options}</select>
            </label>
            <div data-testid="comparison">
                <Table caption="Two jobs side by side" columns=COLUMNS><tbody>{rows}</tbody></Table>
            </div>
        }
        .into_any(),
    };
    view! {
        <Dialog title="Compare jobs" size=DialogSize::Wide on_close=on_close>
            <div class="gw-dialog__body gw-stack">{body}</div>
        </Dialog>
    }
}

fn title_of(job: &MigrationJobStatus) -> String {
    let started = time::date_and_clock(job.submitted_at, &Local);
    match &job.name {
        Some(name) => format!("{name}, {started}"),
        None => format!("{}, {started}", mode_label(job.options.mode)),
    }
}

fn row((what, this, other): (String, String, String)) -> impl IntoView {
    let differs = this != other;
    view! {
        <tr data-differs=differs.to_string()>
            <th scope="row">{what}</th>
            <td>{this}</td>
            <td>{other}</td>
        </tr>
    }
}

/// What a person compares, line by line.
fn comparison(this: &MigrationJobStatus, other: &MigrationJobStatus) -> Vec<(String, String, String)> {
    let mut lines = Vec::new();
    let mut add = |what: &str, value: &dyn Fn(&MigrationJobStatus) -> String| {
        lines.push((what.to_owned(), value(this), value(other)));
    };
    add("Started", &|j| time::date_and_clock(j.submitted_at, &Local));
    add("Status", &|j| job_status(j).label.into_owned());
    add("Mode", &|j| mode_label(j.options.mode).to_owned());
    add("Duration", &|j| {
        j.ended_at.map_or_else(
            || "–".into(),
            |end| time::duration(time::seconds_between(j.submitted_at, end)),
        )
    });
    add("Source", &|j| j.jdbc_connection_string.clone());
    add("Destination", &|j| j.mongo_db_connection_string.clone());
    add("Collections dropped first", &|j| {
        if j.options.drop_collections { "yes" } else { "no" }.to_owned()
    });
    add("Rows read", &|j| number::count(j.statistics.total_events_seen));
    add("Documents written", &|j| number::count(j.statistics.documents_written));
    add("Data written", &|j| number::bytes(j.statistics.bytes_written as f64));
    add("Errors", &|j| number::count(j.statistics.errors));
    add("Warnings", &|j| number::count(j.statistics.warnings));
    let mut names: Vec<&str> = [this, other]
        .iter()
        .flat_map(|j| j.statistics.collections.iter().map(|c| &*c.collection))
        .collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        add(&format!("Documents of {name}"), &|j| {
            let found = j.statistics.collections.iter().find(|c| c.collection == name);
            found.map_or_else(|| "–".into(), |c| number::count(c.documents_written))
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::present::tests::job;
    use godwit_shared::job::{CollectionProgress, JobStatus};

    #[test]
    fn what_differs_stands_side_by_side() {
        let mut this = job(JobStatus::Completed);
        this.statistics.documents_written = 1_200;
        this.statistics.collections = vec![CollectionProgress {
            collection: "orders".into(),
            documents_written: 1_200,
            ..Default::default()
        }];
        let mut other = job(JobStatus::Failed);
        other.options.drop_collections = true;
        let differing: Vec<_> = comparison(&this, &other)
            .into_iter()
            .filter(|(_, a, b)| a != b)
            .collect();
        let shown: Vec<(&str, &str, &str)> = differing.iter().map(|(w, a, b)| (&**w, &**a, &**b)).collect();
        assert_eq!(
            shown,
            [
                ("Status", "Completed", "Failed"),
                ("Collections dropped first", "no", "yes"),
                ("Documents written", "1,200", "0"),
                ("Documents of orders", "1,200", "–"),
            ]
        );
    }
}
