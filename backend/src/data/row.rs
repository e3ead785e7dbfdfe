//! Rows as the source sent them: the bytes stay where they were received, cells are ranges in them.

use bytes::Bytes;

/// Length of a cell that is NULL.
const NULL: i32 = -1;

/// A list of rows with the same columns.
#[derive(Debug, Clone, Default)]
pub struct RowSet {
    columns: usize,
    rows: Vec<Bytes>,
    /// `columns` pairs of offset and length for each row; a length of -1 is NULL.
    cells: Vec<(u32, i32)>,
}

/// A row that is not in the form the source said it would send.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the source sent a row that cannot be read: {0}")]
pub struct MalformedRow(pub &'static str);

impl RowSet {
    /// An empty list for rows of so many columns.
    pub fn new(columns: usize) -> Self {
        Self {
            columns,
            rows: Vec::new(),
            cells: Vec::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Bytes of all rows as received.
    pub fn size_bytes(&self) -> usize {
        self.rows.iter().map(Bytes::len).sum()
    }

    /// The bytes of one cell, or `None` where it is NULL.
    pub fn cell(&self, row: usize, column: usize) -> Option<&[u8]> {
        let (offset, length) = self.cells[row * self.columns + column];
        (length != NULL).then(|| &self.rows[row][offset as usize..offset as usize + length as usize])
    }

    /// Takes one tuple of PostgreSQL's binary COPY format: a count of fields, then length and bytes of each.
    /// <https://www.postgresql.org/docs/15/sql-copy.html>
    ///
    /// `skip` leading fields are not kept as cells: they are for the reader itself.
    ///
    /// # Errors
    /// When the tuple has another number of fields or ends early.
    pub fn push_copy_tuple(&mut self, tuple: Bytes, skip: usize) -> Result<(), MalformedRow> {
        let mut at = 2;
        let count = tuple
            .get(..2)
            .map(|b| i16::from_be_bytes([b[0], b[1]]))
            .ok_or(MalformedRow("no field count"))?;
        if usize::try_from(count) != Ok(self.columns + skip) {
            return Err(MalformedRow("another number of fields"));
        }
        for field in 0..self.columns + skip {
            let length = read_i32(&tuple, at)?;
            if length < NULL {
                return Err(MalformedRow("a negative length"));
            }
            at += 4;
            if field >= skip {
                self.cells.push((at as u32, length));
            }
            at += usize::try_from(length).unwrap_or(0);
        }
        if at > tuple.len() {
            return Err(MalformedRow("it ends early"));
        }
        self.rows.push(tuple);
        Ok(())
    }

    /// Takes a tuple that was a row of such a list before: its last fields are the cells, whatever stood in front of them.
    ///
    /// # Errors
    /// When the tuple has fewer fields or ends early.
    pub fn push_row(&mut self, tuple: Bytes) -> Result<(), MalformedRow> {
        let count = tuple.get(..2).map_or(0, |b| i16::from_be_bytes([b[0], b[1]]));
        let front = usize::try_from(count)
            .ok()
            .and_then(|count| count.checked_sub(self.columns));
        self.push_copy_tuple(tuple, front.ok_or(MalformedRow("too few fields"))?)
    }

    /// Takes some fields of a tuple as cells: for each cell the number of its field, or nothing for NULL.
    ///
    /// # Errors
    /// When the tuple has too few fields or ends early.
    pub fn push_fields(&mut self, tuple: &Bytes, fields: &[Option<usize>]) -> Result<(), MalformedRow> {
        debug_assert_eq!(fields.len(), self.columns);
        let wanted = fields.iter().flatten().max().map_or(0, |last| last + 1);
        let (mut found, mut at) = (Vec::with_capacity(wanted), 2);
        for _ in 0..wanted {
            let length = read_i32(tuple, at)?;
            if length < NULL {
                return Err(MalformedRow("a negative length"));
            }
            found.push((at as u32 + 4, length));
            at += 4 + usize::try_from(length).unwrap_or(0);
        }
        if at > tuple.len() {
            return Err(MalformedRow("it ends early"));
        }
        self.cells
            .extend(fields.iter().map(|f| f.map_or((0, NULL), |f| found[f])));
        self.rows.push(tuple.clone());
        Ok(())
    }

    /// Keeps the rows whose place in `keep` is true.
    pub fn retain(&mut self, keep: &[bool]) {
        let mut kept = 0;
        debug_assert_eq!(keep.len(), self.rows.len());
        for (row, is_kept) in keep.iter().enumerate() {
            if *is_kept {
                self.rows.swap(kept, row);
                self.cells
                    .copy_within(row * self.columns..(row + 1) * self.columns, kept * self.columns);
                kept += 1;
            }
        }
        self.rows.truncate(kept);
        self.cells.truncate(kept * self.columns);
    }

    /// How many cells a row has.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The bytes of a row as received.
    pub fn tuple(&self, row: usize) -> &[u8] {
        &self.rows[row]
    }

    /// Adds one row of another list of the same columns.
    pub fn push_row_of(&mut self, other: &RowSet, row: usize) {
        debug_assert_eq!(self.columns, other.columns);
        self.rows.push(other.rows[row].clone());
        let cells = &other.cells[row * self.columns..(row + 1) * self.columns];
        self.cells.extend_from_slice(cells);
    }

    /// Adds the rows of another list of the same columns.
    pub fn append(&mut self, mut other: RowSet) {
        debug_assert_eq!(self.columns, other.columns);
        self.rows.append(&mut other.rows);
        self.cells.append(&mut other.cells);
    }

    /// The rows at these places, in this order.
    pub fn select(&self, places: &[usize]) -> RowSet {
        let mut chosen = RowSet::new(self.columns);
        places.iter().for_each(|place| chosen.push_row_of(self, *place));
        chosen
    }

    /// Cuts the list after its first `at` rows and returns the rest.
    pub fn split_off(&mut self, at: usize) -> RowSet {
        RowSet {
            columns: self.columns,
            rows: self.rows.split_off(at),
            cells: self.cells.split_off(at * self.columns),
        }
    }
}

/// The leading fields of a tuple of the binary COPY format, joined so that they are equal only for equal fields.
/// `None` when one of them is NULL. The first `from` fields are passed over.
///
/// # Errors
/// When the tuple ends early.
pub fn leading_fields(tuple: &[u8], from: usize, count: usize) -> Result<Option<Vec<u8>>, MalformedRow> {
    let (mut at, mut out) = (2, Vec::with_capacity(count * 12));
    for field in 0..from + count {
        let length = read_i32(tuple, at)?;
        at += 4;
        let size = usize::try_from(length).unwrap_or(0);
        if field >= from {
            if length == NULL {
                return Ok(None);
            }
            push_field(&mut out, tuple.get(at..at + size).ok_or(MalformedRow("it ends early"))?);
        }
        at += size;
    }
    Ok(Some(out))
}

/// Appends a field to an identity: its length first, so that no two lists of fields run together.
pub fn push_field(identity: &mut Vec<u8>, field: &[u8]) {
    identity.extend_from_slice(&(field.len() as u32).to_le_bytes());
    identity.extend_from_slice(field);
}

/// The four bytes at an offset, as PostgreSQL sends integers.
pub fn read_i32(bytes: &[u8], at: usize) -> Result<i32, MalformedRow> {
    let four = bytes.get(at..at + 4).ok_or(MalformedRow("it ends early"))?;
    Ok(i32::from_be_bytes([four[0], four[1], four[2], four[3]]))
}

#[cfg(test)]
pub mod testing {
    use super::*;

    /// A tuple of the binary COPY format.
    pub fn tuple(cells: &[Option<&[u8]>]) -> Bytes {
        let mut out = (cells.len() as i16).to_be_bytes().to_vec();
        for cell in cells {
            out.extend_from_slice(&cell.map_or(-1, |c| c.len() as i32).to_be_bytes());
            out.extend_from_slice(cell.unwrap_or_default());
        }
        Bytes::from(out)
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::tuple, *};

    #[test]
    fn cells_and_nulls_are_found_again_after_a_filter() {
        let mut rows = RowSet::new(2);
        for i in 0..5u8 {
            rows.push_copy_tuple(
                tuple(&[Some(b"skipped"), Some(&[i]), (i % 2 == 0).then_some(&b"even"[..])]),
                1,
            )
            .unwrap();
        }
        rows.retain(&[true, false, false, true, true]);
        let found: Vec<_> = (0..rows.len())
            .map(|r| (rows.cell(r, 0).unwrap()[0], rows.cell(r, 1)))
            .collect();
        assert_eq!(found, [(0, Some(&b"even"[..])), (3, None), (4, Some(&b"even"[..]))]);
        let rest = rows.split_off(1);
        assert_eq!((rows.len(), rest.len(), rest.cell(0, 0)), (1, 2, Some(&[3u8][..])));
    }

    #[test]
    fn a_tuple_that_ends_early_is_refused() {
        let mut rows = RowSet::new(1);
        let whole = tuple(&[Some(b"abc")]);
        for end in 0..whole.len() {
            assert!(rows.push_copy_tuple(whole.slice(..end), 0).is_err(), "{end}");
        }
        assert!(rows.push_copy_tuple(tuple(&[None, None]), 0).is_err());
    }
}
