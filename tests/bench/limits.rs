//! What no job can be faster than, measured with as little work around it as possible: the tables out of the source, the
//! finished documents into MongoDB.

use bson::raw::{CStr, RawDocument};
use bson::{Document, RawDocumentBuf, cstr, rawdoc};
use futures_util::{StreamExt, TryStreamExt};
use godwit_tests::process::scratch;
use godwit_tests::servers::{Database, Target};
use godwit_tests::writers::Numbers;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Who writes at the same time.
const CLIENTS: usize = 2;
/// Documents in one command, and their bytes: more of them gained nothing.
const COMMAND_DOCUMENTS_MAX: usize = 10_000;
const COMMAND_BYTES_MAX: usize = 12 << 20;

/// Bytes and time of reading tables to nowhere, one after the other, each over a connection of its own.
pub async fn copy_out(source: &Database, tables: &[&str]) -> (u64, Duration) {
    let started = Instant::now();
    let mut bytes = 0;
    for table in tables {
        let client = source.connect().await;
        let copy = format!("copy {table} to stdout (format binary)");
        let mut rows = Box::pin(client.copy_out(&copy).await.expect("COPY starts"));
        while let Some(piece) = rows.next().await {
            bytes += piece.expect("COPY goes on").len() as u64;
        }
    }
    (bytes, started.elapsed())
}

/// Finished documents in a file, one after the other; gone when dropped.
pub struct Dump {
    path: PathBuf,
    /// Where each begins, and how long it is.
    places: Vec<(u64, usize)>,
    pub bytes: u64,
}

impl Dump {
    /// The documents of a collection that match, in the order in which they lie there.
    pub async fn of(target: &Target, collection: &str, filter: Document) -> Dump {
        let mut dump = Dump {
            path: scratch().join(format!("{}-{collection}.bson", target.database.name())),
            places: Vec::new(),
            bytes: 0,
        };
        let mut file = BufWriter::new(File::create(&dump.path).expect("a file for documents"));
        let collection = target.database.collection::<RawDocumentBuf>(collection);
        let mut found = collection.find(filter).await.expect("the documents can be read");
        while let Some(document) = found.try_next().await.expect("the documents can be read") {
            let document = document.as_bytes();
            file.write_all(document).expect("the documents can be kept");
            dump.places.push((dump.bytes, document.len()));
            dump.bytes += document.len() as u64;
        }
        file.flush().expect("the documents can be kept");
        dump
    }

    pub fn documents(&self) -> u64 {
        self.places.len() as u64
    }

    /// From now on the documents come in a random order, the same in every run.
    pub fn shuffle(&mut self) {
        let mut numbers = Numbers(0);
        for last in (1..self.places.len()).rev() {
            let other = numbers.up_to(last as u64 + 1) - 1;
            self.places.swap(last, other as usize);
        }
    }

    /// Replaces a text in all documents by another one of the same length: MongoDB has nothing to do for a document that
    /// is there as it is.
    pub fn alter(&self, from: &str, to: &str) {
        assert_eq!(from.len(), to.len(), "documents keep their lengths");
        let file = File::options().read(true).write(true).open(&self.path);
        let file = file.expect("the documents");
        for (place, length) in &self.places {
            let mut document = vec![0; *length];
            file.read_exact_at(&mut document, *place).expect("a document");
            let mut at = 0;
            while let Some(found) = document[at..].windows(from.len()).position(|w| w == from.as_bytes()) {
                at += found;
                document[at..at + to.len()].copy_from_slice(to.as_bytes());
            }
            file.write_all_at(&document, *place).expect("the documents can be kept");
        }
    }

    fn reader(&self) -> Reader {
        Reader {
            file: File::open(&self.path).expect("the documents"),
            places: self.places.clone().into_iter(),
        }
    }
}

impl Drop for Dump {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

struct Reader {
    file: File,
    places: std::vec::IntoIter<(u64, usize)>,
}

impl Reader {
    /// The documents of the next command, one after the other; none at the end.
    fn next(&mut self) -> Vec<u8> {
        let mut documents = Vec::new();
        for (place, length) in self.places.by_ref().take(COMMAND_DOCUMENTS_MAX) {
            let start = documents.len();
            documents.resize(start + length, 0);
            self.file
                .read_exact_at(&mut documents[start..], place)
                .expect("a document");
            if documents.len() >= COMMAND_BYTES_MAX {
                break;
            }
        }
        documents
    }
}

#[derive(Clone, Copy)]
pub enum How {
    Insert,
    /// Replace by `_id`, or insert.
    Replace,
}

/// How long MongoDB takes for these documents from two clients, acknowledged by a majority.
pub async fn write(dump: &Dump, target: &Target, collection: &str, how: How) -> Duration {
    let reader = Arc::new(Mutex::new(dump.reader()));
    let mut databases = Vec::new();
    for _ in 0..CLIENTS {
        let client = mongodb::Client::with_uri_str(&target.uri)
            .await
            .expect("a client of MongoDB");
        let database = client.database(target.database.name());
        database
            .run_command(bson::doc! {"ping": 1})
            .await
            .expect("MongoDB answers");
        databases.push(database);
    }
    let started = Instant::now();
    let mut clients = JoinSet::new();
    for database in databases {
        let (reader, collection) = (reader.clone(), collection.to_owned());
        clients.spawn(async move {
            loop {
                let documents = reader.lock().expect("nobody panics with it").next();
                if documents.is_empty() {
                    return;
                }
                let answer = database.run_raw_command(command(&collection, how, &documents)).await;
                let answer = answer.expect("MongoDB takes the documents");
                assert!(!answer.contains_key("writeErrors"), "not all were taken: {answer}");
            }
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended.expect("a client does not panic");
    }
    started.elapsed()
}

/// One command of writes.
fn command(collection: &str, how: How, documents: &[u8]) -> RawDocumentBuf {
    let majority = rawdoc! {"w": "majority"};
    let (head, list) = match how {
        How::Insert => (
            rawdoc! {"insert": collection, "ordered": false, "writeConcern": majority},
            b"documents\0".as_slice(),
        ),
        How::Replace => (
            rawdoc! {"update": collection, "ordered": false, "writeConcern": majority},
            b"updates\0".as_slice(),
        ),
    };
    let mut out = head.into_bytes();
    out.reserve(documents.len() * 11 / 10 + 1024);
    out.pop();
    out.push(ARRAY);
    out.extend_from_slice(list);
    let array = out.len();
    out.extend_from_slice(&[0; 4]);
    let mut rest = documents;
    for place in 0.. {
        let Some((document, tail)) = split_document(rest) else {
            break;
        };
        rest = tail;
        out.push(DOCUMENT);
        out.extend_from_slice(place.to_string().as_bytes());
        out.push(0);
        match how {
            How::Insert => out.extend_from_slice(document.as_bytes()),
            How::Replace => out.extend_from_slice(replacement(document).as_bytes()),
        }
    }
    out.push(0);
    set_length(&mut out, array);
    out.push(0);
    set_length(&mut out, 0);
    RawDocumentBuf::from_bytes(out).expect("lengths were set")
}

const DOCUMENT: u8 = 3;
const ARRAY: u8 = 4;

fn set_length(out: &mut [u8], start: usize) {
    let length = i32::try_from(out.len() - start).expect("a command of some MiB");
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

fn split_document(bytes: &[u8]) -> Option<(&RawDocument, &[u8])> {
    let length = bytes.get(..4)?.try_into().map(i32::from_le_bytes).ok()?;
    let (document, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    Some((RawDocument::from_bytes(document).expect("a document"), rest))
}

fn replacement(document: &RawDocument) -> RawDocumentBuf {
    const ID: &CStr = cstr!("_id");
    let id = document.get("_id").expect("a document").expect("documents have an _id");
    let mut filter = RawDocumentBuf::new();
    filter.append(ID, id);
    rawdoc! {"q": filter, "u": document.to_owned(), "upsert": true}
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    fn documents() -> Vec<u8> {
        [doc! {"_id": {"a": 1}, "b": [1, 2]}, doc! {"_id": 7}]
            .iter()
            .flat_map(|d| RawDocumentBuf::try_from(d).unwrap().into_bytes())
            .collect()
    }

    #[test]
    fn commands_hold_all_documents() {
        let read = |how| Document::try_from(command("c", how, &documents())).unwrap();
        let majority = doc! {"w": "majority"};
        assert_eq!(
            read(How::Insert),
            doc! {"insert": "c", "ordered": false, "writeConcern": majority.clone(),
            "documents": [{"_id": {"a": 1}, "b": [1, 2]}, {"_id": 7}]}
        );
        assert_eq!(
            read(How::Replace),
            doc! {"update": "c", "ordered": false, "writeConcern": majority, "updates": [
                {"q": {"_id": {"a": 1}}, "u": {"_id": {"a": 1}, "b": [1, 2]}, "upsert": true},
                {"q": {"_id": 7}, "u": {"_id": 7}, "upsert": true},
            ]}
        );
    }
}
