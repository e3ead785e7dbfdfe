//! The buttons at the upper right, and the questions that two of them ask first.

use super::JobSignal;
use crate::api::{self, ApiError};
use crate::components::button::{Button, ButtonTone};
use crate::components::dialog::{ConfirmAction, ConfirmDialog};
use crate::components::icon::Icon;
use crate::components::toast::use_toasts;
use crate::live::use_live;
use crate::pages::migration::present::{Controls, StopControl, controls};
use crate::pages::migration::use_migration;
use crate::routes::WizardStart;
use godwit_shared::ids::JobId;
use godwit_shared::job::MigrationJobStatus;
use leptos::prelude::*;

const TERMINATE: ConfirmAction = ConfirmAction {
    label: "Terminate",
    tone: ButtonTone::Danger,
    testid: "terminate-confirm",
};
const COMPLETE_CDC: ConfirmAction = ConfirmAction {
    label: "Complete CDC",
    tone: ButtonTone::Success,
    testid: "complete-cdc-confirm",
};

/// What the user asks of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Stop,
    Pause,
    Resume,
}

async fn send(command: Command, id: &JobId) -> Result<MigrationJobStatus, ApiError> {
    match command {
        Command::Stop => api::jobs::stop(id).await,
        Command::Pause => api::jobs::pause(id).await,
        Command::Resume => api::jobs::resume(id).await,
    }
}

/// Sends commands to the job; a failure shows as a toast.
#[derive(Clone, Copy)]
struct Commands {
    action: Action<Command, ()>,
    running: RwSignal<Option<Command>>,
}

impl Commands {
    fn new(job: JobSignal) -> Self {
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
    fn dispatch(self, command: Command) {
        if self.running.get_untracked() != Some(command) {
            self.running.set(Some(command));
            self.action.dispatch_local(command);
        }
    }

    fn press(self, command: Command) -> Callback<()> {
        Callback::new(move |()| self.dispatch(command))
    }

    fn is_running(self, command: Command) -> Signal<bool> {
        Signal::derive(move || self.running.get() == Some(command))
    }
}

#[component]
pub fn JobActions(job: JobSignal) -> impl IntoView {
    let context = use_migration();
    let commands = Commands::new(job);
    let allowed = Memo::new(move |_| controls(&job.get()));
    let may = move |pick: fn(&Controls) -> bool| move || allowed.with(pick);
    let create = Callback::new(move |()| {
        context.open_wizard(WizardStart::LikeJob(job.get_untracked().id.clone()));
    });
    view! {
        <div class="gw-row">
            <Show when=may(|c| c.can_create_new)>
                <Button label="Create new job" icon=Icon::Copy on_press=create attr:data-testid="create-new-job"/>
            </Show>
            <Show when=may(|c| c.can_pause)>
                <Button
                    label="Pause"
                    icon=Icon::Pause
                    is_busy=commands.is_running(Command::Pause)
                    on_press=commands.press(Command::Pause)
                    attr:data-testid="pause"
                />
            </Show>
            <Show when=may(|c| c.can_resume)>
                <Button
                    label="Resume"
                    icon=Icon::Play
                    is_busy=commands.is_running(Command::Resume)
                    on_press=commands.press(Command::Resume)
                    attr:data-testid="resume"
                />
            </Show>
            <StopButton allowed=allowed commands=commands/>
        </div>
    }
}

/// *Terminate* or *Complete CDC*, with its modal.
#[component]
fn StopButton(allowed: Memo<Controls>, commands: Commands) -> impl IntoView {
    let stop = Memo::new(move |_| allowed.get().stop);
    let is_asking = RwSignal::new(false);
    let ask = Callback::new(move |()| is_asking.set(true));
    let close = Callback::new(move |()| is_asking.set(false));
    let confirm = Callback::new(move |()| {
        is_asking.set(false);
        commands.dispatch(Command::Stop);
    });
    let is_busy = commands.is_running(Command::Stop);
    let button = move || {
        match stop.get() {
        StopControl::None => ().into_any(),
        StopControl::Terminate => view! {
            <Button label="Terminate" tone=ButtonTone::Danger icon=Icon::Stop is_busy=is_busy on_press=ask attr:data-testid="terminate"/>
        }
        .into_any(),
        StopControl::Terminating => view! {
            <Button label="Cancelling" tone=ButtonTone::Danger is_busy=true on_press=ask attr:data-testid="terminate"/>
        }
        .into_any(),
        StopControl::CompleteCdc => view! {
            <Button label="Complete CDC" tone=ButtonTone::Success icon=Icon::Check is_busy=is_busy on_press=ask attr:data-testid="complete-cdc"/>
        }
        .into_any(),
    }
    };
    // A job that ends by itself takes the question with it.
    let question = move || match (is_asking.get(), stop.get()) {
        (true, StopControl::Terminate) => view! { <TerminateDialog on_confirm=confirm on_close=close/> }.into_any(),
        (true, StopControl::CompleteCdc) => view! { <CompleteCdcDialog on_confirm=confirm on_close=close/> }.into_any(),
        (true | false, _) => ().into_any(),
    };
    view! {
        {button}
        {question}
    }
}

#[component]
fn TerminateDialog(on_confirm: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    view! {
        <ConfirmDialog title="Terminate this job?" action=TERMINATE on_confirm=on_confirm on_close=on_close>
            <p>"The snapshot stops. Data written so far stays in MongoDB, every document of it whole."</p>
            <p>
                "A stopped job cannot be resumed. To go on later, use " <b>"Pause"</b> " instead; to start again, create \
                 a new job with " <b>"Drop destination collections before migration"</b> "."
            </p>
        </ConfirmDialog>
    }
}

#[component]
fn CompleteCdcDialog(on_confirm: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    view! {
        <ConfirmDialog title="Complete CDC?" action=COMPLETE_CDC on_confirm=on_confirm on_close=on_close>
            <p>
                "Every change made in the source up to now is applied, then the job ends. Changes made after this moment \
                 do not reach MongoDB."
            </p>
            <p>"A completed job cannot be resumed."</p>
        </ConfirmDialog>
    }
}
