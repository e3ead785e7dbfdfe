//! *Verification*: whether what is stored is what the rows give.

mod actions;
mod dialogs;
mod figures;
mod finding;
mod findings;

use super::{FigureItem, JobSignal};
use crate::api;
use crate::clock::use_now;
use crate::components::error_panel::ErrorPanel;
use crate::components::progress::ProgressBar;
use crate::components::skeleton::Skeleton;
use crate::components::status::StatusText;
use crate::remote::Remote;
use actions::VerificationActions;
use chrono::Local;
pub use figures::mark_of;
use figures::{VerificationFigures, verification_figures, verification_status};
use findings::FindingList;
use godwit_shared::verification::Verification;
use leptos::prelude::*;
use std::sync::Arc;

/// Seconds between two looks at one that is at work.
const LOOK_EVERY: i64 = 1;

/// One verification as the parts read it.
pub type VerificationSignal = Signal<Arc<Verification>>;

/// The verifications of a job, and how to ask for them anew.
#[derive(Clone, Copy)]
pub struct Verifications {
    known: RwSignal<Remote<Vec<Arc<Verification>>>>,
    version: RwSignal<u32>,
}

impl Verifications {
    fn of(job: JobSignal) -> Self {
        let version = RwSignal::new(0);
        let id = StoredValue::new(job.get_untracked().id.clone());
        // The last stage of a job begins and ends by itself.
        let told = Memo::new(move |_| job.get().metadata.verification_status.clone());
        let answer = LocalResource::new(move || {
            version.get();
            told.track();
            async move { api::verifications::of_job(&id.get_value()).await }
        });
        let known = RwSignal::new(Remote::Loading);
        Effect::new(move |_| {
            // While it is asked again, what is known stays.
            let Some(answer) = answer.get() else { return };
            let fresh = Remote::from(Some(answer)).map(|list| list.into_iter().map(Arc::new).collect());
            if known.with_untracked(|known| *known != fresh) {
                known.set(fresh);
            }
        });
        let this = Self { known, version };
        let now = use_now();
        let second = Memo::new(move |_| now.get().timestamp() / LOOK_EVERY);
        Effect::new(move |_| {
            second.track();
            let is_at_work = this
                .newest_untracked()
                .is_some_and(|v| !v.status.is_ended() || v.is_repairing);
            if is_at_work {
                this.look();
            }
        });
        this
    }

    /// Asks for them anew.
    pub fn look(self) {
        self.version.update(|version| *version = version.wrapping_add(1));
    }

    fn newest_untracked(self) -> Option<Arc<Verification>> {
        self.known.with_untracked(|known| match known {
            Remote::Ready(list) => list.first().cloned(),
            Remote::Loading | Remote::Failed(_) => None,
        })
    }

    fn newest(self) -> Remote<Option<Arc<Verification>>> {
        self.known.get().map(|list| list.into_iter().next())
    }
}

#[component]
pub fn VerificationPane(job: JobSignal) -> impl IntoView {
    let all = Verifications::of(job);
    let newest = Memo::new(move |_| all.newest());
    let status = Memo::new(move |_| verification_status(newest.get().ready().flatten().as_deref()));
    let retry = Callback::new(move |()| all.look());
    // A new run is another view; progress of the same one is not.
    let which = Memo::new(move |_| newest.get().map(|one| one.map(|v| v.id.clone())));
    let body = move || match which.get() {
        Remote::Loading => view! { <Skeleton lines=3/> }.into_any(),
        Remote::Failed(error) => view! { <ErrorPanel error=error retry=retry/> }.into_any(),
        Remote::Ready(None) => view! { <NotYet/> }.into_any(),
        Remote::Ready(Some(_)) => {
            let first = newest.get_untracked().ready().flatten();
            first.map(|first| view! { <Run newest=newest first=first/> }).into_any()
        }
    };
    view! {
        <section class="gw-panel" aria-label="Verification" data-testid="verification">
            <header class="gw-panel__head">
                <h2>"Verification"</h2>
                <span class="gw-status-slot" data-testid="verification-status"><StatusText status=status/></span>
            </header>
            <div class="gw-panel__body gw-stack">
                {body}
                <VerificationActions job=job all=all newest=newest/>
            </div>
        </section>
    }
}

#[component]
fn NotYet() -> impl IntoView {
    view! {
        <p class="gw-muted" data-testid="verification-none">
            "Not verified yet. Every document is compared with what its rows give now, in both directions; nothing is \
             written. It can be done at any time, also while changes are followed."
        </p>
    }
}

#[component]
fn Run(newest: Memo<Remote<Option<Arc<Verification>>>>, first: Arc<Verification>) -> impl IntoView {
    let one: VerificationSignal =
        Signal::derive(move || newest.get().ready().flatten().unwrap_or_else(|| first.clone()));
    let figures = Memo::new(move |_| verification_figures(&one.get(), &Local));
    let shown = |pick: fn(&VerificationFigures) -> &String| Signal::derive(move || figures.with(|f| pick(f).clone()));
    let percent = Memo::new(move |_| f64::from(one.get().percent()));
    let tone = Signal::derive(move || verification_status(Some(&*one.get())).tone);
    let failure = move || {
        let text = figures.with(|f| f.failure.clone());
        text.map(|text| view! { <p class="gw-status" data-tone="danger" role="alert" data-testid="verification-failure">{text}</p> })
    };
    let repair = move || {
        let text = figures.with(|f| f.repair.clone());
        text.map(|text| view! { <p data-testid="verification-repair">{text}</p> })
    };
    view! {
        <div class="gw-stage-progress">
            <ProgressBar
                label="Verification progress"
                percent=percent
                value_text=shown(|f| &f.percent)
                tone=tone
                attr:data-testid="verification-progress"
            />
            <span class="gw-number">{shown(|f| &f.percent)}</span>
        </div>
        {failure}
        {repair}
        <dl class="gw-figures">
            <FigureItem label="Started" value=shown(|f| &f.started)/>
            <FigureItem label="Duration" value=shown(|f| &f.duration)/>
            <FigureItem label="Compared" value=shown(|f| &f.level)/>
            <FigureItem label="Collections verified" value=shown(|f| &f.collections) testid="collections-verified"/>
            <FigureItem label="Documents verified" value=shown(|f| &f.documents) testid="documents-verified"/>
            <FigureItem label="Findings" value=shown(|f| &f.findings) testid="verification-findings"/>
        </dl>
        <Exceptions one=one/>
        <FindingList one=one/>
    }
}

/// What was left out, with its reasons.
#[component]
fn Exceptions(one: VerificationSignal) -> impl IntoView {
    let exceptions = Memo::new(move |_| one.get().exceptions.clone());
    let lines = move || {
        let line = |e: godwit_shared::verification::VerificationException| {
            let place = match &e.field {
                Some(field) => format!("{}, {field}", e.place),
                None => e.place.clone(),
            };
            view! { <li><span class="gw-code">{place}</span>{format!(": {} ({})", e.reason, e.count)}</li> }
        };
        exceptions.get().into_iter().map(line).collect_view()
    };
    view! {
        <Show when=move || !exceptions.with(Vec::is_empty)>
            <details class="gw-more" data-testid="verification-exceptions">
                <summary>"What was left out"</summary>
                <ul class="gw-bullets">{lines}</ul>
            </details>
        </Show>
    }
}
