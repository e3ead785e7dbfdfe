//! Collections and unique indexes of the destination that call different texts equal. No document takes another one's
//! place for it: filters by `_id` always compare byte by byte. But the user should know what follows.

use super::Sink;
use super::error::SinkError;
use bson::{Document, doc};

/// A collection that compares texts otherwise than the source and Godwit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collated {
    pub collection: String,
    /// What it and its indexes do, and what follows, in sentences.
    pub message: String,
}

/// Collections and indexes of one answer; a collection has at most 64 indexes.
const ENTRIES_MAX: i32 = 10_000;

/// The server's codes for a collection that is not there, and for one that is a view.
const NO_INDEXES: [i32; 2] = [26, 166];

impl Sink {
    /// Which of some collections, or of their unique indexes, compare texts otherwise than byte by byte.
    ///
    /// # Errors
    /// When the destination does not answer.
    pub async fn collations(&self, collections: &[String]) -> Result<Vec<Collated>, SinkError> {
        let mut found = Vec::new();
        // A staging collection is made anew, or was made by a job.
        let collections: Vec<&String> = collections.iter().filter(|name| !self.staged.contains(*name)).collect();
        let filter = doc! {"name": {"$in": collections}};
        let command = doc! {"listCollections": 1, "filter": filter, "cursor": {"batchSize": ENTRIES_MAX}};
        for entry in self.entries(command).await? {
            let name = entry.get_str("name").unwrap_or_default();
            let mut sentences = Vec::new();
            let options = entry.get_document("options").ok();
            if let Some(collation) = options.and_then(collation_of) {
                sentences.push(of_collection(name, &collation));
            }
            let command = doc! {"listIndexes": name, "cursor": {"batchSize": ENTRIES_MAX}};
            let indexes = match self.entries(command).await {
                Err(SinkError::Command { code: Some(code), .. }) if NO_INDEXES.contains(&code) => Vec::new(),
                indexes => indexes?,
            };
            let is_unique = |index: &&Document| index.get_bool("unique").unwrap_or(false);
            for index in indexes.iter().filter(is_unique) {
                if let Some(collation) = collation_of(index) {
                    sentences.push(of_index(name, index.get_str("name").unwrap_or_default(), &collation));
                }
            }
            if !sentences.is_empty() {
                found.push(Collated {
                    collection: name.into(),
                    message: sentences.join(" "),
                });
            }
        }
        Ok(found)
    }

    /// What a command that lists something answers.
    pub(super) async fn entries(&self, command: Document) -> Result<Vec<Document>, SinkError> {
        let answer = self.run(command).await?;
        let batch = answer.get_document("cursor").and_then(|c| c.get_array("firstBatch"));
        let all = batch.cloned().unwrap_or_default();
        Ok(all.into_iter().filter_map(|e| e.as_document().cloned()).collect())
    }
}

fn of_collection(name: &str, collation: &str) -> String {
    format!(
        "\"{name}\" compares texts by the collation {collation}: of documents whose _id only it calls equal, the second is \
         refused, and one with a text in its _id is looked for in the whole collection each time it is replaced or \
         deleted. A job that drops the collection makes it anew without a collation."
    )
}

fn of_index(name: &str, index: &str, collation: &str) -> String {
    format!(
        "The unique index \"{index}\" of \"{name}\" compares texts by the collation {collation}: of documents whose \
         values only it calls equal, the second is refused."
    )
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
