//! *New Migration Job*: four steps over one draft.
//!
//! The draft outlives the wizard ([`memory`]): closing it loses nothing, and a new job like an earlier one finds its
//! connections again. Validation ([`validate`]), the request ([`request`]) and the step that an error belongs to
//! ([`steps`]) are plain functions.

mod confirm;
mod destination_step;
mod draft;
mod extent;
mod keep;
mod memory;
mod options_step;
mod prefill;
mod preflight;
mod request;
mod review_step;
mod selective;
mod source_step;
mod steps;
mod validate;

pub use memory::{Drafts, provide_drafts, use_drafts};

use super::use_migration;
use crate::api::connections::SavedConnections;
use crate::api::{self, ApiError};
use crate::components::button::{Button, ButtonTone};
use crate::components::dialog::{Dialog, DialogSize};
use crate::components::error_panel::StepError;
use crate::components::focus::{focus_first, focus_invalid};
use crate::components::keys::on_enter;
use crate::components::skeleton::Skeleton;
use crate::components::steps::StepList;
use crate::components::toast::use_toasts;
use crate::connections::ConnectionTest;
use crate::connections::details::{destination_details, source_details};
use crate::live::use_live;
use crate::projects::use_projects;
use crate::remote::Remote;
use crate::routes::WizardStart;
use confirm::may_start;
use destination_step::DestinationStep;
use draft::Draft;
use godwit_shared::ids::{JobId, ProjectId};
use godwit_shared::summary::JobSummary;
use keep::keep_connections;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use options_step::OptionsStep;
use prefill::Known;
use preflight::Preflight;
use reactive_stores::Store;
use review_step::ReviewStep;
use source_step::SourceStep;
use steps::{Step, step_of_error};
use validate::is_complete;

/// What the steps share.
#[derive(Clone, Copy)]
pub struct WizardContext {
    draft: Store<Draft>,
    saved: StoredValue<SavedConnections>,
    step: RwSignal<Step>,
    /// Whether the user has tried to leave the step: before that its gaps are no errors.
    was_tried: RwSignal<bool>,
    failure: RwSignal<Option<ApiError>>,
    preflight: Preflight,
    source_test: ConnectionTest,
    destination_test: ConnectionTest,
    /// The names of the project's collections, as far as they are known.
    collections: Signal<Vec<String>>,
    /// What the job would read and write, as the review has it.
    extent: RwSignal<Remote<JobSummary>>,
}

impl WizardContext {
    fn new(draft: Draft, saved: SavedConnections, collections: Signal<Vec<String>>) -> Self {
        Self {
            draft: Store::new(draft),
            saved: StoredValue::new(saved),
            step: RwSignal::new(Step::Source),
            was_tried: RwSignal::new(false),
            failure: RwSignal::new(None),
            preflight: Preflight::new(),
            source_test: ConnectionTest::untested(),
            destination_test: ConnectionTest::untested(),
            collections,
            extent: RwSignal::new(Remote::Loading),
        }
    }

    fn enter(self, step: Step) {
        self.was_tried.set(false);
        self.failure.set(None);
        self.step.set(step);
    }

    fn back(self) {
        if let Some(step) = self.step.get_untracked().previous() {
            self.enter(step);
        }
    }

    fn is_step_complete(self) -> bool {
        let step = self.step.get_untracked();
        let collections = self.collections.get_untracked();
        self.saved.with_value(|saved| {
            self.draft
                .with_untracked(|draft| is_complete(draft, step, saved, &collections))
        })
    }

    fn may_start(self) -> bool {
        self.extent
            .with_untracked(|extent| self.draft.with_untracked(|draft| may_start(draft, extent)))
    }

    /// Goes on where the step is complete and its connection answers; else shows what is missing or wrong.
    fn next(self) {
        let step = self.step.get_untracked();
        if !self.is_step_complete() {
            return self.was_tried.set(true);
        }
        let Some(next) = step.next() else { return };
        let Some(test) = self.test_of(step).filter(|test| !test.has_passed()) else {
            return self.enter(next);
        };
        // The user may have gone elsewhere by the time of the answer.
        let go_on = move || {
            if self.step.try_get_untracked() == Some(step) {
                self.enter(next);
            }
        };
        self.failure.set(None);
        match step {
            Step::Source => {
                let details = self.draft.with_untracked(|draft| source_details(&draft.source));
                test.run_then(async move { api::connections::test_jdbc(&details).await }, go_on);
            }
            Step::Destination => {
                let details = self
                    .draft
                    .with_untracked(|draft| destination_details(&draft.destination));
                test.run_then(async move { api::connections::test_mongodb(&details).await }, go_on);
            }
            Step::Options | Step::Review => {}
        }
    }

    /// Goes on although the connection does not answer: it may when the job starts.
    fn skip_test(self) {
        if let Some(next) = self.step.get_untracked().next() {
            self.enter(next);
        }
    }

    /// The test of the step's connection.
    fn test_of(self, step: Step) -> Option<ConnectionTest> {
        match step {
            Step::Source => Some(self.source_test),
            Step::Destination => Some(self.destination_test),
            Step::Options | Step::Review => None,
        }
    }

    /// Shows the error at the step where it can be corrected.
    fn fail(self, error: ApiError) {
        self.enter(step_of_error(error.code()));
        self.failure.set(Some(error));
    }
}

/// Opens when the saved connections are known: they are what it begins with.
#[component]
pub fn Wizard(start: WizardStart) -> impl IntoView {
    let migration = use_migration();
    let close = Callback::new(move |()| migration.close_wizard());
    let drafts = use_drafts();
    let live = use_live();
    let projects = use_projects();
    let project = projects.find(migration.project);
    // Without the saved connections everything can still be typed in.
    let saved = LocalResource::new(|| async { api::connections::saved().await.unwrap_or_default() });
    let collections = migration.collection_names();
    let body = move || match saved.get() {
        None => view! { <div class="gw-dialog__body"><Skeleton lines=5/></div> }.into_any(),
        Some(saved) => {
            let id = migration.project.get_untracked();
            let project = project.get_untracked().ready().flatten();
            let saved = saved.for_project(project.as_ref().map(|project| project.kind.as_str()));
            let known = Known {
                drafts,
                live,
                project,
                projects: projects.state().get_untracked().ready().unwrap_or_default(),
                saved: &saved,
            };
            let draft = drafts.take_reloaded(&id, &start);
            let draft = draft.unwrap_or_else(|| prefill::first_draft(&start, &id, &known));
            drafts.reload_with(&start);
            view! { <WizardSteps context=WizardContext::new(draft, saved, collections) close=close/> }.into_any()
        }
    };
    view! { <Dialog title="New migration job" size=DialogSize::Wide on_close=close>{body}</Dialog> }
}

#[component]
fn WizardSteps(context: WizardContext, close: Callback<()>) -> impl IntoView {
    provide_context(context);
    let (project, drafts) = (use_migration().project, use_drafts());
    // Kept at every change: Esc closes as well as the button.
    Effect::new(move |_| drafts.keep(&project.get_untracked(), context.draft.get()));
    Effect::new(move |_| drafts.keep_for_reload(&project.get_untracked(), &context.draft.get()));
    // Closed by its user it need not come back.
    on_cleanup(move || drafts.forget_reload());
    let step = move || match context.step.get() {
        Step::Source => view! { <SourceStep/> }.into_any(),
        Step::Destination => view! { <DestinationStep/> }.into_any(),
        Step::Options => view! { <OptionsStep/> }.into_any(),
        Step::Review => view! { <ReviewStep/> }.into_any(),
    };
    let body = NodeRef::<html::Div>::new();
    let next = Callback::new(move |()| {
        context.next();
        focus_invalid(body);
    });
    let current = Signal::derive(move || context.step.get().number() - 1);
    Effect::new(move |_| {
        context.step.track();
        focus_first(body);
    });
    view! {
        <StepList titles=Step::ALL.map(Step::title).to_vec() current=current/>
        <div class="gw-dialog__body gw-wizard__body" tabindex="-1" node_ref=body on:keydown=on_enter(next)>
            <StepError failure=context.failure/>
            {step}
        </div>
        <WizardFoot next=next body=body close=close/>
    }
}

#[component]
fn WizardFoot(next: Callback<()>, body: NodeRef<html::Div>, close: Callback<()>) -> impl IntoView {
    let context = use_wizard();
    let start = start_action(context);
    let is_last = move || context.step.get().next().is_none();
    let is_first = Signal::derive(move || context.step.get().previous().is_none());
    let is_counting = Signal::derive(move || context.extent.with(|extent| *extent == Remote::Loading));
    let press_start = Callback::new(move |()| match context.may_start() {
        true => drop(start.dispatch_local(())),
        false => {
            context.was_tried.set(true);
            focus_invalid(body);
        }
    });
    let is_testing = Signal::derive(move || {
        let test = context.test_of(context.step.get());
        test.is_some_and(|test| test.is_running().get())
    });
    let can_skip = Memo::new(move |_| {
        let test = context.test_of(context.step.get());
        test.is_some_and(|test| test.has_failed().get())
    });
    let forward = move || match is_last() {
        false => view! {
            <Show when=move || can_skip.get()>
                <Button
                    label="Go on without it"
                    on_press=Callback::new(move |()| context.skip_test())
                    attr:data-testid="skip-test"
                />
            </Show>
            <Button
                label="Next"
                tone=ButtonTone::Primary
                is_busy=is_testing
                on_press=next
                attr:data-testid="wizard-next"
            />
        }
        .into_any(),
        true => view! {
            <Button
                label="Start"
                tone=ButtonTone::Primary
                is_busy=start.pending()
                is_disabled=is_counting
                on_press=press_start
                attr:data-testid="wizard-start"
            />
        }
        .into_any(),
    };
    view! {
        <footer class="gw-dialog__foot">
            <div class="gw-dialog__foot-start">
                <Button
                    label="Back"
                    is_disabled=is_first
                    on_press=Callback::new(move |()| context.back())
                    attr:data-testid="wizard-back"
                />
            </div>
            <Button label="Cancel" on_press=close attr:data-testid="wizard-cancel"/>
            {forward}
        </footer>
    }
}

/// Creates the job and shows it, or shows why not.
fn start_action(context: WizardContext) -> Action<(), ()> {
    let (migration, live, drafts) = (use_migration(), use_live(), use_drafts());
    let keep = keep_action();
    Action::new_local(move |(): &()| {
        let draft = context.draft.get_untracked();
        let project = migration.project.get_untracked();
        context.failure.set(None);
        async move {
            match api::jobs::create(&request::job_request(&draft, &project)).await {
                Ok(job) => {
                    let id = job.id.clone();
                    drafts.remember_job(&id, draft.clone());
                    live.adopt(job);
                    // First: it goes with the wizard.
                    keep.run((draft, project, id.clone()));
                    migration.show_job(id);
                }
                Err(error) => context.fail(error),
            }
        }
    })
}

/// Saves what was typed for a job and begins the next ones with it. Nobody waits for that: the job has started.
fn keep_action() -> Callback<(Draft, ProjectId, JobId)> {
    let (drafts, toasts) = (use_drafts(), use_toasts());
    Callback::new(move |(mut draft, project, job): (Draft, ProjectId, JobId)| {
        // The wizard is gone before the answers come.
        spawn_local(async move {
            if let Err(error) = keep_connections(&mut draft, &project).await {
                toasts.fail(&error);
            }
            drafts.keep(&project, draft.clone());
            drafts.remember_job(&job, draft);
        });
    })
}

fn use_wizard() -> WizardContext {
    expect_context()
}
