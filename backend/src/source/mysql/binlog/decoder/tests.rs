//! Events as their bytes are, of both servers.

use super::super::cascade::testing::{Notes, table};
use super::super::table_map::kind;
use super::*;
use std::io::Write;

const SERVER: [u8; 16] = [0xab; 16];

/// `p(id int, n varchar(20))` and `j(id int, doc json)`, of which all values are asked for.
struct Log {
    decoder: LogDecoder,
    end: u64,
}

impl Log {
    fn at(offset: u64) -> Self {
        let tables = [
            table("p", &[("id", "int"), ("n", "varchar(20)")]),
            table("j", &[("id", "int"), ("doc", "json"), ("up", "int")]),
        ];
        let needed = [vec!["id".into(), "n".into()], vec!["id".into(), "up".into()]];
        let start = Place { file: 1, offset };
        Log {
            decoder: LogDecoder::new(Arc::new(LogTables::new(&tables, &needed, vec![])), start),
            end: offset,
        }
    }

    fn take(&mut self, kind: u8, data: &[u8]) -> Result<Vec<String>, DecodeError> {
        let bytes = data.len() as u32 + 19;
        self.end += u64::from(bytes);
        let event = LogEvent {
            kind,
            timestamp: 1_700_000_000,
            bytes,
            end: self.end as u32,
            flags: 0,
            data,
        };
        let mut notes = Notes::default();
        self.decoder.take(&event, &mut notes)?;
        Ok(notes
            .0
            .into_iter()
            .filter(|note| !note.starts_with("reached"))
            .collect())
    }

    fn all(&mut self, events: &[(u8, Vec<u8>)]) -> Vec<String> {
        let taken = events
            .iter()
            .map(|(kind, data)| self.take(*kind, data).expect("an event"));
        taken.flatten().collect()
    }
}

fn query(text: &str) -> (u8, Vec<u8>) {
    let mut data = vec![0; 8];
    data.extend([1, 0, 0, 0, 0, b'd', 0]);
    data.extend_from_slice(text.as_bytes());
    (event::QUERY, data)
}

fn gtid(number: u64) -> (u8, Vec<u8>) {
    let mut data = vec![0];
    data.extend(SERVER);
    data.extend(number.to_le_bytes());
    (event::GTID, data)
}

fn map_p() -> (u8, Vec<u8>) {
    let mut data = vec![18, 0, 0, 0, 0, 0, 1, 0, 1, b'd', 0, 1, b'p', 0];
    data.extend([2, kind::LONG, kind::VARCHAR, 2, 80, 0, 2]);
    (event::TABLE_MAP, data)
}

/// Rows of a table with its number, behind the bits of their images.
fn rows(kind: u8, bits: &[u8], images: &[u8]) -> (u8, Vec<u8>) {
    let mut data = vec![18, 0, 0, 0, 0, 0, 1, 0];
    let has_extra = matches!(
        kind,
        event::WRITE_ROWS..=event::DELETE_ROWS | event::PARTIAL_UPDATE_ROWS
    );
    if has_extra {
        data.extend([2, 0]);
    }
    data.extend_from_slice(bits);
    data.extend_from_slice(images);
    (kind, data)
}

fn xid_event() -> (u8, Vec<u8>) {
    (event::XID, vec![0; 8])
}

fn xa_prepare(is_one_phase: bool) -> (u8, Vec<u8>) {
    let mut data = vec![u8::from(is_one_phase), 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];
    data.extend(b"x1");
    (event::XA_PREPARE, data)
}

/// 7 and `ab`.
const ROW: [u8; 8] = [0, 7, 0, 0, 0, 2, b'a', b'b'];

#[test]
fn a_transaction_of_mysql() {
    let mut log = Log::at(4);
    let insert = rows(event::WRITE_ROWS, &[2, 3], &[ROW, ROW].concat());
    let told = log.all(&[gtid(5), query("BEGIN"), map_p(), insert, xid_event()]);
    let begun = format!("begin {}:5", "ab".repeat(16));
    let end = LogPosition::from(Place {
        file: 1,
        offset: log.end,
    })
    .0;
    assert_eq!(
        told,
        [
            begun,
            "0: - > 7,ab".into(),
            "0: - > 7,ab".into(),
            format!("commit {end}")
        ]
    );
    assert_eq!(log.decoder.open_transaction(), None);
    // Nothing of the plan.
    assert_eq!(log.all(&[gtid(6), query("BEGIN"), xid_event()]), [""; 0]);
}

#[test]
fn a_transaction_of_mariadb_is_named_by_its_place() {
    let mut log = Log::at(100);
    let gtid = [vec![9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], vec![0, 0, 0, 0, 0, 0, 0]].concat();
    let delete = rows(event::DELETE_ROWS_V1, &[2, 3], &ROW);
    let told = log.all(&[(event::MARIADB_GTID, gtid), map_p(), delete, xid_event()]);
    let begun = LogPosition::from(Place { file: 1, offset: 100 }).0 + 1;
    assert_eq!(told[..2], [format!("begin @{begun}"), "0: 7,ab > -".into()]);
}

#[test]
fn small_images_tell_what_they_lack() {
    let mut log = Log::at(4);
    // The key before, the other column after.
    let update = rows(event::UPDATE_ROWS, &[2, 1, 2], &[0, 7, 0, 0, 0, 0, 1, b'z']);
    let told = log.all(&[gtid(1), query("BEGIN"), map_p(), update]);
    assert_eq!(told[1], "0: 7,? > =,z");
    let insert = rows(event::WRITE_ROWS, &[2, 1], &[0, 8, 0, 0, 0]);
    assert_eq!(log.all(&[insert]), ["0: - > 8,?"]);
}

#[test]
fn changes_of_json_are_passed_over() {
    let mut log = Log::at(4);
    let mut map = vec![18, 0, 0, 0, 0, 0, 1, 0, 1, b'd', 0, 1, b'j', 0];
    map.extend([3, kind::LONG, kind::JSON, kind::LONG, 1, 4, 6]);
    let before = [0, 1, 0, 0, 0, 2, 0, 0, 0, 9, 9, 5, 0, 0, 0];
    // Which values of JSON are differences: one byte of options, one of bits.
    let after = [1, 1, 0, 1, 0, 0, 0, 3, 0, 0, 0, 9, 9, 9, 6, 0, 0, 0];
    let update = rows(event::PARTIAL_UPDATE_ROWS, &[3, 7, 7], &[&before[..], &after].concat());
    let told = log.all(&[gtid(1), query("BEGIN"), (event::TABLE_MAP, map), update]);
    assert_eq!(told[1], "1: 1,?,5 > 1,?,6");
}

#[test]
fn compressed_events_are_unpacked() {
    let packed = |bytes: &[u8]| {
        let mut out = vec![0x81, bytes.len() as u8];
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(bytes).expect("it is written");
        out.extend(zlib.finish().expect("it ends"));
        out
    };
    let mut log = Log::at(4);
    let insert = rows(event::WRITE_ROWS_COMPRESSED_V1, &[2, 3], &packed(&ROW));
    let (_, mut text) = query("");
    text.extend(packed(b"truncate table p"));
    let told = log.all(&[
        query("BEGIN"),
        map_p(),
        insert,
        xid_event(),
        (event::QUERY_COMPRESSED, text),
    ]);
    assert_eq!(
        (told[1].as_str(), told[4].as_str()),
        ("0: - > 7,ab", "0 was truncated or rewritten")
    );
    for broken in [
        vec![],
        vec![0x01],
        vec![0x81, 200, 1, 2],
        vec![0x84, 0xff, 0xff, 0xff, 0xff, 0],
    ] {
        assert!(unpacked(&broken).is_err());
    }
}

#[test]
fn prepared_changes_wait_for_their_commit() {
    let mut log = Log::at(4);
    let insert = || rows(event::WRITE_ROWS, &[2, 3], &ROW);
    let prepared = [
        gtid(1),
        query("XA START X'7831',X'',1"),
        map_p(),
        insert(),
        query("XA END X'7831',X'',1"),
        xa_prepare(false),
    ];
    assert_eq!(log.all(&prepared), [""; 0]);
    let told = log.all(&[gtid(2), query("XA COMMIT X'7831',X'',1")]);
    assert_eq!(
        (told[0].as_str(), told[1].as_str(), told.len()),
        (format!("begin {}:2", "ab".repeat(16)).as_str(), "0: - > 7,ab", 3)
    );
    // Rolled back, and then committed without anything being known of it.
    log.all(&prepared);
    assert_eq!(log.all(&[gtid(3), query("XA ROLLBACK X'7831',X'',1")]), [""; 0]);
    let told = log.all(&[gtid(4), query("XA COMMIT X'7831',X'',1")]);
    assert_eq!(
        told[1..3],
        [
            "0 may have been changed by an XA transaction",
            "1 may have been changed by an XA transaction"
        ]
    );
    let at_once = [
        gtid(5),
        query("XA START X'7831',X'',1"),
        map_p(),
        insert(),
        xa_prepare(true),
    ];
    assert_eq!(log.all(&at_once)[1], "0: - > 7,ab");
}

#[test]
fn what_mariadb_commits_late_is_told_late() {
    let mut log = Log::at(4);
    let gtid = |flags: u8| {
        let mut data = vec![9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, flags];
        data.extend([1, 0, 0, 0, 2, 0, b'x', b'1']);
        (event::MARIADB_GTID, data)
    };
    let insert = rows(event::WRITE_ROWS_V1, &[2, 3], &ROW);
    log.all(&[gtid(PREPARED_XA), map_p(), insert, xa_prepare(false)]);
    let before = log.decoder.place();
    assert_eq!(log.all(&[gtid(STANDALONE), query("XA COMMIT X'7831',X'',1")]), [""; 0]);
    // The position of others does not get past it.
    let other = log.all(&[
        gtid(0),
        map_p(),
        rows(event::DELETE_ROWS_V1, &[2, 3], &ROW),
        xid_event(),
    ]);
    assert_eq!(other[2], format!("commit {}", LogPosition::from(before).0));
    let told = log.all(&[(event::HEARTBEAT, b"bin.000001".to_vec())]);
    let begun = format!("begin @{}", LogPosition::from(before).0 + 1);
    assert_eq!(told[..2], [begun, "0: - > 7,ab".into()]);
}

#[test]
fn what_cannot_be_followed_is_an_error_and_what_is_for_others_is_none() {
    let refused = |kind: u8| matches!(Log::at(4).take(kind, &[0; 40]), Err(DecodeError::Unreadable(_)));
    assert!(
        refused(event::INCIDENT) && refused(event::TRANSACTION_PAYLOAD) && refused(event::GTID_TAGGED) && refused(99)
    );
    assert!(!refused(event::ANNOTATE_ROWS) && !refused(event::PREVIOUS_GTIDS));
    let mut log = Log::at(4);
    assert_eq!(log.all(&[query("insert into other.x values (1)")]), [""; 0]);
    assert_eq!(log.all(&[query("update x set a = 1")])[1], format!("0 {AS_TEXT}"));
}

#[test]
fn a_table_that_has_changed_since_gives_no_values() {
    let mut log = Log::at(4);
    let mut map = vec![18, 0, 0, 0, 0, 0, 1, 0, 1, b'd', 0, 1, b'p', 0];
    map.extend([3, kind::LONG, kind::LONG, kind::VARCHAR, 2, 80, 0, 2]);
    let insert = rows(event::WRITE_ROWS, &[3, 7], &[0, 1, 0, 0, 0, 7, 0, 0, 0, 1, b'x']);
    let told = log.all(&[gtid(1), query("BEGIN"), (event::TABLE_MAP, map), insert]);
    assert_eq!(told[1], "0: - > ?,?");
}

#[test]
fn places_go_on_beyond_32_bits_and_into_the_next_file() {
    let mut log = Log::at((1 << 32) - 10);
    log.all(&[gtid(1), query("BEGIN"), xid_event()]);
    assert_eq!(
        log.decoder.place(),
        Place {
            file: 1,
            offset: log.end
        }
    );
    assert!(log.end > 1 << 32);
    let mut rotate = 4u64.to_le_bytes().to_vec();
    rotate.extend(b"bin.000002");
    log.all(&[(event::ROTATE, rotate)]);
    assert_eq!(log.decoder.place(), Place { file: 2, offset: 4 });
}

#[test]
fn nothing_that_is_sent_ends_in_a_panic() {
    let events = [
        gtid(5),
        query("BEGIN"),
        map_p(),
        rows(event::UPDATE_ROWS, &[2, 3, 3], &[ROW, ROW].concat()),
    ];
    for (place, (kind, data)) in events.iter().enumerate() {
        for end in 0..data.len() {
            let mut log = Log::at(4);
            log.all(&events[..place]);
            let _ = log.take(*kind, &data[..end]);
        }
    }
    let nothing = rows(event::WRITE_ROWS, &[2, 0], &[0; 3]);
    let mut log = Log::at(4);
    log.all(&events[..3]);
    assert!(log.take(nothing.0, &nothing.1).is_err());
}
