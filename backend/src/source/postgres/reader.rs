//! Reads of one point in time: an exported snapshot and the connections that share it.

use super::client::{PgClient, PgSource, query_error};
use super::matching::count_rows;
use super::queries;
use crate::data::catalog::CatalogTable;
use crate::data::row::{MalformedRow, RowSet};
use crate::hooks;
use crate::plan::{Node, RowFilter};
use crate::source::SourceError;
use crate::source::api::{Reader, Rows, Snapshot};
use crate::source::change_log::Contained;
use crate::source::read::{ChildKeys, KeyRange, RootRows};
use crate::source::sums::Sums;
use async_trait::async_trait;
use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_postgres::CopyOutStream;

/// Signature, flags and the length of the header's extension.
/// <https://www.postgresql.org/docs/15/sql-copy.html#id-1.9.3.55.9.4>
const COPY_HEADER_BYTES: usize = 19;

/// One point in time of the source. As long as it is held, readers can be opened on it, and the source keeps the row
/// versions that it needs.
pub struct PgSnapshot {
    source: PgSource,
    holder: PgClient,
    id: String,
    contained: Contained,
    /// Connections for the next readers. Those that were given back are still in their transaction.
    idle: Arc<Mutex<Vec<Idle>>>,
}

/// A connection that nobody reads from.
struct Idle {
    pg: PgClient,
    is_in_transaction: bool,
}

/// A connection inside a snapshot.
pub struct PgReader {
    pg: PgClient,
    /// Where it goes when it is given back.
    idle: Arc<Mutex<Vec<Idle>>>,
}

/// Rows as they arrive, in the binary COPY format.
struct RowStream {
    stream: Pin<Box<CopyOutStream>>,
    columns: usize,
    skip: usize,
    has_header: bool,
    is_ended: bool,
}

/// Which transactions a point in time contains.
/// <https://www.postgresql.org/docs/15/functions-info.html#FUNCTIONS-INFO-SNAPSHOT>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionSet {
    /// All below had ended.
    xmin: u64,
    /// None from here on had ended.
    xmax: u64,
    /// Those between that had not.
    in_progress: Vec<u64>,
}

impl TransactionSet {
    /// Whether a transaction of the log, which is committed, is visible. The log's number has 32 bits: it is widened to
    /// the one nearest to the snapshot's own, for no two that can meet are 2³¹ apart.
    pub fn contains(&self, transaction: u32) -> bool {
        let nearest = i64::from(transaction.wrapping_sub(self.xmax as u32) as i32);
        let wide = self.xmax.saturating_add_signed(nearest);
        wide < self.xmin || (wide < self.xmax && !self.in_progress.contains(&wide))
    }

    /// Reads `xmin:xmax:number,number`, as the source prints a snapshot.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let (xmin, xmax) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let list = parts.next()?.split(',').filter(|n| !n.is_empty());
        Some(Self {
            xmin,
            xmax,
            in_progress: list.map(str::parse).collect::<Result<_, _>>().ok()?,
        })
    }
}

/// Readers never wait long for a lock. Who waits behind a TRUNCATE or an ALTER TABLE of the application, which waits for
/// a reader of the same point in time, would wait for ever, and the application with him: the source cannot see that
/// the two readers belong together. Giving up the point in time lets everybody go on.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = 500";

/// Connections without a point in time: nothing is held in the source.
pub struct PgConnections {
    source: PgSource,
    holder: Option<PgClient>,
    idle: Vec<PgClient>,
}

impl PgConnections {
    pub fn new(source: &PgSource) -> Self {
        Self {
            source: source.clone(),
            holder: None,
            idle: Vec::new(),
        }
    }

    /// Fixes a point in time. The tables are locked first against changes of their definition: a table that is
    /// rewritten would look empty to an older point in time, and what is read would not fit the catalog.
    ///
    /// # Errors
    /// When the source cannot be reached, or somebody changes a table just now.
    pub async fn begin(self, tables: &[Arc<CatalogTable>]) -> Result<PgSnapshot, SourceError> {
        let holder = match self.holder {
            Some(holder) => holder,
            None => self.source.connect().await?,
        };
        PgSnapshot::fix(self.source, holder, self.idle, None, tables).await
    }
}

impl PgSnapshot {
    /// A point in time on connections of its own: see [`PgConnections::begin`].
    ///
    /// # Errors
    /// As there.
    pub async fn begin(source: &PgSource, tables: &[Arc<CatalogTable>]) -> Result<Self, SourceError> {
        PgConnections::new(source).begin(tables).await
    }

    /// Takes over a point in time that another connection exported, before that connection does anything else.
    ///
    /// # Errors
    /// When the source cannot be reached, or the point in time is gone.
    pub async fn import(source: &PgSource, exported: &str, tables: &[Arc<CatalogTable>]) -> Result<Self, SourceError> {
        let holder = source.connect().await?;
        Self::fix(source.clone(), holder, Vec::new(), Some(exported), tables).await
    }

    /// Gives the point in time up, with all locks, and keeps the connections.
    ///
    /// # Errors
    /// When the source is gone.
    pub async fn end(self) -> Result<PgConnections, SourceError> {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        let used = idle.iter().filter(|i| i.is_in_transaction).map(|i| &i.pg);
        let ended = used.chain([&self.holder]).map(|pg| pg.client.batch_execute("ROLLBACK"));
        futures_util::future::try_join_all(ended).await.map_err(query_error)?;
        let idle = idle.into_iter().map(|i| i.pg).collect();
        Ok(PgConnections {
            source: self.source,
            holder: Some(self.holder),
            idle,
        })
    }

    async fn fix(
        source: PgSource,
        holder: PgClient,
        idle: Vec<PgClient>,
        exported: Option<&str>,
        tables: &[Arc<CatalogTable>],
    ) -> Result<Self, SourceError> {
        let names: Vec<String> = tables.iter().map(|t| queries::only(t)).collect();
        let lock = format!("LOCK TABLE {} IN ACCESS SHARE MODE", names.join(", "));
        let import = exported.map(|id| format!("SET TRANSACTION SNAPSHOT {}", queries::literal(id)));
        // A lock is no query: the point in time is that of the first one after it.
        let lock = (!tables.is_empty()).then_some(lock);
        let steps: Vec<String> = [Some(BEGIN.to_owned()), import, lock].into_iter().flatten().collect();
        holder
            .client
            .batch_execute(&steps.join("; "))
            .await
            .map_err(query_error)?;
        let row = holder
            .client
            .query_one("SELECT pg_export_snapshot(), txid_current_snapshot()::text", &[])
            .await
            .map_err(query_error)?;
        let transactions = TransactionSet::parse(row.get(1)).ok_or(MalformedRow("a snapshot that cannot be read"))?;
        Ok(Self {
            source,
            id: row.get(0),
            holder,
            contained: Contained::Numbers(transactions),
            idle: Arc::new(Mutex::new(
                idle.into_iter()
                    .map(|pg| Idle {
                        pg,
                        is_in_transaction: false,
                    })
                    .collect(),
            )),
        })
    }

    /// The connection that holds the snapshot, for reads of the catalog in the same point in time.
    pub fn holder(&self) -> &PgClient {
        &self.holder
    }

    /// Which transactions it contains.
    pub fn transactions(&self) -> &Contained {
        &self.contained
    }

    fn reader_on(&self, pg: PgClient) -> Box<dyn Reader> {
        Box::new(PgReader {
            pg,
            idle: self.idle.clone(),
        })
    }
}

#[async_trait]
impl Snapshot for PgSnapshot {
    async fn reader(&self) -> Result<Box<dyn Reader>, SourceError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let pg = match idle {
            // It is in this point in time already.
            Some(Idle {
                pg,
                is_in_transaction: true,
            }) => return Ok(self.reader_on(pg)),
            Some(Idle { pg, .. }) => pg,
            None => self.source.connect().await?,
        };
        let sql = format!("{BEGIN}; SET TRANSACTION SNAPSHOT {}", queries::literal(&self.id));
        pg.client.batch_execute(&sql).await.map_err(query_error)?;
        Ok(self.reader_on(pg))
    }

    async fn split_keys(
        &self,
        table: &CatalogTable,
        chunk_bytes: u64,
        chunks_max: u64,
    ) -> Result<Vec<Vec<String>>, SourceError> {
        let chunks = (table.size_bytes / chunk_bytes.max(1)).min(chunks_max);
        if table.primary_key.is_empty() || chunks < 2 {
            return Ok(Vec::new());
        }
        // About so many pages of the sample for each chunk: enough that chunks differ little.
        const SAMPLES: u64 = 40;
        let sql = queries::split_keys(table, chunks, chunks * SAMPLES);
        let rows = self.holder.client.query(&sql, &[]).await.map_err(query_error)?;
        Ok(rows
            .iter()
            .map(|row| (0..table.primary_key.len()).map(|i| row.get(i)).collect())
            .collect())
    }

    async fn count_rows(&self, table: &CatalogTable, filter: Option<&RowFilter>) -> Result<u64, SourceError> {
        count_rows(&self.holder, table, filter).await
    }
}

impl PgReader {
    /// Equal rows of a table without a primary key are told apart by nothing: all of them are read.
    async fn read_keyless(
        &self,
        node: &Node,
        keys: &[Vec<Option<&str>>],
        mut read: RootRows,
    ) -> Result<RootRows, SourceError> {
        let mut stream = self.copy(&queries::decoded_rows(node, keys), node.cells(), 0).await?;
        while let Some(tuple) = stream.next_tuple().await? {
            read.keys.push_copy_tuple(tuple, 0)?;
        }
        for (numbers, sql) in queries::rows_equal_to(node, keys) {
            let mut stream = self.copy(&sql, node.cells(), 1).await?;
            while let Some(tuple) = stream.next_tuple().await? {
                let place = read_number(&tuple)? as usize;
                read.rows.push_copy_tuple(tuple, 1)?;
                read.numbers
                    .push(*numbers.get(place).ok_or(MalformedRow("a key number out of range"))?);
            }
        }
        Ok(read)
    }

    async fn copy(&self, sql: &str, columns: usize, skip: usize) -> Result<RowStream, SourceError> {
        let stream = self.pg.client.copy_out(sql).await.map_err(query_error)?;
        Ok(RowStream {
            stream: Box::pin(stream),
            columns,
            skip,
            has_header: false,
            is_ended: false,
        })
    }
}

#[async_trait]
impl Reader for PgReader {
    async fn stream_roots(
        &self,
        node: &Node,
        range: &KeyRange,
        is_ordered: bool,
        limit: Option<u32>,
    ) -> Result<Box<dyn Rows>, SourceError> {
        let sql = match hooks::faults().forgets_filters {
            true => {
                let mut all = node.clone();
                all.table_filter = None;
                queries::root_rows(&all, range, is_ordered, limit)
            }
            false => queries::root_rows(node, range, is_ordered, limit),
        };
        Ok(Box::new(self.copy(&sql, node.cells(), 0).await?))
    }

    async fn read_children(
        &self,
        node: &Node,
        keys: &ChildKeys<'_>,
        limit: Option<u32>,
        bytes_max: usize,
    ) -> Result<Option<(RowSet, Vec<u32>)>, SourceError> {
        let join = node.join.as_ref().ok_or(MalformedRow("a child without a join"))?;
        let (sql, numbers_by_field) = if limit.is_none() && queries::is_read_by_index(node, join) {
            let sql = queries::child_rows_by_index(node, join, &keys.printed[0]);
            (sql, Some(keys.numbers_by_field()))
        } else {
            (queries::child_rows(node, keys.parent, join, &keys.printed, limit), None)
        };
        let mut stream = self.copy(&sql, node.cells(), 1).await?;
        let (mut rows, mut numbers, mut bytes) = (RowSet::new(node.cells()), Vec::new(), 0);
        while let Some(tuple) = stream.next_tuple().await? {
            bytes += tuple.len();
            if bytes > bytes_max {
                self.pg.cancel_query().await;
                return Ok(None);
            }
            numbers.push(match &numbers_by_field {
                // To pass over a row would lose it.
                Some(numbers) => *numbers
                    .get(first_field(&tuple)?)
                    .ok_or(MalformedRow("it has a key that was not asked for"))?,
                None => read_number(&tuple)?,
            });
            rows.push_copy_tuple(tuple, 1)?;
        }
        Ok(Some((rows, numbers)))
    }

    async fn read_roots(&self, node: &Node, keys: &[Vec<Option<&str>>]) -> Result<RootRows, SourceError> {
        let own = node.table.primary_key.len();
        let mut read = RootRows::new(node);
        if own == 0 {
            return self.read_keyless(node, keys, read).await;
        }
        // In front of the row: number, whether it is there, the key, its classes.
        let front = 2 + own + node.classes.len();
        let places: Vec<Option<usize>> = (node.columns.iter())
            .map(|c| node.table.primary_key.iter().position(|k| k == c).map(|i| i + 2))
            .chain((2 + own..front).map(Some))
            .collect();
        let mut stream = self
            .copy(&queries::roots_by_key(node, keys), node.cells(), front)
            .await?;
        while let Some(tuple) = stream.next_tuple().await? {
            let number = read_number(&tuple)?;
            // The second field tells whether there is such a row: a length of 1, then the byte.
            let is_there = tuple.get(14) == Some(&1);
            read.keys.push_fields(&tuple, &places)?;
            if is_there {
                read.rows.push_copy_tuple(tuple, front)?;
                read.numbers.push(number);
            }
        }
        Ok(read)
    }

    async fn stream_roots_above(
        &self,
        path: &[&Node],
        keys: &[Vec<Option<&str>>],
    ) -> Result<Box<dyn Rows>, SourceError> {
        let sql = queries::roots_above(path, keys);
        let columns = path[0].table.row_key().len();
        Ok(Box::new(self.copy(&sql, columns, 0).await?))
    }

    async fn stream_values(
        &self,
        table: &CatalogTable,
        leaf: Option<&str>,
        columns: &[usize],
    ) -> Result<Box<dyn Rows>, SourceError> {
        let sql = queries::printed_values(table, leaf, columns);
        Ok(Box::new(self.copy(&sql, columns.len(), 0).await?))
    }

    async fn stream_below(&self, path: &[&Node], range: &KeyRange) -> Result<Box<dyn Rows>, SourceError> {
        let (root, node) = (path[0], path[path.len() - 1]);
        let keys = root.table.primary_key.len() + node.join.as_ref().map_or(0, |j| j.pairs.len());
        let sql = queries::streamed_rows(path, range);
        Ok(Box::new(self.copy(&sql, node.cells(), keys).await?))
    }

    async fn sums(&self, path: &[&Node], columns: &[usize]) -> Result<Option<Sums>, SourceError> {
        super::sums::read(&self.pg, path, columns).await.map(Some)
    }

    fn statement(&self, path: &[&Node]) -> String {
        match path {
            [.., parent, node] if node.join.is_some() => {
                let join = node.join.as_ref().expect("it was looked at");
                let no_keys = vec![Vec::new(); join.pairs.len()];
                queries::child_rows(node, &parent.table, join, &no_keys, node.limit)
            }
            [root] => queries::root_rows(root, &KeyRange::default(), true, None),
            _ => queries::streamed_rows(path, &KeyRange::default()),
        }
    }

    async fn cancel(&self) {
        self.pg.cancel_query().await;
    }

    fn give_back(self: Box<Self>) {
        let PgReader { pg, idle } = *self;
        idle.lock().unwrap_or_else(PoisonError::into_inner).push(Idle {
            pg,
            is_in_transaction: true,
        });
    }
}

/// The bytes of the first field, which is not NULL.
fn first_field(tuple: &[u8]) -> Result<&[u8], MalformedRow> {
    let length = crate::data::row::read_i32(tuple, 2)?;
    (usize::try_from(length).ok())
        .and_then(|length| tuple.get(6..6 + length))
        .ok_or(MalformedRow("a key that is null or ends early"))
}

/// The number of a key, from 0; the source counts from 1. It is the first field: a count of fields, a length, four
/// bytes.
fn read_number(tuple: &[u8]) -> Result<u32, MalformedRow> {
    let number = crate::data::row::read_i32(tuple, 6)?;
    u32::try_from(number - 1).map_err(|_| MalformedRow("a key number below 1"))
}

impl RowStream {
    /// The next row as a tuple of the binary COPY format; `None` after the last.
    async fn next_tuple(&mut self) -> Result<Option<Bytes>, SourceError> {
        while !self.is_ended {
            // The server sends each tuple as a message of its own, the header in front of the first.
            let Some(message) = self.stream.next().await else {
                return Err(MalformedRow("the rows end without their end mark").into());
            };
            let mut message = message.map_err(query_error)?;
            if !self.has_header {
                self.has_header = true;
                if message.len() < COPY_HEADER_BYTES {
                    return Err(MalformedRow("no header").into());
                }
                message.advance(COPY_HEADER_BYTES);
            }
            match message.get(..2) {
                Some([0xff, 0xff]) => {
                    self.is_ended = true;
                    // Only the completion of the command says that nothing went wrong at the end.
                    if let Some(rest) = self.stream.next().await {
                        rest.map_err(query_error)?;
                    }
                }
                Some(_) => return Ok(Some(message)),
                None => {}
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Rows for RowStream {
    async fn next_rows(&mut self, rows_max: usize, bytes_max: usize) -> Result<Option<RowSet>, SourceError> {
        let mut rows = RowSet::new(self.columns);
        let mut bytes = 0;
        while rows.len() < rows_max && bytes < bytes_max {
            let Some(tuple) = self.next_tuple().await? else { break };
            bytes += tuple.len();
            rows.push_copy_tuple(tuple, self.skip)?;
        }
        Ok((!rows.is_empty()).then_some(rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_visible_when_it_had_ended_before_the_snapshot() {
        let set = TransactionSet::parse("100:105:101,103").unwrap();
        let visible: Vec<u32> = (98..108).filter(|t| set.contains(*t)).collect();
        assert_eq!(visible, [98, 99, 100, 102, 104]);
        assert!(TransactionSet::parse("7:7:").unwrap().contains(6));
        assert!(!TransactionSet::parse("7:7:").unwrap().contains(7));
        assert_eq!(TransactionSet::parse("7:7"), None);
    }

    #[test]
    fn the_numbers_of_the_log_start_anew_after_32_bits() {
        let epoch = 3u64 << 32;
        let set = TransactionSet::parse(&format!("{}:{}:", epoch + 5, epoch + 5)).unwrap();
        assert!(set.contains(4) && set.contains(u32::MAX) && set.contains(u32::MAX - 1000));
        assert!(!set.contains(5) && !set.contains(1000));
    }
}
