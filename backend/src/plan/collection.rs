//! What a collection may be.

use super::About;
use godwit_shared::edit::{FaultKind, Part};
use godwit_shared::mapping::CollectionType;
use std::collections::HashSet;

/// The longest name of a collection, in bytes, that leaves room for a database's name.
const COLLECTION_NAME_BYTES_MAX: usize = 190;

/// What is wrong with a collection, if anything. Its name is among the names from then on.
pub fn check_collection(name: &str, kind: CollectionType, names: &mut HashSet<String>) -> Option<(About, String)> {
    let invalid = About(FaultKind::NameInvalid, Part::Name);
    if name.trim().is_empty() {
        Some((invalid, "its name is blank".to_owned()))
    } else if name.contains(['$', '\0']) || name.starts_with('.') || name.starts_with("system.") {
        let message = "MongoDB does not allow this name ($, a zero byte, a leading dot, or system.)";
        Some((invalid, message.to_owned()))
    } else if name.len() > COLLECTION_NAME_BYTES_MAX {
        let bytes = name.len();
        let message = format!("its name has {bytes} bytes, more than {COLLECTION_NAME_BYTES_MAX}");
        Some((invalid, message))
    } else if !names.insert(name.to_owned()) {
        let message = "another collection has the same name";
        Some((About(FaultKind::NameTaken, Part::Name), message.to_owned()))
    } else if kind == CollectionType::TimeSeries {
        let message = "time series collections cannot be written by this version: make it a regular one";
        Some((About(FaultKind::TimeSeries, Part::TimeSeries), message.to_owned()))
    } else {
        None
    }
}
