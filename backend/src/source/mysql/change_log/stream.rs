//! A connection as a replica, and the events that come through it.

use super::keys::read_tables;
use crate::data::change::ChangeSink;
use crate::data::position::{LogPosition, TransactionId};
use crate::source::SourceError;
use crate::source::change_log::{Arrived, ChangeStream, Watched};
use crate::source::mysql::binlog::cascade::LogTables;
use crate::source::mysql::binlog::decoder::LogDecoder;
use crate::source::mysql::binlog::events::{DecodeError, LogEvent, event};
use crate::source::mysql::binlog::place::{LogFile, MAGIC_BYTES, Place};
use crate::source::mysql::client::{MySqlSource, query_error};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::{FutureExt, StreamExt};
use mysql_async::binlog::events::Event;
use mysql_async::prelude::Queryable;
use mysql_async::{BinlogStream, BinlogStreamRequest, Conn, Error};
use std::sync::Arc;
use uuid::Uuid;

/// Events that are taken in without looking left or right.
const EVENTS_AT_ONCE: usize = 2_000;
/// How often the server says that it has nothing to say, in nanoseconds.
const HEARTBEAT_NANOS: u64 = 1_000_000_000;
/// Identifiers of replicas here: the lower ones are for the servers of an administrator.
const IDS: std::ops::Range<u32> = 0x8000_0000..0xffff_ff00;
/// Tries to find one that nobody has.
const ID_TRIES: usize = 10;
/// What the server says to a replica that cannot be served.
const CANNOT_READ: u16 = 1236;

/// A connection that asks for the log.
pub struct Replica {
    /// Before it has asked.
    conn: Option<Conn>,
    id: u32,
    stream: Option<BinlogStream>,
}

/// From where on.
pub struct Request<'a> {
    pub file: &'a str,
    pub offset: u64,
    /// The stream does not end with the log.
    pub is_waiting: bool,
}

impl Replica {
    /// # Errors
    /// When the source cannot be reached.
    pub async fn open(source: &MySqlSource) -> Result<Self, SourceError> {
        let opening = async {
            let (mut conn, server) = source.open().await?;
            let id = free_id(&mut conn).await;
            let year = 31_536_000;
            let mut settings = vec![
                // A server whose stream is not read for a while waits for it.
                format!("SET SESSION net_write_timeout = {year}, net_read_timeout = {year}, wait_timeout = {year}"),
                format!(
                    "SET @master_heartbeat_period = {HEARTBEAT_NANOS}, @source_heartbeat_period = {HEARTBEAT_NANOS}"
                ),
                // A server ends what an earlier connection of the same replica has left.
                format!("SET @slave_uuid = '{0}', @replica_uuid = '{0}'", Uuid::new_v4()),
            ];
            if server.is_mariadb() {
                // It knows GTIDs: otherwise they are turned into statements for it.
                settings.push("SET @mariadb_slave_capability = 4".into());
            }
            for sql in settings {
                conn.query_drop(sql).await.map_err(query_error)?;
            }
            Ok(Self {
                conn: Some(conn),
                id,
                stream: None,
            })
        };
        source.in_time(opening).await
    }

    /// # Errors
    /// When the server refuses.
    pub async fn start(&mut self, request: &Request<'_>) -> Result<(), SourceError> {
        let Some(conn) = self.conn.take() else {
            return Ok(());
        };
        let mut asked = BinlogStreamRequest::new(self.id)
            .with_filename(request.file.as_bytes())
            .with_pos(request.offset)
            .with_hostname(b"godwit");
        if !request.is_waiting {
            asked = asked.with_non_blocking();
        }
        self.stream = Some(conn.get_binlog_stream(asked).await.map_err(log_error)?);
        Ok(())
    }

    /// The next event; `None` at the end of a stream that does not wait. May be dropped and called again without loss.
    ///
    /// # Errors
    /// When the connection ends, or the server has no more to give.
    pub async fn next(&mut self) -> Result<Option<Event>, SourceError> {
        match &mut self.stream {
            Some(stream) => stream.next().await.transpose().map_err(log_error),
            None => std::future::pending().await,
        }
    }
}

/// An identifier that no other replica has, as far as the user may see them.
async fn free_id(conn: &mut Conn) -> u32 {
    let mut taken: Vec<u32> = Vec::new();
    for sql in ["SHOW SLAVE HOSTS", "SHOW REPLICAS"] {
        if let Ok(rows) = conn.query::<mysql_async::Row, _>(sql).await {
            taken.extend(rows.iter().filter_map(|row| row.get_opt::<u32, _>(0)?.ok()));
            break;
        }
    }
    let mut id = IDS.start;
    for _ in 0..ID_TRIES {
        let random = Uuid::new_v4().as_u128() as u32;
        id = IDS.start + random % (IDS.end - IDS.start);
        if !taken.contains(&id) {
            break;
        }
    }
    id
}

fn log_error(error: Error) -> SourceError {
    match &error {
        Error::Server(server) if server.code == CANNOT_READ => {
            let reason = server.message.clone();
            // Another replica has the identifier, or this one is older: the next try has another.
            match reason.contains("same server_uuid") {
                true => SourceError::ConnectionLost { reason },
                false => SourceError::LogUnusable { reason },
            }
        }
        _ => query_error(error),
    }
}

/// A log that is read.
pub struct MySqlStream {
    source: MySqlSource,
    watched: Watched,
    replica: Replica,
    file: LogFile,
    tables: Arc<LogTables>,
    decoder: LogDecoder,
    /// Where it begins: what lies before is passed over.
    from: Place,
    /// An event that has arrived and is not taken in.
    next: Option<Event>,
    told: Option<Place>,
}

impl MySqlStream {
    /// # Errors
    /// When the source cannot be reached.
    pub async fn open(
        source: &MySqlSource,
        watched: &Watched,
        tables: LogTables,
        file: LogFile,
    ) -> Result<Self, SourceError> {
        let tables = Arc::new(tables);
        let start = Place {
            file: file.number,
            offset: MAGIC_BYTES,
        };
        Ok(Self {
            source: source.clone(),
            watched: watched.clone(),
            replica: Replica::open(source).await?,
            decoder: LogDecoder::new(tables.clone(), start),
            file,
            tables,
            from: start,
            next: None,
            told: None,
        })
    }

    async fn take(
        &mut self,
        event: &Event,
        sink: &mut dyn ChangeSink,
        arrived: &mut Arrived,
    ) -> Result<(), SourceError> {
        let header = event.header();
        let event = LogEvent {
            kind: header.event_type_raw(),
            timestamp: header.timestamp(),
            bytes: header.event_size(),
            end: header.log_pos(),
            flags: header.flags_raw(),
            data: event.data(),
        };
        if self.decoder.place() < self.from && event.kind != event::ROTATE {
            self.decoder.pass_over(&event);
            return Ok(());
        }
        self.decoder.take(&event, sink).map_err(|error| match error {
            DecodeError::Malformed(error) => error.into(),
            DecodeError::Unreadable(reason) => SourceError::LogUnusable { reason },
        })?;
        let place = self.decoder.place();
        if self.told != Some(place) {
            self.told = Some(place);
            arrived.is_further = true;
        }
        // It says so when it has sent everything.
        if matches!(event.kind, event::HEARTBEAT | event::HEARTBEAT_V2) {
            arrived.sent = arrived.sent.max(Some(place.into()));
        }
        if self.decoder.takes_new_keys() {
            let link = self.source.connect().await?;
            self.tables = Arc::new(read_tables(&link, &self.watched).await?);
            self.decoder.learn(self.tables.clone());
        }
        Ok(())
    }
}

#[async_trait]
impl ChangeStream for MySqlStream {
    async fn start(&mut self, from: LogPosition) -> Result<(), SourceError> {
        self.from = from.into();
        // The server is asked with 32 bits: far behind, the file is read from its beginning.
        let offset = match u32::try_from(self.from.offset) {
            Ok(_) => self.from.offset,
            Err(_) => MAGIC_BYTES,
        };
        let start = Place {
            file: self.file.number,
            offset,
        };
        self.decoder = LogDecoder::new(self.tables.clone(), start);
        let request = Request {
            file: &self.file.name,
            offset,
            is_waiting: true,
        };
        self.replica.start(&request).await
    }

    async fn ready(&mut self) -> Result<(), SourceError> {
        if self.next.is_none() {
            let next = self.replica.next().await?;
            self.next = Some(next.ok_or_else(|| SourceError::ConnectionLost {
                reason: "the server has ended the stream of its log".into(),
            })?);
        }
        Ok(())
    }

    async fn read(&mut self, sink: &mut dyn ChangeSink) -> Result<Arrived, SourceError> {
        let mut arrived = Arrived::default();
        for _ in 0..EVENTS_AT_ONCE {
            let event = match self.next.take() {
                Some(event) => event,
                None => match self.replica.next().now_or_never() {
                    Some(next) => match next? {
                        Some(event) => event,
                        None => break,
                    },
                    None => break,
                },
            };
            self.take(&event, sink, &mut arrived).await?;
            if sink.is_full() {
                break;
            }
        }
        Ok(arrived)
    }

    /// The server is not told: it keeps its log for a time of its own, and gives a sign of life by itself.
    async fn confirm(&mut self, _durable: LogPosition, _asks: bool) -> Result<(), SourceError> {
        Ok(())
    }

    fn open_transaction(&self) -> Option<(TransactionId, DateTime<Utc>)> {
        self.decoder.open_transaction()
    }
}
