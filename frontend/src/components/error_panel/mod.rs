//! What went wrong, and what to do about it.

use super::button::Button;
use super::icon::{Glyph, Icon};
use crate::api::ApiError;
use crate::format::text::sentence;
use crate::live::use_live;
use crate::routes::MigrationView;
use godwit_shared::ids::JobId;
use leptos::html;
use leptos::prelude::*;

/// An error of the API; with `retry` a button that tries again.
#[component]
pub fn ErrorPanel(error: ApiError, #[prop(optional, into)] retry: Option<Callback<()>>) -> impl IntoView {
    let (message, hint, code) = (error.message(), error.hint(), error.code_text());
    let job = error.job().cloned().map(|id| view! { <JobLink id=id/> });
    let button = retry.map(|retry| view! { <Button label="Try again" icon=Icon::Retry on_press=retry/> });
    view! {
        <ErrorBox message=message hint=hint code=code>{job} {button}</ErrorBox>
    }
}

/// Leads to the job that an error is about; nothing, where the page does not know it.
#[component]
fn JobLink(id: JobId) -> impl IntoView {
    let live = use_live();
    let path = Memo::new(move |_| {
        live.with_jobs(|jobs| {
            let mut found = jobs.filter(|job| job.id == id);
            let job = found.next()?;
            Some(MigrationView::of_job(job.id.clone()).path(&job.project_id))
        })
    });
    move || {
        path.get()
            .map(|path| view! { <a href=path data-testid="job-link">"Show that job"</a> })
    }
}

/// The error of a step that is longer than its window: it is brought into sight.
#[component]
pub fn StepError(failure: RwSignal<Option<ApiError>>) -> impl IntoView {
    let place = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        let (Some(_), Some(place)) = (failure.get(), place.get()) else {
            return;
        };
        // After it has been rendered.
        request_animation_frame(move || place.scroll_into_view());
    });
    view! { <div class="gw-error-place" node_ref=place>{move || failure.get().map(|error| view! { <ErrorPanel error=error/> })}</div> }
}

/// The frame of an error, for those that do not come from a request as well.
#[component]
pub fn ErrorBox(
    #[prop(into)] message: String,
    #[prop(into)] hint: String,
    /// The stable code; empty: none.
    #[prop(into)]
    code: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    // What is to be run stands below the sentence, not in it.
    let (hint, script) = match hint.split_once('\n') {
        Some((sentence, script)) => (sentence.to_owned(), script.to_owned()),
        None => (hint, String::new()),
    };
    let script =
        (!script.is_empty()).then(|| view! { <pre class="gw-code gw-error__script" tabindex="0">{script}</pre> });
    let code = (!code.is_empty()).then(|| view! { <code class="gw-error__code">{code}</code> });
    view! {
        <div class="gw-error" role="alert">
            <Glyph icon=Icon::Error/>
            <div class="gw-error__text">
                <p class="gw-error__message" data-testid="error-message">{sentence(&message)}</p>
                <p>{sentence(&hint)}</p>
                {script}
                {code}
            </div>
            {children.map(|children| children())}
        </div>
    }
}
