//! Places in the binary log: a file and an offset in it.
//!
//! The files have a name that the administrator chose and a number that grows, `bin.000042`; positions are ordered by
//! number and offset. The offset has 40 bits: one transaction lies in one file, however large it is, so that a file may
//! have more than 4 GiB.

use crate::data::position::LogPosition;

const OFFSET_BITS: u32 = 40;
/// What stands in front of the first event of a file.
pub const MAGIC_BYTES: u64 = 4;

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub file: u64,
    pub offset: u64,
}

impl Place {
    /// The place of an offset in a file of this name; `None` where the name has no number.
    pub fn named(file: &str, offset: u64) -> Option<Self> {
        Some(Self {
            file: number_of(file)?,
            offset,
        })
    }

    /// Reads what [`shown`](Self::shown) writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (file, offset) = text.split_once(':')?;
        let is_number = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        let place = Self {
            file: file.parse().ok().filter(|_| is_number(file))?,
            offset: offset.parse().ok().filter(|_| is_number(offset))?,
        };
        (place.file < 1 << (64 - OFFSET_BITS) && place.offset < 1 << OFFSET_BITS).then_some(place)
    }

    /// `000042:1337`: the number of the file as in its name, and the offset.
    pub fn shown(self) -> String {
        format!("{:06}:{}", self.file, self.offset)
    }
}

impl From<Place> for LogPosition {
    fn from(place: Place) -> Self {
        LogPosition(place.file << OFFSET_BITS | place.offset.min((1 << OFFSET_BITS) - 1))
    }
}

impl From<LogPosition> for Place {
    fn from(position: LogPosition) -> Self {
        Self {
            file: position.0 >> OFFSET_BITS,
            offset: position.0 & ((1 << OFFSET_BITS) - 1),
        }
    }
}

/// The number at the end of a file's name.
pub fn number_of(file: &str) -> Option<u64> {
    let (_, digits) = file.rsplit_once('.')?;
    let number: u64 = digits
        .parse()
        .ok()
        .filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?;
    (number < 1 << (64 - OFFSET_BITS)).then_some(number)
}

/// A file of the log, as `SHOW BINARY LOGS` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    pub name: String,
    pub number: u64,
    pub bytes: u64,
}

/// Bytes between two places, as far as the files are there.
pub fn bytes_between(files: &[LogFile], from: Place, to: Place) -> u64 {
    if from.file > to.file {
        return 0;
    }
    if from.file == to.file {
        return to.offset.saturating_sub(from.offset);
    }
    let between = files.iter().filter(|f| from.file <= f.number && f.number < to.file);
    let whole: u64 = between.map(|f| f.bytes).sum();
    (whole + to.offset).saturating_sub(from.offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_ordered_as_the_log_is() {
        let place = |file, offset| Place::named(file, offset).expect("a place");
        assert!(LogPosition::from(place("bin.000009", 5 << 30)) < LogPosition::from(place("bin.000010", 4)));
        let far = place("my.log.1000000", (7 << 30) + 1);
        assert_eq!(Place::from(LogPosition::from(far)), far);
        assert_eq!(Place::parse(&far.shown()), Some(far));
        assert_eq!(place("bin.000042", 1337).shown(), "000042:1337");
        for bad in [
            "",
            "1",
            "a:1",
            "1:",
            ":1",
            "1:-1",
            "16777216:4",
            "1:1099511627776",
            "+1:4",
        ] {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
        assert_eq!(
            (number_of("bin"), number_of("bin.x"), number_of("bin.16777216")),
            (None, None, None)
        );
    }

    #[test]
    fn the_size_of_what_lies_between_is_that_of_the_files() {
        let file = |number, bytes| LogFile {
            name: format!("bin.{number:06}"),
            number,
            bytes,
        };
        let files = [file(1, 100), file(2, 200), file(3, 50)];
        let place = |file, offset| Place { file, offset };
        assert_eq!(bytes_between(&files, place(1, 40), place(1, 90)), 50);
        assert_eq!(bytes_between(&files, place(1, 40), place(3, 10)), 60 + 200 + 10);
        assert_eq!(bytes_between(&files, place(3, 10), place(1, 40)), 0);
    }
}
