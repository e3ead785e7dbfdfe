//! Connections as they are entered, tested and saved: shared by the list of connections, new projects and new jobs.
//!
//! What is typed is a draft ([`draft`]); what it lacks ([`problem`]) and what is sent for it ([`details`], [`url`]) are
//! plain functions. The forms know no page.

mod chosen;
mod destination_form;
pub mod details;
pub mod draft;
pub mod environment;
mod kinds;
pub mod pem_field;
pub mod problem;
pub mod save;
mod save_fields;
mod source_form;
mod test;
pub mod url;

pub use destination_form::{DestinationFields, DestinationForm, DestinationTest, MongodbTest};
pub use save_fields::SaveFields;
pub use source_form::{SourceForm, SourceTest};
pub use test::{ConnectionTest, TestOutcome};

use godwit_shared::connection::{SavedJdbcConnection, SourceKind};

/// A kind of database as people spell it.
pub fn kind_label(kind: &str) -> &str {
    SourceKind::of(kind).map_or(kind, |kind| kind.name())
}

/// The connections of kinds that this build reads.
pub fn usable(saved: &[SavedJdbcConnection]) -> impl Iterator<Item = &SavedJdbcConnection> {
    saved
        .iter()
        .filter(|connection| SourceKind::of(&connection.kind).is_some())
}
