//! What can be done with a verification.

use super::Verifications;
use super::dialogs::{RepairDialog, StartDialog};
use crate::api::ApiError;
use crate::api::verifications::{self, findings_url, report_data_url, report_url};
use crate::components::button::{Button, ButtonTone, DownloadLink};
use crate::components::icon::{Glyph, Icon};
use crate::components::toast::use_toasts;
use crate::pages::migration::overview::JobSignal;
use crate::remote::Remote;
use godwit_shared::verification::{Verification, VerificationStatus};
use leptos::prelude::*;
use std::sync::Arc;

/// What is open.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Open {
    Start,
    Repair(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Cancel,
    Pause,
    Resume,
}

async fn send(command: Command, id: &str) -> Result<Verification, ApiError> {
    match command {
        Command::Cancel => verifications::cancel(id).await,
        Command::Pause => verifications::pause(id).await,
        Command::Resume => verifications::resume(id).await,
    }
}

/// What is offered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Offers {
    id: String,
    start: bool,
    cancel: bool,
    pause: bool,
    resume: bool,
    repair: bool,
    report: bool,
    findings: bool,
}

fn offers(newest: Option<&Verification>) -> Offers {
    let Some(one) = newest else {
        return Offers {
            start: true,
            ..Offers::default()
        };
    };
    let is_at_work = !one.status.is_ended();
    let is_idle = !is_at_work && !one.is_repairing;
    Offers {
        id: one.id.clone(),
        start: is_idle,
        cancel: one.status == VerificationStatus::Verifying || one.status == VerificationStatus::Aborted,
        pause: one.status == VerificationStatus::Verifying && !one.is_paused,
        resume: (is_at_work && one.is_paused) || one.status == VerificationStatus::Aborted,
        repair: is_idle && one.findings_stored > one.findings_repaired,
        report: is_idle,
        findings: is_idle && one.findings_stored > 0,
    }
}

#[component]
pub fn VerificationActions(
    job: JobSignal,
    all: Verifications,
    newest: Memo<Remote<Option<Arc<Verification>>>>,
) -> impl IntoView {
    let toasts = use_toasts();
    let open = RwSignal::new(None::<Open>);
    let close = Callback::new(move |()| {
        open.set(None);
        all.look();
    });
    let offered = Memo::new(move |_| newest.get().ready().map(|one| offers(one.as_deref())));
    let command = Action::new_local(move |command: &Command| {
        let command = *command;
        let id = offered.get_untracked().unwrap_or_default().id;
        async move {
            if let Err(error) = send(command, &id).await {
                toasts.fail(&error);
            }
            all.look();
        }
    });
    let press = move |wanted: Command| {
        Callback::new(move |()| {
            command.dispatch_local(wanted);
        })
    };
    let is = move |pick: fn(&Offers) -> bool| Memo::new(move |_| offered.get().is_some_and(|o| pick(&o)));
    let (starts, cancels, pauses) = (is(|o| o.start), is(|o| o.cancel), is(|o| o.pause));
    let (resumes, repairs, reports) = (is(|o| o.resume), is(|o| o.repair), is(|o| o.report && !o.id.is_empty()));
    let finds = is(|o| o.findings);
    let id = move || offered.get().unwrap_or_default().id;
    let is_busy = command.pending();
    let start = Callback::new(move |()| open.set(Some(Open::Start)));
    let repair = Callback::new(move |()| open.set(Some(Open::Repair(id()))));
    let dialog = move || {
        Some(match open.get()? {
            Open::Start => view! { <StartDialog job=job on_close=close/> }.into_any(),
            Open::Repair(id) => view! { <RepairDialog id=id on_close=close/> }.into_any(),
        })
    };
    view! {
        <div class="gw-row gw-shelf__buttons">
            <Show when=move || starts.get()>
                <Button label="Verify" icon=Icon::CheckTwice on_press=start attr:data-testid="verify"/>
            </Show>
            <Show when=move || pauses.get()>
                <Button
                    label="Pause"
                    icon=Icon::Pause
                    is_busy=is_busy
                    on_press=press(Command::Pause)
                    attr:data-testid="pause-verification"
                />
            </Show>
            <Show when=move || resumes.get()>
                <Button
                    label="Resume"
                    icon=Icon::Play
                    is_busy=is_busy
                    on_press=press(Command::Resume)
                    attr:data-testid="resume-verification"
                />
            </Show>
            <Show when=move || cancels.get()>
                <Button
                    label="Cancel"
                    icon=Icon::Stop
                    is_busy=is_busy
                    on_press=press(Command::Cancel)
                    attr:data-testid="cancel-verification"
                />
            </Show>
            <Show when=move || repairs.get()>
                <Button
                    label="Repair"
                    tone=ButtonTone::Danger
                    icon=Icon::Retry
                    on_press=repair
                    attr:data-testid="repair"
                />
            </Show>
            <Show when=move || reports.get()>
                <a
                    class="gw-button gw-button--quiet"
                    href=move || report_url(&id())
                    target="_blank"
                    rel="external"
                    data-testid="verification-report"
                >
                    <Glyph icon=Icon::Info/>
                    <span>"Verification report"</span>
                </a>
                <DownloadLink
                    label="Signed report"
                    href=report_data_url(&id())
                    file_name=format!("verification-{}.json", id())
                    is_wide=true
                />
            </Show>
            <Show when=move || finds.get()>
                <DownloadLink
                    label="All findings"
                    href=findings_url(&id())
                    file_name=format!("verification-{}.jsonl", id())
                    is_wide=true
                />
            </Show>
        </div>
        {dialog}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_offered_follows_the_state() {
        let one = |more: serde_json::Value| {
            let mut one = json!({"id": "v", "projectId": "p", "projectName": "P", "source": "", "destination": "",
                "startedAt": "2026-11-03T10:00:00Z", "version": "1", "options": {}, "collections": []});
            one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            offers(Some(&serde_json::from_value(one).expect("a verification")))
        };
        assert!(offers(None).start);
        let at_work = one(json!({"status": "VERIFYING"}));
        assert!(at_work.pause && at_work.cancel && !at_work.start && !at_work.report);
        let paused = one(json!({"status": "VERIFYING", "isPaused": true}));
        assert!(paused.resume && !paused.pause);
        let failed = one(json!({"status": "FAILED", "findingsStored": 3}));
        assert!(failed.repair && failed.report && failed.start && !failed.cancel);
        assert!(!one(json!({"status": "FAILED", "findingsStored": 3, "isRepairing": true})).repair);
        assert!(one(json!({"status": "ABORTED"})).resume);
    }
}
