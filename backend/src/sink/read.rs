//! Reads whole documents, to compare them. Nothing is written here.

use super::connect::Sink;
use super::error::SinkError;
use super::ids::value_of;
use bson::{Document, RawBson, RawDocumentBuf, doc, rawdoc};
use futures_util::{Stream, StreamExt, TryStreamExt};
use mongodb::options::Collation;

/// `_id`s that one query names: so many, and of so many bytes.
const IDS_MAX: usize = 2_000;
const IDS_BYTES_MAX: usize = 8 << 20;

/// Documents as they arrive, one at a time.
pub struct Documents {
    found: std::pin::Pin<Box<dyn Stream<Item = Result<RawDocumentBuf, SinkError>> + Send>>,
}

impl Documents {
    /// The next one; `None` after the last.
    ///
    /// # Errors
    /// When the destination does not answer.
    pub async fn next(&mut self) -> Result<Option<RawDocumentBuf>, SinkError> {
        self.found.try_next().await
    }
}

impl Sink {
    /// The documents that have some `_id`s, which are given as elements of raw BSON. MongoDB calls numbers of several types
    /// equal (5, 5.0), so a document may come whose `_id` is of another type than the one that was asked for.
    pub fn fetch(&self, collection: &str, ids: &[Vec<u8>]) -> Documents {
        let all = self.database.collection::<RawDocumentBuf>(&self.at(collection));
        let hosts = self.hosts.clone();
        let parts: Vec<Document> = parts_of(ids).into_iter().map(filter).collect();
        let found = futures_util::stream::iter(parts).then(move |filter| {
            let (all, hosts) = (all.clone(), hosts.clone());
            async move {
                // Whatever the collation of the collection, only the very `_id` is meant.
                let simple = Collation::builder().locale("simple").build();
                let found = all.find(filter).collation(simple).await;
                found
                    .map(|cursor| {
                        cursor.map_err({
                            let hosts = hosts.clone();
                            move |e| SinkError::of(&e, &hosts)
                        })
                    })
                    .map_err(|e| SinkError::of(&e, &hosts))
            }
        });
        Documents {
            found: Box::pin(found.try_flatten()),
        }
    }

    /// All documents of a collection, in any order.
    ///
    /// # Errors
    /// When the destination does not answer.
    pub async fn all_documents(&self, collection: &str) -> Result<Documents, SinkError> {
        let all = self.database.collection::<RawDocumentBuf>(&self.at(collection));
        let hosts = self.hosts.clone();
        let found = all.find(doc! {}).await.map_err(|e| SinkError::of(&e, &self.hosts))?;
        Ok(Documents {
            found: Box::pin(found.map_err(move |e| SinkError::of(&e, &hosts))),
        })
    }

    /// The one document that a pipeline comes to; `None` where it comes to none.
    ///
    /// # Errors
    /// When the destination does not answer, or refuses the pipeline.
    pub async fn aggregate_one(
        &self,
        collection: &str,
        pipeline: Vec<Document>,
    ) -> Result<Option<Document>, SinkError> {
        let of = |e: mongodb::error::Error| SinkError::of(&e, &self.hosts);
        let all = self.database.collection::<Document>(&self.at(collection));
        let mut found = all.aggregate(pipeline).allow_disk_use(true).await.map_err(of)?;
        found.try_next().await.map_err(of)
    }
}

fn filter(ids: &[Vec<u8>]) -> Document {
    let values: Vec<RawBson> = ids.iter().filter_map(|id| value_of(id)).collect();
    let list = values.into_iter().collect::<bson::RawArrayBuf>();
    Document::try_from(rawdoc! {"_id": {"$in": list}}).unwrap_or_default()
}

fn parts_of(ids: &[Vec<u8>]) -> Vec<&[Vec<u8>]> {
    let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (place, id) in ids.iter().enumerate() {
        if place > start && (bytes + id.len() > IDS_BYTES_MAX || place - start >= IDS_MAX) {
            parts.push(&ids[start..place]);
            (start, bytes) = (place, 0);
        }
        bytes += id.len() + 16;
    }
    if start < ids.len() {
        parts.push(&ids[start..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_cut_by_number_and_size() {
        let sizes = |ids: Vec<Vec<u8>>| parts_of(&ids).iter().map(|p| p.len()).collect::<Vec<_>>();
        assert_eq!(sizes(vec![vec![0; 10]; 2_001]), [2_000, 1]);
        assert_eq!(sizes(vec![vec![0; 5 << 20]; 3]), [1, 1, 1]);
        assert_eq!(sizes(Vec::new()), [0; 0]);
    }
}
