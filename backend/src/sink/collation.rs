//! Collections and unique indexes that call different texts equal, which would let the document of one row take the place
//! of another's: filters by `_id` take the collation of their collection.

use super::Sink;
use super::error::SinkError;
use bson::{Document, doc};

/// Collections and indexes of one answer; a collection has at most 64 indexes.
const ENTRIES_MAX: i32 = 10_000;

/// The server's codes for a collection that is not there, and for one that is a view.
const NO_INDEXES: [i32; 2] = [26, 166];

impl Sink {
    /// Whether collections that stay as they are compare texts byte by byte, and their unique indexes too.
    ///
    /// # Errors
    /// The first that does not.
    pub async fn check_collations(&self, collections: &[String]) -> Result<(), SinkError> {
        let filter = doc! {"name": {"$in": collections}};
        let command = doc! {"listCollections": 1, "filter": filter, "cursor": {"batchSize": ENTRIES_MAX}};
        for entry in self.entries(command).await? {
            let name = entry.get_str("name").unwrap_or_default();
            let options = entry.get_document("options").ok();
            if let Some(collation) = options.and_then(collation_of) {
                return Err(refused(name, "the `_id`".into(), collation));
            }
            let command = doc! {"listIndexes": name, "cursor": {"batchSize": ENTRIES_MAX}};
            let indexes = match self.entries(command).await {
                Err(SinkError::Command { code: Some(code), .. }) if NO_INDEXES.contains(&code) => continue,
                indexes => indexes?,
            };
            let is_unique = |index: &&Document| index.get_bool("unique").unwrap_or(false);
            for index in indexes.iter().filter(is_unique) {
                if let Some(collation) = collation_of(index) {
                    let index = index.get_str("name").unwrap_or_default();
                    return Err(refused(name, format!("the unique index \"{index}\""), collation));
                }
            }
        }
        Ok(())
    }

    async fn entries(&self, command: Document) -> Result<Vec<Document>, SinkError> {
        let answer = self.run(command).await?;
        let batch = answer.get_document("cursor").and_then(|c| c.get_array("firstBatch"));
        let all = batch.cloned().unwrap_or_default();
        Ok(all.into_iter().filter_map(|e| e.as_document().cloned()).collect())
    }
}

fn refused(collection: &str, what: String, collation: String) -> SinkError {
    SinkError::Collation {
        collection: collection.into(),
        what,
        collation,
    }
}

/// For the user; `None` where texts are compared byte by byte.
fn collation_of(options: &Document) -> Option<String> {
    let collation = options.get_document("collation").ok()?;
    let locale = collation.get_str("locale").unwrap_or_default();
    if locale == "simple" {
        return None;
    }
    let strength = collation.get_i32("strength").ok();
    Some(match strength {
        Some(strength) => format!("{locale} of strength {strength}"),
        None => locale.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simple_collation_is_none() {
        assert_eq!(collation_of(&doc! {}), None);
        assert_eq!(collation_of(&doc! {"collation": {"locale": "simple"}}), None);
        let of = doc! {"collation": {"locale": "en", "strength": 1}};
        assert_eq!(collation_of(&of), Some("en of strength 1".into()));
    }
}
