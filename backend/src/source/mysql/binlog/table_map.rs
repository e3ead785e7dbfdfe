//! The event that describes the table of the rows behind it.
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1Table__map__event.html>

use super::bytes::Bytes;
use crate::data::row::MalformedRow;

/// Types of columns in the log, as the protocol numbers them.
pub mod kind {
    pub const TINY: u8 = 1;
    pub const SHORT: u8 = 2;
    pub const LONG: u8 = 3;
    pub const FLOAT: u8 = 4;
    pub const DOUBLE: u8 = 5;
    pub const NULL: u8 = 6;
    pub const TIMESTAMP: u8 = 7;
    pub const LONGLONG: u8 = 8;
    pub const INT24: u8 = 9;
    pub const DATE: u8 = 10;
    pub const TIME: u8 = 11;
    pub const DATETIME: u8 = 12;
    pub const YEAR: u8 = 13;
    pub const NEWDATE: u8 = 14;
    pub const VARCHAR: u8 = 15;
    pub const BIT: u8 = 16;
    pub const TIMESTAMP2: u8 = 17;
    pub const DATETIME2: u8 = 18;
    pub const TIME2: u8 = 19;
    /// MariaDB's compressed columns.
    pub const BLOB_COMPRESSED: u8 = 140;
    pub const VARCHAR_COMPRESSED: u8 = 141;
    pub const VECTOR: u8 = 242;
    pub const JSON: u8 = 245;
    pub const NEWDECIMAL: u8 = 246;
    pub const ENUM: u8 = 247;
    pub const SET: u8 = 248;
    pub const TINY_BLOB: u8 = 249;
    pub const MEDIUM_BLOB: u8 = 250;
    pub const LONG_BLOB: u8 = 251;
    pub const BLOB: u8 = 252;
    pub const VAR_STRING: u8 = 253;
    pub const STRING: u8 = 254;
    pub const GEOMETRY: u8 = 255;
}

/// A column as the log has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogColumn {
    /// One of [`kind`]. Of what the log calls a string but is an enum or a set, that.
    pub kind: u8,
    /// What its values need to be read: a length, digits, or bytes of a length.
    pub meta: [u8; 2],
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableMap {
    pub id: u64,
    pub schema: String,
    pub table: String,
    pub columns: Vec<LogColumn>,
    /// Where the server writes them (`binlog_row_metadata=FULL`).
    pub names: Option<Vec<String>>,
}

/// Of the optional parts, that with the names of the columns.
const COLUMN_NAMES: u8 = 4;

impl TableMap {
    /// Reads the event behind its header. `id_bytes` is how long the number of the table is.
    ///
    /// # Errors
    /// When it ends early, or has a type whose values nobody can read past.
    pub fn read(data: &[u8], id_bytes: usize) -> Result<Self, MalformedRow> {
        let mut data = Bytes(data);
        let id = data.little(id_bytes)?;
        data.take(2)?;
        let mut name = || {
            let name = data.prefixed(1)?;
            data.take(1)?;
            Ok::<_, MalformedRow>(String::from_utf8_lossy(name).into_owned())
        };
        let (schema, table) = (name()?, name()?);
        let count = data.length()?;
        let kinds = data.take(count)?;
        let length = data.length()?;
        let mut meta = Bytes(data.take(length)?);
        let columns: Result<Vec<LogColumn>, MalformedRow> = kinds.iter().map(|k| column(*k, &mut meta)).collect();
        let columns = columns?;
        data.take(count.div_ceil(8))?;
        let mut names = None;
        while !data.is_empty() {
            let part = data.byte()?;
            let length = data.length()?;
            let mut content = Bytes(data.take(length)?);
            if part == COLUMN_NAMES {
                let mut all = Vec::new();
                while !content.is_empty() {
                    let length = content.length()?;
                    all.push(String::from_utf8_lossy(content.take(length)?).into_owned());
                }
                names = (all.len() == count).then_some(all);
            }
        }
        Ok(Self {
            id,
            schema,
            table,
            columns,
            names,
        })
    }
}

fn column(kind: u8, meta: &mut Bytes<'_>) -> Result<LogColumn, MalformedRow> {
    let size = match kind {
        kind::TINY | kind::SHORT | kind::LONG | kind::NULL | kind::LONGLONG | kind::INT24 => 0,
        kind::TIMESTAMP | kind::DATE | kind::TIME | kind::DATETIME | kind::YEAR | kind::NEWDATE => 0,
        kind::FLOAT | kind::DOUBLE | kind::TIMESTAMP2 | kind::DATETIME2 | kind::TIME2 => 1,
        kind::TINY_BLOB | kind::MEDIUM_BLOB | kind::LONG_BLOB | kind::BLOB | kind::BLOB_COMPRESSED => 1,
        kind::GEOMETRY | kind::JSON | kind::VECTOR => 1,
        kind::VARCHAR | kind::VAR_STRING | kind::VARCHAR_COMPRESSED => 2,
        kind::BIT | kind::NEWDECIMAL | kind::ENUM | kind::SET | kind::STRING => 2,
        _ => {
            return Err(MalformedRow(
                "a table in the binary log has a column of a type that is not known",
            ));
        }
    };
    let taken = meta.take(size)?;
    let meta = [taken.first().copied().unwrap_or(0), taken.get(1).copied().unwrap_or(0)];
    // The type is in the first byte; two bits of it are the upper ones of a length beyond 255, turned.
    let is_other = |byte: u8| byte == kind::ENUM || byte == kind::SET;
    Ok(match kind {
        kind::STRING if is_other(meta[0]) => LogColumn { kind: meta[0], meta },
        _ => LogColumn { kind, meta },
    })
}

impl LogColumn {
    /// Bytes of the length in front of a value.
    pub(super) fn length_bytes(self) -> usize {
        match self.kind {
            kind::VARCHAR | kind::VAR_STRING | kind::VARCHAR_COMPRESSED => {
                if u16::from_le_bytes(self.meta) < 256 {
                    1
                } else {
                    2
                }
            }
            kind::STRING => {
                let upper = u16::from((self.meta[0] & 0x30) ^ 0x30) << 4;
                if upper | u16::from(self.meta[1]) < 256 { 1 } else { 2 }
            }
            _ => usize::from(self.meta[0]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `t(a int, b varchar(20), c enum, d char(100) utf8mb4)` of the database `d`.
    fn event(optional: &[u8]) -> Vec<u8> {
        let mut event = vec![18, 0, 0, 0, 0, 0, 1, 0, 1, b'd', 0, 1, b't', 0];
        event.extend([4, kind::LONG, kind::VARCHAR, kind::STRING, kind::STRING]);
        event.extend([6, 80, 0, kind::ENUM, 1, 0xee, 0x90, 0x0e]);
        event.extend_from_slice(optional);
        event
    }

    #[test]
    fn a_table_is_read_with_and_without_names() {
        let map = TableMap::read(&event(&[]), 6).expect("a table");
        assert_eq!((map.id, map.schema.as_str(), map.table.as_str()), (18, "d", "t"));
        let kinds: Vec<u8> = map.columns.iter().map(|c| c.kind).collect();
        assert_eq!(kinds, [kind::LONG, kind::VARCHAR, kind::ENUM, kind::STRING]);
        assert_eq!(map.columns[1].length_bytes(), 1);
        assert_eq!((map.columns[3].length_bytes(), map.names.clone()), (2, None));
        // Signs, then names.
        let names = [1, 1, 0x80, 4, 8, 1, b'a', 1, b'b', 1, b'c', 1, b'd'];
        let map = TableMap::read(&event(&names), 6).expect("a table");
        assert_eq!(map.names.expect("names"), ["a", "b", "c", "d"]);
    }

    #[test]
    fn what_ends_early_is_refused() {
        let whole = event(&[4, 8, 1, b'a', 1, b'b', 1, b'c', 1, b'd']);
        let without_parts = event(&[]).len();
        for end in (0..whole.len()).filter(|end| *end != without_parts) {
            assert!(TableMap::read(&whole[..end], 6).is_err(), "{end}");
        }
    }
}
