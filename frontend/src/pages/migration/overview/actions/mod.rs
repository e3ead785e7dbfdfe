//! The buttons at the upper right, and the questions that they ask first.

mod commands;
mod dialogs;

use super::JobSignal;
use crate::components::button::{Button, ButtonTone};
use crate::components::icon::Icon;
use crate::pages::migration::present::{Controls, StopControl, controls};
use crate::pages::migration::use_migration;
use crate::routes::WizardStart;
use commands::{Command, Commands};
use dialogs::{CompleteCdcDialog, EndWithoutRestDialog, PauseDialog, ResumeDialog, TerminateDialog};
use leptos::prelude::*;

/// What is asked before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Terminate,
    CompleteCdc,
    EndWithoutRest,
    Pause,
    Resume,
}

impl Question {
    fn command(self) -> Command {
        match self {
            Question::Terminate | Question::CompleteCdc => Command::Stop,
            Question::EndWithoutRest => Command::EndWithoutRest,
            Question::Pause => Command::Pause,
            Question::Resume => Command::Resume,
        }
    }

    /// A job that changes its state by itself takes the question with it.
    fn still_makes_sense(self, allowed: Controls) -> bool {
        match self {
            Question::Terminate => allowed.stop == StopControl::Terminate,
            Question::CompleteCdc => allowed.stop == StopControl::CompleteCdc,
            Question::EndWithoutRest => allowed.can_abandon,
            Question::Pause => allowed.can_pause,
            Question::Resume => allowed.can_resume,
        }
    }
}

#[component]
pub fn JobActions(job: JobSignal) -> impl IntoView {
    let context = use_migration();
    let commands = Commands::new(job);
    let question = RwSignal::new(None::<Question>);
    let allowed = Memo::new(move |_| controls(&job.get()));
    let may = move |pick: fn(&Controls) -> bool| move || allowed.with(pick);
    let create = Callback::new(move |()| {
        context.open_wizard(WizardStart::LikeJob(job.get_untracked().id.clone()));
    });
    let ask = move |asked: Question| Callback::new(move |()| question.set(Some(asked)));
    view! {
        <div class="gw-row">
            <Show when=may(|c| c.can_create_new)>
                <Button label="Run again" icon=Icon::Retry on_press=create attr:data-testid="create-new-job"/>
            </Show>
            <Show when=may(|c| c.can_pause)>
                <Button
                    label="Pause"
                    icon=Icon::Pause
                    is_busy=commands.is_running(Command::Pause)
                    on_press=ask(Question::Pause)
                    attr:data-testid="pause"
                />
            </Show>
            <Show when=may(|c| c.can_resume)>
                <Button
                    label="Resume"
                    icon=Icon::Play
                    is_busy=commands.is_running(Command::Resume)
                    on_press=ask(Question::Resume)
                    attr:data-testid="resume"
                />
            </Show>
            <Show when=may(|c| c.can_abandon)>
                <Button
                    label="End without the rest"
                    tone=ButtonTone::Danger
                    icon=Icon::Stop
                    is_busy=commands.is_running(Command::EndWithoutRest)
                    on_press=ask(Question::EndWithoutRest)
                    attr:data-testid="abandon"
                />
            </Show>
            <StopButton allowed=allowed commands=commands question=question/>
        </div>
        <QuestionDialog job=job allowed=allowed commands=commands question=question/>
    }
}

/// *Terminate* or *Complete CDC*.
#[component]
fn StopButton(allowed: Memo<Controls>, commands: Commands, question: RwSignal<Option<Question>>) -> impl IntoView {
    let stop = Memo::new(move |_| allowed.get().stop);
    let ask = move |asked: Question| Callback::new(move |()| question.set(Some(asked)));
    let is_stopping = commands.is_running(Command::Stop);
    move || match stop.get() {
        StopControl::None => ().into_any(),
        StopControl::Terminate => view! {
            <Button
                label="Terminate"
                tone=ButtonTone::Danger
                icon=Icon::Stop
                is_busy=is_stopping
                on_press=ask(Question::Terminate)
                attr:data-testid="terminate"
            />
        }
        .into_any(),
        StopControl::Terminating => view! {
            <Button
                label="Cancelling"
                tone=ButtonTone::Danger
                is_busy=true
                on_press=ask(Question::Terminate)
                attr:data-testid="terminate"
            />
        }
        .into_any(),
        StopControl::CompleteCdc => view! {
            <Button
                label="Complete CDC"
                tone=ButtonTone::Success
                icon=Icon::Check
                is_busy=is_stopping
                on_press=ask(Question::CompleteCdc)
                attr:data-testid="complete-cdc"
            />
        }
        .into_any(),
    }
}

#[component]
fn QuestionDialog(
    job: JobSignal,
    allowed: Memo<Controls>,
    commands: Commands,
    question: RwSignal<Option<Question>>,
) -> impl IntoView {
    let asked = Memo::new(move |_| question.get().filter(|q| q.still_makes_sense(allowed.get())));
    let close = Callback::new(move |()| question.set(None));
    let confirm = Callback::new(move |()| {
        let Some(asked) = question.get_untracked() else { return };
        question.set(None);
        commands.dispatch(asked.command());
    });
    move || {
        let dialog = match asked.get()? {
            Question::Terminate => view! { <TerminateDialog job=job on_confirm=confirm on_close=close/> }.into_any(),
            Question::CompleteCdc => {
                view! { <CompleteCdcDialog job=job on_confirm=confirm on_close=close/> }.into_any()
            }
            Question::EndWithoutRest => {
                view! { <EndWithoutRestDialog job=job on_confirm=confirm on_close=close/> }.into_any()
            }
            Question::Pause => view! { <PauseDialog job=job on_confirm=confirm on_close=close/> }.into_any(),
            Question::Resume => view! { <ResumeDialog job=job on_confirm=confirm on_close=close/> }.into_any(),
        };
        Some(dialog)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::present::tests::{cdc_job, job};
    use godwit_shared::job::{CdcStatus, JobStatus, MigrationJobStatus};

    #[test]
    fn a_question_goes_when_the_job_has_changed() {
        let check = |question: Question, job: MigrationJobStatus, expected| {
            assert_eq!(question.still_makes_sense(controls(&job)), expected, "{question:?}");
        };
        check(Question::Terminate, job(JobStatus::Running), true);
        check(Question::Terminate, job(JobStatus::Completed), false);
        let streaming = || cdc_job(JobStatus::Running, CdcStatus::Running, true);
        let completing = || cdc_job(JobStatus::Running, CdcStatus::Completing, true);
        let paused = || cdc_job(JobStatus::Running, CdcStatus::Paused, true);
        check(Question::Terminate, streaming(), false);
        check(Question::CompleteCdc, streaming(), true);
        check(Question::CompleteCdc, paused(), true);
        check(Question::CompleteCdc, completing(), false);
        check(Question::EndWithoutRest, completing(), true);
        check(Question::EndWithoutRest, paused(), true);
        check(Question::EndWithoutRest, streaming(), false);
        check(Question::Pause, streaming(), true);
        check(Question::Pause, paused(), false);
        check(Question::Resume, paused(), true);
    }
}
