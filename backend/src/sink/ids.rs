//! Which documents a collection holds, by `_id` alone.

use super::connect::Sink;
use super::error::SinkError;
use bson::{Document, RawBson, RawDocumentBuf, doc, rawdoc};
use futures_util::{Stream, StreamExt};
use mongodb::options::Collation;

/// `_id`s that are read from the destination at once.
const IDS_AT_ONCE: u32 = 10_000;

impl Sink {
    /// Which of some `_id`s, given as elements of raw BSON, there are.
    ///
    /// # Errors
    /// When the destination does not answer.
    pub async fn present(&self, collection: &str, ids: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, SinkError> {
        let values: Vec<RawBson> = ids.iter().filter_map(|id| value_of(id)).collect();
        let list = values.into_iter().collect::<bson::RawArrayBuf>();
        let found = self
            .database
            .collection::<RawDocumentBuf>(&self.at(collection))
            .find(Document::try_from(rawdoc! {"_id": {"$in": list}}).unwrap_or_default())
            .projection(doc! {"_id": 1})
            .collation(Collation::builder().locale("simple").build())
            .await
            .map_err(|e| SinkError::of(&e, &self.hosts))?;
        let found: Vec<_> = found.collect().await;
        found
            .into_iter()
            .map(|document| {
                document
                    .map(|d| element_of(&d))
                    .map_err(|e| SinkError::of(&e, &self.hosts))
            })
            .collect()
    }

    /// All `_id`s of a collection, as elements of raw BSON, some at once.
    ///
    /// # Errors
    /// When the destination does not answer.
    pub async fn all_ids(
        &self,
        collection: &str,
    ) -> Result<impl Stream<Item = Result<Vec<Vec<u8>>, SinkError>> + Send + use<>, SinkError> {
        let hosts = self.hosts.clone();
        let found = self
            .database
            .collection::<RawDocumentBuf>(&self.at(collection))
            .find(doc! {})
            .projection(doc! {"_id": 1})
            .batch_size(IDS_AT_ONCE)
            .await
            .map_err(|e| SinkError::of(&e, &self.hosts))?;
        Ok(found.ready_chunks(IDS_AT_ONCE as usize).map(move |documents| {
            documents
                .into_iter()
                .map(|d| d.map(|d| element_of(&d)).map_err(|e| SinkError::of(&e, &hosts)))
                .collect()
        }))
    }
}

/// Type, name and value: a document of one element without its length and its end.
fn element_of(document: &RawDocumentBuf) -> Vec<u8> {
    let bytes = document.as_bytes();
    bytes[4..bytes.len() - 1].to_vec()
}

pub(super) fn value_of(element: &[u8]) -> Option<RawBson> {
    let mut document = Vec::with_capacity(element.len() + 5);
    document.extend_from_slice(&(element.len() as i32 + 5).to_le_bytes());
    document.extend_from_slice(element);
    document.push(0);
    let document = RawDocumentBuf::from_bytes(document).ok()?;
    document.get("_id").ok().flatten().map(Into::into)
}
