//! Ids as types of their own: a job's id is never taken for a project's.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(/// A project of this installation.
    ProjectId);
id!(/// A migration job.
    JobId);
id!(/// A saved connection, relational or MongoDB.
    ConnectionId);
id!(/// A collection inside a project file.
    CollectionId);
id!(/// A mapping rule inside a project file.
    MappingId);
id!(/// A table inside a project file of the newer generation.
    TableId);
