//! The rows of an event, printed as far as somebody asks for them.

use super::bytes::{Bytes, has_bit};
use super::cascade::LogTables;
use super::cells::{Print, print};
use super::events::{event, unpacked};
use super::table_map::{LogColumn, TableMap, kind};
use crate::data::change::{ImageCell, RowChange};
use crate::data::row::MalformedRow;

/// A table as the log described it last.
#[derive(Debug)]
pub struct Mapped {
    table: usize,
    /// Columns of the table in the catalog.
    count: usize,
    columns: Vec<Column>,
    /// The log has the columns that the catalog has. Otherwise nothing is known of the values.
    fits: bool,
}

#[derive(Debug)]
struct Column {
    log: LogColumn,
    how: Print,
    /// Its place in the table of the catalog.
    place: Option<usize>,
}

impl Mapped {
    /// The columns of a table in the log and in the catalog: by name where the log has names, else by place.
    pub fn of(tables: &LogTables, table: usize, map: &TableMap) -> Self {
        let known = &tables.tables[table];
        let catalog = &known.table.columns;
        // A table with the history of its rows has two more columns, which the catalog may not list.
        let is_of_history = |c: &LogColumn| matches!(c.kind, kind::TIMESTAMP2 | kind::LONGLONG);
        let has_more = map.columns.len() == catalog.len() + 2 && map.columns[catalog.len()..].iter().all(is_of_history);
        let place_of = |number: usize| match &map.names {
            Some(names) => catalog.iter().position(|c| c.name == names[number]),
            None => (number < catalog.len()).then_some(number),
        };
        let mut fits = map.names.is_some() || map.columns.len() == catalog.len() || has_more;
        let columns = map.columns.iter().enumerate().map(|(number, log)| {
            let place = place_of(number);
            let how = place.map(|place| Print::of(&catalog[place], *log));
            fits &= how != Some(None);
            let is_needed = place.is_some_and(|place| known.needed[place]);
            Column {
                log: *log,
                how: how.flatten().filter(|_| is_needed).unwrap_or(Print::Not),
                place,
            }
        });
        let columns = columns.collect();
        Self {
            table,
            count: catalog.len(),
            columns,
            fits,
        }
    }

    /// Hands on every row of an event of one of the kinds of rows. `data` is what stands behind its flags.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn each(
        &self,
        kind: u8,
        mut data: Bytes<'_>,
        mut take: impl FnMut(&RowChange<'_>),
    ) -> Result<(), MalformedRow> {
        let images = Images::read(kind, &mut data)?;
        if images.width != self.columns.len() {
            return Err(MalformedRow(
                "rows in the binary log have other columns than their table",
            ));
        }
        let unpacked = match images.are_compressed {
            true => Some(unpacked(data.0)?),
            false => None,
        };
        let mut rows = Bytes(unpacked.as_deref().unwrap_or(data.0));
        let (mut old, mut new) = (Printed::default(), Printed::default());
        let mut left = rows.0.len() + 1;
        while !rows.is_empty() {
            // A row has a byte at least.
            if rows.0.len() >= left {
                return Err(MalformedRow("rows in the binary log without any column"));
            }
            left = rows.0.len();
            if let Some(bits) = images.old {
                old.read(&mut rows, self, bits, Cell::Absent)?;
            }
            if let Some(bits) = images.new {
                if images.is_partial {
                    pass_over_partial(&mut rows, self)?;
                }
                // What an update leaves as it was, a smaller image does not repeat.
                let missing = if images.old.is_some() {
                    Cell::Unchanged
                } else {
                    Cell::Absent
                };
                new.read(&mut rows, self, bits, missing)?;
            }
            let (before, after) = (old.image(), new.image());
            take(&RowChange {
                table: self.table,
                old: images.old.is_some().then_some(&before[..]),
                new: images.new.is_some().then_some(&after[..]),
            });
        }
        Ok(())
    }
}

/// Which columns the rows of an event have.
#[derive(Debug, Clone, Copy)]
struct Images<'a> {
    old: Option<&'a [u8]>,
    new: Option<&'a [u8]>,
    width: usize,
    /// Changes of JSON stand for its values.
    is_partial: bool,
    are_compressed: bool,
}

impl<'a> Images<'a> {
    fn read(kind: u8, data: &mut Bytes<'a>) -> Result<Self, MalformedRow> {
        let (has_extra, are_compressed) = match kind {
            event::WRITE_ROWS_V1..=event::DELETE_ROWS_V1 => (false, false),
            event::WRITE_ROWS_COMPRESSED_V1..=event::DELETE_ROWS_COMPRESSED_V1 => (false, true),
            event::WRITE_ROWS_COMPRESSED..=event::DELETE_ROWS_COMPRESSED => (true, true),
            _ => (true, false),
        };
        let (has_old, has_new) = match kind {
            event::WRITE_ROWS_V1
            | event::WRITE_ROWS
            | event::WRITE_ROWS_COMPRESSED_V1
            | event::WRITE_ROWS_COMPRESSED => (false, true),
            event::DELETE_ROWS_V1
            | event::DELETE_ROWS
            | event::DELETE_ROWS_COMPRESSED_V1
            | event::DELETE_ROWS_COMPRESSED => (true, false),
            _ => (true, true),
        };
        if has_extra {
            let length = data.little(2)? as usize;
            data.take(length.saturating_sub(2))?;
        }
        let width = data.length()?;
        let mut bits = |are_there: bool| match are_there {
            true => data.take(width.div_ceil(8)).map(Some),
            false => Ok(None),
        };
        Ok(Self {
            old: bits(has_old)?,
            new: bits(has_new)?,
            width,
            is_partial: kind == event::PARTIAL_UPDATE_ROWS,
            are_compressed,
        })
    }
}

/// Which changes of JSON an image has. A value of JSON is as long as it says, whole or not, and is not asked for.
fn pass_over_partial(rows: &mut Bytes<'_>, known: &Mapped) -> Result<(), MalformedRow> {
    const PARTIAL_JSON: usize = 1;
    if rows.length()? & PARTIAL_JSON != 0 {
        let count = known.columns.iter().filter(|c| c.log.kind == kind::JSON).count();
        rows.take(count.div_ceil(8))?;
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Null,
    Absent,
    Unchanged,
    /// A part of the texts.
    Text {
        start: usize,
        end: usize,
    },
}

/// One image of a row, with all of its texts in one.
#[derive(Debug, Default)]
struct Printed {
    cells: Vec<Cell>,
    texts: String,
}

impl Printed {
    fn read(&mut self, rows: &mut Bytes<'_>, known: &Mapped, bits: &[u8], missing: Cell) -> Result<(), MalformedRow> {
        self.texts.clear();
        self.cells.clear();
        self.cells.resize(known.count, missing);
        let present = (0..known.columns.len()).filter(|place| has_bit(bits, *place)).count();
        let nulls = rows.take(present.div_ceil(8))?;
        let mut image = 0;
        for (place, column) in known.columns.iter().enumerate() {
            if !has_bit(bits, place) {
                continue;
            }
            let is_null = has_bit(nulls, image);
            image += 1;
            let start = self.texts.len();
            let cell = if is_null {
                Cell::Null
            } else if print(rows, column.log, &column.how, &mut self.texts)? {
                Cell::Text {
                    start,
                    end: self.texts.len(),
                }
            } else {
                Cell::Absent
            };
            if let Some(place) = column.place {
                self.cells[place] = if known.fits { cell } else { Cell::Absent };
            }
        }
        if !known.fits {
            self.cells.fill(Cell::Absent);
        }
        Ok(())
    }

    fn image(&self) -> Vec<ImageCell<'_>> {
        let cell = |cell: &Cell| match cell {
            Cell::Null => ImageCell::Null,
            Cell::Absent => ImageCell::Absent,
            Cell::Unchanged => ImageCell::Unchanged,
            Cell::Text { start, end } => ImageCell::Text(&self.texts[*start..*end]),
        };
        self.cells.iter().map(cell).collect()
    }
}
