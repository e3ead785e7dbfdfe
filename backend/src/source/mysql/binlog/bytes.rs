//! Reads the parts of an event. What ends early is an error, whatever it says of its own length.

use crate::data::row::MalformedRow;

/// Bytes that are read from their front.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

const EARLY: MalformedRow = MalformedRow("an event of the binary log ends early");

impl<'a> Bytes<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn take(&mut self, count: usize) -> Result<&'a [u8], MalformedRow> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(EARLY)?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn byte(&mut self) -> Result<u8, MalformedRow> {
        Ok(self.take(1)?[0])
    }

    /// A number of up to eight bytes, the lowest first.
    pub fn little(&mut self, count: usize) -> Result<u64, MalformedRow> {
        let bytes = self.take(count)?;
        Ok(bytes.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte)))
    }

    /// A number of up to eight bytes, the highest first.
    pub fn big(&mut self, count: usize) -> Result<u64, MalformedRow> {
        let bytes = self.take(count)?;
        Ok(bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)))
    }

    /// The protocol's number of one to nine bytes.
    pub fn length(&mut self) -> Result<usize, MalformedRow> {
        let number = match self.byte()? {
            0xfc => self.little(2)?,
            0xfd => self.little(3)?,
            0xfe => self.little(8)?,
            0xfb | 0xff => return Err(MalformedRow("a length in the binary log that is none")),
            small => u64::from(small),
        };
        usize::try_from(number).map_err(|_| EARLY)
    }

    /// A text with its length in front, as a number of so many bytes.
    pub fn prefixed(&mut self, bytes_of_length: usize) -> Result<&'a [u8], MalformedRow> {
        let length = usize::try_from(self.little(bytes_of_length)?).map_err(|_| EARLY)?;
        self.take(length)
    }
}

/// Whether a bit is set, the lowest of the first byte being the first.
pub fn has_bit(bits: &[u8], place: usize) -> bool {
    bits.get(place / 8).is_some_and(|byte| byte >> (place % 8) & 1 == 1)
}
