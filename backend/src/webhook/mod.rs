//! Messages about jobs, posted as JSON to one address.
//!
//! The address is the administrator's: it stands on the command line, for a request to any address is what a user of the
//! page must not be able to make this server send. Users see its host, and may have a test sent there. Nothing is read of an
//! answer but its status, no redirect is followed, and every attempt ends in a bounded time. A message that does not arrive
//! is sent again a few times, and then it is gone: jobs never wait for it.

mod address;
mod send;

pub use address::{AddressError, WebhookAddress};
pub use send::SendError;

use chrono::Utc;
use godwit_shared::notice::Notice;
use godwit_shared::settings::{Delivery, WebhookSettings};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// Messages that wait; further ones are lost.
const WAITING_MAX: usize = 100;
/// Pauses between the attempts to send one message.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(16)];
/// The most bytes of a message: names are bounded, so it is never near to that.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// The webhook of the server.
#[derive(Debug, Clone)]
pub struct Webhook(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: WebhookAddress,
    lag_limit_ms: u64,
    queue: mpsc::Sender<Notice>,
    last: Mutex<Option<Delivery>>,
}

impl Webhook {
    /// Starts to send what will be given to it.
    pub fn start(address: WebhookAddress, lag_limit_ms: u64) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        let webhook = Self(Arc::new(Inner {
            address,
            lag_limit_ms,
            queue,
            last: Mutex::default(),
        }));
        tokio::spawn(webhook.clone().work(waiting));
        webhook
    }

    /// The limit of the lag beyond which somebody wants to be told, ms.
    pub fn lag_limit_ms(&self) -> u64 {
        self.0.lag_limit_ms
    }

    /// As users may see it.
    pub fn shown(&self) -> WebhookSettings {
        WebhookSettings {
            origin: self.0.address.origin().to_owned(),
            lag_limit_ms: self.0.lag_limit_ms,
            last: self.0.last.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// Sends a message as soon as those before it are gone. Waits for nothing.
    pub fn send(&self, notice: Notice) {
        if self.0.queue.try_send(notice).is_err() {
            tracing::warn!("A message of the webhook is lost: too many of them wait");
        }
    }

    /// Sends a message now, once.
    ///
    /// # Errors
    /// Why it did not arrive.
    pub async fn try_once(&self, notice: &Notice) -> Result<(), SendError> {
        let sent = self.attempt(notice).await;
        self.note(sent.as_ref().err());
        sent
    }

    async fn work(self, mut waiting: mpsc::Receiver<Notice>) {
        while let Some(notice) = waiting.recv().await {
            let sent = self.deliver(&notice).await;
            self.note(sent.as_ref().err());
            if let Err(error) = sent {
                tracing::warn!(%error, notice.id, "A message of the webhook did not arrive");
            }
        }
    }

    async fn deliver(&self, notice: &Notice) -> Result<(), SendError> {
        for pause in PAUSES {
            match self.attempt(notice).await {
                Err(error) if error.is_passing() => tokio::time::sleep(pause).await,
                done => return done,
            }
        }
        self.attempt(notice).await
    }

    async fn attempt(&self, notice: &Notice) -> Result<(), SendError> {
        let body = serde_json::to_vec(notice).expect("types of the wire have string keys");
        if body.len() > MESSAGE_BYTES_MAX {
            return Err(SendError::TooLarge(body.len()));
        }
        send::post(&self.0.address, body).await
    }

    fn note(&self, failure: Option<&SendError>) {
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Delivery {
            at: Utc::now(),
            failure: failure.map(ToString::to_string),
        });
    }
}
