//! The messages of `pgoutput`, version 1 of its protocol.
//! <https://www.postgresql.org/docs/15/protocol-logicalrep-message-formats.html>

use super::wire::EPOCH_2000_SECONDS;
use crate::data::change::ImageCell;
use crate::data::row::MalformedRow;
use chrono::{DateTime, Utc};

/// One message.
#[derive(Debug, PartialEq)]
pub enum LogMessage<'a> {
    Begin {
        transaction: u32,
        committed_at: DateTime<Utc>,
    },
    /// `end` is where the next transaction begins.
    Commit {
        end: u64,
    },
    Relation(Relation),
    Insert {
        relation: u32,
        new: Tuple<'a>,
    },
    Update {
        relation: u32,
        old: Option<OldTuple<'a>>,
        new: Tuple<'a>,
    },
    Delete {
        relation: u32,
        old: OldTuple<'a>,
    },
    Truncate {
        relations: Vec<u32>,
    },
    /// Origins, types, messages of applications: nothing to follow.
    Other,
}

/// A table as it was when the changes that follow were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    pub oid: u32,
    pub schema: String,
    pub name: String,
    /// `pg_class.relreplident`: d, n, f or i.
    pub identity: u8,
    pub columns: Vec<RelationColumn>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationColumn {
    pub name: String,
    /// Part of the replica identity.
    pub is_key: bool,
    pub type_oid: u32,
}

pub type Tuple<'a> = Vec<ImageCell<'a>>;

/// The row before the change.
#[derive(Debug, PartialEq)]
pub enum OldTuple<'a> {
    /// The columns of the replica identity; the others are sent as null whatever they were.
    Key(Tuple<'a>),
    Full(Tuple<'a>),
}

struct Cursor<'a>(&'a [u8]);

const EARLY: MalformedRow = MalformedRow("a message of the log ends early");

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], MalformedRow> {
        let (head, tail) = self.0.split_at_checked(count).ok_or(EARLY)?;
        self.0 = tail;
        Ok(head)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], MalformedRow> {
        self.take(N)?.try_into().map_err(|_| EARLY)
    }

    fn u8(&mut self) -> Result<u8, MalformedRow> {
        Ok(self.fixed::<1>()?[0])
    }

    fn u16(&mut self) -> Result<u16, MalformedRow> {
        Ok(u16::from_be_bytes(self.fixed()?))
    }

    fn u32(&mut self) -> Result<u32, MalformedRow> {
        Ok(u32::from_be_bytes(self.fixed()?))
    }

    fn u64(&mut self) -> Result<u64, MalformedRow> {
        Ok(u64::from_be_bytes(self.fixed()?))
    }

    fn text(&mut self) -> Result<String, MalformedRow> {
        let end = self.0.iter().position(|b| *b == 0).ok_or(EARLY)?;
        let text = String::from_utf8_lossy(self.take(end)?).into_owned();
        self.take(1)?;
        Ok(text)
    }

    fn tuple(&mut self) -> Result<Tuple<'a>, MalformedRow> {
        let count = self.u16()?;
        let mut cells = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            cells.push(match self.u8()? {
                b'n' => ImageCell::Null,
                b'u' => ImageCell::Unchanged,
                b't' => {
                    let length = self.u32()? as usize;
                    // A text that is not UTF-8 is nobody's key: if it is, the change cannot be followed.
                    std::str::from_utf8(self.take(length)?).map_or(ImageCell::Absent, ImageCell::Text)
                }
                _ => return Err(MalformedRow("a value of the log in a form that was not asked for")),
            });
        }
        Ok(cells)
    }

    fn old(&mut self, kind: u8) -> Result<OldTuple<'a>, MalformedRow> {
        match kind {
            b'K' => Ok(OldTuple::Key(self.tuple()?)),
            b'O' => Ok(OldTuple::Full(self.tuple()?)),
            _ => Err(MalformedRow("a change of the log without its rows")),
        }
    }
}

/// Reads one message.
///
/// # Errors
/// When it is none.
pub fn decode(bytes: &[u8]) -> Result<LogMessage<'_>, MalformedRow> {
    let mut c = Cursor(bytes);
    Ok(match c.u8()? {
        b'B' => {
            c.u64()?;
            let micros = c.u64()? as i64;
            LogMessage::Begin {
                committed_at: micros
                    .checked_add(EPOCH_2000_SECONDS * 1_000_000)
                    .and_then(DateTime::from_timestamp_micros)
                    .unwrap_or_default(),
                transaction: c.u32()?,
            }
        }
        b'C' => {
            c.u8()?;
            c.u64()?;
            LogMessage::Commit { end: c.u64()? }
        }
        b'R' => {
            let (oid, schema, name, identity) = (c.u32()?, c.text()?, c.text()?, c.u8()?);
            let mut columns = Vec::new();
            for _ in 0..c.u16()? {
                let is_key = c.u8()? & 1 == 1;
                let (name, type_oid) = (c.text()?, c.u32()?);
                c.u32()?;
                columns.push(RelationColumn { name, is_key, type_oid });
            }
            LogMessage::Relation(Relation {
                oid,
                // The log writes the system's schema as an empty name.
                schema: if schema.is_empty() { "pg_catalog".into() } else { schema },
                name,
                identity,
                columns,
            })
        }
        b'I' => {
            let relation = c.u32()?;
            c.u8()?;
            LogMessage::Insert {
                relation,
                new: c.tuple()?,
            }
        }
        b'U' => {
            let relation = c.u32()?;
            let old = match c.u8()? {
                b'N' => None,
                kind => {
                    let old = c.old(kind)?;
                    c.u8()?;
                    Some(old)
                }
            };
            LogMessage::Update {
                relation,
                old,
                new: c.tuple()?,
            }
        }
        b'D' => {
            let relation = c.u32()?;
            let kind = c.u8()?;
            LogMessage::Delete {
                relation,
                old: c.old(kind)?,
            }
        }
        b'T' => {
            let count = c.u32()?;
            c.u8()?;
            let relations = (0..count).map(|_| c.u32()).collect::<Result<_, _>>()?;
            LogMessage::Truncate { relations }
        }
        _ => LogMessage::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(parts: &[&[u8]]) -> Vec<u8> {
        parts.concat()
    }

    #[test]
    fn an_update_with_a_key_a_null_and_an_unchanged_value() {
        let bytes = message(&[
            b"U",
            &7u32.to_be_bytes(),
            b"K",
            &2u16.to_be_bytes(),
            b"t",
            &1u32.to_be_bytes(),
            b"1",
            b"n",
            b"N",
            &2u16.to_be_bytes(),
            b"t",
            &1u32.to_be_bytes(),
            b"2",
            b"u",
        ]);
        let expected = LogMessage::Update {
            relation: 7,
            old: Some(OldTuple::Key(vec![ImageCell::Text("1"), ImageCell::Null])),
            new: vec![ImageCell::Text("2"), ImageCell::Unchanged],
        };
        assert_eq!(decode(&bytes).unwrap(), expected);
        for end in 1..bytes.len() {
            assert!(decode(&bytes[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn transactions_and_relations() {
        let begin = message(&[
            b"B",
            &9u64.to_be_bytes(),
            &1_000_000u64.to_be_bytes(),
            &77u32.to_be_bytes(),
        ]);
        let expected = LogMessage::Begin {
            transaction: 77,
            committed_at: DateTime::from_timestamp(EPOCH_2000_SECONDS + 1, 0).unwrap(),
        };
        assert_eq!(decode(&begin).unwrap(), expected);
        let commit = message(&[b"C\0", &5u64.to_be_bytes(), &6u64.to_be_bytes(), &0u64.to_be_bytes()]);
        assert_eq!(decode(&commit).unwrap(), LogMessage::Commit { end: 6 });
        let truncate = message(&[
            b"T",
            &2u32.to_be_bytes(),
            b"\0",
            &1u32.to_be_bytes(),
            &2u32.to_be_bytes(),
        ]);
        assert_eq!(
            decode(&truncate).unwrap(),
            LogMessage::Truncate { relations: vec![1, 2] }
        );
        let relation = message(&[
            b"R",
            &1u32.to_be_bytes(),
            b"s\0t\0f",
            &1u16.to_be_bytes(),
            b"\x01id\0",
            &23u32.to_be_bytes(),
            &[0xff; 4],
        ]);
        let LogMessage::Relation(relation) = decode(&relation).unwrap() else {
            panic!("another message")
        };
        assert_eq!(
            (&*relation.schema, &*relation.name, relation.identity),
            ("s", "t", b'f')
        );
        assert!(relation.columns[0].is_key && relation.columns[0].name == "id");
    }
}
