//! The task that owns the WebSocket.

use super::backoff::{delay_ms, next_attempt};
use super::interpret::{Update, interpret_text};
use super::state::{Link, Live};
use crate::{api, browser};
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use gloo_net::websocket::Message;
use gloo_net::websocket::futures::WebSocket;
use gloo_timers::future::TimeoutFuture;
use godwit_shared::API_BASE;
use godwit_shared::live::{BEAT_SECONDS, Seq};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

/// A link that says nothing for so long is dead, whatever the browser believes.
const SILENCE_MAX_MS: u32 = 3 * BEAT_SECONDS as u32 * 1000;

/// Keeps the live state up to date for as long as the page lives.
pub fn start(live: Live) {
    spawn_local(run(live));
}

async fn run(live: Live) {
    let mut attempt = 0;
    let mut online = browser::online_again();
    loop {
        let ended = session(live, &mut online).await;
        attempt = next_attempt(attempt, ended.seconds);
        live.set_link(Link::Reconnecting { attempt });
        spawn_local(show_jobs_without_link(live));
        let is_online_again = ended.is_online_again || {
            let wait = TimeoutFuture::new(delay_ms(attempt, js_sys::Math::random()));
            matches!(select(wait, &mut online).await, Either::Right(_))
        };
        if is_online_again {
            online = browser::online_again();
        }
    }
}

/// How one connection was.
#[derive(Default)]
struct Session {
    /// From its snapshot to its end; 0 where none came.
    seconds: f64,
    /// It was given up because the browser has another network now.
    is_online_again: bool,
}

/// One connection, from its start to its end.
async fn session(live: Live, online: &mut JsFuture) -> Session {
    let mut session = Session::default();
    let Some(mut socket) = url().and_then(|url| WebSocket::open(&url).ok()) else {
        return session;
    };
    let mut last = Seq::default();
    let mut since = None;
    loop {
        let silence = select(TimeoutFuture::new(SILENCE_MAX_MS), &mut *online);
        let text = match select(socket.next(), silence).await {
            Either::Left((Some(Ok(Message::Text(text))), _)) => text,
            Either::Left((Some(Ok(Message::Bytes(_))), _)) => continue,
            Either::Left((Some(Err(_)) | None, _)) | Either::Right((Either::Left(_), _)) => break,
            Either::Right((Either::Right(_), _)) => {
                session.is_online_again = true;
                break;
            }
        };
        let update = interpret_text(last, &text);
        last = match &update {
            Update::Resync => break,
            Update::ReplaceAll { seq, .. } => {
                since = Some(now_seconds());
                live.set_link(Link::Live);
                *seq
            }
            Update::SetJob { seq, .. }
            | Update::RemoveJob { seq, .. }
            | Update::ReloadProjects { seq }
            | Update::ReloadConnections { seq }
            | Update::Skip { seq } => *seq,
        };
        live.apply(update);
    }
    session.seconds = since.map_or(0.0, |since| now_seconds() - since);
    session
}

fn now_seconds() -> f64 {
    js_sys::Date::now() / 1000.0
}

/// Where a proxy lets no WebSocket through, the page at least shows what was when it was opened.
async fn show_jobs_without_link(live: Live) {
    let is_loaded = || untrack(|| live.is_loaded());
    if is_loaded() {
        return;
    }
    // A link that has come about meanwhile knows better.
    if let Ok(jobs) = api::jobs::list().await
        && !is_loaded()
    {
        live.replace_all(jobs);
    }
}

fn url() -> Option<String> {
    let location = window().location();
    let scheme = if location.protocol().ok()? == "https:" {
        "wss"
    } else {
        "ws"
    };
    Some(format!("{scheme}://{}{API_BASE}/live", location.host().ok()?))
}
