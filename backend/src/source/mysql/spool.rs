//! Rows that wait in a file. Where several readers have one connection, each answer is taken whole, so that the next
//! question can be asked; memory stays bounded all the same.

use crate::data::row::MalformedRow;
use crate::source::SourceError;
use bytes::Bytes;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};

const BUFFER_BYTES: usize = 256 << 10;

/// A file without a name, which is gone when it is closed.
pub struct Spool {
    state: State,
}

enum State {
    Writing(BufWriter<File>),
    Reading(BufReader<File>),
}

impl Spool {
    /// An empty one.
    ///
    /// # Errors
    /// When no file can be made.
    pub fn new() -> Result<Self, SourceError> {
        let file = tempfile::tempfile().map_err(failed)?;
        Ok(Self {
            state: State::Writing(BufWriter::with_capacity(BUFFER_BYTES, file)),
        })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn push(&mut self, tuple: &[u8]) -> Result<(), SourceError> {
        let State::Writing(file) = &mut self.state else {
            return Err(MalformedRow("rows behind the end").into());
        };
        let length = u32::try_from(tuple.len()).map_err(|_| MalformedRow("a row of more than 4 GiB"))?;
        file.write_all(&length.to_le_bytes()).map_err(failed)?;
        file.write_all(tuple).map_err(failed)
    }

    /// The same, to be read from its start.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn rewound(self) -> Result<Self, SourceError> {
        let file = match self.state {
            State::Writing(file) => file.into_inner().map_err(|e| failed(e.into_error()))?,
            State::Reading(file) => file.into_inner(),
        };
        (&file).rewind().map_err(failed)?;
        Ok(Self {
            state: State::Reading(BufReader::with_capacity(BUFFER_BYTES, file)),
        })
    }

    /// The next row; `None` after the last.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next(&mut self) -> Result<Option<Bytes>, SourceError> {
        let State::Reading(file) = &mut self.state else {
            return Ok(None);
        };
        let mut length = [0; 4];
        match file.read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(failed(error)),
        }
        let mut tuple = vec![0; u32::from_le_bytes(length) as usize];
        file.read_exact(&mut tuple).map_err(failed)?;
        Ok(Some(Bytes::from(tuple)))
    }
}

fn failed(error: std::io::Error) -> SourceError {
    SourceError::Query {
        reason: format!("rows could not be kept in a file in the meantime: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_in_their_order() {
        let mut spool = Spool::new().unwrap();
        for row in [&b"first"[..], b"", &[7; 300_000]] {
            spool.push(row).unwrap();
        }
        let mut spool = spool.rewound().unwrap();
        assert_eq!(spool.next().unwrap().unwrap(), "first");
        assert_eq!(spool.next().unwrap().unwrap(), "");
        assert_eq!(spool.next().unwrap().unwrap().len(), 300_000);
        assert!(spool.next().unwrap().is_none() && spool.next().unwrap().is_none());
    }
}
