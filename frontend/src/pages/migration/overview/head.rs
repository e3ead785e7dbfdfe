//! From where to where, how, since when.

use super::way::Way;
use super::{FigureItem, JobSignal};
use crate::clock::use_now;
use crate::components::badge::Tone;
use crate::components::banner::Banner;
use crate::components::status::StatusText;
use crate::format::text::sentence;
use crate::format::{time, wire_name};
use crate::pages::migration::present::{is_in_cdc, job_status, mode_label};
use crate::pages::migration::use_migration;
use crate::routes::MigrationView;
use chrono::Local;
use godwit_shared::job::MigrationJobStatus;
use godwit_shared::outage::Outage;
use leptos::prelude::*;

#[component]
pub fn JobHead(job: JobSignal) -> impl IntoView {
    let status = Memo::new(move |_| job_status(&job.get()));
    let status_name = move || wire_name(&job.get().status);
    let source = Memo::new(move |_| job.get().jdbc_connection_string.clone());
    let destination = Memo::new(move |_| job.get().mongo_db_connection_string.clone());
    let mode = Signal::derive(move || mode_label(job.get().options.mode).to_owned());
    let submitted_at = Memo::new(move |_| job.get().submitted_at);
    let started = Signal::derive(move || time::date_and_clock(submitted_at.get(), &Local));
    let started_exactly = Signal::derive(move || time::exact_utc(submitted_at.get()));
    view! {
        <section class="gw-panel gw-panel__body gw-stack" aria-label="Job">
            <Way job=job/>
            <RetryOf job=job/>
            <dl class="gw-uris">
                <div><dt>"Source URI"</dt><dd class="gw-code">{source}</dd></div>
                <div><dt>"Destination URI"</dt><dd class="gw-code">{destination}</dd></div>
            </dl>
            <dl class="gw-figures">
                <FigureItem label="Job Mode" value=mode/>
                <div class="gw-figure">
                    <dt>"Status"</dt>
                    <dd class="gw-status-slot" data-testid="job-status" data-status=status_name><StatusText status=status/></dd>
                </div>
                <FigureItem label="Started" value=started title=started_exactly/>
                <FigureItem label="Duration" value=whole_duration(job)/>
            </dl>
            <Outages job=job/>
            <WhyItWaits job=job/>
            <LeftInTheSource job=job/>
        </section>
    }
}

/// Leads to the job whose failed rows this one tries again.
#[component]
fn RetryOf(job: JobSignal) -> impl IntoView {
    let context = use_migration();
    let earlier = job.get_untracked().retry_of.clone();
    earlier.map(|earlier| {
        let path = MigrationView::of_job(earlier).path(&context.project.get_untracked());
        view! {
            <p data-testid="retry-of">
                "Tries the rows again that had failed in "
                <a href=path>"an earlier job"</a>
                ", and makes documents only where there were none."
            </p>
        }
    })
}

/// Who does not answer, since when, and why.
#[component]
fn Outages(job: JobSignal) -> impl IntoView {
    let now = use_now();
    let outages = Memo::new(move |_| job.get().outages.clone());
    let line = move |outage: Outage| {
        let since = outage.since;
        let title = format!(
            "The {} cannot be reached since {}",
            outage.server.noun(),
            time::clock(since, &Local)
        );
        let length = move || time::duration(time::seconds_between(since, now.get()).floor());
        view! {
            <Banner tone=Tone::Warning title=title attr:data-testid="outage">
                <p>{sentence(&outage.reason)}</p>
                <p>
                    "The job tries again until it answers, and goes on by itself. For "
                    {length}
                    " its figures have had no news."
                </p>
            </Banner>
        }
    };
    move || outages.get().into_iter().map(line).collect_view()
}

/// What holds up a job outside of its CDC stage, which says so itself.
#[component]
fn WhyItWaits(job: JobSignal) -> impl IntoView {
    let waits = Memo::new(move |_| why_it_waits(&job.get()));
    move || {
        waits.get().map(|(title, text)| {
            view! { <Banner tone=Tone::Warning title=title attr:data-testid="waits"><p>{text}</p></Banner> }
        })
    }
}

fn why_it_waits(job: &MigrationJobStatus) -> Option<(String, String)> {
    if job.status.is_ended() || is_in_cdc(job) || !job.outages.is_empty() {
        return None;
    }
    let standing = job
        .stand_still
        .as_ref()
        .map(|s| ("The job stands still", s.reason.clone()));
    let (title, text) = standing.or_else(|| job.statistics.notice.clone().map(|n| ("Nothing moves just now", n)))?;
    Some((title.into(), sentence(&text)))
}

/// What a job could not take back, with the statements that do.
#[component]
fn LeftInTheSource(job: JobSignal) -> impl IntoView {
    let statements = Memo::new(move |_| {
        let left = job.get().end.as_ref().map(|end| end.left.clone()).unwrap_or_default();
        left.into_iter()
            .map(|left| left.statement)
            .collect::<Vec<_>>()
            .join("\n")
    });
    move || {
        let statements = statements.get();
        (!statements.is_empty()).then(|| {
            view! {
                <Banner
                    tone=Tone::Warning
                    title="Something of this job is still in the source"
                    attr:data-testid="left-in-source"
                >
                    <p>"Godwit goes on trying to remove it; the job update log says why it is there. By hand, run there:"</p>
                    <pre class="gw-code">{statements}</pre>
                </Banner>
            }
        })
    }
}

/// From submission to end, pauses included.
fn whole_duration(job: JobSignal) -> Memo<String> {
    let now = use_now();
    Memo::new(move |_| {
        let job = job.get();
        match (job.ended_at, job.status.is_ended()) {
            (Some(end), _) => time::duration(time::seconds_between(job.submitted_at, end)),
            (None, false) => time::duration(time::seconds_between(job.submitted_at, now.get()).floor()),
            (None, true) => "–".into(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::present::tests::{cdc_job, job};
    use godwit_shared::job::{CdcStatus, JobStatus, StandStill};

    #[test]
    fn what_holds_up_a_job_is_said_once() {
        let mut waiting = job(JobStatus::Running);
        assert_eq!(why_it_waits(&waiting), None);
        waiting.statistics.notice = Some("the store does not answer".into());
        assert_eq!(
            why_it_waits(&waiting),
            Some(("Nothing moves just now".into(), "The store does not answer.".into()))
        );
        waiting.status = JobStatus::Completed;
        assert_eq!(why_it_waits(&waiting), None);
        let mut standing = cdc_job(JobStatus::Paused, CdcStatus::NotStarted, false);
        standing.stand_still = Some(StandStill {
            reason: "the server died twice".into(),
            since: "2026-11-03T10:00:00Z".parse().unwrap(),
        });
        assert!(why_it_waits(&standing).is_some_and(|(title, _)| title == "The job stands still"));
        // The CDC stage has a place of its own for it.
        standing.statistics.snapshot_completed = true;
        assert_eq!(why_it_waits(&standing), None);
    }
}
