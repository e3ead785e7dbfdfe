//! The live channel: first the state of every job, then what changes, at most five times a second. A slow reader gets
//! the newest state, never a backlog.

use super::router::AppState;
use crate::jobs::hub::Changes;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::{SinkExt, StreamExt};
use godwit_shared::live::{BEAT_SECONDS, Seq, ServerMessage};
use std::time::Duration;

/// Between two looks at what changed.
const TICK: Duration = Duration::from_millis(200);
/// A reader that takes nothing for so long is gone.
const SEND_MAX: Duration = Duration::from_secs(20);
/// Keeps proxies from ending a quiet connection, and finds readers that are gone.
const PING_EVERY: Duration = Duration::from_secs(15);
/// Says to the page, whose scripts see no pings, that the link is alive.
const BEAT_EVERY: Duration = Duration::from_secs(BEAT_SECONDS);

/// Upgrades to a WebSocket that carries `ServerMessage`s as JSON texts.
#[utoipa::path(get, path = "/live", tag = "live", responses((status = 101, description = "a WebSocket of ServerMessage texts")))]
pub async fn live(State(state): State<AppState>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|socket| async move {
        // A reader that goes away is no error.
        let _ = serve(state, socket).await;
    })
}

async fn serve(state: AppState, socket: WebSocket) -> Result<(), axum::Error> {
    let (mut out, mut incoming) = socket.split();
    let mut seq = Seq(1);
    // First of all: a change beside the snapshot is then told after it, even if it is the last for long.
    let mut watch = state.hub.watch();
    let mut version = state.hub.version();
    let jobs = state.hub.jobs(None).iter().map(|j| (**j).clone()).collect();
    send(&mut out, &ServerMessage::Snapshot { seq, jobs }).await?;
    let mut tick = tokio::time::interval(TICK);
    let mut ping = tokio::time::interval(PING_EVERY);
    let mut beat = tokio::time::interval(BEAT_EVERY);
    // The snapshot has said so already.
    beat.reset();
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = state.shutdown.cancelled() => return out.close().await,
            // Nothing is expected of the reader but its end.
            message = incoming.next() => match message {
                Some(Ok(Message::Close(_))) | Some(Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            },
            _ = ping.tick() => out.send(Message::Ping(axum::body::Bytes::new())).await?,
            _ = beat.tick() => {
                seq = seq.next();
                send(&mut out, &ServerMessage::Beat { seq }).await?;
            }
            _ = tick.tick() => {
                if !watch.has_changed().unwrap_or(false) {
                    continue;
                }
                watch.mark_unchanged();
                let changes = state.hub.changes_after(version);
                version = changes.version;
                for message in messages(changes, &mut seq) {
                    send(&mut out, &message).await?;
                }
            }
        }
    }
}

fn messages(changes: Changes, seq: &mut Seq) -> Vec<ServerMessage> {
    let mut next = || {
        *seq = seq.next();
        *seq
    };
    let mut messages = Vec::new();
    for job in changes.jobs {
        messages.push(ServerMessage::JobChanged {
            seq: next(),
            job: Box::new((*job).clone()),
        });
    }
    for job_id in changes.removed {
        messages.push(ServerMessage::JobRemoved { seq: next(), job_id });
    }
    if changes.are_projects_changed {
        messages.push(ServerMessage::ProjectsChanged { seq: next() });
    }
    if changes.are_connections_changed {
        messages.push(ServerMessage::ConnectionsChanged { seq: next() });
    }
    messages
}

async fn send(
    out: &mut (impl futures_util::Sink<Message, Error = axum::Error> + Unpin),
    message: &ServerMessage,
) -> Result<(), axum::Error> {
    let text = serde_json::to_string(message).map_err(axum::Error::new)?;
    tokio::time::timeout(SEND_MAX, out.send(Message::Text(text.into())))
        .await
        .map_err(axum::Error::new)?
}
