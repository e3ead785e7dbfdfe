//! Whether the source is ready for a continuous job: asked as soon as that mode is chosen.
//!
//! A failed check does not keep the user from going on: the server decides when the job starts.

mod details;
mod report;

use super::draft::{DraftStoreFields, OptionsDraftStoreFields};
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
use godwit_shared::connection::JdbcConnectionDetails;
use godwit_shared::ids::ProjectId;
use godwit_shared::job::MigrationMode;
use godwit_shared::preflight::PreflightReport;
use leptos::prelude::*;
use leptos::task::spawn_local;
use report::{Counts, advice, headline, outcome};

const MODE: MigrationMode = MigrationMode::Cdc;
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

    fn start(self, project: ProjectId, source: JdbcConnectionDetails) {
        let run = self.run.get_value() + 1;
        self.run.set_value(run);
        self.state.set(PreflightState::Running);
        spawn_local(async move {
            let answer = api::preflight::check(&project, MODE, &source).await;
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
    let source = move || wizard.draft.source().with_untracked(source_details);
    let check = Callback::new(move |()| wizard.preflight.start(project.get_untracked(), source()));
    check.run(());
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
            "Checking whether the source is ready for a continuous job"
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
        let (project, source) = (
            project.get_untracked(),
            wizard.draft.source().with_untracked(source_details),
        );
        async move {
            match api::preflight::script(&project, MODE, &source).await {
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
