//! Rows that wait in a file. Where several readers have one connection, each answer is taken whole, so that the next
//! question can be asked; memory stays bounded all the same. What is small waits in memory.

use crate::data::row::MalformedRow;
use crate::source::SourceError;
use bytes::Bytes;
use std::fs::File;
use std::io::{BufReader, BufWriter, Cursor, Read, Seek, Write};

const BUFFER_BYTES: usize = 256 << 10;
/// What waits in memory.
const HELD_BYTES: usize = 256 << 10;

/// A file without a name, which is gone when it is closed.
pub struct Spool {
    state: State,
}

enum State {
    Holding(Vec<u8>),
    Held(Cursor<Vec<u8>>),
    Writing(BufWriter<File>),
    Reading(BufReader<File>),
}

impl Spool {
    /// An empty one.
    ///
    /// # Errors
    /// When no file can be made.
    pub fn new() -> Result<Self, SourceError> {
        Ok(Self {
            state: State::Holding(Vec::new()),
        })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn push(&mut self, tuple: &[u8]) -> Result<(), SourceError> {
        let length = u32::try_from(tuple.len()).map_err(|_| MalformedRow("a row of more than 4 GiB"))?;
        if let State::Holding(held) = &mut self.state {
            if held.len() + tuple.len() <= HELD_BYTES {
                held.extend_from_slice(&length.to_le_bytes());
                held.extend_from_slice(tuple);
                return Ok(());
            }
            let mut file = BufWriter::with_capacity(BUFFER_BYTES, tempfile::tempfile().map_err(failed)?);
            file.write_all(held).map_err(failed)?;
            self.state = State::Writing(file);
        }
        let State::Writing(file) = &mut self.state else {
            return Err(MalformedRow("rows behind the end").into());
        };
        file.write_all(&length.to_le_bytes()).map_err(failed)?;
        file.write_all(tuple).map_err(failed)
    }

    /// The same, to be read from its start.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn rewound(self) -> Result<Self, SourceError> {
        let file = match self.state {
            State::Holding(held) => {
                return Ok(Self {
                    state: State::Held(Cursor::new(held)),
                });
            }
            State::Held(held) => {
                return Ok(Self {
                    state: State::Held(Cursor::new(held.into_inner())),
                });
            }
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
        let file: &mut dyn Read = match &mut self.state {
            State::Reading(file) => file,
            State::Held(held) => held,
            State::Holding(_) | State::Writing(_) => return Ok(None),
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
        // In memory, and in a file.
        for length in [30, 300_000] {
            let mut spool = Spool::new().unwrap();
            for row in [&b"first"[..], b"", &vec![7; length]] {
                spool.push(row).unwrap();
            }
            let mut spool = spool.rewound().unwrap();
            assert_eq!(spool.next().unwrap().unwrap(), "first");
            assert_eq!(spool.next().unwrap().unwrap(), "");
            assert_eq!(spool.next().unwrap().unwrap().len(), length);
            assert!(spool.next().unwrap().is_none() && spool.next().unwrap().is_none());
        }
    }
}
