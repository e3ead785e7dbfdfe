//! Events as they are sent, apart from what they mean.

use super::bytes::Bytes;
use crate::data::row::MalformedRow;
use std::io::Read;

/// Types of events. <https://mariadb.com/kb/en/2-binlog-event-header/>
pub mod event {
    pub const QUERY: u8 = 2;
    pub const STOP: u8 = 3;
    pub const ROTATE: u8 = 4;
    pub const INTVAR: u8 = 5;
    pub const RAND: u8 = 13;
    pub const USER_VAR: u8 = 14;
    pub const FORMAT_DESCRIPTION: u8 = 15;
    pub const XID: u8 = 16;
    pub const BEGIN_LOAD_QUERY: u8 = 17;
    pub const EXECUTE_LOAD_QUERY: u8 = 18;
    pub const TABLE_MAP: u8 = 19;
    pub const WRITE_ROWS_V1: u8 = 23;
    pub const UPDATE_ROWS_V1: u8 = 24;
    pub const DELETE_ROWS_V1: u8 = 25;
    pub const INCIDENT: u8 = 26;
    pub const HEARTBEAT: u8 = 27;
    pub const IGNORABLE: u8 = 28;
    pub const ROWS_QUERY: u8 = 29;
    pub const WRITE_ROWS: u8 = 30;
    pub const UPDATE_ROWS: u8 = 31;
    pub const DELETE_ROWS: u8 = 32;
    pub const GTID: u8 = 33;
    pub const ANONYMOUS_GTID: u8 = 34;
    pub const PREVIOUS_GTIDS: u8 = 35;
    pub const TRANSACTION_CONTEXT: u8 = 36;
    pub const VIEW_CHANGE: u8 = 37;
    pub const XA_PREPARE: u8 = 38;
    pub const PARTIAL_UPDATE_ROWS: u8 = 39;
    pub const TRANSACTION_PAYLOAD: u8 = 40;
    pub const HEARTBEAT_V2: u8 = 41;
    pub const GTID_TAGGED: u8 = 42;
    pub const ANNOTATE_ROWS: u8 = 160;
    pub const BINLOG_CHECKPOINT: u8 = 161;
    pub const MARIADB_GTID: u8 = 162;
    pub const GTID_LIST: u8 = 163;
    pub const START_ENCRYPTION: u8 = 164;
    pub const QUERY_COMPRESSED: u8 = 165;
    pub const WRITE_ROWS_COMPRESSED_V1: u8 = 166;
    pub const UPDATE_ROWS_COMPRESSED_V1: u8 = 167;
    pub const DELETE_ROWS_COMPRESSED_V1: u8 = 168;
    pub const WRITE_ROWS_COMPRESSED: u8 = 169;
    pub const UPDATE_ROWS_COMPRESSED: u8 = 170;
    pub const DELETE_ROWS_COMPRESSED: u8 = 171;
}

/// The event does not stand in the file: the server made it for this stream.
pub const ARTIFICIAL: u16 = 0x20;
/// Who does not know the event may pass over it.
pub const IGNORABLE: u16 = 0x80;
/// What an event may be unpacked to, bytes: the most that a server takes as one packet.
const UNPACKED_MAX: usize = 1 << 30;

/// Why an event cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error(transparent)]
    Malformed(#[from] MalformedRow),
    /// The log has something that nobody can follow. In words for the user.
    #[error("{0}")]
    Unreadable(String),
}

/// An event with what counts of its header.
#[derive(Debug, Clone, Copy)]
pub struct LogEvent<'a> {
    pub kind: u8,
    /// Seconds since 1970.
    pub timestamp: u32,
    /// With its header and all that follows.
    pub bytes: u32,
    /// The lower 32 bits of where the next one begins; 0 where the event is not in the file.
    pub end: u32,
    pub flags: u16,
    /// Behind the header, without a checksum.
    pub data: &'a [u8],
}

/// MariaDB's compressed part of an event: a byte, the length, then zlib's.
/// <https://mariadb.com/kb/en/compressing-events-to-reduce-size-of-the-binary-log/>
///
/// # Errors
/// When it is broken.
pub fn unpacked(data: &[u8]) -> Result<Vec<u8>, MalformedRow> {
    let mut data = Bytes(data);
    let head = data.byte()?;
    if head & 0xf0 != 0x80 {
        return Err(MalformedRow(
            "an event of the binary log is compressed in an unknown way",
        ));
    }
    let length = data.big(usize::from(head & 7).min(8))? as usize;
    if length > UNPACKED_MAX {
        return Err(MalformedRow("an event of the binary log is too large"));
    }
    let mut whole = Vec::new();
    let unpacked = flate2::read::ZlibDecoder::new(data.0)
        .take(length as u64)
        .read_to_end(&mut whole);
    match unpacked {
        Ok(read) if read == length => Ok(whole),
        _ => Err(MalformedRow("a compressed event of the binary log is broken")),
    }
}
