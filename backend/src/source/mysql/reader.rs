//! Reads of one connection inside a point in time.

use super::columns::Kind;
use super::link::{Form, Link, Tuples};
use super::queries;
use crate::data::catalog::{CatalogColumn, CatalogTable};
use crate::data::row::{MalformedRow, RowSet, read_i32};
use crate::plan::Node;
use crate::source::SourceError;
use crate::source::api::{Reader, Rows};
use crate::source::read::{ChildKeys, KeyRange, RootRows};
use async_trait::async_trait;
use bytes::Bytes;
use hashbrown::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections that nobody reads from.
pub(super) type Idle = Arc<Mutex<Vec<Link>>>;

/// A way to read. When it is dropped, its connection is there for the next one, whatever it was doing.
pub struct MySqlReader {
    link: Option<Link>,
    form: Form,
    /// Where the connection goes; one that several share stays where it is.
    idle: Option<Idle>,
}

/// Rows as they arrive.
struct RowStream {
    tuples: Tuples,
    columns: usize,
    skip: usize,
}

impl MySqlReader {
    pub(super) fn new(link: Link, form: Form, idle: Option<Idle>) -> Self {
        Self {
            link: Some(link),
            form,
            idle,
        }
    }

    /// One on a connection that others use as well: answers wait in a file, so that it is free at once.
    pub(super) fn sharing(link: &Link) -> Self {
        let form = Form {
            is_spooled: true,
            ..Form::default()
        };
        Self::new(link.share(), form, None)
    }

    fn link(&self) -> Result<&Link, SourceError> {
        self.link
            .as_ref()
            .ok_or(MalformedRow("a reader without a connection").into())
    }

    async fn stream(&self, sql: Vec<String>, columns: usize, skip: usize) -> Result<RowStream, SourceError> {
        Ok(RowStream {
            tuples: self.link()?.stream(sql, self.form).await?,
            columns,
            skip,
        })
    }

    /// Rows that are taken at once.
    async fn tuples(&self, sql: Vec<String>, joined: usize) -> Result<Tuples, SourceError> {
        let form = Form {
            joined,
            is_spooled: false,
        };
        self.link()?.stream(sql, form).await
    }

    /// Equal rows of a table without a primary key are told apart by nothing: all of them are read.
    async fn read_keyless(&self, node: &Node, keys: &[Vec<Option<&str>>]) -> Result<RootRows, SourceError> {
        let mut read = RootRows::new(node);
        let columns = node.table.row_key();
        for (number, key) in keys.iter().enumerate() {
            let mut fields = cells_of(node, &columns, key);
            match queries::classes_of(node, key) {
                Some(sql) => fields.extend(
                    self.link()?
                        .one(sql)
                        .await?
                        .into_iter()
                        .map(|c| c.map(String::into_bytes)),
                ),
                None => fields.extend(node.classes.iter().map(|_| None)),
            }
            read.keys.push_copy_tuple(tuple(&fields)?, 0)?;
            let sql = queries::rows_equal_to(node, number, key);
            let mut tuples = self.tuples(vec![sql], 0).await?;
            while let Some(row) = tuples.next().await? {
                read.rows.push_copy_tuple(row, 1)?;
                read.numbers.push(number as u32);
            }
        }
        Ok(read)
    }
}

impl Drop for MySqlReader {
    fn drop(&mut self) {
        if let (Some(link), Some(idle)) = (self.link.take(), &self.idle)
            && !link.is_lost()
        {
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(link);
        }
    }
}

#[async_trait]
impl Reader for MySqlReader {
    async fn stream_roots(
        &self,
        node: &Node,
        range: &KeyRange,
        is_ordered: bool,
        limit: Option<u32>,
    ) -> Result<Box<dyn Rows>, SourceError> {
        let sql = queries::root_rows(node, range, is_ordered, limit);
        Ok(Box::new(self.stream(vec![sql], node.cells(), 0).await?))
    }

    async fn read_children(
        &self,
        node: &Node,
        keys: &ChildKeys<'_>,
        limit: Option<u32>,
        bytes_max: usize,
    ) -> Result<Option<(RowSet, Vec<u32>)>, SourceError> {
        let join = node.join.as_ref().ok_or(MalformedRow("a child without a join"))?;
        let statements = queries::child_rows(self.link()?.server(), node, join, keys, limit);
        let numbers_by_key: Option<HashMap<&[u8], u32>> =
            (statements.key_fields > 0).then(|| keys.identities.iter().copied().zip(0..).collect());
        let mut tuples = self.tuples(statements.sql, statements.key_fields).await?;
        let (mut rows, mut numbers, mut bytes) = (RowSet::new(node.cells()), Vec::new(), 0);
        while let Some(tuple) = tuples.next().await? {
            bytes += tuple.len();
            if bytes > bytes_max {
                // The rest is not wanted: the connection sees that nobody takes it.
                return Ok(None);
            }
            let key = field(&tuple, 0)?.ok_or(MalformedRow("a key that is null"))?;
            numbers.push(match &numbers_by_key {
                // To pass over a row would lose it.
                Some(numbers) => *numbers
                    .get(key)
                    .ok_or(MalformedRow("it has a key that was not asked for"))?,
                None => number(key)?,
            });
            rows.push_copy_tuple(tuple, 1)?;
        }
        if !numbers.is_sorted() && numbers_by_key.is_none() {
            let mut order: Vec<usize> = (0..numbers.len()).collect();
            order.sort_by_key(|row| numbers[*row]);
            rows = rows.select(&order);
            numbers.sort_unstable();
        }
        Ok(Some((rows, numbers)))
    }

    async fn read_roots(&self, node: &Node, keys: &[Vec<Option<&str>>]) -> Result<RootRows, SourceError> {
        let key = &node.table.primary_key;
        if key.is_empty() {
            return self.read_keyless(node, keys).await;
        }
        let mut read = RootRows::new(node);
        let front = 2 + node.classes.len();
        let statements = queries::roots_by_key(self.link()?.server(), node, keys);
        let mut tuples = self.tuples(statements, 0).await?;
        let mut last = None;
        while let Some(row) = tuples.next().await? {
            let number = number(field(&row, 0)?.ok_or(MalformedRow("a number that is null"))?)?;
            let values = keys
                .get(number as usize)
                .ok_or(MalformedRow("a key number out of range"))?;
            let is_there = field(&row, 1)? == Some(b"1");
            if last != Some(number) {
                let mut fields = cells_of(node, key, values);
                for place in 2..front {
                    fields.push(field(&row, place)?.map(<[u8]>::to_vec));
                }
                read.keys.push_copy_tuple(tuple(&fields)?, 0)?;
                last = Some(number);
            }
            if is_there {
                read.rows.push_copy_tuple(row, front)?;
                read.numbers.push(number);
            }
        }
        Ok(read)
    }

    /// Keys of several statements may come once with each of them.
    async fn stream_roots_above(
        &self,
        path: &[&Node],
        keys: &[Vec<Option<&str>>],
    ) -> Result<Box<dyn Rows>, SourceError> {
        let sql = queries::roots_above(self.link()?.server(), path, keys);
        let columns = path[0].table.row_key().len();
        Ok(Box::new(self.stream(sql, columns, 0).await?))
    }

    async fn stream_values(
        &self,
        table: &CatalogTable,
        _leaf: Option<&str>,
        columns: &[usize],
    ) -> Result<Box<dyn Rows>, SourceError> {
        let sql = queries::printed_values(table, columns);
        let skip = usize::from(columns.is_empty());
        Ok(Box::new(self.stream(vec![sql], columns.len(), skip).await?))
    }

    async fn stream_below(&self, path: &[&Node], range: &KeyRange) -> Result<Box<dyn Rows>, SourceError> {
        let (root, node) = (path[0], path[path.len() - 1]);
        let keys = root.table.primary_key.len() + node.join.as_ref().map_or(0, |j| j.pairs.len());
        let sql = queries::streamed_rows(path, range);
        Ok(Box::new(self.stream(vec![sql], node.cells(), keys).await?))
    }

    fn statement(&self, path: &[&Node]) -> String {
        match path {
            [root] => queries::root_rows(root, &KeyRange::default(), true, None),
            _ => queries::streamed_rows(path, &KeyRange::default()),
        }
    }

    async fn cancel(&self) {
        if let Some(link) = &self.link {
            link.cancel();
        }
    }

    fn give_back(self: Box<Self>) {
        // Dropping it does.
    }
}

/// The bytes of a field.
fn field(tuple: &[u8], place: usize) -> Result<Option<&[u8]>, MalformedRow> {
    let mut at = 2;
    for _ in 0..place {
        at += 4 + usize::try_from(read_i32(tuple, at)?).unwrap_or(0);
    }
    let Ok(length) = usize::try_from(read_i32(tuple, at)?) else {
        return Ok(None);
    };
    let bytes = tuple.get(at + 4..at + 4 + length);
    bytes.map(Some).ok_or(MalformedRow("it ends early"))
}

/// A number of the text protocol.
fn number(digits: &[u8]) -> Result<u32, MalformedRow> {
    let text = std::str::from_utf8(digits).ok();
    text.and_then(|t| t.parse().ok())
        .ok_or(MalformedRow("a key number that is none"))
}

/// The cells of a node's row that hold nothing but a key.
fn cells_of(node: &Node, key: &[usize], values: &[Option<&str>]) -> Vec<Option<Vec<u8>>> {
    (node.columns.iter())
        .map(|c| {
            let value = key
                .iter()
                .position(|k| k == c)
                .and_then(|place| values.get(place).copied().flatten());
            value.map(|printed| cell_of(&node.table.columns[*c], printed))
        })
        .collect()
}

/// What the source would send for a printed value.
fn cell_of(column: &CatalogColumn, printed: &str) -> Vec<u8> {
    let codec = super::values::Codec::of_kind(&Kind::of(column));
    let cell = codec.and_then(|codec| codec.cell_of(printed));
    let cell = cell.unwrap_or_else(|| printed.as_bytes().to_vec());
    match (Kind::of(column), super::columns::bits_of(&column.type_text)) {
        // As many bytes as the bits need.
        (Kind::Bits, Some(bits)) if cell.len() == 8 => cell[8 - bits.div_ceil(8).min(8)..].to_vec(),
        _ => cell,
    }
}

/// A row of these fields.
fn tuple(fields: &[Option<Vec<u8>>]) -> Result<Bytes, MalformedRow> {
    let mut out = i16::try_from(fields.len())
        .map_err(|_| MalformedRow("more fields than a row can have"))?
        .to_be_bytes()
        .to_vec();
    for field in fields {
        let length = field.as_ref().map_or(Ok(-1), |f| i32::try_from(f.len()));
        out.extend_from_slice(
            &length
                .map_err(|_| MalformedRow("a field of more than 2 GiB"))?
                .to_be_bytes(),
        );
        out.extend_from_slice(field.as_deref().unwrap_or_default());
    }
    Ok(Bytes::from(out))
}

#[async_trait]
impl Rows for RowStream {
    async fn next_rows(&mut self, rows_max: usize, bytes_max: usize) -> Result<Option<RowSet>, SourceError> {
        let mut rows = RowSet::new(self.columns);
        let mut bytes = 0;
        while rows.len() < rows_max && bytes < bytes_max {
            let Some(tuple) = self.tuples.next().await? else { break };
            bytes += tuple.len();
            rows.push_copy_tuple(tuple, self.skip)?;
        }
        Ok((!rows.is_empty()).then_some(rows))
    }
}
