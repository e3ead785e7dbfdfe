//! The live channel: first the state of every job, then what changes, at most five times a second. A slow reader gets
//! the newest state, never a backlog.
//!
//! A message may be large, for it holds whole jobs, and readers may be many and slow. So the text of a job is made once for
//! all of them, and goes out in fragments: what a reader costs is one fragment, whatever it is sent.

use super::error::ApiError;
use super::router::AppState;
use crate::jobs::hub::Changes;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use godwit_shared::error::ErrorCode;
use godwit_shared::ids::JobId;
use godwit_shared::job::MigrationJobStatus;
use godwit_shared::live::{BEAT_SECONDS, Seq, ServerMessage};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// Between two looks at what changed.
const TICK: Duration = Duration::from_millis(200);
/// A reader that does not take one fragment in this time is cut off.
const SEND_MAX: Duration = Duration::from_secs(10);
/// Keeps proxies from ending a quiet connection, and finds readers that are gone.
const PING_EVERY: Duration = Duration::from_secs(8);
/// A reader that answers no ping for so long reads nothing.
const SILENT_MAX: Duration = Duration::from_secs(25);
/// Says to the page, whose scripts see no pings, that the link is alive.
const BEAT_EVERY: Duration = Duration::from_secs(BEAT_SECONDS);
/// Readers at once: as many tabs of the page.
const READERS_MAX: usize = 100;
/// What goes out at once.
const FRAGMENT_BYTES: usize = 64 << 10;
/// Nothing is expected of a reader but pongs.
const MESSAGE_BYTES_MAX: usize = 4 << 10;
/// Jobs whose text is kept for the next reader.
const TEXTS_MAX: usize = 64;

static READERS: Semaphore = Semaphore::const_new(READERS_MAX);

/// Upgrades to a WebSocket that carries `ServerMessage`s as JSON texts.
#[utoipa::path(get, path = "/live", tag = "live", responses((status = 101, description = "a WebSocket of ServerMessage texts"),
    (status = 400, body = godwit_shared::error::ErrorResponse)))]
pub async fn live(State(state): State<AppState>, mut request: Request) -> Result<Response, ApiError> {
    let answer = create_response_with_body(&request, Body::empty)
        .map_err(|e| ApiError::invalid(format!("this path is a WebSocket: {e}")))?;
    let reader = READERS.try_acquire().map_err(|_| {
        ApiError::new(
            ErrorCode::Busy,
            format!("{READERS_MAX} pages look at this server already"),
        )
        .with_hint(Some("Close those that are not needed."))
    })?;
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let _reader = reader;
        let Ok(Ok(upgraded)) = tokio::time::timeout(SEND_MAX, upgrade).await else {
            return;
        };
        let limits = WebSocketConfig::default()
            .read_buffer_size(MESSAGE_BYTES_MAX)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX))
            .write_buffer_size(0);
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(limits)).await;
        // A reader that goes away is no error.
        let _ = serve(state, socket).await;
    });
    Ok(answer)
}

type Socket = WebSocketStream<TokioIo<Upgraded>>;

async fn serve(state: AppState, socket: Socket) -> Result<(), Error> {
    let (out, mut incoming) = socket.split();
    let mut out = Outlet { out, seq: Seq(0) };
    // First of all: a change beside the snapshot is then told after it, even if it is the last for long.
    let mut watch = state.hub.watch();
    let mut version = state.hub.version();
    out.snapshot(state.hub.jobs(None)).await?;
    let mut tick = tokio::time::interval(TICK);
    let mut ping = tokio::time::interval(PING_EVERY);
    let mut beat = tokio::time::interval(BEAT_EVERY);
    // The snapshot has said so already.
    beat.reset();
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            biased;
            () = state.shutdown.cancelled() => return out.close().await,
            // Nothing is expected of the reader but that it is there.
            message = incoming.next() => match message {
                Some(Ok(Message::Close(_))) | Some(Err(_)) | None => return Ok(()),
                Some(Ok(_)) => heard = Instant::now(),
            },
            _ = ping.tick() => {
                if heard.elapsed() > SILENT_MAX {
                    return Ok(());
                }
                out.send(Message::Ping(Bytes::new())).await?;
            }
            _ = beat.tick() => out.message(|seq| ServerMessage::Beat { seq }).await?,
            _ = tick.tick() => {
                if !watch.has_changed().unwrap_or(false) {
                    continue;
                }
                watch.mark_unchanged();
                let changes = state.hub.changes_after(version);
                version = changes.version;
                out.changes(changes, &state.texts).await?;
            }
        }
    }
}

/// The texts of jobs that changed a moment ago, each made once for all readers.
#[derive(Debug, Clone, Default)]
pub struct Texts(Arc<Mutex<HashMap<JobId, Text>>>);

/// A job, and what it is written as.
type Text = (Arc<MigrationJobStatus>, Bytes);

impl Texts {
    fn of(&self, job: &Arc<MigrationJobStatus>) -> Bytes {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, text)) = all.get(&job.id)
            && Arc::ptr_eq(known, job)
        {
            return text.clone();
        }
        let text = Bytes::from(json(&**job));
        if all.len() >= TEXTS_MAX {
            all.clear();
        }
        all.insert(job.id.clone(), (job.clone(), text.clone()));
        text
    }
}

fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("types of the wire have string keys")
}

/// The way to one reader.
struct Outlet {
    out: SplitSink<Socket, Message>,
    seq: Seq,
}

impl Outlet {
    async fn snapshot(&mut self, jobs: Vec<Arc<MigrationJobStatus>>) -> Result<(), Error> {
        let empty = self.next(|seq| ServerMessage::Snapshot { seq, jobs: Vec::new() });
        let (head, tail) = around(&empty, b"[]");
        let mut text = Fragments::new(head);
        let mut jobs = jobs.into_iter();
        while let Some(job) = jobs.next() {
            text.push(&json(&*job));
            if jobs.len() > 0 {
                text.push(b",");
            }
            self.send_full(&mut text).await?;
        }
        text.push(tail);
        self.send_rest(text).await
    }

    async fn changes(&mut self, changes: Changes, texts: &Texts) -> Result<(), Error> {
        for job in changes.jobs {
            self.seq = self.seq.next();
            // The tag, the number and the job, as the message writes them.
            let head = format!("{{\"type\":\"jobChanged\",\"seq\":{},\"job\":", self.seq.0);
            let mut text = Fragments::new(head.as_bytes());
            text.push(&texts.of(&job));
            text.push(b"}");
            self.send_full(&mut text).await?;
            self.send_rest(text).await?;
        }
        for job_id in changes.removed {
            self.message(|seq| ServerMessage::JobRemoved { seq, job_id }).await?;
        }
        if changes.are_projects_changed {
            self.message(|seq| ServerMessage::ProjectsChanged { seq }).await?;
        }
        if changes.are_connections_changed {
            self.message(|seq| ServerMessage::ConnectionsChanged { seq }).await?;
        }
        Ok(())
    }

    fn next(&mut self, make: impl FnOnce(Seq) -> ServerMessage) -> Vec<u8> {
        self.seq = self.seq.next();
        json(&make(self.seq))
    }

    /// Sends a message that is small.
    async fn message(&mut self, make: impl FnOnce(Seq) -> ServerMessage) -> Result<(), Error> {
        let text = Fragments::new(&self.next(make));
        self.send_rest(text).await
    }

    /// Sends what fills whole fragments.
    async fn send_full(&mut self, text: &mut Fragments) -> Result<(), Error> {
        while let Some(fragment) = text.full() {
            self.send(Message::Frame(fragment)).await?;
        }
        Ok(())
    }

    /// Sends what is left: the message is at its end.
    async fn send_rest(&mut self, mut text: Fragments) -> Result<(), Error> {
        self.send_full(&mut text).await?;
        self.send(Message::Frame(text.last())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Error> {
        let sent = tokio::time::timeout(SEND_MAX, self.out.send(message)).await;
        sent.unwrap_or_else(|_| Err(Error::Io(std::io::ErrorKind::TimedOut.into())))
    }

    async fn close(&mut self) -> Result<(), Error> {
        let closed = tokio::time::timeout(SEND_MAX, self.out.close()).await;
        closed.unwrap_or(Ok(()))
    }
}

/// What stands before and behind the one empty list of a message; both with its brackets.
fn around<'a>(message: &'a [u8], list: &[u8]) -> (&'a [u8], &'a [u8]) {
    let at = message
        .windows(list.len())
        .position(|w| w == list)
        .unwrap_or(message.len() - 1);
    message.split_at(at + 1)
}

/// A text on its way, cut into fragments.
struct Fragments {
    text: Vec<u8>,
    is_begun: bool,
}

impl Fragments {
    fn new(head: &[u8]) -> Self {
        Self {
            text: head.to_vec(),
            is_begun: false,
        }
    }

    fn push(&mut self, more: &[u8]) {
        self.text.extend_from_slice(more);
    }

    /// The next fragment, if there is a whole one and something behind it.
    fn full(&mut self) -> Option<Frame> {
        if self.text.len() <= FRAGMENT_BYTES {
            return None;
        }
        let rest = self.text.split_off(FRAGMENT_BYTES);
        let piece = std::mem::replace(&mut self.text, rest);
        Some(self.frame(piece, false))
    }

    fn last(mut self) -> Frame {
        let piece = std::mem::take(&mut self.text);
        self.frame(piece, true)
    }

    fn frame(&mut self, piece: Vec<u8>, is_last: bool) -> Frame {
        let kind = if self.is_begun { Data::Continue } else { Data::Text };
        self.is_begun = true;
        Frame::message(piece, OpCode::Data(kind), is_last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json as value;

    fn job(id: &str, log: &str) -> Arc<MigrationJobStatus> {
        let job = value!({
            "id": id, "projectId": "p", "projectName": log, "status": "RUNNING", "submittedAt": "2026-11-26T12:00:00Z",
            "options": {"mode": "SNAPSHOT"}, "jdbcConnectionString": "[]", "mongoDbConnectionString": "",
            "statistics": {}, "metadata": {"verificationRequested": false},
        });
        Arc::new(serde_json::from_value(job).expect("a job"))
    }

    fn joined(mut text: Fragments) -> (Vec<u8>, Vec<(bool, bool)>) {
        let (mut all, mut kinds) = (Vec::new(), Vec::new());
        let mut take = |frame: Frame| {
            let is_text = frame.header().opcode == OpCode::Data(Data::Text);
            kinds.push((is_text, frame.header().is_final));
            all.extend_from_slice(frame.payload());
        };
        while let Some(frame) = text.full() {
            take(frame);
        }
        take(text.last());
        (all, kinds)
    }

    #[test]
    fn a_message_in_fragments_is_the_message() {
        for (length, fragments) in [
            (10, 1),
            (FRAGMENT_BYTES, 1),
            (FRAGMENT_BYTES + 1, 2),
            (5 * FRAGMENT_BYTES, 5),
        ] {
            let whole: Vec<u8> = (0..length).map(|n| u8::try_from(n % 251).expect("a byte")).collect();
            let (all, kinds) = joined(Fragments::new(&whole));
            assert_eq!((all == whole, kinds.len()), (true, fragments), "{length}");
            assert!(
                kinds
                    .iter()
                    .enumerate()
                    .all(|(at, kind)| *kind == (at == 0, at == fragments - 1))
            );
        }
    }

    /// The texts that are put together are what the types would write.
    #[test]
    fn messages_put_together_are_those_of_the_wire() {
        let jobs = [job("a", "ä"), job("b", "")];
        let snapshot = ServerMessage::Snapshot {
            seq: Seq(1),
            jobs: jobs.iter().map(|j| (**j).clone()).collect(),
        };
        let empty = json(&ServerMessage::Snapshot {
            seq: Seq(1),
            jobs: Vec::new(),
        });
        let (head, tail) = around(&empty, b"[]");
        let mut text = Fragments::new(head);
        text.push(&json(&*jobs[0]));
        text.push(b",");
        text.push(&json(&*jobs[1]));
        text.push(tail);
        let told: ServerMessage = serde_json::from_slice(&joined(text).0).expect("a message");
        assert_eq!(told, snapshot);
        let texts = Texts::default();
        let changed = format!(
            "{{\"type\":\"jobChanged\",\"seq\":7,\"job\":{}}}",
            String::from_utf8_lossy(&texts.of(&jobs[0]))
        );
        let told: ServerMessage = serde_json::from_str(&changed).expect("a message");
        let job = Box::new((*jobs[0]).clone());
        assert_eq!(told, ServerMessage::JobChanged { seq: Seq(7), job });
    }

    #[test]
    fn a_job_is_written_once_for_all_readers() {
        let texts = Texts::default();
        let (first, newer) = (job("a", "one"), job("a", "two"));
        let (one, two) = (texts.of(&first), texts.of(&first));
        assert_eq!(one.as_ptr(), two.as_ptr());
        assert_ne!(texts.of(&newer), one);
        for n in 0..TEXTS_MAX * 2 {
            texts.of(&job(&n.to_string(), ""));
        }
        assert!(texts.0.lock().expect("a lock").len() <= TEXTS_MAX);
    }
}
