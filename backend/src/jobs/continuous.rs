//! The CDC stage as a part of a job: begins, pauses, goes on, completes, and shows itself.

use super::state::CdcEvent;
use super::tracker::{Controls, SAVE_EVERY, Tracker};
use crate::cdc::run::{CdcOutcome, CdcRun};
use crate::cdc::statistics::CdcMeter;
use crate::cdc::{CdcError, run};
use crate::data::issue::{Issue, IssueKind, Location};
use crate::data::progress::Progress;
use crate::sink::Sink;
use crate::snapshot::Outcome;
use godwit_shared::job::{CdcStatus, JobStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const PUBLISH_EVERY: Duration = Duration::from_millis(200);

/// Runs the stage to its end, over all pauses.
///
/// # Errors
/// What the job cannot go on from.
pub async fn stage(mut cdc: CdcRun, tracker: &Arc<Tracker>, controls: &Controls) -> Result<Outcome, CdcError> {
    let is_over = CancellationToken::new();
    let publisher = tokio::spawn(publish(
        tracker.clone(),
        cdc.context.meter.clone(),
        cdc.context.sink.clone(),
        cdc.context.progress.clone(),
        is_over.clone(),
    ));
    let clock = tokio::spawn(run::watch_clock(
        cdc.context.source.clone(),
        cdc.state.slot.clone(),
        cdc.context.meter.clone(),
    ));
    let ended = until_end(&mut cdc, tracker, controls).await;
    clock.abort();
    is_over.cancel();
    let _ = publisher.await;
    ended
}

async fn until_end(cdc: &mut CdcRun, tracker: &Tracker, controls: &Controls) -> Result<Outcome, CdcError> {
    loop {
        while tracker.advance_cdc(CdcEvent::Begin).await.is_err() {
            // A pause of the snapshot stage may come at its very end.
            if controls.cancel.is_cancelled() || tracker.status().status != JobStatus::Paused {
                return Ok(Outcome::Cancelled);
            }
            controls.stand_by().await;
        }
        match run::run(cdc).await? {
            CdcOutcome::Completed => {
                return Ok(match tracker.advance_cdc(CdcEvent::Completed).await {
                    Ok(_) => Outcome::Completed,
                    Err(_) => Outcome::Cancelled,
                });
            }
            CdcOutcome::Cancelled => return Ok(Outcome::Cancelled),
            CdcOutcome::Paused { reason } => {
                if let Some(reason) = reason {
                    stand_still(cdc, controls, reason)?;
                    tracker.update(|status| status.cdc_statistics = Some(cdc.context.meter.show()));
                }
                if tracker.status().cdc_status != CdcStatus::Paused {
                    let _ = tracker.advance_cdc(CdcEvent::Pause).await;
                }
                controls.stand_by().await;
                if controls.cancel.is_cancelled() {
                    return Ok(Outcome::Cancelled);
                }
            }
        }
    }
}

/// The user has to do something first: it is told, and the stage waits as in any pause.
fn stand_still(cdc: &CdcRun, controls: &Controls, reason: String) -> Result<(), CdcError> {
    cdc.context.meter.notice(Some(reason.clone()));
    let told = Issue {
        kind: IssueKind::StandsStill,
        location: Location::Job,
        field: None,
        message: reason,
        key: Vec::new(),
    };
    controls.pause.send_replace(true);
    cdc.context.report([told])
}

/// A stage that cannot even begin to go on waits for the user, who may resume it to try again, or end it.
pub async fn stand_still_until_resumed(tracker: &Tracker, controls: &Controls, reason: String) {
    controls.pause.send_replace(true);
    let _ = tracker.advance_cdc(CdcEvent::Pause).await;
    tracker.update(|status| {
        status.cdc_statistics.get_or_insert_default().notice = Some(reason);
    });
    tracker.save().await;
    controls.stand_by().await;
}

/// Publishes the figures until the stage is over, and the last ones then.
async fn publish(
    tracker: Arc<Tracker>,
    meter: Arc<CdcMeter>,
    sink: Sink,
    progress: Arc<Progress>,
    is_over: CancellationToken,
) {
    let mut saved = Instant::now();
    let mut tick = tokio::time::interval(PUBLISH_EVERY);
    loop {
        let is_last = tokio::select! {
            biased;
            () = is_over.cancelled() => true,
            _ = tick.tick() => false,
        };
        let log = progress.log();
        tracker.update(|status| {
            let mut shown = meter.show();
            shown.notice = shown.notice.or_else(|| sink.trouble());
            status.cdc_statistics = Some(shown);
            status.statistics.errors = log.errors;
            status.statistics.warnings = log.warnings;
            status.job_updates = log.updates();
        });
        if is_last {
            return;
        }
        if saved.elapsed() >= SAVE_EVERY {
            tracker.save().await;
            saved = Instant::now();
        }
    }
}
