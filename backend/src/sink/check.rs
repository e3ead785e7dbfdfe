//! Whether a destination can do what its URI asks for: tried before the first document, so that nothing hangs or fails
//! in the middle.

use super::connect::Sink;
use super::error::{SinkError, UNAUTHORIZED};
use bson::{Document, doc};
use mongodb::options::ClientOptions;

/// Databases that belong to the server.
const RESERVED: [&str; 3] = ["admin", "local", "config"];

/// Refuses databases that belong to the server.
pub(super) fn check_name(name: &str) -> Result<(), SinkError> {
    if RESERVED.contains(&name) {
        return Err(SinkError::ReservedDatabase { name: name.into() });
    }
    Ok(())
}

/// Takes out what would read anywhere else than where documents are written: what was written a moment ago may not be
/// there yet, and where there is no such member nothing is read at all. Returns what was asked for.
pub(super) fn read_where_written(options: &mut ClientOptions) -> Option<String> {
    use mongodb::options::{ReadPreference, SelectionCriteria};
    let asked = options.selection_criteria.take()?;
    let mode = match asked {
        SelectionCriteria::ReadPreference(ReadPreference::Primary) => return None,
        SelectionCriteria::ReadPreference(ReadPreference::Secondary { .. }) => "secondary",
        SelectionCriteria::ReadPreference(ReadPreference::PrimaryPreferred { .. }) => "primaryPreferred",
        SelectionCriteria::ReadPreference(ReadPreference::SecondaryPreferred { .. }) => "secondaryPreferred",
        SelectionCriteria::ReadPreference(ReadPreference::Nearest { .. }) => "nearest",
        _ => "another member",
    };
    Some(mode.into())
}

impl Sink {
    /// Whether documents can be read back, and acknowledged as the URI wants it.
    ///
    /// # Errors
    /// What the server does not support, in its words.
    pub(super) async fn check_abilities(&self, collection: &str) -> Result<(), SinkError> {
        self.check_write_concern(collection).await?;
        let refused = |error| match error {
            SinkError::Command {
                code: Some(UNAUTHORIZED),
                ..
            } => SinkError::NoRead {
                database: self.database.name().into(),
                collection: collection.into(),
            },
            SinkError::Command { reason, .. } => SinkError::Unsupported { reason },
            other => other,
        };
        // As they are read while a job runs, with the read concern of the URI.
        self.count(collection).await.map_err(refused)?;
        let found = self.database.collection::<Document>(collection).find_one(doc! {}).await;
        found.map_err(|e| refused(SinkError::of(&e, &self.hosts)))?;
        Ok(())
    }

    /// An update of nothing is acknowledged like any other.
    async fn check_write_concern(&self, collection: &str) -> Result<(), SinkError> {
        let nothing = bson::oid::ObjectId::new();
        let command = doc! {
            "update": collection,
            "updates": [{"q": {"_id": nothing}, "u": {"_id": nothing}, "upsert": false}],
            "writeConcern": self.write_concern.clone(),
        };
        let unsupported = |reason: &str| SinkError::Unsupported {
            reason: format!("writes with {}: {reason}", shown(&self.write_concern)),
        };
        let answer = match self.run(command).await {
            Ok(answer) => answer,
            Err(SinkError::Command { reason, code }) if code.is_some_and(|c| IMPOSSIBLE.contains(&c)) => {
                return Err(unsupported(&reason));
            }
            // What else keeps it from writing is found by other checks, or passes.
            Err(_) => return Ok(()),
        };
        match answer.get_document("writeConcernError") {
            Ok(error) if IMPOSSIBLE.contains(&error.get_i32("code").unwrap_or_default()) => {
                Err(unsupported(error.get_str("errmsg").unwrap_or_default()))
            }
            _ => Ok(()),
        }
    }
}

/// `BadValue`, `FailedToParse`, `UnknownReplWriteConcern`, `UnsatisfiableWriteConcern`: no waiting helps.
/// <https://github.com/mongodb/mongo/blob/v6.0/src/mongo/base/error_codes.yml>
const IMPOSSIBLE: [i32; 4] = [2, 9, 79, 100];

/// `w=5, j=true`
fn shown(concern: &Document) -> String {
    let parts: Vec<String> = (concern.iter())
        .map(|(name, value)| match value.as_str() {
            Some(text) => format!("{name}={text}"),
            None => format!("{name}={value}"),
        })
        .collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_of_the_server_are_no_destination() {
        for name in ["admin", "local", "config"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(check_name("administration").is_ok());
        assert_eq!(shown(&doc! {"w": 5i64, "j": true}), "w=5, j=true");
        assert_eq!(shown(&doc! {"w": "majority"}), "w=majority");
    }

    #[tokio::test]
    async fn documents_are_read_where_they_are_written() {
        let asked = async |uri: &str| {
            let mut options = ClientOptions::parse(uri).await.unwrap();
            let asked = read_where_written(&mut options);
            assert_eq!(options.selection_criteria, None);
            asked
        };
        assert_eq!(asked("mongodb://h/db").await, None);
        assert_eq!(asked("mongodb://h/db?readPreference=primary").await, None);
        let secondary = asked("mongodb://h/db?readPreference=secondary").await;
        assert_eq!(secondary.as_deref(), Some("secondary"));
        assert!(asked("mongodb://h/db?readPreference=nearest").await.is_some());
    }
}
