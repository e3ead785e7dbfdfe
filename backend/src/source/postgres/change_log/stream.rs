//! Messages of the log become changes, and what is durable is told to the server.

use super::PgLogState;
use crate::data::catalog::CatalogTable;
use crate::data::change::ChangeSink;
use crate::data::position::{LogPosition, TransactionId};
use crate::source::SourceError;
use crate::source::change_log::{Arrived, ChangeStream};
use crate::source::postgres::client::{PgClient, PgSource};
use crate::source::postgres::replication::changes::{ChangeError, LogDecoder};
use crate::source::postgres::replication::wire::{WalConnection, WalMessage};
use crate::source::postgres::replication::{Lsn, slot};
use crate::source::postgres::watch::table_of_relation;
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::Arc;

/// Messages that are taken in without looking left or right.
const MESSAGES_AT_ONCE: usize = 2_000;

/// A slot that is read.
pub struct PgStream {
    wal: WalConnection,
    source: PgSource,
    slot: String,
    publication: String,
    decoder: LogDecoder,
    tables: Vec<Arc<CatalogTable>>,
    /// To look relations up that appear meanwhile.
    control: Option<PgClient>,
    /// A message that has arrived and is not taken in.
    next: Option<WalMessage>,
    durable: Lsn,
    /// The last position that the sink was told of between two transactions.
    told: Lsn,
}

impl PgStream {
    /// `table_of` names the table of every relation that is known.
    pub fn new(
        wal: WalConnection,
        source: PgSource,
        log: &PgLogState,
        tables: Vec<Arc<CatalogTable>>,
        table_of: HashMap<u32, usize>,
    ) -> Self {
        Self {
            wal,
            source,
            slot: log.slot.clone(),
            publication: log.publication.clone(),
            decoder: LogDecoder::new(tables.clone(), table_of),
            tables,
            control: None,
            next: None,
            durable: Lsn::default(),
            told: Lsn::default(),
        }
    }

    async fn take(
        &mut self,
        message: WalMessage,
        sink: &mut dyn ChangeSink,
        arrived: &mut Arrived,
    ) -> Result<(), SourceError> {
        match message {
            WalMessage::KeepAlive { end, wants_reply } => {
                arrived.sent = arrived.sent.max(Some(end.into()));
                // Between transactions everything before has arrived; inside of one the position waits for its commit.
                if self.decoder.open_transaction().is_none() && end > self.told {
                    self.told = end;
                    sink.reached(end.into());
                    arrived.is_further = true;
                }
                if wants_reply {
                    self.wal.send_status(self.durable, false).await?;
                }
            }
            WalMessage::Data(bytes) => {
                arrived.is_further = true;
                self.decode(&bytes, sink).await?;
            }
        }
        Ok(())
    }

    async fn decode(&mut self, bytes: &Bytes, sink: &mut dyn ChangeSink) -> Result<(), SourceError> {
        loop {
            match self.decoder.take(bytes, sink) {
                Ok(()) => return Ok(()),
                Err(ChangeError::UnknownRelation { oid }) => {
                    let table = self.look_up(oid).await?;
                    self.decoder.learn(oid, table);
                }
                Err(ChangeError::Malformed(error)) => return Err(error.into()),
            }
        }
    }

    async fn look_up(&mut self, oid: u32) -> Result<Option<usize>, SourceError> {
        let control = match self.control.take() {
            Some(control) => control,
            None => self.source.connect().await?,
        };
        let table = table_of_relation(&control, &self.tables, oid).await?;
        self.control = Some(control);
        Ok(table)
    }
}

#[async_trait]
impl ChangeStream for PgStream {
    async fn start(&mut self, from: LogPosition) -> Result<(), SourceError> {
        self.durable = from.into();
        slot::start(&mut self.wal, &self.slot, &self.publication, self.durable).await
    }

    async fn ready(&mut self) -> Result<(), SourceError> {
        if self.next.is_none() {
            self.next = Some(self.wal.next().await?);
        }
        Ok(())
    }

    async fn read(&mut self, sink: &mut dyn ChangeSink) -> Result<Arrived, SourceError> {
        let mut arrived = Arrived::default();
        for _ in 0..MESSAGES_AT_ONCE {
            let message = match self.next.take() {
                Some(message) => message,
                None => match self.wal.buffered()? {
                    Some(message) => message,
                    None => break,
                },
            };
            self.take(message, sink, &mut arrived).await?;
            if sink.is_full() {
                break;
            }
        }
        Ok(arrived)
    }

    async fn confirm(&mut self, durable: LogPosition, asks: bool) -> Result<(), SourceError> {
        self.durable = durable.into();
        self.wal.send_status(self.durable, asks).await
    }

    fn open_transaction(&self) -> Option<(TransactionId, DateTime<Utc>)> {
        self.decoder.open_transaction()
    }
}
