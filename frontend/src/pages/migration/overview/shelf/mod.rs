//! What one may do with a job besides running it: name it, compare it, keep its report, repeat it elsewhere, remove it.

mod compare;
mod curl;
mod delete;
mod label;

use super::JobSignal;
use crate::api::jobs::{report_download_url, report_url};
use crate::components::button::{Button, ButtonTone, DownloadLink};
use crate::components::icon::{Glyph, Icon};
use compare::CompareDialog;
use curl::CurlDialog;
use delete::{DeleteJobDialog, DeleteWrittenDialog};
use label::LabelDialog;
use leptos::prelude::*;

/// What is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Label,
    Compare,
    Curl,
    DeleteWritten,
    DeleteJob,
}

#[component]
pub fn JobShelf(job: JobSignal) -> impl IntoView {
    let open = RwSignal::new(None::<Open>);
    let show = move |what: Open| Callback::new(move |()| open.set(Some(what)));
    let is_ended = Memo::new(move |_| job.get().status.is_ended());
    let id = job.get_untracked().id.clone();
    let name = Memo::new(move |_| job.get().name.clone());
    let note = Memo::new(move |_| job.get().note.clone());
    let title = move || name.get().map(|name| view! { <h3 data-testid="job-name">{name}</h3> });
    let text = move || {
        note.get()
            .map(|note| view! { <p class="gw-shelf__note" data-testid="job-note">{note}</p> })
    };
    view! {
        <section class="gw-panel gw-panel__body gw-stack gw-shelf" aria-label="Name, report and more">
            {title}
            {text}
            <div class="gw-row gw-shelf__buttons">
                <Button
                    label="Name and note"
                    tone=ButtonTone::Quiet
                    icon=Icon::Rename
                    on_press=show(Open::Label)
                    attr:data-testid="label-job"
                />
                <a class="gw-button gw-button--quiet" href=report_url(&id) target="_blank" rel="external" data-testid="report">
                    <Glyph icon=Icon::Info/>
                    <span>"Report"</span>
                </a>
                <DownloadLink
                    label="Report as JSON"
                    href=report_download_url(&id)
                    file_name=format!("report-{id}.json")
                    is_wide=true
                />
                <Button
                    label="Compare"
                    tone=ButtonTone::Quiet
                    icon=Icon::Copy
                    on_press=show(Open::Compare)
                    attr:data-testid="compare-jobs"
                />
                <Button
                    label="Copy as curl"
                    tone=ButtonTone::Quiet
                    icon=Icon::CopyText
                    on_press=show(Open::Curl)
                    attr:data-testid="copy-curl"
                />
                <Show when=move || is_ended.get()>
                    <Button
                        label="Delete what it wrote"
                        tone=ButtonTone::Quiet
                        icon=Icon::Delete
                        on_press=show(Open::DeleteWritten)
                        attr:data-testid="delete-written"
                    />
                    <Button
                        label="Delete from history"
                        tone=ButtonTone::Quiet
                        icon=Icon::Delete
                        on_press=show(Open::DeleteJob)
                        attr:data-testid="delete-job"
                    />
                </Show>
            </div>
        </section>
        <OpenDialog job=job open=open/>
    }
}

#[component]
fn OpenDialog(job: JobSignal, open: RwSignal<Option<Open>>) -> impl IntoView {
    let close = Callback::new(move |()| open.set(None));
    move || {
        let dialog = match open.get()? {
            Open::Label => view! { <LabelDialog job=job on_close=close/> }.into_any(),
            Open::Compare => view! { <CompareDialog job=job on_close=close/> }.into_any(),
            Open::Curl => view! { <CurlDialog job=job on_close=close/> }.into_any(),
            Open::DeleteWritten => view! { <DeleteWrittenDialog job=job on_close=close/> }.into_any(),
            Open::DeleteJob => view! { <DeleteJobDialog job=job on_close=close/> }.into_any(),
        };
        Some(dialog)
    }
}
