//! Numbers and times as people read them. Plain functions; the time zone is a parameter.

pub mod number;
pub mod text;
pub mod time;

/// A value of an enum as the API spells it; what is not a word there is empty.
pub fn wire_name(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(_) | Err(_) => String::new(),
    }
}
