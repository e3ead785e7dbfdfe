//! Whether the source is ready for a job of the chosen mode: asked at once, and again when something else is chosen.
//!
//! A failed check does not keep the user from going on: the server decides when the job starts.

mod details;
mod report;

use super::draft::{Draft, DraftStoreFields, OptionsDraftStoreFields};
use super::request::mode;
use super::selective::collection_filters;
use super::use_wizard;
use crate::api::{self, ApiError};
use crate::components::badge::Tone;
use crate::components::banner::Banner;
use crate::components::button::{Button, ButtonTone};
use crate::components::choice::Checkbox;
use crate::components::icon::{Glyph, Icon};
use crate::components::toast::use_toasts;
use crate::connections::details::source_details;
use crate::format::text::sentence;
use crate::pages::migration::use_migration;
use details::DetailsDialog;
use godwit_shared::ids::ProjectId;
use godwit_shared::job::MigrationMode;
use godwit_shared::preflight::{PreflightReport, PreflightRequest};
use leptos::prelude::*;
use leptos::task::spawn_local;
use report::{Counts, advice, headline, outcome};

const SCRIPT_FILE: &str = "prepare-source.sql";

#[derive(Debug, Clone, PartialEq)]
pub enum PreflightState {
    Unasked,
    Running,
    /// The checks could not be run: that says nothing about the source.
    NotRun(ApiError),
    Ready(PreflightReport),
}

/// The checks of the draft's source. Of several runs the newest counts.
#[derive(Clone, Copy)]
pub struct Preflight {
    state: RwSignal<PreflightState>,
    run: StoredValue<u32>,
}

impl Preflight {
    pub fn new() -> Self {
        Self {
            state: RwSignal::new(PreflightState::Unasked),
            run: StoredValue::new(0),
        }
    }

    pub fn with_state<R>(self, read: impl FnOnce(&PreflightState) -> R) -> R {
        self.state.with(read)
    }

    /// What was found does not hold any more.
    fn forget(self) {
        self.run.update_value(|run| *run += 1);
        self.state.set(PreflightState::Unasked);
    }

    /// What is known of the same mode stays in sight until there is something newer.
    fn start(self, project: ProjectId, mode: MigrationMode, request: PreflightRequest) {
        let run = self.run.get_value() + 1;
        self.run.set_value(run);
        let is_known = |state: &PreflightState| matches!(state, PreflightState::Ready(report) if report.mode == mode);
        if !self.state.with_untracked(is_known) {
            self.state.set(PreflightState::Running);
        }
        spawn_local(async move {
            let answer = api::preflight::check(&project, mode, &request).await;
            // The wizard may be closed by now.
            if self.run.try_get_value() == Some(run) {
                self.state.set(match answer {
                    Ok(report) => PreflightState::Ready(report),
                    Err(error) => PreflightState::NotRun(error),
                });
            }
        });
    }
}

/// What is asked: the mode, and the source as the job will read it.
fn question(draft: &Draft) -> (MigrationMode, PreflightRequest) {
    let request = PreflightRequest {
        jdbc_connection_details: Some(source_details(&draft.source)),
        relational_table_filters: Default::default(),
        collection_filters: collection_filters(&draft.options),
    };
    (mode(&draft.options), request)
}

/// For the summary: what the checks came to.
pub fn verdict(state: &PreflightState, is_prepared: bool) -> String {
    match state {
        PreflightState::Unasked => "Not run".into(),
        PreflightState::Running => "Running".into(),
        PreflightState::NotRun(_) => "Could not be run".into(),
        PreflightState::Ready(report) => outcome(Counts::of(report), is_prepared),
    }
}

#[component]
pub fn PreflightPart() -> impl IntoView {
    let wizard = use_wizard();
    let project = use_migration().project;
    let check = Callback::new(move |()| {
        let (mode, request) = wizard.draft.with_untracked(question);
        wizard.preflight.start(project.get_untracked(), mode, request);
    });
    wizard.preflight.forget();
    let subject = Memo::new(move |_| {
        let options = wizard.draft.options();
        options.with(|options| (options.is_continuous, collection_filters(options)))
    });
    Effect::new(move |_| {
        // Read, not only tracked: a memo that nobody reads never looks at what it depends on.
        subject.get();
        check.run(());
    });
    let view = move || match wizard.preflight.state.get() {
        PreflightState::Unasked | PreflightState::Running => view! { <Checking/> }.into_any(),
        PreflightState::NotRun(error) => view! { <NotRun error=error on_retry=check/> }.into_any(),
        PreflightState::Ready(report) => view! { <Outcome report=report on_retry=check/> }.into_any(),
    };
    view! { <div class="gw-preflight" aria-live="polite">{view}</div> }
}

#[component]
fn Checking() -> impl IntoView {
    view! {
        <p class="gw-preflight__line gw-muted">
            <Glyph icon=Icon::Spinner/>
            "Checking whether the source is ready"
        </p>
    }
}

#[component]
fn NotRun(error: ApiError, on_retry: Callback<()>) -> impl IntoView {
    view! {
        <Banner tone=Tone::Danger title="The preflight checks could not be run" attr:data-testid="preflight-not-run">
            <p>{sentence(&error.message())}</p>
            <p>{sentence(&error.hint())}</p>
            <div class="gw-row"><Button label="Check again" icon=Icon::Retry on_press=on_retry/></div>
        </Banner>
    }
}

#[component]
fn Outcome(report: PreflightReport, on_retry: Callback<()>) -> impl IntoView {
    let counts = Counts::of(&report);
    let prepares = use_wizard().draft.options().prepare_source();
    // Nothing to prepare: what was ticked before does not hold any more.
    if counts.preparable == 0 {
        prepares.set(false);
    }
    let is_showing = RwSignal::new(false);
    let show = Callback::new(move |()| is_showing.set(true));
    let close = Callback::new(move |()| is_showing.set(false));
    let dialog = move || {
        let report = report.clone();
        is_showing
            .get()
            .then(|| view! { <DetailsDialog report=report on_close=close/> })
    };
    let text = move || advice(counts, prepares.get());
    let details = view! { <Button label="View details" icon=Icon::Checklist on_press=show attr:data-testid="preflight-details"/> };
    let outcome = match (counts.failed, counts.warnings) {
        (0, 0) => view! {
            <div class="gw-preflight__line" data-testid="preflight-passed">
                <span class="gw-status" data-tone=Tone::Success.name()><Glyph icon=Icon::Check/>{headline(counts)}</span>
                {details}
            </div>
        }
        .into_any(),
        (failed, _) => {
            let testid = if failed > 0 { "preflight-failed" } else { "preflight-passed" };
            let script = (failed > 0).then(|| view! { <ScriptButton/> });
            view! {
                <Banner tone=Tone::Warning title=headline(counts) attr:data-testid=testid>
                    <p>{text}</p>
                    <div class="gw-row">
                        {details}
                        {script}
                        <Button label="Check again" icon=Icon::Retry on_press=on_retry attr:data-testid="preflight-again"/>
                    </div>
                </Banner>
            }
            .into_any()
        }
    };
    let preparable = (counts.preparable > 0).then(|| {
        view! {
            <Checkbox
                label="Prepare the source"
                note="The job sets the replica identities that are missing and restores them at its end. The user of the \
                      source has to own the tables."
                checked=prepares
                testid="prepare-source"
            />
        }
    });
    view! {
        {outcome}
        {preparable}
        {dialog}
    }
}

/// Asks for the script and hands it to the browser as a file.
#[component]
fn ScriptButton() -> impl IntoView {
    let wizard = use_wizard();
    let project = use_migration().project;
    let toasts = use_toasts();
    let fetch = Action::new_local(move |(): &()| {
        let project = project.get_untracked();
        let (mode, request) = wizard.draft.with_untracked(question);
        async move {
            match api::preflight::script(&project, mode, &request).await {
                Ok(text) if crate::browser::save_as(SCRIPT_FILE, &text) => {}
                Ok(_) => toasts.warn(
                    "The browser did not save the script.",
                    "Copy the statements from the details instead.",
                ),
                Err(error) => toasts.fail(&error),
            }
        }
    });
    let press = Callback::new(move |()| {
        fetch.dispatch_local(());
    });
    view! {
        <Button
            label="Generate Script"
            tone=ButtonTone::Secondary
            icon=Icon::Download
            is_busy=fetch.pending()
            on_press=press
            attr:data-testid="preflight-script"
        />
    }
}

#[cfg(test)]
mod tests {
    use super::report::tests::report;
    use super::*;
    use godwit_shared::preflight::CheckStatus;

    #[test]
    fn checks_that_could_not_be_run_are_not_checks_that_failed() {
        assert_eq!(
            verdict(&PreflightState::NotRun(ApiError::Unreachable), false),
            "Could not be run"
        );
        assert_eq!(verdict(&PreflightState::Running, false), "Running");
        let failed = PreflightState::Ready(report(&[(CheckStatus::Failed, false)]));
        assert_eq!(verdict(&failed, false), "1 failed: the job will be refused");
    }
}
