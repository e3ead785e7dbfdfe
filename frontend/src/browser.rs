//! What pages ask of the browser itself: files to keep, text to copy, sizes and colours as they are on the screen.

use js_sys::{Array, Function, Promise, Reflect};
use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast, JsValue, closure::Closure};
use std::time::Duration;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AddEventListenerOptions, Blob, Element, HtmlAnchorElement, HtmlCanvasElement, HtmlElement, HtmlImageElement, Url,
};

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

/// Calls back with every size that an element gets, the first one too, for as long as the owner lives.
pub fn on_resize(element: &Element, call: impl FnMut() + 'static) {
    // Not every build of the bindings has the observer.
    let closure = Closure::<dyn FnMut()>::new(call);
    let observer = Reflect::get(&window(), &"ResizeObserver".into())
        .and_then(JsCast::dyn_into::<Function>)
        .and_then(|class| Reflect::construct(&class, &Array::of1(closure.as_ref())));
    let Ok(observer) = observer else { return };
    let call_method = |observer: &JsValue, name: &str, arguments: &Array| {
        let method = Reflect::get(observer, &name.into()).and_then(JsCast::dyn_into::<Function>);
        let _ = method.and_then(|method| method.apply(observer, arguments));
    };
    call_method(&observer, "observe", &Array::of1(element));
    let held = StoredValue::new_local((observer, closure));
    on_cleanup(move || {
        held.try_with_value(|(observer, _)| call_method(observer, "disconnect", &Array::new()));
    });
}

/// The upper left corner of an element in its window, pixels.
pub fn corner_of(element: &Element) -> (f64, f64) {
    let rect = Reflect::get(element, &"getBoundingClientRect".into())
        .and_then(JsCast::dyn_into::<Function>)
        .and_then(|method| method.call0(element));
    let side = |name: &str| {
        rect.as_ref()
            .ok()
            .and_then(|rect| Reflect::get(rect, &name.into()).ok()?.as_f64())
    };
    (side("left").unwrap_or_default(), side("top").unwrap_or_default())
}

/// The colour that a token has right now, as `rgb(…)`: what leaves the page cannot ask its style sheet.
pub fn color_of(token: &str) -> String {
    try_color_of(token).unwrap_or_else(|_| "gray".to_owned())
}

fn try_color_of(token: &str) -> Result<String, JsValue> {
    let probe: HtmlElement = document().create_element("span")?.unchecked_into();
    probe.style().set_property("color", &format!("var({token})"))?;
    let body = document().body().ok_or(JsValue::NULL)?;
    body.append_child(&probe)?;
    let style = window().get_computed_style(&probe);
    let color = style.and_then(|style| style.map_or(Ok(String::new()), |style| style.get_property_value("color")));
    body.remove_child(&probe)?;
    color
}

/// Paints a picture that is SVG and offers it as a PNG download.
pub async fn save_as_png(file_name: &str, svg: &str, size: (u32, u32)) -> bool {
    try_save_as_png(file_name, svg, size).await.is_ok()
}

async fn try_save_as_png(file_name: &str, svg: &str, (width, height): (u32, u32)) -> Result<(), JsValue> {
    let image: HtmlImageElement = document().create_element("img")?.unchecked_into();
    let loaded = Promise::new(&mut |resolve, reject| {
        image.set_onload(Some(&resolve));
        image.set_onerror(Some(&reject));
    });
    image.set_src(&format!(
        "data:image/svg+xml;charset=utf-8,{}",
        js_sys::encode_uri_component(svg)
    ));
    JsFuture::from(loaded).await?;
    let canvas: HtmlCanvasElement = document().create_element("canvas")?.unchecked_into();
    canvas.set_width(width);
    canvas.set_height(height);
    let context = canvas.get_context("2d")?.ok_or(JsValue::NULL)?;
    let draw: Function = Reflect::get(&context, &"drawImage".into())?.dyn_into()?;
    let arguments = Array::of5(&image, &0.into(), &0.into(), &width.into(), &height.into());
    draw.apply(&context, &arguments)?;
    let link: HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    link.set_href(&canvas.to_data_url_with_type("image/png")?);
    link.set_download(file_name);
    link.click();
    Ok(())
}

/// Scrolls no farther than brings an element into sight.
pub fn scroll_to(element: &Element) {
    let options = js_sys::Object::new();
    let _ = Reflect::set(&options, &"block".into(), &"nearest".into());
    let method = Reflect::get(element, &"scrollIntoView".into()).and_then(JsCast::dyn_into::<Function>);
    let _ = method.and_then(|method| method.call1(element, &options));
}
