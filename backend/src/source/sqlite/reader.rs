//! Points in time and what is read in them.
//!
//! Each reader has a connection with a transaction of its own. They see the same if nothing was committed between the first
//! and the last of them: `data_version` of a connection outside of any transaction tells of every commit of others, so it is
//! asked before and after. In a file without a write-ahead log the first transaction keeps writers away besides.

use super::SqliteSource;
use super::client::{Client, query_error};
use super::keys::{KeyList, affinity_of};
use super::queries::{self, Query};
use super::values::{encode, key_text};
use crate::data::catalog::{CatalogColumn, CatalogTable};
use crate::data::row::{MalformedRow, RowSet};
use crate::plan::{Node, RowFilter};
use crate::source::SourceError;
use crate::source::api::{Reader, Rows, Snapshot};
use crate::source::read::{ChildKeys, KeyRange, RootRows};
use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::{Connection, Row, params_from_iter};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// How often it is tried to begin between two commits.
const TRIES: usize = 100;
const PAUSE: Duration = Duration::from_millis(10);
/// How long a reader is waited for that others have.
const READER_MAX: Duration = Duration::from_secs(60);
/// Rows and bytes that a stream reads before it hands them on.
const ROWS_AT_ONCE: usize = 1_000;
const BYTES_AT_ONCE: usize = 256 << 10;
/// So many of these wait to be taken.
const BATCHES_AHEAD: usize = 2;

/// A point in time with its connections.
pub(super) struct SqliteSnapshot {
    /// For counts and cuts.
    asks: Arc<Client>,
    idle: Arc<Idle>,
}

/// Readers that nobody has now.
#[derive(Default)]
struct Idle {
    clients: Mutex<Vec<Arc<Client>>>,
    came_back: Notify,
}

impl Idle {
    fn take(&self) -> Option<Arc<Client>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put(&self, client: Arc<Client>) {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).push(client);
        self.came_back.notify_one();
    }
}

fn data_version(connection: &Connection) -> Result<i64, SourceError> {
    connection
        .query_row("PRAGMA main.data_version", [], |row| row.get(0))
        .map_err(query_error)
}

/// Begins a transaction, or begins it anew. The first read fixes what it sees.
fn begin(connection: &Connection) -> Result<(), SourceError> {
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").map_err(query_error)?;
    }
    connection
        .execute_batch("BEGIN; SELECT count(*) FROM main.sqlite_schema")
        .map_err(query_error)
}

impl SqliteSnapshot {
    /// Fixes a point in time for so many readers.
    ///
    /// # Errors
    /// When the file cannot be opened, or others commit all the time.
    pub(super) async fn begin(source: &SqliteSource, readers: usize) -> Result<Self, SourceError> {
        let watch = source.connect().await?;
        let holder = source.connect().await?;
        let mut clients = Vec::with_capacity(readers);
        for _ in 0..readers.max(1) {
            clients.push(source.connect().await?);
        }
        for _ in 0..TRIES {
            let all: Vec<Arc<Client>> = clients.iter().chain([&holder]).cloned().collect();
            let is_one_point = watch
                .ask(move |connection| {
                    let before = data_version(connection)?;
                    for client in &all {
                        begin(&client.lock())?;
                    }
                    Ok(data_version(connection)? == before)
                })
                .await?;
            if is_one_point {
                let idle = Idle::default();
                *idle.clients.lock().unwrap_or_else(PoisonError::into_inner) = clients;
                let idle = Arc::new(idle);
                return Ok(Self { asks: holder, idle });
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(SourceError::LockedOut {
            reason: "the file is written all the time".into(),
        })
    }
}

#[async_trait]
impl Snapshot for SqliteSnapshot {
    async fn reader(&self) -> Result<Box<dyn Reader>, SourceError> {
        let waiting = async {
            loop {
                let came_back = self.idle.came_back.notified();
                if let Some(client) = self.idle.take() {
                    return client;
                }
                came_back.await;
            }
        };
        match tokio::time::timeout(READER_MAX, waiting).await {
            Ok(client) => Ok(Box::new(SqliteReader {
                client,
                idle: self.idle.clone(),
            })),
            Err(_) => Err(SourceError::TooManyConnections {
                address: "the file".into(),
                reason: "all that belong to this point in time are in use".into(),
            }),
        }
    }

    async fn split_keys(
        &self,
        table: &CatalogTable,
        chunk_bytes: u64,
        chunks_max: u64,
    ) -> Result<Vec<Vec<String>>, SourceError> {
        let chunks = (table.size_bytes / chunk_bytes.max(1)).min(chunks_max);
        let key: Vec<CatalogColumn> = table.primary_key.iter().map(|c| table.columns[*c].clone()).collect();
        // A key may hold NULL here, which no range of keys has.
        if key.is_empty() || chunks < 2 || key.iter().any(|column| column.nullable) {
            return Ok(Vec::new());
        }
        let rows = (table.rows_estimated / chunks).max(1);
        let sql = queries::split_keys(table, rows.max(2));
        let read = move |connection: &Connection| {
            let mut statement = connection.prepare(&sql).map_err(query_error)?;
            let mut found = statement.query([]).map_err(query_error)?;
            let mut cuts = Vec::new();
            while let Some(row) = found.next().map_err(query_error)? {
                // A cut that cannot be told is left out: the part before it is larger.
                cuts.extend(printed_key(row, &key)?);
            }
            Ok(cuts)
        };
        self.asks.ask(read).await
    }

    async fn count_rows(&self, table: &CatalogTable, filter: Option<&RowFilter>) -> Result<u64, SourceError> {
        let sql = queries::filtered_rows(table, filter);
        self.asks.ask(move |connection| count(connection, &sql)).await
    }
}

/// The only number of an answer.
pub(super) fn count(connection: &Connection, sql: &str) -> Result<u64, SourceError> {
    let read = connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
    let found = read.map_err(query_error)?;
    Ok(found.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
}

/// The first values of a row as keys; nothing where one of them has no form as a text.
pub(super) fn printed_key(row: &Row<'_>, key: &[CatalogColumn]) -> Result<Option<Vec<String>>, SourceError> {
    let mut values = Vec::with_capacity(key.len());
    for (place, column) in key.iter().enumerate() {
        let value = row.get_ref(place).map_err(query_error)?;
        match key_text(value, affinity_of(column)) {
            Some(text) => values.push(text),
            None => return Ok(None),
        }
    }
    Ok(Some(values))
}

/// A connection inside a point in time. It goes back to it in any case: no other one could take its place.
struct SqliteReader {
    client: Arc<Client>,
    idle: Arc<Idle>,
}

impl Drop for SqliteReader {
    fn drop(&mut self) {
        // What a stream still reads nobody takes any more.
        self.client.interrupt();
        self.idle.put(self.client.clone());
    }
}

/// Rows of an answer: for each the number in its first column, and tuples of the others.
struct Numbered {
    rows: RowSet,
    numbers: Vec<u32>,
}

/// Gathers rows of so many cells, behind `skip` columns that are for the reader itself.
struct Batcher {
    cells: usize,
    skip: usize,
    numbers: Vec<u32>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Batcher {
    fn new(cells: usize, skip: usize) -> Self {
        Self {
            cells,
            skip,
            numbers: Vec::new(),
            bytes: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Takes a row in. `is_numbered` rows begin with the number of their key.
    fn push(&mut self, row: &Row<'_>, is_numbered: bool) -> Result<(), SourceError> {
        let fields = self.cells + self.skip;
        self.bytes
            .extend_from_slice(&i16::try_from(fields).unwrap_or(i16::MAX).to_be_bytes());
        let first = usize::from(is_numbered);
        if is_numbered {
            let number: i64 = row.get(0).map_err(query_error)?;
            self.numbers
                .push(u32::try_from(number).map_err(|_| MalformedRow("a key number out of range"))?);
        }
        for field in 0..fields {
            let at = self.bytes.len();
            self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
            let value = row.get_ref(first + field).map_err(query_error)?;
            if let Some(length) = encode(value, &mut self.bytes) {
                let length = i32::try_from(length).map_err(|_| MalformedRow("a value that is too long"))?;
                self.bytes[at..at + 4].copy_from_slice(&length.to_be_bytes());
            }
        }
        self.ends.push(self.bytes.len());
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.ends.len() >= ROWS_AT_ONCE || self.bytes.len() >= BYTES_AT_ONCE
    }

    fn take(&mut self) -> Result<Numbered, SourceError> {
        let all = Bytes::from(std::mem::take(&mut self.bytes));
        let mut rows = RowSet::new(self.cells);
        let mut start = 0;
        for end in self.ends.drain(..) {
            rows.push_copy_tuple(all.slice(start..end), self.skip)?;
            start = end;
        }
        Ok(Numbered {
            rows,
            numbers: std::mem::take(&mut self.numbers),
        })
    }
}

impl SqliteReader {
    /// Streams an answer whose rows begin with a number that says nothing, unless `skip` columns are in front of them.
    fn stream(
        &self,
        keys: Option<KeyList>,
        make: impl FnOnce(Option<&str>) -> Query + Send + 'static,
        cells: usize,
        skip: usize,
    ) -> Box<dyn Rows> {
        let (send, receive) = mpsc::channel(BATCHES_AHEAD);
        let client = self.client.clone();
        tokio::task::spawn_blocking(move || {
            let connection = client.lock();
            let read = || -> Result<(), SourceError> {
                let list = keys.map(|keys| keys.put(&connection)).transpose()?;
                let Query { sql, values } = make(list.as_deref());
                let mut statement = connection.prepare(&sql).map_err(query_error)?;
                let mut found = statement.query(params_from_iter(values)).map_err(query_error)?;
                let mut batch = Batcher::new(cells, skip);
                while let Some(row) = found.next().map_err(query_error)? {
                    batch.push(row, skip == 0)?;
                    if batch.is_full() && send.blocking_send(Ok(batch.take()?.rows)).is_err() {
                        return Ok(());
                    }
                }
                let _ = send.blocking_send(Ok(batch.take()?.rows));
                Ok(())
            };
            if let Err(error) = read() {
                let _ = send.blocking_send(Err(error));
            }
        });
        Box::new(SqliteRows {
            receive,
            left: RowSet::new(cells),
        })
    }
}

#[async_trait]
impl Reader for SqliteReader {
    async fn stream_roots(
        &self,
        node: &Node,
        range: &KeyRange,
        is_ordered: bool,
        limit: Option<u32>,
    ) -> Result<Box<dyn Rows>, SourceError> {
        let query = queries::root_rows(node, range, is_ordered, limit);
        Ok(self.stream(None, move |_| query, node.cells(), 0))
    }

    async fn read_children(
        &self,
        node: &Node,
        keys: &ChildKeys<'_>,
        limit: Option<u32>,
        bytes_max: usize,
    ) -> Result<Option<(RowSet, Vec<u32>)>, SourceError> {
        let join = node.join.as_ref().ok_or(MalformedRow("a child without a join"))?;
        let columns: Vec<&CatalogColumn> = join.pairs.iter().map(|p| &keys.parent.columns[p.parent]).collect();
        let count = keys.printed.first().map_or(0, Vec::len);
        let given = (0..count).map(|n| keys.printed.iter().map(|values| Some(values[n].as_str())).collect());
        let list = KeyList::new(&columns, given);
        let (node, pairs) = (node.clone(), join.pairs.clone());
        let read = move |connection: &Connection| {
            let list = list.put(connection)?;
            let sql = queries::child_rows(&node, &pairs, &list, limit);
            let mut statement = connection.prepare(&sql).map_err(query_error)?;
            let mut found = statement.query([]).map_err(query_error)?;
            let mut batch = Batcher::new(node.cells(), 0);
            while let Some(row) = found.next().map_err(query_error)? {
                batch.push(row, true)?;
                if batch.bytes.len() > bytes_max {
                    return Ok(None);
                }
            }
            let Numbered { rows, numbers } = batch.take()?;
            Ok(Some((rows, numbers)))
        };
        self.client.ask(read).await
    }

    async fn read_roots(&self, node: &Node, keys: &[Vec<Option<&str>>]) -> Result<RootRows, SourceError> {
        let columns: Vec<&CatalogColumn> = node.table.row_key().iter().map(|c| &node.table.columns[*c]).collect();
        let list = KeyList::new(&columns, keys.iter().cloned());
        let node = node.clone();
        let read = move |connection: &Connection| {
            let list = list.put(connection)?;
            let sql = queries::roots_by_key(&node, &list);
            let mut statement = connection.prepare(&sql).map_err(query_error)?;
            let mut found = statement.query([]).map_err(query_error)?;
            let cells = node.cells();
            let mut read = RootRows::new(&node);
            // The key, whether there is a row, and the row.
            let mut last = None;
            while let Some(row) = found.next().map_err(query_error)? {
                let mut one = Batcher::new(2 * cells + 1, 0);
                one.push(row, true)?;
                let fields = one.ends.pop().map(|_| Bytes::from(std::mem::take(&mut one.bytes)));
                let (tuple, number) = (fields.unwrap_or_default(), one.numbers[0]);
                if last.replace(number) != Some(number) {
                    let of_key: Vec<Option<usize>> = (0..cells).map(Some).collect();
                    read.keys.push_fields(&tuple, &of_key)?;
                }
                if row.get::<_, Option<i64>>(1 + cells).map_err(query_error)?.is_some() {
                    let of_row: Vec<Option<usize>> = (cells + 1..2 * cells + 1).map(Some).collect();
                    read.rows.push_fields(&tuple, &of_row)?;
                    read.numbers.push(number);
                }
            }
            Ok(read)
        };
        self.client.ask(read).await
    }

    async fn stream_roots_above(
        &self,
        path: &[&Node],
        keys: &[Vec<Option<&str>>],
    ) -> Result<Box<dyn Rows>, SourceError> {
        let node = path[path.len() - 1];
        let join = node.join.as_ref().ok_or(MalformedRow("a child without a join"))?;
        let columns: Vec<&CatalogColumn> = join.pairs.iter().map(|p| &node.table.columns[p.own]).collect();
        let list = KeyList::new(&columns, keys.iter().cloned());
        let path: Vec<Node> = path.iter().map(|node| (*node).clone()).collect();
        let cells = path[0].table.row_key().len();
        let make = move |list: Option<&str>| {
            let path: Vec<&Node> = path.iter().collect();
            Query {
                sql: queries::roots_above(&path, list.unwrap_or_default()),
                values: Vec::new(),
            }
        };
        Ok(self.stream(Some(list), make, cells, 0))
    }

    async fn stream_values(
        &self,
        table: &CatalogTable,
        _leaf: Option<&str>,
        columns: &[usize],
    ) -> Result<Box<dyn Rows>, SourceError> {
        let query = Query {
            sql: queries::values(table, columns),
            values: Vec::new(),
        };
        Ok(self.stream(None, move |_| query, columns.len(), 0))
    }

    async fn stream_below(&self, path: &[&Node], range: &KeyRange) -> Result<Box<dyn Rows>, SourceError> {
        let (root, node) = (path[0], path[path.len() - 1]);
        let keys = root.table.primary_key.len() + node.join.as_ref().map_or(0, |j| j.pairs.len());
        let query = queries::rows_below(path, range);
        Ok(self.stream(None, move |_| query, node.cells(), keys))
    }

    fn statement(&self, path: &[&Node]) -> String {
        match path {
            [root] => queries::root_rows(root, &KeyRange::default(), true, None).sql,
            _ => queries::rows_below(path, &KeyRange::default()).sql,
        }
    }

    async fn cancel(&self) {
        self.client.interrupt();
    }

    fn give_back(self: Box<Self>) {}
}

/// Rows as the thread that reads them hands them on.
struct SqliteRows {
    receive: mpsc::Receiver<Result<RowSet, SourceError>>,
    /// Rows that came and were not taken.
    left: RowSet,
}

#[async_trait]
impl Rows for SqliteRows {
    async fn next_rows(&mut self, rows_max: usize, bytes_max: usize) -> Result<Option<RowSet>, SourceError> {
        let mut rows = std::mem::take(&mut self.left);
        while rows.len() < rows_max && rows.size_bytes() < bytes_max {
            match self.receive.recv().await {
                Some(Ok(more)) if rows.is_empty() => rows = more,
                Some(Ok(more)) => rows.append(more),
                Some(Err(error)) => return Err(error),
                None => break,
            }
        }
        if rows.len() > rows_max {
            self.left = rows.split_off(rows_max);
        }
        Ok((!rows.is_empty()).then_some(rows))
    }
}
