//! What a collection may be.

use super::{About, Node, TimeSeriesPlan};
use godwit_shared::edit::{self, FaultKind, Part};
use godwit_shared::mapping::{Collection, FieldType};
use std::collections::HashSet;

/// MongoDB wants documents to expire after less time than has passed since 1970; this much had in 2023.
const EXPIRE_SECONDS_MAX: u64 = 1_700_000_000;
/// The longest name of a collection, in bytes, that leaves room for a database's name.
const COLLECTION_NAME_BYTES_MAX: usize = 190;

/// What is wrong with a collection, if anything. Its name is among the names from then on.
pub fn check_collection(name: &str, names: &mut HashSet<String>) -> Option<(About, String)> {
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
    } else {
        None
    }
}

/// How a time series collection is made.
///
/// # Errors
/// When it does not say which field is the time.
pub fn time_series_of(collection: &Collection) -> Result<TimeSeriesPlan, &'static str> {
    let settings = edit::time_series(collection).ok_or("a time series needs the field that holds its time")?;
    let is_plain = |name: &str| !name.is_empty() && !name.contains(['.', '\0']) && !name.starts_with('$');
    let fields = [Some(&settings.time_field), settings.meta_field.as_ref()];
    if !fields.into_iter().flatten().all(|name| is_plain(name)) {
        return Err(
            "the fields of a time series lie at the top of its documents, under names without a dot or a leading $",
        );
    }
    if settings.time_field == "_id" || settings.meta_field.as_deref() == Some("_id") {
        return Err("`_id` can be neither the time nor the meta field of a time series");
    }
    if settings.meta_field.as_ref() == Some(&settings.time_field) {
        return Err("the time field and the meta field of a time series have to differ");
    }
    if settings.expire_after_seconds == Some(0) {
        return Err("documents that expire after 0 seconds would be gone at once");
    }
    if settings
        .expire_after_seconds
        .is_some_and(|seconds| seconds > EXPIRE_SECONDS_MAX)
    {
        return Err("MongoDB lets documents expire after at most 1700000000 seconds");
    }
    Ok(TimeSeriesPlan {
        time_field: settings.time_field,
        meta_field: settings.meta_field,
        granularity: settings.granularity,
        expire_after_seconds: settings.expire_after_seconds,
    })
}

/// Whether a field of the documents of a root can hold the time.
///
/// # Errors
/// Why it cannot.
pub fn check_time_field(root: &Node, field: &str) -> Result<(), String> {
    let merged = root.children.iter().filter(|c| c.kind == super::NodeKind::Merged);
    for node in std::iter::once(root).chain(merged) {
        if let Some(plan) = node.fields.iter().find(|f| f.name == field) {
            let own = node.table.columns[node.columns[plan.cell]].default_type;
            let kind = if plan.target == FieldType::Default {
                own
            } else {
                plan.target
            };
            return match kind {
                FieldType::Date => Ok(()),
                _ => Err(format!(
                    "the time of a time series has to be a Date, and \"{field}\" is none"
                )),
            };
        }
        if let Some(plan) = node.calculated.iter().find(|c| c.name == field) {
            return match plan.target {
                FieldType::Date | FieldType::Default => Ok(()),
                _ => Err(format!(
                    "the time of a time series has to be a Date, and \"{field}\" is none"
                )),
            };
        }
    }
    Err(format!(
        "the documents have no field \"{field}\" for the time of the time series"
    ))
}
