//! What a browser keeps for its user: settings of the page, and what an open form holds until the page is loaded again. A
//! browser that keeps nothing goes without.

use leptos::prelude::window;
use serde::Serialize;
use serde::de::DeserializeOwned;
use web_sys::Storage;

/// What was kept in this browser.
pub fn kept<T: DeserializeOwned>(key: &str) -> Option<T> {
    read(local(), key)
}

/// Keeps something in this browser.
pub fn keep<T: Serialize>(key: &str, value: &T) {
    write(local(), key, value);
}

/// What was kept in this tab for a reload.
pub fn of_session<T: DeserializeOwned>(key: &str) -> Option<T> {
    read(session(), key)
}

/// Keeps something in this tab for a reload.
pub fn keep_in_session<T: Serialize>(key: &str, value: &T) {
    write(session(), key, value);
}

/// Forgets what was kept in this tab.
pub fn forget_in_session(key: &str) {
    if let Some(session) = session() {
        let _ = session.remove_item(key);
    }
}

fn local() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

fn session() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

fn read<T: DeserializeOwned>(storage: Option<Storage>, key: &str) -> Option<T> {
    let text = storage?.get_item(key).ok().flatten()?;
    serde_json::from_str(&text).ok()
}

fn write<T: Serialize>(storage: Option<Storage>, key: &str, value: &T) {
    if let (Some(storage), Ok(text)) = (storage, serde_json::to_string(value)) {
        let _ = storage.set_item(key, &text);
    }
}
