//! A project as text that people write and review: collections, in them their rules, in them their fields. YAML.
//!
//! ```yaml
//! godwit: 1
//! project: {name: Shop, type: POSTGRESQL}
//! collections:
//!   - name: customers
//!     rules:
//!       - table: public.customer
//!         fields: {id: id, name: fullName, note: false}
//!         rules:
//!           - table: public.orders
//!             as: array
//!             path: orders
//! ```
//!
//! What stands in a `.relmig` file and has no place here stands under `other`, as changes to what the rest gives: so both
//! forms say the same, and a text is only written when reading it gives the project again. Nobody writes `other` by hand.

mod patch;
mod read;
mod types;
mod write;

#[cfg(test)]
mod tests;

pub use read::{from_text, from_text_with, has_schema};
pub use write::to_text;

/// The number of this form, which a text begins with.
pub const FORM: u32 = 1;

/// The JSON schema of the form, for editors.
pub fn json_schema() -> String {
    let mut schema = schemars::schema_for!(types::ProjectText);
    schema.insert("title".into(), "A Godwit project as text".into());
    serde_json::to_string_pretty(&schema).expect("a schema has only string keys")
}
