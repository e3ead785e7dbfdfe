//! The task that owns the WebSocket.

use super::backoff::delay_ms;
use super::interpret::{Update, interpret_text};
use super::state::{Link, Live};
use crate::api;
use futures_util::StreamExt;
use gloo_net::websocket::Message;
use gloo_net::websocket::futures::WebSocket;
use gloo_timers::future::TimeoutFuture;
use godwit_shared::API_BASE;
use godwit_shared::live::Seq;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Keeps the live state up to date for as long as the page lives.
pub fn start(live: Live) {
    spawn_local(run(live));
}

async fn run(live: Live) {
    let mut attempt = 0;
    loop {
        if session(live).await == Ended::AfterSnapshot {
            attempt = 0;
        }
        attempt += 1;
        live.set_link(Link::Reconnecting { attempt });
        show_jobs_without_link(live).await;
        TimeoutFuture::new(delay_ms(attempt, js_sys::Math::random())).await;
    }
}

#[derive(PartialEq)]
enum Ended {
    AfterSnapshot,
    BeforeSnapshot,
}

/// One connection, from its start to its end.
async fn session(live: Live) -> Ended {
    let mut ended = Ended::BeforeSnapshot;
    let Some(mut socket) = url().and_then(|url| WebSocket::open(&url).ok()) else {
        return ended;
    };
    let mut last = Seq::default();
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let update = interpret_text(last, &text);
        last = match &update {
            Update::Resync => break,
            Update::ReplaceAll { seq, .. } => {
                ended = Ended::AfterSnapshot;
                live.set_link(Link::Live);
                *seq
            }
            Update::SetJob { seq, .. }
            | Update::RemoveJob { seq, .. }
            | Update::ReloadProjects { seq }
            | Update::Skip { seq } => *seq,
        };
        live.apply(update);
    }
    ended
}

/// Where a proxy lets no WebSocket through, the page at least shows what was when it was opened.
async fn show_jobs_without_link(live: Live) {
    if untrack(|| live.is_loaded()) {
        return;
    }
    if let Ok(jobs) = api::jobs::list().await {
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
