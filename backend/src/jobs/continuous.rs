//! The CDC stage as a part of a job: begins, pauses, goes on, completes, and shows itself.

use super::events::EventKind;
use super::saver::Saver;
use super::state::CdcEvent;
use super::tracker::{Controls, Tracker};
use crate::cdc::run::{CdcOutcome, CdcRun};
use crate::cdc::statistics::CdcMeter;
use crate::cdc::{CdcError, run};
use crate::data::issue::{Issue, IssueKind, Location};
use crate::data::progress::Progress;
use crate::hooks;
use crate::sink::Sink;
use crate::snapshot::Outcome;
use crate::store::JobStore;
use godwit_shared::job::{CdcStatus, JobStatus, MigrationJobStatus};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

const PUBLISH_EVERY: Duration = Duration::from_millis(200);

/// Runs the stage to its end, over all pauses. Who panics of those beside it ends the stage.
///
/// # Errors
/// What the job cannot go on from.
pub async fn stage(mut cdc: CdcRun, tracker: &Arc<Tracker>, controls: &Controls) -> Result<Outcome, CdcError> {
    let is_over = CancellationToken::new();
    let mut publisher = AbortOnDropHandle::new(tokio::spawn(publish(
        tracker.clone(),
        cdc.context.meter.clone(),
        Troubles {
            sink: cdc.context.sink.clone(),
            store: cdc.context.store.clone(),
        },
        cdc.context.progress.clone(),
        is_over.clone(),
    )));
    let mut clock = AbortOnDropHandle::new(tokio::spawn(run::watch_clock(
        cdc.context.log.clone(),
        cdc.state.log.clone(),
        cdc.context.meter.clone(),
    )));
    let ended = tokio::select! {
        ended = Box::pin(until_end(&mut cdc, tracker, controls)) => ended,
        ended = &mut publisher => return Err(panicked("who publishes the figures", ended)),
        ended = &mut clock => return Err(panicked("who watches the source", ended)),
    };
    is_over.cancel();
    if let Err(error) = publisher.await
        && error.is_panic()
    {
        return Err(panicked("who publishes the figures", Err(error)));
    }
    ended
}

fn panicked(who: &str, ended: Result<(), JoinError>) -> CdcError {
    let reason = ended.err().map_or_else(|| "it has ended".into(), |e| e.to_string());
    CdcError::Panicked(format!("{who}: {reason}"))
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
            CdcOutcome::Completed => return Ok(Outcome::Completed),
            CdcOutcome::Cancelled => return Ok(Outcome::Cancelled),
            CdcOutcome::Paused { reason } => {
                match reason {
                    Some(reason) => stand_still(cdc, tracker, controls, reason).await?,
                    None => {
                        if tracker.status().cdc_status != CdcStatus::Paused {
                            let _ = tracker.advance_cdc(CdcEvent::Pause).await;
                        }
                    }
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
async fn stand_still(cdc: &CdcRun, tracker: &Tracker, controls: &Controls, reason: String) -> Result<(), CdcError> {
    cdc.context.meter.notice(Some(reason.clone()));
    let told = Issue {
        kind: IssueKind::StandsStill,
        location: Location::Job,
        field: None,
        message: reason.clone(),
        key: Vec::new(),
    };
    controls.pause.send_replace(true);
    cdc.context.report([told])?;
    tracker.update(|status| status.cdc_statistics = Some(cdc.context.meter.show(Some("the job stands still"))));
    tracker.stand_still(reason).await;
    Ok(())
}

/// A stage that cannot even begin to go on waits for the user, who may resume it to try again, or end it.
pub async fn stand_still_until_resumed(tracker: &Tracker, controls: &Controls, reason: String) {
    controls.pause.send_replace(true);
    tracker.stand_still(reason).await;
    controls.stand_by().await;
}

/// Who may hold up the stage without an error.
struct Troubles {
    sink: Sink,
    store: JobStore,
}

impl Troubles {
    fn notice(&self) -> Option<String> {
        self.sink.trouble().or_else(|| self.store.trouble())
    }
}

/// What keeps a user from the cut-over, whatever the lag.
fn obstacle(status: &MigrationJobStatus) -> Option<String> {
    if let Some(outage) = status.outages.first() {
        return Some(format!("the {} cannot be reached", outage.server.noun()));
    }
    match status.cdc_status {
        CdcStatus::Paused if status.stand_still.is_some() => Some("the job stands still".into()),
        CdcStatus::Paused => Some("the job is paused".into()),
        CdcStatus::Completing => Some("the job completes already".into()),
        CdcStatus::NotStarted
        | CdcStatus::Running
        | CdcStatus::Completed
        | CdcStatus::Failed
        | CdcStatus::Cancelled => None,
    }
}

/// Publishes the figures until the stage is over, and the last ones then.
async fn publish(
    tracker: Arc<Tracker>,
    meter: Arc<CdcMeter>,
    troubles: Troubles,
    progress: Arc<Progress>,
    is_over: CancellationToken,
) {
    let mut saver = Saver::new(tracker.clone());
    let mut tick = tokio::time::interval(PUBLISH_EVERY);
    let mut errors_before = 0;
    loop {
        let is_last = tokio::select! {
            biased;
            () = is_over.cancelled() => true,
            _ = tick.tick() => false,
        };
        hooks::hold(hooks::CDC_FIGURES).await;
        for what in progress.take_schema_changes() {
            let message =
                format!("the schema of the source has changed ({what}): the collections concerned are read again");
            tracker.tell(EventKind::SchemaChanged, message);
        }
        let log = progress.log();
        tracker.update(|status| {
            let mut shown = meter.show(obstacle(status).as_deref());
            shown.notice = shown.notice.or_else(|| troubles.notice());
            status.cdc_statistics = Some(shown);
            meter.hand_out(&mut status.statistics.collections);
            status.statistics.notice = None;
            status.statistics.errors = log.errors;
            status.statistics.warnings = log.warnings;
            status.job_updates = log.updates();
        });
        if is_last {
            return;
        }
        // Errors that are gone must not come back with a crash.
        if log.errors < errors_before {
            tracker.save().await;
        }
        errors_before = log.errors;
        saver.save_now_and_then().await;
    }
}
