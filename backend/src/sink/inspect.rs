//! Collections as they are now, for those who look at them.

use super::connect::Sink;
use super::error::SinkError;
use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use godwit_shared::written::CollectionDetails;

/// Collections up to this size are looked at as a whole; of larger ones so many documents by chance.
const LOOKED_AT_MAX: u64 = 10_000;

impl Sink {
    /// How many documents a collection holds, counted one by one.
    ///
    /// # Errors
    /// When the destination does not answer.
    pub async fn count_exactly(&self, name: &str) -> Result<u64, SinkError> {
        self.count_at(&self.at(name)).await
    }

    /// The same of the collection of exactly this name.
    pub(super) async fn count_at(&self, name: &str) -> Result<u64, SinkError> {
        let counted = self
            .database
            .collection::<Document>(name)
            .count_documents(doc! {})
            .await;
        counted.map_err(|e| SinkError::of(&e, &self.hosts))
    }

    /// Number and sizes of the documents of a collection, and one of them.
    ///
    /// # Errors
    /// When the destination does not answer.
    pub async fn look_at(&self, name: &str) -> Result<CollectionDetails, SinkError> {
        let of = |e: mongodb::error::Error| SinkError::of(&e, &self.hosts);
        let collection = self.database.collection::<Document>(&self.at(name));
        let documents = self.count(name).await?;
        let group = doc! {"$group": {
            "_id": null, "n": {"$sum": 1}, "average": {"$avg": {"$bsonSize": "$$ROOT"}},
            "largest": {"$max": {"$bsonSize": "$$ROOT"}},
        }};
        let mut stages = vec![group];
        if documents > LOOKED_AT_MAX {
            stages.insert(
                0,
                doc! {"$sample": {"size": i64::try_from(LOOKED_AT_MAX).unwrap_or(i64::MAX)}},
            );
        }
        let found: Vec<Document> = collection
            .aggregate(stages)
            .await
            .map_err(of)?
            .try_collect()
            .await
            .map_err(of)?;
        let sizes = found.first();
        let number = |member: &str| {
            let value = sizes.and_then(|s| s.get(member))?;
            let number = match value {
                Bson::Int32(n) => f64::from(*n),
                Bson::Int64(n) => *n as f64,
                Bson::Double(n) => *n,
                _ => return None,
            };
            Some(number.round() as u64)
        };
        let sample = collection.find_one(Document::new()).await.map_err(of)?;
        Ok(CollectionDetails {
            collection: name.into(),
            documents,
            average_bytes: number("average"),
            largest_bytes: number("largest"),
            looked_at: number("n").unwrap_or_default(),
            sample: sample.map(|document| Bson::Document(document).into_relaxed_extjson()),
        })
    }
}
