//! What pages ask of the browser itself: files to keep, text to copy.

use js_sys::{Array, Function, Promise, Reflect};
use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast, JsValue};
use std::time::Duration;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AddEventListenerOptions, Blob, HtmlAnchorElement, HtmlElement, Url};

/// How long a text that is downloaded stays in memory.
const KEPT_FOR: Duration = Duration::from_secs(20);

/// Offers a text as a download; whether the browser could.
pub fn save_as(file_name: &str, text: &str) -> bool {
    try_save_as(file_name, text).is_ok()
}

fn try_save_as(file_name: &str, text: &str) -> Result<(), JsValue> {
    let blob = Blob::new_with_str_sequence(&Array::of1(&text.into()))?;
    let url = Url::create_object_url_with_blob(&blob)?;
    let link: HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    link.set_href(&url);
    link.set_download(file_name);
    link.click();
    // The browser reads it after this function has ended.
    set_timeout(move || _ = Url::revoke_object_url(&url), KEPT_FOR);
    Ok(())
}

/// Ends when the browser says that it has a network again.
pub fn online_again() -> JsFuture {
    let once = AddEventListenerOptions::new();
    once.set_once(true);
    JsFuture::from(Promise::new(&mut |resolve, _| {
        // A browser that cannot say so is found out by silence.
        let _ = window().add_event_listener_with_callback_and_add_event_listener_options("online", &resolve, &once);
    }))
}

/// Moves the focus to the heading of the page, which is read out: after a navigation, and where what had the focus is gone.
pub fn focus_heading() {
    let heading = document().query_selector("h1").ok().flatten();
    if let Some(heading) = heading.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        heading.set_tab_index(-1);
        let _ = heading.focus();
    }
}

/// Puts a text on the clipboard; whether the browser let it. On pages without TLS from another host it does not.
pub async fn copy(text: String) -> bool {
    match try_copy(&text) {
        Ok(written) => JsFuture::from(written).await.is_ok(),
        Err(_) => false,
    }
}

fn try_copy(text: &str) -> Result<Promise, JsValue> {
    let navigator = Reflect::get(&window(), &"navigator".into())?;
    let clipboard = Reflect::get(&navigator, &"clipboard".into())?;
    let write: Function = Reflect::get(&clipboard, &"writeText".into())?.dyn_into()?;
    write.call1(&clipboard, &text.into())?.dyn_into()
}
