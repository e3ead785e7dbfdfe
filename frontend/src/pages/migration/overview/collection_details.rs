//! A collection of a job, looked at more closely.

use super::JobSignal;
use super::figures::NONE;
use crate::api;
use crate::components::code::{CodeLanguage, CodeView};
use crate::components::drawer::Drawer;
use crate::components::error_panel::ErrorPanel;
use crate::components::skeleton::Skeleton;
use crate::format::number;
use crate::pages::migration::use_migration;
use crate::routes;
use godwit_shared::job::{JobUpdate, LocationType, MigrationJobStatus};
use godwit_shared::written::CollectionDetails;
use leptos::prelude::*;

#[component]
pub fn CollectionDrawer(job: JobSignal, name: String, on_close: Callback<()>) -> impl IntoView {
    let (id, wanted) = (job.get_untracked().id.clone(), name.clone());
    let found = LocalResource::new(move || {
        let (id, name) = (id.clone(), wanted.clone());
        async move { api::jobs::collection(&id, &name).await }
    });
    let body = move || match found.get() {
        None => view! { <Skeleton lines=5/> }.into_any(),
        Some(Err(error)) => view! { <ErrorPanel error=error/> }.into_any(),
        Some(Ok(details)) => view! { <Details details=details/> }.into_any(),
    };
    let title = name.clone();
    view! {
        <Drawer title=title on_close=on_close>
            <div class="gw-dialog__body gw-stack" data-testid="collection-details">
                {body}
                <OwnIssues job=job name=name.clone()/>
                <RuleOf name=name/>
            </div>
        </Drawer>
    }
}

#[component]
fn Details(details: CollectionDetails) -> impl IntoView {
    let bytes = |n: Option<u64>| n.map_or_else(|| NONE.to_owned(), |n| number::bytes(n as f64));
    let looked_at = match details.looked_at == details.documents {
        true => "all of them".to_owned(),
        false => format!("{} of them, by chance", number::count(details.looked_at)),
    };
    let sample = details.sample.map(|sample| {
        let text = serde_json::to_string_pretty(&sample).unwrap_or_default();
        view! { <h3>"A document"</h3><CodeView label="A document of the collection" text=text language=CodeLanguage::Json/> }
    });
    view! {
        <dl class="gw-figures">
            <div class="gw-figure"><dt>"Documents now"</dt><dd>{number::count(details.documents)}</dd></div>
            <div class="gw-figure"><dt>"Average size"</dt><dd>{bytes(details.average_bytes)}</dd></div>
            <div class="gw-figure"><dt>"Largest"</dt><dd>{bytes(details.largest_bytes)}</dd></div>
            <div class="gw-figure"><dt>"Sizes are those of"</dt><dd>{looked_at}</dd></div>
        </dl>
        {sample}
    }
}

/// What the log says of the collection.
#[component]
fn OwnIssues(job: JobSignal, name: String) -> impl IntoView {
    let collections = use_migration().collections();
    let lines = Memo::new(move |_| {
        let tables = collections.with(|all| {
            let own = all.iter().find(|c| c.name == name);
            own.map(|c| c.tables.clone()).unwrap_or_default()
        });
        issues_of(&job.get(), &name, &tables)
    });
    let line = |(message, count): (String, u64)| view! { <li>{message} " (" {number::count(count)} ")"</li> };
    let list = move || match lines.get() {
        lines if lines.is_empty() => view! { <p class="gw-muted">"None."</p> }.into_any(),
        lines => view! { <ul class="gw-bullets">{lines.into_iter().map(line).collect_view()}</ul> }.into_any(),
    };
    view! { <h3>"Issues"</h3>{list} }
}

fn issues_of(job: &MigrationJobStatus, name: &str, tables: &[String]) -> Vec<(String, u64)> {
    let is_own = |update: &&JobUpdate| match (update.location_type, &update.location_name) {
        (Some(LocationType::Collection), Some(place)) => place == name,
        (Some(LocationType::Table), Some(place)) => tables.contains(place),
        _ => false,
    };
    let own = job.job_updates.iter().filter(is_own);
    own.map(|update| (update.message.clone(), update.count)).collect()
}

#[component]
fn RuleOf(name: String) -> impl IntoView {
    let context = use_migration();
    let collections = context.collections();
    let path = Memo::new(move |_| {
        let id = collections.with(|all| all.iter().find(|c| c.name == name).map(|c| c.id.clone()));
        id.map(|id| routes::mapping_of(&context.project.get(), &id))
    });
    move || {
        path.get()
            .map(|path| view! { <p><a href=path>"Its rules in the mapping"</a></p> })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::present::tests::job;
    use godwit_shared::job::JobStatus;
    use serde_json::json;

    #[test]
    fn issues_of_the_collection_and_of_its_tables() {
        let mut job = job(JobStatus::Completed);
        let update = |kind: &str, place: &str, count: u64| {
            let update = json!({"eventType": "ERROR", "stage": "SNAPSHOTTING", "message": place, "count": count,
                "timestamp": "2026-11-03T10:00:00Z", "errorCode": "x", "locationType": kind, "locationName": place});
            serde_json::from_value::<JobUpdate>(update).expect("an update")
        };
        job.job_updates = vec![
            update("TABLE", "shop.orders", 2),
            update("TABLE", "shop.other", 3),
            update("COLLECTION", "orders", 1),
        ];
        let found = issues_of(&job, "orders", &["shop.orders".to_owned()]);
        assert_eq!(found, [("shop.orders".to_owned(), 2), ("orders".to_owned(), 1)]);
    }
}
