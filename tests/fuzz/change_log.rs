//! Messages of `pgoutput`: whatever arrives is a message or refused, and a message that was read says all that it says
//! when it is written again.

use crate::harness::Fuzz;
use godwit::data::change::ImageCell;
use godwit::source::postgres::replication::pgoutput::{LogMessage, OldTuple, Tuple, decode};

/// From 1970 to 2000, where the server's times begin.
const EPOCH_2000_MICROS: i64 = 946_684_800 * 1_000_000;

#[test]
fn change_log() {
    let relation =
        b"R\0\0\x40\x01public\0orders\0f\0\x02\x01id\0\0\0\0\x17\xff\xff\xff\xff\0total\0\0\0\x06\xa4\xff\xff\xff\xff";
    let insert = b"I\0\0\x40\x01N\0\x02t\0\0\0\x011n";
    let update = b"U\0\0\x40\x01O\0\x02t\0\0\0\x011t\0\0\0\x041.50N\0\x02t\0\0\0\x011u";
    let key_update = b"U\0\0\x40\x01K\0\x02t\0\0\0\x011nN\0\x02t\0\0\0\x012n";
    let plain_update = b"U\0\0\x40\x01N\0\x01t\0\0\0\0";
    let delete = b"D\0\0\x40\x01K\0\x01t\0\0\0\x02\xc3\xbc";
    let truncate = b"T\0\0\0\x02\x03\0\0\x40\x01\0\0\x40\x02";
    let begin = b"B\0\0\0\0\x01\x6b\x37\x48\0\x02\xd1\xa2\x4c\x5d\x2b\0\0\0\x02\xf1";
    let commit = b"C\0\0\0\0\0\x01\x6b\x37\x48\0\0\0\0\x01\x6b\x37\x78\0\x02\xd1\xa2\x4c\x5d\x2b\0";
    let origin = b"O\0\0\0\0\0\0\0\0here\0";
    Fuzz::new("change_log")
        .seeds([
            relation.to_vec(),
            insert.to_vec(),
            update.to_vec(),
            key_update.to_vec(),
            plain_update.to_vec(),
            delete.to_vec(),
            truncate.to_vec(),
            begin.to_vec(),
            commit.to_vec(),
            origin.to_vec(),
        ])
        .tokens([
            &b"\0\0\0\x01"[..],
            b"\xff\xff\xff\xff",
            b"\x7f\xff\xff\xff",
            b"\x7f\xff\xff\xff\xff\xff\xff\xff",
            b"\xff\xff",
            b"t\0\0\0\x01x",
            b"n",
            b"u",
            b"b",
            b"N\0\x01",
            b"K\0\x01",
            b"O\0\x01",
            b"\xc3",
        ])
        .run(check);
}

fn check(input: &[u8]) -> Result<(), String> {
    let Ok(message) = decode(input) else { return Ok(()) };
    let Some(again) = written(&message) else { return Ok(()) };
    match decode(&again) {
        Ok(same) if same == message => Ok(()),
        other => Err(format!("{message:?} is read again as {other:?}")),
    }
}

/// The message as the server would send it; nothing for one that holds what cannot be sent again.
fn written(message: &LogMessage<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match message {
        LogMessage::Begin {
            transaction,
            committed_at,
        } => {
            out.push(b'B');
            out.extend(0u64.to_be_bytes());
            out.extend((committed_at.timestamp_micros() - EPOCH_2000_MICROS).to_be_bytes());
            out.extend(transaction.to_be_bytes());
        }
        LogMessage::Commit { end } => {
            out.extend([b'C', 0]);
            out.extend(0u64.to_be_bytes());
            out.extend(end.to_be_bytes());
        }
        LogMessage::Relation(relation) => {
            out.push(b'R');
            out.extend(relation.oid.to_be_bytes());
            out.extend(relation.schema.bytes().chain([0]));
            out.extend(relation.name.bytes().chain([0, relation.identity]));
            out.extend(u16::try_from(relation.columns.len()).ok()?.to_be_bytes());
            for column in &relation.columns {
                out.push(u8::from(column.is_key));
                out.extend(column.name.bytes().chain([0]));
                out.extend(column.type_oid.to_be_bytes());
                out.extend([0; 4]);
            }
        }
        LogMessage::Insert { relation, new } => {
            out.push(b'I');
            out.extend(relation.to_be_bytes());
            out.push(b'N');
            tuple(new, &mut out)?;
        }
        LogMessage::Update { relation, old, new } => {
            out.push(b'U');
            out.extend(relation.to_be_bytes());
            if let Some(old) = old {
                old_tuple(old, &mut out)?;
            }
            out.push(b'N');
            tuple(new, &mut out)?;
        }
        LogMessage::Delete { relation, old } => {
            out.push(b'D');
            out.extend(relation.to_be_bytes());
            old_tuple(old, &mut out)?;
        }
        LogMessage::Truncate { relations } => {
            out.push(b'T');
            out.extend(u32::try_from(relations.len()).ok()?.to_be_bytes());
            out.push(0);
            out.extend(relations.iter().flat_map(|oid| oid.to_be_bytes()));
        }
        LogMessage::Other => return None,
    }
    Some(out)
}

fn old_tuple(old: &OldTuple<'_>, out: &mut Vec<u8>) -> Option<()> {
    match old {
        OldTuple::Key(cells) => {
            out.push(b'K');
            tuple(cells, out)
        }
        OldTuple::Full(cells) => {
            out.push(b'O');
            tuple(cells, out)
        }
    }
}

fn tuple(cells: &Tuple<'_>, out: &mut Vec<u8>) -> Option<()> {
    out.extend(u16::try_from(cells.len()).ok()?.to_be_bytes());
    for cell in cells {
        match cell {
            ImageCell::Null => out.push(b'n'),
            ImageCell::Unchanged => out.push(b'u'),
            ImageCell::Text(text) => {
                out.push(b't');
                out.extend(u32::try_from(text.len()).ok()?.to_be_bytes());
                out.extend(text.bytes());
            }
            // A text that is not UTF-8.
            ImageCell::Absent => return None,
        }
    }
    Some(())
}
