//! Reads the log into batches. It never waits for what is applied without telling the source that it lives.

use super::arrivals::Arrivals;
use super::collect::{Batch, Collector};
use super::error::CdcError;
use crate::data::catalog::CatalogTable;
use crate::hooks;
use crate::plan::routes::Route;
use crate::source::postgres::PgSource;
use crate::source::postgres::client::PgClient;
use crate::source::postgres::replication::Lsn;
use crate::source::postgres::replication::changes::{ChangeError, LogDecoder};
use crate::source::postgres::replication::wire::{WalConnection, WalMessage};
use crate::source::postgres::watch::table_of_relation;
use std::collections::HashMap;
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
/// Messages that are taken in without looking left or right.
const MESSAGES_AT_ONCE: usize = 2_000;
/// Without a sign of life the connection counts as lost. The source answers every status.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// What the capture and the one who applies know of each other.
#[derive(Debug, Clone)]
pub struct Signals {
    /// Durable in the destination and stored: may be confirmed.
    pub durable: watch::Receiver<Lsn>,
    /// Somebody waits for the end of the log.
    pub is_waited_for: watch::Receiver<bool>,
    pub arrivals: Arrivals,
}

/// A stream that is open, on its way into batches.
pub struct Capture {
    wal: WalConnection,
    decoder: LogDecoder,
    collector: Collector,
    tables: Vec<Arc<CatalogTable>>,
    source: PgSource,
    control: Option<PgClient>,
    signals: Signals,
    started: Option<Instant>,
    heard: Instant,
    told: Lsn,
}

impl Capture {
    /// `table_of` names the table of every relation that is known.
    pub fn new(
        wal: WalConnection,
        source: PgSource,
        tables: Vec<Arc<CatalogTable>>,
        table_of: HashMap<u32, usize>,
        routes: Arc<Vec<Route>>,
        signals: Signals,
    ) -> Self {
        Self {
            wal,
            decoder: LogDecoder::new(tables.clone(), table_of),
            collector: Collector::new(routes, tables.len()),
            tables,
            source,
            control: None,
            signals,
            started: None,
            heard: Instant::now(),
            told: Lsn::default(),
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
                    permit.send(self.collector.take(self.decoder.open_transaction()));
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
                        return Err(crate::source::SourceError::ConnectionLost {
                            reason: format!("the log has been silent for {} seconds", SILENCE_MAX.as_secs()),
                        }.into());
                    }
                    self.status(true).await?;
                }
                () = tokio::time::sleep_until(linger.unwrap_or_else(Instant::now)), if linger.is_some() => {}
                message = self.wal.next(), if may_read => {
                    self.heard = Instant::now();
                    let mut message = Some(message?);
                    for _ in 0..MESSAGES_AT_ONCE {
                        let Some(m) = message.take() else { break };
                        self.take(m).await?;
                        if self.collector.is_full() { break }
                        message = self.wal.buffered()?;
                    }
                    if let Some(m) = message {
                        self.take(m).await?;
                    }
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
        let is_complete = self.decoder.open_transaction().is_none();
        let has_gathered =
            batch.transactions.len() >= BATCH_TRANSACTIONS || self.started.is_some_and(|s| s.elapsed() >= LINGER);
        is_complete && has_gathered && (!batch.is_empty() || batch.end > 0)
    }

    async fn take(&mut self, message: WalMessage) -> Result<(), CdcError> {
        match message {
            WalMessage::KeepAlive { end, wants_reply } => {
                self.signals.arrivals.reached(end.0);
                // Between transactions everything before has arrived; inside of one the position waits for its commit.
                if self.decoder.open_transaction().is_none() && end > self.told {
                    self.told = end;
                    self.collector.reached(end.0);
                    self.started.get_or_insert_with(Instant::now);
                }
                if wants_reply {
                    self.status(false).await?;
                }
            }
            WalMessage::Data(bytes) => {
                self.started.get_or_insert_with(Instant::now);
                loop {
                    match self.decoder.take(&bytes, &mut self.collector) {
                        Ok(()) => break,
                        Err(ChangeError::UnknownRelation { oid }) => {
                            let table = self.look_up(oid).await?;
                            self.decoder.learn(oid, table);
                        }
                        Err(ChangeError::Malformed(error)) => return Err(error.into()),
                    }
                }
            }
        }
        Ok(())
    }

    async fn look_up(&mut self, oid: u32) -> Result<Option<usize>, CdcError> {
        let control = match self.control.take() {
            Some(control) => control,
            None => self.source.connect().await?,
        };
        let table = table_of_relation(&control, &self.tables, oid).await?;
        self.control = Some(control);
        Ok(table)
    }

    async fn status(&mut self, wants_reply: bool) -> Result<(), CdcError> {
        let durable = *self.signals.durable.borrow_and_update();
        Ok(self.wal.send_status(durable, wants_reply).await?)
    }
}
