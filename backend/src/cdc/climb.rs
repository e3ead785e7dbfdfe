//! From keys to the keys of root rows, in one point in time.

use super::error::CdcError;
use crate::data::row::RowSet;
use crate::plan::Plan;
use crate::plan::routes::{Arrival, Route, decode_key, encode_key};
use crate::source::postgres::reader::{PgReader, RowStream};

/// Keys of one query.
const KEYS_AT_ONCE: usize = 2_000;
/// Rows and bytes that are taken from the source's answer at once.
const ROWS_AT_ONCE: usize = 2_000;
const BYTES_AT_ONCE: usize = 4 << 20;

/// Roots that one route leads to, as they come.
pub struct Climb<'c> {
    plan: &'c Plan,
    route: &'c Route,
    keys: std::slice::Chunks<'c, &'c [u8]>,
    open: Option<RowStream>,
}

impl<'c> Climb<'c> {
    pub fn new(plan: &'c Plan, route: &'c Route, keys: &'c [&'c [u8]]) -> Self {
        Self {
            plan,
            route,
            keys: keys.chunks(KEYS_AT_ONCE),
            open: None,
        }
    }

    /// The next root keys; `None` after the last. A wide fan-out comes in pieces.
    ///
    /// # Errors
    /// When the source fails: the roots that came before are not all.
    pub async fn next(&mut self, reader: &PgReader) -> Result<Option<Vec<Vec<u8>>>, CdcError> {
        loop {
            if let Some(stream) = &mut self.open {
                if let Some(rows) = stream.next_rows(ROWS_AT_ONCE, BYTES_AT_ONCE).await? {
                    return keys_of(&rows).map(Some);
                }
                self.open = None;
            }
            let Some(keys) = self.keys.next() else { return Ok(None) };
            match self.route.arrival {
                Arrival::Root => return Ok(Some(keys.iter().map(|k| k.to_vec()).collect())),
                Arrival::Climb => {
                    let keys: Vec<_> = keys.iter().map(|k| decode_key(k)).collect();
                    let path = self.route.nodes(self.plan);
                    self.open = Some(reader.stream_roots_above(&path, &keys).await?);
                }
            }
        }
    }
}

/// Printed rows as keys.
pub fn keys_of(rows: &RowSet) -> Result<Vec<Vec<u8>>, CdcError> {
    (0..rows.len())
        .map(|row| {
            let parts: Result<Vec<Option<&str>>, _> = (0..rows.columns())
                .map(|c| rows.cell(row, c).map(std::str::from_utf8).transpose())
                .collect();
            match parts {
                Ok(parts) => Ok(encode_key(parts)),
                Err(_) => Err(CdcError::Blocked("a key of the source is not UTF-8".into())),
            }
        })
        .collect()
}
