//! Reads of one point in time: an exported snapshot and the connections that share it.

use super::client::{PgClient, PgSource, query_error};
use super::queries::{self, KeyRange};
use crate::data::catalog::CatalogTable;
use crate::data::row::{MalformedRow, RowSet};
use crate::plan::Node;
use crate::source::SourceError;
use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use std::pin::Pin;
use tokio_postgres::CopyOutStream;

/// Signature, flags and the length of the header's extension.
/// <https://www.postgresql.org/docs/15/sql-copy.html#id-1.9.3.55.9.4>
const COPY_HEADER_BYTES: usize = 19;

/// What one batch may hold of the source's bytes, all nodes together, while it has more than one root.
pub const BATCH_BYTES_MAX: usize = 64 << 20;
/// What one root may hold: several times the largest document, for filters and hidden columns.
pub const ROOT_BYTES_MAX: usize = 256 << 20;

/// One point in time of the source. As long as it is held, readers can be opened on it, and the source keeps the row
/// versions that it needs.
pub struct PgSnapshot {
    source: PgSource,
    holder: PgClient,
    id: String,
}

/// A connection inside a snapshot.
pub struct PgReader {
    pg: PgClient,
}

/// Rows as they arrive.
pub struct RowStream {
    stream: Pin<Box<CopyOutStream>>,
    columns: usize,
    skip: usize,
    has_header: bool,
    is_ended: bool,
}

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

impl PgSnapshot {
    /// Fixes a point in time.
    ///
    /// # Errors
    /// When the source cannot be reached.
    pub async fn begin(source: &PgSource) -> Result<Self, SourceError> {
        let holder = source.connect().await?;
        holder.client.batch_execute(BEGIN).await.map_err(query_error)?;
        let row = holder
            .client
            .query_one("SELECT pg_export_snapshot()", &[])
            .await
            .map_err(query_error)?;
        Ok(Self {
            source: source.clone(),
            id: row.get(0),
            holder,
        })
    }

    /// The connection that holds the snapshot, for reads of the catalog in the same point in time.
    pub fn holder(&self) -> &PgClient {
        &self.holder
    }

    /// Opens one more connection on the same point in time.
    ///
    /// # Errors
    /// When the source cannot be reached, or the snapshot is gone with its connection.
    pub async fn reader(&self) -> Result<PgReader, SourceError> {
        let pg = self.source.connect().await?;
        let sql = format!("{BEGIN}; SET TRANSACTION SNAPSHOT {}", queries::literal(&self.id));
        pg.client.batch_execute(&sql).await.map_err(query_error)?;
        Ok(PgReader { pg })
    }

    /// Keys that cut a table into parts of about equal size; empty when one part is enough.
    ///
    /// # Errors
    /// When the source refuses or is gone.
    pub async fn split_keys(
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

    /// Counts the rows of a table: cheap enough below some size, and statistics may be missing.
    ///
    /// # Errors
    /// When the source refuses or is gone.
    pub async fn count_rows(&self, table: &CatalogTable) -> Result<u64, SourceError> {
        let sql = format!("SELECT count(*) FROM {}", queries::only(table));
        let row = self.holder.client.query_one(&sql, &[]).await.map_err(query_error)?;
        Ok(row.get::<_, i64>(0) as u64)
    }
}

impl PgReader {
    /// Streams root rows of a range, in the order of their keys where that is asked for.
    ///
    /// # Errors
    /// When the source refuses the read.
    pub async fn stream_roots(
        &self,
        node: &Node,
        range: &KeyRange,
        is_ordered: bool,
        limit: Option<u32>,
    ) -> Result<RowStream, SourceError> {
        self.copy(
            &queries::root_rows(node, range, is_ordered, limit),
            node.columns.len(),
            0,
        )
        .await
    }

    /// Reads the rows of a child node for many keys at once. Returns them with the number of the key of each, in the
    /// order of the keys; `None` when they have more than `bytes_max`.
    ///
    /// After a `None` or an error the reader is to be thrown away.
    ///
    /// # Errors
    /// When the source refuses the read or is gone in the middle of it.
    pub async fn read_children(
        &self,
        node: &Node,
        parent: &CatalogTable,
        keys: &[Vec<String>],
        limit: Option<u32>,
        bytes_max: usize,
    ) -> Result<Option<(RowSet, Vec<u32>)>, SourceError> {
        let join = node.join.as_ref().ok_or(MalformedRow("a child without a join"))?;
        let sql = queries::child_rows(node, parent, join, keys, limit);
        let mut stream = self.copy(&sql, node.columns.len(), 1).await?;
        let (mut rows, mut numbers, mut bytes) = (RowSet::new(node.columns.len()), Vec::new(), 0);
        while let Some(tuple) = stream.next_tuple().await? {
            bytes += tuple.len();
            if bytes > bytes_max {
                self.pg.cancel_query().await;
                return Ok(None);
            }
            // The number is the first field: a count of fields, a length, four bytes.
            let number = crate::data::row::read_i32(&tuple, 6)?;
            numbers.push(u32::try_from(number - 1).map_err(|_| MalformedRow("a key number below 1"))?);
            rows.push_copy_tuple(tuple, 1)?;
        }
        Ok(Some((rows, numbers)))
    }

    /// Streams all rows of a node below the roots of a range, in the order of the roots: [`queries::streamed_rows`].
    ///
    /// # Errors
    /// When the source refuses the read.
    pub async fn stream_below(&self, path: &[&Node], range: &KeyRange) -> Result<RowStream, SourceError> {
        let (root, node) = (path[0], path[path.len() - 1]);
        let keys = root.table.primary_key.len() + node.join.as_ref().map_or(0, |j| j.pairs.len());
        self.copy(&queries::streamed_rows(path, range), node.columns.len(), keys)
            .await
    }

    /// Ends what the connection is doing now.
    pub async fn cancel(&self) {
        self.pg.cancel_query().await;
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

impl RowStream {
    /// Takes rows until there are so many or they have so many bytes. `None` when there are no more.
    ///
    /// # Errors
    /// When the source is gone before the end of the rows.
    pub async fn next_rows(&mut self, rows_max: usize, bytes_max: usize) -> Result<Option<RowSet>, SourceError> {
        let mut rows = RowSet::new(self.columns);
        let mut bytes = 0;
        while rows.len() < rows_max && bytes < bytes_max {
            let Some(tuple) = self.next_tuple().await? else { break };
            bytes += tuple.len();
            rows.push_copy_tuple(tuple, self.skip)?;
        }
        Ok((!rows.is_empty()).then_some(rows))
    }

    /// The next row as a tuple of the binary COPY format; `None` after the last.
    ///
    /// # Errors
    /// When the source is gone before the end of the rows.
    pub async fn next_tuple(&mut self) -> Result<Option<Bytes>, SourceError> {
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
