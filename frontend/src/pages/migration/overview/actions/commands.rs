//! Sends what the user asks of a job.

use crate::api::{self, ApiError};
use crate::components::toast::{Toasts, use_toasts};
use crate::live::use_live;
use crate::pages::migration::overview::JobSignal;
use gloo_timers::future::TimeoutFuture;
use godwit_shared::ids::JobId;
use godwit_shared::job::MigrationJobStatus;
use leptos::prelude::*;

/// What the user asks of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Terminates the snapshot stage, completes the CDC stage.
    Stop,
    /// Cancels the CDC stage.
    EndWithoutRest,
    Pause,
    Resume,
}

impl Command {
    /// As a button calls it.
    fn name(self) -> &'static str {
        match self {
            Command::Stop => "Stop",
            Command::EndWithoutRest => "End without the rest",
            Command::Pause => "Pause",
            Command::Resume => "Resume",
        }
    }
}

/// Between two tries while the server cannot be reached.
const TRY_EVERY_MS: u32 = 2_000;
/// After so many of them the user decides anew.
const TRIES_MAX: u32 = 150;

/// Sends it, again and again while the network is away, and says what becomes of it.
async fn deliver(command: Command, id: &JobId, toasts: Toasts) -> Option<MigrationJobStatus> {
    match send(command, id).await {
        Ok(job) => return Some(job),
        Err(ApiError::Unreachable) => {}
        Err(error) => {
            toasts.fail(&error);
            return None;
        }
    }
    let name = command.name();
    toasts.warn(
        &format!("{name} is on its way, but the server cannot be reached."),
        "It is sent again until there is an answer; what becomes of it is said here.",
    );
    for _ in 0..TRIES_MAX {
        TimeoutFuture::new(TRY_EVERY_MS).await;
        match send(command, id).await {
            Err(ApiError::Unreachable) => {}
            Ok(job) => {
                toasts.say(format!("{name} has arrived, and the job does it."));
                return Some(job);
            }
            Err(error) => {
                toasts.warn(&format!("{name} has arrived and was refused."), &error.message());
                return None;
            }
        }
    }
    toasts.warn(
        &format!("{name} has not reached the server."),
        "Nothing was changed by it. Try again when the server answers.",
    );
    None
}

async fn send(command: Command, id: &JobId) -> Result<MigrationJobStatus, ApiError> {
    match command {
        Command::Stop => api::jobs::stop(id).await,
        Command::EndWithoutRest => api::jobs::end_without_rest(id).await,
        Command::Pause => api::jobs::pause(id).await,
        Command::Resume => api::jobs::resume(id).await,
    }
}

/// Sends commands to the job.
#[derive(Clone, Copy)]
pub struct Commands {
    action: Action<Command, ()>,
    running: RwSignal<Option<Command>>,
}

impl Commands {
    pub fn new(job: JobSignal) -> Self {
        let (live, toasts) = (use_live(), use_toasts());
        let running = RwSignal::new(None);
        let action = Action::new_local(move |command: &Command| {
            let (command, id) = (*command, job.get_untracked().id.clone());
            async move {
                if let Some(job) = deliver(command, &id, toasts).await {
                    live.adopt(job);
                }
                // A later command may be on its way by now.
                if running.get_untracked() == Some(command) {
                    running.set(None);
                }
            }
        });
        Self { action, running }
    }

    /// Never twice the same at once. Another one goes out at once: the job's new status is pushed before the command that
    /// led to it is answered, and with it come the buttons of that status.
    pub fn dispatch(self, command: Command) {
        if self.running.get_untracked() != Some(command) {
            self.running.set(Some(command));
            self.action.dispatch_local(command);
        }
    }

    pub fn is_running(self, command: Command) -> Signal<bool> {
        Signal::derive(move || self.running.get() == Some(command))
    }
}
