//! Batches of whole documents as raw commands: the documents are copied once, into the message.

use super::connect::Sink;
use super::error::SinkError;
use crate::assemble::Assembled;
use crate::assemble::bson_value::{ARRAY, DOCUMENT, begin, end, header, index_header};
use bson::{Document, RawDocumentBuf, doc};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Bytes of documents in one command. The server takes a little over 16 MiB; larger batches gain nothing.
const COMMAND_BYTES_MAX: usize = 12 << 20;
/// Documents in one command; the server takes 100,000.
const COMMAND_DOCUMENTS_MAX: usize = 10_000;
/// How long a write is repeated while the destination is away or changes its primary.
const RETRY_MAX: Duration = Duration::from_secs(600);
const DUPLICATE_KEY: i32 = 11_000;

/// What became of a batch.
#[derive(Debug, Default)]
pub struct WriteReport {
    pub inserted: u64,
    pub replaced: u64,
    /// Documents that MongoDB does not take, as they are.
    pub refused: Vec<Refused>,
}

/// One document that MongoDB does not take: a validator, a unique index.
#[derive(Debug)]
pub struct Refused {
    /// Its place in the batch.
    pub index: usize,
    pub reason: String,
    /// Another document has the same values in a unique index: it may go away.
    pub is_duplicate: bool,
}

/// What a command of writes did.
struct Taken {
    /// What it did not take.
    errors: Vec<CommandError>,
    /// Documents that were to be replaced and were not there.
    upserted: u64,
}

/// How a command names the documents that it did not take.
struct CommandError {
    index: usize,
    code: i32,
    is_of_id: bool,
    reason: String,
}

impl From<CommandError> for Refused {
    fn from(error: CommandError) -> Self {
        Refused {
            index: error.index,
            reason: error.reason,
            is_duplicate: error.code == DUPLICATE_KEY,
        }
    }
}

impl Sink {
    /// Writes documents: inserts those that are new, replaces those whose `_id` is there. May be repeated.
    ///
    /// `expect_existing` replaces at once, for collections that hold most of them already.
    ///
    /// # Errors
    /// When the destination stays away, or refuses for a reason that is not one document's.
    pub async fn write(
        &self,
        collection: &str,
        documents: &[Assembled],
        expect_existing: bool,
        cancel: &CancellationToken,
    ) -> Result<WriteReport, SinkError> {
        let (mut report, existing) = match expect_existing {
            true => (WriteReport::default(), (0..documents.len()).collect()),
            false => self.insert(collection, documents, cancel).await?,
        };
        for part in parts(&existing, documents) {
            let Taken { errors, upserted } = self
                .command(collection, part, documents, Command::Replace, cancel)
                .await?;
            report.inserted += upserted;
            report.replaced += (part.len() as u64).saturating_sub(errors.len() as u64 + upserted);
            report.refused.extend(errors.into_iter().map(Refused::from));
        }
        Ok(report)
    }

    /// Inserts documents, and leaves those alone whose `_id` is there already: `replaced` is 0, and their places in
    /// `documents` are returned.
    ///
    /// # Errors
    /// As [`Sink::write`].
    pub async fn insert(
        &self,
        collection: &str,
        documents: &[Assembled],
        cancel: &CancellationToken,
    ) -> Result<(WriteReport, Vec<usize>), SinkError> {
        let all: Vec<usize> = (0..documents.len()).collect();
        let (mut report, mut existing) = (WriteReport::default(), Vec::new());
        for part in parts(&all, documents) {
            let Taken { errors, .. } = self
                .command(collection, part, documents, Command::Insert, cancel)
                .await?;
            report.inserted += (part.len() - errors.len()) as u64;
            let (there, refused): (Vec<_>, Vec<_>) =
                (errors.into_iter()).partition(|error| error.code == DUPLICATE_KEY && error.is_of_id);
            existing.extend(there.iter().map(|error| error.index));
            report.refused.extend(refused.into_iter().map(Refused::from));
        }
        Ok((report, existing))
    }

    /// Waits until everything written so far is acknowledged by a majority, where the URI asks for less: only then may
    /// it count as done. A write that finds nothing waits for the writes before it.
    ///
    /// # Errors
    /// When the destination does not answer.
    pub async fn make_durable(&self) -> Result<(), SinkError> {
        if !self.is_weak {
            return Ok(());
        }
        let nothing = bson::oid::ObjectId::new();
        let probe = doc! {"delete": "godwit", "deletes": [{"q": {"_id": nothing}, "limit": 1}], "writeConcern": {"w": "majority"}};
        let answer = self.run(probe).await?;
        retryable_concern_error(&answer).map_or(Ok(()), Err)
    }

    /// Runs one command of writes.
    async fn command(
        &self,
        collection: &str,
        part: &[usize],
        documents: &[Assembled],
        command: Command,
        cancel: &CancellationToken,
    ) -> Result<Taken, SinkError> {
        let message = command.message(&self.at(collection), part, documents, &self.write_concern);
        let answer = self.repeated(&message, cancel).await?;
        Ok(Taken {
            errors: command_errors(&answer, part),
            upserted: answer.get_array("upserted").map_or(0, |u| u.len() as u64),
        })
    }

    /// Deletes documents by `_id`, given as elements of raw BSON. One that is gone is fine. Returns how many there were.
    ///
    /// # Errors
    /// When the destination stays away, or refuses.
    pub async fn delete(
        &self,
        collection: &str,
        ids: &[Vec<u8>],
        cancel: &CancellationToken,
    ) -> Result<u64, SinkError> {
        let mut deleted = 0;
        for part in parts_of(ids, |id| id.len() + 96) {
            let message = deletion(&self.at(collection), part, &self.write_concern);
            let answer = self.repeated(&message, cancel).await?;
            deleted += answer.get_i32("n").map_or(0, |n| n.max(0) as u64);
            if let Ok([error, ..]) = answer.get_array("writeErrors").map(Vec::as_slice) {
                let error = error.as_document();
                return Err(SinkError::Command {
                    reason: error.map(described).unwrap_or_default(),
                    code: error.and_then(|e| e.get_i32("code").ok()),
                });
            }
        }
        Ok(deleted)
    }

    /// Runs one command, again and again while the destination is away.
    async fn repeated(&self, message: &RawDocumentBuf, cancel: &CancellationToken) -> Result<Document, SinkError> {
        let started = tokio::time::Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(SinkError::Cancelled),
                may = self.may_write() => may?,
            }
            let error = match self.database.run_raw_command(message.clone()).await {
                Ok(answer) => match retryable_concern_error(&answer) {
                    None => {
                        self.set_trouble(None);
                        return Ok(answer);
                    }
                    Some(error) => error,
                },
                Err(error) => SinkError::of(&error, &self.hosts),
            };
            if !error.is_retryable() || started.elapsed() > RETRY_MAX {
                return Err(error);
            }
            self.set_trouble(Some(error.to_string()));
            tracing::warn!(%error, "Write is repeated in {} ms", pause.as_millis());
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(SinkError::Cancelled),
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }
}

#[derive(Clone, Copy)]
enum Command {
    Insert,
    Replace,
}

impl Command {
    fn message(
        self,
        collection: &str,
        part: &[usize],
        documents: &[Assembled],
        write_concern: &Document,
    ) -> RawDocumentBuf {
        let size: usize = part.iter().map(|i| documents[*i].bson.len() + 128).sum();
        let (name, list): (&str, &[u8]) = match self {
            Command::Insert => ("insert", b"documents\0"),
            Command::Replace => ("update", b"updates\0"),
        };
        let mut head = Document::new();
        head.insert(name, collection);
        head.insert("ordered", false);
        head.insert("writeConcern", write_concern.clone());
        list_command(&head, list, size, |out| {
            for (place, index) in part.iter().enumerate() {
                let document = &documents[*index];
                index_header(out, DOCUMENT, place);
                match self {
                    Command::Insert => out.extend_from_slice(&document.bson),
                    Command::Replace => replacement(out, document),
                }
            }
        })
    }
}

/// A command with a list of documents that is written straight into it.
fn list_command(head: &Document, list: &[u8], size: usize, write: impl FnOnce(&mut Vec<u8>)) -> RawDocumentBuf {
    let head = RawDocumentBuf::try_from(head).expect("a command has no key with a zero byte");
    let mut out = Vec::with_capacity(size + 256);
    let start = begin(&mut out);
    // The members of the head, without its length and its end.
    out.extend_from_slice(&head.as_bytes()[4..head.as_bytes().len() - 1]);
    header(&mut out, ARRAY, list);
    let array = begin(&mut out);
    write(&mut out);
    end(&mut out, array);
    end(&mut out, start);
    RawDocumentBuf::from_bytes(out).expect("lengths were patched")
}

/// `{delete, deletes: [{q: {_id}, limit: 1, collation}]}`
fn deletion(collection: &str, ids: &[Vec<u8>], write_concern: &Document) -> RawDocumentBuf {
    let head = doc! {"delete": collection, "ordered": false, "writeConcern": write_concern.clone()};
    let size = ids.iter().map(|id| id.len() + 96).sum();
    list_command(&head, b"deletes\0", size, |out| {
        for (place, id) in ids.iter().enumerate() {
            index_header(out, DOCUMENT, place);
            let start = begin(out);
            header(out, DOCUMENT, b"q\0");
            let filter = begin(out);
            out.extend_from_slice(id);
            end(out, filter);
            out.extend_from_slice(b"\x10limit\0\x01\0\0\0");
            byte_by_byte(out);
            end(out, start);
        }
    })
}

/// `collation: {locale: "simple"}`: a filter takes that of its collection otherwise, which may call another document's
/// `_id` equal.
fn byte_by_byte(out: &mut Vec<u8>) {
    header(out, DOCUMENT, b"collation\0");
    let collation = begin(out);
    out.extend_from_slice(b"\x02locale\0\x07\0\0\0simple\0");
    end(out, collation);
}

/// `{q: {_id}, u: document, upsert: true, collation}`
fn replacement(out: &mut Vec<u8>, document: &Assembled) {
    let start = begin(out);
    header(out, DOCUMENT, b"q\0");
    let filter = begin(out);
    out.extend_from_slice(document.id_element());
    end(out, filter);
    header(out, DOCUMENT, b"u\0");
    out.extend_from_slice(&document.bson);
    out.extend_from_slice(b"\x08upsert\0\x01");
    byte_by_byte(out);
    end(out, start);
}

/// Cuts a list of places into commands by number and size.
fn parts<'a>(places: &'a [usize], documents: &[Assembled]) -> Vec<&'a [usize]> {
    // The `_id` of a document that is replaced stands in the command twice.
    parts_of(places, |place| {
        documents[*place].bson.len() + documents[*place].id_end + 128
    })
}

fn parts_of<T>(items: &[T], size_of: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (i, item) in items.iter().enumerate() {
        let size = size_of(item);
        if i > start && (bytes + size > COMMAND_BYTES_MAX || i - start >= COMMAND_DOCUMENTS_MAX) {
            parts.push(&items[start..i]);
            (start, bytes) = (i, 0);
        }
        bytes += size;
    }
    if start < items.len() {
        parts.push(&items[start..]);
    }
    parts
}

fn command_errors(answer: &Document, part: &[usize]) -> Vec<CommandError> {
    let Ok(errors) = answer.get_array("writeErrors") else {
        return Vec::new();
    };
    errors
        .iter()
        .filter_map(|e| e.as_document())
        .filter_map(|e| {
            let place = usize::try_from(e.get_i32("index").ok()?).ok()?;
            Some(CommandError {
                index: *part.get(place)?,
                code: e.get_i32("code").unwrap_or_default(),
                is_of_id: e
                    .get_document("keyPattern")
                    .is_ok_and(|k| k.len() == 1 && k.contains_key("_id")),
                reason: described(e),
            })
        })
        .collect()
}

/// Without the document's values: an error may be logged. Which index, or that a validator refused.
fn described(error: &Document) -> String {
    match (error.get_i32("code"), error.get_document("keyPattern")) {
        (Ok(DUPLICATE_KEY), Ok(key)) => {
            format!(
                "another document has the same values in the unique index on {}",
                key.keys().cloned().collect::<Vec<_>>().join(", ")
            )
        }
        (Ok(121), _) => "the validator of the collection refused it".into(),
        (Ok(code), _) => format!("MongoDB refused it (code {code})"),
        (Err(_), _) => "MongoDB refused it".into(),
    }
}

fn retryable_concern_error(answer: &Document) -> Option<SinkError> {
    let error = answer.get_document("writeConcernError").ok()?;
    let reason = error.get_str("errmsg").unwrap_or_default().to_owned();
    Some(SinkError::Command {
        reason,
        code: error.get_i32("code").ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simple() -> Document {
        doc! {"locale": "simple"}
    }

    fn assembled(document: &Document) -> Assembled {
        let mut id = Document::new();
        id.insert("_id", document.get("_id").unwrap());
        let id_end = RawDocumentBuf::try_from(&id).unwrap().as_bytes().len() - 1;
        Assembled {
            bson: RawDocumentBuf::try_from(document).unwrap().into_bytes(),
            id_end,
            row: Default::default(),
        }
    }

    #[test]
    fn every_write_names_the_id_and_one_document() {
        let documents = [doc! {"_id": {"a.b": 1, "c": "x"}, "v": [1]}, doc! {"_id": 5}].map(|d| assembled(&d));
        let message = Command::Replace.message("c", &[0, 1], &documents, &doc! {"w": "majority"});
        let read: Document = message.try_into().unwrap();
        assert_eq!(
            read,
            doc! {"update": "c", "ordered": false, "writeConcern": {"w": "majority"}, "updates": [
                {"q": {"_id": {"a.b": 1, "c": "x"}}, "u": {"_id": {"a.b": 1, "c": "x"}, "v": [1]}, "upsert": true, "collation": simple()},
                {"q": {"_id": 5}, "u": {"_id": 5}, "upsert": true, "collation": simple()},
            ]}
        );
        let ids = [documents[0].id_element().to_vec()];
        let read: Document = deletion("c", &ids, &doc! {"w": 1}).try_into().unwrap();
        let expected = doc! {"delete": "c", "ordered": false, "writeConcern": {"w": 1},
        "deletes": [{"q": {"_id": {"a.b": 1, "c": "x"}}, "limit": 1, "collation": simple()}]};
        assert_eq!(read, expected);
        let message = Command::Insert.message("c", &[1], &documents, &doc! {"w": 1});
        let read: Document = message.try_into().unwrap();
        assert_eq!(
            read,
            doc! {"insert": "c", "ordered": false, "writeConcern": {"w": 1}, "documents": [{"_id": 5}]}
        );
    }

    #[test]
    fn commands_are_cut_by_size() {
        let big = assembled(&doc! {"_id": 1, "s": "x".repeat(7 << 20)});
        let documents = [big.clone(), big.clone(), big];
        assert_eq!(parts(&[0, 1, 2], &documents).len(), 3);
        let small = vec![assembled(&doc! {"_id": 1}); 10_001];
        let all: Vec<usize> = (0..small.len()).collect();
        assert_eq!(
            parts(&all, &small).iter().map(|p| p.len()).collect::<Vec<_>>(),
            [10_000, 1]
        );
    }
}
