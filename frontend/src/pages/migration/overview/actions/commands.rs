//! Sends what the user asks of a job.

use crate::api::{self, ApiError};
use crate::components::toast::use_toasts;
use crate::live::use_live;
use crate::pages::migration::overview::JobSignal;
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

async fn send(command: Command, id: &JobId) -> Result<MigrationJobStatus, ApiError> {
    match command {
        Command::Stop => api::jobs::stop(id).await,
        Command::EndWithoutRest => api::jobs::end_without_rest(id).await,
        Command::Pause => api::jobs::pause(id).await,
        Command::Resume => api::jobs::resume(id).await,
    }
}

/// Sends commands to the job; a failure shows as a toast.
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
                match send(command, &id).await {
                    Ok(job) => live.adopt(job),
                    Err(error) => toasts.fail(&error),
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
