//! From events of the log to changes of the plan's tables.
//!
//! Events come in groups, each a transaction or a statement that is one: what names it, the rows, and its end. A group
//! without anything that documents depend on only moves the position.

use super::bytes::Bytes;
use super::cascade::LogTables;
use super::events::{ARTIFICIAL, DecodeError, IGNORABLE, LogEvent, event, unpacked};
use super::held::{Changes, Prepared};
use super::place::Place;
use super::rows::Mapped;
use super::statement::{Names, Statement, judge};
use super::table_map::TableMap;
use crate::data::change::ChangeSink;
use crate::data::position::{LogPosition, TransactionId};
use crate::data::row::MalformedRow;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Of MariaDB's GTID: the group is a single statement.
const STANDALONE: u8 = 1;
/// The group is that of a preparation.
const PREPARED_XA: u8 = 64;
/// By the seconds of the server's clock, one at least has passed then.
const LATE_SECONDS: u32 = 2;
/// Another number follows.
const GROUP_COMMIT: u8 = 2;
/// What happened to tables when the log has a change as text.
const AS_TEXT: &str = "may have been changed by a statement, whose rows are not in the log (binlog_format)";

/// A group whose end has not come.
#[derive(Debug)]
struct Group {
    id: TransactionId,
    committed_at: DateTime<Utc>,
    /// It has a beginning and an end; otherwise it is one statement.
    is_open: bool,
    /// The sink knows of it.
    is_begun: bool,
    /// Its changes wait for what becomes of them.
    held: Option<(String, Changes)>,
    /// It is a MariaDB's.
    is_of_mariadb: bool,
    start: Place,
}

/// A prepared transaction that a MariaDB has committed in its log, and a moment later in its engine. The place of a
/// snapshot counts it from the first of the two on, so what it has changed is told after that moment.
#[derive(Debug)]
struct Late {
    id: TransactionId,
    committed_at: DateTime<Utc>,
    changes: Changes,
    /// The position stays in front of it.
    start: Place,
    second: u32,
}

/// See the module.
#[derive(Debug)]
pub struct LogDecoder {
    tables: Arc<LogTables>,
    /// By the number that the log gives a table; `None` for those that do not count.
    maps: HashMap<u64, Option<Mapped>>,
    place: Place,
    group: Option<Group>,
    prepared: Prepared,
    late: VecDeque<Late>,
    /// A foreign key may have come.
    has_new_keys: bool,
    /// The server has said how it writes events.
    is_described: bool,
}

impl LogDecoder {
    /// Events come from this place on.
    pub fn new(tables: Arc<LogTables>, place: Place) -> Self {
        Self {
            tables,
            maps: HashMap::new(),
            place,
            group: None,
            prepared: Prepared::default(),
            late: VecDeque::new(),
            has_new_keys: false,
            is_described: false,
        }
    }

    /// Whether foreign keys are to be read again before the next event is taken in.
    pub fn takes_new_keys(&mut self) -> bool {
        std::mem::take(&mut self.has_new_keys)
    }

    /// The same tables with the foreign keys that there are now.
    pub fn learn(&mut self, tables: Arc<LogTables>) {
        self.tables = tables;
        self.maps.clear();
    }

    /// Where the next event begins.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The transaction whose changes are arriving, as far as the sink knows of it.
    pub fn open_transaction(&self) -> Option<(TransactionId, DateTime<Utc>)> {
        let group = self.group.as_ref().filter(|g| g.is_begun)?;
        Some((group.id, group.committed_at))
    }

    /// Steps over an event that is not to be taken in.
    pub fn pass_over(&mut self, event: &LogEvent<'_>) {
        self.advance(event);
    }

    /// Takes in one event.
    ///
    /// # Errors
    /// When it cannot be read, or holds what cannot be followed.
    pub fn take(&mut self, event: &LogEvent<'_>, sink: &mut dyn ChangeSink) -> Result<(), DecodeError> {
        let start = self.advance(event);
        match event.kind {
            event::ROTATE => self.rotate(event)?,
            event::GTID => {
                let mut data = Bytes(event.data);
                data.take(1)?;
                let source = u128::from_be_bytes(data.take(16)?.try_into().expect("16 bytes"));
                let number = data.little(8)?;
                self.begin(TransactionId::Gtid { source, number }, event, false);
            }
            event::ANONYMOUS_GTID => self.begin(at(start), event, false),
            event::MARIADB_GTID => self.mariadb_gtid(event, start)?,
            event::QUERY => self.query(event, start, false, sink)?,
            event::QUERY_COMPRESSED => self.query(event, start, true, sink)?,
            event::XID => self.end(sink),
            event::XA_PREPARE => self.prepare(event, sink)?,
            event::TABLE_MAP => self.table_map(event)?,
            event::WRITE_ROWS_V1
            | event::UPDATE_ROWS_V1
            | event::DELETE_ROWS_V1
            | event::WRITE_ROWS
            | event::UPDATE_ROWS
            | event::DELETE_ROWS
            | event::PARTIAL_UPDATE_ROWS
            | event::WRITE_ROWS_COMPRESSED_V1..=event::DELETE_ROWS_COMPRESSED => self.rows(event, start, sink)?,
            // The text of a LOAD DATA: it names its table, but to find that is not worth while.
            event::EXECUTE_LOAD_QUERY => self.load(event, start, sink)?,
            event::INCIDENT => {
                return Err(DecodeError::Unreadable(format!(
                    "the server has noted an incident at {}: changes may be missing in its log",
                    start.shown()
                )));
            }
            event::TRANSACTION_PAYLOAD => {
                return Err(DecodeError::Unreadable(format!(
                    "the log has a compressed transaction at {}, which cannot be read: set \
                     binlog_transaction_compression to OFF",
                    start.shown()
                )));
            }
            event::GTID_TAGGED => {
                return Err(DecodeError::Unreadable(format!(
                    "the transaction at {} has a GTID with a tag, which cannot be followed",
                    start.shown()
                )));
            }
            event::STOP
            | event::INTVAR
            | event::RAND
            | event::USER_VAR
            | event::FORMAT_DESCRIPTION
            | event::BEGIN_LOAD_QUERY
            | event::HEARTBEAT
            | event::HEARTBEAT_V2
            | event::IGNORABLE
            | event::ROWS_QUERY
            | event::PREVIOUS_GTIDS
            | event::TRANSACTION_CONTEXT
            | event::VIEW_CHANGE
            | event::ANNOTATE_ROWS
            | event::BINLOG_CHECKPOINT
            | event::GTID_LIST
            // What comes behind it the server decrypts before it sends it.
            | event::START_ENCRYPTION => {}
            other if event.flags & IGNORABLE == 0 => {
                return Err(DecodeError::Unreadable(format!(
                    "the log has an event of the type {other} at {}, which this version does not know",
                    start.shown()
                )));
            }
            _ => {}
        }
        if self.group.is_none() {
            self.tell_late(event, sink);
            sink.reached(self.told().into());
        }
        Ok(())
    }

    /// Up to where everything was handed on.
    fn told(&self) -> Place {
        self.late.front().map_or(self.place, |late| late.start)
    }

    /// Hands on what had to wait. A server that has nothing to say says so after a second.
    fn tell_late(&mut self, event: &LogEvent<'_>, sink: &mut dyn ChangeSink) {
        let is_quiet = matches!(event.kind, event::HEARTBEAT | event::HEARTBEAT_V2);
        let is_over = |late: &Late| is_quiet || event.timestamp >= late.second.saturating_add(LATE_SECONDS);
        while let Some(late) = self.late.pop_front_if(|late| is_over(late)) {
            let tables = self.tables.clone();
            sink.begin(late.id, late.committed_at);
            late.changes
                .release(sink, |table| tables.tables[table].table.columns.len());
            sink.commit(self.told().into());
        }
    }

    /// Steps over an event. Returns where it begins.
    fn advance(&mut self, event: &LogEvent<'_>) -> Place {
        let start = self.place;
        self.is_described |= event.kind == event::FORMAT_DESCRIPTION;
        if matches!(event.kind, event::HEARTBEAT | event::HEARTBEAT_V2) {
            self.heard(event);
            return self.place;
        }
        if event.end == 0 || event.flags & ARTIFICIAL != 0 {
            return start;
        }
        // Events may have been left out in front of it.
        let least = start.offset + u64::from(event.bytes);
        let mut end = least & !u64::from(u32::MAX) | u64::from(event.end);
        if end + (1 << 31) < least {
            end += 1 << 32;
        }
        self.place.offset = end.max(least);
        Place {
            offset: self.place.offset - u64::from(event.bytes),
            ..start
        }
    }

    /// The server has sent everything and names the place: it may have left events out that are not for replicas.
    fn heard(&mut self, event: &LogEvent<'_>) {
        let name = String::from_utf8_lossy(event.data);
        let place = Place::named(name.trim_end_matches('\0'), u64::from(event.end));
        let is_here = place.is_some_and(|p| p.file == self.place.file && p.offset > self.place.offset);
        if let Some(place) = place.filter(|_| is_here && self.group.is_none()) {
            self.place = place;
        }
    }

    fn rotate(&mut self, event: &LogEvent<'_>) -> Result<(), DecodeError> {
        // The first one names the file that was asked for, with a checksum behind it or without: that is told next.
        if event.flags & ARTIFICIAL != 0 && !self.is_described {
            return Ok(());
        }
        let mut data = Bytes(event.data);
        let offset = data.little(8)?;
        let name = String::from_utf8_lossy(data.0);
        let name = name.trim_end_matches('\0');
        let next = Place::named(name, offset).ok_or_else(|| {
            DecodeError::Unreadable(format!("the log goes on in the file \"{name}\", which has no number"))
        })?;
        // The server names the file once more when it begins to send.
        if next.file != self.place.file || event.flags & ARTIFICIAL == 0 {
            self.place = next;
            self.group = None;
            self.maps.clear();
        }
        Ok(())
    }

    fn begin(&mut self, id: TransactionId, event: &LogEvent<'_>, is_open: bool) {
        // What had no end was cut off by the death of the server.
        self.group = Some(Group {
            id,
            committed_at: DateTime::from_timestamp(i64::from(event.timestamp), 0).unwrap_or_default(),
            is_open,
            is_begun: false,
            held: None,
            is_of_mariadb: event.kind == event::MARIADB_GTID,
            start: self.place,
        });
        self.maps.clear();
    }

    fn mariadb_gtid(&mut self, event: &LogEvent<'_>, start: Place) -> Result<(), DecodeError> {
        let mut data = Bytes(event.data);
        data.take(12)?;
        let flags = data.byte()?;
        self.begin(at(start), event, flags & STANDALONE == 0);
        if let Some(group) = &mut self.group {
            group.start = start;
        }
        if flags & PREPARED_XA != 0 {
            if flags & GROUP_COMMIT != 0 {
                data.take(8)?;
            }
            let format = data.little(4)?;
            let (first, second) = (data.byte()?, data.byte()?);
            let name = xid(data.take(usize::from(first))?, data.take(usize::from(second))?, format);
            self.hold(name);
        }
        Ok(())
    }

    fn hold(&mut self, name: String) {
        let changes = self.prepared.changes();
        if let Some(group) = &mut self.group {
            group.held = Some((name, changes));
        }
    }

    /// The group that an event belongs to; a server without GTIDs does not announce it.
    fn group(&mut self, event: &LogEvent<'_>, start: Place) -> &mut Group {
        if self.group.is_none() {
            self.begin(at(start), event, false);
        }
        self.group.as_mut().expect("it has just begun")
    }

    fn end(&mut self, sink: &mut dyn ChangeSink) {
        if let Some(group) = self.group.take()
            && group.is_begun
        {
            sink.commit(self.told().into());
        }
        self.maps.clear();
    }

    fn query(
        &mut self,
        event: &LogEvent<'_>,
        start: Place,
        is_compressed: bool,
        sink: &mut dyn ChangeSink,
    ) -> Result<(), DecodeError> {
        let mut data = Bytes(event.data);
        data.take(8)?;
        let schema = usize::from(data.byte()?);
        data.take(2)?;
        let variables = data.little(2)? as usize;
        data.take(variables)?;
        let schema = String::from_utf8_lossy(data.take(schema)?).into_owned();
        data.take(1)?;
        let text = match is_compressed {
            true => unpacked(data.0)?,
            false => data.0.to_vec(),
        };
        self.statement(&String::from_utf8_lossy(&text), &schema, (event, start), sink);
        Ok(())
    }

    fn load(&mut self, event: &LogEvent<'_>, start: Place, sink: &mut dyn ChangeSink) -> Result<(), DecodeError> {
        let mut data = Bytes(event.data);
        data.take(8)?;
        let schema = usize::from(data.byte()?);
        data.take(2)?;
        let variables = data.little(2)? as usize;
        data.take(13 + variables)?;
        let schema = String::from_utf8_lossy(data.take(schema)?).into_owned();
        data.take(1)?;
        self.statement(&String::from_utf8_lossy(data.0), &schema, (event, start), sink);
        Ok(())
    }

    fn statement(
        &mut self,
        text: &str,
        schema: &str,
        (event, start): (&LogEvent<'_>, Place),
        sink: &mut dyn ChangeSink,
    ) {
        let statement = judge(text);
        if let Statement::Rewrites(_) | Statement::Defines(_) = &statement {
            self.has_new_keys |= text.to_ascii_uppercase().contains("REFERENCES");
        }
        let tables = self.tables.clone();
        let group = self.group(event, start);
        match &statement {
            Statement::Begin => group.is_open = true,
            Statement::End => return self.end(sink),
            Statement::Harmless | Statement::Defines(_) => {}
            Statement::XaStart(name) => {
                group.is_open = true;
                self.hold(name.clone());
            }
            Statement::XaRollback(name) => drop(self.prepared.take(name)),
            Statement::XaCommit(name) => {
                let name = name.clone();
                let (is_late, id, committed_at, start) =
                    (group.is_of_mariadb, group.id, group.committed_at, group.start);
                match self.prepared.take(&name) {
                    Some(changes) if is_late => self.late.push_back(Late {
                        id,
                        committed_at,
                        changes,
                        start,
                        second: event.timestamp,
                    }),
                    Some(changes) => {
                        let columns = |table: usize| tables.tables[table].table.columns.len();
                        self.tell(sink, |sink| changes.release(sink, columns));
                    }
                    // Its rows came before the log was read from here.
                    None => self.tell_rewritten(sink, 0..tables.mapped, "may have been changed by an XA transaction"),
                }
            }
            Statement::Rewrites(names) => {
                let changed = tables_of(&tables, |table| names.may_name(table, schema));
                self.tell_rewritten(sink, changed, "was truncated or rewritten");
            }
            Statement::DropsDatabase(name) => {
                let gone = tables_of(&tables, |(of, _)| of.to_lowercase() == name.to_lowercase());
                self.tell_rewritten(sink, gone, "was dropped with its database");
            }
            Statement::Changes(names) => {
                if may_change(&tables, names.as_ref(), schema) {
                    tracing::info!(place = start.shown(), "The log has a change as text");
                    self.tell_rewritten(sink, 0..tables.mapped, AS_TEXT);
                }
            }
        }
        if self.group.as_ref().is_some_and(|g| !g.is_open) {
            self.end(sink);
        }
    }

    fn tell_rewritten(
        &mut self,
        sink: &mut dyn ChangeSink,
        tables: impl IntoIterator<Item = usize>,
        what: &'static str,
    ) {
        let mut tables = tables.into_iter().peekable();
        if tables.peek().is_some() {
            self.tell(sink, |sink| tables.for_each(|table| sink.rewritten(table, what)));
        }
    }

    /// Hands something of the open group on, or keeps it until that is decided.
    fn tell(&mut self, sink: &mut dyn ChangeSink, what: impl FnOnce(&mut dyn ChangeSink)) {
        let Some(group) = &mut self.group else { return };
        match &mut group.held {
            Some((_, changes)) => what(changes),
            None => {
                if !std::mem::replace(&mut group.is_begun, true) {
                    sink.begin(group.id, group.committed_at);
                }
                what(sink);
            }
        }
    }

    /// The end of the rows of an XA transaction: it is committed at once, or waits.
    fn prepare(&mut self, event: &LogEvent<'_>, sink: &mut dyn ChangeSink) -> Result<(), DecodeError> {
        let mut data = Bytes(event.data);
        let is_one_phase = data.byte()? != 0;
        let format = data.little(4)?;
        let (first, second) = (data.little(4)? as usize, data.little(4)? as usize);
        let name = xid(data.take(first)?, data.take(second)?, format);
        let held = self.group.as_mut().and_then(|g| g.held.take());
        if let Some((_, changes)) = held {
            if is_one_phase {
                let tables = self.tables.clone();
                let columns = |table: usize| tables.tables[table].table.columns.len();
                self.tell(sink, |sink| changes.release(sink, columns));
            } else {
                self.prepared.keep(name, changes);
            }
        }
        self.end(sink);
        Ok(())
    }

    fn table_map(&mut self, event: &LogEvent<'_>) -> Result<(), DecodeError> {
        let map = TableMap::read(event.data, 6)?;
        let tables = self.tables.clone();
        let place = tables.named(&map.schema, &map.table);
        let counts = |place: &usize| *place < tables.mapped || tables.cascades(*place);
        let mapped = place.filter(counts).map(|table| Mapped::of(&tables, table, &map));
        self.maps.insert(map.id, mapped);
        Ok(())
    }

    fn rows(&mut self, event: &LogEvent<'_>, start: Place, sink: &mut dyn ChangeSink) -> Result<(), DecodeError> {
        let mut data = Bytes(event.data);
        let id = data.little(6)?;
        data.take(2)?;
        match self.maps.get(&id) {
            Some(Some(_)) => {}
            Some(None) => return Ok(()),
            // The last event of a statement may have a number that stands for none.
            None if id == 0x00ff_ffff => return Ok(()),
            None => return Err(MalformedRow("rows in the binary log of a table that was not described").into()),
        }
        self.group(event, start);
        let (maps, tables) = (std::mem::take(&mut self.maps), self.tables.clone());
        let read = match maps.get(&id) {
            Some(Some(known)) => known.each(event.kind, data, |change| {
                let is_mapped = change.table < tables.mapped;
                let cascades = change.old.is_some() && tables.cascades(change.table);
                if is_mapped || cascades {
                    self.tell(sink, |sink| {
                        if is_mapped {
                            sink.row(*change);
                        }
                        if cascades {
                            tables.expand(change, sink);
                        }
                    });
                }
            }),
            Some(None) | None => Ok(()),
        };
        self.maps = maps;
        Ok(read?)
    }
}

/// The place of a transaction stands for it: a point in time whose place is behind its beginning has all of it.
fn at(start: Place) -> TransactionId {
    TransactionId::Position(LogPosition::from(start).0 + 1)
}

/// As the log writes it in statements.
fn xid(first: &[u8], second: &[u8], format: u64) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    format!("X'{}',X'{}',{format}", hex(first), hex(second))
}

fn tables_of(tables: &LogTables, is_meant: impl Fn((&str, &str)) -> bool) -> Vec<usize> {
    let all = tables.tables.iter().take(tables.mapped).enumerate();
    all.filter(|(_, t)| is_meant((&t.table.name.schema, &t.table.name.table)))
        .map(|(place, _)| place)
        .collect()
}

/// Whether a statement may have changed rows of a table that counts: also by a trigger, a view or a function, which are in
/// the databases of these tables.
fn may_change(tables: &LogTables, names: Option<&Names>, default: &str) -> bool {
    tables.tables.iter().any(|known| {
        let name = &known.table.name;
        match names {
            Some(names) => names.may_be_in(&name.schema, default),
            None => name.schema.to_lowercase() == default.to_lowercase(),
        }
    })
}

#[cfg(test)]
mod tests;
