//! *New project*: from a live database, DDL files or a sample to a project with its first mapping rules, in five steps.
//!
//! The step stands in the URL, so that the browser's own buttons go back and forth; what was entered stays as long as the
//! page is open ([`draft`]), and survives a reload but for passwords ([`keep`]). Which tables take part is decided in [`selection`].

mod casing_step;
mod connect_step;
pub mod ddl_files;
mod draft;
mod finish;
mod keep;
mod mapping_step;
mod name_step;
pub mod selection;
mod steps;
mod tables_step;
pub mod tree;

use crate::api::ApiError;
use crate::api::connections::SavedConnections;
use crate::api::schema::StoredSchema;
use crate::components::button::{Button, ButtonTone};
use crate::components::error_panel::StepError;
use crate::components::focus::{focus_at_change, focus_invalid};
use crate::components::keys::on_enter;
use crate::components::skeleton::Skeleton;
use crate::components::steps::StepList;
use crate::connections::problem::{KnownSources, is_source_complete};
use crate::pages::home::HomeBar;
use crate::projects::{Projects, use_projects};
use crate::{api, routes};
use casing_step::CasingStep;
use connect_step::{ConnectStep, connect, place_of, take_over};
use ddl_files::DdlInput;
use draft::{Origin, ProjectDraft, ProjectDraftStoreFields, ReadFrom, ReadSchema, Start, new_name_error};
use finish::{finish, make_sample};
use godwit_shared::ddl::{DdlDatabase, DdlSchema};
use godwit_shared::ids::ConnectionId;
use godwit_shared::project::ProjectSummary;
use godwit_shared::proposal::Proposal;
use keep::Kept;
use leptos::html;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use mapping_step::MappingStep;
use name_step::NameStep;
use reactive_stores::Store;
use selection::Selection;
use std::collections::HashSet;
use std::sync::Arc;
use steps::Step;
use tables_step::TablesStep;

/// What the steps share.
#[derive(Clone, Copy)]
struct NewProject {
    draft: Store<ProjectDraft>,
    saved: StoredValue<SavedConnections>,
    projects: Projects,
    schema: RwSignal<Option<ReadSchema>>,
    selection: RwSignal<Selection>,
    /// `schema.table` of what was not selected before the page was loaded again.
    left_out: StoredValue<HashSet<String>>,
    ddl: DdlInput,
    /// The model that is proposed for the selected tables, and what is taken of it.
    proposal: RwSignal<Option<Arc<Proposal>>>,
    taken: RwSignal<HashSet<String>>,
    untaken: RwSignal<HashSet<String>>,
    /// A password was entered before the page was loaded again.
    needs_password: RwSignal<bool>,
    /// The connection that was saved for this draft by an earlier try to finish.
    saved_connection: StoredValue<Option<(ProjectDraft, ConnectionId)>>,
    step: Signal<Step>,
    go: Callback<Step>,
    /// Whether the user has tried to leave the step: before that its gaps are no errors.
    was_tried: RwSignal<bool>,
    failure: RwSignal<Option<ApiError>>,
}

fn use_new_project() -> NewProject {
    expect_context()
}

impl NewProject {
    fn new(saved: SavedConnections, kept: &Kept) -> Self {
        let draft = Store::new(kept.draft());
        let schema = RwSignal::new(None::<ReadSchema>);
        let ddl = DdlInput::new(kept.database().unwrap_or(DdlDatabase::Postgresql));
        let proposal = RwSignal::new(None::<Arc<Proposal>>);
        let query = use_query_map();
        let step = Memo::new(move |_| {
            // The tables of another connection are not those of this one.
            let from = place_of(draft, ddl);
            let has_schema = schema.with(|read| read.as_ref().is_some_and(|read| Some(&read.from) == from.as_ref()));
            let step = query.with(|q| Step::from_query(q.get_str(routes::STEP), has_schema));
            // A proposal that is not there yet is asked for where it is shown.
            let lacks_proposal = draft.start().get() == Start::Proposed && proposal.with(Option::is_none);
            if lacks_proposal { step.min(Step::Mapping) } else { step }
        });
        let navigate = use_navigate();
        let correct = navigate.clone();
        let go = Callback::new(move |step: Step| {
            navigate(&routes::new_project(step.name()), NavigateOptions::default());
        });
        // A step that cannot be shown is none to go on to by itself later.
        Effect::new(move |_| {
            let named = query.with(|q| q.get(routes::STEP));
            let shown = step.get().name();
            if named.is_some_and(|named| named != shown) {
                let replace = NavigateOptions {
                    replace: true,
                    ..NavigateOptions::default()
                };
                correct(&routes::new_project(shown), replace);
            }
        });
        Self {
            draft,
            saved: StoredValue::new(saved),
            projects: use_projects(),
            schema,
            selection: RwSignal::new(Selection::default()),
            left_out: StoredValue::new(kept.left_out.clone()),
            ddl,
            proposal,
            taken: RwSignal::new(HashSet::new()),
            untaken: RwSignal::new(kept.untaken.clone()),
            needs_password: RwSignal::new(kept.needs_password),
            saved_connection: StoredValue::new(None),
            step: step.into(),
            go,
            was_tried: RwSignal::new(false),
            failure: RwSignal::new(None),
        }
    }

    fn enter(self, step: Step) {
        self.was_tried.set(false);
        self.failure.set(None);
        self.go.run(step);
    }

    /// Where the draft says that the tables are.
    fn reads_from(self) -> Option<ReadFrom> {
        untrack(|| place_of(self.draft, self.ddl))
    }

    /// Those whose names are taken, as far as the page knows them now.
    fn other_projects(self) -> Vec<ProjectSummary> {
        self.projects.state().get_untracked().ready().unwrap_or_default()
    }

    fn is_step_complete(self) -> bool {
        match self.step.get_untracked() {
            Step::Connect => match self.draft.origin().get_untracked() {
                Origin::Connection => self.saved.with_value(|saved| {
                    let known = KnownSources::saved(&saved.jdbc);
                    self.draft
                        .with_untracked(|d| is_source_complete(&d.source, known) && !d.has_save_problem())
                }),
                Origin::DdlFiles => untrack(|| self.ddl.schema()).is_some(),
                Origin::Sample => true,
            },
            Step::Tables => self.selection.with_untracked(Selection::count) > 0,
            Step::Casing => true,
            Step::Mapping => {
                self.draft.start().get_untracked() != Start::Proposed || !self.taken.with_untracked(HashSet::is_empty)
            }
            Step::Name => {
                let projects = self.other_projects();
                self.draft
                    .name()
                    .with_untracked(|name| new_name_error(name, &projects).is_none())
            }
        }
    }
}

/// What there is before the first step is shown.
#[derive(Clone)]
struct Begin {
    saved: SavedConnections,
    kept: Kept,
    /// The tables that had been read before the page was loaded again.
    schema: Option<StoredSchema>,
}

async fn begin() -> Begin {
    let kept = Kept::read().unwrap_or_else(|| Kept::of(&ProjectDraft::default()));
    // Without the saved connections everything can still be typed in.
    let saved = api::connections::saved().await.unwrap_or_default();
    let schema = match &kept.schema {
        // Tables that are no longer there are read again.
        Some((id, _)) if !kept.needs_password => api::schema::stored(id).await.ok(),
        Some(_) | None => None,
    };
    Begin { saved, kept, schema }
}

#[component]
pub fn NewProjectPage() -> impl IntoView {
    let answer = LocalResource::new(begin);
    let body = move || match answer.get() {
        None => view! { <Skeleton lines=6/> }.into_any(),
        Some(begin) => view! { <Steps begin=begin/> }.into_any(),
    };
    view! {
        <div class="gw-shell">
            <HomeBar/>
            <main class="gw-main">
                <div class="gw-page gw-page--narrow">
                    <div class="gw-page__head"><h1>"New project"</h1></div>
                    {body}
                </div>
            </main>
        </div>
    }
}

/// Goes on with what was kept, and keeps what is entered from now on.
fn keep_draft(context: NewProject, begin: Begin) {
    let Begin { kept, schema, .. } = begin;
    if let Some(stored) = schema {
        if let Some(database) = kept.database() {
            context.ddl.restore(DdlSchema {
                id: stored.id.clone(),
                full: stored.full.clone(),
                skipped: Vec::new(),
            });
            let schema = stored.id.clone();
            take_over(
                context,
                ReadSchema::new(stored, ReadFrom::Ddl { database, schema }),
                None,
            );
        } else if let Some(from) = context.reads_from() {
            take_over(context, ReadSchema::new(stored, from), None);
        }
    }
    Effect::new(move |_| {
        let mut kept = context.draft.with(Kept::of);
        let schema = context.schema.get();
        let left_out = match &schema {
            Some(read) => {
                let tables = read.tree.tables.iter().enumerate();
                let is_left = |place: usize| context.selection.with(|selection| !selection.contains(place));
                tables
                    .filter(|(place, _)| is_left(*place))
                    .map(|(_, table)| table.path.name().to_string())
                    .collect()
            }
            None => context.left_out.get_value(),
        };
        let of_files = |read: &ReadSchema| match &read.from {
            ReadFrom::Connection(_) => None,
            ReadFrom::Ddl { database, .. } => Some(*database),
        };
        kept.schema = schema.map(|read| (read.id.clone(), of_files(&read)));
        kept.left_out = left_out;
        kept.untaken = context.untaken.get();
        kept.keep();
    });
}

#[component]
fn Steps(begin: Begin) -> impl IntoView {
    let context = NewProject::new(begin.saved.clone(), &begin.kept);
    keep_draft(context, begin);
    provide_context(context);
    let forward = forward_action(context);
    let body = NodeRef::<html::Div>::new();
    let press = Callback::new(move |()| match context.is_step_complete() {
        true => drop(forward.dispatch_local(())),
        false => {
            context.was_tried.set(true);
            focus_invalid(body);
        }
    });
    focus_at_change(body, context.step);
    let step = move || match context.step.get() {
        Step::Connect => view! { <ConnectStep/> }.into_any(),
        Step::Tables => view! { <TablesStep/> }.into_any(),
        Step::Casing => view! { <CasingStep/> }.into_any(),
        Step::Mapping => view! { <MappingStep/> }.into_any(),
        Step::Name => view! { <NameStep/> }.into_any(),
    };
    let current = Signal::derive(move || context.step.get().index());
    view! {
        <section class="gw-panel gw-new-project" aria-label="New project">
            <StepList titles=Step::ALL.map(Step::title).to_vec() current=current/>
            <div class="gw-panel__body gw-new-project__body" tabindex="-1" node_ref=body on:keydown=on_enter(press)>
                <StepError failure=context.failure/>
                {step}
            </div>
            <Foot forward=press is_busy=forward.pending().into()/>
        </section>
    }
}

/// Reads the schema, goes on, or makes the project: whatever leads on from the step.
fn forward_action(context: NewProject) -> Action<(), ()> {
    let (finish, make_sample) = (finish(context), make_sample(context));
    Action::new_local(move |(): &()| {
        let step = context.step.get_untracked();
        let is_sample = context.draft.origin().get_untracked() == Origin::Sample;
        context.failure.set(None);
        async move {
            let done = match step {
                Step::Connect if is_sample => match make_sample.run(()).await {
                    Ok(()) => return,
                    failed => failed,
                },
                Step::Connect => connect(context).await,
                Step::Tables | Step::Casing | Step::Mapping => Ok(()),
                Step::Name => finish.run(()).await,
            };
            match (done, step.next()) {
                (Ok(()), Some(next)) => context.enter(next),
                (Ok(()), None) => {}
                (Err(error), _) => context.failure.set(Some(error)),
            }
        }
    })
}

#[component]
fn Foot(forward: Callback<()>, is_busy: Signal<bool>) -> impl IntoView {
    let context = use_new_project();
    let navigate = use_navigate();
    let cancel = Callback::new(move |()| {
        Kept::forget();
        navigate(routes::HOME, NavigateOptions::default());
    });
    let back = Callback::new(move |()| {
        if let Some(step) = context.step.get_untracked().previous() {
            context.enter(step);
        }
    });
    let is_first = Signal::derive(move || context.step.get().previous().is_none());
    let label = Signal::derive(move || {
        match context.step.get() {
            Step::Connect => match context.draft.origin().get() {
                Origin::Connection => "Connect",
                Origin::DdlFiles => "Import",
                Origin::Sample => "Create sample",
            },
            Step::Tables | Step::Casing | Step::Mapping => "Next",
            Step::Name => "Done",
        }
        .to_owned()
    });
    view! {
        <footer class="gw-dialog__foot">
            <div class="gw-dialog__foot-start">
                <Button label="Back" is_disabled=is_first on_press=back attr:data-testid="project-back"/>
            </div>
            <Button label="Cancel" on_press=cancel/>
            <Button
                label=label
                tone=ButtonTone::Primary
                is_busy=is_busy
                on_press=forward
                attr:data-testid="project-next"
            />
        </footer>
    }
}
