//! Reads the log into batches. It never waits for what is applied without telling the source that it lives.

use super::arrivals::Arrivals;
use super::collect::{Batch, Collector};
use super::error::CdcError;
use crate::data::change::ChangeSink;
use crate::data::position::LogPosition;
use crate::hooks;
use crate::plan::routes::Route;
use crate::source::SourceError;
use crate::source::change_log::ChangeStream;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// How often the source hears what is durable, and is asked how far it has sent.
const STATUS_EVERY: Duration = Duration::from_millis(1000);
/// The same while somebody waits for the end of the log.
const STATUS_EVERY_WHEN_WAITED_FOR: Duration = Duration::from_millis(50);
/// How long a batch may gather before it is handed on, when nothing else holds it back.
const LINGER: Duration = Duration::from_millis(5);
/// Transactions that are handed on without lingering.
const BATCH_TRANSACTIONS: usize = 500;
/// Without a sign of life the connection counts as lost. The source answers every status.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// What the capture and the one who applies know of each other.
#[derive(Debug, Clone)]
pub struct Signals {
    /// Durable in the destination and stored: may be confirmed.
    pub durable: watch::Receiver<LogPosition>,
    /// Somebody waits for the end of the log.
    pub is_waited_for: watch::Receiver<bool>,
    pub arrivals: Arrivals,
}

/// A stream that is open, on its way into batches.
pub struct Capture {
    stream: Box<dyn ChangeStream>,
    collector: Collector,
    signals: Signals,
    started: Option<Instant>,
    heard: Instant,
}

impl Capture {
    /// `tables` is how many the plan has.
    pub fn new(stream: Box<dyn ChangeStream>, tables: usize, routes: Arc<Vec<Route>>, signals: Signals) -> Self {
        Self {
            stream,
            collector: Collector::new(routes, tables),
            signals,
            started: None,
            heard: Instant::now(),
        }
    }

    /// Reads until the receiver of the batches is gone.
    ///
    /// # Errors
    /// When the stream breaks or holds a change that cannot be followed.
    pub async fn run(mut self, batches: mpsc::Sender<Batch>) -> Result<(), CdcError> {
        let mut asked = Instant::now();
        loop {
            let every = if *self.signals.is_waited_for.borrow() {
                STATUS_EVERY_WHEN_WAITED_FOR
            } else {
                STATUS_EVERY
            };
            let is_ready = self.is_ready();
            let may_read = !self.collector.is_full() && !hooks::is_held(hooks::LOG);
            // Once it is over, only another message can make the batch ready.
            let linger = self.started.map(|s| s + LINGER).filter(|end| *end > Instant::now());
            tokio::select! {
                biased;
                () = batches.closed() => return Ok(()),
                permit = batches.reserve(), if is_ready => {
                    let Ok(permit) = permit else { return Ok(()) };
                    self.started = None;
                    permit.send(self.collector.take(self.stream.open_transaction()));
                    self.signals.arrivals.hands_on();
                    self.signals.arrivals.gathers(self.collector.batch());
                }
                changed = self.signals.durable.changed() => {
                    if changed.is_err() { return Ok(()) }
                    self.status(false).await?;
                }
                () = tokio::time::sleep_until(asked + every) => {
                    asked = Instant::now();
                    if !may_read {
                        // It is not the source that is silent.
                        self.heard = asked;
                    }
                    if self.heard.elapsed() > SILENCE_MAX {
                        return Err(SourceError::ConnectionLost {
                            reason: format!("the log has been silent for {} seconds", SILENCE_MAX.as_secs()),
                        }.into());
                    }
                    self.status(true).await?;
                }
                () = tokio::time::sleep_until(linger.unwrap_or_else(Instant::now)), if linger.is_some() => {}
                ready = self.stream.ready(), if may_read => {
                    self.heard = Instant::now();
                    ready?;
                    self.take().await?;
                    self.signals.arrivals.gathers(self.collector.batch());
                }
            }
        }
    }

    /// Whether the batch may be handed on: it is full, or its last transaction is complete and nothing more is at hand.
    fn is_ready(&self) -> bool {
        let batch = self.collector.batch();
        if self.collector.is_full() {
            return true;
        }
        let is_complete = self.stream.open_transaction().is_none();
        let has_gathered =
            batch.transactions.len() >= BATCH_TRANSACTIONS || self.started.is_some_and(|s| s.elapsed() >= LINGER);
        is_complete && has_gathered && (!batch.is_empty() || batch.end > LogPosition::default())
    }

    async fn take(&mut self) -> Result<(), CdcError> {
        let begun = Instant::now();
        let arrived = self.stream.read(&mut self.collector).await?;
        if let Some(sent) = arrived.sent {
            self.signals.arrivals.reached(sent.0);
        }
        if arrived.is_further {
            self.started.get_or_insert(begun);
        }
        Ok(())
    }

    async fn status(&mut self, wants_reply: bool) -> Result<(), CdcError> {
        let durable = *self.signals.durable.borrow_and_update();
        Ok(self.stream.confirm(durable, wants_reply).await?)
    }
}
