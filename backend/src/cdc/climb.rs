//! From keys to the keys of root rows, in one point in time.

use super::error::CdcError;
use super::ground::RootKeys;
use crate::data::row::RowSet;
use crate::plan::Node;
use crate::plan::routes::encode_key;
use crate::source::api::{Reader, Rows, Snapshot};

/// Rows and bytes that are taken from the source's answer at once.
const ROWS_AT_ONCE: usize = 2_000;
const BYTES_AT_ONCE: usize = 4 << 20;

/// Roots that the source finds above some keys.
pub struct RootStream {
    rows: Box<dyn Rows>,
    /// Given back when all rows are read.
    reader: Option<Box<dyn Reader>>,
}

impl RootStream {
    /// Asks for the roots at the head of a path; the keys are values of the join of its last node.
    ///
    /// # Errors
    /// When the source fails.
    pub async fn open(
        point: &dyn Snapshot,
        path: &[&Node],
        keys: &[Vec<Option<&str>>],
    ) -> Result<RootStream, CdcError> {
        let reader = point.reader().await?;
        let rows = reader.stream_roots_above(path, keys).await?;
        Ok(RootStream {
            rows,
            reader: Some(reader),
        })
    }
}

impl RootKeys for RootStream {
    async fn next(&mut self) -> Result<Option<Vec<Vec<u8>>>, CdcError> {
        if let Some(rows) = self.rows.next_rows(ROWS_AT_ONCE, BYTES_AT_ONCE).await? {
            return keys_of(&rows).map(Some);
        }
        if let Some(reader) = self.reader.take() {
            reader.give_back();
        }
        Ok(None)
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
